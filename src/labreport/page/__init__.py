"""The page: the report on a screen, in one file, where a click on a number explains it."""

from labreport.page.html import live
from labreport.page.page import Made, make, making, out_of_date
from labreport.page.waiting import waiting

__all__ = ["Made", "live", "make", "making", "out_of_date", "waiting"]

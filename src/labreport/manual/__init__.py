"""The reference: all that a user can write, on one page, from the docstrings and tables of the code."""

from labreport.manual.page import html

__all__ = ["html"]

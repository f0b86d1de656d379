"""What a document shows and where it comes from, told from what the last build left."""

from labreport.explain import claims, differences
from labreport.explain.claims import counted
from labreport.explain.diffing import Compared, compared, last_report, since

__all__ = ["Compared", "claims", "compared", "counted", "differences", "last_report", "since"]

"""What a document shows and where it comes from, told from what the last build left."""

from labreport.explain import claims, lines
from labreport.explain.claims import counted
from labreport.explain.explanation import explain
from labreport.explain.impact import impact

__all__ = ["claims", "counted", "explain", "impact", "lines"]

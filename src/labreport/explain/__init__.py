"""What a document shows and where it comes from, told from what the last build left."""

from labreport.explain import claims
from labreport.explain.claims import counted

__all__ = ["claims", "counted"]

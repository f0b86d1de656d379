"""What a document shows and where it comes from, told from what the last build left."""

from labreport.explain import claims, differences, lines
from labreport.explain.annotated import annotate
from labreport.explain.answers import Located, located
from labreport.explain.claims import counted
from labreport.explain.diffing import Compared, compared, since
from labreport.explain.explanation import explain
from labreport.explain.impact import impact

__all__ = [
    "Compared",
    "Located",
    "annotate",
    "claims",
    "compared",
    "counted",
    "differences",
    "explain",
    "impact",
    "lines",
    "located",
    "since",
]

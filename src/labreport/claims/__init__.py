"""Claims: predicates on values, estimates and samples, and their verdicts; it knows no files, no results."""

from labreport.claims.judgement import FAILS, HOLDS, UNDECIDED, Judgement
from labreport.claims.judging import Judged, judge, untold
from labreport.claims.predicates import PREDICATES
from labreport.claims.quantity import WORDS

__all__ = ["FAILS", "HOLDS", "PREDICATES", "UNDECIDED", "WORDS", "Judged", "Judgement", "judge", "untold"]

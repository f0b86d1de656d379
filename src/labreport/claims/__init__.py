"""Claims and what else a text states: predicates and verdicts, typed digits, words, numbers that disagree.

It knows no files and no results: values reach it as boxes, or as numbers by their keys.
"""

from labreport.claims.best import best
from labreport.claims.computing import kept_by
from labreport.claims.consistency import Misfit, arithmetic, precisions, standard_errors
from labreport.claims.judgement import FAILS, HOLDS, UNDECIDED, Judgement
from labreport.claims.judging import Judged, judge, untold
from labreport.claims.nearest import Nearest, numbers
from labreport.claims.predicates import PREDICATES
from labreport.claims.quantity import WORDS
from labreport.claims.reading import Reading, read
from labreport.claims.typed import Typed, count, typed_numbers, unused
from labreport.claims.wording import COMPARING, Word, quantities

__all__ = [
    "COMPARING",
    "FAILS",
    "HOLDS",
    "PREDICATES",
    "UNDECIDED",
    "WORDS",
    "Judged",
    "Judgement",
    "Misfit",
    "Nearest",
    "Reading",
    "Typed",
    "Word",
    "arithmetic",
    "best",
    "count",
    "judge",
    "kept_by",
    "numbers",
    "precisions",
    "quantities",
    "read",
    "standard_errors",
    "typed_numbers",
    "untold",
    "unused",
]

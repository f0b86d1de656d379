"""What a document shows and where it comes from, told from what the last build left."""

from labreport.explain import claims, comparison, differences, lines, record
from labreport.explain.annotated import annotate
from labreport.explain.answers import Located, located
from labreport.explain.claims import counted
from labreport.explain.columns import column_of, columns, expression_of, head_of
from labreport.explain.contexts import Contexts, cells
from labreport.explain.definitions import Definition, Definitions
from labreport.explain.diffing import Compared, compared, last_changes, since
from labreport.explain.explanation import explain
from labreport.explain.impact import impact
from labreport.explain.keys import INTERVAL, NUMBER, SAMPLE, Contents, experiment_of
from labreport.explain.origins import Origin, Origins
from labreport.explain.record import Answer, Claim, Excerpt, Figure, Place, Record, Value
from labreport.explain.texts import readable

__all__ = [
    "INTERVAL",
    "NUMBER",
    "SAMPLE",
    "Answer",
    "Claim",
    "Compared",
    "Contents",
    "Contexts",
    "Definition",
    "Definitions",
    "Excerpt",
    "Figure",
    "Located",
    "Origin",
    "Origins",
    "Place",
    "Record",
    "Value",
    "annotate",
    "cells",
    "claims",
    "column_of",
    "columns",
    "compared",
    "comparison",
    "counted",
    "differences",
    "experiment_of",
    "explain",
    "expression_of",
    "head_of",
    "impact",
    "last_changes",
    "lines",
    "located",
    "readable",
    "record",
    "since",
]

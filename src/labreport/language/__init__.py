"""The template language over boxes; it knows no LaTeX."""

from labreport.language.compiled import Remember, afresh
from labreport.language.environment import render
from labreport.language.filters import Formatted
from labreport.language.formats import (
    FORMATS,
    Address,
    Cell,
    Column,
    Duration,
    Figure,
    FileName,
    FormatError,
    Label,
    Number,
    Numeric,
    cut,
    label,
    short,
)
from labreport.language.spans import Piece, Printed, Region, Rendered, Site, line_start, place_in
from labreport.language.statements import VERDICTS, Stated
from labreport.language.target import Target
from labreport.language.values import Box, keys, kind, plain, step

__all__ = [
    "FORMATS",
    "VERDICTS",
    "Address",
    "Box",
    "Cell",
    "Column",
    "Duration",
    "Figure",
    "FileName",
    "FormatError",
    "Formatted",
    "Label",
    "Number",
    "Numeric",
    "Piece",
    "Printed",
    "Region",
    "Remember",
    "Rendered",
    "Site",
    "Stated",
    "Target",
    "afresh",
    "cut",
    "keys",
    "kind",
    "label",
    "line_start",
    "place_in",
    "plain",
    "render",
    "short",
    "step",
]

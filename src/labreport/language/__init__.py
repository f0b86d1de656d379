"""The template language over boxes; it knows no LaTeX."""

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
from labreport.language.spans import Printed, Rendered, line_start, place_in
from labreport.language.target import Target
from labreport.language.values import Box, kind

__all__ = [
    "FORMATS",
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
    "Printed",
    "Rendered",
    "Target",
    "cut",
    "kind",
    "label",
    "line_start",
    "place_in",
    "render",
    "short",
]

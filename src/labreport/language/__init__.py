"""The template language over boxes; it knows no LaTeX."""

from labreport.language.arguments import FormatError, short
from labreport.language.columns import Cell, Column, column, in_cell
from labreport.language.compiled import Remember, afresh
from labreport.language.deadlines import deadline
from labreport.language.environment import render
from labreport.language.filters import FILTERS, Formatted
from labreport.language.formats import (
    LONGEST_ADDRESS,
    Address,
    Duration,
    Figure,
    FileName,
    Label,
    Number,
    cut,
    label,
    limited,
)
from labreport.language.locales import ENGLISH, Locale, locale
from labreport.language.quantities import Bare, Date, Money, Numeric, Ordinal, Phrase, Scaled
from labreport.language.reference import EXAMPLES, FORMATS
from labreport.language.spans import Piece, Printed, Region, Rendered, Site, line_start, place_in
from labreport.language.statements import VERDICTS, Stated
from labreport.language.tabulating import Tables
from labreport.language.target import Target
from labreport.language.units import factors
from labreport.language.values import Box, keys, kind, plain, step

__all__ = [
    "ENGLISH",
    "EXAMPLES",
    "FILTERS",
    "FORMATS",
    "LONGEST_ADDRESS",
    "VERDICTS",
    "Address",
    "Bare",
    "Box",
    "Cell",
    "Column",
    "Date",
    "Duration",
    "Figure",
    "FileName",
    "FormatError",
    "Formatted",
    "Label",
    "Locale",
    "Money",
    "Number",
    "Numeric",
    "Ordinal",
    "Phrase",
    "Piece",
    "Printed",
    "Region",
    "Remember",
    "Rendered",
    "Scaled",
    "Site",
    "Stated",
    "Tables",
    "Target",
    "afresh",
    "column",
    "cut",
    "deadline",
    "factors",
    "in_cell",
    "keys",
    "kind",
    "label",
    "limited",
    "line_start",
    "locale",
    "place_in",
    "plain",
    "render",
    "short",
    "step",
]

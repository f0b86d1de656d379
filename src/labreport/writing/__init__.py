"""Values as LaTeX and as Markdown, and code by name."""

from labreport.writing import excerpts, listings
from labreport.writing.balance import imbalance
from labreport.writing.excerpts import Difference, Excerpt
from labreport.writing.markdown import attachment, in_mathematics, mathematics
from labreport.writing.targets import LATEX, MARKDOWN

__all__ = [
    "LATEX",
    "MARKDOWN",
    "Difference",
    "Excerpt",
    "attachment",
    "excerpts",
    "imbalance",
    "in_mathematics",
    "listings",
    "mathematics",
]

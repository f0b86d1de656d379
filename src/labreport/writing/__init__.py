"""Values as LaTeX and as Markdown, code by name, and LaTeX as its author typed it."""

from labreport.writing import excerpts, listings
from labreport.writing.balance import imbalance
from labreport.writing.excerpts import Difference, Excerpt
from labreport.writing.latex import UNSHOWN
from labreport.writing.latex_source import BEGIN, END, REFERENCE, Code, Picture, Source, entries, plain
from labreport.writing.markdown import attachment, in_mathematics, mathematics
from labreport.writing.prose import VALUE, Prose, read_latex
from labreport.writing.targets import LATEX, latex_in, markdown_in

__all__ = [
    "BEGIN",
    "END",
    "LATEX",
    "REFERENCE",
    "UNSHOWN",
    "VALUE",
    "Code",
    "Difference",
    "Excerpt",
    "Picture",
    "Prose",
    "Source",
    "attachment",
    "entries",
    "excerpts",
    "imbalance",
    "in_mathematics",
    "latex_in",
    "listings",
    "markdown_in",
    "mathematics",
    "plain",
    "read_latex",
]

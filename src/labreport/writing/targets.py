"""The two targets of templates: LaTeX for the report, Markdown for notebooks."""

from __future__ import annotations

from labreport.language import FORMATS, Target
from labreport.writing import booktabs, latex, markdown

LATEX = Target("LaTeX", FORMATS, latex.to_latex, booktabs.table, latex.answer)

MARKDOWN = Target(
    "Markdown",
    {**FORMATS, "python": markdown.python},
    markdown.to_markdown,
    markdown.table,
    markdown.answer,
)

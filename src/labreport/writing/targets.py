"""The two targets of templates: LaTeX for the report, Markdown for notebooks."""

from __future__ import annotations

from functools import partial

from labreport.language import ENGLISH, FORMATS, Locale, Target
from labreport.writing import booktabs, latex, markdown
from labreport.writing.latex_source import takes_name


def latex_in(locale: Locale) -> Target:
    """Return LaTeX with numbers and dates as a language writes them."""
    return Target(
        "LaTeX",
        FORMATS,
        partial(latex.to_latex, locale=locale),
        partial(booktabs.table, locale=locale),
        latex.answer,
        takes_name,
    )


def markdown_in(locale: Locale) -> Target:
    """Return Markdown with numbers and dates as a language writes them."""
    return Target(
        "Markdown",
        {**FORMATS, "python": markdown.python},
        partial(markdown.to_markdown, locale=locale),
        partial(markdown.table, locale=locale),
        markdown.answer,
        lambda _: None,
    )


LATEX = latex_in(ENGLISH)
MARKDOWN = markdown_in(ENGLISH)

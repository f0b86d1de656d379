"""Errors of what reads numbers itself, siunitx, TikZ, TeX, where a formatted number was printed for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from labreport.documents import locate

if TYPE_CHECKING:
    from labreport.documents.document import Document
    from labreport.documents.texlog import Problem
    from labreport.language import Printed

_READING = re.compile(
    r"Invalid number|Missing number|Illegal unit of measure|Unknown (?:function|operator) `"
    r"|Missing \\endcsname|Giving up on this path|Could not parse input"
)


def printed_for(document: Document, problem: Problem) -> Printed | None:
    """Return the formatted number that a number was read from in vain; None if the problem is another one."""
    from labreport.language import Numeric, line_start

    end = locate.offset_of(document, problem)
    if end is None or problem.line is None:
        return None
    start = line_start(document.text, problem.line)
    line = document.text[start : line_start(document.text, problem.line + 1)]
    # pgf takes what it cannot read for a command of its own, which no source names
    own = problem.message.startswith("Undefined control") and (problem.key or "").lstrip("\\") not in line
    if not own and not _READING.search(problem.message):
        return None
    before = [
        printed
        for printed in document.rendered.printed
        if start <= document.published(printed.start) <= end and any(printed.parts(Numeric))
    ]
    return before[-1] if before else None


def cure(printed: Printed) -> str:
    """Return what to write in place of the format."""
    value = re.sub(r"\s*\|\s*\w+\s*(?:\([^()]*\))?\s*$", "", printed.site.expression)
    return rf"a number that is read further needs its bare digits: \VAR{{{value}|raw}}"

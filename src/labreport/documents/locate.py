"""From LaTeX's log to the template: which line, and which character of it, made what TeX complains about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from labreport.errors import Place

if TYPE_CHECKING:
    from labreport.documents.document import Document
    from labreport.documents.texlog import Problem
    from labreport.project import Project


def place_of(project: Project, document: Document, problem: Problem) -> Place:
    """Return the place in a template where a problem lies, or in a file beside the templates.

    What lies elsewhere, as a class of TeX's own, is at the place that the log names.
    """
    offset = offset_of(document, problem)
    if offset is None:
        return _beside_templates(project, problem)
    key = problem.key or ""
    return document.place(offset, len(key) if key and document.text.startswith(key, offset) else 1)


def _beside_templates(project: Project, problem: Problem) -> Place:
    path = project.templates / problem.file
    if problem.line is None or path.suffix == ".j2" or not path.is_file():
        return Place(problem.file, problem.line)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    source = lines[problem.line - 1] if problem.line <= len(lines) else None
    return Place(project.shown(path), problem.line, source=source)


def offset_of(document: Document, problem: Problem) -> int | None:
    """Return the offset in the document's text at which a problem lies, as exactly as the log tells."""
    from labreport.language import line_start

    text = document.text
    if problem.key and problem.kind.startswith("undefined-"):
        # TeX names the line where the paragraph ends; the key itself leads to the command
        command = "cite" if problem.kind == "undefined-citation" else "ref"
        pattern = rf"\\\w*{command}\w*\*?(?:\[[^\]]*\])*\{{[^}}]*?({re.escape(problem.key)})(?=[,}}])"
        if match := re.search(pattern, text):
            return match.start(1)
    if problem.line is None or problem.file != f"{document.job}.tex":
        return None
    start, end = line_start(text, problem.line), line_start(text, problem.line + 1)
    line = text[start:end]
    if "$" in problem.message and (not line.strip() or _dollars(text, start) % 2):
        return _open_dollar(text, start)
    # the context of an overfull box is what stands in the box, not the line up to where TeX stopped
    stop = _stop(line, problem.context) if problem.points is None else 0
    if problem.key and problem.key in line:
        at = line.rfind(problem.key, 0, stop or len(line))
        return start + max(at, 0)
    return start + (stop - 1 if stop else len(line) - len(line.lstrip()))


def _dollars(text: str, end: int) -> int:
    """Return how many dollars stand in a paragraph before an offset."""
    begin = text.rfind("\n\n", 0, end) + 1
    return len(re.findall(r"(?<!\\)\$", text[begin:end]))


def _open_dollar(text: str, end: int) -> int:
    """Return where the mathematics begins that is still open at the end of a paragraph."""
    begin = text.rfind("\n\n", 0, end) + 1
    dollars = [m.start() for m in re.finditer(r"(?<!\\)\$", text[begin:end])]
    return begin + dollars[-1] if dollars else end


def _stop(line: str, context: str) -> int:
    """Return the column after the text that TeX had read of a line when it stopped; 0 if unknown."""
    context = context.strip()
    at = line.find(context) if context else -1
    return at + len(context) if at >= 0 else 0

"""Provenance: for each printed value of a document, what it was made from and where it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from labreport.documents.document import JOB

if TYPE_CHECKING:
    from labreport.documents.document import Document
    from labreport.errors import Place
    from labreport.language import Printed, Rendered

SCHEMA = 1


def of_report(document: Document) -> dict[str, Any]:
    """Return the record of the report; its values stand in the LaTeX that is published."""
    from labreport.language import place_in

    def stands(offset: int) -> Place:
        return place_in(document.text, f"{JOB}.tex", document.published(offset))

    return record(document.rendered, stands)


def record(rendered: Rendered, stands: Callable[[int], Place]) -> dict[str, Any]:
    """Return the record of a document: its printed values and answers, as plain data.

    `stands` gives the place in the published file of an offset in the rendered text.
    """
    answers = [{"question": q, "template": p.file, "line": p.line} for q, p in rendered.answers]
    printed = [_printed(rendered, item, stands(item.start)) for item in rendered.printed]
    return {"schema": SCHEMA, "printed": printed, "answers": answers}


def _printed(rendered: Rendered, item: Printed, stands: Place) -> dict[str, Any]:
    """Return the record of a printed value: text, value, keys, expression, places."""
    made = rendered.site_place(item.site)
    return {
        "text": rendered.text[item.start : item.end],
        "value": item.value,
        "keys": list(item.keys),
        "expression": item.site.expression,
        "template": made.file,
        "line": made.line,
        "column": made.column,
        "file": stands.file,
        "file_line": stands.line,
        "file_column": stands.column,
    }

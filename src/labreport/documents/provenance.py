"""Provenance: what a document shows, what that was made from and where it stands.

The record lists printed values, answers, claims with their verdicts, figures and excerpts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from labreport.documents.document import JOB

if TYPE_CHECKING:
    from labreport.documents.document import Document
    from labreport.errors import Place
    from labreport.language import Figure, Printed, Region, Rendered

SCHEMA = 2


def of_report(document: Document) -> dict[str, Any]:
    """Return the record of the report; its values stand in the LaTeX that is published."""
    from labreport.language import place_in

    def stands(offset: int) -> Place:
        return place_in(document.text, f"{JOB}.tex", document.published(offset))

    return record(document.rendered, stands)


def record(rendered: Rendered, stands: Callable[[int], Place]) -> dict[str, Any]:
    """Return the record of a document, as plain data.

    `stands` gives the place in the published file of an offset in the rendered text.
    """
    from labreport.language import Figure

    answers = [{"question": q, "template": p.file, "line": p.line} for q, p in rendered.answers]
    claims = [_claim(rendered, region, stands) for region in rendered.regions if region.kind == "claim"]
    return {
        "schema": SCHEMA,
        "printed": [_printed(rendered, item, stands(item.start)) for item in rendered.printed],
        "answers": answers,
        "claims": claims,
        "figures": [_figure(rendered, item, figure, stands) for item, figure in rendered.shown(Figure)],
        "excerpts": list(_excerpts(rendered, stands)),
    }


def _placed(made: Place, stands: Place) -> dict[str, Any]:
    """Return the place in a template, and where what it made stands."""
    return {
        "template": made.file,
        "line": made.line,
        "column": made.column,
        "file": stands.file,
        "file_line": stands.line,
        "file_column": stands.column,
    }


def _printed(rendered: Rendered, item: Printed, stands: Place) -> dict[str, Any]:
    """Return the record of a printed value: text, value, keys, expression, places."""
    return {
        "text": rendered.text[item.start : item.end],
        "value": item.value,
        "keys": list(item.keys),
        "expression": item.site.expression,
        **_placed(rendered.site_place(item.site), stands),
    }


def _claim(rendered: Rendered, region: Region, stands: Callable[[int], Place]) -> dict[str, Any]:
    """Return the record of a claim: its sentence as printed, and what was judged."""
    return {
        "name": region.value,
        "sentence": rendered.text[region.start : region.end],
        "expression": region.site.expression,
        **region.verdict.plain(),
        **_placed(rendered.site_place(region.site), stands(region.start)),
    }


def _figure(
    rendered: Rendered, item: Printed, figure: Figure, stands: Callable[[int], Place]
) -> dict[str, Any]:
    key = f"{figure.experiment}.figures.{figure.name}"
    return {"key": key, "shown": figure.file, **_placed(rendered.site_place(item.site), stands(item.start))}


def _excerpts(rendered: Rendered, stands: Callable[[int], Place]) -> Iterator[dict[str, Any]]:
    """Yield the record of the project's code that is shown; of a difference, that of the newer code."""
    from labreport.writing import Difference, Excerpt

    kinds: tuple[type[Excerpt | Difference], ...] = (Excerpt, Difference)
    for kind in kinds:
        for item, code in rendered.shown(kind):
            shown = code.new if isinstance(code, Difference) else code
            yield {
                "name": shown.name,
                "since": code.old.name if isinstance(code, Difference) else None,
                "source": shown.file,
                "lines": [shown.first, shown.last],
                **_placed(rendered.site_place(item.site), stands(item.start)),
            }

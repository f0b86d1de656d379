"""Provenance: what a document shows, what that was made from and where it stands.

The record lists printed values, answers, claims with their verdicts, figures, excerpts, and what paragraphs
are about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport.documents import pins
from labreport.results import files

if TYPE_CHECKING:
    from labreport.documents.cells import Sheet
    from labreport.documents.document import Document
    from labreport.documents.pages import Pages
    from labreport.language import Figure, Printed, Region, Rendered, Site
    from labreport.writing import Difference, Excerpt

SCHEMA = 2
"""The version of the form of a record; a reader refuses the records of another one."""

Stands = Callable[[int], dict[str, Any]]
"""Gives where an offset in the rendered text stands in the published file: `file`, `file_line`, …"""


def of_report(document: Document, pages: Pages) -> dict[str, Any]:
    """Return the record of the report: what it shows stands in the LaTeX, and on a page of the PDF."""
    from labreport.language import place_in
    from labreport.writing import BEGIN

    begin = BEGIN.search(document.text)
    body = begin.start() if begin else -1

    def stands(offset: int) -> dict[str, Any]:
        at = document.published(offset)
        place = place_in(document.text, f"{document.job}.tex", at)
        line, column = place.line or 1, place.column or 1
        page = pages.of(line, _part(place.source or "", column)) if at > body else None
        return {"file": place.file, "file_line": line, "file_column": column, "page": page}

    return record(document.rendered, stands)


def of_notebook(sheet: Sheet) -> dict[str, Any]:
    """Return the record of a notebook: what it shows stands in a line of a cell; both count from 1."""
    from labreport.language import place_in

    def stands(offset: int) -> dict[str, Any]:
        at = sheet.cell_at(offset)
        cell = sheet.cells[at]
        place = place_in(cell.text, f"{sheet.name}.ipynb", max(offset - cell.start, 0))
        where = {"file": place.file, "file_line": place.line, "file_column": place.column}
        return where | {"cell": at + 1, "page": None}

    return record(sheet.rendered, stands)


def _part(line: str, column: int) -> float:
    """Return which part of a line's words stands before a column, from 0 to 1."""
    return len(line[: column - 1].split()) / max(len(line.split()), 1)


def record(rendered: Rendered, stands: Stands) -> dict[str, Any]:
    """Return the record of a document, as plain data."""
    from labreport.language import Figure

    def placed(item: Printed | Region) -> dict[str, Any]:
        return _made(rendered, item.site) | stands(item.start)

    claims = [region for region in rendered.regions if region.kind == "claim"]
    return {
        "schema": SCHEMA,
        "printed": [_printed(rendered, item) | placed(item) for item in rendered.printed],
        "answers": list(_answers(rendered, stands)),
        "claims": [_claim(rendered, region) | placed(region) for region in claims],
        "figures": [_figure(figure) | placed(item) for item, figure in rendered.shown(Figure)],
        "excerpts": [_excerpt(code) | placed(item) for item, code in _excerpts(rendered)],
        "about": [asdict(pin) for pin in pins.found(rendered)],
    }


_SEAL = re.compile(rb'\{\n "checksum": "([0-9a-f]{64})",')
"""How a record begins: with the digest of all that it would hold without this line."""


def write(path: Path, plain: Mapping[str, Any]) -> None:
    """Write a record, or another object, whole or not at all, with its own checksum."""
    text = (json.dumps(plain, ensure_ascii=False, indent=1) + "\n").encode()
    seal = f'{{\n "checksum": "{files.checksum(text)}",'.encode()
    files.write(path, seal + text.removeprefix(b"{"))


def read(path: Path) -> Any:
    """Return what `write` has written, which nobody may change; OSError or ValueError if it is not that."""
    return _parsed(path.read_bytes())


def is_whole(path: Path) -> bool:
    """Return whether a file is there and holds what `write` has written."""
    try:
        read(path)
    except (OSError, ValueError):
        return False
    return True


@lru_cache(maxsize=8)  # several steps of a build read the same records, and each takes long to parse
def _parsed(data: bytes) -> Any:
    found = _SEAL.match(data)
    body = b"{" + data[found.end() :] if found else b""
    if found is None or files.checksum(body).encode() != found[1]:
        raise ValueError("it was changed or damaged, or another version of labreport has written it")
    return json.loads(body)


def _made(rendered: Rendered, site: Site) -> dict[str, Any]:
    """Return the place in a template of the expression or statement that made something."""
    place = rendered.site_place(site)
    return {"template": place.file, "line": place.line, "column": place.column}


def _printed(rendered: Rendered, item: Printed) -> dict[str, Any]:
    """Return the record of a printed value: text, value, keys, expression."""
    return {
        "text": rendered.text[item.start : item.end],
        "value": item.value,
        "keys": list(item.keys),
        "expression": item.site.expression,
    }


def _claim(rendered: Rendered, region: Region) -> dict[str, Any]:
    """Return the record of a claim: its sentence as printed, and what was judged."""
    return {
        "name": region.value,
        "sentence": rendered.text[region.start : region.end],
        "expression": region.site.expression,
        "said": region.said,
        **region.verdict.plain(),
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {"key": figure.key, "shown": figure.file}


def _excerpts(rendered: Rendered) -> Iterator[tuple[Printed, Excerpt | Difference]]:
    """Yield the project's code that is shown, or is put into the cells of a notebook."""
    from labreport.documents.cells import Code
    from labreport.writing import Difference, Excerpt

    kinds: tuple[type[Excerpt | Difference], ...] = (Excerpt, Difference)
    for kind in kinds:
        yield from rendered.shown(kind)
    yield from ((item, part) for item, code in rendered.shown(Code) for part in code.parts)


def _excerpt(code: Excerpt | Difference) -> dict[str, Any]:
    """Return the record of the project's code that is shown; of a difference, that of the newer code."""
    from labreport.writing import Difference

    new, old = (code.new, code.old) if isinstance(code, Difference) else (code, None)
    return {
        "name": new.name,
        "since": old.name if old else None,
        "source": new.file,
        "since_source": old.file if old else None,
        "lines": [new.first, new.last],
    }


def _answers(rendered: Rendered, stands: Stands) -> Iterator[dict[str, Any]]:
    """Yield the record of each answer: its question, place, and the line of the file in which it ends."""
    places = dict(rendered.answers)
    for region in rendered.regions:
        if region.kind == "answer":
            place = places[region.value]
            made = {"question": region.value, "template": place.file, "line": place.line}
            yield made | stands(region.start) | {"file_end": stands(region.end)["file_line"]}

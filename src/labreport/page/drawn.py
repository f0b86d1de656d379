"""The pages as they are printed, with what lies where: drawn once for each report, and kept.

What is drawn follows from the published files alone, and takes longer than all else of the page. LaTeX finds
the places while poppler draws the pictures: each leaves a core to the other. Pages that look as they did are
not drawn again.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from labreport import documents, explain, page
from labreport.page import fingerprints, html, pictures, places, texts
from labreport.page.characters import Box
from labreport.results import Cache, files, versions

if TYPE_CHECKING:
    from pathlib import Path

    from labreport.page.pictures import Poppler
    from labreport.page.texts import Texts
    from labreport.project import Project

LIBRARY = "pypdfium2"
"""What finds texts and places in a PDF."""


@dataclass(frozen=True)
class Drawn:
    """The pages as they are printed: their pictures, packed, their texts, and where each thing lies."""

    glyphs: tuple[str, str]
    pages: tuple[str, ...]
    texts: Texts
    places: dict[str, tuple[Box, ...]]


def draw(project: Project) -> Drawn:
    """Return the drawn pages of the published report, those that are kept where they are of this report.

    Raises ToolError if a program is missing, InputError if the PDF or its record cannot be read.
    """
    poppler = pictures.Poppler()
    with ThreadPoolExecutor(1) as thread:
        try:
            drawn = thread.submit(_pictures, project, poppler)
            read, boxes = _read(project)
            first, others, *pages = drawn.result()
        finally:
            poppler.end()
    return Drawn((first, others), tuple(pages), read, boxes)


def folder(project: Project) -> Path:
    """Return the folder of what is kept for the page."""
    return project.cache / "page"


# ------------------------------------------------------------------------------------------------- pictures


def _pictures(project: Project, poppler: Poppler) -> list[str]:
    """Return the outlines that all pages use, then the picture of each page, packed."""
    cache = Cache(folder(project) / "pictures.json", (page,))
    found: list[str] = cache.remember(files.digest(project.pdf), lambda: _drawn(project, poppler))
    cache.save()
    return found


def _drawn(project: Project, poppler: Poppler) -> list[str]:
    """Return the same, of which only those pages are drawn that look otherwise than in the last report."""
    cache = Cache(folder(project) / "pages.json", (page,))
    keys = [f"{number} {looks}" for number, looks in enumerate(fingerprints.of_pages(project.pdf), 1)]
    new = [number for number, key in enumerate(keys, 1) if not cache.knows(key)]
    made = iter(pictures.draw(project.pdf, new, poppler) if new else ())
    plain = [cache.remember(key, lambda: asdict(next(made))) for key in keys]
    joined = pictures.joined(pictures.Picture(**each) for each in plain)
    shown = (*joined.glyphs, *joined.pages)
    packed = [cache.remember(files.checksum(svg.encode()), partial(html.packed, svg)) for svg in shown]
    cache.save()
    return packed


# ---------------------------------------------------------------------------------------- texts and places


def _read(project: Project) -> tuple[Texts, dict[str, tuple[Box, ...]]]:
    """Return what the published report says, and where it shows each thing."""
    installed = versions.installed(sys.path)
    made_by = (page, explain, documents)
    cache = Cache(folder(project) / "read.json", made_by, {LIBRARY: installed.get(LIBRARY, "")})
    published = (project.pdf, project.latex / f"{project.job}.tex", project.provenance)
    plain = cache.remember(" ".join(map(files.digest, published)), lambda: _plain(project))
    cache.save()
    boxes = {thing: tuple(Box(*box) for box in found) for thing, found in plain["places"].items()}
    return _texts(plain["texts"]), boxes


def _plain(project: Project) -> dict[str, Any]:
    """Return texts and places as JSON holds them; PDFium finds both, which must not do so in two threads."""
    located = places.locate(project, explain.record.of_document(project))
    boxes = {thing: [list(asdict(box).values()) for box in found] for thing, found in located.items()}
    return {"texts": asdict(texts.read(project.pdf.read_bytes())), "places": boxes}


def _texts(plain: dict[str, Any]) -> Texts:
    """Return the texts that `asdict` has made plain."""
    pages = (
        texts.Page(
            page["width"],
            page["height"],
            tuple(texts.Line(**line) for line in page["lines"]),
            tuple(texts.Link(**link | {"target": _target(link["target"])}) for link in page["links"]),
        )
        for page in plain["pages"]
    )
    outline = (texts.Bookmark(**mark | {"spot": texts.Spot(**mark["spot"])}) for mark in plain["outline"])
    return texts.Texts(tuple(pages), tuple(outline))


def _target(plain: dict[str, Any] | str) -> texts.Spot | str:
    return plain if isinstance(plain, str) else texts.Spot(**plain)

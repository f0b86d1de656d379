"""A PDF, read back: the text of its pages, its fonts, links, destinations and what it says of itself."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from labreport.errors import InputError, Place

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader


@dataclass(frozen=True)
class Font:
    """A font that a page or a figure on it uses; `page` is the first one."""

    name: str
    kind: str
    embedded: bool
    page: int


@dataclass(frozen=True)
class Link:
    """What can be clicked: `kind` is GoTo for places in the document, URI for addresses, else the action."""

    page: int
    kind: str
    target: str


@dataclass(frozen=True)
class Image:
    """A picture of dots that stands on a page, not in a figure: its size in dots, and dots per inch."""

    page: int
    width: int
    height: int
    dpi: float


@dataclass(frozen=True)
class Pdf:
    """What a check must know of a PDF; pages count from 1, `pages` holds their text.

    `destinations` maps the name of each place that can be linked to its page; `height` is that of the paper;
    on `blank` pages there is nothing.
    """

    pages: tuple[str, ...]
    fonts: tuple[Font, ...]
    links: tuple[Link, ...]
    destinations: dict[str, int]
    metadata: dict[str, str]
    height: float
    blank: frozenset[int] = frozenset()
    images: tuple[Image, ...] = ()


def opened(data: bytes) -> PdfReader:
    """Return a reader of a PDF; what pypdf finds odd in it, no user needs to know."""
    import logging

    from pypdf import PdfReader

    # without a handler of the program's, Python prints warnings between the lines of a build
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    return PdfReader(io.BytesIO(data))


@lru_cache(maxsize=1)  # packing and checking look at the same report, one after the other
def read(data: bytes, shown: str) -> Pdf:
    """Return what a PDF holds; messages call it `shown`. InputError if it cannot be read."""
    from pypdf.errors import PyPdfError
    from pypdfium2 import PdfiumError

    try:
        reader = opened(data)
        numbered = list(enumerate(reader.pages, 1))
        pages = texts(data)
        silent = [(number, page) for number, page in numbered if not pages[number - 1].strip()]
        return Pdf(
            pages=pages,
            fonts=tuple(_fonts(numbered)),
            links=tuple(link for number, page in numbered for link in _links(number, page)),
            destinations=_destinations(reader),
            metadata={key.lstrip("/"): str(value) for key, value in (reader.metadata or {}).items()},
            height=float(reader.pages[0].mediabox.height),
            blank=frozenset(number for number, page in silent if _is_blank(page)),
            images=tuple(_images(data)),
        )
    except (PyPdfError, PdfiumError, ValueError, LookupError, TypeError) as error:
        raise InputError(
            f"{shown} cannot be read back: {error}", place=Place(shown), cure="delete it, then build again"
        ) from error


@lru_cache(maxsize=2)  # the search for secrets reads them as well
def texts(data: bytes) -> tuple[str, ...]:
    """Return the text of each page as a reader copies it, figures included. Raises PdfiumError."""
    # pypdf, which knows fonts and links, would take ten times as long; PDFium is what Chrome reads with
    from pypdfium2 import PdfDocument

    with PdfDocument(data) as document:
        read = [page.get_textpage().get_text_range() for page in document]
    return tuple(text.replace(_HYPHEN, "-\n").replace("\r\n", "\n") for text in read)


def _images(data: bytes) -> Iterator[Image]:
    from pypdfium2 import PdfDocument
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    with PdfDocument(data) as document:
        for number, page in enumerate(document, 1):
            # those in a figure are deeper: the cells of a matrix are meant to be seen
            for image in page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE], max_depth=1):
                facts = image.get_metadata()
                yield Image(number, facts.width, facts.height, min(facts.horizontal_dpi, facts.vertical_dpi))


_HYPHEN = "\ufffe"
"""What PDFium gives for a hyphen at the end of a line, and for that end."""


_PAINTS = re.compile(rb"(?<![\w/])(?:T[jJ]|Do|sh|EI|[fFbB]\*?|[sS])(?![\w*])|['\"]")
"""Operators of page contents that leave something on the page (ISO 32000-1, table 51)."""


def _is_blank(page: PageObject) -> bool:
    contents = page.get_contents()
    return contents is None or _PAINTS.search(contents.get_data()) is None


def _fonts(pages: list[tuple[int, PageObject]]) -> Iterator[Font]:
    """Yield each font once."""
    seen: set[int | None] = set()
    for number, page in pages:
        for font in _fonts_of(page.get("/Resources"), seen):
            descendants = font.get("/DescendantFonts")
            described = descendants.get_object()[0].get_object() if descendants else font
            descriptor = described.get("/FontDescriptor")
            files = descriptor.get_object().keys() if descriptor else ()
            yield Font(
                name=str(font.get("/BaseFont", font.get("/Name", "without a name"))).lstrip("/"),
                kind=str(font.get("/Subtype", "")).lstrip("/"),
                embedded=any(key in files for key in ("/FontFile", "/FontFile2", "/FontFile3")),
                page=number,
            )


def _fonts_of(resources: Any, seen: set[int | None]) -> Iterator[Any]:
    """Yield the fonts of resources and of the figures among them that were not seen yet."""
    for kind in ("/Font", "/XObject"):
        entries = resources.get_object().get(kind) if resources is not None else None
        for entry in entries.get_object().values() if entries is not None else ():
            number = getattr(entry, "idnum", None)
            if number in seen:
                continue
            seen |= {number} - {None}
            if kind == "/Font":
                yield entry.get_object()
            else:
                yield from _fonts_of(entry.get_object().get("/Resources"), seen)


def _links(number: int, page: PageObject) -> Iterator[Link]:
    for entry in page.get("/Annots") or ():
        annotation = entry.get_object()
        if annotation.get("/Subtype") != "/Link":
            continue
        action = annotation.get("/A")
        action = action.get_object() if action is not None else {"/S": "/GoTo", "/D": annotation.get("/Dest")}
        kind = str(action.get("/S", "")).lstrip("/")
        target = action.get({"GoTo": "/D", "URI": "/URI"}.get(kind, "/F"))
        if not (kind == "GoTo" and isinstance(target, list)):  # a list names the page itself
            yield Link(number, kind, str(target))


def _destinations(reader: PdfReader) -> dict[str, int]:
    found = {}
    for name, place in reader.named_destinations.items():
        page = reader.get_destination_page_number(place)
        if page is not None:
            found[name] = page + 1
    return found

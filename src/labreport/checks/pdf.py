"""A PDF, read back: the text of its pages, its fonts, links, destinations and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labreport.errors import InputError, Place

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

    from labreport.project import Project


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
class Pdf:
    """What a check must know of a PDF; pages count from 1, `pages` holds their text without that of figures.

    `destinations` maps the name of each place that can be linked to its page; `height` is that of the paper.
    """

    pages: tuple[str, ...]
    fonts: tuple[Font, ...]
    links: tuple[Link, ...]
    destinations: dict[str, int]
    metadata: dict[str, str]
    height: float


def read(project: Project) -> Pdf:
    """Return the report as the checks see it; InputError if there is none, or it cannot be read."""
    path, shown = project.pdf, project.shown(project.pdf)
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    if not path.is_file():
        raise InputError(f"there is no {shown} to read", cure=f"make it: `{project.command()}`")
    try:
        reader = PdfReader(path)
        numbered = list(enumerate(reader.pages, 1))
        return Pdf(
            pages=tuple(_text(page) for _, page in numbered),
            fonts=tuple(_fonts(numbered)),
            links=tuple(link for number, page in numbered for link in _links(number, page)),
            destinations=_destinations(reader),
            metadata={key.lstrip("/"): str(value) for key, value in (reader.metadata or {}).items()},
            height=float(reader.pages[0].mediabox.height),
        )
    except (PyPdfError, ValueError, LookupError, TypeError) as error:
        raise InputError(
            f"{shown} cannot be read: {error}", place=Place(shown), cure="make it again, or repair it"
        ) from error


def _text(page: PageObject) -> str:
    """Return the text of a page; figures are left out, as reading them takes most of the time."""
    from pypdf.generic import ContentStream, NameObject

    if "/Contents" not in page:
        return ""
    contents = ContentStream(page["/Contents"].get_object(), page.pdf, "bytes")  # bytes are decoded by font
    contents.operations = [entry for entry in contents.operations if entry[1] != b"Do"]
    page[NameObject("/Contents")] = contents
    return page.extract_text()


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

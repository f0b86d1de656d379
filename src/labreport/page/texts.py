"""Texts: the lines, links and bookmarks of a PDF, with the places where they lie on its pages.

Coordinates are those of the pictures: points from the left upper corner of the page as viewers show it, which
is its crop box, turned as the page says.
"""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from labreport.errors import InputError
from labreport.page.frame import Frame, frame_of

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

WIDE = 1.5
"""The gap, in heights of the line, from which on two pieces are columns or cells and not words of a line."""

BLANK = 0.2
"""The gap from which on there is a blank, whatever PDFium says: the narrowest that TeX sets measures 0.23."""

NEAR = 0.5
"""The widest gap between letters without a blank."""

UPRIGHT = math.cos(math.radians(2))
"""Text that is turned by less than two degrees counts as upright."""

LINE_ENDS = "\r\n"
LIGATURES = range(0xFB00, 0xFB07)
_MARKS = "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c"
ACCENTS = dict(zip("`´ˆ˜¯˘˙¨˚˝ˇ", _MARKS, strict=True))
SOFT_HYPHEN = 0xAD
HYPHEN = 0x2  # what PDFium gives for one at the end of a line
FIRST_HALVES, SECOND_HALVES = range(0xD800, 0xDC00), range(0xDC00, 0xE000)  # of characters beyond 0xFFFF

SAFE = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x1f]+", re.IGNORECASE)
"""Addresses that a page may link to."""


@dataclass(frozen=True)
class Line:
    """Text on one baseline; `width` is what it measures in print."""

    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True)
class Spot:
    """A height on a page; pages count from 1."""

    page: int
    y: float


@dataclass(frozen=True)
class Link:
    """What can be clicked, and where it leads: to a spot in the document or to an address."""

    x: float
    y: float
    width: float
    height: float
    target: Spot | str


@dataclass(frozen=True)
class Page:
    """A page with its lines in the order of the text."""

    width: float
    height: float
    lines: tuple[Line, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Bookmark:
    """An entry of the outline; `level` counts from 0."""

    title: str
    level: int
    spot: Spot


@dataclass(frozen=True)
class Texts:
    """What a PDF says, page by page, and its outline."""

    pages: tuple[Page, ...]
    outline: tuple[Bookmark, ...]


def read(data: bytes) -> Texts:
    """Return the texts of a PDF; InputError if it cannot be read."""
    from pypdfium2 import PdfDocument, PdfiumError

    try:
        with PdfDocument(data) as document:
            pages = list(document)
            frames = [frame_of(page) for page in pages]
            read = [_page(document, page, frame, frames) for page, frame in zip(pages, frames, strict=True)]
            return Texts(tuple(read), tuple(_outline(document, frames)))
    except PdfiumError as error:
        raise InputError(f"the report's PDF cannot be read back: {error}", cure="build again") from error


def _page(document: PdfDocument, page: PdfPage, frame: Frame, frames: list[Frame]) -> Page:
    width, height = frame.size
    lines = tuple(_lines(page, frame))
    return Page(round(width, 2), round(height, 2), lines, tuple(_links(document, page, frame, frames)))


@dataclass
class _Run:
    """A letter, or the line of which it is the beginning; `blank` says that a blank stands before it."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    upright: bool
    blank: bool

    def takes(self, letter: _Run) -> bool:
        """Return whether a letter goes on with this line."""
        across = max(letter.left - self.right, self.left - letter.right)
        down = max(letter.top - self.bottom, self.top - letter.bottom)
        gap = WIDE if letter.blank else NEAR
        if self.upright and letter.upright:
            height = min(self.bottom - self.top, letter.bottom - letter.top)
            # indices and exponents overlap the line by half; accents and kerning step back a little
            return down <= -height / 2 and -height <= letter.left - self.right <= gap * height
        size = max(letter.bottom - letter.top, letter.right - letter.left)
        return self.upright == letter.upright and max(across, down) <= gap * size

    def add(self, letter: _Run) -> None:
        """Write a letter at the end of the line."""
        height, gap = self.bottom - self.top, letter.left - self.right
        accent = ACCENTS.get(self.text[-1], "")
        if accent and self.upright and gap < -BLANK * height:
            # fonts of seven bits print the dots first, then the letter below them
            self.text = self.text[:-1] + normalize("NFC", letter.text + accent)
        else:
            # PDFium forgets the blank after an exponent
            self.text += " " * (letter.blank or (self.upright and gap > BLANK * height)) + letter.text
        self.left, self.right = min(self.left, letter.left), max(self.right, letter.right)
        self.top, self.bottom = min(self.top, letter.top), max(self.bottom, letter.bottom)

    def line(self) -> Line:
        """Return the line as it is handed on."""
        width, height = self.right - self.left, self.bottom - self.top
        return Line(round(self.left, 2), round(self.top, 2), round(width, 2), round(height, 2), self.text)


def _lines(page: PdfPage, frame: Frame) -> Iterator[Line]:
    """Yield the lines of a page in the order in which it was written."""
    run: _Run | None = None
    for letter in _letters(page, frame):
        if run is not None and run.takes(letter):
            run.add(letter)
            continue
        if run is not None:
            yield run.line()
        run = letter
    if run is not None:
        yield run.line()


def _letters(page: PdfPage, frame: Frame) -> Iterator[_Run]:
    """Yield the letters that can be seen on a page."""
    from pypdfium2 import raw

    textpage = page.get_textpage()
    shown, box, blank = textpage.raw, raw.FS_RECTF(), False
    turned, (width, height) = math.radians(frame.turned), frame.size
    for index, text in enumerate(_characters(shown)):
        if text.isspace():
            # PDFium ends a line before an exponent, too: what goes on is found by where it lies
            blank = text not in LINE_ENDS
        if not text.strip() or not raw.FPDFText_GetLooseCharBox(shown, index, ctypes.byref(box)):
            continue
        left, top, right, bottom = frame.box(box.left, box.bottom, box.right, box.top)
        if 0 <= left + right <= 2 * width and 0 <= top + bottom <= 2 * height:
            # PDFium counts anticlockwise, pages turn clockwise
            upright = math.cos(raw.FPDFText_GetCharAngle(shown, index) - turned) > UPRIGHT
            yield _Run(text, left, top, right, bottom, upright, blank)
        blank = False


def _characters(shown: Any) -> Iterator[str]:
    """Yield for each of PDFium's characters what it is copied and searched as; nothing if it is none."""
    from pypdfium2 import raw

    codes = [raw.FPDFText_GetUnicode(shown, index) for index in range(raw.FPDFText_CountChars(shown))]
    for index, (code, following) in enumerate(zip(codes, [*codes, 0][1:], strict=True)):
        if code in FIRST_HALVES and following in SECOND_HALVES:
            yield chr(0x10000 + (code - FIRST_HALVES[0]) * len(SECOND_HALVES) + following - SECOND_HALVES[0])
        elif code == SOFT_HYPHEN or (code == HYPHEN and raw.FPDFText_IsHyphen(shown, index) == 1):
            yield "-"
        elif code in LIGATURES:
            yield normalize("NFKC", chr(code))
        else:
            text = chr(code)
            yield text if text.isspace() or text.isprintable() else ""


def _links(document: PdfDocument, page: PdfPage, frame: Frame, frames: list[Frame]) -> Iterator[Link]:
    """Yield the links of a page that lead into the document or to an address that is safe."""
    from pypdfium2 import raw

    position, link, box = ctypes.c_int(0), raw.FPDF_LINK(), raw.FS_RECTF()
    while raw.FPDFLink_Enumerate(page.raw, ctypes.byref(position), ctypes.byref(link)):
        action = raw.FPDFLink_GetAction(link)
        target: Spot | str | None = None
        if _leads(action, raw.PDFACTION_URI):
            target = _address(document, action)
        elif not action or _leads(action, raw.PDFACTION_GOTO):
            target = _spot(document, raw.FPDFLink_GetDest(document.raw, link), frames)
        if target is not None and raw.FPDFLink_GetAnnotRect(link, ctypes.byref(box)):
            left, top, right, bottom = frame.box(box.left, box.bottom, box.right, box.top)
            width, height = round(right - left, 2), round(bottom - top, 2)
            yield Link(round(left, 2), round(top, 2), width, height, target)


def _leads(action: Any, kind: int) -> bool:
    """Return whether there is an action, and it is of a kind: one may name a page of another file."""
    from pypdfium2 import raw

    return bool(action) and raw.FPDFAction_GetType(action) == kind


def _address(document: PdfDocument, action: Any) -> str | None:
    """Return the address that a link opens; None if it is not safe."""
    from pypdfium2 import raw

    size = raw.FPDFAction_GetURIPath(document.raw, action, None, 0)
    text = ctypes.create_string_buffer(size)
    raw.FPDFAction_GetURIPath(document.raw, action, text, size)
    address = text.value.decode(errors="replace")
    return address if SAFE.fullmatch(address) else None


def _spot(document: PdfDocument, destination: Any, frames: list[Frame]) -> Spot | None:
    """Return where a destination lies; the top of the page if it names no height."""
    from pypdfium2 import raw

    page = raw.FPDFDest_GetDestPageIndex(document.raw, destination) if destination else -1
    if not 0 <= page < len(frames):
        return None
    frame, count, view = frames[page], ctypes.c_ulong(), (raw.FS_FLOAT * 4)()
    kind = raw.FPDFDest_GetView(destination, ctypes.byref(count), view)
    height = {raw.PDFDEST_VIEW_XYZ: 1, raw.PDFDEST_VIEW_FITH: 0, raw.PDFDEST_VIEW_FITR: 3}.get(kind)
    if height is None or height >= count.value:
        return Spot(page + 1, 0.0)
    x = view[0] if height else frame.left
    return Spot(page + 1, round(max(0.0, frame.point(x, view[height])[1]), 2))


def _outline(document: PdfDocument, frames: list[Frame]) -> Iterator[Bookmark]:
    from pypdfium2 import raw

    for entry in document.get_toc():
        action = raw.FPDFBookmark_GetAction(entry.raw)
        if action and not _leads(action, raw.PDFACTION_GOTO):
            continue
        destination = entry.get_dest()
        spot = None if destination is None else _spot(document, destination.raw, frames)
        if spot is not None:
            yield Bookmark(entry.get_title(), entry.level, spot)

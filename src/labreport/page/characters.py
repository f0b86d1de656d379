"""The characters and pictures of a PDF's pages: which marks they stand in, and where they lie.

Lengths are points; boxes are those of the page as it is shown, its upper left corner is their origin.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from labreport.page.frame import frame_of
from labreport.page.marks import NAME

if TYPE_CHECKING:
    from pathlib import Path

    from pypdfium2 import PdfPage

MOST_LETTERS = 64  # of the name of a mark
IMAGE, FORM = 3, 5  # FPDF_PAGEOBJ_IMAGE and _FORM: how pdfTeX includes a picture of dots, and a PDF


@dataclass(frozen=True)
class Box:
    """A rectangle on a page, which counts from 1; `x` and `y` are those of its upper left corner."""

    page: int
    x: float
    y: float
    width: float
    height: float

    def __or__(self, other: Box) -> Box:
        """Return the smallest box around both, which lie on one page."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        width, height = max(self.right, other.right) - x, max(self.bottom, other.bottom) - y
        return Box(self.page, x, y, width, height)

    @property
    def right(self) -> float:
        """Where it ends on the right."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Where it ends below."""
        return self.y + self.height

    @property
    def middle(self) -> tuple[float, float]:
        """Its middle, from the left and from above."""
        return self.x + self.width / 2, self.y + self.height / 2

    def holds(self, other: Box) -> bool:
        """Return whether the middle of another box lies in this one."""
        x, y = other.middle
        return self.page == other.page and self.x <= x <= self.right and self.y <= y <= self.bottom


@contextmanager
def opened(data: bytes) -> Iterator[list[Leaf]]:
    """Give the pages of a PDF, as long as it is open."""
    from pypdfium2 import PdfDocument

    with PdfDocument(data) as document:
        yield [Leaf(page, number) for number, page in enumerate(document, 1)]


def page_size(pdf: Path) -> tuple[float, float]:
    """Return width and height of the first page of a PDF."""
    from pypdfium2 import PdfDocument

    with PdfDocument(pdf) as document:
        width, height = document.get_page_size(0)
    return width, height


class Leaf:
    """A page: its characters count from 0, those too that only part words and lines."""

    def __init__(self, page: PdfPage, number: int) -> None:
        import pypdfium2.raw

        self.raw: Any = pypdfium2.raw
        self.page = page
        self.number = number
        self.frame = frame_of(page)
        self.characters = page.get_textpage()

    @cached_property
    def text(self) -> str:
        """The characters, one for each."""
        code_of, handle = self.raw.FPDFText_GetUnicode, self.characters.raw
        codes = (code_of(handle, index) for index in range(self.characters.count_chars()))
        # a font may claim that its characters have codes that there are not
        return "".join(chr(code) if code <= sys.maxunicode else "\ufffd" for code in codes)

    def as_in(self, other: Leaf) -> dict[int, int] | None:
        """Return which character is which one of a page that reads the same; None if it does not.

        Blanks do not count: where a mark stands PDFium finds other ones.
        """
        a, b = self.characters, other.characters
        # `text` would take a call for each of them
        if a.count_chars() == b.count_chars() and a.get_text_range() == b.get_text_range():
            return {index: index for index in range(a.count_chars())}
        ours, theirs = (
            [index for index, character in enumerate(text) if not character.isspace()]
            for text in (self.text, other.text)
        )
        if [self.text[index] for index in ours] != [other.text[index] for index in theirs]:
            return None
        return dict(zip(ours, theirs, strict=True))

    def marks(self) -> dict[str, list[int]]:
        """Return which characters stand in which mark, in the order of the page."""
        found: dict[str, list[int]] = {}
        names_of: dict[int, tuple[str, ...]] = {}
        object_of, handle = self.raw.FPDFText_GetTextObject, self.characters.raw
        for index in range(self.characters.count_chars()):
            piece = object_of(handle, index)
            if not piece:
                continue  # a blank that no font has set
            address = ctypes.addressof(piece.contents)
            if address not in names_of:
                names_of[address] = tuple(self._marks_of(piece))
            for name in names_of[address]:
                found.setdefault(name, []).append(index)
        return found

    def _marks_of(self, piece: Any) -> Iterator[str]:
        buffer, size = ctypes.create_unicode_buffer(MOST_LETTERS), ctypes.c_ulong()
        letters = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort))
        for number in range(self.raw.FPDFPageObj_CountMarks(piece)):
            mark = self.raw.FPDFPageObj_GetMark(piece, number)
            if self.raw.FPDFPageObjMark_GetName(mark, letters, ctypes.sizeof(buffer), size):
                name = ctypes.string_at(buffer, size.value).decode("utf-16-le", "replace").rstrip("\0")
                if is_ours := NAME.fullmatch(name):
                    yield is_ours[1].lower()

    def box(self, index: int) -> Box | None:
        """Return where a character lies, as high as its font is; None if it takes no place on the page."""
        rectangle = self.raw.FS_RECTF()
        if not self.raw.FPDFText_GetLooseCharBox(self.characters.raw, index, rectangle):
            return None
        found = self._shown(rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
        (x, y), (width, height) = found.middle, self.frame.size
        is_shown = 0 <= x <= width and 0 <= y <= height
        return found if is_shown and found.width > 0 and found.height > 0 else None

    def pieces(self, first: int, last: int) -> Iterator[Box]:
        """Yield the boxes of lines, or of parts of them, from one character to another."""
        for number in range(self.characters.count_rects(first, last - first + 1)):
            yield self._shown(*self.characters.get_rect(number))

    def forms(self) -> Iterator[tuple[tuple[str, ...], tuple[float, ...]]]:
        """Yield the included pictures in the order of the page: the marks around them, and their matrices."""
        matrix = self.raw.FS_MATRIX()
        for number in range(self.raw.FPDFPage_CountObjects(self.page.raw)):
            piece = self.raw.FPDFPage_GetObject(self.page.raw, number)
            if self.raw.FPDFPageObj_GetType(piece) in (FORM, IMAGE):
                self.raw.FPDFPageObj_GetMatrix(piece, matrix)
                marks = tuple(self._marks_of(piece))
                yield marks, (matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f)

    def picture(self, matrix: tuple[float, ...], width: float, height: float) -> Box:
        """Return where a picture of a size lies that a matrix has put on the page."""
        a, b, c, d, e, f = matrix
        xs = [e + a * x + c * y for x in (0, width) for y in (0, height)]
        ys = [f + b * x + d * y for x in (0, width) for y in (0, height)]
        return self._shown(min(xs), min(ys), max(xs), max(ys))

    def _shown(self, left: float, bottom: float, right: float, top: float) -> Box:
        """Return a rectangle in the page's own coordinates as it is shown."""
        x, y, x_end, y_end = self.frame.box(left, bottom, right, top)
        return Box(self.number, x, y, x_end - x, y_end - y)

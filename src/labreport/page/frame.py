"""How the coordinates of a PDF's page become those of its picture, which begins at its upper left corner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypdfium2 import PdfPage


@dataclass(frozen=True)
class Frame:
    """The part of a page that is shown, in points of its own, whose y grows upwards."""

    left: float
    bottom: float
    right: float
    top: float
    turned: int
    """Degrees by which a viewer turns the page, clockwise."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the picture."""
        size = (self.right - self.left, self.top - self.bottom)
        return size[::-1] if self.turned % 180 else size

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point of the page lies in the picture."""
        if self.turned == 90:
            return y - self.bottom, x - self.left
        if self.turned == 180:
            return self.right - x, y - self.bottom
        if self.turned == 270:
            return self.top - y, self.right - x
        return x - self.left, self.top - y

    def box(self, left: float, bottom: float, right: float, top: float) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom of a rectangle in the picture."""
        (a, b), (c, d) = self.point(left, bottom), self.point(right, top)
        return min(a, c), min(b, d), max(a, c), max(b, d)


def frame_of(page: PdfPage) -> Frame:
    """Return the frame of a page: a viewer shows what its media box and its crop box have in common."""
    left, bottom, right, top = page.get_bbox()
    return Frame(left, bottom, right, top, page.get_rotation())

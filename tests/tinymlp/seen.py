"""Colours, and the marks of legends, as they are seen in grey prints and by the colour-blind."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.offsetbox import DrawingArea

DPI, MARGIN = 600, 12  # of the pictures; in pixels

# G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, A Physiologically-based Model for Simulation of Color
# Vision Deficiency, IEEE Transactions on Visualization and Computer Graphics 15 (2009), pages 1291-1298: the
# matrices of severity 1.0, for linear RGB.
VIEWS = {
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "grey": np.tile([0.2126, 0.7152, 0.0722], (3, 1)),  # the luminance of sRGB
}

# From the linear RGB of sRGB (IEC 61966-2-1) to CIE XYZ over that of white, D65.
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
XYZ /= XYZ.sum(axis=1, keepdims=True)


def lab(colours, view: str | None = None) -> np.ndarray:
    """Return sRGB colours (..., 3) of 0 to 1, as seen in a view of `VIEWS`, as CIELAB of 1976."""
    rgb = np.asarray(colours, dtype=float)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    if view:
        linear = np.clip(linear @ VIEWS[view].T, 0, 1)
    t = linear @ XYZ.T
    x, y, z = np.moveaxis(np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def difference(one, other, view: str | None = None) -> float:
    """Return how far apart two colours of matplotlib are seen: CIE's Delta E of 1976."""
    return float(np.linalg.norm(lab(to_rgb(one), view) - lab(to_rgb(other), view)))


def legend_entries(figure: Figure) -> Iterator[dict[str, np.ndarray]]:
    """Yield for each legend of a figure the mark of each entry, by its text, as a picture (h, w, 3)."""
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())[..., :3] / 255
    for legend in [*figure.legends, *(own for ax in figure.get_axes() if (own := ax.get_legend()))]:
        texts = [text.get_text() for text in legend.get_texts()]
        boxes = [area.get_window_extent(canvas.get_renderer()) for area in legend.findobj(DrawingArea)]
        width, height = (max(getattr(box, of) for box in boxes) for of in ("width", "height"))
        yield {
            text: _cut(picture, box.x0, box.y0, round(width), round(height))
            for text, box in zip(texts, boxes, strict=True)
        }


def _cut(picture: np.ndarray, x: float, y: float, width: int, height: int) -> np.ndarray:
    """Return a part of a picture, with a margin for marks as high as the text; y counts from below."""
    left, bottom = round(x), len(picture) - round(y)
    return picture[bottom - height - MARGIN : bottom + MARGIN, left : left + width]


def mean_difference(one: np.ndarray, other: np.ndarray, view: str) -> float:
    """Return the mean Delta E of two pictures, over the pixels that are not white in both.

    That is the difference of the colours where the shapes are the same, and more where they are not. Entries
    do not begin at whole pixels: of shifts by one pixel the least difference counts.
    """
    first, second = lab(one, view), lab(other, view)
    shifted = [np.roll(second, shift, axis=(0, 1)) for shift in product((-1, 0, 1), repeat=2)]
    return min(_mean_difference(first, each) for each in shifted)


def _mean_difference(one: np.ndarray, other: np.ndarray) -> float:
    ink = (one[..., 0] < 95) | (other[..., 0] < 95)
    return float(np.linalg.norm(one - other, axis=-1)[ink].mean()) if ink.any() else 0.0

"""Drawings that several figures share: classes, decision boundaries, distributions, intervals.

Each draws on the axes that it is given; size and style are the figure's own.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# The colours of M. Okabe and K. Ito, Color Universal Design (2002), that stay apart for colour-blind readers;
# their yellow, sky blue and purple are too light for thin lines on white, or too near to the others. The blue
# is darker than theirs, so that grey tells it from vermilion; green and vermilion differ by marks alone.
BLACK, ORANGE, GREEN, BLUE, VERMILION = "#000000", "#E69F00", "#009E73", "#00568B", "#D55E00"

# Orange and blue, as in the assignment's Figure 1. In grey class 0 is light with a dark edge, class 1 dark.
CLASS_COLOURS = ("#E69F00", "#00568B")
CLASS_EDGES = ("black", "#00568B")
CLASS_MARKERS = ("o", "^")
PROBABILITIES = LinearSegmentedColormap.from_list(
    "probabilities", ["#FCE6BC", "#FFFFFF", "#9ABFDD"]
)  # tints of the two classes, white at one half; in grey the one of class 1 is darker
POINT_COLOUR = BLUE
MEDIAN_MARK: dict[str, Any] = {"color": BLACK, "ls": "-", "lw": 1.2}
MEAN_MARK: dict[str, Any] = {"color": BLACK, "ls": "", "marker": "D", "ms": 3.5, "mfc": "white", "mew": 0.9}
GOLDEN_RATIO = (1 + 5**0.5) / 2


def scatter_classes(ax: Axes, inputs: ArrayLike, targets: ArrayLike, *, size: float = 10) -> None:
    """Draw the points of both classes on equal axes, labelled "class 0" and "class 1" for a legend.

    `inputs` is (n, 2), `targets` (n,) of 0 and 1, `size` the area of a marker
    in square points. Raises ValueError for other shapes and targets.
    """
    points, classes = np.asarray(inputs, dtype=np.float64), np.asarray(targets)
    if points.shape != (len(classes), 2) or not np.isin(classes, (0, 1)).all():
        raise ValueError(f"points must be (n, 2) and targets n times 0 or 1: {points.shape}, {classes.shape}")
    for label, (colour, edge, marker) in enumerate(
        zip(CLASS_COLOURS, CLASS_EDGES, CLASS_MARKERS, strict=True)
    ):
        x1, x2 = points[classes == label].T
        ax.scatter(
            x1,
            x2,
            s=size,
            color=colour,
            marker=marker,
            edgecolors=edge,
            linewidths=0.08 * size**0.5,  # in proportion, for an edge not to hide a small point
            label=f"class {label}",
        )
    ax.set_aspect("equal")
    ax.set(xlabel="$x_1$", ylabel="$x_2$")


def decision_boundary(
    ax: Axes,
    predict: Callable[[Floats], ArrayLike],
    limits: tuple[float, float] = (-0.5, 1.5),
    *,
    resolution: int = 201,
) -> AxesImage:
    """Draw p(y = 1 | x) over a square as a light background, and where it is one half as a line.

    `predict` returns the probabilities (n,) of points (n, 2); both axes go over
    `limits`, in `resolution` steps. Without a point on each side of one half
    there is no line. Returns the background, for a colour bar. The data are
    drawn on top by `scatter_classes`.
    """
    axis = np.linspace(*limits, resolution)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    probability = np.asarray(predict(points), dtype=np.float64).reshape(resolution, resolution)
    background = ax.imshow(
        probability, PROBABILITIES, vmin=0, vmax=1, extent=(*limits, *limits), origin="lower", zorder=0
    )
    if probability.min() < 0.5 < probability.max():
        ax.contour(axis, axis, probability, levels=[0.5], colors="black", linewidths=1, zorder=1)
    ax.set_aspect("equal")
    ax.set(xlim=limits, ylim=limits, xlabel="$x_1$", ylabel="$x_2$", xticks=(0, 1), yticks=(0, 1))
    return background


def boundary_key() -> list[Line2D]:
    """Return what a legend for `scatter_classes` and `decision_boundary` shows: both classes and the line."""
    looks = zip(CLASS_COLOURS, CLASS_EDGES, CLASS_MARKERS, strict=True)
    marks = [
        Line2D([], [], color=colour, mec=edge, mew=0.3, marker=marker, ls="", ms=3, label=f"class {label}")
        for label, (colour, edge, marker) in enumerate(looks)
    ]
    return [*marks, Line2D([], [], color="black", lw=1, label="$p = 1/2$")]


def strips(
    ax: Axes,
    samples: Mapping[str, ArrayLike],
    positions: Sequence[float] | None = None,
    *,
    size: float = 2,
    opacity: float = 0.25,
) -> None:
    """Draw every value of each sample on a log axis, with mean and median beside them.

    A sample stands over its name at its position (0, 1, ...). Its points are
    spread sideways by the golden ratio's multiples: evenly, the same each
    time. They are rasterised, at the resolution at which the figure is saved.
    The values show the spread: mean - std may be below zero, where a log axis
    has no place for it. Raises ValueError for values that are not positive.
    """
    places = range(len(samples)) if positions is None else positions
    for place, (name, sample) in zip(places, samples.items(), strict=True):
        values = np.asarray(sample, dtype=np.float64)
        if not len(values) or not (values > 0).all():
            raise ValueError(f"a log axis shows positive numbers only: {name!r} has others, or none")
        _strip(ax, place, values, size, opacity)
    _name_the_marks(ax)
    ax.set_yscale("log")
    ax.set_xticks(list(places), list(samples))
    ax.tick_params(axis="x", length=0)


def interval_bars(
    ax: Axes,
    places: ArrayLike,
    estimates: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    percent: bool = False,
    horizontal: bool = False,
    **look: Any,
) -> None:
    """Draw estimates (n,) with their intervals from `low` to `high`, one at each of the places (n,).

    In `percent` shares are drawn times 100; `horizontal` intervals lie along
    the x axis, over places on the y axis. `look` is that of `Axes.errorbar`.
    Raises ValueError where an estimate is not inside its interval.
    """
    unit = 100 if percent else 1
    lowest, middle, highest = (np.asarray(ends, dtype=np.float64) for ends in (low, estimates, high))
    sides = unit * np.stack([middle - lowest, highest - middle])  # errorbar takes lengths, not ends
    if horizontal:
        ax.errorbar(unit * middle, places, xerr=sides, **look)
    else:
        ax.errorbar(places, unit * middle, yerr=sides, **look)


def _strip(ax: Axes, place: float, values: Floats, size: float, opacity: float) -> None:
    sideways = (np.arange(len(values)) * GOLDEN_RATIO) % 1 - 0.5
    at = place - 0.1 + 0.6 * sideways
    ax.scatter(at, values, size, POINT_COLOUR, alpha=opacity, linewidths=0, rasterized=True)
    ax.plot([place - 0.42, place + 0.22], [np.median(values)] * 2, **MEDIAN_MARK)
    ax.plot(place + 0.34, values.mean(), **MEAN_MARK)


def _name_the_marks(ax: Axes) -> None:
    """Give the marks of `strips` their names for a legend, one entry each."""
    ax.plot([], [], ".", color=POINT_COLOUR, ms=4, label="one repeat")
    ax.plot([], [], **MEDIAN_MARK, label="median")
    ax.plot([], [], **MEAN_MARK, label="mean")

"""Drawings of a sweep: its trials as parallel coordinates, their history, the parameters' importance.

Each draws on the axes that it is given; size and style are the figure's own. The objective is a loss: less
is better. A trial has failed where its objective is None or not a finite number.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tinymlp.figures.plots import BLUE, GOLDEN_RATIO, ORANGE, VERMILION

Floats = NDArray[np.float64]

# Viridis without its yellow, which is lost on white: in grey, too, less is darker.
MAGNITUDES = LinearSegmentedColormap.from_list("magnitudes", ["#440154", "#3B528B", "#21918C", "#6CCD5A"])
RANDOM_COLOUR, MODEL_COLOUR = ORANGE, BLUE
SPREAD = 0.36, 0.1  # equal values are spread over this part of the gap between levels, or of the axis if less
DOTS: dict[str, Any] = {"marker": "o", "mfc": "black", "mec": "white", "ms": 3.5, "mew": 0.5}
TICKS = 6  # on an axis, at most about


@dataclass(frozen=True)
class Axis:
    """How a column is drawn: along a vertical axis with a label and ticks.

    `levels` are the values of a category from bottom to top; `limits` the ends
    of any other axis, by default those of the data. An inverted axis has its
    least value, or its first level, on top.
    """

    label: str
    scale: Literal["linear", "log", "integer", "category"] = "linear"
    levels: tuple[Any, ...] = ()
    limits: tuple[float, float] | None = None
    inverted: bool = False


def parallel_coordinates(
    ax: Axes,
    columns: Mapping[str, Sequence[Any]],
    axes: Mapping[str, Axis],
    *,
    value: str,
    best: int = 10,
) -> int:
    """Draw each trial as one smooth curve through vertical axes, and return how many have failed.

    The idea is that of A. Inselberg, The Visual Computer 1 (1985), pages
    69-91. A column has one entry for each trial; those named by `axes` are
    drawn, in that order, but the objective `value`, linear or log, last. Each
    curve has the colour beside its end on the objective's axis, thin and pale, but for the
    `best` trials of least objective: these are wide and vermilion, a mid grey
    in print, and the very best is black, with a dot on every axis. Equal integers and categories are
    spread a little about their tick, each trial in the same direction on all
    axes. Failed trials are not drawn. The marks have labels for a legend.
    Raises ValueError for a missing column or axis, columns of different lengths,
    values that do not lie on their axis, and where all trials have failed.
    """
    names = [name for name in axes if name != value] + [value]
    _check(columns, axes, names, value)
    objective = _numbers(columns[value])
    order = _worst_first(objective)
    spread: Floats = np.array([trial * GOLDEN_RATIO % 1 - 0.5 for trial in order])
    drawn = {name: [list(columns[name])[trial] for trial in order] for name in names}
    rulers = [_ruler(name, values, axes[name]) for name, values in drawn.items()]
    heights = np.stack([ruler.heights(spread) for ruler in rulers])
    darkness = 1 - heights[-1] if axes[value].inverted else heights[-1]
    failed, others = len(objective) - len(order), max(len(order) - max(best, 1), 0)
    coloured = {"cmap": MAGNITUDES, "clim": (0, 1)}
    _curves(ax, heights[:, :others], array=darkness[:others], **coloured, lw=0.5, alpha=0.45, zorder=1)
    _curves(ax, heights[:, others:-1], edgecolors=VERMILION, lw=1.1, zorder=2)
    _curves(ax, heights[:, -1:], edgecolors="black", lw=1.8, zorder=2)
    ax.plot(heights[:, -1], ls="", **DOTS, zorder=4)
    for place, ruler in enumerate(rulers):
        last = place == len(rulers) - 1
        _draw_ruler(ax, place, ruler, marker=int(last))
        _draw_numbers(ax, place, ruler, side=1 if last else -1)
    _draw_colours(ax, len(names) - 1, axes[value].inverted)
    _name_the_curves(ax, darkness, others, failed)
    _set_frame(ax, [axes[name].label for name in names])
    return failed


def history(ax: Axes, values: Sequence[float | None], startup: int) -> None:
    """Draw the objective of each trial in order, and the least so far as a line.

    The first `startup` trials were drawn at random, the others proposed by a
    model. Trials that have failed stand as crosses on the upper edge. The marks
    have labels for a legend; scale and label of the value's axis are the
    caller's. Raises ValueError without 0 <= startup <= the number of trials.
    """
    if not 0 <= startup <= len(values):
        raise ValueError(f"{startup} of {len(values)} trials cannot have been the first")
    losses, trials = _numbers(values), np.arange(1, len(values) + 1)
    random = trials <= startup
    for phase, marker, colour, label in (
        (random, "o", RANDOM_COLOUR, "random trial"),
        (~random, "^", MODEL_COLOUR, "trial proposed by the model"),
    ):
        if phase.any():
            ax.scatter(trials[phase], losses[phase], 9, colour, marker=marker, label=label, zorder=2)
    least = np.fmin.accumulate(losses)
    ax.step(trials, least, where="post", color="black", lw=1, label="least so far", zorder=3)
    failed = trials[np.isnan(losses)]
    if len(failed):
        look: dict[str, Any] = {"color": "black", "ms": 4, "mew": 0.8, "clip_on": False, "label": "failed"}
        ax.plot(failed, [1] * len(failed), "x", transform=ax.get_xaxis_transform(), **look)
    ax.set_xlabel("trial")


def importance_bars(ax: Axes, importances: Mapping[str, tuple[float, float, float]]) -> None:
    """Draw each parameter's importance as a dot with the bar of its interval, the greatest on top.

    The importances are (estimate, low, high) by name: a dot plot after W. S.
    Cleveland, The American Statistician 38 (1984), pages 270-280. An interval
    need not hold the estimate. Raises ValueError for low > high and where
    there is nothing to draw.
    """
    if not importances or any(not low <= high for _, low, high in importances.values()):
        raise ValueError(f"importances are (estimate, low, high) with low <= high: {dict(importances)}")
    rows = sorted(importances.items(), key=lambda item: item[1][0])
    estimates, lows, highs = np.array([numbers for _, numbers in rows]).T
    places = np.arange(len(rows))
    ax.hlines(places, 0, 1, colors="0.85", lw=0.5, transform=ax.get_yaxis_transform(), zorder=0)
    ax.hlines(places, lows, highs, colors=MODEL_COLOUR, lw=1.5, zorder=1)
    ax.plot(estimates, places, "o", color="black", ms=4, zorder=2)
    ax.set_yticks(places, [name for name, _ in rows])
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(left=min(0.0, float(lows.min())))
    ax.set_ylim(-0.5, len(rows) - 0.5)


# ---- values on an axis


@dataclass(frozen=True)
class _Ruler:
    """The places of values and ticks along an axis, in its own unit, and the places of its two ends."""

    places: Floats
    ends: tuple[float, float]
    ticks: list[tuple[float, str]]
    minor: list[float]
    spread: float = 0.0  # the width over which equal values are spread

    def heights(self, spread: Floats) -> Floats:
        """Return the values between 0, below, and 1; `spread` (n,) is from -1/2 to 1/2."""
        heights: Floats = self.height(self.places + spread * self.spread)
        return heights

    @property
    def above(self) -> float:
        """How far a number stands above its tick, in heights: where each level has one, above the curves."""
        levels = abs(self.ends[1] - self.ends[0])
        return self.spread / levels / 2 if len(self.ticks) >= levels else 0.0

    def height(self, place: Any) -> Any:
        """Return a place, or many, as a part of the axis from below."""
        return (place - self.ends[0]) / (self.ends[1] - self.ends[0])


def _ruler(name: str, values: Sequence[Any], axis: Axis) -> _Ruler:
    ruler = _RULERS[axis.scale](name, values, axis)
    return replace(ruler, ends=ruler.ends[::-1]) if axis.inverted else ruler


def _linear(name: str, values: Sequence[Any], axis: Axis) -> _Ruler:
    numbers = _numbers(values)
    low, high = _limits(name, numbers, axis)
    low, high = (low, high) if low < high else (low - 0.5, high + 0.5)
    return _Ruler(numbers, (low, high), _even_ticks(low, high), [])


def _log(name: str, values: Sequence[Any], axis: Axis) -> _Ruler:
    numbers = _numbers(values)
    low, high = _limits(name, numbers, axis)
    if not low > 0:
        raise ValueError(f"a log axis shows positive numbers only: {name!r} has {low:g}")
    low, high = (low, high) if low < high else (low / 2, high * 2)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    minor = _between([digit * 10.0**power for power in powers for digit in range(1, 10)], low, high)
    ticks = [(math.log10(tick), text) for tick, text in _log_ticks(powers, low, high)]
    return _Ruler(
        np.log10(numbers), (math.log10(low), math.log10(high)), ticks, [math.log10(place) for place in minor]
    )


def _log_ticks(powers: range, low: float, high: float) -> list[tuple[float, str]]:
    """Return ticks at powers of ten; at 1, 2, 5 times these, or anywhere, where there would be too few."""
    decades = _between([10.0**power for power in powers], low, high)
    if len(decades) > 1:
        step = math.ceil(len(decades) / TICKS)
        return [(tick, f"$10^{{{round(math.log10(tick))}}}$") for tick in decades[::step]]
    ticks = _between([digit * 10.0**power for power in powers for digit in (1, 2, 5)], low, high)
    return [(tick, _number(tick)) for tick in ticks] if len(ticks) > 1 else _even_ticks(low, high)


def _integer(name: str, values: Sequence[Any], axis: Axis) -> _Ruler:
    numbers = _numbers(values)
    if (numbers != np.round(numbers)).any():
        raise ValueError(f"an axis of integers shows integers only: {name!r} has others")
    low, high = _limits(name, numbers, axis)
    step = math.ceil((high - low + 1) / (TICKS + 2))
    ticks = [(float(tick), _number(tick)) for tick in range(math.ceil(low), math.floor(high) + 1, step)]
    return _levels(numbers, (low - 0.5, high + 0.5), ticks)


def _category(name: str, values: Sequence[Any], axis: Axis) -> _Ruler:
    unknown = [value for value in values if value not in axis.levels]
    if unknown:
        raise ValueError(f"{name!r} is {unknown[0]!r}, which is none of its levels {axis.levels}")
    levels = [level for place, level in enumerate(axis.levels) if level not in axis.levels[:place]]
    places = np.array([levels.index(value) for value in values], dtype=np.float64)
    ticks = [(float(place), _level_text(level)) for place, level in enumerate(levels)]
    return _levels(places, (-0.5, len(ticks) - 0.5), ticks)


def _level_text(level: Any) -> str:
    if isinstance(level, str):
        return level
    is_number = isinstance(level, int | float) and not isinstance(level, bool)
    return _number(level) if is_number else json.dumps(level)  # as in a sweep file: true, null, [64, 64]


def _levels(places: Floats, ends: tuple[float, float], ticks: list[tuple[float, str]]) -> _Ruler:
    of_gap, of_axis = SPREAD
    return _Ruler(places, ends, ticks, [], min(of_gap, of_axis * (ends[1] - ends[0])))


_RULERS: dict[str, Callable[[str, Sequence[Any], Axis], _Ruler]] = {
    "linear": _linear,
    "log": _log,
    "integer": _integer,
    "category": _category,
}


def _check(
    columns: Mapping[str, Sequence[Any]], axes: Mapping[str, Axis], names: Sequence[str], value: str
) -> None:
    missing = [name for name in names if name not in columns or name not in axes]
    if missing:
        raise ValueError(f"{missing[0]!r} needs both a column and an axis")
    lengths = {name: len(columns[name]) for name in names}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns must have one entry for each trial: {lengths}")
    if axes[value].scale not in ("linear", "log"):
        raise ValueError(f"the objective {value!r} must be linear or log, not {axes[value].scale}")


def _numbers(values: Sequence[Any]) -> Floats:
    """Return values as floats, NaN for those that are None or not finite."""
    numbers = np.array([math.nan if value is None else float(value) for value in values])
    return np.where(np.isfinite(numbers), numbers, math.nan)


def _worst_first(objective: Floats) -> NDArray[np.int64]:
    """Return the trials that have not failed; of equal ones the earlier is better."""
    order = np.argsort(objective, kind="stable")[: np.isfinite(objective).sum()][::-1]
    if not len(order):
        raise ValueError("no trial has an objective: there is nothing to draw")
    return order


def _limits(name: str, numbers: Floats, axis: Axis) -> tuple[float, float]:
    """Return the ends of an axis of numbers, all of which must lie between them."""
    if np.isnan(numbers).any():
        raise ValueError(f"{name!r} has values that are not finite numbers")
    low, high = axis.limits or (float(numbers.min()), float(numbers.max()))
    if not ((low <= numbers) & (numbers <= high)).all():
        raise ValueError(f"{name!r} has values outside its limits, {low:g} to {high:g}")
    return low, high


def _between(ticks: Iterable[float], low: float, high: float) -> list[float]:
    slack = 1e-9 * (high - low)
    return [float(tick) for tick in ticks if low - slack <= tick <= high + slack]


def _even_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Return ticks at equal distances, all with as many decimals."""
    ticks = MaxNLocator(TICKS - 1, steps=[1, 2, 5, 10]).tick_values(low, high)
    decimals = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))
    return [(tick, f"${tick:.{decimals}f}$") for tick in _between(ticks, low, high)]


def _number(value: float) -> str:
    """Return a number as mathematics, for it to have a true minus and powers of ten."""
    mantissa, _, exponent = f"{value:g}".partition("e")
    return rf"${mantissa}\times10^{{{int(exponent)}}}$" if exponent else f"${mantissa}$"


# ---- marks


def _curves(ax: Axes, heights: Floats, **look: Any) -> None:
    """Draw trials, heights (axes, trials), as cubic curves that cross each axis at a right angle."""
    at = np.arange(len(heights))
    x = np.stack([at - 0.42, at, at + 0.42], axis=1).ravel()[1:-1]
    codes = [Path.MOVETO] + [Path.CURVE4] * (len(x) - 1)
    paths = [Path(np.stack([x, np.repeat(y, 3)[1:-1]], axis=1), codes) for y in heights.T]
    ax.add_collection(PathCollection(paths, facecolors="none", **look), autolim=False)


def _draw_ruler(ax: Axes, place: int, ruler: _Ruler, marker: int) -> None:
    """Draw an axis; its ticks are the marker 0, to the left, or 1, to the right."""
    ax.plot([place, place], [0, 1], "-", color="black", lw=0.6, zorder=3)
    for size, ticks in ((3.5, [tick for tick, _ in ruler.ticks]), (2.0, ruler.minor)):
        heights = [ruler.height(tick) for tick in ticks]
        look: dict[str, Any] = {"marker": marker, "ms": size, "mew": 0.5, "color": "black"}
        ax.plot([place] * len(ticks), heights, ls="", **look, zorder=3)


def _draw_numbers(ax: Axes, place: int, ruler: _Ruler, side: int) -> None:
    """Write the numbers at the ticks to the left (-1) or to the right (1), with a white halo.

    A white ground lies between them and the curves.
    """
    above = ruler.above if place else 0.0  # no curves on the left of the first axis
    look: dict[str, Any] = {
        "xytext": (5 * side, 1.5 if above else 0),
        "textcoords": "offset points",
        "size": 8,
        "ha": "left" if side > 0 else "right",
        "va": "baseline" if above else "center",
        "bbox": {"boxstyle": "square,pad=0.08", "facecolor": "white", "edgecolor": "none"},
    }
    for tick, text in ruler.ticks:
        at = place, ruler.height(tick) + above
        ax.annotate(text, at, **look, zorder=6)


def _draw_colours(ax: Axes, place: int, inverted: bool) -> None:
    """Draw the colours of the curves as a strip along the objective's axis."""
    colours = np.linspace(0, 1, 256)[:: -1 if inverted else 1, None]
    ax.imshow(
        colours,
        MAGNITUDES,
        vmin=0,
        vmax=1,
        extent=(place - 0.03, place, 0, 1),
        aspect="auto",
        origin="lower",
        zorder=3,
    )


def _name_the_curves(ax: Axes, darkness: Floats, others: int, failed: int) -> None:
    """Give the curves of `parallel_coordinates` their names for a legend, one entry each."""
    ax.plot([], [], "-", color="black", lw=1.8, **DOTS, label="best trial")
    best = len(darkness) - others
    if best > 1:
        ax.plot([], [], "-", color=VERMILION, lw=1.1, label=f"{best - 1} next best")
    if others:
        colour = MAGNITUDES(float(np.median(darkness[:others])))
        ax.plot([], [], "-", color=colour, lw=0.5, alpha=0.7, label=f"{others} others")
    if failed:
        ax.plot([], [], ls="", label=f"({failed} failed, not drawn)")


def _set_frame(ax: Axes, labels: Sequence[str]) -> None:
    ax.set_xticks(range(len(labels)), labels)
    ax.tick_params(axis="x", length=0, top=False, bottom=False, labeltop=True, labelbottom=False)
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.set(xlim=(-0.1, len(labels) - 0.97), ylim=(-0.02, 1.02))

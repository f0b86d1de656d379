"""Figures as files, with the same bytes for the same figure, and what a check must know of them."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from labreport.errors import ExperimentError
from labreport.results import is_frame, kind_of
from labreport.running.foreign import MM_PER_INCH, PNG_DPI

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OWN = (".pdf", ".png", ".csv", ".json")  # the endings of a figure's own files
_OF_A_SCREEN = ("backend", "backend_fallback", "interactive", "toolbar")
PAPER: dict[str, Any] = {
    "pdf.fonttype": 42,  # letters stay letters: publishers refuse the shapes of Type 3
    "figure.figsize": (4.5, 3.0),  # inches: no wider than the lines of the standard article
}
"""What figures for paper need where nothing else is chosen, beside matplotlib's defaults."""


@contextlib.contextmanager
def style(path: Path, own: Mapping[Any, Any] = MappingProxyType({})) -> Iterator[None]:
    """Draw inside in matplotlib's defaults, fit for paper, a style file, the experiment's `own` settings.

    Each comes after the one before; whatever the user's settings were does not count.
    """
    import matplotlib
    from matplotlib import pyplot

    matplotlib.use("Agg")
    styles: list[Any] = ["default", PAPER, *([str(path)] if path.is_file() else [])]
    with pyplot.style.context(styles, after_reset=True):
        matplotlib.rcParams.update(own)
        try:
            yield
        finally:
            pyplot.close("all")


def own_settings() -> dict[Any, Any]:
    """Return the settings of matplotlib that were changed since it was imported, by modules of the project.

    The user's own (matplotlibrc) are not among them: an experiment's surroundings hide that file.
    """
    import matplotlib

    before, now = matplotlib.rcParamsOrig, matplotlib.rcParams
    return {key: now[key] for key in now if key not in _OF_A_SCREEN and now[key] != before[key]}


def save(figure: Figure, stem: Path, where: str) -> dict[str, Any]:
    """Write STEM.pdf and STEM.png and return what a check must know of the figure.

    ExperimentError if it is not a figure, or one without axes; `where` names it for messages.
    """
    from matplotlib import rc_context, rcParams
    from matplotlib.figure import Figure as MatplotlibFigure

    if not isinstance(figure, MatplotlibFigure):
        what = f"{where} is a {type(figure).__name__}, not a matplotlib Figure"
        raise ExperimentError(
            what, cure='pass the figure: figure, axes = pyplot.subplots(); a file as a Path: lab.file("…")'
        )
    if not figure.get_axes():
        raise ExperimentError(f"{where} is empty: it has no axes", cure="draw something into it")
    if not _is_laid_out(figure):
        # a scale of colours that was made without a layout stands in a grid that matplotlib cannot constrain
        scales = any(axes.get_label() == "<colorbar>" for axes in figure.get_axes())
        figure.set_layout_engine("tight" if scales else "constrained")
    facts = _facts(figure)
    nothing: dict[str, Any] = dict.fromkeys(("Creator", "Producer", "CreationDate"))
    if rcParams["savefig.bbox"] is not None:
        box = rcParams["savefig.bbox"]
        warnings.warn(
            f"savefig.bbox = {box!r} does not count: a figure keeps its size; use layout='constrained'",
            stacklevel=1,
        )
    with rc_context({"savefig.bbox": None}):  # else the style could change the size
        figure.savefig(stem.with_name(f"{stem.name}.pdf"), metadata=nothing)
        figure.savefig(stem.with_name(f"{stem.name}.png"), dpi=PNG_DPI, metadata={"Software": None})
    return facts


def _is_laid_out(figure: Figure) -> bool:
    """Return whether somebody has chosen where the axes lie: by a layout, or by margins of their own.

    Else labels could be cut off at the edges, or lie on the panel beside.
    """
    from matplotlib import rcParamsDefault

    usual: dict[Any, Any] = dict(rcParamsDefault.items())
    sides = ("left", "right", "bottom", "top", "wspace", "hspace")
    margins = [getattr(figure.subplotpars, side) != usual[f"figure.subplot.{side}"] for side in sides]
    grids = [axes.get_gridspec() for axes in figure.get_axes()]
    margins += [grid is None or getattr(grid, side, None) is not None for grid in grids for side in sides]
    return figure.get_layout_engine() is not None or any(margins)


def save_data(data: Any, path: Path, where: str) -> None:
    """Write the data behind a figure as CSV: a DataFrame, columns by name, or rows as dicts.

    ExperimentError if it is none of these, or the columns are of different lengths.
    """
    text = _csv(data, where)
    if "\r" in text:  # which `csv` leaves bare, and whoever reads it takes for the end of a row
        text = _csv(data, where, quoted=True)
    path.write_text(text, encoding="utf-8", newline="")


def save_files(kept: Mapping[str, bytes], folder: Path, where: str) -> None:
    """Write files by their names. ExperimentError for other names than of files, and for what is no bytes."""
    for name, content in kept.items():
        what = f"{where} keeps the file {name!r}"
        # a figure of that name would overwrite it; the records of all figures are .json
        if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", str(name)) or Path(name).suffix in OWN:
            cure = "use only letters, digits, ., _ and -, and another ending than " + ", ".join(OWN)
            raise ExperimentError(f"{what}: that is not a valid name", cure=cure)
        if (folder / name).exists():
            raise ExperimentError(f"{what} twice", cure="give each file a name of its own")
        if not isinstance(content, bytes):
            cure = 'encode a text: text.encode("utf-8")'
            raise ExperimentError(f"{what}, but it is {kind_of(content)}, not bytes", cure=cure)
        (folder / name).write_bytes(content)


def columns(data: Any, where: str) -> dict[str, list[Any]]:
    """Return the data behind a figure as columns of plain values by name; what is missing is None.

    ExperimentError if it is no DataFrame, dict of columns or list of dicts, lengths differ or names do not.
    """
    if is_frame(data):
        whole = [
            (str(name), column.astype(object).where(column.notna(), None)) for name, column in data.items()
        ]
        if len(dict(whole)) < len(whole):
            what = f"the data of {where} has two columns of one name"
            raise ExperimentError(what, cure="give each column a name of its own")
        return {name: _list(column) for name, column in whole}
    if isinstance(data, Sequence) and all(isinstance(row, Mapping) for row in data):
        names = dict.fromkeys(name for row in data for name in row)
        return {str(name): _list([row.get(name) for row in data]) for name in names}
    if isinstance(data, Mapping):
        named = {str(name): _list(column) for name, column in data.items()}
        if len({len(column) for column in named.values()}) <= 1:
            return named
        what = f"the data of {where} has columns of different lengths"
        raise ExperimentError(what, cure="make rows of one kind: data=[{...}, {...}]")
    what = f"the data of {where} is {kind_of(data)}"
    raise ExperimentError(what, cure="pass a DataFrame, a dict of columns, or a list of dicts")


def _list(values: Any) -> list[Any]:
    """Return values as a list, those of numpy and torch as plain numbers; NaN is a missing value."""
    plain = values.tolist() if hasattr(values, "tolist") else values
    return [None if value != value else value for value in plain]


def _csv(data: Any, where: str, *, quoted: bool = False) -> str:
    import csv
    import io

    quoting: Literal[0, 2] = csv.QUOTE_NONNUMERIC if quoted else csv.QUOTE_MINIMAL
    if is_frame(data):
        return str(data.to_csv(index=False, lineterminator="\n", quoting=quoting))
    named = columns(data, where)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=quoting)
    writer.writerow(named)
    writer.writerows(zip(*named.values(), strict=True))
    return text.getvalue()


def _facts(figure: Figure) -> dict[str, Any]:
    sizes, cut = _drawn(figure)
    named = [at for at in "xy" if getattr(figure, f"get_sup{at}label")()]
    axes = [_axes_facts(axes, named) for axes in figure.get_axes() if axes.get_visible()]
    width, height = figure.get_size_inches()
    return {
        "width_mm": round(float(width) * MM_PER_INCH, 3),
        "height_mm": round(float(height) * MM_PER_INCH, 3),
        "smallest_text_pt": round(min(sizes), 3) if sizes else None,
        "cut_mm": cut,
        "series": max((entry["series"] for entry in axes), default=0),
        "legend": bool(figure.legends) or any(entry["legend"] for entry in axes),
        "axes": axes,
    }


def _drawn(figure: Figure) -> tuple[list[float], float]:
    """Return the sizes in points of all texts that are drawn, and how far things are cut off, in mm.

    The figure is drawn to see them.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    sizes = []
    canvas: Any = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()

    def record(_gc: Any, _x: float, _y: float, text: str, prop: Any, *_: Any, **__: Any) -> None:
        if text.strip():
            sizes.append(float(prop.get_size_in_points()))

    renderer.draw_text = record
    figure.draw(renderer)
    box = figure.get_tightbbox(renderer)  # in inches
    width, height = figure.get_size_inches()
    beyond = max(0.0, -box.x0, -box.y0, box.x1 - width, box.y1 - height)
    return sizes, round(float(beyond) * MM_PER_INCH, 2)


def _axes_facts(axes: Axes, named: Sequence[str]) -> dict[str, Any]:
    """Return the facts of a pair of axes in a figure that names these directions as a whole."""
    colorbar = axes.get_label() == "<colorbar>"
    artists = [] if colorbar else [*axes.lines, *axes.collections, *axes.patches]
    return {
        "title": axes.get_title() or axes.get_title(loc="left") or axes.get_title(loc="right"),
        "xlabel": axes.get_xlabel() if axes.axison else "",
        "ylabel": axes.get_ylabel() if axes.axison else "",
        "series": len({look for artist in artists if (look := _look(artist))}),
        "legend": axes.get_legend() is not None,
        "colorbar": colorbar,
        "unnamed": [at for at in "xy" if at not in named and _is_unnamed(axes, at)],
        "diagram": not axes.axison,
    }


def _is_unnamed(axes: Axes, at: str) -> bool:
    """Return whether an axis, x or y, shows numbers and nothing tells of what.

    That can be its label, the label of axes that share it, or the title of a scale of colours.
    """
    axis = getattr(axes, f"{at}axis")
    sharing = getattr(axes, f"get_shared_{at}_axes")().get_siblings(axes)
    names = [getattr(other, f"{at}axis").label.get_text() for other in sharing]
    names += [axes.get_title()] if axes.get_label() == "<colorbar>" else []
    shown = [tick.label1 for tick in axis.get_major_ticks()] + [
        tick.label2 for tick in axis.get_major_ticks()
    ]
    numbers = [text for text in shown if text.get_visible() and _is_number(text.get_text())]
    return axes.axison and axis.get_visible() and bool(numbers) and not any(names)


def _is_number(text: str) -> bool:
    """Return whether the label of a tick is a number, written plainly or in mathtext."""
    bare = re.sub(r"\\[a-zA-Z]+", "", text)
    return any(c.isdigit() for c in bare) and not any(c.isalpha() for c in bare)


def _look(artist: Artist) -> tuple[Any, ...] | None:
    """Return how a group of data looks; None for what shows no data, or a scale of colours."""
    import numpy
    from matplotlib.collections import Collection
    from matplotlib.colors import to_hex
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if not artist.get_visible():
        return None
    if isinstance(artist, Line2D):
        marker = str(artist.get_marker())
        look = "line", to_hex(artist.get_color()), str(artist.get_linestyle()), marker
        return look if numpy.size(artist.get_path().vertices) else None
    if isinstance(artist, Collection) and artist.get_array() is None:
        colours = [
            to_hex(colour, keep_alpha=True) for colour in (*artist.get_facecolor(), *artist.get_edgecolor())
        ]
        return "collection", tuple(sorted(set(colours)))
    if isinstance(artist, Patch):
        return "patch", to_hex(artist.get_facecolor()), str(artist.get_hatch())
    return None

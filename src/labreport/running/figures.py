"""Figures as files, with the same bytes for the same figure, and what a check must know of them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport.errors import ExperimentError
from labreport.results import is_frame, kind_of

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PNG_DPI = 200
OWN = (".pdf", ".png", ".csv", ".json")  # the endings of a figure's own files
MM_PER_INCH = 25.4


@contextlib.contextmanager
def style(path: Path) -> Iterator[None]:
    """Draw inside in matplotlib's defaults and a style file, whatever the user's own settings are."""
    import matplotlib
    from matplotlib import pyplot

    matplotlib.use("Agg")
    styles = ["default", *([str(path)] if path.is_file() else [])]
    with pyplot.style.context(styles, after_reset=True):
        try:
            yield
        finally:
            pyplot.close("all")


def save(figure: Figure, stem: Path, where: str) -> dict[str, Any]:
    """Write STEM.pdf and STEM.png and return what a check must know of the figure.

    ExperimentError if it is not a figure, or one without axes; `where` names it for messages.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure as MatplotlibFigure

    if not isinstance(figure, MatplotlibFigure):
        what = f"{where} is a {type(figure).__name__}, not a matplotlib Figure"
        raise ExperimentError(what, cure="pass the figure: figure, axes = pyplot.subplots()")
    if not figure.get_axes():
        raise ExperimentError(f"{where} is empty: it has no axes", cure="draw something into it")
    facts = _facts(figure)
    nothing: dict[str, Any] = dict.fromkeys(("Creator", "Producer", "CreationDate"))
    with rc_context({"savefig.bbox": None}):  # else the style could change the size
        figure.savefig(stem.with_name(f"{stem.name}.pdf"), metadata=nothing)
        figure.savefig(stem.with_name(f"{stem.name}.png"), dpi=PNG_DPI, metadata={"Software": None})
    return facts


def save_data(data: Any, path: Path, where: str) -> None:
    """Write the data behind a figure as CSV: a DataFrame, columns by name, or rows as dicts.

    ExperimentError if it is none of these, or the columns are of different lengths.
    """
    if is_frame(data):
        data.to_csv(path, index=False, lineterminator="\n")
    else:
        path.write_text(_csv(_columns(data, where)), encoding="utf-8")


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


def _columns(data: Any, where: str) -> dict[str, list[Any]]:
    if isinstance(data, Sequence) and all(isinstance(row, Mapping) for row in data):
        names = dict.fromkeys(name for row in data for name in row)
        return {name: [row.get(name) for row in data] for name in names}
    if isinstance(data, Mapping):
        columns = {name: _list(column) for name, column in data.items()}
        if len({len(column) for column in columns.values()}) <= 1:
            return columns
        what = f"the data of {where} has columns of different lengths"
        raise ExperimentError(what, cure="make rows of one kind: data=[{...}, {...}]")
    what = f"the data of {where} is {kind_of(data)}"
    raise ExperimentError(what, cure="pass a DataFrame, a dict of columns, or a list of dicts")


def _list(values: Any) -> list[Any]:
    """Return values as a list, those of numpy and torch as plain numbers; NaN is a missing value."""
    plain = values.tolist() if hasattr(values, "tolist") else values
    return [None if value != value else value for value in plain]


def _csv(columns: Mapping[str, Sequence[Any]]) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
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

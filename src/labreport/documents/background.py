"""What stands behind a document and would be lost with the results: kept so that two builds can be compared.

That is, for each printed number that estimates something, its value with the width of its noise; parameters
and versions; the digests of figures and of the data that they were drawn from; the code of excerpts; the
prose as it was typed.

The noise of a number is read off its neighbours in the result, by their names: an interval (`low`, `high`),
or the standard deviation of a sample (`std`, with `n`, its size).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from labreport import results
from labreport.documents.keys import Step, steps
from labreport.results import freshness, variants

if TYPE_CHECKING:
    from labreport.language import Rendered
    from labreport.project import Project

INTERVAL, STD = "interval", "std"
"""What the width of noise is: half of a 95 % interval, or a standard deviation (of an unknown sample)."""

NORMAL = 1.96
"""Half the width of the 95 % interval of a normal distribution, in standard deviations."""

MIDDLES = ("estimate", "mean")
"""The names of the number itself in a mapping that holds an estimate with its spread."""

ESTIMATES = ("estimate", "mean", "median", "difference", "ratio", "rate", "share", "factor")
"""The names that a number may have beside `low` and `high` to be what their interval is about."""


def of(project: Project, rendered: Rendered) -> dict[str, Any]:
    """Return what stands behind a rendered document, as plain data; what cannot be read is left out."""
    stored = {name: _Stored(project.results / name) for name in variants.names(project)}
    keys = sorted({key for item in rendered.printed for key in item.keys})
    return {
        "noise": dict(_noise(keys, stored)),
        "parameters": {name: each.result.get("params", {}) for name, each in stored.items()},
        "versions": _versions(stored.values()),
        "results": {name: each.content for name, each in stored.items()},
        "figures": _figures(project, stored, rendered),
        "code": _code(rendered),
        "prose": _prose(rendered),
    }


class _Stored:
    """The files of a result, read as they are: what can be wrong with them the rendering has found."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def result(self) -> dict[str, Any]:
        return _json(self.folder / results.RESULT)

    @cached_property
    def fingerprint(self) -> dict[str, Any]:
        return dict(_json(self.folder / results.RUN).get("fingerprint", {}))

    @property
    def content(self) -> str:
        """The digest of all that others can see of the result."""
        return str(_json(self.folder / results.RUN).get("content", ""))


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


# ------------------------------------------------------------------------------------------------------ noise


def _noise(keys: Iterable[str], stored: Mapping[str, _Stored]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield value, width and kind of noise for each key whose neighbours tell them."""
    for key in keys:
        path, name = steps(key) or (), variants.owner(key)
        if path[1:2] == (variants.KEYWORD,):
            path = path[2:]
        if len(path) < 3 or name not in stored:
            continue
        result = stored[name].result
        neighbours, name = _neighbours(result, path[1:-1]), str(path[-1])
        if isinstance(own := neighbours.get(name), dict):  # a format prints it as one: mean ± std
            neighbours, name = own, next((middle for middle in MIDDLES if middle in own), "")
        value = neighbours.get(name)
        width = noise(name, neighbours) if is_number(value) else None
        if width is not None:
            yield key, {"value": value, "width": width[0], "unit": width[1]}


def _neighbours(result: Mapping[str, Any], path: tuple[Step, ...]) -> dict[str, Any]:
    """Return the mapping, or the row of a table, that a path leads to; empty if it does not."""
    try:
        if path[0] == "tables":
            _, table, row = path
            return {c["name"]: c["values"][row] for c in result["tables"][table]["columns"]}
        found: Any = result
        for step in path:
            found = found[step]
    except (LookupError, TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def noise(name: str, neighbours: Mapping[str, Any]) -> tuple[float, str] | None:
    """Return the width of the noise of a number among its neighbours, and its kind; None if they do not tell.

    `loss_mean` looks for `loss_mean_low`, then for `loss_low` and `loss_std`; `mean` for `low` and `std`. The
    ends of an interval have the noise of its middle.
    """
    for stem, tail in _stems(name):
        low, high, std = (neighbours.get(f"{stem}{end}") for end in ("low", "high", "std"))
        # beside an `estimate` the interval is that of the estimate alone
        owners = ESTIMATES[:1] if f"{stem}{ESTIMATES[0]}" in neighbours else ESTIMATES
        if tail in (*owners, "low", "high") and is_number(low) and is_number(high):
            return ((high - low) / 2, INTERVAL) if low <= neighbours[name] <= high else None
        if tail in ("mean", ESTIMATES[0]) and is_number(std):
            n = neighbours.get(f"{stem}n")  # the size of another sample would promise too much
            return (NORMAL * std / math.sqrt(n), INTERVAL) if is_number(n) and n > 0 else (std, STD)
    return None


def _stems(name: str) -> Iterator[tuple[str, str]]:
    """Yield how a name can be divided: what its neighbours begin with, and what the number is of that."""
    yield f"{name}_", ESTIMATES[0]
    parts = name.split("_")
    for cut in range(len(parts) - 1, 0, -1):
        yield "_".join(parts[:cut]) + "_", "_".join(parts[cut:])
    if len(parts) == 1:
        yield "", name


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a value is a finite number; truth values are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


# --------------------------------------------------------------------------------- versions, figures and code


def _versions(stored: Iterable[_Stored]) -> dict[str, list[str]]:
    """Return the versions that the results were made with, by package; several where runs differ."""
    found: dict[str, set[str]] = {}
    for each in stored:
        for part, version in each.fingerprint.items():
            kind, _, name = part.partition(" ")
            if kind in ("version", "python"):
                found.setdefault(name or kind, set()).add(str(version))
    return {name: sorted(versions) for name, versions in sorted(found.items())}


def _figures(
    project: Project, stored: Mapping[str, _Stored], rendered: Rendered
) -> dict[str, dict[str, str]]:
    """Return the digests of each figure and of its data: those that it wrote, else the whole result."""
    from labreport.language import Figure

    found = {}
    for _, figure in rendered.shown(Figure):
        if not figure.experiment:
            digest = freshness.digest(project.root / figure.name)
            found[figure.key] = {"pdf": digest, "data": digest, "file": figure.file}
            continue
        each = stored[figure.experiment]
        drawn = each.folder / results.FIGURES / figure.name
        pdf, data = (freshness.digest(drawn.with_name(f"{figure.name}{end}")) for end in (".pdf", ".csv"))
        found[figure.key] = {"pdf": pdf, "data": data or each.content, "file": figure.file}
    return found


def _code(rendered: Rendered) -> dict[str, str]:
    """Return the project's code that is shown, by its name."""
    from labreport.writing import Difference, Excerpt

    found = {}
    for _, code in rendered.shown(Excerpt):
        found[code.name] = _lines(code)
    for _, change in rendered.shown(Difference):
        found[f"{change.new.name} since {change.old.name}"] = _lines(change.new)
    return found


def _lines(code: Any) -> str:
    return "\n".join(line.text for line in code.lines)


GENERATED = "□"
"""What stands in prose for all that expressions made there."""


def _prose(rendered: Rendered) -> list[list[Any]]:
    """Return the lines that were typed in templates, each after its template and its line there."""
    lines: list[list[Any]] = []
    place: list[Any] | None = None
    line = ""
    for text, file, number in _typed(rendered):
        if file is None:
            line += "" if line.endswith(GENERATED) else GENERATED
            continue
        for n, part in enumerate(text.split("\n")):
            if n and place and line.strip():
                lines.append([*place, line.rstrip()])
            if n:
                place, line = None, ""
            place = place or ([file, number + n] if part.strip() else None)
            line += part
    return lines + ([[*place, line.rstrip()]] if place else [])


def _typed(rendered: Rendered) -> Iterator[tuple[str, str | None, int]]:
    """Yield each piece of the text with the template and line where it was typed; without, if it was not."""
    ends = [*(piece.start for piece in rendered.pieces[1:]), len(rendered.text)]
    for piece, end in zip(rendered.pieces, ends, strict=True):
        text = rendered.text[piece.start : end]
        if piece.site is not None:
            yield text, None, 0
        elif text:
            place = rendered.place(piece.start)
            yield text, place.file, place.line or 1

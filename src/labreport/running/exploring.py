"""How the page lets a figure's data be explored: what `lab.figure(explore=…)` says, checked and complete."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from labreport.errors import ExperimentError, did_you_mean
from labreport.results import kind_of

Columns = Mapping[str, Sequence[Any]]

SETTINGS = {"parallel": ("columns", "colour"), "lines": ("x", "by", "y")}
SINGLE = ("colour", "x")  # the settings that name one column; the others name several
X_NAMES = ("epoch", "step", "x")
CENTRES = ("median", "mean", "estimate")
UPPER = {"low": "high", "lower": "upper", "min": "max"} | {f"q{n:02}": f"q{100 - n}" for n in range(1, 50)}


def settings(explore: Any, columns: Columns | None, where: str) -> dict[str, Any]:
    """Return the settings of an exploration with all that was left open decided from the data.

    For "parallel": `columns`, and `colour`, the one that colours the rows. For "lines": `x`, the columns `by`
    which curves are told apart, `y`, the columns to choose from, and `bands`: around which of these lie which
    pairs of columns, the outer pair first. ExperimentError if the data do not suit; `where` names the figure.
    """
    what = f"{where} is to be explored"
    kind, said = _said(explore, what)
    if columns is None:
        raise ExperimentError(f"{what}, but has no data", cure="pass the data behind it: data=…")
    _check_columns(said, columns, what)
    _check_finite(columns, what)
    return {"kind": kind} | (_parallel if kind == "parallel" else _lines)(said, columns, what)


def _said(explore: Any, what: str) -> tuple[str, dict[str, Any]]:
    """Return the kind and the other settings as they were given, column names always in lists."""
    said = dict(explore) if isinstance(explore, Mapping) else {"kind": explore}
    kind = said.pop("kind", None)
    if not isinstance(kind, str) or kind not in SETTINGS:
        kinds = " or ".join(f'"{name}"' for name in SETTINGS)
        shown = repr(kind) if isinstance(kind, str) else kind_of(kind)
        raise ExperimentError(f"{what} as {shown}", cure=f"say {kinds}; with settings: {{'kind': …}}")
    for name in said:
        if name not in SETTINGS[kind]:
            cure = did_you_mean(str(name), SETTINGS[kind])
            raise ExperimentError(f'{what} as "{kind}", which has no setting {name!r}', cure=cure)
    return kind, {name: _names(name, value, what) for name, value in said.items()}


def _names(setting: str, value: Any, what: str) -> list[str]:
    names = [value] if isinstance(value, str) else value
    several = isinstance(names, Sequence) and all(isinstance(name, str) for name in names)
    if not several or not names or (setting in SINGLE and len(names) > 1):
        cure = "name one column" if setting in SINGLE else "name columns: a text or a list of texts"
        raise ExperimentError(f"{what} with {setting}={value!r}", cure=cure)
    return list(dict.fromkeys(names))


def _check_columns(said: Mapping[str, Sequence[str]], columns: Columns, what: str) -> None:
    for setting, names in said.items():
        for name in names:
            if name not in columns:
                missing = f"{what} with {setting}={name!r}, which is no column of its data"
                raise ExperimentError(missing, cure=did_you_mean(name, list(columns)))
            if setting in (*SINGLE, "y") and not _is_numeric(columns[name]):
                raise ExperimentError(
                    f"{what} with {setting}={name!r}, which is not a column of numbers",
                    cure=f"choose another column for {setting}",
                )


def _check_finite(columns: Columns, what: str) -> None:
    for name, values in columns.items():
        if any(isinstance(value, Real) and math.isinf(value) for value in values):
            cure = "leave the value out: None is a missing one"
            raise ExperimentError(f"{what}, but its column {name!r} has an infinite value", cure=cure)


def _parallel(said: Mapping[str, list[str]], columns: Columns, what: str) -> dict[str, Any]:
    chosen = said.get("columns", list(columns))
    rows = len(next(iter(columns.values()), ()))
    if len(chosen) < 2 or rows < 2:
        size = f"{_count(len(chosen), 'column')} and {_count(rows, 'row')}"
        raise ExperimentError(
            f'{what} as "parallel", but its data have {size}',
            cure="parallel axes need two columns and two rows",
        )
    numeric = [name for name in chosen if _is_numeric(columns[name])]
    if not numeric and "colour" not in said:
        raise ExperimentError(
            f'{what} as "parallel", but has no column of numbers to colour rows by',
            cure="add such a column to the data",
        )
    # the last number of a row is mostly what came out of it
    return {"columns": chosen, "colour": said["colour"][0] if "colour" in said else numeric[-1]}


def _lines(said: Mapping[str, list[str]], columns: Columns, what: str) -> dict[str, Any]:
    numeric = [name for name, values in columns.items() if _is_numeric(values)]
    x = said["x"][0] if "x" in said else next((n for n in (*X_NAMES, *numeric) if n in numeric), None)
    if x is None:
        raise ExperimentError(
            f'{what} as "lines", but its data have no column of numbers for x',
            cure="add such a column to the data",
        )
    by = said["by"] if "by" in said else _telling_apart(columns, x)
    if _repeats(columns, [x, *by]):
        told = f", apart by {', '.join(by)}" if by else ""
        raise ExperimentError(
            f'{what} as "lines", but there are several rows for one {x}{told}',
            cure='name the columns that tell the curves apart: "by": […]',
        )
    free = [name for name in numeric if name not in (x, *by)]
    bands = _bands(free, said.get("y", free))
    inside = {name for pairs in bands.values() for pair in pairs for name in pair}
    y = said.get("y") or [name for name in free if name not in inside]
    if not y:
        raise ExperimentError(
            f'{what} as "lines", but its data have no column of numbers beside {x}',
            cure="add what the curves show to the data",
        )
    return {"x": x, "by": by, "y": y, "bands": bands}


def _telling_apart(columns: Columns, x: str) -> list[str]:
    """Return the columns of text, and from the left those of whole numbers that it takes beside them."""
    by = [n for n, values in columns.items() if _is_text(values) and len(set(map(str, values))) > 1]
    for name, values in columns.items():
        if not _repeats(columns, [x, *by]):
            break
        if name != x and all(isinstance(value, Integral) for value in values):
            by.append(name)
    return by


def _repeats(columns: Columns, names: Sequence[str]) -> bool:
    """Return whether rows have the same values in all these columns, written as they are in the file."""
    rows = list(zip(*(map(str, columns[name]) for name in names), strict=True))
    return len(set(rows)) < len(rows)


def _bands(free: Sequence[str], centres: Sequence[str]) -> dict[str, list[list[str]]]:
    """Return the pairs of bounds around each centre: named alike, but for low and high, or q05 and q95."""
    parts = {name: re.fullmatch(r"(?:(.*)_)?([^_]+)", name) for name in free}
    known = {(m[1] or "", m[2]): name for name, m in parts.items() if m is not None}
    bands: dict[str, list[list[str]]] = {}
    for (stem, word), lower in sorted(known.items()):
        upper = known.get((stem, UPPER.get(word, "")))
        centre = next((c for c in (stem, *(f"{stem}_{c}".strip("_") for c in CENTRES)) if c in centres), None)
        if upper and centre:
            bands.setdefault(centre, []).append([lower, upper])
    return bands


def _is_text(values: Sequence[Any]) -> bool:
    return any(isinstance(value, str) for value in values)


def _is_numeric(values: Sequence[Any]) -> bool:
    present = [value for value in values if value is not None]
    return bool(present) and all(isinstance(v, Real) and not isinstance(v, bool) for v in present)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

"""Figures on the page: what they show, in words and as the numbers behind them."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport.page.numbers import LARGEST
from labreport.results import Drawing, Figure, recorded_drawing, variants

if TYPE_CHECKING:
    from labreport.project import Project

Cell = float | str | None

MOST = 500_000
"""The most cells of a figure's data that the page holds: as text these are ten megabytes."""

LONGEST = 2**31 - 1
"""The most characters of a cell: what C's long holds everywhere; `csv` refuses 131,073."""

_NUMBERS = {int, float, type(None)}


def drawn(project: Project) -> dict[str, Figure]:
    """Return the figures of all experiments by their keys, as far as they can be used."""
    found: dict[str, Figure] = {}
    for name in variants.names(project):
        drawing = recorded_drawing(project, name)
        if isinstance(drawing, Drawing):
            root = variants.root(project, name)
            found |= {f"{root}.figures.{figure.name}": figure for figure in drawing.figures.values()}
    return found


def table(path: Path) -> dict[str, Any]:
    """Return the table in a figure's CSV: columns of numbers as numbers, an empty cell as None.

    Of a very long one these are the first rows; `total` counts all.
    """
    csv.field_size_limit(LONGEST)
    with path.open(encoding="utf-8", newline="") as file:
        columns, *rows = csv.reader(file)
    shown = rows[: MOST // max(len(columns), 1)]
    cells = [_numbers(column) for column in zip(*shown, strict=True)]
    return {"columns": columns, "rows": [list(row) for row in zip(*cells, strict=True)], "total": len(rows)}


def _is_exact(number: float) -> bool:
    """Return whether a script has a number for one, and the same."""
    return math.isfinite(number) if isinstance(number, float) else abs(number) <= LARGEST


def _numbers(column: Sequence[str]) -> Sequence[Cell]:
    """Return a column as numbers, if all of its cells are such as JSON has, or empty; else as texts."""
    try:
        # ten times faster than cell by cell; a cell that is several values, or none, is counted out below
        found = json.loads(f"[{','.join([cell or 'null' for cell in column])}]")
    except (ValueError, RecursionError):
        found = []
    kinds = set(map(type, found))
    if len(found) == len(column) and kinds <= _NUMBERS and all(x is None or _is_exact(x) for x in found):
        return list(found)
    return [cell or None for cell in column]

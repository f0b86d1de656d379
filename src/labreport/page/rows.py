"""Rows of tables: what a reader calls the one in which a value stands, by the cells at its beginning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labreport.explain import Value, column_of, columns, readable

MOST = 3
"""The most cells that name a row; fewer, if they tell the rows apart."""


def names(values: Mapping[int, Value]) -> dict[int, str]:
    """Return the names of the rows of one table by the numbers of its values, without those in the names."""
    heads = columns(next(iter(values.values())).expression)
    cells: dict[str, dict[int, str]] = {}  # by row and number of the column
    places: dict[int, tuple[str, int]] = {}
    for number, value in values.items():
        column = column_of(value)
        if column is not None and "]" in value.keys[0]:
            row, at = value.keys[0].rpartition("]")[0], heads.index(column)
            cells.setdefault(row, {})[at] = readable(value.text)
            places[number] = row, at
    count = _needed(list(cells.values()), min(MOST, len(heads)))
    said = {row: _name([heads[at].head for at in range(count)], found) for row, found in cells.items()}
    return {number: said[row] for number, (row, at) in places.items() if at >= count and said[row]}


def _needed(rows: Sequence[Mapping[int, str]], most: int) -> int:
    """Return how many cells at the beginning tell all rows apart, or the most."""
    for count in range(1, most):
        if len({tuple(row.get(at) for at in range(count)) for row in rows}) == len(rows):
            return count
    return most


def _name(heads: Sequence[str], row: Mapping[int, str]) -> str:
    """Return the cells at the beginning of a row; a number after the head of its column."""
    cells = [(head, row.get(at, "")) for at, head in enumerate(heads)]
    is_word = [any(map(str.isalpha, cell)) for _, cell in cells]
    return ", ".join(
        cell if word else f"{head} {cell}".strip()
        for (head, cell), word in zip(cells, is_word, strict=True)
        if cell
    )

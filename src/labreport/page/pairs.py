"""Samples of differences: behind an estimate of how far apart two means are, the pairs that were compared.

Like samples they are found by their numbers. The pairs are two columns of the same rows, or one column in two
parts of a table whose rows belong together: by a column that numbers or names them, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from labreport.explain import NUMBER
from labreport.page.samples import Sample, Summary, best, spellings, spelt_out, tables

if TYPE_CHECKING:
    from labreport.results import Result

PARTS = 40
"""The most parts of a table that are compared with each other."""


def chosen(wanted: Sequence[Summary], results: Sequence[Result]) -> dict[str, Sample]:
    """Return the differences behind each summary of a known size, by its key, if there are such."""
    sized = [summary for summary in wanted if NUMBER in summary.facts and summary.centre == "mean"]
    values = {spelt for summary in sized for spelt in spellings(summary.value)}
    sizes = {summary.facts[NUMBER] for summary in sized}
    return best(sized, (pair for result in results for pair in _pairs(result, sizes, values)))


def _pairs(result: Result, sizes: set[float], values: set[str]) -> Iterator[Sample]:
    """Yield the differences in the tables of a result whose mean is, as it is spelt, one of these values."""
    for (_, table), found in zip(sorted(result.tables.items()), tables(result, sizes), strict=True):
        columns = {column.name: column.values for column in table.columns}
        alike: dict[Any, list[Sample]] = {}
        for sample in found:
            alike.setdefault((sample.where, len(sample.rows)), []).append(sample)
            if sample.where:
                names = tuple(column for column, _ in sample.where)
                alike.setdefault((sample.column, names, len(sample.rows)), []).append(sample)
        for group in alike.values():
            for one, other in combinations(group if len(group) <= PARTS else (), 2):
                for a, b in ((one, other), (other, one)):
                    if spelt_out(a.mean - b.mean) in values and _are_paired(a, b, columns):
                        yield _difference(a, b)


def _are_paired(one: Sample, other: Sample, columns: Mapping[str, Sequence[Any]]) -> bool:
    """Return whether the rows of two samples are the same, or belong together one by one."""
    if list(one.rows) == list(other.rows):
        return True
    for values in columns.values():
        names = [values[row] for row in one.rows]
        if len(set(names)) == len(names) and names == [values[row] for row in other.rows]:
            return True
    return False


def _difference(one: Sample, other: Sample) -> Sample:
    values = [a - b for a, b in zip(one.values, other.values, strict=True)]
    return replace(one, values=values, minus=other)

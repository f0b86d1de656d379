"""The samples behind summaries: which column of a table has the number, the mean and the deviation of one.

A sample is a column of a table, whole or in the rows that have the same values in one or two other columns,
whose mean or median is that of the summary to nine digits; so are its size and its standard deviation, if the
summary has them. Where several columns agree by chance (two settings with the same rate), the one that the
key names is taken; where it names none, no sample is shown rather than a wrong one.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from operator import itemgetter
from statistics import median
from typing import TYPE_CHECKING, Any

from labreport.documents import steps
from labreport.explain import INTERVAL, NUMBER, SAMPLE

if TYPE_CHECKING:
    from labreport.page.keys import Known
    from labreport.results import Result

AGREE = 1e-9
"""How far two numbers that are the same may be apart, relative to them."""

LEVELS = 200
"""The most different values of a column by which the rows of a table are told apart."""

CENTRES = ("mean", "median")
"""By which of its statistics a sample can be looked for."""

TEXTS = ("object", "str", "string")
"""The types of columns that hold texts."""


@dataclass(frozen=True)
class Summary:
    """What a result tells of a sample: its centre, "mean" or "median", and what else agrees with a right one.

    `facts` are the other statistics by name, `words` the names and texts that stand with the summary.
    """

    key: str
    centre: str
    value: float
    facts: Mapping[str, float]
    words: frozenset[str]


@dataclass(frozen=True, eq=False)
class Sample:
    """A column of a table in the rows in which other columns hold certain values."""

    table: str
    column: str
    where: tuple[tuple[str, Any], ...]
    rows: Sequence[int]
    values: Sequence[float]
    minus: Sample | None = None
    """What was subtracted from each value, if the sample is one of differences."""

    def without_gaps(self) -> Sample:
        """Return the sample without rows in which its value is missing."""
        rows = [row for row, value in zip(self.rows, self.values, strict=True) if value is not None]
        return replace(self, rows=rows, values=[value for value in self.values if value is not None])

    @cached_property
    def name(self) -> tuple[Any, ...]:
        """What tells one sample from another, however its rows are described."""
        return self.table, self.column, tuple(self.rows), self.minus and self.minus.name

    @property
    def conditions(self) -> tuple[tuple[str, Any], ...]:
        """What is said of the rows that it is of."""
        return tuple(dict.fromkeys((*self.where, *(self.minus.where if self.minus else ()))))

    @property
    def varies(self) -> bool:
        """Whether not all values are the same."""
        return min(self.values) < max(self.values)

    @cached_property
    def mean(self) -> float:
        """The mean."""
        return math.fsum(self.values) / len(self.values)

    @property
    def median(self) -> float:
        """The median."""
        return float(median(self.values))

    @cached_property
    def statistics(self) -> dict[str, tuple[float, ...]]:
        """The statistics of the sample; of the standard deviation that of a sample and of a population."""
        n = len(self.values)
        squares = math.fsum((x - self.mean) ** 2 for x in self.values)
        std = (math.sqrt(squares / (n - 1)), math.sqrt(squares / n))
        ends = {"min": (min(self.values),), "max": (max(self.values),)}
        return {"n": (n,), "median": (self.median,), "std": std, "sd": std, **ends}


# -------------------------------------------------------------------------------------------------- summaries

_SPREADS = ("std", "sd", "min", "max", "median")


def summary_of(key: str, known: Known) -> Summary | None:
    """Return what a result tells of the sample behind a key; None if that is too little to find it by."""
    value, facts = known.value, dict(known.spread)
    stem, own = "", next((name for name in CENTRES if name in facts), "estimate")
    if not isinstance(value, Mapping):
        if not isinstance(value, int | float) or not facts:
            return None
        stem, own = _statistic(key, facts)
        facts[own] = value
    kind = "estimate" if own in INTERVAL else "mean" if "mean" in facts else "median"
    if kind not in facts:
        return None
    # the number beside the mean of a part may be that of the whole: the rate and the mean loss of the solved
    told = {name: facts[name] for name in _SPREADS if name in facts and kind != "estimate" and name != kind}
    if NUMBER in facts and not stem:
        told[NUMBER] = facts[NUMBER]
    if not told.keys() & {"std", "sd", NUMBER} and not {"min", "max"} <= told.keys():
        return None
    centre = "median" if kind == "median" else "mean"
    return Summary(key, centre, facts[kind], told, known.words)


def _statistic(key: str, beside: Mapping[str, Any]) -> tuple[str, str]:
    """Return of what a key is a statistic, "" for all of the place it stands in, and which one."""
    name = str((steps(key) or ("",))[-1])
    stem, _, last = name.rpartition("_")
    if last in (*SAMPLE, *INTERVAL):
        return stem, last
    return ("", "estimate") if "low" in beside else (name, "mean")


# ------------------------------------------------------------------------------------------------- the search


def chosen(wanted: Sequence[Summary], results: Sequence[Result]) -> dict[str, Sample]:
    """Return the sample of each summary, by its key, where there is one and no other is as good."""
    sizes = {summary.facts.get(NUMBER) for summary in wanted}
    found = (s for result in results for table in tables(result, sizes) for s in table)
    return best(wanted, found)


def best(wanted: Sequence[Summary], samples: Iterable[Sample]) -> dict[str, Sample]:
    """Return for each summary, by its key, the sample that it is of, where one alone may be that."""
    by_centre: dict[str, dict[str, list[Summary]]] = {}
    for summary in wanted:
        for spelt in spellings(summary.value):
            by_centre.setdefault(summary.centre, {}).setdefault(spelt, []).append(summary)
    found: dict[str, dict[Any, Sample]] = {}
    for sample in samples:
        for summary in _agreeing(sample, by_centre):
            found.setdefault(summary.key, {}).setdefault(sample.name, sample)
    summaries = {summary.key: summary for summary in wanted}
    named = {key: _best(summaries[key], found[key].values()) for key in found}
    return {key: sample for key, sample in named.items() if sample is not None}


def _agreeing(sample: Sample, wanted: Mapping[str, Mapping[str, Sequence[Summary]]]) -> Iterator[Summary]:
    """Yield the summaries that a sample may be behind."""
    for centre, summaries in wanted.items():
        for summary in summaries.get(spelt_out(getattr(sample, centre)), ()):
            # of what is the same everywhere there is nothing to see, and much that agrees by chance
            if sample.varies and all(_agree(fact, sample.statistics[n]) for n, fact in summary.facts.items()):
                yield summary


def _agree(fact: float, found: Iterable[float]) -> bool:
    return any(math.isclose(fact, number, rel_tol=AGREE, abs_tol=AGREE**2) for number in found)


def spelt_out(value: float) -> str:
    """Return how a number is looked up."""
    return f"{value:.8e}"


def spellings(value: float) -> set[str]:
    """Return how numbers are spelt that agree with a value: the same, or at the edge of rounding another."""
    return {spelt_out(value * (1 + part * AGREE)) for part in (-1, 0, 1)}


def _best(summary: Summary, samples: Iterable[Sample]) -> Sample | None:
    """Return the sample that a summary names, of those that agree with it; None if it names none."""
    ranked = sorted(((_nearness(summary, s), n, s) for n, s in enumerate(samples) if _is_sure(summary, s)))
    is_clear = len(ranked) == 1 or (len(ranked) > 1 and ranked[0][0] < ranked[1][0])
    return ranked[0][2] if is_clear else None


def _is_sure(summary: Summary, sample: Sample) -> bool:
    """Return whether numbers alone tell a sample, or the summary names it: many groups have 12 hits of 20."""
    counts = summary.facts.keys() <= {NUMBER} and all(value == int(value) for value in sample.values)
    return not counts or not _unnamed(summary, sample)


def _unnamed(summary: Summary, sample: Sample) -> int:
    """Return how many of the conditions of a sample a summary does not name."""
    return sum(str(value) not in summary.words for _, value in sample.conditions)


def _nearness(summary: Summary, sample: Sample) -> tuple[int, int, float]:
    """Return how far a summary is from naming a sample: conditions that it does not name count most."""
    name = f"{sample.table}.{sample.column}"
    likeness = difflib.SequenceMatcher(None, summary.key, name).ratio()
    return _unnamed(summary, sample), len(sample.conditions), round(1 - likeness, 3)


def tables(result: Result, sizes: Container[float | None]) -> Iterator[Iterator[Sample]]:
    """Yield for each table of a result its samples of one of these sizes; of any, if None is among them."""
    for name, table in sorted(result.tables.items()):
        yield _samples(f"{result.experiment}.tables.{name}", table, sizes)


def _samples(name: str, table: Any, sizes: Container[float | None]) -> Iterator[Sample]:
    columns = [(c.name, c.values, None in c.values) for c in table.columns if c.dtype not in TEXTS]
    for where, rows in _parts(table):
        held = {column for column, _ in where}
        take = itemgetter(*rows)
        for column, values, has_gaps in columns:
            if column in held or not (has_gaps or None in sizes or len(rows) in sizes):
                continue
            sample = Sample(name, column, where, rows, take(values))
            sample = sample.without_gaps() if has_gaps else sample
            if len(sample.rows) > 1 and (None in sizes or len(sample.rows) in sizes):
                yield sample


def _parts(table: Any) -> Iterator[tuple[tuple[tuple[str, Any], ...], Sequence[int]]]:
    """Yield the rows of a table, whole and in parts that are the same in one or two columns."""
    if table.length > 1:
        yield (), range(table.length)
    levels = [c for c in table.columns if not c.dtype.lower().startswith("float")]
    levels = [c for c in levels if 1 < len(set(c.values)) <= min(LEVELS, table.length // 2)]
    for chosen in (*combinations(levels, 1), *combinations(levels, 2)):
        parts: dict[tuple[Any, ...], list[int]] = {}
        for row, values in enumerate(zip(*(column.values for column in chosen), strict=True)):
            parts.setdefault(values, []).append(row)
        for values, rows in parts.items():
            if len(rows) > 1:
                yield tuple((c.name, value) for c, value in zip(chosen, values, strict=True)), rows

"""What is behind the summaries that a page shows: samples, and the differences between paired ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labreport.explain import experiment_of
from labreport.page import pairs, samples
from labreport.page.numbers import exact

if TYPE_CHECKING:
    from labreport.page.keys import Known
    from labreport.page.things import Plain
    from labreport.results import Result

MOST = 2_000
"""The most points of a sample that the page holds; of more, as many at equal distances by rank."""

TOTAL = 120_000
"""The most points of all samples together: if there are more, fewer of each are held."""

LEAST = 50
DIGITS = 6
"""The significant digits of a point: more than a picture of it can show."""


@dataclass(frozen=True)
class Found:
    """The samples that were found, as the page holds them, and which of them is behind a key."""

    samples: list[Plain]
    of_key: Mapping[str, int]

    def plain(self) -> Plain:
        """Return both as JSON holds them."""
        return {"samples": self.samples, "of_key": dict(self.of_key)}


def find(
    known: Mapping[str, Known], results: Mapping[str, Result], uses: Mapping[str, Sequence[str]]
) -> Found:
    """Return the samples behind keys; `uses` names the results that an experiment uses beside its own."""
    summaries: dict[str, list[samples.Summary]] = {}
    for key, found in known.items():
        if (summary := samples.summary_of(key, found)) is not None:
            summaries.setdefault(experiment_of(key), []).append(summary)
    chosen: dict[str, samples.Sample] = {}
    for name, wanted in summaries.items():
        nearby = [results[near] for near in dict.fromkeys((name, *uses.get(name, ()))) if near in results]
        own = samples.chosen(wanted, nearby)
        chosen |= own | pairs.chosen([each for each in wanted if each.key not in own], nearby)
    every = {sample.name: sample for _, sample in sorted(chosen.items())}
    numbers = {name: number for number, name in enumerate(every)}
    most = min(MOST, max(LEAST, TOTAL // max(len(every), 1)))
    return Found(
        [_told(sample, most) for sample in every.values()],
        {key: numbers[sample.name] for key, sample in chosen.items()},
    )


def _told(sample: samples.Sample, most: int) -> Plain:
    """Return a sample as the page holds it: of many points those at equal distances by rank."""
    values: Sequence[float] = sample.values
    n = len(values)
    if n > most:
        ranked = sorted(values)
        values = [ranked[round(i * (n - 1) / (most - 1))] for i in range(most)]
    return {
        "table": sample.table,
        "column": sample.column,
        "where": exact(dict(sample.where)),
        "minus": sample.minus and {"column": sample.minus.column, "where": exact(dict(sample.minus.where))},
        "values": [float(f"{value:.{DIGITS}g}") for value in values],
        "n": n,
        "mean": sample.mean,
        "std": sample.statistics["std"][0],
    }

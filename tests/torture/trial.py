"""A trial: one input in one context, and what became of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Trial:
    """What became of an input in a context; `detail` shows the input and what was seen instead."""

    context: str
    outcome: str
    detail: str = ""


PASSED = frozenset({"kept", "refused"})
"""Outcomes that are right; any other is a failure."""


def table(trials: Iterable[Trial]) -> tuple[str, list[Trial]]:
    """Return how often each outcome came in each context, as a table, and the trials that failed."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    failed = []
    for trial in trials:
        counts[trial.context][trial.outcome] += 1
        if trial.outcome not in PASSED:
            failed.append(trial)
    outcomes = sorted({outcome for row in counts.values() for outcome in row} | PASSED)
    width = max(map(len, counts), default=0)
    lines = [" ".join([" " * width, *(f"{outcome:>9}" for outcome in outcomes)])]
    for context, row in counts.items():
        lines.append(" ".join([context.ljust(width), *(f"{row[outcome]:9,}" for outcome in outcomes)]))
    return "\n".join(lines), failed

"""The best of several values: all that the data do not tell from the one in front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labreport.claims.comparing import ordered
from labreport.claims.families import corrections
from labreport.claims.judgement import HOLDS, Judgement
from labreport.claims.operands import LEVEL, Counted, Estimate, Other, Sample, operand
from labreport.errors import did_you_mean
from labreport.language import FormatError, kind, plain, short

DIRECTIONS = ("lowest", "highest")
EXACT = "exact"
"""How numbers are compared that are known exactly, such as counts: by themselves."""


def best(direction: Any, values: Sequence[Any], how: Any = None) -> list[bool]:
    """Return for each value whether it is the best, or not told from the best by an interval or a test.

    Values are estimates with their intervals, or samples that are compared as `how` says; the tests of one
    call are corrected together by Holm's method. A missing value is never the best.
    """
    if direction not in DIRECTIONS:
        cure = did_you_mean(str(direction), DIRECTIONS)
        raise FormatError(f'best is "lowest" or "highest", not {short(direction)}', cure=cure)
    points = {at: _point(value, how) for at, value in enumerate(values) if plain(value) is not None}
    if not points:
        return [False] * len(values)
    front = (min if direction == "lowest" else max)(points, key=points.__getitem__)
    if how == EXACT:
        return [points.get(at) == points[front] for at in range(len(values))]
    compared = {at: _differ(values[front], values[at], how) for at in points if at != front}
    tests = [("best", test) for judgement in compared.values() for test in judgement.tests()]
    corrected = corrections(tests).get("best", {})
    worse = {at for at, judgement in compared.items() if judgement.verdict(corrected) == HOLDS}
    return [at in points and at not in worse for at in range(len(values))]


def _point(value: Any, how: Any) -> float:
    """Return the number by which values are put in order."""
    found = operand(value)
    if isinstance(found, Estimate):
        return found.value
    if isinstance(found, Sample):
        return sum(found.values) / len(found.values)
    if isinstance(found, Counted | Other):
        raise FormatError(
            f"best is of numbers with their intervals, not of the {kind(plain(value))} {found!r}"
        )
    if how != EXACT:
        raise FormatError(
            f"best: {found.text} does not tell how sure it is",
            cure='name a field with samples, or with estimate, low and high: by="losses"; '
            'counts are known exactly: how="exact"',
        )
    return float(found.value)


def _differ(first: Any, second: Any, how: Any) -> Judgement:
    return ordered("best", "ne", first, second, how, LEVEL)

"""Printed numbers that do not fit each other, though each is rounded rightly: what a reader recomputes.

One value with two precisions; a difference, sum, ratio or relative change beside parts that give another one;
a mean that is rounded more coarsely than its standard error warrants.
"""

from __future__ import annotations

import math
import operator
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from labreport.claims.reading import Reading
from labreport.language import Number, Printed, Rendered, Scaled

SAME = 1e-9  # relative difference below which two values of results are one number
COUNTS = ("n", "count", "repeats", "samples", "runs")
"""What results call the number of values that a mean was taken over."""
WINDOW = 10  # numbers before and after another with which a reader may compare it


@dataclass(frozen=True)
class Misfit:
    """Two places of a text whose numbers do not fit, by their offsets, and how in words."""

    start: int
    other: int
    what: str


@dataclass(frozen=True)
class _Shown:
    """A number as it is printed: its value unrounded and rounded, and the power of ten of its last digit.

    A percentage counts as the fraction that it prints.
    """

    printed: Printed
    number: Number
    value: float
    rounded: Decimal
    place: int

    @property
    def text(self) -> str:
        """The number as a reader sees it."""
        power = f"e{self.number.exponent}" if self.number.exponent else ""
        spread = f" ± {self.number.uncertainty}" if self.number.uncertainty is not None else ""
        return self.number.mantissa + spread + power + (" %" if self.number.unit == "percent" else "")


def _shown(rendered: Rendered) -> list[_Shown]:
    """Return the numbers that are printed from results, in the order of the text."""
    found = []
    for printed in rendered.printed:
        numbers = list(printed.parts(Number))
        # with a prefix before its unit a number is no longer the value itself
        if not printed.keys or len(numbers) != 1 or isinstance(numbers[0], Scaled):
            continue
        number = numbers[0]
        value = printed.value["mean"] if isinstance(printed.value, dict) else printed.value
        if isinstance(value, int | float) and not isinstance(value, bool):
            power = (number.exponent or 0) - (2 if number.unit == "percent" else 0)
            rounded = Decimal(number.mantissa).scaleb(power)
            found.append(_Shown(printed, number, value, rounded, int(rounded.as_tuple().exponent)))
    return found


# -------------------------------------------------------------------------------------------------- precision


def precisions(rendered: Rendered) -> list[Misfit]:
    """Return the values that are printed with two precisions, with the first place of each."""
    first: dict[object, dict[int, _Shown]] = {}
    found = []
    for shown in _shown(rendered):
        same = (shown.printed.keys, repr(shown.printed.value), shown.number.unit)
        known = first.setdefault(same, {})
        if shown.place not in known and known:
            other = next(iter(known.values()))
            what = f"{', '.join(shown.printed.keys)} is printed as {shown.text} here, as {other.text} there"
            found.append(Misfit(shown.printed.start, other.printed.start, what))
        known.setdefault(shown.place, shown)
    return found


# ------------------------------------------------------------------------------------------------- arithmetic

OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "−": operator.sub,
    "+": operator.add,
    "/": operator.truediv,
    "relative to": lambda a, b: a / b - 1,
    "below": lambda a, b: 1 - a / b,
}
"""What a printed value may be of two others; a reader recomputes it."""
FOUND = ("−", "+", "/")
"""By these any numbers of a paragraph may be related; shares are relative changes by chance too often."""
DIVISIONS = ("/", "relative to", "below")
WIDE = Context(prec=5000)  # a ratio of the largest and the smallest float has more than the usual 28 digits


def arithmetic(reading: Reading) -> list[Misfit]:
    """Return the printed differences, sums, ratios and changes that disagree with their printed parts.

    A value is one of two others if it is so without rounding: of those of its paragraph, or of those that its
    expression computes with. Each three numbers are told once.
    """
    in_tables = re.compile(r"\btable\(")
    every = [
        shown
        for shown in _shown(reading.rendered)
        if shown.number.uncertainty is None and not in_tables.search(shown.printed.site.expression)
    ]
    groups: dict[tuple[int, int], list[_Shown]] = {}
    for shown in every:
        groups.setdefault(reading.paragraph(shown.printed.start), []).append(shown)
    triples = [triple for group in groups.values() for triple in _triples(group)]
    found: dict[frozenset[int], Misfit] = {}
    # of a - b = c, c + b = a, a - c = b that which comes first in the table, and ends with the last number
    for result, a, b in sorted([*triples, *_computed(every)], key=lambda triple: -triple[0].printed.start):
        for sign in OPERATIONS:
            if what := _disagreement(sign, result, a, b):
                three = frozenset(shown.printed.start for shown in (result, a, b))
                found.setdefault(three, Misfit(result.printed.start, a.printed.start, what))
    return sorted(found.values(), key=lambda misfit: misfit.start)


_Triple = tuple[_Shown, _Shown, _Shown]


def _triples(group: Sequence[_Shown]) -> Iterator[_Triple]:
    """Yield each number of a paragraph with two others that it is the difference, sum or ratio of."""
    ordered = sorted(group, key=lambda shown: shown.value)
    values = [shown.value for shown in ordered]
    near = (
        (a, b) for i, a in enumerate(group) for b in group[max(0, i - WINDOW) : i + WINDOW + 1] if a is not b
    )
    for a, b in near:
        for sign in FOUND:
            if sign in DIVISIONS and not b.value:
                continue
            wanted = OPERATIONS[sign](a.value, b.value)
            width = SAME * abs(wanted)
            first, last = bisect_left(values, wanted - width), bisect_right(values, wanted + width)
            yield from ((r, a, b) for r in ordered[first:last] if r is not a and r is not b)


def _computed(every: Sequence[_Shown]) -> Iterator[_Triple]:
    """Yield each value that is computed from two keys with the nearest prints of these."""
    by_key: dict[str, list[_Shown]] = {}
    for shown in every:
        if len(shown.printed.keys) == 1:
            by_key.setdefault(shown.printed.keys[0], []).append(shown)
    for shown in every:
        keys = shown.printed.keys
        if len(keys) == 2 and all(key in by_key for key in keys):
            at = shown.printed.start
            one, two = (min(by_key[key], key=lambda part: abs(part.printed.start - at)) for key in keys)
            yield from ((shown, one, two), (shown, two, one))


def _disagreement(sign: str, result: _Shown, a: _Shown, b: _Shown) -> str:
    """Return how a result disagrees with its two parts; empty if it does not, or is not made of them so."""
    is_ratio = sign in DIVISIONS
    if is_ratio and not b.value:
        return ""
    if not math.isclose(result.value, OPERATIONS[sign](a.value, b.value), rel_tol=SAME):
        return ""
    if is_ratio and (not b.rounded or len(b.rounded.as_tuple().digits) < 2):
        return ""  # nobody expects much of a division by 0.1
    if any(math.isclose(result.value, part.value, rel_tol=1e-3) for part in (a, b)):
        return ""  # the other part is lost in rounding
    # a difference of numbers with equal decimals is exact, all else uncertain by one of the last digits
    place = result.place if is_ratio else max(result.place, a.place, b.place)
    unit = Decimal(1).scaleb(place)
    read = OPERATIONS[sign](a.rounded, b.rounded).quantize(unit, context=WIDE)
    if abs(result.rounded - read) <= (unit if is_ratio or place > result.place else 0):
        return ""
    shift, percent = (2, " %") if result.number.unit == "percent" else (0, "")
    recomputed = f"{read.scaleb(shift):.{max(-place - shift, 0)}f}{percent}"
    return f"{a.text} {sign} {b.text} is {recomputed}, not {result.text}"


# -------------------------------------------------------------------------------------------- standard errors


def standard_errors(rendered: Rendered, values: Mapping[str, float]) -> list[Misfit]:
    """Return the "mean ± std" whose rounding moves the mean by more than its standard error.

    `values` are all numbers of results and parameters by their keys, in which the number of values is found.
    """
    found = []
    for shown in _shown(rendered):
        spread = shown.number.uncertainty
        if spread is None or not float(spread):
            continue
        std = float(spread) * 10.0 ** (shown.number.exponent or 0)
        counted = _number_of(shown.printed, values)
        if counted is None:
            continue
        key, n = counted
        error = std / math.sqrt(n)
        if 0.5 * 10.0**shown.place > error:
            what = f"{shown.text} over {n:g} values ({key}): the standard error is {error:.1g}"
            found.append(Misfit(shown.printed.start, shown.printed.start, what))
    return found


def _number_of(printed: Printed, values: Mapping[str, float]) -> tuple[str, float] | None:
    """Return the number of values behind a mean, with its key: beside the mean, above it, or a parameter."""
    above = printed.keys[0] if len(printed.keys) == 1 else _common(printed.keys)
    experiment = above.partition(".")[0]
    while "." in above:
        for count in COUNTS:
            if (n := values.get(f"{above}.{count}")) is not None and n > 0:
                return f"{above}.{count}", n
        above = above.rpartition(".")[0]
    for count in COUNTS:
        if (n := values.get(f"{experiment}.params.{count}")) is not None and n > 0:
            return f"{experiment}.params.{count}", n
    return None


def _common(keys: Sequence[str]) -> str:
    """Return the longest key that all of some keys lie below; empty if there is none."""
    first, last = min(keys), max(keys)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:same].rpartition(".")[0]

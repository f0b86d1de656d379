"""What predicates accept: numbers known exactly, estimates with an interval, samples; and their names."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeGuard

from labreport.claims.judgement import Judgement, Source
from labreport.language import Duration, FormatError, Formatted, Number, keys, kind, plain, short

LEVEL = 0.95
"""The confidence level of intervals and tests that name no other."""

ESTIMATE = ("estimate", "low", "high")
SUMMARY = ("mean", "std", "n")

_END = re.compile(r"[].].*")  # of a key, from where an index or a name ends
_SECONDS = {
    "microsecond": Fraction(1, 10**6),
    "millisecond": Fraction(1, 1000),
    "second": Fraction(1),
    "minute": Fraction(60),
    "hour": Fraction(3600),
}
_SYMBOLS = {
    "percent": " %",
    "microsecond": " µs",
    "millisecond": " ms",
    "second": " s",
    "minute": " min",
    "hour": " h",
}


@dataclass(frozen=True)
class Exact:
    """A number known exactly: of a result, typed, or as it is printed; `text` shows it, `unit` is printed."""

    value: Fraction
    text: str
    unit: str | None = None
    source: Source = field(default_factory=Source)

    @property
    def name(self) -> str:
        """The number, with the key that it comes from."""
        return f"{self.text} ({known_as(self.source.keys)})" if self.source.keys else self.text


@dataclass(frozen=True)
class Estimate:
    """A number known up to an interval of a level.

    `p` is of the hypothesis that the number is `null`; `corrected` says that a family was accounted for where
    it was computed. `spread` is the standard deviation of n values whose mean the estimate is.
    """

    value: float
    low: float
    high: float
    level: float
    n: int | None
    source: Source
    p: float | None = None
    corrected: bool = False
    null: float = 0.0
    spread: float | None = None

    @property
    def name(self) -> str:
        """The key of the mapping."""
        return known_as(self.source.keys) or "the estimate"


@dataclass(frozen=True)
class Sample:
    """Numbers or truth values; `index` names each, so that two samples can be paired by it."""

    values: tuple[float, ...]
    source: Source
    index: tuple[Any, ...] | None = None
    truth: bool = False
    selected: str = ""

    @property
    def name(self) -> str:
        """The key of the values, and which were selected."""
        return (known_as(self.source.keys) or "the sample") + self.selected


@dataclass(frozen=True)
class Counted:
    """How many of several judgements hold: known only when they are decided."""

    parts: tuple[Judgement, ...]


@dataclass(frozen=True)
class Other:
    """A value that is no number: a text, a truth value, a missing value, a list or mapping of these."""

    value: Any
    source: Source

    @property
    def name(self) -> str:
        """The value, with its key."""
        shown = short(self.value)
        return f"{shown} ({known_as(self.source.keys)})" if self.source.keys else shown


class UnknownError(Exception):
    """What the data do not tell: a value is missing, or there are too few; a claim about it is undecided."""

    def __init__(self, states: str, source: Source) -> None:
        super().__init__(states)
        self.states = states
        self.source = source


Operand = Exact | Estimate | Sample | Counted | Other
Uncertain = Estimate | Sample


def operand(value: Any) -> Operand:
    """Return what a predicate was given, as one of the kinds that predicates know.

    Raises FormatError for a number that is not finite, UnknownError for an estimate with missing numbers.
    """
    if isinstance(value, Exact | Estimate | Sample | Counted | Other):
        return value
    bare, source = plain(value), source_of(value)
    if isinstance(bare, Formatted):
        return printed(bare, source)
    if is_number(bare):
        return exact(bare, source)
    if isinstance(bare, dict) and (set(ESTIMATE) <= set(bare) or set(SUMMARY) <= set(bare)):
        return estimate(bare, source)
    if isinstance(bare, list | tuple) and _is_sample(bare):
        return sample_of(bare, source)
    return Other(bare, source)


def _is_sample(values: Sequence[Any]) -> bool:
    return bool(values) and (all(isinstance(v, bool) for v in values) or all(map(is_number, values)))


def exact(value: float | Fraction, source: Source | None = None) -> Exact:
    """Return a number as it is: the shortest decimal that is this float, so that 0.3 - 0.1 is 0.2."""
    if isinstance(value, float) and not math.isfinite(value):
        raise FormatError(
            f"a claim cannot speak of {value!r}", cure="record what cannot be computed as missing"
        )
    fraction = Fraction(repr(value)) if isinstance(value, float) else Fraction(value)
    return Exact(fraction, spoken(fraction), source=source or Source())


def printed(value: Formatted, source: Source) -> Exact:
    """Return a number as it is printed: its rounded decimals."""
    shown = value.formatted
    if isinstance(shown, Duration):
        total = sum((Fraction(part.mantissa) * _SECONDS[str(part.unit)] for part in shown.parts), Fraction(0))
        text = " ".join(part.mantissa + _SYMBOLS[str(part.unit)] for part in shown.parts)
        return Exact(total, text, "second", source)
    if not isinstance(shown, Number):
        raise FormatError(
            f"a claim compares numbers, not the {kind(value)} {short(value)}", cure="use the value"
        )
    if shown.uncertainty is not None:
        raise FormatError(
            f"{shown.mantissa} ± {shown.uncertainty} does not say how sure its mean is",
            cure="give the mapping with mean, std and n, or the mean with |num",
        )
    number = Fraction(Decimal(shown.mantissa).scaleb(shown.exponent or 0))
    power = f"e{shown.exponent}" if shown.exponent else ""
    if shown.unit == "percent":
        return Exact(number / 100, f"{shown.mantissa} %", "percent", source)
    return Exact(number, shown.mantissa + power, shown.unit, source)


def estimate(value: Mapping[str, Any], source: Source) -> Estimate:
    """Return an estimate: of a mapping with estimate, low and high, or with mean, std and n.

    Of the latter the interval is Student's; `std` is that with n - 1. A mapping may also tell `n`, `level`
    (of its interval), `p` (uncorrected) or `p_holm` (corrected in its experiment), and the `null` of that p.
    """
    level = value.get("level", LEVEL)
    wanted = ESTIMATE if set(ESTIMATE) <= set(value) else SUMMARY
    for name in wanted:
        if value[name] is None:
            raise UnknownError(f"{known_as(source.keys) or 'the mapping'} has no {name}", source)
        if not is_number(value[name]) or not math.isfinite(value[name]):
            whose = known_as(source.keys) or "the mapping"
            what = f"{whose} is no estimate: its {name!r} is the {kind(value[name])} {short(value[name])}"
            raise FormatError(what)
    if wanted is SUMMARY:
        from labreport.claims import statistics

        mean, std, n = float(value["mean"]), float(value["std"]), int(value["n"])
        if n < 2:
            raise UnknownError(f"{known_as(source.keys) or 'the mapping'} is the mean of {n}", source)
        low, high = statistics.mean_interval(mean, std, n, level)
        return Estimate(mean, low, high, level, n, source, spread=std)
    corrected = value.get("p_holm") is not None
    p = value["p_holm"] if corrected else value.get("p")
    middle, low, high = (float(value[name]) for name in ESTIMATE)
    null = float(value.get("null", 0))
    return Estimate(middle, low, high, level, value.get("n"), source, p, corrected, null)


def sample_of(values: Iterable[Any], source: Source) -> Sample:
    """Return a sample of numbers or truth values; its value in the record is a summary."""
    found = tuple(values)
    numbers = tuple(map(float, found))
    summary = {"n": len(numbers), "mean": math.fsum(numbers) / len(numbers) if numbers else None}
    told = Source(source.keys, dict.fromkeys([known_as(source.keys)] if source.keys else [], summary))
    return Sample(numbers, told, truth=all(isinstance(v, bool) for v in found))


def source_of(value: Any) -> Source:
    """Return the keys of a value as it reaches a predicate, with its plain value."""
    joined = keys(value)
    if not joined:
        return Source()
    bare = plain(value)
    return Source(joined, {known_as(joined): str(bare) if isinstance(bare, Formatted) else bare})


def known_as(joined: frozenset[str]) -> str:
    """Return how a value is called by its keys: the key, two of them, or what many begin and end with."""
    names = sorted(joined)
    if len(names) <= 2:
        return " and ".join(names)
    common = _beginning(names)
    stem = common[: max(common.rfind("."), common.rfind("["), 0)]
    # a column of a table ends as no other does
    end = _END.search(_beginning([name[::-1] for name in names])[::-1])
    tail = end[0] if end else ""
    between = "[…" if tail.startswith("]") else "…"
    return f"{stem}{between}{tail} ({len(names)} values)" if stem else f"{names[0]} and {len(names) - 1} more"


def _beginning(names: Sequence[str]) -> str:
    """Return what all names begin with."""
    alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in alike)


def is_number(value: Any) -> TypeGuard[float | Fraction]:
    """Return whether a plain value is a number; a truth value is none."""
    return isinstance(value, int | float | Fraction) and not isinstance(value, bool)


def spoken(value: float | Fraction) -> str:
    """Return a number as statements show it: whole numbers whole, else up to six significant digits."""
    whole = int(value)
    return str(whole) if value == whole and abs(whole) < 10**15 else f"{float(value):.6g}"


def rough(value: float) -> str:
    """Return a measured number as statements show it, with three significant digits."""
    return spoken(float(f"{value:.3g}"))


def same_unit(first: Exact, second: Exact) -> None:
    """Raise FormatError where a percentage meets a bare number, or a duration; zero has any unit."""
    if first.unit != second.unit and first.value and second.value:
        raise FormatError(
            f"{first.name} is compared with {second.name}: one has a unit, or another one",
            cure="print both with one format: 30 % is 0.3|percent(0)",
        )

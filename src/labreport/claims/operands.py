"""What predicates accept: numbers known exactly, estimates with an interval, samples; and their names."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
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

    KIND = "computed number"

    value: Fraction
    text: str
    unit: str | None = None
    source: Source = field(default_factory=Source)

    def __repr__(self) -> str:
        return self.name

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

    KIND = "estimate"

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
    called: str = ""

    def __repr__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The key of the mapping, or what the estimate is called otherwise."""
        return self.called or known_as(self.source.keys) or "the estimate"


@dataclass(frozen=True)
class Sample:
    """Numbers or truth values; `index` names each, so that two samples can be paired by it."""

    KIND = "sample"

    values: tuple[float, ...]
    source: Source
    index: tuple[Any, ...] | None = None
    truth: bool = False
    selected: str = ""

    def __repr__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The key of the values, and which were selected."""
        return (known_as(self.source.keys) or "the sample") + self.selected


@dataclass(frozen=True)
class Counted:
    """How many of several judgements hold: known only when they are decided."""

    KIND = "count"

    parts: tuple[Judgement, ...]


@dataclass(frozen=True)
class Other:
    """A value that is not a number: a text, a truth value, a missing value, a list or mapping of these."""

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
    wanted = ESTIMATE if set(ESTIMATE) <= set(value) else SUMMARY
    whose = known_as(source.keys) or "the mapping"
    for name in wanted:
        if value[name] is None:
            raise UnknownError(f"{whose} has no {name}", source)
    beside = ("level",) if wanted is SUMMARY else ("n", "level", "p", "p_holm", "null")
    told = {name: number for name in (*wanted, *beside) if (number := value.get(name)) is not None}
    _check_parts(whose, told)
    level = told.get("level", LEVEL)
    if wanted is SUMMARY:
        from labreport.claims import statistics

        mean, std, n = float(value["mean"]), float(value["std"]), int(value["n"])
        if n < 2:
            raise UnknownError(f"{whose} is the mean of {n}", source)
        low, high = statistics.mean_interval(mean, std, n, level)
        return Estimate(mean, low, high, level, n, source, spread=std)
    corrected = "p_holm" in told
    p = told["p_holm"] if corrected else told.get("p")
    middle, low, high = (float(value[name]) for name in ESTIMATE)
    null = float(told.get("null", 0))
    return Estimate(middle, low, high, level, told.get("n"), source, p, corrected, null)


_SOUND: dict[str, Callable[[float], bool]] = {
    "std": lambda std: std >= 0,
    "n": lambda n: n >= 0 and n == int(n),
    "level": lambda level: 0.5 <= level < 1,
    "p": lambda p: 0 <= p <= 1,
    "p_holm": lambda p: 0 <= p <= 1,
}
"""What the parts of an estimate can be, of those that cannot be any number."""


def _check_parts(whose: str, parts: Mapping[str, Any]) -> None:
    """Raise FormatError for a part of an estimate that cannot be one."""
    for name, number in parts.items():
        is_finite = is_number(number) and math.isfinite(number)
        if not is_finite or (name in _SOUND and not _SOUND[name](number)):
            raise FormatError(f"{whose} is no estimate: its {name!r} is the {kind(number)} {short(number)}")
    if "low" in parts and parts["low"] > parts["high"]:
        both = f"from {short(parts['low'])} to {short(parts['high'])}"
        raise FormatError(f"{whose} is no estimate: its interval goes {both}")


def sample_of(values: Iterable[Any], source: Source) -> Sample:
    """Return a sample of numbers or truth values; its value in the record is a summary."""
    found = tuple(values)
    numbers = tuple(map(float, found))
    if not all(map(math.isfinite, numbers)):
        whose = known_as(source.keys) or "the sample"
        what = f"{whose} holds {next(n for n in numbers if not math.isfinite(n))!r}"
        raise FormatError(what, cure="record what cannot be computed as missing")
    summary = {"n": len(numbers), "mean": math.fsum(numbers) / len(numbers) if numbers else None}
    told = Source(source.keys, dict.fromkeys([known_as(source.keys)] if source.keys else [], summary))
    return Sample(numbers, told, truth=all(isinstance(v, bool) for v in found))


def source_of(value: Any) -> Source:
    """Return the keys of a value as it reaches a predicate, with its plain value, unrounded."""
    joined = keys(value)
    if not joined:
        return Source()
    bare = plain(value)
    return Source(joined, {known_as(joined): plain(bare.value) if isinstance(bare, Formatted) else bare})


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

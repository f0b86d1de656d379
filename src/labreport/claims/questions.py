"""Questions to data: something uncertain against a number, or against something else that is uncertain."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any, ParamSpec

from labreport.claims import statistics
from labreport.claims.judgement import UNDECIDED, Fact, Interval, Judgement, Source
from labreport.claims.operands import (
    Counted,
    Estimate,
    Exact,
    Operand,
    Other,
    Sample,
    Uncertain,
    UnknownError,
    is_number,
    known_as,
    operand,
    rough,
    spoken,
)
from labreport.claims.statistics import Contrast
from labreport.errors import did_you_mean
from labreport.language import FormatError, kind, plain, short

P = ParamSpec("P")

HOWS = {
    "paired": "the paired t test; of truth values McNemar's exact test",
    "unpaired": "Welch's t test; of truth values Fisher's exact test",
    "permutation": "exchanges of labels, for any distribution",
    "paired permutation": "exchanges within pairs, for any distribution",
    "ratio": "the paired t test of logarithms: the geometric mean of the ratios",
}
"""How two samples can be compared."""


@dataclass(frozen=True)
class Question:
    """Something uncertain held against a value of its effect, with the interval that answers.

    `p` is of the hypothesis that the effect is `null`; None where the interval alone decides. `doubt` is a
    reason why the interval does not suffice.
    """

    predicate: str
    names: tuple[str, str]
    contrast: Contrast
    null: float
    source: Source
    identity: Hashable
    p: float | None = None
    doubt: str = ""

    @property
    def interval(self) -> Interval:
        """The effect as the record keeps it."""
        c = self.contrast
        return Interval(c.method, c.level, c.effect, c.low, c.high, c.n)

    @property
    def measured(self) -> str:
        """The effect as statements tell it."""
        c = self.contrast
        n = "" if c.n is None else f", n = {c.n}"
        bounds = f"[{rough(c.low)}, {rough(c.high)}]"
        return f"{c.noun} {rough(c.effect)} {bounds}, {spoken(100 * c.level)} %{n}{self.doubt}"


def question(predicate: str, a: Uncertain, b: Exact | Uncertain, how: Any, level: Any) -> Question:
    """Return how something uncertain stands to a number, or to something else that is uncertain.

    Raises FormatError where two samples come without the way to compare them, or cannot be compared so;
    UnknownError where they are too small.
    """
    level = confidence(predicate, level)
    if how is not None and how not in HOWS:
        cure = did_you_mean(str(how), HOWS)
        raise FormatError(f"{predicate} compares in no way called {short(how)}", cure=cure, name=str(how))
    if isinstance(b, Exact):
        if how is not None:
            raise FormatError(f"{predicate}: {how!r} compares two samples, and {b.name} is a number")
        return _against_number(predicate, a, b, level)
    if type(a) is not type(b):
        both = f"{a.name} is {_KIND[type(a)]} and {b.name} {_KIND[type(b)]}"
        raise FormatError(f"{predicate}: {both}", cure="compare two samples, or two estimates")
    if isinstance(a, Sample) and isinstance(b, Sample):
        contrast = _of_samples(predicate, a, b, how, level)
    else:
        contrast = _of_estimates(predicate, a, b, how)  # type: ignore[arg-type]
    p = contrast.p_at(contrast.null) if contrast.p_at else None
    identity = (contrast.method, frozenset((a, b)), level)
    return Question(predicate, (a.name, b.name), contrast, contrast.null, a.source | b.source, identity, p)


_KIND: dict[type, str] = {Sample: "a sample", Estimate: "an estimate"}


def confidence(predicate: str, level: Any) -> float:
    """Return a level of confidence; raise FormatError if it is none."""
    bare = plain(level)
    if not is_number(bare) or not 0.5 <= bare < 1:
        raise FormatError(
            f"{predicate}: a level is a number from 0.5 to 1, not {short(bare)}", cure="level=0.95"
        )
    return float(bare)


def _against_number(predicate: str, a: Uncertain, b: Exact, level: float) -> Question:
    null, source, names = float(b.value), a.source | b.source, (a.name, b.name)
    identity = (a, null, level)
    if isinstance(a, Sample):
        _enough(a)
        contrast = statistics.one_rate(a.values, level) if a.truth else statistics.one_mean(a.values, level)
        return Question(
            predicate, names, contrast, null, source, identity, contrast.p_at and contrast.p_at(null)
        )
    if a.spread is not None and a.n is not None:
        contrast = statistics.summarised(a.value, a.spread, a.n, level)
        return Question(
            predicate, names, contrast, null, source, identity, contrast.p_at and contrast.p_at(null)
        )
    contrast = Contrast("estimate", "its interval", a.value, a.low, a.high, a.level, a.n)
    if a.p is None or null != a.null:
        return Question(predicate, names, contrast, null, source, identity)
    if not a.corrected:
        return Question(predicate, names, contrast, null, source, identity, a.p)
    doubt = "" if a.p <= round(1 - a.level, 12) else f", corrected p = {a.p:.2g}"
    return Question(predicate, names, contrast, null, source, identity, doubt=doubt)


def _of_samples(predicate: str, a: Sample, b: Sample, how: str | None, level: float) -> Contrast:
    if how is None:
        choices = "; ".join(f"{name!r}: {meaning}" for name, meaning in HOWS.items())
        raise FormatError(f"{predicate} does not say how to compare {a.name} and {b.name}", cure=choices)
    if a.truth != b.truth:
        raise FormatError(f"{predicate}: truth values cannot be compared with numbers: {a.name} and {b.name}")
    if how == "unpaired" or how == "permutation":
        for sample in (a, b):
            _enough(sample)
        if how == "permutation":
            return statistics.permuted(a.values, b.values, level, paired=False)
        compare = statistics.independent_rates if a.truth else statistics.independent_means
        return compare(a.values, b.values, level)
    first, second, alone = paired(predicate, a, b)
    if how == "paired permutation":
        found = statistics.permuted(first, second, level, paired=True)
    elif how == "ratio":
        if min(*first, *second) <= 0:
            raise FormatError(f'{predicate}: "ratio" needs numbers above zero: {a.name} and {b.name}')
        found = statistics.geometric_ratio(first, second, level)
    else:
        found = (statistics.paired_rates if a.truth else statistics.paired_means)(first, second, level)
    return (
        replace(found, method=f"{found.method}, {alone} values without a partner left out")
        if alone
        else found
    )


def paired(predicate: str, a: Sample, b: Sample) -> tuple[tuple[float, ...], tuple[float, ...], int]:
    """Return the values of two samples in pairs, and how many have no partner.

    Samples with an index are paired by it, others by their order.
    """
    if (a.index is None) != (b.index is None):
        raise FormatError(f"{predicate}: of {a.name} and {b.name} one has an index", cure="give both by=")
    if a.index is None or b.index is None:
        if len(a.values) != len(b.values):
            sizes = f"{a.name} has {len(a.values)} values, {b.name} {len(b.values)}"
            raise FormatError(
                f"{predicate}: {sizes}: they are no pairs", cure='give both by=, or say "unpaired"'
            )
        first, second, alone = a.values, b.values, 0
    else:
        one, other = (dict(zip(s.index or (), s.values, strict=True)) for s in (a, b))
        common = [i for i in a.index if i in other]
        first, second = tuple(one[i] for i in common), tuple(other[i] for i in common)
        alone = len(one) + len(other) - 2 * len(common)
    if len(first) < 2:
        pairs = {0: "no pair", 1: "one pair"}[len(first)]
        raise UnknownError(f"{a.name} and {b.name} have {pairs}: too few to compare", a.source | b.source)
    return first, second, alone


def _enough(sample: Sample) -> None:
    if len(sample.values) < 2:
        has = f"has {'one value' if sample.values else 'no value'}"
        raise UnknownError(f"{sample.name} {has}: too few to tell their spread", sample.source)


def _of_estimates(predicate: str, a: Estimate, b: Estimate, how: str | None) -> Contrast:
    effect = a.value - b.value
    if how is None:
        # true with the intervals' confidence, whatever the dependence: undecided as soon as they touch
        return Contrast(
            *("difference", "two intervals, apart or not", effect, a.low - b.high, a.high - b.low),
            *(min(a.level, b.level), None),
        )
    if how != "unpaired":
        what = f"{predicate}: estimates hold no pairs to compare as {how!r}: {a.name} and {b.name}"
        raise FormatError(what, cure='give the samples, or say "unpaired" if they are independent')
    low, high = statistics.joined_intervals((a.value, a.low, a.high), (b.value, b.low, b.high))
    if not math.isclose(a.level, b.level):
        raise FormatError(f"{predicate}: {a.name} and {b.name} have intervals of two levels")
    return Contrast("difference", "independent intervals, joined", effect, low, high, a.level, None)


def unless_unknown(function: Callable[P, Judgement]) -> Callable[P, Judgement]:
    """Return the function of a predicate's name and its operands; of what is unknown nothing is decided."""

    @functools.wraps(function)
    def judged(*args: P.args, **options: P.kwargs) -> Judgement:
        try:
            return function(*args, **options)
        except UnknownError as error:
            return Fact(str(args[0]), error.source, UNDECIDED, error.states)
        except OverflowError as error:
            raise FormatError(f"{args[0]}: the numbers are too large to compute with") from error

    return judged


def number(predicate: str, value: Any) -> Exact | Uncertain:
    """Return an operand that has an order.

    Raises UnknownError for a missing value, FormatError for any other.
    """
    found: Operand = operand(value)
    if isinstance(found, Exact | Estimate | Sample):
        return found
    if isinstance(found, Other) and found.value is None:
        raise UnknownError(f"{known_as(found.source.keys) or 'a value'} is missing", found.source)
    if isinstance(found, Other) and found.value in ([], ()):
        raise UnknownError(f"{known_as(found.source.keys) or 'the sample'} has no value", found.source)
    if isinstance(found, Counted):
        raise FormatError(f"{predicate}: a count is compared by ==, <, >=, …", cure="count(…) >= 2")
    raise _no_number(predicate, found)


def _no_number(predicate: str, value: Other) -> FormatError:
    bare = value.value
    if isinstance(bare, Judgement):
        return FormatError(
            f"{predicate} is about numbers, estimates and samples, not about another predicate",
            cure="predicates are joined by and, or, not, all_of, any_of, none_of and count",
        )
    what = f"{predicate} is about numbers, estimates and samples, not the {kind(bare)} {value.name}"
    if isinstance(bare, dict):
        return FormatError(
            what,
            cure="an estimate is a mapping with estimate, low and high, or with mean, std and n; "
            f"this one has: {', '.join(list(map(str, bare))[:12])}",
        )
    return FormatError(what)

"""Words of quantity, defined once: which shares each may stand for. The README's table is this one."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from labreport.claims import statistics
from labreport.claims.judgement import FAILS, HOLDS, UNDECIDED, Fact, Interval, Judgement
from labreport.claims.operands import (
    LEVEL,
    Estimate,
    Exact,
    Sample,
    Uncertain,
    UnknownError,
    exact,
    is_number,
    rough,
    same_unit,
    spoken,
)
from labreport.claims.questions import confidence, number, question, unless_unknown
from labreport.language import FormatError, plain, short


@dataclass(frozen=True)
class Word:
    """A word and the shares that it may stand for: from `low` to `high`, which belong to them if `closed`."""

    name: str
    meaning: str
    low: Fraction
    high: Fraction
    closed: bool = True

    def covers(self, share: float | Fraction) -> bool:
        """Return whether the word may stand for a share."""
        return self.low <= share <= self.high if self.closed else self.low < share < self.high


WORDS = (
    Word("every", "each one, without an exception", Fraction(1), Fraction(1)),
    Word("nearly_all", "at least 90 %", Fraction(9, 10), Fraction(1)),
    Word("most", "more than half", Fraction(1, 2), Fraction(2), closed=False),
    Word("half", "from 45 % to 55 %", Fraction(45, 100), Fraction(55, 100)),
    Word("few", "less than a quarter", Fraction(-1), Fraction(1, 4), closed=False),
    Word("hardly_any", "at most 10 %", Fraction(0), Fraction(1, 10)),
)

ALIASES = {"all_of_them": "every"}

OF = ("sample", "population")


@unless_unknown
def quantity(predicate: str, word: Word, part: Any, whole: Any, of: Any, level: Any) -> Judgement:
    """Return the judgement that a word of quantity describes a share.

    The share is that of counts, of truth values, or an estimate with its interval. Counts and truth values
    `of="sample"` stand for what they were drawn from, by Wilson's interval; `of="population"` are the whole.
    """
    if plain(of) not in OF:
        raise FormatError(f'{predicate}: of is "sample" or "population", not {short(plain(of))}')
    found = number(predicate, part)
    if isinstance(found, Estimate):
        if whole is not None:
            raise FormatError(f"{predicate}: {found.name} is a share already", cure="leave out the whole")
        asked = question(predicate, found, exact(0), None, level)
        return _judged(word, predicate, found.name, found.source, asked.interval)
    if isinstance(found, Sample):
        return _counted(word, predicate, *_truths(predicate, found, whole), plain(of), level)
    if whole is None:
        if found.unit != "percent" and not 0 <= found.value <= 1:
            raise FormatError(f"{predicate}: {found.name} of how many?", cure=f"{predicate}(part, whole)")
        return _exact(word, predicate, found.value, f"{found.name}", found.source)
    total = number(predicate, whole)
    if not isinstance(total, Exact) or total.value <= 0 or not 0 <= found.value <= total.value:
        raise FormatError(f"{predicate}: {found.name} cannot be a part of {total.name}")
    return _counted(word, predicate, found, total, plain(of), level)


def _truths(predicate: str, sample: Sample, whole: Any) -> tuple[Exact, Exact]:
    """Return how many truth values hold, of how many."""
    if not sample.truth or whole is not None:
        what = f"{predicate} counts truth values, or takes a part and a whole: {sample.name} holds numbers"
        raise FormatError(what if not sample.truth else f"{predicate}: {sample.name} is the whole already")
    if not sample.values:
        raise UnknownError(f"{sample.name} has no value", sample.source)
    holding = Exact(Fraction(int(sum(sample.values))), spoken(int(sum(sample.values))), source=sample.source)
    return holding, exact(len(sample.values))


def _counted(word: Word, predicate: str, part: Exact, whole: Exact, of: str, level: Any) -> Judgement:
    source = part.source | whole.source
    share = part.value / whole.value
    states = f"{part.name} of {whole.name} are {rough(float(100 * share))} %"
    if of == "population":
        return _exact(word, predicate, share, states, source)
    if part.value.denominator != 1 or whole.value.denominator != 1:
        raise FormatError(
            f"{predicate}: {part.name} of {whole.name} are no counts", cure='say of="population"'
        )
    bare = confidence(predicate, level)
    low, high = statistics.wilson(int(part.value), int(whole.value), bare)
    interval = Interval("Wilson's interval", bare, float(share), low, high, int(whole.value))
    return _judged(word, predicate, states, source, interval)


def _exact(word: Word, predicate: str, share: Fraction, states: str, source: Any) -> Fact:
    known = HOLDS if word.covers(share) else FAILS
    does = "is" if known == HOLDS else "is not"
    return Fact(predicate, source, known, f"{states}, which {does} {_phrase(word)}")


def _judged(word: Word, predicate: str, states: str, source: Any, interval: Interval) -> Fact:
    """Return the verdict by an interval: the word covers all of it, none, or a part."""
    covered = [word.covers(bound) for bound in (interval.low, interval.high)]
    beyond = interval.high < word.low or interval.low > word.high
    if not word.closed:
        beyond = interval.high <= word.low or interval.low >= word.high
    known = HOLDS if all(covered) else FAILS if beyond else UNDECIDED
    does = {HOLDS: "which is", FAILS: "which is not", UNDECIDED: "which may or may not be"}[known]
    bounds = f"[{rough(100 * interval.low)}, {rough(100 * interval.high)}] %"
    n = "" if interval.n is None else f", n = {interval.n}"
    told = f"share {bounds}, {spoken(100 * interval.level)} %{n}"
    return Fact(predicate, source, known, f"{states} ({told}), {does} {_phrase(word)}", interval)


def _phrase(word: Word) -> str:
    return f"{word.name.replace('_', ' ')} ({word.meaning})"


@unless_unknown
def multiple(
    predicate: str, first: Any, second: Any, factor: Any, how: Any = None, level: Any = LEVEL
) -> Judgement:
    """Return the judgement that the first is so many times the second, as precisely as the factor is given.

    "Eight times" is from 7.5 to 8.5, 0.5 from 0.45 to 0.55. Of samples the ratio is that of pairs: "ratio".
    """
    a, b, n = (number(predicate, value) for value in (first, second, factor))
    if not isinstance(n, Exact) or n.value <= 0:
        raise FormatError(f"times: the factor cannot be {n.name}", cure="times(a, b, 8)")
    half = _last_place(plain(factor), n) / 2
    if isinstance(a, Exact) and isinstance(b, Exact):
        return _exact_times(a, b, n, half)
    interval = _ratio(predicate, a, b, how, level)
    low, high = float(n.value - half), float(n.value + half)
    all_in, all_out = (
        low <= interval.low and interval.high <= high,
        interval.high < low or interval.low > high,
    )
    known = HOLDS if all_in else FAILS if all_out else UNDECIDED
    bounds = f"[{rough(interval.low)}, {rough(interval.high)}], {spoken(100 * interval.level)} %"
    says = {HOLDS: "", FAILS: f", not {n.text} times", UNDECIDED: f"; it may or may not be {n.text} times"}[
        known
    ]
    states = f"{a.name} is {rough(interval.effect)} {bounds} times {b.name}{says}"
    return Fact("times", a.source | b.source | n.source, known, states, interval)


def _ratio(predicate: str, a: Exact | Uncertain, b: Exact | Uncertain, how: Any, level: Any) -> Interval:
    """Return the ratio of an estimate to a number, or of two samples, with its interval."""
    if isinstance(a, Estimate) and isinstance(b, Exact) and b.value > 0:
        share = 1 / float(b.value)
        return Interval("its interval", a.level, a.value * share, a.low * share, a.high * share, a.n)
    if not isinstance(a, Sample) or not isinstance(b, Sample):
        what = f"{predicate} cannot divide {a.name} by {b.name}"
        raise FormatError(what, cure="give a ratio with its interval, and 1")
    if plain(how) != "ratio":
        what = f"{predicate}: of two samples the ratio is that of pairs"
        raise FormatError(what, cure='times(a, b, 8, "ratio")')
    return question(predicate, a, b, "ratio", level).interval


def _exact_times(a: Exact, b: Exact, n: Exact, half: Fraction) -> Fact:
    if b.value == 0:
        raise FormatError(f"times: nothing is a multiple of {b.name}")
    same_unit(a, b)
    ratio = a.value / b.value
    holds = abs(ratio - n.value) <= half
    says = "" if holds else f", not {n.text} times"
    states = f"{a.name} is {rough(float(ratio))} times {b.name}{says}"
    return Fact("times", a.source | b.source | n.source, HOLDS if holds else FAILS, states)


def _last_place(factor: Any, n: Exact) -> Fraction:
    """Return the power of ten of the last digit of a factor as it is written."""
    written = repr(factor) if is_number(factor) else n.text
    decimals = written.partition(".")[2] if "e" not in written else ""
    # 8.0 is a float that a template computed, or typed: it claims no more than 8 does
    return Fraction(1, 10 ** len(decimals)) if decimals.strip("0") else Fraction(1)

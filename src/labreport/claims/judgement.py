"""Judgements: what a predicate says of the data, in the three-valued logic of Kleene (strong).

A judgement is a tree. Its leaves are facts, known at once, and tests, whose verdict waits until all tests of
their family are known; its nodes join them. `verdict(corrections)` decides it: "holds", "undecided", "fails".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labreport.language import FormatError

HOLDS, UNDECIDED, FAILS = "holds", "undecided", "fails"

_RANK = {FAILS: 0, UNDECIDED: 1, HOLDS: 2}
"""The order in which `and` takes the least and `or` the greatest."""

_OPPOSITE = {HOLDS: FAILS, UNDECIDED: UNDECIDED, FAILS: HOLDS}


@dataclass(frozen=True)
class Correction:
    """What multiplicity makes of a test's p value: adjusted within a family of so many tests."""

    p: float
    family: str
    size: int


Corrections = Mapping[Hashable, Correction]
"""The correction of each test, by its identity."""


@dataclass(frozen=True)
class Source:
    """Where a judgement's values come from: the keys, and the plain value of each."""

    keys: frozenset[str] = frozenset()
    values: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __or__(self, other: Source) -> Source:
        return Source(self.keys | other.keys, {**self.values, **other.values})


class Judgement(ABC):
    """A statement about the data that holds, fails or is undecided."""

    KIND = "verdict"

    @abstractmethod
    def verdict(self, corrections: Corrections) -> str:
        """Return the verdict, given the corrections of all tests in the tree."""

    @abstractmethod
    def leaves(self) -> tuple[Leaf, ...]:
        """Return the facts and tests that the judgement consists of, in order."""

    def tests(self) -> tuple[Test, ...]:
        """Return the leaves that wait for their family."""
        return tuple(leaf for leaf in self.leaves() if isinstance(leaf, Test))

    def __bool__(self) -> bool:
        raise FormatError(
            "a verdict is known only when the whole document is rendered: no `if` can ask for it here",
            cure=r"state it in \BLOCK{claim …} with a text for each verdict, and join predicates by "
            "`and`, `or`, `not` inside the claim",
        )


@dataclass(frozen=True)
class Interval:
    """An effect with its confidence interval, and how it was found; `n` says how many values stand behind."""

    method: str
    level: float
    effect: float
    low: float
    high: float
    n: int | str | None = None

    def evidence(self) -> dict[str, Any]:
        """Return the numbers for the record; intervals are not corrected for multiplicity."""
        numbers = {"effect": self.effect, "low": self.low, "high": self.high}
        return {"method": self.method, "level": self.level, **numbers, "n": self.n}


@dataclass(frozen=True)
class Leaf(Judgement, ABC):
    """A judgement that consists of no others."""

    predicate: str
    source: Source

    def leaves(self) -> tuple[Leaf, ...]:
        """Return itself."""
        return (self,)

    @abstractmethod
    def evidence(self, corrections: Corrections) -> dict[str, Any]:
        """Return what the record of a claim keeps: predicate, true statement, verdict, numbers."""


@dataclass(frozen=True)
class Fact(Leaf):
    """A judgement that is known at once: of exact values, or by an interval; `states` is true of the data."""

    known: str
    states: str
    interval: Interval | None = None

    def verdict(self, corrections: Corrections) -> str:
        """Return what is known."""
        return self.known

    def evidence(self, corrections: Corrections) -> dict[str, Any]:
        """Return predicate, true statement and verdict, with the interval if there is one."""
        found = {"predicate": self.predicate, "states": self.states, "verdict": self.known}
        return {**found, **(self.interval.evidence() if self.interval else {})}


@dataclass(frozen=True)
class Test(Leaf):
    """A judgement by a p value: `direction` is its verdict if the corrected p is small enough.

    A directional verdict from a two-sided p, also after Holm's correction: J. P. Shaffer, Annals of
    Statistics 8 (1980), pages 1342-1347. `agrees` says that the interval, too, excludes the hypothesis;
    `decided` and `open` are the true statements for either outcome. Tests of the same identity are one test,
    stated in several places.
    """

    direction: str
    p: float
    interval: Interval
    agrees: bool
    decided: str
    open: str
    identity: Hashable = field(repr=False)

    __test__ = False  # no test of pytest's

    def verdict(self, corrections: Corrections) -> str:
        """Return the direction, if the corrected p value lets it be said."""
        return self.direction if self._is_clear(corrections) else UNDECIDED

    def _is_clear(self, corrections: Corrections) -> bool:
        # 1 - 0.95 is 0.050000000000000044: a p of exactly 5 % counts all the same
        return self.agrees and corrections[self.identity].p <= round(1 - self.interval.level, 12)

    def evidence(self, corrections: Corrections) -> dict[str, Any]:
        """Return predicate, true statement and verdict, the interval, and p before and after correction."""
        found = corrections[self.identity]
        clear = self._is_clear(corrections)
        told = ""
        if found.size > 1 or self.agrees:  # an interval that excludes the hypothesis does not say why
            told = f"; p = {self.p:.2g}"
        if found.size > 1:
            told += f", corrected for {found.size} tests {found.p:.2g}"
        return {
            "predicate": self.predicate,
            "states": self.decided if clear else self.open + told,
            "verdict": self.verdict(corrections),
            **self.interval.evidence(),
            "p": self.p,
            "p_adjusted": found.p,
            "family": found.family,
            "family_size": found.size,
        }


@dataclass(frozen=True)
class Joined(Judgement):
    """Several judgements joined by a rule that makes one verdict of theirs."""

    rule: Callable[[Sequence[str]], str]
    parts: tuple[Judgement, ...]

    def verdict(self, corrections: Corrections) -> str:
        """Return what the rule makes of the parts' verdicts."""
        return self.rule([part.verdict(corrections) for part in self.parts])

    def leaves(self) -> tuple[Leaf, ...]:
        """Return those of all parts."""
        return tuple(leaf for part in self.parts for leaf in part.leaves())


@dataclass(frozen=True)
class Bounds:
    """A rule: how many parts hold, at least and at most, compared with a number."""

    operator: str
    number: int

    def __call__(self, verdicts: Sequence[str]) -> str:
        """Return the verdict on the comparison, for all counts that the undecided parts allow."""
        least = verdicts.count(HOLDS)
        most = least + verdicts.count(UNDECIDED)
        outcomes = {COMPARED[self.operator](n, self.number) for n in range(least, most + 1)}
        return UNDECIDED if len(outcomes) == 2 else HOLDS if outcomes == {True} else FAILS


COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "lt": lambda a, b: a < b,
    "lteq": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "gteq": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
}
"""The operators of comparisons, by Jinja's names."""


def least(verdicts: Sequence[str]) -> str:
    """Return the verdict of `and`."""
    return min(verdicts, key=_RANK.__getitem__)


def greatest(verdicts: Sequence[str]) -> str:
    """Return the verdict of `or`."""
    return max(verdicts, key=_RANK.__getitem__)


def opposite(verdicts: Sequence[str]) -> str:
    """Return the verdict of `not`."""
    (verdict,) = verdicts
    return _OPPOSITE[verdict]


def conjunction(parts: Sequence[Judgement]) -> Judgement:
    """Return whether all hold."""
    return parts[0] if len(parts) == 1 else Joined(least, tuple(parts))


def disjunction(parts: Sequence[Judgement]) -> Judgement:
    """Return whether one holds."""
    return parts[0] if len(parts) == 1 else Joined(greatest, tuple(parts))


def negation(part: Judgement) -> Judgement:
    """Return the opposite; the negation of a negation is the judgement itself."""
    if isinstance(part, Joined) and part.rule is opposite:
        return part.parts[0]
    return Joined(opposite, (part,))

"""Orders and shapes of several values: the largest, a ranking, a sign that all share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import Any

from labreport.claims.comparing import ordered
from labreport.claims.judgement import FAILS, HOLDS, UNDECIDED, Fact, Joined, Judgement, Source, conjunction
from labreport.claims.operands import LEVEL, Exact, Uncertain, same_unit
from labreport.claims.questions import number, unless_unknown
from labreport.errors import did_you_mean
from labreport.language import FormatError, kind, plain, short

DIRECTIONS = {
    "increasing": ("lt", "rise"),
    "decreasing": ("gt", "fall"),
    "nondecreasing": ("lteq", "do not fall"),
    "nonincreasing": ("gteq", "do not rise"),
}
"""How each value stands to the next, and what that is called."""

Known = Exact | Uncertain


def largest(values: Any, which: Any, how: Any = None, level: Any = LEVEL) -> Judgement:
    """Return the judgement that a value of a list or mapping, by its index or name, is above all others."""
    return _extreme("largest", "gt", values, which, how, level)


def smallest(values: Any, which: Any, how: Any = None, level: Any = LEVEL) -> Judgement:
    """Return the judgement that a value of a list or mapping, by its index or name, is below all others."""
    return _extreme("smallest", "lt", values, which, how, level)


@unless_unknown
def _extreme(predicate: str, operator: str, values: Any, which: Any, how: Any, level: Any) -> Judgement:
    named = _named(predicate, values)
    wanted = plain(which)
    if wanted not in named:
        cure = did_you_mean(str(wanted), map(str, named))
        raise FormatError(f"{predicate}: there is no value {wanted!r}", cure=cure, name=str(wanted))
    chosen, others = named[wanted], {name: value for name, value in named.items() if name != wanted}
    exact = {name: value for name, value in named.items() if isinstance(value, Exact)}
    if len(exact) < len(named):
        return conjunction(
            [ordered(predicate, operator, chosen, other, how, level) for other in others.values()]
        )
    extreme = max if operator == "gt" else min
    best = extreme(value.value for value in exact.values())
    ties = [name for name, value in exact.items() if value.value == best]
    told = " and ".join(f"{name}, {exact[name].name}" for name in ties)
    states = f"the {predicate} of {len(named)} {'is' if len(ties) == 1 else 'are'} {told}"
    return Fact(predicate, _joined(exact.values()), HOLDS if ties == [wanted] else FAILS, states)


def monotone(values: Any, direction: Any, how: Any = None, level: Any = LEVEL) -> Judgement:
    """Return the judgement that each value of a list stands to the next as the direction says."""
    return _chain("monotone", values, plain(direction), how, level)


def ranked(values: Any, how: Any = None, level: Any = LEVEL) -> Judgement:
    """Return the judgement that values are listed from the highest to the lowest."""
    return _chain("ranked", values, "decreasing", how, level)


@unless_unknown
def _chain(predicate: str, values: Any, direction: Any, how: Any, level: Any) -> Judgement:
    if direction not in DIRECTIONS:
        cure = did_you_mean(str(direction), DIRECTIONS)
        raise FormatError(
            f"{predicate} knows no direction {short(direction)}", cure=cure, name=str(direction)
        )
    operator, verb = DIRECTIONS[direction]
    known = list(_named(predicate, values).values())
    pairs = [ordered(predicate, operator, a, b, how, level) for a, b in pairwise(known)]
    exact = [value for value in known if isinstance(value, Exact)]
    if len(exact) < len(known):
        return conjunction(pairs)
    against = [pair.states for pair in pairs if isinstance(pair, Fact) and pair.known == FAILS]
    states = f"the {len(known)} values {verb}: {_listed(exact)}" if not against else "; ".join(against)
    return Fact(predicate, _joined(exact), FAILS if against else HOLDS, states)


def same_sign(values: Any, level: Any = LEVEL) -> Judgement:
    """Return the judgement that all values are above zero, or all below."""
    return _alike("same_sign", values, level)


@unless_unknown
def _alike(predicate: str, values: Any, level: Any) -> Judgement:
    named = _named(predicate, values)
    exact = [value for value in named.values() if isinstance(value, Exact)]
    if len(exact) < len(named):
        if exact:
            known = ", ".join(value.name for value in exact)
            what = f"{predicate} takes numbers, or what is uncertain, not both: {known}"
            raise FormatError(what, cure="state two claims")
        sides = [ordered(predicate, "gt", value, 0, None, level) for value in named.values()]
        return Joined(alike, tuple(sides))
    signs = [(v.value > 0) - (v.value < 0) for v in exact]
    counts = {word: signs.count(sign) for word, sign in (("above", 1), ("below", -1), ("equal to", 0))}
    holds = len(exact) in (counts["above"], counts["below"])
    told = ", ".join(f"{n} {word} zero" for word, n in counts.items() if n)
    return Fact(predicate, _joined(exact), HOLDS if holds else FAILS, f"of {len(exact)} values {told}")


def alike(verdicts: Sequence[str]) -> str:
    """Return whether all verdicts are the same, given that undecided ones may be either."""
    if HOLDS in verdicts and FAILS in verdicts:
        return FAILS
    return UNDECIDED if UNDECIDED in verdicts else HOLDS


def _named(predicate: str, values: Any) -> dict[Any, Known]:
    """Return two values or more as operands, by index or name."""
    bare = plain(values)
    if isinstance(bare, dict):
        items = {key: values[key] if isinstance(values, dict) else values.child(key) for key in bare}
    elif isinstance(bare, list | tuple):
        items = dict(enumerate(values))
    else:
        raise FormatError(f"{predicate} takes a list or a mapping, not the {kind(bare)} {short(bare)}")
    if len(items) < 2:
        raise FormatError(f"{predicate} orders two values or more, not {len(items)}")
    found = {plain(name): number(predicate, value) for name, value in items.items()}
    exact = [value for value in found.values() if isinstance(value, Exact)]
    for one in exact[1:]:
        same_unit(exact[0], one)
    return found


def _joined(values: Iterable[Known]) -> Source:
    return reduce(or_, (value.source for value in values))


def _listed(values: Sequence[Exact]) -> str:
    shown = [value.text for value in values]
    return ", ".join(shown if len(shown) <= 8 else [*shown[:4], "…", *shown[-3:]])

"""Two operands compared: exactly, by an interval, or by a test; and the true sentence that comes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from labreport.claims.judgement import COMPARED, FAILS, HOLDS, UNDECIDED, Fact, Judgement, Test
from labreport.claims.operands import LEVEL, Exact, Uncertain, same_unit, spoken
from labreport.claims.questions import Question, number, question, unless_unknown
from labreport.claims.statistics import Contrast
from labreport.language import FormatError, plain

MIRRORED = {"lt": "gt", "lteq": "gteq", "gt": "lt", "gteq": "lteq", "eq": "eq", "ne": "ne"}

SIGNS = {
    "lt": "<",
    "lteq": "<=",
    "gt": ">",
    "gteq": ">=",
    "eq": "==",
    "ne": "!=",
    "in": "in",
    "notin": "not in",
}

# -------------------------------------------------------------------------------------------------- in order


@unless_unknown
def ordered(
    predicate: str, operator: str, first: Any, second: Any, how: Any = None, level: Any = LEVEL
) -> Judgement:
    """Return the judgement that two operands are in an order: `lt`, `lteq`, `gt`, `gteq`, `eq` or `ne`."""
    a, b = number(predicate, first), number(predicate, second)
    if isinstance(a, Exact):
        if isinstance(b, Exact):
            return exactly(predicate, operator, a, b)
        return ordered(predicate, MIRRORED[operator], b, a, how, level)
    asked = question(predicate, a, b, plain(how), level)
    c = asked.contrast
    decided, open_ = _order_sentences(asked)
    direction = HOLDS if operator == "ne" else FAILS
    if operator not in ("eq", "ne"):
        direction = HOLDS if COMPARED[operator](c.effect, asked.null) else FAILS
    agrees = not c.low <= asked.null <= c.high
    if asked.p is not None:
        return Test(
            predicate,
            asked.source,
            direction,
            asked.p,
            asked.interval,
            agrees,
            decided,
            open_,
            asked.identity,
        )
    known = _by_interval(operator, c, asked.null) if not asked.doubt else UNDECIDED
    return Fact(predicate, asked.source, known, decided if known != UNDECIDED else open_, asked.interval)


def _by_interval(operator: str, c: Contrast, null: float) -> str:
    """Return whether an order is true of all values in the interval, of none, or of some."""
    if operator in ("eq", "ne"):
        return UNDECIDED if c.low <= null <= c.high else FAILS if operator == "eq" else HOLDS
    found = {COMPARED[operator](bound, null) for bound in (c.low, c.high)}
    return UNDECIDED if len(found) == 2 else HOLDS if found == {True} else FAILS


def exactly(predicate: str, operator: str, a: Exact, b: Exact) -> Fact:
    """Return the judgement of two exact numbers."""
    same_unit(a, b)
    known = HOLDS if COMPARED[operator](a.value, b.value) else FAILS
    relation = "equals" if a.value == b.value else "is above" if a.value > b.value else "is below"
    if a.text == b.text and a.value != b.value:
        a, b = (replace(x, text=repr(float(x.value))) for x in (a, b))
    return Fact(predicate, a.source | b.source, known, f"{a.name} {relation} {b.name}")


def _order_sentences(asked: Question) -> tuple[str, str]:
    first, second = asked.names
    side = "above" if asked.contrast.effect > asked.null else "below"
    return (
        f"{first} is {side} {second}: {asked.measured}",
        f"{first} may be above or below {second}: {asked.measured}",
    )


# ------------------------------------------------------------------------------------------------ in a range


@unless_unknown
def equal(
    predicate: str, first: Any, second: Any, margin: Any, how: Any = None, level: Any = LEVEL
) -> Judgement:
    """Return the judgement that two operands differ by no more than a margin; of a ratio it is a factor."""
    a, b, m = number(predicate, first), number(predicate, second), number(predicate, margin)
    ratio = plain(how) == "ratio"
    if not isinstance(m, Exact) or m.value < 0 or (ratio and m.value <= 1):
        cure = (
            'a factor above 1 with "ratio": 1.1' if ratio else "say what counts as no difference, as a number"
        )
        raise FormatError(f"{predicate}: the margin cannot be {m.name}", cure=cure)
    if isinstance(a, Exact):
        if isinstance(b, Exact):
            return _exactly_equal(predicate, a, b, m)
        a, b = b, a
    if isinstance(b, Exact):
        same_unit(b, m)
    asked = question(predicate, a, b, plain(how), level)
    around = float(m.value)
    bounds = (1 / around, around) if ratio else (asked.null - around, asked.null + around)
    both = " and ".join(asked.names)
    more = f"a factor of {m.text}" if ratio else m.text
    sentences = (
        f"{both} differ by no more than {more}: {asked.measured}",
        f"{both} differ by more than {more}: {asked.measured}",
        f"{both} may differ by more than {more}, or less: {asked.measured}",
    )
    return _inside(replace(asked, source=asked.source | m.source), bounds, sentences)


def _exactly_equal(predicate: str, a: Exact, b: Exact, margin: Exact) -> Fact:
    for x, y in ((a, b), (a, margin), (b, margin)):
        same_unit(x, y)
    difference = abs(a.value - b.value)
    known = HOLDS if difference <= margin.value else FAILS
    states = f"{a.name} and {b.name} differ by {spoken(difference)}"
    return Fact(predicate, a.source | b.source | margin.source, known, states)


@unless_unknown
def inside(predicate: str, value: Any, low: Any, high: Any, level: Any = LEVEL) -> Judgement:
    """Return the judgement that an operand lies between two bounds, or on one."""
    x, bounds = number(predicate, value), [number(predicate, bound) for bound in (low, high)]
    least, most = (_bound(predicate, bound) for bound in bounds)
    if least.value > most.value:
        raise FormatError(
            f"{predicate}: {least.name} is above {most.name}", cure="name the lower bound first"
        )
    source = least.source | most.source
    span = f"{least.name} and {most.name}"
    if isinstance(x, Exact):
        for bound in (least, most):
            same_unit(x, bound)
        if x.value < least.value or x.value > most.value:
            beyond = f"below {least.name}" if x.value < least.value else f"above {most.name}"
            return Fact(predicate, x.source | source, FAILS, f"{x.name} is {beyond}")
        return Fact(predicate, x.source | source, HOLDS, f"{x.name} lies between {span}")
    asked = question(predicate, x, least, None, level)
    asked = replace(asked, source=asked.source | source)
    name = asked.names[0]
    sentences = (
        f"{name} lies between {span}: {asked.measured}",
        f"{name} does not lie between {span}: {asked.measured}",
        f"{name} may or may not lie between {span}: {asked.measured}",
    )
    return _inside(asked, (float(least.value), float(most.value)), sentences)


def _bound(predicate: str, value: Exact | Uncertain) -> Exact:
    if not isinstance(value, Exact):
        raise FormatError(
            f"{predicate}: {value.name} is uncertain and cannot be a bound", cure="give a number"
        )
    return value


def _inside(asked: Question, bounds: tuple[float, float], sentences: tuple[str, str, str]) -> Judgement:
    """Return the judgement that an effect lies inside bounds: two one-sided tests where p is known."""
    c = asked.contrast
    low, high = bounds
    within, outside, open_ = sentences
    all_in, all_out = low <= c.low and c.high <= high, c.high < low or c.low > high
    if c.p_at is None:
        known = HOLDS if all_in else FAILS if all_out else UNDECIDED
        states = within if all_in else outside if all_out else open_
        return Fact(asked.predicate, asked.source, known, states, asked.interval)
    lies_in = low <= c.effect <= high
    # inside is shown against both bounds; outside against the one that the effect lies beyond
    p = max(map(c.p_at, bounds)) if lies_in else c.p_at(low if c.effect < low else high)
    direction, agrees, decided = (HOLDS, all_in, within) if lies_in else (FAILS, all_out, outside)
    identity = ("inside", bounds, asked.identity)
    return Test(asked.predicate, asked.source, direction, p, asked.interval, agrees, decided, open_, identity)

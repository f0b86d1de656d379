"""The predicates of claims, by name: what a template's claim can say of values, estimates and samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from labreport.claims import operands, statistics
from labreport.claims.comparing import MIRRORED, SIGNS, equal, inside, ordered
from labreport.claims.each import each_of, over_each
from labreport.claims.judgement import (
    FAILS,
    HOLDS,
    Bounds,
    Fact,
    Joined,
    Judgement,
    Source,
    conjunction,
    disjunction,
    negation,
)
from labreport.claims.operands import (
    ESTIMATE,
    LEVEL,
    Counted,
    Estimate,
    Exact,
    Other,
    Sample,
    known_as,
    operand,
    same_unit,
    sample_of,
    source_of,
    spoken,
)
from labreport.claims.quantity import ALIASES, WORDS, Word, multiple, quantity
from labreport.claims.questions import confidence, number, unless_unknown
from labreport.claims.shapes import largest, monotone, ranked, same_sign, smallest
from labreport.errors import did_you_mean
from labreport.language import Box, FormatError, keys, kind, plain, short

# -------------------------------------------------------------------------------------------------- in order


def compare(operators: Sequence[str], *operands: Any) -> Judgement:
    """Return the judgement on a chain of comparisons: `a < b <= c`."""
    pairs = zip(operators, operands, operands[1:], strict=False)
    return conjunction([_compared(SIGNS[operator], operator, a, b) for operator, a, b in pairs])


@unless_unknown
def _compared(sign: str, operator: str, first: Any, second: Any) -> Judgement:
    a, b = operand(first), operand(second)
    if operator in ("in", "notin"):
        return _member(operator, a, plain(first), second)
    if isinstance(a, Counted) or isinstance(b, Counted):
        return _tallied(operator, a, b)
    if operator in ("eq", "ne") and (isinstance(a, Other) or isinstance(b, Other)):
        return _equal_values(operator, sign, first, second)
    return ordered(sign, operator, a, b)


def _member(operator: str, item: Any, wanted: Any, values: Any) -> Judgement:
    """Return the judgement that a list, mapping or text holds a value: the wanted one, as an operand."""
    bare = plain(values)
    if not isinstance(bare, list | tuple | dict | str):
        raise FormatError(f"`in` looks into a list, mapping or text, not the {kind(bare)} {short(bare)}")
    if isinstance(bare, str) and not isinstance(wanted, str):
        raise FormatError(f"a text holds texts only, not the {kind(wanted)} {short(wanted)}")
    if isinstance(item, Exact):
        members = [operand(v) for v in bare]
        found = any(isinstance(m, Exact) and m.value == item.value for m in members)
    else:
        found = wanted in list(bare) if not isinstance(bare, str) else wanted in bare
    source = item.source | source_of(values)
    states = f"{item.name} is {'' if found else 'not '}in {known_as(source_of(values).keys) or short(bare)}"
    return Fact(SIGNS[operator], source, HOLDS if found == (operator == "in") else FAILS, states)


def _equal_values(operator: str, sign: str, first: Any, second: Any) -> Judgement:
    """Return the judgement that two values, of which one is no number, are equal, or not."""
    a, b = (Other(plain(value), source_of(value)) for value in (first, second))
    for value in (a, b):
        if isinstance(value.value, Judgement):
            raise FormatError("a verdict is not compared", cure="join predicates by `and`, `or`, `not`")
    same = a.value == b.value
    truths = [value.value for value in (a, b) if isinstance(value.value, bool)]
    whose = known_as((a.source | b.source).keys)
    if len(truths) == 2 and whose and not (a.source.keys and b.source.keys):  # `x == true`
        states = f"{whose} is {'true' if (a.value if a.source.keys else b.value) else 'false'}"
    else:
        states = f"{a.name} {'equals' if same else 'is not'} {b.name}"
    return Fact(sign, a.source | b.source, HOLDS if same == (operator == "eq") else FAILS, states)


def _tallied(operator: str, a: Any, b: Any) -> Judgement:
    """Return the judgement on how many parts hold, compared with a whole number."""
    if isinstance(b, Counted) and not isinstance(a, Counted):
        return _tallied(MIRRORED[operator], b, a)
    if not isinstance(b, Exact) or b.value.denominator != 1:
        raise FormatError("a count is compared with a whole number", cure="count(…) >= 2")
    return Joined(Bounds(operator, int(b.value)), a.parts)


def below(a: Any, b: Any = 0, how: Any = None, level: Any = LEVEL) -> Judgement:
    """Return the judgement that the first is below the second."""
    return ordered("below", "lt", a, b, how, level)


def above(a: Any, b: Any = 0, how: Any = None, level: Any = LEVEL) -> Judgement:
    """Return the judgement that the first is above the second."""
    return ordered("above", "gt", a, b, how, level)


def differs(a: Any, b: Any = 0, how: Any = None, level: Any = LEVEL) -> Judgement:
    """Return the judgement that two are not the same; that they are, no data can show without a margin."""
    return ordered("differs", "ne", a, b, how, level)


def equal_within(a: Any, b: Any, margin: Any = None, how: Any = None, level: Any = LEVEL) -> Judgement:
    """Return the judgement that two differ by no more than a margin."""
    return _equal("equal_within", a, b, margin, how, level)


def within(a: Any, b: Any, margin: Any = None, how: Any = None, level: Any = LEVEL) -> Judgement:
    """Return the judgement that the first lies within a margin of the second."""
    return _equal("within", a, b, margin, how, level)


def _equal(name: str, a: Any, b: Any, margin: Any, how: Any, level: Any) -> Judgement:
    if margin is None:
        what = f"{name} has no margin: no data show that two things do not differ at all"
        raise FormatError(what, cure=f"say which difference does not matter: {name}(a, b, 0.01)")
    return equal(name, a, b, margin, how, level)


def times(a: Any, b: Any, factor: Any, how: Any = None, level: Any = LEVEL) -> Judgement:
    """Return the judgement that the first is so many times the second, to the factor's precision."""
    return multiple("times", a, b, factor, how, level)


def between(x: Any, low: Any, high: Any, level: Any = LEVEL) -> Judgement:
    """Return the judgement that a value lies between two bounds, or on one."""
    return inside("between", x, low, high, level)


# -------------------------------------------------------------------------------------------------- computed


def ratio(a: Any, b: Any) -> Exact | Other:
    """Return the exact ratio of two numbers, of printed ones as they are printed."""
    first, second = _exact("ratio", a), _exact("ratio", b)
    if first is None or second is None:
        return Other(None, source_of(a) | source_of(b))
    if second.value == 0:
        raise FormatError(f"ratio cannot divide by {second.name}")
    return _computed(first.value / second.value, None, first, second)


def difference(a: Any, b: Any) -> Exact | Other:
    """Return the exact difference of two numbers, of printed ones as they are printed."""
    first, second = _exact("difference", a), _exact("difference", b)
    if first is None or second is None:
        return Other(None, source_of(a) | source_of(b))
    return _computed(first.value - second.value, first.unit or second.unit, first, second)


def _exact(name: str, value: Any) -> Exact | None:
    """Return an exact number; None where it is missing."""
    if plain(value) is None:
        return None
    found = number(name, value)
    if not isinstance(found, Exact):
        what = f"{name} computes with numbers, and {found.name} is uncertain"
        cure = 'compare them: below(a, b, "paired"), times(a, b, 2, "ratio")'
        raise FormatError(what, cure="an estimate is used as it is" if name == "interval" else cure)
    return found


def _computed(value: Fraction, unit: str | None, a: Exact, b: Exact) -> Exact:
    same_unit(a, b)
    text = f"{spoken(100 * value)} %" if unit == "percent" else spoken(value)
    return Exact(value, text, unit, a.source | b.source)


def rate(successes: Any, n: Any, level: Any = LEVEL) -> dict[str, Any]:
    """Return a share of n as an estimate with Wilson's interval."""
    part, whole, level = _exact("rate", successes), _exact("rate", n), confidence("rate", level)
    joined = keys(successes, n)
    if part is None or whole is None or not whole.value:
        return dict.fromkeys(("estimate", "low", "high", "n"), Box(None, joined))
    if part.value.denominator != 1 or whole.value.denominator != 1 or not 0 <= part.value <= whole.value > 0:
        raise FormatError(f"rate: {part.name} cannot be a part of {whole.name}", cure="rate(successes, n)")
    low, high = statistics.wilson(int(part.value), int(whole.value), level)
    found = {"estimate": float(part.value / whole.value), "low": low, "high": high, "n": int(whole.value)}
    values = {**found, "level": level}
    return {name: Box(value, joined) if joined else value for name, value in values.items()}


def interval(estimate: Any, low: Any, high: Any, n: Any = None, level: Any = LEVEL) -> Estimate | Other:
    """Return an estimate of its parts, where a result calls them otherwise than estimate, low and high."""
    parts = [_exact("interval", part) for part in (estimate, low, high)]
    source = source_of(estimate) | source_of(low) | source_of(high) | source_of(n)
    known = [float(part.value) for part in parts if part is not None]
    if len(known) < len(parts):
        return Other(None, source)
    told = {"n": plain(n), "level": confidence("interval", level)}
    found = operands.estimate({**dict(zip(ESTIMATE, known, strict=True)), **told}, source)
    return replace(found, called=known_as(keys(estimate)))


def sample(table: Any, column: Any, by: Any = None, **where: Any) -> Sample:
    """Return a column of a table's rows as a sample; the rows are those with the given values of columns."""
    rows, name, index = plain(table), plain(column), plain(by)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise FormatError(f"sample takes the rows of a table, not the {kind(rows)} {short(rows)}")
    wanted = {field: plain(value) for field, value in where.items()}
    for field in (name, *([] if index is None else [index]), *wanted):
        if field not in rows[0]:
            cure = did_you_mean(str(field), map(str, rows[0]))
            raise FormatError(f"the table has no column {field!r}", cure=cure, name=str(field))
    chosen = rows  # of ten thousand rows, each condition leaves few to the next
    for field, value in wanted.items():
        chosen = [row for row in chosen if row.get(field) == value]
    values = [row.get(name) for row in chosen]
    selected = f"[{', '.join(f'{field}={value}' for field, value in wanted.items())}]" if wanted else ""
    told = f"{known_as(keys(table))}.{name}{selected}"
    for field, value in wanted.items():
        # that no network is solved is a result, that no shape is "3x33" a slip of the pen
        if not isinstance(value, bool) and all(row.get(field) != value for row in rows):
            near = did_you_mean(str(value), {str(row.get(field)) for row in rows})
            raise FormatError(f"no row of the table has {field}={value!r}", cure=near, name=str(field))
    if bad := [v for v in values if v is None or not isinstance(v, int | float)]:
        cure = "select the rows that have one"
        raise FormatError(f"{told} holds the {kind(bad[0])} {short(bad[0])}", cure=cure)
    by_row = None if index is None else tuple(row.get(index) for row in chosen)
    if by_row is not None and len(set(by_row)) < len(by_row):
        what = f"{told}: {index} does not name one row each"
        raise FormatError(what, cure="select by more columns", name=str(index))
    joined = {f"{key}.{name}" for key in keys(table)} | keys(where)
    found = sample_of(values, Source(frozenset(f"{key}.{name}" for key in keys(table))))
    source = Source(frozenset(joined), {f"{key}{selected}": v for key, v in found.source.values.items()})
    return replace(found, source=replace(source, keys=frozenset(joined)), index=by_row, selected=selected)


# ----------------------------------------------------------------------------------------------------- logic


def all_of(*parts: Any) -> Judgement:
    """Return the judgement that all hold."""
    return conjunction(_parts("all_of", parts))


def any_of(*parts: Any) -> Judgement:
    """Return the judgement that one holds, or more."""
    return disjunction(_parts("any_of", parts))


def none_of(*parts: Any) -> Judgement:
    """Return the judgement that none holds."""
    return negation(disjunction(_parts("none_of", parts)))


def not_(part: Any) -> Judgement:
    """Return the opposite judgement."""
    return negation(judgement("not", part))


def count(*parts: Any) -> Counted:
    """Return how many hold, to be compared with a whole number."""
    return Counted(tuple(_parts("count", parts)))


def _parts(name: str, parts: Sequence[Any]) -> list[Judgement]:
    """Return the judgements given one by one, or as one list."""
    if len(parts) == 1 and isinstance(plain(parts[0]), list | tuple):
        parts = list(parts[0])
    if not parts:
        raise FormatError(f"{name} has nothing to judge", cure="give it predicates, or a list of them")
    return [judgement(name, part) for part in parts]


def judgement(name: str, value: Any) -> Judgement:
    """Return a judgement, or that of a truth value."""
    if isinstance(value, Judgement):
        return value
    bare = plain(value)
    if isinstance(value, Counted):
        raise FormatError(f"{name} joins predicates, and a count is a number", cure="count(…) >= 2")
    if not isinstance(bare, bool):
        raise FormatError(f"{name} joins predicates, not the {kind(bare)} {short(bare)}")
    return truth(bare, source_of(value))


def truth(value: bool, source: Source) -> Fact:
    """Return the judgement that a truth value of the data is true."""
    name = known_as(source.keys) or "the condition"
    return Fact("is true", source, HOLDS if value else FAILS, f"{name} is {'true' if value else 'false'}")


# ------------------------------------------------------------------------------------------------- the table


def _word(word: Word, name: str) -> Callable[..., Judgement]:
    def said(part: Any, whole: Any = None, of: Any = "sample", level: Any = LEVEL) -> Judgement:
        return quantity(name, word, part, whole, of, level)

    said.__doc__ = f"Return the judgement that a share is {word.meaning}."
    return said


_BY_NAME = {word.name: word for word in WORDS}

PREDICATES: dict[str, Callable[..., Any]] = {
    "compare": over_each("a comparison", compare),
    "below": over_each("below", below),
    "above": over_each("above", above),
    "differs": over_each("differs", differs),
    "equal_within": over_each("equal_within", equal_within),
    "within": over_each("within", within),
    "between": over_each("between", between),
    "largest": largest,
    "smallest": smallest,
    "monotone": monotone,
    "ranked": ranked,
    "same_sign": same_sign,
    **{name: _word(word, name) for name, word in _BY_NAME.items()},
    **{alias: _word(_BY_NAME[name], alias) for alias, name in ALIASES.items()},
    "times": over_each("times", times),
    "each_of": each_of,
    "all_of": all_of,
    "any_of": any_of,
    "none_of": none_of,
    "not_": not_,
    "count": count,
    "ratio": ratio,
    "difference": difference,
    "rate": rate,
    "interval": interval,
    "sample": sample,
}
"""All that the expression of a claim can call: predicates, and what prepares their operands."""

"""A predicate over several values at once: `below(each_of(a, b, c), 0.05)` holds if it holds of each."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labreport.claims.judgement import Judgement, conjunction
from labreport.language import FormatError, kind, plain, short


@dataclass(frozen=True)
class Each:
    """Several values, of each of which a predicate speaks."""

    KIND = "list"

    values: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"each_of {len(self.values)} values"


def each_of(*values: Any) -> Each:
    """Return values of which a predicate speaks one by one: given so, or as one list or mapping."""
    if len(values) == 1:
        (only,) = values
        bare = plain(only)
        if not isinstance(bare, list | tuple | dict):
            raise FormatError(
                f"each_of takes several values, or a list, not the {kind(bare)} {short(bare)}",
                cure="each_of(a, b), or each_of(list)",
            )
        values = tuple(only[key] for key in (bare if isinstance(bare, dict) else range(len(bare))))
    if not values:
        raise FormatError("each_of has no values", cure="each_of(a, b), or each_of(list)")
    return Each(values)


def over_each(name: str, predicate: Callable[..., Judgement]) -> Callable[..., Judgement]:
    """Return a predicate that takes `each_of(…)` for its operands, too, and then holds if it holds of each.

    Where two operands are such, the first of one meets the first of the other; all other operands are those
    of each.
    """

    @functools.wraps(predicate)
    def judged(*operands: Any, **options: Any) -> Judgement:
        given = [*operands, *options.values()]
        lengths = {len(value.values) for value in given if isinstance(value, Each)}
        if not lengths:
            return predicate(*operands, **options)
        if len(lengths) > 1:
            both = " and ".join(map(str, sorted(lengths)))
            raise FormatError(f"{name} pairs each of {both} values", cure="give both as many, or one value")
        (number,) = lengths
        columns = [value.values if isinstance(value, Each) else [value] * number for value in given]
        first = len(operands)
        return conjunction(
            [
                predicate(*row[:first], **dict(zip(options, row[first:], strict=True)))
                for row in zip(*columns, strict=True)
            ]
        )

    return judged

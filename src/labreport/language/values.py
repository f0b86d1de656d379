"""Boxes: a value of a result together with the keys that it came from.

A template never holds a bare value of a result. Operators, tests and filters compute on the plain values and
join the keys, so that whatever is printed can be traced; a box refuses to become text anywhere but where the
template prints it.
"""

from __future__ import annotations

import functools
import json
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jinja2.runtime import Undefined

Keys = frozenset[str]


class Box:
    """A plain value and the keys of the results it was made from; compares and sorts as the plain value."""

    __slots__ = ("keys", "plain")

    def __init__(self, value: Any, keys: Iterable[str]) -> None:
        self.plain = value
        self.keys: Keys = frozenset(keys)

    def __repr__(self) -> str:
        return f"Box({self.plain!r}, {sorted(self.keys)})"

    def __bool__(self) -> bool:
        return bool(self.plain)

    def __len__(self) -> int:
        return len(self.plain)

    def __iter__(self) -> Iterator[Box]:
        if isinstance(self.plain, dict):
            return (Box(key, self.keys) for key in self.plain)
        if isinstance(self.plain, list | tuple):
            return (self.child(index) for index in range(len(self.plain)))
        raise TypeError(f"a {kind(self.plain)} cannot be iterated")

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice):
            return self.child(plain(index))
        if isinstance(self.plain, str):
            return Box(self.plain[index], self.keys)
        return [self.child(i) for i in range(*index.indices(len(self.plain)))]

    def __eq__(self, other: object) -> bool:
        return bool(self.plain == plain(other))

    def __hash__(self) -> int:
        return hash(self.plain)

    def __lt__(self, other: object) -> bool:
        return bool(self.plain < plain(other))

    def __gt__(self, other: object) -> bool:
        return bool(self.plain > plain(other))

    def __str__(self) -> str:
        raise TypeError(f"the value of {', '.join(sorted(self.keys))} was used as text outside a format")

    # f-strings, int() and the like would lose the keys without a word
    __float__ = __int__ = __index__ = __format__ = __str__  # type: ignore[assignment]

    def child(self, index: str | int) -> Box:
        """Return the box of an item: its key is longer by one step where the container stands for one key.

        Raises KeyError, IndexError or TypeError if there is no such item.
        """
        if not isinstance(self.plain, dict | list | tuple | str):
            raise TypeError(f"a {kind(self.plain)} has no items")
        if type(self.plain) not in _KINDS:  # a mapping whose keys have several spellings
            index = getattr(self.plain, "canonical", lambda given: given)(index)
        value = self.plain[index]  # type: ignore[index]
        if isinstance(index, int) and index < 0:
            index += len(self.plain)
        # of several keys none says where the item is; a character of a text is no step of a key
        if len(self.keys) != 1 or isinstance(self.plain, str):
            return Box(value, self.keys)
        (path,) = self.keys
        return Box(value, (path + step(index),))


def step(index: str | int) -> str:
    """Return one step of a key, as a template writes it: `.name`, `[3]` or `["odd name"]`."""
    if isinstance(index, int):
        return f"[{index}]"
    return f".{index}" if index.isidentifier() else f"[{json.dumps(index, ensure_ascii=False)}]"


def kind(value: object) -> str:
    """Return the word that messages use for the type of a plain value; a class may tell its own as `KIND`."""
    if hasattr(value, "__html__"):
        return "formatted text"
    return _KINDS.get(type(value)) or str(getattr(value, "KIND", type(value).__name__))


_KINDS: dict[type, str] = {
    type(None): "missing value",
    bool: "truth value",
    int: "whole number",
    float: "number",
    str: "text",
    dict: "mapping",
    list: "list",
    tuple: "list",
}


def plain(value: Any) -> Any:
    """Return a value with all boxes inside it opened."""
    if isinstance(value, Box):
        return value.plain
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, tuple):
        return tuple(plain(v) for v in value)
    if isinstance(value, dict):
        return {plain(k): plain(v) for k, v in value.items()}
    return value


def keys(*values: Any) -> Keys:
    """Return the keys of all boxes in the values, joined."""
    joined: set[str] = set()
    for value in values:
        if isinstance(value, Box):
            joined |= value.keys
        elif isinstance(value, list | tuple):
            joined |= keys(*value)
        elif isinstance(value, dict):
            joined |= keys(*value, *value.values())
    return frozenset(joined)


def box(value: Any, joined: Keys) -> Any:
    """Return the value in a box; as it is if no key belongs to it or if it is undefined."""
    # `is defined` and |default must still see what is undefined
    return Box(value, joined) if joined and not isinstance(value, Undefined) else value


def lift(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function for boxes: it computes with plain values, its result carries the joined keys."""

    @functools.wraps(function)
    def lifted(*args: Any, **options: Any) -> Any:
        # values and keys are both read from the arguments: an iterator would be used up by the first
        args = tuple(list(a) if isinstance(a, Iterator) else a for a in args)
        result = function(*plain(args), **plain(options))
        return box(result, keys(args, options))

    return lifted


COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
    "in": lambda a, b: a in b,
    "notin": lambda a, b: a not in b,
}


def compare(first: Any, *rest: tuple[str, Any]) -> Any:
    """Return the truth of a chain of comparisons, boxed with the keys of all its operands."""
    joined = keys(first, *(operand for _, operand in rest))
    left = plain(first)
    for name, operand in rest:
        right = plain(operand)
        if not COMPARISONS[name](left, right):
            return box(False, joined)  # also with the keys not looked at: the chain stands for all
        left = right
    return box(True, joined)

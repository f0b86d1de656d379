"""What templates compute and format with: filters, tests and functions, over boxes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from labreport.errors import did_you_mean
from labreport.language import bounds
from labreport.language.arguments import FormatError, cure, short
from labreport.language.formats import Number
from labreport.language.missing import defined
from labreport.language.reference import FORMATS
from labreport.language.spans import PRIVATE, is_marked
from labreport.language.target import Target
from labreport.language.values import Box, Keys, box, keys, kind, lift, plain

# Jinja's own filters that only choose or order values: boxes compare as their values do
NATIVE = (
    *("first", "last", "list", "sort", "unique", "min", "max", "select", "reject"),
    *("selectattr", "rejectattr", "map", "reverse", "batch", "slice", "default"),
)
COMPUTED: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "round": lambda value, digits=0: bounds.rounded(value, digits),
    "int": lambda value: int(value),
    "float": lambda value: float(value),
    "sum": lambda values, start=0: sum(values, start),
    "length": len,
    "count": len,
    "upper": lambda value: value.upper(),
    "lower": lambda value: value.lower(),
    "title": lambda value: value.title(),
    "capitalize": lambda value: value.capitalize(),
    "replace": lambda value, old, new: bounds.replaced(value, old, new),
    "trim": lambda value: value.strip(),
}
# these ask about the object itself: a box, or text with marks in it
REFUSED_TESTS = ("escaped", "filter", "test", "callable", "sameas")


FILTERS = (*NATIVE, *COMPUTED, *FORMATS, "python", "items", "figure", "join", "table")
"""The names of all filters, of whatever target."""


class Formatted(Markup):
    """Text in the target's language that a format has made, with its value and what the format returned."""

    value: Any
    formatted: Any

    @classmethod
    def of(cls, text: str, value: Any, formatted: Any = None) -> Formatted:
        """Return the text with its value and what the format returned."""
        made = cls(text)
        made.value = value
        made.formatted = formatted
        return made


def origin(value: Any) -> Any:
    """Return the value that a text was made from."""
    return value.value if isinstance(value, Formatted) else value


def neutral(value: Any) -> Any:
    """Return what the format of a value returned; of a value without a format, what prints in its place."""
    if isinstance(value, Formatted):
        return value.formatted
    return Number(str(value)) if isinstance(value, int) and not isinstance(value, bool) else value


def as_text(value: Any, target: Target) -> str:
    """Return a plain value in the target's language where the template names no format."""
    if isinstance(value, Markup):
        return str(value)
    if hasattr(defined(value), "KIND"):
        raise FormatError(f"{kind(value)}s are not printed", cure=r"say what holds in \BLOCK{claim …}")
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int)):
        raise FormatError(f"a {kind(value)} needs a format: {short(value)}", cure=cure(value))
    return str(target.write(neutral(value)))


def operand(operator: str, value: Any) -> Any:
    """Return the plain number that an arithmetic operator computes with."""
    bare = plain(defined(value))
    if isinstance(bare, bool) or not isinstance(bare, int | float):
        what = f"{operator} computes with numbers, not with the {kind(bare)} {short(bare)}"
        cure = None
        if isinstance(bare, Markup):
            cure = "format the result: (a + b)|num"
        elif operator == "%" and isinstance(bare, str):  # "%.3f" % x is a format in Python
            cure = "use a format: value|num(decimals=3)"
        raise FormatError(what, cure=cure)
    return bare


def comparable(value: Any) -> Any:
    """Return a value that comparisons and tests may see; captured text holds invisible marks."""
    bare = plain(defined(value))
    if isinstance(bare, Markup) and is_marked(bare):
        raise FormatError("captured text cannot be compared", cure="compare the values it was made from")
    return value


def numbers(*limits: Any) -> list[Any]:
    """Return the whole numbers of a range, each with the keys of its limits."""
    found = range(*plain(limits))
    first, last = (found[0], found[-1]) if found else (0, 0)
    bounds.check_items("this range", (last - first) // found.step)  # `len` fails for a very long one
    return [box(number, keys(*limits)) for number in found]


def _items(mapping: Any) -> list[tuple[Any, Any]]:
    """Return the keys and values of a mapping, each value with its own key."""
    if not isinstance(plain(defined(mapping)), dict):
        raise FormatError("|items lists a mapping", cure="use |list for a list")
    if isinstance(mapping, Box):
        return [(key, mapping.child(key.plain)) for key in mapping]
    return list(mapping.items())


def filters(native: Mapping[str, Callable[..., Any]], target: Target) -> dict[str, Callable[..., Any]]:
    """Return all filters that compute or format, by name; some are Jinja's own."""
    return {
        **{name: native[name] for name in NATIVE},
        **{name: _divided(name, native[name]) for name in ("batch", "slice")},
        **{name: lift(_computed(name, f)) for name, f in COMPUTED.items()},
        **{name: _format(name, f, target) for name, f in target.formats.items()},
        "items": _items,
    }


def _divided(name: str, native: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that divides a list; how many parts, or how long ones, is bounded."""

    def divided(values: Any, number: Any, *args: Any, **options: Any) -> Any:
        if isinstance(plain(number), int):
            bounds.check_items(f"|{name}", plain(number))
        return native(values, plain(number), *args, **options)

    return divided


def tests(native: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Return Jinja's tests for boxes; only `defined` and `undefined` may be asked of an unknown name."""

    def for_boxes(test: Callable[..., Any]) -> Callable[..., Any]:
        lifted = lift(test)
        return lambda *args: lifted(*map(comparable, args))

    known = {name: test for name, test in native.items() if name not in REFUSED_TESTS}
    # `lift` uses its arguments, and using an unknown name is an error
    free = {name: known[name] for name in ("defined", "undefined")}
    return {name: for_boxes(test) for name, test in known.items()} | free


def function(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the project for boxes; the `Markup` that it returns counts as printed value."""
    lifted = lift(named(name, function))

    def called(*args: Any, **options: Any) -> Any:
        for value in (*args, *options.values()):
            defined(value)
        out = lifted(*args, **options)
        bare = plain(out)
        if not isinstance(bare, Markup):
            return out
        return box(Formatted.of(without_private(bare), plain(args), neutral(bare)), keys(out))

    return called


def own_function(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the project's own for boxes, as a filter and to be called.

    What it makes of several values has the keys of all. An item of a list that it returns is no item
    of a result.
    """
    checked = named(name, function)

    def called(*args: Any, **options: Any) -> Any:
        for value in (*args, *options.values()):
            if isinstance(plain(defined(value)), Markup):
                raise FormatError(f"{name} takes values, this is formatted already", cure="format last")
        return _each(checked(*plain(args), **plain(options)), keys(args, options))

    return called


def _each(value: Any, joined: Keys) -> Any:
    if isinstance(value, list):
        return [_each(part, joined) for part in value]
    if isinstance(value, dict):
        return {key: _each(part, joined) for key, part in value.items()}
    return box(value, joined)


def predicate(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a predicate of claims; unlike other functions it sees the boxes, for its evidence."""
    checked = named(name, function)

    def stated(*args: Any, **options: Any) -> Any:
        for value in (*args, *options.values()):
            defined(value)
        return checked(*args, **options)

    return stated


def without_private(text: str) -> str:
    """Return a text that did not come through `escape`; it must not hold what marks consist of."""
    if found := PRIVATE.search(text):
        raise FormatError(f"this text contains U+{ord(found[0]):04X}", cure="print the value with |text")
    return text


def _format(name: str, function: Callable[..., Any], target: Target) -> Callable[..., Any]:
    """Return a format for boxes: its text remembers the value and carries the joined keys."""
    checked = named(f"|{name}", function)

    def formatted(value: Any, *args: Any, **options: Any) -> Any:
        bare = plain(defined(value))
        if isinstance(bare, Markup):
            if name == "text":
                return value
            what = f"|{name} formats a value, this is formatted already"
            raise FormatError(what, cure="give one format only")
        out = checked(bare, *plain(args), **plain(options))
        # whatever a target writes, data never become marks
        return box(Formatted.of(without_private(target.write(out)), bare, out), keys(value, args, options))

    return formatted


def _computed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that computes with plain values only."""
    checked = named(f"|{name}", function)

    def computed(value: Any, *args: Any, **options: Any) -> Any:
        if isinstance(defined(value), Markup):
            raise FormatError(f"|{name} computes with a value, this is formatted already", cure="format last")
        try:
            return checked(value, *args, **options)
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            what = f"|{name} does not apply to the {kind(value)} {short(value)}"
            raise FormatError(what) from error

    return computed


def named(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function; an option that it does not have is an error that names those it has."""
    signature = inspect.signature(function)
    known = tuple(signature.parameters)[1:]
    takes_all = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    in_order = {p.name for p in signature.parameters.values() if p.kind is p.VAR_POSITIONAL}

    def called(*args: Any, **options: Any) -> Any:
        for option in () if takes_all else options:
            if option not in known:
                cure = did_you_mean(option, known)
                raise FormatError(f"{name} has no option {option!r}", cure=cure, name=option)
        for option in in_order & options.keys():
            cure = f"write them first, one after the other: {name}(…, …)"
            raise FormatError(f"{name} takes {option} without their name", cure=cure, name=option)
        # a TypeError from inside the function is a fault of ours, one of its signature is the author's
        try:
            signature.bind(*args, **options)
        except TypeError as error:
            raise FormatError(f"{name}: {error}", cure=f"its options: {', '.join(known)}") from error
        return function(*args, **options)

    return called


CELL_FORMATS = {name: named(f"format {name!r}", f) for name, f in FORMATS.items()}
"""The formats as table columns name them."""

"""What formats are given: numbers, counts and texts, each checked, with the error that says what is wrong."""

from __future__ import annotations

import math
from typing import Any

from markupsafe import Markup

from labreport.errors import InputError
from labreport.language.spans import without_marks
from labreport.language.values import kind


class FormatError(InputError):
    """A value cannot be printed as the template asks; `name` is the wrong word in the expression."""

    def __init__(self, what: str, *, cure: str | None = None, name: str = "") -> None:
        super().__init__(what, cure=cure)
        self.name = name


def pair(name: str, mean: Any, spread: Any, key: str) -> tuple[float | None, float | None]:
    """Return a mean and its spread: two numbers, or those of a mapping with the keys `mean` and `key`."""
    if isinstance(mean, dict):
        if spread is not None or not {"mean", key} <= set(mean):
            raise FormatError(
                f"|{name} prints a mapping with the keys 'mean' and {key!r}, or two numbers",
                cure=f"this one has the keys: {', '.join(map(str, mean))}"
                if spread is None
                else "give one or the other",
            )
        mean, spread = mean["mean"], mean[key]
    mean, spread = number(mean, name), number(spread, name)
    if spread is not None and spread < 0:
        named = "deviation" if key == "std" else "error"
        raise FormatError(f"a standard {named} cannot be negative: {spread!r}")
    return mean, spread


def number(value: Any, name: str) -> int | float | None:
    """Return a number or a missing value; FormatError if it is neither, or not finite."""
    # True is an int, and would print as 1
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise FormatError(f"|{name} prints a number, not the {kind(value)} {short(value)}", cure=cure(value))
    if isinstance(value, float) and not math.isfinite(value):
        raise FormatError(f"|{name} cannot print {value!r}", cure="record what cannot be computed as missing")
    return value


def count(name: str, value: Any, least: int) -> int:
    """Return an option that counts digits; FormatError if it does not."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 99:
        raise FormatError(f"{name} must be a whole number from {least} to 99, not {value!r}")
    return value


def short(value: Any) -> str:
    """Return a value as messages show it."""
    shown = repr(without_marks(value) if isinstance(value, Markup) else value)
    return shown if len(shown) <= 60 else shown[:59] + "…"


def cure(value: Any) -> str:
    """Return what to do about a value that cannot be printed as it is."""
    if isinstance(value, dict):
        return "name one of its keys: " + ", ".join(list(map(str, value))[:12])
    if isinstance(value, list):
        return "loop over it, or print it with |table or |join"
    if isinstance(value, bool):
        return r"say it in words: \VAR{'yes' if value else 'no'}"
    return "use |text" if isinstance(value, str) else "use |num or another format of numbers"


def option(name: str, value: Any, example: str) -> Any:
    """Return an option of a format or table; FormatError if it was given and is not a text."""
    if value is not None and not isinstance(value, str):
        raise FormatError(f"{name} must be a text, not {value!r}", cure=f"write for example: {example}")
    return value

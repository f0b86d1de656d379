"""What a value prints as, in any language: numbers rounded by one rule, texts, addresses.

A format returns a neutral value (`Number`, `Duration`, `Address`, …; None where a value is missing); a target
writes it down.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from labreport.errors import InputError, did_you_mean
from labreport.language.spans import without_marks
from labreport.language.values import kind

LONGEST_TEXT = 10_000
"""The number of characters after which a text is cut, visibly: TeX cannot read lines of any length."""


class FormatError(InputError):
    """A value cannot be printed as the template asks; `name` is the wrong word in the expression."""

    def __init__(self, what: str, *, cure: str | None = None, name: str = "") -> None:
        super().__init__(what, cure=cure)
        self.name = name


# ---------------------------------------------------------------------------------------------------- text


class Label(str):
    """Lower-case ASCII letters, digits, hyphens and colons, by which something is referred to."""

    __slots__ = ()


class Address(str):
    """An address on the web, percent-encoded to ASCII."""

    __slots__ = ()


class FileName(str):
    """The name of a file."""

    __slots__ = ()


def text(value: Any) -> str | None:
    """Return a text, to be escaped, or what is formatted already; a missing value stays missing."""
    if value is not None and not isinstance(value, str):
        raise FormatError(f"|text prints a text, not the {kind(value)} {short(value)}", cure=cure(value))
    return value


def label(value: Any) -> Label:
    """Return text as a label: lower-case ASCII letters, digits, hyphens and colons."""
    ascii_text = unicodedata.normalize("NFKD", str(value)).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9:]+", "-", ascii_text).strip("-")
    if not slug:
        raise FormatError(
            f"|label finds no letter or digit in {short(value)}", cure="label it by another value"
        )
    return Label(slug)


def url(value: Any) -> Address:
    """Return an address; schemes: http, https, mailto, doi."""
    if not isinstance(value, str) or not re.match(r"(https?://|mailto:|doi:).", value):
        raise FormatError(f"|url prints an address, not {short(value)}", cure="begin it with https://")
    return Address(quote(value, safe=":/?#[]@!$&'()*+,;=%-._~"))


def file(value: Any) -> FileName:
    """Return a file name."""
    if not isinstance(value, str):
        raise FormatError(f"|file prints a file name, not the {kind(value)} {short(value)}", cure=cure(value))
    return FileName(unicodedata.normalize("NFC", value))


def cut(value: str) -> str:
    """Return a text on one line; of a longer one the first `LONGEST_TEXT` characters, and how many more."""
    whole = unicodedata.normalize("NFC", value)
    rest = len(whole) - LONGEST_TEXT
    return re.sub(r"\s+", " ", whole if rest <= 0 else f"{whole[:LONGEST_TEXT]}… ({rest} more characters)")


# ------------------------------------------------------------------------------------------------- numbers


@dataclass(frozen=True)
class Number:
    """A rounded number as decimal texts: mantissa, uncertainty, power of ten, unit (its English name)."""

    mantissa: str
    uncertainty: str | None = None
    exponent: int | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Duration:
    """A time in one unit, or in two that are printed side by side."""

    parts: tuple[Number, ...]


Numeric = Number | Duration
"""What prints as numbers: at the right of a column, and as TeX between dollar signs."""


def num(value: Any, digits: int = 3, decimals: int | None = None) -> Number | None:
    """Return a number with the given significant digits, or the given decimals; integers print whole.

    Below 0.0001 and from a million on, a number given by significant digits gets a power of ten.
    """
    value = _number(value, "num")
    if value is None:
        return None
    if decimals is not None:
        return Number(_fixed(_rounded(_decimal(value), -_count("decimals", decimals, 0))))
    if isinstance(value, int):
        return Number(str(value))
    return _scaled(_significant(_decimal(value), _count("digits", digits, 1)), None)


def pm(mean: Any, std: Any = None) -> Number | None:
    """Return mean ± std: the std with two significant digits, the mean with as many decimals.

    One value may be a mapping with the keys `mean` and `std`. Where the std is missing or zero, the mean has
    three significant digits.
    """
    if isinstance(mean, dict):
        if std is not None or not {"mean", "std"} <= set(mean):
            raise FormatError(
                "|pm prints a mapping with the keys 'mean' and 'std', or two numbers",
                cure=f"this one has the keys: {', '.join(map(str, mean))}"
                if std is None
                else "give one or the other",
            )
        mean, std = mean["mean"], mean["std"]
    mean, std = _number(mean, "pm"), _number(std, "pm")
    if mean is None:
        return None
    if not std:
        return _scaled(_significant(_decimal(mean), 3), None if std is None else Decimal(0))
    if std < 0:
        raise FormatError(f"a standard deviation cannot be negative: {std!r}")
    spread = _significant(_decimal(std), 2)
    return _scaled(_rounded(_decimal(mean), _last_place(spread)), spread)


def percent(value: Any, decimals: int = 1) -> Number | None:
    """Return a fraction as a percentage with the given decimals: 0.123 is 12.3 %; in tables 12.3."""
    value = _number(value, "percent")
    if value is None:
        return None
    hundredths = _decimal(value).scaleb(2, _EXACT)
    return Number(_fixed(_rounded(hundredths, -_count("decimals", decimals, 0))), unit="percent")


def integer(value: Any) -> Number | None:
    """Return a whole number; a number with decimals is an error."""
    value = _number(value, "integer")
    if value is None:
        return None
    if value != int(value):
        raise FormatError(
            f"|integer prints a whole number, not {value!r}", cure="use |num or |num(decimals=0)"
        )
    return Number(str(int(value)))


def duration(value: Any) -> Duration | None:
    """Return a time given in seconds: 0.123 is 120 ms, 3.21 is 3.2 s, 90 is 1 min 30 s, 7260 is 2 h 1 min."""
    seconds = _number(value, "duration")
    if seconds is None:
        return None
    if seconds < 0:
        raise FormatError(f"a duration cannot be negative: {seconds!r}")
    exact = _decimal(seconds)
    for unit, power in (("microsecond", 6), ("millisecond", 3), ("second", 0)):
        rounded = _significant(exact.scaleb(power, _EXACT), 2)
        if rounded and rounded < (10 if power == 0 else 1000):
            return Duration((Number(_fixed(rounded), unit=unit),))
    whole, unit, small = _rounded(exact, 0), "minute", "second"
    if whole < 60:
        return Duration((Number(_fixed(whole), unit="second"),))
    if whole >= 3600:
        whole, unit, small = _rounded(exact / 60, 0), "hour", "minute"
    first, rest = divmod(int(whole), 60)
    return Duration((Number(str(first), unit=unit), *([Number(str(rest), unit=small)] if rest else [])))


def _number(value: Any, name: str) -> int | float | None:
    # True is an int, and would print as 1
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise FormatError(f"|{name} prints a number, not the {kind(value)} {short(value)}", cure=cure(value))
    if isinstance(value, float) and not math.isfinite(value):
        raise FormatError(f"|{name} cannot print {value!r}", cure="record what cannot be computed as missing")
    return value


def _count(name: str, value: Any, least: int) -> int:
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


_EXACT = Context(prec=5000)  # the default, 28 digits, cannot hold 1e300 with its decimals


def _decimal(value: float) -> Decimal:
    """Return the shortest decimal that is this float: 0.1 is 0.1; minus zero is zero."""
    return Decimal(repr(value)) if value else Decimal(0)  # Decimal(0.1) has 55 digits


def _rounded(number: Decimal, place: int) -> Decimal:
    """Return the number, rounded half to even at a power of ten; minus zero is zero."""
    rounded = number.quantize(Decimal(1).scaleb(place), ROUND_HALF_EVEN, _EXACT)
    return abs(rounded) if rounded == 0 else rounded


def _significant(number: Decimal, digits: int) -> Decimal:
    """Return the number with the given significant digits, also where it is rounded to a power of ten."""
    if number == 0:
        return Decimal(0)
    rounded = _rounded(number, number.adjusted() - digits + 1)
    carried = rounded.adjusted() > number.adjusted()  # 0.0999 became 0.100: one digit more than asked for
    return _rounded(number, number.adjusted() - digits + 2) if carried else rounded


def _last_place(number: Decimal) -> int:
    """Return the power of ten of the last digit."""
    return int(number.as_tuple().exponent)


def _scaled(mantissa: Decimal, uncertainty: Decimal | None) -> Number:
    """Return the number, with a power of ten where it is very small or very large."""
    largest = max(abs(mantissa), uncertainty or Decimal(0))
    power = largest.adjusted() if largest else 0
    power = 0 if -5 < power < 6 else power
    spread = None
    if uncertainty is not None:
        spread = _fixed(uncertainty.scaleb(-power, _EXACT)) if uncertainty else "0"
    return Number(_fixed(mantissa.scaleb(-power, _EXACT)), spread, power or None)


def _fixed(number: Decimal) -> str:
    return format(number, "f")


FORMATS: dict[str, Callable[..., Any]] = {
    "num": num,
    "pm": pm,
    "percent": percent,
    "integer": integer,
    "duration": duration,
    "text": text,
    "label": label,
    "url": url,
    "file": file,
}


# ------------------------------------------------------------------------------------------------- figures


@dataclass(frozen=True)
class Figure:
    """A figure of a result as a template shows it: its file, alternative text and, if set, its width."""

    experiment: str
    name: str
    file: str
    alt: str
    width: str | None = None


# ------------------------------------------------------------------------------------------------- tables


@dataclass(frozen=True)
class Column:
    """A column of a table: its head, the fields of a row that it shows, how, and below which heads.

    `under` holds the heads over several neighbouring columns, from top to bottom; `bold` names a field that
    says in which rows the cell is printed bold.
    """

    head: str
    fields: tuple[str, ...]
    format: str = "text"
    under: tuple[str, ...] = ()
    bold: str | None = None
    options: dict[str, Any] = field(default_factory=dict)


def column(
    head: str,
    fields: str | Sequence[str],
    format: str = "text",
    under: str | Sequence[str] = (),
    bold: str | None = None,
    **options: Any,
) -> Column:
    """Return a column for |table: `column("Test loss", ["mean", "std"], "pm", under="Loss")`."""
    if format not in FORMATS:
        cure = did_you_mean(format, FORMATS)
        raise FormatError(f"unknown format {format!r} of a column", cure=cure, name=format)
    names = (fields,) if isinstance(fields, str) else tuple(fields)
    above = (under,) if isinstance(under, str) else tuple(under)
    return Column(head, names, format, above, bold, options)


@dataclass(frozen=True)
class Cell:
    """A cell: what its format returned, what puts marks around its printed text, whether it is bold."""

    content: Any
    mark: Callable[[str], str] = str
    bold: bool = False

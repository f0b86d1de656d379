"""What a value prints as, in any language: numbers rounded by one rule, texts, addresses.

A format returns a neutral value (`Number`, `Duration`, `Address`, …; None where a value is missing); a target
writes it down.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from labreport.language.arguments import FormatError, count, cure, number, pair, short
from labreport.language.rounding import EXACT, decimal, fixed, last_place, rounded, significant
from labreport.language.units import symbol
from labreport.language.values import kind

LONGEST_TEXT = 3_000
"""The number of characters after which a text is cut, visibly.

TeX reads lines of up to 200,000 bytes, and a table of contents has a heading on one line; the longest command
for a character takes 55 of them there.
"""

LONGEST_ADDRESS = 8_000
"""The number of characters after which an address is no link: RFC 9110 (4.1) asks nobody to take more."""


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
    # an address has one fragment, in which no # may stand (RFC 3986): hyperref would leave the rest out
    before, mark, fragment = value.partition("#")
    encoded = (quote(part, safe=":/?[]@!$&'()*+,;=%-._~") for part in (before, fragment))
    return Address(mark.join(encoded))


def file(value: Any) -> FileName:
    """Return a file name."""
    if not isinstance(value, str):
        raise FormatError(f"|file prints a file name, not the {kind(value)} {short(value)}", cure=cure(value))
    return FileName(value)


def cut(value: str) -> str:
    """Return a text as `limited` gives it, on one line."""
    return re.sub(r"\s+", " ", limited(value))


def limited(value: str) -> str:
    """Return a text; of a longer one the first `LONGEST_TEXT` characters, and how many more there are."""
    whole = unicodedata.normalize("NFC", value)
    rest = len(whole) - LONGEST_TEXT
    return whole if rest <= 0 else f"{whole[:LONGEST_TEXT]}… ({rest} more characters)"


# ------------------------------------------------------------------------------------------------- numbers


@dataclass(frozen=True)
class Number:
    """A rounded number as decimal texts: mantissa, uncertainty, power of ten, unit (a name or a symbol).

    A compact one has its uncertainty in brackets, in units of the last digit.
    """

    mantissa: str
    uncertainty: str | None = None
    exponent: int | None = None
    unit: str | None = None
    compact: bool = False


@dataclass(frozen=True)
class Duration:
    """A time in one unit, or in two that are printed side by side."""

    parts: tuple[Number, ...]


def num(value: Any, digits: int = 3, decimals: int | None = None, unit: str | None = None) -> Number | None:
    """Return a number with the given significant digits, or the given decimals; integers print whole.

    Below 0.0001 and from a million on, a number given by significant digits gets a power of ten. A unit is
    written as its symbol: "kg", "m/s^2", "W m^-2"; in tables it belongs in the head.
    """
    value = number(value, "num")
    if value is None:
        return None
    if decimals is not None:
        found = Number(fixed(rounded(decimal(value), -count("decimals", decimals, 0))))
    elif isinstance(value, int):
        found = Number(str(value))
    else:
        found = scaled(significant(decimal(value), count("digits", digits, 1)), None)
    return found if unit is None else replace(found, unit=symbol(unit))


def pm(mean: Any, std: Any = None) -> Number | None:
    """Return mean ± std: the std with two significant digits, the mean with as many decimals.

    One value may be a mapping with the keys `mean` and `std`. Where the std is missing, the mean has three
    significant digits; where it is zero as well, but no fewer than its whole part has.
    """
    mean, std = pair("pm", mean, std, "std")
    if mean is None:
        return None
    if not std:
        exact = decimal(mean)
        if std is None:
            return scaled(significant(exact, 3), None)
        # 12,300 ± 0 would say of 12,345 that its last digits are known to be zeros
        whole = rounded(exact, 0).normalize(EXACT).as_tuple().digits
        return scaled(significant(exact, max(3, len(whole))), Decimal(0))
    spread = significant(decimal(std), 2)
    return scaled(rounded(decimal(mean), last_place(spread)), spread)


def percent(value: Any, decimals: int = 1) -> Number | None:
    """Return a fraction as a percentage with the given decimals: 0.123 is 12.3 %; in tables 12.3."""
    value = number(value, "percent")
    if value is None:
        return None
    hundredths = decimal(value).scaleb(2, EXACT)
    return Number(fixed(rounded(hundredths, -count("decimals", decimals, 0))), unit="percent")


def integer(value: Any) -> Number | None:
    """Return a whole number; a number with decimals is an error."""
    value = number(value, "integer")
    if value is None:
        return None
    if value != int(value):
        raise FormatError(
            f"|integer prints a whole number, not {value!r}", cure="use |num or |num(decimals=0)"
        )
    return Number(str(int(value)))


def duration(value: Any) -> Duration | None:
    """Return a time given in seconds: 0.123 is 120 ms, 3.21 is 3.2 s, 90 is 1 min 30 s, 7260 is 2 h 1 min."""
    seconds = number(value, "duration")
    if seconds is None:
        return None
    if seconds < 0:
        raise FormatError(f"a duration cannot be negative: {seconds!r}")
    exact = decimal(seconds)
    for unit, power in (("microsecond", 6), ("millisecond", 3), ("second", 0)):
        shown = significant(exact.scaleb(power, EXACT), 2)
        if shown and shown < (10 if power == 0 else 1000):
            return Duration((Number(fixed(shown), unit=unit),))
    whole, unit, small = rounded(exact, 0), "minute", "second"
    if whole < 60:
        return Duration((Number(fixed(whole), unit="second"),))
    if whole >= 3600:
        whole, unit, small = rounded(exact / 60, 0), "hour", "minute"
    first, rest = divmod(int(whole), 60)
    return Duration((Number(str(first), unit=unit), *([Number(str(rest), unit=small)] if rest else [])))


def scaled(mantissa: Decimal, uncertainty: Decimal | None, compact: bool = False) -> Number:
    """Return the number, with a power of ten where it is very small or very large."""
    largest = max(abs(mantissa), uncertainty or Decimal(0))
    power = largest.adjusted() if largest else 0
    power = 0 if -5 < power < 6 else power
    spread = None
    if uncertainty is not None:
        spread = fixed(uncertainty.scaleb(-power, EXACT)) if uncertainty else "0"
    return Number(fixed(mantissa.scaleb(-power, EXACT)), spread, power or None, compact=compact)


# ------------------------------------------------------------------------------------------------- figures


@dataclass(frozen=True)
class Figure:
    """A figure of a result as a template shows it: its file, alternative text and, if set, its width.

    A file of the project that is shown as a figure has no experiment; its name is its path. `of` is what its
    key begins with where that is not the experiment: a variant's.
    """

    experiment: str
    name: str
    file: str
    alt: str
    width: str | None = None
    of: str = ""

    @property
    def key(self) -> str:
        """What leads to the figure: its key in the results, or the path of the file."""
        return f"{self.of or self.experiment}.figures.{self.name}" if self.experiment else self.name

"""Formats of quantities: with units, intervals and errors, as shares of others, as money and dates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date as calendar
from decimal import Decimal
from typing import Any

from labreport.language.arguments import FormatError, count, cure, number, pair, short
from labreport.language.formats import Duration, Number, num, scaled
from labreport.language.rounding import EXACT, decimal, fixed, last_place, rounded, significant
from labreport.language.units import is_prefixed, symbol, takes_prefix
from labreport.language.values import kind


class Bare(str):
    """Digits for a program that reads them: siunitx, TikZ, TeX itself."""

    __slots__ = ()


@dataclass(frozen=True)
class Scaled(Number):
    """A number whose unit was chosen for its size; beside others it cannot do without it."""


@dataclass(frozen=True)
class Phrase:
    """Numbers that belong together: `form` names how they are joined; one power of ten, one unit for all."""

    form: str
    numbers: tuple[Number, ...]
    exponent: int | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Money:
    """A rounded amount in a currency, named by its code of ISO 4217."""

    amount: str
    currency: str


@dataclass(frozen=True)
class Date:
    """A day, or a month of which the day is not told: `day` is then missing."""

    year: int
    month: int
    day: int | None = None


@dataclass(frozen=True)
class Ordinal:
    """A place in an order."""

    number: int


Numeric = Number | Duration | Phrase | Money | Ordinal
"""What prints as numbers: at the right of a column, and as TeX between dollar signs."""

# --------------------------------------------------------------------------------------------- single numbers


def raw(value: Any, digits: int | None = None, decimals: int | None = None) -> Bare:
    r"""Return the bare digits of a number, for what reads numbers itself: `\qty{\VAR{x|raw}}{\metre}`, TikZ.

    All digits of the value, with a decimal point in any language, unless told how many.
    """
    bare = number(value, "raw")
    if bare is None:
        raise FormatError("|raw prints a number, and this value is missing", cure="test it: x is not none")
    exact = decimal(bare)
    if decimals is not None:
        exact = rounded(exact, -count("decimals", decimals, 0))
    elif digits is not None:
        exact = significant(exact, count("digits", digits, 1))
    elif exact.adjusted() < 16 and exact == exact.to_integral_value():
        exact = rounded(exact, 0)  # 5, not 5.0: TikZ's loops count with it
    if -10 < exact.adjusted() < 16:
        return Bare(fixed(exact))
    mantissa = fixed(exact.scaleb(-exact.adjusted(), EXACT))
    return Bare(f"{mantissa}e{exact.adjusted()}")


def sci(value: Any, digits: int = 3, unit: str | None = None) -> Number | None:
    """Return a number in scientific notation, always with a power of ten: 1234.5 is 1.23 × 10³."""
    return _with_power(number(value, "sci"), count("digits", digits, 1), 1, unit)


PREFIXES = dict(zip(range(-30, 31, 3), [*"qryzafpnµm", "", *"kMGTPEZYRQ"], strict=True))
"""The SI's prefixes by their power of ten."""


def eng(value: Any, digits: int = 3, unit: str | None = None) -> Number | None:
    """Return a number in engineering notation: its power of ten is a multiple of three: 12.3 × 10³.

    With a unit the power becomes the unit's prefix: 12.3 kHz; but of squares and the like it stays.
    """
    found = _with_power(number(value, "eng"), count("digits", digits, 1), 3, unit)
    if found is None or found.unit is None or (found.exponent or 0) not in PREFIXES:
        return found
    if is_prefixed(found.unit):
        what = f"|eng chooses the prefix, and {found.unit} has one"
        raise FormatError(what, cure='give the value in the unit without it: (1000 * x)|eng(unit="g")')
    if not takes_prefix(found.unit):
        return found  # a km² is a million m²
    return Scaled(found.mantissa, unit=PREFIXES[found.exponent or 0] + found.unit)


def _with_power(value: float | None, digits: int, step: int, unit: str | None) -> Number | None:
    if value is None:
        return None
    found = significant(decimal(value), digits)
    power = (found.adjusted() if found else 0) // step * step
    exponent = power if power or (found and step == 1) else None
    return Number(fixed(found.scaleb(-power, EXACT)), None, exponent, None if unit is None else symbol(unit))


def change(value: Any, decimals: int = 1) -> Number | None:
    """Return a relative change, given as a fraction, with its sign: 0.032 is +3.2 %."""
    bare = number(value, "change")
    if bare is None:
        return None
    shown = rounded(decimal(bare).scaleb(2, EXACT), -count("decimals", decimals, 0))
    return Number(f"{'+' if shown > 0 else ''}{fixed(shown)}", unit="percent")


BYTES = {False: (1000, ("B", "kB", "MB", "GB", "TB", "PB", "EB")), True: (1024, ("B", "KiB", "MiB", "GiB"))}
BYTES[True] = (1024, (*BYTES[True][1], "TiB", "PiB", "EiB"))


def size(value: Any, digits: int = 3, binary: bool = False) -> Number | None:
    """Return a number of bytes: 12.3 kB; with `binary=True` in units of 1024: 12.0 KiB."""
    bare = number(value, "bytes")
    if bare is None:
        return None
    if bare < 0 or bare != int(bare):
        raise FormatError(f"|bytes prints a whole number of bytes, not {bare!r}")
    if not isinstance(binary, bool):
        raise FormatError(f"binary must be true or false, not {binary!r}")
    base, units = BYTES[binary]
    if bare < base:
        return Scaled(str(int(bare)), unit="B")
    exact = decimal(int(bare))
    for power, unit in enumerate(units[1:], 1):
        shown = significant(EXACT.divide(exact, Decimal(base) ** power), count("digits", digits, 1))
        if shown < base or unit == units[-1]:
            break
    return Scaled(fixed(shown), unit=unit)


def ordinal(value: Any) -> Ordinal | None:
    """Return a place in an order: 3 is 3rd, in the language of the document."""
    bare = number(value, "ordinal")
    if bare is None:
        return None
    if bare < 0 or bare != int(bare):
        raise FormatError(f"|ordinal prints a whole number, not {bare!r}")
    return Ordinal(int(bare))


# ------------------------------------------------------------------------------------------- several numbers


def se(mean: Any, error: Any = None, digits: int | None = None) -> Number | None:
    """Return a value with its standard error in brackets, in units of the last digit: 1.234(5).

    The error has one significant digit, two where the first is a 1, or as many as `digits` says. One value
    may be a mapping with the keys `mean` and `se`. Where the error is missing, the value has three digits.
    """
    bare, spread = pair("se", mean, error, "se")
    if bare is None or spread is None:
        return num(bare)
    if spread == 0:
        return Number(fixed(decimal(bare)), "0", compact=True)
    exact = decimal(spread)
    wanted = digits and count("digits", digits, 1)
    shown = significant(exact, wanted or (2 if str(significant(exact, 1).as_tuple().digits[0]) == "1" else 1))
    return scaled(rounded(decimal(bare), last_place(shown)), shown, compact=True)


def ci(
    estimate: Any,
    low: Any = None,
    high: Any = None,
    digits: int = 2,
    decimals: int | None = None,
    unit: str | None = None,
) -> Phrase | None:
    """Return an estimate with its confidence interval: 0.12 [0.08, 0.16], all with the same decimals.

    Half the interval's width has two significant digits, or as many as `digits` says. One value may be a
    mapping with the keys `estimate` (or `mean`), `low` and `high`.
    """
    parts = _named("ci", ("estimate", "low", "high"), estimate, low, high)
    if None in parts:
        return None
    middle, lower, upper = map(decimal, parts)
    if not lower <= middle <= upper:
        what = f"|ci: {parts[0]!r} does not lie between {parts[1]!r} and {parts[2]!r}"
        raise FormatError(what, cure="give the estimate, its lower and its upper bound")
    return _phrase("ci", (middle, lower, upper), EXACT.subtract(upper, lower) / 2, digits, decimals, unit)


def between(
    low: Any,
    high: Any = None,
    digits: int = 3,
    decimals: int | None = None,
    unit: str | None = None,
) -> Phrase | None:
    """Return a range of two numbers: 1.20–3.40, both with the same decimals; whole numbers print whole.

    One value may be a list of two, or a mapping with the keys `low` and `high`.
    """
    if isinstance(low, list | tuple) and len(low) == 2 and high is None:
        low, high = low
    parts = _named("range", ("low", "high"), low, high)
    if None in parts:
        return None
    lower, upper = map(decimal, parts)
    if lower > upper:
        raise FormatError(f"|range: {parts[0]!r} is above {parts[1]!r}", cure="give the lower bound first")
    if decimals is None and all(isinstance(part, int) for part in parts):
        decimals = 0
    found = _phrase("range", (lower, upper), max(abs(lower), abs(upper)), digits, decimals, unit)
    # a dash before a minus sign could not be read
    return found if lower >= 0 else Phrase("wide range", found.numbers, found.exponent, found.unit)


def p(value: Any, decimals: int = 3) -> Phrase | None:
    """Return a p-value: p = 0.012, and never 0 or 1 where it is neither: p < 0.001; in tables < 0.001."""
    bare = number(value, "p")
    if bare is None:
        return None
    if not 0 <= bare <= 1:
        raise FormatError(f"|p prints a p-value, from 0 to 1, not {bare!r}")
    exact, least = decimal(bare), Decimal(1).scaleb(-count("decimals", decimals, 1))
    if exact < least:
        return Phrase("p <", (Number(fixed(least)),))
    if 1 - least < exact < 1:
        return Phrase("p >", (Number(fixed(1 - least)),))
    return Phrase("p =", (Number(fixed(rounded(exact, last_place(least)))),))


def rate(value: Any, per: Any, digits: int = 3, decimals: int | None = None) -> Phrase | None:
    """Return a share as a rate per so many: `0.000123|rate(100000)` is 12.3 per 100,000."""
    bare = number(value, "rate")
    whole = number(per, "rate")
    if whole is None or whole <= 0 or whole != int(whole):
        raise FormatError(f"|rate prints a rate per a whole number, not per {per!r}", cure="x|rate(1000)")
    if bare is None:
        return None
    exact = EXACT.multiply(decimal(bare), decimal(whole))
    place = _place(exact, digits, decimals)
    return Phrase("per", (Number(fixed(rounded(exact, place))), Number(str(int(whole)))))


def _named(name: str, parts: tuple[str, ...], first: Any, *rest: Any) -> list[Any]:
    """Return the numbers of a mapping with these keys, or those that are given one by one."""
    given = [first, *rest]
    if isinstance(first, Mapping):
        if "estimate" in parts and "estimate" not in first and "mean" in first:
            parts = tuple("mean" if part == "estimate" else part for part in parts)
        if not set(parts) <= set(first) or any(part is not None for part in rest):
            keys = ", ".join(map(repr, parts))
            what = f"|{name} prints a mapping with the keys {keys}, or {len(parts)} numbers"
            raise FormatError(what, cure=f"this one has the keys: {', '.join(map(str, first))}")
        given = [first[part] for part in parts]
    elif all(part is None for part in rest) and first is not None:
        others = ", ".join(parts[1:])
        raise FormatError(f"|{name} prints {len(parts)} numbers", cure=f"write {parts[0]}|{name}({others})")
    return [number(part, name) for part in given]


def _place(scale: Decimal, digits: int, decimals: int | None) -> int:
    """Return the power of ten at which to round: by decimals, or by the significant digits of a scale."""
    if decimals is not None:
        return -count("decimals", decimals, 0)
    return last_place(significant(scale, count("digits", digits, 1)))


def _phrase(
    form: str,
    numbers: tuple[Decimal, ...],
    scale: Decimal,
    digits: int,
    decimals: int | None,
    unit: str | None,
) -> Phrase:
    """Return numbers that are rounded at one place, with one power of ten where they are large or small."""
    place = _place(scale or max(map(abs, numbers)), digits, decimals)
    shown = [rounded(n, place) for n in numbers]
    power = max(n.adjusted() if n else -99 for n in shown)
    power = 0 if decimals is not None or power == -99 or -5 < power < 6 else power
    digits_of = tuple(Number(fixed(n.scaleb(-power, EXACT))) for n in shown)
    return Phrase(form, digits_of, power or None, None if unit is None else symbol(unit))


# -------------------------------------------------------------------------------------------- money and dates


def currency(value: Any, code: Any, decimals: int | None = None) -> Money | None:
    """Return an amount of money in a currency of ISO 4217, as usual in the language: €1,234.50."""
    from babel.numbers import get_currency_precision, is_currency

    bare = number(value, "currency")
    if not isinstance(code, str) or not is_currency(code, "en"):
        raise FormatError(
            f"|currency knows no currency {code!r}", cure='its code of ISO 4217: x|currency("EUR")'
        )
    if bare is None:
        return None
    places = get_currency_precision(code) if decimals is None else count("decimals", decimals, 0)
    return Money(fixed(rounded(decimal(bare), -places)), code)


def date(value: Any) -> Date | None:
    """Return a day written as in ISO 8601 in the language of the document: 2025-03-01 is 1 March 2025.

    A month, 2025-03, prints without a day.
    """
    if value is None:
        return None
    found = re.fullmatch(r"(\d{4})-(\d\d)(?:-(\d\d))?", value) if isinstance(value, str) else None
    if not found:
        timed = isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d[T ]", value)
        what = f"|date prints a day such as 2025-03-01, not the {kind(value)} {short(value)}"
        raise FormatError(what, cure="leave the time out: x[:10]|date" if timed else cure(value))
    year, month, day = int(found[1]), int(found[2]), found[3] and int(found[3])
    try:
        calendar(year, month, day or 1)
    except ValueError as error:
        raise FormatError(f"|date: {value} is not in the calendar ({error})") from error
    return Date(year, month, day or None)

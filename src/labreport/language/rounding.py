"""Exact decimal rounding, half to even, without the binary fractions of floats."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

EXACT = Context(prec=5000)  # the default, 28 digits, cannot hold 1e300 with its decimals


def decimal(value: float) -> Decimal:
    """Return the shortest decimal that is this float: 0.1 is 0.1; minus zero is zero."""
    return Decimal(repr(value)) if value else Decimal(0)  # Decimal(0.1) has 55 digits


def rounded(number: Decimal, place: int) -> Decimal:
    """Return the number, rounded half to even at a power of ten; minus zero is zero."""
    found = number.quantize(Decimal(1).scaleb(place), ROUND_HALF_EVEN, EXACT)
    return abs(found) if found == 0 else found


def significant(number: Decimal, digits: int) -> Decimal:
    """Return the number with the given significant digits, also where it is rounded to a power of ten."""
    if number == 0:
        return Decimal(0)
    found = rounded(number, number.adjusted() - digits + 1)
    carried = found.adjusted() > number.adjusted()  # 0.0999 became 0.100: one digit more than asked for
    return rounded(number, number.adjusted() - digits + 2) if carried else found


def last_place(number: Decimal) -> int:
    """Return the power of ten of the last digit."""
    return int(number.as_tuple().exponent)


def fixed(number: Decimal) -> str:
    """Return a number as digits, without a power of ten."""
    return format(number, "f")

"""Formats of quantities: rounded exactly and honestly, refused where they would say something else."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labreport.language.arguments import FormatError
from labreport.language.formats import Number, num
from labreport.language.quantities import (
    Date,
    Money,
    Phrase,
    between,
    change,
    ci,
    currency,
    date,
    eng,
    ordinal,
    p,
    rate,
    raw,
    sci,
    se,
    size,
)


def read(value: Phrase | Number | None) -> str:
    """Return the parts of what a format returned, in their order."""
    if isinstance(value, Phrase):
        parts = [value.form, *(n.mantissa for n in value.numbers)]
        return (
            " ".join(parts)
            + (f" e{value.exponent}" if value.exponent else "")
            + (f" {value.unit}" if value.unit else "")
        )
    assert isinstance(value, Number)
    error = "" if value.uncertainty is None else f"({value.uncertainty})"
    power = "" if value.exponent is None else f" e{value.exponent}"
    return f"{value.mantissa}{error}{power}" + (f" {value.unit}" if value.unit else "")


@pytest.mark.parametrize(
    ("value", "options", "expected"),
    [
        (0.1, {}, "0.1"),
        (-3, {}, "-3"),
        (5.0, {}, "5"),
        (1e-7, {}, "0.0000001"),
        (1.5e-12, {}, "1.5e-12"),
        (1e22, {}, "1e22"),
        (0.125, {"decimals": 2}, "0.12"),
        (2.675, {"decimals": 2}, "2.68"),
        (123456.0, {"digits": 2}, "120000"),
        (5.0, {"decimals": 1}, "5.0"),
    ],
)
def test_raw_numbers_are_bare_digits(value, options, expected):
    assert raw(value, **options) == expected
    assert options or Decimal(raw(value)) == Decimal(repr(value))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_raw_loses_no_digit(value):
    assert float(raw(value)) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "p < 0.001"),
        (0.00099999, "p < 0.001"),
        (0.001, "p = 0.001"),
        (0.0123, "p = 0.012"),
        (0.9994, "p > 0.999"),
        (0.999, "p = 0.999"),
        (1, "p = 1.000"),
        (1e-300, "p < 0.001"),
    ],
)
def test_p_values_are_never_zero_and_one_only_where_they_are(value, expected):
    assert read(p(value)) == expected


@pytest.mark.parametrize(
    ("mean", "error", "expected"),
    [
        (1.2341, 0.005, "1.234(0.005)"),
        (1.2341, 0.0146, "1.234(0.015)"),
        (1.2341, 0.0096, "1.2341(0.0096)"),
        (12345, 678.0, "12300(700)"),
        (9.9996, 0.0021, "10.000(0.002)"),
        (1.5e-9, 2e-11, "1.50(0.02) e-9"),
        (3, None, "3"),
        (0.25, 0, "0.25(0)"),
    ],
)
def test_a_standard_error_decides_the_last_digit_of_its_value(mean, error, expected):
    assert read(se(mean, error)) == expected


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (ci(0.123, 0.081, 0.165), "ci 0.123 0.081 0.165"),
        (ci({"estimate": 2.5, "low": -1, "high": 6.0}), "ci 2.5 -1.0 6.0"),
        (ci({"mean": 2.5, "low": -1, "high": 6.0}), "ci 2.5 -1.0 6.0"),
        (ci(1.25e-9, 1.0e-9, 1.5e-9), "ci 1.25 1.00 1.50 e-9"),
        (ci(120.0, 80.0, 160.0, unit="kg"), "ci 120 80 160 kg"),
        (ci(0.12345, 0.1, 0.2, decimals=1), "ci 0.1 0.1 0.2"),
        (between(1.2, 3.4), "range 1.20 3.40"),
        (between([2, 17]), "range 2 17"),
        (between({"low": -5, "high": 10}, unit="°C"), "wide range -5 10 °C"),
        (rate(0.000123, 100000), "per 12.3 100000"),
        (rate(0.0, 1000), "per 0 1000"),
    ],
)
def test_numbers_that_belong_together_share_their_decimals(made, expected):
    assert read(made) == expected


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (sci(1234.5), "1.23 e3"),
        (sci(5.0), "5.00 e0"),
        (eng(12345.0), "12.3 e3"),
        (eng(999999.0), "1.00 e6"),
        (eng(0.00047, unit="F"), "470 µF"),
        (eng(12.0, unit="m/s"), "12.0 m/s"),
        (eng(12345.0, unit="m/s^2"), "12.3 km/s^2"),
        (eng(12345.0, unit="m^2"), "12.3 e3 m^2"),
        (eng(12345.0, unit="%"), "12.3 e3 %"),
        (sci(0.0), "0"),
        (change(0.032), "+3.2 percent"),
        (change(-0.0004), "0.0 percent"),
        (change(-0.5, decimals=0), "-50 percent"),
        (size(0), "0 B"),
        (size(999), "999 B"),
        (size(999_999), "1.00 MB"),
        (size(1536, binary=True), "1.50 KiB"),
        (size(2**80), "1210000 EB"),
    ],
)
def test_powers_of_ten_prefixes_and_signs(made, expected):
    assert read(made) == expected


@pytest.mark.parametrize("format", [sci, eng, change, size, ordinal, p, date, se, ci, between])
def test_a_missing_value_stays_missing(format):
    assert format(None) is None


def test_currencies_have_their_usual_decimals_and_dates_their_calendar():
    assert currency(1234.565, "EUR") == Money("1234.56", "EUR")
    assert currency(1234.5, "JPY") == Money("1234", "JPY")
    assert date("2024-02-29") == Date(2024, 2, 29)


@pytest.mark.parametrize(
    ("call", "what", "cure"),
    [
        (lambda: raw(None), "missing", "not none"),
        (lambda: raw("a"), "not the text 'a'", "|text"),
        (lambda: p(1.5), "from 0 to 1", None),
        (lambda: ci(1.0), "3 numbers", "estimate|ci(low, high)"),
        (lambda: ci({"value": 1.0}), "'estimate', 'low', 'high'", "value"),
        (lambda: ci(1.0, 2.0, 3.0), "does not lie between", "lower"),
        (lambda: between(3, 2), "is above", "lower bound first"),
        (lambda: se(1.0, -0.1), "cannot be negative", None),
        (lambda: rate(0.5, 0), "not per 0", "x|rate(1000)"),
        (lambda: size(1.5), "whole number of bytes", None),
        (lambda: ordinal(2.5), "whole number", None),
        (lambda: currency(1, "EURO"), "'EURO'", 'currency("EUR")'),
        (lambda: date("1 March"), "such as 2025-03-01", None),
        (lambda: date("2025-02-30"), "not in the calendar", None),
        (lambda: date("2025-03-01T12:00"), "such as 2025-03-01", "x[:10]|date"),
        (lambda: eng(1.0, unit=r"\kilo"), "not the symbol", 'unit="kg"'),
        (lambda: eng(1.0, unit="kg"), "kg has one", 'eng(unit="g")'),
        (lambda: eng(1.0, unit="ms"), "ms has one", None),
        (lambda: num(1.0, unit=""), "not the symbol", 'unit="kg"'),
        (lambda: ci(1.0, 0.0, 2.0, digits="2"), "whole number", None),
    ],
)
def test_what_would_say_something_else_is_refused(call, what, cure):
    with pytest.raises(FormatError) as caught:
        call()
    assert what in str(caught.value)
    assert cure is None or cure in str(caught.value.cure)

"""Symbols of units: one spelling for the many that people type."""

import pytest

from labreport.language.arguments import FormatError
from labreport.language.units import factors, symbol


@pytest.mark.parametrize(
    ("typed", "spelled"),
    [
        ("kg", "kg"),
        ("m/s^2", "m/s^2"),
        ("m s⁻²", "m s^-2"),
        ("m·s-2", "m s^-2"),
        ("m2", "m^2"),
        ("1/s", "s^-1"),
        ("/s", "s^-1"),
        ("J/(kg K)", "J/(kg K)"),
        ("\N{GREEK SMALL LETTER MU}m", "µm"),
        ("\N{OHM SIGN}", "Ω"),
        ("°C", "°C"),
        ("%", "%"),
    ],
)
def test_spellings_of_a_unit(typed, spelled):
    assert symbol(typed) == spelled
    assert "".join(factors(spelled)) == spelled


@pytest.mark.parametrize("typed", ["", "  ", r"\metre", "a_b", "{x}", "percent", "minute", "x^", 3])
def test_what_is_no_symbol_is_refused(typed):
    with pytest.raises(FormatError, match="unit"):
        symbol(typed)

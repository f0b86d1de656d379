"""Numbers that a script reads as the same: a double tells whole numbers apart up to 2 to the power of 53."""

import pytest

from labreport.page.numbers import countable, exact, printed


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (-(2**63), "-9223372036854775808"),
        (
            {"seed": 2**64 - 1, "n": (3, 2**53 + 1)},
            {"seed": "18446744073709551615", "n": [3, "9007199254740993"]},
        ),
        (float("inf"), "inf"),
        (-0.0, "-0.0"),
        (1e300, 1e300),
    ],
)
def test_a_number_that_a_script_would_change_is_a_text(value, told):
    assert exact(value) == told


@pytest.mark.parametrize("value", [True, None, "007", 0.0, 0])
def test_all_else_stays_as_it_is(value):
    assert exact(value) is value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1.25928e-15 (e.values.x-1) is below 1e-11", "1.25928 × 10⁻¹⁵ (e.values.x-1) is below 1 × 10⁻¹¹"),
        ("estimate 0.1 [-0.0152, 2e+20], 95 %.", "estimate 0.1 [−0.0152, 2 × 10²⁰], 95 %."),
        ("e.tables.rows[shape=d1w-2, lr=1e-3] is -5.", "e.tables.rows[shape=d1w-2, lr=1e-3] is −5."),
        ("'a-1' is 3.1(a) or -1.2.3", "'a-1' is 3.1(a) or -1.2.3"),
    ],
)
def test_numbers_in_a_text_are_as_in_print(text, told):
    assert printed(text) == told


@pytest.mark.parametrize(
    ("source", "told"),
    [("x < 0.00000000001", "x < 1e-11"), ("x < 0.0005", "x < 0.0005"), ("x.a0.00001", "x.a0.00001")],
)
def test_zeros_that_must_be_counted_are_told_as_a_power(source, told):
    assert countable(source) == told

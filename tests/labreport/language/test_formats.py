"""Formats: numbers by one rounding rule, labels, addresses, names of files."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labreport.language.formats import (
    FormatError,
    Number,
    duration,
    file,
    integer,
    label,
    num,
    percent,
    pm,
    text,
    url,
)


def test_text_takes_texts_and_missing_values_only():
    assert text(None) is None
    assert text("a_b") == "a_b"
    for wrong, cure in ((1.5, "|num"), (True, "in words"), ({"a": 1}, "keys: a"), ([1], "|join")):
        with pytest.raises(FormatError) as caught:
            text(wrong)
        assert cure in caught.value.cure


@pytest.mark.parametrize(("length", "shown"), [(58, f"'{'x' * 58}'"), (59, f"'{'x' * 58}…")])
def test_messages_show_sixty_characters_of_a_wrong_value(length, shown):
    with pytest.raises(FormatError) as caught:
        num("x" * length)
    assert str(caught.value).partition("\n")[0] == f"|num prints a number, not the text {shown}"


@pytest.mark.parametrize(
    ("value", "slug"),
    [
        ("Depth 3, width 3", "depth-3-width-3"),
        ("fig:Dvořák_{x}", "fig:dvorak-x"),
        ("  --  A&B  --  ", "a-b"),
        (7, "7"),
        ("3.1(a)", "3-1-a"),
    ],
)
def test_labels_are_lower_case_letters_digits_hyphens_and_colons(value, slug):
    assert label(value) == slug


@pytest.mark.parametrize("value", ["", "漢字", "{}", "---"])
def test_a_label_without_letter_or_digit_is_refused(value):
    with pytest.raises(FormatError, match="no letter or digit"):
        label(value)


@pytest.mark.parametrize(
    "value", ["example.org", "javascript:alert(1)", "file:///etc/passwd", "https://", 3, None]
)
def test_only_addresses_of_known_schemes_are_printed_as_addresses(value):
    with pytest.raises(FormatError, match="address"):
        url(value)


def test_a_file_name_that_is_no_text_is_refused():
    with pytest.raises(FormatError, match="file name"):
        file(3)


@pytest.fixture(autouse=True)
def exact():
    """Let decimal arithmetic of the tests be exact."""
    with localcontext(prec=2000):
        yield


def shown(number: Number | None) -> str:
    """Return a number as one reads it: mantissa, ± uncertainty, power of ten."""
    if number is None:
        return "-"
    spread = "" if number.uncertainty is None else f" ± {number.uncertainty}"
    return number.mantissa + spread + ("" if number.exponent is None else f" e{number.exponent}")


class TestNumbers:
    @pytest.mark.parametrize(
        ("value", "options", "expected"),
        [
            (0.012345, {}, "0.0123"),
            (123.456, {}, "123"),
            (0.1, {}, "0.100"),
            (9.995, {}, "10.0"),  # a tie: to the even 10.00, of which three digits stay
            (9.985, {}, "9.98"),
            (2.5, {"digits": 1}, "2"),
            (3.5, {"digits": 1}, "4"),
            (0.125, {"decimals": 2}, "0.12"),
            (0.375, {"decimals": 2}, "0.38"),
            (2.675, {"decimals": 2}, "2.68"),  # the shortest decimal counts, not the binary 2.67499…
            (0.99951, {"digits": 3}, "1.00"),
            (99.96, {"digits": 3}, "100"),
            (999999.0, {}, "1.00 e6"),
            (123456.0, {}, "123000"),
            (1234567.0, {}, "1.23 e6"),
            (0.0001, {}, "0.000100"),
            (0.00001234, {}, "1.23 e-5"),
            (0.000099996, {"digits": 4}, "0.0001000"),
            (5e-324, {}, "5.00 e-324"),
            (1.7976931348623157e308, {}, "1.80 e308"),
            (-0.0123456, {}, "-0.0123"),
            (-0.0, {}, "0"),
            (0.0, {}, "0"),
            (0.0, {"decimals": 2}, "0.00"),
            (-0.0004, {"decimals": 2}, "0.00"),
            (1e30, {"decimals": 1}, "1" + "0" * 30 + ".0"),
            (12345678, {}, "12345678"),
            (-7, {}, "-7"),
            (7, {"decimals": 2}, "7.00"),
            (10**40, {}, "1" + "0" * 40),
            (None, {}, "-"),
        ],
    )
    def test_num_rounds_half_to_even_to_significant_digits_or_decimals(self, value, options, expected):
        assert shown(num(value, **options)) == expected

    @pytest.mark.parametrize(
        ("mean", "std", "expected"),
        [
            (0.123456, 0.0123456, "0.123 ± 0.012"),
            (1.23456, 0.5, "1.23 ± 0.50"),
            (0.0996, 0.0999, "0.10 ± 0.10"),  # the std carries: 0.0999 -> 0.10
            (0.0996, 0.0994, "0.100 ± 0.099"),
            (1000.6, 123.4, "1000 ± 120"),
            (14.5, 9.96, "14 ± 10"),
            (15.5, 9.96, "16 ± 10"),
            (1e-9, 0.1, "0.00 ± 0.10"),
            (-1e-9, 0.1, "0.00 ± 0.10"),
            (-0.123456, 0.0123456, "-0.123 ± 0.012"),
            (1.5e-7, 2.5e-8, "1.50 ± 0.25 e-7"),
            (0, 1e-7, "0.0 ± 1.0 e-7"),
            (1e-7, 2e-3, "0.0000 ± 0.0020"),
            (12345678.0, 123456.0, "1.235 ± 0.012 e7"),
            (1e30, 1e-5, "1." + "0" * 36 + " ± 0." + "0" * 34 + "10 e30"),
            (0.123456, 0.0, "0.123 ± 0"),
            (1e-7, 0, "1.00 ± 0 e-7"),
            (1e7, 0.0, "1.00 ± 0 e7"),
            (0, 0, "0 ± 0"),
            (12345, 0, "12345 ± 0"),
            (-12345.6, 0.0, "-12346 ± 0"),
            (1234567, 0, "1.234567 ± 0 e6"),
            (99999.5, 0, "100000 ± 0"),
            (12000.0, 0, "12000 ± 0"),
            (0.123456, None, "0.123"),
            (5, None, "5.00"),
            (5, 0.25, "5.00 ± 0.25"),
            (None, 0.1, "-"),
            (None, None, "-"),
        ],
    )
    def test_pm_gives_the_std_two_digits_and_the_mean_as_many_decimals(self, mean, std, expected):
        assert shown(pm(mean, std)) == expected
        assert shown(pm({"mean": mean, "std": std, "n": 3})) == expected

    @pytest.mark.parametrize(
        ("value", "decimals", "expected"),
        [
            (0.123456, 1, "12.3"),
            (0.9999, 1, "100.0"),
            (0.0005, 1, "0.0"),
            (0.0015, 1, "0.2"),
            (1, 0, "100"),
            (-0.05, 1, "-5.0"),
            (None, 1, "-"),
        ],
    )
    def test_percent_prints_a_fraction_of_one(self, value, decimals, expected):
        number = percent(value, decimals)
        assert shown(number) == expected
        assert number is None or number.unit == "percent"

    @pytest.mark.parametrize(
        ("seconds", "expected"),
        [
            (0, "0 s"),
            (1e-7, "0.10 us"),
            (2.34e-5, "23 us"),
            (0.0009996, "1.0 ms"),
            (0.00123, "1.2 ms"),
            (0.12, "120 ms"),
            (0.996, "1.0 s"),
            (0.994, "990 ms"),
            (3.21, "3.2 s"),
            (9.94, "9.9 s"),
            (9.96, "10 s"),
            (59.4, "59 s"),
            (59.96, "1 min"),
            (60, "1 min"),
            (61, "1 min 1 s"),
            (90, "1 min 30 s"),
            (119.7, "2 min"),
            (3599.4, "59 min 59 s"),
            (3599.7, "1 h"),
            (3629.7, "1 h"),
            (5369.6, "1 h 29 min"),
            (7180, "2 h"),
            (7260, "2 h 1 min"),
            (360000, "100 h"),
        ],
    )
    def test_durations_carry_at_the_boundaries_of_their_units(self, seconds, expected):
        units = {"microsecond": "us", "millisecond": "ms", "second": "s", "minute": "min", "hour": "h"}
        parts = [(part.mantissa, part.unit) for part in duration(seconds).parts]
        read = [f"{n} {units[unit]}" for n, unit in parts]
        assert " ".join(read) == expected

    def test_numbers_have_up_to_99_digits_or_decimals(self):
        assert shown(percent(0.5, 99)) == "50." + "0" * 99
        assert shown(percent(0.5, 0)) == "50"
        assert shown(num(1.5, digits=99)) == "1.5" + "0" * 97
        for count in (-1, 100, True, 1.0):
            with pytest.raises(FormatError, match="whole number from 0 to 99"):
                percent(0.5, count)
        with pytest.raises(FormatError, match="whole number from 1 to 99"):
            num(1.5, digits=0)

    def test_integers_are_whole(self):
        assert shown(integer(3.0)) == "3"
        assert shown(integer(-(10**20))) == "-1" + "0" * 20
        assert integer(None) is None
        with pytest.raises(FormatError, match="whole number"):
            integer(3.5)

    @pytest.mark.parametrize("formatted", [num, pm, percent, integer, duration])
    @pytest.mark.parametrize("value", [True, "1", [1], {"a": 1}, float("nan"), float("inf")])
    def test_what_is_no_finite_number_is_refused(self, formatted, value):
        with pytest.raises(FormatError):
            formatted(value)

    @pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "3", 100, None])
    def test_digits_are_a_number_that_makes_sense(self, wrong):
        with pytest.raises(FormatError, match="digits must be"):
            num(1.5, digits=wrong)

    def test_a_negative_spread_or_time_is_refused(self):
        for wrong in (lambda: pm(1.0, -0.1), lambda: duration(-1)):
            with pytest.raises(FormatError, match="negative"):
                wrong()

    @given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 20))
    def test_a_printed_number_is_within_half_a_unit_of_its_last_significant_digit(self, value, digits):
        number, exact = num(value, digits), Decimal(repr(value))
        printed, _ = worth(number.mantissa, number.exponent)
        assert abs(printed - exact) <= Decimal(5).scaleb(exact.adjusted() - digits)
        assert number.exponent is None or 1 <= abs(Decimal(number.mantissa)) < 10
        assert value == 0 or len(number.mantissa.strip("-").replace(".", "").lstrip("0")) >= digits

    @given(
        st.floats(allow_nan=False, allow_infinity=False, min_value=-1e20, max_value=1e20),
        st.floats(min_value=1e-20, max_value=1e20),
    )
    def test_mean_and_std_are_rounded_at_the_second_digit_of_the_std(self, mean, std):
        number = pm(mean, std)
        printed_mean, last_of_mean = worth(number.mantissa, number.exponent)
        printed_std, last_of_std = worth(number.uncertainty, number.exponent)
        unit = Decimal(1).scaleb(Decimal(repr(std)).adjusted() - 1)
        assert abs(printed_std - Decimal(repr(std))) <= unit / 2
        rounded_at = unit * (10 if printed_std == 100 * unit else 1)  # 0.0999 is printed as 0.10
        assert printed_std % rounded_at == printed_mean % rounded_at == 0
        assert abs(printed_mean - Decimal(repr(mean))) <= rounded_at / 2
        assert last_of_mean == last_of_std == min(rounded_at, last_of_std)

    @given(st.floats(min_value=-1e6, max_value=1e6), st.integers(0, 10))
    def test_a_printed_percentage_is_within_half_a_unit_of_its_last_digit(self, value, decimals):
        printed, unit = worth(percent(value, decimals).mantissa, None)
        assert unit == Decimal(1).scaleb(-decimals)
        assert abs(printed - Decimal(repr(value)) * 100) <= unit / 2


def worth(mantissa: str, exponent: int | None) -> tuple[Decimal, Decimal]:
    """Return a printed number and the unit of its last digit."""
    number = Decimal(f"{mantissa}E{exponent or 0}")
    return number, Decimal(1).scaleb(number.as_tuple().exponent)

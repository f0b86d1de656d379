"""Comparisons: exact numbers, numbers as printed, estimates by their interval, samples by a test."""

import pytest
from claimed import estimate, judged, of, said, shown, states, verdict
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from labreport.language import FormatError

numbers = st.floats(-1e6, 1e6) | st.integers(-(10**20), 10**20)
PYTHON = {
    "lt": lambda a, b: a < b,
    "lteq": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "gteq": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
}


def compared(operator, a, b):
    return verdict(said("compare", (operator,), a, b))


class TestExactNumbers:
    @given(st.sampled_from(list(PYTHON)), numbers, numbers)
    def test_bare_values_compare_as_in_python(self, operator, a, b):
        expected = "holds" if PYTHON[operator](a, b) else "fails"
        assert compared(operator, of(a), of(b, "d.y")) == expected

    def test_a_chain_holds_if_each_link_does(self):
        assert verdict(said("compare", ("lt", "lteq"), 1, of(2), 2)) == "holds"
        assert verdict(said("compare", ("lt", "lt"), 1, of(2), 2)) == "fails"

    def test_equal_numbers_are_neither_above_nor_below(self):
        for name in ("above", "below", "differs"):
            assert verdict(said(name, of(1), 1.0)) == "fails"

    def test_the_nearest_true_statement_names_values_and_keys(self):
        assert states(said("compare", ("gt",), of(0.00117, "loss.deep"), of(0.00097, "loss.flat"))) == [
            "0.00117 (loss.deep) is above 0.00097 (loss.flat)"
        ]
        assert states(said("below", 0.123456789, 0.123456788)) == ["0.123456789 is above 0.123456788"]

    def test_floats_are_the_decimals_that_they_print_as(self):
        assert verdict(said("compare", ("eq",), said("difference", of(0.3), of(0.1)), 0.2)) == "holds"
        assert verdict(said("compare", ("eq",), said("ratio", of(0.3), of(0.1)), 3)) == "holds"

    def test_texts_and_truth_values_are_equal_or_not(self):
        assert compared("eq", of("adam"), "adam") == "holds"
        assert compared("ne", of(True), False) == "holds"
        assert states(said("compare", ("eq",), of("adam"), "sgd")) == ["'adam' (d.x) is not 'sgd'"]
        with pytest.raises(FormatError, match="not the text 'adam'"):
            compared("lt", of("adam"), 3)

    def test_in_looks_into_a_list_or_a_text(self):
        assert compared("in", of(3), of([1, 2, 3], "d.l")) == "holds"
        assert compared("notin", shown(0.3333, decimals=2), [0.33]) == "fails"
        assert compared("in", "da", of("adam")) == "holds"
        with pytest.raises(FormatError, match="looks into a list"):
            compared("in", 1, of(2))

    def test_numbers_that_are_none_are_refused(self):
        with pytest.raises(FormatError, match="cannot speak of inf"):
            said("above", float("inf"))


class TestNumbersAsPrinted:
    @pytest.mark.parametrize(
        ("a", "b", "difference"),
        [
            (shown(0.2531, decimals=3), shown(0.2296, decimals=3, key="d.y"), 0.023),
            (shown(0.12349, "percent"), shown(0.10001, "percent", key="d.y"), shown(0.023, "percent")),
            (shown(1.5e-7, digits=2), shown(0.5e-7, digits=2), 1e-7),
            (shown(90, "duration"), shown(30, "duration"), shown(60, "duration")),
            (shown(1234567), 4567, 1230000),
        ],
    )
    def test_differences_are_those_of_the_printed_decimals(self, a, b, difference):
        assert verdict(said("compare", ("eq",), said("difference", a, b), difference)) == "holds"

    def test_what_is_printed_alike_is_equal(self):
        assert compared("eq", shown(0.1234), shown(0.1231)) == "holds"
        assert compared("lt", of(0.1231), of(0.1234)) == "holds"

    def test_percentages_meet_percentages_only(self):
        assert compared("lt", shown(0.285, "percent"), shown(0.313, "percent")) == "holds"
        assert compared("gt", shown(0.285, "percent"), 0) == "holds"
        with pytest.raises(FormatError, match=r"28.5 % .* compared with 30: one has a unit") as caught:
            compared("lt", shown(0.285, "percent"), 30)
        assert "0.3|percent" in caught.value.cure

    def test_the_mean_of_plus_or_minus_is_not_a_number_to_compare(self):
        with pytest.raises(FormatError, match="does not say how sure its mean is"):
            compared("lt", shown({"mean": 0.05, "std": 0.12}, "pm"), 1)

    def test_statements_show_numbers_as_printed(self):
        assert states(said("below", shown(0.0501, "percent"), shown(0.05, "percent"))) == [
            "5.0 % (d.x) equals 5.0 % (d.x)"
        ]


class TestEstimates:
    @pytest.mark.parametrize(
        ("low", "high", "below", "above", "same"),
        [
            (-2, -1, "holds", "fails", "fails"),
            (1, 2, "fails", "holds", "fails"),
            (-1, 1, "undecided", "undecided", "undecided"),
        ],
    )
    def test_an_interval_on_one_side_decides(self, low, high, below, above, same):
        x = estimate((low + high) / 2, low, high)
        assert verdict(said("below", x)) == below
        assert verdict(said("above", x)) == above
        assert compared("lt", x, 0) == below
        assert compared("lt", 0, x) == above
        assert compared("eq", x, 0) == same
        assert verdict(said("differs", x)) == {"fails": "holds"}.get(same, same)

    @given(st.floats(-5, 5), st.floats(0, 5), st.floats(0, 5), st.floats(0, 1), st.floats(-5, 5))
    def test_a_narrower_interval_never_turns_or_loses_a_verdict(self, value, below, above, factor, bound):
        wide = estimate(value, value - below, value + above)
        narrow = estimate(value, value - factor * below, value + factor * above)
        for name in ("below", "above", "differs"):
            before, after = verdict(said(name, wide, bound)), verdict(said(name, narrow, bound))
            assert before in ("undecided", after)
        before, after = (verdict(said("within", x, bound, 1)) for x in (wide, narrow))
        assert before in ("undecided", after)

    def test_statement_and_evidence_tell_the_interval(self):
        (entry,) = judged(said("below", estimate(0.005, -0.0008, 0.011, n=12))).evidence
        assert entry["states"] == (
            "d.e may be above or below 0: estimate 0.005 [-0.0008, 0.011], 95 %, n = 12"
        )
        assert (entry["effect"], entry["low"], entry["high"]) == (0.005, -0.0008, 0.011)
        assert (entry["method"], entry["level"], entry["n"]) == ("its interval", 0.95, 12)

    def test_a_corrected_p_must_agree_with_the_interval(self):
        assert verdict(said("above", estimate(1, 0.1, 1.9, p=0.02, p_holm=0.12))) == "undecided"
        assert "corrected p = 0.12" in states(said("above", estimate(1, 0.1, 1.9, p_holm=0.12)))[0]
        assert verdict(said("above", estimate(1, 0.1, 1.9, p_holm=0.04))) == "holds"
        assert verdict(said("above", estimate(1, -0.1, 1.9, p_holm=0.04))) == "undecided"

    def test_a_p_speaks_of_its_own_hypothesis_only(self):
        assert verdict(said("above", estimate(3, 2, 4, p_holm=0.5), 1)) == "holds"
        assert verdict(said("above", estimate(3, 2, 4, p_holm=0.5, null=1), 1)) == "undecided"

    def test_a_mean_with_its_standard_deviation_is_an_estimate(self):
        # Student: nine degrees of freedom, 2.262
        mean = of({"mean": 10.0, "std": 3.0, "n": 10, "min": 1.0})
        (entry,) = judged(said("above", mean, 7)).evidence
        assert (entry["low"], entry["high"]) == pytest.approx((7.854, 12.146), abs=5e-4)
        assert entry["verdict"] == "holds"
        assert verdict(said("above", mean, 8)) == "undecided"
        assert verdict(said("above", of({"mean": 1.0, "std": 0.0, "n": 2}))) == "undecided"

    def test_two_intervals_decide_if_they_lie_apart(self):
        a, b = estimate(1, 0.5, 1.5, "d.a"), estimate(2, 1.6, 2.4, "d.b")
        assert verdict(said("below", a, b)) == "holds"
        assert verdict(said("above", a, b)) == "fails"
        assert verdict(said("below", estimate(1, 0.5, 1.7, "d.a"), b)) == "undecided"
        assert verdict(said("below", estimate(1, 0.5, 1.7, "d.a"), b, "unpaired")) == "holds"
        with pytest.raises(FormatError, match="estimates hold no pairs"):
            said("below", a, b, "paired")

    @pytest.mark.parametrize(
        "missing", [None, {"estimate": None, "low": None, "high": None}, {"mean": 1.0, "std": None, "n": 1}]
    )
    def test_what_is_missing_is_undecided(self, missing):
        for predicate in (
            said("below", of(missing), 1),
            said("compare", ("lt",), of(missing), 1),
            said("between", of(missing), 0, 1),
            said("equal_within", of(missing), 0, 1),
            said("largest", of([missing, 1.0], "d.l"), 0),
            said("times", of(missing), 1, 2),
        ):
            assert verdict(predicate) == "undecided"
            assert states(predicate)[0].startswith(("d.x ", "d.l[0] "))


class TestEquivalence:
    @pytest.mark.parametrize(
        ("low", "high", "expected"),
        [
            (-0.05, 0.08, "holds"),
            (0.01, 0.08, "holds"),  # not zero, and still no difference that matters
            (-0.05, 0.12, "undecided"),
            (0.11, 0.2, "fails"),
            (-0.2, -0.11, "fails"),
        ],
    )
    def test_the_interval_must_lie_within_the_margin(self, low, high, expected):
        assert verdict(said("equal_within", estimate((low + high) / 2, low, high), 0, 0.1)) == expected

    def test_without_a_margin_no_data_show_equality(self):
        with pytest.raises(FormatError, match="no data show that two things do not differ at all") as caught:
            said("equal_within", estimate(0, -1, 1), 0)
        assert "equal_within(a, b, 0.01)" in caught.value.cure

    @pytest.mark.parametrize("first", [shown(0.3, "percent", decimals=0), estimate(0.3, 0.2, 0.4)])
    def test_the_margin_of_a_percentage_is_one(self, first):
        half = shown(0.5, "percent", decimals=0)
        with pytest.raises(FormatError, match=r"% \(d.x\) is compared with 5"):
            said("within", first, half, 5)
        assert verdict(said("within", first, half, shown(0.31, "percent", decimals=0))) == "holds"

    def test_exact_numbers_lie_within_a_margin_or_not(self):
        assert verdict(said("within", of(0.3), 0.2, 0.1)) == "holds"
        assert verdict(said("within", of(0.31), 0.2, 0.1)) == "fails"
        assert states(said("within", of(0.31), 0.2, 0.1)) == ["0.31 (d.x) and 0.2 differ by 0.11"]

    def test_samples_are_tested_against_both_margins(self):
        first = [1.0, 1.2, 0.9, 1.1, 1.0, 1.05, 0.95, 1.0]
        second = [1.01, 1.19, 0.92, 1.09, 1.0, 1.04, 0.97, 1.0]
        assert verdict(said("equal_within", first, second, 0.1, "paired")) == "holds"
        assert verdict(said("equal_within", first, second, 0.001, "paired")) == "undecided"
        assert verdict(said("equal_within", [x + 1 for x in first], second, 0.1, "paired")) == "fails"
        assert verdict(said("equal_within", first, second, 1.1, "ratio")) == "holds"
        (entry,) = judged(said("equal_within", first, second, 0.02, "paired")).evidence
        sides = [
            ttest_1samp([a - b for a, b in zip(first, second, strict=True)], m).pvalue for m in (-0.02, 0.02)
        ]
        assert entry["p"] == pytest.approx(max(sides))
        with pytest.raises(FormatError, match=r"the margin cannot be 0\.1"):
            said("equal_within", first, second, 0.1, "ratio")

    def test_between_includes_its_bounds(self):
        assert verdict(said("between", of(2), 1, 2)) == "holds"
        assert states(said("between", of(3), 1, 2)) == ["3 (d.x) is above 2"]
        assert verdict(said("between", estimate(0.5, 0.2, 0.8), 0, 1)) == "holds"
        assert verdict(said("between", estimate(0.5, 0.2, 1.2), 0, 1)) == "undecided"
        assert verdict(said("between", estimate(3, 2, 4), 0, 1)) == "fails"
        with pytest.raises(FormatError, match="2 is above 1"):
            said("between", of(3), 2, 1)


class TestSamples:
    first = (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
    second = (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)

    def test_the_sleep_data_are_decided_in_pairs_and_not_without(self):
        # Student (1908): p = 0.0028 in pairs; Welch: p = 0.079
        a, b = of(list(self.first), "sleep.a"), of(list(self.second), "sleep.b")
        assert verdict(said("below", a, b, "paired")) == "holds"
        assert verdict(said("above", a, b, "paired")) == "fails"
        assert verdict(said("below", a, b, "unpaired")) == "undecided"
        assert states(said("below", a, b, "paired")) == [
            "sleep.a is below sleep.b: paired difference -1.58 [-2.46, -0.7], 95 %, n = 10"
        ]

    @pytest.mark.parametrize("how", ["paired", "unpaired", "permutation", "paired permutation", "ratio"])
    def test_each_way_finds_a_large_difference_and_none_in_equal_samples(self, how):
        a = [1.0 + (i * 7 % 11) / 10 for i in range(20)]
        b = [5.0 + (i * 5 % 13) / 10 for i in range(20)]
        assert verdict(said("below", a, b, how)) == "holds"
        assert verdict(said("above", a, b, how)) == "fails"
        assert verdict(said("below", a, list(a), how)) == "undecided"

    def test_samples_without_a_way_to_compare_them_are_refused(self):
        with pytest.raises(FormatError, match="does not say how to compare") as caught:
            said("below", list(self.first), list(self.second))
        assert all(how in caught.value.cure for how in ("paired", "unpaired", "permutation", "ratio"))
        with pytest.raises(FormatError, match="in no way called 'piared'") as caught:
            said("below", list(self.first), list(self.second), "piared")
        assert "'paired'" in caught.value.cure

    def test_a_sample_is_compared_with_a_number(self):
        assert verdict(said("above", list(self.second), 0)) == "holds"
        assert verdict(said("compare", ("gt",), list(self.first), 0)) == "undecided"
        assert verdict(said("above", [True] * 9 + [False], 0.5)) == "holds"

    def test_truth_values_are_compared_as_shares(self):
        first, second = [True] * 48 + [False] * 2, [True] * 36 + [False] * 12 + [True, False]
        (entry,) = judged(said("above", first, second, "paired")).evidence
        assert (entry["verdict"], entry["n"]) == ("holds", 50)
        assert entry["effect"] == pytest.approx(11 / 50)
        assert entry["method"] == "exact McNemar test, Newcombe's interval"
        assert verdict(said("above", first, second, "unpaired")) == "holds"

    def test_samples_that_are_too_small_decide_nothing(self):
        assert verdict(said("above", of([1.0]), 0)) == "undecided"
        assert states(said("above", of([1.0]), 0)) == ["d.x has one value: too few to tell their spread"]
        assert verdict(said("below", [1.0], [2.0], "paired")) == "undecided"

    @pytest.mark.parametrize(
        ("a", "b", "how", "what"),
        [
            ([1.0, 2.0], [1.0, 2.0, 3.0], "paired", "2 values, the sample 3: they are no pairs"),
            ([1.0, 2.0], [True, False], "paired", "truth values cannot be compared with numbers"),
            ([1.0, -2.0], [1.0, 2.0], "ratio", "needs numbers above zero"),
            ([1.0, 2.0], 3, "paired", "compares two samples"),
            ([1.0, 2.0], estimate(1, 0, 2), None, "is a sample and d.e an estimate"),
        ],
    )
    def test_what_cannot_be_compared_is_refused(self, a, b, how, what):
        with pytest.raises(FormatError, match=what):
            said("below", a, b, how)

    def test_the_level_can_be_chosen(self):
        a, b = list(self.first), list(self.second)
        assert verdict(said("below", a, b, "unpaired", level=0.9)) == "holds"
        (entry,) = judged(said("below", a, b, "unpaired", level=0.9)).evidence
        assert entry["level"] == 0.9
        with pytest.raises(FormatError, match="a level is a number"):
            said("below", a, b, "unpaired", level=95)


def test_a_predicate_is_no_number():
    inner = said("above", of(2), 1)
    with pytest.raises(FormatError, match="not about another predicate") as caught:
        said("above", inner, 1)
    assert "joined by and, or, not" in caught.value.cure


def test_the_values_behind_printed_numbers_are_told_in_full():
    found = judged(said("compare", ("lt",), shown(81.4202, digits=1), 81.5))
    assert found.values == {"d.x": 81.4202}


def test_columns_of_a_table_are_told_apart():
    milk = [of(value, f"d.cups[{row}].milk") for row, value in enumerate((1.0, 2.0, 4.0))]
    bare = [of(value, f"d.cups[{row}].bare") for row, value in enumerate((2.0, 3.5, 5.0))]
    found = judged(said("below", milk, bare, "paired"))
    assert found.evidence[0]["states"].startswith(
        "d.cups[…].milk (3 values) is below d.cups[…].bare (3 values):"
    )
    assert {key: value["mean"] for key, value in found.values.items()} == {
        "d.cups[…].milk (3 values)": 7 / 3,
        "d.cups[…].bare (3 values)": 3.5,
    }

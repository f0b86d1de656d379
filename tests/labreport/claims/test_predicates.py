"""What prepares operands: samples of tables, rates; and predicates inside a document."""

import itertools
import re
from pathlib import Path

import pytest
from claimed import judged, of, said, shown, states, verdict
from rendering import mistake, rendered

from labreport.claims import PREDICATES, WORDS, judge
from labreport.claims.questions import HOWS
from labreport.language import Box, FormatError, plain

ROWS = [
    {
        "shape": shape,
        "repeat": repeat,
        "loss": repeat + 1 + (shape == "3x3") * (0.5 + 0.01 * (repeat % 3)),
        "solved": True,
    }
    for repeat in range(20)
    for shape in ("2x3", "3x3")
]
TABLE = Box(ROWS, ("d.tables.repeats",))


class TestSamples:
    def test_a_column_is_selected_by_equality_and_keeps_its_key(self):
        sample = said("sample", TABLE, "loss", by="repeat", shape="2x3")
        assert sample.values == tuple(float(i + 1) for i in range(20))
        found = judged(said("above", sample, 0))
        assert found.keys == {"d.tables.repeats.loss"}
        assert found.values == {"d.tables.repeats.loss[shape=2x3]": {"n": 20, "mean": 10.5}}
        assert found.evidence[0]["states"].startswith(
            "d.tables.repeats.loss[shape=2x3] is above 0: mean 10.5"
        )

    def test_by_pairs_rows_whatever_their_order_and_says_who_has_no_partner(self):
        reversed_rows = Box(ROWS[::-1][:-6], ("d.tables.repeats",))
        a = said("sample", TABLE, "loss", by="repeat", shape="3x3")
        b = said("sample", reversed_rows, "loss", by="repeat", shape="2x3")
        (entry,) = judged(said("above", a, b, "paired")).evidence
        assert entry["n"] == 17
        assert entry["effect"] == pytest.approx(0.51, abs=0.001)
        assert entry["method"].endswith("3 values without a partner left out")

    def test_pairs_need_an_index_on_both_sides(self):
        a = said("sample", TABLE, "loss", by="repeat", shape="3x3")
        b = said("sample", TABLE, "loss", shape="2x3")
        with pytest.raises(FormatError, match="one has an index"):
            said("above", a, b, "paired")

    def test_a_sample_of_truth_values_is_a_share(self):
        assert verdict(said("nearly_all", said("sample", TABLE, "solved"))) == "holds"

    def test_a_selection_that_is_empty_decides_nothing(self):
        sample = said("sample", TABLE, "loss", shape="2x3", solved=False)
        assert states(said("above", sample, 0)) == [
            "d.tables.repeats.loss[shape=2x3, solved=False] has no value: too few to tell their spread"
        ]
        assert verdict(said("most", said("sample", TABLE, "solved", solved=False))) == "undecided"

    @pytest.mark.parametrize(
        ("args", "options", "what", "cure"),
        [
            ((TABLE, "los"), {}, "no column 'los'", "'loss'"),
            ((TABLE, "loss"), {"shpe": "2x3"}, "no column 'shpe'", "'shape'"),
            ((TABLE, "loss"), {"shape": "2x33"}, "no row of the table has shape='2x33'", "'2x3'"),
            ((TABLE, "loss"), {"by": "repeat"}, "repeat does not name one row each", "more columns"),
            ((TABLE, "shape"), {}, "holds the text '2x3'", "select"),
            ((of([{"a": None}]), "a"), {}, "holds the missing value None", "select"),
            ((of([1, 2]), "a"), {}, "sample takes the rows of a table", None),
        ],
    )
    def test_a_slip_of_the_pen_is_told(self, args, options, what, cure):
        with pytest.raises(FormatError, match=what) as caught:
            said("sample", *args, **options)
        assert cure is None or cure in caught.value.cure


class TestRates:
    def test_a_rate_is_an_estimate_with_wilsons_interval(self):
        rate = said("rate", of(81, "d.solved"), 263)  # Newcombe (1998), table I
        assert (plain(rate)["low"], plain(rate)["high"]) == pytest.approx((0.2553, 0.3662), abs=5e-5)
        assert judged(said("below", rate, 0.5)).keys == {"d.solved"}
        assert verdict(said("below", rate, 0.5)) == "holds"
        assert verdict(said("below", rate, 0.3)) == "undecided"

    def test_a_rate_of_nothing_is_unknown(self):
        assert verdict(said("below", said("rate", of(0), 0), 0.5)) == "undecided"

    @pytest.mark.parametrize(("part", "whole"), [(4, 3), (-1, 3), (1.5, 3)])
    def test_impossible_counts_are_refused(self, part, whole):
        with pytest.raises(FormatError, match="cannot be a part of"):
            said("rate", of(part), whole)


@pytest.mark.parametrize(
    ("first", "second", "told", "came_out"),
    [
        (of(False), True, "d.x is false", "fails"),
        (False, of(False), "d.x is false", "holds"),
        (of(True), True, "d.x is true", "holds"),
        (of(True, "d.a"), of(False, "d.b"), "True (d.a) is not False (d.b)", "fails"),
        (of("over"), "under", "'over' (d.x) is not 'under'", "fails"),
    ],
)
def test_what_is_no_number_is_equal_or_not(first, second, told, came_out):
    found = said("compare", ("eq",), first, second)
    assert (states(found), verdict(found)) == ([told], came_out)


class TestComputed:
    def test_ratios_and_differences_are_exact_and_keep_their_keys(self):
        found = judged(said("compare", ("eq",), said("ratio", of(1600, "d.a"), of(200, "d.b")), 8))
        assert (found.verdict, found.keys) == ("holds", {"d.a", "d.b"})
        assert found.evidence[0]["states"] == "8 (d.a and d.b) equals 8"

    def test_of_a_missing_number_nothing_is_computed(self):
        assert verdict(said("compare", ("gt",), said("difference", of(None), 1), 0)) == "undecided"

    def test_of_uncertain_numbers_neither_is(self):
        with pytest.raises(FormatError, match="is uncertain"):
            said("ratio", [1.0, 2.0], 2)
        with pytest.raises(FormatError, match="cannot divide by 0"):
            said("ratio", 2, of(0))


VALUES = {
    "rows": ROWS,
    "a": 0.3,
    "b": 0.1,
    "flag": True,
    "L": [3, 2, 1],
    "e": {"estimate": 1, "low": 0, "high": 2},
}


def document(predicate):
    source = (
        f'\\BLOCK{{claim "c", {predicate}}}H\\BLOCK{{undecided}}U\\BLOCK{{otherwise}}F\\BLOCK{{endclaim}}'
    )
    return rendered(source, VALUES, predicates=PREDICATES, judge=judge).text


class TestInADocument:
    @pytest.mark.parametrize(
        ("predicate", "text"),
        [
            ("d.a > d.b", "H"),
            ("0 < d.a <= 0.2", "F"),
            ("d.e > 0.5 or d.flag", "H"),
            ("d.e > 0.5 and d.flag", "U"),
            ("not d.flag", "F"),
            ("d.flag", "H"),
            ("count(d.a > 1, d.b > 0, d.e > -1) >= 2", "H"),
            (
                'below(sample(d.rows, "loss", by="repeat", shape="2x3"), '
                'sample(d.rows, "loss", by="repeat", shape="3x3"), "paired")',
                "H",
            ),
            ("difference(d.a|num(decimals=1), d.b|num(decimals=1)) == 0.2", "H"),
            ("ranked(d.L) and largest(d.L, 0)", "H"),
            ("most(3, 4, of='population')", "H"),
            ("times(d.a, d.b, 3)", "H"),
            ("all_of([d.a > 0, d.b > 0])", "H"),
            ("3 in d.L", "H"),
            ("d.rows|length == 40", "H"),
        ],
    )
    def test_predicates_take_what_templates_hold(self, predicate, text):
        assert document(predicate) == text

    @pytest.mark.parametrize(
        ("predicate", "what"),
        [
            ("below(d.L, d.L)", "does not say how to compare"),
            ('below(d.e, 0, "paired")', "compares two samples"),
            ("below(d.nope)", "no key 'nope'"),
            ("below(d.e, levle=0.9)", "no option 'levle'"),
            ("below()", "below: missing a required argument"),
        ],
    )
    def test_a_wrong_predicate_is_told_at_its_line(self, predicate, what):
        source = f'a\n\\BLOCK{{claim "c", {predicate}}}H\\BLOCK{{endclaim}}'
        error = mistake(source, values=VALUES, predicates=PREDICATES, judge=judge)
        assert what in error.what
        assert error.place.line == 2

    def test_an_if_cannot_ask_for_a_verdict(self):
        error = mistake(
            "\\BLOCK{if below(d.e)}a\\BLOCK{endif}", values=VALUES, predicates=PREDICATES, judge=judge
        )
        assert "known only when the whole document is rendered" in error.what


class TestIntervals:
    def parts(self, low, high, estimate=0.0004):
        names = {"behind": estimate, "behind_low": low, "behind_high": high}
        return [of(value, f"d.second.{name}") for name, value in names.items()]

    @pytest.mark.parametrize(
        ("low", "high", "expected"),
        [(0.0001, 0.0017, "holds"), (-0.0011, 0.0017, "undecided"), (-0.002, -0.001, "fails")],
    )
    def test_parts_with_other_names_are_an_estimate(self, low, high, expected):
        found = said("interval", *self.parts(low, high))
        assert verdict(said("above", found)) == expected
        assert verdict(said("compare", ("gt",), found, 0)) == expected

    def test_it_is_called_by_the_key_of_the_estimate_and_all_parts_are_recorded(self):
        found = judged(said("above", said("interval", *self.parts(-0.0011, 0.0017), of(100, "d.second.n"))))
        assert found.evidence[0]["states"] == (
            "d.second.behind may be above or below 0: estimate 0.0004 [-0.0011, 0.0017], 95 %, n = 100"
        )
        assert found.values == {
            "d.second.behind": 0.0004,
            "d.second.behind_low": -0.0011,
            "d.second.behind_high": 0.0017,
            "d.second.n": 100,
        }

    def test_a_missing_part_decides_nothing(self):
        assert verdict(said("above", said("interval", *self.parts(None, 0.0017)))) == "undecided"

    def test_printed_parts_are_taken_as_printed(self):
        printed = [shown(value, decimals=2) for value in (0.026, 0.004, 0.047)]
        assert verdict(said("above", said("interval", *printed))) == "undecided"  # [0.00, 0.05]

    def test_what_is_an_estimate_already_is_told_so(self):
        with pytest.raises(FormatError, match=r"d\.x is uncertain") as caught:
            said("interval", of({"estimate": 1, "low": 0, "high": 2}), 0, 2)
        assert caught.value.cure == "an estimate is used as it is"

    def test_an_interval_the_wrong_way_round_is_an_error(self):
        with pytest.raises(FormatError, match=r"its interval goes from 0.0017 to -0.0011"):
            said("interval", *self.parts(0.0017, -0.0011))


class TestOddOperands:
    @pytest.mark.parametrize(
        ("odd", "message"),
        [
            ({"estimate": 1, "low": 2, "high": 0}, "its interval goes from 2 to 0"),
            ({"estimate": 1, "low": 0, "high": 2, "level": 95}, "its 'level' is the whole number 95"),
            ({"estimate": 1, "low": 0, "high": 2, "p": "0.1"}, "its 'p' is the text '0.1'"),
            ({"mean": 1, "std": -1, "n": 5}, "its 'std' is the whole number -1"),
            ({"mean": 1, "std": 1, "n": 2.5}, "its 'n' is the number 2.5"),
        ],
    )
    def test_a_mapping_that_can_be_no_estimate_is_an_error(self, odd, message):
        with pytest.raises(FormatError, match=message):
            said("above", of(odd))

    def test_an_empty_list_decides_nothing(self):
        assert states(said("above", of([]))) == ["d.x has no value"]

    @pytest.mark.parametrize("odd", [[1.0, float("nan")], [1.0, float("inf")], [1e308, 1.7e308]])
    def test_a_sample_that_cannot_be_computed_with_is_an_error(self, odd):
        with pytest.raises(FormatError, match=r"cannot be computed as missing|too large to compute"):
            said("above", of(odd))

    def test_a_list_is_found_in_a_list_of_lists_and_a_text_holds_texts_only(self):
        assert verdict(said("compare", ("in",), of([1, 2]), [[1, 2]])) == "holds"
        with pytest.raises(FormatError, match="a text holds texts only"):
            said("compare", ("in",), of(None), "abc")

    def test_two_counts_are_not_compared(self):
        two = said("count", True, False), said("count", True)
        with pytest.raises(FormatError, match="compared with a whole number"):
            said("compare", ("gteq",), *two)

    def test_a_row_without_the_column_has_a_missing_value(self):
        rows = Box([{"a": 1, "x": 1.0}, {"a": 2}], ("d.tables.t",))
        assert said("sample", rows, "x", a=1).values == (1.0,)
        with pytest.raises(FormatError, match=r"d.tables.t.x holds the missing value"):
            said("sample", rows, "x")

    def test_where_the_interval_would_suffice_and_p_does_not_p_is_told(self):
        assert states(said("above", of([1.0] * 5)))[0].endswith("mean 1 [1, 1], 95 %, n = 5; p = 0.062")


class TestOutsideClaims:
    @pytest.mark.parametrize(
        ("expression", "what"),
        [
            ("above(d.L)", "verdicts are not printed"),
            ("interval(1, 0, 2)", "estimates are not printed"),
            ("ratio(4, 2)", "computed numbers are not printed"),
            ("sample(d.t, 'g')", "samples are not printed"),
        ],
    )
    def test_what_claims_are_made_of_is_not_printed(self, expression, what):
        error = mistake(f"\\VAR{{{expression}}}", predicates=PREDICATES)
        assert error.what == what
        assert "claim" in error.cure

    def test_an_experiment_that_is_called_like_a_function_hides_it_outside_claims_only(self):
        called = {"d": PREDICATES["above"]}  # the experiment of `rendered` is called d, too
        error = mistake("\\BLOCK{set x = d(d.b)}", predicates=called)
        assert error.what == "d is an experiment here, which hides the function"
        claim = '\\BLOCK{claim "c", d(d.b)}above zero\\BLOCK{endclaim}'
        assert rendered(claim, predicates=called, judge=judge).text == "above zero"


class TestReadme:
    TEXT = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")

    def table(self, head):
        """Return the rows below a head, as pairs of cells."""
        lines = iter(self.TEXT.splitlines())
        assert head in lines  # the iterator now stands behind it
        rows = itertools.takewhile(lambda line: line.startswith("|"), lines)
        return [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows][1:]

    def test_the_table_of_words_is_the_one_that_judges(self):
        assert self.table("| word | the share is |") == [(f"`{w.name}`", w.meaning) for w in WORDS]

    def test_the_table_of_tests_is_the_one_that_errors_show(self):
        assert self.table("| `how` | the test |") == [(f'`"{h}"`', meaning) for h, meaning in HOWS.items()]

    def test_every_predicate_is_described(self):
        section = self.TEXT.partition("## What the text claims")[2].partition("\n## ")[0]
        described = set(re.findall(r"`(\w+)(?:\(|`)", section))
        # comparisons and `not` are called by their operators
        assert set(PREDICATES) - {"compare", "not_"} <= described

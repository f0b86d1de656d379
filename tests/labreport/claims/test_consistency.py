"""Printed numbers that do not fit each other: two precisions, recomputed values, coarse means."""

import pytest
from rendering import rendered

from labreport.claims.consistency import arithmetic, precisions, standard_errors
from labreport.claims.nearest import numbers
from labreport.claims.reading import read

VALUES = {
    # of the report that was read as an examiner would: 0.253 - 0.229 was printed as 0.023
    "swept": 0.2526,
    "fresh": 0.2294,
    "bias": 0.2526 - 0.2294,
    "share": 0.2526 / 0.2294,
    "total": 0.2526 + 0.2294,
    "half": 0.5,
    "quarter": 0.25,
    "n": 40,
}


def recomputed(body: str, values=VALUES) -> list[str]:
    return [misfit.what for misfit in arithmetic(read(rendered(body, values)))]


class TestPrecisions:
    def test_one_key_with_two_precisions_is_found_with_both_places(self):
        out = rendered("\\VAR{d.swept|num}\n\n\\VAR{d.swept|num(digits=2)}", VALUES)
        (misfit,) = precisions(out)
        assert misfit.what == "d.swept is printed as 0.25 here, as 0.253 there"
        assert (out.place(misfit.start).line, out.place(misfit.other).line) == (3, 1)

    @pytest.mark.parametrize(
        "body",
        [
            r"\VAR{d.swept|num} \VAR{d.swept|num} \VAR{d.fresh|num(digits=2)}",
            r"\VAR{d.half|num(digits=2)} and \VAR{d.half|percent}",  # 0.50 and 50.0 % are read apart
            r"\VAR{d.swept|num} \VAR{(d.swept * 2)|num(digits=2)}",
            r"\VAR{d.n|num} \VAR{d.n|integer} \VAR{d.n}",
        ],
    )
    def test_other_values_and_units_have_precisions_of_their_own(self, body):
        assert precisions(rendered(body, VALUES)) == []


class TestArithmetic:
    def test_a_difference_of_printed_numbers_is_recomputed(self):
        body = (
            r"\VAR{d.swept|num} became \VAR{d.fresh|num}, a bias of \VAR{(d.swept - d.fresh)|num(digits=2)}"
        )
        assert recomputed(body) == ["0.253 − 0.229 is 0.024, not 0.023"]

    def test_so_is_one_that_the_result_holds_itself(self):
        body = r"\VAR{d.swept|num} became \VAR{d.fresh|num}, a bias of \VAR{d.bias|num(digits=2)}"
        assert recomputed(body) == ["0.253 − 0.229 is 0.024, not 0.023"]

    def test_the_parts_of_an_expression_may_be_printed_elsewhere(self):
        difference = r"\VAR{(d.swept - d.fresh)|num(decimals=3)}"
        assert recomputed(f"\\VAR{{d.swept|num}} \\VAR{{d.fresh|num}}\n\nLater: {difference}") == [
            "0.253 − 0.229 is 0.024, not 0.023"
        ]

    def test_a_sum_is_recomputed(self):
        values = {"a": 0.2526, "b": 0.1436, "sum": 0.2526 + 0.1436}
        body = r"\VAR{d.a|num} and \VAR{d.b|num} make \VAR{d.sum|num}"
        found = recomputed(body, values)
        assert found == ["0.253 + 0.144 is 0.397, not 0.396"]

    def test_a_ratio_may_differ_by_one_of_its_last_digits_and_no_more(self):
        body = r"\VAR{d.swept|num(digits=2)} / \VAR{d.fresh|num(digits=2)} = "
        assert recomputed(body + r"\VAR{d.share|num(decimals=2)}") == []  # 0.25 / 0.23 = 1.087, 1.10 is shown
        coarse = {"a": 0.145, "b": 0.0954, "ratio": 0.145 / 0.0954}
        text = r"\VAR{d.a|num(decimals=2)} / \VAR{d.b|num(decimals=3)} = \VAR{d.ratio|num}"
        assert recomputed(text, coarse) == ["0.14 / 0.095 is 1.47, not 1.52"]

    @pytest.mark.parametrize(
        ("change", "found"),
        [
            ("d.swept / d.fresh - 1", "0.25 relative to 0.23 is 8.7 %, not 10.1 %"),
            ("(d.swept - d.fresh) / d.swept", "0.23 below 0.25 is 8.0 %, not 9.2 %"),
        ],
    )
    def test_a_relative_change_is_recomputed_where_an_expression_computes_it(self, change, found):
        parts = r"from \VAR{d.swept|num(decimals=2)} to \VAR{d.fresh|num(decimals=2)}"
        body = f"{parts}, by \\VAR{{({change})|percent(decimals=1)}}"
        assert recomputed(body) == [found]
        assert recomputed(body.replace("decimals=2", "decimals=4")) == []

    def test_shares_that_happen_to_be_a_relative_change_are_none(self):
        values = {"a": 3 / 64, "b": 4 / 64, "c": 1 / 4}
        body = r"\VAR{d.a|percent(decimals=1)}, \VAR{d.b|percent(decimals=1)}, \VAR{d.c|percent(decimals=1)}"
        assert recomputed(body, values) == []

    def test_a_percentage_is_compared_as_one(self):
        values = {"a": 0.555, "b": 0.2145, "gain": 0.555 - 0.2145}
        body = r"\VAR{d.a|percent(decimals=0)} \VAR{d.b|percent(decimals=0)} \VAR{d.gain|percent(decimals=0)}"
        assert recomputed(body, values) == ["56 % − 21 % is 35 %, not 34 %"]

    @pytest.mark.parametrize(
        "body",
        [
            r"\VAR{d.swept|num(decimals=4)} \VAR{d.fresh|num(decimals=4)} \VAR{d.bias|num(decimals=4)}",
            r"\VAR{d.half|num} \VAR{d.quarter|num} \VAR{d.n}",
            r"\VAR{d.swept|num} \VAR{d.fresh|num}"
            + "\n\n"
            + r"\VAR{d.bias|num(decimals=3)}",  # paragraphs apart
            r"\VAR{d.swept|num(digits=2)} \VAR{d.fresh|num} \VAR{d.bias|num(decimals=3)}",
            r"\VAR{d.swept|num(digits=2)} \VAR{d.fresh|num(digits=2)} \VAR{d.bias|num(decimals=3)}",
            r"\VAR{d.n} \VAR{d.n} \VAR{(d.n - d.n)|integer}",
        ],
    )
    def test_numbers_that_fit_or_stand_apart_are_left_alone(self, body):
        assert recomputed(body) == []

    def test_what_is_lost_in_rounding_is_no_part(self):
        values = {"a": 0.25249, "b": 2e-5, "c": 0.25249 + 2e-5}
        body = r"\VAR{d.a|num} \VAR{d.b|num} \VAR{d.c|num}"  # 0.252, 2.00e-5 and 0.253
        assert recomputed(body, values) == []

    def test_nobody_divides_by_one_rounded_digit(self):
        values = {"a": 0.72, "b": 0.00100301, "ratio": 0.72 / 0.00100301}
        assert recomputed(r"\VAR{d.a|percent} / \VAR{d.b|percent} = \VAR{d.ratio|num}", values) == []

    def test_rows_of_tables_are_not_recomputed(self):
        columns = ", ".join(f'column("{name}", "{name}", "num", decimals=3)' for name in "abc")
        values = {"rows": [{"a": 0.2526, "b": 0.2294, "c": 0.2526 - 0.2294}]}
        assert recomputed(f"\\VAR{{d.rows|table({columns})}}", values) == []


class TestStandardErrors:
    def told(self, values, body=r"\VAR{d.loss|pm}"):
        found = standard_errors(rendered(body, values), dict(numbers("d", values)))
        return [misfit.what for misfit in found]

    def test_a_mean_that_is_rounded_by_more_than_its_standard_error_is_found(self):
        loss = {"mean": 0.0534, "std": 0.121, "n": 1000}
        (what,) = self.told({"loss": loss})  # 0.12 / sqrt(1000) = 0.0038, the rounding is up to 0.005
        assert what == "0.05 ± 0.12 over 1000 values (d.loss.n): the standard error is 0.004"

    def test_few_values_warrant_no_more_digits(self):
        assert self.told({"loss": {"mean": 0.0534, "std": 0.121, "n": 200}}) == []

    def test_the_number_of_values_may_be_a_parameter(self):
        values = {"params": {"repeats": 1000}, "values": {"loss": {"mean": 0.0534, "std": 0.121}}}
        (what,) = self.told(values, r"\VAR{d.values.loss|pm}")
        assert "(d.params.repeats)" in what

    def test_where_the_number_of_values_is_unknown_nothing_is_said(self):
        assert self.told({"loss": {"mean": 0.0534, "std": 0.121}}) == []

    def test_a_mean_and_a_std_beside_it_share_their_number(self):
        values = {"mean": 0.0534, "std": 0.121, "n": 1000}
        (what,) = self.told({"loss": values}, r"\VAR{d.loss.mean|pm(d.loss.std)}")
        assert "(d.loss.n)" in what

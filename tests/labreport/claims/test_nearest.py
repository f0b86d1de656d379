"""What stands nearest to a typed number: results and parameters of its value, or of the name beside it."""

from rendering import rendered

from labreport.claims.nearest import Nearest, numbers
from labreport.claims.reading import read
from labreport.claims.typed import typed_numbers

VALUES = {"points": 324, "rate": 0.5, "loss": {"mean": 0.0163, "n": 40}, "seed": 18}


def told(body, values=VALUES):
    found = dict(numbers("d", values))
    (number,) = typed_numbers(read(rendered(body, values)))
    return Nearest(found)(number)


def test_eighteen_points_are_told_of_the_grid_with_324():
    said = told(r"The grid has 18 points, at a rate of \VAR{d.rate|num}.", {"points": 324, "rate": 0.5})
    assert said == "no result has this value; nearest: d.points = 324?"


def test_a_result_with_this_value_is_named():
    assert told(r"18 epochs \VAR{d.rate|num}") == "nearest: d.seed = 18?"


def test_a_number_is_near_if_it_prints_so():
    assert told(r"a loss of 0.016 \VAR{d.rate|num}") == "nearest: d.loss.mean = 0.0163?"
    assert told(r"50\,\% of them \VAR{d.rate|num}") == "nearest: d.rate = 0.5?"


def test_without_any_the_message_says_so():
    assert told(r"77 of them \VAR{d.rate|num}") == "no result has this value"


def test_what_the_words_beside_a_number_name_comes_first():
    said = told(r"a rate of 1 \VAR{d.a|num}", {"a": 1, "long_rate": 1, "b": 1})
    assert said == "nearest: d.long_rate = 1, d.a = 1, d.b = 1?"


def test_lists_of_samples_are_no_numbers_that_a_text_states():
    assert dict(numbers("d", {"x": [1, 2], "samples": [0] * 100, "flag": True})) == {
        "d.x[0]": 1,
        "d.x[1]": 2,
    }

"""What stands nearest to a typed number: results and parameters of its value, or of the name beside it."""

from rendering import rendered

from labreport.claims.nearest import Nearest, numbers
from labreport.claims.reading import read
from labreport.claims.typed import Typed, typed_numbers

VALUES = {"points": 324, "rate": 0.5, "loss": {"mean": 0.0163, "n": 40}, "seed": 18}


def told(body, values=VALUES):
    found = dict(numbers("d", values))
    (number,) = typed_numbers(read(rendered(body, values)))
    return Nearest(found)(number)


def test_eighteen_points_are_told_of_the_grid_with_324():
    said = told(r"The grid has 18 points, at a rate of \VAR{d.rate|num}.", {"points": 324, "rate": 0.5})
    assert said == "no result has this value; nearest: d.points = 324?"


def test_of_a_list_the_items_that_are_nearest_in_value_are_told():
    values = {"degrees": list(range(1, 15)), "rate": 0.5}
    said = told(r"Polynomials of degrees up to 15 with a rate of \VAR{d.rate|num}.", values)
    assert said == (
        "no result has this value; nearest: d.degrees[13] = 14, d.degrees[12] = 13, d.degrees[11] = 12?"
    )


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


def test_separators_of_thousands_are_no_decimals():
    assert told(r"1,600 runs \VAR{d.rate|num}", {"rate": 0.5, "runs": 1600}) == "nearest: d.runs = 1600?"


def test_a_whole_percentage_is_a_rounded_one():
    assert told(r"52\,\% \VAR{d.rate|num}", {"rate": 0.523}) == "nearest: d.rate = 0.523?"


EIGHTEEN = Typed(0, 2, "18", 18.0, ("points", "has"), "", ("here",))


def test_the_experiments_of_the_paragraph_come_before_equal_values_of_others():
    assert Nearest({"other.a": 18, "here.b": 18})(EIGHTEEN) == "nearest: here.b = 18?"
    elsewhere = Nearest({"other.a": 18, "other.points": 5, "here.points": 324})
    assert elsewhere(EIGHTEEN) == "nearest: here.points = 324, other.a = 18?"


def test_a_value_that_many_results_have_tells_nothing():
    many = {f"other.a{n}": 18 for n in range(21)}
    assert Nearest(many)(EIGHTEEN) == "21 results and parameters have this value"


def test_without_an_equal_value_those_of_about_this_size_are_named():
    near = Nearest({"here.a": 19, "here.b": 17.9, "here.c": 20, "other.d": 18.01})
    assert near(EIGHTEEN) == "no result has this value; nearest: here.b = 17.9, here.a = 19?"
    assert Nearest({"other.d": 18.5})(EIGHTEEN) == "no result has this value; nearest: other.d = 18.5?"

"""Orders and shapes: exact over bare values, by intervals over estimates, by tests over samples."""

import pytest
from claimed import estimate, of, said, shown, states, verdict
from hypothesis import given
from hypothesis import strategies as st

from labreport.claims.shapes import DIRECTIONS
from labreport.language import FormatError

numbers = st.lists(st.integers(-5, 5), min_size=2, max_size=6)
CLEAR = [{"estimate": m, "low": m - 0.4, "high": m + 0.4} for m in (3, 2, 1)]
OVERLAPPING = [{"estimate": m, "low": m - 0.6, "high": m + 0.6} for m in (3, 2, 1)]


@given(numbers, st.data())
def test_the_largest_of_bare_values_is_above_all_others(values, data):
    which = data.draw(st.integers(0, len(values) - 1))
    others = values[:which] + values[which + 1 :]
    assert verdict(said("largest", of(values), which)) == (
        "holds" if all(values[which] > v for v in others) else "fails"
    )
    negative = [-v for v in values]
    assert verdict(said("smallest", of(negative), which)) == verdict(said("largest", of(values), which))


def test_a_mapping_is_asked_by_name_and_a_tie_is_told():
    values = of({"width": 0.66, "rate": 0.47, "depth": 0.66}, "d.importance")
    assert verdict(said("largest", values, "rate")) == "fails"
    assert states(said("largest", values, "width")) == [
        "the largest of 3 are width, 0.66 (d.importance.width) and depth, 0.66 (d.importance.depth)"
    ]
    with pytest.raises(FormatError, match="there is no value 'widht'") as caught:
        said("largest", values, "widht")
    assert "'width'" in caught.value.cure


@given(numbers)
def test_monotone_bare_values_are_those_that_are_sorted(values):
    strict = len(set(values)) == len(values)
    expected = {
        "increasing": values == sorted(values) and strict,
        "decreasing": values == sorted(values, reverse=True) and strict,
        "nondecreasing": values == sorted(values),
        "nonincreasing": values == sorted(values, reverse=True),
    }
    assert set(expected) == set(DIRECTIONS)
    for direction, holds in expected.items():
        assert verdict(said("monotone", of(values), direction)) == ("holds" if holds else "fails")
    assert verdict(said("ranked", of(values))) == ("holds" if expected["decreasing"] else "fails")


def test_the_statement_names_the_pair_that_breaks_the_order():
    assert states(said("ranked", of([3, 1, 2], "d.l"))) == ["1 (d.l[1]) is below 2 (d.l[2])"]
    assert states(said("ranked", of([3, 2, 1], "d.l"))) == ["the 3 values fall: 3, 2, 1"]


def test_estimates_are_ordered_where_their_intervals_lie_apart():
    assert verdict(said("ranked", of(CLEAR))) == "holds"
    assert verdict(said("monotone", of(CLEAR), "increasing")) == "fails"
    assert verdict(said("ranked", of(OVERLAPPING))) == "undecided"
    assert verdict(said("largest", of(CLEAR), 0)) == "holds"
    assert verdict(said("largest", of(CLEAR), 1)) == "fails"
    assert verdict(said("largest", of(OVERLAPPING), 0)) == "undecided"
    assert verdict(said("largest", of(OVERLAPPING), 2)) == "fails"


def test_samples_are_ordered_by_tests():
    groups = [[m + (i * 7 % 11) / 10 for i in range(12)] for m in (9.0, 5.0, 1.0)]
    assert verdict(said("ranked", groups, "unpaired")) == "holds"
    assert verdict(said("largest", groups, 1, "unpaired")) == "fails"
    with pytest.raises(FormatError, match="does not say how"):
        said("ranked", groups)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 3], "holds"),
        ([-1, -2], "holds"),
        ([1, -2], "fails"),
        ([1, 0], "fails"),
        ([{"estimate": 1, "low": 0.5, "high": 2}, {"estimate": 2, "low": 1, "high": 3}], "holds"),
        ([{"estimate": -1, "low": -2, "high": -0.5}, {"estimate": -2, "low": -3, "high": -1}], "holds"),
        ([{"estimate": 1, "low": 0.5, "high": 2}, {"estimate": -2, "low": -3, "high": -1}], "fails"),
        ([{"estimate": 1, "low": 0.5, "high": 2}, {"estimate": 1, "low": -1, "high": 3}], "undecided"),
    ],
)
def test_a_sign_is_shared_if_all_lie_on_one_side_of_zero(values, expected):
    assert verdict(said("same_sign", of(values))) == expected


def test_what_is_no_list_of_values_is_refused():
    with pytest.raises(FormatError, match="takes a list or a mapping"):
        said("ranked", of(3))
    with pytest.raises(FormatError, match="two values or more"):
        said("ranked", of([3]))
    with pytest.raises(FormatError, match="no direction 'rising'"):
        said("monotone", of([3, 4]), "rising")
    with pytest.raises(FormatError, match="one has a unit"):
        said("ranked", [shown(0.3, "percent"), shown(0.2, key="d.y")])
    with pytest.raises(FormatError, match="not both: 3"):
        said("same_sign", [of(3), estimate(1, 0, 2)])

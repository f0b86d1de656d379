"""Holm's correction, and which tests count."""

import pytest
from claimed import estimate, said, stated
from hypothesis import given
from hypothesis import strategies as st

from labreport.claims import judge
from labreport.claims.families import holm

chances = st.lists(st.floats(0, 1), max_size=8)


def test_holm_multiplies_the_smallest_by_all_the_next_by_one_less():
    # by hand: 4 x 0.01; 3 x 0.02; 2 x 0.03, no less than the one before; 0.05, no less
    assert holm([0.01, 0.02, 0.03, 0.05]) == pytest.approx([0.04, 0.06, 0.06, 0.06])
    # 5 x 0.005, 4 x 0.01, 3 x 0.02, 2 x 0.08, 0.15 no less
    assert holm([0.0100, 0.0200, 0.0800, 0.0050, 0.1500]) == pytest.approx([0.04, 0.06, 0.16, 0.025, 0.16])
    assert holm([]) == []


@given(chances)
def test_corrected_p_values_keep_their_order_and_are_no_smaller(p):
    adjusted = holm(p)
    assert all(a >= b for a, b in zip(adjusted, p, strict=True))
    assert all(0 <= a <= 1 for a in adjusted)
    order = sorted(range(len(p)), key=p.__getitem__)
    assert [adjusted[i] for i in order] == sorted(adjusted)


def with_p(p, key):
    """Return a test of an estimate against zero with this p value."""
    return said("above", estimate(1.0, 0.1, 1.9, key, p=p))


def test_tests_of_one_family_are_corrected_together():
    claims = [stated(with_p(0.03, "d.a"), "a"), stated(with_p(0.04, "d.b"), "b")]
    assert [j.verdict for j in judge(claims)] == ["undecided", "undecided"]
    apart = [stated(with_p(0.03, "d.a"), "a", "one"), stated(with_p(0.04, "d.b"), "b", "two")]
    assert [j.verdict for j in judge(apart)] == ["holds", "holds"]


def test_the_familys_name_and_size_are_told():
    (entry,) = judge([stated(with_p(0.01, "d.a"), "a"), stated(with_p(0.2, "d.b"), "b")])[0].evidence
    assert (entry["family"], entry["family_size"]) == ("report", 2)
    assert (entry["p"], entry["p_adjusted"]) == (0.01, 0.02)


def test_a_test_that_is_stated_twice_counts_once():
    first = said("above", estimate(1.0, 0.1, 1.9, "d.a", p=0.03))
    again = said("compare", ("lt",), estimate(1.0, 0.1, 1.9, "d.a", p=0.03), 0)
    differs = said("differs", estimate(1.0, 0.1, 1.9, "d.a", p=0.03))
    found = judge([stated(first, "a"), stated(again, "b"), stated(differs, "c")])
    assert [j.verdict for j in found] == ["holds", "fails", "holds"]
    assert {entry["family_size"] for j in found for entry in j.evidence} == {1}


def test_the_same_two_samples_count_once_whichever_comes_first():
    a, b = [1.0, 2.0, 3.5, 4.0], [2.0, 3.1, 4.4, 5.2]
    found = judge([stated(said("below", a, b, "paired"), "a"), stated(said("above", b, a, "paired"), "b")])
    assert [j.verdict for j in found] == ["holds", "holds"]
    assert {entry["family_size"] for j in found for entry in j.evidence} == {1}
    two = judge([stated(said("below", a, b, "paired"), "a"), stated(said("below", a, b, "unpaired"), "b")])
    assert two[0].evidence[0]["family_size"] == 2

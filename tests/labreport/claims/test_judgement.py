"""Kleene's strong three-valued logic over facts."""

import itertools
import operator

import pytest
from claimed import said, states, verdict
from hypothesis import given
from hypothesis import strategies as st

from labreport.claims.judgement import Correction, Fact, Interval, Source, Test
from labreport.language import FormatError

VERDICTS = ("holds", "undecided", "fails")


def fact(known, states="so it is", key="d.x"):
    return Fact("p", Source(frozenset([key]), {key: 1}), known, states)


H, U, F = map(fact, VERDICTS)
SIGN = {"holds": H, "undecided": U, "fails": F}
SYMBOLS = {
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
    "eq": operator.eq,
    "ne": operator.ne,
}
known = st.sampled_from([H, U, F])

# S. C. Kleene, Introduction to Metamathematics (1952), section 64: t, u, f
AND = {"holds": "HUF", "undecided": "UUF", "fails": "FFF"}
OR = {"holds": "HHH", "undecided": "HUU", "fails": "HUF"}


@pytest.mark.parametrize(("a", "b"), list(itertools.product(VERDICTS, VERDICTS)))
def test_and_and_or_follow_kleenes_tables(a, b):
    column = VERDICTS.index(b)
    assert verdict(said("all_of", SIGN[a], SIGN[b]))[0].upper() == AND[a][column]
    assert verdict(said("any_of", SIGN[a], SIGN[b]))[0].upper() == OR[a][column]
    negated = {"H": "fails", "U": "undecided", "F": "holds"}[OR[a][column]]
    assert verdict(said("none_of", [SIGN[a], SIGN[b]])) == negated


def test_not_turns_a_verdict_around_and_leaves_an_undecided_one():
    assert [verdict(said("not_", x)) for x in (H, U, F)] == ["fails", "undecided", "holds"]


@given(known)
def test_not_of_not_is_the_judgement_itself(x):
    assert said("not_", said("not_", x)) is x


@given(st.lists(known, min_size=1, max_size=5))
def test_de_morgan(parts):
    nots = [said("not_", x) for x in parts]
    assert verdict(said("not_", said("all_of", parts))) == verdict(said("any_of", nots))
    assert verdict(said("not_", said("any_of", parts))) == verdict(said("all_of", nots))


@given(
    st.lists(known, min_size=1, max_size=5),
    st.sampled_from(list(SYMBOLS)),
    st.integers(-1, 6),
)
def test_a_count_is_decided_if_all_ways_to_decide_its_parts_agree(parts, name, number):
    ways = itertools.product(*([x] if x is not U else [H, F] for x in parts))
    outcomes = {SYMBOLS[name](way.count(H), number) for way in ways}
    expected = {frozenset([True]): "holds", frozenset([False]): "fails"}.get(frozenset(outcomes), "undecided")
    assert verdict(said("compare", (name,), said("count", *parts), number)) == expected


def test_a_count_may_stand_on_the_right_and_in_a_chain():
    count = said("count", [H, H, U, F])
    assert verdict(said("compare", ("lteq",), 2, count)) == "holds"
    assert verdict(said("compare", ("lt", "lteq"), 1, count, 3)) == "holds"
    assert verdict(said("compare", ("gteq",), count, 3)) == "undecided"
    assert verdict(said("compare", ("gt",), count, 3)) == "fails"


@given(st.lists(known, min_size=2, max_size=4), st.data())
def test_to_decide_an_undecided_part_never_turns_a_verdict_around(parts, data):
    before = verdict(said("all_of", parts)), verdict(said("any_of", parts))
    decided = [data.draw(st.sampled_from([H, F])) if x is U else x for x in parts]
    after = verdict(said("all_of", decided)), verdict(said("any_of", decided))
    assert all(b in ("undecided", a) for b, a in zip(before, after, strict=True))


@pytest.mark.parametrize("name", ["all_of", "any_of", "none_of", "count"])
def test_nothing_to_judge_is_an_error(name):
    with pytest.raises(FormatError, match=f"{name} has nothing to judge"):
        said(name, [])


def test_truth_values_of_the_data_are_judgements():
    assert verdict(said("all_of", True, H)) == "holds"
    assert states(said("any_of", False, False)) == ["the condition is false"]
    with pytest.raises(FormatError, match="all_of joins predicates, not the whole number 3"):
        said("all_of", H, 3)
    with pytest.raises(FormatError, match="a count is a number"):
        said("not_", said("count", H))


def test_a_verdict_cannot_be_asked_for_while_the_document_is_rendered():
    with pytest.raises(FormatError, match="known only when the whole document is rendered") as caught:
        bool(H)
    assert "inside the claim" in caught.value.cure


def test_a_test_needs_its_corrected_p_and_its_interval():
    interval = Interval("t", 0.95, 1.0, 0.5, 1.5, 9)

    def found(p, agrees=True):
        test = Test("p", Source(), "fails", 0.001, interval, agrees, "decided", "open", "id")
        corrections = {"id": Correction(p, "f", 3)}
        return test.verdict(corrections), test.evidence(corrections)["states"]

    assert found(0.05) == ("fails", "decided")
    assert found(0.051) == ("undecided", "open; p = 0.001, corrected for 3 tests 0.051")
    assert found(0.01, agrees=False)[0] == "undecided"

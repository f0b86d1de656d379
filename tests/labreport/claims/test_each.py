"""Predicates over several values at once: what is paired with what, and which value breaks them."""

import pytest
from claimed import estimate, judged, of, said, states, verdict
from rendering import mistake, rendered

from labreport.claims import PREDICATES, judge
from labreport.language import FormatError

HIGH, LOW = estimate(3, 2, 4, "d.high"), estimate(0.5, 0.1, 0.9, "d.low")
OPEN = estimate(0.2, -1, 1.4, "d.open")


def each(*values):
    return said("each_of", *values)


@pytest.mark.parametrize(
    ("name", "operands", "expected"),
    [
        ("above", [each(HIGH, LOW)], "holds"),
        ("above", [each(HIGH, LOW, OPEN)], "undecided"),
        ("above", [each(HIGH, LOW), 1], "fails"),
        ("below", [each(LOW, OPEN), each(1, 2)], "holds"),
        ("below", [0, each(HIGH, LOW)], "holds"),
        ("below", [LOW, each(HIGH, 1)], "holds"),
        ("differs", [each(HIGH, OPEN)], "undecided"),
        ("differs", [each(HIGH, LOW)], "holds"),
        ("within", [each(1, 2), 1.5, 0.5], "holds"),
        ("equal_within", [each(1, 2), each(1.1, 2.2), each(0.1, 0.1)], "fails"),
        ("between", [each(HIGH, LOW), 0, 5], "holds"),
        ("times", [each(8, 16), each(1, 2), 8], "holds"),
        ("compare", [["lt"], each(1, 2), 3], "holds"),
        ("compare", [["lt", "lteq"], 0, each(1, 2), each(1, 1)], "fails"),
    ],
)
def test_a_predicate_holds_if_it_holds_of_each(name, operands, expected):
    assert verdict(said(name, *operands)) == expected


def test_values_come_one_by_one_or_as_a_list_or_mapping():
    for values in (each(of(1), of(2)), each(of([1, 2])), each(of({"a": 1, "b": 2}))):
        found = judged(said("below", values, 2))
        assert (found.verdict, [entry["verdict"] for entry in found.evidence]) == (
            "fails",
            ["holds", "fails"],
        )


def test_the_value_that_breaks_it_is_told_by_its_key():
    assert states(said("above", each(of({"a": 1, "b": -2}, "d.x")))) == [
        "1 (d.x.a) is above 0",
        "-2 (d.x.b) is below 0",
    ]


def test_samples_are_paired_with_samples_and_share_their_options():
    a, b = ([0.1 * i + shift for i in range(20)] for shift in (0.0, 1.0))
    pairs = said("below", each(of(a, "d.a"), of(b, "d.b")), of(b, "d.b"), how="paired")
    assert [entry["verdict"] for entry in judged(pairs).evidence] == ["holds", "undecided"]
    named = said("below", each(of(a, "d.a")), b=each(of(b, "d.b")), how="paired")
    assert verdict(named) == "holds"


def test_each_of_several_tests_counts_in_its_family():
    samples = [of([0.01 * i + shift for i in range(9)], f"d.s{shift}") for shift in (1, 2, 3)]
    (entry, *_) = judged(said("above", each(*samples))).evidence
    assert entry["family_size"] == 3


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (lambda: each(), "each_of has no values"),
        (lambda: each(of([])), "each_of has no values"),
        (lambda: each(of(3)), "not the whole number 3"),
        (lambda: said("below", each(1, 2), each(1, 2, 3)), "below pairs each of 2 and 3 values"),
        (lambda: said("largest", each(1, 2), 0), "list each_of 2 values"),
    ],
)
def test_a_misuse_is_refused(wrong, what):
    with pytest.raises(FormatError, match=what):
        wrong()


def test_a_claim_of_each_stops_the_build_at_the_value_that_breaks_it():
    body = r'\BLOCK{claim "c", each_of(d.a, d.b) < 1}both are small\BLOCK{endclaim}'
    error = mistake(body, predicates=PREDICATES, judge=judge)
    assert error.what == 'claim "c" fails: 2.5 (d.b) is above 1'
    more = body.replace("< 1", "< 3")
    assert rendered(more, predicates=PREDICATES, judge=judge).text == "both are small"
    alone = mistake(
        r'\BLOCK{claim "c", each_of(d.a, d.b)}x\BLOCK{endclaim}', predicates=PREDICATES, judge=judge
    )
    assert alone.what == 'the predicate of claim "c" is the list each_of 2 values'

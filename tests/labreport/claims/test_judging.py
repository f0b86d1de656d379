"""Verdicts of a document, and the message where a verdict has no text."""

import json
from dataclasses import replace

import pytest
from claimed import TEXTS, estimate, of, said, stated

from labreport.claims import judge, untold
from labreport.errors import InputError, SeveralErrors

HOLDS_ONLY = {"holds": "Deep networks need \\emph{ten times} fewer steps: $3\\times 3$."}


def failing(name="steps"):
    return stated(said("times", of(1600, "a.b"), of(200, "a.c"), 10), name, texts=HOLDS_ONLY)


class TestVerdictsWithoutAText:
    def test_the_message_tells_what_is_true_where_and_the_cure(self):
        with pytest.raises(InputError) as caught:
            judge([failing()])
        assert caught.value.lines() == [
            'claim "steps" fails: 1600 (a.b) is 8 times 200 (a.c), not 10 times',
            "  at report_templates/main.tex.j2:7:3",
            "  sentence: Deep networks need ten times fewer steps: 3 3 .",
            "  a.b = 1600",
            "  a.c = 200",
            "  cure: rewrite the sentence, or add \\BLOCK{otherwise} with the text for that verdict",
        ]

    def test_a_claim_in_a_text_that_is_not_printed_needs_none(self):
        outer = stated(said("above", estimate(1, -1, 3)), "outer")  # undecided
        inner = replace(failing(), within=[[(0, "holds")]])
        assert untold([outer, inner], judge([outer, inner])) == []
        printed_as_well = replace(inner, within=[[(0, "holds")], [(0, "undecided")]])
        with pytest.raises(InputError, match='claim "steps" fails'):
            judge([outer, printed_as_well])

    def test_an_undecided_claim_asks_for_its_own_statement(self):
        claim = stated(said("above", estimate(1, -1, 3)), "more", texts=HOLDS_ONLY)
        with pytest.raises(InputError, match=r'claim "more" is undecided: d\.e may be above') as caught:
            judge([claim])
        assert "\\BLOCK{undecided}" in caught.value.cure

    def test_a_claim_that_holds_needs_its_sentence(self):
        with pytest.raises(InputError) as caught:
            judge([stated(True, texts={"fails": "not"})])
        assert caught.value.cure == "write the sentence for when it holds"

    def test_all_are_raised_together_and_fit_the_room_of_a_message(self):
        many = [estimate(1, -1, 3, f"d.values.e{i}") for i in range(20)]
        claims = [
            failing(),
            stated(said("all_of", [said("above", e) for e in many]), "all", texts=HOLDS_ONLY),
        ]
        with pytest.raises(SeveralErrors) as caught:
            judge(claims)
        first, second = caught.value.errors
        assert len(second.lines()) <= 12
        assert "  … (17 more values)" in second.lines()
        assert first.what.startswith('claim "steps"')

    def test_what_speaks_like_the_verdict_is_told_first(self):
        claim = stated(said("all_of", of(2) > 1, said("below", of(3, "d.y"), 1)), texts=HOLDS_ONLY)
        with pytest.raises(InputError, match=r"fails: 3 \(d.y\) is above 1"):
            judge([claim])
        unclear = stated(said("any_of", of(2) < 1, said("above", estimate(1, -1, 3))), texts=HOLDS_ONLY)
        with pytest.raises(InputError, match=r"undecided: d\.e may be above"):
            judge([unclear])

    def test_a_lenient_judge_lets_them_pass_and_can_be_asked_for_them(self):
        claims = [failing(), stated(True, "fine")]
        found = judge(claims, lenient=True)
        assert [j.verdict for j in found] == ["fails", "holds"]
        assert [error.what[:12] for error in untold(claims, found)] == ['claim "steps']

    def test_a_long_sentence_is_cut(self):
        claim = stated(False, texts={"holds": "word " * 100})
        with pytest.raises(InputError) as caught:
            judge([claim])
        assert len(caught.value.notes[0]) <= 175
        assert caught.value.notes[0].endswith("…")


class TestWhatIsJudged:
    def test_a_truth_value_of_the_data_is_a_claim(self):
        (found,) = judge([stated(False, keys=("d.flag",))])
        assert (found.verdict, found.keys) == ("fails", {"d.flag"})
        assert found.evidence[0]["states"] == "d.flag is false"

    @pytest.mark.parametrize(
        ("predicate", "what"),
        [
            (3, "the whole number 3"),
            ("yes", "the text 'yes'"),
            (None, "the missing value"),
            (said("count", True), "a count"),
        ],
    )
    def test_what_is_no_predicate_is_an_error_at_the_claim(self, predicate, what):
        with pytest.raises(InputError, match=f'the predicate of claim "c" is {what}') as caught:
            judge([stated(predicate)])
        assert caught.value.place.line == 7

    def test_one_name_belongs_to_one_predicate(self):
        first, same = stated(said("above", of(2), 1)), stated(said("above", of(2), 1), line=9)
        assert [j.verdict for j in judge([first, same])] == ["holds", "holds"]
        with pytest.raises(InputError, match='two claims are called "c"') as caught:
            judge([first, stated(said("above", of(2), 3), line=9)])
        assert caught.value.place.line == 9
        assert caught.value.notes == ("the first stands at report_templates/main.tex.j2:7:3",)

    def test_one_name_for_all_rounds_of_a_loop_is_told_once(self):
        with pytest.raises(InputError, match='two claims are called "c"') as caught:  # not SeveralErrors
            judge([stated(said("above", of(2), level)) for level in (1, 3, 4, 5)])
        assert caught.value.notes == ("it stands in a loop or a macro",)
        assert 'claim "c-" ~ item.name' in caught.value.cure

    def test_samples_that_differ_in_values_only_are_two_predicates(self):
        claims = [stated(said("above", [1.0, 2.0, x], 0)) for x in (3.0, 4.0)]
        with pytest.raises(InputError, match="two claims are called"):
            judge(claims)

    def test_no_claims_have_no_verdicts(self):
        assert judge([]) == []

    def test_the_record_is_plain_and_always_the_same(self):
        predicate = said(
            "all_of", said("above", estimate(2, 1, 3, "d.e", p=0.01)), said("below", of(1, "d.a"), 2)
        )
        (found,) = judge([stated(predicate, texts=TEXTS)])
        record = found.plain()
        assert json.loads(json.dumps(record, allow_nan=False)) == record
        assert record["keys"] == ["d.a", "d.e"]
        assert list(record["values"]) == ["d.a", "d.e"]
        assert record["evidence"][1] == {
            "predicate": "below",
            "states": "1 (d.a) is below 2",
            "verdict": "holds",
        }
        assert record["evidence"][0].keys() >= {
            "method",
            "level",
            "effect",
            "low",
            "high",
            "n",
            "p",
            "p_adjusted",
        }

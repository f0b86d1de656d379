r"""Sentences that stood in the report and were wrong, or stronger than the data: each stops the build now.

The numbers are those of the results at that time. What is tested is the whole way from the sentence in a
template to the message: what fails, and what is true instead.
"""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from rendering import rendered
from solved_losses import LOSSES

from labreport import claims
from labreport.claims import PREDICATES, judge
from labreport.errors import InputError


@dataclass(frozen=True)
class Finding:
    """A sentence with its claim, the data, and words of the message: the verdict, and what is true."""

    sentence: str
    predicate: str
    data: dict[str, Any]
    verdict: str
    true: str


def estimate(value: float, low: float, high: float, **more: Any) -> dict[str, Any]:
    return {"estimate": value, "low": low, "high": high, **more}


REPEATS = [
    {"shape": shape, "repeat": repeat, "test_loss": 1e-5 * loss}
    for shape, losses in LOSSES.items()
    for repeat, loss in enumerate(losses)
]
IMPORTANCE = {
    "lr": estimate(0.103, 0.0106, 0.469),
    "weight_decay": estimate(0.0893, 0.00914, 0.370),
    "width": estimate(0.660, 0.198, 0.797),
}

FINDINGS = {
    "1 deeper networks reach a lower loss": Finding(
        "deeper ones reach a lower loss after the same number of steps",
        'below(sample(d.repeats, "test_loss", by="repeat", shape="3x3"),'
        ' sample(d.repeats, "test_loss", by="repeat", shape="2x3"), "ratio")',
        {"repeats": REPEATS},
        "fails",
        "d.repeats.test_loss[shape=3x3] is above d.repeats.test_loss[shape=2x3]",
    ),
    "1 at equal parameters, too": Finding(
        "a deep network reaches a lower loss than a wide one of as many parameters",
        "below(d.ratio, 1)",
        {"ratio": estimate(2.049, 1.903, 2.208, n=956, p=4.5e-68, null=1.0)},
        "fails",
        "d.ratio is above 1: estimate 2.05 [1.9, 2.21], 95 %, n = 956",
    ),
    "2 over-fitting is rare": Finding(
        "over-fitting is rare",
        "few(d.twice, d.solved)",
        {"twice": 648, "solved": 956},
        "fails",
        "648 (d.twice) of 956 (d.solved) are 67.8 %",
    ),
    "2 over-fitting is rare, of a few runs": Finding(
        "over-fitting is rare but visible",
        "few(d.twice, d.runs)",
        {"twice": 2, "runs": 12},
        "is undecided",
        "2 (d.twice) of 12 (d.runs) are 16.7 % (share [4.7, 44.8] %",
    ),
    "3 ten times fewer steps": Finding(
        "at equal epochs there are ten times fewer steps",
        "times(d.steps, d.fewer, 10)",
        {"steps": 1600, "fewer": 200},
        "fails",
        "1600 (d.steps) is 8 times 200 (d.fewer), not 10 times",
    ),
    "4 the excess is over another Bayes loss than the printed one": Finding(
        "the best is so much above the Bayes loss",
        "within(difference(d.best|num(digits=4), d.bayes|num(digits=4)), d.excess|num(digits=4), 0.001)",
        {"best": 0.26036622, "bayes": 0.21873536, "excess": 0.04655608},
        "fails",
        "0.0417 (d.bayes and d.best) and 0.04656 (d.excess) differ by 0.00486",
    ),
    "5 the pooled rate is that of the failures": Finding(
        "ten times more training rescued 6.4 % of the failed networks",
        "d.pooled|percent(decimals=1) == d.weighted|percent(decimals=1)",
        {"pooled": 0.0642054, "weighted": 0.0484883},
        "fails",
        "6.4 % (d.pooled) is above 4.8 % (d.weighted)",
    ),
    "6 the value of the chosen trial is too low": Finding(
        "the value for which a trial is chosen is too low",
        "above(d.difference)",
        {"difference": estimate(0.00501526, -0.00079126, 0.01082177)},
        "is undecided",
        "d.difference may be above or below 0: estimate 0.00502 [-0.000791, 0.0108], 95 %",
    ),
    "7 the width matters most": Finding(
        "the width matters most",
        'largest(d.importance, "width")',
        {"importance": IMPORTANCE},
        "is undecided",
        "may be above or below",
    ),
    "8 width helps in every setting": Finding(
        "the advantage of width 3 holds throughout",
        'every(d.significant, d.settings, of="population")',
        {"significant": 36, "settings": 37},
        "fails",
        "36 (d.significant) of 37 (d.settings) are 97.3 %",
    ),
    "8 the figure shows each setting": Finding(
        "success rate by depth for each setting",
        "d.shown == d.settings",
        {"shown": 30, "settings": 38},
        "fails",
        "30 (d.shown) is below 38 (d.settings)",
    ),
    "9 those above the gap of losses are solved": Finding(
        "we call those above the gap solved",
        "d.solved_loss_max > d.stuck_loss_min",
        {"solved_loss_max": 0.07091596, "stuck_loss_min": 0.34643138},
        "fails",
        "0.070916 (d.solved_loss_max) is below 0.346431 (d.stuck_loss_min)",
    ),
    "10 every network merges two or three clusters": Finding(
        "every network that fails merges two or three clusters",
        'every(d.two_or_three, d.failed, of="population")',
        {"two_or_three": 1384, "failed": 1385},
        "fails",
        "1384 (d.two_or_three) of 1385 (d.failed) are 99.9 %",
    ),
    "11 only the over-fit is below the noise floor": Finding(
        "over-fitting: the training loss falls below the noise floor, that of the good fit does not",
        "below(d.over) and not below(d.good)",
        {"over": estimate(-0.1837, -0.2048, -0.1625), "good": estimate(-0.01977, -0.03071, -0.00883)},
        "fails",
        "d.good is below 0: estimate -0.0198 [-0.0307, -0.00883], 95 %",
    ),
    "11 on few points the test loss has risen": Finding(
        "on 15 training points they over-fit",
        "above(d.rise)",
        {"rise": estimate(0.01112503, -0.0035591, 0.02580914, n=20, p=0.1293, p_holm=0.1293)},
        "is undecided",
        "d.rise may be above or below 0: estimate 0.0111 [-0.00356, 0.0258], 95 %, n = 20",
    ),
    "12 the rounded sigmoid is 1 from 24 ln 2": Finding(
        "the rounded sigmoid is exactly 1, in theory from 24 ln 2",
        "within(d.one_from, d.rounded_once, d.step)",
        {"one_from": 16.6357421875, "rounded_once": 17.328679513998633, "step": 1 / 1024},
        "fails",
        "differ by 0.692937",
    ),
    "14 no more than 2.6 points": Finding(
        "a third layer raises the rate by no more than 2.6 points",
        "d.gain <= 0.026",
        {"gain": estimate(0.026, 0.0067337, 0.0457229, n=1000, p_holm=0.0207)},
        "is undecided",
        "estimate 0.026 [0.00673, 0.0457], 95 %, n = 1000",
    ),
    "14 not decided": Finding(
        "activation and batch size are not decided",
        "not above(d.behind)",
        {"behind": estimate(0.00366388, 0.00103831, 0.00628946)},
        "fails",
        "d.behind is above 0: estimate 0.00366 [0.00104, 0.00629], 95 %",
    ),
    "14 a difference that disagrees with its parts": Finding(
        "promised 0.229 nat for a loss of 0.253: a bias of 0.023 nat",
        "difference(d.honest|num(digits=3), d.apparent|num(digits=3)) == d.bias|num(digits=2)",
        {"honest": 0.25268890, "apparent": 0.22935600, "bias": 0.02333290},
        "fails",
        "0.024 (d.apparent and d.honest) is above 0.023 (d.bias)",
    ),
}


def printed(finding: Finding, more: str = "") -> str:
    source = (
        f'We say: \\BLOCK{{claim "it", {finding.predicate}}} {finding.sentence} {more}\\BLOCK{{endclaim}}.'
    )
    return rendered(source, finding.data, predicates=PREDICATES, judge=judge).text


@pytest.mark.parametrize("finding", FINDINGS.values(), ids=FINDINGS)
def test_a_wrong_sentence_stops_the_build_with_what_is_true(finding):
    with pytest.raises(InputError) as stopped:
        printed(finding)
    message = str(stopped.value)
    assert f'claim "it" {finding.verdict}' in message
    assert finding.true in message
    assert finding.sentence[:40] in message
    assert stopped.value.place.line == 1


def test_the_author_can_say_what_the_data_say_instead():
    finding = FINDINGS["6 the value of the chosen trial is too low"]
    text = printed(finding, r"\BLOCK{undecided} we cannot tell ")
    assert text == "We say: we cannot tell."


def test_the_same_sentences_stand_where_the_data_carry_them():
    steps = FINDINGS["3 ten times fewer steps"]
    assert "ten times" in printed(replace(steps, data={"steps": 2000, "fewer": 200}))
    first = FINDINGS["1 deeper networks reach a lower loss"]
    swapped = [{**row, "shape": {"2x3": "3x3", "3x3": "2x3"}[row["shape"]]} for row in REPEATS]
    assert "lower loss" in printed(replace(first, data={"repeats": swapped}))


class TestTyped:
    """What no claim catches, since it was typed: the check finds it, with what the results say."""

    def test_typed_results_are_found_with_the_nearest_results(self):
        # 15: "each number is taken from a result file" stood beside these
        data = {"steps": 650, "double": 1.3e-14, "single": 9.9e-6}
        sentence = (
            r"equal to the loop above over 500 steps, to a relative difference below $10^{-10}$ in double"
            r" and $10^{-4}$ in single precision (\VAR{d.steps|integer})"
        )
        reading = claims.read(rendered(sentence, data))
        numbers = claims.typed_numbers(reading, (), ())
        assert [number.text for number in numbers] == ["500", "10^{-10}", "10^{-4}"]
        nearest = claims.Nearest({f"d.{key}": value for key, value in data.items()})
        assert "d.steps = 650" in nearest(numbers[0])

    @pytest.mark.parametrize(
        ("sentence", "words"),
        [
            ("its boundary hardly moves", ["hardly"]),  # 13: typed from two runs
            ("trains several tens of thousands of networks", ["several", "tens", "thousands"]),  # 15
            ("it did so in nearly all settings, and holds throughout", ["nearly", "all", "throughout"]),  # 8
            ("over-fitting is rare and the width matters most", ["most"]),  # 2, 7
            ("deeper ones reach a lower loss", ["lower"]),  # 1
            ("the advantage of width is never reversed", ["never"]),
        ],
    )
    def test_words_that_state_results_are_found_outside_of_claims(self, sentence, words):
        reading = claims.read(rendered(sentence + r" (\VAR{d.n})", {"n": 12}))
        assert [word.text for word in claims.quantities(reading)] == words

    def test_printed_numbers_that_disagree_are_found(self):
        data = {"honest": 0.25268890, "apparent": 0.22935600, "bias": 0.02333290}
        sentence = (
            r"promised \VAR{d.apparent|num(digits=3)}\,nat for settings with a loss of"
            r" \VAR{d.honest|num(digits=3)}: a bias of \VAR{d.bias|num(digits=2)}\,nat"
        )
        (misfit,) = claims.arithmetic(claims.read(rendered(sentence, data)))
        assert misfit.what == "0.253 \N{MINUS SIGN} 0.229 is 0.024, not 0.023"

    def test_means_rounded_to_their_spread_are_found(self):
        data = {"loss": {"mean": 0.045855, "std": 0.115997, "n": 1000}}
        (misfit,) = claims.standard_errors(rendered(r"\VAR{d.loss|pm}", data), {"d.loss.n": 1000})
        assert "0.05 ± 0.12" in misfit.what

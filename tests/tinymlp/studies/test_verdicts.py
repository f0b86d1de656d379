"""Verdicts over settings, on contrasts made by hand."""

import numpy as np
import pytest

from tinymlp.inference import Contrast
from tinymlp.networks import Shape, Training
from tinymlp.studies.outcomes import Outcome
from tinymlp.studies.settings import REFERENCE, Setting
from tinymlp.studies.verdicts import (
    COMPARISONS,
    contrast_rows,
    nested_contrasts,
    numbers,
    planned_contrasts,
    standing,
    verdicts,
)

NARROW, WIDE = Shape(1, 2), Shape(1, 3)
PAIRS = {"wider": (WIDE, NARROW)}


def contrast(estimate, p_holm=None):
    return Contrast(20, estimate, estimate - 0.1, estimate + 0.1, 0.001, p_holm)


def outcome(loss, accuracy=1.0):
    loss = np.asarray(loss, dtype=float)
    return Outcome(0.1, loss, loss, np.broadcast_to(accuracy, loss.shape), np.ones(len(loss), dtype=bool))


class TestComparisons:
    def test_the_ratio_of_losses_is_of_the_means_where_both_are_solved(self):
        accuracy = np.where(np.arange(30) < 25, 1.0, 0.7)
        loss = np.where(np.arange(30) < 25, np.arange(30) + 1, 1000)
        found = COMPARISONS["loss_ratio"](outcome(2.0 * loss, accuracy), outcome(loss))
        assert found.n == 25
        assert found.estimate == pytest.approx(np.log(2))

    def test_success_is_a_difference_of_rates(self):
        first = outcome([0.05, 0.05, 0.5, 0.5], [1.0, 1.0, 1.0, 0.5])
        second = outcome([0.05, 0.5, 0.5, 0.5], [1.0, 0.5, 0.5, 0.5])
        assert COMPARISONS["success"](first, second).estimate == 0.5

    def test_only_the_ratio_is_taken_out_of_its_logarithm(self):
        assert numbers("success", contrast(0.5))["estimate"] == 0.5
        ratio = numbers("loss_ratio", contrast(np.log(2)))
        assert ratio["estimate"] == pytest.approx(2)
        assert ratio["low"] == pytest.approx(2 / np.exp(0.1))
        assert ratio["p"] == 0.001


def test_planned_contrasts_are_one_family_without_those_left_out():
    good, bad = outcome(np.full(20, 0.05)), outcome(np.full(20, 0.5), np.where(np.arange(20) < 10, 1, 0.5))
    outcomes = {"one": {WIDE: good, NARROW: bad}, "two": {WIDE: good, NARROW: good}}
    success = COMPARISONS["success"]
    found = planned_contrasts(outcomes, PAIRS, success)
    assert list(found) == [("one", "wider"), ("two", "wider")]
    plain = 2 * 0.5**10  # all ten pairs that differ favour the wide network: McNemar's exact test
    assert found["one", "wider"].p == pytest.approx(plain)
    assert found["one", "wider"].p_holm == pytest.approx(2 * plain)
    alone = planned_contrasts(outcomes, PAIRS, lambda a, b: None if a is b else success(a, b))
    assert list(alone) == [("one", "wider")]
    assert alone["one", "wider"].p_holm == pytest.approx(plain)


def test_standing_counts_signs_and_significance():
    others = [
        contrast(0.2, 0.01),
        contrast(0.1, 0.05),
        contrast(-0.3, 0.049),
        contrast(-0.1),
        contrast(0.0, 0.01),
    ]
    counts = ("settings", "same", "same_significant", "opposite", "opposite_significant")
    assert standing(others, contrast(0.4)) == dict(zip(counts, (5, 2, 1, 2, 1), strict=True))
    others[1] = contrast(0.1, 0.04)
    assert standing(others, contrast(-0.4)) == dict(zip(counts, (5, 2, 1, 2, 2), strict=True))
    assert standing([], contrast(1)) == dict.fromkeys(counts, 0)


SETTINGS = [
    Setting(REFERENCE, REFERENCE, Training()),
    Setting("rate", "rate 1", Training()),
    Setting("rate", "rate 2", Training()),
    Setting("noise", "noise 3", Training()),
]
FOUND = {
    "success": {
        (REFERENCE, "wider"): contrast(0.2, 0.01),
        ("rate_1", "wider"): contrast(0.3, 0.01),
        ("rate_2", "wider"): contrast(-0.1, 0.2),
        ("noise_3", "wider"): contrast(-0.4, 0.001),
    },
    "loss_ratio": {("rate_1", "wider"): contrast(0.0, 0.5)},
}


def test_a_verdict_names_extremes_and_significant_opposites():
    (row,) = verdicts(SETTINGS, FOUND, PAIRS)  # the ratio has no reference, and no verdict
    assert (row["outcome"], row["contrast"], row["reference_estimate"]) == ("success", "wider", 0.2)
    assert (row["settings"], row["same"], row["opposite"], row["opposite_significant"]) == (3, 1, 2, 1)
    assert row["opposite_in"] == "noise 3"
    assert (row["lowest"], row["lowest_in"]) == (-0.4, "noise 3")
    assert (row["highest"], row["highest_in"]) == (0.3, "rate 1")


def test_a_contrast_left_out_is_nested_with_missing_numbers():
    found = nested_contrasts("loss_ratio", FOUND["loss_ratio"], SETTINGS, PAIRS)
    assert found["rate_1"]["wider"]["estimate"] == 1.0
    assert set(found["noise_3"]["wider"].values()) == {None}
    assert found["noise_3"]["wider"].keys() == found["rate_1"]["wider"].keys()


def test_contrast_rows_say_setting_factor_and_label():
    rows = list(contrast_rows(SETTINGS, FOUND))
    assert len(rows) == 5
    expected = {"outcome": "success", "setting": "noise_3", "factor": "noise", "label": "noise 3"}
    assert rows[3] | expected == rows[3]

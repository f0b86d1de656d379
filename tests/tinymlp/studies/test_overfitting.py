"""Over-fit and under-fit verdicts, on contrasts and losses made by hand."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tinymlp.inference import Contrast
from tinymlp.studies.overfitting import (
    compared,
    largest_p,
    mean_std,
    stopping,
    validation_and_test,
    verdict,
)

ABOVE, BELOW, ASTRIDE = (0.1, 0.3), (-0.3, -0.1), (-0.1, 0.1)


def contrast(ends, p_holm=0.01):
    return Contrast(20, sum(ends) / 2, *ends, 0.001, p_holm)


@pytest.mark.parametrize(
    ("test", "p_holm", "train", "floor", "expected"),
    [
        (ABOVE, 0.01, ABOVE, ABOVE, "under"),
        (ABOVE, 0.01, BELOW, BELOW, "over"),  # given that its test loss has risen
        (ABOVE, 0.05, ABOVE, ABOVE, "neither"),  # not significant
        (BELOW, 0.01, BELOW, BELOW, "neither"),  # better than the good fit
        (ABOVE, 0.01, ABOVE, ASTRIDE, "neither"),
        (ABOVE, 0.01, ASTRIDE, ABOVE, "neither"),
        (ABOVE, 0.01, BELOW, ASTRIDE, "neither"),
        (ABOVE, 0.01, ASTRIDE, BELOW, "neither"),
    ],
)
def test_a_verdict_needs_test_training_and_floor(test, p_holm, train, floor, expected):
    assert verdict(contrast(test, p_holm), contrast(train), contrast(floor), contrast(ABOVE)) == expected


@pytest.mark.parametrize("rise", [contrast(ABOVE, 0.06), contrast(BELOW), None])
def test_a_setting_whose_test_loss_has_not_risen_does_not_over_fit(rise):
    assert verdict(contrast(ABOVE), contrast(BELOW), contrast(BELOW), rise) == "neither"
    assert verdict(contrast(ABOVE), contrast(ABOVE), contrast(ABOVE), rise) == "under"


def test_a_verdict_on_an_uncorrected_contrast_is_refused():
    with pytest.raises(ValueError, match="holm_corrected"):
        verdict(contrast(ABOVE, None), contrast(ABOVE), contrast(ABOVE))
    with pytest.raises(ValueError, match="holm_corrected"):
        verdict(contrast(ABOVE), contrast(BELOW), contrast(BELOW), contrast(ABOVE, None))


def frame(train, validation, test, repeats=20):
    wiggle = 0.01 * np.sin(np.arange(repeats) * 1.7)
    columns = {"train": train, "validation": validation, "test": test}
    return pd.DataFrame({name: value + wiggle * k for k, (name, value) in enumerate(columns.items(), 1)})


LOSSES = {
    "mean": frame(0.25, 0.25, 0.25),
    "good": frame(0.24, 0.28, 0.28),
    "wide": frame(0.05, 0.6, 0.61),
    "straight": frame(0.4, 0.42, 0.41),
    "twin": frame(0.24, 0.28, 0.28).iloc[:15],
}


STOPS = {
    "wide": {"rise": asdict(Contrast(20, 0.2, 0.1, 0.3, 0.02)), "stopped": 0.4},
    "twin": {"rise": asdict(Contrast(20, 0.1, 0.0, 0.2, 0.03)), "stopped": 0.2},
}


@pytest.fixture(scope="module")
def found():
    return compared(LOSSES, {"width": ("wide", "straight")}, 0.25, STOPS)


def test_each_row_has_its_verdict_but_the_good_fit_and_the_mean(found):
    assert found["verdicts"] == {"wide": "over", "straight": "under", "twin": "neither"}
    assert found["comparisons"] == 3
    assert found["train_against_floor"].keys() == LOSSES.keys()


def test_rises_are_corrected_as_a_family_of_their_own(found):
    assert found["stopping"]["wide"]["rise"]["p_holm"] == 0.04
    assert found["stopping"]["twin"]["rise"]["p_holm"] == 0.04
    assert (found["stopping"]["wide"]["stopped"], found["stopping"]["wide"]["rise"]["p"]) == (0.4, 0.02)


def test_rows_are_compared_over_the_repeats_that_both_have(found):
    assert (found["test_against_good"]["twin"]["n"], found["test_against_good"]["wide"]["n"]) == (15, 20)
    assert found["worse_than_good"] == {"wide": 20, "straight": 20, "twin": 0}
    assert found["pairs"]["width"]["estimate"] == pytest.approx(0.2)


def test_the_largest_p_value_is_of_the_rows_with_that_verdict():
    test = {"a": contrast(ABOVE, 0.01), "b": contrast(ABOVE, 0.03), "c": contrast(ABOVE, 0.04)}
    verdicts = {"a": "over", "b": "over", "c": "under"}
    assert largest_p(test, verdicts, "over") == 0.03
    assert largest_p(test, verdicts, "neither") is None


def test_validation_and_test_differ_by_chance_where_zero_is_covered():
    losses = {
        "a": frame(0, 0.3, 0.3),
        "b": frame(0, 0.3, 0.4),
        "c": frame(0, 0.3, 0.2),
        "mean": frame(0, 1, 9),
    }
    found = validation_and_test(losses, ("a", "b", "c"))
    assert (found["covering_zero"], found["settings"]) == (1, 3)
    first, second = losses["b"]["test"], losses["b"]["validation"]
    interval = stats.ttest_rel(first, second).confidence_interval()
    assert (found["b"]["low"], found["b"]["high"]) == pytest.approx(tuple(interval))
    assert found["least"] == found["c"]["estimate"]
    assert found["greatest"] == found["b"]["estimate"]
    assert found["mean"]["estimate"] > 7


def test_stopping_is_at_the_least_validation_loss_of_trainings_that_reach_the_end():
    rows = [
        (0, 0, 0.9, 0.9), (0, 5, 0.3, 0.35), (0, 9, 0.5, 0.5),
        (1, 0, 0.9, 0.9), (1, 5, 0.4, 0.3), (1, 9, 0.2, 0.4),
        (2, 0, 0.9, 0.9), (2, 5, 0.1, 0.1),
    ]  # fmt: skip
    found = stopping(pd.DataFrame(rows, columns=["repeat", "epoch", "validation", "test"]), 9)
    assert found["rise"]["n"] == 2  # the third diverged
    assert found["rise"]["estimate"] == pytest.approx((0.15 + 0.0) / 2)
    assert (found["epoch"]["mean"], found["epoch"]["max"]) == (7, 9)
    assert found["stopped"]["mean"] == pytest.approx(0.375)
    assert found["test_minus_validation"]["estimate"] == pytest.approx((0.05 + 0.2) / 2)
    shorter = stopping(pd.DataFrame(rows, columns=["repeat", "epoch", "validation", "test"]), 5)
    assert (shorter["rise"]["n"], shorter["epoch"]["max"]) == (3, 5)


def test_a_single_number_has_no_spread():
    assert mean_std([2.0]) == {"mean": 2.0, "std": None}
    assert mean_std([1.0, 3.0]) == {"mean": 2.0, "std": pytest.approx(2**0.5)}

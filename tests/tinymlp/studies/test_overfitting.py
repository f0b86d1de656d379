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
    over_fits,
    stopped,
    stopping,
    under_fits,
    validation_and_test,
)

ABOVE, BELOW, ASTRIDE = (0.1, 0.3), (-0.3, -0.1), (-0.1, 0.1)


def contrast(ends, p_holm=0.01):
    return Contrast(20, sum(ends) / 2, *ends, 0.001, p_holm)


@pytest.mark.parametrize(
    ("test", "p_holm", "train", "floor", "expected"),
    [
        (ABOVE, 0.01, ABOVE, ABOVE, True),
        (ABOVE, 0.05, ABOVE, ABOVE, False),  # not significant
        (BELOW, 0.01, ABOVE, ABOVE, False),  # better than the good fit
        (ABOVE, 0.01, ABOVE, ASTRIDE, False),
        (ABOVE, 0.01, ASTRIDE, ABOVE, False),
        (ABOVE, 0.01, BELOW, BELOW, False),  # it has learnt what there is
    ],
)
def test_under_fitting_needs_test_training_and_floor(test, p_holm, train, floor, expected):
    assert under_fits(contrast(test, p_holm), contrast(train), contrast(floor)) == expected


@pytest.mark.parametrize(
    ("rise", "p_holm", "fall", "expected"),
    [
        (ABOVE, 0.01, BELOW, True),
        (ABOVE, 0.06, BELOW, False),  # not significant
        (BELOW, 0.01, BELOW, False),  # both have fallen: it still learns
        (ABOVE, 0.01, ASTRIDE, False),  # nothing more was learnt
        (ABOVE, 0.01, ABOVE, False),  # both have risen: it diverges
    ],
)
def test_over_fitting_needs_a_rise_in_test_and_a_fall_in_training(rise, p_holm, fall, expected):
    assert over_fits(contrast(rise, p_holm), contrast(fall)) == expected


def test_a_verdict_on_an_uncorrected_contrast_is_refused():
    with pytest.raises(ValueError, match="holm_corrected"):
        under_fits(contrast(ABOVE, None), contrast(ABOVE), contrast(ABOVE))
    with pytest.raises(ValueError, match="holm_corrected"):
        over_fits(contrast(ABOVE, None), contrast(BELOW))


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
    "wide": {
        "rise": asdict(Contrast(20, 0.2, 0.1, 0.3, 0.02)),
        "fall": asdict(contrast(BELOW)),
        "risen": 18,
    },
    "few": {
        "rise": asdict(Contrast(20, 0.1, 0.0, 0.2, 0.06)),
        "fall": asdict(contrast(BELOW)),
        "risen": 14,
    },
}


@pytest.fixture(scope="module")
def found():
    return compared(LOSSES, {"width": ("wide", "straight")}, 0.25, STOPS, ("straight", "twin"))


def test_a_row_is_judged_against_the_good_fit_or_against_itself(found):
    assert found["verdicts"] == {"straight": "under", "twin": "neither", "wide": "over", "few": "neither"}
    assert found["comparisons"] == 2
    assert found["train_against_floor"].keys() == LOSSES.keys()


def test_rises_are_corrected_as_a_family_of_their_own(found):
    assert found["stopping"]["wide"]["rise"]["p_holm"] == 0.04
    assert found["stopping"]["few"]["rise"]["p_holm"] == 0.06
    assert (found["stopping"]["wide"]["risen"], found["stopping"]["wide"]["rise"]["p"]) == (18, 0.02)


def test_rows_are_compared_over_the_repeats_that_both_have(found):
    assert (found["test_against_good"]["twin"]["n"], found["test_against_good"]["straight"]["n"]) == (15, 20)
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


CURVES = pd.DataFrame(
    [
        (0, 0, 0.9, 0.9, 0.9), (0, 5, 0.3, 0.3, 0.35), (0, 9, 0.1, 0.5, 0.5),
        (1, 0, 0.9, 0.9, 0.9), (1, 5, 0.3, 0.4, 0.3), (1, 9, 0.2, 0.2, 0.4),
        (2, 0, 0.9, 0.9, 0.9), (2, 5, 0.1, 0.1, 0.1),
    ],
    columns=["repeat", "epoch", "train", "validation", "test"],
)  # fmt: skip


def test_a_training_is_stopped_with_all_its_losses_at_one_moment():
    found = stopped(CURVES, 9)  # the third training diverged
    assert found.to_dict("index") == {
        0: {"epoch": 5, "train": 0.3, "validation": 0.3, "test": 0.35},
        1: {"epoch": 9, "train": 0.2, "validation": 0.2, "test": 0.4},
    }


def test_stopping_compares_the_end_with_the_least_validation_loss():
    found = stopping(CURVES, 9)
    assert (found["rise"]["n"], found["risen"]) == (2, 1)
    assert found["rise"]["estimate"] == pytest.approx((0.15 + 0.0) / 2)
    assert found["fall"]["estimate"] == pytest.approx((-0.2 + 0.0) / 2)
    assert (found["epoch"]["mean"], found["epoch"]["max"]) == (7, 9)
    assert found["test_minus_validation"]["estimate"] == pytest.approx((0.05 + 0.2) / 2)
    shorter = stopping(CURVES, 5)
    assert (shorter["rise"]["n"], shorter["epoch"]["max"]) == (3, 5)


def test_a_single_number_has_no_spread():
    assert mean_std([2.0]) == {"mean": 2.0, "std": None}
    assert mean_std([1.0, 3.0]) == {"mean": 2.0, "std": pytest.approx(2**0.5)}

"""Influences of training parameters, on summaries and contrasts made by hand."""

from dataclasses import replace

import numpy as np
import pytest

from tinymlp.inference import Contrast
from tinymlp.networks import Shape, Training
from tinymlp.studies.influences import influence_rows
from tinymlp.studies.settings import REFERENCE, Setting, settings_around

NARROW, WIDE = Shape(1, 2), Shape(1, 3)
TRAINING = Training(epochs=50)
SETTINGS = [
    Setting(REFERENCE, REFERENCE, TRAINING),
    Setting("epochs", "epochs 5", replace(TRAINING, epochs=5)),
    Setting("epochs", "epochs 200", replace(TRAINING, epochs=200)),
    Setting("optimiser", "SGD", replace(TRAINING, optimiser="sgd")),
]


def summary(success, excess, n=20):
    return {"success": {"estimate": success}, "solved_excess": {"n": n, "median": excess}}


SUMMARIES = {
    REFERENCE: {NARROW: summary(0.5, 0.02), WIDE: summary(0.9, 0.01)},
    "epochs_5": {NARROW: summary(0.1, 0.4, n=9), WIDE: summary(0.6, 0.3)},  # 9 are too few for a loss
    "epochs_200": {NARROW: summary(0.52, 0.005), WIDE: summary(0.9, 0.001)},
    "sgd": {NARROW: summary(0.6, 0.02), WIDE: summary(0.95, 0.015)},
}


def contrast(estimate, p_holm=0.01):
    return Contrast(20, estimate, estimate - 0.1, estimate + 0.1, 0.001, p_holm)


SUCCESS = {
    ("epochs_5", "wider"): contrast(0.5),
    ("epochs_5", "deeper"): contrast(-0.4),
    ("epochs_200", "wider"): contrast(0.3),
    ("epochs_200", "deeper"): contrast(0.1, p_holm=0.3),
    ("sgd", "wider"): contrast(0.2, p_holm=0.05),
    ("sgd", "deeper"): contrast(0.3),
}
RATIOS = {("epochs_5", "deeper"): contrast(np.log(0.1)), ("epochs_200", "deeper"): contrast(np.log(1.5))}


@pytest.fixture(scope="module")
def rows():
    found = influence_rows(
        SETTINGS, SUMMARIES, SUCCESS, RATIOS, wider=["wider"], deeper=["deeper"], deepest="deeper"
    )
    return {row["factor"]: row for row in found}


def test_a_row_for_each_factor_but_the_reference(rows):
    assert list(rows) == ["epochs", "optimiser"]
    assert (rows["epochs"]["settings"], rows["optimiser"]["settings"]) == (2, 1)


def test_values_are_written_as_used_and_tried(rows):
    assert (rows["epochs"]["used"], rows["epochs"]["tried"]) == ("50", "5, 200")
    assert (rows["optimiser"]["used"], rows["optimiser"]["tried"]) == (None, None)


def test_changes_are_extremes_over_settings_and_shapes(rows):
    assert (rows["epochs"]["change_low"], rows["epochs"]["change_high"]) == pytest.approx((-0.4, 0.02))
    assert (rows["epochs"]["factor_low"], rows["epochs"]["factor_high"]) == pytest.approx((0.1, 30))
    assert (rows["optimiser"]["factor_low"], rows["optimiser"]["factor_high"]) == pytest.approx((1, 1.5))


def test_only_significant_contrasts_are_ahead_or_behind(rows):
    counts = [[row[f"wider_{word}"] for word in ("tests", "ahead", "behind")] for row in rows.values()]
    assert counts == [[2, 2, 0], [1, 0, 0]]
    counts = [[row[f"deeper_{word}"] for word in ("tests", "ahead", "behind")] for row in rows.values()]
    assert counts == [[2, 0, 1], [1, 1, 0]]


def test_ratios_are_out_of_their_logarithm_and_missing_where_too_few_are_solved(rows):
    assert (rows["epochs"]["ratio_low"], rows["epochs"]["ratio_high"]) == pytest.approx((0.1, 1.5))
    assert (rows["optimiser"]["ratio_low"], rows["optimiser"]["ratio_high"]) == (None, None)


def test_every_factor_of_one_number_writes_its_values():
    reference = Training(epochs=50, n_val=1)
    settings = settings_around(reference)
    summaries = {setting.name: {WIDE: summary(0.5, 0.1)} for setting in settings}
    rows = influence_rows(settings, summaries, {}, {}, wider=[], deeper=[], deepest="deeper")
    used = {row["factor"]: (row["used"], row["tried"]) for row in rows if row["used"]}
    assert used == {
        "beta1": ("0.9", "0, 0.5, 0.99"),
        "beta2": ("0.999", "0.9, 0.99, 0.9999"),
        "learning rate": ("0.01", "0.001, 0.003, 0.03, 0.1"),
        "initial scale": ("1", "0.25, 0.5, 2, 4"),
        "epochs": ("50", "5, 10, 25, 100, 200"),
        "batch size": ("32", "8, 128"),
        "training points": ("1,000", "100, 3,000"),
        "weight decay": ("0", "0.0001, 0.001, 0.01"),
        "noise": ("0.1", "0.2, 0.3"),
    }

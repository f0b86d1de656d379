"""Successes: gap, levelling and contrasts, on scores made by hand."""

import numpy as np
import pytest
from scipy import stats

from tinymlp.networks import Score, Shape, Training, train
from tinymlp.studies.successes import (
    gap,
    learning_curves,
    levelling,
    outcomes_of,
    success_contrasts,
    success_row,
)

ACCURACY = np.array([0.99, 0.76, 0.97, 0.5, 0.74])
LOSS = np.array([0.01, 0.35, 0.05, 0.69, 0.4])
SOLVED = ACCURACY > 0.9
RIGHT, WRONG = [0.1, 0.9, 0.8, 0.4], [0.5, 0.5, 0.9, 0.1]


def test_the_gap_has_its_ends_and_the_widest_is_found_without_threshold():
    found = gap(ACCURACY, LOSS, SOLVED, [RIGHT, WRONG, RIGHT, WRONG, RIGHT])
    assert (found["stuck_accuracy_max"], found["solved_accuracy_min"]) == (0.76, 0.97)
    assert (found["widest_below"], found["widest_above"]) == (0.76, 0.97)  # 0.5 is not above one half
    assert (found["stuck_loss_min"], found["solved_loss_max"]) == (0.35, 0.05)
    assert (found["n_solved"], found["n_stuck"], found["centres_differ"]) == (2, 3, 1)


def test_a_row_describes_solved_and_stuck_networks_apart():
    row = success_row(Shape(1, 2), Score(LOSS, ACCURACY), LOSS / 2, SOLVED)
    assert (row["name"], row["width"], row["parameters"], row["n"]) == ("1x2", 2, 9, 5)
    assert (row["solved"], row["rate"]) == (2, 0.4)
    assert row["solved_loss_mean"] == pytest.approx(0.03)
    assert (row["stuck_loss_median"], row["stuck_train_loss_median"]) == (0.4, 0.2)
    assert row["accuracy_std"] == pytest.approx(np.std(ACCURACY, ddof=1))
    assert success_row(Shape(0, 0), Score(LOSS, ACCURACY), LOSS, SOLVED)["width"] is None
    assert success_row(Shape(1, 2), Score(LOSS, ACCURACY), LOSS, LOSS > 1)["solved_loss_mean"] is None


def test_networks_with_twice_the_training_loss_in_the_test_are_counted_among_the_solved():
    training = LOSS / np.array([2.1, 9, 1.9, 9, 9])  # the first and the third are solved
    row = success_row(Shape(1, 2), Score(LOSS, ACCURACY), training, SOLVED)
    assert (row["twice"], row["twice_estimate"]) == (1, 0.5)
    assert row["twice_low"] < 0.1 < 0.9 < row["twice_high"]  # Wilson: 0.095 and 0.905
    none = success_row(Shape(1, 2), Score(LOSS, ACCURACY), training, LOSS > 1)
    assert (none["twice"], none["twice_estimate"]) == (0, None)


def test_contrasts_of_rate_and_loss_are_two_families():
    first, second = Shape(1, 3), Shape(1, 2)
    scores = {first: Score(LOSS, ACCURACY), second: Score(np.add(LOSS, [0.3, 0.1, 0.2, 0.0, 0.1]), ACCURACY)}
    solved = {first: np.array([True] * 5), second: np.array([False] * 4 + [True])}
    pairs = {"wider": (first, second), "same": (first, first)}
    rate, loss, *_ = success_contrasts(pairs, scores, solved).to_dict("records")
    assert (rate["name"], rate["measure"], rate["first"], rate["second"]) == (
        "wider",
        "success rate",
        "1x3",
        "1x2",
    )
    assert (rate["estimate"], rate["p"]) == (0.8, 2 * 0.5**4)
    t = stats.ttest_rel(scores[first].loss, scores[second].loss)
    assert (loss["estimate"], loss["p"]) == pytest.approx((-0.14, t.pvalue))
    assert (rate["p_holm"], loss["p_holm"]) == pytest.approx((2 * rate["p"], 2 * loss["p"]))


@pytest.fixture(scope="module")
def ensemble():
    steps = 3  # for each epoch
    training = Training(
        epochs=5, batch_size=20, lr=0.05, n_train=60, n_val=40, checkpoints=(0, 2 * steps, 4 * steps)
    )
    return train([Shape(1, 2)], range(6), training, seed=4)


def test_levelling_compares_half_of_the_epochs_with_all(ensemble):
    shape = Shape(1, 2)
    found = levelling(ensemble, shape, 0.6)
    history = ensemble.history[shape]  # after 0, 2, 4 and 5 epochs
    assert found["half_epochs"] == 2
    assert found["solved_at_half"] == sum(history.val_accuracy[1] > 0.6)
    assert found["solved_at_end"] == sum(history.val_accuracy[3] > 0.6)
    pairs = list(zip(history.val_accuracy[1] > 0.6, history.val_accuracy[3] > 0.6, strict=True))
    assert (found["gained"], found["lost"]) == (pairs.count((False, True)), pairs.count((True, False)))
    assert found["val_loss_median_at_half"] == pytest.approx(np.median(history.val_loss[1]))
    assert found["val_loss_median_at_end"] == pytest.approx(np.median(history.val_loss[3]))


def test_curves_are_quantiles_of_the_networks_of_an_outcome(ensemble):
    shape = Shape(1, 2)
    solved = np.array([True, False, True, False, False, True])
    curves = learning_curves(ensemble, {shape: solved}, 0.6)
    losses = ensemble.history[shape].train_loss
    stuck = curves[curves["outcome"] == "stuck"]
    assert stuck["epoch"].tolist() == [0, 2, 4, 5]
    assert stuck["median"].tolist() == pytest.approx(np.median(losses[:, ~solved], axis=1))
    assert stuck["q05"].tolist() == pytest.approx(np.percentile(losses[:, ~solved], 5, axis=1))
    assert (curves["n"] == 3).all()
    share = (ensemble.history[shape].val_accuracy > 0.6).mean(axis=1)
    assert stuck["share_solved"].tolist() == share.tolist()


def test_an_outcome_that_does_not_occur_has_no_curve(ensemble):
    curves = learning_curves(ensemble, {Shape(1, 2): np.ones(6, dtype=bool)}, 0.6)
    assert set(curves["outcome"]) == {"solved"}


def test_every_network_has_one_outcome():
    found = outcomes_of([1, 0, 1])
    assert found["solved"].tolist() == [True, False, True]
    assert found["stuck"].tolist() == [False, True, False]

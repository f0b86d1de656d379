"""Learning curves of four hand-made runs: two solve the task, one falls back, one is stuck."""

import numpy as np
import pandas as pd
import pytest

from tinymlp.networks import History
from tinymlp.studies import candidate_rows, curve, findings, snapshots, telling_runs

EPOCHS = 4
ACCURACY = [  # above 0.9 from epoch 3, from epoch 1, in epoch 2 alone, never
    [0.5, 0.6, 0.95, 1.0],
    [0.95, 0.96, 0.97, 0.98],
    [0.5, 0.95, 0.9, 0.9],
    [0.5, 0.5, 0.6, 0.7],
]
LOSS = [
    [0.7, 0.6, 0.2, 0.1],
    [0.3, 0.1, 0.2, 0.3],
    [0.7, 0.3, 0.4, 0.5],
    [0.7, 0.7, 0.69, 0.68],
]
NORM = [[1.0, 5.0, 2.0, 0.5], [2.0, 1.0, 0.5, 0.1], [9.0, 9.0, 9.0, 9.0], [8.0, 8.0, 8.0, 8.0]]


def frame(runs=(0, 1, 2, 3)):
    rows = [
        {
            "run": run,
            "epoch": epoch + 1,
            "train_loss": LOSS[run][epoch] - 0.01,
            "val_loss": LOSS[run][epoch],
            "val_accuracy": ACCURACY[run][epoch],
            "gradient_norm": NORM[run][epoch],
        }
        for run in runs
        for epoch in range(EPOCHS)
    ]
    return pd.DataFrame(rows)


class TestFindings:
    found = findings(frame(), 0.9)

    def test_a_run_has_solved_the_task_if_its_last_accuracy_is_above_the_bound(self):
        assert (self.found["solved"]["successes"], self.found["solved"]["n"]) == (2, 4)
        assert self.found["val_loss"]["mean"] == pytest.approx((0.1 + 0.3) / 2)
        assert self.found["stuck_val_loss"]["min"] == 0.5
        assert self.found["stuck_val_loss"]["max"] == 0.68

    def test_it_solves_it_in_the_first_epoch_above_the_bound(self):
        epochs = self.found["solved_epoch"]
        assert (epochs["n"], epochs["min"], epochs["max"]) == (2, 1, 3)

    def test_the_best_epoch_is_that_of_the_least_validation_loss(self):
        best = self.found["best_epoch"]
        assert (best["n"], best["mean"]) == (4, (4 + 2 + 2 + 4) / 4)
        assert self.found["best_is_last"] == 2
        assert self.found["best_val_loss"]["mean"] == pytest.approx((0.1 + 0.1) / 2)

    def test_the_gap_between_the_losses_is_that_of_runs_that_solve_the_task(self):
        assert self.found["val_minus_train"]["n"] == 2
        assert self.found["val_minus_train"]["mean"] == pytest.approx(0.01)
        assert self.found["val_over_train"]["max"] == pytest.approx(0.1 / 0.09)

    def test_runs_with_twice_the_training_loss_in_validation_are_counted(self):
        doubled = frame().assign(
            train_loss=lambda rows: rows["val_loss"] / np.where(rows["run"] == 0, 2.1, 1.9)
        )
        assert self.found["val_twice_train"] == 0
        assert findings(doubled, 0.9)["val_twice_train"] == 1

    def test_gradients_are_those_of_runs_that_solve_the_task(self):
        norm = self.found["gradient_norm"]
        assert (norm["first"], norm["last"]) == (1.5, pytest.approx(0.3))
        assert (norm["greatest"]["min"], norm["greatest"]["max"]) == (2, 5)

    def test_where_no_run_solves_the_task_nothing_is_said_of_those_that_do(self):
        found = findings(frame([2, 3]), 0.9)
        assert found["solved"]["successes"] == 0
        assert found["gradient_norm"]["first"] is None
        assert found["solved_epoch"]["n"] == found["val_loss"]["n"] == 0


class TestTellingRuns:
    def test_are_the_quickest_the_slowest_and_the_first_stuck(self):
        assert telling_runs(frame(), 0.9) == {"quickest": 1, "slowest": 0, "stuck": 2}

    def test_are_absent_where_there_are_none(self):
        assert telling_runs(frame([3]), 0.9) == {"stuck": 3}
        assert telling_runs(frame([0]), 0.9) == {"quickest": 0, "slowest": 0}


class TestSnapshots:
    @staticmethod
    def rows(count):
        return [{"epoch": n, "val/loss": 1 / n, "parameters": [n]} for n in range(1, count + 1)]

    def test_lie_on_a_logarithmic_scale_from_the_first_to_the_last(self):
        assert [one["epoch"] for one in snapshots(self.rows(100), 3)] == [1, 10, 100]
        assert [one["epoch"] for one in snapshots(self.rows(32), 6)] == [1, 2, 4, 8, 16, 32]

    def test_take_each_epoch_once(self):
        assert [one["epoch"] for one in snapshots(self.rows(3), 6)] == [1, 2, 3]
        assert snapshots([], 6) == []

    def test_are_of_rows_with_parameters(self):
        rows = [{"epoch": 1, "val/loss": 0.1}, {"epoch": 2, "val/loss": 0.2, "parameters": [3.0]}]
        assert snapshots(rows, 6) == [{"epoch": 2, "val_loss": 0.2, "parameters": [3.0]}]
        assert snapshots(rows[:1], 6) == []


FIELDS = {"train_loss": "train/loss", "val_accuracy": "val/accuracy"}


class TestCurve:
    history = History([1.0, 2.0], [2.0, 1.0], [0.5, 1.0], [0.25, 1.0], [3.0, 4.0])
    rows = (
        {"epoch": 1, "train/loss": 1, "val/accuracy": 0.25, "extra": "x"},
        {"epoch": 2, "train/loss": 2, "val/accuracy": 1},
    )

    def expected(self):
        named = {name: getattr(self.history, name) for name in FIELDS}
        return pd.DataFrame({"run": 3, "epoch": [1, 2], **named})

    def test_is_that_of_the_log(self):
        pd.testing.assert_frame_equal(curve(3, self.history, self.rows, FIELDS), self.expected())

    def test_without_a_log_is_that_of_the_history(self):
        pd.testing.assert_frame_equal(curve(3, self.history, None, FIELDS), self.expected())

    def test_of_a_log_that_differs_is_refused(self):
        other = [self.rows[0], {**self.rows[1], "train/loss": 2.0000001}]
        with pytest.raises(ValueError, match="the log of run 3 differs"):
            curve(3, self.history, other, FIELDS)


def test_candidates_have_the_losses_of_their_repeats_and_the_shares_of_the_rule():
    shapes = pd.DataFrame(
        {
            "name": ["2-3", "0"],
            "depth": [2, 0],
            "width": pd.array([3, None], dtype="Int64"),
            "parameters": [9, 3],
            "rate": [0.75, 0.0],
        }
    )
    repeats = pd.DataFrame(
        {"shape": ["2-3", "0", "2-3", "0", "2-3", "0"], "val_loss": [0.1, 0.5, 0.2, 0.6, 0.6, 0.4]}
    )
    first, second = candidate_rows(shapes, repeats, (1, 50), 4000, np.random.default_rng(0))
    assert (first["name"], first["depth"], first["width"], first["parameters"]) == ("2-3", 2, 3, 9)
    assert (second["name"], second["depth"], second["width"], second["rate"]) == ("0", 0, None, 0.0)
    assert (first["val_loss"], second["val_loss"]) == (pytest.approx(0.3), pytest.approx(0.5))
    assert first["val_loss_std"] == pytest.approx(np.std([0.1, 0.2, 0.6], ddof=1))
    assert first["chosen_1"] == pytest.approx(2 / 3, abs=0.03)  # in two of the three repeats it is better
    assert first["chosen_50"] > 0.99
    assert first["chosen_1"] + second["chosen_1"] == pytest.approx(1)

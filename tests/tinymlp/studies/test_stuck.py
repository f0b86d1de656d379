"""Slow or stuck: numbers of networks trained on, by hand."""

import numpy as np
import pandas as pd
import pytest

from tinymlp.networks import Shape
from tinymlp.studies.stuck import curvature_counts, curvature_row, longer_row, weighted_share

HISTORY = np.array([[0.5, 0.4, 0.6], [0.48, 0.39, 0.3], [0.46, 0.385, 0.1], [0.45, 0.38, 0.01]])
SOLVED = np.array([False, False, True])


def test_a_row_speaks_of_those_still_stuck():
    row = longer_row(Shape(1, 2), 9, SOLVED, HISTORY, [0.52, 0.42, 0.62], [0.47, 0.39, 0.02])
    assert (row["shape"], row["n"], row["solved"], row["still_stuck"]) == ("1x2", 3, 1, 2)
    assert row["failed"] == 9
    assert row["train_loss_before"] == pytest.approx(0.45)
    assert row["train_loss_after"] == pytest.approx(0.415)
    assert row["train_loss_fall"] == pytest.approx((0.05 + 0.02) / 2)
    assert row["train_loss_fall_second_half"] == pytest.approx((0.01 + 0.005) / 2)
    assert (row["test_loss_before"], row["test_loss_after"]) == pytest.approx((0.47, 0.43))


def test_with_none_left_there_are_no_medians():
    row = longer_row(Shape(1, 2), 3, [True] * 3, HISTORY, [0.5] * 3, [0.1] * 3)
    assert (row["share"], row["still_stuck"], row["train_loss_fall"]) == (1, 0, None)


def test_a_shape_counts_by_all_that_failed_not_by_those_trained_on():
    rows = pd.DataFrame({"failed": [300, 100], "n": [10, 10], "share": [0.0, 0.4]})
    assert weighted_share(rows) == pytest.approx(0.1)


def test_curvature_is_counted_relative_to_the_largest_eigenvalue():
    assert curvature_counts([-4.0, -1e-4, 0.0, 1.9e-4, 2.1e-4, 2.0]) == (1, 3, -2.0)


def test_curvatures_of_several_networks_are_summed_up():
    row = curvature_row(Shape(1, 2), [(0.1, 0, 3, -1e-6), (0.3, 2, 5, -0.2), (0.2, 0, 4, 1e-7)])
    assert (row["curved_n"], row["parameters"], row["with_descent"]) == (3, 9, 1)
    assert (row["gradient_median"], row["flat_median"], row["lowest_curvature"]) == (0.2, 4, -0.2)
    assert curvature_row(Shape(1, 2), [])["gradient_median"] is None

"""Restarts: the best of k by hand, and a test of independence against SciPy's."""

import numpy as np
import pytest
from scipy import stats

from tinymlp.networks import Shape
from tinymlp.studies.restarts import best_of, independence, restart_row, single_rate

LOSS = [[0.3, 0.1, 0.2], [0.3, 0.4, 0.2], [0.1, 0.2, 0.3], [0.5, 0.4, 0.3]]
SOLVED = np.array([[0, 1, 0], [0, 1, 0], [0, 0, 0], [1, 0, 1]], dtype=bool)


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        (1, [False, False, False, True]),
        (2, [True, False, False, False]),  # in the last the second has less loss, and is not solved
        (3, [True, False, False, True]),
    ],
)
def test_the_best_has_the_least_training_loss_of_the_first_k(k, expected):
    assert best_of(LOSS, SOLVED, k).tolist() == expected


def test_a_row_has_the_rate_beside_that_of_independent_trainings():
    row = restart_row(Shape(1, 2), 2, LOSS, SOLVED)
    assert (row["shape"], row["k"], row["n"], row["solved"], row["rate"]) == ("1x2", 2, 4, 1, 0.25)
    assert row["trained_parameters"] == 2 * 9  # (2 + 1) 2 + 2 + 1 parameters each
    assert row["any_solved"] == 3
    p = 4 / 12
    assert row["predicted"] == pytest.approx(1 - (1 - p) ** 2)
    interval = stats.binomtest(4, 12).proportion_ci(method="wilson")
    assert row["predicted_low"] == pytest.approx(1 - (1 - interval.low) ** 2)
    assert row["predicted_high"] == pytest.approx(1 - (1 - interval.high) ** 2)


def test_the_single_rate_counts_every_training():
    assert (single_rate(SOLVED).successes, single_rate(SOLVED).n) == (4, 12)


def test_independence_is_a_chi_squared_test_against_the_binomial_distribution():
    rng = np.random.default_rng(2)
    solved = rng.random((500, 3)) < 0.6
    found = independence(solved)
    p = solved.mean()
    expected = 500 * np.array([(1 - p) ** 3, 3 * p * (1 - p) ** 2, 3 * p**2 * (1 - p), p**3])
    observed = [int((solved.sum(axis=1) == n).sum()) for n in range(4)]
    assert list(found["by_successes"]) == observed
    assert found["expected"] == pytest.approx(expected)
    chi_squared = ((observed - expected) ** 2 / expected).sum()
    assert found["independence_p"] == pytest.approx(stats.chi2.sf(chi_squared, 2))
    assert found["independence_p"] > 0.01


def test_restarts_that_depend_on_the_data_set_are_found_out():
    solved = np.repeat(np.random.default_rng(3).random((200, 1)) < 0.5, 3, axis=1)
    assert independence(solved)["independence_p"] < 1e-10


@pytest.mark.parametrize("solved", [np.ones((5, 3)), np.zeros((5, 3)), np.array([[1], [0]])])
def test_there_is_no_test_without_variation_or_restart(solved):
    assert independence(solved)["independence_p"] is None

"""Choosing among fits: tables over training sets, by hand."""

import numpy as np
import pytest

from tinymlp.scalar import chosen_losses
from tinymlp.studies.choosing import (
    candidate_counts,
    choice,
    choice_rows,
    choices,
    chosen_by_points,
    flat_choice,
)

# points -> candidates -> (validation, test)
SETS = [
    {5: {1: (0.5, 0.6), 2: (0.3, 0.5)}, 10: {1: (0.5, 0.6), 2: (0.4, 0.48)}},
    {5: {1: (0.7, 0.6), 2: (0.4, 0.5)}, 10: {1: (0.6, 0.6), 2: (0.4, 0.46)}},
    {5: {1: (0.6, 0.9), 2: (0.5, 0.8)}, 10: {1: (0.6, 0.9), 2: (0.4, 0.71)}},
]


@pytest.mark.parametrize(
    ("candidates", "counts"), [(1, [1]), (4, [1, 2, 4]), (7, [1, 2, 4]), (16, [1, 2, 4, 8, 16])]
)
def test_counts_are_powers_of_two_up_to_the_candidates(candidates, counts):
    assert candidate_counts(candidates) == counts


def test_the_bias_is_test_minus_validation_loss_over_training_sets():
    found = choice(SETS, 5, 2)
    assert (found["points"], found["candidates"]) == (5, 2)
    assert (found["validation"]["mean"], found["test"]["mean"]) == pytest.approx((0.4, 0.6))
    assert (found["bias"]["n"], found["bias"]["estimate"]) == (3, pytest.approx(0.2))
    flat = flat_choice(found)
    assert flat["estimate"] == found["bias"]["estimate"]
    assert flat["validation"] == pytest.approx(0.4)


def test_choices_go_over_candidates_and_over_points():
    found = choices(SETS, 5, (5, 10))
    assert [(row["points"], row["candidates"]) for row in found["by_count"]] == [(5, 1), (5, 2)]
    assert [(row["points"], row["candidates"]) for row in found["by_points"]] == [(5, 2), (10, 2)]
    assert (found["one"], found["all"]) == tuple(found["by_count"])
    assert (found["fewest_points"], found["most_points"]) == tuple(found["by_points"])
    assert found["gain"]["estimate"] == pytest.approx(0.1)


def test_rows_hold_every_number():
    rows = choice_rows(SETS)
    assert len(rows) == 12
    last = rows.iloc[-1]
    assert (last["set"], last["points"], last["candidates"], last["validation"], last["test"]) == (
        2,
        10,
        2,
        0.4,
        0.71,
    )


def test_each_number_of_points_has_its_own_generator():
    rng = np.random.default_rng(0)
    fits, means = rng.normal(size=(4, 20)), np.zeros(20)
    found = chosen_by_points(fits, means, 0.5, (10, 3), [1, 4], 30, np.random.default_rng)
    assert list(found) == [10, 3]
    assert found[3] == chosen_losses(fits, means, 0.5, 3, [1, 4], 30, np.random.default_rng(3))

"""Ratios of the losses of networks that have both solved the task."""

import numpy as np
import pytest
from scipy import stats

from tinymlp.networks import Shape
from tinymlp.studies.ratios import as_ratio, log_ratio, loss_ratios

NARROW, WIDE = Shape(1, 2), Shape(1, 3)


def test_a_ratio_is_the_geometric_mean_over_the_repeats_that_both_have_solved():
    rng = np.random.default_rng(1)
    losses = {WIDE: rng.uniform(0.01, 0.1, 30), NARROW: rng.uniform(0.01, 0.1, 30)}
    solved = {WIDE: np.arange(30) < 25, NARROW: np.arange(30) > 4}
    found = loss_ratios({"wider": (WIDE, NARROW)}, losses, solved)["wider"]
    both = slice(5, 25)
    expected = stats.ttest_rel(np.log(losses[WIDE][both]), np.log(losses[NARROW][both]))
    assert (found["n"], found["p"], found["null"]) == (20, pytest.approx(expected.pvalue), 1)
    assert found["estimate"] == pytest.approx(
        stats.gmean(losses[WIDE][both]) / stats.gmean(losses[NARROW][both])
    )
    ends = np.exp(expected.confidence_interval())
    assert (found["low"], found["high"]) == pytest.approx(tuple(ends))


@pytest.mark.parametrize(("n", "enough"), [(9, False), (10, True)])
def test_a_ratio_needs_ten_pairs(n, enough):
    losses = np.linspace(0.01, 0.02, n)
    found = log_ratio(losses, losses**0.9, np.ones(n, dtype=bool))
    assert (found is not None) == enough
    assert (as_ratio(found)["estimate"] is not None) == enough

"""Ratios of the losses of networks that have both solved the task."""

import numpy as np
import pytest
from scipy import stats

from tinymlp.networks import Shape
from tinymlp.studies.ratios import as_ratio, log_ratio, loss_ratios, mean_ratio

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


class TestMeanRatio:
    def test_a_constant_ratio_is_known_exactly(self):
        losses = np.linspace(0.01, 0.2, 20)
        found = mean_ratio(3 * losses, losses, np.ones(20, dtype=bool))
        assert (found["n"], found["estimate"]) == (20, pytest.approx(3))
        assert (found["low"], found["high"]) == pytest.approx((3, 3))

    def test_it_is_of_the_means_over_the_marked_repeats(self):
        first, second = np.ones(30), np.where(np.arange(30) < 20, 0.5, 0.01)
        found = mean_ratio(first, second, np.arange(30) < 20)
        assert (found["n"], found["estimate"]) == (20, 2)

    def test_its_interval_is_that_of_the_bootstrap(self):
        rng = np.random.default_rng(1)
        shared = rng.lognormal(0, 0.5, 300)
        first, second = shared * rng.lognormal(0.5, 0.4, 300), shared * rng.lognormal(0, 0.3, 300)
        found = mean_ratio(first, second, np.ones(300, dtype=bool))
        drawn = rng.integers(0, 300, (4000, 300))
        ratios = first[drawn].mean(axis=1) / second[drawn].mean(axis=1)
        assert (found["low"], found["high"]) == pytest.approx(np.quantile(ratios, [0.025, 0.975]), rel=0.02)

    def test_its_p_value_is_that_of_no_difference(self):
        rng = np.random.default_rng(2)
        both = np.ones(300, dtype=bool)
        values = [
            mean_ratio(*rng.lognormal(0, 0.3, (2, 300)), both)["p"] for _ in range(400)
        ]  # without a difference all p values are equally likely
        assert np.mean(np.array(values) < 0.1) == pytest.approx(0.1, abs=0.05)
        clear = mean_ratio(rng.lognormal(0.2, 0.3, 300), rng.lognormal(0, 0.3, 300), both)
        assert (clear["p"] < 0.001, clear["null"]) == (True, 1)

    def test_it_needs_ten_repeats(self):
        found = mean_ratio(np.ones(20), np.ones(20), np.arange(20) < 9)
        assert (found["estimate"], found["low"], found["high"]) == (None, None, None)

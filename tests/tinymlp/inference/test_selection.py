"""The price of a choice against enumeration, order statistics and simulated sweeps."""

import math
from dataclasses import astuple
from itertools import combinations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom, norm

from tinymlp.inference.selection import chosen_shares, ranking_stability, selection_bias


def rng(seed=0):
    return np.random.default_rng(seed)


def greatest_of(m):
    """The mean of the greatest of m standard normal numbers."""
    return quad(lambda z: z * m * norm.pdf(z) * norm.cdf(z) ** (m - 1), -10, 10)[0]


def mean_rows(simulations, trials, seeds, counts, noise=1.0):
    """The mean over simulated sweeps of equally good trials, a row of numbers for each count."""
    draw = rng(1)
    sweeps = (noise * draw.normal(size=(trials, seeds)) for _ in range(simulations))
    return np.mean([[astuple(row) for row in selection_bias(x, counts, 40, draw)] for x in sweeps], axis=0)


class TestSelectionBias:
    def test_without_noise_the_choice_costs_nothing(self):
        losses = np.array([[0.3], [0.2], [0.4]]) * np.ones(8)
        for row, count in zip(selection_bias(losses, [1, 4], 50, rng()), [1, 4], strict=True):
            assert (row.seeds, row.chosen, row.best_share) == (count, 1, 1)
            assert (row.apparent, row.honest) == pytest.approx((0.2, 0.2))
            assert (row.bias, row.bias_error, row.regret) == pytest.approx((0, 0, 0), abs=1e-12)

    def test_draws_agree_with_all_subsets_of_the_seeds(self):
        losses = rng(5).exponential(size=(4, 6))
        (row,) = selection_bias(losses, [2], 20_000, rng())
        apparent, honest, regret, best = [], [], [], []
        for subset in combinations(range(6), 2):
            rest = [seed for seed in range(6) if seed not in subset]
            chosen = min(range(4), key=lambda trial, subset=subset: sum(losses[trial, s] for s in subset))
            apparent.append(np.mean([losses[chosen, seed] for seed in subset]))
            honest.append(np.mean([losses[chosen, seed] for seed in rest]))
            regret.append(honest[-1] - np.mean([losses[losses.sum(axis=1).argmin(), seed] for seed in rest]))
            best.append(chosen == losses.sum(axis=1).argmin())
        assert row.chosen > 1
        found = row.apparent, row.honest, row.bias, row.regret, row.best_share
        biases = np.subtract(honest, apparent)
        expected = [np.mean(values) for values in (apparent, honest, biases, regret, best)]
        assert found == pytest.approx(expected, abs=4 / 20_000**0.5)

    def test_of_equal_trials_the_best_is_flattered_by_the_greatest_of_normal_numbers(self):
        counts = [1, 4, 12]
        rows = mean_rows(300, trials=20, seeds=16, counts=counts, noise=2.0)
        _, apparent, honest, bias, _, regret, _, _ = rows.T
        flattery = [2 * greatest_of(20) / k**0.5 for k in counts]
        assert bias == pytest.approx(flattery, rel=0.04)
        assert apparent == pytest.approx([-value for value in flattery], rel=0.04)
        assert honest == pytest.approx([0, 0, 0], abs=0.08)
        # the bound of the regret, not its value, 0: the best over all seeds is flattered as well
        assert regret == pytest.approx([2 * greatest_of(20) / 16**0.5] * 3, rel=0.08)

    def test_what_is_common_to_all_trials_of_a_seed_decides_nothing(self):
        losses = rng(2).normal(size=(5, 10))
        shifts = 10 * rng(3).normal(size=10)
        (plain,), (shifted,) = (
            selection_bias(values, [3], 200, rng(4)) for values in (losses, losses + shifts)
        )
        assert plain.chosen == shifted.chosen
        assert (plain.regret, plain.best_share) == pytest.approx((shifted.regret, shifted.best_share))

    def test_standard_error_is_that_of_new_seeds_or_somewhat_more(self):
        means, draw = np.linspace(0, 1, 10)[:, None], rng(6)
        biases, errors = [], []
        for _ in range(120):
            losses = means + draw.normal(size=(10, 20)) + 2 * draw.normal(size=20)
            (row,) = selection_bias(losses, [2], 200, draw)
            biases.append(row.bias)
            errors.append(row.bias_error)
        assert 0.9 < np.mean(errors) / np.std(biases, ddof=1) < 1.7

    def test_equal_generators_give_equal_rows(self):
        losses = rng(7).normal(size=(6, 9))
        first, second = (selection_bias(losses, [1, 5], 30, rng(8)) for _ in range(2))
        assert first == second

    @pytest.mark.parametrize(
        ("losses", "count", "message"),
        [
            ([[1, 2, 3]], 0, "choice on 0 of 3 seeds"),
            ([[1, 2, 3]], 2, "must leave two or more"),
            ([[1, 2, math.nan]], 1, "finite"),
            ([[1, 2, 3], [1, 2]], 1, "all of one length"),
            ([], 1, "one row or more"),
        ],
    )
    def test_impossible_choices_are_refused(self, losses, count, message):
        with pytest.raises(ValueError, match=message):
            selection_bias(losses, [count], 5, rng())


class TestRankingStability:
    def test_shares_are_those_of_all_samples(self):
        # of 2 seeds: the first twice (1/4), the second twice (1/4), or both (1/2)
        ranking = ranking_stability([[0, 3], [3, 0], [1, 1], [2, 2]], 10_000, rng())
        assert ranking.shares == pytest.approx([0.25, 0.25, 0.5, 0], abs=0.02)
        assert sum(ranking.shares) == pytest.approx(1)
        assert ranking.leaders[0] == 2
        assert sorted(ranking.leaders) == [0, 1, 2]

    def test_leaders_are_as_few_as_the_level_needs(self):
        losses = [[0, 3], [3, 0], [1, 1], [2, 2]]
        assert ranking_stability(losses, 1000, rng(), level=0.4).leaders == [2]
        assert len(ranking_stability(losses, 1000, rng(), level=0.7).leaders) == 2
        assert ranking_stability([[1, 1, 1], [0, 0, 0]], 10, rng(), level=1).leaders == [1]


class TestChosenShares:
    def test_shares_are_those_of_binomial_counts(self):
        losses = {"risky": [0, 0, 0, 1], "safe": [0.4] * 4}
        shares = chosen_shares(losses, [1, 2, 3], 20_000, rng())
        # the risky one is chosen with a mean below 0.4: without a loss of 1 among 1 or 2, with one among 3
        expected = [binom.cdf(ones, n, 0.25) for n, ones in ((1, 0), (2, 0), (3, 1))]
        assert [shares[n]["risky"] for n in (1, 2, 3)] == pytest.approx(expected, abs=0.015)
        assert all(sum(row.values()) == pytest.approx(1) for row in shares.values())

    def test_more_repeats_choose_the_best_as_normal_theory_says(self):
        draw = rng(9)
        losses = {name: mean + draw.normal(size=2000) for name, mean in (("a", 0.0), ("b", 0.1))}
        difference = losses["b"] - losses["a"]
        shares = chosen_shares(losses, [30, 300], 4000, draw)
        for n in (30, 300):
            z = difference.mean() / difference.std() * n**0.5
            assert shares[n]["a"] == pytest.approx(norm.cdf(z), abs=0.03)

    @pytest.mark.parametrize(
        ("losses", "size", "message"),
        [
            ({}, 1, "one row or more"),
            ({"a": [1, 2], "b": [1]}, 1, "all of one length"),
            ({"a": [1, math.inf]}, 1, "finite"),
            ({"a": [1, 2]}, 0, "one repeat or more"),
        ],
    )
    def test_impossible_choices_are_refused(self, losses, size, message):
        with pytest.raises(ValueError, match=message):
            chosen_shares(losses, [size], 5, rng())

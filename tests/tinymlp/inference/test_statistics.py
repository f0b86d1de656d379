"""Summaries, intervals and tests against published examples; the Bayes loss against sampling and grids."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, multivariate_normal, norm, ttest_ind, ttest_rel

from tinymlp.inference.statistics import (
    Contrast,
    bayes_accuracy,
    bayes_loss,
    bayes_probability,
    holm,
    holm_corrected,
    independent_means,
    mcnemar,
    newcombe,
    newcombe_paired,
    paired_means,
    paired_successes,
    summarise,
    wilson,
)
from tinymlp.networks.noisy_xor import NoisyXor

# Student, Biometrika 6 (1908): hours of sleep gained by ten patients with each of two drugs.
SLEEP_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SLEEP_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


class TestSummaries:
    @given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50))
    def test_agree_with_the_standard_library(self, values):
        summary = summarise(values)
        quartiles = statistics.quantiles(values, n=4, method="inclusive")
        twentieths = statistics.quantiles(values, n=20, method="inclusive")
        assert summary.n == len(values)
        assert summary.mean == pytest.approx(statistics.fmean(values), abs=1e-6)
        assert summary.std == pytest.approx(statistics.stdev(values), abs=1e-6)
        assert summary.median == pytest.approx(statistics.median(values), abs=1e-6)
        assert [summary.q25, summary.q75] == pytest.approx([quartiles[0], quartiles[2]], abs=1e-6)
        assert [summary.q05, summary.q95] == pytest.approx([twentieths[0], twentieths[-1]], abs=1e-6)
        assert (summary.min, summary.max) == (min(values), max(values))

    def test_one_value_has_no_spread_and_none_has_nothing(self):
        assert (summarise([3.0]).mean, summarise([3.0]).std) == (3.0, None)
        assert summarise([]).n == 0
        assert summarise([]).mean is None

    @pytest.mark.parametrize("wrong", [[1.0, math.nan], [math.inf], [[1.0], [2.0]]])
    def test_refuse_what_is_no_list_of_finite_numbers(self, wrong):
        with pytest.raises(ValueError, match="list of finite numbers"):
            summarise(wrong)


class TestProportions:
    @pytest.mark.parametrize(
        ("successes", "n", "low", "high"),
        [  # Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ],
    )
    def test_wilson_gives_the_published_intervals(self, successes, n, low, high):
        result = wilson(successes, n)
        assert (result.low, result.high) == pytest.approx((low, high), abs=5e-5)
        assert result.estimate == successes / n

    @given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
    def test_wilsons_limits_are_the_rates_that_a_score_test_just_accepts(self, data):
        successes, n = data
        result = wilson(successes, n, level=0.9)
        for rate in (result.low, result.high):
            distance = (result.estimate - rate) ** 2
            assert distance == pytest.approx(norm.ppf(0.95) ** 2 * rate * (1 - rate) / n, abs=1e-9)

    @pytest.mark.parametrize(("successes", "n"), [(0, 0), (4, 3), (-1, 3)])
    def test_impossible_counts_are_refused(self, successes, n):
        with pytest.raises(ValueError, match=r"part of n > 0.*successes="):
            wilson(successes, n)

    @pytest.mark.parametrize(
        ("first", "second", "low", "high"),
        [  # Newcombe, Statistics in Medicine 17 (1998) 873, table II, method 10
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
        ],
    )
    def test_newcombe_gives_the_published_intervals(self, first, second, low, high):
        result = newcombe(first, second)
        assert (result.low, result.high) == pytest.approx((low, high), abs=5e-5)
        swapped = newcombe(second, first)
        assert (swapped.low, swapped.high) == pytest.approx((-result.high, -result.low))

    @pytest.mark.parametrize(
        ("counts", "low", "high"),
        [  # Newcombe, Statistics in Medicine 17 (1998) 2635, method 10
            ((36, 12, 2, 0), 0.0569, 0.3404),
            ((18, 12, 2, 18), 0.0562, 0.3290),
            ((53, 0, 0, 1), -0.0729, 0.0729),
            ((0, 30, 0, 0), 0.8395, 1.0),
            # Fagerland, Lydersen and Laake, Statistical Analysis of Contingency Tables (2017), chapter 8
            ((59, 6, 16, 80), -0.1186, -0.0046),
        ],
    )
    def test_newcombe_gives_the_published_intervals_of_pairs(self, counts, low, high):
        result = newcombe_paired(*counts)
        assert (result.low, result.high) == pytest.approx((low, high), abs=5e-5)
        assert result.estimate == pytest.approx((counts[1] - counts[2]) / sum(counts))


class TestPairs:
    def test_students_sleep_data_give_the_published_contrast(self):
        result = paired_means(SLEEP_1, SLEEP_2)
        assert (result.n, result.estimate) == (10, pytest.approx(-1.58))
        assert (result.low, result.high) == pytest.approx((-2.4598858, -0.7001142), abs=1e-7)
        assert result.p == pytest.approx(0.002833, abs=5e-7)

    def test_means_that_differ_without_spread_have_p_zero_and_equal_ones_p_one(self):
        assert paired_means([2.0, 2.0], [1.0, 1.0]).p == 0
        assert paired_means([1.0, 1.0], [1.0, 1.0]).p == 1

    def test_mcnemar_gives_the_published_value(self):
        # Armitage and Berry, Statistical Methods in Medical Research (1994): 12 pairs against 2.
        assert mcnemar(12, 2) == pytest.approx(0.0129, abs=5e-5)
        assert mcnemar(12, 2) == 2 * (1 + 14 + 91) / 2**14
        assert mcnemar(0, 0) == mcnemar(5, 5) == 1

    def test_successes_are_contrasted_by_counting_the_pairs(self):
        counts = {(1, 1): 18, (1, 0): 12, (0, 1): 2, (0, 0): 18}
        first, second = zip(*[pair for pair, n in counts.items() for _ in range(n)], strict=True)
        result = paired_successes(first, second)
        assert (result.n, result.estimate) == (50, pytest.approx(0.2))
        assert (result.low, result.high) == pytest.approx((0.0562, 0.3290), abs=5e-5)
        assert result.p == pytest.approx(0.0129, abs=5e-5)

    @pytest.mark.parametrize("contrast", [paired_means, paired_successes])
    def test_samples_of_different_lengths_are_no_pairs(self, contrast):
        with pytest.raises(ValueError, match="equally long: 3, 2"):
            contrast([1, 0, 1], [1, 0])

    def test_a_single_pair_and_halves_of_a_success_are_refused(self):
        with pytest.raises(ValueError, match="two pairs or more"):
            paired_means([1.0], [2.0])
        with pytest.raises(ValueError, match="0 or 1"):
            paired_successes([1, 0.5], [0, 1])


class TestIndependentMeans:
    def test_student_s_sleep_data_as_two_groups(self):
        # the Welch interval that R prints for t.test(extra ~ group, data = sleep)
        difference = independent_means(SLEEP_1, SLEEP_2)
        expected = [-1.58, -3.3654832, 0.2054832]
        found = [difference.estimate, difference.low, difference.high]
        assert found == pytest.approx(expected, abs=5e-8)

    def test_without_spread_the_interval_is_a_point(self):
        difference = independent_means([2.0, 2.0], [1.0, 1.0, 1.0])
        assert (difference.low, difference.estimate, difference.high) == (1.0, 1.0, 1.0)

    def test_single_numbers_are_refused(self):
        with pytest.raises(ValueError, match="two numbers or more: 1, 2"):
            independent_means([1.0], [1.0, 2.0])


class TestLevels:
    """The level that is asked for is that of the interval: SciPy's, and limits squared and added by hand."""

    LEVELS = pytest.mark.parametrize("level", [0.8, 0.95, 0.99])

    @LEVELS
    def test_of_paired_means(self, level):
        result = paired_means(SLEEP_1, SLEEP_2, level)
        expected = ttest_rel(SLEEP_1, SLEEP_2).confidence_interval(level)
        assert (result.low, result.high) == pytest.approx(tuple(expected))

    @LEVELS
    @pytest.mark.parametrize("swapped", [False, True])
    def test_of_independent_means_of_samples_of_different_sizes(self, level, swapped):
        samples = (SLEEP_1[:4], SLEEP_2)[:: -1 if swapped else 1]
        result = independent_means(*samples, level)
        expected = ttest_ind(*samples, equal_var=False).confidence_interval(level)
        assert (result.low, result.high) == pytest.approx(tuple(expected))

    @LEVELS
    def test_of_two_proportions(self, level):
        result = newcombe((56, 70), (48, 80), level)
        one, other = (binomtest(*counts).proportion_ci(level, "wilson") for counts in ((56, 70), (48, 80)))
        below, above = (
            math.hypot(0.8 - one.low, other.high - 0.6),
            math.hypot(one.high - 0.8, 0.6 - other.low),
        )
        assert (result.low, result.high) == pytest.approx((0.2 - below, 0.2 + above))

    @LEVELS
    def test_of_pairs_whose_small_correlation_the_correction_takes_away(self, level):
        """2 x 1 - 1 x 1 is positive, but less than half of the 5 pairs: they count as independent."""
        independent = newcombe((3, 5), (3, 5), level)
        assert newcombe_paired(2, 1, 1, 1, level) == independent
        pairs = [(1, 1), (1, 1), (1, 0), (0, 1), (0, 0)]
        result = paired_successes(*zip(*pairs, strict=True), level)
        assert (result.low, result.high) == (independent.low, independent.high)


class TestHolm:
    def test_gives_what_hand_calculation_gives(self):
        # Sorted 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1; never below an earlier one. R: p.adjust(p, "holm").
        assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])

    @given(
        st.lists(st.floats(0, 1), max_size=12),
        st.floats(0.001, 0.2),
    )
    def test_rejects_what_the_sequential_procedure_rejects(self, p_values, alpha):
        """Holm's own words: step down while the smallest p left is at most alpha over those left."""
        rejected = set()
        left = sorted(range(len(p_values)), key=lambda i: p_values[i])
        while left and p_values[left[0]] * len(left) <= alpha:
            rejected.add(left.pop(0))
        assert {i for i, p in enumerate(holm(p_values)) if p <= alpha} == rejected

    def test_corrects_a_family_of_contrasts_by_name(self):
        family = {"depth": Contrast(9, 0.5, 0.4, 0.6, p=0.02), "width": Contrast(9, 0.1, -0.1, 0.3, p=0.3)}
        corrected = holm_corrected(family)
        assert {name: contrast.p_holm for name, contrast in corrected.items()} == {
            "depth": 0.04,
            "width": 0.3,
        }
        assert corrected["depth"].p == 0.02


def mixture(inputs: np.ndarray, s: float) -> tuple[np.ndarray, np.ndarray]:
    """The densities of the two classes, times their probabilities, from the four Gaussians themselves."""
    weighted = {
        (m1, m2): multivariate_normal([m1, m2], s**2 * np.eye(2)).pdf(inputs) / 4
        for m1 in (0, 1)
        for m2 in (0, 1)
    }
    return weighted[0, 0] + weighted[1, 1], weighted[0, 1] + weighted[1, 0]


class TestBayes:
    def test_loss_is_as_known_for_the_noise_of_the_report(self):
        assert round(bayes_loss(0.3), 4) == 0.2187
        assert round(bayes_loss(0.2), 4) == 0.0338

    @pytest.mark.parametrize("s", [0.15, 0.3, 1.0])
    def test_probability_is_that_of_the_four_gaussians(self, s):
        inputs = np.random.default_rng(0).normal(0.5, 0.7, (50, 2))
        zero, one = mixture(inputs, s)
        assert bayes_probability(inputs, s) == pytest.approx(one / (zero + one), rel=1e-6, abs=1e-12)

    @pytest.mark.parametrize("s", [0.1, 0.2, 0.3, 0.7, 2.0])
    def test_loss_and_accuracy_are_the_integrals_over_the_mixture(self, s):
        axis = np.linspace(-9 * s, 1 + 9 * s, 1201)
        zero, one = mixture(np.stack(np.meshgrid(axis, axis), axis=-1), s)
        with np.errstate(divide="ignore", invalid="ignore"):
            loss = -np.nan_to_num(one * np.log(one / (zero + one))) - np.nan_to_num(
                zero * np.log(zero / (zero + one))
            )
        area = (axis[1] - axis[0]) ** 2
        assert bayes_loss(s) == pytest.approx(loss.sum() * area, rel=1e-6)
        assert bayes_accuracy(s) == pytest.approx(np.maximum(zero, one).sum() * area, rel=1e-4)

    def test_loss_and_accuracy_are_those_of_the_bayes_classifier_on_data(self):
        data = NoisyXor(200_000, 0.3, seed=1)
        targets, p = data.targets.numpy(), bayes_probability(data.inputs.numpy(), 0.3)
        losses = -np.log(np.where(targets == 1, p, 1 - p))
        hits = (p > 0.5) == targets
        for sample, expected in ((losses, bayes_loss(0.3)), (hits, bayes_accuracy(0.3))):
            assert abs(sample.mean() - expected) < 4 * sample.std() / len(sample) ** 0.5

    def test_loss_goes_from_nothing_to_a_coin_toss(self):
        losses = [bayes_loss(s) for s in (0.01, 0.05, 0.1, 0.3, 1, 10, 1000)]
        assert losses == sorted(losses)
        assert losses[0] == 0
        assert losses[-1] == pytest.approx(math.log(2), abs=1e-9)
        assert bayes_accuracy(1000) == pytest.approx(0.5, abs=1e-6)

    @pytest.mark.parametrize("function", [bayes_loss, bayes_accuracy, lambda s: bayes_probability([0, 0], s)])
    def test_a_deviation_that_is_not_positive_is_refused(self, function):
        with pytest.raises(ValueError, match=r"must be positive: s=0"):
            function(0)

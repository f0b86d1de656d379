"""Statistics against published examples, SciPy's own tests and counting."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from labreport.claims import statistics as s

# Student, Biometrika 6 (1908): hours of sleep gained by ten patients with each of two drugs.
SLEEP_1 = (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
SLEEP_2 = (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)

samples = st.lists(st.floats(-100, 100), min_size=3, max_size=12).filter(lambda v: max(v) - min(v) > 1)


def pairs(both, first, second, neither):
    """Return two samples of truth values with these counts of pairs."""
    counts = {(1.0, 1.0): both, (1.0, 0.0): first, (0.0, 1.0): second, (0.0, 0.0): neither}
    return tuple(zip(*[pair for pair, n in counts.items() for _ in range(n)], strict=True))


def share(successes, n):
    return (1.0,) * successes + (0.0,) * (n - successes)


def bounds(contrast):
    return contrast.low, contrast.high


class TestMeans:
    def test_students_sleep_data_paired(self):
        found = s.paired_means(SLEEP_1, SLEEP_2, 0.95)
        assert (found.n, found.effect) == (10, pytest.approx(-1.58))
        assert bounds(found) == pytest.approx((-2.4598858, -0.7001142), abs=1e-7)
        assert found.p_at(0) == pytest.approx(0.002833, abs=5e-7)

    def test_students_sleep_data_unpaired_as_r_prints_them(self):
        found = s.independent_means(SLEEP_1, SLEEP_2, 0.95)  # ?t.test: t = -1.8608, df = 17.776
        assert bounds(found) == pytest.approx((-3.3654832, 0.2054832), abs=1e-7)
        assert found.p_at(0) == pytest.approx(0.07939, abs=5e-6)

    @given(samples, st.floats(-3, 3), st.sampled_from([0.9, 0.95, 0.99]))
    def test_one_mean_agrees_with_scipys_test(self, values, null, level):
        found, other = s.one_mean(tuple(values), level), stats.ttest_1samp(values, null)
        assert found.p_at(null) == pytest.approx(other.pvalue, rel=1e-6, abs=1e-12)
        assert bounds(found) == pytest.approx(tuple(other.confidence_interval(level)), rel=1e-6, abs=1e-9)

    @given(samples, samples, st.floats(-3, 3))
    def test_welchs_test_agrees_with_scipys(self, first, second, null):
        found = s.independent_means(tuple(first), tuple(second), 0.95)
        other = stats.ttest_ind([x - null for x in first], second, equal_var=False)
        assert found.p_at(null) == pytest.approx(other.pvalue, rel=1e-6, abs=1e-12)
        low, high = other.confidence_interval(0.95)
        assert bounds(found) == pytest.approx((low + null, high + null), rel=1e-6, abs=1e-9)

    @given(samples, samples)
    def test_the_interval_ends_where_p_is_five_percent(self, first, second):
        found = s.independent_means(tuple(first), tuple(second), 0.95)
        assert [found.p_at(bound) for bound in bounds(found)] == pytest.approx([0.05, 0.05], abs=1e-6)

    def test_a_geometric_ratio_is_the_mean_of_logarithms(self):
        first, second = (2.0, 8.0, 4.0), (1.0, 2.0, 1.0)  # ratios 2, 4, 4: two thirds of 32's logarithm
        found = s.geometric_ratio(first, second, 0.95)
        assert found.effect == pytest.approx(32 ** (1 / 3))
        assert found.null == 1
        logs = stats.ttest_1samp([math.log(2), math.log(4), math.log(4)], 0)
        assert found.p_at(1) == pytest.approx(logs.pvalue)
        assert bounds(found) == pytest.approx(tuple(map(math.exp, logs.confidence_interval(0.95))))

    def test_differences_without_spread_are_judged_by_their_signs(self):
        found = s.paired_means((2.0, 3.0, 4.0), (1.0, 2.0, 3.0), 0.95)
        assert found.p_at(0) == 2 * 0.5**3
        assert found.p_at(1) == 1
        assert s.independent_means((1.0, 1.0), (2.0, 2.0), 0.95).p_at(0) == pytest.approx(2 / 6)
        # 0.1 + 0.2 - 0.3 is not 0: rounding is no spread
        assert s.paired_means((0.1 + 0.2, 0.3), (0.0, 0.0), 0.95).method == "sign test"

    @pytest.mark.parametrize(
        "compared",
        [
            s.paired_means,
            s.independent_means,
            s.geometric_ratio,
            lambda *both: s.permuted(*both, paired=False),
            lambda *both: s.permuted(*both, paired=True),
        ],
    )
    def test_a_difference_that_rounding_made_is_none(self, compared):
        found = compared((0.1 + 0.2,) * 8, (0.3,) * 8, 0.95)  # equal, but for rounding
        assert found.p_at(found.null) == 1

    def test_a_mean_that_is_above_a_number_by_rounding_is_that_number(self):
        assert s.one_mean((0.1 + 0.2,) * 8, 0.95).p_at(0.3) == 1


class TestShares:
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
        assert s.wilson(successes, n, 0.95) == pytest.approx((low, high), abs=5e-5)

    @given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
    def test_wilson_agrees_with_scipy(self, data):
        other = stats.binomtest(*data).proportion_ci(0.9, "wilson")
        assert s.wilson(*data, 0.9) == pytest.approx((other.low, other.high), abs=1e-9)

    @pytest.mark.parametrize(
        ("first", "second", "low", "high"),
        [  # Newcombe, Statistics in Medicine 17 (1998) 873, table II, method 10
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
        ],
    )
    def test_independent_shares_have_the_published_intervals(self, first, second, low, high):
        found = s.independent_rates(share(*first), share(*second), 0.95)
        assert bounds(found) == pytest.approx((low, high), abs=5e-5)

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
    def test_paired_shares_have_the_published_intervals(self, counts, low, high):
        found = s.paired_rates(*pairs(*counts), 0.95)
        assert bounds(found) == pytest.approx((low, high), abs=5e-5)

    def test_mcnemar_gives_the_published_value(self):
        # Armitage and Berry, Statistical Methods in Medical Research (1994): 12 pairs against 2.
        assert s.mcnemar(12, 2) == pytest.approx(0.0129, abs=5e-5)
        assert s.mcnemar(0, 0) == s.mcnemar(5, 5) == 1
        assert s.mcnemar(300, 400) == pytest.approx(stats.binomtest(300, 700).pvalue)
        assert s.paired_rates(*pairs(18, 12, 2, 18), 0.95).p_at(0) == s.mcnemar(12, 2)

    def test_fishers_tea_has_its_published_p(self):
        # R. A. Fisher, The Design of Experiments (1935): three of four cups right; 34 of 70 ways
        assert s.independent_rates(share(3, 4), share(1, 4), 0.95).p_at(0) == pytest.approx(34 / 70)

    @pytest.mark.parametrize("contrast", [s.paired_rates(*pairs(36, 12, 2, 5), 0.95)])
    def test_hypotheses_off_zero_are_tested_by_the_interval(self, contrast):
        assert [contrast.p_at(bound) for bound in bounds(contrast)] == pytest.approx([0.05] * 2, abs=1e-6)
        assert contrast.p_at(contrast.effect) == 1

    def test_one_share_is_tested_exactly(self):
        found = s.one_rate(share(9, 10), 0.95)
        assert found.p_at(0.5) == pytest.approx(22 / 1024)  # 0, 1, 9 or 10 heads
        assert found.p_at(1.5) == 0


class TestPermutations:
    def test_of_few_values_all_exchanges_are_counted(self):
        first, second = (1.0, 2.0, 3.0), (10.0, 11.0, 12.0)
        assert s.permuted(first, second, 0.95, False).p_at(0) == pytest.approx(2 / 20)
        assert s.permuted(first, second, 0.95, True).p_at(0) == pytest.approx(2 / 8)

    def test_pairs_are_counted_as_fisher_counts_them(self):
        differences = [a - b for a, b in zip(SLEEP_1, SLEEP_2, strict=True)]
        signs = itertools.product((1, -1), repeat=len(differences))
        sums = [abs(sum(a * d for a, d in zip(way, differences, strict=True))) for way in signs]
        extreme = sum(total >= abs(sum(differences)) - 1e-9 for total in sums)
        assert s.permuted(SLEEP_1, SLEEP_2, 0.95, True).p_at(0) == pytest.approx(extreme / len(sums))

    def test_equal_samples_give_equal_numbers(self):
        first = tuple(float(i * i % 17) for i in range(40))
        second = tuple(float(i * i % 13) + 1 for i in range(40))
        found = s.permuted(first, second, 0.95, False)
        s.permuted.cache_clear()
        s._permutation_p.cache_clear()
        again = s.permuted(first, second, 0.95, False)
        assert (bounds(found), found.p_at(0)) == (bounds(again), again.p_at(0))

    def test_the_interval_is_near_welchs_where_samples_are_large(self):
        first = tuple(float(i * 7919 % 1000) for i in range(300))
        second = tuple(float(i * 6131 % 1000) + 60 for i in range(300))
        found, welch = (
            f(first, second, 0.95) for f in (lambda *a: s.permuted(*a, False), s.independent_means)
        )
        assert bounds(found) == pytest.approx(bounds(welch), abs=6)
        assert found.p_at(0) == pytest.approx(welch.p_at(0), abs=0.01)


def test_independent_intervals_are_squared_and_added():
    # of shares the construction is Newcombe's
    one, other = (0.8, *s.wilson(56, 70, 0.95)), (0.6, *s.wilson(48, 80, 0.95))
    assert s.joined_intervals(one, other) == pytest.approx((0.0524, 0.3339), abs=5e-5)

"""The statistics behind predicates: effects with intervals, and p values, of one sample or of two.

SciPy computes what the standard library does not: see `computing`. Samples are tuples of floats. A degenerate
sample, without any spread, is judged by the signs of its differences.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import NormalDist

from labreport.claims import computing
from labreport.claims.computing import Values

ROUNDING = 1e-14
"""The relative difference up to which two numbers that were computed in two ways are the same."""

PAt = Callable[[float], float]


@dataclass(frozen=True)
class Contrast:
    """An effect with its interval, and the two-sided p value of each hypothesis on it.

    `null` is the effect of no difference; `noun` is how statements call the effect. Without `p_at`, the
    interval alone decides.
    """

    noun: str
    method: str
    effect: float
    low: float
    high: float
    level: float
    n: int | str | None
    null: float = 0.0
    p_at: PAt | None = None


# ------------------------------------------------------------------------------------------------ one sample


def mean_interval(mean: float, std: float, n: int, level: float) -> tuple[float, float]:
    """Return Student's interval of a mean, given the standard deviation (with n - 1) of n >= 2 values."""
    margin = computing.quantile(n - 1, level) * std / math.sqrt(n)
    return mean - margin, mean + margin


def mean_p(mean: float, std: float, n: int, null: float) -> float:
    """Return Student's two-sided p of the hypothesis that a mean is `null`."""
    return computing.two_sided((mean - null) / (std / math.sqrt(n)), n - 1)


def one_mean(values: Values, level: float) -> Contrast:
    """Return the mean of n >= 2 numbers: Student's t."""
    mean, variance = _moments(values)
    return summarised(mean, 0.0 if _is_constant(values) else math.sqrt(variance), len(values), level)


def summarised(mean: float, std: float, n: int, level: float) -> Contrast:
    """Return the mean of n >= 2 numbers with their standard deviation (with n - 1): Student's t."""
    if std == 0:
        by_signs = _by_signs(mean, 2.0 ** (1 - n))
        return Contrast("mean", "sign test", mean, mean, mean, level, n, p_at=by_signs)
    low, high = mean_interval(mean, std, n, level)
    p_at = functools.partial(mean_p, mean, std, n)
    return Contrast("mean", "Student's t test", mean, low, high, level, n, p_at=p_at)


def one_rate(values: Values, level: float) -> Contrast:
    """Return the share of truth values that hold: Wilson's interval, the exact binomial test."""
    successes, n = int(sum(values)), len(values)
    low, high = wilson(successes, n, level)

    def p_at(null: float) -> float:
        return computing.binomial(successes, n, null) if 0 <= null <= 1 else 0.0

    method = "exact binomial test, Wilson's interval"
    return Contrast("share", method, successes / n, low, high, level, n, p_at=p_at)


def wilson(successes: int, n: int, level: float) -> tuple[float, float]:
    """Return Wilson's score interval of a share: E. B. Wilson, JASA 22 (1927), pages 209-212."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle = (successes + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * math.sqrt(successes * (n - successes) / n + z**2 / 4)
    return (middle - half if successes else 0.0), (middle + half if successes < n else 1.0)


# ----------------------------------------------------------------------------------------------- two samples


@functools.cache
def paired_means(first: Values, second: Values, level: float) -> Contrast:
    """Return the mean difference of n >= 2 pairs of numbers: the paired t test."""
    found = one_mean(tuple(map(_difference, first, second)), level)
    return replace(found, noun="paired difference", method=found.method.replace("Student's", "paired"))


@functools.cache
def geometric_ratio(first: Values, second: Values, level: float) -> Contrast:
    """Return the geometric mean of the ratios of n >= 2 pairs of positive numbers: a t test of logarithms."""
    logs = one_mean(tuple(map(_log_ratio, first, second)), level)
    return Contrast(
        "paired ratio",
        "paired t test of logarithms, geometric mean",
        math.exp(logs.effect),
        math.exp(logs.low),
        math.exp(logs.high),
        level,
        logs.n,
        null=1.0,
        p_at=lambda null: logs.p_at(math.log(null)) if logs.p_at else math.nan,
    )


@functools.cache
def independent_means(first: Values, second: Values, level: float) -> Contrast:
    """Return the difference of the means of two samples of two numbers or more: Welch's t test.

    B. L. Welch, Biometrika 34 (1947), pages 28-35, with the degrees of freedom of his equation 28.
    """
    sizes = f"{len(first)} and {len(second)}"
    (mean, variance), (other_mean, other_variance) = _moments(first), _moments(second)
    effect = _difference(mean, other_mean)
    if _is_constant(first) and _is_constant(second):
        by_signs = _by_signs(effect, min(2 / math.comb(len(first) + len(second), len(first)), 1))
        return Contrast("difference", "permutation test", effect, effect, effect, level, sizes, p_at=by_signs)
    one, other = variance / len(first), other_variance / len(second)
    error = math.sqrt(one + other)
    freedom = (one + other) ** 2 / (one**2 / (len(first) - 1) + other**2 / (len(second) - 1))
    margin = computing.quantile(freedom, level) * error
    return Contrast(
        *("difference", "Welch's t test", effect, effect - margin, effect + margin, level, sizes),
        p_at=lambda null: computing.two_sided((effect - null) / error, freedom),
    )


@functools.cache
def permuted(first: Values, second: Values, level: float, paired: bool) -> Contrast:
    """Return the difference of means by permutation: it holds for any distribution, two modes included.

    Labels are exchanged between the samples, or within each pair, with a generator of its own seed. The
    interval is the bootstrap's, by percentiles.
    """
    effect = math.fsum(first) / len(first) - math.fsum(second) / len(second)
    low, high = computing.bootstrap(first, second, level, paired)
    sizes: int | str = len(first) if paired else f"{len(first)} and {len(second)}"
    return Contrast(
        "paired difference" if paired else "difference",
        f"{'paired ' if paired else ''}permutation test, bootstrap interval",
        *(effect, low, high, level, sizes),
        p_at=functools.partial(_permutation_p, first, second, paired),
    )


@functools.cache
def _permutation_p(first: Values, second: Values, paired: bool, null: float) -> float:
    moved = _moved(first, null)
    if not _difference(math.fsum(moved) / len(moved), math.fsum(second) / len(second)):
        return 1.0
    return computing.permutation(moved, second, paired)


@functools.cache
def paired_rates(first: Values, second: Values, level: float) -> Contrast:
    """Return the difference of the shares of n pairs of truth values.

    The test is McNemar's, exact; the interval is method 10 of R. G. Newcombe, Statistics in Medicine 17
    (1998), pages 2635-2650, by whose inversion other hypotheses are tested.
    """
    n = len(first)
    only_first = sum(a > b for a, b in zip(first, second, strict=True))
    only_second = sum(a < b for a, b in zip(first, second, strict=True))
    rates = (int(sum(first)), n), (int(sum(second)), n)
    phi = _correlation(rates[0][0], rates[1][0], only_first, only_second, n)
    exact = mcnemar(only_first, only_second)
    return _of_rates(rates, phi, level, exact, "exact McNemar test, Newcombe's interval", "paired ", n)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p of pairs that differ going either way like tosses of a fair coin."""
    n = only_first + only_second
    tail = sum(math.comb(n, k) for k in range(min(only_first, only_second) + 1))
    return min(float(Fraction(2 * tail, 2**n)), 1.0)


@functools.cache
def independent_rates(first: Values, second: Values, level: float) -> Contrast:
    """Return the difference of the shares of two samples of truth values.

    The test is Fisher's, exact; the interval is method 10 of R. G. Newcombe, Statistics in Medicine 17
    (1998), pages 873-890, by whose inversion other hypotheses are tested.
    """
    rates = (int(sum(first)), len(first)), (int(sum(second)), len(second))
    table = [(count, n - count) for count, n in rates]
    exact = computing.fisher(*table)
    sizes = f"{len(first)} and {len(second)}"
    return _of_rates(rates, 0.0, level, exact, "Fisher's exact test, Newcombe's interval", "", sizes)


def _of_rates(
    rates: tuple[tuple[int, int], tuple[int, int]],
    phi: float,
    level: float,
    exact: float,
    method: str,
    paired: str,
    n: int | str,
) -> Contrast:
    low, high = squared_and_added(*rates, phi, level)
    effect = rates[0][0] / rates[0][1] - rates[1][0] / rates[1][1]

    def p_at(null: float) -> float:
        return exact if null == 0 else _inverted(rates, phi, effect, null)

    return Contrast(f"{paired}difference", method, effect, low, high, level, n, p_at=p_at)


def squared_and_added(
    first: tuple[int, int], second: tuple[int, int], phi: float, level: float
) -> tuple[float, float]:
    """Return Newcombe's interval of a difference of shares (successes, n), with the correlation of pairs."""
    (p, low, high), (q, other_low, other_high) = (
        (count / n, *wilson(count, n, level)) for count, n in (first, second)
    )
    below = _joined(p - low, other_high - q, phi)
    above = _joined(high - p, q - other_low, phi)
    return p - q - below, p - q + above


def joined_intervals(
    first: tuple[float, float, float], second: tuple[float, float, float]
) -> tuple[float, float]:
    """Return the interval of the difference of independent estimates (value, low, high): squared and added.

    It is Newcombe's construction for any two estimates: G. Y. Zou and A. Donner, Statistics in Medicine 27
    (2008), pages 1693-1702.
    """
    (a, low, high), (b, other_low, other_high) = first, second
    return a - b - math.hypot(a - low, other_high - b), a - b + math.hypot(high - a, b - other_low)


def _joined(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(one**2 - 2 * phi * one * other + other**2, 0.0))


def _correlation(one: int, other: int, only_first: int, only_second: int, n: int) -> float:
    """Return the correlation of pairs of truth values, corrected for continuity as Newcombe does."""
    both = one - only_first
    neither = n - both - only_first - only_second
    product = both * neither - only_first * only_second
    margins = one * (n - one) * other * (n - other)
    corrected = max(product - n / 2, 0) if product > 0 else product
    return corrected / math.sqrt(margins) if margins else 0.0


def _inverted(
    rates: tuple[tuple[int, int], tuple[int, int]], phi: float, effect: float, null: float
) -> float:
    """Return 1 minus the level of the widest interval that excludes the hypothesis, by bisection."""
    if effect == null:
        return 1.0
    least, most = 0.0, 1 - 1e-12
    for _ in range(50):
        level = (least + most) / 2
        low, high = squared_and_added(*rates, phi, level)
        least, most = (least, level) if low <= null <= high else (level, most)
    return 1 - least


# ----------------------------------------------------------------------------------------------------- parts


def _moments(values: Values) -> tuple[float, float]:
    """Return the mean and the variance (with n - 1)."""
    mean = math.fsum(values) / len(values)
    return mean, math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)


def _moved(values: Values, null: float) -> Values:
    return tuple(value - null for value in values) if null else values


def _is_constant(values: Values) -> bool:
    """Return whether values have no spread but that of rounding, from which no t can be computed."""
    return max(values) - min(values) <= 1e-12 * max(map(abs, values))


def _by_signs(effect: float, p: float) -> PAt:
    """Return the p values of differences that are all the same: their signs could have been others."""
    return lambda null: 1.0 if not _difference(effect, null) else p


def _log_ratio(a: float, b: float) -> float:
    """Return the logarithm of a ratio; zero if rounding alone can have made it."""
    return math.log(a / b) if _difference(a, b) else 0.0


def _difference(a: float, b: float) -> float:
    """Return a difference; zero if rounding alone can have made it, as that of 0.1 + 0.2 and 0.3."""
    return 0.0 if math.isclose(a, b, rel_tol=ROUNDING) else a - b

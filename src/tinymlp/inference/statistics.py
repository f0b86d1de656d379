"""Summaries, intervals and tests of repeated runs, and the best possible loss on noisy XOR."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import integrate, special, stats

Floats = NDArray[np.float64]
Key = TypeVar("Key")


@dataclass(frozen=True)
class Summary:
    """A sample in a few numbers; None stands for what it is too small for."""

    n: int
    mean: float | None
    std: float | None  # with n - 1
    min: float | None
    q05: float | None
    q25: float | None
    median: float | None
    q75: float | None
    q95: float | None
    max: float | None


@dataclass(frozen=True)
class Proportion:
    """A share of successes with its confidence interval."""

    successes: int
    n: int
    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """A difference, first minus second, with its confidence interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Contrast:
    """A paired difference, first minus second, with interval and p value.

    `p` is two-sided and of this contrast alone; `p_holm` is corrected for
    the other contrasts of its family and None until `holm_corrected`.
    """

    n: int
    estimate: float
    low: float
    high: float
    p: float
    p_holm: float | None = None


def summarise(values: ArrayLike) -> Summary:
    """Return the summary of a sample of any size, also of an empty one.

    Quantiles interpolate linearly between the order statistics: definition 7
    of Hyndman and Fan, The American Statistician 50 (1996), the default of
    NumPy and R. Raises ValueError for NaN or infinity: a run that diverged
    has no value: leave it out and count it.
    """
    sample = _sample(values)
    n = len(sample)
    if n == 0:
        return Summary(0, *[None] * 9)
    shares = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)
    return Summary(
        n,
        float(sample.mean()),
        float(sample.std(ddof=1)) if n > 1 else None,
        *(float(q) for q in np.quantile(sample, shares)),
    )


def wilson(successes: int, n: int, level: float = 0.95) -> Proportion:
    """Return the share of successes with Wilson's score interval.

    E. B. Wilson, Journal of the American Statistical Association 22 (1927),
    pages 209-212; method 3 of R. G. Newcombe, Statistics in Medicine 17
    (1998), pages 857-872. Raises ValueError without 0 <= successes <= n, n > 0.
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"successes must be a part of n > 0: {successes=}, {n=}")
    low, high = stats.binomtest(successes, n).proportion_ci(level, "wilson")
    return Proportion(successes, n, successes / n, float(low), float(high))


def newcombe(first: tuple[int, int], second: tuple[int, int], level: float = 0.95) -> Difference:
    """Return the difference of two independent proportions.

    `first` and `second` are pairs (successes, n). The interval is method 10 of
    R. G. Newcombe, Statistics in Medicine 17 (1998), pages 873-890: the two
    Wilson intervals, squared and added. Raises ValueError as `wilson` does.
    """
    return _squared_and_added(wilson(*first, level), wilson(*second, level))


def newcombe_paired(both: int, first: int, second: int, neither: int, level: float = 0.95) -> Difference:
    """Return the difference of two proportions of the same n pairs.

    Of the pairs, `both` succeed twice, `first` and `second` only once, there,
    and `neither` not at all. The interval is method 10 of R. G. Newcombe,
    Statistics in Medicine 17 (1998), pages 2635-2650: as `newcombe`, with the
    correlation phi of the pairs, corrected for continuity.
    """
    n = both + first + second + neither
    one, other = both + first, both + second
    product = both * neither - first * second
    margins = one * (n - one) * other * (n - other)
    corrected = max(product - n / 2, 0) if product > 0 else product
    phi = corrected / margins**0.5 if margins else 0.0
    return _squared_and_added(wilson(one, n, level), wilson(other, n, level), phi)


def mcnemar(first: int, second: int) -> float:
    """Return the exact two-sided p value for equal success of both in a pair.

    `first` and `second` count the pairs in which only that one succeeds; under
    the hypothesis they split like tosses of a fair coin: the exact form of
    Q. McNemar, Psychometrika 12 (1947), pages 153-157.
    """
    if first + second == 0:
        return 1.0
    return float(stats.binomtest(first, first + second).pvalue)


def paired_means(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> Contrast:
    """Return the mean of the differences of n >= 2 pairs of numbers.

    Interval and p value are those of Student's t for one sample: they need
    differences that are normal, or many. Raises ValueError for samples of
    different lengths, too short ones, NaN and infinity.
    """
    differences = _pairs(first, second)
    n = len(differences)
    if n < 2:
        raise ValueError(f"a paired contrast needs two pairs or more: {n=}")
    mean = float(differences.mean())
    error = float(differences.std(ddof=1)) / n**0.5
    margin = float(stats.t.ppf((1 + level) / 2, n - 1)) * error
    return Contrast(n, mean, mean - margin, mean + margin, _t_test(mean, error, n))


def independent_means(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> Difference:
    """Return the difference of the means of two independent samples.

    The interval is that of B. L. Welch, Biometrika 34 (1947), pages 28-35,
    with the degrees of freedom of his equation 28: the variances may differ.
    Raises ValueError for samples of fewer than two numbers, NaN and infinity.
    """
    one, other = _sample(first), _sample(second)
    if min(len(one), len(other)) < 2:
        raise ValueError(f"each sample needs two numbers or more: {len(one)}, {len(other)}")
    errors = one.var(ddof=1) / len(one), other.var(ddof=1) / len(other)  # squared, of the means
    parts = errors[0] ** 2 / (len(one) - 1) + errors[1] ** 2 / (len(other) - 1)
    freedom = sum(errors) ** 2 / parts if parts else np.inf
    margin = float(stats.t.ppf((1 + level) / 2, freedom) * sum(errors) ** 0.5)
    difference = float(one.mean() - other.mean())
    return Difference(difference, difference - margin, difference + margin)


def paired_successes(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> Contrast:
    """Return the difference of the success rates of n pairs of yes or no.

    The interval is `newcombe_paired`, the p value `mcnemar`. Raises ValueError
    for samples of different lengths and for values other than 0 and 1.
    """
    pairs = _sample(first), _sample(second)
    differences = _pairs(*pairs)
    if not all(np.isin(sample, (0, 1)).all() for sample in pairs):
        raise ValueError("successes must be 0 or 1")
    n, both = len(differences), int((pairs[0] * pairs[1]).sum())
    only_first = int((differences > 0).sum())
    only_second = int((differences < 0).sum())
    neither = n - both - only_first - only_second
    rates = newcombe_paired(both, only_first, only_second, neither, level)
    p = mcnemar(only_first, only_second)
    return Contrast(n, rates.estimate, rates.low, rates.high, p)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values corrected for their number, in the order given.

    To reject those of at most alpha keeps the chance of one false rejection or
    more at alpha, whatever the dependence: S. Holm, Scandinavian Journal of
    Statistics 6 (1979), pages 65-70, as adjusted p values.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * np.arange(len(p), 0, -1)
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return [float(value) for value in corrected]


def holm_corrected(family: Mapping[Key, Contrast]) -> dict[Key, Contrast]:
    """Return the contrasts of one family, each with its `p_holm`."""
    corrected = holm([contrast.p for contrast in family.values()])
    return {
        name: replace(contrast, p_holm=p)
        for (name, contrast), p in zip(family.items(), corrected, strict=True)
    }


def bayes_probability(inputs: ArrayLike, s: float) -> Floats:
    """Return p(y = 1 | x) of noisy XOR for points x (..., 2): shape (...).

    The four clusters are equally likely, so m1 and m2 are independent fair
    bits, and given x they still are: p(m_i = 1 | x) = sigmoid(u_i) with
    u_i = (2 x_i - 1) / (2 s^2). The class is 1 if exactly one bit is.
    """
    x = np.asarray(inputs, dtype=np.float64)
    bits = special.expit((2 * x - 1) / (2 * _deviation(s) ** 2))
    first, second = bits[..., 0], bits[..., 1]
    p: Floats = first * (1 - second) + (1 - first) * second
    return p


def bayes_loss(s: float) -> float:
    """Return the least expected cross entropy on noisy XOR, in nats.

    It is that of `bayes_probability`. By symmetry let the cluster be (0, 0):
    the loss is then -ln p(y = 0 | x) = h(u_1) + h(u_2) - h(u_1 + u_2), where
    h(u) = ln(1 + exp u) and the u_i are independent and normal with mean
    -1 / (2 s^2) and standard deviation 1 / s. What is left are two integrals
    over one dimension, by adaptive quadrature.
    """
    mean, std = -0.5 / _deviation(s) ** 2, 1 / s
    one = _normal_mean(_softplus, mean, std)
    both = _normal_mean(_softplus, 2 * mean, 2**0.5 * std)
    return 2 * one - both


def bayes_accuracy(s: float) -> float:
    """Return the greatest expected accuracy on noisy XOR.

    Each bit m_i is guessed by x_i > 1/2 and right with probability
    a = Phi(1 / (2 s)); the class is right if both guesses are, or neither is.
    """
    right = float(special.ndtr(0.5 / _deviation(s)))
    return right**2 + (1 - right) ** 2


def _squared_and_added(first: Proportion, second: Proportion, phi: float = 0.0) -> Difference:
    """Join two Wilson intervals to the interval of the difference."""
    difference = first.estimate - second.estimate
    below = first.estimate - first.low, second.high - second.estimate
    above = first.high - first.estimate, second.estimate - second.low

    def distance(a: float, b: float) -> float:
        # max: for phi = 1 and equal sides, rounding may leave less than zero
        return float(max(a * a - 2 * phi * a * b + b * b, 0) ** 0.5)

    return Difference(
        difference,
        difference - distance(*below),
        difference + distance(*above),
    )


def _sample(values: ArrayLike) -> Floats:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or not np.isfinite(sample).all():
        raise ValueError("a sample must be a list of finite numbers")
    return sample


def _pairs(first: ArrayLike, second: ArrayLike) -> Floats:
    one, other = _sample(first), _sample(second)
    if len(one) != len(other):
        raise ValueError(f"samples of pairs must be equally long: {len(one)}, {len(other)}")
    return one - other


def _deviation(s: float) -> float:
    if not s > 0:
        raise ValueError(f"the standard deviation must be positive: {s=}")
    return s


def _t_test(mean: float, error: float, n: int) -> float:
    """Return the two-sided p value for the mean zero; without spread the limit of it."""
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * stats.t.sf(abs(mean) / error, n - 1))


def _softplus(u: float) -> float:
    return float(np.logaddexp(0, u))


def _normal_mean(function: Callable[[float], float], mean: float, std: float) -> float:
    """Return the mean of a function of a normal variable."""

    def weighted(z: float) -> float:
        return function(mean + std * z) * float(np.exp(-z * z / 2))

    bend = -mean / std  # where the softplus leaves zero
    total, _ = integrate.quad(weighted, -38, 38, points=(0, bend), epsabs=0, epsrel=1e-10, limit=200)
    return float(total) / float(np.sqrt(2 * np.pi))

"""What SciPy computes for claims: functions of numbers alone, whose values can be kept between renderings.

SciPy is imported where it is used. That takes longer than all else that claims need, and a report is rendered
at every edit, mostly on the same samples.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import sha256
from typing import Any, ParamSpec, TypeVar

from labreport.language import Remember, afresh

PERMUTATIONS = 9999
"""The number of random permutations: no p value of theirs is below 2 in 10,000."""

BOOTSTRAP_SAMPLES = 1999

SEED = 0

Values = tuple[float, ...]

P = ParamSpec("P")
T = TypeVar("T")

_remember: ContextVar[Remember] = ContextVar("remember", default=afresh)


@contextmanager
def kept_by(remember: Remember) -> Iterator[None]:
    """Let the values that are computed inside the block be kept, or taken from what was kept."""
    token = _remember.set(remember)
    try:
        yield
    finally:
        _remember.reset(token)


def _kept(function: Callable[P, T]) -> Callable[P, T]:
    @functools.wraps(function)
    def known(*numbers: P.args, **options: P.kwargs) -> T:
        # the text of a float is exact, and the digest of a sample shorter than the sample
        told = sha256(repr((numbers, options)).encode()).hexdigest()
        found: T = _remember.get()(f"{function.__name__} {told}", lambda: function(*numbers, **options))
        return found

    return known


# scipy.stats takes three times as long to import as scipy.special


@_kept
def quantile(freedom: float, level: float) -> float:
    """Return how many standard errors Student's interval of a level reaches to either side."""
    from scipy import special

    return float(special.stdtrit(freedom, (1 + level) / 2))


@_kept
def two_sided(t: float, freedom: float) -> float:
    """Return Student's two-sided p."""
    from scipy import special

    return float(2 * special.stdtr(freedom, -abs(t)))


@_kept
def binomial(successes: int, n: int, null: float) -> float:
    """Return the p of the exact two-sided binomial test that a share is `null`."""
    from scipy import stats

    return float(stats.binomtest(successes, n, null).pvalue)


@_kept
def fisher(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Return the p of Fisher's exact two-sided test of two shares, each given as successes and failures."""
    from scipy import stats

    return float(stats.fisher_exact([first, second]).pvalue)


@_kept
def permutation(first: Values, second: Values, paired: bool) -> float:
    """Return the two-sided p of the difference of means when labels are exchanged at random."""
    import numpy as np
    from scipy import stats

    found = stats.permutation_test(
        (first, second),
        _difference_of_means,
        permutation_type="samples" if paired else "independent",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        batch=500,
        rng=np.random.default_rng(SEED),
    )
    return float(found.pvalue)


@_kept
def bootstrap(first: Values, second: Values, level: float, paired: bool) -> list[float]:
    """Return the bootstrap's percentile interval of the difference of means: its two ends."""
    import numpy as np
    from scipy import stats

    found = stats.bootstrap(
        (first, second),
        _difference_of_means,
        vectorized=True,
        paired=paired,
        n_resamples=BOOTSTRAP_SAMPLES,
        batch=500,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return [float(found.low), float(found.high)]


def _difference_of_means(first: Any, second: Any, axis: int = -1) -> Any:
    return first.mean(axis=axis) - second.mean(axis=axis)

"""Ratios: the losses of networks that have both solved the task, compared repeat by repeat."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinymlp.inference import Contrast, paired_means
from tinymlp.networks import Shape

Flags = NDArray[np.bool_]

FEWEST_PAIRS = 10


def log_ratio(first: ArrayLike, second: ArrayLike, both: ArrayLike) -> Contrast | None:
    """Return the mean log of the ratio of two losses (repeats,) over the repeats that `both` marks.

    None if there are fewer than `FEWEST_PAIRS`. Losses of solved networks span decades: their ratio is nearly
    log-normal, their difference is ruled by the few largest.
    """
    chosen = np.asarray(both, dtype=bool)
    if chosen.sum() < FEWEST_PAIRS:
        return None
    return paired_means(np.log(np.asarray(first)[chosen]), np.log(np.asarray(second)[chosen]))


def log_mean_ratio(first: ArrayLike, second: ArrayLike, both: ArrayLike) -> Contrast | None:
    """Return the log of the ratio of two mean losses over the repeats that `both` marks.

    None if there are fewer than `FEWEST_PAIRS`. Interval and test are those of the delta method, with
    Student's t. A loss on few points is mostly far below its expectation, which few points carry, and a
    network that is sure of itself has a loss near zero on most of them: only means say how good it is.
    """
    chosen = np.asarray(both, dtype=bool)
    if chosen.sum() < FEWEST_PAIRS:
        return None
    one, other = np.asarray(first)[chosen], np.asarray(second)[chosen]
    # to first order the log of the ratio varies as the difference of what is relative to the means
    return paired_means(np.log(one.mean() / other.mean()) + one / one.mean(), other / other.mean())


def mean_ratio(first: ArrayLike, second: ArrayLike, both: ArrayLike) -> dict[str, Any]:
    """Return the ratio of two mean losses, with its interval; see `log_mean_ratio`.

    The p value is not corrected; it is of a ratio of `null`.
    """
    return {**as_ratio(log_mean_ratio(first, second, both)), "null": 1.0}


def as_ratio(contrast: Contrast | None) -> dict[str, Any]:
    """Return the fields of a contrast of logs, with the ratio itself in place of its log; None stays None."""
    if contrast is None:
        return dict.fromkeys(("n", "estimate", "low", "high", "p", "p_holm"))
    return asdict(contrast) | {
        "estimate": float(np.exp(contrast.estimate)),
        "low": float(np.exp(contrast.low)),
        "high": float(np.exp(contrast.high)),
    }


def loss_ratios(
    pairs: Mapping[str, tuple[Shape, Shape]], losses: Mapping[Shape, ArrayLike], solved: Mapping[Shape, Flags]
) -> dict[str, dict[str, Any]]:
    """Return for each pair of shapes, by name, the geometric mean of the first's loss over the second's.

    It is taken over the repeats that both have solved; `losses` and `solved` are (repeats,) of the same
    repeats. The p values are not corrected; each is of a ratio of `null`.
    """
    return {
        name: {**as_ratio(log_ratio(losses[one], losses[other], solved[one] & solved[other])), "null": 1.0}
        for name, (one, other) in pairs.items()
    }

"""Ratios: the losses of networks that have both solved the task, compared repeat by repeat."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

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


def mean_ratio(first: ArrayLike, second: ArrayLike, both: ArrayLike, level: float = 0.95) -> dict[str, Any]:
    """Return the ratio of two mean losses over the n repeats that `both` marks, with its interval.

    The interval is that of the delta method for the logarithm of the ratio, with Student's t. A loss on few
    points is mostly far below its expectation, since few points carry it: of losses on samples of unequal
    size only the means can be compared. None for each number if there are fewer than `FEWEST_PAIRS`.
    """
    chosen = np.asarray(both, dtype=bool)
    n = int(chosen.sum())
    if n < FEWEST_PAIRS:
        return {"n": n, "estimate": None, "low": None, "high": None}
    one, other = np.asarray(first)[chosen], np.asarray(second)[chosen]
    ratio = float(one.mean() / other.mean())
    error = float((one / one.mean() - other / other.mean()).std(ddof=1)) / n**0.5
    margin = float(np.exp(stats.t.ppf((1 + level) / 2, n - 1) * error))
    return {"n": n, "estimate": ratio, "low": ratio / margin, "high": ratio * margin}


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

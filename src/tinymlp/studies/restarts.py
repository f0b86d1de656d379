"""Restarts: the best of several trainings on the same data, chosen by the training loss."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from tinymlp.inference import Proportion, wilson
from tinymlp.networks import Shape, parameter_count

Flags = NDArray[np.bool_]


def best_of(train_loss: ArrayLike, solved: ArrayLike, k: int) -> Flags:
    """Return whether the best of the first k restarts is solved, for each data set (n,).

    `train_loss` and `solved` are (n, restarts). The best has the least training
    loss, as nothing else is known to whoever restarts.
    """
    losses, good = np.asarray(train_loss)[:, :k], np.asarray(solved, dtype=bool)
    chosen: Flags = good[np.arange(len(good)), losses.argmin(axis=1)]
    return chosen


def restart_row(shape: Shape, k: int, train_loss: ArrayLike, solved: ArrayLike) -> dict[str, Any]:
    """Return the success rate of the best of k, and what independent trainings would give: 1 - (1 - p)^k.

    p is the rate of all single trainings, and the ends of its interval give
    those of the prediction. `any_solved` counts the data sets of which one
    restart or more is solved; fewer if the training loss misleads.
    """
    good = np.asarray(solved, dtype=bool)
    chosen = best_of(train_loss, good, k)
    rate, single = wilson(int(chosen.sum()), len(chosen)), single_rate(good)
    return {
        "shape": shape.name,
        "k": k,
        "trained_parameters": k * parameter_count(shape.depth, shape.width),
        "n": rate.n,
        "solved": rate.successes,
        "rate": rate.estimate,
        "rate_low": rate.low,
        "rate_high": rate.high,
        "predicted": 1 - (1 - single.estimate) ** k,
        "predicted_low": 1 - (1 - single.low) ** k,
        "predicted_high": 1 - (1 - single.high) ** k,
        "any_solved": int(good[:, :k].any(axis=1).sum()),
    }


def single_rate(solved: ArrayLike) -> Proportion:
    """Return the success rate of all trainings (n, restarts), taken as independent."""
    good = np.asarray(solved, dtype=bool)
    return wilson(int(good.sum()), good.size)


def independence(solved: ArrayLike) -> dict[str, Any]:
    """Return whether the restarts on one data set succeed together as often as independent ones would.

    `solved` is (n, restarts). `independence_p` is the p value of a chi-squared
    test of the number of successes on each data set against the binomial
    distribution, whose p is estimated: one degree of freedom less. It is None
    for a single restart and where all or none succeed.
    """
    good = np.asarray(solved, dtype=bool)
    restarts, p = good.shape[1], good.mean()
    counts = np.bincount(good.sum(axis=1), minlength=restarts + 1)
    expected = len(good) * stats.binom.pmf(range(restarts + 1), restarts, p)
    # where all succeed or none, every count is as expected and there is nothing to test
    p_value = stats.chisquare(counts, expected, ddof=1).pvalue if restarts > 1 and 0 < p < 1 else None
    return {"by_successes": counts, "expected": expected, "independence_p": p_value}

"""Stuck networks: what becomes of them if they are trained on, and how flat the loss is where they end."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from tinymlp.inference import summarise, wilson
from tinymlp.networks import Shape, parameter_count

Floats = NDArray[np.float64]

FLAT = 1e-4  # an eigenvalue below this part of the largest one counts as zero


def longer_row(
    shape: Shape,
    failed: int,
    solved: ArrayLike,
    train_loss: ArrayLike,
    test_before: ArrayLike,
    test_after: ArrayLike,
) -> dict[str, Any]:
    """Return what became of the stuck networks of one shape; the losses are of those that are still stuck.

    `failed` counts all stuck networks of the shape, of which n were trained on. `solved` (n,) says which are
    solved in the end, `train_loss` (checkpoints, n) are training losses from the first stop to the end,
    `test_before` and `test_after` (n,) test losses. Losses are in nats, given as medians; a fall is the
    median of the falls.
    """
    good, history = np.asarray(solved, dtype=bool), np.asarray(train_loss)
    share = wilson(int(good.sum()), len(good))
    half = len(history) // 2
    still = ~good
    return {
        "shape": shape.name,
        "failed": failed,
        "n": share.n,
        "solved": share.successes,
        "share": share.estimate,
        "share_low": share.low,
        "share_high": share.high,
        "still_stuck": int(still.sum()),
        "train_loss_before": summarise(history[0][still]).median,
        "train_loss_after": summarise(history[-1][still]).median,
        "train_loss_fall": summarise((history[0] - history[-1])[still]).median,
        "train_loss_fall_second_half": summarise((history[half] - history[-1])[still]).median,
        "test_loss_before": summarise(np.asarray(test_before)[still]).median,
        "test_loss_after": summarise(np.asarray(test_after)[still]).median,
    }


def weighted_share(rows: "pd.DataFrame") -> float:
    """Return the share of solved networks over the rows of `longer_row`, weighted by all that failed.

    Of some shapes only a part was trained on: counted together, they would have too little weight.
    """
    return float(np.average(rows["share"], weights=rows["failed"]))


def curvature_counts(eigenvalues: ArrayLike) -> tuple[int, int, float]:
    """Return how many eigenvalues of a Hessian are negative and how many zero, and the lowest.

    They ascend. All are taken relative to the largest, and those nearer to zero
    than `FLAT` count as zero: rounding leaves no eigenvalue exactly there.
    """
    ascending = np.asarray(eigenvalues, dtype=np.float64)
    relative = ascending / ascending[-1]
    return int((relative < -FLAT).sum()), int((np.abs(relative) <= FLAT).sum()), float(relative[0])


def curvature_row(shape: Shape, found: Sequence[tuple[float, int, int, float]]) -> dict[str, Any]:
    """Return what the curvatures of some networks of a shape have in common.

    Of each: the norm of its gradient, then what `curvature_counts` returns.
    """
    gradient, negative, flat, lowest = np.array(found, dtype=np.float64).reshape(-1, 4).T
    return {
        "curved_n": len(found),
        "parameters": parameter_count(shape.depth, shape.width),
        "gradient_median": summarise(gradient).median,
        "with_descent": int((negative > 0).sum()),
        "flat_median": summarise(flat).median,
        "lowest_curvature": summarise(lowest).min,
    }

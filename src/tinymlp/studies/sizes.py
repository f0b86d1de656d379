"""Sizes: shapes compared by their number of parameters."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinymlp.inference import Contrast, holm_corrected, paired_successes, summarise, wilson
from tinymlp.networks import Shape, parameter_count

Flags = NDArray[np.bool_]


def matching_widths(deep: Shape) -> list[int]:
    """Return the widths with which one hidden layer has as many parameters as `deep`, or next to as many.

    With two inputs one hidden layer has 4 width + 1 parameters.
    """
    # between two widths a deep network is compared with both, the smaller and the larger
    width = (parameter_count(deep.depth, deep.width) - 1) / 4
    return sorted({int(np.floor(width)), int(np.ceil(width))})


def size_contrasts(
    pairs: list[tuple[Shape, Shape]], solved: Mapping[Shape, Flags]
) -> dict[str, dict[str, Any]]:
    """Return each deep shape against its shallow one, by their keys, corrected by Holm as one family.

    `solved` says for each shape which repeats are solved: arrays (repeats,) of
    the same repeats.
    """
    family = {pair: paired_successes(solved[pair[0]], solved[pair[1]]) for pair in pairs}
    return {
        f"{deep.key}_{shallow.key}": _contrast(deep, shallow, contrast, solved)
        for (deep, shallow), contrast in holm_corrected(family).items()
    }


def size_row(shape: Shape, solved: ArrayLike, loss: ArrayLike) -> dict[str, Any]:
    """Return the number of parameters, success rate and losses (nats) of a shape; arrays are (repeats,)."""
    good, losses = np.asarray(solved, dtype=bool), np.asarray(loss)
    rate = wilson(int(good.sum()), len(good))
    return {
        "shape": shape.name,
        "depth": shape.depth,
        "width": shape.width,
        "parameters": parameter_count(shape.depth, shape.width),
        "n": rate.n,
        "solved": rate.successes,
        "rate": rate.estimate,
        "rate_low": rate.low,
        "rate_high": rate.high,
        "median": float(np.median(losses)),
        "solved_loss_median": summarise(losses[good]).median,
    }


def _contrast(
    deep: Shape, shallow: Shape, contrast: Contrast, solved: Mapping[Shape, Flags]
) -> dict[str, Any]:
    return {
        "deep": deep.name,
        "shallow": shallow.name,
        "parameters_deep": parameter_count(deep.depth, deep.width),
        "parameters_shallow": parameter_count(shallow.depth, shallow.width),
        "rate_deep": float(np.mean(solved[deep])),
        "rate_shallow": float(np.mean(solved[shallow])),
        **asdict(contrast),
    }

"""Choosing among fits by a few validation points: what the chosen one's loss says, over training sets."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tinymlp.inference import paired_means
from tinymlp.scalar import chosen_losses
from tinymlp.studies.overfitting import mean_std

Floats = NDArray[np.float64]

# For each number of validation points and of candidates the mean validation and test loss of the chosen fit.
Chosen = Mapping[int, Mapping[int, tuple[float, float]]]


def candidate_counts(candidates: int) -> list[int]:
    """Return 1, 2, 4 and so on up to the number of candidates."""
    return [2**i for i in range(candidates.bit_length())]


def chosen_by_points(
    fits: Floats,
    means: Floats,
    noise: float,
    sizes: Collection[int],
    counts: list[int],
    draws: int,
    rng_of: Callable[[int], np.random.Generator],
) -> Chosen:
    """Return `chosen_losses` for each number of validation points; each has a generator of its own."""
    return {
        points: chosen_losses(fits, means, noise, points, counts, draws, rng_of(points)) for points in sizes
    }


def choice(sets: Sequence[Chosen], points: int, count: int) -> dict[str, Any]:
    """Return validation and test loss of the best of `count` fits on so many points, over training sets.

    The bias is test minus validation loss. All draws of validation points from
    one training set share its fits, so each set counts as one number.
    """
    validation, test = zip(*(one[points][count] for one in sets), strict=True)
    return {
        "points": points,
        "candidates": count,
        "validation": mean_std(validation),
        "test": mean_std(test),
        "bias": asdict(paired_means(test, validation)),
    }


def choices(sets: Sequence[Chosen], few: int, sizes: Collection[int]) -> dict[str, Any]:
    """Return what choosing does by the number of candidates, with `few` points, and by that of points.

    `sizes` are the numbers of validation points, ascending. `gain` is how much
    less the best of all candidates loses in test than a single one.
    """
    counts = sorted(sets[0][few])  # the same for every set and number of points
    by_points = [choice(sets, points, counts[-1]) for points in sizes]
    first, last = ([one[few][count][1] for one in sets] for count in (counts[0], counts[-1]))
    return {
        "by_count": [choice(sets, few, count) for count in counts],
        "by_points": by_points,
        "one": choice(sets, few, counts[0]),
        "all": choice(sets, few, counts[-1]),
        "fewest_points": by_points[0],
        "most_points": by_points[-1],
        "gain": asdict(paired_means(first, last)),
    }


def flat_choice(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a `choice` as a row of a table: mean losses, and the bias with its interval."""
    return {
        "points": row["points"],
        "candidates": row["candidates"],
        "validation": row["validation"]["mean"],
        "test": row["test"]["mean"],
        **{key: row["bias"][key] for key in ("estimate", "low", "high")},
    }


def choice_rows(sets: Sequence[Chosen]) -> pd.DataFrame:
    """Return a row for each training set, number of points and number of candidates."""
    return pd.DataFrame(
        [
            {"set": i, "points": points, "candidates": count, "validation": validation, "test": test}
            for i, one in enumerate(sets)
            for points, by_count in one.items()
            for count, (validation, test) in by_count.items()
        ]
    )

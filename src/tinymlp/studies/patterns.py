"""Patterns of stuck networks: which clusters of noisy XOR they confuse, and what that costs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from tinymlp.inference import summarise, wilson
from tinymlp.networks import CENTRES, Ensemble, Shape, nearest_plateau, plateaus

UNCLEAR = 1 / 6  # half of the least distance between two plateaus, in probability
KINDS = {0: "none merged", 2: "two merged", 3: "three merged", 4: "all merged"}
CENTRE_COLUMNS = [f"p{m1}{m2}" for m1, m2 in CENTRES]  # p01: the probability of class 1 at (0, 1)


def plateau_losses() -> dict[str, float]:
    """Return the losses (nats) of networks that merge two, three or all four clusters."""
    losses = {len(plateau.merged): plateau.loss for plateau in plateaus()}
    return {"two_merged": losses[2], "three_merged": losses[3], "constant": losses[4]}


def merged_clusters(merged: Sequence[int]) -> str:
    """Return merged clusters, given as indices into `CENTRES`, as text: 00+01."""
    return "+".join("".join(map(str, CENTRES[i])) for i in merged)


def classified(stuck: pd.DataFrame) -> pd.DataFrame:
    """Return the networks (rows) with the columns `merged`, `clusters` and `distance` of the nearest plateau.

    They need the columns of `CENTRE_COLUMNS`. `merged` counts the clusters
    that are named in `clusters`; `distance` is in probability.
    """
    index, distance = nearest_plateau(stuck[CENTRE_COLUMNS])
    known = plateaus()
    return stuck.assign(
        merged=[len(known[i].merged) for i in index],
        clusters=[merged_clusters(known[i].merged) for i in index],
        distance=distance,
    )


def pattern_classes(stuck: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a row for each shape and number of merged clusters: its share of the shape's stuck networks.

    `stuck` is `classified`, with `shape`, `test_loss` and `train_loss`.
    """
    return [
        _class(str(shape), merged, of_shape[of_shape["merged"] == merged], len(of_shape))
        for shape, of_shape in stuck.groupby("shape", sort=False)
        for merged in sorted(set(of_shape["merged"]))  # a pattern that never occurs has no row
    ]


def pattern_kind(merged: int, stuck: pd.DataFrame) -> dict[str, Any]:
    """Return how many of all stuck networks merge so many clusters, and at which losses."""
    rows = stuck[stuck["merged"] == merged]
    return {"n": len(rows), "share": len(rows) / max(len(stuck), 1), **_observed(merged, rows)}


def pattern_counts(stuck: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a row for each set of clusters that can be merged: how many of the networks merge just these."""
    names = [(merged_clusters(p.merged), len(p.merged)) for p in plateaus() if p.merged]
    return [
        {"clusters": name, "merged": size, "n": int((stuck["clusters"] == name).sum()), "of": len(stuck)}
        for name, size in names
    ]


def share_with_origin(stuck: pd.DataFrame) -> dict[str, Any]:
    """Return how often a merged pair holds the cluster at (0, 0), with its interval; empty without pairs.

    A pair has one cluster of each class, so the others hold the one at (1, 1).
    """
    pairs = stuck[stuck["merged"] == 2]["clusters"]
    return asdict(wilson(int(pairs.str.contains("00").sum()), len(pairs))) if len(pairs) else {}


def pattern_examples(shape: Shape, ensemble: Ensemble, probabilities: ArrayLike) -> list[dict[str, Any]]:
    """Return the first network of each pattern that occurs, with all its parameters.

    `probabilities` (n, 4) are those at `CENTRES` of the ensemble's networks of
    this shape.
    """
    index, _ = nearest_plateau(probabilities)
    return [
        {
            "shape": shape.name,
            "depth": shape.depth,
            "width": shape.width,
            "clusters": merged_clusters(plateaus()[i].merged),
            "merged": len(plateaus()[i].merged),
            "replicate": int(ensemble.columns.replicate[column]),
            "parameters": ensemble.states[shape].parameters[:, column],
        }
        for i, column in zip(*np.unique(index, return_index=True), strict=True)
    ]


def pattern_distances(stuck: pd.DataFrame) -> dict[str, float]:
    """Return how far classified networks are from their plateaus, and how many are nowhere near."""
    distance = stuck["distance"].to_numpy()
    return {
        "unclear": int((distance > UNCLEAR).sum()),
        "distance_max": float(distance.max()),
        "distance_q95": float(np.quantile(distance, 0.95)),
    }


def plateau_error(n: int) -> float:
    """Return the standard error (nats) of the mean loss over n points if three clusters are merged.

    The probability of class 1 at the three is that of their commoner class,
    1/3 or 2/3. So the loss of a point is 0 with probability 1/4, ln(3/2) with
    1/2 and ln 3 with 1/4.
    """
    losses, weights = np.array([0, np.log(1.5), np.log(3)]), np.array([1, 2, 1]) / 4
    variance = weights @ losses**2 - (weights @ losses) ** 2
    return float((variance / n) ** 0.5)


def _class(shape: str, merged: int, rows: pd.DataFrame, of: int) -> dict[str, Any]:
    share = wilson(len(rows), of)
    return {
        "shape": shape,
        "merged": merged,
        "kind": KINDS[merged],
        "n": share.successes,
        "of": share.n,
        "share": share.estimate,
        "share_low": share.low,
        "share_high": share.high,
        **_observed(merged, rows),
    }


def _observed(merged: int, rows: pd.DataFrame) -> Mapping[str, float | None]:
    """Return the derived loss of a kind of plateau, and the losses observed there."""
    test, training = summarise(rows["test_loss"]), summarise(rows["train_loss"])
    (derived,) = {plateau.loss for plateau in plateaus() if len(plateau.merged) == merged}
    return {
        "derived": derived,
        "test_mean": test.mean,
        "test_std": test.std,
        "test_min": test.min,
        "test_max": test.max,
        "train_mean": training.mean,
        "train_std": training.std,
    }

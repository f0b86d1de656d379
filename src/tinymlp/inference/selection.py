"""How far a value flatters that was chosen as the best of many, and how firm such a choice is.

The rule is always the same: of some candidates, take the one with the least
mean loss over some repeats. Losses are arrays (candidates, repeats); in each
repeat all candidates had the same data, so all are judged on the same repeats.
Of scores of which more is better, pass the negatives. Which of two equal
candidates is taken is left open.

The draws of repeats come from one finite set and overlap: how much they
differ is not how much independent experiments would.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Bias:
    """What choosing on some of the seeds does, as means over draws of them."""

    seeds: int  # on which the choice was made
    apparent: float  # the chosen trial's mean loss on them
    honest: float  # and on all other seeds, which had no part in the choice
    bias: float  # honest minus apparent: by how much the choice flatters
    bias_error: float  # standard error of the bias, on average rather too large
    regret: float  # honest minus the loss of the best over all seeds
    best_share: float  # of the draws, in which that best was chosen
    chosen: int  # number of different trials chosen


@dataclass(frozen=True)
class Ranking:
    """How firmly one trial is the best."""

    shares: list[float]  # of the samples, in which each trial is the best
    leaders: list[int]  # the fewest trials whose shares reach the level, in order


def selection_bias(
    losses: ArrayLike,
    seeds_per_trial: Iterable[int],
    draws: int,
    rng: np.random.Generator,
) -> list[Bias]:
    """Return, for each number of seeds, what the best trial's loss hides.

    `losses` is (trials, seeds). In each of `draws` some of the seeds are drawn,
    without repetition, the trial with the least mean loss on them is chosen,
    and is judged on the others: the bias is that of G. C. Cawley and N. L. C.
    Talbot, Journal of Machine Learning Research 11 (2010), pages 2079-2107.

    The trials are taken as given: if a search has seen all seeds to find them,
    the other seeds are not quite fresh, and only new ones are. The standard
    error is that of the jackknife, which leaves out one seed at a time and is
    rather too large (B. Efron and C. Stein, The Annals of Statistics 9 (1981),
    pages 586-596). The regret is measured on the other seeds as well. On
    average the best over all seeds, itself chosen on them, looks no worse there
    than the truly best one is: the expected regret is at most this large.
    Raises ValueError unless losses are finite and a choice leaves two seeds.
    """
    matrix = _matrix(losses)
    seeds = matrix.shape[1]
    ranks = rng.permuted(np.tile(np.arange(seeds), (draws, 1)), axis=1)
    rows = []
    for count in seeds_per_trial:
        if not 1 <= count <= seeds - 2:
            raise ValueError(f"a choice on {count} of {seeds} seeds must leave two or more")
        rows.append(_bias(matrix, ranks, count))
    return rows


def ranking_stability(
    losses: ArrayLike, draws: int, rng: np.random.Generator, level: float = 0.95
) -> Ranking:
    """Return how often each trial is the best, in bootstrap samples of the seeds.

    `losses` is (trials, seeds). Each of `draws` samples has as many seeds as
    there are, drawn with repetition. The leaders are the fewest trials, most
    often best first, one of which is the best in a share `level` of samples.
    Raises ValueError unless losses are finite.
    """
    matrix = _matrix(losses)
    shares = _shares(matrix, matrix.shape[1], draws, rng)
    order = np.argsort(-shares, kind="stable")
    enough = int(np.searchsorted(np.cumsum(shares[order]), level - 1e-9)) + 1
    return Ranking(shares.tolist(), order[:enough].tolist())


def chosen_shares(
    losses: Mapping[str, ArrayLike],
    sizes: Iterable[int],
    draws: int,
    rng: np.random.Generator,
) -> dict[int, dict[str, float]]:
    """Return how often each candidate is chosen, for each number of repeats.

    `losses` holds the losses (repeats,) of each candidate. In each of `draws`
    as many repeats as a size says are drawn, with repetition, and the candidate
    with the least mean loss on them is chosen. Raises ValueError unless losses
    are finite and there are as many for each candidate, and for a size below 1.
    """
    matrix = _matrix(list(losses.values()))
    return {
        size: dict(zip(losses, _shares(matrix, size, draws, rng).tolist(), strict=True)) for size in sizes
    }


def _matrix(losses: Any) -> Floats:
    if len({np.shape(row) for row in losses}) != 1:
        raise ValueError("losses need one row or more, all of one length")
    matrix = np.asarray(losses, dtype=np.float64)
    if matrix.ndim != 2 or not matrix.size or not np.isfinite(matrix).all():
        raise ValueError(f"losses must be finite numbers (candidates, repeats), not {matrix.shape}")
    return matrix


def _means(losses: Floats, counts: NDArray[Any]) -> Floats:
    """Return mean losses (draws, candidates); counts (draws, repeats) say how often each is drawn."""
    weights = counts / counts.sum(axis=1, keepdims=True)
    means: Floats = weights @ losses.T
    return means


def _shares(losses: Floats, size: int, draws: int, rng: np.random.Generator) -> Floats:
    """Return the share of draws (candidates,) in which each has the least mean over `size` repeats."""
    if size < 1:
        raise ValueError(f"a choice needs one repeat or more, not {size}")
    candidates, repeats = losses.shape
    counts = rng.multinomial(size, np.full(repeats, 1 / repeats), size=draws)
    chosen = _means(losses, counts).argmin(axis=1)
    return np.bincount(chosen, minlength=candidates) / draws


def _choices(losses: Floats, ranks: Integers, count: int) -> tuple[Integers, Floats, Floats]:
    """Return the trial chosen in each draw (draws,), its mean there, and all trials' means elsewhere.

    `ranks` (draws, seeds) say in which order the seeds are drawn; the first `count` decide.
    """
    drawn = ranks < count
    means = _means(losses, drawn)
    return means.argmin(axis=1), means.min(axis=1), _means(losses, ~drawn)


def _bias(losses: Floats, ranks: Integers, count: int) -> Bias:
    chosen, apparent, others = _choices(losses, ranks, count)
    honest = others[np.arange(len(ranks)), chosen]
    best = losses.mean(axis=1).argmin()
    return Bias(
        count,
        float(apparent.mean()),
        float(honest.mean()),
        float((honest - apparent).mean()),
        _jackknife_error(losses, ranks, count),
        float((honest - others[:, best]).mean()),
        float((chosen == best).mean()),
        len(np.unique(chosen)),
    )


def _jackknife_error(losses: Floats, ranks: Integers, count: int) -> float:
    """Return the standard error of the bias, from its values without each of the seeds."""
    seeds, draws = losses.shape[1], np.arange(len(ranks))
    values = []
    for seed in range(seeds):
        left = np.delete(ranks, seed, axis=1)
        left -= left > ranks[:, [seed]]  # those behind it move up
        chosen, apparent, others = _choices(np.delete(losses, seed, axis=1), left, count)
        values.append((others[draws, chosen] - apparent).mean())
    return float(((seeds - 1) * np.var(values)) ** 0.5)

"""Successes: the gap between networks that have solved noisy XOR and those that have not."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from tinymlp.inference import holm_corrected, paired_means, paired_successes, summarise, wilson
from tinymlp.networks import LABELS, Ensemble, Score, Shape, parameter_count

Flags = NDArray[np.bool_]

QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
SUCCESS, LOSS = "success rate", "test loss"  # what is contrasted


def gap(accuracy: ArrayLike, loss: ArrayLike, solved: ArrayLike, at_centres: ArrayLike) -> dict[str, Any]:
    """Return the empty gap between stuck and solved networks, in accuracy and in loss (nats).

    `accuracy`, `loss` and `solved` are (n,), `at_centres` (n, 4) the
    probabilities of class 1 at `CENTRES`. `widest_below` and `widest_above` are
    the ends of the widest gap in the sorted accuracies above one half, found
    without the threshold that made `solved`. `centres_differ` counts the
    networks for which "right at all four centres" is not the same as solved.
    """
    accuracies, losses, good = np.asarray(accuracy), np.asarray(loss), np.asarray(solved, dtype=bool)
    right = ((np.asarray(at_centres) > 0.5) == np.array(LABELS)).all(axis=1)
    # a constant answer is right for half of the points: below that begin gaps of another kind
    ordered = np.sort(accuracies[accuracies > 0.5])
    widest = int(np.diff(ordered).argmax())
    return {
        "stuck_accuracy_max": float(accuracies[~good].max()),
        "solved_accuracy_min": float(accuracies[good].min()),
        "widest_below": float(ordered[widest]),
        "widest_above": float(ordered[widest + 1]),
        "stuck_loss_min": float(losses[~good].min()),
        "solved_loss_max": float(losses[good].max()),
        "n_solved": int(good.sum()),
        "n_stuck": int((~good).sum()),
        "centres_differ": int((right != good).sum()),
    }


def success_row(shape: Shape, score: Score, train_loss: ArrayLike, solved: ArrayLike) -> dict[str, Any]:
    """Return all that the test says of one shape, and the training loss (n,) beside it."""
    good, losses = np.asarray(solved, dtype=bool), np.asarray(train_loss)
    rate = wilson(int(good.sum()), len(good))
    return {
        "name": shape.name,
        "depth": shape.depth,
        "width": shape.width or None,
        "parameters": parameter_count(shape.depth, shape.width),
        **asdict(summarise(score.loss)),
        "accuracy_mean": float(score.accuracy.mean()),
        "accuracy_std": float(score.accuracy.std(ddof=1)),
        "solved": rate.successes,
        "rate": rate.estimate,
        "rate_low": rate.low,
        "rate_high": rate.high,
        **_given("solved", score, losses, good),
        **_given("stuck", score, losses, ~good),
        **_twice(score.loss[good], losses[good]),
    }


def levelling(ensemble: Ensemble, shape: Shape, solved_above: float) -> dict[str, float | int]:
    """Return how many networks were solved, by validation accuracy, after half of the epochs and at the end.

    `gained` were solved at the end but not at half, `lost` at half but not at the end. Raises ValueError
    unless the ensemble has a checkpoint after half of the epochs, rounded down.
    """
    training, history = ensemble.training, ensemble.history[shape]
    half = ensemble.recorded.index(training.epochs // 2 * training.steps_per_epoch)
    loss = np.median(history.val_loss, axis=1)
    at_half, at_end = (history.val_accuracy[row] > solved_above for row in (half, -1))
    return {
        "half_epochs": training.epochs // 2,
        "solved_at_half": int(at_half.sum()),
        "solved_at_end": int(at_end.sum()),
        "gained": int((at_end & ~at_half).sum()),
        "lost": int((at_half & ~at_end).sum()),
        "val_loss_median_at_half": float(loss[half]),
        "val_loss_median_at_end": float(loss[-1]),
    }


def success_contrasts(
    pairs: Mapping[str, tuple[Shape, Shape]], scores: Mapping[Shape, Score], solved: Mapping[Shape, ArrayLike]
) -> pd.DataFrame:
    """Return the planned contrasts of success rate and mean test loss.

    Of each of the pairs, by name, the second is subtracted from the first. The two measures tell one fact
    twice, so each is a family of its own, corrected by Holm; the success rates are the primary one.
    """
    rates = {n: paired_successes(solved[one], solved[other]) for n, (one, other) in pairs.items()}
    losses = {n: paired_means(scores[one].loss, scores[other].loss) for n, (one, other) in pairs.items()}
    families = {SUCCESS: holm_corrected(rates), LOSS: holm_corrected(losses)}
    return pd.DataFrame(
        [
            {
                "name": name,
                "measure": measure,
                "first": pairs[name][0].name,
                "second": pairs[name][1].name,
                **asdict(contrast),
            }
            for name in pairs
            for measure, contrast in ((key, family[name]) for key, family in families.items())
        ]
    )


def learning_curves(ensemble: Ensemble, solved: Mapping[Shape, Flags], solved_above: float) -> pd.DataFrame:
    """Return quantiles of the training loss at the checkpoints, apart for networks that end solved and stuck.

    `share_solved` is over all networks of the shape, by validation accuracy.
    An outcome that no network of a shape has is left out.
    """
    return pd.concat(
        [frame for shape in solved for frame in _curves(ensemble, shape, solved[shape], solved_above)],
        ignore_index=True,
    )


def outcomes_of(solved: ArrayLike) -> dict[str, Flags]:
    """Return which networks have each outcome."""
    good = np.asarray(solved, dtype=bool)
    return {"solved": good, "stuck": ~good}


def _given(outcome: str, score: Score, train_loss: Any, chosen: Flags) -> dict[str, float | None]:
    """Return loss and accuracy of the networks of one outcome; None where there are too few."""
    loss, accuracy = summarise(score.loss[chosen]), summarise(score.accuracy[chosen])
    return {
        f"{outcome}_loss_mean": loss.mean,
        f"{outcome}_loss_std": loss.std,
        f"{outcome}_loss_median": loss.median,
        f"{outcome}_loss_min": loss.min,
        f"{outcome}_loss_max": loss.max,
        f"{outcome}_accuracy_mean": accuracy.mean,
        f"{outcome}_train_loss_median": summarise(train_loss[chosen]).median,
    }


def _twice(test_loss: Any, train_loss: Any) -> dict[str, float | None]:
    """Return how many networks have a test loss of more than twice their training loss: count and share."""
    count = int((test_loss > 2 * train_loss).sum())
    share = asdict(wilson(count, len(test_loss))) if len(test_loss) else {}
    return {"twice": count, **{f"twice_{key}": share.get(key) for key in ("estimate", "low", "high")}}


def _curves(ensemble: Ensemble, shape: Shape, solved: Flags, solved_above: float) -> Iterator[pd.DataFrame]:
    history = ensemble.history[shape]
    share = (history.val_accuracy > solved_above).mean(axis=1)
    epochs = np.array(ensemble.recorded) // ensemble.training.steps_per_epoch
    for outcome, chosen in outcomes_of(solved).items():
        if chosen.any():
            quantiles = np.quantile(history.train_loss[:, chosen], list(QUANTILES.values()), axis=1)
            about = {"shape": shape.name, "outcome": outcome, "n": int(chosen.sum()), "epoch": epochs}
            columns = dict(zip(QUANTILES, quantiles, strict=True))
            yield pd.DataFrame({**about, **columns, "share_solved": share})

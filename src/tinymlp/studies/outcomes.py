"""Outcomes of trainings on noisy XOR: which networks have solved the task, and how good they are."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlog1py, xlogy

from tinymlp.inference import bayes_accuracy, bayes_probability, summarise, wilson
from tinymlp.networks import (
    CENTRES,
    LABELS,
    Ensemble,
    NoisyXor,
    Score,
    Shape,
    Training,
    advance,
    evaluate,
    start,
)
from tinymlp.parallel import Map, serial
from tinymlp.studies.settings import Setting

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SHORTFALL = 0.1  # in accuracy, behind the Bayes classifier, of a network that has solved the task


@dataclass(frozen=True)
class Outcome:
    """How the networks of one shape ended in one setting: arrays (repeats,)."""

    s: float
    loss: Floats
    excess: Floats  # of the loss over that of the Bayes classifier, on the same points
    accuracy: Floats
    centres: Flags  # whether all four cluster centres are classified correctly

    @property
    def solved(self) -> Flags:
        """Which networks have solved the task: their accuracy is near that of the Bayes classifier."""
        return solved(self.accuracy, self.s)


Outcomes = dict[str, dict[Shape, Outcome]]  # by the name of a setting, then by shape


def solved(accuracy: ArrayLike, s: float) -> Flags:
    """Return which accuracies are less than `SHORTFALL` below that of the Bayes classifier.

    Where the clusters hardly overlap this is an accuracy above 0.9; where they
    do, it still means that all four clusters are told apart.
    """
    good: Flags = np.asarray(accuracy) > bayes_accuracy(s) - SHORTFALL
    return good


def loss_of_bayes(test: NoisyXor) -> float:
    """Return the mean loss (nats) of the Bayes classifier on these very points.

    Its expectation is `bayes_loss`; the points being the same, the excess of a
    network over it is free of the luck of the draw.
    """
    p, y = bayes_probability(test.inputs, test.s), test.targets.numpy()
    return float(-(xlogy(y, p) + xlog1py(1 - y, -p)).mean())


def outcome_summary(outcome: Outcome) -> dict[str, Any]:
    """Return the shares of successes and the distributions of the losses (nats) as values of a result."""
    return {
        "success": asdict(wilson(int(outcome.solved.sum()), len(outcome.solved))),
        "loss": asdict(summarise(outcome.loss)),
        "solved_loss": asdict(summarise(outcome.loss[outcome.solved])),
        "solved_excess": asdict(summarise(outcome.excess[outcome.solved])),
    }


def setting_rows(
    settings: Sequence[Setting], summaries: Mapping[str, Mapping[Shape, Mapping[str, Any]]]
) -> Iterator[dict[str, Any]]:
    """Yield a row for each setting and shape, from the summaries by the setting's name and the shape."""
    for setting in settings:
        for shape, found in summaries[setting.name].items():
            success, solved = found["success"], found["solved_loss"]
            yield {
                **_described(setting),
                "depth": shape.depth,
                "width": shape.width,
                "n": success["n"],
                "success": success["estimate"],
                "success_low": success["low"],
                "success_high": success["high"],
                "loss_mean": found["loss"]["mean"],
                "loss_std": found["loss"]["std"],
                "loss_median": found["loss"]["median"],
                "solved_loss_mean": solved["mean"],
                "solved_loss_median": solved["median"],
                "solved_loss_q95": solved["q95"],
            }


def _described(setting: Setting) -> dict[str, Any]:
    training = setting.training
    return {
        "setting": setting.name,
        "factor": setting.factor,
        "label": setting.label,
        "optimiser": training.optimiser,
        "beta1": training.betas[0],
        "beta2": training.betas[1],
        "lr": training.lr,
        "initial_scale": setting.scale,
        "steps": training.total_steps,
        "epochs": training.total_steps / training.steps_per_epoch,
        "s": training.s,
    }


def train_settings(
    settings: Sequence[Setting],
    shapes: Sequence[Shape],
    repeats: int,
    *,
    seed: int,
    test: Callable[[float], NoisyXor],
    map: Map = serial,
) -> Outcomes:
    """Return how networks of these shapes end in all settings, side by side where an ensemble can.

    A repeat has the same random numbers in every setting, so that comparisons
    are paired. `test` returns the test points for clusters of a standard
    deviation. `map` may work in parallel.
    """
    stops: dict[tuple[Training, Any], set[int]] = defaultdict(set)
    for setting in settings:  # where they differ in steps alone, one goes on from the other
        stops[setting.shared, setting.columns].add(setting.training.total_steps)
    groups: dict[tuple[Training, tuple[int, ...]], list[tuple[Any, ...]]] = defaultdict(list)
    for (shared, lane), steps in stops.items():  # side by side are those that stop together
        groups[shared, tuple(sorted(steps))].append(lane)
    found: dict[tuple[Training, Any, int], dict[Shape, Outcome]] = {}
    for (shared, together), lanes in groups.items():
        ensemble = _start(shared, lanes, shapes, repeats, seed)
        for step in together:
            ensemble = advance(ensemble, step, map=map)
            ended = _outcomes(ensemble, len(lanes), test(shared.s), map)
            found |= {(shared, lane, step): one for lane, one in zip(lanes, ended, strict=True)}
    return {s.name: found[s.shared, s.columns, s.training.total_steps] for s in settings}


def _start(
    shared: Training, lanes: Sequence[tuple[Any, ...]], shapes: Sequence[Shape], repeats: int, seed: int
) -> Ensemble:
    """Return untrained networks: for each lane (learning rate, weight decay, initial scale) all repeats."""
    lr, decay, scale = (np.repeat(column, repeats).tolist() for column in zip(*lanes, strict=True))
    training = replace(shared, lr=lr, weight_decay=decay, initial_scale=scale)
    return start(shapes, [*range(repeats)] * len(lanes), training, seed=seed)


def _outcomes(ensemble: Ensemble, lanes: int, test: NoisyXor, map: Map) -> list[dict[Shape, Outcome]]:
    """Return how the networks ended, lane by lane; the ensemble holds so many lanes side by side."""
    scores = evaluate(ensemble, test.inputs, test.targets, map=map)
    centres = evaluate(ensemble, np.array(CENTRES, dtype=np.float64), LABELS)
    floor = loss_of_bayes(test)  # one for all: they are tested on the same points

    def outcome(test_score: Score, centre_score: Score, place: int) -> Outcome:
        loss, accuracy, right = (
            values.reshape(lanes, -1)[place]
            for values in (test_score.loss, test_score.accuracy, centre_score.accuracy)
        )
        return Outcome(test.s, loss, loss - floor, accuracy, right == 1)

    return [
        {shape: outcome(scores[shape], centres[shape], place) for shape in scores} for place in range(lanes)
    ]

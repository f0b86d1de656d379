"""Fits of the line with a wave by small networks of `Var`s: how they start, train, and what they lose.

Losses are means per point in the units of y before it was standardised, where the noise floor is the same for
every draw of the data.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tinymlp.scalar import (
    ConstantInitializer,
    DenseLayer,
    Initializer,
    NeuralNetwork,
    NormalInitializer,
    SpreadInitializer,
    Task,
    Var,
    descend_by_tape,
    line_with_wave,
    mean_loss,
    predict,
    straight_line,
)

Floats = NDArray[np.float64]

SETS = ("train", "validation", "test")
PLACES = np.linspace(-3, 3, 300)  # of x in the task
FINE = np.linspace(-3, 3, 121)  # where functions are drawn
CHECKPOINTS = 30
GONE = 1000  # a loss as many times the first one has diverged
HALF_WIDTH = math.sqrt(3)  # of the standardised x, which are even over an interval
OUTPUT_STD = 0.1  # of the first output weights


@dataclass(frozen=True)
class FitSetting:
    """How a network is built, started and trained.

    `scale` is the standard deviation of a normal start, the weight of one with equal units, the slope of one
    with spread units. `rate` belongs to the mean loss per point: the step on the sum is `rate / points`.
    """

    activation: Callable[[Var], Var]
    units: int
    start: str
    scale: float
    rate: float
    length: int = 1  # in multiples of the usual number of epochs
    few: bool = False  # whether it learns from a small training set

    @property
    def parameters(self) -> int:
        """The number of weights and biases."""
        return 3 * self.units + 1


@dataclass(frozen=True)
class Fit:
    """One training: its losses at the checkpoints, the fitted function on `FINE`, whether it diverged."""

    curve: pd.DataFrame
    function: list[float] | None
    diverged: bool


def fit(
    setting: FitSetting, task: Task, points: int | None, epochs: int, checkpoints: Collection[int], seed: int
) -> Fit:
    """Return the training of one network on the first `points` of the training set; None means all of them.

    The curve has a row for each of the checkpoints (epochs): the losses of
    `SETS` and the excess. A fit that diverges stops there, without a function.
    """
    x, y = (side[:points] for side in task.sets["train"])
    network = starting_network(setting, Random(seed))
    seen: list[dict[str, float]] = []
    first = math.inf
    for epoch, loss in descend_by_tape(network, x, y, setting.rate / len(x), epochs):
        first = loss if epoch == 0 else first
        if not loss <= GONE * first:  # written so that NaN has diverged, too
            return Fit(pd.DataFrame(seen), None, diverged=True)
        if epoch in checkpoints:
            seen.append({"epoch": epoch, **_losses(network, task, len(x))})
    function = task.original(predict(network, task.standardised(FINE))[:, 0])
    return Fit(pd.DataFrame(seen), function.tolist(), diverged=False)


def starting_network(setting: FitSetting, rng: Random) -> NeuralNetwork:
    """Return an untrained network with one hidden layer.

    Raises KeyError for a start other than "normal", "equal" and "spread".
    """
    starts: dict[str, tuple[Initializer, Initializer]] = {
        "normal": (NormalInitializer(std=setting.scale, rng=rng),) * 2,
        "equal": (ConstantInitializer(setting.scale),) * 2,
        "spread": (
            SpreadInitializer(setting.scale, HALF_WIDTH, rng),
            NormalInitializer(std=OUTPUT_STD, rng=rng),
        ),
    }
    hidden, output = starts[setting.start]
    return NeuralNetwork(
        [
            DenseLayer(1, setting.units, setting.activation, hidden),
            DenseLayer(setting.units, 1, Var.identity, output),
        ]
    )


def checkpoint_epochs(epochs: int, marks: Iterable[int]) -> set[int]:
    """Return the start, the end, the marks, and epochs between that are even on a log axis."""
    even = np.geomspace(1, epochs, CHECKPOINTS).round().astype(int).tolist()
    return {0, *marks, *even}


def excess(function: Callable[[Floats], Floats], task: Task) -> float:
    """Return the mean squared distance of a function from the mean of y, over all places of x.

    It maps standardised x (n, 1) to standardised y (n,); its expected loss on
    fresh data is the excess plus the noise floor.
    """
    errors = task.original(function(task.standardised(PLACES))) - line_with_wave(PLACES)
    return float(np.mean(errors**2))


def reference_losses(tasks: Sequence[Task], points: int, few: int) -> dict[str, pd.DataFrame]:
    """Return what fits are measured by, a row for each task: the mean of y itself, and least-squares lines.

    The lines go through the first `points`, and the first `few`, of the
    training set. Of the mean, the losses are the noise that a set happens to
    have.
    """
    losses = {
        "mean": [_mean_losses(task) for task in tasks],
        "line": [_line_losses(task, points) for task in tasks],
        "line_few": [_line_losses(task, few) for task in tasks],
    }
    return {name: pd.DataFrame(values).rename_axis("repeat") for name, values in losses.items()}


def fitted_functions(fits: Mapping[tuple[str, int], Fit]) -> pd.DataFrame:
    """Return the functions of fits, by setting and repeat, as rows for each x of `FINE`.

    Fits that diverged have no function and are left out.
    """
    frames = [
        pd.DataFrame({"setting": setting, "repeat": repeat, "x": FINE, "y": found.function})
        for (setting, repeat), found in fits.items()
        if found.function is not None
    ]
    return pd.concat(frames, ignore_index=True)


def training_points(task: Task, few: int) -> pd.DataFrame:
    """Return the training points in original units, and which belong to the small training set."""
    x, y = task.sets["train"]
    return pd.DataFrame(
        {
            "x": task.shift[0] + task.scale[0] * x[:, 0],
            "y": task.original(y),
            "few": np.arange(len(y)) < few,
        }
    )


def _mean_losses(task: Task) -> dict[str, float]:
    return {name: float(np.mean(task.noise(name) ** 2)) for name in SETS} | {"excess": 0.0}


def _line_losses(task: Task, points: int) -> dict[str, float]:
    """Return the losses of the least-squares line through the first training points."""
    sets = task.sets | {"train": tuple(side[:points] for side in task.sets["train"])}
    slope, intercept = straight_line(*sets["train"])

    def line(x: Floats) -> Floats:
        return slope * x[:, 0] + intercept

    unit = task.scale[1] ** 2
    losses = {name: unit * float(np.mean((line(x) - y) ** 2)) for name, (x, y) in sets.items()}
    return {**losses, "excess": excess(line, task)}


def _losses(network: NeuralNetwork, task: Task, points: int) -> dict[str, float]:
    """Return the losses per point; of the training set that of the points that the network learns from."""
    unit = task.scale[1] ** 2
    sizes = {name: points if name == "train" else None for name in SETS}
    losses = {name: unit * mean_loss(network, *(s[: sizes[name]] for s in task.sets[name])) for name in SETS}
    return {**losses, "excess": excess(lambda x: predict(network, x)[:, 0], task)}

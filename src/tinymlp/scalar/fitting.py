"""Fitting networks of `Var`s to the regression task, and choosing among fits.

Training is by `Var`s, or by a tape of what they do, which gives the same
values sooner. What only looks at a network, `predict` and `mean_loss`,
computes with NumPy.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from tinymlp.scalar.autodiff import Var, nparray_to_Var
from tinymlp.scalar.losses import squared_loss
from tinymlp.scalar.nn import (
    Activation,
    DenseLayer,
    Initializer,
    Layers,
    NeuralNetwork,
)
from tinymlp.scalar.regression import data_generator, line_samples, line_with_wave
from tinymlp.scalar.tape import Tape

Floats = NDArray[np.float64]

_VALUES: dict[Activation, Callable[[Floats], Floats]] = {
    Var.identity: lambda a: a,
    Var.relu: lambda a: np.maximum(a, 0),
    Var.tanh: np.tanh,
}


class SpreadInitializer(Initializer):
    """Units of equal slope whose zeros are spread over the inputs.

    For a layer with one input. Each weight is `slope`; [-half_width,
    half_width] is cut into n_out equal parts, and in each lies the zero of
    one unit, at random: where slope x + bias = 0. For an odd activation such
    as tanh the sign of a weight is of no matter. The idea is that of
    D. Nguyen, B. Widrow, IJCNN 1990, volume 3, pages 21-26.
    """

    def __init__(self, slope: float, half_width: float, rng: Random) -> None:
        self.slope = slope
        self.half_width = half_width
        self.rng = rng

    def init_weights(self, n_in: int, n_out: int) -> list[list[Var]]:
        """Return one row of n_out equal weights; ValueError if n_in > 1."""
        if n_in != 1:
            raise ValueError(f"zeros are spread over one input, not {n_in}")
        return [[Var(self.slope) for _ in range(n_out)]]

    def init_bias(self, n_out: int) -> list[Var]:
        """Return n_out biases, for zeros from left to right."""
        part = 2 * self.half_width / n_out
        places = [unit + self.rng.random() for unit in range(n_out)]
        zeros = [part * place - self.half_width for place in places]
        return [Var(-self.slope * zero) for zero in zeros]


@dataclass(frozen=True)
class Task:
    """One draw of the line with a wave, standardised by its training set.

    `sets` holds x (n, 1) and y (n,) of "train", "validation" and "test";
    `shift` and `scale` are mean and standard deviation of x, then of y, in the
    training set before they were standardised.
    """

    sets: dict[str, tuple[Floats, Floats]]
    shift: tuple[float, float]
    scale: tuple[float, float]

    def standardised(self, x: Floats) -> Floats:
        """Return numbers (n,) on the original axis of x as inputs (n, 1)."""
        return (x[:, None] - self.shift[0]) / self.scale[0]

    def original(self, y: Floats) -> Floats:
        """Return standardised y, of any shape, in its original units."""
        return self.shift[1] + self.scale[1] * y

    def noise(self, name: str) -> Floats:
        """Return y minus its mean (n,) in a set, in original units."""
        x, y = self.sets[name]
        means = line_with_wave(self.shift[0] + self.scale[0] * x[:, 0])
        return self.original(y) - means


def draw_task(noise: float, seed: int, n_samples: int = 300) -> Task:
    """Return the sets of `data_generator` with what standardised them.

    `noise` is the standard deviation of y before it is standardised.
    ValueError as `data_generator`.
    """
    sets = data_generator(noise, n_samples, rng=np.random.default_rng(seed))
    raw = line_samples(noise, n_samples, np.random.default_rng(seed))
    x, y = (side[: len(sets[0])] for side in raw)
    names = ("train", "validation", "test")
    pairs = zip(sets[::2], sets[1::2], strict=True)
    return Task(
        dict(zip(names, pairs, strict=True)),
        (float(x.mean()), float(y.mean())),
        (float(x.std()), float(y.std())),
    )


def descend(
    network: NeuralNetwork,
    x: Floats,
    y: Floats,
    learning_rate: float,
    epochs: int,
) -> Iterator[tuple[int, float]]:
    """Train by full-batch gradient descent on the summed squared loss.

    Yields the number of steps so far, from 0 to `epochs`, and the summed loss
    over x (n, d) and y (n,) then; meanwhile `network` has the parameters of
    that moment. A loss that is not finite is yielded as it is, and after a
    gradient that is too large for a float all losses are NaN.
    """
    points, targets = nparray_to_Var(x), nparray_to_Var(y)
    for epoch in range(epochs + 1):
        loss = squared_loss(targets, network.forward(points))
        yield epoch, loss.v
        if epoch < epochs:
            _step(network, loss.backward, learning_rate)


def _step(
    network: NeuralNetwork,
    backward: Callable[[], None],
    learning_rate: float,
) -> None:
    try:
        backward()
    except OverflowError:  # a step of this length leads to no numbers
        for p in network.parameters:
            p.v = math.nan
    else:
        network.update(learning_rate)
        network.zero_gradients()


def descend_by_tape(
    network: NeuralNetwork,
    x: Floats,
    y: Floats,
    learning_rate: float,
    epochs: int,
) -> Iterator[tuple[int, float]]:
    """Train and yield as `descend` does, with the same values, but sooner.

    The graph of the loss is recorded once. ValueError unless the network is a
    `NeuralNetwork` of `DenseLayer`s with identity, ReLU or tanh, and not of a
    class derived from these: another one's graph may depend on its values.
    """
    plain = type(network) is NeuralNetwork and all(
        type(layer) is DenseLayer and layer.act_fn in _VALUES for layer in network
    )
    if not plain:
        what = "the graph of this network may change from step to step"
        raise ValueError(f"{what}: train it by descend")
    loss = squared_loss(nparray_to_Var(y), network.forward(nparray_to_Var(x)))
    tape = Tape(loss)
    for epoch in range(epochs + 1):
        yield epoch, tape.forward()
        if epoch < epochs:
            _step(network, tape.backward, learning_rate)


def predict(network: Layers, x: Floats) -> Floats:
    """Return the outputs (n, n_out) for x (n, d), without a graph.

    KeyError for activations other than identity, ReLU and tanh.
    """
    z = np.asarray(x, dtype=np.float64)
    for layer in network:
        weights = np.array([[w.v for w in row] for row in layer.weights])
        bias = np.array([b.v for b in layer.bias])
        z = _VALUES[layer.act_fn](z @ weights + bias)
    return z


def mean_loss(network: Layers, x: Floats, y: Floats) -> float:
    """Return the mean squared loss per point over x (n, d) and y (n,)."""
    return float(np.mean((predict(network, x)[:, 0] - y) ** 2))


def straight_line(x: Floats, y: Floats) -> tuple[float, float]:
    """Return slope and intercept of the least-squares line through points.

    `x` is (n, 1), `y` (n,). ValueError if all x are equal.
    """
    dx = x[:, 0] - x.mean()
    if not dx.any():
        raise ValueError("no line is best where all x are equal")
    slope = float(dx @ y / (dx @ dx))
    return slope, float(y.mean()) - slope * float(x.mean())


def chosen_losses(
    fits: Floats,
    means: Floats,
    noise: float,
    points: int,
    counts: list[int],
    draws: int,
    rng: np.random.Generator,
) -> dict[int, tuple[float, float]]:
    """Return what validation and test say of the fit chosen on few points.

    `fits` (k, n) are the values of k functions at n places and `means` (n,)
    those of y, whose noise is normal. In each of `draws`, `points` places are
    drawn, with repetition, with fresh y, and among `count` functions, drawn
    without repetition, the one of least mean squared loss on them is chosen.
    For each of `counts`: the mean over draws of that loss, and of the expected
    loss of the chosen function on fresh data from all places. ValueError if
    more functions are asked for than there are.
    """
    if max(counts) > len(fits):
        raise ValueError(f"{max(counts)} of {len(fits)} fits cannot be drawn")
    at = rng.integers(fits.shape[1], size=(draws, points))
    y = means[at] + rng.normal(0, noise, at.shape)
    validation = np.stack([((fit[at] - y) ** 2).mean(axis=1) for fit in fits])
    expected = noise**2 + ((fits - means) ** 2).mean(axis=1)
    order = rng.permuted(np.tile(np.arange(len(fits)), (draws, 1)), axis=1).T
    columns = np.arange(draws)
    losses = {}
    for count in counts:
        drawn = validation[order[:count], columns]
        chosen = order[drawn.argmin(axis=0), columns]
        test = float(expected[chosen].mean())
        losses[count] = float(drawn.min(axis=0).mean()), test
    return losses

"""The arithmetic of many small networks side by side: logits, gradients, the steps of an optimiser, losses.

Every array ends in an axis with one column for each network, so that one call of NumPy serves all of them.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from tinymlp.networks.columns import Array, Score, State, layers_of
from tinymlp.networks.shapes import Shape

POINTS = 128  # points evaluated together; at most 255, for right answers are counted in a byte
EPSILON = 1e-8  # of Adam (Kingma and Ba 2015)
MINUS_ONE = torch.tensor(-1.0)  # of no dimension: it takes the type of what it is added to


class Activation(NamedTuple):
    """An activation as a module, and by hand on arrays."""

    module: type[nn.Module]
    apply: Callable[[Array, Array], Any]  # turns sums without their biases into activations, in place
    slope: Callable[[Array], Any]  # turns activations into the derivatives there, in place


def _sigmoid(z: Array) -> None:
    """By torch: several times faster than NumPy's exp or tanh."""
    torch.sigmoid_(torch.from_numpy(z))


def _tanh(z: Array, bias: Array) -> None:
    """As tanh(z + b) = 2 sigma(2z + 2b) - 1, in three passes.

    A factor of two loses no bit, so that a product with it and a sum are one operation of torch, which rounds
    as NumPy's two do.
    """
    sums = torch.from_numpy(z)
    torch.add(torch.from_numpy(bias + bias), sums, alpha=2, out=sums)
    torch.sigmoid_(sums)
    torch.add(MINUS_ONE, sums, alpha=2, out=sums)


def _tanh_slope(h: Array) -> None:
    np.multiply(h, h, out=h)
    np.subtract(1, h, out=h)


def _relu(z: Array, bias: Array) -> None:
    z += bias
    np.maximum(z, 0, out=z)


def _relu_slope(h: Array) -> None:
    np.sign(h, out=h)


ACTIVATIONS = {
    "tanh": Activation(nn.Tanh, _tanh, _tanh_slope),
    "relu": Activation(nn.ReLU, _relu, _relu_slope),
}


class Networks:
    """The networks of one shape, with room for `points` points; `b` below is the number in use."""

    def __init__(self, shape: Shape, activation: Activation, parameters: Array, points: int) -> None:
        columns, dtype = parameters.shape[1], parameters.dtype
        self.activation = activation
        self.parameters = parameters
        self.gradient = np.empty_like(parameters)
        self.layers = layers_of(shape, parameters)
        self.gradients = layers_of(shape, self.gradient)
        self.outputs = [np.empty((out, points, columns), dtype) for _, out in shape.layers]
        self.deltas = [np.empty_like(output) for output in self.outputs[:-1]]
        self.views: dict[int, tuple[list[Array], list[Array]]] = {}

    def _room(self, b: int) -> tuple[list[Array], list[Array]]:
        """Return the outputs of all layers and the errors of the hidden ones, for `b` points."""
        if b not in self.views:  # kept: to make them again takes as long as some of the arithmetic
            self.views[b] = [out[:, :b] for out in self.outputs], [delta[:, :b] for delta in self.deltas]
        return self.views[b]

    def logits(self, x: Array) -> Array:
        """Return the logits (b, columns) of the points `x` (2, b, columns), in a buffer of this object."""
        outputs, _ = self._room(x.shape[1])
        for (weight, bias), z in zip(self.layers, outputs, strict=True):
            np.einsum("oir,ibr->obr", weight, x, out=z)
            if z is outputs[-1]:
                z += bias
            else:
                self.activation.apply(z, bias)
            x = z
        logits: Array = x[0]
        return logits

    def differentiate(self, x: Array, sign: Array) -> None:
        """Leave in `gradient` that of the mean loss on points `x` (2, b, columns), signs (b, columns).

        With the sign c, 1 for class 0 and -1 for class 1, the loss is ln(1 + exp(c z)), its derivative
        c sigma(c z): without the cancellation of sigma(z) - y.
        """
        b = x.shape[1]
        z = self.logits(x)
        z *= sign
        _sigmoid(z)
        z *= sign
        z *= 1 / b
        delta = z[None]
        outputs, deltas = self._room(b)
        for layer in reversed(range(len(self.layers))):
            below = outputs[layer - 1] if layer else x
            weight_gradient, bias_gradient = self.gradients[layer]
            np.einsum("obr,ibr->oir", delta, below, out=weight_gradient)
            np.add.reduce(delta, axis=1, keepdims=True, out=bias_gradient)
            if layer:
                passed = deltas[layer - 1]
                np.einsum("oir,obr->ibr", self.layers[layer][0], delta, out=passed)
                self.activation.slope(below)  # the activations have served
                passed *= below
                delta = passed


class Optimiser:
    """What takes steps for all columns; `state` is changed in place, and `steps` counts them."""

    def __init__(
        self, state: State, lr: Array, weight_decay: Array, steps: int, betas: tuple[float, float]
    ) -> None:
        self.state = state
        self.lr = lr
        self.weight_decay = weight_decay if weight_decay.any() else None
        self.steps = steps
        self.betas = betas
        self.scratch = np.empty_like(state.parameters)

    def step(self, gradient: Array) -> None:
        """Take one step; `gradient` is used up."""
        self.steps += 1
        if self.weight_decay is not None:
            np.multiply(self.state.parameters, self.weight_decay, out=self.scratch)
            gradient += self.scratch
        self._move(gradient)

    def _move(self, gradient: Array) -> None:
        """Change parameters and moments, given the gradient with its penalty."""
        raise NotImplementedError


class Adam(Optimiser):
    """Adam (Kingma and Ba 2015, algorithm 1).

    The moments lack their factors 1 - beta, which move into the step's scale: two operations less.
    """

    def _move(self, gradient: Array) -> None:
        beta1, beta2 = self.betas
        unbias = math.sqrt((1 - beta2**self.steps) / (1 - beta2))
        rate = self.lr * ((1 - beta1) / (1 - beta1**self.steps) * unbias)
        scratch, state = self.scratch, self.state
        parameters, first, second = state.parameters, state.first, state.second
        first *= beta1
        first += gradient
        second *= beta2
        gradient *= gradient
        second += gradient
        np.sqrt(second, out=scratch)
        scratch += EPSILON * unbias
        np.divide(first, scratch, out=scratch)
        scratch *= rate
        parameters -= scratch


class Momentum(Optimiser):
    """Gradient descent with the momentum `betas[0]`, as torch's SGD; the first moment is the velocity."""

    def _move(self, gradient: Array) -> None:
        parameters, velocity = self.state.parameters, self.state.first
        velocity *= self.betas[0]
        velocity += gradient
        np.multiply(velocity, self.lr, out=self.scratch)
        parameters -= self.scratch


OPTIMISERS: dict[str, type[Optimiser]] = {"adam": Adam, "sgd": Momentum}


class Tally:
    """Adds up the loss and the right answers of the networks of one shape over sets of points."""

    def __init__(self, shape: Shape, activation: Activation, parameters: Array) -> None:
        self.networks = Networks(shape, activation, parameters, POINTS)
        self.loss = np.zeros(parameters.shape[1])
        self.right = np.zeros(parameters.shape[1])
        self.n = 0

    def add(self, x: Array, sign: Array) -> "Tally":
        """Take points `x` (2, n, columns) with signs (n, columns) into account."""
        for begin in range(0, len(sign), POINTS):
            part = slice(begin, begin + POINTS)
            self._add(self.networks.logits(x[:, part]), sign[part])
        self.n += len(sign)
        return self

    def _add(self, z: Array, sign: Array) -> None:
        right = (z > 0) == (sign < 0)
        self.right += np.add.reduce(right, axis=0, dtype=np.uint8)
        z *= sign
        self.loss += nn.functional.softplus(torch.from_numpy(z)).numpy().sum(axis=0)

    def score(self) -> Score:
        """Return the means over all points."""
        return Score(self.loss / self.n, self.right / self.n)

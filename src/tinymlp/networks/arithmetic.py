"""The arithmetic of many small networks side by side: logits, gradients, Adam's step, losses.

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
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # of Adam (Kingma and Ba 2015)


class Activation(NamedTuple):
    """An activation as a module, and by hand on arrays."""

    module: type[nn.Module]
    apply: Callable[[Array], Any]  # turns sums into activations, in place
    slope: Callable[[Array], Any]  # turns activations into the derivatives there, in place


def _sigmoid(z: Array) -> None:
    """By torch: several times faster than NumPy's exp or tanh."""
    torch.sigmoid_(torch.from_numpy(z))


def _tanh(z: Array) -> None:
    """As tanh z = 2 sigma(2z) - 1."""
    z += z
    _sigmoid(z)
    z += z
    z -= 1


def _tanh_slope(h: Array) -> None:
    np.multiply(h, h, out=h)
    np.subtract(1, h, out=h)


def _relu(z: Array) -> None:
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

    def logits(self, x: Array) -> Array:
        """Return the logits (b, columns) of the points `x` (2, b, columns), in a buffer of this object."""
        for (weight, bias), output in zip(self.layers, self.outputs, strict=True):
            z = output[:, : x.shape[1]]
            np.einsum("oir,ibr->obr", weight, x, out=z)
            z += bias
            if output is not self.outputs[-1]:
                self.activation.apply(z)
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
        for layer in reversed(range(len(self.layers))):
            below = self.outputs[layer - 1][:, :b] if layer else x
            weight_gradient, bias_gradient = self.gradients[layer]
            np.einsum("obr,ibr->oir", delta, below, out=weight_gradient)
            np.add.reduce(delta, axis=1, keepdims=True, out=bias_gradient)
            if layer:
                passed = self.deltas[layer - 1][:, :b]
                np.einsum("oir,obr->ibr", self.layers[layer][0], delta, out=passed)
                self.activation.slope(below)  # the activations have served
                passed *= below
                delta = passed


class Adam:
    """Adam's step for all columns; `state` is changed in place.

    The moments lack their factors 1 - beta, which move into the step's scale: two operations less.
    """

    def __init__(self, state: State, lr: Array, weight_decay: Array, steps: int) -> None:
        self.state = state
        self.lr = lr
        self.weight_decay = weight_decay if weight_decay.any() else None
        self.steps = steps
        self.scratch = np.empty_like(state.parameters)

    def step(self, gradient: Array) -> None:
        """Take one step; `gradient` is used up."""
        self.steps += 1
        unbias = math.sqrt((1 - BETA2**self.steps) / (1 - BETA2))
        rate = self.lr * ((1 - BETA1) / (1 - BETA1**self.steps) * unbias)
        state, scratch = self.state, self.scratch
        parameters, first, second = state.parameters, state.first, state.second
        if self.weight_decay is not None:
            np.multiply(parameters, self.weight_decay, out=scratch)
            gradient += scratch
        first *= BETA1
        first += gradient
        second *= BETA2
        gradient *= gradient
        second += gradient
        np.sqrt(second, out=scratch)
        scratch += EPSILON * unbias
        np.divide(first, scratch, out=scratch)
        scratch *= rate
        parameters -= scratch


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

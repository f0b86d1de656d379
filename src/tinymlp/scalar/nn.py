"""Networks of `Var`s: initialisers, dense layers, gradient descent.

A network is a list of `DenseLayer`s, or a `NeuralNetwork`, which is one that
keeps its parameters. Random numbers come from the generator that is given, or
else from the generator of the module `random`.
"""

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from tinymlp.scalar.autodiff import Var, affine

Activation = Callable[[Var], Var]
Layers = Iterable["DenseLayer"]


class Initializer:
    """The initial weights and biases of a layer from n_in to n_out units."""

    def init_weights(self, n_in: int, n_out: int) -> list[list[Var]]:
        """Return n_in rows of n_out weights."""
        raise NotImplementedError

    def init_bias(self, n_out: int) -> list[Var]:
        """Return n_out biases."""
        raise NotImplementedError


class ConstantInitializer(Initializer):
    """All weights equal, and all biases."""

    def __init__(self, weight: float = 1.0, bias: float = 0.0) -> None:
        self.weight = weight
        self.bias = bias

    def init_weights(self, n_in: int, n_out: int) -> list[list[Var]]:
        """Return n_in rows of n_out weights."""
        return [[Var(self.weight) for _ in range(n_out)] for _ in range(n_in)]

    def init_bias(self, n_out: int) -> list[Var]:
        """Return n_out biases."""
        return [Var(self.bias) for _ in range(n_out)]


class NormalInitializer(Initializer):
    """Normally distributed weights, biases of zero."""

    def __init__(
        self,
        mean: float = 0,
        std: float = 0.1,
        rng: random.Random | None = None,
    ) -> None:
        self.mean = mean
        self.std = std
        self.rng = rng

    def std_of(self, n_in: int, n_out: int) -> float:
        """Return the standard deviation of the weights of a layer."""
        return self.std

    def init_weights(self, n_in: int, n_out: int) -> list[list[Var]]:
        """Return n_in rows of n_out weights."""
        gauss = random.gauss if self.rng is None else self.rng.gauss
        std = self.std_of(n_in, n_out)
        units = range(n_out)
        rows = range(n_in)
        return [[Var(gauss(self.mean, std)) for _ in units] for _ in rows]

    def init_bias(self, n_out: int) -> list[Var]:
        """Return n_out biases of zero."""
        return [Var(0.0) for _ in range(n_out)]


class GlorotInitializer(NormalInitializer):
    """Weights of variance 2 alpha / (n_in + n_out).

    A compromise between equal variances of the signals forward, alpha / n_in,
    and backward, alpha / n_out, for units that work where their activation is
    nearly the identity: X. Glorot, Y. Bengio, AISTATS 2010, equation 12.
    """

    def __init__(
        self,
        alpha: float = 1.0,
        rng: random.Random | None = None,
    ) -> None:
        super().__init__(rng=rng)
        self.alpha = alpha

    def std_of(self, n_in: int, n_out: int) -> float:
        """Return the standard deviation of the weights of a layer."""
        return math.sqrt(2 * self.alpha / (n_in + n_out))


class HeInitializer(NormalInitializer):
    """Weights of variance alpha / n_in; alpha = 2 is for ReLU.

    It keeps the variance of the pre-activations from layer to layer, since
    ReLU passes on half of their mean square: K. He et al., ICCV 2015,
    equation 10.
    """

    def __init__(
        self,
        alpha: float = 2.0,
        rng: random.Random | None = None,
    ) -> None:
        super().__init__(rng=rng)
        self.alpha = alpha

    def std_of(self, n_in: int, n_out: int) -> float:
        """Return the standard deviation of the weights of a layer."""
        return math.sqrt(self.alpha / n_in)


class UniversalInitializer(HeInitializer):
    """Weights of variance alpha / n_in, with the alpha of any activation.

    He's condition for an activation h in place of ReLU: if pre-activations
    are standard normal, those of the next layer have variance 1 when
    alpha = 1 / E[h(a)^2]. That is 1 for the identity, 2 for ReLU and 2.54 for
    tanh, which shrinks what it passes on. ValueError if h is zero everywhere.
    """

    def __init__(
        self,
        act_fn: Activation,
        rng: random.Random | None = None,
    ) -> None:
        passed_on, _ = mean_squares(act_fn)
        if passed_on == 0:
            raise ValueError("this activation passes on no signal: it is zero")
        super().__init__(1 / passed_on, rng)


def mean_squares(act_fn: Activation, q: float = 1.0) -> tuple[float, float]:
    """Return E[h(a)^2] and E[h'(a)^2] of an activation h, a ~ N(0, q).

    By Gauss-Hermite quadrature with 64 points, exact for the identity and,
    by symmetry, for ReLU.
    """
    points, weights = np.polynomial.hermite_e.hermegauss(64)
    a = [Var(point) for point in math.sqrt(q) * points]
    h = [act_fn(variable) for variable in a]
    for variable in h:
        variable.backward()
    values = np.array([variable.v for variable in h])
    slopes = np.array([variable.grad for variable in a])
    squares = np.column_stack([values**2, slopes**2])
    value, slope = weights @ squares / weights.sum()
    return float(value), float(slope)


_NORMAL = NormalInitializer()


class DenseLayer:
    """A layer in which each unit sees all inputs.

    Attributes: `weights`, n_in rows of n_out (weights[i][j] leads from input i
    to unit j); `bias`, n_out; `act_fn`, a function from `Var` to `Var`.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        act_fn: Activation,
        initializer: Initializer = _NORMAL,
    ) -> None:
        if n_in < 1 or n_out < 1:
            raise ValueError(f"a layer needs units: {n_in=}, {n_out=}")
        self.weights = initializer.init_weights(n_in, n_out)
        self.bias = initializer.init_bias(n_out)
        self.act_fn = act_fn

    def __repr__(self) -> str:
        return f"DenseLayer\n  weights: {self.weights}\n  bias: {self.bias}"

    def parameters(self) -> list[Var]:
        """Return the weights row by row, then the biases."""
        return [w for row in self.weights for w in row] + self.bias

    def forward(self, single_input: Sequence[Var]) -> list[Var]:
        """Return act_fn(weights^T x + bias), n_out, of one point x, n_in.

        ValueError for another number of inputs.
        """
        if len(single_input) != len(self.weights):
            sizes = f"{len(self.weights)} inputs, not {len(single_input)}"
            raise ValueError(f"this layer takes {sizes}")
        columns = zip(*self.weights, strict=True)
        return [
            self.act_fn(affine(bias, weights, single_input))
            for bias, weights in zip(self.bias, columns, strict=True)
        ]


def DenseLayer_Glorot_tanh(
    n_in: int,
    n_out: int,
    rng: random.Random | None = None,
) -> DenseLayer:
    """Return a tanh layer with weights of variance 2 / (n_in + n_out)."""
    return DenseLayer(n_in, n_out, Var.tanh, GlorotInitializer(1.0, rng))


def DenseLayer_He_relu(
    n_in: int,
    n_out: int,
    rng: random.Random | None = None,
) -> DenseLayer:
    """Return a ReLU layer with weights of variance 2 / n_in."""
    return DenseLayer(n_in, n_out, Var.relu, HeInitializer(2.0, rng))


def forward(
    input: Sequence[Sequence[Var]],
    network: Layers,
) -> list[list[Var]]:
    """Return the outputs, n lists, of the points `input`, n lists."""
    outputs = [list(point) for point in input]
    for layer in network:
        outputs = [layer.forward(point) for point in outputs]
    return outputs


def parameters(network: Layers) -> list[Var]:
    """Return the parameters of all layers, from the first to the last."""
    return [p for layer in network for p in layer.parameters()]


def update_parameters(
    params: Iterable[Var],
    learning_rate: float = 0.01,
) -> None:
    """Take a step of gradient descent: p - learning_rate * dE/dp."""
    for p in params:
        p.v -= learning_rate * p.grad


def zero_gradients(params: Iterable[Var]) -> None:
    """Set all gradients to zero."""
    for p in params:
        p.grad = 0.0


class NeuralNetwork:
    """Dense layers, one after the other.

    ValueError if a layer does not take as many inputs as there are outputs of
    the layer before.
    """

    def __init__(self, layers: Layers) -> None:
        self.layers = list(layers)
        for before, after in zip(self.layers, self.layers[1:], strict=False):
            if len(before.bias) != len(after.weights):
                ends = f"{len(before.bias)} units, {len(after.weights)} inputs"
                raise ValueError(f"layers do not fit together: {ends}")

    def __iter__(self) -> Iterator[DenseLayer]:
        return iter(self.layers)

    @property
    def parameters(self) -> list[Var]:
        """Return the parameters of all layers, from the first to the last."""
        return parameters(self.layers)

    def forward(self, input: Sequence[Sequence[Var]]) -> list[list[Var]]:
        """Return the outputs, n lists, of the points `input`, n lists."""
        return forward(input, self.layers)

    def update(self, learning_rate: float = 0.01) -> None:
        """Take a step of gradient descent."""
        update_parameters(self.parameters, learning_rate)

    def zero_gradients(self) -> None:
        """Set all gradients to zero."""
        zero_gradients(self.parameters)

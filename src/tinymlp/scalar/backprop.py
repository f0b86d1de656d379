"""Backpropagation in a layered network, coded as it is derived on paper.

The network has L layers of weights and M_l units in layer l; layer 0 are the
D = M_0 inputs, layer L are the K = M_L outputs. Each of N data points is a
column, each unit a row:

    x         (D, N)               inputs
    t         (K, N)               targets
    w[l]      (M_l, 1 + M_(l-1))   weights w_ji; column 0 holds the biases
    a[l]      (M_l, N)             pre-activations a_j
    z[l]      (M_l, N)             activations z_j; z[0] is x, z[L] is y
    delta[l]  (M_l, N)             error signals dE/da_j

Layers are keys of dictionaries, so that w[l] is w^(l) on paper. Equations are
those of C. M. Bishop, Pattern Recognition and Machine Learning (2006).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinymlp.scalar.gradcheck import central_difference

Floats = NDArray[np.float64]
Layers = dict[int, Floats]
Function = Callable[[Floats], NDArray[Any]]
Difference = Callable[[Callable[[float], float], float], float]


@dataclass(frozen=True)
class Activation:
    """A function h of one pre-activation, and its derivative h'."""

    h: Function
    slope: Function


def logistic(a: Floats) -> Floats:
    """Return 1 / (1 + exp(-a)), in a form that cannot overflow."""
    value: Floats = np.exp(-np.logaddexp(0, -a))
    return value


def tanh_slope(a: Floats) -> Floats:
    """Return 1 - tanh(a)^2, also where tanh(a) is nearly 1 or -1."""
    slope: Floats = 1 - np.tanh(a) ** 2
    if slope.dtype == np.float64:  # for other numbers, as it is on paper
        small = np.exp(-2 * abs(a))
        slope = np.where(abs(a) <= 2, slope, 4 * small / (1 + small) ** 2)
    return slope


ACTIVATIONS = {
    "identity": Activation(lambda a: a, lambda a: np.ones_like(a)),
    "tanh": Activation(np.tanh, tanh_slope),
    "logistic": Activation(logistic, lambda a: logistic(a) * logistic(-a)),
    "relu": Activation(
        lambda a: np.maximum(a, 0),
        lambda a: 1.0 * ((a > 0) | (a != a)),  # NaN goes on
    ),
}
SOFTMAX = "softmax"  # needs all units of its layer: for the outputs only


@dataclass(frozen=True)
class Network:
    """A network: weights w[l] and activation functions h[l], l = 1 ... L.

    `h` names the functions, keys of `ACTIVATIONS`; h[L] may also be "softmax".
    The loss goes with the outputs: the cross entropy with softmax outputs, the
    squared loss with all others. Raises ValueError if layers do not fit.
    """

    w: Layers
    h: dict[int, str]

    def __post_init__(self) -> None:
        layers = list(range(1, len(self.w) + 1))
        if not layers or list(self.w) != layers or list(self.h) != layers:
            keys = f"{list(self.w)}, {list(self.h)}"
            raise ValueError(f"keys of w and h must be 1 ... L: {keys}")
        for layer in layers:
            self._check_weights(layer)
            self._check_activation(layer)

    def _check_weights(self, layer: int) -> None:
        shape = self.w[layer].shape
        if len(shape) != 2 or shape[0] < 1 or shape[1] < 2:
            what = f"w[{layer}] must be (units, 1 + units below)"
            raise ValueError(f"{what}, not {shape}")
        if layer > 1 and shape[1] != 1 + len(self.w[layer - 1]):
            what = f"w[{layer}] must have 1 + {len(self.w[layer - 1])} columns"
            raise ValueError(f"{what}, not {shape[1]}")

    def _check_activation(self, layer: int) -> None:
        name = self.h[layer]
        if name == SOFTMAX and layer < len(self.w):
            raise ValueError(f"softmax is for the outputs, not h[{layer}]")
        if name not in (*ACTIVATIONS, SOFTMAX):
            known = ", ".join((*ACTIVATIONS, SOFTMAX))
            raise ValueError(f"h[{layer}] = {name!r} is not one of: {known}")

    @property
    def sizes(self) -> tuple[int, ...]:
        """M_0 ... M_L, the numbers of units; bias units do not count."""
        return self.w[1].shape[1] - 1, *(len(w) for w in self.w.values())

    @property
    def n_weights(self) -> int:
        """W, the number of weights with the biases."""
        return sum(w.size for w in self.w.values())


# ------------------------------------------------------------------- forward


def with_bias_unit(z: Floats) -> Floats:
    """Return the activations z_0 ... z_M: a first row of ones, then z."""
    return np.concatenate([np.ones((1, z.shape[1])), z])


def forward(net: Network, x: Floats) -> tuple[Layers, Layers]:
    """Return a[1 ... L] and z[0 ... L] for the inputs x (D, N).

    Exercise c: a_j^(l) = sum_i w_ji^(l) z_i^(l-1) over i = 0 ... M_(l-1), then
    z_j^(l) = h_l(a_j^(l)), beginning with z^(0) = x; equations (5.48) and
    (5.49). Raises ValueError for inputs of another shape.
    """
    _check_inputs(net, x)
    a: Layers = {}
    z = {0: x}
    for layer in net.w:
        a[layer] = net.w[layer] @ with_bias_unit(z[layer - 1])
        z[layer] = activate(net.h[layer], a[layer])
    return a, z


def activate(name: str, a: Floats) -> Floats:
    """Return the activations (M, N) of pre-activations (M, N)."""
    return softmax(a) if name == SOFTMAX else ACTIVATIONS[name].h(a)


def softmax(a: Floats) -> Floats:
    """Return y_k = exp(a_k) / sum_j exp(a_j) for each column: (5.25)."""
    y: Floats = np.exp(a - log_sum_exp(a))
    return y


def log_sum_exp(a: Floats) -> Floats:
    """Return log sum_k exp(a_k) for each column: shape (N,).

    The largest a_k is taken out of the sum, so that nothing overflows.
    """
    largest = a.max(axis=0)
    total: Floats = largest + np.log(np.exp(a - largest).sum(axis=0))
    return total


# -------------------------------------------------------------------- losses


def squared_loss(y: Floats, t: Floats) -> float:
    """Return sum_n ||y_n - t_n||^2: twice (5.11), without the factor 1/2."""
    return float(((y - t) ** 2).sum())


def cross_entropy(a: Floats, t: Floats) -> float:
    """Return -sum_n sum_k t_nk log y_k(x_n) in nats, y = softmax(a): (5.24).

    Exercise i: for targets that sum to one it is the sum over all points of
    log sum_k exp(a_k) - sum_k t_k a_k.
    """
    return float(log_sum_exp(a).sum() - (t * a).sum())


def loss(net: Network, x: Floats, t: Floats) -> float:
    """Return E for inputs x (D, N) and targets t (K, N), summed over points.

    Raises ValueError for other shapes, and for softmax outputs if the targets
    of a point do not sum to one.
    """
    a, z = forward(net, x)
    _check_targets(net, z[len(net.w)], t)
    if net.h[len(net.w)] == SOFTMAX:
        return cross_entropy(a[len(net.w)], t)
    return squared_loss(z[len(net.w)], t)


# ------------------------------------------------------------------ backward


def output_error(net: Network, a: Floats, y: Floats, t: Floats) -> Floats:
    """Return delta^(L) (K, N) from the outputs' a^(L) and y = z^(L).

    Exercise i, softmax and cross entropy: y_j - t_j, which is (5.54).
    Exercise k, squared loss: 2 (y_j - t_j) h_L'(a_j).
    """
    name = net.h[len(net.w)]
    if name == SOFTMAX:
        return y - t
    return 2 * (y - t) * ACTIVATIONS[name].slope(a)


def error_signals(net: Network, a: Layers, z: Layers, t: Floats) -> Layers:
    """Return delta[1 ... L] from what `forward` returned and the targets.

    Exercise j: delta_j^(l) = h_l'(a_j^(l)) sum_k delta_k^(l+1) w_kj^(l+1) over
    k = 1 ... M_(l+1), which is (5.56), for j = 1 ... M_l: the bias unit, to
    which column 0 of the weights belongs, has no error signal.
    """
    last = len(net.w)
    delta = {last: output_error(net, a[last], z[last], t)}
    for layer in range(last - 1, 0, -1):
        back = net.w[layer + 1][:, 1:].T @ delta[layer + 1]
        delta[layer] = ACTIVATIONS[net.h[layer]].slope(a[layer]) * back
    return delta


def weight_gradients(delta: Layers, z: Layers) -> Layers:
    """Return dE/dw[1 ... L] from error signals and activations.

    Exercises j and l: dE/dw_ji^(l) = sum_n delta_j^(l) z_i^(l-1) over the data
    points, for i = 0 ... M_(l-1): (5.53) and (5.57). The matrix product is the
    sum over n.
    """
    slopes: Layers = {}
    for layer in sorted(delta):
        slopes[layer] = delta[layer] @ with_bias_unit(z[layer - 1]).T
    return slopes


def gradient(net: Network, x: Floats, t: Floats) -> Layers:
    """Return dE/dw[1 ... L] for inputs x (D, N) and targets t (K, N).

    Each has the shape of w[l]. Raises ValueError as `loss` does.
    """
    a, z = forward(net, x)
    _check_targets(net, z[len(net.w)], t)
    return weight_gradients(error_signals(net, a, z, t), z)


# ------------------------------------------------------- to check it, to count


def finite_differences(
    net: Network,
    x: Floats,
    t: Floats,
    difference: Difference = central_difference,
) -> Layers:
    """Return dE/dw[1 ... L] by the loss alone, one weight after the other.

    `difference(f, w)` estimates f'(w); see `tinymlp.scalar.gradcheck`. Central
    differences are (5.69). Raises ValueError as `loss` does.
    """
    moved = replace(net, w={layer: w.copy() for layer, w in net.w.items()})

    def slope(w: Floats, index: tuple[int, ...]) -> float:
        kept = float(w[index])

        def along(value: float) -> float:
            w[index] = value
            return loss(moved, x, t)

        found = difference(along, kept)
        w[index] = kept
        return found

    slopes: Layers = {}
    for layer, w in moved.w.items():
        found = [slope(w, index) for index in np.ndindex(w.shape)]
        slopes[layer] = np.array(found).reshape(w.shape)
    return slopes


@dataclass(frozen=True)
class Multiplications:
    """How many multiplications the gradient of one data point takes."""

    forward: int
    backward: int
    central: int  # by central differences

    @property
    def both(self) -> int:
        """Those of backpropagation: the forward and the backward pass."""
        return self.forward + self.backward


def multiplications(net: Network) -> Multiplications:
    """Return the multiplications for one data point, outside h, h' and E.

    A forward pass takes one for each weight. The backward pass takes K for
    each factor of delta^(L) (softmax: none), M_l (M_(l+1) + 1) for delta^(l),
    l = 1 ... L - 1, and one for each component of the gradient. Central
    differences take two forward passes for each weight.
    """
    sizes, w = net.sizes, net.n_weights
    output = 0 if net.h[len(net.w)] == SOFTMAX else 2 * sizes[-1]
    hidden = sum(m * (above + 1) for m, above in pairwise(sizes[1:]))
    return Multiplications(
        forward=w,
        backward=output + hidden + w,
        central=2 * w * w,
    )


def random_network(
    sizes: Sequence[int],
    h: Sequence[str],
    generator: np.random.Generator,
) -> Network:
    """Return a network with M_0 ... M_L = sizes and h_1 ... h_L = h.

    Weights and biases of layer l are normal with mean 0 and variance
    1 / (1 + M_(l-1)), so that pre-activations are of the order of one. Raises
    ValueError as `Network` does.
    """
    inputs = sizes[:-1]
    w = {
        layer: generator.normal(0, (1 + m) ** -0.5, (sizes[layer], 1 + m))
        for layer, m in enumerate(inputs, start=1)
    }
    return Network(w, dict(enumerate(h, start=1)))


def _check_inputs(net: Network, x: Floats) -> None:
    inputs = net.w[1].shape[1] - 1
    if x.ndim != 2 or len(x) != inputs:
        raise ValueError(f"inputs must be ({inputs}, points), not {x.shape}")


def _check_targets(net: Network, y: Floats, t: Floats) -> None:
    if t.shape != y.shape:
        raise ValueError(f"targets must be {y.shape}, not {t.shape}")
    if net.h[len(net.w)] == SOFTMAX and (abs(t.sum(axis=0) - 1) > 1e-9).any():
        raise ValueError("targets of softmax outputs must sum to one")

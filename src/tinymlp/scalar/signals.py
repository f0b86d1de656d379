"""Signals in deep networks: how large they are from layer to layer.

Forward, the signals of a layer are its pre-activations a; backward, its error
signals dE/da. An initialiser is good if neither grows nor shrinks with depth.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tinymlp.scalar.autodiff import Var, affine
from tinymlp.scalar.nn import (
    Activation,
    DenseLayer,
    HeInitializer,
    NormalInitializer,
    mean_squares,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Signals:
    """Mean squares over the units of each layer, from the first to the last.

    `forward` is that of the pre-activations, `backward` that of the error
    signals, the derivatives of the error in the pre-activations.
    """

    forward: list[float]
    backward: list[float]


def random_network(
    widths: Sequence[int],
    act_fn: Activation,
    initializer: NormalInitializer,
) -> list[DenseLayer]:
    """Return a network to measure signals in, layers of n_1 to n_L units.

    All layers have `act_fn`, except the last, which has none. The first one
    takes n_1 inputs. They have passed no activation, so its weights have
    variance 1 / n_1: standard normal inputs give such pre-activations.
    """
    first = HeInitializer(1.0, initializer.rng)
    layers = [DenseLayer(widths[0], widths[0], act_fn, first)]
    for n_in, n_out in pairwise(widths):
        layers.append(DenseLayer(n_in, n_out, act_fn, initializer))
    layers[-1].act_fn = Var.identity
    return layers


def measured_signals(
    network: Iterable[DenseLayer],
    x: Sequence[float],
    error: Sequence[float],
) -> Signals:
    """Return the signals of a network for one input x, (n_0,).

    `error` (n_L,) is what comes back: the derivatives of E in the outputs.
    Like every backward pass, this one adds to the parameters' gradients.
    """
    seen: list[list[Var]] = []
    signal = [Var(value) for value in x]
    for layer in network:
        a: list[Var] = []
        signal = _watched(layer, a.append).forward(signal)
        seen.append(a)
    affine(Var(0.0), [Var(value) for value in error], signal).backward()
    return Signals(
        [_mean_square(var.v for var in a) for a in seen],
        [_mean_square(var.grad for var in a) for a in seen],
    )


def expected_signals(
    widths: Sequence[int],
    act_fn: Activation,
    initializer: NormalInitializer,
) -> Signals:
    """Return the expected signals of `random_network`s.

    With q_l forward, p_l backward, weights of variance v_l from n_(l-1) to n_l
    units, no biases, the activation h and a standard normal u,

        q_1 = 1,    q_(l+1) = v_(l+1) n_l E[h(sqrt(q_l) u)^2],
        p_L = 1,    p_l = v_(l+1) n_(l+1) E[h'(sqrt(q_l) u)^2] p_(l+1),

    for inputs and errors that are independent with mean 0 and variance 1.
    For ReLU the factors are v n / 2 (K. He et al., ICCV 2015, section 2.2),
    for the identity v n, and both are means over networks of any width, but
    for those with a layer whose units are all off. For others they are the
    limit of great widths (B. Poole et al., NeurIPS 2016; S. S. Schoenholz et
    al., ICLR 2017). E is a Gauss-Hermite quadrature with 64 points.
    """
    forward, slopes = [1.0], []
    for n_in, n_out in pairwise(widths):
        value, slope = mean_squares(act_fn, forward[-1])
        variance = initializer.std_of(n_in, n_out) ** 2
        forward.append(variance * n_in * value)
        slopes.append(variance * n_out * slope)
    backward = np.cumprod([1.0, *reversed(slopes)])[::-1]
    return Signals(forward, backward.tolist())


def typical_share(n: int, relu: bool = False) -> float:
    """Return which share of the mean's factor the geometric mean has.

    From one layer of n units to the next, the mean square of the signals grows
    by a random factor. This is exp(E[ln factor]) / E[factor], at any variance
    of the weights, for layers without activation or with ReLU, n units each:
    what is passed on is the sum of squares of n normal numbers, or of those of
    them that are positive, and E[ln chi^2_k] = psi(k / 2) + ln 2. It is about
    1 - 1 / n, with ReLU 1 - 5 / (2 n). Networks in which no unit of a layer is
    on do not count. It holds in both directions: in law, the ReLUs of a random
    network are on or off like tosses of a fair coin, and the variance of its
    squared gradients is exponential in the sum of 1 / n (B. Hanin, NeurIPS
    2018).
    """
    from scipy import special, stats  # takes a second, for this function alone

    if not relu:
        return 2 / n * math.exp(float(special.digamma(n / 2)))
    on = np.arange(1, n + 1)
    chances = stats.binom.pmf(on, n, 0.5)
    mean = float(chances @ special.digamma(on / 2) / chances.sum())
    return 4 / n * math.exp(mean)


def _watched(layer: DenseLayer, see: Callable[[Var], None]) -> DenseLayer:
    """Return a layer with the same weights that shows its pre-activations."""

    def act_fn(a: Var) -> Var:
        see(a)
        return layer.act_fn(a)

    watched = copy(layer)
    watched.act_fn = act_fn
    return watched


def _mean_square(values: Iterable[float]) -> float:
    return float(np.mean(np.square(list(values))))

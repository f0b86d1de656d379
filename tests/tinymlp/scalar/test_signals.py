"""Signals over depth: measured against PyTorch, expected against formulas, quadrature and wide networks."""

import math
import random
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import integrate

from tinymlp.scalar.autodiff import Var
from tinymlp.scalar.nn import (
    ConstantInitializer,
    DenseLayer,
    GlorotInitializer,
    HeInitializer,
    NormalInitializer,
    UniversalInitializer,
)
from tinymlp.scalar.signals import expected_signals, measured_signals, random_network, typical_share

ACTIVATIONS = {
    "tanh": (Var.tanh, torch.tanh),
    "relu": (Var.relu, torch.relu),
    "sigmoid": (Var.sigmoid, torch.sigmoid),
}


# ------------------------------------------------------------------------ measured


def test_signals_of_a_small_network_by_hand():
    """Inputs 1 and 2, weights 1: a = 3, 3; then y = 6. The error 5 comes back to both as 5."""
    network = [
        DenseLayer(2, 2, Var.relu, ConstantInitializer()),
        DenseLayer(2, 1, Var.identity, ConstantInitializer()),
    ]
    signals = measured_signals(network, [1.0, 2.0], [5.0])
    assert signals.forward == [9.0, 36.0]
    assert signals.backward == [25.0, 25.0]


def test_an_error_does_not_pass_a_unit_that_is_off():
    network = [
        DenseLayer(1, 2, Var.relu, ConstantInitializer()),
        DenseLayer(2, 1, Var.identity, ConstantInitializer(3.0)),
    ]
    network[0].weights[0][1].v = -1.0
    signals = measured_signals(network, [2.0], [1.0])
    assert signals.forward == [4.0, 36.0]
    assert signals.backward == [4.5, 1.0]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_signals_are_those_of_pytorch(name):
    ours, theirs = ACTIVATIONS[name]
    rng = random.Random(3)
    network = random_network([5, 4, 6, 2], ours, GlorotInitializer(2.0, rng))
    x, error = ([rng.gauss(0, 1) for _ in range(n)] for n in (5, 2))

    seen, signal = [], torch.tensor(x, dtype=torch.float64)
    for layer in network:
        weights = torch.tensor([[w.v for w in row] for row in layer.weights], dtype=torch.float64)
        seen.append((signal @ weights).requires_grad_())
        signal = theirs(seen[-1]) if layer is not network[-1] else seen[-1]
    gradients = torch.autograd.grad(signal @ torch.tensor(error, dtype=torch.float64), seen)

    signals = measured_signals(network, x, error)
    assert signals.forward == pytest.approx([float((a.detach() ** 2).mean()) for a in seen], rel=1e-12)
    assert signals.backward == pytest.approx([float((g**2).mean()) for g in gradients], rel=1e-12)


def test_measuring_leaves_values_and_activations_as_they_were():
    network = random_network([3, 2], Var.tanh, GlorotInitializer(rng=random.Random(1)))
    before = [[w.v for w in layer.parameters()] for layer in network]
    first = measured_signals(network, [1.0, 2.0, 3.0], [1.0, 1.0])
    assert [[w.v for w in layer.parameters()] for layer in network] == before
    assert [layer.act_fn for layer in network] == [Var.tanh, Var.identity]
    assert measured_signals(network, [1.0, 2.0, 3.0], [1.0, 1.0]) == first


def test_first_layer_of_a_random_network_keeps_standard_normal_inputs():
    network = random_network([200, 3], Var.tanh, NormalInitializer(std=7.0, rng=random.Random(2)))
    first, last = (np.array([[w.v for w in row] for row in layer.weights]) for layer in network)
    assert first.var() == pytest.approx(1 / 200, rel=4 * math.sqrt(2 / first.size))
    assert last.var() == pytest.approx(49, rel=4 * math.sqrt(2 / last.size))


# ------------------------------------------------------------------------ expected


@pytest.mark.parametrize(
    ("act_fn", "initializer", "factor"),
    [
        (Var.identity, GlorotInitializer(), 1),
        (Var.relu, HeInitializer(), 1),
        (Var.relu, GlorotInitializer(), 1 / 2),
        (Var.identity, NormalInitializer(std=0.1), 0.2),
    ],
)
def test_expected_factors_of_equal_layers_that_are_known(act_fn, initializer, factor):
    signals = expected_signals([20] * 4, act_fn, initializer)
    assert signals.forward == pytest.approx([1, factor, factor**2, factor**3])
    assert signals.backward == pytest.approx([factor**3, factor**2, factor, 1])


def test_expected_signals_of_unequal_layers_by_hand():
    """8 - 4 - 2 units: He keeps the forward signal, and Glorot misses both ends by the same factor."""
    he = expected_signals([8, 4, 2], Var.relu, HeInitializer())
    assert he.forward == pytest.approx([1, 1, 1])
    assert he.backward == pytest.approx([1 / 4, 1 / 2, 1])
    glorot = expected_signals([8, 4, 2], Var.identity, GlorotInitializer())
    assert glorot.forward == pytest.approx([1, 4 / 3, 16 / 9])  # 2 / 12 * 8, then 2 / 6 * 4
    assert glorot.backward == pytest.approx([4 / 9, 2 / 3, 1])


def normal_mean(function, q):
    """The mean of a function of a normal variable of variance q, by adaptive quadrature."""
    density = math.sqrt(2 * math.pi)
    inside, _ = integrate.quad(lambda u: function(math.sqrt(q) * u) * math.exp(-u * u / 2) / density, -12, 12)
    return inside


def test_expected_signals_of_tanh_against_adaptive_quadrature():
    forward = [1.0]
    for _ in range(3):
        forward.append(2 * normal_mean(lambda a: math.tanh(a) ** 2, forward[-1]))
    backward = [1.0]
    for q in reversed(forward[:-1]):
        backward.insert(0, 2 * normal_mean(lambda a: math.cosh(a) ** -4, q) * backward[0])
    signals = expected_signals([9] * 4, Var.tanh, HeInitializer(2.0))
    assert signals.forward == pytest.approx(forward, rel=1e-6)
    assert signals.backward == pytest.approx(backward, rel=1e-6)


def test_the_universal_initialiser_keeps_the_forward_signal_only():
    signals = expected_signals([10] * 5, Var.tanh, UniversalInitializer(Var.tanh))
    assert signals.forward == pytest.approx([1] * 5)
    assert signals.backward[0] > 1.5


def simulated(widths, name, variance, networks, seed):
    """The mean squares of many networks in PyTorch, forward and backward: arrays (networks, layers)."""
    generator = torch.Generator().manual_seed(seed)
    h = ACTIVATIONS[name][1]

    def normal(*shape):
        return torch.randn(networks, *shape, generator=generator, dtype=torch.float64)

    seen = [normal(widths[0], 1).requires_grad_()]
    for n_in, n_out in pairwise(widths):
        seen.append(normal(n_out, n_in) * math.sqrt(variance(n_in, n_out)) @ h(seen[-1]))
    gradients = torch.autograd.grad((seen[-1] * normal(widths[-1], 1)).sum(), seen)
    return ([(s**2).mean((1, 2)).detach().numpy() for s in signals] for signals in (seen, gradients))


def assert_means(samples, expected, share):
    """Each sample's mean must be within 4 standard errors and a share of what is expected."""
    assert len(samples) == len(expected)
    for sample, mean in zip(samples, expected, strict=True):
        error = sample.std() / math.sqrt(len(sample))
        assert sample.mean() == pytest.approx(mean, abs=4 * error + share * mean)


@pytest.mark.parametrize(("name", "alpha"), [("tanh", 2.0), ("sigmoid", 3.0), ("relu", 2.0)])
def test_expected_signals_are_those_of_wide_networks(name, alpha):
    """300 to 400 units, so a difference of the order of 1 / 300 to the limit of great widths."""
    widths = [400, 350, 300, 300]
    forward, backward = simulated(widths, name, lambda n_in, _: alpha / n_in, 60, seed=4)
    signals = expected_signals(widths, ACTIVATIONS[name][0], HeInitializer(alpha))
    assert_means(forward, signals.forward, 0.005)
    assert_means(backward, signals.backward, 0.005)


def test_the_mean_over_narrow_relu_networks_is_exact():
    """In both directions; that all units of a layer are off has a chance of 1 / 4096 here."""
    widths = [16, 16, 12, 12, 5]
    forward, backward = simulated(widths, "relu", lambda n_in, n_out: 4 / (n_in + n_out), 60_000, seed=5)
    signals = expected_signals(widths, Var.relu, GlorotInitializer(2.0))
    assert_means(forward, signals.forward, 0.0)
    assert_means(backward, signals.backward, 0.001)


# ------------------------------------------------------------------------ typical


def test_typical_shares_that_are_known():
    """exp(psi(1/2)) = exp(-gamma) / 4; one ReLU that is on has the same logarithm, and half the mean."""
    assert typical_share(1) == pytest.approx(math.exp(-np.euler_gamma) / 2)
    assert typical_share(1, relu=True) == pytest.approx(math.exp(-np.euler_gamma))
    assert typical_share(300) == pytest.approx(1 - 1 / 300, abs=1e-5)
    assert typical_share(300, relu=True) == pytest.approx(1 - 5 / 600, abs=1e-4)


@pytest.mark.parametrize("n", [6, 30])
def test_the_geometric_mean_of_relu_networks_falls_as_said_in_both_directions(n):
    """Three steps between equal layers: the mean logarithm within 4 standard errors."""
    forward, backward = simulated([n] * 4, "relu", lambda n_in, _: 2 / n_in, 15_000, seed=6)
    share = typical_share(n, relu=True)
    for start, end in ((forward[0], forward[-1]), (backward[-1], backward[0])):
        logs = np.log((end / start)[end > 0])
        # a network of 6 units that dies is left out, which favours it a little
        error = 4 * logs.std() / math.sqrt(len(logs)) + 3e-3
        assert logs.mean() == pytest.approx(3 * math.log(share), abs=error)

"""Merged clusters, monotone functions of a projection, and curvature, against hand calculation and data."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize
from scipy.special import expit
from torch import nn

from tinymlp.inference.statistics import bayes_loss
from tinymlp.networks.ensemble import Shape, Training, start
from tinymlp.networks.models import Net
from tinymlp.networks.noisy_xor import NoisyXor
from tinymlp.networks.plateaus import (
    CENTRES,
    LABELS,
    centre_probabilities,
    curvature,
    linear_bound,
    monotone_bound,
    monotone_loss,
    nearest_plateau,
    plateaus,
)

THREE_MERGED = 0.75 * (math.log(3) - (2 / 3) * math.log(2))  # (3/4) H(1/3), by hand


def test_labels_are_the_exclusive_or_of_the_centres():
    assert tuple(m1 ^ m2 for m1, m2 in CENTRES) == LABELS


@pytest.mark.parametrize(
    ("size", "count", "loss"),
    [(0, 1, 0.0), (2, 4, math.log(2) / 2), (3, 4, THREE_MERGED), (4, 1, math.log(2))],
)
def test_equally_likely_clusters_have_the_losses_derived_by_hand(size, count, loss):
    found = [plateau.loss for plateau in plateaus() if len(plateau.merged) == size]
    assert found == pytest.approx([loss] * count)


def test_no_other_set_of_clusters_is_merged():
    assert len(plateaus()) == 10


@given(weights=st.lists(st.integers(1, 500), min_size=4, max_size=4), pick=st.integers(0, 9))
def test_the_loss_is_the_least_cross_entropy_that_one_probability_can_reach(weights, pick):
    plateau = plateaus(weights)[pick]

    def loss(p):
        wrong = [weights[i] * -math.log(p if LABELS[i] else 1 - p) for i in plateau.merged]
        return sum(wrong) / sum(weights)

    best = optimize.minimize_scalar(loss, bounds=(1e-9, 1 - 1e-9), method="bounded")
    assert plateau.loss == pytest.approx(best.fun, abs=1e-6)
    for i, probability in enumerate(plateau.probabilities):
        assert probability == (pytest.approx(best.x, abs=1e-3) if i in plateau.merged else LABELS[i])


def test_the_nearest_plateau_is_found_with_its_largest_difference():
    index, distance = nearest_plateau([[0.05, 0.98, 0.46, 0.51], [0.6, 0.4, 0.5, 0.5], [0.0, 0.7, 0.7, 0.6]])
    assert [plateaus()[i].merged for i in index] == [(2, 3), (0, 1, 2, 3), (1, 2, 3)]
    assert distance == pytest.approx([0.05, 0.1, 2 / 3 - 0.6])


def test_the_probabilities_at_the_centres_are_those_of_each_network():
    shapes = Shape(0, 0), Shape(2, 3)
    ensemble = start(shapes, range(5), Training(initial_scale=3.0), seed=1)
    found = centre_probabilities(ensemble)
    for shape in shapes:
        networks = [ensemble.network(shape, column) for column in range(5)]
        expected = [torch.sigmoid(net(torch.tensor(CENTRES).float())).detach().numpy() for net in networks]
        assert found[shape] == pytest.approx(np.array(expected), rel=1e-5)


@pytest.mark.parametrize("direction", [+1, -1])
def test_no_rising_or_falling_logistic_curve_over_the_projection_beats_the_monotone_loss(direction):
    data = NoisyXor(50_000, 0.1, seed=1)
    t = data.inputs.double().numpy() @ (math.cos(0.6), math.sin(0.6))
    y = data.targets.double().numpy()

    def loss(parameters):
        low, high, at, steepness = parameters
        p = expit(low) + (expit(high) - expit(low)) * expit(direction * np.exp(steepness) * (t - at))
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    best = optimize.minimize(loss, (-8, 0.7, 0.3, 3), method="Nelder-Mead", options={"maxiter": 600}).fun
    assert monotone_loss(0.1, 0.6) < best + 0.004  # two standard errors of the sample
    if direction > 0:
        assert monotone_loss(0.1, 0.6) == pytest.approx(best, abs=0.006)


def test_without_noise_the_best_monotone_function_merges_three_clusters():
    loss, angle = monotone_bound(0.02)
    assert loss == pytest.approx(THREE_MERGED, abs=1e-12)
    assert 0 < angle < math.pi


def test_along_an_axis_a_monotone_function_learns_nothing():
    assert monotone_loss(0.1, 0.0) == pytest.approx(math.log(2))


@pytest.mark.parametrize("s", [0.1, 0.3])
def test_the_monotone_bound_lies_between_the_bayes_loss_and_the_linear_bound(s):
    assert bayes_loss(s) < monotone_bound(s, angles=12)[0] < linear_bound()


def test_finer_cells_hardly_change_the_monotone_loss():
    assert monotone_loss(0.1, math.pi / 4, cells=16_000) == pytest.approx(
        monotone_loss(0.1, math.pi / 4), abs=1e-7
    )


@pytest.mark.parametrize("s", [0.1, 0.5])
def test_logistic_regression_on_noisy_xor_reaches_the_linear_bound(s):
    data = NoisyXor(100_000, s, seed=2)
    x, sign = data.inputs.double().numpy(), 2 * data.targets.double().numpy() - 1

    def loss(w):
        return np.logaddexp(0, -sign * (x @ w[:2] + w[2])).mean()

    assert optimize.minimize(loss, (1.0, -2.0, 0.5)).fun == pytest.approx(linear_bound(), abs=2e-4)


def test_the_curvature_of_a_linear_network_is_that_of_logistic_regression():
    data = NoisyXor(50, 0.3, seed=3)
    net = Net(0, 0)
    gradient, eigenvalues = curvature(net, data.inputs, data.targets)
    x = np.column_stack([data.inputs.double().numpy(), np.ones(50)])
    p = expit(x @ nn.utils.parameters_to_vector(net.parameters()).detach().double().numpy())
    assert gradient.numpy() == pytest.approx(x.T @ (p - data.targets.numpy()) / 50)
    assert eigenvalues.numpy() == pytest.approx(np.linalg.eigvalsh((x.T * (p * (1 - p))) @ x / 50))


def test_curvature_leaves_the_network_as_it_was():
    net = Net(1, 2)
    before = [parameter.clone() for parameter in net.parameters()]
    curvature(net, *NoisyXor(10, seed=4)[:])
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
    assert next(net.parameters()).dtype == torch.float32


def test_in_a_single_cell_only_a_constant_is_left():
    assert monotone_loss(0.1, math.pi / 4, cells=1) == pytest.approx(math.log(2))

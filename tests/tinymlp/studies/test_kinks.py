"""Kinks of ReLU networks, on a network whose switches are known."""

import numpy as np
import pytest

from tinymlp.scalar import backprop
from tinymlp.studies.kinks import crosses_kink


def network(activation, bias):
    """Return 1 - 1 - 1: one unit with pre-activation x + bias, and a linear output."""
    w = {1: np.array([[bias, 1.0]]), 2: np.array([[0.0, 1.0]])}
    return backprop.Network(w=w, h={1: activation, 2: "identity"})


@pytest.mark.parametrize(
    ("bias", "step", "crosses"),
    [
        (0.1, 0.05, False),  # at x = 1 the unit stands at 1.1, and a step moves it by 0.05 at most
        (-0.96, 0.05, True),  # it stands at 0.04
        (-1.04, 0.05, True),  # it stands at -0.04, and turns on
        (-0.96, 0.03, False),
    ],
)
def test_a_step_crosses_a_kink_if_it_turns_a_unit_on_or_off(bias, step, crosses):
    assert crosses_kink(network("relu", bias), np.array([[1.0]]), step) == crosses


def test_the_step_of_a_weight_counts_with_its_input():
    # at x = 3 a step of 0.05 moves the pre-activation by 0.15
    assert crosses_kink(network("relu", -2.9), np.array([[3.0]]), 0.05)
    assert not crosses_kink(network("relu", -2.9), np.array([[1.0]]), 0.05)


def test_smooth_networks_have_no_kinks_and_nothing_is_changed():
    assert not crosses_kink(network("tanh", -1.0), np.array([[1.0]]), 0.5)
    net = network("relu", -0.96)
    crosses_kink(net, np.array([[1.0]]), 0.05)
    assert net.w[1].tolist() == [[-0.96, 1.0]]


@pytest.mark.parametrize(("step", "crosses"), [(0.03, True), (0.01, False)])
def test_a_step_counts_in_the_layers_above_too(step, crosses):
    # the upper unit stands at 10 * 1 - 9.8 = 0.2: its own weights move it by a step, those below by ten
    w = {1: np.array([[0.0, 1.0]]), 2: np.array([[-9.8, 10.0]]), 3: np.array([[0.0, 1.0], [0.0, 1.0]])}
    net = backprop.Network(w=w, h={1: "identity", 2: "relu", 3: "softmax"})
    assert crosses_kink(net, np.array([[1.0]]), step) == crosses

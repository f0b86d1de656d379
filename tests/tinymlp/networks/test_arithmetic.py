"""Gradients written by hand, against autograd."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tinymlp.networks import Shape, Training, start, train
from tinymlp.networks import ensemble as module
from tinymlp.networks.arithmetic import ACTIVATIONS, Networks
from tinymlp.networks.noisy_xor import NoisyXor

TEN = [Shape(0, 1)] + [Shape(depth, width) for depth in (1, 2, 3) for width in (1, 2, 3)]
SHORT = Training(steps=25, n_train=70, n_val=40, checkpoints=(0, 10))  # batches of 32, 32 and 6


@pytest.fixture(autouse=True)
def _one_thread():
    """The networks are tiny: two threads would only wait for each other, on a busy machine for long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("shape", TEN, ids=str)
def test_gradients_are_those_of_autograd(shape, activation):
    training = replace(SHORT, activation=activation, dtype="float64", initial_scale=2.0)
    ensemble = start([shape], range(3), training, seed=0)
    data = NoisyXor(20, 0.5, seed=4)
    x, y = data.inputs.double(), data.targets.double()
    state = ensemble.states[shape]
    networks = Networks(shape, ACTIVATIONS[activation], state.parameters, points=32)
    networks.differentiate(*module._common(x.numpy(), y.numpy(), ensemble).__next__())
    for column in range(3):
        net = ensemble.network(shape, column)
        nn.functional.binary_cross_entropy_with_logits(net(x), y).backward()
        expected = torch.cat([p.grad.flatten() for p in net.parameters()]).numpy()
        np.testing.assert_allclose(networks.gradient[:, column], expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_operation_that_does_the_work_of_two_gives_the_bits_of_two(dtype):
    rng = np.random.default_rng(0)
    sums = (rng.standard_normal((3, 50, 64)) * 10.0 ** rng.integers(-20, 3, (3, 50, 64))).astype(dtype)
    bias = rng.standard_normal((3, 1, 64)).astype(dtype)
    apart = sums + bias
    half = torch.sigmoid(torch.from_numpy(apart + apart)).numpy()
    ACTIVATIONS["tanh"].apply(sums, bias)
    assert np.array_equal(sums, (half + half) - 1)


def test_gradients_survive_logits_that_overflow_the_exponential():
    training = replace(SHORT, initial_scale=1e4, weight_decay=0.0)
    ensemble = train([Shape(0, 1), Shape(2, 3)], range(4), training, seed=0)
    assert all(np.isfinite(state.parameters).all() for state in ensemble.states.values())

"""What is random about a column: data, initial parameters and order, against torch's own distributions."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn
from torch.utils.data import DataLoader

from tinymlp.networks import Shape, Training, start, stream_seed
from tinymlp.networks.columns import STREAMS, Shuffled, drawn

SHORT = Training(steps=25, n_train=70, n_val=40, checkpoints=(0, 10))  # batches of 32, 32 and 6


@pytest.fixture(autouse=True)
def _one_thread():
    """The networks are tiny: two threads would only wait for each other, on a busy machine for long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def orders_of_two_epochs(ensemble):
    """The orders (2, n, columns): shuffled are the numbers of the points, instead of the points."""
    n = ensemble.training.n_train
    numbers = np.broadcast_to(np.arange(n)[:, None], (n, len(ensemble))).copy()
    shuffled = Shuffled(ensemble.columns, ensemble.seed, (np.stack([numbers, numbers]), numbers))
    orders = []
    for _ in range(2):
        shuffled.draw()
        x, sign = shuffled.points()
        assert np.array_equal(x[0], sign)
        assert np.array_equal(x[1], sign)
        orders.append(sign.copy())
    return np.stack(orders)


def test_replicates_differ_in_data_initial_weights_and_order():
    seeds = {
        (stream, key): stream_seed(1, stream, *key)
        for stream in STREAMS
        for key in [(0,), (1,), (0, 1), (1, 0), (1, 1)]
    }
    assert len(set(seeds.values())) == len(seeds)
    ensemble = start([], range(4), SHORT, seed=1)
    orders = orders_of_two_epochs(ensemble)[0]
    assert len(set(map(tuple, orders.T.tolist()))) == 4


def test_every_epoch_takes_each_point_once_in_a_new_order():
    orders = orders_of_two_epochs(start([], range(4), SHORT, seed=1))
    assert (np.sort(orders, axis=1) == np.arange(70)[:, None]).all()
    assert (orders[0] != orders[1]).any(axis=0).all()


@pytest.mark.parametrize("n", [1, 2, 70, 1000])
def test_the_orders_are_those_of_a_dataloader_in_columns_that_share_one_too(n):
    ensemble = start([], [5, 3, 5], replace(SHORT, n_train=n), seed=1)
    orders = orders_of_two_epochs(ensemble)
    for column, replicate in enumerate([5, 3, 5]):
        generator = torch.Generator().manual_seed(stream_seed(1, "order", replicate, 0))
        loader = DataLoader(range(n), batch_size=32, shuffle=True, generator=generator)
        for epoch in orders[:, :, column]:
            assert epoch.tolist() == [number for batch in loader for number in batch.tolist()]


def test_a_restart_keeps_the_data_and_draws_everything_else_anew():
    ensemble = start([Shape(1, 2)], [3, 3], SHORT, seed=1, restarts=[0, 1])
    x, sign = drawn(ensemble.columns, ensemble.seed, "train", 50, s=0.1, dtype="float32")
    assert np.array_equal(x[..., 0], x[..., 1])
    assert np.array_equal(sign[..., 0], sign[..., 1])
    initial = ensemble.states[Shape(1, 2)].initial
    assert (initial[:, 0] != initial[:, 1]).all()
    orders = orders_of_two_epochs(ensemble)[0]
    assert not np.array_equal(orders[:, 0], orders[:, 1])


def test_the_default_initialiser_draws_as_torch_does():
    """Linear of torch: uniform within 1/sqrt(fan-in), weights and biases alike."""
    state = start([Shape(2, 3)], range(400), Training(), seed=1).states[Shape(2, 3)]
    first, rest = state.initial[:9], state.initial[9:]
    assert stats.kstest(first.ravel() * np.sqrt(2), stats.uniform(-1, 2).cdf).pvalue > 0.01
    assert stats.kstest(rest.ravel() * np.sqrt(3), stats.uniform(-1, 2).cdf).pvalue > 0.01
    torchs = torch.cat([p.detach().flatten() for p in nn.Linear(3, 3000).parameters()])
    assert torchs.abs().max().item() == pytest.approx(np.abs(rest).max(), rel=0.01)


def test_the_glorot_initialiser_draws_as_torch_does():
    training = Training(initialiser="glorot", initial_scale=0.5)
    state = start([Shape(1, 3)], range(400), training, seed=1).states[Shape(1, 3)]
    last = nn.init.xavier_uniform_(torch.empty(1, 3))
    bound = 0.5 * np.sqrt(6 / (last.shape[0] + last.shape[1]))
    assert stats.kstest(state.initial[9:12].ravel() / bound, stats.uniform(-1, 2).cdf).pvalue > 0.01
    assert (state.initial[[6, 7, 8, 12]] == 0).all()

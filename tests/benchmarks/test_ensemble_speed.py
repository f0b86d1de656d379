"""The ensemble against the readable loop, within one run: the same shapes, data sizes and evaluations."""

import multiprocessing
import resource
import time

import pytest
import torch

from tinymlp.networks import Net, NoisyXor, Shape, Training, train
from tinymlp.networks.training import fit

TEN = [Shape(0, 1)] + [Shape(depth, width) for depth in (1, 2, 3) for width in (1, 2, 3)]
LEAST_RATIO = 100


@pytest.fixture(scope="module")
def readable():
    """Seconds per network-step of `fit`, DataLoader and evaluation included: the best of three runs.

    One thread is the loop's best: two only wait for each other over arrays so small.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    data, validation = NoisyXor(1000, seed=0), NoisyXor(1000, seed=1)
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        for shape in TEN:
            fit(Net(shape.depth, shape.width), data, validation, epochs=1, seed=0)
        times.append(time.perf_counter() - begin)
    torch.set_num_threads(threads)
    return min(times) / (len(TEN) * Training().steps_per_epoch)


def train_on_two_cores(repeats, training):
    with multiprocessing.get_context("fork").Pool(2, torch.set_num_threads, (1,)) as pool:

        def both(function, items, batch):
            half = min(batch, -(-len(items) // 2))
            parts = [items[first : first + half] for first in range(0, len(items), half)]
            return [value for part in pool.map(function, parts, chunksize=1) for value in part]

        return train(TEN, range(repeats), training, seed=0, map=both)


@pytest.mark.parametrize(("repeats", "epochs"), [(100, 10), (1000, 5)])
def test_a_network_step_takes_a_hundredth_of_the_readable_loop(benchmark, readable, repeats, epochs):
    """Drawing, initialisation, shuffling, and losses on both sets after each epoch are included."""
    training = Training(epochs=epochs)
    every_epoch = tuple(range(training.steps_per_epoch, training.total_steps + 1, training.steps_per_epoch))
    training = Training(epochs=epochs, checkpoints=every_epoch)
    benchmark.pedantic(train_on_two_cores, (repeats, training), rounds=3)
    mine = benchmark.stats.stats.median / (len(TEN) * repeats * training.total_steps)
    ratio = readable / mine
    benchmark.extra_info.update(ratio=round(ratio), readable_us=readable * 1e6, ensemble_us=mine * 1e6)
    print(
        f"\n{repeats} repeats: {readable * 1e6:.0f} us / {mine * 1e6:.2f} us per network-step = {ratio:.0f}"
    )
    assert ratio >= LEAST_RATIO


def test_a_thousand_repeats_of_ten_shapes_stay_under_two_gigabytes(benchmark):
    """The peaks of this process and of its largest child, together."""
    benchmark.pedantic(train_on_two_cores, (1000, Training(epochs=1)), rounds=1)
    kilobytes = sum(
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"\npeak memory {kilobytes / 1024:.0f} MB")
    assert kilobytes < 2 * 1024**2

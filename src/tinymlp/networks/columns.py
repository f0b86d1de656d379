"""What belongs to one network of an ensemble, a column of its arrays: settings, data, initial state, order.

Whatever is random about a column is drawn from a stream of its own, so it depends on no neighbour.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike, DTypeLike, NDArray

from tinymlp.networks.models import parameter_count
from tinymlp.networks.noisy_xor import noisy_xor_batch
from tinymlp.networks.shapes import Shape

Array = NDArray[Any]  # of Training.dtype
Floats = NDArray[np.float64]
Record = TypeVar("Record", "Columns", "State", "History", "Score")

# What is random. A stream is known by its place here: a new one goes to the end, or all results change.
STREAMS = ("train", "validation", "test", "initial", "order")

Points = tuple[Array, Array]  # inputs (2, n, columns); signs (n, columns), 1 for class 0 and -1 for class 1

# By fan-in and fan-out: the bounds of the uniform initial weights and biases. The default is that of torch's
# Linear; Glorot and Bengio (2010), equation 16.
INITIALISERS: dict[str, Callable[[int, int], tuple[float, float]]] = {
    "default": lambda fan_in, _: (1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in)),
    "glorot": lambda fan_in, fan_out: (math.sqrt(6 / (fan_in + fan_out)), 0.0),
}


@dataclass(frozen=True)
class Columns:
    """What tells one column from another; each field is an array (columns,)."""

    replicate: NDArray[np.int64]  # which data
    restart: NDArray[np.int64]  # which initial parameters and order of the data, given the replicate
    lr: Floats
    weight_decay: Floats
    initial_scale: Floats


@dataclass(frozen=True)
class State:
    """Where the networks of one shape stand: arrays (parameters, columns), rows as in `Net.parameters()`."""

    initial: Array
    parameters: Array
    first: Array  # Adam's moments, without their factors 1 - beta:
    second: Array  # discounted sums of the gradient and of its square


@dataclass(frozen=True)
class History:
    """Mean loss (nats) and accuracy at the recorded steps: arrays (records, columns)."""

    train_loss: Floats
    train_accuracy: Floats
    val_loss: Floats
    val_accuracy: Floats


@dataclass(frozen=True)
class Score:
    """Mean loss (nats) and accuracy of each network: arrays (columns,)."""

    loss: Floats
    accuracy: Floats


def stream_seed(seed: int, stream: str, *key: int) -> int:
    """Return the seed, below 2**32, of one random stream (see `STREAMS`) of an ensemble.

    The key is (replicate,) for "train" and "validation", (replicate, chunk) for "test" and (replicate,
    restart) for "initial" and "order". `NoisyXor` takes the first three, and `training.fit` the last.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(STREAMS.index(stream), *key))
    return int(sequence.generate_state(1)[0])


def each(name: str, values: ArrayLike, replicate: Array, dtype: DTypeLike = np.int64) -> Array:
    """Return one value for each replicate."""
    array = np.asarray(values, dtype=dtype)
    if array.shape not in ((), replicate.shape):
        raise ValueError(
            f"{name} is one number or {len(replicate)}, one for each replicate, not {array.shape}"
        )
    return np.broadcast_to(array, replicate.shape).copy()


def initial_state(shape: Shape, columns: Columns, seed: int, *, initialiser: str, dtype: str) -> State:
    """Return untrained networks of a shape, each drawn from its own stream."""
    keys = zip(columns.replicate.tolist(), columns.restart.tolist(), strict=True)
    count = parameter_count(shape.depth, shape.width)
    # uniform on (-1, 1) whatever the initialiser: two of them then differ in scale alone, draw for draw
    rows = [np.random.default_rng(stream_seed(seed, "initial", *key)).uniform(-1, 1, count) for key in keys]
    values = np.stack(rows, axis=-1)
    for fans, (weight, bias) in zip(shape.layers, layers_of(shape, values), strict=True):
        weight_bound, bias_bound = INITIALISERS[initialiser](*fans)
        weight *= weight_bound
        bias *= bias_bound
    initial = (values * columns.initial_scale).astype(dtype)
    return State(initial, initial, np.zeros_like(initial), np.zeros_like(initial))


def layers_of(shape: Shape, flat: Array) -> list[tuple[Array, Array]]:
    """Return views of each layer's weights (fan-out, fan-in, columns) and biases (fan-out, 1, columns)."""
    layers, row = [], 0
    for fan_in, fan_out in shape.layers:
        weight = flat[row : row + fan_in * fan_out].reshape(fan_out, fan_in, -1)
        row += fan_in * fan_out
        layers.append((weight, flat[row : row + fan_out, None]))
        row += fan_out
    return layers


def drawn(columns: Columns, seed: int, stream: str, n: int, *key: int, s: float, dtype: str) -> Points:
    """Return `n` points for each column, drawn for its replicate with standard deviation `s`."""
    replicates, places = np.unique(columns.replicate, return_inverse=True)
    seeds = [stream_seed(seed, stream, replicate, *key) for replicate in replicates.tolist()]
    x, y = noisy_xor_batch(seeds, n, s)
    return as_points(x.numpy().take(places, axis=-1), y.numpy().take(places, axis=-1), dtype)


def as_points(inputs: Array, targets: Array, dtype: str) -> Points:
    """Return points with signs for classes: inputs (2, n, columns), targets (n, columns) with 0 or 1."""
    return inputs.astype(dtype, copy=False), 1 - 2 * targets.astype(dtype, copy=False)


class Shuffled:
    """The training points of each column in the order in which a DataLoader takes them, epoch by epoch.

    Columns with the same data and the same order are shuffled once, as rows, whose points lie together in
    memory: to take them out of columns is several times slower. The arrays are allocated once: new ones for
    each epoch would cost as much as the shuffling.
    """

    def __init__(self, columns: Columns, seed: int, data: Points) -> None:
        keys = np.stack([columns.replicate, columns.restart])
        unique, first, self.columns = np.unique(keys, axis=1, return_index=True, return_inverse=True)
        seeds = [stream_seed(seed, "order", *key) for key in unique.T.tolist()]
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        inputs, signs = data
        self.rows = [torch.from_numpy(values.T[first]) for values in (*inputs, signs)]
        self.orders = torch.empty(self.rows[0].shape, dtype=torch.int64)
        self.worker_seed = torch.empty((), dtype=torch.int64)
        self.dropped = torch.empty(len(signs) - 1, dtype=torch.int32)
        self.taken = torch.empty_like(self.rows[0])
        self.shuffled = np.empty_like(inputs), np.empty_like(signs)

    def draw(self) -> None:
        """Draw the next orders, as a DataLoader does: it draws a worker's seed, an order, and one to drop.

        Of the latter only the random numbers are drawn, one for each point but the last.
        """
        n = len(self.dropped) + 1
        for order, generator in zip(self.orders, self.generators, strict=True):
            self.worker_seed.random_(generator=generator)
            torch.randperm(n, generator=generator, out=order)
            self.dropped.random_(generator=generator)

    def points(self) -> Points:
        """Return inputs and signs in these orders, in buffers of this object."""
        x, sign = self.shuffled
        for values, out in zip(self.rows, (*x, sign), strict=True):
            torch.gather(values, 1, self.orders, out=self.taken)
            out[:] = self.taken.numpy()[self.columns].T
        return x, sign


def select(record: Record, columns: NDArray[np.int64]) -> Record:
    """Return a record of arrays with some of its columns, copied and contiguous."""
    return type(record)(*(getattr(record, field.name).take(columns, axis=-1) for field in fields(record)))


def side_by_side(records: Sequence[Record], axis: int = -1) -> Record:
    """Return records of arrays as one: side by side (axis -1), or one after the other (axis 0)."""
    arrays = ([getattr(record, field.name) for record in records] for field in fields(records[0]))
    return type(records[0])(*(np.concatenate(parts, axis=axis) for parts in arrays))

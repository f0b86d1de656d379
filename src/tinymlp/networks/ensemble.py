"""Train many tiny networks side by side: every array ends in an axis with one column for each network.

The training is that of `tinymlp.networks.training`, network for network: the same data, mini-batches, loss
and Adam.
Here one NumPy call advances a layer of hundreds of networks, with gradients written by hand. Whatever is
random about a column follows from the ensemble's seed and the column's replicate and restart alone, never
from its neighbours. A replicate has the same data in every shape and setting, so that contrasts are paired.

    ensemble = train([Shape(1, 2), Shape(1, 3)], range(1000), Training(epochs=100), seed=1)
    scores = evaluate(ensemble, test.inputs, test.targets)
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import pairwise
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike, DTypeLike, NDArray
from torch import nn

from tinymlp.networks.models import Net, parameter_count
from tinymlp.networks.noisy_xor import noisy_xor_batch

Array = NDArray[Any]  # of Training.dtype
Floats = NDArray[np.float64]
Record = TypeVar("Record", "Columns", "State", "History", "Score")

LANES = 64  # columns are padded to a multiple, so that every column goes through the same vector instructions
BLOCK = 512  # columns computed together: enough to hide the cost of a call, few enough for the cache
POINTS = 128  # points evaluated together; at most 255, for right answers are counted in a byte
CHUNK = 1000  # test points that are drawn together
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # of Adam (Kingma and Ba 2015)
STREAMS = ("train", "validation", "test", "initial", "order")  # what is random


class Map(Protocol):
    """`map`, or one like it that works in parallel."""

    def __call__(self, function: Callable[[Any], Any], items: list[Any], /) -> Iterable[Any]:
        """Return what the function returns for each item, in order."""


@dataclass(frozen=True, order=True)
class Shape:
    """`depth` hidden layers of `width` units; without a hidden layer there is no width, and it becomes 0."""

    depth: int
    width: int

    def __post_init__(self) -> None:
        if self.depth == 0:
            object.__setattr__(self, "width", 0)
        parameter_count(self.depth, self.width)  # refuses an impossible shape

    @property
    def layers(self) -> list[tuple[int, int]]:
        """Fan-in and fan-out of each layer, from the inputs to the logit."""
        sizes = [2, *[self.width] * self.depth, 1]
        return list(pairwise(sizes))

    @property
    def name(self) -> str:
        """The shape in tables: 2x3 has two hidden layers of three units, 0 has none."""
        return f"{self.depth}x{self.width}" if self.depth else "0"

    @property
    def key(self) -> str:
        """The shape among the values of a result, where keys are identifiers: d2w3, or d0."""
        return f"d{self.depth}w{self.width}" if self.depth else "d0"

    @classmethod
    def parse(cls, text: str) -> "Shape":
        """Return the shape of this name or key. Raises ValueError if there is none."""
        number = "([1-9][0-9]*)"
        found = re.fullmatch(f"{number}x{number}|d{number}w{number}|d?0", text)
        if found is None:
            raise ValueError(f"a shape is written like 2x3 or d2w3, the linear one 0 or d0: {text!r}")
        depth, width = (int(found[place] or found[place + 2] or 0) for place in (1, 2))
        return cls(depth, width)


@dataclass(frozen=True)
class Training:
    """How to train: what all columns share, and three numbers that may differ from column to column.

    `lr`, `weight_decay` (Adam's, an L2 penalty) and `initial_scale` are one number, or a sequence with one
    for each column. `initial_scale` multiplies the initial weights and biases, drawn as `INITIALISERS`
    says. `steps` counts mini-batches and replaces `epochs` if given. After the steps in `checkpoints`, and
    after the last, the losses are recorded. `n_train` and `n_val` points are drawn for each replicate, with
    standard deviation `s`.
    """

    epochs: int = 100
    steps: int | None = None
    batch_size: int = 32
    lr: float | Sequence[float] = 0.01
    weight_decay: float | Sequence[float] = 0.0
    initial_scale: float | Sequence[float] = 1.0
    initialiser: Literal["default", "glorot"] = "default"
    activation: Literal["tanh", "relu"] = "tanh"
    n_train: int = 1000
    n_val: int = 1000
    s: float = 0.1
    dtype: Literal["float32", "float64"] = "float32"
    checkpoints: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if min(self.batch_size, self.n_train, self.n_val) < 1 or self.total_steps < 0:
            raise ValueError(
                f"a training needs batch_size, n_train, n_val >= 1 and no negative steps: {self}"
            )
        if self.initialiser not in INITIALISERS or self.activation not in ACTIVATIONS:
            known = f"initialisers {sorted(INITIALISERS)}, activations {sorted(ACTIVATIONS)}"
            raise ValueError(f"unknown {self.initialiser!r} or {self.activation!r}; there are {known}")

    @property
    def steps_per_epoch(self) -> int:
        """Mini-batches in an epoch; the last may be smaller."""
        return math.ceil(self.n_train / self.batch_size)

    @property
    def total_steps(self) -> int:
        """Mini-batches of the whole training."""
        return self.epochs * self.steps_per_epoch if self.steps is None else self.steps


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


@dataclass(frozen=True)
class Ensemble:
    """Networks of several shapes after `step` mini-batches; each shape has the same columns.

    `training` is as given; what differs from column to column stands in `columns`.
    """

    training: Training
    seed: int
    columns: Columns
    step: int
    states: dict[Shape, State]
    recorded: tuple[int, ...]  # the steps to which the rows of each history belong
    history: dict[Shape, History]

    def __len__(self) -> int:
        return len(self.columns.replicate)

    def select(self, columns: ArrayLike, shapes: Iterable[Shape] | None = None) -> "Ensemble":
        """Return the ensemble of these columns (indices, repeats allowed) and shapes (default: all)."""
        chosen = np.asarray(columns, dtype=np.int64)
        kept = list(self.states if shapes is None else shapes)
        return Ensemble(
            self.training,
            self.seed,
            _select(self.columns, chosen),
            self.step,
            {shape: _select(self.states[shape], chosen) for shape in kept},
            self.recorded,
            {shape: _select(self.history[shape], chosen) for shape in kept},
        )

    def network(self, shape: Shape, column: int, *, initial: bool = False) -> Net:
        """Return one network as a `Net`: as it is now, or as it was before the first step."""
        state = self.states[shape]
        values = (state.initial if initial else state.parameters)[:, column]
        flat = torch.from_numpy(values.copy())
        net = Net(shape.depth, shape.width, ACTIVATIONS[self.training.activation].module).to(flat.dtype)
        nn.utils.vector_to_parameters(flat, net.parameters())
        return net


def stream_seed(seed: int, stream: str, *key: int) -> int:
    """Return the seed, below 2**32, of one random stream (see `STREAMS`) of an ensemble.

    The key is (replicate,) for "train" and "validation", (replicate, chunk) for "test" and (replicate,
    restart) for "initial" and "order". `NoisyXor` takes the first three, and `training.fit` the last.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(STREAMS.index(stream), *key))
    return int(sequence.generate_state(1)[0])


def train(
    shapes: Iterable[Shape],
    replicates: Sequence[int],
    training: Training,
    *,
    seed: int,
    restarts: Sequence[int] | None = None,
    map: Map = map,
) -> Ensemble:
    """Return trained networks, one of each shape for each replicate.

    Replicates may repeat, with other settings or with other `restarts` (default 0): the same data then serve
    again, the latter with new initial parameters and a new order. `map` may work in parallel.
    """
    ensemble = start(shapes, replicates, training, seed=seed, restarts=restarts)
    return advance(ensemble, training.total_steps, checkpoints=training.checkpoints, map=map)


def start(
    shapes: Iterable[Shape],
    replicates: Sequence[int],
    training: Training,
    *,
    seed: int,
    restarts: Sequence[int] | None = None,
) -> Ensemble:
    """Return untrained networks; see `train`."""
    replicate = np.asarray(replicates, dtype=np.int64)
    if replicate.ndim != 1 or len(replicate) == 0:
        raise ValueError(f"an ensemble needs a sequence of replicates, at least one: {replicates!r}")
    columns = Columns(
        replicate,
        _each("restarts", 0 if restarts is None else restarts, replicate),
        _each("lr", training.lr, replicate, np.float64),
        _each("weight_decay", training.weight_decay, replicate, np.float64),
        _each("initial_scale", training.initial_scale, replicate, np.float64),
    )
    nothing = np.empty((0, len(replicate)))
    states = {shape: _initial(shape, columns, training, seed) for shape in dict.fromkeys(shapes)}
    history = {shape: History(nothing, nothing, nothing, nothing) for shape in states}
    return Ensemble(training, seed, columns, 0, states, (), history)


def advance(ensemble: Ensemble, steps: int, *, checkpoints: Iterable[int] = (), map: Map = map) -> Ensemble:
    """Return the ensemble after `steps` mini-batches in all, the same as if trained so far at once.

    Losses are recorded after the steps in `checkpoints`, and after the last.
    """
    if steps < ensemble.step:
        raise ValueError(f"cannot go back: {steps} steps wanted, {ensemble.step} taken")
    records = frozenset(checkpoints) | {steps}
    blocks = _blocks(ensemble)
    done = join(map(_advance, [(ensemble.select(block), steps, records) for block in blocks]))
    return done.select(np.argsort(np.concatenate(blocks)))


def evaluate(
    ensemble: Ensemble, inputs: ArrayLike, targets: ArrayLike, *, map: Map = map
) -> dict[Shape, Score]:
    """Return the score of each network on common test data: inputs (n, 2), targets (n,) with 0 or 1."""
    return _evaluate(ensemble, partial(_common, np.asarray(inputs), np.asarray(targets)), map)


def evaluate_separately(ensemble: Ensemble, n: int, *, map: Map = map) -> dict[Shape, Score]:
    """Return the score of each network on `n` new points of its own replicate."""
    return _evaluate(ensemble, partial(_own, n), map)


def join(parts: Iterable[Ensemble]) -> Ensemble:
    """Return ensembles of the same shapes, training and step side by side."""
    ensembles = list(parts)
    first = ensembles[0]
    return Ensemble(
        first.training,
        first.seed,
        _join([part.columns for part in ensembles]),
        first.step,
        {shape: _join([part.states[shape] for part in ensembles]) for shape in first.states},
        first.recorded,
        {shape: _join([part.history[shape] for part in ensembles]) for shape in first.history},
    )


# ---- one network of each column, side by side


class Activation(NamedTuple):
    """An activation as a module, and by hand on arrays."""

    module: type[nn.Module]
    apply: Callable[[Array], Any]  # turns sums into activations, in place
    slope: Callable[[Array], Any]  # turns activations into the derivatives there, in place


def _sigmoid(z: Array) -> None:
    """By torch: several times faster than NumPy's exp or tanh."""
    torch.sigmoid_(torch.from_numpy(z))


def _tanh(z: Array) -> None:
    """As tanh z = 2 sigma(2z) - 1."""
    z += z
    _sigmoid(z)
    z += z
    z -= 1


def _tanh_slope(h: Array) -> None:
    np.multiply(h, h, out=h)
    np.subtract(1, h, out=h)


def _relu(z: Array) -> None:
    np.maximum(z, 0, out=z)


def _relu_slope(h: Array) -> None:
    np.sign(h, out=h)


ACTIVATIONS = {
    "tanh": Activation(nn.Tanh, _tanh, _tanh_slope),
    "relu": Activation(nn.ReLU, _relu, _relu_slope),
}

# By fan-in and fan-out: the bounds of the uniform initial weights and biases. The default is that of torch's
# Linear; Glorot and Bengio (2010), equation 16.
INITIALISERS: dict[str, Callable[[int, int], tuple[float, float]]] = {
    "default": lambda fan_in, _: (1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in)),
    "glorot": lambda fan_in, fan_out: (math.sqrt(6 / (fan_in + fan_out)), 0.0),
}


class _Networks:
    """The networks of one shape, with room for `points` points; `b` below is the number in use."""

    def __init__(self, shape: Shape, activation: Activation, parameters: Array, points: int) -> None:
        columns, dtype = parameters.shape[1], parameters.dtype
        self.activation = activation
        self.parameters = parameters
        self.gradient = np.empty_like(parameters)
        self.layers = _layers(shape, parameters)
        self.gradients = _layers(shape, self.gradient)
        self.outputs = [np.empty((out, points, columns), dtype) for _, out in shape.layers]
        self.deltas = [np.empty_like(output) for output in self.outputs[:-1]]

    def logits(self, x: Array) -> Array:
        """Return the logits (b, columns) of the points `x` (2, b, columns), in a buffer of this object."""
        for (weight, bias), output in zip(self.layers, self.outputs, strict=True):
            z = output[:, : x.shape[1]]
            np.einsum("oir,ibr->obr", weight, x, out=z)
            z += bias
            if output is not self.outputs[-1]:
                self.activation.apply(z)
            x = z
        logits: Array = x[0]
        return logits

    def differentiate(self, x: Array, sign: Array) -> None:
        """Leave in `gradient` that of the mean loss on points `x` (2, b, columns), signs (b, columns).

        With the sign c, 1 for class 0 and -1 for class 1, the loss is ln(1 + exp(c z)), its derivative
        c sigma(c z): without the cancellation of sigma(z) - y.
        """
        b = x.shape[1]
        z = self.logits(x)
        z *= sign
        _sigmoid(z)
        z *= sign
        z *= 1 / b
        delta = z[None]
        for layer in reversed(range(len(self.layers))):
            below = self.outputs[layer - 1][:, :b] if layer else x
            weight_gradient, bias_gradient = self.gradients[layer]
            np.einsum("obr,ibr->oir", delta, below, out=weight_gradient)
            np.add.reduce(delta, axis=1, keepdims=True, out=bias_gradient)
            if layer:
                passed = self.deltas[layer - 1][:, :b]
                np.einsum("oir,obr->ibr", self.layers[layer][0], delta, out=passed)
                self.activation.slope(below)  # the activations have served
                passed *= below
                delta = passed


class _Adam:
    """Adam's step for all columns; `state` is changed in place.

    The moments lack their factors 1 - beta, which move into the step's scale: two operations less.
    """

    def __init__(self, state: State, lr: Array, weight_decay: Array, steps: int) -> None:
        self.state = state
        self.lr = lr
        self.weight_decay = weight_decay if weight_decay.any() else None
        self.steps = steps
        self.scratch = np.empty_like(state.parameters)

    def step(self, gradient: Array) -> None:
        """Take one step; `gradient` is used up."""
        self.steps += 1
        unbias = math.sqrt((1 - BETA2**self.steps) / (1 - BETA2))
        rate = self.lr * ((1 - BETA1) / (1 - BETA1**self.steps) * unbias)
        state, scratch = self.state, self.scratch
        parameters, first, second = state.parameters, state.first, state.second
        if self.weight_decay is not None:
            np.multiply(parameters, self.weight_decay, out=scratch)
            gradient += scratch
        first *= BETA1
        first += gradient
        second *= BETA2
        gradient *= gradient
        second += gradient
        np.sqrt(second, out=scratch)
        scratch += EPSILON * unbias
        np.divide(first, scratch, out=scratch)
        scratch *= rate
        parameters -= scratch


class _Tally:
    """Adds up the loss and the right answers of the networks of one shape over sets of points."""

    def __init__(self, ensemble: Ensemble, shape: Shape) -> None:
        parameters = ensemble.states[shape].parameters
        self.networks = _Networks(shape, ACTIVATIONS[ensemble.training.activation], parameters, POINTS)
        self.loss = np.zeros(len(ensemble))
        self.right = np.zeros(len(ensemble))
        self.n = 0

    def add(self, x: Array, sign: Array) -> "_Tally":
        """Take points `x` (2, n, columns) with signs (n, columns) into account."""
        for begin in range(0, len(sign), POINTS):
            part = slice(begin, begin + POINTS)
            self._add(self.networks.logits(x[:, part]), sign[part])
        self.n += len(sign)
        return self

    def _add(self, z: Array, sign: Array) -> None:
        right = (z > 0) == (sign < 0)
        self.right += np.add.reduce(right, axis=0, dtype=np.uint8)
        z *= sign
        self.loss += nn.functional.softplus(torch.from_numpy(z)).numpy().sum(axis=0)

    def score(self) -> Score:
        """Return the means over all points."""
        return Score(self.loss / self.n, self.right / self.n)


class _Trainer:
    """Trains the networks of one shape in place and keeps their history."""

    def __init__(self, ensemble: Ensemble, shape: Shape) -> None:
        training, columns, state = ensemble.training, ensemble.columns, ensemble.states[shape]
        self.ensemble, self.shape = ensemble, shape
        self.networks = _Networks(
            shape, ACTIVATIONS[training.activation], state.parameters, training.batch_size
        )
        lr, weight_decay = columns.lr.astype(training.dtype), columns.weight_decay.astype(training.dtype)
        self.adam = _Adam(state, lr, weight_decay, ensemble.step)
        self.records: list[History] = []

    def step(self, x: Array, sign: Array) -> None:
        """Take one step on the mini-batch `x` (2, b, columns), signs (b, columns)."""
        self.networks.differentiate(x, sign)
        self.adam.step(self.networks.gradient)

    def record(self, train: "_Points", validation: "_Points") -> None:
        """Append loss and accuracy on both sets to the history."""
        on_train, on_validation = (
            _Tally(self.ensemble, self.shape).add(*points).score() for points in (train, validation)
        )
        row = (on_train.loss, on_train.accuracy, on_validation.loss, on_validation.accuracy)
        self.records.append(History(*(values[None] for values in row)))


# ---- one block of columns

_Points = tuple[Array, Array]  # inputs (2, n, columns); signs (n, columns), 1 for class 0 and -1 for class 1


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: blocks share the cores, and threads do not survive a fork."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@_one_thread()
def _advance(work: tuple[Ensemble, int, frozenset[int]]) -> Ensemble:
    """Return a block of columns after so many steps, its losses recorded after some of them."""
    block, steps, wanted = work
    ensemble = _padded(block)
    records = sorted(step for step in wanted if ensemble.step <= step <= steps)
    records = [step for step in records if step not in ensemble.recorded]
    data = _drawn(ensemble, "train", ensemble.training.n_train)
    validation = _drawn(ensemble, "validation", ensemble.training.n_val)
    trainers = [_Trainer(ensemble, shape) for shape in ensemble.states]
    if ensemble.step in records:
        for trainer in trainers:
            trainer.record(data, validation)
    for batches in _epochs(ensemble, steps, data):
        for trainer in trainers:
            for x, sign in batches:
                trainer.step(x, sign)
                if trainer.adam.steps in records:
                    trainer.record(data, validation)
    history = {
        trainer.shape: _join([ensemble.history[trainer.shape], *trainer.records], axis=0)
        for trainer in trainers
    }
    recorded = (*ensemble.recorded, *records)
    done = replace(ensemble, step=steps, recorded=recorded, history=history)
    return done.select(np.arange(len(block)))


def _epochs(ensemble: Ensemble, steps: int, data: _Points) -> Iterator[list[_Points]]:
    """Yield the mini-batches of each epoch, from the ensemble's step until `steps`."""
    training, length = ensemble.training, ensemble.training.steps_per_epoch
    shuffled = _Shuffled(ensemble, data)
    for epoch in range(math.ceil(steps / length)):
        shuffled.draw()  # past epochs too, so that the generators stand where they stood
        batches = range(max(ensemble.step - epoch * length, 0), min(steps - epoch * length, length))
        if batches:
            x, sign = shuffled.points()
            parts = [slice(b * training.batch_size, (b + 1) * training.batch_size) for b in batches]
            yield [(x[:, part], sign[part]) for part in parts]


class _Shuffled:
    """The training points of each column in the order in which a DataLoader takes them, epoch by epoch.

    The arrays are allocated once: new ones for each epoch would cost as much as the shuffling.
    """

    def __init__(self, ensemble: Ensemble, data: _Points) -> None:
        keys = np.stack([ensemble.columns.replicate, ensemble.columns.restart])
        unique, self.columns = np.unique(keys, axis=1, return_inverse=True)
        seeds = [stream_seed(ensemble.seed, "order", *key) for key in unique.T.tolist()]
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.orders = torch.empty(len(seeds), len(data[1]), dtype=torch.int64)
        self.worker_seed, self.dropped = torch.empty((), dtype=torch.int64), torch.empty_like(self.orders[0])
        self.index = np.empty(data[1].shape, dtype=np.int64)
        self.data, self.shuffled = data, (np.empty_like(data[0]), np.empty_like(data[1]))

    def draw(self) -> None:
        """Draw the next orders, as a DataLoader does: it draws a worker's seed, an order, and one to drop."""
        for order, generator in zip(self.orders, self.generators, strict=True):
            self.worker_seed.random_(generator=generator)
            torch.randperm(len(order), generator=generator, out=order)
            torch.randperm(len(order), generator=generator, out=self.dropped)

    def points(self) -> _Points:
        """Return inputs and signs in these orders, in buffers of this object."""
        columns = len(self.columns)
        np.multiply(self.orders.numpy()[self.columns].T, columns, out=self.index)
        self.index += np.arange(columns)  # into (n, columns), flattened
        (inputs, signs), (x, sign) = self.data, self.shuffled
        for values, out in ((inputs[0], x[0]), (inputs[1], x[1]), (signs, sign)):
            values.take(self.index, out=out, mode="clip")  # the mode spares a check and a copy
        return x, sign


def _drawn(ensemble: Ensemble, stream: str, n: int, *key: int) -> _Points:
    """Return `n` points for each column, drawn for its replicate."""
    replicates, columns = np.unique(ensemble.columns.replicate, return_inverse=True)
    seeds = [stream_seed(ensemble.seed, stream, replicate, *key) for replicate in replicates.tolist()]
    x, y = noisy_xor_batch(seeds, n, ensemble.training.s)
    return _points(x.numpy().take(columns, axis=-1), y.numpy().take(columns, axis=-1), ensemble)


def _points(inputs: Array, targets: Array, ensemble: Ensemble) -> _Points:
    dtype = ensemble.training.dtype
    return inputs.astype(dtype, copy=False), 1 - 2 * targets.astype(dtype, copy=False)


def _evaluate(
    ensemble: Ensemble, tests: Callable[[Ensemble], Iterator[_Points]], map: Map
) -> dict[Shape, Score]:
    """Return the scores over all sets of points that `tests` gives for a block."""
    blocks = _blocks(ensemble)
    scores = list(map(_score, [(ensemble.select(block), tests) for block in blocks]))
    order = np.argsort(np.concatenate(blocks))
    return {shape: _select(_join([score[shape] for score in scores]), order) for shape in ensemble.states}


@_one_thread()
def _score(work: tuple[Ensemble, Callable[[Ensemble], Iterator[_Points]]]) -> dict[Shape, Score]:
    """Return the scores of a block."""
    block, tests = work
    ensemble = _padded(block)
    tallies = {shape: _Tally(ensemble, shape) for shape in ensemble.states}
    for points in tests(ensemble):
        for tally in tallies.values():
            tally.add(*points)
    columns = np.arange(len(block))
    return {shape: _select(tally.score(), columns) for shape, tally in tallies.items()}


def _common(inputs: Array, targets: Array, ensemble: Ensemble) -> Iterator[_Points]:
    """Yield the same points, inputs (n, 2) and targets (n,), for all columns."""
    x, sign = _points(inputs.T[:, :, None], targets[:, None], ensemble)
    columns = len(ensemble)
    yield np.broadcast_to(x, (*x.shape[:-1], columns)), np.broadcast_to(sign, (len(sign), columns))


def _own(n: int, ensemble: Ensemble) -> Iterator[_Points]:
    """Yield `n` new points for each column, some at a time."""
    for chunk, begin in enumerate(range(0, n, CHUNK)):
        yield _drawn(ensemble, "test", min(CHUNK, n - begin), chunk)


def _blocks(ensemble: Ensemble) -> list[NDArray[np.int64]]:
    """Return the columns of each block: equal replicates together, an even number of blocks for two cores."""
    order = np.lexsort([ensemble.columns.restart, ensemble.columns.replicate])
    pairs = math.ceil(len(order) / (2 * BLOCK))
    return [block for block in np.array_split(order, 2 * pairs) if len(block)]


def _padded(block: Ensemble) -> Ensemble:
    """Return the block with columns repeated up to a multiple of `LANES`."""
    return block.select(np.resize(np.arange(len(block)), math.ceil(len(block) / LANES) * LANES))


def _each(name: str, values: ArrayLike, replicate: Array, dtype: DTypeLike = np.int64) -> Array:
    """Return one value for each replicate."""
    array = np.asarray(values, dtype=dtype)
    if array.shape not in ((), replicate.shape):
        raise ValueError(
            f"{name} is one number or {len(replicate)}, one for each replicate, not {array.shape}"
        )
    return np.broadcast_to(array, replicate.shape).copy()


def _initial(shape: Shape, columns: Columns, training: Training, seed: int) -> State:
    keys = zip(columns.replicate.tolist(), columns.restart.tolist(), strict=True)
    count = parameter_count(shape.depth, shape.width)
    rows = [np.random.default_rng(stream_seed(seed, "initial", *key)).uniform(-1, 1, count) for key in keys]
    values = np.stack(rows, axis=-1)
    for fans, (weight, bias) in zip(shape.layers, _layers(shape, values), strict=True):
        weight_bound, bias_bound = INITIALISERS[training.initialiser](*fans)
        weight *= weight_bound
        bias *= bias_bound
    initial = (values * columns.initial_scale).astype(training.dtype)
    return State(initial, initial, np.zeros_like(initial), np.zeros_like(initial))


def _layers(shape: Shape, flat: Array) -> list[tuple[Array, Array]]:
    """Return views of each layer's weights (fan-out, fan-in, columns) and biases (fan-out, 1, columns)."""
    layers, row = [], 0
    for fan_in, fan_out in shape.layers:
        weight = flat[row : row + fan_in * fan_out].reshape(fan_out, fan_in, -1)
        row += fan_in * fan_out
        layers.append((weight, flat[row : row + fan_out, None]))
        row += fan_out
    return layers


def _select(record: Record, columns: NDArray[np.int64]) -> Record:
    """Return a record of arrays with some of its columns, copied and contiguous."""
    return type(record)(*(getattr(record, field.name).take(columns, axis=-1) for field in fields(record)))


def _join(records: Sequence[Record], axis: int = -1) -> Record:
    """Return records of arrays as one: side by side (axis -1), or one after the other (axis 0)."""
    arrays = ([getattr(record, field.name) for record in records] for field in fields(records[0]))
    return type(records[0])(*(np.concatenate(parts, axis=axis) for parts in arrays))

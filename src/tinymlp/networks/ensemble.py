"""Train many tiny networks side by side: every array ends in an axis with one column for each network.

The training is that of `tinymlp.networks.training`, network for network: the same data, mini-batches, loss
and optimiser. Here one NumPy call advances a layer of hundreds of networks, with gradients written by hand.
Whatever is random about a column follows from the ensemble's seed and the column's replicate and restart
alone, never from its neighbours. A replicate has the same data in every shape and setting, so that contrasts
are paired.

    ensemble = train([Shape(1, 2), Shape(1, 3)], range(1000), Training(epochs=100), seed=1)
    scores = evaluate(ensemble, test.inputs, test.targets)
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from tinymlp.networks.arithmetic import ACTIVATIONS, OPTIMISERS, Networks, Tally
from tinymlp.networks.columns import (
    INITIALISERS,
    Array,
    Columns,
    History,
    Points,
    Score,
    Shuffled,
    State,
    as_points,
    drawn,
    each,
    initial_state,
    select,
    side_by_side,
)
from tinymlp.networks.models import Net
from tinymlp.networks.shapes import Shape
from tinymlp.parallel import Map, serial

LANES = 64  # columns are padded to a multiple, so that every column goes through the same vector instructions
PARTS = 8  # of up to LANES columns are computed together: enough to hide a call, few enough for the cache
CHUNK = 1000  # test points that are drawn together


@dataclass(frozen=True)
class Training:
    """How to train: what all columns share, and three numbers that may differ from column to column.

    `lr`, `weight_decay` (an L2 penalty) and `initial_scale` are one number, or a sequence with one for each
    column. `initial_scale` multiplies the initial weights and biases, drawn as `INITIALISERS` says. `betas`
    are Adam's; gradient descent ("sgd") takes the first as its momentum. `steps` counts mini-batches and
    replaces `epochs` if given. After the steps in `checkpoints`, and after the last, the losses are recorded.
    `n_train` and `n_val` points are drawn for each replicate, with standard deviation `s`.
    """

    epochs: int = 100
    steps: int | None = None
    batch_size: int = 32
    lr: float | Sequence[float] = 0.01
    weight_decay: float | Sequence[float] = 0.0
    initial_scale: float | Sequence[float] = 1.0
    initialiser: Literal["default", "glorot"] = "default"
    activation: Literal["tanh", "relu"] = "tanh"
    optimiser: Literal["adam", "sgd"] = "adam"
    betas: tuple[float, float] = (0.9, 0.999)
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
        if self.optimiser not in OPTIMISERS or not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(
                f"a training needs an optimiser of {sorted(OPTIMISERS)} and betas from 0 to below 1, "
                f"not {self.optimiser!r} with {self.betas}"
            )

    @property
    def steps_per_epoch(self) -> int:
        """Mini-batches in an epoch; the last may be smaller."""
        return math.ceil(self.n_train / self.batch_size)

    @property
    def total_steps(self) -> int:
        """Mini-batches of the whole training."""
        return self.epochs * self.steps_per_epoch if self.steps is None else self.steps


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
            select(self.columns, chosen),
            self.step,
            {shape: select(self.states[shape], chosen) for shape in kept},
            self.recorded,
            {shape: select(self.history[shape], chosen) for shape in kept},
        )

    def network(self, shape: Shape, column: int, *, initial: bool = False) -> Net:
        """Return one network as a `Net`: as it is now, or as it was before the first step."""
        state = self.states[shape]
        values = (state.initial if initial else state.parameters)[:, column]
        flat = torch.from_numpy(values.copy())
        net = Net(shape.depth, shape.width, ACTIVATIONS[self.training.activation].module).to(flat.dtype)
        nn.utils.vector_to_parameters(flat, net.parameters())
        return net


def train(
    shapes: Iterable[Shape],
    replicates: Sequence[int],
    training: Training,
    *,
    seed: int,
    restarts: Sequence[int] | None = None,
    map: Map = serial,
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
        each("restarts", 0 if restarts is None else restarts, replicate),
        each("lr", training.lr, replicate, np.float64),
        each("weight_decay", training.weight_decay, replicate, np.float64),
        each("initial_scale", training.initial_scale, replicate, np.float64),
    )
    nothing = np.empty((0, len(replicate)))
    states = {
        shape: initial_state(shape, columns, seed, initialiser=training.initialiser, dtype=training.dtype)
        for shape in dict.fromkeys(shapes)
    }
    history = {shape: History(nothing, nothing, nothing, nothing) for shape in states}
    return Ensemble(training, seed, columns, 0, states, (), history)


def advance(
    ensemble: Ensemble, steps: int, *, checkpoints: Iterable[int] = (), map: Map = serial
) -> Ensemble:
    """Return the ensemble after `steps` mini-batches in all, the same as if trained so far at once.

    Losses are recorded after the steps in `checkpoints`, and after the last.
    """
    if steps < ensemble.step:
        raise ValueError(f"cannot go back: {steps} steps wanted, {ensemble.step} taken")
    further = partial(_advance, steps=steps, wanted=frozenset(checkpoints) | {steps})
    parts = _parts(ensemble)
    done = join(map(further, _apart(ensemble, parts), batch=PARTS))
    return replace(done.select(np.argsort(np.concatenate(parts))), training=ensemble.training)


def evaluate(
    ensemble: Ensemble, inputs: ArrayLike, targets: ArrayLike, *, map: Map = serial
) -> dict[Shape, Score]:
    """Return the score of each network on common test data: inputs (n, 2), targets (n,) with 0 or 1."""
    return _evaluate(ensemble, partial(_common, np.asarray(inputs), np.asarray(targets)), map)


def evaluate_separately(ensemble: Ensemble, n: int, *, map: Map = serial) -> dict[Shape, Score]:
    """Return the score of each network on `n` new points of its own replicate."""
    return _evaluate(ensemble, partial(_own, n), map)


def join(parts: Iterable[Ensemble]) -> Ensemble:
    """Return ensembles of the same shapes, training and step side by side."""
    ensembles = list(parts)
    first = ensembles[0]
    return Ensemble(
        first.training,
        first.seed,
        side_by_side([part.columns for part in ensembles]),
        first.step,
        {shape: side_by_side([part.states[shape] for part in ensembles]) for shape in first.states},
        first.recorded,
        {shape: side_by_side([part.history[shape] for part in ensembles]) for shape in first.history},
    )


# ---- one block of columns
class _Trainer:
    """Trains the networks of one shape in place and keeps their history."""

    def __init__(self, ensemble: Ensemble, shape: Shape) -> None:
        training, columns, state = ensemble.training, ensemble.columns, ensemble.states[shape]
        self.ensemble, self.shape = ensemble, shape
        self.networks = Networks(
            shape, ACTIVATIONS[training.activation], state.parameters, training.batch_size
        )
        lr, weight_decay = columns.lr.astype(training.dtype), columns.weight_decay.astype(training.dtype)
        optimiser = OPTIMISERS[training.optimiser]
        self.optimiser = optimiser(state, lr, weight_decay, ensemble.step, training.betas)
        self.records: list[History] = []

    def step(self, x: Array, sign: Array) -> None:
        """Take one step on the mini-batch `x` (2, b, columns), signs (b, columns)."""
        self.networks.differentiate(x, sign)
        self.optimiser.step(self.networks.gradient)

    def record(self, train: Points, validation: Points) -> None:
        """Append loss and accuracy on both sets to the history."""
        on_train, on_validation = (
            _tally(self.ensemble, self.shape).add(*points).score() for points in (train, validation)
        )
        row = (on_train.loss, on_train.accuracy, on_validation.loss, on_validation.accuracy)
        self.records.append(History(*(values[None] for values in row)))


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
def _advance(parts: list[Ensemble], *, steps: int, wanted: frozenset[int]) -> list[Ensemble]:
    """Return parts after so many steps, with their losses after some of them."""
    ensemble = _padded(join(parts))
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
                if trainer.optimiser.steps in records:
                    trainer.record(data, validation)
    history = {
        trainer.shape: side_by_side([ensemble.history[trainer.shape], *trainer.records], axis=0)
        for trainer in trainers
    }
    recorded = (*ensemble.recorded, *records)
    done = replace(ensemble, step=steps, recorded=recorded, history=history)
    return [done.select(places) for places in _places(parts)]


def _epochs(ensemble: Ensemble, steps: int, data: Points) -> Iterator[list[Points]]:
    """Yield the mini-batches of each epoch, from the ensemble's step until `steps`."""
    training, length = ensemble.training, ensemble.training.steps_per_epoch
    shuffled = Shuffled(ensemble.columns, ensemble.seed, data)
    for epoch in range(math.ceil(steps / length)):
        shuffled.draw()  # past epochs too, so that the generators stand where they stood
        batches = range(max(ensemble.step - epoch * length, 0), min(steps - epoch * length, length))
        if batches:
            x, sign = shuffled.points()
            parts = [slice(b * training.batch_size, (b + 1) * training.batch_size) for b in batches]
            yield [(x[:, part], sign[part]) for part in parts]


def _evaluate(
    ensemble: Ensemble, tests: Callable[[Ensemble], Iterator[Points]], map: Map
) -> dict[Shape, Score]:
    """Return the scores over all sets of points that `tests` gives for a block."""
    parts = _parts(ensemble)
    scores = list(map(partial(_score, tests=tests), _apart(ensemble, parts), batch=PARTS))
    places = np.argsort(np.concatenate(parts))
    return {
        shape: select(side_by_side([score[shape] for score in scores]), places) for shape in ensemble.states
    }


@_one_thread()
def _score(
    parts: list[Ensemble], *, tests: Callable[[Ensemble], Iterator[Points]]
) -> list[dict[Shape, Score]]:
    """Return the scores of parts."""
    ensemble = _padded(join(parts))
    tallies = {shape: _tally(ensemble, shape) for shape in ensemble.states}
    for points in tests(ensemble):
        for tally in tallies.values():
            tally.add(*points)
    scores = {shape: tally.score() for shape, tally in tallies.items()}
    return [{shape: select(score, places) for shape, score in scores.items()} for places in _places(parts)]


def _common(inputs: Array, targets: Array, ensemble: Ensemble) -> Iterator[Points]:
    """Yield the same points, inputs (n, 2) and targets (n,), for all columns."""
    x, sign = as_points(inputs.T[:, :, None], targets[:, None], ensemble.training.dtype)
    columns = len(ensemble)
    yield np.broadcast_to(x, (*x.shape[:-1], columns)), np.broadcast_to(sign, (len(sign), columns))


def _own(n: int, ensemble: Ensemble) -> Iterator[Points]:
    """Yield `n` new points for each column, some at a time."""
    for chunk, begin in enumerate(range(0, n, CHUNK)):
        yield _drawn(ensemble, "test", min(CHUNK, n - begin), chunk)


def _drawn(ensemble: Ensemble, stream: str, n: int, *key: int) -> Points:
    """Return `n` points for each column; see `columns.drawn`."""
    training = ensemble.training
    return drawn(ensemble.columns, ensemble.seed, stream, n, *key, s=training.s, dtype=training.dtype)


def _tally(ensemble: Ensemble, shape: Shape) -> Tally:
    activation = ACTIVATIONS[ensemble.training.activation]
    return Tally(shape, activation, ensemble.states[shape].parameters)


def _parts(ensemble: Ensemble) -> list[NDArray[np.intp]]:
    """Return the columns in parts of up to `LANES`, whatever is computed how: as a map hands them out.

    The columns of a part differ in their replicates alone, so that more replicates or other settings leave
    the first parts as they are. Parts with the same replicates, whose data are drawn once, are neighbours.
    """
    columns = ensemble.columns
    settings = [columns.initial_scale, columns.weight_decay, columns.lr, columns.restart]
    order = np.lexsort([columns.replicate, *settings])
    differ = np.diff(np.stack(settings)[:, order]).any(axis=0)
    groups = np.split(order, np.flatnonzero(differ) + 1)
    parts = [group[first : first + LANES] for group in groups for first in range(0, len(group), LANES)]
    return sorted(parts, key=lambda part: int(columns.replicate[part[0]]))


def _apart(ensemble: Ensemble, parts: Iterable[ArrayLike]) -> list[Ensemble]:
    """Return each part alone, with nothing about the others: what it gives depends on itself only."""
    own = replace(ensemble.training, lr=0.0, weight_decay=0.0, initial_scale=0.0)  # its own are in `columns`
    return [replace(ensemble, training=own).select(part) for part in parts]


def _places(parts: Iterable[Ensemble]) -> Iterator[NDArray[np.int64]]:
    """Yield where the columns of each part are when the parts are joined."""
    first = 0
    for part in parts:
        yield np.arange(first, first + len(part))
        first += len(part)


def _padded(block: Ensemble) -> Ensemble:
    """Return the block with columns repeated up to a multiple of `LANES`."""
    return block.select(np.resize(np.arange(len(block)), math.ceil(len(block) / LANES) * LANES))

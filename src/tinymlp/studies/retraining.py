"""Retraining: networks of a finished study are trained again, the same bits from the same seeds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tinymlp.networks import (
    Ensemble,
    NoisyXor,
    Score,
    Shape,
    Training,
    advance,
    evaluate,
    stream_seed,
    train,
)
from tinymlp.parallel import Map

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Retraining:
    """A study of shapes on noisy XOR, to go on from there where the parameters of its networks are needed.

    `params` has the study's epochs, batch_size, lr, n_train, n_test, s and
    solved_above; `seed` is that of its networks and `test_seed` of its test
    points. `repeats` has a row for each network: its shape by name, replicate,
    train_loss and whether it is solved. `mapped` returns a map, which may work
    in parallel, for a label that tells people what it does.
    """

    params: Mapping[str, Any]
    seed: int
    test_seed: int
    repeats: pd.DataFrame
    mapped: Callable[[str], Map]

    @property
    def training(self) -> Training:
        """How the networks were trained."""
        names = ("epochs", "batch_size", "lr", "n_train", "s")
        return Training(**{name: self.params[name] for name in names})

    @cached_property
    def test(self) -> NoisyXor:
        """The test points."""
        return NoisyXor(self.params["n_test"], self.params["s"], seed=self.test_seed)

    def of(self, shape: Shape) -> pd.DataFrame:
        """Return the repeats of one shape, in order."""
        return self.repeats[self.repeats["shape"] == shape.name]

    def data(self, replicate: int) -> NoisyXor:
        """Return the training data of a replicate."""
        seed = stream_seed(self.seed, "train", replicate)
        return NoisyXor(self.params["n_train"], self.params["s"], seed=seed)

    def train(
        self, shapes: Sequence[Shape], replicates: Sequence[int], restarts: Sequence[int] | None = None
    ) -> Ensemble:
        """Return networks of these shapes on the data of these replicates, by default those of the study."""
        mapped = self.mapped(f"training {', '.join(shape.name for shape in shapes)}")
        return train(shapes, replicates, self.training, seed=self.seed, restarts=restarts, map=mapped)

    def train_on(self, ensemble: Ensemble, times: int) -> Ensemble:
        """Return networks trained `times` as long as in the study; each multiple is a checkpoint."""
        steps = self.training.total_steps
        points = [steps * k for k in range(1, times + 1)]
        mapped = self.mapped(f"training {', '.join(shape.name for shape in ensemble.states)} on")
        return advance(ensemble, steps * times, checkpoints=points, map=mapped)

    def test_of(self, ensemble: Ensemble) -> dict[Shape, Score]:
        """Return the test scores of networks."""
        return evaluate(ensemble, self.test.inputs, self.test.targets, map=self.mapped("testing"))

    def solved(self, score: Score) -> Flags:
        """Return which networks are solved."""
        good: Flags = score.accuracy > self.params["solved_above"]
        return good

    def restarted(self, shape: Shape, restarts: int) -> tuple[Floats, Flags]:
        """Return training loss and whether solved of each restart: arrays (replicates, restarts).

        The first is the study's own, which is not trained again.
        """
        known = self.of(shape)
        replicates = known["replicate"].to_numpy()
        more = restarts - 1
        # replicate by replicate, so that the rows of what is reshaped below are data sets
        numbers = np.tile(range(1, restarts), len(replicates)).tolist()
        again = self.train([shape], np.repeat(replicates, more).tolist(), numbers)
        solved = self.solved(self.test_of(again)[shape]).reshape(-1, more)
        losses = again.history[shape].train_loss[-1].reshape(-1, more)
        return np.column_stack([known["train_loss"], losses]), np.column_stack([known["solved"], solved])

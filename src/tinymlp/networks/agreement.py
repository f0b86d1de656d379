"""Agreement: networks trained side by side against the readable loop, batch by batch on the same data."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch.utils.data import TensorDataset

from tinymlp.networks.columns import stream_seed
from tinymlp.networks.ensemble import Ensemble, Training, train
from tinymlp.networks.noisy_xor import NoisyXor
from tinymlp.networks.shapes import Shape
from tinymlp.networks.training import Data, fit


def greatest_difference(shapes: Sequence[Shape], training: Training, seed: int) -> float:
    """Return the greatest relative difference between the losses of `train` and those of `fit`.

    One network of each shape is trained in both ways, from the same initial parameters, on the same points
    in the same batches; training and validation losses are compared after every epoch.
    """
    steps = range(training.steps_per_epoch, training.total_steps + 1, training.steps_per_epoch)
    ensemble = train(shapes, [0], replace(training, checkpoints=tuple(steps)), seed=seed)
    return max(_difference(ensemble, shape, training, seed) for shape in shapes)


def _difference(ensemble: Ensemble, shape: Shape, training: Training, seed: int) -> float:
    history = fit(
        ensemble.network(shape, 0, initial=True),
        _points(training, training.n_train, stream_seed(seed, "train", 0)),
        _points(training, training.n_val, stream_seed(seed, "validation", 0)),
        epochs=training.epochs,
        batch_size=training.batch_size,
        lr=float(ensemble.columns.lr[0]),
        seed=stream_seed(seed, "order", 0, 0),
    )
    ours = ensemble.history[shape]
    pairs = ((ours.train_loss[:, 0], history.train_loss), (ours.val_loss[:, 0], history.val_loss))
    return max(float(np.max(np.abs(np.divide(a, b) - 1))) for a, b in pairs)


def _points(training: Training, n: int, seed: int) -> Data:
    drawn, dtype = NoisyXor(n, training.s, seed=seed), getattr(torch, training.dtype)
    return cast(Data, TensorDataset(drawn.inputs.to(dtype), drawn.targets.to(dtype)))

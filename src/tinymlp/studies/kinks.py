"""Kinks of ReLU networks: where a step of a finite difference crosses one, the loss has no derivative."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tinymlp.scalar import backprop

Floats = NDArray[np.float64]


def crosses_kink(net: backprop.Network, x: Floats, step: float) -> bool:
    """Return whether some ReLU changes between on and off when one weight moves by the step, either way.

    `x` are the inputs (D, N) of the data points at which the loss is taken.
    """
    if "relu" not in net.h.values():
        return False
    before = _switches(net, x)
    return any(bool((_switches(moved, x) != before).any()) for moved in _neighbours(net, step))


def _switches(net: backprop.Network, x: Floats) -> NDArray[np.bool_]:
    """Return which ReLUs are on, at each data point."""
    a, _ = backprop.forward(net, x)
    return np.vstack([a[layer] > 0 for layer in a if net.h[layer] == "relu"])


def _neighbours(net: backprop.Network, step: float) -> Iterator[backprop.Network]:
    """Yield the network with one weight moved by the step, for each weight and both sides.

    It is one object, changed from one to the next: copies would take most of the time.
    """
    moved = replace(net, w={layer: w.copy() for layer, w in net.w.items()})
    for layer, w in moved.w.items():
        for index in np.ndindex(w.shape):
            for side in (step, -step):
                w[index] = net.w[layer][index] + side
                yield moved
            w[index] = net.w[layer][index]

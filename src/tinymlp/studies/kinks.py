"""Kinks of ReLU networks: where a step of a finite difference crosses one, the loss has no derivative."""

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
    on = _switches(_moved(net.w, step), net.h, x)
    return bool((on != on[0]).any())


def _moved(w: backprop.Layers, step: float) -> backprop.Layers:
    """Return the weights of 1 + 2 W networks: as they are, then each of the W moved up, then each down.

    Layer l is (1 + 2 W, M_l, 1 + M_(l-1)).
    """
    flat = np.concatenate([part.ravel() for part in w.values()])
    moves = step * np.eye(len(flat))
    every = flat + np.concatenate([np.zeros((1, len(flat))), moves, -moves])
    parts = np.split(every, np.cumsum([part.size for part in w.values()])[:-1], axis=1)
    return {layer: part.reshape(-1, *w[layer].shape) for layer, part in zip(w, parts, strict=True)}


def _switches(w: backprop.Layers, h: dict[int, str], x: Floats) -> NDArray[np.bool_]:
    """Return which ReLUs are on: (networks, units, data points)."""
    on, z = [], x
    for layer in range(1, 1 + max(layer for layer, name in h.items() if name == "relu")):
        a = w[layer][..., 1:] @ z + w[layer][..., :1]
        if h[layer] == "relu":
            on.append(a > 0)
        z = backprop.activate(h[layer], a)
    return np.concatenate(on, axis=1)

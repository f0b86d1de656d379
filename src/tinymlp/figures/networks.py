"""How networks on noisy XOR look in figures: the name and the colour of a shape, the picture of a network."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy.typing import NDArray
from torch import nn

from tinymlp.figures.plots import BLACK, BLUE, VERMILION, decision_boundary, scatter_classes
from tinymlp.networks import Net, NoisyXor, Shape

Floats = NDArray[np.float64]

SHOWN_POINTS = 100  # more of a training set would hide the boundary


class Look(NamedTuple):
    """How a number of hidden layers is told apart: by colour, and in grey by the marker."""

    colour: str
    marker: str


DEPTH_LOOKS = {1: Look(BLUE, "o"), 2: Look(VERMILION, "s"), 3: Look(BLACK, "^")}


def shape_label(shape: Shape) -> str:
    """Return the shape as matplotlib writes it: hidden layers times width, or "linear"."""
    return rf"${shape.depth}\times{shape.width}$" if shape.depth else "linear"


def network_picture(
    ax: Axes, shape: Shape, parameters: Sequence[float], data: NoisyXor, *, size: float
) -> AxesImage:
    """Draw a tanh network's probabilities, its 50 % curve and the first points of a data set.

    `parameters` are in the order of `Net.parameters()`, `size` is the area of
    a point in square points. Returns the background, for a colour bar.
    """
    net = Net(shape.depth, shape.width)
    nn.utils.vector_to_parameters(torch.tensor(parameters), net.parameters())
    background = decision_boundary(ax, partial(_probability, net))
    scatter_classes(ax, data.inputs[:SHOWN_POINTS], data.targets[:SHOWN_POINTS], size=size)
    return background


@torch.no_grad()
def _probability(net: Net, points: Floats) -> Floats:
    # single precision, as in training: the picture is of the network that was trained
    probabilities: Floats = torch.sigmoid(net(torch.tensor(points, dtype=torch.float32))).numpy()
    return probabilities

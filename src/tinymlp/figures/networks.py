"""How networks on noisy XOR look in figures: the name and the colour of a shape, the picture of a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from tinymlp.figures.plots import BLACK, BLUE, VERMILION, Floats, decision_boundary, scatter_classes

if TYPE_CHECKING:
    from tinymlp.networks import NoisyXor, Shape

SHOWN_POINTS = 100  # more of a training set would hide the boundary


class Look(NamedTuple):
    """How a number of hidden layers looks in figures: its colour, and its marker for prints in grey."""

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
    import torch  # not for the figures that show no network

    from tinymlp.networks import Net

    net = Net(shape.depth, shape.width)
    torch.nn.utils.vector_to_parameters(torch.tensor(parameters), net.parameters())

    @torch.no_grad()
    def probability(points: Floats) -> Floats:
        # single precision, as in training: the picture is of the network that was trained
        found: Floats = torch.sigmoid(net(torch.tensor(points, dtype=torch.float32))).numpy()
        return found

    background = decision_boundary(ax, probability)
    scatter_classes(ax, data.inputs[:SHOWN_POINTS], data.targets[:SHOWN_POINTS], size=size)
    return background

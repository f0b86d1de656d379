"""The look of networks in figures: labels, colours, and a picture of the network that the parameters make."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from tinymlp.figures.networks import DEPTH_LOOKS, SHOWN_POINTS, network_picture, shape_label
from tinymlp.networks import NoisyXor, Shape


@pytest.mark.parametrize(("shape", "label"), [(Shape(2, 3), r"$2\times3$"), (Shape(0, 0), "linear")])
def test_a_label_has_depth_times_width(shape, label):
    assert shape_label(shape) == label


def test_depths_differ_in_colour_and_in_grey():
    assert len({look.colour for look in DEPTH_LOOKS.values()}) == len(DEPTH_LOOKS) == 3
    assert len({look.marker for look in DEPTH_LOOKS.values()}) == 3


def test_the_picture_is_of_the_network_with_these_parameters():
    ax = Figure().subplots()
    background = network_picture(ax, Shape(0, 0), [4.0, 0.0, -2.0], NoisyXor(300, seed=1), size=3)
    shown = np.asarray(background.get_array())  # over [-0.5, 1.5] in both directions
    assert shown[0, 0] == pytest.approx(1 / (1 + np.exp(4)))  # the logit is 4 x1 - 2
    assert shown[0, 100] == pytest.approx(0.5)
    assert shown[200, 200] == pytest.approx(1 / (1 + np.exp(-4)))
    assert sum(len(points.get_offsets()) for points in ax.collections[-2:]) == SHOWN_POINTS

"""What figures share, and the figures that need more than matplotlib."""

from tinymlp.figures.graphs import computation, figure, objects
from tinymlp.figures.networks import DEPTH_LOOKS, network_picture, shape_label
from tinymlp.figures.parallel_coordinates import Axis, history, importance_bars, parallel_coordinates
from tinymlp.figures.plots import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    VERMILION,
    boundary_key,
    decision_boundary,
    interval_bars,
    scatter_classes,
    strips,
)

__all__ = [
    "BLACK",
    "BLUE",
    "DEPTH_LOOKS",
    "GREEN",
    "ORANGE",
    "VERMILION",
    "Axis",
    "boundary_key",
    "computation",
    "decision_boundary",
    "figure",
    "history",
    "importance_bars",
    "interval_bars",
    "network_picture",
    "objects",
    "parallel_coordinates",
    "scatter_classes",
    "shape_label",
    "strips",
]

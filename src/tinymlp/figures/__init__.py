"""What figures share, and the figures that need more than matplotlib."""

from tinymlp.figures.graphs import computation, figure, objects
from tinymlp.figures.parallel_coordinates import Axis, history, importance_bars, parallel_coordinates
from tinymlp.figures.plots import boundary_key, decision_boundary, heat_map, scatter_classes, strips

__all__ = [
    "Axis",
    "boundary_key",
    "computation",
    "decision_boundary",
    "figure",
    "heat_map",
    "history",
    "importance_bars",
    "objects",
    "parallel_coordinates",
    "scatter_classes",
    "strips",
]

"""Noisy XOR, the networks in PyTorch, one at a time and thousands at once.

`evaluate` and `train` are those of ensembles; the plain loop for one network, `networks.training`, is there
to be read and to be compared with.
"""

from tinymlp.networks.agreement import greatest_difference
from tinymlp.networks.columns import Score, stream_seed
from tinymlp.networks.ensemble import (
    Ensemble,
    Training,
    advance,
    evaluate,
    evaluate_separately,
    start,
    train,
)
from tinymlp.networks.models import Net, parameter_count
from tinymlp.networks.noisy_xor import NoisyXor
from tinymlp.networks.plateaus import (
    CENTRES,
    LABELS,
    centre_probabilities,
    curvature,
    linear_bound,
    monotone_bound,
    nearest_plateau,
    plateaus,
)
from tinymlp.networks.shapes import Shape
from tinymlp.networks.training import Data, History, whole

__all__ = [
    "CENTRES",
    "LABELS",
    "Data",
    "Ensemble",
    "History",
    "Net",
    "NoisyXor",
    "Score",
    "Shape",
    "Training",
    "advance",
    "centre_probabilities",
    "curvature",
    "evaluate",
    "evaluate_separately",
    "greatest_difference",
    "linear_bound",
    "monotone_bound",
    "nearest_plateau",
    "parameter_count",
    "plateaus",
    "start",
    "stream_seed",
    "train",
    "whole",
]

"""Automatic differentiation of scalars, and networks of them.

`backprop`, the same by hand with a matrix for each layer, is taken as a module: its `forward` and `gradient`
would hide those of the scalars.
"""

from tinymlp.scalar import backprop
from tinymlp.scalar.autodiff import Var, Var_to_nparray, nparray_to_Var, total
from tinymlp.scalar.fitting import (
    SpreadInitializer,
    Task,
    chosen_losses,
    descend,
    descend_by_tape,
    draw_task,
    mean_loss,
    predict,
    straight_line,
)
from tinymlp.scalar.gradcheck import (
    CENTRAL_STEP,
    EPSILON,
    FORWARD_STEP,
    central_difference,
    forward_difference,
    gradient,
    numerical_gradient,
    relative_error,
)
from tinymlp.scalar.losses import cross_entropy_loss, squared_loss
from tinymlp.scalar.nn import (
    ConstantInitializer,
    DenseLayer,
    DenseLayer_Glorot_tanh,
    DenseLayer_He_relu,
    GlorotInitializer,
    HeInitializer,
    Initializer,
    NeuralNetwork,
    NormalInitializer,
    UniversalInitializer,
    forward,
    parameters,
    update_parameters,
    zero_gradients,
)
from tinymlp.scalar.regression import data_generator, line_with_wave
from tinymlp.scalar.signals import (
    Signals,
    expected_signals,
    measured_signals,
    random_network,
    typical_share,
)
from tinymlp.scalar.tracing import Call, Edge, Node, Trace, count_visits, trace

__all__ = [
    "CENTRAL_STEP",
    "EPSILON",
    "FORWARD_STEP",
    "Call",
    "ConstantInitializer",
    "DenseLayer",
    "DenseLayer_Glorot_tanh",
    "DenseLayer_He_relu",
    "Edge",
    "GlorotInitializer",
    "HeInitializer",
    "Initializer",
    "NeuralNetwork",
    "Node",
    "NormalInitializer",
    "Signals",
    "SpreadInitializer",
    "Task",
    "Trace",
    "UniversalInitializer",
    "Var",
    "Var_to_nparray",
    "backprop",
    "central_difference",
    "chosen_losses",
    "count_visits",
    "cross_entropy_loss",
    "data_generator",
    "descend",
    "descend_by_tape",
    "draw_task",
    "expected_signals",
    "forward",
    "forward_difference",
    "gradient",
    "line_with_wave",
    "mean_loss",
    "measured_signals",
    "nparray_to_Var",
    "numerical_gradient",
    "parameters",
    "predict",
    "random_network",
    "relative_error",
    "squared_loss",
    "straight_line",
    "total",
    "trace",
    "typical_share",
    "update_parameters",
    "zero_gradients",
]

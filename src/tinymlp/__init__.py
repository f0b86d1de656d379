"""The machine learning of the report.

`from tinymlp import *` brings the names that a notebook on automatic
differentiation works with; all come from `tinymlp.scalar`, which is imported when one of them is first used.
"""

from typing import Any

__all__ = [
    "ConstantInitializer",
    "DenseLayer",
    "DenseLayer_Glorot_tanh",
    "DenseLayer_He_relu",
    "GlorotInitializer",
    "HeInitializer",
    "Initializer",
    "NeuralNetwork",
    "NormalInitializer",
    "UniversalInitializer",
    "Var",
    "Var_to_nparray",
    "cross_entropy_loss",
    "data_generator",
    "forward",
    "nparray_to_Var",
    "parameters",
    "squared_loss",
    "update_parameters",
    "zero_gradients",
]


def __getattr__(name: str) -> Any:
    # imported here: whoever wants another room, such as tinymlp.sweep, waits for no arithmetic
    if name not in __all__:
        raise AttributeError(f"module 'tinymlp' has no attribute {name!r}")
    import tinymlp.scalar

    return getattr(tinymlp.scalar, name)

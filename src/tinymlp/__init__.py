"""The machine learning of the report.

`from tinymlp import *` brings the names that a notebook on automatic
differentiation works with; each comes from its module when it is first used.
"""

from importlib import import_module
from typing import Any

_MODULE_OF = {
    "Var": "autodiff",
    "nparray_to_Var": "autodiff",
    "Var_to_nparray": "autodiff",
    "Initializer": "nn",
    "NormalInitializer": "nn",
    "ConstantInitializer": "nn",
    "GlorotInitializer": "nn",
    "HeInitializer": "nn",
    "UniversalInitializer": "nn",
    "DenseLayer": "nn",
    "DenseLayer_Glorot_tanh": "nn",
    "DenseLayer_He_relu": "nn",
    "NeuralNetwork": "nn",
    "forward": "nn",
    "parameters": "nn",
    "update_parameters": "nn",
    "zero_gradients": "nn",
    "squared_loss": "losses",
    "cross_entropy_loss": "losses",
    "data_generator": "regression",
}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'tinymlp' has no attribute {name!r}")
    return getattr(import_module(f"tinymlp.scalar.{_MODULE_OF[name]}"), name)

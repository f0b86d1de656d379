"""Sweep files of W&B, and a local agent that runs their trials."""

from tinymlp.parallel import Map
from tinymlp.sweep.agent import agent
from tinymlp.sweep.definition import Parameter, Sweep
from tinymlp.sweep.file import SweepError, load
from tinymlp.sweep.importance import importance_intervals, importances
from tinymlp.sweep.trials import Trial, TrialError, forget

__all__ = [
    "Map",
    "Parameter",
    "Sweep",
    "SweepError",
    "Trial",
    "TrialError",
    "agent",
    "forget",
    "importance_intervals",
    "importances",
    "load",
]

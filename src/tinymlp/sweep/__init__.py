"""Sweep files of W&B, and a local agent that runs their trials."""

from tinymlp.sweep.agent import (
    Map,
    Parameter,
    Sweep,
    SweepError,
    Trial,
    TrialError,
    agent,
    forget,
    importance_intervals,
    importances,
    load,
)

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

"""Sweep files of W&B, and a local agent that runs their trials."""

from tinymlp.sweep.agent import agent
from tinymlp.sweep.definition import Parameter, Sweep
from tinymlp.sweep.file import SweepError, load
from tinymlp.sweep.findings import (
    against_best,
    check_logged,
    common_values,
    contenders,
    phase_values,
    random_importance,
    ranked,
    selection_effect,
    stability,
    trial_counts,
    trial_row,
)
from tinymlp.sweep.importance import importance_intervals, importances
from tinymlp.sweep.trials import Trial, TrialError, forget

__all__ = [
    "Parameter",
    "Sweep",
    "SweepError",
    "Trial",
    "TrialError",
    "against_best",
    "agent",
    "check_logged",
    "common_values",
    "contenders",
    "forget",
    "importance_intervals",
    "importances",
    "load",
    "phase_values",
    "random_importance",
    "ranked",
    "selection_effect",
    "stability",
    "trial_counts",
    "trial_row",
]

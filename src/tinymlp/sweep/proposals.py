"""Which configurations come next: a whole grid, random ones, or what a model of the results proposes."""

import itertools
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tinymlp.sweep.definition import Config, Parameter, Sweep, Value, digest
from tinymlp.sweep.trials import Trial

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler


ROUND = 10
"""Trials that `bayes` decides together, from the results of all rounds before."""


def next_round(sweep: Sweep, trials: Sequence[Trial], seed: int, cap: int | None) -> list[Trial]:
    """Return the trials of the next round, without results; none after the last round."""
    index = trials[-1].round + 1 if trials else 0
    return [
        Trial(number, digest([sweep.id, number, config])[:16], index, config)
        for number, config in enumerate(_decided(sweep, trials, seed, cap), start=len(trials))
    ]


def _decided(sweep: Sweep, trials: Sequence[Trial], seed: int, cap: int | None) -> list[Config]:
    """Return the configurations of the next round; only `bayes` has more than one."""
    if sweep.method == "bayes" and trials:
        return _asked(sweep, trials, seed, min(cast("int", cap) - len(trials), ROUND))
    if trials:
        return []
    if sweep.method == "grid":
        return _grid(sweep, cap)
    number = min(cast("int", cap), sweep.startup) if sweep.method == "bayes" else cast("int", cap)
    return [_drawn(sweep, seed, index) for index in range(number)]


def _grid(sweep: Sweep, cap: int | None) -> list[Config]:
    """Return all combinations; the last parameter of the file changes first."""
    parameters = sweep.parameters.values()
    levels = [[one.level(index) for index in range(one.count or 0)] for one in parameters]
    combinations = itertools.islice(itertools.product(*levels), cap)
    return [dict(zip(sweep.parameters, values, strict=True)) for values in combinations]


def _drawn(sweep: Sweep, seed: int, number: int) -> Config:
    """Return a random configuration, which depends on seed and number alone."""
    rng = np.random.default_rng([seed, number])
    return {name: one.values[0] if one.fixed else one.draw(rng) for name, one in sweep.parameters.items()}


def _asked(sweep: Sweep, trials: Sequence[Trial], seed: int, n: int) -> list[Config]:
    """Return `n` configurations that a tree-structured Parzen estimator chooses, given the results of trials.

    The multivariate estimator of Optuna: S. Watanabe, arXiv 2304.11127 (2023). The choices of a round are
    bad results to each other ("constant liar"), which keeps them apart.
    """
    from optuna.samplers import TPESampler

    (state,) = np.random.SeedSequence([seed, len(trials)]).generate_state(1)
    # n_startup_trials=1: the random trials are behind us, and the sampler must not draw its own
    sampler = TPESampler(seed=int(state), multivariate=True, constant_liar=True, n_startup_trials=1)
    study = study_of(sweep, trials, sampler)
    distributions = _distributions(sweep)
    params = [study.ask(distributions).params for _ in range(n)]
    values = [sweep.fixed | {name: _value_of(choice) for name, choice in one.items()} for one in params]
    return [{name: one[name] for name in sweep.parameters} for one in values]


def study_of(sweep: Sweep, trials: Sequence[Trial], sampler: "BaseSampler | None" = None) -> "Study":
    """Return the trials as a study of Optuna; those without a value have failed."""
    import optuna

    # Optuna announces each study on stderr unless told otherwise, for the whole process
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(direction=sweep.goal, sampler=sampler)
    finally:
        optuna.logging.set_verbosity(verbosity)
    distributions = _distributions(sweep)
    for trial in trials:
        value = trial.result[sweep.metric]
        # a failed trial stays in the study but has no part in its decisions
        state = optuna.trial.TrialState.FAIL if value is None else optuna.trial.TrialState.COMPLETE
        params = {name: _choice_of(trial.config[name]) for name in distributions}
        study.add_trial(
            optuna.create_trial(state=state, value=value, params=params, distributions=distributions)
        )
    return study


def _distributions(sweep: Sweep) -> "dict[str, BaseDistribution]":
    """Return the swept parameters as distributions of Optuna."""
    return {name: _distribution(one) for name, one in sweep.swept.items()}


def _distribution(parameter: Parameter) -> "BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if parameter.values:
        with warnings.catch_warnings():
            # Optuna warns that its databases hold no lists; our study is kept in memory
            warnings.filterwarnings("ignore", "Choices for a categorical distribution", UserWarning)
            return CategoricalDistribution(tuple(map(_choice_of, parameter.values)))
    low, high, step = parameter.min, parameter.max, parameter.q
    if isinstance(low, int):
        return IntDistribution(low, int(high), log=parameter.log, step=int(step or 1))
    return FloatDistribution(low, high, log=parameter.log, step=step)


def _choice_of(value: Value) -> Any:
    """Return a value as a choice of Optuna, which must be hashable: lists as tuples."""
    return tuple(map(_choice_of, value)) if isinstance(value, list) else value


def _value_of(choice: Any) -> Value:
    return list(map(_value_of, choice)) if isinstance(choice, tuple) else choice

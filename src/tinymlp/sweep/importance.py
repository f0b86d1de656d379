"""Which hyper-parameters matter, by what the best trials of a sweep have in common."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from tinymlp.parallel import Map, serial
from tinymlp.sweep.definition import Sweep
from tinymlp.sweep.proposals import study_of
from tinymlp.sweep.trials import Trial

BEST = 0.1
"""The share of the trials that count as good ones for the importance of a parameter."""


class Spread(NamedTuple):
    """How far an importance depends on the trials: its interval, and its share of first places."""

    low: float
    high: float
    first: float


def importances(sweep: Sweep, trials: Sequence[Trial]) -> dict[str, float]:
    """Return the share of each swept parameter in what the best tenth of the trials have in common.

    PED-ANOVA: the Pearson divergence between a parameter's distribution in
    the best tenth of the trials and in all of them, as a share of the sum over
    the parameters. S. Watanabe, A. Bansal and F. Hutter, IJCAI 2023, pages
    4389-4396. It looks at one parameter at a time: what only a combination
    does, it does not see. Trials without a value are left out.

    Raises ValueError for fewer than 41 trials with a value: fewer than five
    would then be the best.
    """
    good = _with_value(sweep, trials)
    return _shares(sweep, good, range(len(good)))


def importance_intervals(
    sweep: Sweep,
    trials: Sequence[Trial],
    draws: int,
    rng: np.random.Generator,
    *,
    level: float = 0.95,
    map: Map = serial,
) -> dict[str, Spread]:
    """Return how the importances spread over trials drawn anew, with replacement: their quantiles.

    Whether one parameter matters more than another is asked of each draw, since the importances of a draw add
    up to one: their intervals may overlap where the order is the same in nearly all draws.

    The percentile method: B. Efron and R. J. Tibshirani, An Introduction to
    the Bootstrap (1993), chapter 13. Raises ValueError as `importances` does.
    """
    good = _with_value(sweep, trials)
    drawn = rng.integers(len(good), size=(draws, len(good))).tolist()
    shares = list(map(partial(_shares, sweep, good), drawn))
    tails = [(1 - level) / 2, (1 + level) / 2]
    bounds = {name: np.quantile([one[name] for one in shares], tails) for name in sweep.swept}
    firsts = Counter(max(one, key=lambda name: one[name]) for one in shares)
    return {
        name: Spread(float(low), float(high), firsts[name] / draws) for name, (low, high) in bounds.items()
    }


def _with_value(sweep: Sweep, trials: Sequence[Trial]) -> list[Trial]:
    good = [trial for trial in trials if trial.result[sweep.metric] is not None]
    if math.ceil(BEST * len(good)) < 5:
        raise ValueError(f"importances need 41 trials with a value, here are {len(good)}: run more trials")
    return good


def _shares(sweep: Sweep, trials: Sequence[Trial], chosen: Iterable[int]) -> dict[str, float]:
    """Return the importances over some of the trials, each as often as it is chosen."""
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    study = study_of(sweep, [trials[index] for index in chosen])
    evaluator, names = PedAnovaImportanceEvaluator(target_quantile=BEST), list(sweep.swept)
    found = get_param_importances(study, evaluator=evaluator, params=names)
    return {name: float(found[name]) for name in names}

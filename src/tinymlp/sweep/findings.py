"""What a sweep and the best of its trials, trained again, allow to conclude.

A trial is good if it has a value: the others have diverged. All findings are plain values, for a result.
"""

import json
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinymlp.inference import Ranking, holm_corrected, independent_means, paired_means, summarise
from tinymlp.parallel import Map, serial
from tinymlp.sweep.definition import Sweep, Value
from tinymlp.sweep.importance import importance_intervals, importances
from tinymlp.sweep.trials import Trial

Floats = NDArray[np.float64]

RANDOM, MODEL = "random", "model"  # how a trial was decided


def phase(trial: Trial) -> str:
    """Return how a trial was decided: in the first round at random, later by the model of the sampler."""
    return MODEL if trial.round else RANDOM


def trial_row(trial: Trial, names: Iterable[str], *, without: Container[str] = ()) -> dict[str, Any]:
    """Return a trial as a row of a table: number, phase, the named parameters, and its result.

    Keys of the result become names, with _ for /; those in `without` are left out. A list among the
    parameters becomes a text, such as [64, 64], since the cells of a table hold no lists.
    """
    result = {key.replace("/", "_"): value for key, value in trial.result.items() if key not in without}
    config = {name: _cell(trial.config[name]) for name in names}
    return {"number": trial.number, "phase": phase(trial), **config, **result}


def _cell(value: Value) -> Value:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


def check_logged(
    sweep: Sweep, trial: Trial, config: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Raise ValueError where the log of a trial's run says something else than the trial itself."""
    logged = {key: config.get(key) for key in trial.config}
    if logged != trial.config or rows[-1][sweep.metric] != trial.result[sweep.metric]:
        raise ValueError(f"the log of run {trial.id} differs from trial {trial.number}")


def trial_counts(sweep: Sweep, trials: Sequence[Trial], networks: int) -> dict[str, int]:
    """Return how many trials there are, of which kind, with so many networks each, and what is swept."""
    phases = [phase(trial) for trial in trials]
    return {
        "total": len(trials),
        "startup": phases.count(RANDOM),
        "failed": sum(trial.result[sweep.metric] is None for trial in trials),
        "repeats": networks,
        "networks": len(trials) * networks,
        "swept": len(sweep.swept),
    }


def ranked(sweep: Sweep, good: Sequence[Trial]) -> list[Trial]:
    """Return the trials from the least value to the greatest; of equal ones the earlier first."""
    return sorted(good, key=lambda trial: (trial.result[sweep.metric], trial.number))


def contenders(ranked: Sequence[Trial], best: int, names: Sequence[str]) -> list[Trial]:
    """Return the first `best` trials, and the first for each value of the named parameters, in order."""
    firsts: dict[tuple[str, str], Trial] = {}
    for trial in ranked:
        for name in names:
            firsts.setdefault((name, json.dumps(trial.config[name])), trial)
    chosen = {trial.number for trial in [*ranked[:best], *firsts.values()]}
    return [trial for trial in ranked if trial.number in chosen]


def phase_values(sweep: Sweep, good: Sequence[Trial]) -> dict[str, dict[str, Any]]:
    """Return summaries of the values of the random trials and of those that the model proposed."""
    values = {
        name: [trial.result[sweep.metric] for trial in good if phase(trial) == name]
        for name in (RANDOM, MODEL)
    }
    return {name: asdict(summarise(found)) for name, found in values.items()}


def random_importance(
    sweep: Sweep, good: Sequence[Trial], draws: int, rng: np.random.Generator, *, map: Map = serial
) -> dict[str, dict[str, float]]:
    """Return each swept parameter's importance over the random trials, with its spread over draws of them.

    The trials that the model proposed are not a sample of the space: they crowd where it expects low values,
    and would say how it searches.
    """
    random = [trial for trial in good if phase(trial) == RANDOM]
    estimates = importances(sweep, random)
    spreads = importance_intervals(sweep, random, draws, rng, map=map)
    return {name: {"estimate": estimate, **spreads[name]._asdict()} for name, estimate in estimates.items()}


def stability(good: Sequence[Trial], ranking: Ranking) -> dict[str, Any]:
    """Return how often the best trial is the best in samples of the seeds, and how many trials could be."""
    return {
        "share": max(ranking.shares),
        "leaders": len(ranking.leaders),
        "first": good[ranking.leaders[0]].number,
    }


def common_values(sweep: Sweep, best: Sequence[Trial]) -> dict[str, Any]:
    """Return what the best trials have in common, and the value of the worst of them.

    That is the commonest value of each swept parameter whose values can be counted, and how many of the
    trials have it.
    """
    counted = {
        name: Counter(json.dumps(trial.config[name]) for trial in best).most_common(1)[
            0
        ]  # lists have no hash
        for name, one in sweep.swept.items()
        if one.count is not None
    }
    common = {name: {"value": json.loads(text), "trials": n} for name, (text, n) in counted.items()}
    return {"trials": len(best), **common, "worst": best[-1].result[sweep.metric]}


def against_best(losses: Mapping[str, Floats], floor: float) -> dict[str, dict[str, float | None]]:
    """Return each setting's mean loss, its excess over the floor, and how far it is behind the first one.

    `losses` are (repeats,) by name, repeat by repeat on the same data, so that contrasts are paired. Each
    interval is that of one contrast; `behind_p` is corrected by Holm's method for all contrasts with the
    first, which itself is behind by None.
    """
    first, *others = losses
    behind = holm_corrected({name: paired_means(losses[name], losses[first]) for name in others})
    found = {}
    for name, values in losses.items():
        excess = paired_means(values, np.full(len(values), floor))
        contrast = asdict(behind[name]) if name in behind else {}
        found[name] = {
            "mean": float(values.mean()),
            "std": float(values.std(ddof=1)),
            "excess": excess.estimate,
            "excess_low": excess.low,
            "excess_high": excess.high,
            "behind": contrast.get("estimate"),
            "behind_low": contrast.get("low"),
            "behind_high": contrast.get("high"),
            "behind_p": contrast.get("p_holm"),
        }
    return found


def selection_effect(
    swept: float, swept_losses: Sequence[float], fresh: Mapping[str, Floats], chosen: str
) -> dict[str, Any]:
    """Return the value for which a trial was chosen against its estimate on fresh data.

    `swept_losses` are those whose mean `swept` is; `fresh` are the losses of each trial trained again, of the
    chosen one among them. The difference is fresh minus swept, of independent samples. The best on fresh data
    is named too: of equal ones the first.
    """
    means = {name: float(losses.mean()) for name, losses in fresh.items()}
    again = min(means, key=lambda name: means[name])
    return {
        "swept": swept,
        "fresh": means[chosen],
        "difference": asdict(independent_means(fresh[chosen], swept_losses)),
        "best_again": {"name": again, "mean": means[again], "is_chosen": again == chosen},
    }

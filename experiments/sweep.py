"""Questions 4.2 and 4.3: which hyper-parameters matter where the clusters overlap, and how good is the best?

The sweep is the one of `sweep.yaml`, which `wandb sweep` takes as it is; here a local agent decides the
trials, and each is a W&B run of the sweep. A trial trains networks from many seeds side by side, each seed
with data of its own; its objective is their mean validation loss, and the success rate stands beside it: a
network has solved the task if its accuracy is less than 0.1 below that of the Bayes classifier, as in
`training_sensitivity`.

The best value of a sweep is too good: it was chosen for being low. So the best trials, and the setting of
section 3 as a baseline, are trained again from fresh seeds on fresh data, and tested on points that have
served for nothing else. What the choice does to the value is also estimated from the trials themselves:
chosen on some of their seeds, judged on the others.

As a script (`python experiments/sweep.py`) this is the program of `sweep.yaml`: it trains one trial with the
parameters that an agent of W&B has given, or with those of the baseline.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from tinymlp import sweep
from tinymlp.figures import Axis, history, importance_bars, parallel_coordinates
from tinymlp.inference import (
    bayes_accuracy,
    bayes_loss,
    independent_means,
    paired_means,
    ranking_stability,
    selection_bias,
    summarise,
    wilson,
)
from tinymlp.networks import Shape, Training, advance, evaluate_separately, parameter_count, start, train
from tinymlp.tracking import Session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labreport.results.results import Result
    from labreport.running.lab import Lab
    from tinymlp.inference import Ranking
    from tinymlp.networks import Ensemble
    from tinymlp.sweep import Map, Sweep, Trial
    from tinymlp.tracking import Log

READS = ("experiments/sweep.yaml",)


@dataclass(frozen=True)
class Params:
    """How far the sweep goes, and on how much it is judged; the sweep itself is that of `sweep.yaml`."""

    trials: int = 0  # at most; 0: as many as sweep.yaml says
    best: int = 3  # that are trained again, beside the best of each depth and activation
    fresh_repeats: int = 256
    test_points: int = 2000  # for each repeat
    draws: int = 1000  # of seeds
    importance_draws: int = 300  # of trials
    seed: int = 0


QUICK = Params(trials=80, best=1, fresh_repeats=64, test_points=500, draws=100, importance_draws=20)

GROUP = "sweep"
METRIC = "val/loss"
RANDOM, MODEL = "random", "model"  # how a trial was decided
BASELINE = {
    "depth": 3,
    "width": 3,
    "lr": 0.01,
    "batch_size": 32,
    "activation": "tanh",
    "initial_scale": 1.0,
    "weight_decay": 0.0,
}  # as in section 3
SHORTFALL = 0.1  # in accuracy, of a network that has solved the task
OTHERS = {"deep_2": ("depth", 2), "deep_3": ("depth", 3), "tanh": ("activation", "tanh")}
TOP = 10  # of the trials, drawn bold
LOGGED = 10  # rows in the log of a trial
SEEDS = (1, 2, 4, 8, 16, 32)  # for each trial, had we had no more
ATTEMPTS = 3  # to get the complete log of every trial


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """Sweep, read the logs, train the best again; what the parameters and the choice do to the value."""
    definition = sweep.load(lab.file(READS[0]))
    trials, read = _swept(definition, params, lab)
    good = [trial for trial in trials if trial.result[METRIC] is not None]
    losses = np.array([trial.result["val_losses"] for trial in good])
    ranked = sorted(good, key=lambda trial: (trial.result[METRIC], trial.number))
    fresh = _fresh(_contenders(ranked, params.best), definition, params, lab)
    rng = np.random.default_rng(lab.seed("draws"))
    shown = [{key: value for key, value in row.items() if key != "losses"} for row in fresh]
    importance = _importance(good, definition, params, rng, partial(lab.map, label="importance"))
    fixed = definition.fixed
    return {
        "trials": _counts(trials, good, definition),
        "logs": {"runs": len(trials), "read": read},
        "fixed": fixed,
        "bayes": {"loss": bayes_loss(fixed["s"]), "accuracy": bayes_accuracy(fixed["s"])},
        "best": _described(ranked[0]),
        "phases": _phases(good),
        "importance": importance,
        "most_important": max(importance, key=lambda name: importance[name]["estimate"]),
        "model_depths": dict(sorted(Counter(f"d{t.config['depth']}" for t in good if t.round).items())),
        "top": _top(ranked[:TOP], definition),
        "ranking": _ranking(good, ranking_stability(losses, params.draws, rng)),
        "chosen": shown[0],
        "runner_up": shown[1],
        "baseline": shown[-1],
        "others": {key: _best_other(shown, *wanted) for key, wanted in OTHERS.items()},
        "selection": _selection(ranked[0], fresh),
        "space": pd.DataFrame(_space(definition)),
        "every_trial": pd.DataFrame([_row(trial, definition) for trial in trials]),
        "contenders": pd.DataFrame(shown),
        "bias": pd.DataFrame(map(asdict, selection_bias(losses, SEEDS, params.draws, rng))),
    }


# ---- the sweep


def _swept(definition: Sweep, params: Params, lab: Lab) -> tuple[list[Trial], int]:
    """Run all trials and read their logs; a trial without a complete log is done again, a few times."""
    folder = lab.checkpoints
    for _ in range(ATTEMPTS):
        with Session(
            lab.project.build, project=definition.project, mode=_local_mode(), notice=lab.notice
        ) as session:
            trials = sweep.agent(
                definition,
                partial(train_trial, session, definition),
                folder=folder,
                seed=lab.seed("sampler"),
                map=partial(lab.map, label="trials"),
                run_cap=params.trials or None,
            )
        if session.mode == "disabled":
            return trials, 0
        logs = lab.map(session.read, [trial.id for trial in trials], "logs")
        missing = [trial for trial, log in zip(trials, logs, strict=True) if log is None]
        if not missing:
            break
        sweep.forget(folder, missing)
    for one, log in zip(trials, logs, strict=True):
        _check(one, log)
    return trials, sum(log is not None for log in logs)


def _local_mode() -> str:
    """The local agent's runs are never online, as each would take seconds; `wandb sync` uploads them."""
    return "disabled" if os.environ.get("WANDB_MODE") == "disabled" else "offline"


def _check(trial: Trial, log: Log | None) -> None:
    """Raise ValueError where the log of a run says something else than the trial itself."""
    if log is None:
        return
    logged = {key: log.config.get(key) for key in trial.config}
    if logged != trial.config or log.rows[-1][METRIC] != trial.result[METRIC]:
        raise ValueError(f"the log of run {log.id} differs from trial {trial.number}")


def train_trial(session: Session, definition: Sweep) -> dict[str, Any]:
    """Train one trial with the parameters that an agent has given; return its objective and the rest."""
    default = {**BASELINE, **definition.fixed}
    with session.track("trial", group=GROUP, config=default) as tracker:
        config, training = tracker.config, _training(tracker.config)
        shape, repeats = _shape(config), range(config["repeats"])
        ensemble = start([shape], repeats, training, seed=config["seed"])
        for epoch in _logged_epochs(config["epochs"]):
            ensemble = advance(ensemble, epoch * training.steps_per_epoch)
            row = {"epoch": epoch, **_scores(ensemble, shape)}
            tracker.log(row)
    return {**row, "val_losses": ensemble.history[shape].val_loss[-1].tolist()}


def _shape(config: Mapping[str, Any]) -> Shape:
    return Shape(config["depth"], config["width"])


def _training(config: Mapping[str, Any]) -> Training:
    """How to train with a trial's parameters."""
    shared = ("epochs", "n_train", "n_val", "s", "batch_size", "activation")
    columns = ("lr", "initial_scale", "weight_decay")
    return Training(**{key: config[key] for key in (*shared, *columns)})


def _logged_epochs(epochs: int) -> list[int]:
    """Some epochs evenly up to the last."""
    return sorted({round(epochs * place / LOGGED) for place in range(1, LOGGED + 1)} - {0})


def _scores(ensemble: Ensemble, shape: Shape) -> dict[str, float]:
    """Means over the repeats after the last step, and the share of repeats that have solved the task."""
    history = ensemble.history[shape]
    train_loss, val_loss = history.train_loss[-1], history.val_loss[-1]
    return {
        "train/loss": float(train_loss.mean()),
        METRIC: float(val_loss.mean()),
        "val/loss_std": float(val_loss.std(ddof=1)),
        "solved": float(_solved(history.val_accuracy[-1], ensemble.training.s).mean()),
    }


def _solved(accuracy: np.ndarray, s: float) -> np.ndarray:
    return accuracy > bayes_accuracy(s) - SHORTFALL


# ---- the best again


def _contenders(ranked: Sequence[Trial], best: int) -> list[Trial]:
    """The best trials, and the best of each depth and of each activation, in the order of their values."""
    firsts: dict[tuple[str, Any], Trial] = {}
    for trial in ranked:
        for name in ("depth", "activation"):
            firsts.setdefault((name, trial.config[name]), trial)
    chosen = {trial.number for trial in [*ranked[:best], *firsts.values()]}
    return [trial for trial in ranked if trial.number in chosen]


def _fresh(best: Sequence[Trial], definition: Sweep, params: Params, lab: Lab) -> list[dict[str, Any]]:
    """The best trials and the baseline from fresh seeds, on the same fresh data: contrasts are paired."""
    named = {f"trial {one.number}": (one.config, one.result[METRIC]) for one in best}
    named["baseline"] = {**definition.fixed, **BASELINE}, None
    seed = lab.seed("fresh")
    rows = []
    for name, (config, swept) in named.items():
        shape = _shape(config)
        repeats = range(params.fresh_repeats)
        ensemble = train([shape], repeats, _training(config), seed=seed, map=lab.map)
        score = evaluate_separately(ensemble, params.test_points, map=lab.map)[shape]
        solved = int(_solved(score.accuracy, config["s"]).sum())
        rows.append(
            {
                "name": name,
                **{key: config[key] for key in BASELINE},
                "parameters": parameter_count(shape.depth, shape.width),
                "swept": swept,
                "losses": score.loss,
                **asdict(wilson(solved, len(score.loss))),
            }
        )
    best, floor = rows[0]["losses"], bayes_loss(definition.fixed["s"])
    return [{**row, **_against(row["losses"], best, floor)} for row in rows]


def _against(losses: np.ndarray, best: np.ndarray, floor: float) -> dict[str, Any]:
    """The mean loss, its excess over the Bayes loss, and how far it is behind the chosen, pair by pair."""
    excess = paired_means(losses, np.full(len(losses), floor))
    behind = paired_means(losses, best)
    is_best = losses is best
    return {
        "mean": float(losses.mean()),
        "std": float(losses.std(ddof=1)),
        "excess": excess.estimate,
        "excess_low": excess.low,
        "excess_high": excess.high,
        "behind": None if is_best else behind.estimate,
        "behind_low": None if is_best else behind.low,
        "behind_high": None if is_best else behind.high,
    }


def _best_other(shown: Sequence[dict[str, Any]], name: str, value: Any) -> dict[str, Any] | None:
    """The first of the trials trained again that has a value; None where there is none."""
    return next((row for row in shown[:-1] if row[name] == value), None)


def _selection(best: Trial, fresh: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The value for which the best trial was chosen against its estimate on fresh data."""
    difference = independent_means(fresh[0]["losses"], best.result["val_losses"])
    again = min(fresh[:-1], key=lambda row: row["mean"])
    return {
        "swept": best.result[METRIC],
        "fresh": fresh[0]["mean"],
        "difference": asdict(difference),
        "best_again": {"name": again["name"], "mean": again["mean"], "is_chosen": again is fresh[0]},
    }


# ---- what the trials say


def _counts(trials: Sequence[Trial], good: Sequence[Trial], definition: Sweep) -> dict[str, Any]:
    phases = [_phase(trial) for trial in trials]
    return {
        "total": len(trials),
        "startup": phases.count(RANDOM),
        "failed": len(trials) - len(good),
        "repeats": definition.fixed["repeats"],
        "networks": len(trials) * definition.fixed["repeats"],
        "swept": len(definition.swept),
    }


def _phases(good: Sequence[Trial]) -> dict[str, Any]:
    """The values of the random start-up trials and of those that the model proposed."""
    values = {phase: [t.result[METRIC] for t in good if _phase(t) == phase] for phase in (RANDOM, MODEL)}
    return {phase: asdict(summarise(found)) for phase, found in values.items()}


def _importance(
    good: Sequence[Trial], definition: Sweep, params: Params, rng: np.random.Generator, map: Map
) -> dict[str, dict[str, float]]:
    """Each swept parameter's importance over the random trials: the others are no sample of the space."""
    random = [trial for trial in good if _phase(trial) == RANDOM]
    estimates = sweep.importances(definition, random)
    intervals = sweep.importance_intervals(definition, random, params.importance_draws, rng, map=map)
    return {
        name: {"estimate": estimate, "low": intervals[name][0], "high": intervals[name][1]}
        for name, estimate in estimates.items()
    }


def _ranking(good: Sequence[Trial], ranking: Ranking) -> dict[str, Any]:
    """How often the best trial is the best in bootstrap samples of the seeds, and how many could be."""
    return {
        "share": max(ranking.shares),
        "leaders": len(ranking.leaders),
        "first": good[ranking.leaders[0]].number,
    }


def _top(best: Sequence[Trial], definition: Sweep) -> dict[str, Any]:
    """What the best trials have in common: the commonest value of each listed or integer parameter."""
    counted = {
        name: Counter(trial.config[name] for trial in best).most_common(1)[0]
        for name, one in definition.swept.items()
        if one.count is not None
    }
    common = {name: {"value": value, "trials": n} for name, (value, n) in counted.items()}
    return {"trials": len(best), **common, "worst": best[-1].result[METRIC]}


def _described(trial: Trial) -> dict[str, Any]:
    """A trial's parameters and result as values."""
    row = {key: value for key, value in trial.result.items() if key != "val_losses"}
    return {"number": trial.number, "phase": _phase(trial), **trial.config, **_identifiers(row)}


def _identifiers(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key.replace("/", "_"): value for key, value in row.items()}


def _phase(trial: Trial) -> str:
    """How the trial was decided: the first round at random, the others by the model of the sampler."""
    return MODEL if trial.round else RANDOM


def _row(trial: Trial, definition: Sweep) -> dict[str, Any]:
    """A trial as a row of the table of all."""
    result = {key: value for key, value in trial.result.items() if key not in ("val_losses", "epoch")}
    swept = {name: trial.config[name] for name in definition.swept}
    return {"number": trial.number, "phase": _phase(trial), **swept, **_identifiers(result)}


def _space(definition: Sweep) -> list[dict[str, Any]]:
    """The swept parameters: their values, or the ends of their intervals, and the scale of these."""
    return [
        {
            "name": name.replace("lr", "learning rate").replace("_", " "),
            "values": ", ".join(map(str, one.values)) or f"{_plain(one.min)} to {_plain(one.max)}",
            "scale": "listed" if one.values else "logarithmic" if one.log else "linear",
        }
        for name, one in definition.swept.items()
    ]


def _plain(number: float) -> str:
    """A number as people write it: without an exponent, and without zeros at the end."""
    return f"{Decimal(str(number)):f}".removesuffix(".0")


# ---- figures

LEAST_EXCESS = 1e-4  # shown on a log axis


def draw(result: Result, lab: Lab) -> None:
    """Three figures: parallel coordinates, history with importance, and what the choice does to the value."""
    trials, values = result.table("every_trial"), result.values
    best, bias = values["best"], result.table("bias")
    trials["excess"] = (trials["val_loss"] - values["bayes"]["loss"]).clip(lower=LEAST_EXCESS)
    lab.figure(
        "parallel",
        _parallel(trials),
        alt="Parallel coordinates of all trials: depth, width, learning rate, batch size, activation, "
        "initial scale, weight decay, excess loss. The best trials are bold; the very best, black, has depth "
        f"{best['depth']}, width {best['width']}, {best['activation']} and a loss of {best['val_loss']:.4f}.",
        data=trials,
    )
    first = values["most_important"].replace("_", " ")
    lab.figure(
        "history",
        _history(trials, values),
        alt="Left: the excess loss of each trial in order, random ones first, with the least so far as a "
        f"falling step line. Right: the importance of each parameter with its interval; {first} has most.",
    )
    lab.figure(
        "bias",
        _bias(bias),
        alt="Validation loss of the chosen trial against the number of seeds for each trial: the value for "
        "which it was chosen lies below its mean over other seeds, far below with one seed, less with many.",
        data=bias,
    )


def _parallel(trials: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(5.9, 3.3))
    ax = figure.subplots()
    axes = {
        "depth": Axis("depth", "integer"),
        "width": Axis("width", "integer"),
        "lr": Axis("learning\nrate", "log"),
        "batch_size": Axis("batch\nsize", "category", (8, 16, 32, 64)),
        "activation": Axis("activation", "category", ("relu", "tanh")),
        "initial_scale": Axis("initial\nscale", "log"),
        "weight_decay": Axis("weight\ndecay", "log"),
        "excess": Axis("excess loss\n(nats)", "log", inverted=True),
    }
    columns = {name: trials[name].tolist() for name in axes}
    parallel_coordinates(ax, columns, axes, value="excess", best=TOP)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _history(trials: pd.DataFrame, values: Mapping[str, Any]) -> Figure:
    figure = Figure(figsize=(5.9, 2.6))
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    history(left, trials["excess"].tolist(), values["trials"]["startup"])
    left.set(yscale="log", ylabel="excess loss (nats)", title="optimisation history")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter("{x:g}")
    left.yaxis.set_minor_formatter("")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    bars = {
        name.replace("lr", "learning rate").replace("_", " "): (one["estimate"], one["low"], one["high"])
        for name, one in values["importance"].items()
    }
    importance_bars(right, bars)
    right.set(xlabel="share of importance", title="importance (PED-ANOVA)")
    return figure


def _bias(bias: pd.DataFrame) -> Figure:
    """The value for which a trial was chosen, and its mean over other seeds, by the number of seeds."""
    figure = Figure(figsize=(3.6, 2.3))
    ax = figure.subplots()
    ax.plot(bias["seeds"], bias["apparent"], "s--", color="#D55E00", ms=4, label="on the seeds of the choice")
    ax.plot(bias["seeds"], bias["honest"], "o-", color="#0072B2", ms=4, label="on other seeds")
    ax.set_xscale("log", base=2)
    ax.set_xticks(bias["seeds"], [str(n) for n in bias["seeds"]])
    ax.minorticks_off()
    ax.set(xlabel="seeds for each trial (log scale)", ylabel="loss of the chosen (nats)")
    ax.legend()
    return figure


# ---- one trial, for an agent of W&B


def main() -> None:
    """Train one trial; `wandb agent` starts this in the project's folder, with the trial's parameters."""
    definition = sweep.load(Path(__file__).with_name("sweep.yaml"))
    with Session(Path("build"), project=definition.project) as session:
        train_trial(session, definition)


if __name__ == "__main__":
    main()

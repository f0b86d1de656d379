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
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from tinymlp import sweep
from tinymlp.figures import BLUE, VERMILION, Axis, history, importance_bars, parallel_coordinates
from tinymlp.inference import (
    bayes_accuracy,
    bayes_loss,
    ranking_stability,
    selection_bias,
    wilson,
)
from tinymlp.networks import Shape, Training, evaluate_separately, parameter_count, train
from tinymlp.studies import solved
from tinymlp.tracking import Log, Session, offline_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from labreport.results import Result
    from labreport.running import Lab
    from tinymlp.networks import Ensemble
    from tinymlp.sweep import Sweep, Trial

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

PROJECT = "noisy-xor"  # as in sweep.yaml
GROUP = "sweep"
METRIC = "val/loss"
BASELINE = {
    "depth": 3,
    "width": 3,
    "lr": 0.01,
    "batch_size": 32,
    "activation": "tanh",
    "initial_scale": 1.0,
    "weight_decay": 0.0,
}  # as in section 3
OTHERS = {"deep_2": ("depth", 2), "deep_3": ("depth", 3), "tanh": ("activation", "tanh")}
TOP = 10  # of the trials, drawn bold
LOGGED = 10  # rows in the log of a trial
ROW = {
    "epoch": "epoch",
    "train/loss": "train_loss",
    METRIC: "val_loss",
    "val/loss_std": "val_loss_std",
    "solved": "solved",
}  # keys in the log of a trial, and the columns of the table
SEEDS = (1, 2, 4, 8, 16, 32)  # for each trial, had we had no more
ATTEMPTS = 3  # to get the complete log of every trial


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """Sweep, read the logs, train the best again; what the parameters and the choice do to the value."""
    definition = sweep.load(lab.file(READS[0]))
    trials, logs = _swept(definition, params, lab)
    good = [trial for trial in trials if trial.result[METRIC] is not None]
    losses = np.array([trial.result["val_losses"] for trial in good])
    ranked = sweep.ranked(definition, good)
    best = sweep.contenders(ranked, params.best, ("depth", "activation"))
    fresh = _fresh(best, definition, params, lab)
    rng = np.random.default_rng(lab.seed("draws"))
    shown = [{key: value for key, value in row.items() if key != "losses"} for row in fresh]
    importance = sweep.random_importance(
        definition, good, params.importance_draws, rng, map=partial(lab.map, label="importance")
    )
    fixed, swept = definition.fixed, definition.swept
    return {
        "trials": sweep.trial_counts(definition, trials, fixed["repeats"]),
        "logs": {"runs": len(trials), "read": len(logs)},
        "sweep_id": definition.id,
        "run_ids": [trial.id for trial in trials],
        "fixed": fixed,
        "bayes": {"loss": bayes_loss(fixed["s"]), "accuracy": bayes_accuracy(fixed["s"])},
        "best": sweep.trial_row(ranked[0], ranked[0].config, without=("val_losses",)),
        "phases": sweep.phase_values(definition, good),
        "importance": importance,
        "most_important": max(importance, key=lambda name: importance[name]["estimate"]),
        "model_depths": dict(sorted(Counter(f"d{t.config['depth']}" for t in good if t.round).items())),
        "top": sweep.common_values(definition, ranked[:TOP]),
        "ranking": sweep.stability(good, ranking_stability(losses, params.draws, rng)),
        "chosen": shown[0],
        "runner_up": shown[1],
        "baseline": shown[-1],
        "others": {
            key: next((row for row in shown[:-1] if row[name] == value), None)
            for key, (name, value) in OTHERS.items()
        },
        "selection": sweep.selection_effect(
            ranked[0].result[METRIC],
            ranked[0].result["val_losses"],
            {row["name"]: row["losses"] for row in fresh[:-1]},
            fresh[0]["name"],
        ),
        "every_trial": pd.DataFrame(
            [sweep.trial_row(trial, swept, without=("val_losses", "epoch")) for trial in trials]
        ),
        "logged": pd.DataFrame(
            [{"number": number, **row} for number, log in logs.items() for row in log.rows],
            columns=["number", *ROW],
        ).rename(columns=ROW),
        "contenders": pd.DataFrame(shown),
        "bias": pd.DataFrame(map(asdict, selection_bias(losses, SEEDS, params.draws, rng))),
    }


def _label(parameter: str) -> str:
    """A parameter's name as people write it."""
    return parameter.replace("lr", "learning rate").replace("_", " ")


# ---- the sweep


def _swept(definition: Sweep, params: Params, lab: Lab) -> tuple[list[Trial], dict[int, Log]]:
    """Run all trials and read their logs; a trial without a complete log is done again, a few times.

    Returns the trials, and the logs by the number of the trial.
    """
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
            return trials, {}
        logs = lab.map(session.read, [trial.id for trial in trials], "logs")
        missing = [trial for trial, log in zip(trials, logs, strict=True) if log is None]
        if not missing:
            break
        sweep.forget(folder, missing)
    read = [(trial, log) for trial, log in zip(trials, logs, strict=True) if log is not None]
    for trial, log in read:
        sweep.check_logged(definition, trial, log.config, log.rows)
    return trials, {trial.number: log for trial, log in read}


def _local_mode() -> str:
    """The local agent's runs are never online, as each would take seconds; `wandb sync` uploads them."""
    return "disabled" if os.environ.get("WANDB_MODE") == "disabled" else "offline"


def train_trial(session: Session, definition: Sweep) -> dict[str, Any]:
    """Train one trial with the parameters that an agent has given; return its objective and the rest."""
    default = {**BASELINE, **definition.fixed}
    with session.track("trial", group=GROUP, config=default) as tracker:
        config = tracker.config
        shape, repeats = _shape(config), range(config["repeats"])
        training = _recorded(_training(config))
        ensemble = train([shape], repeats, training, seed=config["seed"])
        for row in _rows(ensemble, shape):
            tracker.log(row)
    return {**row, "val_losses": ensemble.history[shape].val_loss[-1].tolist()}


def _shape(config: Mapping[str, Any]) -> Shape:
    return Shape(config["depth"], config["width"])


def _training(config: Mapping[str, Any]) -> Training:
    """How to train with a trial's parameters."""
    shared = ("epochs", "n_train", "n_val", "s", "batch_size", "activation")
    columns = ("lr", "initial_scale", "weight_decay")
    return Training(**{key: config[key] for key in (*shared, *columns)})


def _recorded(training: Training) -> Training:
    """The training with records after some epochs, evenly up to the last."""
    epochs = {round(training.epochs * place / LOGGED) for place in range(1, LOGGED + 1)} - {0}
    return replace(training, checkpoints=tuple(epoch * training.steps_per_epoch for epoch in sorted(epochs)))


def _rows(ensemble: Ensemble, shape: Shape) -> Iterator[dict[str, float]]:
    """A row for each record: means over the repeats, and the share of repeats that have solved the task."""
    history, training = ensemble.history[shape], ensemble.training
    columns = (ensemble.recorded, history.train_loss, history.val_loss, history.val_accuracy)
    for step, train_loss, val_loss, val_accuracy in zip(*columns, strict=True):
        yield {
            "epoch": step // training.steps_per_epoch,
            "train/loss": float(train_loss.mean()),
            METRIC: float(val_loss.mean()),
            "val/loss_std": float(val_loss.std(ddof=1)),
            "solved": float(solved(val_accuracy, training.s).mean()),
        }


# ---- the best again


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
        successes = int(solved(score.accuracy, config["s"]).sum())
        rows.append(
            {
                "name": name,
                **{key: config[key] for key in BASELINE},
                "parameters": parameter_count(shape.depth, shape.width),
                "swept": swept,
                "losses": score.loss,
                **asdict(wilson(successes, len(score.loss))),
            }
        )
    found = sweep.against_best(
        {row["name"]: row["losses"] for row in rows}, bayes_loss(definition.fixed["s"])
    )
    return [{**row, **found[row["name"]]} for row in rows]


# ---- figures

LEAST_EXCESS = 1e-4  # shown on a log axis


def draw(result: Result, lab: Lab) -> None:
    """Three figures: parallel coordinates, history with importance, and what the choice does to the value."""
    trials, values = result.table("every_trial"), result.values
    best, bias = values["best"], result.table("bias")
    trials["excess"] = (trials["val_loss"] - values["bayes"]["loss"]).clip(lower=LEAST_EXCESS)
    axes = [
        "phase",
        "depth",
        "width",
        "lr",
        "batch_size",
        "activation",
        "initial_scale",
        "weight_decay",
        "excess",
    ]
    lab.figure(
        "parallel",
        _parallel(trials),
        alt="Parallel coordinates of all trials: depth, width, learning rate, batch size, activation, "
        "initial scale, weight decay, excess loss. The best trials are bold; the very best, black, has depth "
        f"{best['depth']}, width {best['width']}, {best['activation']} and a loss of {best['val_loss']:.4f}.",
        data=trials,
        explore={"kind": "parallel", "columns": axes},
        files=_offline_files(result),
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


def _offline_files(result: Result) -> dict[str, bytes]:
    """The logged trials as files that `wandb sync` takes."""
    values, trials = result.values, result.table("every_trial")
    names = {column: key for key, column in ROW.items()}
    files = {}
    for number, logged in result.table("logged").groupby("number"):
        run_id = values["run_ids"][number]
        rows = logged[list(names)].rename(columns=names).to_dict("records")
        trial = trials.loc[trials["number"] == number, list(BASELINE)].to_dict("records")[0]
        log = Log(run_id, "trial", GROUP, {**trial, **values["fixed"]}, rows, rows[-1], 0, values["sweep_id"])
        files[f"run-{run_id}.wandb"] = offline_file(log, PROJECT)
    return files


def _parallel(trials: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(5.9, 2.9))
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
        _label(name): (one["estimate"], one["low"], one["high"]) for name, one in values["importance"].items()
    }
    importance_bars(right, bars)
    right.set(xlabel="share of importance", title="importance (PED-ANOVA)")
    return figure


def _bias(bias: pd.DataFrame) -> Figure:
    """The value for which a trial was chosen, and its mean over other seeds, by the number of seeds."""
    figure = Figure(figsize=(3.6, 2.3))
    ax = figure.subplots()
    ax.plot(bias["seeds"], bias["apparent"], "s--", color=VERMILION, ms=4, label="on the seeds of the choice")
    ax.plot(bias["seeds"], bias["honest"], "o-", color=BLUE, ms=4, label="on other seeds")
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

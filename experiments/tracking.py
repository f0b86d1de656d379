"""Question 4.1: how does the training of a promising network progress, as Weights & Biases logs it?

The network is chosen by a rule that looks at validation results alone: of all shapes of `depth_width`, the
one with the least mean validation loss over the repeats. How far another set of repeats would have led to
another choice is part of the result.

The chosen network is trained again from several seeds, as one group of runs. What the figures show is what
the logs of the runs say: they are read back after the training, and must agree with the history that the
training itself kept. A run whose log is missing or incomplete is done again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import nn

from tinymlp.figures import BLUE, ORANGE, boundary_key, decision_boundary, scatter_classes
from tinymlp.networks import Net, NoisyXor, parameter_count
from tinymlp.studies import candidate_rows, curve, findings, snapshots, telling_runs
from tinymlp.tracking import FIELDS, Log, Session, fit, offline_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from labreport.results import Result
    from labreport.running import Lab
    from tinymlp.networks import History

NEEDS = ("depth_width",)


@dataclass(frozen=True)
class Params:
    """How many runs, and how many sets of repeats show how stable the choice is.

    Data, batch size and learning rate are those of `depth_width`.
    """

    runs: int = 12
    epochs: int = 100
    draws: int = 2000
    seed: int = 0


QUICK = Params(runs=3, epochs=10, draws=200)

PROJECT, GROUP = "noisy-xor", "tracking"
ATTEMPTS = 3  # to get the complete log of every run
REPEATS_ASKED = (1, 10, 100)  # repeats after which one might choose
SHOWN_POINTS = 100  # of the training data, in the pictures of decision boundaries
SHOWN_EPOCHS = 6


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """Choose a shape, train it with tracking, and return what the logs of the runs say."""
    study = lab.result("depth_width")
    rng = np.random.default_rng(lab.seed("draws"))
    candidates = candidate_rows(
        study.table("shapes"), study.table("repeats"), REPEATS_ASKED, params.draws, rng
    )
    chosen = min(candidates, key=lambda row: (row["val_loss"], row["parameters"]))
    depth, width = chosen["depth"], chosen["width"] or 0
    config = {
        "depth": depth,
        "width": width,
        "epochs": params.epochs,
        **{key: study.params[key] for key in ("n_train", "s", "batch_size", "lr")},
    }
    seeds = [lab.seed("run", number) % 2**32 for number in range(params.runs)]
    runs = _tracked(config, seeds, lab)
    curves = pd.concat(
        [
            curve(number, history, log.rows if log else None, FIELDS)
            for number, (log, history) in enumerate(runs)
        ],
        ignore_index=True,
    )
    solved_above = study.params["solved_above"]
    logged = [log.rows if log else [] for log, _ in runs]
    return {
        "chosen": chosen,
        "repeats_asked": list(REPEATS_ASKED),
        "config": config,
        "parameters": parameter_count(depth, width),
        "seeds": seeds,
        "run_ids": [log.id if log else None for log, _ in runs],
        "logs": {"runs": params.runs, "read": sum(log is not None for log, _ in runs)},
        **findings(curves, solved_above),
        "pictures": [
            {"run": number, "which": which, **picture}
            for which, number in telling_runs(curves, solved_above).items()
            for picture in snapshots(logged[number], SHOWN_EPOCHS)
        ],
        "candidates": pd.DataFrame(candidates).astype({"width": "Int64"}),
        "curves": curves,
    }


# ---- the runs


def _tracked(config: Mapping[str, Any], seeds: Sequence[int], lab: Lab) -> list[tuple[Log | None, History]]:
    """Train from each seed and read the logs; a run without a complete log is done again, a few times."""
    done: dict[int, tuple[Log | None, History]] = {}
    for _ in range(ATTEMPTS):
        missing = [seed for seed in seeds if seed not in done or done[seed][0] is None]
        if not missing:
            break
        with Session(lab.project.build, project=PROJECT, notice=lab.notice) as session:
            trained = lab.map(partial(_train, session, config), missing, "runs")
        written = session.mode != "disabled"  # else there are only logs of earlier runs
        logs = [session.read(run_id) if written else None for run_id, _ in trained]
        for seed, log, (_, history) in zip(missing, logs, trained, strict=True):
            done[seed] = log, history
        if not written:
            break
    return [done[seed] for seed in seeds]


def _train(session: Session, config: Mapping[str, Any], seed: int) -> tuple[str, History]:
    """Train one network with tracking; return the run's id and the history that the training kept."""
    train, val = _data(config, seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Net(config["depth"], config["width"])
    with session.track(f"seed {seed}", group=GROUP, config={**config, "seed": seed}) as tracker:
        history = fit(
            model,
            train,
            val,
            tracker,
            epochs=config["epochs"],
            batch_size=config["batch_size"],
            lr=config["lr"],
            seed=seed,
        )
    return tracker.id, history


def _data(config: Mapping[str, Any], seed: int) -> tuple[NoisyXor, NoisyXor]:
    """The training and the validation set of a run: equally many points, of independent seeds."""
    own = np.random.SeedSequence(seed).generate_state(2).tolist()
    train, val = (NoisyXor(config["n_train"], config["s"], seed=part) for part in own)
    return train, val


# ---- figures


def draw(result: Result, lab: Lab) -> None:
    """Two figures: the learning curves of all runs, and the decision boundary over time."""
    curves, values = result.table("curves"), result.values
    lab.figure(
        "curves",
        _curves(curves),
        alt="Learning curves of the runs, with their median: training loss and validation loss, validation "
        "accuracy, and the norm of the gradient, over the epochs.",
        data=curves,
        explore={"kind": "lines", "by": "run"},
        files=_offline_files(values, curves),
    )
    if values["pictures"]:
        lab.figure(
            "boundaries",
            _boundaries(values),
            alt="The decision boundary over the epochs, left to right, with some of the training data: a row "
            "for each run that is shown.",
        )


PANELS = {
    "train_loss": "training loss (nats)",
    "val_loss": "validation loss (nats)",
    "val_accuracy": "validation accuracy",
    "gradient_norm": "gradient norm",
}


def _offline_files(values: Mapping[str, Any], curves: pd.DataFrame) -> dict[str, bytes]:
    """The logged runs without their pictures, as files that `wandb sync` takes."""
    files = {}
    for number, run_id in enumerate(values["run_ids"]):
        if run_id is None:
            continue
        columns = {"epoch": "epoch", **FIELDS}
        rows = curves.loc[curves["run"] == number, list(columns)].rename(columns=columns).to_dict("records")
        seed = values["seeds"][number]
        config = {**values["config"], "seed": seed}
        log = Log(run_id, f"seed {seed}", GROUP, config, rows, rows[-1], 0, "")
        files[f"run-{run_id}.wandb"] = offline_file(log, PROJECT)
    return files


def _curves(curves: pd.DataFrame) -> Figure:
    """Losses, accuracy and gradient norm over the epochs: each run thin, the median thick."""
    figure = Figure(figsize=(5.9, 1.9))
    panels = dict(zip(PANELS, figure.subplots(1, len(PANELS)), strict=True))
    for column, ax in panels.items():
        table = curves.pivot(index="epoch", columns="run", values=column)
        ax.plot(table.index, table, color=BLUE, lw=0.5, alpha=0.5)
        ax.plot(table.index, table.median(axis=1), color="black", lw=1.5)
        ax.set(ylabel=PANELS[column], xlabel="epochs", yscale="linear" if column == "val_accuracy" else "log")
    # the median training loss once more, since the medians of both losses hardly differ
    median = curves.groupby("epoch")["train_loss"].median()
    panels["val_loss"].plot(median.index, median, color=ORANGE, lw=1.5, ls=(0, (1, 1.5)))
    panels["train_loss"].sharey(panels["val_loss"])
    lines = [
        Line2D([], [], color=BLUE, lw=0.5, label="one run"),
        Line2D([], [], color="black", lw=1.5, label="median over runs"),
        Line2D([], [], color=ORANGE, lw=1.5, ls=(0, (1, 1.5)), label="median training loss"),
    ]
    figure.legend(handles=lines, loc="outside lower center", ncols=3)
    return figure


def _boundaries(values: Mapping[str, Any]) -> Figure:
    """The probabilities over the plane at some epochs, a row for each outcome that occurs."""
    pictures = pd.DataFrame(values["pictures"])
    rows = list(pictures.groupby("which", sort=False))
    columns = pictures["epoch"].nunique()
    figure = Figure(figsize=(5.9, 0.6 + len(rows)))
    axes = figure.subplots(len(rows), columns, squeeze=False, sharex=True, sharey=True)
    for row, (which, shown) in enumerate(rows):
        for ax, picture in zip(axes[row], shown.to_dict("records"), strict=True):
            _picture(ax, picture, values)
            ax.set_title("" if row else f"epoch {picture['epoch']}")
            ax.set(xlabel="$x_1$" if row == len(rows) - 1 else "", ylabel="")
        axes[row, 0].set_ylabel(f"{which}\n$x_2$")
    figure.legend(handles=boundary_key(), loc="outside lower center", ncols=3)
    return figure


def _picture(ax: Axes, picture: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Draw the network of one epoch with some of its training data."""
    config = values["config"]
    net = Net(config["depth"], config["width"])
    nn.utils.vector_to_parameters(torch.tensor(picture["parameters"]), net.parameters())
    train, _ = _data(config, values["seeds"][picture["run"]])
    decision_boundary(ax, partial(_probability, net))
    scatter_classes(ax, train.inputs[:SHOWN_POINTS], train.targets[:SHOWN_POINTS], size=3)


@torch.no_grad()
def _probability(net: Net, points: np.ndarray) -> np.ndarray:
    return torch.sigmoid(net(torch.tensor(points, dtype=torch.float32))).numpy()

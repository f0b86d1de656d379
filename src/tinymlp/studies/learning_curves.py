"""What the curves of several runs of one network show: when they solve the task, where they are best.

Curves are a frame with a row for each run and epoch, from 1: `run`, `epoch` and the fields of a history.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from tinymlp.inference import chosen_shares, summarise, wilson
from tinymlp.networks import History


def candidate_rows(
    shapes: pd.DataFrame,
    repeats: pd.DataFrame,
    sizes: Sequence[int],
    draws: int,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """Return each shape's validation loss, and how often the rule would choose it after so many repeats.

    The rule takes the least mean validation loss. `shapes` has columns name, depth, width, parameters and
    rate; `repeats` has shape (a name) and val_loss, in the same order of repeats for each shape.
    """
    losses = {name: repeats.loc[repeats["shape"] == name, "val_loss"].to_numpy() for name in shapes["name"]}
    shares = chosen_shares(losses, sizes, draws, rng)
    return [
        {
            "name": row["name"],
            "depth": int(row["depth"]),
            "width": None if pd.isna(row["width"]) else int(row["width"]),
            "parameters": int(row["parameters"]),
            "val_loss": float(losses[row["name"]].mean()),
            "val_loss_std": float(losses[row["name"]].std(ddof=1)),
            "rate": float(row["rate"]),
            **{f"chosen_{n}": shares[n][row["name"]] for n in sizes},
        }
        for row in shapes.to_dict("records")
    ]


def curve(
    number: int, history: History, rows: Sequence[Mapping[str, Any]] | None, fields: Mapping[str, str]
) -> pd.DataFrame:
    """Return a run's row for each epoch: from the rows of its log or, without one, from its history.

    `fields` says by which key a log has each field of a history. Raises ValueError where the log says
    something else than the history that the training kept.
    """
    kept = pd.DataFrame({name: getattr(history, name) for name in fields}, dtype=float)
    kept.insert(0, "epoch", np.arange(1, len(kept) + 1))
    if rows is not None:
        read = pd.DataFrame(rows).rename(columns={key: name for name, key in fields.items()})
        # JSON knows one kind of number: a whole one has come back as an int
        read = read[list(kept)].astype(kept.dtypes)
        if not kept.equals(read):
            raise ValueError(f"the log of run {number} differs from the history that its training kept")
        kept = read
    kept.insert(0, "run", number)
    return kept


def findings(curves: pd.DataFrame, solved_above: float) -> dict[str, Any]:
    """Return what the curves show: when runs solve the task, their best epochs, how gradients change.

    A run has solved the task if its last validation accuracy is above `solved_above`; the epoch in which it
    does is the first above, even where it falls below again. Epochs and gradients of runs that are stuck
    have no part in what is said of those that solve it.
    """
    last, solved = _last(curves, solved_above)
    best = curves.loc[curves.groupby("run")["val_loss"].idxmin()].set_index("run")
    good, end = last[solved], int(curves["epoch"].max())
    return {
        "solved": asdict(wilson(int(solved.sum()), len(solved))),
        "solved_epoch": asdict(summarise(_solved_epochs(curves, solved_above))),
        "val_loss": asdict(summarise(good["val_loss"])),
        "stuck_val_loss": asdict(summarise(last.loc[~solved, "val_loss"])),
        "val_minus_train": asdict(summarise(good["val_loss"] - good["train_loss"])),
        "val_over_train": asdict(summarise(good["val_loss"] / good["train_loss"])),
        "val_twice_train": int((good["val_loss"] > 2 * good["train_loss"]).sum()),
        "best_epoch": asdict(summarise(best["epoch"])),
        "best_is_last": int((best["epoch"] == end).sum()),
        "best_val_loss": asdict(summarise(best["val_loss"][solved])),
        "gradient_norm": {
            "first": _median_norm(curves, good.index, 1),
            "last": _median_norm(curves, good.index, end),
            "greatest": asdict(summarise(curves.groupby("run")["gradient_norm"].max()[good.index])),
        },
    }


def telling_runs(curves: pd.DataFrame, solved_above: float) -> dict[str, int]:
    """Return the numbers of the quickest and the slowest run that solve the task, and of the first stuck one.

    Those that do not exist are absent; of equal ones the earlier is taken.
    """
    epochs = _solved_epochs(curves, solved_above)
    stuck = _last(curves, solved_above)[0].index.difference(epochs.index)
    shown = {"quickest": epochs.nsmallest(1).index, "slowest": epochs.nlargest(1).index, "stuck": stuck[:1]}
    return {which: int(number) for which, numbers in shown.items() for number in numbers}


def snapshots(rows: Sequence[Mapping[str, Any]], count: int) -> list[dict[str, Any]]:
    """Return the parameters at up to `count` of the epochs for which a log's rows have them.

    The epochs lie on a logarithmic scale, as networks change most at the beginning.
    """
    held = [row for row in rows if "parameters" in row]
    if not held:
        return []
    places = np.unique(np.geomspace(1, len(held), count).round().astype(int)) - 1
    return [
        {"epoch": row["epoch"], "val_loss": row["val/loss"], "parameters": row["parameters"]}
        for row in (held[place] for place in places.tolist())
    ]


def _last(curves: pd.DataFrame, solved_above: float) -> "tuple[pd.DataFrame, pd.Series[bool]]":
    """Return the last row of each run, and whether the run has solved the task by then."""
    last = curves[curves["epoch"] == curves["epoch"].max()].set_index("run")
    return last, last["val_accuracy"] > solved_above


def _solved_epochs(curves: pd.DataFrame, solved_above: float) -> "pd.Series[int]":
    """Return the first epoch above the bound of each run that has solved the task in the end."""
    last, solved = _last(curves, solved_above)
    right = curves[curves["val_accuracy"] > solved_above]
    return right.groupby("run")["epoch"].min()[last.index[solved]]


def _median_norm(curves: pd.DataFrame, runs: "pd.Index[Any]", epoch: int) -> float | None:
    """Return the median norm of the gradient over some runs after an epoch."""
    chosen = curves[(curves["epoch"] == epoch) & curves["run"].isin(runs)]
    return summarise(chosen["gradient_norm"]).median

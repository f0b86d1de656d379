"""The tracker of one run, and how a run of wandb gets what the tracker is given."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, cast

import numpy as np
import torch
import wandb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import nn

from tinymlp.figures import decision_boundary, scatter_classes
from tinymlp.networks import Data, History, whole
from tinymlp.tracking.account import Mode
from tinymlp.tracking.process import exit_code, exit_on_sigterm
from tinymlp.tracking.record import Picture, Record, as_plain

SHOWN_POINTS = 200  # of the data, in a picture of the boundary
FIELDS = {  # of a history: key in the log
    "train_loss": "train/loss",
    "val_loss": "val/loss",
    "train_accuracy": "train/accuracy",
    "val_accuracy": "val/accuracy",
    "gradient_norm": "gradient_norm",
}


class Home(Protocol):
    """What a tracker asks of its session."""

    @property
    def mode(self) -> Mode:
        """How runs are tracked."""

    def open_run(self, record: Record) -> wandb.Run | None:
        """Return a run of wandb for the record; None where W&B does not work, or must not."""

    def tried(self, doing: str, call: Callable[[], object]) -> bool:
        """Return whether a call of wandb went well."""

    def keep(self, record: Record) -> None:
        """Take over the record of a run that has ended."""

    def path(self, name: str) -> Path:
        """Return the path of a file that lives as long as the session."""


class Tracker:
    """Follows one run: a context manager, which `Session.track` returns.

    Attributes: `id` is derived from project, group, name, config and key, or
    given by an agent; `config` is the given one, with the parameters of a
    sweep on top where an agent gave them.
    """

    def __init__(self, session: Home, record: Record) -> None:
        self.id = record.id
        self.config: Mapping[str, Any] = record.config
        self._session = session
        self._record = record
        self._row: dict[str, Any] = {}
        self._run: wandb.Run | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Tracker:
        self._stack.enter_context(exit_on_sigterm())
        self._run = self._session.open_run(self._record)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        with self._stack:
            self._record.exit_code = exit_code(error)
            self._do("finishing a run", lambda run: run.finish(self._record.exit_code))
            self._record.whole = self._run is not None  # `_do` drops a run for which wandb has failed
            self._session.keep(self._record)

    def log(self, row: Mapping[str, Any]) -> None:
        """Log a row: numbers, texts, truth values, None, lists and mappings of these, arrays.

        Pictures given to `image` since the last row are part of it. Raises
        TrackingError for other values.
        """
        plain = {**as_plain(row, "a row"), **self._row}
        self._row = {}
        self._record.rows.append(plain)
        self._do("logging a row", lambda run: _log(run, plain))

    def image(self, name: str, figure: Figure) -> None:
        """Make a figure, as it is now, part of the next row."""
        if self._session.mode != "disabled":
            path = self._session.path(f"{self.id}-{len(self._record.rows)}-{len(self._row)}.png")
            with suppress(OSError):  # a full disk
                figure.savefig(path, metadata={"Software": None})
                self._row[name] = Picture(path)

    def summary(self, **values: Any) -> None:
        """Add values that describe the whole run; those of the last row are in the summary anyway."""
        plain = as_plain(values, "a summary")
        self._record.summary.update(plain)
        self._do("logging the summary", lambda run: run.summary.update(plain))

    def artifact(self, name: str, files: Mapping[str, bytes]) -> None:
        """Keep the contents of files, by their names, as an artifact "NAME-ID" of type NAME."""
        self._record.artifacts[name] = dict(files)
        self._do("logging an artifact", lambda run: _log_artifact(run, name, files))

    def epoch(self, history: History) -> None:
        """Log the last epoch of a history as a row, with its number, from 1, as "epoch"."""
        last = {key: getattr(history, name)[-1] for name, key in FIELDS.items()}
        self.log({"epoch": len(history.val_loss), **last})

    def boundary(self, model: nn.Module, data: Data) -> None:
        """Make the decision boundary part of the next row: a picture, and all "parameters" as a list."""
        if self._session.mode != "disabled":
            self.image("boundary", _boundary(model, data))
        self._row["parameters"] = nn.utils.parameters_to_vector(model.parameters()).tolist()

    def outcome(self, model: nn.Module, history: History) -> None:
        """Keep the model's state_dict, and the values of the epoch with the least validation loss."""
        file = io.BytesIO()
        torch.save(model.state_dict(), file)
        self.artifact("model", {"model.pt": file.getvalue()})
        losses = [math.inf if math.isnan(loss) else loss for loss in history.val_loss]
        if losses:
            best = losses.index(min(losses))
            values = {f"best_{name}": getattr(history, name)[best] for name in FIELDS}
            self.summary(best_epoch=best + 1, **values)

    def _do(self, doing: str, call: Callable[[wandb.Run], object]) -> None:
        """Have wandb do something, as long as it works."""
        run = self._run
        if run and not self._session.tried(doing, lambda: call(run)):
            self._run = None
            if run._run_status_checker:
                run._run_status_checker.join()  # the run's threads; `finish` cannot end them any more


def _boundary(model: nn.Module, data: Data) -> Figure:
    """Draw p(y = 1 | x) and some of the data, small and coarse."""

    @torch.no_grad()
    def predict(points: NDArray[np.float64]) -> NDArray[np.float32]:
        logits = model(torch.as_tensor(points, dtype=torch.float32))
        return cast("NDArray[np.float32]", torch.sigmoid(logits).numpy())

    inputs, targets = whole(data)
    figure = Figure(figsize=(2.4, 2.4), dpi=100)
    figure.set_layout_engine("none")  # the axes have their place, also where a style would lay them out
    ax = figure.add_axes((0.18, 0.18, 0.8, 0.8))
    decision_boundary(ax, predict, resolution=64)
    scatter_classes(ax, inputs[:SHOWN_POINTS], targets[:SHOWN_POINTS], size=6)
    return figure


def write_run(run: wandb.Run, record: Record) -> None:
    """Write a whole run."""
    for row in record.rows:
        _log(run, row)
    run.summary.update(record.summary)
    for name, files in record.artifacts.items():
        _log_artifact(run, name, files)
    run.finish(record.exit_code)


def _log(run: wandb.Run, row: Mapping[str, Any]) -> None:
    run.log({key: _as_image(value) for key, value in row.items()})


def _as_image(value: Any) -> Any:
    return wandb.Image(str(value.path)) if isinstance(value, Picture) else value


def _log_artifact(run: wandb.Run, name: str, files: Mapping[str, bytes]) -> None:
    """Log an artifact whose files lie in the run's own folder, to be uploaded from there at any time."""
    folder = Path(run.settings.sync_dir) / "artifacts" / name
    folder.mkdir(parents=True, exist_ok=True)
    artifact = wandb.Artifact(f"{name}-{run.id}", name)
    for file, content in files.items():
        (folder / file).write_bytes(content)
        artifact.add_file(str(folder / file), policy="immutable", skip_cache=True)
    run.log_artifact(artifact)

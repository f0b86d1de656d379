"""The local agent of a sweep: it decides on trials round by round, runs them, and keeps their results."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from tinymlp.environment import environment
from tinymlp.parallel import Map, serial
from tinymlp.sweep.definition import Sweep
from tinymlp.sweep.proposals import next_round
from tinymlp.sweep.trials import Trial, checked_result, keep, kept


def agent(
    sweep: Sweep,
    function: Callable[[], Mapping[str, Any]],
    *,
    folder: Path,
    seed: int,
    map: Map = serial,
    run_cap: int | None = None,
) -> list[Trial]:
    """Run the trials of a sweep, and return them.

    This is `wandb.agent(sweep_id, function)` without a server. For each
    trial, `function` finds the run's id, the sweep's id and the path of the
    parameters where an agent of W&B puts them: in the environment variables
    WANDB_RUN_ID, WANDB_SWEEP_ID (kept if it is set already) and
    WANDB_SWEEP_PARAM_PATH. It returns a mapping of plain values that holds
    the sweep's metric: a finite number, or None for a trial that diverged,
    which then has no part in the decisions of `bayes`.

    The trials depend on the sweep, the seed and what the function returns,
    not on the number of processes of `map`; fewer trials, by `run_cap`, are
    the first of more. Finished trials are kept in `folder`, and not run again
    by the next call, after a kill for example: give each function and seed
    a folder of its own.

    Raises
    ------
    TrialError
        The function returned something other than a result.
    Exception
        What the function raised, with a note that names the trial.

    """
    caps = [cap for cap in (sweep.run_cap, run_cap) if cap is not None]
    worker = _Worker(sweep, function, Path(folder))
    trials: list[Trial] = []
    while asked := next_round(sweep, trials, seed, min(caps) if caps else None):
        trials += worker.run(asked, map)
    return trials


@dataclass(frozen=True)
class _Worker:
    """Runs trials: in a process of `map`, each with the environment of an agent, and stores them."""

    sweep: Sweep
    function: Callable[[], Mapping[str, Any]]
    folder: Path

    def run(self, asked: Sequence[Trial], map: Map) -> list[Trial]:
        """Return the trials with their results; only those that are not stored are run."""
        stored = {trial.number: result for trial in asked if (result := kept(self.folder, trial)) is not None}
        due = [trial for trial in asked if trial.number not in stored]
        results = stored | dict(zip([trial.number for trial in due], map(self, due), strict=True))
        return [replace(trial, result=results[trial.number]) for trial in asked]

    def __call__(self, trial: Trial) -> dict[str, Any]:
        """Run one trial, store it, and return its result."""
        try:
            with environment(self._variables(trial)):
                result = checked_result(trial.number, self.function(), self.sweep.metric)
        except Exception as error:
            shown = ", ".join(f"{name} = {trial.config[name]!r}" for name in self.sweep.swept)
            error.add_note(f"in trial {trial.number} of the sweep: {shown}")
            raise
        keep(self.folder, replace(trial, result=result))
        return result

    def _variables(self, trial: Trial) -> dict[str, str]:
        path = (self.folder / "parameters" / f"{trial.number:04d}.yaml").absolute()
        values = {name: {"value": value} for name, value in trial.config.items()}
        # each value below a key of its own, as an agent of W&B writes them
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        wanted = [
            ("WANDB_SWEEP_ID", self.sweep.id),
            ("WANDB_PROJECT", self.sweep.project),
            ("WANDB_ENTITY", self.sweep.entity),
        ]
        # a user who names a sweep or a project in the environment means it for all trials
        unset = {name: value for name, value in wanted if value and not os.environ.get(name)}
        return {**unset, "WANDB_RUN_ID": trial.id, "WANDB_SWEEP_PARAM_PATH": str(path)}

"""The log of a run, read back from the file that wandb has written."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinymlp.tracking.client import get_core_path


@dataclass(frozen=True)
class Log:
    """A complete log of a run, as W&B has written it.

    `rows` are the rows as logged; keys of nested values are joined by dots,
    and a picture is described by the keys below its own, of which `path` is
    its file in the run's `files`. JSON knows one kind of number: a whole one
    comes back as an int. The texts NaN, Infinity and -Infinity come back as
    numbers too. `exit_code` is 0 for a run that finished.
    """

    id: str
    name: str
    group: str
    config: dict[str, Any]
    rows: list[dict[str, Any]]
    summary: dict[str, Any]
    exit_code: int
    sweep: str


def read(log: Path) -> Log | None:
    """Return what a log says; None for an incomplete one. The reader is wandb's own, `wandb leet inspect`."""
    return _parsed(_inspected(log))


def _inspected(log: Path) -> list[dict[str, Any]]:
    """Return the records of a log, or none where the reader has a remark: on a cut end or a hole."""
    command = [get_core_path(), "leet", "inspect", "--no-observability", "--json", "--run-file", str(log)]
    done = subprocess.run(command, capture_output=True, check=False)
    return [] if done.returncode or done.stderr else [json.loads(line) for line in done.stdout.splitlines()]


def _parsed(records: Sequence[dict[str, Any]]) -> Log | None:
    """Return the log that records make up, if the run's end is among them."""
    ends = [record["exit"] for record in records if record["type"] == "exit"]
    if not ends:
        return None
    run: dict[str, Any] = {}
    config: dict[str, Any] = {}
    summary: dict[str, Any] = {}
    for record in records:
        if record["type"] == "run":
            run |= record["run"]
            config |= record["run"].get("config", {}).get("update", {})
        elif record["type"] == "config":
            config |= record["config"].get("update", {})
        elif record["type"] == "summary":
            summary |= _flat(record["summary"].get("update", {}))
    rows = [_own(record["history"].get("item", {})) for record in records if record["type"] == "history"]
    return Log(
        run["run_id"],
        run.get("display_name", ""),
        run.get("run_group", ""),
        _own(config),
        rows,
        _own(summary),
        ends[-1].get("exit_code", 0),
        run.get("sweep_id", ""),
    )


def _own(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values without those that wandb adds, whose names begin with an underscore."""
    return {key: _restored(value) for key, value in values.items() if not key.startswith("_")}


def _restored(value: Any) -> Any:
    """Return a value with the numbers that JSON does not have."""
    if isinstance(value, list):
        return [_restored(item) for item in value]
    if isinstance(value, dict):
        return {key: _restored(item) for key, item in value.items()}
    return float(value) if value in ("NaN", "Infinity", "-Infinity") else value


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values with their keys joined by dots."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat

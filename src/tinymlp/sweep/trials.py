"""Trials of a sweep: what they returned, and the folder in which finished ones are kept."""

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from tinymlp.sweep.definition import Config, digest


@dataclass(frozen=True)
class Trial:
    """A trial: its configuration, and what the function returned for it.

    `id` is the W&B run's; the trials of round 0 were decided without any
    result, those of a later round from the results of all rounds before it.
    """

    number: int
    id: str
    round: int
    config: Config
    result: dict[str, Any] = field(default_factory=dict)


class TrialError(ValueError):
    """A trial returned something other than a result."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(number, what)
        self.number = number
        self.what = what

    def __str__(self) -> str:
        return f"trial {self.number} of the sweep {self.what}"


def checked_result(number: int, returned: object, metric: str) -> dict[str, Any]:
    """Return what a trial returned as plain JSON values, or raise TrialError."""
    if not isinstance(returned, Mapping):
        what = f"returned {type(returned).__name__}: return a mapping that holds {metric!r}"
        raise TrialError(number, what)
    if metric not in returned:
        raise TrialError(number, f"returned no {metric!r}: the keys are {', '.join(map(str, returned))}")
    value = returned[metric]
    real = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if value is not None and not real:
        what = f"returned {value!r} as {metric!r}: return a finite number, or None if the trial diverged"
        raise TrialError(number, what)
    plain = _plain(number, returned, "")
    return cast("dict[str, Any]", plain)


def _plain(number: int, value: object, place: str) -> Any:
    """Return a value as JSON gives it back."""
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {str(key): _plain(number, item, f"{place}[{key!r}]") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(number, item, f"{place}[{index}]") for index, item in enumerate(value)]
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    what = (
        f"returned {value!r} at {place}: return finite numbers, texts, lists and mappings with texts as keys"
    )
    raise TrialError(number, what)


# ---- the folder


def keep(folder: Path, trial: Trial) -> None:
    """Store a finished trial."""
    _write(_path(folder, trial), _sealed(trial))


def kept(folder: Path, trial: Trial) -> dict[str, Any] | None:
    """Return the stored result of a trial; None if its file is missing or not as it was written.

    A file of another number, identity or configuration is not this trial's: another sweep or seed may have
    used the folder.
    """
    try:
        text = _path(folder, trial).read_text(encoding="utf-8")
        result = json.loads(text)["result"]
        return result if _sealed(replace(trial, result=result)) == text else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def forget(folder: Path, trials: Iterable[Trial]) -> None:
    """Let the next call of `agent` with this folder run these trials again."""
    for trial in trials:
        _path(folder, trial).unlink(missing_ok=True)


def _path(folder: Path, trial: Trial) -> Path:
    return folder / "trials" / f"{trial.number:04d}.json"


def _sealed(trial: Trial) -> str:
    """Return a trial as JSON that holds its own checksum."""
    record = {"number": trial.number, "id": trial.id, "config": trial.config, "result": trial.result}
    record["checksum"] = digest(record)
    return json.dumps(record, indent=1, allow_nan=False) + "\n"


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())  # after a power cut, a renamed file could otherwise be empty
    temporary.replace(path)

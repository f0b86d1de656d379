"""How the results of an experiment with several parameters are listed: for people, and for programs."""

from __future__ import annotations

import csv as writer
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from labreport.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from labreport.running import Trial


def check(found: Sequence[Trial], keys: Sequence[str]) -> None:
    """Raise UsageError if no result has a value of a key."""
    known = {key for trial in found for key, _ in _leaves(trial.values)}
    for key in keys:
        if key not in known:
            raise UsageError(f"no result has a value {key!r}", cure=did_you_mean(key, known))


def plain(found: Sequence[Trial], keys: Sequence[str]) -> list[dict[str, Any]]:
    """Return the results as plain data, with the values of these keys, or all."""
    return [
        {
            "experiment": trial.experiment,
            "address": trial.address,
            "params": trial.params,
            "values": {key: dict(_leaves(trial.values)).get(key) for key in keys} if keys else trial.values,
            "fresh": trial.fresh,
            "present": trial.present,
            "finished": trial.finished,
        }
        for trial in found
    ]


def csv(found: Sequence[Trial], keys: Sequence[str]) -> str:
    """Return the results as a table: parameters that differ somewhere, then the values of these keys."""
    params = sorted({key for trial in found for key in trial.differing})
    out = io.StringIO()
    lines = writer.writer(out, lineterminator="\n")
    lines.writerow(["experiment", *params, *keys, "fresh", "finished"])
    for trial in found:
        values = dict(_leaves(trial.values))
        chosen = [*(trial.params.get(key) for key in params), *(values.get(key) for key in keys)]
        lines.writerow([trial.experiment, *chosen, str(trial.fresh).lower(), trial.finished])
    return out.getvalue()


def table(found: Sequence[Trial], keys: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a table for people."""
    rows = [("experiment", "parameters", *keys, "state", "computed")]
    for trial in found:
        values = dict(_leaves(trial.values))
        chosen = ("–" if values.get(key) is None else str(values[key]) for key in keys)
        state = "fresh" if trial.fresh else "stale"
        rows.append((trial.experiment, trial.address, *chosen, state, trial.finished))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _leaves(values: object, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value with its key, as a template writes it after `.values`."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield from _leaves(value, f"{above}.{key}" if above else key)
    else:
        yield above, values

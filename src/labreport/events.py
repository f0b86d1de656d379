"""What happens during a build, as it happens, for whoever wants to show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from labreport.errors import ExperimentError


@dataclass(frozen=True)
class Event:
    """Something that happens during a build.

    `phase` is "run" or "draw" of an experiment, "notebook", "report" or "verify".

    `kind` is "started" (with `reasons`), "progress" (`done` of `total`, `label`), "finished" (`seconds`),
    "notice" (`label`), "failed" (`error`), "skipped" (`reasons`) or "fresh".
    """

    kind: str
    experiment: str
    phase: str = "run"
    done: int = 0
    total: int = 0
    label: str = ""
    seconds: float = 0.0
    reasons: tuple[str, ...] = ()
    error: ExperimentError | None = None


Events = Callable[[Event], None]
"""A function that is given each event."""

"""What happens during a build, as it happens, for whoever wants to show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from labreport.errors import LabreportError


@dataclass(frozen=True)
class Event:
    """Something that happens during a build.

    `phase` is "run" or "draw" of an experiment, "notebook", "report", "verify" or "diff".

    `kind` is "started" (with `reasons`), "progress" (`done` of `total`, `label`), "finished" (`seconds`),
    "notice" (`label`; also of report.toml), "failed" (`error`), "skipped" (`reasons`), "restored" from the
    store (`reasons`) or "fresh".
    """

    kind: str
    experiment: str
    phase: str = "run"
    done: int = 0
    total: int = 0
    label: str = ""
    seconds: float = 0.0
    reasons: tuple[str, ...] = ()
    error: LabreportError | None = None


Events = Callable[[Event], None]
"""A function that is given each event."""

MOST_REASONS = 3


def brief(reasons: Sequence[str], between: str = "; ") -> str:
    """Return reasons, or names, as one text: the first ones, and how many more there are."""
    more = len(reasons) - MOST_REASONS
    # "and 1 more" would be no shorter than the reason itself
    if more <= 1:
        return between.join(reasons)
    return between.join([*reasons[:MOST_REASONS], f"and {more} more"])

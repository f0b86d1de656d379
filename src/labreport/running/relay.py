"""Where messages for the build go from whichever process has one: notices, warnings, what was changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Message = dict[str, Any]

_sink: Callable[[Message], None] | None = None


def to(sink: Callable[[Message], None]) -> None:
    """Let messages of this process, and of those that it forks, go to a sink."""
    global _sink
    _sink = sink


def send(message: Message) -> None:
    """Hand a message to the sink of this process; without one it is only in the log."""
    if _sink is not None:
        _sink(message)


def notice(line: str) -> None:
    """Hand a notice to the sink of this process."""
    send({"notice": line})

"""Where notices go that come from a process which knows nobody to tell: its own sink, if it has one."""

from __future__ import annotations

from collections.abc import Callable

_sink: Callable[[str], None] | None = None


def notices_to(sink: Callable[[str], None]) -> None:
    """Let notices of this process go to a sink."""
    global _sink
    _sink = sink


def notice(line: str) -> None:
    """Hand a notice to the sink of this process; without one it is only in the log."""
    if _sink is not None:
        _sink(line)

"""Watching the items of a map: a line says when none has finished for long."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from labreport.running import threads
from labreport.running.units import Unit, naming

PATIENCE_SECONDS = 60.0
"""How long no item may finish before a line says so; the next lines come after twice that, four times, …"""
SHOWN = 3
"""The number of items that a line names."""

Working = Sequence[tuple[Unit, int]]
"""The units that are being computed, with the ids of their processes."""


class Watch:
    """Tells `notify`, in one line, that no item has finished for long, which ones, and their threads."""

    def __init__(self, notify: Callable[[str], None]) -> None:
        self.notify = notify
        self.finished()

    def finished(self) -> None:
        """Note that an item has finished now, or that the map begins."""
        self._since = time.monotonic()
        self._patience = PATIENCE_SECONDS

    def remaining(self) -> float:
        """Return after how many seconds there will be something to say."""
        return max(0.0, self._since + self._patience - time.monotonic())

    def look(self, working: Working) -> None:
        """Say, if it is time, that none of these has finished for long."""
        if self.remaining() > 0:
            return
        self._patience *= 2
        seconds = time.monotonic() - self._since
        shown = [_shown(unit, pid) for unit, pid in working[:SHOWN]]
        more = [f"{len(working) - SHOWN} more"] if len(working) > SHOWN else []
        self.notify(f"no item has finished for {seconds:.0f} s: {'; '.join([*shown, *more])}")

    @contextmanager
    def here(self, current: Callable[[], Unit]) -> Iterator[None]:
        """Look from a thread of its own while this process computes one unit after another."""
        over = threading.Event()

        def look() -> None:
            while not over.wait(self.remaining()):
                self.look([(current(), os.getpid())])

        thread = threading.Thread(target=look, name="watch of lab.map", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _shown(unit: Unit, pid: int) -> str:
    count = threads.count(pid)
    if count is not None and pid == os.getpid():
        count -= 1  # the thread that looks
    told = "" if count is None else " (1 thread)" if count == 1 else f" ({count} threads)"
    return f"{naming(unit)}{told}"

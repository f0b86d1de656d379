"""A limit of time for what templates compute: a loop in one, or in formats.py, may have no end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from labreport.errors import InputError

SECONDS = 300.0


@contextmanager
def deadline(seconds: float | None = None) -> Iterator[None]:
    """Raise InputError from the line that a block is at if it takes longer; by default `SECONDS`."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread gets signals
        return
    limit = SECONDS if seconds is None else seconds

    def end(*_: Any) -> None:
        what = f"rendering was ended after {limit:g} s"
        cure = "look for a loop that does not end; what takes long belongs in an experiment"
        raise InputError(what, cure=cure)

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, limit, 1.0)  # again and again: a loop may catch what is raised in it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)

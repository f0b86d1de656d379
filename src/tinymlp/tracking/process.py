"""The process in which a run is tracked: what wandb replaces in it, how it is stopped, how it ends."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

WANDB_THREADS = ("wandb-", "NetStatThr")


@contextmanager
def hooks() -> Iterator[None]:
    """Restore what wandb replaces for good; and hear nothing of its threads, which fail when it is killed."""
    before = sys.exit, sys.excepthook, threading.excepthook

    def tell(failure: threading.ExceptHookArgs) -> None:
        if not failure.thread or not failure.thread.name.startswith(WANDB_THREADS):
            before[2](failure)

    threading.excepthook = tell
    try:
        yield
    finally:
        sys.exit, sys.excepthook, threading.excepthook = before


@contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """Let SIGTERM, by which an agent stops a run, end it with exit code 143, so that the end is recorded."""

    def leave(signal_number: int, _: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not cut the end short
        sys.exit(128 + signal_number)

    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def exit_code(error: BaseException | None) -> int:
    """Return the exit code that a process would have after an exception."""
    if error is None:
        return 0
    if isinstance(error, KeyboardInterrupt):
        return 255  # as wandb records it
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    return 1

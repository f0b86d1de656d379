r"""Signals that end a program are taken as Ctrl-C is: what was begun is cleared away, and a message says so.

These are SIGTERM (`kill`, a shutdown), SIGHUP (the terminal was closed) and SIGQUIT (Ctrl-\). One that the
program was started to ignore, as nohup does it, stays ignored.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_received: list[int] = []


def listen() -> None:
    """Take these signals as Ctrl-C from now on; only the main thread may call this."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _received.append(number)
    if len(_received) > 1:  # whoever ends a session sends several; they must not cut the clearing short
        return
    if number == signal.SIGHUP:
        _leave_terminal()
    # asyncio puts a handler of its own there, which ends its tasks in order
    on_interrupt = signal.getsignal(signal.SIGINT)
    if not callable(on_interrupt):  # a shell lets what it starts in the background ignore Ctrl-C
        on_interrupt = signal.default_int_handler
    on_interrupt(number, frame)


def _leave_terminal() -> None:
    """Let what is still to be printed go nowhere, if the terminal has gone; a file is still written."""
    for handle in (1, 2):
        try:
            os.write(handle, b"")
        except OSError:
            discard(handle)


def discard(handle: int) -> None:
    """Let what is written to a handle go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, handle)
    os.close(nowhere)


def told() -> tuple[str, int]:
    """Return what to say at the end of a program that was interrupted, and its exit code."""
    number = _received[0] if _received else signal.SIGINT
    by = f" by {signal.Signals(number).name}" if _received else ""
    return f"interrupted{by}; what was finished is kept, and the next build goes on from there", 128 + number

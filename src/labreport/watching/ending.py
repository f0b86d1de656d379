"""How a watch is ended: by a signal, or because the terminal or who started it has gone."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labreport.interruption import discard

if TYPE_CHECKING:
    from types import FrameType

INTERRUPTED = 130
"""The exit code after Ctrl-C, and at the end of the input."""


@dataclass
class Ended:
    """The exit code, once the watch is to end; `wake` becomes readable then."""

    wake: int
    code: int = 0


@contextmanager
def signals() -> Iterator[Ended]:
    """Let signals end the watch between two steps, where nothing is half done."""
    wake, theirs = os.pipe()
    for handle in (wake, theirs):
        os.set_blocking(handle, False)
    ended = Ended(wake)

    def end(number: int, _: FrameType | None) -> None:
        ended.code = ended.code or 128 + number

    caught = [signal.SIGINT, signal.SIGTERM]
    for number in (signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) != signal.SIG_IGN:  # else nohup lets it outlive the terminal
            caught.append(number)
    before = {number: signal.signal(number, end) for number in caught}
    wakeup = signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
    try:
        yield ended
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(wake)
        os.close(theirs)


def discard_output() -> None:
    """Let what is still to be printed go nowhere: the terminal, or who read it, has gone."""
    for handle in (1, 2):
        discard(handle)


def standard_input() -> int | None:
    """Return the standard input if its end means something: a terminal, or a pipe of who started this."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return None
    return 0 if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(0) else None


def is_over(handle: int) -> bool:
    """Return whether the input has ended; what was typed there is thrown away."""
    try:
        if os.isatty(handle) and os.tcgetpgrp(handle) != os.getpgrp():
            return False  # it belongs to the program in the foreground, and to read from it would stop us
        return not os.read(handle, 1 << 16)
    except OSError:  # the terminal is closed
        return True

"""Threads of this process: those that a fork would cut off, and how many torch computes in.

A fork copies only the thread that calls it. In the copy, pools of native threads (OpenMP, BLAS) believe
that their threads still live, and wait for them for ever; a Python thread that is at work may hold a lock
that nobody gives back. A Python thread that is waiting (for a queue, a socket, the clock) does no harm.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

GRACE_SECONDS = 0.05
"""A thread that was joined may need a moment to be gone."""
SAMPLE_SECONDS = 0.01
"""How long a Python thread must do nothing to count as at rest."""


def count(pid: int | None = None) -> int | None:
    """Return the number of threads of a process, by default of this one; None where the system tells none."""
    try:
        return sum(1 for _ in Path(f"/proc/{pid or 'self'}/task").iterdir())
    except OSError:
        return None


def endangered_by_fork() -> int:
    """Return how many other threads of this process forbid a fork: native ones, or Python ones at work."""
    return _after_grace(lambda: _native() + _at_work())


def others() -> int:
    """Return how many other threads this process has: none of them would live on in a forked one."""
    return _after_grace(lambda: (count() or threading.active_count()) - 1)


def _after_grace(found: Callable[[], int]) -> int:
    end = time.monotonic() + GRACE_SECONDS
    while (number := found()) and time.monotonic() < end:
        time.sleep(SAMPLE_SECONDS)
    return number


def _native() -> int:
    threads = count()
    if threads is not None:
        return max(0, threads - len(sys._current_frames()))  # one frame for each thread that Python knows
    torch = sys.modules.get("torch")  # what may have a pool, where the system does not tell
    return torch.get_num_threads() - 1 if torch is not None else 0


def _at_work() -> int:
    """Return how many other threads run now, or have run while this one slept for a moment."""
    if len(sys._current_frames()) == 1:
        return 0
    before = _activity()
    time.sleep(SAMPLE_SECONDS)  # lets those go on that wait for Python's lock
    after = _activity()
    return sum("R" in after[task] or before[task] != after[task] for task in before.keys() & after.keys())


def _activity() -> dict[str, list[str]]:
    """Return for each other thread its state (R: it runs), and how often it has begun and ceased to run."""
    own = str(threading.get_native_id())
    found = {}
    for task in Path("/proc/self/task").glob("[0-9]*"):
        try:
            lines = (task / "status").read_text().splitlines()
        except OSError:  # it has just ended
            continue
        if task.name != own:
            told = [line.split()[1] for line in lines if line.startswith("State:") or "ctxt_switches" in line]
            found[task.name] = told
    return found


def limit() -> None:
    """Let torch compute in one thread, so that the bits do not depend on the number of processes."""
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)


@contextmanager
def kept() -> Iterator[None]:
    """Give torch back, at the end, the number of threads that it had; one if it was not there."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch is not None else 1
    try:
        yield
    finally:
        if (torch := sys.modules.get("torch")) is not None:
            torch.set_num_threads(before)

"""Processes that go on after what has started them: adopted, named, ended.

A program that leaves its session and whose parent has ended (a daemon) belongs to nobody, and no signal to a
group or session reaches it. Linux gives it to the nearest process above that asked for such ones, and that
one can end it.

This file is also a program of its own, `python descendants.py REPORT COMMAND…`, which runs a command, ends
all that is left of it, and writes into the file REPORT what had left its session, one a line. So it imports
the standard library alone. Told to end by SIGTERM, or by the end of its own parent, it ends the command, too.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Container, Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

SECONDS = 2.0
"""How long an end waits for the system to end processes; one that hangs in it must not hang a build."""
LONGEST = 60
"""The number of characters of a command that a name shows."""

_DEATH_SIGNAL, _ADOPTS = 1, 36  # PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER of <sys/prctl.h>


def adopt() -> None:
    """Let the system give to this process what those below it leave; only Linux can."""
    _prctl(_ADOPTS, 1)


def die_with_parent(parent: int, number: int = signal.SIGKILL) -> None:
    """Let the system send this process a signal when its parent ends; only Linux can."""
    _prctl(_DEATH_SIGNAL, number)
    if sys.platform == "linux" and os.getppid() != parent:  # it ended before the system was told
        os._exit(1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value)


class _Process(NamedTuple):
    """What the system tells of a process."""

    state: str
    parent: int
    session: int


def _look(pid: int) -> _Process | None:
    """Return how a process is; None if there is none, or the system does not tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, parent, _, session = stat.rpartition(")")[2].split()[:4]  # a name may hold blanks and brackets
    return _Process(state, int(parent), int(session))


def children(pid: int) -> list[int]:
    """Return the processes whose parent is a process; none where the system does not tell."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, path.read_text().split())
    return found


def below(pid: int) -> list[int]:
    """Return the processes below one, each after its parent."""
    found = [pid]
    for above in found:
        found += children(above)
    return found[1:]


def end(session: int, keep: Container[int] = ()) -> list[str]:
    """End all processes below this one but the children to `keep` and what is below these.

    Return the names of those that had left a session: what is still in it was not hidden from anybody.
    """
    names: dict[int, str] = {}
    until = time.monotonic() + SECONDS
    while (found := list(_others(keep))) and time.monotonic() < until:
        for pid in (each for child in found for each in (child, *below(child))):
            process = _look(pid)
            if process is None or process.state == "Z":
                continue
            if process.session != session:
                names.setdefault(pid, _name(pid))
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for pid in found:  # what was below an ended one comes to this process, and is found the next time
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(pid, os.WNOHANG) == (0, 0):
                    time.sleep(0.002)
    return list(names.values())


def _others(keep: Container[int]) -> Iterator[int]:
    return (pid for pid in children(os.getpid()) if pid not in keep)


def _name(pid: int) -> str:
    """Return what a process is called: its command, if it has one of its own, and its number."""
    own, command = (_command(each) for each in (os.getpid(), pid))
    shown = command if len(command) <= LONGEST else f"{command[: LONGEST - 1]}…"
    return f"process {pid}" if command in ("", own) else f"process {pid} ({shown})"


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "backslashreplace")
    except OSError:
        return ""
    return " ".join(words.replace("\0", " ").split())


# ---------------------------------------------------------------------------------------------- the program


def main(report: str, *command: str) -> NoReturn:
    """Run a command, end what is left of it, report that, and end as the command has."""
    parent, guard = os.getppid(), os.getpid()
    adopt()
    signal.signal(signal.SIGTERM, _leave)
    die_with_parent(parent, signal.SIGTERM)
    child, status = os.fork(), 0
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        die_with_parent(guard)
        os.execv(command[0], command)
    try:
        status = os.waitpid(child, 0)[1]
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it must not cut the end short
        names = end(session=child)
        with contextlib.suppress(OSError):  # whoever would read it has gone, with the folder
            Path(report).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _leave(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


if __name__ == "__main__":
    main(*sys.argv[1:])

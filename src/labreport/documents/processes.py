"""TeX's processes: each bounded in time and size, ended with all that it has started, its output kept."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from labreport import surroundings, wall
from labreport.documents import enclosures
from labreport.wall import Limits

LARGEST_FILE = 256 * 2**20  # bytes that one file written by TeX may have
MOST_WRITTEN = 1024 * 2**20  # bytes that all files in its folder may have
MOST_MEMORY = 4 * 2**30  # bytes that each of its processes may take
TOO_MUCH = -signal.SIGXFSZ  # the exit code of what has written more
LOG_READ = 16 * 2**20  # bytes of a log that are looked at
PID_FILE = "latexmk.pid"


def end_leftover(folder: Path) -> None:
    """End the latexmk, with its children, that an earlier, killed build left running in a folder."""
    try:
        pid, start = (folder / PID_FILE).read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return
    if _process_start(int(pid)) == start:
        _kill_group(int(pid))
        _await_end_of_group(int(pid))


def end_leftovers(folder: Path) -> None:
    """End what a killed build left running anywhere below a folder."""
    for record in folder.rglob(PID_FILE):
        end_leftover(record.parent)


def run(folder: Path, deadline: float, command: Sequence[str]) -> tuple[int | None, str]:
    """Return a program's exit code (None at the deadline) and what it printed; no process of it is left.

    It runs behind a wall: it writes into the folder, and reads nothing but that and what TeX needs.
    """
    # a file, not a pipe: the output of an endless loop would fill the memory
    with tempfile.TemporaryFile(dir=folder) as output:
        process = wall.start(
            command,
            enclosures.tex(folder),
            cwd=folder,
            env=surroundings.for_tex(folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own: latexmk's children must end with it
        )
        try:
            _record(folder, process.pid)
            # from outside: code between fork and exec (preexec_fn) is not safe beside other threads
            Limits(int(deadline) + 10, MOST_MEMORY, LARGEST_FILE).set(process.pid)
            code = _awaited(process, folder, deadline)
        finally:  # also when the build is interrupted: TeX would go on writing into the folder
            _kill_group(process.pid)
            process.wait()
            _await_end_of_group(process.pid)
            (folder / PID_FILE).unlink(missing_ok=True)
        return code, _tail_of(output)


def _awaited(process: subprocess.Popen[bytes], folder: Path, deadline: float) -> int | None:
    """Return the exit code of a process as soon as it has ended; None at the deadline."""
    start = time.monotonic()
    end, look = start + deadline, start + _LOOK
    # Popen.wait with a limit looks every 50 ms, which is a sixth of a short pass
    while (code := process.poll()) is None and (now := time.monotonic()) < end:
        if now > look:
            if _written(folder) > MOST_WRITTEN:
                return TOO_MUCH
            look = now + _LOOK
        time.sleep(0.002)
    return code


_LOOK = 1.0  # seconds between two looks at how much was written


def _written(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # it was there a moment ago
                total += Path(place, name).lstat().st_size
    return total


def _record(folder: Path, pid: int) -> None:
    (folder / PID_FILE).write_text(f"{pid} {_process_start(pid)}", encoding="ascii")


def _process_start(pid: int) -> str | None:
    """Return when a process started, which tells it from a later one with the same number."""
    try:
        return (
            Path(f"/proc/{pid}/stat")
            .read_text(encoding="utf-8", errors="replace")
            .rpartition(")")[2]
            .split()[19]
        )
    except OSError:
        return None


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _await_end_of_group(pid: int) -> None:
    """Return when no process of a killed group can write any more; zombies that nobody reaps do not count."""
    end = time.monotonic() + 1.0
    with contextlib.suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < end:
            os.killpg(pid, 0)
            time.sleep(0.005)


def _tail_of(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - LOG_READ))
    return file.read().decode("utf-8", errors="backslashreplace")


def read_end(path: Path) -> str:
    """Return a log, at most its last 16 MB; an absent one is empty."""
    try:
        with path.open("rb") as file:
            return _tail_of(file)
    except FileNotFoundError:
        return ""

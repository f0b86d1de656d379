"""TeX's processes: each bounded in time and size, ended with all that it has started, its output kept."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from labreport import surroundings

LARGEST_FILE = 256 * 2**20  # bytes that one file written by TeX may have
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
    """Return a program's exit code (None at the deadline) and what it printed; no process of it is left."""
    # a file, not a pipe: the output of an endless loop would fill the memory
    with tempfile.TemporaryFile(dir=folder) as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=surroundings.for_tex(folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own: latexmk's children must end with it
        )
        try:
            _limit(process.pid, deadline)
            _record(folder, process.pid)
            code = _awaited(process, deadline)
        finally:  # also when the build is interrupted: TeX would go on writing into the folder
            _kill_group(process.pid)
            process.wait()
            _await_end_of_group(process.pid)
            (folder / PID_FILE).unlink(missing_ok=True)
        return code, _tail_of(output)


def _awaited(process: subprocess.Popen[bytes], deadline: float) -> int | None:
    """Return the exit code of a process as soon as it has ended; None at the deadline."""
    end = time.monotonic() + deadline
    # Popen.wait with a limit looks every 50 ms, which is a sixth of a short pass
    while (code := process.poll()) is None and time.monotonic() < end:
        time.sleep(0.002)
    return code


def _limit(pid: int, deadline: float) -> None:
    """Bound the processor time and the files of a process and of the children it will start."""
    cpu = int(deadline) + 10
    # from outside: code between fork and exec (preexec_fn) is not safe beside other threads
    try:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
        resource.prlimit(pid, resource.RLIMIT_CPU, (cpu, cpu))
    except (ProcessLookupError, PermissionError, ValueError):
        pass  # it has ended already, or stricter limits are set


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

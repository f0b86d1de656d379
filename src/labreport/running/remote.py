"""What runs in the process of a Dask worker: it hands units of work to processes that it keeps for a driver.

A worker need not have labreport: the text of this module is sent to it and executed there, so it imports the
standard library only, and distributed, which every worker has. What is sent stays bytes in the worker: only a
process of its own, which has imported the driver's sources, unpickles it. So whatever else the worker has
imported, however many threads it has, and whatever variables it sees cannot change what a unit gives; and a
unit that ends its process does not end the worker.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

IDLE_SECONDS = 60.0
"""How long a process waits for the next unit of its driver, who may have been killed."""

POLL_SECONDS = 0.25
"""How often a thread that waits for a unit looks whether the driver still wants it."""

MOST_MAPS = 64
"""The number of maps whose functions are kept at once."""

MOST_OUTPUT = 100_000
"""The number of bytes that are sent back of what a unit printed: its last ones."""

_LENGTH = struct.Struct("!Q")

_BOOT = """import sys
sys.path.insert(0, sys.argv[1])
from labreport.running.guest import serve
serve(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))"""


def keep(name: str, order: dict[str, Any], function: bytes, worker: Any) -> bool:
    """Keep what all units of a map have in common; return whether this worker has the driver's sources.

    `order` holds the `driver`, a name of its own for each; the digests of the `shipment` and of the pickled
    `function`; the driver's `environment`, the pattern `bound` of the variables that the worker keeps; the
    `versions` that the driver has; and the folders `engine` and `project` within the shipment.
    """
    with _lock:
        _maps[name] = order, function
        while len(_maps) > MOST_MAPS:  # of drivers that were killed
            del _maps[next(iter(_maps))]
    return _folder(worker, order["shipment"]).is_dir()


def forget(name: str) -> None:
    """Keep a map's function no longer."""
    with _lock:
        _maps.pop(name, None)


def unpack(digest: str, shipment: bytes, worker: Any) -> None:
    """Make a folder of the files of a shipment; the worker removes it when it ends."""
    folder = _folder(worker, digest)
    with _lock:
        if folder.is_dir():
            return
        made = Path(tempfile.mkdtemp(prefix="labreport-", dir=folder.parent))
        try:
            for name, data in pickle.loads(shipment).items():
                path = made / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            made.rename(folder)  # only what is complete has its name
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise


def compute(name: str, unit: bytes) -> tuple[Any, ...]:
    """Compute a unit of a map in a process that has the driver's sources; return how that went.

    - `("reply", reply, output)`: the bytes that the process has answered, and what it printed;
    - `("died", code, output)`: the exit code of a process that has not answered;
    - `("differs", lines)`: the versions that are not the driver's;
    - `("lacks", address)`: this worker, at the address, must be given the map or the shipment first.
    """
    worker = _worker()
    with _lock:
        order, function = _maps.get(name, ({}, b""))
    if not order or not _folder(worker, order["shipment"]).is_dir():
        return "lacks", worker.address
    differs = differences(tuple(sorted(order["versions"].items())))
    if differs:
        return "differs", differs
    process = _taken(order, _folder(worker, order["shipment"]))
    try:
        answer = process.answer(order["function"], function, unit)
    except BaseException:
        process.end()  # the driver has gone, or cancelled this unit
        raise
    if answer is None:
        code, output = process.died(), process.printed()
        process.end()
        return "died", code, output
    output = process.printed()
    _put_back(process)
    return "reply", answer, output


@lru_cache
def differences(expected: tuple[tuple[str, str], ...]) -> list[tuple[str, str, str]]:
    """Return each name whose version is another one here, with the expected version and the one here."""
    here = [(name, version, version_of(name)) for name, version in expected]
    return [(name, version, found) for name, version, found in here if found != version]


def version_of(name: str) -> str:
    """Return the version of an installed distribution, or of Python, whose patch level does not count."""
    from importlib.metadata import PackageNotFoundError, version

    if name == "python":
        return f"{sys.version_info.major}.{sys.version_info.minor}"
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


# ---------------------------------------------------------------------------------------------- the processes

_lock = threading.Lock()
_maps: dict[str, tuple[dict[str, Any], bytes]] = {}
_idle: dict[tuple[str, str], list[_Process]] = {}


def _taken(order: dict[str, Any], folder: Path) -> _Process:
    """Return a process for a unit: one that has nothing to do, or else a new one."""
    key = order["driver"], order["shipment"]
    with _lock:
        while _idle.get(key):
            process = _idle[key].pop()
            if process.lives():
                return process
            process.end()
    return _Process(key, order, folder)


def _put_back(process: _Process) -> None:
    with _lock:
        process.since = time.monotonic()
        _idle.setdefault(process.key, []).append(process)


def _folder(worker: Any, digest: str) -> Path:
    return Path(worker.local_directory) / f"labreport-{digest[:32]}"


def _worker() -> Any:
    from distributed import get_worker

    return get_worker()


class _Process:
    """A process that computes units of one driver, one after another."""

    def __init__(self, key: tuple[str, str], order: dict[str, Any], folder: Path) -> None:
        self.key = key
        self.since = time.monotonic()
        self.function = ""  # the digest of the one that the process has
        self.output = tempfile.TemporaryFile("w+b", buffering=0, dir=folder.parent)  # noqa: SIM115
        # so that the process goes on at the beginning once the file has been emptied
        fcntl.fcntl(self.output.fileno(), fcntl.F_SETFL, os.O_APPEND)
        self.replies, self.writes = os.pipe()
        self.problem: OSError | None = None
        started = threading.Event()
        threading.Thread(target=self._keep, args=(order, folder, started), daemon=True).start()
        started.wait()
        os.close(self.writes)
        if self.problem is not None:
            raise self.problem

    def _keep(self, order: dict[str, Any], folder: Path, started: threading.Event) -> None:
        """Start the process, and stay as long as it lives."""
        # Linux ends a child that asked for it with the *thread* that started it; Dask's threads may end
        try:
            self.process = self._started(order, folder)
        except OSError as error:
            self.problem = error
            return
        finally:
            started.set()
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(IDLE_SECONDS / 10)
                return
            with _lock:
                idle = _idle.get(self.key, [])
                expired = self in idle and time.monotonic() - self.since > IDLE_SECONDS
                if expired:
                    idle.remove(self)
            if expired:
                self.end()

    def _started(self, order: dict[str, Any], folder: Path) -> subprocess.Popen[bytes]:
        bound = re.compile(order["bound"], re.IGNORECASE)
        own = {name: value for name, value in os.environ.items() if bound.search(name)}
        arguments = [folder / order["engine"], folder, os.getpid(), self.writes]
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=self.output,
            stderr=self.output,
            cwd=folder / order["project"],
            env={**own, **order["environment"]},
            pass_fds=[self.writes],
            bufsize=0,
            start_new_session=True,
        )

    def lives(self) -> bool:
        return self.process.poll() is None

    def answer(self, digest: str, function: bytes, unit: bytes) -> bytes | None:
        """Return what the process answers to a unit; None if it dies instead."""
        request = pickle.dumps((function if self.function != digest else None, unit))
        self.function = digest
        assert self.process.stdin is not None
        try:
            send(self.process.stdin.fileno(), request)
        except BrokenPipeError:
            return None
        header = self._read(_LENGTH.size)
        return self._read(_LENGTH.unpack(header)[0]) if header is not None else None

    def _read(self, size: int) -> bytes | None:
        """Return so many bytes; None at the end of the pipe."""
        data = bytearray()
        ready = select.poll()  # not select(): a worker may hold more than a thousand files open
        ready.register(self.replies, select.POLLIN)
        while len(data) < size:
            if not ready.poll(1000 * POLL_SECONDS):
                if not self.lives():  # something that it has started may still hold the pipe open
                    return None
                _check_wanted()
                continue
            piece = os.read(self.replies, min(size - len(data), 1 << 20))
            if not piece:
                return None
            data += piece
        return bytes(data)

    def printed(self) -> bytes:
        """Return the end of what the process has printed since the last time."""
        handle = self.output.fileno()
        size = os.fstat(handle).st_size
        text = os.pread(handle, MOST_OUTPUT, max(0, size - MOST_OUTPUT))
        os.ftruncate(handle, 0)
        return text

    def died(self) -> int:
        """Return the exit code of the process, as in subprocess, once it has stopped answering."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(2)
        self.process.kill()  # it has closed its end of the pipe and goes on
        return self.process.wait()

    def end(self) -> None:
        """Kill the process with all that it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.output.close()
        os.close(self.replies)


def _check_wanted() -> None:
    """Raise RuntimeError if the driver no longer waits for this thread's unit."""
    # Dask lets a task that has been cancelled go on to its end, and has no call that tells it so
    worker = _worker()
    task = worker.state.tasks.get(worker.get_current_task())
    if task is None or task.state == "cancelled":
        raise RuntimeError("cancelled: the driver no longer waits for it")


# ------------------------------------------------------------------------------------- what both sides speak


def send(handle: int, message: bytes) -> None:
    """Write a message, its length first."""
    data = memoryview(_LENGTH.pack(len(message)) + message)
    while data:
        data = data[os.write(handle, data) :]


def receive(handle: int) -> bytes | None:
    """Return the next message; None when there will be no more."""
    header = _exactly(handle, _LENGTH.size)
    return _exactly(handle, _LENGTH.unpack(header)[0]) if header is not None else None


def _exactly(handle: int, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        piece = os.read(handle, min(size - len(data), 1 << 20))
        if not piece:
            return None
        data += piece
    return bytes(data)

"""One operation on the file system that fails, or before which a build is ended: the n-th that writes.

Each process that finds this file as its `sitecustomize`, or calls `install`, asks before each open for
writing, write, fsync, rename, mkdir and change of rights, in the order of time over all processes,
whether it is its turn. The turn stands in a small file, which the tests set: nothing happens before.
"""

from __future__ import annotations

import builtins
import io
import mmap
import os
import stat
import struct
import sys
from pathlib import Path

VARIABLE = "LABREPORT_TURN"
"""Names the environment variable that holds the path of the file with the turn."""

_FORM = struct.Struct("qqqqq")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_EVENTS = ("os.mkdir", "os.rename", "os.chmod", "os.utime", "os.symlink", "os.link")


NEVER = 1 << 40
"""The turn of an operation that never comes: all are listed, in a file beside that of the turn."""
SEEN = ".seen"
ONCE, ALL, PARENT, GROUP = range(4)
"""What happens in a turn: it fails, it fails and so do all that follow, the build or its group is ended."""


class Turn:
    """Which operation is to fail: the shared state of all processes."""

    def __init__(self, path: str) -> None:
        with Path(path).open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _FORM.size)
        self.path = path

    def set(self, at: int, number: int = 0, what: int = ONCE) -> None:
        """Let something happen at an operation; `number` is that of an error or of a signal."""
        self._map[:] = _FORM.pack(0, at, number, what, 0)

    def begin(self) -> None:
        """Let this process be the one to end."""
        self._map[-8:] = struct.pack("q", os.getpid())

    @property
    def count(self) -> int:
        """How many operations there were."""
        return _FORM.unpack(self._map)[0]

    def take(self, what: str, path: object = None) -> None:
        """Count an operation; raise OSError, or end the build, if it is its turn."""
        count, at, number, happens, build = _FORM.unpack(self._map)
        if not at:
            return
        count += 1
        self._map[:8] = struct.pack("q", count)
        if at == NEVER:
            _append(self.path + SEEN, f"{what} {_stack()}\n")
            return
        if happens in (PARENT, GROUP):
            if count == at and build:
                (os.kill if happens == PARENT else os.killpg)(build, number)
        elif count == at or (happens == ALL and count > at):
            name = (os.fspath(path),) if isinstance(path, str | bytes | os.PathLike) else ()
            raise OSError(number, os.strerror(number), *name)


_open, _write = os.open, os.write  # these are not counted, though heard


def _append(path: str, line: str) -> None:
    global _is_deaf
    _is_deaf = True
    try:
        handle = _open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        _write(handle, line.encode())
        os.close(handle)
    finally:
        _is_deaf = False


_is_deaf = False


def _stack() -> str:
    """Return the lines of labreport that led to an operation: the same ones try the same."""
    lines, frame = [], sys._getframe(2)
    while frame is not None:
        if "/labreport/" in frame.f_code.co_filename:
            lines.append(f"{frame.f_code.co_name}:{frame.f_lineno}")
        frame = frame.f_back
    return ",".join(lines)


def seen(turn: Turn) -> list[str]:
    """Return the operations that were listed, each with the lines that led to it, and forget them."""
    path = Path(turn.path + SEEN)
    listed = path.read_text().splitlines()
    path.unlink()
    return listed


def make(path: str) -> Turn:
    """Return the turn kept in a new file."""
    Path(path).write_bytes(bytes(_FORM.size))
    os.environ[VARIABLE] = path
    return Turn(path)


def install(turn: Turn) -> None:
    """Let operations of this process, and of those forked from it, ask for their turn."""
    sys.addaudithook(lambda event, arguments: _hear(turn, event, arguments))
    for name in ("write", "fsync", "sendfile"):
        setattr(os, name, _asking(turn, f"os.{name}", getattr(os, name)))
    plain = io.open

    class Raw(io.FileIO):
        def write(self, data):
            if _is_file(self.fileno()):
                turn.take("write")
            return super().write(data)

    def opened(
        file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None
    ):
        if not set(mode) & set("wax+"):
            return plain(file, mode, buffering, encoding, errors, newline, closefd, opener)
        raw = Raw(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        if buffering == 0:
            return raw
        whole = (io.BufferedRandom if "+" in mode else io.BufferedWriter)(raw)
        if "b" in mode:
            return whole
        text = io.TextIOWrapper(whole, encoding, errors, newline)
        text.mode = mode
        return text

    io.open = builtins.open = opened


def _is_file(handle):
    """Return whether a handle is a file's: not a pipe's between processes, and not this process's output."""
    return handle > 2 and stat.S_ISREG(os.fstat(handle).st_mode)


def _asking(turn, name, plain):
    def asking(*args, **kwargs):
        if name != "os.write" or _is_file(args[0]):
            turn.take(name)
        return plain(*args, **kwargs)

    return asking


def _hear(turn, event, arguments):
    if _is_deaf:
        return
    if event in _EVENTS:
        turn.take(event, arguments[0])
    elif event == "open" and isinstance(arguments[0], str | bytes) and (arguments[2] or 0) & _WRITES:
        path = os.fsdecode(arguments[0])
        if not path.startswith(("/dev/", "/proc/")):
            turn.take(event, path)


if __name__ == "sitecustomize" and VARIABLE in os.environ:
    install(Turn(os.environ[VARIABLE]))

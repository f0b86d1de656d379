"""What the processes of one experiment have observed, written to one place in the order of time.

If a line cannot be written, an input goes unrecorded. The code that opened the file must not see that error,
since it may catch it: it is raised later, when the lines are read.
"""

from __future__ import annotations

import errno
import fcntl
import json
import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Line:
    """Something that was observed: what, its value then, and how it came to that.

    `how` is "own" for what the experiment made itself, "touched" for what it changed, "argument" for what it
    only named to a program, "given" for an input of `lab.command`, else what `files.token` says of the file.
    """

    kind: str
    name: str
    value: str
    how: str


class Journal:
    """A file without a name, or one that is kept, which forked processes inherit open."""

    def __init__(self) -> None:
        self._handles: list[int] = []
        self._identity = 0, 0
        self._kept: Path | None = None
        # the number of the error that lost a line; all processes share it
        self._lost = mmap.mmap(-1, mmap.PAGESIZE)
        self._go_on_in(_nameless())

    def _go_on_in(self, handle: int) -> None:
        # processes that were forked before go on writing where they have begun
        self._handles.append(handle)
        found = os.fstat(handle)
        self._identity = found.st_dev, found.st_ino

    def write(self, kind: str, name: str, value: str, how: str) -> None:
        """Add a line; the system keeps lines of several processes apart."""
        handle = self._handles[-1]
        found = os.fstat(handle)
        # a process that has closed all that it inherited may have another file under this number
        if (found.st_dev, found.st_ino) == self._identity:
            line = json.dumps([kind, name, value, how]).encode() + b"\n"
            try:
                is_whole = os.write(handle, line) == len(line)
            except OSError as error:
                self._lose(error.errno or errno.EIO)
            else:
                if not is_whole:
                    self._lose(errno.ENOSPC)

    def _lose(self, number: int) -> None:
        """Note that a line could not be written; a file that lacks one is not kept for a later run."""
        self._lost[:4] = number.to_bytes(4, "little")
        if self._kept is not None:
            self._kept.unlink(missing_ok=True)

    def lines(self) -> Iterator[Line]:
        """Yield the lines of all processes, in the order of time; OSError if one could not be written."""
        if number := int.from_bytes(self._lost[:4], "little"):
            self._lose(number)
            raise OSError(number, os.strerror(number))
        for handle in self._handles:
            yield from _read(handle)

    def keep(self, path: Path) -> None:
        """Go on in a new file that outlives this process, with all that has been written so far."""
        lines = list(self.lines())
        self._kept = path
        self._go_on_in(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC, 0o666))
        for line in lines:
            self.write(line.kind, line.name, line.value, line.how)


def left(path: Path) -> list[Line]:
    """Return what a run that was killed had read by then; nothing if there is no such file."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return []
    try:
        return [line for line in _read(handle) if line.how not in ("own", "touched")]
    finally:
        os.close(handle)


def _read(handle: int) -> Iterator[Line]:
    for line in os.pread(handle, os.fstat(handle).st_size, 0).split(b"\n")[:-1]:
        yield Line(*json.loads(line))


def _nameless() -> int:
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("observed")
    else:  # only Linux has those
        import tempfile

        handle, path = tempfile.mkstemp()
        os.unlink(path)  # noqa: PTH108 -- a path of tempfile is a text
    fcntl.fcntl(handle, fcntl.F_SETFL, fcntl.fcntl(handle, fcntl.F_GETFL) | os.O_APPEND)
    return handle

"""What the processes of one experiment have observed, written to one place in the order of time."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """Something that was observed: what, its value then, and how it came to that.

    `how` is "own" for what the experiment made itself, "touched" for what it changed, "argument" for what it
    only named to a program, else what `observed.token` says of the file.
    """

    kind: str
    name: str
    value: str
    how: str


class Journal:
    """A file without a name, which forked processes inherit open."""

    def __init__(self) -> None:
        self._handle = _nameless()
        found = os.fstat(self._handle)
        self._identity = found.st_dev, found.st_ino

    def write(self, kind: str, name: str, value: str, how: str) -> None:
        """Add a line; the system keeps lines of several processes apart."""
        found = os.fstat(self._handle)
        # a process that has closed all that it inherited may have another file under this number
        if (found.st_dev, found.st_ino) == self._identity:
            os.write(self._handle, json.dumps([kind, name, value, how]).encode() + b"\n")

    def lines(self) -> Iterator[Line]:
        """Yield the lines of all processes, in the order of time."""
        size = os.fstat(self._handle).st_size
        for line in os.pread(self._handle, size, 0).splitlines():
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

"""What a cell reads of its experiment while it is computed: parameters, results, declared files, the seed.

Together with what `observing` sees, that is all that a cell depends on besides its function and its item: if
these are as they were, so is the value.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from labreport.results import Part

_open: list[set[Part]] = []
_written: list[set[str]] = []
_so_far: set[Part] = set()
_OF_ONE = ("effect", "seed")


EFFECT = Part("effect")
"""What stands for all that a value leaves out: files that a call has left behind."""


@contextmanager
def during() -> Iterator[set[Part]]:
    """Note what is read within the block, and whether files are left behind.

    What this process has read in blocks before counts as well: it may remember that.
    """
    read: set[Part] = {part for part in _so_far if part.kind not in _OF_ONE}
    written: set[str] = set()
    _open.append(read)
    _written.append(written)
    try:
        yield read
    finally:
        _open.pop()
        _written.pop()
        _so_far.update(read)
        if any(os.path.isfile(path) for path in written):  # noqa: PTH113 -- a text is at hand
            read.add(EFFECT)


def begin_map() -> None:
    """Forget what was read before: what the values of a map hold of it, their keys tell."""
    _so_far.clear()


def wrote(path: str) -> None:
    """Note that a file was opened to be written."""
    for written in _written:
        written.add(os.path.abspath(path))  # noqa: PTH100 -- the folder may change before the end


def note(kind: str, name: str = "") -> None:
    """Note that something was read."""
    for read in _open:
        read.add(Part(kind, name))


def watch(params: type) -> None:
    """Note from now on which fields of the class Params are read, whoever reads them of whichever object."""
    fields = frozenset(getattr(params, "__dataclass_fields__", ()))
    read: Any = params.__getattribute__

    def reading(self: object, name: str) -> Any:
        if _open:  # in the middle of a cell
            if name in fields:
                note("parameter", name)
            elif name == "__dict__":
                for field in fields:
                    note("parameter", field)
        return read(self, name)

    # frozen are its instances, not the class
    params.__getattribute__ = reading  # type: ignore[method-assign, assignment]

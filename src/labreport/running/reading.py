"""What a cell reads of its experiment while it is computed: parameters, results, declared files, the seed.

Together with what `observing` sees, that is all that a cell depends on besides its function and its item: if
these are as they were, so is the value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from labreport.results import Part

_open: list[set[Part]] = []


@contextmanager
def during() -> Iterator[set[Part]]:
    """Note what is read within the block."""
    read: set[Part] = set()
    _open.append(read)
    try:
        yield read
    finally:
        _open.remove(read)


def note(kind: str, name: str = "") -> None:
    """Note that something was read."""
    for read in _open:
        read.add(Part(kind, name))


def watch(params: type) -> None:
    """Note from now on which fields of the class Params are read, by whomever and through whichever object."""
    fields = frozenset(getattr(params, "__dataclass_fields__", ()))
    read = params.__getattribute__

    def reading(self: object, name: str) -> Any:
        if _open:  # in the middle of a cell
            if name in fields:
                note("parameter", name)
            elif name == "__dict__":
                for field in fields:
                    note("parameter", field)
        return read(self, name)

    # frozen are its instances, not the class
    params.__getattribute__ = reading  # type: ignore[method-assign,assignment]


class Watched(Mapping[str, Any]):
    """The parameters by name, as the lab has them; what is read of them is noted."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.params = params

    def __getitem__(self, name: str) -> Any:
        note("parameter", name)
        return self.params[name]

    def __iter__(self) -> Iterator[str]:
        for name in self.params:
            note("parameter", name)
        return iter(self.params)

    def __len__(self) -> int:
        return len(self.params)

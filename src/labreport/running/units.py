"""What one process computes at a time, whichever process that is: here, forked, fresh, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from labreport.results import Fingerprint

Seen = Fingerprint
"""Inputs that were observed while a unit was computed, with their values when they were first read."""


@dataclass(frozen=True)
class Unit:
    """One call of the function of a `lab.map`: with an item, or with a list of items where they are batched.

    `index` is the place of its (first) item among the items; `seed` is what the global generators of Python,
    NumPy and torch start from.
    """

    index: int
    argument: Any
    seed: int


@dataclass(frozen=True)
class Done:
    """What a unit gave: the value that the function returned, and what it was seen to read."""

    value: Any
    seen: Seen = field(default_factory=Fingerprint)


class Executor(Protocol):
    """Where units are computed: each gives the same bits wherever, and in whatever company."""

    def compute(self, function: Callable[[Any], Any], units: Sequence[Unit]) -> Iterator[tuple[int, Done]]:
        """Yield what each unit gave with its place in `units`, in the order of time.

        Raises
        ------
        Exception
            The first exception of the function, in the order of time, with a note that names the item.
        ExperimentError
            A process was killed, or something cannot be sent to or from it.

        """
        ...

"""What one process computes at a time, whichever process that is: here, forked, fresh, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from labreport.results import Fingerprint
from labreport.running import generators, mutations, observing, reading, threads
from labreport.running.seeds import Seeds

Seen = Fingerprint
"""What was read while a unit was computed; what was observed, with its values when they were first read."""


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


Computed = Generator[tuple[int, Done], None, None]


class Executor(Protocol):
    """Where units are computed: each gives the same bits wherever, and in whatever company."""

    def compute(self, function: Callable[[Any], Any], units: Sequence[Unit]) -> Computed:
        """Yield what each unit gave with its place in `units`, in the order of time, until it is closed.

        Raises
        ------
        Exception
            The first exception of the function, in the order of time, with a note that names the item.
        ExperimentError
            A process was killed, or something cannot be sent to or from it.

        """
        ...


_inside: Seeds | None = None


def perform(function: Callable[[Any], Any], unit: Unit) -> Done:
    """Return what a unit gives, computed here and now, the same wherever that is.

    The global generators start from the unit's seed, and torch computes in one thread, whatever the units
    before have left. Neither is given back: that is for executors to do where it matters.
    """
    global _inside
    outer, _inside = _inside, Seeds(unit.seed)
    try:
        with observing.during() as sight, reading.during() as read:
            generators.seed(unit.seed)
            threads.limit()
            before = generators.states()
            value = function(unit.argument)
            if sight.has_effects:
                read.add(reading.EFFECT)  # what a program does, it must do each time
            if generators.are_used_since(before):
                reading.note("seed")
        mutations.after_item()
        # a process may remember what it has read for the units before
        return Done(value, observing.seen_in_map() | sight.seen | Fingerprint(dict.fromkeys(read, "")))
    finally:
        _inside = outer


def inside() -> Seeds | None:
    """Return the seeds for maps inside the unit that this process computes at the moment; None outside."""
    return _inside


def naming(unit: Unit) -> str:
    """Return how messages name a unit: its number, from 1, and its argument, cut if it is long."""
    shown = repr(unit.argument)
    shown = shown if len(shown) <= 80 else shown[:77] + "…"
    return f"item {unit.index + 1} of lab.map: {shown}"

"""One call of `lab.map`: which items are known, what is computed, in which company, and what is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labreport.errors import ExperimentError
from labreport.results import OBSERVED, Fingerprint
from labreport.running import observing
from labreport.running.units import Done, Executor, Unit

if TYPE_CHECKING:
    from labreport.running.cells import Row
    from labreport.running.pool import Meter


@dataclass(frozen=True)
class Map:
    """How the items of one call are computed: by `executor`, at most `batch` of them at a time if given.

    `jobs` processes at once are expected; `row` keeps the cells, if any are kept; `warn` is told in a line
    where values depend on how items are batched.
    """

    function: Callable[[Any], Any]
    executor: Executor
    jobs: int = 1
    batch: int | None = None
    row: Row | None = None
    warn: Callable[[str], None] = print

    def values(self, items: Sequence[Unit], meter: Meter) -> list[Any]:
        """Return what the function gives for each item, in their order."""
        known = {item.index: done.value for item in items if (done := self._find(item)) is not None}
        if known:
            meter.done(len(known))
        missing = [item for item in items if item.index not in known]
        for item, value in self._computed(missing):
            known[item.index] = value
            meter.done(len(known))
        return [known[item.index] for item in items]

    def _find(self, item: Unit) -> Done | None:
        done = self.row.find(item) if self.row is not None else None
        if done is not None:
            observing.add(_observed(done))  # the run depends on it as if it had read it itself
        return done

    def _computed(self, items: Sequence[Unit]) -> Iterator[tuple[Unit, Any]]:
        """Yield the items with their values, in the order of time."""
        groups, warned = list(self._groups(items)), False
        units = [self._unit(group) for group in groups]
        with closing(self.executor.compute(self.function, units)) as computed:  # an error ends all at once
            for place, done in computed:
                observing.add(_observed(done))
                if self.batch is not None and not warned and any(p.kind == "seed" for p in done.seen.parts):
                    warned = True
                    self.warn(_DRAWN)
                for item, value in zip(groups[place], self._apart(groups[place], done.value), strict=True):
                    if self.row is not None:
                        self.row.keep(item, Done(value, done.seen))
                    yield item, value

    def _groups(self, items: Sequence[Unit]) -> Iterator[Sequence[Unit]]:
        """Yield the items that are computed together: nearly equal numbers, and as many for each process."""
        if self.batch is None:
            yield from ([item] for item in items)
            return
        rounds = math.ceil(len(items) / (self.batch * self.jobs))
        groups = min(rounds * self.jobs, len(items))
        for group in range(groups):
            yield items[group * len(items) // groups : (group + 1) * len(items) // groups]

    def _unit(self, group: Sequence[Unit]) -> Unit:
        if self.batch is None:
            return group[0]
        return Unit(group[0].index, [item.argument for item in group], group[0].seed)

    def _apart(self, group: Sequence[Unit], value: Any) -> Sequence[Any]:
        if self.batch is None:
            return [value]
        if not isinstance(value, list | tuple) or len(value) != len(group):
            given = f"{len(value)} values" if isinstance(value, list | tuple) else type(value).__name__
            raise ExperimentError(
                f"a function of lab.map with `batch` returned {given} for a list of {len(group)} items",
                cure="return a list with one value for each item",
            )
        return value


_DRAWN = (
    "a function of lab.map with `batch` uses a global generator, which is seeded once for each list: if "
    "values depend on it, they depend on --jobs; draw from a generator for each item, seeded by lab.seed(…)"
)


def _observed(done: Done) -> Fingerprint:
    return Fingerprint({part: value for part, value in done.seen.parts.items() if part.kind in OBSERVED})

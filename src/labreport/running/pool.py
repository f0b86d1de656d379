"""Computing units in the processes of this machine, with the same values for any number of them.

One job computes here. More are forked, so that the function may be a closure or a lambda and the items
anything. Where the threads of this process forbid a fork, fresh processes take the place of forked ones: what
they are to compute must then be picklable.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from labreport.errors import ExperimentError
from labreport.running import generators, relay, threads
from labreport.running.budget import Alone, Budget
from labreport.running.failures import ending, restored
from labreport.running.units import Computed, Done, Unit, inside, naming, perform
from labreport.running.watch import Watch
from labreport.running.workers import Forked, Fresh, Worker, Workers, packed

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Progress = Callable[[int, int, str], None]
"""A function that is given the number of finished items, the number of all items, and their label."""
Notify = Callable[[str], None]
"""A function that is given a line for the person who builds."""

STEPS = 1000
PROGRESS_SECONDS = 0.1
BORROW_SECONDS = 0.1
"""So often a map that could use more processes looks for a slot."""
OWN = -1
"""The slot that serves the first process of each map."""


class Meter:
    """Tells about progress, of many items not each: whoever listens has other things to do."""

    def __init__(self, progress: Progress, total: int, label: str) -> None:
        self.progress = progress
        self.total = total
        self.label = label
        self.step = max(1, total // STEPS)
        self.last = time.monotonic()
        if total:
            progress(0, total, label)

    def done(self, count: int) -> None:
        """Tell that so many items have finished; of very many only each so many, or after a moment."""
        now = time.monotonic()
        if count % self.step == 0 or count == self.total or now - self.last >= PROGRESS_SECONDS:
            self.last = now
            self.progress(count, self.total, self.label)


class Local:
    """The executor of this machine: as many processes as the budget has, fewer while others need them.

    `prepare`, which must be picklable, is called first in each fresh process. `warn` gets a line when no item
    finishes for long.
    """

    def __init__(
        self,
        budget: Budget | None = None,
        *,
        warn: Notify = lambda _: None,
        prepare: Callable[[], object] | None = None,
    ) -> None:
        self.budget = budget or Alone(1)
        self.warn = warn
        self.prepare = prepare
        self.warned = False

    def compute(self, function: Callable[[Any], Any], units: Sequence[Unit]) -> Computed:
        """Yield what each unit gave with its place in `units`, in the order of time; see `Executor`."""
        if inside() is not None:  # a map within a map would multiply the processes
            yield from _here(function, units)
        elif min(self.budget.jobs, len(units)) <= 1:
            yield from _watched_here(function, units, Watch(self.warn))
        else:
            workers = self._workers(function, units)
            with _Crew(workers, units, self.budget, Watch(self.warn)) as crew:
                yield from crew.compute()

    def _workers(self, function: Callable[[Any], Any], units: Sequence[Unit]) -> Workers:
        found = threads.endangered_by_fork()
        if not found:
            return Forked(function, units)
        fresh = Fresh(function, units, found, self.prepare)
        if not self.warned:
            self.warned = True
            others = "another thread" if found == 1 else f"{found} other threads"
            self.warn(f"lab.map starts fresh processes, which takes longer: a fork would cut off {others}")
        return fresh


def _here(function: Callable[[Any], Any], units: Sequence[Unit]) -> Computed:
    # what follows the map must find what it would find if other processes had computed the units
    with generators.kept(), threads.kept():
        for place, unit in enumerate(units):
            try:
                done = perform(function, unit)
            except (Exception, SystemExit) as error:
                error.add_note(f"in {naming(unit)}")
                raise
            yield place, done


def _watched_here(function: Callable[[Any], Any], units: Sequence[Unit], watch: Watch) -> Computed:
    place = 0
    with watch.here(lambda: units[place]):
        for finished, done in _here(function, units):
            watch.finished()
            place = min(finished + 1, len(units) - 1)
            yield finished, _sent(done, units[finished])


def _sent(done: Done, unit: Unit) -> Done:
    """Return what a unit gave as another process would have sent it: a copy, which no later unit changes."""
    kind, data = packed(done, pickle.dumps)
    if kind == "failed":
        raise restored(data, f"in {naming(unit)}")
    return cast("Done", pickle.loads(data))


class _Crew:
    """Workers that share the units of a map, each with a slot of the budget while it works."""

    def __init__(self, workers: Workers, units: Sequence[Unit], budget: Budget, watch: Watch) -> None:
        self.workers = workers
        self.units = units
        self.budget = budget
        self.watch = watch
        self.waiting = list(range(len(units)))[::-1]
        self.slots = [OWN]  # those at hand that no worker uses
        self.idle: list[Worker] = []
        self.working: dict[Connection, tuple[Worker, int, int]] = {}

    def __enter__(self) -> _Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.idle + [worker for worker, _, _ in self.working.values()]:
            worker.end()
        for slot in self.slots + [slot for _, _, slot in self.working.values()]:
            self._give_back(slot)
        self.workers.close()

    def compute(self) -> Computed:
        """Yield what each unit gave with its place, in the order of time."""
        self._employ()
        while self.working:
            for connection in self._answering():
                place, done = self._answer(connection)
                if done is not None:
                    self.watch.finished()
                    self._employ()  # first: who asked for the values may take time to store them
                    yield place, done
            self._employ()

    def _employ(self) -> None:
        """Let workers begin units, as long as there are slots and units."""
        while self.waiting and self._has_slot():
            others = [worker for worker, _, _ in self.working.values()]
            worker = self.idle.pop() if self.idle else self.workers.start(others)
            place = self.waiting.pop()
            self.working[worker.connection] = worker, place, self.slots.pop()
            try:
                worker.connection.send(self.workers.request(place))
            except OSError:
                raise self._died(worker, place) from None

    def _has_slot(self) -> bool:
        if not self.slots and (slot := self.budget.borrow()) is not None:
            self.slots.append(slot)
        return bool(self.slots)

    def _give_back(self, slot: int) -> None:
        if slot != OWN:
            self.budget.give_back(slot)

    def _answering(self) -> list[Connection]:
        """Wait until workers answer, there may be another slot, or there is something to warn of."""
        from multiprocessing.connection import wait

        could_use_more = self.waiting and len(self.working) < self.budget.jobs
        seconds = min(self.watch.remaining(), BORROW_SECONDS if could_use_more else float("inf"))
        answering = wait(list(self.working), seconds)
        if not answering:
            working = [(self.units[place], worker.pid) for worker, place, _ in self.working.values()]
            self.watch.look(working)
        return cast("list[Connection]", answering)

    def _answer(self, connection: Connection) -> tuple[int, Done | None]:
        """Return the place of a worker's unit with what it gave; None if that was not yet its last word."""
        worker, place, slot = self.working[connection]
        try:
            kind, data = connection.recv()
        except (EOFError, OSError):
            raise self._died(worker, place) from None
        if kind == "message":
            relay.send(data)
            return place, None
        if kind == "failed":
            raise restored(data, f"in {naming(self.units[place])}")
        del self.working[connection]
        self.idle.append(worker)
        if not self.waiting or (slot != OWN and self.budget.is_wanted(slot)):
            self._give_back(slot)
        else:
            self.slots.append(slot)
        return place, pickle.loads(data)

    def _died(self, worker: Worker, place: int) -> ExperimentError:
        what = f"a process of lab.map {ending(worker.ended())}"
        notes = [f"in {naming(self.units[place])}"]
        return ExperimentError(what, notes=notes, cure="try smaller items, or fewer at once: --jobs 1")

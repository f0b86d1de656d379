"""Computing units on a Dask cluster, with the same bits as here.

    driver: the experiment's own process        worker of Dask          process kept by the worker
    pickles function and units ──▶ scheduler ──▶ `remote.compute` ──▶ `guest.serve`: the driver's sources,
                                                 only passes bytes      its variables; `units.perform`

Only the driver talks to the cluster, and only while a map lasts. The cluster never unpickles anything of the
project, outside of processes that belong to one driver; so several drivers, with other code at the same time,
do not meet there. What an item gives or raises travels back as bytes, too.

A unit whose worker dies is computed again. One that ends its own process is tried `TRIES` times, since a
machine that is shut down ends processes, too; then the error names it. Dask blames every unit that was
assigned to a worker that died, so a unit that it gives up is computed again when no other is left.
"""

from __future__ import annotations

import asyncio
import pickle
import queue
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport import surroundings
from labreport.errors import ExperimentError
from labreport.running import failures, generators, relay, remote
from labreport.running.handshake import CONNECT_SECONDS, differing_versions, expected, quiet
from labreport.running.shipment import Shipment
from labreport.running.state import Baseline
from labreport.running.units import Computed, Done, Executor, Unit, naming
from labreport.running.watch import Watch

if TYPE_CHECKING:
    from distributed import Client, Future

    from labreport.running.lab import Lab

ALONE_SECONDS = 60.0
"""How long a cluster may be without any worker while units wait."""

LISTEN_SECONDS = 5.0
ELSEWHERE = -1
"""The id of a process that is not one of this machine."""
_AGAIN = "see whether its scheduler still runs; then run again"
TRIES = 3
MOST_GIVEN = 3
_TEXT = Path(remote.__file__).read_text(encoding="utf-8")
_NAME = f"labreport_remote_{sha256(_TEXT.encode()).hexdigest()[:16]}"
"""The name of `remote` on workers: what another labreport has left there stays apart."""

_Call = tuple[dict[str, Any], bytes, bytes]
"""What the units of a map have in common: the order, the shipment and the pickled function."""


class Cluster:
    """Computes units on the cluster at an address, for one experiment's process: an `Executor`."""

    def __init__(self, address: str, lab: Lab, here: Executor) -> None:
        """Read what is to be sent, as the experiment has just imported it."""
        self.address = address
        self.lab = lab
        self.here = here
        self.driver = uuid.uuid4().hex
        self.shipment = Shipment(lab)
        self.baseline = Baseline(self.shipment.modules())
        self.versions = expected(lab.fingerprint.named("version"))
        self._told: set[str] = set()

    def compute(self, function: Callable[[Any], Any], units: Sequence[Unit]) -> Computed:
        """Yield what each unit gave with its place in `units`, in the order of time.

        What cannot be pickled is computed here, after a notice that says so.

        Raises
        ------
        Exception
            The first exception of the function, in the order of time, with a note that names the item.
        ExperimentError
            A unit has ended its process or its worker, its value cannot be pickled, or the cluster is lost.
        ToolError
            A worker has other versions than this process.

        """
        if not units:
            return
        try:
            call = self._call(function)
            sent = [self._pickled(unit, f"a {type(unit.argument).__name__}") for unit in units]
        except _UnsendableError as error:
            self._tell(str(error))
            yield from self.here.compute(function, units)
            return
        # distributed draws from the global generator of Python, whose numbers belong to the experiment
        with generators.kept(), quiet(), self._client() as client:
            yield from _Map(self, client, call, units, sent).results()

    def _call(self, function: Callable[[Any], Any]) -> _Call:
        digest, files = self.shipment.packed()
        state = self.baseline.changes()
        for (module, name), value in {**state.variables, **state.contents}.items():
            self._pickled(value, f"{module}.{name}, which the run has set")
        pickled = self._pickled((function, state), getattr(function, "__qualname__", "") or "its function")
        order = {
            "driver": self.driver,
            "shipment": digest,
            "function": sha256(pickled).hexdigest(),
            "environment": surroundings.for_workers(),
            "bound": surroundings.BOUND,
            "versions": self.versions,
            "engine": self.shipment.engine,
            "project": self.shipment.folder,
        }
        return order, files, pickled

    def _pickled(self, value: object, name: str) -> bytes:
        try:
            return self.shipment.pickled(value)
        except Exception as error:
            raise _UnsendableError(f"{name} ({error})") from error

    def _tell(self, what: str) -> None:
        # the same map may come again and again, with other items
        if what not in self._told:
            self._told.add(what)
            self.lab.notice(f"lab.map computes here what it cannot send to the cluster: {what}")

    @contextmanager
    def _client(self) -> Iterator[Client]:
        from distributed import Client

        try:
            # results come through the scheduler: workers need not be within reach of the driver
            client = Client(
                self.address, timeout=CONNECT_SECONDS, set_as_default=False, direct_to_workers=False
            )
        except (OSError, ImportError, ValueError) as error:
            what = f"the cluster at {self.address} does not answer: {error}"
            raise ExperimentError(
                what, cure="see whether its scheduler still runs; then run again"
            ) from error
        with client:
            yield client


class _UnsendableError(Exception):
    """Something cannot be pickled."""


class _Map:
    """The units of one map while they are on the cluster."""

    def __init__(
        self, cluster: Cluster, client: Client, call: _Call, units: Sequence[Unit], sent: Sequence[bytes]
    ) -> None:
        self.cluster = cluster
        self.client = client
        self.call = call
        self.units = units
        self.sent = sent
        self.name = f"labreport-{uuid.uuid4().hex}"
        self.answers: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self.waiting: dict[tuple[str, int], int] = {}  # the place of the unit, by the key of its future
        self.numbers = count()
        self.deaths: Counter[int] = Counter()
        self.blamed: list[int] = []
        self.given: Counter[str] = Counter()
        self.alone_since: float | None = None
        self.watch = Watch(cluster.lab.notice)

    def results(self) -> Iterator[tuple[int, Done]]:
        """Yield what each unit gave, with its place."""
        self._give(None)
        self._submit(range(len(self.units)))
        yield from self._drained()
        for place in self.blamed:  # each with no other beside it: if its worker dies again, it is to blame
            self._submit([place])
            yield from self._drained()
        self.client.run(_remotely("forget"), self.name, on_error="ignore")

    def _give(self, workers: list[str] | None) -> None:
        """Give workers, or all that there are, what the units have in common.

        It is not an input of the tasks: Dask prefers workers that have a task's inputs, and would let the
        others stand idle while long tasks wait.
        """
        order, shipment, function = self.call
        to: dict[str, Any] = {"workers": workers, "on_error": "ignore"}  # who lacks it in the end will say so
        has = self.client.run(_remotely("keep"), self.name, order, function, **to)
        to["workers"] = [worker for worker, unpacked in has.items() if not unpacked]
        if to["workers"]:
            self.client.run(_remotely("unpack"), order["shipment"], shipment, **to)

    def _submit(self, places: Iterable[int]) -> None:
        # all of one group by their names, so that Dask sees that they are alike
        keys = {(self.name, next(self.numbers)): place for place in places}
        self.waiting |= keys
        units = [self.sent[place] for place in keys.values()]
        compute = _remotely("compute")
        for future in self.client.map(compute, [self.name] * len(keys), units, key=list(keys), pure=False):
            future.add_done_callback(self.answers.put)

    def _drained(self) -> Iterator[tuple[int, Done]]:
        while self.waiting:
            futures = self._answered()
            for place, answer in self._answers(futures):
                done = self._done(place, answer)
                if done is not None:
                    yield place, done

    def _answered(self) -> list[Future]:
        """Return futures that have ended, once there are any."""
        while True:
            try:
                found = [self.answers.get(timeout=LISTEN_SECONDS)]
                break
            except queue.Empty:
                self._check_workers()
                self._look()
        self.watch.finished()
        while not self.answers.empty():
            found.append(self.answers.get())
        return found

    def _answers(self, futures: Sequence[Future]) -> list[tuple[int, Any]]:
        """Return the places of units with what the cluster gave for them: an answer or an exception."""
        good = [future for future in futures if future.status == "finished"]
        try:
            found = dict(zip((future.key for future in good), self.client.gather(good), strict=True))
        except Exception:  # a worker has died in the meantime
            found = {}
        return [
            (self.waiting.pop(future.key), found.get(future.key) or _result(future)) for future in futures
        ]

    def _done(self, place: int, answer: Any) -> Done | None:
        """Return what a unit gave; None if it is computed again."""
        from distributed import KilledWorker

        unit = self.units[place]
        if isinstance(answer, KilledWorker):
            self._blame(place)
            return None
        if isinstance(answer, BaseException):
            raise self._lost(answer, unit) from answer
        kind, *rest = answer
        if kind == "differs":
            raise differing_versions(self.cluster.address, {"a worker": rest[0]})
        if kind == "lacks":
            self._give_again(place, rest[0])
            return None
        _print(rest[1])
        if kind == "died":
            self._try_again(place, rest[0])
            return None
        good, data, seen, messages = pickle.loads(rest[0])
        for message in messages:
            relay.send(message)
        if not good:
            raise failures.restored(data, f"in {naming(unit)}")
        return Done(pickle.loads(data), seen)

    def _give_again(self, place: int, worker: str) -> None:
        """Let a unit be computed after its worker, which has come late, has got what it lacks."""
        self.given[worker] += 1
        if self.given[worker] > MOST_GIVEN * len(self.units):
            what = f"the worker {worker} of the cluster cannot keep what the build sends"
            raise ExperimentError(what, cure="see its log; is its disk full?")
        self._give([worker])
        self._submit([place])

    def _try_again(self, place: int, code: int) -> None:
        """Let a unit that has ended its process be computed again, some times."""
        self.deaths[place] += 1
        if self.deaths[place] < TRIES:
            self._submit([place])
            return
        what = f"a process of lab.map on the cluster {failures.ending(code)}"
        notes = [f"in {naming(self.units[place])}", f"so it ended in each of {TRIES} tries"]
        raise ExperimentError(what, notes=notes, cure="try smaller items")

    def _blame(self, place: int) -> None:
        """Let a unit whose workers have died, time and again, be computed when no other is left."""
        if place not in self.blamed:
            self.blamed.append(place)
            return
        what = "a function of lab.map kills each worker of the cluster that computes it"
        cure = "see the logs of the workers: they may have run out of memory"
        raise ExperimentError(what, notes=[f"in {naming(self.units[place])}"], cure=cure)

    def _lost(self, error: BaseException, unit: Unit) -> ExperimentError:
        address = self.cluster.address
        if isinstance(error, asyncio.CancelledError) or "Cancel" in type(error).__name__:
            what = f"the connection to the cluster at {address} was lost"
            cure = _AGAIN
        else:
            what = f"the cluster at {address} failed: {type(error).__name__}: {error}"
            cure = "see the logs of its workers"
        return ExperimentError(what, notes=[f"in {naming(unit)}"], cure=cure)

    def _check_workers(self) -> None:
        """Raise ExperimentError if the cluster has been without workers for long."""
        if self.client.status == "running" and self.client.scheduler_info()["workers"]:
            self.alone_since = None
            return
        self.alone_since = self.alone_since or time.monotonic()
        if time.monotonic() - self.alone_since > ALONE_SECONDS:
            what = f"the cluster at {self.cluster.address} has had no worker for {ALONE_SECONDS:g} s"
            raise ExperimentError(what, cure="start workers; then run again")

    def _look(self) -> None:
        """Say so, now and then, if no item finishes."""
        if self.watch.remaining() > 0:
            return
        assigned = {key for keys in self.client.processing().values() for key in keys}
        units = [self.units[place] for key, place in self.waiting.items() if key in assigned]
        self.watch.look([(unit, ELSEWHERE) for unit in units])


def _remotely(what: str) -> Callable[..., Any]:
    """Return a function of `remote` as one that a process without labreport can unpickle."""
    text = _TEXT if what != "compute" else ""  # which comes to workers that have got the text before

    def call(*arguments: Any, dask_worker: Any = None) -> Any:
        import sys
        import types

        module = sys.modules.get(_NAME)
        if module is None and not text:
            from distributed import get_worker

            return "lacks", get_worker().address
        if module is None:
            module = types.ModuleType(_NAME)
            exec(compile(text, _NAME, "exec"), module.__dict__)
            sys.modules[_NAME] = module
        keeps = {"worker": dask_worker} if what in ("keep", "unpack") else {}
        return getattr(module, what)(*arguments, **keeps)

    return call


def _result(future: Future) -> Any:
    """Return the result of a future, or its exception."""
    try:
        return future.result()
    except (Exception, asyncio.CancelledError) as error:
        return error


def _print(output: bytes) -> None:
    """Print what a unit has printed, to the experiment's log."""
    if output:
        sys.stdout.write(output.decode("utf-8", "replace"))
        sys.stdout.flush()

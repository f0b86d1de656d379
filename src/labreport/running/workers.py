"""Processes that compute one unit after another: forked ones, or fresh ones.

A forked process has all that this one has, so that nothing must be sent to it. A fresh one is another Python:
it imports what it needs, and is sent the function and the units.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from labreport.descendants import die_with_parent
from labreport.errors import ExperimentError
from labreport.running import relay
from labreport.running.failures import described
from labreport.running.units import Done, Unit, naming, perform

if TYPE_CHECKING:
    import subprocess
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

Function = Callable[[Any], Any]
Request = int | bytes
"""The place of a unit for a process that has them all, else the unit itself, pickled."""

_BOOT = """import json, sys
sys.path[:] = json.loads(sys.argv[1])
from labreport.running.workers import main
main(*map(int, sys.argv[2:]))"""


class Worker(Protocol):
    """A process that is sent requests through its connection.

    It answers each by ("done", the pickled `Done`) or ("failed", a described exception), after any number of
    ("message", one for `relay`).
    """

    connection: Connection
    pid: int

    def ended(self) -> int:
        """Wait for the end of the process; return its exit code, as subprocess does."""
        ...

    def end(self) -> None:
        """Kill the process, and forget it."""
        ...


class Workers(Protocol):
    """A way to start processes for the units of a map."""

    def start(self, others: Sequence[Worker]) -> Worker:
        """Start one more process beside others."""
        ...

    def request(self, place: int) -> Request:
        """Return what a process is sent for it to compute the unit in a place."""
        ...

    def close(self) -> None:
        """Give up what only starting more processes needs."""
        ...


def _answer(function: Function, unit: Unit, dumps: Callable[[object], bytes]) -> tuple[str, Any]:
    try:
        done = perform(function, unit)
    except (Exception, SystemExit) as error:
        return "failed", described(error, dumps)
    return packed(done, dumps)


def packed(done: Done, dumps: Callable[[object], bytes]) -> tuple[str, Any]:
    """Return the answer of a process that has computed a unit: it may be that its value cannot be sent."""
    try:
        return "done", dumps(done)  # not by torch's shared memory, which ends with this process
    except Exception as error:
        what = f"lab.map cannot send what the function returned, {type(done.value).__name__}: {error}"
        return "failed", described(ExperimentError(what, cure="return numbers, texts, arrays or tables"))


def _serve(connection: Connection, answer: Callable[[Any], tuple[str, Any]]) -> None:
    while True:
        try:
            request = connection.recv()
        except EOFError:
            return
        connection.send(answer(request))


# ---- forked


class Forked:
    """Starts workers by forking this process."""

    def __init__(self, function: Function, units: Sequence[Unit]) -> None:
        self.function = function
        self.units = units

    def start(self, others: Sequence[Worker]) -> Worker:
        """Start one more process beside others."""
        import multiprocessing

        context = multiprocessing.get_context("fork")  # the function may be a closure: it cannot be sent
        sys.stdout.flush()  # else each worker prints what is still in the buffers
        sys.stderr.flush()
        ours, theirs = context.Pipe()
        inherited = [ours, *(worker.connection for worker in others)]
        process = context.Process(target=self._work, args=(theirs, inherited, os.getpid()))
        process.start()
        theirs.close()
        return _Fork(process, ours)

    def request(self, place: int) -> Request:
        """Return the place: a forked process has all units."""
        return place

    def close(self) -> None:
        """Do nothing: there is nothing to give up."""

    def _work(self, connection: Connection, inherited: Sequence[Connection], parent: int) -> None:
        die_with_parent(parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # at Ctrl-C the parent ends its workers itself
        gc.freeze()  # what was there before the fork will never be garbage: no collection need look at it
        for other in inherited:
            other.close()  # an open copy here would hide from its worker that the parent has gone
        _serve(connection, lambda place: _answer(self.function, self.units[place], pickle.dumps))


class _Fork:
    def __init__(self, process: ForkProcess, connection: Connection) -> None:
        self.process = process
        self.connection = connection
        self.pid = process.pid or 0

    def ended(self) -> int:
        self.process.join()
        return self.process.exitcode or 0

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.process.close()
        self.connection.close()


# ---- fresh


class Fresh:
    """Starts workers as new Pythons, because of `threads` other threads in this one.

    Each calls `prepare` first. Functions of the project's experiments are sent with the values that their
    globals have now; those of other modules are imported.

    Raises
    ------
    ExperimentError
        The function or an item cannot be pickled; nothing was started.

    """

    def __init__(
        self, function: Function, units: Sequence[Unit], threads: int, prepare: Callable[[], object] | None
    ) -> None:
        import cloudpickle

        with _by_value():
            sent = _pickled(function, "the function", threads)
            self.requests = [_pickled(unit, naming(unit), threads) for unit in units]
        # a file, not a pipe: nobody waits until the other side has imported enough to read it
        self.start_file = tempfile.TemporaryFile()  # noqa: SIM115 -- more processes may start until the end
        self.start_file.write(pickle.dumps((cloudpickle.dumps(prepare), sent)))
        self.start_file.flush()

    def start(self, others: Sequence[Worker]) -> Worker:
        """Start one more process; it inherits nothing of the others."""
        import subprocess
        from multiprocessing import Pipe

        del others
        ours, theirs = Pipe()
        handles = theirs.fileno(), self.start_file.fileno()
        command = [sys.executable, "-P", "-c", _BOOT, json.dumps(sys.path)]
        process = subprocess.Popen([*command, *map(str, (*handles, os.getpid()))], pass_fds=handles)
        theirs.close()
        return _New(process, ours)

    def request(self, place: int) -> Request:
        """Return the pickled unit."""
        return self.requests[place]

    def close(self) -> None:
        """Close the file that new processes start from."""
        self.start_file.close()


class _New:
    def __init__(self, process: subprocess.Popen[bytes], connection: Connection) -> None:
        self.process = process
        self.connection = connection
        self.pid = process.pid

    def ended(self) -> int:
        return self.process.wait()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.connection.close()


@contextmanager
def _by_value() -> Iterator[None]:
    """Let functions of experiments be pickled with their globals, which `run` may have set."""
    import cloudpickle

    package = sys.modules.get("experiments")
    if package is None or "experiments" in cloudpickle.list_registry_pickle_by_value():
        yield
        return
    cloudpickle.register_pickle_by_value(package)
    try:
        yield
    finally:
        cloudpickle.unregister_pickle_by_value(package)


def _pickled(value: object, name: str, threads: int) -> bytes:
    import cloudpickle

    try:
        pickled: bytes = cloudpickle.dumps(value)
    except Exception as error:
        others = "another thread" if threads == 1 else f"{threads} other threads"
        what = (
            f"lab.map cannot fork processes: this one has {others}, and a fork could wait for them for ever"
        )
        why = f"nor can it send {name} to fresh processes: {type(error).__name__}: {error}"
        cure = (
            "compute before lab.map in one thread (torch.set_num_threads(1)) and end threads of your own; "
            "or give the function and its items only what can be pickled; or --jobs 1"
        )
        raise ExperimentError(what, notes=[why], cure=cure) from error
    return pickled


def main(connection_handle: int, start_handle: int, parent: int) -> None:
    """Be a fresh process: prepare, then compute the units that come, until no more come."""
    from multiprocessing.connection import Connection

    import cloudpickle

    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a forked process
    connection: Connection = Connection(connection_handle)
    relay.to(lambda message: connection.send(("message", message)))
    start = os.pread(start_handle, os.fstat(start_handle).st_size, 0)  # the offset is everybody's
    os.close(start_handle)
    try:
        prepare, sent = pickle.loads(start)
        if (call := pickle.loads(prepare)) is not None:
            call()
        function = pickle.loads(sent)
    except Exception as error:
        failed = "failed", described(error)
        _serve(connection, lambda _: failed)
        return
    _serve(connection, lambda unit: _answer(function, pickle.loads(unit), cloudpickle.dumps))

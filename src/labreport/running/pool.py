"""Calling a function for many items in forked processes, with the same values for any number of them."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from labreport.errors import ExperimentError
from labreport.running.forkserver import die_with_parent

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

Item = TypeVar("Item")
Value = TypeVar("Value")
Progress = Callable[[int, int, str], None]
"""A function that is given the number of finished items, the number of all items, and their label."""

PROGRESS_SECONDS = 0.1


def compute(
    function: Callable[[Item], Value], items: Sequence[Item], jobs: int, progress: Progress, label: str
) -> list[Value]:
    """Return `function(item)` for each item, in their order; see `Lab.map`."""
    jobs = min(jobs, len(items))
    _one_thread()
    meter = _Meter(progress, len(items), label)
    if jobs <= 1 or _Worker.inside:  # a map within a map would multiply the processes
        return _compute_here(function, items, meter)
    with _Workers(function, items, jobs) as workers:
        values: dict[int, Value] = {}
        for index, value in workers.values():
            values[index] = value
            meter.done(len(values))
    return [values[index] for index in range(len(items))]


def _compute_here(function: Callable[[Item], Value], items: Sequence[Item], meter: _Meter) -> list[Value]:
    values = []
    for index, item in enumerate(items):
        try:
            values.append(function(item))
        except Exception as error:
            error.add_note(_naming(index, items))
            raise
        meter.done(len(values))
    return values


class _Meter:
    """Tells about progress, but not more often than people can read."""

    def __init__(self, progress: Progress, total: int, label: str) -> None:
        self.progress = progress
        self.total = total
        self.label = label
        self.last = time.monotonic()
        if total:
            progress(0, total, label)

    def done(self, count: int) -> None:
        now = time.monotonic()
        if count == self.total or now - self.last >= PROGRESS_SECONDS:
            self.last = now
            self.progress(count, self.total, self.label)


def _one_thread() -> None:
    """Let torch compute in one thread, so that the bits do not depend on the number of processes."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def _naming(index: int, items: Sequence[object]) -> str:
    shown = repr(items[index])
    shown = shown if len(shown) <= 80 else shown[:77] + "…"
    return f"in item {index + 1} of {len(items)} of lab.map: {shown}"


class _Workers:
    """Forked processes that each compute one item after the other."""

    def __init__(self, function: Callable[[Any], Any], items: Sequence[Any], jobs: int) -> None:
        import multiprocessing

        self.items = items
        self.waiting = list(range(len(items)))[::-1]
        self.working: dict[Connection, tuple[ForkProcess, int]] = {}
        context = multiprocessing.get_context("fork")  # the function may be a closure: it cannot be sent
        sys.stdout.flush()  # else each worker prints what is still in the buffers
        sys.stderr.flush()
        worker = _Worker(function, items, os.getpid())
        try:
            for _ in range(jobs):
                ours, theirs = context.Pipe()
                process = context.Process(target=worker, args=(theirs, [ours, *self.working]))
                process.start()
                theirs.close()
                self.working[ours] = process, -1
                self._next(ours)
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for connection, (process, _index) in self.working.items():
            process.kill()
            process.join()
            process.close()
            connection.close()

    def values(self) -> Iterable[tuple[int, Any]]:
        """Yield the values with the index of their items, as they come."""
        from multiprocessing.connection import wait

        while any(index >= 0 for _, index in self.working.values()):
            busy = [connection for connection, (_, index) in self.working.items() if index >= 0]
            for connection in cast("list[Connection]", wait(busy)):
                process, index = self.working[connection]
                try:
                    good, data = connection.recv()
                except (EOFError, OSError):
                    raise self._died(process, index) from None
                if not good:
                    raise _error(data, _naming(index, self.items))
                self._next(connection)
                yield index, pickle.loads(data)

    def _next(self, connection: Connection) -> None:
        process, _ = self.working[connection]
        index = self.waiting.pop() if self.waiting else -1
        self.working[connection] = process, index
        if index >= 0:
            try:
                connection.send(index)
            except OSError:
                raise self._died(process, index) from None

    def _died(self, process: ForkProcess, index: int) -> ExperimentError:
        process.join()
        what = f"a process of lab.map {ending(process.exitcode or 0)}"
        notes = [_naming(index, self.items)]
        return ExperimentError(what, notes=notes, cure="try smaller items, or fewer at once: --jobs 1")


class _Worker:
    """The life of a forked process: compute the items whose indices come, until no more come."""

    inside = False

    def __init__(self, function: Callable[[Any], Any], items: Sequence[Any], parent: int) -> None:
        self.function = function
        self.items = items
        self.parent = parent

    def __call__(self, connection: Connection, others: Sequence[Connection]) -> None:
        die_with_parent(self.parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # at Ctrl-C the parent ends its workers itself
        gc.freeze()  # what was there before the fork will never be garbage: no collection need look at it
        for other in others:
            other.close()  # an open copy here would hide from its worker that the parent has gone
        _Worker.inside = True
        while True:
            try:
                index = connection.recv()
            except EOFError:
                return
            connection.send(self.compute(index))

    def compute(self, index: int) -> tuple[bool, Any]:
        """Return whether it went well, and the pickled value or a description of the error."""
        try:
            value = self.function(self.items[index])
        except Exception as error:
            return False, _described(error)
        try:
            return True, pickle.dumps(value)  # not by torch's shared memory, which ends with this process
        except Exception as error:
            what = f"lab.map cannot send what the function returned, {type(value).__name__}: {error}"
            return False, _described(ExperimentError(what, cure="return numbers, texts, arrays or tables"))


def ending(code: int) -> str:
    """Return from its exit code how a process ended that should not have ended."""
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else "unknown"
        memory = " (out of memory?)" if -code == signal.SIGKILL else f" ({name})"
        return f"was killed by signal {-code}{memory}"
    return f"exited unexpectedly with code {code}"


Described = tuple[bytes, str, str, list[tuple[str, int]]]


def _described(error: Exception) -> Described:
    """Return an exception as what can be sent: itself pickled where it can be, text, traceback and places."""
    text = "".join(traceback.format_exception(error))
    frames = [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)]
    try:
        pickled = pickle.dumps(error)
        pickle.loads(pickled)  # many exceptions can be pickled but not restored: their __init__ asks for more
    except Exception:
        pickled = b""
    return pickled, f"{type(error).__name__}: {error}", text, frames


def _error(described: Described, note: str) -> Exception:
    pickled, text, shown, frames = described
    error = pickle.loads(pickled) if pickled else RuntimeError(text)
    error.add_note(note)
    error.__cause__ = RemoteTraceback(shown, frames)
    assert isinstance(error, Exception)
    return error


class RemoteTraceback(Exception):
    """The traceback of an exception in another process."""

    def __init__(self, text: str, frames: Sequence[tuple[str, int]]) -> None:
        super().__init__(text, frames)
        self.text = text
        self.frames = list(frames)

    def __str__(self) -> str:
        return f"\n\n{self.text}"

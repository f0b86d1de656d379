"""What an experiment is given: all that it may ask of the engine."""

from __future__ import annotations

import gc
import json
import os
import pickle
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from labreport.errors import ExperimentError, did_you_mean, visible
from labreport.results import results
from labreport.results.encoding import encode
from labreport.results.files import checksum
from labreport.results.fingerprint import Fingerprint
from labreport.results.results import Result
from labreport.running.forkserver import die_with_parent

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

    from matplotlib.figure import Figure

    from labreport.project import Project

Item = TypeVar("Item")
Value = TypeVar("Value")
Progress = Callable[[int, int, str], None]

PROGRESS_SECONDS = 0.1
LONGEST_NOTICE = 500  # characters


def _silent(*told: object) -> None:
    del told


@dataclass
class Lab:
    """What an experiment may ask of the engine, while it runs or draws.

    `needs` are the results that it may use, `used` those that it has asked for; its `fingerprint`
    names the files that it may read; `progress` is told how far `map` is, `notify` each notice;
    `folder` is where `draw` keeps its `figures`, and None in `run`.
    """

    project: Project
    experiment: str
    params: Mapping[str, Any]
    needs: Sequence[str] = ()
    jobs: int = 1
    progress: Progress = _silent
    notify: Callable[[str], None] = _silent
    fingerprint: Fingerprint = field(default_factory=Fingerprint)
    folder: Path | None = None
    used: set[str] = field(default_factory=set)
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)

    def map(
        self, function: Callable[[Item], Value], items: Iterable[Item], label: str | None = None
    ) -> list[Value]:
        """Return `function(item)` for each item, in the order of the items, computed in parallel processes.

        The processes are forked here, so that the function may be a closure or a lambda and the items
        anything; only what the function returns must be picklable. The values do not depend on the number of
        processes, if the function depends on nothing but its item: draw random numbers from
        `lab.seed(...)` of the item.

        Raises
        ------
        Exception
            The first exception of the function, in the order of time, with a note that names the item.
        ExperimentError
            A process was killed, or a value cannot be pickled.

        """
        items = list(items)
        shown = label or getattr(function, "__name__", "") or "map"
        jobs = min(self.jobs, len(items))
        _one_thread()
        if jobs <= 1 or _Worker.inside:
            return self._map_here(function, items, shown)
        with _Workers(function, items, jobs) as workers:
            values: dict[int, Value] = {}
            meter = _Meter(self.progress, len(items), shown)
            for index, value in workers.values():
                values[index] = value
                meter.done(len(values))
        return [values[index] for index in range(len(items))]

    def _map_here(self, function: Callable[[Item], Value], items: Sequence[Item], shown: str) -> list[Value]:
        meter = _Meter(self.progress, len(items), shown)
        values = []
        for index, item in enumerate(items):
            try:
                values.append(function(item))
            except Exception as error:
                error.add_note(_naming(index, items))
                raise
            meter.done(len(values))
        return values

    def result(self, name: str) -> Result:
        """Return the result of another experiment, which NEEDS must name."""
        if name not in self.needs:
            what = f"experiment {self.experiment!r} uses the result of {name!r}, which is not in its NEEDS"
            raise ExperimentError(what, cure=_declaring("NEEDS", self.needs, name))
        self.used.add(name)
        return results.load(self.project, name)

    def file(self, name: str) -> Path:
        """Return the path of a file of the project, which READS must name; its bytes are an input.

        Raises
        ------
        ExperimentError
            READS does not name the file, or it has changed since the build began.

        """
        reads = self.fingerprint.named("file")
        if name not in reads:
            what = f"experiment {self.experiment!r} reads {name!r}, which is not in its READS"
            raise ExperimentError(what, cure=_declaring("READS", list(reads), name))
        path = self.project.root / name
        if not path.is_file() or checksum(path.read_bytes()) != reads[name]:
            raise ExperimentError(f"{name} changed since the build began", cure="build again")
        return path

    @property
    def checkpoints(self) -> Path:
        """A folder for what a run must not lose if it is killed, in `run`; made when it is first asked for.

        What a run leaves there is found by the next one with the very same fingerprint (parameters, code,
        files, results, versions) and by no other. It is discarded when the run has finished, when a run with
        another fingerprint starts, and with --force. A kill may leave half a file: write to another name,
        then rename. The result must be the same, however much was found.

        Raises
        ------
        ExperimentError
            This is `draw`.

        """
        if self.folder is not None:
            what = f"experiment {self.experiment!r} asks for checkpoints in `draw`"
            raise ExperimentError(what, cure="compute in `run(params, lab)`; draw from the result alone")
        folder = results.checkpoints(self.project, self.experiment, self.fingerprint)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def notice(self, text: str) -> None:
        """Show a line to the person who builds, while the build goes on, and print it to the log.

        A text of several lines becomes one, a long one is cut after 500 characters. A notice is no error and
        no part of the result. It may come from a function of `map`, too.
        """
        line = visible(" ".join(text.split()))
        line = line if len(line) <= LONGEST_NOTICE else f"{line[: LONGEST_NOTICE - 2]} …"
        print(f"notice: {line}", flush=True)
        self.notify(line)

    def seed(self, *key: Any) -> int:
        """Return a seed in [0, 2**63) from the experiment's name, its parameter `seed` and a key.

        It is the first eight bytes of the SHA-256 of `[name, seed, *key]` as compact JSON, without the top
        bit: the same in every run and on every machine, and different for each key. Keys are numbers, texts,
        bools, None, and lists of these.
        """
        if "seed" not in self.params:
            what = f"experiment {self.experiment!r} asks for a seed, but its Params has no `seed`"
            raise ExperimentError(what, cure="add `seed: int = 0` to Params")
        plain = encode({"key": [self.params["seed"], *key]}, {})["values"]["key"]
        text = json.dumps([self.experiment, *plain], separators=(",", ":"))
        return int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 1

    def figure(self, name: str, figure: Figure, *, alt: str, data: Any = None) -> None:
        """Keep a figure, in `draw`: as PDF for the report and as PNG for screens, at the size that it has.

        `alt` says in words what is to be seen; `data`, a DataFrame, a dict of columns or a list
        of dicts, is kept as CSV.

        Raises
        ------
        ExperimentError
            The name is no file name or was used before, `alt` is empty, `figure` is no figure or an empty
            one, or this is `run`.

        """
        from labreport.running import figures

        where = f"figure {name!r} of experiment {self.experiment!r}"
        if self.folder is None:
            what = f"{where} is made in `run`"
            raise ExperimentError(what, cure="draw figures in `draw(result, lab)`, from the result alone")
        if not re.fullmatch(r"[a-z0-9_-]+", str(name)):
            raise ExperimentError(f"{where}: the name is no file name", cure="use only a-z, 0-9, _ and -")
        if name in self.figures:
            raise ExperimentError(f"{where} is stored twice", cure="give each figure a name of its own")
        if not isinstance(alt, str) or not alt.strip():
            cure = 'say what is to be seen: alt="The loss falls with …"'
            raise ExperimentError(f"{where} has no alternative text", cure=cure)
        self.figures[name] = {"alt": alt.strip(), **figures.save(figure, self.folder / name, where)}
        if data is not None:
            figures.save_data(data, self.folder / f"{name}.csv", where)


def _declaring(keyword: str, declared: Sequence[str], name: str) -> str:
    """Return the cure for a name that NEEDS or READS lacks: what to write, and a near one if there is one."""
    listed = ", ".join(f'"{known}"' for known in [*declared, name])
    near = did_you_mean(name, declared) if declared else ""
    return f"write {keyword} = ({listed},)" + (f"; {near}" if "mean" in near else "")


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
        context = multiprocessing.get_context("fork")
        sys.stdout.flush()
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
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        gc.freeze()  # what was imported before the fork is no garbage: no collection need look at it again
        for other in others:
            other.close()
        _Worker.inside = True
        while True:
            try:
                index = connection.recv()
            except EOFError:
                return
            connection.send(self.compute(index))

    def compute(self, index: int) -> tuple[bool, Any]:
        """Return whether it went well, and the pickled value or what is to be known of the error."""
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
    """Return how a process ended that should not have, from its exit code."""
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else "unknown"
        memory = " (out of memory?)" if -code == signal.SIGKILL else f" ({name})"
        return f"was killed by signal {-code}{memory}"
    return f"ended by itself with exit code {code}"


Described = tuple[bytes, str, str, list[tuple[str, int]]]


def _described(error: Exception) -> Described:
    """Return an exception as what can be sent: itself pickled where it can be, text, traceback and places."""
    text = "".join(traceback.format_exception(error))
    frames = [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)]
    try:
        pickled = pickle.dumps(error)
        pickle.loads(pickled)
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

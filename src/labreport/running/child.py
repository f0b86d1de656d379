"""What a child process does: one phase of one experiment, from its import to its published result."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport import lock
from labreport.errors import (
    DiskError,
    ExperimentError,
    LabreportError,
    Place,
    SeveralErrors,
    did_you_mean,
    is_full,
    is_of_disk,
    of_disk,
)
from labreport.modules import Module, module_names
from labreport.project import ENGINE
from labreport.results import (
    EXPERIMENTS,
    Cells,
    Fingerprint,
    Sources,
    discard_checkpoints,
    encode,
    files,
    load,
    of_kind,
    publish,
    publish_drawing,
    variants,
)
from labreport.running import generators, hints, mutations, observing, reading, relay, sightings, warned
from labreport.running.budget import Budget, Shared
from labreport.running.cells import Kept, inputs_of
from labreport.running.functions import Functions
from labreport.running.seeds import seed_of

if TYPE_CHECKING:
    from types import ModuleType

    from labreport.project import Project
    from labreport.running.forkserver import Send
    from labreport.running.lab import Lab


_FILES = ("code", "file", "style")
"""The parts of a fingerprint that are files of the project."""


@dataclass(frozen=True)
class Task:
    """What a child process does: one phase of one experiment; `forced` if it must not use checkpoints.

    `fingerprint` is what can be told before it runs, `known` what the last run was seen to read besides;
    `slot` is its own among the `jobs` slots of the build's budget; `cluster` is the address of the Dask
    cluster that computes the items of `lab.map`, if one does.
    """

    project: Project
    name: str
    phase: str
    params: dict[str, Any]
    needs: tuple[str, ...]
    fingerprint: Fingerprint
    known: Fingerprint
    contents: dict[str, str]
    jobs: int
    revision: str | None
    forced: bool
    slot: int = 0
    cluster: str | None = None

    @property
    def experiment(self) -> str:
        """The experiment whose code it runs: of a variant, that which declares it."""
        return variants.experiment(self.name)

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"{'experiment' if self.phase == 'run' else 'the drawing of experiment'} {self.name!r}"

    @property
    def log(self) -> Path:
        """The file that keeps what it prints."""
        return self.project.log / (f"{self.name}.log" if self.phase == "run" else f"{self.name}.draw.log")

    @property
    def shown_log(self) -> str:
        """The log as messages show it."""
        return self.project.shown(self.log)


def perform(task: Task, send: Send) -> None:
    """Run or draw an experiment in this process, publish what it gives, and say how it went.

    It first says that it has begun: until then it waits for its slot, which counts neither for its deadline
    nor as its time.
    """
    import traceback

    try:
        budget = Shared(task.project.slots, task.jobs, task.slot)
        budget.enter()
        lock.join(task.project)
        send({"begun": True})
        relay.to(send)
        clock = time.perf_counter()
        started = _now()
        module, sources = _module(task)

        def facts() -> dict[str, Any]:
            seconds = round(time.perf_counter() - clock, 3)
            return {"started": started, "finished": _now(), "seconds": seconds, **_circumstances(task)}

        try:
            if task.phase == "run":
                _run(task, module, sources, send, budget, facts)
            else:
                _draw(task, module, send, budget, facts)
        finally:
            files.sweep(task.project.results / task.name)  # the folders of commands
    except BaseException as error:
        traceback.print_exc()  # to the log: the user sees one message with a place
        send({"failed": _failure(error, task)})
        raise SystemExit(1) from None
    send({"seconds": time.perf_counter() - clock})


def _now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat(timespec="seconds")


def _circumstances(task: Task) -> dict[str, Any]:
    import platform

    return {"python": platform.python_version(), "jobs": task.jobs, "revision": task.revision}


def _prepare(task: Task) -> None:
    """Import the experiment's module in another process than the child's own."""
    _module(task)


def _module(task: Task) -> tuple[ModuleType, Sources]:
    """Return the experiment's module, imported from the sources of the fingerprint, and these sources.

    What modules draw from the global generators at their import is the same in all processes.
    """
    import importlib
    import types

    generators.seed(seed_of(task.experiment, "import"))
    project = task.project
    roots = [str(root) for root in project.source_roots]
    sys.path[:] = [*roots, *(entry for entry in sys.path if entry not in roots)]
    _import_from_source(roots)
    if not (project.experiments / "__init__.py").exists():  # not one merged from all folders of that name
        package = types.ModuleType("experiments")
        package.__path__ = [str(project.experiments)]
        sys.modules["experiments"] = package
    observing.start(project, task.name, task.phase)
    warned.listen(project, drawing=task.phase == "draw")
    module = importlib.import_module(f"experiments.{task.experiment}")
    # the module was imported from the files as they are now, the fingerprint was taken a moment ago
    sources = Sources(project)
    now = sources.fingerprint(task.name, task.phase, task.params, {})
    old = task.fingerprint.parts.items()
    changed = [part.name for part, sha in old if part.kind in _FILES and now.parts.get(part) != sha]
    if changed:
        files_ = dict.fromkeys(name.partition(":")[0] for name in changed)  # of code, a part is a symbol
        what = f"{', '.join(files_)} changed while the build began"
        raise ExperimentError(what, cure="build again")
    reading.watch(module.Params)
    mutations.begin(project)
    return module, sources


def _observed(task: Task, send: Send) -> Fingerprint:
    """Return what the task has read without its being declared, after telling what is new of it."""
    lines = observing.lines()
    seen = sightings.settled(task.project, lines, task.fingerprint)
    for sentence in sightings.sentences(seen.without({*task.known.parts, *sightings.given(lines)})):
        print(f"notice: {sentence}", flush=True)
        send({"notice": sentence})
    return seen


def _root_of(file: str) -> str:
    """Return the entry of the import path that is nearest above: site-packages may lie in a project."""
    above = [entry for entry in sys.path if file == entry or file.startswith(f"{entry}/")]
    return max(above, key=len, default="")


def _is_ours(project: Project, file: str) -> bool:
    """Return whether a file is a source of the project; labreport's own are not."""
    return _root_of(file) in map(str, project.source_roots) and not file.startswith(f"{ENGINE}/")


def _import_from_source(roots: Sequence[str]) -> None:
    """Compile what may be edited from its sources: a cache trusts times, and misses a quick edit."""
    from importlib import machinery

    trusting = machinery.SourceFileLoader.path_stats

    def path_stats(loader: machinery.SourceFileLoader, path: str) -> Any:
        if _root_of(path) in roots or not _is_installed(path):
            raise OSError(f"no cache for {path}")  # importlib then compiles the source, and writes no cache
        return trusting(loader, path)

    # the finder of an editable install makes loaders of its own, but it makes them of this class
    machinery.SourceFileLoader.path_stats = path_stats  # type: ignore[method-assign, assignment]


def _is_installed(file: str) -> bool:
    """Return whether a file is of an installed package or of Python itself, which nobody edits."""
    library = f"{os.path.dirname(os.__file__)}/"  # noqa: PTH120 -- compared as a text
    return file.startswith(library) or "/site-packages/" in file or "/dist-packages/" in file


def _lab(
    task: Task, params: Mapping[str, Any], send: Send, budget: Budget, folder: Path | None = None
) -> Lab:
    from labreport.running.lab import Lab
    from labreport.running.pool import Local

    lab = Lab(
        task.project,
        task.name,
        params,
        needs=task.needs,
        jobs=task.jobs,
        progress=lambda done, total, label: send({"progress": [done, total, label]}),
        notify=lambda text: send({"notice": text}),
        fingerprint=task.fingerprint,
        known=task.known,
        folder=folder,
    )
    lab.executor = Local(budget, warn=lab.notice, prepare=partial(_prepare, task))
    if task.cluster is not None:
        from labreport.running.cluster import Cluster

        lab.executor = Cluster(task.cluster, lab, lab.executor)
    return lab


def _seed(task: Task, params: Mapping[str, Any]) -> None:
    """Seed the global generators for what the phase itself draws from them."""
    generators.seed(seed_of(task.experiment, params.get("seed"), task.phase))


def _kept(task: Task, sources: Sources, stored: Cells, params: object) -> Kept:
    """Return the cells of the run, some of which may be there from an earlier one."""
    from labreport.running.lab import Lab

    # the lab is that of the run, and what a cell reads of its parameters is noted
    named: dict[type, Callable[[object], str | None]] = {
        Lab: lambda _: "the lab",
        type(params): lambda value: "the parameters" if value == params else None,
    }
    experiment = Module(task.project.experiments / f"{task.experiment}.py", EXPERIMENTS)
    functions = Functions(sources, experiment, named)
    now = inputs_of(task.fingerprint, task.params, lambda seen: sources.observed(seen.parts))
    return Kept(stored, functions, task.fingerprint, now, forced=task.forced)


def _run(
    task: Task,
    module: ModuleType,
    sources: Sources,
    send: Send,
    budget: Budget,
    facts: Callable[[], dict[str, Any]],
) -> None:
    kept = None if task.forced else task.known | task.fingerprint
    discard_checkpoints(task.project, task.name, but=kept)
    params = module.Params(**task.params)
    lab = _lab(task, task.params, send, budget)
    _seed(task, task.params)
    with Cells(task.project.cells / task.name / "cells.db") as stored:
        lab.cells = _kept(task, sources, stored, params)
        returned = module.run(params, lab)
        mutations.tell()
        stored.prune(task.project.config.most_stored)
    encoded = encode(returned, task.params)
    seen = _observed(task, send)
    lock.check(task.project)
    publish(task.project, task.name, encoded, task.fingerprint | seen, facts())
    discard_checkpoints(task.project, task.name)


def _draw(
    task: Task, module: ModuleType, send: Send, budget: Budget, facts: Callable[[], dict[str, Any]]
) -> None:
    from labreport.running import figures

    result = load(task.project, task.name)
    folder = files.stage(task.project.results / task.name)
    try:
        lab = _lab(task, result.params, send, budget, folder)
        _seed(task, result.params)
        with figures.style(task.project.style, figures.own_settings()):
            module.draw(result, lab)
        mutations.tell()
        if not lab.figures:
            what = f"`draw` of experiment {task.name!r} kept no figure"
            raise ExperimentError(what, cure='call lab.figure("name", figure, alt="…")')
        used = of_kind("result", {name: task.contents[name] for name in lab.used})
        found = task.fingerprint | used | _observed(task, send)
        lock.check(task.project)
        publish_drawing(task.name, folder, lab.figures, found, facts())
    finally:
        warned.tell()
        shutil.rmtree(folder, ignore_errors=True)


def _failure(error: BaseException, task: Task) -> dict[str, Any]:
    """Return how an error in an experiment is reported: what, where, notes and the cure."""
    name = task.title
    place, notes = _place(error, task)
    notes += [str(note) for note in getattr(error, "__notes__", ())]
    meant = getattr(error.__cause__, "hint", "") or hints.hint(error)
    cure = f"the full traceback is in {task.shown_log}"
    cure = f"{meant} ({cure})" if meant else cure
    first, *more = str(error).strip().splitlines() or [""]
    what = f"{name} failed: {type(error).__name__}: {first}".rstrip(": ")
    is_disk = False
    if not isinstance(error, LabreportError):
        notes += [line for line in more[:3] if line.strip()]
    if isinstance(error, SeveralErrors):
        what = f"{name} failed with {len(error.errors)} errors"
        notes += [f"{e.what} (cure: {e.cure})" if e.cure else e.what for e in error.errors]
    elif isinstance(error, LabreportError):
        what = f"{name} failed: {error.what}"
        place = _place_fields(error.place) if error.place else place
        notes += error.notes
        cure = error.cure or cure
    elif is_disk := is_of_disk(error) and (is_full(error) or _is_ours_to_write(error, task)):
        failed = of_disk(error, task.project.build, task.project.shown)
        what, cure = f"{name} failed: {failed.what}", failed.cure or cure
    elif isinstance(error, ModuleNotFoundError):
        what = f"{name} cannot import {error.name!r}"
        near = did_you_mean(error.name or "", module_names(task.project))
        cure = near if "mean" in near else "install the package, or correct the import"
    elif isinstance(error, SystemExit):
        what = f"{name} called sys.exit({error.code!r})"
        cure = "let `run` return its result, or raise an exception"
    return {"what": what, "place": place, "notes": notes, "cure": cure, "is_of_disk": is_disk}


def _is_ours_to_write(error: OSError, task: Task) -> bool:
    """Return whether labreport reads or writes the file of an error, not the project's own code."""
    import traceback

    files_ = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    own = [file for file in files_ if _is_ours(task.project, file) or file.startswith(f"{ENGINE}/")]
    return not _is_ours(task.project, own[-1])


def _place(error: BaseException, task: Task) -> tuple[list[Any], list[str]]:
    """Return the experiment's line where an error came from, and in a note a deeper line of the project."""
    import linecache
    import traceback

    project = task.project
    own = str(project.experiments / f"{task.experiment}.py")
    frames = [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)]
    frames += getattr(error.__cause__, "frames", [])  # of an error in a worker of lab.map
    if isinstance(error, SyntaxError) and error.filename:  # no frame: the file itself did not run
        frames.append((error.filename, error.lineno or 0))
    ours = [frame for frame in frames if _is_ours(project, frame[0])]
    mine = [frame for frame in ours if frame[0] == own] or ours
    if not mine:
        return [f"experiments/{task.experiment}.py", None, None], []
    file, line = mine[-1]
    notes = [] if ours[-1] == mine[-1] else [f"raised in {project.shown(Path(ours[-1][0]))}:{ours[-1][1]}"]
    return [project.shown(Path(file)), line, linecache.getline(file, line).rstrip("\n")], notes


def _place_fields(place: Place) -> list[Any]:
    return [place.file, place.line, place.source]


def received(failed: Mapping[str, Any]) -> DiskError | ExperimentError:
    """Return the error that a child has sent."""
    kind = DiskError if failed["is_of_disk"] else ExperimentError
    file, line, source = failed["place"]
    place = Place(file, line, source=source)
    return kind(failed["what"], place=place, notes=failed["notes"], cure=failed["cure"])

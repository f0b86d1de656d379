"""Running experiments: each as soon as what it needs is settled, each in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labreport import surroundings
from labreport.errors import ExperimentError, Place, UsageError, did_you_mean, raise_all
from labreport.events import Event, Events
from labreport.results import discard_drawing, files, is_own, sweep
from labreport.running.planning import Book, Settings

if TYPE_CHECKING:
    from labreport.project import Project
    from labreport.running.child import Task
    from labreport.running.forkserver import ForkServer, Message


@dataclass(frozen=True)
class Outcome:
    """How it ended: the experiments that ran or drew, that were fresh, that were skipped, and the errors."""

    ran: tuple[str, ...]
    fresh: tuple[str, ...]
    skipped: tuple[str, ...]
    errors: tuple[ExperimentError, ...]


def execute(
    project: Project,
    names: Sequence[str] | None = None,
    *,
    jobs: int = 1,
    force: bool = False,
    settings: Settings | None = None,
    events: Events | None = None,
) -> Outcome:
    """Run what is out of date: all, or the named experiments and what they need; return how it ended.

    A failure ends one experiment and those that need it; the others go on. `force` runs those that are chosen
    even if they are fresh, and without their checkpoints; `jobs` is the number of experiments at once, and of
    processes in each `lab.map`. The caller holds the build's lock.

    Raises
    ------
    InputError, UsageError, SeveralErrors
        As `plan` does, before anything runs.

    """
    book = Book(project, settings or {})
    chosen = list(names) if names is not None else book.order
    errors = [
        UsageError(f"there is no experiment {name!r}", cure=did_you_mean(name, book.order))
        for name in chosen
        if name not in book.declared
    ]
    raise_all(errors)
    sweep(project)
    files.sweep(project.build / "cache")
    execution = _Execution(book, chosen, jobs, force, events or (lambda _: None))
    try:
        return execution.run()
    finally:
        execution.close()
        book.sources.save()


@dataclass
class _Running:
    """A task in a child process."""

    task: Task
    deadline: float
    ends: float = float("inf")
    seconds: float | None = None
    error: ExperimentError | None = None
    expired: bool = False


class _Execution:
    """Runs what is out of date, as soon as what it needs is settled."""

    def __init__(
        self,
        book: Book,
        chosen: Sequence[str],
        jobs: int,
        force: bool,
        events: Events,
    ) -> None:
        self.book = book
        self.project = book.project
        self.chosen = set(chosen)
        self.jobs = jobs
        self.force = force
        self.events = events
        self.server: ForkServer | None = None
        self.revision: str | None = None
        self.running: dict[int, _Running] = {}
        self.waiting = [(name, "run") for name in book.order if name in self._with_needs(chosen)]
        self.settled: set[str] = set()
        self.ran: list[str] = []
        self.fresh: list[str] = []
        self.stopped: dict[str, str] = {}  # failed or skipped: what dependents are told
        self.skipped: list[str] = []
        self.errors: list[ExperimentError] = []

    def _with_needs(self, names: Iterable[str]) -> set[str]:
        found: set[str] = set()
        queue = list(names)
        while queue:
            name = queue.pop()
            if name not in found:
                found.add(name)
                queue += self.book.declared[name].needs
        return found

    def run(self) -> Outcome:
        while True:
            self._start_what_can()
            if not self.running:
                return Outcome(tuple(self.ran), tuple(self.fresh), tuple(self.skipped), tuple(self.errors))
            self._wait()

    def close(self) -> None:
        if self.server is not None:
            self.server.close()

    def _start_what_can(self) -> None:
        """Settle or start all that waits for nothing; what this settles may free others."""
        progress = True
        while progress:
            progress = False
            for name, phase in list(self.waiting):
                if len(self.running) < self.jobs and self._is_ready(name, phase):
                    self.waiting.remove((name, phase))
                    self._decide(name, phase)
                    progress = True

    def _is_ready(self, name: str, phase: str) -> bool:
        if phase == "draw":
            return True
        return all(need in self.settled or need in self.stopped for need in self.book.declared[name].needs)

    def _decide(self, name: str, phase: str) -> None:
        """Start a phase if it is out of date; skip it if it cannot run."""
        stopped = [need for need in self.book.declared[name].needs if need in self.stopped]
        if phase == "run" and stopped:
            self.stopped[name] = f"{name} was skipped"
            self.skipped.append(name)
            reasons = tuple(self.stopped[need] for need in stopped)
            self.events(Event("skipped", name, phase, reasons=reasons))
            return
        forced = ["forced"] if self._is_forced(name) else []
        if phase == "run":
            reasons_ = forced or self.book.run_reasons(name)
        else:
            reasons_ = forced or self.book.draw_reasons(name)
        if reasons_:
            self._start(name, phase, tuple(reasons_))
        else:
            self._settle(name, phase)

    def _is_forced(self, name: str) -> bool:
        return self.force and name in self.chosen

    def _settle(self, name: str, phase: str) -> None:
        """Go on after a phase that is up to date."""
        self.settled.add(name)
        draws = self.book.declared[name].has_draw
        if phase == "run" and name in self.chosen and draws:
            self.waiting.insert(0, (name, "draw"))
            return
        if phase == "run" and name in self.chosen:
            discard_drawing(self.project, name)
        if name not in self.ran:
            self.fresh.append(name)
            self.events(Event("fresh", name, phase))

    def _start(self, name: str, phase: str, reasons: tuple[str, ...]) -> None:
        from labreport.running.child import Task, perform
        from labreport.running.forkserver import ForkServer

        declared = self.book.declared[name]
        if self.server is None:
            self.revision = _revision(self.project)
            self.server = ForkServer(
                preload=[
                    *self._preload(),
                    *(f"labreport.running.{module}" for module in ("child", "lab", "pool")),
                ],
                path=self.project.source_roots,
                cwd=self.project.root,
                log=self.project.log / "forkserver.log",
                env=surroundings.for_experiments(),
            )
        book = self.book
        task = Task(
            project=self.project,
            name=name,
            phase=phase,
            params=self.book.params[name],
            needs=declared.needs,
            fingerprint=book.of_run(name) if phase == "run" else book.of_drawing(name, ()),
            contents=self.book.contents(declared.needs),
            jobs=self.jobs,
            revision=self.revision,
            forced=self._is_forced(name),
        )
        config = self.project.config
        self.book.sources.save()  # the child reads the sources again
        call = self.server.start(perform, task, task.log)
        self.running[call] = _Running(task, config.deadlines.get(name, config.deadline))
        self.events(Event("started", name, phase, reasons=reasons))

    def _preload(self) -> list[str]:
        """Return what to import once: not the project's own modules, whose sources may change."""
        return [m for m in self.project.config.preload if not is_own(self.project, m.partition(".")[0])]

    def _wait(self) -> None:
        """Take in what the children say until the next deadline."""
        assert self.server is not None
        now = time.monotonic()
        ends = min(running.ends for running in self.running.values())
        try:
            messages = self.server.receive(None if ends == float("inf") else max(0.0, ends - now))
        except EOFError:
            self._lost()
            return
        for message in messages:
            running = self.running.get(message["call"])
            if running is not None:
                self._hear(running, message)
        for call, running in self.running.items():
            if time.monotonic() >= running.ends and not running.expired:
                running.expired = True
                running.ends = float("inf")
                self.server.kill(call)

    def _hear(self, running: _Running, message: Message) -> None:
        task, kind = running.task, message["type"]
        if kind == "started":
            running.ends = time.monotonic() + running.deadline
        elif kind == "exit":
            del self.running[message["call"]]
            self._ended(running, message["code"])
        elif kind == "message":
            data = message["data"]
            if "progress" in data:
                done, total, label = data["progress"]
                event = Event("progress", task.name, task.phase, done=done, total=total, label=label)
                self.events(event)
            elif "notice" in data:
                self.events(Event("notice", task.name, task.phase, label=data["notice"]))
            elif "seconds" in data:
                running.seconds = data["seconds"]
            elif "failed" in data:
                from labreport.running.child import received

                running.error = received(data["failed"])

    def _ended(self, running: _Running, code: int) -> None:
        task = running.task
        if running.seconds is not None:
            if task.name not in self.ran:
                self.ran.append(task.name)
            self.events(Event("finished", task.name, task.phase, seconds=running.seconds))
            self._settle(task.name, task.phase)
            return
        self._failed(task, running.error or _sudden_end(running, code))

    def _failed(self, task: Task, error: ExperimentError) -> None:
        self.errors.append(error)
        if task.phase == "run":
            self.stopped[task.name] = f"{task.name} failed"
        self.events(Event("failed", task.name, task.phase, error=error))

    def _lost(self) -> None:
        """Fail what was running when the fork server ended."""
        log = self.project.shown(self.project.log / "forkserver.log")
        running, self.running = list(self.running.values()), {}
        if self.server is not None:
            self.server.close()
            self.server = None
        for lost in running:
            what = f"experiment {lost.task.name!r} was lost: the fork server ended"
            self._failed(lost.task, ExperimentError(what, cure=f"see {log}; run again"))


def _sudden_end(running: _Running, code: int) -> ExperimentError:
    """Return the error of a child that ended without a word."""
    from labreport.running.pool import ending

    task = running.task
    place = Place(f"experiments/{task.name}.py")
    if running.expired:
        what = f"{task.title} was ended after {running.deadline:g} s, its deadline"
        cure = f"see {task.shown_log}; allow it more time in report.toml: [deadlines] {task.name} = …"
    else:
        what = f"{task.title} {ending(code)}"
        cure = f"see {task.shown_log}"
    return ExperimentError(what, place=place, cure=cure)


def _revision(project: Project) -> str | None:
    """Return the revision of the project in git, "-dirty" if files differ from it; None without git."""
    import subprocess

    command = ["git", "-C", str(project.root), "describe", "--always", "--abbrev=40", "--dirty"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None

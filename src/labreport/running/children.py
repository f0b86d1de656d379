"""Tasks in child processes: started, listened to, and ended at their deadlines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from labreport import lock, surroundings
from labreport.config import CONFIG
from labreport.errors import ExperimentError, LabreportError, Place
from labreport.events import Event, Events
from labreport.modules import is_own
from labreport.results import Sources, variants
from labreport.running.warned import Heard

if TYPE_CHECKING:
    from labreport.project import Project
    from labreport.running.child import Task
    from labreport.running.forkserver import ForkServer, Message
    from labreport.running.spare import Kind

FOREVER = float("inf")
LISTENING = 1.0
"""Seconds after which a wait ends: a signal that arrives just before the wait does not end it."""
LOG = "forkserver.log"
OURS = ("labreport.running.child", "labreport.running.lab", "labreport.running.pool")
"""What every child needs, imported once before the first fork; and before what else is preloaded, since some
libraries change the environment when they are imported."""


@dataclass(frozen=True)
class Ended:
    """How a task ended: after so many seconds, or with an error."""

    task: Task
    seconds: float | None = None
    error: LabreportError | None = None


@dataclass
class _Map:
    """The last map that a task has begun, and when an item of it finished; what was noticed since then."""

    label: str
    done: int
    total: int
    at: float
    notice: str = ""

    def notes(self) -> list[str]:
        """Return where the map stands, if it is not over."""
        if self.done == self.total:
            return []
        since = f"none for {time.monotonic() - self.at:.0f} s"
        stands = f"in lab.map {self.label!r}: {self.done} of {self.total} items had finished, {since}"
        return [stands, *([f"last notice: {self.notice}"] if self.notice else [])]


@dataclass
class _Running:
    """A task in a child process, what it has said so far, and when its time is up."""

    task: Task
    deadline: float
    ends: float = FOREVER
    seconds: float | None = None
    error: LabreportError | None = None
    expired: bool = False
    map: _Map | None = None
    warned: Heard = field(default_factory=Heard)
    changed: list[str] = field(default_factory=list)


class Children:
    """The tasks that run at the moment, each in a child of one fork server."""

    def __init__(self, project: Project, events: Events) -> None:
        self.project = project
        self.events = events
        self._server: ForkServer | None = None
        self._running: dict[int, _Running] = {}

    def __len__(self) -> int:
        return len(self._running)

    def start(self, task: Task) -> None:
        """Run a task in a new child."""
        from labreport.running.child import perform

        lock.check(self.project)  # the child trusts the lock file that it finds
        if self._server is None:
            self._server = self._new_server()
        config = self.project.config
        deadline = config.deadlines.get(variants.experiment(task.name), config.deadline)
        task = replace(task, slot=self._free_slot())
        self._running[self._server.start(perform, task, task.log)] = _Running(task, deadline)

    def _free_slot(self) -> int:
        taken = {running.task.slot for running in self._running.values()}
        return min(set(range(len(taken) + 1)) - taken)

    def wait(self) -> list[Ended]:
        """Listen for messages, at most for `LISTENING` seconds; return the tasks that have ended."""
        assert self._server is not None
        ends = min(running.ends for running in self._running.values())
        try:
            messages = self._server.receive(min(LISTENING, max(0.0, ends - time.monotonic())))
        except EOFError:
            return self._lost()
        ended = [end for message in messages if (end := self._hear(message)) is not None]
        for call, running in self._running.items():
            if time.monotonic() >= running.ends and not running.expired:
                running.expired = True
                running.ends = FOREVER  # what remains is to hear of its end
                self._server.kill(call)
        return ended

    def close(self) -> None:
        """End all children and the server."""
        from labreport.running import spare

        if self._server is not None:
            if not spare.give_back(self._server):
                self._server.close()
            self._server = None

    def _new_server(self) -> ForkServer:
        """Return the server that is ready, or else a new one."""
        from labreport.running import spare

        kind = server_of(self.project)
        return spare.take(kind) or kind.start()

    def _hear(self, message: Message) -> Ended | None:
        """Take in a message; return the task's end if the message tells it."""
        if message["type"] == "not preloaded":
            what = f"preload: {message['module']!r} cannot be imported ({message['why']})"
            is_missing = message["why"].startswith("ModuleNotFoundError")
            cure = "install the package" if is_missing else "correct it"
            label = f"{what}; {cure}, or take it out of the list"
            self.events(Event("notice", CONFIG, label=label))
        running = self._running.get(message["call"])
        if running is None:
            return None
        if message["type"] == "message":
            self._take(running, message["data"])
        elif message["type"] == "exit":
            del self._running[message["call"]]
            task = running.task
            for sentence in running.warned.sentences(task.shown_log):
                self.events(Event("notice", task.name, task.phase, label=sentence))
            if message["left"]:
                self.events(Event("notice", task.name, task.phase, label=_ended(message["left"])))
            if running.seconds is None:
                error = running.error or _sudden_end(running, message["code"])
                return Ended(running.task, error=error)
            return Ended(running.task, running.seconds)
        return None

    def _take(self, running: _Running, data: Message) -> None:
        from labreport.running.child import received

        name, phase = running.task.name, running.task.phase
        if "begun" in data:
            # only now: neither a server that still imports torch nor other tasks must use up the task's time
            running.ends = time.monotonic() + running.deadline
        elif "progress" in data:
            done, total, label = data["progress"]
            running.map = _Map(label, done, total, time.monotonic())
            self.events(Event("progress", name, phase, done=done, total=total, label=label))
        elif "notice" in data:
            if running.map is not None:
                running.map.notice = data["notice"]
            self.events(Event("notice", name, phase, label=data["notice"]))
        elif "warned" in data:
            running.warned.hear(*data["warned"])
        elif "changed" in data:
            if data["changed"] not in running.changed:  # each process of a map tells it
                running.changed.append(data["changed"])
                self.events(Event("notice", name, phase, label=data["changed"]))
        elif "seconds" in data:
            running.seconds = data["seconds"]
        elif "failed" in data:
            running.error = received(data["failed"])

    def _lost(self) -> list[Ended]:
        """Return how all that was running ended with the fork server; the next task gets a new one."""
        lost, self._running = list(self._running.values()), {}
        self.close()
        cure = f"see {self.project.shown(self.project.log / LOG)}; run again"
        what = "experiment {name!r} was lost: the fork server ended"
        return [
            Ended(running.task, error=ExperimentError(what.format(name=running.task.name), cure=cure))
            for running in lost
        ]


def server_of(project: Project) -> Kind:
    """Return the fork server that a project's experiments run in."""
    from labreport.running.spare import Kind

    # what may be edited is imported in each child, from its sources as they are then
    asked = {module: module.partition(".")[0] for module in project.config.preload}
    sources = Sources(project)
    edited = sources.versions(filter(sources.is_foreign, asked.values())).named("package")
    preload = [m for m, top in asked.items() if top not in edited and not is_own(project, top)]
    return Kind(
        preload=(*OURS, *preload),
        path=project.source_roots,
        cwd=project.root,
        log=project.log / LOG,
        env=surroundings.for_experiments(),
    )


def _ended(left: Sequence[str]) -> str:
    return f"ended what it had left running: {', '.join(left)}"


def _sudden_end(running: _Running, code: int) -> ExperimentError:
    """Return the error of a child that ended without a word."""
    from labreport.running.failures import ending

    task = running.task
    own = variants.experiment(task.name)
    place = Place(f"experiments/{own}.py")
    notes: list[str] = []
    if running.expired:
        what = f"{task.title} was stopped after {running.deadline:g} s, its deadline"
        cure = f"see {task.shown_log}; allow it more time in report.toml: [deadlines] {own} = …"
        notes = running.map.notes() if running.map is not None else []
    else:
        what = f"{task.title} {ending(code)}"
        cure = f"see {task.shown_log}"
    return ExperimentError(what, place=place, notes=notes, cure=cure)

"""READ FIRST: one who watches, a warm process that builds are forked from, one build at a time.

    change → look → is the build overtaken? → interrupt it → fork the next one

The one who watches has threads (those of watchfiles and of the page's server), so it forks nothing itself; it
decides and tells. The warm process has imported what a build needs and starts no thread. A build is a process
with a session of its own: it is interrupted as by Ctrl-C, so that it clears away what it was doing, and what
it started goes with it. Whichever of these is killed takes those below it along.
"""

from __future__ import annotations

import errno
import os
import select
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport.errors import BusyError, UsageError, visible
from labreport.events import Event
from labreport.running import ForkServer, spare
from labreport.watching import builds
from labreport.watching.audience import Audience
from labreport.watching.ending import INTERRUPTED, Ended, discard_output, is_over, signals, standard_input
from labreport.watching.notifier import Notifier
from labreport.watching.overtaking import Stage
from labreport.watching.snapshot import Snapshot, is_source

if TYPE_CHECKING:
    from labreport.project import Project

LOG = "watch.log"
BUILD_LOG = "watch-build.log"
GRACE_SECONDS = 1.0
"""How long an interrupted build may take to clear away what it was doing."""
BUSY_SECONDS = 0.5
"""How often the watch tries whether another build has ended."""
LOOK_SECONDS = 1.0
"""How often it looks whether the project is still there."""


def watch(
    project: Project,
    *,
    jobs: int = 1,
    cluster: str | None = None,
    port: int | None = None,
    opens: bool = False,
) -> int:
    """Build a project, and again after each change of its files, until somebody ends that.

    Meanwhile its page is served at a `port` of this machine, any free one if that is None; with `opens`, a
    browser opens it.

    Return the exit code: 130 after Ctrl-C and at the end of the input, that of the signal after another one.

    Raises
    ------
    UsageError
        The port is taken, or the folder of the project has vanished.
    ToolError
        The system cannot watch it, or serve its page.

    """
    with signals() as ended:
        audience = Audience(project, port)
        watcher = _Watcher(project, jobs, cluster, audience)
        try:
            audience.welcome(opens=opens)
            watcher.watch(ended)
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.EIO):  # nobody reads any more what is printed
                raise
            ended.code = ended.code or INTERRUPTED
            discard_output()
        finally:
            watcher.close()
            audience.close()
        return ended.code


@dataclass
class _Build:
    """A build that is under way: its call, why it was made, how far it is, and what it has told."""

    call: int
    changed: frozenset[str]
    stage: Stage
    made: list[str]
    start: float = field(default_factory=time.monotonic)
    notices: list[str] = field(default_factory=list)
    error: list[str] = field(default_factory=list)
    outcome: str = ""
    code: int = 0
    has_run: bool = False
    is_orderly: bool = False
    is_shown: bool = False
    killed_at: float | None = None

    @property
    def seconds(self) -> float:
        """How long it has taken until now."""
        return time.monotonic() - self.start


class _Watcher:
    """Looks for changes, starts and interrupts builds, and says what they tell."""

    def __init__(self, project: Project, jobs: int, cluster: str | None, audience: Audience) -> None:
        self.project = project
        self.jobs = jobs
        self.cluster = cluster
        self.audience = audience
        self.server = self._warm()
        self.files = Snapshot(project)
        self.notifier = Notifier(self.files.folders)
        self.build: _Build | None = None
        # changes that no build has seen yet (none at all before the first); None if all have been
        self.waiting: frozenset[str] | None = frozenset()
        self.made: list[str] = []  # by builds that were overtaken
        self.told: frozenset[str] = frozenset()
        self.is_broken = self.is_busy = self.is_lost = self.is_heard = False
        self.retry_at: float | None = None

    def watch(self, ended: Ended) -> None:
        """Build, and build again after changes, until it is ended."""
        typed = standard_input()
        while not ended.code:
            if self.build is None and self.waiting is not None and self._is_time():
                self._start()
            sources: list[Notifier | ForkServer | int] = [ended.wake, self.notifier]
            sources += [self.server] if not self.is_lost else []
            sources += [typed] if typed is not None else []
            ready, _, _ = select.select(sources, [], [], self._timeout())
            if typed is not None and typed in ready and is_over(typed):
                ended.code = ended.code or INTERRUPTED
            if self.server in ready:
                self._listen()
            if self.notifier in ready:
                self.notifier.take()
                self._look()
            self._kill_if_it_hangs()
            if not self.project.root.is_dir():
                what = f"the folder of the project has vanished: {self.project.root}"
                raise UsageError(what, cure="start again where it is now")

    def close(self) -> None:
        """End the build that is under way, and all processes."""
        self.notifier.close()
        if self.is_heard:
            self.server.close()
        else:  # it is still importing, and would go on with that for a while
            self.server.kill_all()

    def _is_time(self) -> bool:
        return self.retry_at is None or time.monotonic() >= self.retry_at

    def _timeout(self) -> float:
        times = (self.retry_at, self.build.killed_at if self.build is not None else None)
        return max(0.0, min([LOOK_SECONDS, *(at - time.monotonic() for at in times if at is not None)]))

    # ------------------------------------------------------------------------------------------------ changes

    def _look(self) -> frozenset[str]:
        """Take in what changed, and return that; interrupt the build if it is overtaken by it."""
        changed = self.files.look()
        if self.files.folders != self.notifier.folders:
            self.notifier.watch(self.files.folders)
        if changed:
            self.waiting = (self.waiting or frozenset()) | changed
            self._judge(changed)
        return changed

    def _judge(self, changed: frozenset[str]) -> None:
        """Interrupt the build that is under way if these changes overtake it."""
        build = self.build
        if build is None or build.killed_at is not None:
            return
        if build.stage.is_overtaken(changed):
            build.killed_at = time.monotonic() + GRACE_SECONDS
            self.server.interrupt(build.call)
        elif build.stage.name == "experiments":
            build.changed |= changed  # what it makes from here on is made from this, too

    def _kill_if_it_hangs(self) -> None:
        build = self.build
        if build is not None and build.killed_at is not None and time.monotonic() >= build.killed_at:
            self.server.kill(build.call)
            build.killed_at = float("inf")

    # ------------------------------------------------------------------------------------------------- builds

    def _warm(self) -> ForkServer:
        """Return a process that has imported what a build needs."""
        return ForkServer(
            preload=["labreport.watching.warm", "labreport.watching.builds"],
            path=[Path(entry or Path.cwd()) for entry in sys.path],
            cwd=Path.cwd(),
            log=self.project.log / LOG,
            env={},
            grace=GRACE_SECONDS,
        )

    def _start(self) -> None:
        """Fork a build of all that is out of date."""
        if self.is_lost:
            self._renew()
        log = self.project.log / BUILD_LOG
        call = self.server.start(builds.perform, self._task(), log, only_fresh=True)
        self.build = _Build(call, self.waiting or frozenset(), Stage(self.project), self.made)
        self.waiting, self.made, self.retry_at = None, [], None
        self.audience.begin(self.build.changed)

    def _task(self) -> builds.Task:
        return builds.Task(
            build_dir=self.project.generated,
            root=self.project.root,
            quick=self.project.quick,
            program=self.project.program,
            jobs=self.jobs,
            cluster=self.cluster,
            environment=dict(os.environ),
            path=tuple(sys.path),
        )

    def _listen(self) -> None:
        """Take in what the build tells."""
        try:
            messages = self.server.receive(0)
        except EOFError:
            self._lost()
            return
        self.is_heard = self.is_heard or bool(messages)
        for message in messages:
            if self.build is None or message["call"] != self.build.call:
                continue
            if message["type"] == "message":
                for what, value in message["data"].items():
                    self._hear(self.build, what, value)
            elif message["type"] == "stale":  # labreport or a library changed since it was imported
                self._again(self.build)
                self.build = None
                self._renew()
            elif message["type"] == "exit":
                self._finish(self.build)

    def _hear(self, build: _Build, what: str, value: Any) -> None:
        """Take in one thing that a build tells."""
        match what:
            case "event":
                self._show(build, Event(**value | {"reasons": tuple(value["reasons"])}))
            case "experiments":
                build.stage.name = "report"
                build.has_run = bool(value["ran"])
                build.made += [f"{name} ran" for name in value["ran"]]
                build.made += [f"{name} came from the store" for name in value["restored"]]
            case "report":
                build.stage.name = "the rest"
                self._report(build, value["pdf"], value["pages"])
            case "notebooks":
                build.made += [f"notebook {what}" for what in value]
            case "page":
                build.made.append(value)
                self.audience.look()
            case "packed":
                build.made.append(f"{value} packed")
            case "checked":
                build.made.append(f"{value[0]} of {value[1]} checks passed")
            case "notice":
                build.notices.append(value)
            case "error":
                build.error.append(value)
            case "spare":
                build.is_orderly = value
            case "failed":
                build.outcome, build.code = what, value
            case _:
                build.outcome = what

    def _show(self, build: _Build, event: Event) -> None:
        if event.phase in ("run", "draw"):
            if event.kind == "started":
                build.stage.begin(event.experiment, event.phase)
            elif event.kind in ("finished", "failed"):
                build.stage.end(event.experiment, event.phase)
        self.audience.show(event)

    def _report(self, build: _Build, pdf: str, pages: int | None) -> None:
        """Say that the report is there, if it was made: nobody need wait for what follows."""
        if pages is not None:
            build.made.append(f"{pdf}, {pages} page{'' if pages == 1 else 's'}")
            self.audience.built(build.changed, build.made, build.seconds)
            build.made, build.is_shown = [], True

    def _finish(self, build: _Build) -> None:
        """Say how a build has ended, unless it is made again at once."""
        self.audience.end()
        self.build = None
        self._keep_ready(build)
        if build.killed_at is not None:
            self._again(build)
        elif build.code == BusyError.exit_code:
            self._wait(build)
        elif build.outcome == "built":
            self._succeeded(build)
        elif any(map(is_source, self.waiting or ())):  # what was edited meanwhile may be the reason
            self._again(build)
        else:
            self.waiting = None  # what a failed experiment has written must not start it again
            self._failed(build)

    def _keep_ready(self, build: _Build) -> None:
        """Keep ready what experiments run in, once some ran; but not what a build has left in disorder."""
        if not build.is_orderly:
            self.server.do(spare.drop, None)
        if build.stage.has_worked:
            self.server.do(builds.prepare, self._task())

    def _again(self, build: _Build) -> None:
        """Let the next build make what this one has not, and say what this one has made."""
        self.waiting = (self.waiting or frozenset()) | (frozenset() if build.is_shown else build.changed)
        self.made = build.made

    def _wait(self, build: _Build) -> None:
        """Try again soon, because another build works in the folder; say so once."""
        if not self.is_busy:
            self.audience.say(f"         {build.error[0]}: waiting until it has ended")
        self.is_busy = True
        self.retry_at = time.monotonic() + BUSY_SECONDS
        self._again(build)

    def _succeeded(self, build: _Build) -> None:
        if build.is_shown and build.made:
            self.audience.followed(build.made, build.seconds)
        elif not build.is_shown and (build.made or not build.changed or not build.changed <= self.told):
            self.audience.built(build.changed, build.made, build.seconds)
        self.audience.succeeded(build.notices, is_mended=self.is_broken)
        self.is_broken = self.is_busy = False
        found: frozenset[str] = frozenset()
        if build.has_run:
            self.files.learn()
            found = self._look()
        # these need no second line if nothing comes of them, nor files that a program goes on writing to
        said = (path for path in build.changed if path in (self.waiting or ()) or not is_source(path))
        self.told = found.union(said)

    def _failed(self, build: _Build) -> None:
        lines = build.error or self._traceback()
        self.audience.failed(build.changed, lines, build.notices, build.seconds)
        self.is_broken, self.is_busy, self.told = True, False, frozenset()

    def _traceback(self) -> list[str]:
        """Return the error of a build that could not tell it itself, by the last line of its traceback."""
        log = self.project.log / BUILD_LOG
        try:
            lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            lines = []
        last = next((line for line in reversed(lines) if line.strip()), "it ended without a word")
        return [f"labreport itself failed: {visible(last)}", f"  cure: see {self.project.shown(log)}"]

    def _lost(self) -> None:
        """Say that the process ended that builds are forked from; the next build starts another one."""
        self.is_lost = True
        log = self.project.shown(self.project.log / LOG)
        if self.build is not None:
            self.build.error = [f"the process ended that builds are forked from: see {log}"]
            self._finish(self.build)

    def _renew(self) -> None:
        self.server.close()
        self.server = self._warm()
        self.is_lost = self.is_heard = False

"""Running experiments: each as soon as what it needs is settled, each in a process of its own.

Of those that could start, drawings go first, then what takes longest with all that waits for it: started
last, it would keep one process busy while the others have nothing left to do.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from labreport.errors import LabreportError, UsageError, did_you_mean, raise_all
from labreport.events import Event, Events
from labreport.results import discard_drawing, last_seconds, store, variants
from labreport.running import restoring
from labreport.running.children import Children
from labreport.running.planning import Book, Settings

if TYPE_CHECKING:
    from labreport.project import Project
    from labreport.running.children import Ended


UNKNOWN_SECONDS = 60.0
"""So long is a run expected to take of which no time is known."""


GIT_SECONDS = 1.0
"""How long git may take to name the revision, which nothing but a record needs."""


@dataclass(frozen=True)
class Outcome:
    """How a build of results ended: which experiments ran or drew, were fresh, were skipped; the errors.

    `restored` are those that neither ran nor drew, because the store had what they would have given.
    """

    ran: tuple[str, ...]
    restored: tuple[str, ...]
    fresh: tuple[str, ...]
    skipped: tuple[str, ...]
    errors: tuple[LabreportError, ...]


def execute(
    project: Project,
    names: Sequence[str] | None = None,
    *,
    jobs: int = 1,
    force: bool = False,
    settings: Settings | None = None,
    events: Events | None = None,
    cluster: str | None = None,
) -> Outcome:
    """Run what is out of date: all, or the named experiments and what they need; return how it ended.

    What an earlier run has given already is restored from the store. A failure ends one experiment and those
    that need it; the others go on. `force` runs those that are chosen even if they are fresh or in the store,
    and without their checkpoints and cells; `jobs` is how many processes work at once, for experiments and
    the items of their maps together; the Dask `cluster` at an address, if there is one, computes items
    instead. The caller holds the build's lock.

    Raises
    ------
    InputError, UsageError, SeveralErrors
        As `plan` does, before anything runs.
    ToolError, UsageError
        The cluster cannot be used, before anything runs.

    """
    book = Book(project, settings or {})
    chosen = list(names) if names is not None else book.order
    errors = [
        UsageError(f"there is no experiment {name!r}", cure=did_you_mean(name, book.order))
        for name in chosen
        if name not in book.declared
    ]
    raise_all(errors)
    chosen = book.with_variants(chosen, settings or {})
    execution = _Execution(book, chosen, jobs, force, events or (lambda _: None), cluster)
    try:
        return execution.run()
    finally:
        execution.children.close()
        store.trim(project)
        book.sources.save()


class _Execution:
    """Runs what is out of date, as soon as what it needs is settled."""

    def __init__(
        self,
        book: Book,
        chosen: Sequence[str],
        jobs: int,
        force: bool,
        events: Events,
        cluster: str | None,
    ) -> None:
        self.cluster = cluster
        self.book = book
        self.project = book.project
        self.chosen = set(chosen)
        self.jobs = jobs
        self.force = force
        self.events = events
        self.children = Children(book.project, events)
        self.waiting = [(name, "run") for name in book.order if name in self._with_needs(chosen)]
        self.due: list[tuple[str, str, tuple[str, ...]]] = []  # what can start, and why
        self.settled: set[str] = set()
        self.ran: list[str] = []
        self.restored: list[str] = []
        self.fresh: list[str] = []
        self.stopped: dict[str, str] = {}  # failed or skipped: what dependents are told
        self.skipped: list[str] = []
        self.errors: list[LabreportError] = []

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
            if not self.children:
                return self._outcome()
            for ended in self.children.wait():
                self._ended(ended)

    def _outcome(self) -> Outcome:
        restored = [name for name in dict.fromkeys(self.restored) if name not in self.ran]
        return Outcome(
            tuple(self.ran), tuple(restored), tuple(self.fresh), tuple(self.skipped), tuple(self.errors)
        )

    def _start_what_can(self) -> None:
        """Settle or start all that waits for nothing; what this settles may free others."""
        progress = True
        while progress:
            progress = False
            for name, phase in list(self.waiting):
                if self._is_ready(name, phase):
                    self.waiting.remove((name, phase))
                    self._decide(name, phase)
                    progress = True
        while self.due and len(self.children) < self.jobs:
            longest = max(self.due, key=self._seconds)
            self.due.remove(longest)
            self._start(*longest)

    def _seconds(self, due: tuple[str, str, tuple[str, ...]]) -> float:
        """Return for how long others may have to wait if this starts late; a drawing is over soon."""
        name, phase, _ = due
        return self._seconds_from[name] if phase == "run" else float("inf")

    @cached_property
    def _seconds_from(self) -> dict[str, float]:
        """How long, last time, each experiment took with the longest chain of those that need it."""
        found: dict[str, float] = {}
        for name in reversed(self.book.order):  # those that need it come later in the order
            after = [found[other] for other in found if name in self.book.declared[other].needs]
            own = last_seconds(self.project, name, "run")
            found[name] = (UNKNOWN_SECONDS if own is None else own) + max(after, default=0.0)
        return found

    def _is_ready(self, name: str, phase: str) -> bool:
        if phase == "draw":
            return True
        return all(need in self.settled or need in self.stopped for need in self.book.declared[name].needs)

    def _decide(self, name: str, phase: str) -> None:
        """Let a phase start if it is out of date and not in the store; skip it if it cannot run."""
        stopped = [need for need in self.book.declared[name].needs if need in self.stopped]
        if phase == "run" and stopped:
            self.stopped[name] = f"{name} was skipped"
            self.skipped.append(name)
            reasons = tuple(self.stopped[need] for need in stopped)
            self.events(Event("skipped", name, phase, reasons=reasons))
            return
        changed = self.book.run_reasons(name) if phase == "run" else self.book.draw_reasons(name)
        if changed:  # what is there now will be replaced
            restoring.keep(self.project, name, phase, self.events)
        if self._is_forced(name):
            restoring.forget(self.book, name, phase)
            self.due.append((name, phase, ("forced",)))
        elif changed and not self._restore(name, phase, tuple(changed)):
            self.due.append((name, phase, tuple(changed)))
        else:
            self._settle(name, phase)

    def _restore(self, name: str, phase: str, reasons: tuple[str, ...]) -> bool:
        restored = restoring.restore(self.book, name, phase, reasons, self.events)
        if restored:
            self.restored.append(name)
        return restored

    def _is_forced(self, name: str) -> bool:
        return self.force and name in self.chosen

    def _settle(self, name: str, phase: str) -> None:
        """Note that a phase is up to date, and go on to the next."""
        self.settled.add(name)
        if variants.MARK in name:  # `run --set` with its parameters finds it in the store
            restoring.keep(self.project, name, phase, self.events)
        draws = self.book.declared[name].has_draw
        if phase == "run" and name in self.chosen and draws:
            self.waiting.insert(0, (name, "draw"))  # those that need the result need not wait for the figures
            return
        if phase == "run" and name in self.chosen:
            restoring.keep(self.project, name, "draw", self.events)
            discard_drawing(self.project, name)
        if name not in self.ran and name not in self.restored:
            self.fresh.append(name)
            self.events(Event("fresh", name, phase))

    def _start(self, name: str, phase: str, reasons: tuple[str, ...]) -> None:
        from labreport.running.child import Task

        book = self.book
        needs = book.declared[name].needs
        task = Task(
            project=self.project,
            name=name,
            phase=phase,
            params=book.params[name],
            needs=needs,
            fingerprint=book.of_run(name) if phase == "run" else book.of_drawing(name, ()),
            known=book.known(name, phase),
            contents=book.contents(needs),
            jobs=self.jobs,
            revision=self.revision,
            forced=self._is_forced(name),
            cluster=self.checked_cluster,
        )
        book.sources.save()  # the child reads the sources again, to see whether they have changed
        self.children.start(task)
        self.events(Event("started", name, phase, reasons=reasons))

    @cached_property
    def checked_cluster(self) -> str | None:
        """The address of the cluster, which has been asked once whether it can compute what may run."""
        if self.cluster is not None:
            from labreport.running.handshake import check

            may_run = [self.book.of_run(name) for name in self._with_needs(self.chosen)]
            check(self.cluster, {name for found in may_run for name in found.named("version")})
        return self.cluster

    @cached_property
    def revision(self) -> str | None:
        """The revision that the records of all runs of this build name."""
        return _revision(self.project)

    def _ended(self, ended: Ended) -> None:
        name, phase = ended.task.name, ended.task.phase
        if ended.error is not None:
            self.errors.append(ended.error)
            if phase == "run":  # without its figures a result can still be used
                self.stopped[name] = f"{name} failed"
            self.events(Event("failed", name, phase, error=ended.error))
            return
        if name not in self.ran:
            self.ran.append(name)
        self.events(Event("finished", name, phase, seconds=ended.seconds or 0.0))
        self._settle(name, phase)


def _revision(project: Project) -> str | None:
    """Return the revision of the project in git, "-dirty" if files differ from it; None without git."""
    import subprocess

    command = ["git", "-C", str(project.root), "describe", "--always", "--abbrev=40", "--dirty"]
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as git:
            try:
                said, _ = git.communicate(timeout=GIT_SECONDS)
            except BaseException:  # a hung disk, a hook that waits, Ctrl-C: what git has started ends with it
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(git.pid, signal.SIGKILL)
                raise
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.decode("utf-8", "replace").strip() or None if git.returncode == 0 else None

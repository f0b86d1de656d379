"""READ THIS FIRST: the whole build, as functions that a program can call.

    lock → run → pdf → notebooks → pack → check

`make_all` takes these steps one after the other; `run`, `pdf`, `check` and `verify` take some of them;
`plan`, `clean`, `waiting` and `accept` none. Each function takes a project and, where it needs them, the
number of processes that may work at once and a sink of events; it returns what was made. Nothing here prints,
parses options or ends the process: `cli` turns events and returned values into words.

Every step first looks whether it has anything to do, and hands over to the next by files in the project's
build folder: each can be taken, looked at and tested alone.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, TypeVar

from labreport import running
from labreport.documents import accepted, claims, notebooks, report
from labreport.errors import BusyError, ExperimentError, LabreportError, SeveralErrors, raise_all
from labreport.events import Event, brief

if TYPE_CHECKING:
    from labreport.checks import Verdict
    from labreport.documents import Accepted, Document, Made, Unread, Woven
    from labreport.explain import Compared
    from labreport.handin import Submission, Verified
    from labreport.leftovers import Leftover
    from labreport.project import Project
    from labreport.running import Settings, Step

# ------------------------------------------------------------------------------------ what a build hands back


@dataclass(frozen=True)
class Experiments:
    """How many experiments there are, which of them ran or drew, or were restored, and how long that took.

    `seconds` is None if nothing was out of date.
    """

    total: int
    ran: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True)
class Report:
    """The report that was made, None if it was up to date; `seconds` have passed since the build began."""

    made: Made | None
    seconds: float


@dataclass(frozen=True)
class Changed:
    """What changed since the last report, in one line; None if there was none, or none was made."""

    summary: str | None


@dataclass(frozen=True)
class Notebooks:
    """All notebooks of the project, including those that were up to date."""

    woven: tuple[Woven, ...]


@dataclass(frozen=True)
class Claims:
    """The verdicts of the claims of all documents, and whether each is said; None if no document was made."""

    verdicts: tuple[tuple[str, bool], ...] | None


@dataclass(frozen=True)
class Asked:
    """What the build asks of the author: a line for each paragraph that must be read, with the cure."""

    notices: tuple[str, ...]


@dataclass(frozen=True)
class Annotated:
    """The report with its values in colour: how many of them are, and of how many."""

    coloured: int
    values: int


@dataclass(frozen=True)
class Packed:
    """The hand-in that was packed; None if it was up to date."""

    submission: Submission | None


@dataclass(frozen=True)
class Checked:
    """The verdict of each check on the hand-in."""

    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class Built:
    """What `make_all` made, step by step; a step that was not taken is None."""

    experiments: Experiments
    report: Report
    changed: Changed
    notebooks: Notebooks
    claims: Claims
    asked: Asked
    packed: Packed | None = None
    checked: Checked | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether everything was up to date."""
        steps = (self.experiments.seconds, self.report.made, self.claims.verdicts, self.checked)
        woven = any(notebook.is_made for notebook in self.notebooks.woven)
        return not woven and all(made is None for made in steps)


@dataclass(frozen=True)
class Plan:
    """What a build would do: a step for each experiment, and why the documents would be made again.

    `handin` says why the hand-in would be packed again, as far as that is known before the documents are
    made; None for a quick build, which packs nothing.
    """

    experiments: tuple[Step, ...]
    report: tuple[str, ...]
    notebooks: Stale
    handin: tuple[str, ...] | None


@dataclass(frozen=True)
class Cleaned:
    """What nothing referred to; `removed` says whether it is gone, or was only looked for."""

    leftovers: tuple[Leftover, ...]
    removed: bool


Done = Experiments | Report | Changed | Notebooks | Claims | Asked | Annotated | Packed | Checked
"""What the sink of events is given at the end of a step."""

Events = Callable[[Event | Done], None]
Stale = Mapping[str, Sequence[str]]  # by name: why it is out of date

D = TypeVar("D", bound=Done)


def ignore(_: object) -> None:
    """Take an event and do nothing."""


# -------------------------------------------------------------------------------------------- the whole build


def make_all(
    project: Project, *, jobs: int = 1, events: Events = ignore, cluster: str | None = None
) -> Built:
    """Make all that is out of date: results, the report, the notebooks, the hand-in; check that.

    A Dask `cluster` at an address computes the items of each `lab.map`.

    Raises BusyError if another build works in the same folder, and what a step raises alone if it fails;
    what the steps before it made is kept.
    """
    with building(project):
        start = time.monotonic()
        experiments = _run_stale(project, jobs, events, cluster)
        made = _make_report(project, start, events)
        changed = _changed(project, made, events)
        try:
            woven = _weave(project, jobs, events)
        except LabreportError:
            claims.join(project)  # the PDF is there, and so are its claims
            raise
        stated = _claims(project, events)
        asked = _ask(project, events)
        if project.quick:  # a trial is looked at, never handed in
            return Built(experiments, made, changed, woven, stated, asked)
        packed, checked = _pack(project, events), None
        if packed.submission:  # no result is out of date: those that were have run
            checked = _check(project, {}, made.made.document if made.made else None, events)
        return Built(experiments, made, changed, woven, stated, asked, packed, checked)


@contextmanager
def building(project: Project) -> Iterator[None]:
    """Hold the lock of the project's build folder.

    Raises BusyError at once if another process holds it.
    """
    project.build.mkdir(parents=True, exist_ok=True)
    with project.lock.open("a+", encoding="utf-8") as file:
        try:
            # a lock of the system's goes with its process: a killed build leaves nothing to clear away
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or "another process"
            raise BusyError(
                f"another build works in {project.shown(project.build)} ({owner})",
                cure="wait until it has ended, or end it",
            ) from None
        _write_owner(file)
        yield


def _write_owner(file: IO[str]) -> None:
    file.seek(0)
    file.truncate()
    file.write(f"process {os.getpid()}")
    file.flush()


# ------------------------------------------------------------------------------------------- parts of a build


def plan(project: Project) -> Plan:
    """Return what `make_all` would do, and why; do nothing. Raises what `running.plan` raises."""
    steps = tuple(running.plan(project))
    stale = tuple(report.out_of_date(project))
    woven = notebooks.out_of_date(project)
    settled = not (stale or any(woven.values()) or any(step.state != "fresh" for step in steps))
    return Plan(steps, stale, woven, _plan_handin(project, settled=settled))


def _plan_handin(project: Project, *, settled: bool) -> tuple[str, ...] | None:
    """Return why the hand-in would be packed again; `settled` if all that goes into it is up to date."""
    if project.quick:
        return None
    if not settled:
        return ()
    from labreport import handin

    try:
        return tuple(handin.out_of_date(project))
    except LabreportError as error:  # the build refuses to pack, with the place and the cure
        errors = error.errors if isinstance(error, SeveralErrors) else (error,)
        return tuple(e.what for e in errors)


def run(
    project: Project,
    names: Sequence[str] | None = None,
    *,
    jobs: int = 1,
    force: bool = False,
    settings: Settings | None = None,
    events: Events = ignore,
    cluster: str | None = None,
) -> Experiments:
    """Run the experiments that are out of date: those named, with what they need, or all.

    A Dask `cluster` at an address computes the items of each `lab.map`.

    Raises
    ------
    BusyError
        Another build works in the same folder.
    ExperimentError, SeveralErrors
        Experiments failed; the others have run all the same.
    InputError, UsageError
        A declaration, a name or a setting is wrong; nothing has run.
    ToolError
        The cluster cannot be used; nothing has run.

    """
    with building(project):
        return _run(project, names, jobs, events, force=force, settings=settings, cluster=cluster)


def pdf(project: Project, *, annotated: bool = False, events: Events = ignore) -> Report:
    """Make the report from the results as they are; with `annotated` once more, its values in colour.

    Raises
    ------
    BusyError
        Another build works in the same folder.
    ExperimentError, SeveralErrors
        Results are out of date.
    InputError, LatexError, ToolError
        The report cannot be made of them.

    """
    with building(project):
        start = time.monotonic()
        raise_all(
            [
                ExperimentError(
                    f"the result of {step.experiment!r} is out of date: {brief(step.reasons)}",
                    cure=f"run `{project.command()}`, or only `{project.command('run', step.experiment)}`",
                )
                for step in running.plan(project)
                if step.state != "fresh"
            ]
        )
        made = _make_report(project, start, events)
        _changed(project, made, events)
        _claims(project, events)
        _ask(project, events)
        if annotated:
            from labreport import explain

            _told(events, Annotated(*explain.annotate(project)))
        return made


def waiting(project: Project) -> list[Unread]:
    """Return the paragraphs of the last build that must be read: what they are about changed, or is new.

    Raises InputError if accepted.toml is damaged.
    """
    return accepted.unread(project)


def accept(project: Project, names: Sequence[str], *, every: bool = False) -> Accepted:
    """Note that paragraphs were read: those about what is named, or at a named place, or all that wait.

    Raises UsageError or SeveralErrors if no paragraph is about what is named, or the build is a quick one;
    InputError if there was no build yet, accepted.toml is damaged, or what is named is there no more.
    """
    return accepted.accept(project, names, every=every)


def check(project: Project) -> Checked:
    """Return the verdict of each check on the report and its hand-in.

    Raises InputError if there is no report, or a file of the build cannot be read.
    """
    stale = {step.experiment: step.reasons for step in running.plan(project) if step.state != "fresh"}
    return _check(project, stale, None, ignore)


def diff(
    project: Project,
    other: str | None = None,
    *,
    marked: bool = False,
    jobs: int = 1,
    events: Events = ignore,
    cluster: str | None = None,
) -> Compared:
    """Return what changed in the report since `other`: a revision of git, a folder, a zip.

    Without `other` the report as results and templates are now is compared with the published one or, if
    that is up to date, the published one with the one before. With `marked` a PDF with the changes marked is
    made, too.

    Raises
    ------
    BusyError
        Another build works in the same folder.
    UsageError
        There is nothing to compare with.
    ToolError
        A program is missing.
    LabreportError
        One of the reports cannot be made, for the reasons that it would have alone.

    """
    from labreport import explain

    def make(revision: Project) -> None:
        events(Event("notice", "", "diff", label="building the revision in a scratch folder …"))
        _run_stale(revision, jobs, events, cluster)

    with building(project):
        stale = [step.experiment for step in running.plan(project) if step.state != "fresh"]
        return explain.compared(project, other, make, stale=stale, marked=marked)


def verify(project: Project, *, train: bool = True, jobs: int = 1, events: Events = ignore) -> Verified:
    """Rebuild all from the unpacked hand-in, in an empty folder, and return what came out equal.

    With `train` all results are computed again, else the packed ones are used. Each line that the unpacked
    code prints is an event.

    Raises
    ------
    BusyError
        Another build works in the same folder.
    VerifyError
        The hand-in is not of this build, does not build, or builds to something else.

    """
    from labreport import handin

    with building(project):
        return handin.verify(
            project,
            train=train,
            jobs=jobs,
            progress=lambda line: events(Event("notice", "", "verify", label=line)),
        )


def clean(project: Project, *, dry_run: bool = False) -> Cleaned:
    """Remove what nothing in the build folder refers to, and return it; with `dry_run` only return it.

    Nothing outside the build folder is touched. Raises BusyError if another build works in the same folder.
    """
    from labreport import leftovers

    with building(project):
        found = leftovers.leftovers(project)
        for leftover in () if dry_run else found:
            leftovers.remove(leftover)
    return Cleaned(tuple(found), removed=not dry_run)


# ------------------------------------------------------------------------------- the steps; the lock is held


def _run_stale(project: Project, jobs: int, events: Events, cluster: str | None) -> Experiments:
    steps = running.plan(project)
    if any(step.state != "fresh" for step in steps):
        return _run(project, None, jobs, events, cluster=cluster)
    running.tidy(project)
    return _told(events, Experiments(len(steps)))


def _run(
    project: Project,
    names: Sequence[str] | None,
    jobs: int,
    events: Events,
    *,
    force: bool = False,
    settings: Settings | None = None,
    cluster: str | None = None,
) -> Experiments:
    start = time.monotonic()
    outcome = running.execute(
        project, names, jobs=jobs, force=force, settings=settings or {}, events=events, cluster=cluster
    )
    raise_all(outcome.errors)
    total = len(project.experiment_names())
    return _told(events, Experiments(total, outcome.ran, outcome.restored, time.monotonic() - start))


def _make_report(project: Project, start: float, events: Events) -> Report:
    made = None
    if report.out_of_date(project):
        events(Event("started", "", "report"))
        made = report.make(project)
    return _told(events, Report(made, time.monotonic() - start))


def _changed(project: Project, report: Report, events: Events) -> Changed:
    if report.made is None:
        return _told(events, Changed(None))
    from labreport import explain

    return _told(events, Changed(explain.since(project, is_new=report.made.is_new)))


def _weave(project: Project, jobs: int, events: Events) -> Notebooks:
    return _told(events, Notebooks(tuple(notebooks.weave(project, jobs=jobs, events=events))))


def _claims(project: Project, events: Events) -> Claims:
    return _told(events, Claims(claims.join(project) if claims.out_of_date(project) else None))


def _ask(project: Project, events: Events) -> Asked:
    return _told(events, Asked(tuple(accepted.notices(project, accepted.unread(project)))))


def _pack(project: Project, events: Events) -> Packed:
    from labreport import handin

    found = handin.collect(project)
    return _told(events, Packed(handin.pack(project, found) if handin.out_of_date(project, found) else None))


def _check(project: Project, stale: Stale, document: Document | None, events: Events) -> Checked:
    from labreport import checks

    return _told(events, Checked(tuple(checks.check(project, stale, document))))


def _told(events: Events, done: D) -> D:
    """Return what a step has made, after telling it."""
    events(done)
    return done

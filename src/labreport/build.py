"""READ THIS FIRST: the whole build, as functions that a program can call.

    lock → run → pdf → notebooks → pack → check → page

`make_all` takes these steps one after the other; `run`, `pdf`, `check` and `verify` take some of them;
`plan`, `clean`, `waiting` and `accept` none. Each function takes a project and, where it needs them, the
number of processes that may work at once and a sink of events; it returns what was made. Nothing here prints,
parses options or ends the process: `cli` turns events and returned values into words.

Every step first looks whether it has anything to do, and hands over to the next by files in the project's
build folder: each can be taken, looked at and tested alone.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from labreport import documenting, leftovers, lock, page, running, scratch
from labreport.documents import accepted, claims, notebooks, report
from labreport.errors import (
    ExperimentError,
    LabreportError,
    SeveralErrors,
    UsageError,
    did_you_mean,
    is_of_disk,
    of_disk,
    raise_all,
)
from labreport.events import Event, brief
from labreport.outcomes import (
    Annotated,
    Asked,
    Built,
    Checked,
    Claims,
    Cleaned,
    Events,
    Experiments,
    Notebooks,
    Packed,
    Plan,
    Report,
    Stale,
    told,
)
from labreport.results import variants

if TYPE_CHECKING:
    from labreport.documents import Accepted, Document, Unread
    from labreport.explain import Compared
    from labreport.handin import Manuscript, Verified
    from labreport.project import Project
    from labreport.running import Settings


def ignore(_: object) -> None:
    """Take an event and do nothing."""


# -------------------------------------------------------------------------------------------- the whole build


def make_all(
    project: Project, *, jobs: int = 1, events: Events = ignore, cluster: str | None = None
) -> Built:
    """Make all that is out of date: results, report, notebooks, hand-in, page; check what is handed in.

    A Dask `cluster` at an address computes the items of each `lab.map`.

    Raises BusyError if another build works in the same folder, and what a step raises alone if it fails;
    what the steps before it made is kept.
    """
    with building(project):
        start = time.monotonic()
        experiments = _run_stale(project, jobs, events, cluster)
        made = documenting.make_reports(project, project.documents, start, events)
        # LaTeX and poppler draw the pages beside what else there is to do
        with documenting.making_pages(project, made) as making:
            changed = documenting.changes(project, made, events)
            try:
                woven = _weave(project, jobs, events)
            except LabreportError:
                claims.join(project)  # the PDF is there, and so are its claims
                raise
            stated = _claims(project, events)
            asked = _ask(project, events)
            try:
                packed, checked = _hand_in(project, made, events)
            except LabreportError:
                # what must not be handed in can be looked at
                with suppress(OSError):
                    documenting.make_pages(project, making, events)
                raise
            shown = documenting.make_pages(project, making, events)
        return Built(experiments, made, changed, woven, stated, asked, shown, packed, checked)


@contextmanager
def building(project: Project) -> Iterator[None]:
    """Hold the lock of the project's build folder, after what killed builds have left there was swept.

    Raises what `lock.hold` raises, BusyError at once if another process holds it; and DiskError for what the
    system refuses to read or write until the block is left.
    """
    with _disk(project), lock.hold(project):
        _check_rights(project)
        leftovers.sweep(project)
        yield


@contextmanager
def _disk(project: Project) -> Iterator[None]:
    """Let what the system refuses be one message, whichever file it was: a full disk comes at any of them."""
    try:
        yield
    except OSError as error:
        if not is_of_disk(error):
            raise
        raise of_disk(error, project.build, project.shown) from error


def _check_rights(project: Project) -> None:
    """Raise PermissionError for a folder that only another user can write, before anything has run."""
    for folder in (project.build, *project.build.iterdir()):
        if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


# ------------------------------------------------------------------------------------------- parts of a build


def plan(project: Project) -> Plan:
    """Return what `make_all` would do, and why; do nothing. Raises what `running.plan` raises."""
    steps = tuple(running.plan(project))
    stale = {each.pdf: report.out_of_date(each) for each in project.documents}
    woven = notebooks.out_of_date(project)
    settled = not (any(stale.values()) or any(woven.values()) or any(step.state != "fresh" for step in steps))
    shown = {each.page: page.out_of_date(each) for each in project.documents}
    return Plan(steps, stale, woven, shown, _plan_handin(project, settled=settled))


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


def pdf(
    project: Project, names: Sequence[str] = (), *, annotated: bool = False, events: Events = ignore
) -> tuple[Report, ...]:
    """Make the documents of these names, or all, from the results as they are.

    With `annotated` each is made once more, with its values in colour. The pages about them are left to
    `make_all`.

    Raises
    ------
    BusyError
        Another build works in the same folder.
    UsageError
        There is no document of a name.
    ExperimentError, SeveralErrors
        Results are out of date.
    InputError, LatexError, ToolError
        The report cannot be made of them.

    """
    documents = named(project, names)
    with building(project):
        start = time.monotonic()
        _refuse_stale(project)
        made = documenting.make_reports(project, documents, start, events)
        documenting.changes(project, made, events)
        _claims(project, events)
        _ask(project, events)
        if annotated:
            from labreport import explain

            for each in documents:
                told(events, Annotated(each.annotated, *explain.annotate(each)))
        return made


def named(project: Project, names: Sequence[str]) -> tuple[Project, ...]:
    """Return the documents of these names, or all; UsageError if there is none of a name."""
    unknown = [
        UsageError(f"there is no document {name!r}", cure=did_you_mean(name, project.config.templates))
        for name in names
        if name not in project.config.templates
    ]
    raise_all(unknown)
    return tuple(each for each in project.documents if not names or each.job in names)


def pack(project: Project, *, events: Events = ignore) -> Packed:
    """Pack the hand-in from what the build folder holds, if it is out of date.

    Raises
    ------
    BusyError
        Another build works in the same folder.
    ExperimentError, SeveralErrors
        Results are out of date.
    PackError
        Something is missing, or must not be handed in.

    """
    with building(project):
        _refuse_stale(project)
        return _pack(project, events, "what was built is not up to date")


def pack_for(project: Project, publisher: str) -> list[Manuscript]:
    """Write the sources of each document for a publisher: arxiv, overleaf or journal.

    Raises what `pack` raises, and PackError if the report is out of date, or the sources do not give it.
    """
    from labreport import handin

    with building(project):
        _refuse_stale(project)
        return [handin.pack_for(each, publisher) for each in project.documents]


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
    return _check(project, stale, (), ignore)


def diff(
    project: Project,
    other: str | None = None,
    *,
    marked: bool = False,
    jobs: int = 1,
    events: Events = ignore,
    cluster: str | None = None,
) -> list[Compared]:
    """Return what changed in each document since `other`: a revision of git, a folder, a zip.

    Without `other` the report as results and templates are now is compared with the published one or, if
    that is up to date, the published one with the one before. With `marked` a PDF with the changes marked is
    made, too. A document with which nothing can be compared is left out, if others can.

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
        found, errors = [], []
        for each in project.documents:
            try:
                found.append(explain.compared(each, other, make, stale=stale, marked=marked))
            except UsageError as error:
                errors.append(error)
        raise_all([] if found else errors[:1])
        return found


def verify(
    project: Project, *, train: bool = True, fresh: bool = False, jobs: int = 1, events: Events = ignore
) -> Verified:
    """Rebuild all from the unpacked hand-in, in an empty folder, and return what came out equal.

    With `train` all results are computed again, else the packed ones are used; with `fresh` in an empty
    environment, into which only what the hand-in names is installed. Each line that the unpacked
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
            fresh=fresh,
            jobs=jobs,
            progress=lambda line: events(Event("notice", "", "verify", label=line)),
        )


def clean(project: Project, *, dry_run: bool = False) -> Cleaned:
    """Remove what nothing in the build folder refers to, and return it; with `dry_run` only return it.

    Nothing outside the build folder is touched. Raises BusyError if another build works in the same folder.
    """
    with lock.hold(project):
        found = leftovers.leftovers(project)
        if not dry_run:
            for leftover in found:
                leftovers.remove(leftover)
            scratch.sweep()
    return Cleaned(tuple(found), removed=not dry_run)


# ------------------------------------------------------------------------------- the steps; the lock is held


def _run_stale(project: Project, jobs: int, events: Events, cluster: str | None) -> Experiments:
    steps = running.plan(project)
    if any(step.state != "fresh" for step in steps):
        return _run(project, None, jobs, events, cluster=cluster)
    return told(events, Experiments(len(steps)))


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
    total = len(variants.names(project))
    return told(events, Experiments(total, outcome.ran, outcome.restored, time.monotonic() - start))


def _refuse_stale(project: Project) -> None:
    """Raise ExperimentError, or several, if a result is out of date."""
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


def _weave(project: Project, jobs: int, events: Events) -> Notebooks:
    return told(events, Notebooks(tuple(notebooks.weave(project, jobs=jobs, events=events))))


def _claims(project: Project, events: Events) -> Claims:
    return told(events, Claims(claims.join(project) if claims.out_of_date(project) else None))


def _ask(project: Project, events: Events) -> Asked:
    return told(events, Asked(tuple(accepted.notices(project, accepted.unread(project)))))


def _hand_in(
    project: Project, reports: Sequence[Report], events: Events
) -> tuple[Packed | None, Checked | None]:
    if project.quick:  # a trial is looked at, never handed in
        return None, None
    packed = _pack(project, events, "changed during the build")
    if not packed.submission:
        return packed, None
    # no result is out of date: those that were have run
    return packed, _check(project, {}, [each.made.document for each in reports if each.made], events)


def _pack(project: Project, events: Events, otherwise: str) -> Packed:
    """Pack the hand-in if it is out of date; PackError, which says `otherwise`, if what was built is."""
    from labreport import handin

    found = handin.collect(project)
    if not handin.out_of_date(project, found):
        return told(events, Packed(None))
    # only now: an edit that comes later is not in what was collected
    reasons = _reasons_to_build(project)
    if reasons:
        cure = f"build again: run `{project.command()}`; nothing was packed"
        raise handin.PackError(f"{otherwise}: {reasons[0]}", notes=reasons[1:], cure=cure)
    return told(events, Packed(handin.pack(project, found)))


def _reasons_to_build(project: Project) -> list[str]:
    """Return why results, documents or notebooks are not those of the sources as they are, in words."""
    stale = [step for step in running.plan(project) if step.state != "fresh"]
    reasons = [f"{step.experiment}: {reason}" for step in stale for reason in step.reasons]
    reasons += [reason for each in project.documents for reason in report.out_of_date(each)]
    reasons += [reason for each in notebooks.out_of_date(project).values() for reason in each]
    return [*dict.fromkeys(reasons)]


def _check(project: Project, stale: Stale, made: Sequence[Document], events: Events) -> Checked:
    from labreport import checks

    return told(events, Checked(tuple(checks.check(project, stale, made))))

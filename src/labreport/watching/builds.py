"""A build under watch, in a process of its own: it reports what happens as plain data.

The process that watches may have loaded older code than the build: it receives texts and numbers, no objects.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport import build, outcomes
from labreport import project as projects
from labreport.errors import LabreportError, is_of_disk, of_disk
from labreport.events import Event
from labreport.running import server_of, spare

if TYPE_CHECKING:
    from labreport.project import Project

Send = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Task:
    """What to build, and the surroundings in which a build without a watch would have started."""

    root: Path
    build_dir: Path
    quick: bool
    program: str
    jobs: int
    cluster: str | None
    environment: dict[str, str]
    path: tuple[str, ...]


def perform(task: Task, send: Send) -> None:
    """Build all that is out of date, and say how that goes; the last word is "built" or "failed"."""
    try:
        project = _project(task)
        build.make_all(
            project, jobs=task.jobs, events=lambda told: _tell(send, project, told), cluster=task.cluster
        )
    except LabreportError as error:
        _fail(send, error)
    except OSError as error:
        if not is_of_disk(error):
            raise
        _fail(send, of_disk(error, task.root))
    else:
        send({"built": True})
    finally:
        send({"spare": spare.is_intact()})


def _fail(send: Send, error: LabreportError) -> None:
    from labreport.handin import masking

    for line in error.lines(masking()):
        send({"error": line})
    send({"failed": error.exit_code})


def prepare(task: Task) -> None:
    """Keep ready in this process, which builds are forked from, what their experiments run in."""
    with contextlib.suppress(LabreportError):  # the next build says what is wrong
        spare.prepare(server_of(_project(task)))


def _project(task: Task) -> Project:
    """Return the project as it is now, in the surroundings of a build without a watch."""
    os.environ.clear()
    os.environ.update(task.environment)
    sys.path[:] = task.path
    sys.orig_argv[:] = [*shlex.split(task.program), "watch"]  # by which others are told who holds the lock
    project = projects.load(task.root, quick=task.quick, build_dir=task.build_dir)
    return replace(project, program=task.program)


def _tell(send: Send, project: Project, told: Event | outcomes.Done) -> None:
    """Say what happens to an experiment or a notebook, and what a step has made."""
    match told:
        case Event():
            names = ("kind", "experiment", "phase", "done", "total", "label", "seconds", "reasons")
            send({"event": {name: getattr(told, name) for name in names}})
        case outcomes.Experiments():
            send({"experiments": {"ran": told.ran, "restored": told.restored}})
        case outcomes.Report():
            made = told.made
            _notice(send, made.notices if made else ())
            shown = project.shown(told.pdf)
            send({"report": {"pdf": shown, "pages": made.pages if made else None}})
        case outcomes.Notebooks():
            executed = [f"{woven.name} executed" for woven in told.woven if woven.seconds is not None]
            renewed = [f"{woven.name}: text renewed" for woven in told.woven if woven.is_renewed]
            send({"notebooks": executed + renewed})
        case outcomes.Asked():
            _notice(send, told.notices)
        case outcomes.Page():
            _notice(send, told.notices)
            if told.made is not None:
                send({"page": project.shown(told.path)})
        case outcomes.Packed(submission) if submission is not None:
            _notice(send, submission.notices)
            send({"packed": project.shown(project.submission)})
        case outcomes.Checked():
            broken = [verdict for verdict in told.verdicts if verdict.state != "passed"]
            for verdict in broken:
                send({"notice": f"{verdict.state}: {verdict.name}: {verdict.rule}"})
            send({"checked": [len(told.verdicts) - len(broken), len(told.verdicts)]})


def _notice(send: Send, notices: tuple[str, ...]) -> None:
    for notice in notices:
        send({"notice": f"notice: {notice}"})

"""Older results and drawings: kept when they are about to be replaced, put back when they are right again.

The store never makes a build fail: what cannot be kept or is damaged costs a notice, and is computed again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labreport.events import Event, Events
from labreport.results import store

if TYPE_CHECKING:
    from labreport.project import Project
    from labreport.running.planning import Book


def keep(project: Project, name: str, phase: str, events: Events) -> None:
    """Keep the present result or drawing of an experiment, which is about to be replaced."""
    try:
        store.keep(project, name, phase)
    except OSError as error:
        what = "result" if phase == "run" else "drawing"
        label = f"the older {what} cannot be kept in {project.shown(project.store)}: {error.strerror}"
        events(Event("notice", name, phase, label=label))


def restore(book: Book, name: str, phase: str, reasons: tuple[str, ...], events: Events) -> bool:
    """Return whether an older result or drawing was what a run or draw would give, and was restored."""
    project = book.project

    def forget_damaged(folder: Path) -> None:
        store.forget(folder)
        label = f"{project.shown(folder.parent)} held a damaged entry, which was removed"
        events(Event("notice", name, phase, label=label))

    entry = book.stored(name, phase, damaged=forget_damaged)
    if entry is None:
        return False
    store.restore(project, entry)
    events(Event("restored", name, phase, reasons=reasons))
    return True


def forget(book: Book, name: str, phase: str) -> None:
    """Remove the older result or drawing that would be restored now: a forced run does not believe it."""
    entry = book.stored(name, phase)
    if entry is not None:
        store.forget(entry.folder)

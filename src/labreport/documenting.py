"""The steps of a build that make each document of a project, and its page; the lock is held."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from labreport import page
from labreport.documents import claims, report
from labreport.errors import LabreportError, is_of_disk, raise_all, unforeseen
from labreport.events import Event
from labreport.outcomes import Changed, Events, Page, Report, told

if TYPE_CHECKING:
    from labreport.page import Made
    from labreport.project import Project


def make_reports(
    project: Project, documents: Sequence[Project], start: float, events: Events
) -> tuple[Report, ...]:
    """Make the documents that are out of date; if one cannot be made, the others are all the same."""
    reports: list[Report] = []
    errors: list[LabreportError] = []
    for each in documents:
        made = None
        try:
            if report.out_of_date(each):
                events(Event("started", "", "report"))
                made = report.make(each)
        except LabreportError as error:
            # a fault in a template that several include is reported once
            if error.lines() not in [known.lines() for known in errors]:
                errors.append(error)
        else:
            reports.append(told(events, Report(each.pdf, made, time.monotonic() - start)))
    if errors and any(each.made for each in reports):
        claims.join(project)  # the documents that were made are there, and so are their claims
    raise_all(errors)
    return tuple(reports)


def changes(project: Project, reports: Sequence[Report], events: Events) -> tuple[Changed, ...]:
    """Tell what changed in each document that was made since it was made before."""
    documents = {each.pdf: each for each in project.documents}
    changed = []
    for each in reports:
        summary = None
        if each.made is not None:
            from labreport import explain

            summary = explain.since(documents[each.pdf], is_new=each.made.is_new)
        changed.append(told(events, Changed(each.pdf, summary)))
    return tuple(changed)


@contextmanager
def making_pages(project: Project, reports: Sequence[Report]) -> Iterator[list[Callable[[], Made]]]:
    """Give what makes the page of each document; while the block runs, those just made are drawn."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(page.making(each, beside=made.made is not None))
            for each, made in zip(project.documents, reports, strict=True)
        ]


def make_pages(project: Project, making: Sequence[Callable[[], Made]], events: Events) -> tuple[Page, ...]:
    """Make the pages that are out of date, by what `making_pages` gave."""
    pairs = zip(project.documents, making, strict=True)
    return tuple(told(events, _page(each, make)) for each, make in pairs)


def _page(document: Project, make: Callable[[], Made]) -> Page:
    """Make a page if it is out of date; where it cannot be made, what is handed in does not need it."""
    try:
        return Page(document.page, make() if page.out_of_date(document) else None)
    except Exception as error:  # whatever it is: nobody's hand-in may wait for it
        if is_of_disk(error):  # which the last step of a build must not hide
            raise
        shown = document.shown(document.page)
        return Page(document.page, None, (f"{shown} was not made: {_why(error)}",))


def _why(error: Exception) -> str:
    if isinstance(error, LabreportError):
        return f"{error.what}; {error.cure}" if error.cure else error.what
    return unforeseen(error)

"""READ FIRST: the page as a step of the build: from the published report to build/report.html.

    published PDF ──▶ pictures and texts of its pages, places of what they show ──▶ Drawn
    what `explain` knows of all that ──▶ model
    Drawn + model + assets ──▶ report.html

What is drawn follows from the published files alone and takes longest: it is kept in build/cache/page, and
drawn in a process beside other steps of a build. Nothing of an earlier page is touched until the new one is
finished.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport import lock
from labreport.config import CONFIG
from labreport.documents import notebooks
from labreport.project import ENGINE
from labreport.results import FIGURES, RESULT, RUN, Fingerprint, Record, files, files_in, freshness, variants

if TYPE_CHECKING:
    import subprocess

    from labreport.project import Project


@dataclass(frozen=True)
class Made:
    """The page that was made: how many pages and printed values it shows, and how long that took."""

    pages: int
    values: int
    seconds: float


# ------------------------------------------------------------------------------------------ is it up to date?


def out_of_date(project: Project) -> list[str]:
    """Return why the page must be made again, in words; empty if it is up to date."""
    record = freshness.read(_record(project))
    now = _inputs(project, record.found if record else ())
    return freshness.reasons(project, project.page, record, now)


def _record(project: Project) -> Path:
    return project.cache / "page" / "page.json"


def _inputs(project: Project, code: Iterable[str]) -> Fingerprint:
    """Return the fingerprint of all files that the page tells of, the `code` that it shows among them."""
    published = [project.pdf, project.provenance, project.latex / f"{project.job}.tex", project.claims]
    published += [notebooks.provenance_path(project, name) for name in notebooks.names(project)]
    before = [project.previous / project.provenance.name, project.previous / "latex" / f"{project.job}.tex"]
    main = project.root / "build_report.py"  # the page names it in its commands if it is there
    paths = [project.root / CONFIG, main, *published, *before, *files_in(ENGINE)]
    for name in variants.names(project):
        folder = project.results / name
        paths += [folder / RESULT, folder / RUN, folder / FIGURES / "figures.json"]
        paths += sorted((folder / FIGURES).glob("*.csv"))
    return freshness.inputs(project, [*paths, *(project.root / name for name in code)])


# -------------------------------------------------------------------------------------------------- the steps


def make(project: Project) -> Made:
    """Make the page of the published report and return what it shows.

    Raises
    ------
    InputError
        There is no report, or its records are damaged.
    ToolError
        A program is missing or fails.

    """
    from labreport.explain import record
    from labreport.page import drawn, html, model

    start = time.monotonic()
    # before anything is read: what is edited from here on has changed
    used = _inputs(project, ()) | freshness.settings(project)
    shown = drawn.draw(project)
    told = model.model(project, record.of_document(project), shown.places, shown.texts)
    lock.check(project)
    files.write(project.page, html.assemble(told, shown.glyphs, shown.pages))
    code = _code(told)
    made = freshness.outputs(project, [project.page])
    freshness.write(_record(project), Record(_inputs(project, code) | used, made, code))
    return Made(len(shown.pages), _values(told), time.monotonic() - start)


@contextmanager
def making(project: Project, *, beside: bool) -> Iterator[Callable[[], Made]]:
    """Give a function that does what `make` does; with `beside` the report is drawn while the block runs.

    To draw it takes longest, and needs no more than the published report.
    """
    if not beside:
        yield lambda: make(project)
        return
    with _drawing(project) as process:

        def made() -> Made:
            start = time.monotonic()
            # it leaves what it draws in the caches; what it could not draw fails here, with the reason
            process.wait()
            return replace(make(project), seconds=time.monotonic() - start)

        yield made


@contextmanager
def _drawing(project: Project) -> Iterator[subprocess.Popen[bytes]]:
    """Give a process that draws the report: a thread would take turns with the build, and slow both down."""
    import subprocess

    arguments = [
        str(project.root),
        str(project.generated),
        project.job,
        *(["--quick"] if project.quick else []),
    ]
    path = os.pathsep.join(filter(None, [str(ENGINE.parent), os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", __package__, *arguments],  # no file of the current folder is a module
        env=os.environ | {"PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)  # what it has begun it clears away
        process.wait()


def _code(told: dict[str, Any]) -> tuple[str, ...]:
    """Return the files whose code the page shows."""
    return tuple(sorted({code["file"] for code in told["code"].values()}))


def _values(told: dict[str, Any]) -> int:
    """Return how many printed values can be asked for on the pages."""
    return sum(thing["kind"] == "value" and bool(thing["at"]) for thing in told["things"])

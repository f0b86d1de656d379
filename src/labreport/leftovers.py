"""What lies in the build folder although nothing refers to it any more: found here, removed by `build.clean`.
What killed builds have left half done each build removes before it begins.

The kinds are a table. Each looks at one place below the project's build folder and yields what nobody will
use again; what is in doubt stays. A folder that is a symbolic link leads somewhere else and is not entered; a
leftover that is one goes alone, and what it points to stays.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from labreport import scratch, unchanged
from labreport.config import JOB
from labreport.documents import notebooks, processes
from labreport.project import DOCUMENTS
from labreport.results import files, freshness, store, variants

if TYPE_CHECKING:
    from labreport.project import Project


PRODUCTS = (".pdf", ".html", "-annotated.pdf")
"""The ends of what is made of a document beside its sources and records."""


@dataclass(frozen=True)
class Leftover:
    """Something that nothing refers to: its path, what it is, and its size in bytes."""

    path: Path
    what: str
    size: int


def leftovers(project: Project) -> list[Leftover]:
    """Return what nothing in the build folder refers to, by kind and path."""
    found: dict[Path, str] = {}
    for kind in KINDS:
        for path, what in sorted(kind(project)):
            if not any(above in found for above in (path, *path.parents)):
                found[path] = what
    return [Leftover(path, what, files.size(path)) for path, what in found.items()]


def remove(leftover: Leftover) -> None:
    """Remove a leftover; a symbolic link is removed, not followed."""
    path = leftover.path
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sweep(project: Project) -> None:
    """Remove what killed builds have left half done, and put back what they have moved away.

    The caller holds the lock of the build folder.
    """
    for folder in _half_done(project):
        for path in files.temporaries(folder):
            processes.end_leftovers(path)
        files.sweep(folder)
    with unchanged.Unseen():  # there, everybody's files come and go
        scratch.sweep()


def _half_done(project: Project) -> Iterator[Path]:
    """Yield the folders in which a kill can leave something half done."""
    quick = replace(project, quick=True).build  # which has a lock of its own
    yield project.build
    yield from (folder for folder in files.folders(project.build) if folder != quick)
    yield project.build / "cache" / "notebooks"
    for each in project.documents:
        yield from (each.own, each.cache, each.cache / "page")
    for place in _by_experiment(project):
        yield from files.folders(place)
    for name in files.folders(project.store):
        yield from files.folders(name)


def _in(project: Project, folder: Path) -> list[Path]:
    """Return what lies in a folder; nothing if it does not exist, or a link on the way leads elsewhere."""
    build = project.build
    stays_inside = folder.resolve() == build.resolve() / folder.relative_to(build)
    return list(folder.iterdir()) if stays_inside and folder.is_dir() else []


def _is_temporary(path: Path) -> bool:
    return path.name.startswith(files.TEMPORARY)


# ------------------------------------------------------------------------------------------------------ kinds

Found = Iterator[tuple[Path, str]]


def _by_experiment(project: Project) -> dict[Path, str]:
    """Return the folders that hold a folder for each experiment, with words for what lies in it."""
    return {
        project.results: "a result",
        project.checkpoints: "what a killed run left",
        project.cells: "items of lab.map",
        project.store: "older results",
    }


def _of_deleted_experiments(project: Project) -> Found:
    names = set(variants.names(project))
    for place, what in _by_experiment(project).items():
        for path in _in(project, place):
            is_one = path.is_dir() and not _is_temporary(path)
            if path.name not in names and (is_one or path.is_symlink()):
                yield path, f"{what} of an experiment that does not exist"


def _damaged_entries(project: Project) -> Found:
    for phase in [phase for name in _in(project, project.store) for phase in _in(project, name)]:
        for entry in _in(project, phase):
            if not _is_temporary(entry) and (entry.is_symlink() or store.is_damaged(entry)):
                yield entry, "a damaged entry of the store"


def _logs(project: Project) -> Found:
    kept = {
        "forkserver.log",
        *(path.name for each in project.documents for path in (each.latex_log, each.failed_log)),
        "verify.log",
        "watch.log",
        "watch-build.log",
    }
    kept |= {f"{name}{end}.log" for name in variants.names(project) for end in ("", ".draw")}
    kept |= {f"notebook-{name}.log" for name in notebooks.names(project)}
    for path in _in(project, project.log):
        if path.suffix == ".log" and path.name not in kept:
            yield path, "the log of an experiment or notebook that does not exist"


def _notebooks(project: Project) -> Found:
    names = notebooks.names(project)
    records = project.build / "cache" / "notebooks"
    for folder, suffix, what in (
        (project.notebooks, ".ipynb", "a notebook that has no template"),
        (records, ".json", "the record of a notebook that has no template"),
    ):
        for path in _in(project, folder):
            name = path.stem.removesuffix(".provenance").removesuffix(".rendered")
            if path.suffix == suffix and name not in names and not _is_temporary(path):
                yield path, what


def _documents(project: Project) -> Found:
    """Yield what is left of documents that are gone from report.toml, or of the only one before several."""
    jobs = project.config.templates
    only = replace(project, job=JOB, config=replace(project.config, documents=()))
    gone = [*_in(project, project.build / DOCUMENTS), *_in(project, project.build / "cache" / DOCUMENTS)]
    gone = [path for path in gone if path.name not in jobs]
    found = [
        *gone,
        *(each for path in gone for each in (project.build / f"{path.name}{end}" for end in PRODUCTS)),
    ]
    if project.config.documents:
        found += [only.latex, only.provenance, only.state, only.previous]
        found += [project.build / f"{JOB}{end}" for end in PRODUCTS if JOB not in jobs]
    yield from (
        (path, "what is left of a document that report.toml does not name") for path in found if path.exists()
    )


def _latex(project: Project) -> Found:
    for each in project.documents:
        yield from _latex_of(each)


def _latex_of(project: Project) -> Found:
    record = freshness.read(project.state)
    if record is None:  # nobody knows what was published
        return
    published = {project.build / name for name in record.outputs}
    above = {folder for path in published for folder in path.parents}
    folders = [folder for folder in above if project.latex in (folder, *folder.parents)]
    for path in [path for folder in folders for path in _in(project, folder)]:
        if path not in published and path not in folders:
            yield path, "not one of the published LaTeX sources"


def _temporaries(project: Project) -> Found:
    inside = (path for place in _half_done(project) for path in _in(project, place))
    for path in inside:
        # what a kill moved away the next build puts back
        if path.name.startswith(files.SCRATCH) or (_is_temporary(path) and not files.is_put_back(path)):
            yield path, "what a killed build left half done"


KINDS: tuple[Callable[[Project], Found], ...] = (
    _of_deleted_experiments,
    _damaged_entries,
    _logs,
    _notebooks,
    _documents,
    _latex,
    _temporaries,
)
"""What can be left over; each kind yields paths below the build folder, and what they are."""

"""Where the reports of a comparison come from: a revision of git, a folder, a zip, a fresh rendering.

Nothing is written outside a scratch folder of this project: the other folder, the zip and the repository stay
as they are. What is not published somewhere is rendered by this labreport, from the results that are there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from labreport import project as projects
from labreport import results
from labreport.config import CONFIG
from labreport.documents import report
from labreport.errors import LabreportError, ToolError, UsageError, did_you_mean
from labreport.explain.snapshot import Snapshot, published
from labreport.results import files

if TYPE_CHECKING:
    from labreport.project import Project

Make = Callable[["Project"], None]
"""Runs the experiments of a project that are out of date."""

LARGEST = 4 * 1024**3
"""The most bytes that a zip may unpack to."""

REUSED = ("results", "store", "cells")
"""What a build of another revision may take over from here, as far as it is fresh there."""


@contextmanager
def scratch(project: Project) -> Iterator[Path]:
    """Give a fresh folder inside build/, removed at the end; the next build removes what a kill leaves."""
    project.own.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{files.SCRATCH}diff-", dir=project.own))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def rendered(project: Project, name: str, folder: Path) -> Snapshot:
    """Return the report as its results and templates are; `folder` is a new one for its sources.

    Raises what rendering raises.
    """
    # what somebody else's folder keeps is code that would run outside the sandbox; nor is it ours to write in
    document = report.render(project, keep=False)
    report.write_sources(project, document, folder)
    # as it would be read back: JSON knows no tuples
    record = json.loads(json.dumps(report.recorded(project, document)))
    return Snapshot(name, record, document.text, folder, job=project.job)


def find(project: Project, other: str, folder: Path, make: Make) -> Snapshot:
    """Return the report that `other` names: a zip, a folder, or else a revision; `folder` is an empty one.

    `make` runs the experiments of a revision whose results are not in git.

    Raises
    ------
    UsageError
        There is no such file, folder or revision, or no project in it.
    ToolError
        git is missing.
    LabreportError
        The other report cannot be built or rendered, for the reasons that it would have alone.

    """
    path = Path(other)
    try:
        if path.is_file():
            return _of_zip(project, path, other, folder)
        if other and path.is_dir():  # an empty text, as of an unset variable, is no folder
            return _of_folder(project, path, other, folder)
        return _of_revision(project, other, folder, make)
    except UsageError:
        raise
    except LabreportError as error:
        # a place without this would be looked for in the present project
        error.notes = (f"this is the report of {other}, not the one here", *error.notes)
        raise


# ------------------------------------------------------------------------------------------ a folder or a zip


def _of_folder(project: Project, path: Path, other: str, folder: Path) -> Snapshot:
    """Return the report in a folder: a project, an unpacked hand-in, or one that is still packed."""
    for root in (path, path / "code"):
        if (root / CONFIG).is_file():
            return _of_project(_same(project, projects.load(root), other), f"the folder {other}", folder)
    if (path / "code.zip").is_file():
        return _of_zip(project, path / "code.zip", f"{other.rstrip(os.sep)}/code.zip", folder)
    raise UsageError(
        f"the folder {other} holds no report: neither {CONFIG} nor code.zip is in it",
        cure="name a project, an unpacked hand-in, a zip or a revision",
    )


def _of_project(project: Project, name: str, folder: Path) -> Snapshot:
    found = published(project)
    if found is not None and found.record.get("background"):
        return Snapshot(f"the published report of {name}", found.record, found.text, found.sources)
    return rendered(project, f"the report of {name}, rendered from its results", folder / "latex")


def _of_zip(project: Project, path: Path, other: str, folder: Path) -> Snapshot:
    unpacked = folder / "zip"
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
            if size > LARGEST:
                raise UsageError(f"{other} unpacks to {size:,} bytes", cure="name the zip of a hand-in")
            packed.extractall(unpacked)  # it keeps all names below the folder, and makes no links
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise UsageError(f"{other} is not a zip that can be read: {error}", cure="name another") from error
    found = sorted(unpacked.rglob(CONFIG), key=lambda config: (len(config.parts), config))
    if not found:
        raise UsageError(f"{other} holds no report: no {CONFIG} is in it", cure="name the zip of a hand-in")
    return _of_project(_same(project, projects.load(found[0].parent), other), f"the zip {other}", folder)


def _same(project: Project, loaded: Project, other: str) -> Project:
    """Return another project as the document of this name sees it; its main one for our main one."""
    found = {each.job: each for each in loaded.documents}
    if project.job in found or project.job == project.documents[0].job:
        return found.get(project.job, loaded)
    raise UsageError(f"{other} has no document {project.job!r}", cure=did_you_mean(project.job, found))


# ------------------------------------------------------------------------------------------------- a revision


def _of_revision(project: Project, revision: str, folder: Path, make: Make) -> Snapshot:
    """Return the report of a revision: by its committed or packed results, else built in a scratch folder."""
    commit = _commit(project, revision)
    name = f"revision {revision} ({commit[:10]})"
    root = _checked_out(project, commit, folder)
    if not (root / CONFIG).is_file():
        raise UsageError(f"{name} holds no project: it has no {CONFIG}", cure="name a later revision")
    other = _same(project, projects.load(root), name)
    if _has_results(other):
        return rendered(other, f"{name}, with its committed results", folder / "latex")
    if (other.submission / "code.zip").is_file():
        return _of_zip(project, other.submission / "code.zip", f"code.zip of {name}", folder)
    _lend(project, other)
    make(other)
    return rendered(other, f"{name}, built again", folder / "latex")


def _commit(project: Project, revision: str) -> str:
    """Return the commit that a revision names; UsageError if it names none."""
    # the name is the user's: what follows the marker is never an option
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    done = _git(project, *asked)
    if done.returncode == 0:
        return done.stdout.decode().strip()
    said = done.stderr.decode(errors="replace").strip()
    lists = "`git log --oneline` lists revisions; " if is_in_git(project) else ""
    raise UsageError(
        f"{revision!r} is neither a file nor a folder nor a revision of git" + (f": {said}" if said else ""),
        cure=f"{lists}name a folder or a zip by its path",
    )


def is_in_git(project: Project) -> bool:
    """Return whether a project lies in a repository, so that a revision of it may be named."""
    return any((folder / ".git").exists() for folder in (project.root, *project.root.parents))


def _checked_out(project: Project, commit: str, folder: Path) -> Path:
    """Write the files of a commit into a folder and return that of the project.

    An index of its own does it: the repository, its index and its list of worktrees stay as they are, and
    nothing is left in them by a kill.
    """
    prefix = _git(project, "rev-parse", "--show-prefix").stdout.decode().rstrip("\n")
    tree, index = folder / "tree", folder / "index"
    for command in (
        ("read-tree", commit),
        ("checkout-index", "--all", "--quiet", f"--prefix={tree}{os.sep}"),
    ):
        done = _git(project, *command, index=index)
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()
            raise UsageError(f"git cannot check out {commit[:10]}: {said}", cure="look at the repository")
    return tree / prefix


def _git(project: Project, *arguments: str, index: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    if shutil.which("git") is None:
        raise ToolError("a revision needs git: not found on the PATH", cure="install git")
    # variables of git that a hook or a script has set would lead to another repository
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_INDEX_FILE": str(index)} if index is not None else {}
    top = ("-C", str(project.root))
    if index is not None:  # checkout-index takes only what lies below the current folder
        found = _git(project, "rev-parse", "--show-toplevel").stdout.decode().rstrip("\n")
        top = ("-C", found)
    return subprocess.run(["git", *top, *arguments], env=environment, capture_output=True, check=False)


def _has_results(project: Project) -> bool:
    """Return whether there is a result of each experiment that the record of its run vouches for."""
    names = results.variants.names(project)
    return all(not isinstance(results.recorded_run(project, name), str) for name in names)


def _lend(project: Project, other: Project) -> None:
    """Copy results, older results and cells: what is fresh in the other project runs there no more."""
    for name in REUSED:
        source, target = project.build / name, other.build / name
        if source.is_dir() and not target.exists():
            shutil.copytree(source, target, symlinks=True)

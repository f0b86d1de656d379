"""The files of a project as they are, and which of them have changed.

What the system tells of changes is only a reason to look: which file is another one is decided by its
contents. So an edit that leaves a file as it was is none, and none is lost in a burst of thousands.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from labreport.project import ENGINE
from labreport.results import observed, recorded_drawing, recorded_run, variants

if TYPE_CHECKING:
    from labreport.project import Project

LARGE = 1 << 20
"""Bytes; a larger file counts as another one after each write, whatever was written."""
TICK_NS = 20_000_000
"""More than the clock of a file system ticks: a file changed twice within it may show the first time only."""

_NOISE = re.compile(
    r"\..*|.*~|#.*#|4913|.*\.(?:py[co]|sw[a-z]|tmp|bak|kate-swp|crdownload|part)|.*___jb_\w+___"
)
"""Matches the names of what editors, Python and the system leave beside the files that a person edits.

4913 is the file by which Vim tries whether it may write into a folder.
"""
_NO_SOURCES = ("__pycache__", "node_modules", "site-packages")
_INSTALLED = ("pyvenv.cfg", "conda-meta")
"""What an environment of Python holds at its top, whatever its name is."""

_Token = tuple[int, ...]


def is_source(path: str) -> bool:
    """Return whether a file is of a kind that a person edits, and no program writes while it runs."""
    return path.endswith((".py", ".j2", ".tex", ".bib", ".toml", ".sty", ".cls", ".mplstyle"))


def is_noise(name: str) -> bool:
    """Return whether a file or folder of this name is none that a person edits."""
    return _NOISE.fullmatch(name) is not None or name in _NO_SOURCES


class Snapshot:
    """The contents of a project's files at the last look, and the folders to watch for changes of them."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.inputs: frozenset[str] = frozenset()
        self.folders: frozenset[str] = frozenset()
        self._digests: dict[str, str] = {}
        self._tokens: dict[str, _Token] = {}
        self.learn()
        self.look()

    def look(self) -> frozenset[str]:
        """Return the paths of the files that came, went or have other contents since the last look."""
        folders: set[str] = set()
        before, self._digests = self._digests, {}
        for path in dict.fromkeys(self._files(folders)):  # an input of an experiment may be found twice
            if (digest := self._digest(path, before.get(path))) is not None:
                self._digests[path] = digest
        self.folders = frozenset(folder for folder in folders if os.access(folder, os.R_OK))
        return frozenset(
            path
            for path in before.keys() | self._digests.keys()
            if before.get(path) != self._digests.get(path)
        )

    def learn(self) -> None:
        """Take in which files the experiments were seen to read: those count wherever they lie.

        The next look finds those that are new: they may have changed since they were read.
        """
        self.inputs = frozenset(_inputs(self.project))

    def _digest(self, path: str, known: str | None) -> str | None:
        """Return what tells a file's contents from others; None without the file."""
        start = time.time_ns()
        try:
            found = os.stat(path)  # noqa: PTH116 -- of each file, after each burst of changes
        except OSError:
            self._tokens.pop(path, None)
            return None
        token = found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
        if known is not None and self._tokens.get(path) == token:
            return known
        # what has only just changed may change once more and show the same times: look again the next time
        self._tokens[path] = token if found.st_ctime_ns < start - TICK_NS else ()
        return observed.file(path) if found.st_size <= LARGE else str(token)

    # --------------------------------------------------------------------------------------------- the files

    def _files(self, folders: set[str]) -> Iterator[str]:
        """Yield all files that may count, and add the folders whose changes may tell of them."""
        project = self.project
        roots = dict.fromkeys(map(os.path.realpath, (project.root, *project.source_roots, ENGINE)))
        for root in roots:
            yield from self._below(root, folders)
        for path in self.inputs:
            folders.add(_existing(Path(path).parent))
            folders.add(_existing(Path(os.path.realpath(path)).parent))
            yield path

    def _below(self, folder: str, folders: set[str]) -> Iterator[str]:
        real = os.path.realpath(folder)
        if real in folders:  # a link that leads in a circle, or a root below another
            return
        try:
            entries = list(os.scandir(folder))
        except OSError:  # it has just gone, or is nobody's business
            return
        if any(entry.name in _INSTALLED for entry in entries):
            return
        folders.add(real)
        for entry in entries:
            if is_noise(entry.name) or entry.path == str(self.project.root / "build"):
                continue
            if entry.is_dir():
                yield from self._below(entry.path, folders)
                continue
            if entry.is_symlink():  # an edit of its target shows in the folder of the target
                folders.add(_existing(Path(os.path.realpath(entry.path)).parent))
            yield entry.path


def _existing(folder: Path) -> str:
    """Return a folder, or the nearest one above that exists: there it will appear."""
    return str(next(above for above in (folder, *folder.parents) if above.is_dir()))


def _inputs(project: Project) -> Iterator[str]:
    """Yield the files outside the build folder that the experiments read last time."""
    for name in variants.names(project):
        for recorded in (recorded_run(project, name), recorded_drawing(project, name)):
            files = () if isinstance(recorded, str) else recorded.fingerprint.named("file")
            for file in files:
                path = os.path.normpath(f"{project.root}/{observed.read_back(file)}")
                if not path.startswith(f"{project.build}/"):
                    yield path

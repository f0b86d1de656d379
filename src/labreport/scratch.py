"""Folders among the system's temporary files, which tell by a lock whether somebody still works in them.

A killed build leaves its folder there; each later one removes those that nobody uses any more.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PREFIX = "labreport-scratch-"
MARK = ".in-use"
"""The file that tells such a folder from a user's own of a similar name; who works there holds it locked."""


@contextmanager
def folder() -> Iterator[Path]:
    """Give a new folder, which is removed in the end unless it was to be kept."""
    path, mark = _marked()
    with mark:
        try:
            yield path
        finally:
            if (path / MARK).exists():
                shutil.rmtree(path, ignore_errors=True)


def _marked() -> tuple[Path, BinaryIO]:
    """Return a new folder and its locked mark; another one if the first was swept before it was locked."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
        with contextlib.suppress(FileNotFoundError), contextlib.ExitStack() as undo:
            undo.callback(shutil.rmtree, path, ignore_errors=True)
            mark = undo.enter_context((path / MARK).open("xb"))
            fcntl.flock(mark, fcntl.LOCK_EX)
            if os.fstat(mark.fileno()).st_nlink:
                undo.pop_all()
                return path, mark


def keep(path: Path) -> None:
    """Keep a folder for the user; the caller prints where it is."""
    (path / MARK).unlink()


def places() -> list[Path]:
    """Return the folders of the system's temporary files; the first that exists is usually the one in use.

    `tempfile.gettempdir` writes a file to see whether it can, and ends in an error on a full disk.
    """
    named = (os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    return [Path(place) for place in dict.fromkeys((*filter(None, named), "/tmp", "/var/tmp"))]


def sweep() -> None:
    """Remove the folders of builds that were killed."""
    for path in (path for place in places() for path in place.glob(f"{PREFIX}*")):
        with contextlib.suppress(OSError):  # somebody works in it, or has just removed it
            if path.lstat().st_uid != os.getuid() or path.is_symlink():
                continue
            if not (path / MARK).exists():
                path.rmdir()  # killed before it was marked; what is not empty is no longer a build's
                continue
            with (path / MARK).open("rb") as mark:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)

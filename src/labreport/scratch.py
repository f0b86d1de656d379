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

PREFIX = "labreport-"
MARK = ".in-use"
"""The file that tells such a folder from a user's own of a similar name; who works there holds it locked."""


@contextmanager
def folder() -> Iterator[Path]:
    """Give a new folder, which is removed in the end unless it was to be kept."""
    path = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    try:
        with (path / f"{MARK}-soon").open("wb") as mark:
            fcntl.flock(mark, fcntl.LOCK_EX)
            (path / f"{MARK}-soon").rename(path / MARK)  # nobody finds it before it is locked
            yield path
    finally:
        if list(path.glob(f"{MARK}*")):
            shutil.rmtree(path, ignore_errors=True)


def keep(path: Path) -> None:
    """Keep a folder for the user; the caller prints where it is."""
    (path / MARK).unlink()


def sweep() -> None:
    """Remove the folders of builds that were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody works in it, or has just removed it
            if path.lstat().st_uid != os.getuid() or path.is_symlink():
                continue
            with (path / MARK).open("rb") as mark:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)

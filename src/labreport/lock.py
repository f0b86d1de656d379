"""The lock of a build folder: one build at a time holds it, and its file tells the others who that is."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from labreport.errors import BusyError, ToolError, visible

if TYPE_CHECKING:
    from labreport.project import Project

PATIENCE = 0.2
"""Seconds: one who only looks whether there is anything to do holds the lock, too, but for milliseconds."""

MOST_COMMAND = 200
"""The number of characters of a command that others are told."""

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)

_held: dict[Path, tuple[int, int]] = {}
"""The lock files that this process holds, or that the build holds to which it belongs: device and inode."""


@contextmanager
def hold(project: Project) -> Iterator[None]:
    """Hold the lock of the project's build folder.

    Raises
    ------
    BusyError
        Another process holds it, at once; or the file was removed while this one held it.
    ToolError
        The file system has no locks.

    """
    project.build.mkdir(parents=True, exist_ok=True)
    with project.lock.open("a+", encoding="utf-8", errors="replace") as file:
        _take(project, file)
        _held[project.lock] = _identity(os.fstat(file.fileno()))
        try:
            check(project)  # it may have been removed before it was locked
            _write_owner(file)
            yield
        except Exception as error:
            # what fails may fail because another build has swept, or published, in the same folder
            _check(project, error)
            raise
        finally:
            del _held[project.lock]


def check(project: Project) -> None:
    """Do nothing as long as the lock holds that this build has; call this before anything is published.

    Raises BusyError if its file was removed or replaced, so that another build may have begun. A process that
    belongs to no build has nothing to check.
    """
    _check(project, None)


def join(project: Project) -> None:
    """Let `check` look in this process, too, which works for the build that holds the lock."""
    with contextlib.suppress(OSError):  # there is no build, as in a trial of a part of one
        _held[project.lock] = _identity(project.lock.stat())


def owner(path: Path) -> str | None:
    """Return who holds a lock: process, host, since when, and its command; None if nobody does."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return visible(file.read().strip()) or "another process"
    except OSError:  # there was no build yet, or the file system has no locks
        return None
    return None


def wait(path: Path) -> None:
    """Return once nobody holds a lock."""
    # removed, it is nobody's any more: whoever wants it makes another one
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)


def _take(project: Project, file: TextIO) -> None:
    """Lock a file; BusyError if another process keeps it locked, ToolError if the file system cannot."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            # a lock of the system's goes with its process: a killed build leaves nothing to clear away
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() < until:
                time.sleep(PATIENCE / 10)
                continue
            file.seek(0)
            told = visible(file.read().strip()) or "another process"
            raise BusyError(
                f"another build works in {project.shown(project.build)}: {told}",
                cure="wait until it has ended, as --wait does, or end it",
                lock=project.lock,
            ) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            raise ToolError(
                f"the file system of {project.build} has no locks: two builds would not see each other",
                cure="keep the project on a disk of this machine, or mount the other one with locks",
            ) from error


def _write_owner(file: TextIO) -> None:
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    command = visible(shlex.join(sys.orig_argv))
    command = command if len(command) <= MOST_COMMAND else f"{command[: MOST_COMMAND - 1]}…"
    file.seek(0)
    file.truncate()
    file.write(f"process {os.getpid()} on {os.uname().nodename}, since {since}: {command}")
    file.flush()


def _check(project: Project, cause: Exception | None) -> None:
    held = _held.get(project.lock)
    if held is None:
        return
    with contextlib.suppress(FileNotFoundError):
        if _identity(project.lock.stat()) == held:
            return
    raise BusyError(
        f"{project.shown(project.lock)} was removed while this build held it: "
        "another build may have begun, so this one publishes nothing more",
        cure="build again when no other build is at work",
        lock=project.lock,
    ) from cause


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino

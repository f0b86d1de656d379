"""Files that are at any time the old ones or the new ones, never half of either."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from hashlib import sha256
from pathlib import Path

from labreport.errors import is_full

_SMALL = 1 << 16
TEMPORARY = ".tmp-"
SCRATCH = ".scratch-"
_OLD = f"{TEMPORARY}old-"


def checksum(data: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal."""
    return sha256(data).hexdigest()


_RACY_NS = 2_000_000_000  # more than the clock of any usual file system ticks
_digests: dict[str, tuple[str, str]] = {}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, which this process reads again only if it may have changed.

    Raises OSError if it cannot be read.
    """
    name = os.fspath(path)
    found = os.stat(name)  # noqa: PTH116 -- a thousand of these must not be felt
    if not stat.S_ISREG(found.st_mode):  # a pipe would keep us waiting
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    then = token(found)
    known = _digests.get(name)
    if known is None or not then or known[0] != then:
        known = _digests[name] = then, checksum(path.read_bytes())
    return known[1]


def token(found: os.stat_result) -> str:
    """Return a text that is another one after any change of a file's bytes; empty where none can be given.

    Unlike the time of modification, the time of change cannot be set: each write sets it to the clock, and a
    write within the same tick of the clock is ruled out by the age of the file.
    """
    if time.time_ns() - max(found.st_ctime_ns, found.st_mtime_ns) < _RACY_NS:
        return ""
    return f"{found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, with the rights that the umask gives."""
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), 0o666 & ~_umask())  # mkstemp lets nobody else read it
            os.fsync(file.fileno())  # the name must not reach the disk before the bytes do
        os.replace(temporary, path)  # noqa: PTH105 -- a path of tempfile is a text
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)  # noqa: PTH108
        raise
    sync(path.parent)


def stage(folder: Path) -> Path:
    """Return a new temporary folder in a folder; `sweep` removes it if it is left over."""
    import tempfile

    folder.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=folder))


def replace_folder(target: Path, staged: Path) -> None:
    """Replace a folder by a staged one of finished files.

    There is always one of them, but on file systems that cannot exchange two names: there a kill between two
    renames leaves none, and `sweep` puts the old one back.
    """
    import shutil

    for path in staged.iterdir():
        sync(path)
    staged.chmod(0o777 & ~_umask())
    if _exchange(staged, target):
        try:
            sync(target.parent)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        return
    old = target.parent / f"{_OLD}{target.name}"
    shutil.rmtree(old, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):  # a folder cannot be renamed onto one that holds files
        target.rename(old)
    try:
        staged.rename(target)
    except OSError:  # what was there stays
        with contextlib.suppress(OSError):
            old.rename(target)
        raise
    try:
        sync(target.parent)
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Let two files or folders change places at once; return False where one is missing, or it cannot be."""
    import ctypes

    here, exchange = -100, 2  # AT_FDCWD of <fcntl.h>, RENAME_EXCHANGE of <linux/fs.h>
    try:
        renameat2 = ctypes.CDLL(None).renameat2
    except AttributeError:  # a C library without it
        return False
    return bool(renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)


def discard(path: Path) -> None:
    """Remove a file or folder at once, as others see it: what a kill leaves of it, `sweep` removes."""
    import shutil

    staged = stage(path.parent)
    path.rename(staged / path.name)
    shutil.rmtree(staged, ignore_errors=True)


def folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, also those that links lead to; none if it does not exist."""
    try:
        with os.scandir(folder) as entries:
            return sorted(folder / entry.name for entry in entries if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def temporaries(folder: Path) -> list[Path]:
    """Return what processes that write in a folder have not finished, or have left there when killed."""
    try:
        return sorted(path for path in folder.iterdir() if path.name.startswith((TEMPORARY, SCRATCH)))
    except (FileNotFoundError, NotADirectoryError):
        return []


def sweep(folder: Path) -> None:
    """Remove what killed processes have left in a folder, and put back what they have moved away."""
    import shutil

    for path in temporaries(folder):
        if is_put_back(path):
            path.rename(folder / path.name.removeprefix(_OLD))
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def is_put_back(path: Path) -> bool:
    """Return whether `sweep` would put a leftover back in its place instead of removing it."""
    return path.name.startswith(_OLD) and not (path.parent / path.name.removeprefix(_OLD)).exists()


def has_space(folder: Path) -> bool:
    """Return whether a small file can still be written in a folder."""
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_SMALL))
            file.flush()
    except OSError as error:
        return not is_full(error)
    return True


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder; symbolic links count as nothing."""
    if path.is_symlink():
        return 0
    if path.is_dir():
        return sum(map(size, path.iterdir()))
    return path.stat().st_size


def sync(path: Path) -> None:
    """Make the system write a file, or the entries of a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0o022)  # the only way to read it is to set it
    os.umask(mask)
    return mask

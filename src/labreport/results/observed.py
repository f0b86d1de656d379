"""What a run was seen to read, as it is now: files, listings of folders, variables, programs.

A digest says what can be read, and has a value of its own for what is not there: what a run looked for in
vain changes its result when it appears.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from labreport import surroundings
from labreport.results.files import checksum, token

Remember = Callable[[str, Callable[[], Any]], Any]
"""A function that returns the fact of a key, and makes it if it is not known; see `Cache.remember`."""

ABSENT = "absent"
UNSET = "unset"
EVERY = "*"
"""The name of the part that stands for all variables together."""
OTHER = "not a file"

_LARGE = 1 << 20  # bytes: what is shorter is digested faster than it is looked up
_PLAIN = re.compile(r"[\w.,:+-]{0,16}", re.ASCII)  # neither a path of this machine nor a key is so short
_SESSION = re.compile(
    "_$|PWD|OLDPWD|SHLVL|TERM|COLUMNS|LINES|SSH_|XDG_|DBUS_|DISPLAY|WINDOWID|TMUX|STY|PYTHONPATH|MAKE|MFLAGS"
)
"""Variables that another window or another folder changes; together with all, they do not count."""

_NOT_LISTED = ("__pycache__", "build")


def file(path: str | Path, remember: Remember | None = None) -> str:
    """Return the digest of a file's bytes; `ABSENT`, or another word, if there is no file to read.

    With `remember` the digest of a large file is kept under what `token` returns.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would keep us waiting
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except OSError as error:
        return f"unreadable: {error.strerror}"
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            return OTHER
        if found.st_size <= _LARGE:  # ten thousand of these must not be felt
            return hashlib.sha256(os.read(handle, found.st_size + 1)).hexdigest()
        key = token(found) if remember else ""
        return str(remember(f"file {key}", lambda: _digest(handle))) if remember and key else _digest(handle)
    finally:
        os.close(handle)


def _digest(handle: int) -> str:
    with open(handle, "rb", closefd=False) as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def is_token(path: str | Path, known: str) -> bool:
    """Return whether a file has not changed since `token` returned this text."""
    try:
        return token(os.stat(path)) == known  # noqa: PTH116 -- half the time
    except OSError:
        return False


def folder(path: Path) -> str:
    """Return the digest of the names in a folder, hidden and generated ones left out; `ABSENT` if none."""
    try:
        with os.scandir(path) as entries:
            names = [entry.name + ("/" if entry.is_dir() else "") for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except OSError as error:
        return f"unreadable: {error.strerror}"
    listed = sorted(n for n in names if not n.startswith(".") and n.rstrip("/") not in _NOT_LISTED)
    return _hash("\n".join(listed))


def variable(name: str, environment: Mapping[str, str]) -> str:
    """Return the value of an environment variable as records hold it: itself if it is short, else a digest.

    Of what may be a secret the digest is too short to find the value by trying, and long enough to notice
    another one.
    """
    if name == EVERY:
        counted = [key for key in sorted(environment) if not _SESSION.match(key)]
        return f"digest {_hash(chr(10).join(f'{key}={environment[key]}' for key in counted))[:16]}"
    value = environment.get(name)
    if value is None:
        return UNSET
    if surroundings.is_private(name):
        return f"hidden {_hash(value)[:8]}"
    if _PLAIN.fullmatch(value):
        return json.dumps(value)
    return f"digest {_hash(value)[:16]}"


def _hash(text: str) -> str:
    return checksum(text.encode("utf-8", "surrogateescape"))


def program(name: str, remember: Remember | None = None) -> str:
    """Return the digest of a program's file, looked for on PATH if its name is without a folder."""
    import shutil

    path = shutil.which(os.path.expanduser(name))  # noqa: PTH111 -- a name on PATH is not a path
    return ABSENT if path is None else file(Path(path), remember)


def written(path: str) -> str:
    r"""Return a path as a name in a record: bytes that are not text are written as `\xNN`."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def read_back(name: str) -> str:
    """Return the path that a record names."""
    return re.sub(r"\\x([89a-f][0-9a-f])", lambda found: chr(0xDC00 + int(found[1], 16)), name)

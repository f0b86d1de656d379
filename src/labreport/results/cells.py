"""Finished cells of an experiment's `lab.map`, kept one by one under their keys.

A cell is one item's value. Its key is the digest of all that was known before it was computed: the code of
the function, the values that it holds, the item, the seed. What was seen only while it was computed (which
parameters, results and files it read) is recorded beside the value: a cell is right if that, too, is as it
was. Each experiment has a database of its own; a transaction is whole or not there, however a run ends.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sqlite3
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from labreport.results.fingerprint import Fingerprint

_TABLE = """
create table if not exists cells (
    key text not null, seen text not null, value blob not null, sha256 text not null, used real not null,
    primary key (key, seen)
) without rowid
"""

_ERRORS = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_BUSY: errno.EBUSY,
    sqlite3.SQLITE_IOERR: errno.EIO,
}
"""What the system refuses SQLite, by the kinds of its errors: the others say that the database is damaged, or
that another version has made it."""

Check = Callable[[Fingerprint], bool]


class Cells:
    """The cells of one experiment, in a database that is made when the first of them is kept."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._used: list[tuple[float, str, str]] = []

    def __enter__(self) -> Cells:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._note_used()
            self._connection.close()
            self._connection = None

    def find(self, key: str, is_now: Check) -> tuple[bytes, Fingerprint] | None:
        """Return the value kept under a key and what was seen with it, if `is_now` says that it is so now.

        A value that is not what was kept is forgotten.
        """
        if self._connection is None and not self.path.exists():
            return None
        rows = self._run("select seen, value, sha256 from cells where key = ?", key)
        for written, value, recorded in rows:
            seen = _seen(written) if _checksum(key, written, value) == recorded else None
            if seen is None:
                self._run("delete from cells where key = ? and seen = ?", key, written)
            elif is_now(seen):
                self._used.append((time.time(), key, written))
                return value, seen
        return None

    def keep(self, key: str, seen: Fingerprint, value: bytes) -> None:
        """Keep a value, whole or not at all."""
        written = json.dumps(seen.plain(), sort_keys=True)
        row = (key, written, value, _checksum(key, written, value), time.time())
        self._run("insert or replace into cells values (?, ?, ?, ?, ?)", *row)

    def prune(self, limit: int) -> None:
        """Forget the cells that have been unused for longest, until the rest is no larger than the limit."""
        if self._connection is None and not self.path.exists():
            return
        self._note_used()
        size = 0
        rows = self._run("select key, seen, length(value) from cells order by used desc")
        for key, seen, length in rows:
            size += length
            if size > limit:
                self._run("delete from cells where key = ? and seen = ?", key, seen)
        if size > limit:
            self._run("vacuum")

    def _note_used(self) -> None:
        """Write down when cells were last used: all at once, as each write alone costs more than a read."""
        used, self._used = self._used, []
        if used:
            with contextlib.suppress(sqlite3.DatabaseError):  # it only decides which are forgotten first
                connection = self._open()
                connection.execute("begin")
                connection.executemany("update cells set used = ? where key = ? and seen = ?", used)
                connection.execute("commit")

    def _run(self, statement: str, *values: Any) -> list[Any]:
        """Return the rows of a statement; a database that is damaged is made anew, empty."""
        try:
            return self._open().execute(statement, values).fetchall()
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", 0)
            number = _ERRORS.get(code & 0xFF)
            if number is not None and code != sqlite3.SQLITE_IOERR_SHORT_READ:
                raise OSError(number, os.strerror(number), str(self.path)) from error
            self._forget()
            return self._open().execute(statement, values).fetchall()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=60, isolation_level=None)
            self._connection = connection
            # a log beside the file: each cell costs one write, and no wait for the disk. A killed process
            # loses nothing; a power failure may lose the last cells, never the file
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")
            connection.execute(_TABLE)
        return self._connection

    def _forget(self) -> None:
        self._used.clear()
        self.__exit__()
        for path in (self.path, *(self.path.with_name(self.path.name + end) for end in ("-wal", "-shm"))):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()


def _checksum(key: str, seen: object, value: object) -> str:
    """Return the SHA-256 of a whole cell: what was seen decides whether its value is believed.

    In a database that is damaged both can be of any type.
    """
    data = value if isinstance(value, bytes) else repr(value).encode()
    return sha256(f"{key}\0{seen}\0".encode() + data).hexdigest()


def _seen(written: str) -> Fingerprint | None:
    """Return what is recorded beside a value; None if that is damaged."""
    try:
        return Fingerprint.parse(json.loads(written))
    except (ValueError, TypeError, RecursionError):
        return None

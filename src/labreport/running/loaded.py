"""Whether the code that this process has loaded is still that on the disk.

Under watch, builds and experiments are forked from processes that have imported labreport and libraries long
ago. A file that was edited or upgraded since then must not be served as it was, nor mixed with what is
imported afterwards.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping

from labreport.project import ENGINE
from labreport.results import files_in

TICK_NS = 20_000_000
"""More than the clock of a file system ticks: a file changed twice within it may show the first time only."""

Token = tuple[int, ...]


def _places() -> Iterator[str]:
    """Yield the files of all loaded modules and of labreport, and the folders that packages lie in."""
    yield from {file for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))}
    yield from map(str, files_in(ENGINE))
    yield from (folder for folder in sys.path if folder.endswith("-packages"))


def _token(place: str) -> Token:
    """Return what changes with every change of a file, or of the names in a folder; empty without it."""
    try:
        found = os.stat(place)  # noqa: PTH116 -- a thousand of these must not be felt
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def tokens() -> dict[str, Token]:
    """Return what tells a later change of the code that this process has loaded, or could load."""
    return {place: _token(place) for place in _places()}


def is_stale(known: Mapping[str, Token], since_ns: int) -> bool:
    """Return whether code changed since it was loaded by a process that was started after `since_ns`.

    `known` is what `tokens` returned when all was loaded.
    """
    now = {place: _token(place) for place in {*known, *map(str, files_in(ENGINE))}}
    if now != known:
        return True
    # what changed while it was being loaded may have been noted as it is, and loaded as it was
    return any(since_ns - TICK_NS <= token[-1] <= time.time_ns() for token in now.values() if token)

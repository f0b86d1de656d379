"""A build is ended before each of its operations on files: by SIGKILL or SIGTERM, with its group or not.

What must hold then, and after the next build, is said in `disk`; `kills` ends whole commands at random times.
"""

from __future__ import annotations

from collections.abc import Iterator

from torture import disk
from torture.trial import Trial


def trials(count: int, seed: int) -> Iterator[Trial]:
    """Try at most `count` of all endings, each operation with one of them before any with another one."""
    return disk.trials(count, seed, disk.ENDINGS)

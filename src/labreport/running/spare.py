"""A fork server that is ready before it is needed, and is used by one build after the other.

To import torch takes seconds, which each build would pay that runs or draws something. Under watch the
process that builds are forked from keeps such a server. A build inherits its pipes, and uses it if it is just
what the build would start itself; it gives it back with no call under way, or else the server is dropped:
what a killed build has started must not go on.
"""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from labreport.running.forkserver import ForkServer


@dataclass(frozen=True)
class Kind:
    """What a fork server is started with."""

    preload: tuple[str, ...]
    path: tuple[Path, ...]
    cwd: Path
    log: Path
    env: Mapping[str, str]

    def start(self) -> ForkServer:
        """Start one."""
        return ForkServer(preload=self.preload, path=self.path, cwd=self.cwd, log=self.log, env=self.env)


_spare: tuple[Kind, ForkServer] | None = None
_is_broken = False


def prepare(kind: Kind) -> None:
    """Keep a server of this kind ready, for the processes that are forked from this one."""
    global _spare
    if _spare is None:
        atexit.register(drop, None)
    elif _spare[0] == kind:
        return
    drop(None)
    _spare = kind, kind.start()


def drop(_: None) -> None:
    """End the server that is kept, and all that was started in it."""
    global _spare
    if _spare is not None:
        _spare[1].kill_all()
    _spare = None


def take(kind: Kind) -> ForkServer | None:
    """Return the server that was inherited, if it is of this kind and its code is that on the disk."""
    global _is_broken
    if _spare is None or _is_broken or _spare[0] != kind:
        return None
    _is_broken = True  # also if the question is interrupted: its answer would still come
    _is_broken = not _spare[1].is_fresh()
    return None if _is_broken else _spare[1]


def give_back(server: ForkServer) -> bool:
    """End what is under way in a server that was taken; return whether it was."""
    global _is_broken
    if _spare is None or server is not _spare[1]:
        return False
    _is_broken = not server.end_calls() or _is_broken
    return True


def is_intact() -> bool:
    """Return whether the next build may use the server that this one has inherited."""
    return not _is_broken

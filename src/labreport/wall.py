"""A wall around a program: it reads and writes only what it is given, and keeps to limits.

The kernel holds it (Landlock, since Linux 5.13), for the program and all that it starts; nobody can take it
down. Where the kernel has no Landlock a program runs without: `version` tells.

As a program of its own this file raises a wall, sets limits and becomes the program that it is given.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

NONE = "the kernel has no Landlock: nothing keeps TeX and notebooks from files that are not theirs"
"""The notice of a build without a wall."""

# <linux/landlock.h>; the numbers of the system calls are those of all architectures
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_READING = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_ALL = {1: (1 << 13) - 1, 2: 1 << 13, 3: _TRUNCATE}
"""The rights on files by the version that brought them: all of the first, move between folders, truncate."""
_TCP, _SCOPES = 0b11, 0b11  # bind and connect; abstract sockets and signals of others
_NO_NEW_PRIVILEGES = 38  # <linux/prctl.h>


@dataclass(frozen=True)
class Wall:
    """What a program may read and run, and what it may change; folders stand for all that is below them.

    Paths that do not exist are left out; /dev/null is everybody's.
    Without `network` it has no TCP, as far as the kernel can hold it.
    """

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    network: bool = False


@dataclass(frozen=True)
class Limits:
    """What each process may use: seconds of processor time, bytes of memory, bytes in one file."""

    cpu: int
    memory: int
    file: int

    def set(self, pid: int = 0) -> None:
        """Bound a process and those that it will start; by default this one. Stricter limits stay."""
        for kind, most, hard in (
            (resource.RLIMIT_FSIZE, self.file, self.file),
            # at the second one the kernel kills, which does not tell why
            (resource.RLIMIT_CPU, self.cpu, self.cpu + 5),
            # not RLIMIT_AS: libraries reserve more addresses than a machine has memory, and never use them
            (resource.RLIMIT_DATA, self.memory, self.memory),
        ):
            # it may have ended already
            with suppress(ProcessLookupError, PermissionError, ValueError):
                stricter = resource.prlimit(pid, kind)[1]
                limits = [n if stricter == resource.RLIM_INFINITY else min(n, stricter) for n in (most, hard)]
                resource.prlimit(pid, kind, (limits[0], limits[1]))


@cache
def version() -> int:
    """Return the version of the kernel's Landlock; 0 if it has none, or it is switched off."""
    try:
        return max(0, _call(_CREATE_RULESET, None, 0, _VERSION))
    except (OSError, AttributeError):  # another system, or a container's filter
        return 0


def start(command: Sequence[str], wall: Wall, **options: Any) -> subprocess.Popen[bytes]:
    """Start a program behind a wall; `options` are those of `Popen`."""
    if not version():
        return subprocess.Popen(command, **options)
    from concurrent.futures import ThreadPoolExecutor

    rules = _rules(wall)

    def started() -> subprocess.Popen[bytes]:
        _restrict(rules)
        return subprocess.Popen(command, **options)

    try:
        # A wall is round a thread, and what it starts. So no code runs between fork and exec, which is not
        # safe beside other threads, and no further interpreter, which would take as long as a short pass.
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(started)
            try:
                return future.result()
            except BaseException:
                with suppress(Exception):  # interrupted while it starts: nobody else knows of it
                    future.result().kill()
                raise
    finally:
        os.close(rules)


def run(
    command: Sequence[str], wall: Wall, *, seconds: float, **options: Any
) -> subprocess.CompletedProcess[bytes]:
    """Return what a program behind a wall gives; TimeoutExpired after some seconds."""
    options = {"stdin": subprocess.DEVNULL, **options}
    with start(command, wall, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as process:
        try:
            output, errors = process.communicate(timeout=seconds)
        finally:
            process.kill()
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def command(wall: Wall, limits: Limits, program: Sequence[str]) -> list[str]:
    """Return the command that starts a program behind a wall and within limits, for others to call."""
    told = json.dumps([asdict(wall), asdict(limits)])
    return [sys.executable, "-I", "-S", __file__, told, *program]


# ------------------------------------------------------------------------------------------------ the kernel


def _rules(wall: Wall) -> int:
    """Return the descriptor of a set of rules, for the caller to close."""
    every = sum(rights for since, rights in _ALL.items() if since <= version())
    tcp = 0 if wall.network or version() < 4 else _TCP
    scopes = _SCOPES if version() >= 6 else 0
    handled = (ctypes.c_uint64 * 3)(every, tcp, scopes)  # a kernel takes fields that it lacks, if they are 0
    rules = _call(_CREATE_RULESET, handled, ctypes.sizeof(handled), 0)
    try:
        _allow(rules, wall.reads, _READING)
        _allow(rules, (*wall.writes, os.devnull), every)
    except BaseException:
        os.close(rules)
        raise
    return rules


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def _allow(rules: int, paths: Iterable[str], rights: int) -> None:
    for path in paths:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            is_folder = stat.S_ISDIR(os.fstat(place).st_mode)
            rule = _PathBeneath(rights if is_folder else rights & _OF_FILES, place)
            _call(_ADD_RULE, rules, _PATH_BENEATH, ctypes.byref(rule), 0)
        finally:
            os.close(place)


def _restrict(rules: int) -> None:
    """Put this thread, and what it starts, behind a wall."""
    if _libc().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):  # else a program with setuid could leave the wall
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    _call(_RESTRICT_SELF, rules, 0)


def _call(number: int, *arguments: Any) -> int:
    done: int = _libc().syscall(ctypes.c_long(number), *arguments)
    if done < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return done


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _main(told: str, *program: str) -> None:
    wall, limits = json.loads(told)
    if version():
        _restrict(_rules(Wall(**wall)))
    Limits(**limits).set()
    os.execv(program[0], program)


if __name__ == "__main__":
    _main(*sys.argv[1:])

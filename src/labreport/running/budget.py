"""One budget of working processes for a whole build, shared by experiments that know nothing of each other.

A build with `--jobs N` has N slots; a process works only while somebody holds a slot for it. Each of the N
experiments that may run at once has one slot of its own, which it holds from its beginning to its end, and
which serves the first process of its maps, while it waits for them itself. For more processes a map borrows
the slots of experiments that are absent. When an experiment comes whose slot is lent, it waits until the
borrower has finished an item. So nobody waits for what it holds itself, one experiment alone gets all slots,
and N experiments get one each.

A slot is held by locking a byte of a file, as POSIX locks do: the system takes it back from a process that
ends, however that happens, and a forked process holds nothing.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Protocol


class Budget(Protocol):
    """How many processes a map may use: one always, and one more for each slot that it borrows."""

    @property
    def jobs(self) -> int:
        """The greatest number of processes."""
        ...

    def borrow(self) -> int | None:
        """Return a slot that is free now; None if there is none."""
        ...

    def is_wanted(self, slot: int) -> bool:
        """Return whether a borrowed slot must be given back, because its owner waits for it."""
        ...

    def give_back(self, slot: int) -> None:
        """Give a borrowed slot back."""
        ...


class Alone:
    """The budget of a process that shares it with nobody."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._free = list(range(1, jobs))

    def borrow(self) -> int | None:
        """Return a slot that is free now; None if there is none."""
        return self._free.pop() if self._free else None

    def is_wanted(self, slot: int) -> bool:
        """Return False: there is nobody else."""
        del slot
        return False

    def give_back(self, slot: int) -> None:
        """Give a borrowed slot back."""
        self._free.append(slot)


class Shared:
    """The part of an experiment in the budget of its build: its own slot, and those that it borrows.

    `own` is the number of its slot, from 0 to jobs - 1; no other experiment has it at the same time. Byte
    `slot` of the file is locked by who works in that slot, byte `jobs + slot` by the owner while it is there.
    """

    def __init__(self, path: Path, jobs: int, own: int) -> None:
        self.jobs = jobs
        self.own = own
        path.parent.mkdir(parents=True, exist_ok=True)
        # open until this process ends: closing any handle of the file would give up all of its locks
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        self._borrowed: set[int] = set()

    def enter(self) -> None:
        """Take the own slot; wait, if it is lent, until the borrower gives it back."""
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1, self.jobs + self.own)
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1, self.own)

    def borrow(self) -> int | None:
        """Return the slot of an absent experiment that is free now; None if there is none."""
        for slot in range(self.jobs):
            # what this process has locked itself would seem free to it
            mine = slot == self.own or slot in self._borrowed
            if not mine and not self.is_wanted(slot) and self._locked(fcntl.LOCK_EX, slot):
                self._borrowed.add(slot)
                return slot
        return None

    def is_wanted(self, slot: int) -> bool:
        """Return whether the owner of a slot is there."""
        presence = self.jobs + slot
        if not self._locked(fcntl.LOCK_SH, presence):  # shared: several may look at once
            return True
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, presence)
        return False

    def give_back(self, slot: int) -> None:
        """Give a borrowed slot back."""
        self._borrowed.remove(slot)
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, slot)

    def _locked(self, kind: int, byte: int) -> bool:
        """Lock a byte if nobody else has locked it; return whether that went well."""
        try:
            fcntl.lockf(self._file, kind | fcntl.LOCK_NB, 1, byte)
        except (BlockingIOError, PermissionError):  # POSIX leaves the choice between EAGAIN and EACCES
            return False
        return True

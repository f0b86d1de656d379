"""Each write, rename, fsync and mkdir of a build fails once, or the build ends there: all stays whole.

A trial lets the n-th operation of a build fail, for n = 1, 2, … until none is left, in whichever process of
it that is; or it ends the build before that operation (see `ended`). Then the published files must be whole
and of one of two versions, the message one that names the cure, and one build more must give the bytes that a
clean folder gives, with no result computed again that was finished, and nothing left over.

What TeX itself does on a full disk is tried with small file systems, in `test_disk.py`.
"""

from __future__ import annotations

import errno
import random
import signal
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from labreport.errors import DiskError
from torture import bench, injected
from torture.kills import adopting
from torture.trial import Trial

WORKERS = 2


@dataclass(frozen=True)
class Scenario:
    """What a build finds, and what is edited before it begins; `command` is what the user types."""

    name: str
    begins: str | None
    edit: bench.Edit
    command: tuple[str, ...] = ()


SCENARIOS = (
    Scenario("rebuild", "old", bench.edit_all),
    Scenario("notebook", "old", bench.edit_notebook),
    Scenario("packing", "old", bench.edit_readme, ("pack",)),
    Scenario("from scratch", None, bench.edit_all_but_notebooks),
)


@dataclass(frozen=True)
class Event:
    """What happens at an operation, with the number of an error or of a signal."""

    number: int
    what: int = injected.ONCE

    @property
    def is_ending(self) -> bool:
        return self.what in (injected.PARENT, injected.GROUP)

    @property
    def codes(self) -> tuple[int, ...]:
        """The exit codes that are right; of a signal that comes before it is handled, the negative one."""
        return (0, -self.number, 128 + self.number) if self.is_ending else (0, DiskError.exit_code)


FAILURES = {
    "ENOSPC": Event(errno.ENOSPC),
    "EIO": Event(errno.EIO),
    "EACCES": Event(errno.EACCES),
    "full": Event(errno.ENOSPC, injected.ALL),
}
ENDINGS = {
    f"{sent.name} to the {whom}": Event(sent, what)
    for sent in (signal.SIGKILL, signal.SIGTERM)
    for whom, what in (("build", injected.PARENT), ("group", injected.GROUP))
}


def trials(count: int, seed: int, events: Mapping[str, Event] = FAILURES) -> Iterator[Trial]:
    """Try at most `count` of all events, each operation with one of them before any with another one."""
    with (
        tempfile.TemporaryDirectory(prefix="torture-disk-") as folder,
        ProcessPoolExecutor(WORKERS, get_context("fork"), _prepare, (folder,)) as pool,
    ):
        every, known = [], set()
        for at in range(len(SCENARIOS)):
            operations = pool.submit(_operations, at).result()
            # a line of labreport that a rebuild has come through does the same from scratch
            new = [turn for turn, operation in enumerate(operations, 1) if operation not in known]
            every += [(at, turn, name) for turn in new for name in events]
            known.update(operations)
        random.Random(seed).shuffle(every)
        names = list(events)
        every.sort(key=lambda each: (each[1] + seed + names.index(each[2])) % len(names))
        yield from pool.map(_try, every[:count], chunksize=2)


# ----------------------------------------------------------------------------------------- one process's part

_bench: bench.Bench


def _prepare(folder: str) -> None:
    global _bench
    states = {"old": (None, bench.as_it_is)}
    states |= {each.name: (each.begins, each.edit) for each in SCENARIOS}
    _bench = bench.make(Path(tempfile.mkdtemp(dir=folder)), states, notebook=True)


def _operations(at: int) -> list[str]:
    """Return the operations of a build of a scenario, each with the lines that lead to it."""
    scenario = SCENARIOS[at]
    _bench.begin(scenario.begins, scenario.edit)
    code, said = _bench.build(*scenario.command, turn=(injected.NEVER,))
    assert code == 0, said
    return injected.seen(_bench.turn)


def _try(chosen: tuple[int, int, str]) -> Trial:
    at, turn, name = chosen
    scenario, event = SCENARIOS[at], {**FAILURES, **ENDINGS}[name]
    _bench.begin(scenario.begins, scenario.edit)
    with adopting() as lingering:
        code, said = _bench.build(
            *scenario.command, turn=(turn, event.number, event.what), alone=event.is_ending
        )
        wrong = [f"it left {command}" for command in (lingering() if event.is_ending else ())]
    wrong += _after(scenario, event, code, said)
    finished = [name for name in bench.EXPERIMENTS if f"{name}: ran in" in said]
    code, again = _bench.build(*scenario.command)
    wrong += [*_after_recovery(scenario, code, again, finished)]
    outcome = "broken" if wrong else "refused" if "error: " in said else "kept"
    detail = f"{name} at operation {turn}: {'; '.join(wrong)}\n{said}\n--\n{again}" if wrong else ""
    return Trial(f"{scenario.name}, {name}", outcome, detail)


def _after(scenario: Scenario, event: Event, code: int, said: str) -> Iterator[str]:
    """Yield what is wrong after a build in which something happened."""
    if "Traceback" in said or code not in event.codes:
        yield f"it ended with {code}"
    if code and not event.is_ending and not ("error: " in said and "cure: " in said):
        yield "no message with a cure"
    before = _bench.states[scenario.begins] if scenario.begins else {}
    now, after = _bench.published(), _bench.states[scenario.name]
    for name in {*before, *after}:
        if now.get(name) not in (before.get(name), after[name]):
            yield f"{name} is neither the old nor the new one"
    handed = {name: data for name, data in now.items() if name.startswith("submission")}
    if not any(handed.items() <= whole.items() for whole in (before, after)):
        yield "the hand-in is of two versions"
    if code == 0 and now != after:
        yield "it is content, and yet not all is new"


def _after_recovery(scenario: Scenario, code: int, said: str, finished: list[str]) -> Iterator[str]:
    """Yield what is wrong after the next build."""
    if code:
        yield f"the next build ends with {code}"
    now, clean = _bench.published(), _bench.states[scenario.name]
    yield from (f"{name} is not that of a clean build" for name in clean if now.get(name) != clean[name])
    yield from (f"{name} ran twice" for name in finished if f"running {name}" in said)
    yield from (f"{left} is left over" for left in _bench.left_over())

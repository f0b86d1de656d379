"""Each write, rename, fsync and mkdir of a build fails once: what is published stays whole.

A trial lets the n-th operation of a build fail, for n = 1, 2, … until none is left, in whichever process of
it that is. Then the published files must be whole and of one of two versions, the message one that names the
cure, and one build more must give the bytes that a clean folder gives, with no result computed again that was
finished, and nothing left over.

What TeX itself does on a full disk is tried with small file systems, in `test_disk.py`.
"""

from __future__ import annotations

import errno
import random
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from labreport.errors import DiskError
from torture import bench, injected
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
    Scenario("packing", "old", bench.edit_readme, ("pack",)),
    Scenario("from scratch", None, bench.edit_all),
)
KINDS = {
    "ENOSPC": (errno.ENOSPC, 0),
    "EIO": (errno.EIO, 0),
    "EACCES": (errno.EACCES, 0),
    "full": (errno.ENOSPC, 1),
}
"""Which error an operation gives, and whether all fail from then on."""


def trials(count: int, seed: int) -> Iterator[Trial]:
    """Try at most `count` of all failures, each operation with one error before any with another one."""
    with (
        tempfile.TemporaryDirectory(prefix="torture-disk-") as folder,
        ProcessPoolExecutor(WORKERS, get_context("fork"), _prepare, (folder,)) as pool,
    ):
        every, known = [], set()
        for at in range(len(SCENARIOS)):
            operations = pool.submit(_operations, at).result()
            # a line of labreport that a rebuild has come through does the same from scratch
            new = [turn for turn, operation in enumerate(operations, 1) if operation not in known]
            every += [(at, turn, kind) for turn in new for kind in KINDS]
            known.update(operations)
        random.Random(seed).shuffle(every)
        kinds = list(KINDS)
        every.sort(key=lambda each: (each[1] + seed + kinds.index(each[2])) % len(KINDS))
        yield from pool.map(_try, every[:count], chunksize=2)


# ----------------------------------------------------------------------------------------- one process's part

_bench: bench.Bench


def _prepare(folder: str) -> None:
    global _bench
    states = {"old": (None, bench.as_it_is)}
    states |= {each.name: (each.begins, each.edit) for each in SCENARIOS}
    _bench = bench.make(Path(tempfile.mkdtemp(dir=folder)), states)


def _operations(at: int) -> list[str]:
    """Return the operations of a build of a scenario, each with the lines that lead to it."""
    scenario = SCENARIOS[at]
    _bench.begin(scenario.begins, scenario.edit)
    code, said = _bench.build(*scenario.command, turn=(injected.NEVER,))
    assert code == 0, said
    return injected.seen(_bench.turn)


def _try(chosen: tuple[int, int, str]) -> Trial:
    at, turn, kind = chosen
    scenario = SCENARIOS[at]
    _bench.begin(scenario.begins, scenario.edit)
    code, said = _bench.build(*scenario.command, turn=(turn, *KINDS[kind]))
    wrong = [*_after_failure(scenario, code, said)]
    finished = [name for name in bench.EXPERIMENTS if f"{name}: ran in" in said]
    code, again = _bench.build(*scenario.command)
    wrong += [*_after_recovery(scenario, code, again, finished)]
    outcome = "broken" if wrong else "refused" if "error: " in said else "kept"
    detail = f"{kind} at operation {turn}: {'; '.join(wrong)}\n{said}\n--\n{again}" if wrong else ""
    return Trial(f"{scenario.name}, {kind}", outcome, detail)


def _after_failure(scenario: Scenario, code: int, said: str) -> Iterator[str]:
    """Yield what is wrong after a build of which an operation failed."""
    if "Traceback" in said or code not in (0, DiskError.exit_code):
        yield f"it ended with {code}"
    if code and not ("error: " in said and "cure: " in said):
        yield "no message with a cure"
    before = _bench.states[scenario.begins] if scenario.begins else {}
    now, after = _bench.published(), _bench.states[scenario.name]
    for name in bench.PUBLISHED:
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

"""One byte of the stored state is another one: the next build gives what a clean folder gives.

A trial changes a byte of a file that a build has left, or the whole file: it ends early, is empty, holds JSON
of other types or 100,000 brackets. Then one build must end with 0 and give the bytes that
are right, whether all is as it was or an edit was taken back, which looks for older results in the store.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random

from torture import bench
from torture.trial import Trial

WORKERS = 2
WHOLE = 0.15
"""The share of trials in which the whole file is another one."""
TAKEN_BACK = 0.1
"""The share of trials in which an edit was taken back; it is so in all that change the store."""
UNREAD = ("log", ".lock", ".slots")
"""What no build reads back."""
HISTORY = ("latex", "provenance.json", "state.json", "previous")
"""What a page needs to tell what changed since the report before; damaged, it tells nothing of that."""
EDITS = {"as it was": bench.edit_all, "taken back": bench.as_it_is}


def trials(count: int, seed: int) -> Iterator[Trial]:
    """Try a number of changes, most of them of a single byte."""
    with (
        tempfile.TemporaryDirectory(prefix="torture-flips-") as folder,
        ProcessPoolExecutor(WORKERS, get_context("fork"), _prepare, (folder,)) as pool,
    ):
        yield from pool.map(_try, Random(seed).sample(range(1 << 40), count), chunksize=4)


def flip(data: bytes, chance: Random) -> bytes:
    """Return the bytes with one bit of one of them turned."""
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


WHOLES: dict[str, Callable[[bytes, Random], bytes]] = {
    "cut": lambda data, chance: data[: chance.randrange(len(data))],
    "empty": lambda data, chance: b"",
    "brackets": lambda data, chance: b"[" * 100_000,
    "other types": lambda data, chance: data.replace(b'"', b" ").replace(b"{", b"["),
    "null": lambda data, chance: b"null",
    "list": lambda data, chance: b"[]",
    "mapping": lambda data, chance: b"{}",
}
"""What becomes of a whole file."""


# ----------------------------------------------------------------------------------------- one process's part

_bench: bench.Bench


def _prepare(folder: str) -> None:
    global _bench
    states = {
        "old": (None, bench.as_it_is),
        "new": ("old", bench.edit_all),
        **{name: ("new", edit) for name, edit in EDITS.items()},
    }
    _bench = bench.make(Path(tempfile.mkdtemp(dir=folder)), states, notebook=True)


def _try(seed: int) -> Trial:
    chance = random.Random(seed)
    _bench.begin("new", bench.as_it_is)
    build = _bench.root / "build"
    found = sorted(path for path in build.rglob("*") if path.is_file())
    stored = [
        path for path in found if path.relative_to(build).parts[0] not in UNREAD and path.stat().st_size
    ]
    path = chance.choice(stored)
    place = path.relative_to(build).parts[0]
    # no other build looks into the store; most of the others find nothing to do, and are fast
    edit = "taken back" if place == "store" or chance.random() < TAKEN_BACK else "as it was"
    EDITS[edit](_bench.root)
    kind = chance.choice(list(WHOLES)) if chance.random() < WHOLE else "flip"
    path.write_bytes(WHOLES.get(kind, flip)(path.read_bytes(), chance))
    code, said = _bench.build()
    wrong = [*_after(edit, code, said, path)]
    name = path.relative_to(build).as_posix()
    detail = f"{kind} in {name} ({edit}; Random({seed})): {'; '.join(wrong)}\n{said}" if wrong else ""
    return Trial(f"{name.partition('/')[0]}, {kind}", "broken" if wrong else "kept", detail)


def _after(edit: str, code: int, said: str, path: Path) -> Iterator[str]:
    """Yield what is wrong after the build that follows."""
    if code:
        yield f"it ended with {code}"
    now, clean = _bench.published(), _bench.states[edit]
    wrong = {name for name in clean if now.get(name) != clean[name]}
    place = path.relative_to(_bench.root / "build").parts[0]
    if place == "previous" or (edit == "taken back" and place in HISTORY):
        wrong -= {"report.html"}
    yield from (f"{name} is not that of a clean build" for name in sorted(wrong))
    shutil.rmtree(
        _bench.root / "build" / "store", ignore_errors=True
    )  # what was not looked for is not looked at
    yield from (f"{left} is left over" for left in _bench.left_over())

"""Run trials: `python -m torture [KIND ...] [--count N] [--seed S]`; exit code 1 if one failed."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from torture import batches
from torture.batches import Tried
from torture.trial import table

SHOWN = 20


@dataclass(frozen=True)
class Kind:
    """How many inputs of a kind are tried unless told otherwise, and how many in one go.

    Of a kind that holds mostly, not always, a `spared` share of the trials may fail.
    """

    count: int
    batch: int
    spared: float = 0.0


KINDS = {
    "disk": Kind(250, batch=250),
    "flips": Kind(1_000, batch=1_000),
    "ended": Kind(170, batch=170),
    "kills": Kind(30, batch=10),
    "tampered": Kind(60, batch=30),
    "planted": Kind(120, batch=60),
    "faults": Kind(80, batch=20, spared=0.05),
    "strings": Kind(10_000, batch=500),
}
"""The kinds, each a module of this package; first what takes longest in one go: the rest fills the cores."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="torture", description=__doc__)
    parser.add_argument(
        "kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}; all if none is given"
    )
    parser.add_argument("--count", type=int, help="inputs of each kind, instead of its own number")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="the same inputs again")
    options = parser.parse_args()
    if unknown := sorted(set(options.kinds) - set(KINDS)):
        parser.error(f"no kind {unknown[0]!r}: choose from {', '.join(KINDS)}")
    kinds = options.kinds or list(KINDS)
    print(f"{', '.join(kinds)}: --seed {options.seed}", flush=True)
    start = time.monotonic()
    done = batches.all_tried(
        [
            batch
            for kind in kinds
            for batch in batches.split(
                kind, options.count or KINDS[kind].count, KINDS[kind].batch, options.seed
            )
        ]
    )
    for each in done:
        if each.failed:
            tell(each)
    print(f"{'kind':10}{'inputs':>10}{'trials':>10}{'failed':>10}{'seed':>10}{'seconds':>10}")
    of_kind = {kind: [each for each in done if each.batch.kind == kind] for kind in kinds}
    for kind in kinds:
        print(row(kind, options.seed, of_kind[kind]))
    print(f"{time.monotonic() - start:,.0f} seconds in all")
    return int(not all(holds(KINDS[kind], of_kind[kind]) for kind in kinds))


def holds(kind: Kind, done: Sequence[Tried]) -> bool:
    """Return whether no more trials failed than a kind is spared."""
    failed = sum(len(each.failed) for each in done)
    return failed <= kind.spared * sum(len(each.trials) for each in done)


def tell(done: Tried) -> None:
    """Print how a batch can be repeated, what came of it in each context, and the trials that failed."""
    print(f"\n{done.batch}\n{table(done.trials)[0]}")
    for trial in done.failed[:SHOWN]:
        print(f"{trial.outcome} ({trial.context}): {trial.detail}")
    if done.failed[SHOWN:]:
        print(f"… and {len(done.failed) - SHOWN:,} more")
    print(flush=True)


def row(kind: str, seed: int, done: Sequence[Tried]) -> str:
    """Return the line of a kind in the table."""
    inputs, trials = sum(each.batch.count for each in done), sum(len(each.trials) for each in done)
    failed, seconds = sum(len(each.failed) for each in done), sum(each.seconds for each in done)
    return f"{kind:10}{inputs:10,}{trials:10,}{failed:10,}{seed:10}{seconds:10,.0f}"


if __name__ == "__main__":
    sys.exit(main())

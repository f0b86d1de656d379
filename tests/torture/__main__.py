"""Run trials: `python -m torture [KIND ...] [--count N] [--seed S]`; exit code 1 if one failed."""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Iterator

from torture import strings
from torture.trial import Trial, table

KINDS: dict[str, Callable[[int, int], Iterator[Trial]]] = {"strings": strings.trials}
SHOWN = 40


def main() -> int:
    parser = argparse.ArgumentParser(prog="torture", description=__doc__)
    parser.add_argument(
        "kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}; all if none is given"
    )
    parser.add_argument("--count", type=int, default=10_000, help="inputs of each kind")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="the same inputs again")
    options = parser.parse_args()
    if unknown := sorted(set(options.kinds) - set(KINDS)):
        parser.error(f"no kind {unknown[0]!r}: choose from {', '.join(KINDS)}")
    has_failed = False
    for kind in options.kinds or KINDS:
        print(f"{kind}: {options.count:,} inputs, --seed {options.seed}", flush=True)
        text, failed = table(KINDS[kind](options.count, options.seed))
        print(text)
        for trial in failed[:SHOWN]:
            print(f"{trial.outcome} ({trial.context}): {trial.detail}")
        if failed[SHOWN:]:
            print(f"… and {len(failed) - SHOWN:,} more")
        has_failed |= bool(failed)
    return int(has_failed)


sys.exit(main())

"""Batches of inputs, tried by a process for each core."""

from __future__ import annotations

import functools
import importlib
import multiprocessing
import os
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import projects
from rich.console import Console
from rich.progress import track

from labreport import descendants
from torture.trial import PASSED, Trial


@dataclass(frozen=True)
class Batch:
    """So many inputs of a kind, with their seed."""

    kind: str
    count: int
    seed: int

    def __str__(self) -> str:
        return f"python -m torture {self.kind} --count {self.count} --seed {self.seed}"


@dataclass(frozen=True)
class Tried:
    """A batch that was tried: its trials, and how many seconds they took."""

    batch: Batch
    trials: Sequence[Trial]
    seconds: float

    @property
    def failed(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.outcome not in PASSED]


def split(kind: str, count: int, most: int, seed: int) -> Iterator[Batch]:
    """Yield batches of at most so many inputs; each has a seed of its own, so that it can be repeated."""
    for number, start in enumerate(range(0, count, most)):
        yield Batch(kind, min(most, count - start), seed + number)


def tried(batch: Batch) -> Tried:
    """Return what became of a batch; an error that ends it is a failed trial."""
    start = time.monotonic()
    trials = []
    try:
        trials.extend(importlib.import_module(f"torture.{batch.kind}").trials(batch.count, batch.seed))
    except Exception:
        trials.append(Trial("any", "broken", traceback.format_exc()))
    return Tried(batch, trials, time.monotonic() - start)


def all_tried(batches: Sequence[Batch]) -> list[Tried]:
    """Return what became of the batches, which the cores try side by side; a line tells how far they are."""
    progress = functools.partial(track, total=len(batches), console=Console(stderr=True))
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        context = multiprocessing.get_context("spawn")  # a fork would inherit the thread of the progress line
        cores = min(len(os.sched_getaffinity(0)), len(batches))
        with ProcessPoolExecutor(cores, context, _work_in, (folder,)) as pool:
            futures = [pool.submit(tried, batch) for batch in batches]
            return [future.result() for future in progress(as_completed(futures))]


def _work_in(folder: str) -> None:
    """Let what a process of the pool makes lie in a folder that is removed; let it end with its parent."""
    descendants.die_with_parent(os.getppid())
    tempfile.tempdir = folder
    projects.KEPT = Path(folder)

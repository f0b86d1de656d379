"""Real Dask clusters on the loopback interface, each process with a log, for tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from processes import wait_for

_SCHEDULER = "from distributed.cli.dask_scheduler import main; main()"
_WORKER = "from distributed.cli.dask_worker import main; main()"


@dataclass
class Cluster:
    """A scheduler with its address, and workers, each without a nanny that would start it again."""

    address: str
    scheduler: subprocess.Popen
    workers: list[subprocess.Popen]
    add: Callable[[], None]


@contextmanager
def running(
    folder: Path,
    workers: int = 2,
    *,
    env: Mapping[str, str] | None = None,
    scheduler: str = "",
    worker: str = "",
) -> Iterator[Cluster]:
    """Yield a cluster; `scheduler` and `worker` are code that these processes execute first."""
    folder.mkdir()
    file = folder / "scheduler.json"
    local = ["--no-dashboard", "--scheduler-file", str(file), "--host", "127.0.0.1"]
    started: list[subprocess.Popen] = []

    def start(name: str, code: str, *arguments: str) -> None:
        command = [sys.executable, "-c", code, *local, *arguments]
        with (folder / f"{name}.log").open("wb") as log:
            started.append(
                subprocess.Popen(
                    command, stdout=log, stderr=log, cwd=folder, env={**os.environ, **(env or {})}
                )
            )

    try:
        start("scheduler", f"{scheduler}\n{_SCHEDULER}", "--port", "0", "--no-show")
        wait_for(lambda: file.exists() and file.read_text().rstrip().endswith("}"), 30)
        cluster = Cluster(json.loads(file.read_text())["address"], started[0], [], add=lambda: None)

        def add() -> None:
            number = len(cluster.workers)
            own = ("--nthreads", "1", "--no-nanny", "--local-directory", str(folder))
            start(f"worker{number}", f"{worker}\n{_WORKER}", *own)
            cluster.workers.append(started[-1])

        cluster.add = add
        for _ in range(workers):
            add()
        logs = [folder / f"worker{number}.log" for number in range(workers)]
        wait_for(lambda: all("Registered to" in log.read_text() for log in logs), 30)
        yield cluster
    finally:
        for process in started[::-1]:
            process.kill()
            process.wait()

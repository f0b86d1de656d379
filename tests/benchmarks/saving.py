"""labreport's `watch` at work: how long an edit takes to reach the PDF, and all that follows it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from measuring import LABREPORT, LOOK, Taken, stamp

LAST = "checks passed"
"""What the last line of a build says that has made the report."""
MOST_SECONDS = 120.0


class Watch:
    """A running `labreport watch`; it ends when its input does."""

    def __init__(self, folder: Path) -> None:
        command = [*LABREPORT, "--project", str(folder), "watch"]
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert self._process.stdout is not None
        self._output = self._process.stdout.fileno()
        os.set_blocking(self._output, False)
        self._pdf = folder / "build" / "report.pdf"
        self.after(lambda: None)  # the first build

    def after(self, edit: Callable[[], object]) -> Taken:
        """Return how long the build takes that an edit sets off."""
        seen, written, told = stamp(self._pdf), None, b""
        start = time.perf_counter()
        edit()
        while LAST.encode() not in told:
            if (found := stamp(self._pdf)) != seen:
                seen, written = found, time.perf_counter() - start
            try:
                told += os.read(self._output, 65536)
            except BlockingIOError:
                time.sleep(LOOK)
            assert self._process.poll() is None, told.decode()
            assert time.perf_counter() - start < MOST_SECONDS, told.decode()
        return Taken(time.perf_counter() - start, written, 0.0, 0.0)

    def end(self) -> None:
        """End it as a closed terminal would."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=MOST_SECONDS)
        self._process.stdout.close()

"""Programs, and what they took: seconds until they ended, until the PDF was there, of processors; memory."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
LABREPORT = (sys.executable, str(ROOT / "build_report.py"))
LOOK = 0.002  # seconds between two looks at the PDF


@dataclass(frozen=True)
class Taken:
    """What one run of a program took; `pdf` is when the PDF was last written, None if it was not."""

    seconds: float
    pdf: float | None
    processors: float
    megabytes: float  # the largest of its processes


def run(
    command: Sequence[str | Path],
    folder: Path,
    *,
    pdf: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Taken:
    """Run a program in a folder until it ends; what it prints is shown only if it fails."""
    with (folder.parent / f"{folder.name}.log").open("w+b") as log:
        seen, written = stamp(pdf), None
        start = time.perf_counter()
        process = subprocess.Popen(
            [*map(str, command)],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            if (state := stamp(pdf)) != seen:
                seen, written = state, time.perf_counter() - start
            time.sleep(LOOK)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(ended[1])
        if process.returncode:
            log.seek(0)
            raise AssertionError(f"{command} ended with {process.returncode}:\n{log.read().decode()}")
    usage = ended[2]
    if stamp(pdf) != seen:
        written = seconds
    return Taken(seconds, written, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def stamp(path: Path | None) -> tuple[int, int] | None:
    """Return what changes whenever a file is written."""
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return found and (found.st_mtime_ns, found.st_ino)


def interleaved(rounds: int, actions: Mapping[str, Callable[[], Taken]]) -> dict[str, Taken]:
    """Return the median of each action: they take turns, so that what else the machine does meets all."""
    taken: dict[str, list[Taken]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            taken[name].append(action())
    return {name: middle(several) for name, several in taken.items()}


def middle(several: Sequence[Taken]) -> Taken:
    """Return the median of each number."""
    pdfs = [one.pdf for one in several if one.pdf is not None]
    return Taken(
        median(one.seconds for one in several),
        median(pdfs) if pdfs else None,
        median(one.processors for one in several),
        median(one.megabytes for one in several),
    )


def bare_interpreter(rounds: int = 15) -> float:
    """Return the seconds of an interpreter that does nothing: the best, since all else can only add."""
    return min(run([sys.executable, "-c", "pass"], ROOT).seconds for _ in range(rounds))


def machine() -> str:
    """Return in one line what the figures were measured on."""
    tex = subprocess.run(["pdflatex", "--version"], capture_output=True, text=True, check=True).stdout
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    name = names[0].partition(":")[2].strip() if names else platform.machine()
    return f"{os.cpu_count()} cores ({name}), Python {platform.python_version()}, {tex.splitlines()[0]}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))

"""A project under watch, as somebody sees it who sits before it: lines come, processes live and end."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import projects
from processes import wait_for

ROOT = Path(__file__).parents[2]
TEMPLATE = r"""\documentclass{article}
\usepackage[article]{labreport}
\hypersetup{pdftitle={\VAR{report.title}}, pdfsubject={none}, pdfauthor={nobody}}
\begin{document}
The answer is \VAR{one.values.answer}.
\end{document}
"""
TOML = 'authors = ["A"]\nsubtitle = "S"\n'


def make(folder: Path, run: str = "    return {'answer': 42}") -> Path:
    """Return the folder of a project with one experiment, `run` being the body of its function."""
    text = projects.experiment(
        f"import time, os\nfrom pathlib import Path\n\n\ndef run(params, lab):\n{run}\n"
    )
    project = projects.make(folder, {"one": text}, toml=TOML)
    projects.write(project.templates / "report.tex.j2", TEMPLATE)
    return project.root


class Watch:
    """`labreport watch` on a project, with what it prints."""

    def __init__(self, folder: Path, *, terminal: bool = False, program: Path | None = None) -> None:
        self.folder = folder
        self.mark = uuid.uuid4().hex
        command = [sys.executable, str(program or ROOT / "build_report.py"), "--project", str(folder)]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"WATCHED": self.mark}
        self.terminal, theirs = pty.openpty() if terminal else os.pipe()
        self.process = subprocess.Popen(
            [*command, "--jobs", "2", "watch"],
            stdin=theirs if terminal else subprocess.PIPE,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            cwd=folder.parent,
            start_new_session=True,
        )
        os.close(theirs)
        self.printed = ""
        self._is_read = True
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while self._is_read:
                if select.select([self.terminal], [], [], 0.1)[0]:
                    data = os.read(self.terminal, 4096)
                    if not data:
                        break
                    self.printed += data.decode("utf-8", "replace")
            os.close(self.terminal)

    def stop_reading(self) -> None:
        """Read no more of what it prints, as a program does that ends before it."""
        self._is_read = False
        self._reader.join(10)

    def lines(self) -> list[str]:
        return self.printed.splitlines()

    def sees(self, pattern: str, after: int = 0, seconds: float = 60) -> str:
        """Return the first line behind some number of them that matches a pattern, once it comes."""

        def found() -> list[str]:
            return [line for line in self.lines()[after:] if re.search(pattern, line)]

        end = time.monotonic() + seconds
        while not found():
            assert time.monotonic() < end, f"no line {pattern!r} in:\n{self.printed}"
            assert self.process.poll() is None or found(), f"it has ended:\n{self.printed}"
            time.sleep(0.02)
        return found()[0]

    def is_quiet(self, seconds: float = 1.5) -> bool:
        """Return whether nothing is printed for a while."""
        before = self.printed
        time.sleep(seconds)
        return self.printed == before

    def processes(self) -> list[int]:
        """Return the processes that belong to it: started by it, or working in the project's folder."""
        return [int(p.name) for p in Path("/proc").glob("[0-9]*") if self._is_ours(p)]

    def _is_ours(self, process: Path) -> bool:
        try:
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            inside = f"{(process / 'cwd').readlink()}/".startswith(f"{self.folder}/")
            return state != "Z" and (
                inside or f"WATCHED={self.mark}".encode() in (process / "environ").read_bytes()
            )
        except OSError:
            return False

    def wait(self, seconds: float = 10) -> int:
        """Return the exit code, once it has ended, and all that it has started."""
        code = self.process.wait(seconds)
        wait_for(lambda: not self.processes(), seconds)
        return code


@contextmanager
def watching(folder: Path, **how: object) -> Iterator[Watch]:
    """Watch a project; at the end nothing is left of that."""
    watch = Watch(folder, **how)  # type: ignore[arg-type]
    try:
        yield watch
    finally:
        if watch.process.poll() is None:
            watch.process.send_signal(signal.SIGINT)
            watch.wait(20)
        if watch.process.stdin is not None:
            watch.process.stdin.close()

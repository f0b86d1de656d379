"""A tool of the comparison: how its project is written, built and edited."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

BENCH = Path(__file__).parents[3] / ".venv-bench"
"""Where `make bench-peers` installs what pip has of the peers."""

Edit = tuple[str, str]
"""A file, and an expression that finds one number in it; an edit makes that number larger."""


@dataclass(frozen=True)
class Tool:
    """What makes the small report."""

    name: str
    write: Callable[[Path], None]
    command: tuple[str, ...]
    edits: Mapping[str, Edit]  # "sentence", "colour", "constant"
    missing: Callable[[], str | None]  # what must be installed, None if all is there
    pdf: str = "report.pdf"
    environment: Mapping[str, str] = field(default_factory=dict)
    only_pdf: tuple[str, ...] | None = None  # where another command makes the PDF alone


def edit(folder: Path, place: Edit) -> None:
    """Make the number that an expression finds in a file larger by one."""
    name, expression = place
    path = folder / name
    text, edits = re.subn(
        expression, lambda m: m[0].replace(m[1], str(int(m[1]) + 1)), path.read_text(encoding="utf-8")
    )
    assert edits == 1, f"{expression!r} was found {edits} times in {path}"
    path.write_text(text, encoding="utf-8")


def put(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files of a project."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def program(name: str) -> str:
    """Return a program of the peers' environment."""
    return str(BENCH / "bin" / name)


PYTHON = {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
"""What all peers run as `python`: the interpreter of labreport, with the same libraries."""

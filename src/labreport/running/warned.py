"""Warnings while an experiment runs or draws, from Python's `warnings` and from matplotlib's log, each once.

Each is reported with the line of the project that led to it. What a filter or `catch_warnings` of the
project's hides, stays hidden; the log has all of them as before. In `run` Python shows each once a place;
in `draw` all are seen, since two figures may lack the same character.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from labreport.project import ENGINE
from labreport.running import relay

if TYPE_CHECKING:
    from labreport.project import Project

MOST = 200
"""The number of different warnings that a process tells of; the log has the others, too."""
LONGEST = 300  # characters of a warning's text

_GLYPH = re.compile(r"^UserWarning: Glyph (\d+) |\[U\+([0-9a-fA-F]+)\]")
"""How matplotlib says that a font lacks a character, in plain text and in mathtext."""


@dataclass(frozen=True)
class Warned:
    """A warning: where it comes from, and its kind and text."""

    where: str
    text: str


class _Listener:
    """Takes each warning of this process; those of a drawing wait for the figure that is kept next."""

    def __init__(self, project: Project, *, drawing: bool) -> None:
        self.project = project
        self.engine = f"{project.shown(ENGINE)}/"
        self.drawing = drawing
        self.waiting: dict[Warned, None] = {}
        self.block: dict[Warned, None] = {}
        self.told: set[Warned] = set()

    def hear(self, text: str, file: str, line: int) -> None:
        found = Warned(self._where(file, line), " ".join(text.split())[:LONGEST])
        if self.drawing and len(self.waiting) < MOST:
            self.waiting[found] = self.block[found] = None
        elif not self.drawing and found not in self.told and len(self.told) < MOST:
            self.told.add(found)
            relay.send({"warned": ["", found.where, found.text]})

    def _where(self, file: str, line: int) -> str:
        """Return the line of the project that a warning names, else the one that was at work."""
        if shown := self._source(file):
            return f"{shown}:{line}"
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            if shown := self._source(frame.f_code.co_filename):
                return f"{shown}:{frame.f_lineno}"
            frame = frame.f_back
        parts = Path(file).parts
        after = [i + 1 for i, part in enumerate(parts) if part.endswith("-packages")]
        return f"{'/'.join(parts[after[-1] if after else -1 :])}:{line}"

    def _source(self, file: str) -> str:
        """Return how messages show a source of the project; empty for another file."""
        shown = self.project.shown(Path(file))
        is_elsewhere = shown.startswith(("/", "build/", self.engine)) or "-packages/" in shown
        return shown if shown.endswith(".py") and not is_elsewhere else ""


_listener: _Listener | None = None


def listen(project: Project, *, drawing: bool = False) -> None:
    """Tell of each warning of this process, and of those that it forks, from now on."""
    global _listener
    _listener = _Listener(project, drawing=drawing)
    shown = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], filename: str, lineno: int, *rest: Any) -> None:
        shown(message, category, filename, lineno, *rest)
        _hear(f"{category.__name__}: {message}", filename, lineno)

    warnings.showwarning = show  # type: ignore[assignment]
    if drawing:
        warnings.simplefilter("always", append=True)  # what others filter comes first
        _listen_to_matplotlib()


def _listen_to_matplotlib() -> None:
    """Take what matplotlib writes to its log, and print it as Python does where nobody has set up a log."""
    import logging  # each build imports this module, and this one takes milliseconds

    class Log(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage()
            print(text, file=sys.stderr)
            if "cache" not in text:  # that of fonts is this machine's
                _hear(text, record.pathname, record.lineno)

    logging.getLogger("matplotlib").addHandler(Log(logging.WARNING))


def _hear(text: str, file: str, line: int) -> None:
    if _listener is not None:
        try:
            _listener.hear(text, file, line)
        except Exception as error:  # a run must not fail by what is only told
            print(f"a warning cannot be told: {error}", file=sys.stderr)


@contextmanager
def during() -> Iterator[list[Warned]]:
    """Give the list of what is reported within the block, in a drawing."""
    found: list[Warned] = []
    if _listener is not None:
        _listener.block = {}
    yield found
    found += _listener.block if _listener is not None else ()


def unshown(found: Sequence[Warned]) -> list[str]:
    """Return the characters that no font of a figure has, by what matplotlib has said of them."""
    codes = (match for each in found for match in _GLYPH.finditer(each.text))
    return sorted(
        {chr(int(plain) if plain else int(code, 16)) for plain, code in (m.groups() for m in codes)}
    )


def tell(figure: str = "") -> None:
    """Tell what has waited in a drawing: it is about this figure, or about none."""
    if _listener is not None and _listener.waiting:
        for found in _listener.waiting:
            relay.send({"warned": [figure, found.where, found.text]})
        _listener.waiting.clear()


class Heard:
    """What the processes of one experiment have told, and how it is said in the end."""

    def __init__(self) -> None:
        self._by_figure: dict[str, dict[Warned, None]] = {}

    def hear(self, figure: str, where: str, text: str) -> None:
        """Take in a warning, which may have come before."""
        self._by_figure.setdefault(figure, {})[Warned(where, text)] = None

    def sentences(self, log: str) -> list[str]:
        """Return a sentence for each figure, and for what is about none: how many, the first one, where."""
        return [_sentence(figure, list(found), log) for figure, found in sorted(self._by_figure.items())]


def _sentence(figure: str, found: Sequence[Warned], log: str) -> str:
    about = f"figure {figure!r}: " if figure else ""
    first = f"{found[0].where}: {found[0].text}"
    if len(found) == 1:
        return f"{about}a warning at {first}"
    return f"{about}{len(found)} warnings, the first at {first} (all are in {log})"

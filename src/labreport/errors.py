"""The errors that a user can meet: each says what is wrong, where, and the cure."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

MOST_LINES = 12
"""The number of lines of a message; it says how many notes it leaves out."""

WIDEST_SOURCE = 100
"""The number of characters of a source line that a message shows."""

_ENGINE = Path(__file__).parent


@dataclass(frozen=True)
class Place:
    """Where in a user's file an error lies: lines and columns count from 1; `source` is the line's text."""

    file: str
    line: int | None = None
    column: int | None = None
    length: int = 1
    source: str | None = None

    def __str__(self) -> str:
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n is not None)]
        return ":".join(parts)


class LabreportError(Exception):
    """An error that is shown to the user as one message, never as a traceback."""

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        place: Place | None = None,
        cure: str | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        super().__init__(what)
        self.what = what
        self.place = place
        self.cure = cure
        self.notes = tuple(notes)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self, told: Callable[[str], str] = str) -> list[str]:
        """Return the message as lines: what, the place with its source line and a caret, notes, the cure.

        `told` edits each text, as masking does; it gets the whole text, before it is cut to a line.
        """
        head = [visible(told(self.what))]
        if self.place is not None:
            head += [f"  at {visible(told(str(self.place)))}", *_marked_source(self.place, told)]
        cure = [f"  cure: {visible(told(self.cure))}"] if self.cure else []
        notes = [f"  {visible(line)}" for note in self.notes for line in told(note).splitlines()]
        room = MOST_LINES - len(head) - len(cure)
        if len(notes) > room:
            notes = [*notes[: room - 1], f"  … ({len(notes) - room + 1} more lines)"]
        return [*head, *notes, *cure]


class UsageError(LabreportError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class InputError(LabreportError):
    """A file of the project (report.toml, a template, a result, a figure) is wrong."""

    exit_code = 3


class ExperimentError(LabreportError):
    """An experiment failed, hung, was killed, or its result is missing or out of date."""

    exit_code = 4


class LatexError(LabreportError):
    """LaTeX or BibTeX could not make the PDF."""

    exit_code = 5


class ToolError(LabreportError):
    """A program or a Python package that the build needs is missing."""

    exit_code = 6


class DiskError(LabreportError):
    """A file cannot be read or written: the disk is full or fails, or the system does not allow it."""

    exit_code = 74


class BusyError(LabreportError):
    """Another build works in the same folder, and holds its `lock`."""

    exit_code = 75

    def __init__(self, what: str, *, cure: str, lock: Path) -> None:
        super().__init__(what, cure=cure)
        self.lock = lock


class SeveralErrors(LabreportError):
    """Several errors that were found together."""

    def __init__(self, errors: Sequence[LabreportError]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = tuple(errors)
        self.exit_code = errors[0].exit_code

    def lines(self, told: Callable[[str], str] = str) -> list[str]:
        """Return all messages, one after the other."""
        return [line for error in self.errors for line in error.lines(told)]


def raise_all(errors: Sequence[LabreportError]) -> None:
    """Raise the error, or all of them as one; do nothing if there is none."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise SeveralErrors(errors)


def unforeseen(error: Exception) -> str:
    """Return what to say of an error that nobody expects: a mistake of labreport's."""
    import traceback  # some milliseconds, which only a mistake costs

    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_ENGINE)] or frames
    said = " ".join(traceback.format_exception_only(error)[-1].split())
    where = f" at {_shown(own[-1].filename)}:{own[-1].lineno}" if own else ""
    return f"labreport made a mistake{where}: {said}; please report it with this line"


# --------------------------------------------------------------------------------------------------- the disk

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


def is_of_disk(error: BaseException) -> TypeGuard[OSError]:
    """Return whether an error says that a file cannot be read or written, not that a process ended."""
    others = (ConnectionError, TimeoutError, ChildProcessError, ProcessLookupError)
    return isinstance(error, OSError) and _number(error) is not None and not isinstance(error, others)


def is_full(error: OSError) -> bool:
    """Return whether nothing more can be written because the disk, or what a user may have of it, is full."""
    return _number(error) in _FULL


def of_disk(error: OSError, folder: Path, shown: Callable[[Path], str] = str) -> DiskError:
    """Return what to say where the system cannot read or write a file.

    `folder` is where the build writes: what fails in the middle of a write has no name. `shown` returns a
    path as messages show it.
    """
    number, file = _number(error), _file(error)
    what = os.strerror(number) if number is not None else str(error)
    if is_full(error):
        place, free = min(((place, _free(place)) for place in _written(folder, file)), key=lambda p: p[1])
        return DiskError(
            f"no space left on {shown(place)}: {free:,} bytes free",
            cure="free some space and build again; what was finished is kept",
        )
    if number in _FORBIDDEN:
        cure = "make it readable and writable, or let the build write elsewhere: --build-dir DIR"
    else:
        cure = "look whether the disk is in order, and build again; what was finished is kept"
    return DiskError(f"{what}: {shown(file or folder)}", cure=cure)


def _number(error: OSError) -> int | None:
    """Return the number of an error of the system; shutil collects those of a folder as texts."""
    found = re.search(r"\[Errno (\d+)\]", str(error)) if error.errno is None else None
    return int(found[1]) if found else error.errno


def _file(error: OSError) -> Path | None:
    # where a file was to be moved, nobody knows the other name
    name = error.filename2 or error.filename
    return Path(os.fsdecode(name)) if isinstance(name, str | bytes) else None


def _written(folder: Path, file: Path | None) -> list[Path]:
    """Return the places of which one is full: the build's, or that of temporary files."""
    from labreport import scratch

    if file is None:
        return [folder, *[place for place in scratch.places() if place.is_dir()][:1]]
    return [folder if file.is_relative_to(folder) else file.parent]


def _free(folder: Path) -> int:
    """Return the bytes that a user may still write on the disk of a folder."""
    there = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    try:
        found = os.statvfs(there)
    except OSError:
        return 0
    return found.f_bavail * found.f_frsize


def _shown(file: str) -> str:
    path = Path(file)
    return path.relative_to(_ENGINE).as_posix() if path.is_relative_to(_ENGINE) else path.name


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return a cure for an unknown name: the near ones, else all of them."""
    import difflib  # some milliseconds, which only a mistake costs

    known = sorted(set(names) - {name})
    if not known:
        return "there is none to choose from"
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.55)
    if near:
        return "did you mean " + " or ".join(repr(n) for n in near) + "?"
    shown = ", ".join(known[:12]) + (f", … ({len(known) - 12} more)" if len(known) > 12 else "")
    return f"the names here are: {shown}"


def visible(text: str) -> str:
    """Return a text on one line, with control characters as their escapes."""
    # a text of the user's could move the cursor or change the colours of their terminal
    line = " ".join(text.split("\n"))
    return line if line.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def _marked_source(place: Place, told: Callable[[str], str]) -> list[str]:
    """Return the source line with a marker under the place; long lines are cut around it."""
    if place.source is None or place.line is None:
        return []
    text = "".join(c if c.isprintable() else " " if c == "\t" else "·" for c in told(place.source.rstrip()))
    column = place.column or 1
    start = max(0, min(column - 60, len(text) - WIDEST_SOURCE))
    shown = text[start : start + WIDEST_SOURCE]
    number = f"{place.line:>5}"
    out = [f"{number} | {shown}"]
    if place.column is not None:
        length = max(1, min(place.length, len(shown) + start - column + 1))
        out.append(f"{' ' * len(number)} | {' ' * (column - 1 - start)}{'^' * length}")
    return out

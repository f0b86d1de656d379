"""The files of a hand-in by their names in the zip, and what is wrong with some of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from labreport.errors import LabreportError

README = "README.txt"


class PackError(LabreportError):
    """The hand-in cannot be packed, or holds what must not be handed in."""

    exit_code = 7


@dataclass
class Contents:
    """What goes into the zip: the bytes by name, where they come from, and what was left out.

    `questions` maps each experiment to the question that it answers; `notices` are worth a look.
    """

    data: dict[str, bytes] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    refused: list[LabreportError] = field(default_factory=list)
    questions: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)

    def add(self, name: str, data: bytes, shown: str) -> None:
        """Add bytes under their name in the zip; messages call them `shown`."""
        self.data[name] = data
        self.shown[name] = shown

    def add_file(self, name: str, path: Path, shown: str) -> None:
        """Add a file under its name in the zip; anything but a regular file is refused."""
        # a link is not followed: it may name any file of this machine
        if path.is_symlink():
            what = f"{shown} is a symbolic link, which is not handed in"
            cure = "put the file itself in its place, or take the link out"
            self.refused.append(PackError(what, cure=cure))
        elif not path.is_file():
            what = f"{shown} is not a regular file"
            self.refused.append(PackError(what, cure="take it out of the project"))
        else:
            self.add(name, path.read_bytes(), shown)


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Return whether a path in the project has the form of a pattern; `**/` is any number of folders."""
    return any(re.fullmatch(_expression(pattern), name) for pattern in patterns)


@cache  # each name is compared with each pattern
def _expression(pattern: str) -> str:
    known = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return "".join(known.get(part) or re.escape(part) for part in re.split(r"(\*\*/|\*\*|\*|\?)", pattern))


def walk(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder, sorted, but for hidden ones and caches; links are not followed."""
    if folder.is_symlink():
        yield folder
    elif folder.is_dir():
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.name.startswith(".") or entry.name == "__pycache__":
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from walk(Path(entry.path))
            else:
                yield Path(entry.path)

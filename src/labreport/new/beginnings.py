"""Projects to begin with: the files that come with labreport, put into a new folder.

`project` holds what all kinds share: experiments, their data and code, sections, a notebook. `kinds` holds
what makes a kind: report.toml, and the document around the sections.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from labreport.config import CONFIG
from labreport.errors import UsageError
from labreport.project import refuse_names

HERE = Path(__file__).parent
KINDS = ("article", "assignment", "journal", "letter", "slides", "book")
"""What a first document can be."""


def create(folder: Path, kind: str = "article") -> None:
    """Make a project of a kind, whole or not at all, in a folder that is new or empty but for git's own.

    Raises UsageError if something else is there, TeX cannot work there, or the folder cannot be made.
    """
    folder = folder.absolute()
    refuse_names(folder)
    _refuse_what_is_there(folder)
    staged = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        for name, content in _files(kind).items():
            path = staged / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        folder.mkdir(exist_ok=True)
        # report.toml comes last: without it nothing here counts as a project
        for path in sorted(staged.iterdir(), key=lambda path: path.name == CONFIG):
            shutil.move(path, folder / path.name)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be made: {error.strerror}", cure="name a folder that you may write"
        ) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _files(kind: str) -> dict[str, bytes]:
    """Return the files of a project of a kind, by their paths in it."""
    found = {}
    for root in (HERE / "project", HERE / "kinds" / kind):
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            # modules end in .py.txt here, since they are none of labreport's; .gitignore would be obeyed here
            name = path.relative_to(root).as_posix().removesuffix(".txt")
            found[".gitignore" if name == "gitignore" else name] = path.read_bytes()
    return found


def _refuse_what_is_there(folder: Path) -> None:
    try:
        there = sorted(path.name for path in folder.iterdir() if path.name != ".git")
    except FileNotFoundError:
        return
    except NotADirectoryError as error:
        raise UsageError(f"{folder} is a file", cure="name a new folder") from error
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}", cure="name a new folder") from error
    if there:
        shown = ", ".join(there[:3]) + (" …" if len(there) > 3 else "")
        raise UsageError(
            f"{folder} is not empty: it holds {shown}", cure="name a new folder, or an empty one"
        )

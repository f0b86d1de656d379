r"""Whether TeX has read anything but its sources and its own trees, as its record of files tells.

kpathsea refuses most of it, but not `\pdfobj stream file`, which would print any file of this machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from labreport.documents.texlog import Problem

_FONTS = ("/usr/share/fonts/", "/usr/local/share/fonts/")
_NO_FILES = ("/dev/null",)


def outside(folder: Path, job: str) -> Iterator[Problem]:
    """Yield a problem for each file outside of the folder and of TeX's trees that a run has read."""
    record = folder / f"{job}.fls"
    if not record.is_file():
        return
    lines = record.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    for name in dict.fromkeys(line.removeprefix("INPUT ") for line in lines if line.startswith("INPUT ")):
        real = os.path.realpath(folder / name)
        if not (_is_below(real, os.path.realpath(folder)) or _is_of_tex(real) or _is_of_tex(name)):
            what = f"the document reads {name}, which lies outside of the project"
            yield Problem("outside", what, f"{job}.tex", key=name)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _is_of_tex(path: str) -> bool:
    """Return whether a path lies in a tree of TeX's, wherever that is, or is a font of the system."""
    if not path.startswith("/") or "/../" in path:
        return False
    in_tree = any(part.startswith("texmf") for part in path.split("/")[:-1])
    return in_tree or path.startswith(_FONTS) or path in _NO_FILES

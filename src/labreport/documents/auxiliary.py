"""What LaTeX leaves behind for its next pass, kept from one compilation to the next.

A document that starts from the auxiliary files of the last good compilation needs one pass where a new one
needs four, and gets the same bytes: passes go on until these files no longer change, from wherever they
start. Only files of a compilation that succeeded are kept, since others can make LaTeX fail for ever, and
only undamaged ones are used. A kept file that a pass reads but does not write again is of another document.

A document whose text depends on the page where it stands can settle in two ways. Then, and only then, the
bytes can differ from those of a new compilation: the document settles as it did before.
"""

from __future__ import annotations

import contextlib
import json
import posixpath
import shutil
from collections.abc import Collection
from pathlib import Path

from labreport.results import files, files_in

DIGESTS = "digests.json"
BY_OTHERS = (".bbl", ".blg", ".fdb_latexmk")
"""What BibTeX and latexmk write; these programs notice themselves when it is out of date."""
KEPT = (*BY_OTHERS, ".aux", ".loa", ".lof", ".lol", ".lot", ".nav", ".out", ".snm", ".toc")
"""The suffixes of what is kept. Other files that a document writes may change what it does the next time:
`filecontents` leaves a file that exists as it is."""


def keep(kept: Path, folder: Path, sources: Collection[Path]) -> None:
    """Keep what a successful compilation made beside its sources, in the place of what was kept before.

    Where nothing can be written, nothing is kept: the next compilation then takes longer.
    """
    digests = {}
    with contextlib.suppress(OSError):
        staged = files.stage(kept.parent)
        for path in made_in(folder, sources):
            if path.suffix in KEPT:
                name = path.relative_to(folder).as_posix()
                (staged / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, staged / name)
                digests[name] = files.checksum(path.read_bytes())
        (staged / DIGESTS).write_text(json.dumps(digests, indent=1), encoding="utf-8")
        files.replace_folder(kept, staged)


def lay(kept: Path, folder: Path) -> list[str]:
    """Copy the kept files beside the sources and return their names; none if one is damaged.

    A file that is among the sources now is a source, and stays.
    """
    try:
        digests = json.loads((kept / DIGESTS).read_bytes())
        if any(Path(name).is_absolute() or ".." in Path(name).parts for name in digests):
            return []
        whole = {name: (kept / name).read_bytes() for name in digests}
        if not whole or any(files.checksum(data) != digests[name] for name, data in whole.items()):
            return []
    except (OSError, ValueError, TypeError):
        return []
    laid = [name for name in whole if not (folder / name).exists()]
    for name in laid:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(whole[name])
    return laid


def are_stale(laid: Collection[str], record: str) -> bool:
    r"""Return whether the last pass read a file that was laid without writing it again.

    `record` are TeX's inputs and outputs. So it is after `\nofiles`, or where `\includeonly` leaves out.
    """
    lines = [line.partition(" ") for line in record.splitlines()]
    read, written = (
        {posixpath.normpath(name) for kind, _, name in lines if kind == wanted}
        for wanted in ("INPUT", "OUTPUT")
    )
    return any(name in read - written for name in laid if not name.endswith(BY_OTHERS))


def made_in(folder: Path, sources: Collection[Path]) -> list[Path]:
    """Return the files in a folder that are not its sources."""
    return [path for path in files_in(folder) if path not in sources]

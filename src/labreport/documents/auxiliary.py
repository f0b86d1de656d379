"""What LaTeX leaves behind for its next pass, kept from one compilation to the next.

A document that starts from the auxiliary files of the last good compilation needs one pass where a new one
needs four, and gets the same bytes: passes go on until these files no longer change, from wherever they
start. Only files of a compilation that succeeded are kept, since others can make LaTeX fail for ever, and
only whole ones are used.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection
from pathlib import Path

from labreport.results import files, files_in

DIGESTS = "digests.json"
NO_INPUT = (".pdf", ".synctex", ".log", ".fls")
"""What a compilation writes and never reads; logs hold paths of the scratch folder, too."""


def keep(kept: Path, folder: Path, sources: Collection[Path]) -> None:
    """Keep what a successful compilation made beside its sources, in the place of what was kept before."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    staged = files.stage(kept.parent)
    digests = {}
    for path in made_in(folder, sources):
        if path.suffix not in NO_INPUT:
            name = path.relative_to(folder).as_posix()
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, staged / name)
            digests[name] = files.checksum(path.read_bytes())
    (staged / DIGESTS).write_text(json.dumps(digests, indent=1), encoding="utf-8")
    files.replace_folder(kept, staged)


def lay(kept: Path, folder: Path) -> bool:
    """Copy the kept files beside the sources; False, and no copy, if there are none or one is damaged.

    A file that is among the sources now is a source, and stays.
    """
    try:
        digests = json.loads((kept / DIGESTS).read_bytes())
        if any(Path(name).is_absolute() or ".." in Path(name).parts for name in digests):
            return False
        whole = {name: (kept / name).read_bytes() for name in digests}
        if not whole or any(files.checksum(data) != digests[name] for name, data in whole.items()):
            return False
    except (OSError, ValueError, TypeError):
        return False
    for name, data in whole.items():
        target = folder / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    return True


def made_in(folder: Path, sources: Collection[Path]) -> list[Path]:
    """Return the files in a folder that are not its sources."""
    return [path for path in files_in(folder) if path not in sources]

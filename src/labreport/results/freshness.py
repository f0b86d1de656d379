"""Whether something that was made is what would be made now; if not, why, in words.

The report, the notebooks and the hand-in are compared by the same means as results: their inputs are a
fingerprint, and `changes` names what changed. What was made also counts: what somebody edited by hand is
made again. A record that cannot be read counts as none, and is never an error: making something again is
always right.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport.config import CONFIG
from labreport.errors import LabreportError
from labreport.project import ENGINE
from labreport.results import files
from labreport.results.fingerprint import Fingerprint, changes, of_kind
from labreport.results.strict_json import seal, unseal

if TYPE_CHECKING:
    from labreport.project import Project

SCHEMA = 2


@dataclass(frozen=True)
class Record:
    """What something was made from, and what it consists of.

    `outputs` are the digests of its files, by their paths in the build folder. `found` names those inputs
    that only came to light while it was made, such as the sources of excerpts; `facts` are what else its
    maker wants to know the next time.
    """

    inputs: Fingerprint
    outputs: Mapping[str, str]
    found: tuple[str, ...] = ()
    facts: Mapping[str, str | int] = field(default_factory=dict)


def inputs(project: Project, paths: Iterable[Path]) -> Fingerprint:
    """Return the fingerprint of files by their shown paths; those that do not exist are left out."""
    folders: dict[str, str] = {}
    digests = ((path, digest(path)) for path in dict.fromkeys(paths))
    return of_kind("input", {project.shown(path, folders): found for path, found in digests if found})


def settings(project: Project) -> Fingerprint:
    """Return the fingerprint of report.toml as this process read it: an edit since then is a change."""
    shown = project.shown(project.root / CONFIG)
    known = {} if project.source is None else {shown: files.checksum(project.source)}
    return of_kind("input", known)


def outputs(project: Project, paths: Iterable[Path]) -> dict[str, str]:
    """Return the digests of files that were made, by their paths in the build folder."""
    return {path.relative_to(project.build).as_posix(): digest(path) for path in paths}


def reasons(project: Project, product: Path, record: Record | None, now: Fingerprint) -> list[str]:
    """Return why a product must be made again, in words; empty if it is up to date.

    `now` is the fingerprint that it would have if it were made now.
    """
    if record is None:
        return ["no record of what it was made from" if product.is_file() else "never made"]
    touched = [name for name, known in record.outputs.items() if digest(project.build / name) != known]
    damaged = [f"{project.shown(project.build / name)} is missing or was changed by hand" for name in touched]
    return [*damaged, *_changes(record.inputs, now, f"{project.shown(ENGINE)}/")]


def _changes(then: Fingerprint, now: Fingerprint, engine: str) -> list[str]:
    """Return what changed; several files of labreport, as a new version has them, are one reason."""
    ours = [part for part in then.parts.keys() | now.parts.keys() if part.name.startswith(engine)]
    count = sum(then.parts.get(part) != now.parts.get(part) for part in ours)
    if count < 2:
        return changes(then, now)
    return [*changes(then.without(ours), now.without(ours)), f"labreport changed ({count} files)"]


def digest(path: Path) -> str:
    """Return the digest of a file's bytes; empty if there is no such file."""
    try:
        return files.digest(path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return ""


def files_in(folder: Path) -> list[Path]:
    """Return all files below a folder, sorted, without hidden and compiled ones."""
    return [Path(path) for path in sorted(_below(str(folder)), key=lambda path: path.split("/"))]


def _below(folder: str) -> Iterator[str]:
    """Yield the files below a folder that can be listed; links to files count, those to folders do not."""
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            if entry.name != "__pycache__":
                yield from _below(entry.path)
        elif not entry.name.startswith(".") and os.path.isfile(entry.path):  # noqa: PTH113 -- half the time
            yield entry.path


def read(path: Path, facts: Mapping[str, type] | None = None) -> Record | None:
    """Return the record in a file, with facts of these names and types; None if there is none to believe."""
    try:
        record = _parsed(path.read_bytes())
    except (OSError, LabreportError, ValueError, LookupError):
        return None
    return record if {name: type(value) for name, value in record.facts.items()} == (facts or {}) else None


@lru_cache(maxsize=16)  # several steps of a build ask for the same records
def _parsed(data: bytes) -> Record:
    return _record(unseal(data, "the record", cure="make it again"))


def write(path: Path, record: Record) -> None:
    """Write a record whole or not at all."""
    plain = {
        "schema": SCHEMA,
        "inputs": record.inputs.plain(),
        "outputs": dict(record.outputs),
        "found": list(record.found),
        "facts": dict(record.facts),
    }
    files.write(path, seal(plain))


def _record(plain: Mapping[str, Any]) -> Record:
    """Return the record in parsed JSON; ValueError or LookupError if it is none."""
    made, found, facts = plain["outputs"], plain["found"], plain["facts"]
    texts = isinstance(found, list) and all(isinstance(name, str) for name in found)
    if plain["schema"] != SCHEMA or not (_is_text_table(made) and texts and isinstance(facts, dict)):
        raise ValueError("not a record of this version")
    return Record(Fingerprint.parse(plain["inputs"]), made, tuple(found), facts)


def _is_text_table(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())

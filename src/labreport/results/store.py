"""Older results and drawings, kept so that what was computed once is not computed again.

Before a result or a drawing is replaced, a copy of its files goes into the store. When a parameter, an edit
or a branch is switched back, the copy is found and restored, byte for byte.

    build/store/<experiment>/<phase>/<key>-<fingerprint>/{entry.json, the files}

A result is looked up as ccache looks up an object file, because part of what it depends on comes to light
only while it is made: the key is a digest of what is always known before (parameters; for a drawing, the
experiment's own result), and each entry with that key holds its whole fingerprint. The caller says what that
fingerprint would be now; the entry is right if it is the same.

Only the holder of the build's lock writes here. An entry appears whole, by a rename; what a kill leaves of
one, `sweep` removes. Digests of all files are checked before an entry is used; one that is damaged counts as
missing. The size is bounded: what was not used for the longest time goes first.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport.errors import LabreportError
from labreport.results import files, variants
from labreport.results.fingerprint import Fingerprint, Part
from labreport.results.results import FIGURES, RESULT, RUN, recorded_drawing, recorded_run
from labreport.results.strict_json import digest, seal, unseal

if TYPE_CHECKING:
    from labreport.project import Project

SCHEMA = 1
ENTRY = "entry.json"


@dataclass(frozen=True)
class Entry:
    """A stored result or drawing whose files were found to be what was stored.

    `name` is that of the result that it may replace; an experiment and its variants have one store.
    `content` is what dependents see of a result, None for a drawing; `data` are the bytes of its files.
    """

    folder: Path
    name: str
    phase: str
    fingerprint: Fingerprint
    content: str | None
    data: Mapping[str, bytes] = field(repr=False)


def keep(project: Project, name: str, phase: str) -> None:
    """Put the present result ("run") or drawing ("draw") of an experiment into the store.

    Nothing is kept if there is none, if it is damaged, or if it is bigger than the whole store may be. Raises
    OSError where nothing can be written.
    """
    recorded = recorded_run(project, name) if phase == "run" else recorded_drawing(project, name)
    if isinstance(recorded, str):
        return
    data = {path.name: path.read_bytes() for path in _live(project, name, phase)}
    plain: dict[str, Any] = {
        "schema": SCHEMA,
        "experiment": variants.experiment(name),
        "phase": phase,
        "fingerprint": recorded.fingerprint.plain(),
        "content": getattr(recorded, "content", None),
        "files": {file: files.checksum(content) for file, content in data.items()},
    }
    entry = seal(plain)
    target = _place(project, name, phase, recorded.fingerprint)
    if sum(map(len, data.values())) + len(entry) > project.config.most_stored:
        return
    if not _holds(target / ENTRY, entry):
        _write(target, {**data, ENTRY: entry})
    _use(target)


def find(
    project: Project,
    name: str,
    phase: str,
    known: Fingerprint,
    now: Callable[[Fingerprint], Fingerprint],
    damaged: Callable[[Path], None] = lambda _: None,
) -> Entry | None:
    """Return the stored result or drawing that a run or draw would give now; None if there is none.

    `known` are the parts of the fingerprint that are known before: each right entry has them all. `now`
    returns the fingerprint that an entry with the given one would have today. `damaged` is given the folder
    of each entry that cannot be used.
    """
    place = project.store / variants.experiment(name) / phase
    for folder in sorted(place.glob(f"{_key(name, known)}-*")):
        if _disagrees(folder, known):
            continue
        record = _record(folder)
        if record is not None:
            then: Fingerprint = record["fingerprint"]
            if now(then).parts != then.parts:
                continue
            data = _data(folder, record)
            if data is not None:
                return Entry(folder, name, phase, then, record["content"], data)
        damaged(folder)
    return None


def kept(project: Project, name: str, phase: str) -> Iterator[Entry]:
    """Yield all stored results or drawings of an experiment that can be used, whatever they depend on."""
    for folder in sorted((project.store / name / phase).glob("[!.]*")):
        record = _record(folder)
        data = None if record is None else _data(folder, record)
        if record is not None and data is not None:
            yield Entry(folder, name, phase, record["fingerprint"], record["content"], data)


def restore(project: Project, entry: Entry) -> None:
    """Put a stored result or drawing in the place of the present one, and note that it was used."""
    folder = project.results / entry.name
    if entry.phase == "run":
        for name in (RESULT, RUN):  # the record last, as when it was published
            files.write(folder / name, entry.data[name])
    else:
        _write(folder / FIGURES, entry.data)
    with contextlib.suppress(OSError):
        _use(entry.folder)


def forget(folder: Path) -> None:
    """Remove an entry, as far as the system lets us."""
    with contextlib.suppress(OSError):
        files.discard(folder)


def trim(project: Project) -> None:
    """Remove the entries that were not used for the longest time, until the rest is within the bound."""
    entries = sorted((_last_used(folder), files.size(folder), folder) for folder in folders(project))
    excess = sum(taken for _, taken, _ in entries) - project.config.most_stored
    for _, taken, folder in entries:
        if excess > 0:
            forget(folder)
            excess -= taken


def folders(project: Project) -> Iterator[Path]:
    """Yield the folder of each entry, good or damaged."""
    for folder in sorted(project.store.glob("*/*/*")):
        if not folder.name.startswith(files.TEMPORARY):
            yield folder


def is_damaged(folder: Path) -> bool:
    """Return whether the folder of an entry does not hold what was stored in it."""
    record = _record(folder)
    return record is None or _data(folder, record) is None


# ---------------------------------------------------------------------------------------------------- entries


def _live(project: Project, name: str, phase: str) -> list[Path]:
    """Return the files of the present result or drawing."""
    folder = project.results / name
    return [folder / RESULT, folder / RUN] if phase == "run" else sorted((folder / FIGURES).iterdir())


def _place(project: Project, name: str, phase: str, fingerprint: Fingerprint) -> Path:
    own = variants.experiment(name)
    return project.store / own / phase / f"{_key(name, fingerprint)}-{fingerprint.digest[:32]}"


def _key(name: str, fingerprint: Fingerprint) -> str:
    """Return the digest of those parts that are known before a run or draw, whatever it will read."""
    own = Part("result", variants.experiment(name))
    fixed = {str(p): value for p, value in fingerprint.parts.items() if p.kind == "parameter" or p == own}
    return digest(fixed)[:16]


def _disagrees(folder: Path, known: Fingerprint) -> bool:
    """Return whether an entry lacks a known part; False if it cannot be read, which `_record` will find.

    To check a seal takes ten times as long as to read the JSON, and a hundred edits leave a hundred entries.
    """
    try:
        recorded = json.loads((folder / ENTRY).read_bytes())["fingerprint"]
        return not known.plain().items() <= recorded.items()
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False


def _record(folder: Path) -> dict[str, Any] | None:
    """Return what an entry says of itself, with its fingerprint parsed; None if that cannot be believed."""
    place = (SCHEMA, folder.parent.parent.name, folder.parent.name)
    try:
        record = unseal((folder / ENTRY).read_bytes(), ENTRY, cure="run again")
        if (record["schema"], record["experiment"], record["phase"]) != place:
            return None
        return {**record, "fingerprint": Fingerprint.parse(record["fingerprint"])}
    except (OSError, LabreportError, LookupError, ValueError):
        return None


def _data(folder: Path, record: Mapping[str, Any]) -> dict[str, bytes] | None:
    """Return the bytes of an entry's files; None if one is missing or not what was stored."""
    try:
        data = {name: (folder / name).read_bytes() for name in record["files"]}
    except OSError:
        return None
    return data if {name: files.checksum(b) for name, b in data.items()} == record["files"] else None


def _holds(path: Path, data: bytes) -> bool:
    """Return whether an entry is there already, as it would be written."""
    try:
        return path.read_bytes() == data and not is_damaged(path.parent)
    except OSError:
        return False


def _write(target: Path, data: Mapping[str, bytes]) -> None:
    """Replace a folder by one with these files, whole or not at all."""
    staged = files.stage(target.parent)
    try:
        for name, content in data.items():
            (staged / name).write_bytes(content)
        files.replace_folder(target, staged)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _use(folder: Path) -> None:
    # the time is given: the system's own stamps are too coarse to tell what was used one after the other
    now = time.time_ns()
    os.utime(folder / ENTRY, ns=(now, now))


def _last_used(folder: Path) -> int:
    try:
        return (folder / ENTRY).stat().st_mtime_ns
    except OSError:
        return 0  # an entry that nobody can use goes first

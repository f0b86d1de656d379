"""What a hand-in would give away: secrets, paths of this machine, the names of its user and of itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from labreport.documents import readback
from labreport.errors import LabreportError, Place
from labreport.handin import secrets
from labreport.handin.cleared import Cleared
from labreport.handin.contents import Contents, PackError
from labreport.handin.known import Known, known
from labreport.project import CHECKOUT, Project

_CURES = {
    "secret": "take it out and revoke it: whoever has it can use it",
    "path": "print names of files relative to the project, or only their last part; then build again",
    "name": "take it out, then build again",
}
_HARMLESS = "if it is harmless, list it under `[submission] allow` of report.toml"


def leaks(project: Project, contents: Contents, pdfs: Mapping[str, bytes]) -> list[LabreportError]:
    """Return what the files of a hand-in and its PDFs give away, with file and line, without the values.

    Raises InputError if a PDF cannot be read.
    """
    cleared = Cleared(project, _known(project))
    found: list[LabreportError] = [
        _leak(cleared.masked(contents.shown[name]), finding)
        for name, data in sorted(contents.data.items())
        for finding in _in_file(name, data, cleared)
    ]
    for name, pdf in pdfs.items():
        shown = project.shown(project.build / name)
        readback.read(pdf, shown)  # what cannot be read cannot be searched
        found += [_leak(shown, finding) for finding in cleared.search(pdf)]
    cleared.save()
    return found


def leaks_of_packed(project: Project, files: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Return what files that are handed in already give away: where, and what, without the values."""
    cleared = Cleared(project, _known(project))
    return [
        (cleared.masked(name) + (f":{finding.line}" if finding.line else ""), f"it gives away {finding}")
        for name, data in sorted(files.items())
        for finding in _in_file(name, data, cleared)
    ]


def note_searched(project: Project) -> None:
    """Note that the hand-in, as it lies there, was searched for all that must not be in it."""
    cleared = Cleared(project, _secret(project))
    cleared.note(_as_one(project))
    cleared.save()


def is_searched(project: Project) -> bool:
    """Return whether the hand-in, as it lies there, was searched for what must not be in it by now."""
    return Cleared(project, _secret(project)).is_noted(_as_one(project))


def masking() -> Callable[[str], str]:
    """Return a function that masks in a text what this machine knows as a secret, or looks like one."""
    return partial(secrets.masked, looked_for=known([], names={}))


def _as_one(project: Project) -> bytes:
    """Return bytes that differ where a file of the hand-in differs."""
    files = sorted(path for path in project.submission.iterdir() if path.is_file())
    return repr([(path.name, hashlib.sha256(path.read_bytes()).digest()) for path in files]).encode()


def _in_file(name: str, data: bytes, cleared: Cleared) -> Iterator[secrets.Finding]:
    yield from cleared.search(data)
    for finding in cleared.search(name.encode("utf-8", "surrogateescape")):
        yield secrets.Finding(finding.kind, finding.what, inside="in the name of the file")


def _secret(project: Project) -> Known:
    """Return what is secret on this machine: of hand-ins, only that decides whether one is searched anew."""
    return replace(known(_folders(project), names={}), paths=())


def _folders(project: Project) -> list[Path]:
    # where labreport is installed, Python's own folder covers it
    return sorted({project.root, CHECKOUT or project.root})


def _known(project: Project) -> Known:
    return known(
        _folders(project),
        allowed=project.config.submission.get("allow", []),
        authors=project.config.authors,
    )


def _leak(shown: str, finding: secrets.Finding) -> PackError:
    what = f"{shown} would give away {finding}"
    return PackError(what, place=Place(shown, finding.line), cure=f"{_CURES[finding.kind]}; {_HARMLESS}")

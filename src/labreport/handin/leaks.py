"""What a hand-in would give away: secrets, paths of this machine, the names of its user and of itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labreport.documents import readback
from labreport.errors import LabreportError, Place
from labreport.handin import secrets
from labreport.handin.cleared import Cleared
from labreport.handin.contents import Contents, PackError
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
        _leak(contents.shown[name], finding)
        for name, data in sorted(contents.data.items())
        for finding in cleared.search(data)
    ]
    for name, pdf in pdfs.items():
        found += _leaks_of_report(project.shown(project.build / name), pdf, cleared)
    cleared.save()
    return found


def _leaks_of_report(shown: str, pdf: bytes, cleared: Cleared) -> Iterable[LabreportError]:
    """Return what the report gives away: in its bytes and streams, or in the text that one reads."""
    found = {f.what: _leak(shown, f) for f in cleared.search(pdf)}
    read = readback.read(pdf, shown)
    texts = {"its metadata": "\n".join(read.metadata.values())}
    texts |= {f"page {number}": text for number, text in enumerate(read.pages, 1)}
    # in a stream a word is cut into pieces to set its letters apart; on the page it is whole again
    for where, text in texts.items():
        for f in cleared.search(text.encode("utf-8", "replace")):
            found.setdefault(f.what, _leak(f"{shown}, {where}", secrets.Finding(f.kind, f.what)))
    return found.values()


def _known(project: Project) -> secrets.Known:
    # where labreport is installed, Python's own folder covers it
    folders = {project.root, CHECKOUT or project.root}
    return secrets.known(
        sorted(folders),
        allowed=project.config.submission.get("allow", []),
        authors=project.config.authors,
    )


def _leak(shown: str, finding: secrets.Finding) -> PackError:
    what = f"{shown} would give away {finding}"
    return PackError(what, place=Place(shown, finding.line), cure=f"{_CURES[finding.kind]}; {_HARMLESS}")

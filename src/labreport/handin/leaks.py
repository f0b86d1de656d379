"""What a hand-in would give away: secrets, paths of this machine, the names of its user and of itself."""

from __future__ import annotations

import io

from labreport.errors import LabreportError, Place
from labreport.handin import secrets
from labreport.handin.contents import Contents, PackError
from labreport.project import CHECKOUT, Project

_CURES = {
    "secret": "take it out and revoke it: whoever has it can use it",
    "path": "print names of files relative to the project, or only their last part; then build again",
    "name": "take it out, then build again",
}
_HARMLESS = "if it is harmless, list it under `[submission] allow` of report.toml"


def leaks(project: Project, contents: Contents) -> list[LabreportError]:
    """Return what the files of a hand-in give away, with file and line, without the values."""
    known = _known(project)
    return [
        _leak(contents.shown[name], finding)
        for name, data in sorted(contents.data.items())
        for finding in secrets.search(data, known)
    ]


def leaks_of_report(project: Project, pdf: bytes) -> list[LabreportError]:
    """Return what the report gives away: in its bytes and streams, or in the text that one reads."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    known = _known(project)
    shown = project.shown(project.pdf)
    found = {f.what: _leak(shown, f) for f in secrets.search(pdf, known)}
    try:
        reader = PdfReader(io.BytesIO(pdf))
        texts = {"its metadata": "\n".join(map(str, (reader.metadata or {}).values()))}
        texts |= {f"page {number}": page.extract_text() for number, page in enumerate(reader.pages, 1)}
    except (PyPdfError, ValueError, LookupError) as error:
        what = f"{shown} cannot be read back: {type(error).__name__}"
        raise PackError(what, cure="delete it, then build again") from error
    # in a stream a word is cut into pieces to set its letters apart; on the page it is whole again
    for where, text in texts.items():
        for f in secrets.search(text.encode("utf-8", "replace"), known):
            found.setdefault(f.what, _leak(f"{shown}, {where}", secrets.Finding(f.kind, f.what)))
    return list(found.values())


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

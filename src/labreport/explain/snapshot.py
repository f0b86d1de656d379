"""A snapshot: what a report says and stands on, as plain data, so that two of them can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport.config import JOB
from labreport.documents import provenance
from labreport.errors import InputError
from labreport.explain.record import damage

if TYPE_CHECKING:
    from labreport.project import Project


PLACE = ("template", "line")
FIELDS = {
    "printed": ("text", "value", "keys", "expression", "column", *PLACE),
    "claims": ("name", "verdict", "sentence", *PLACE),
    "excerpts": ("name", "column", *PLACE),
}
"""What is read of the entries of a record, by the lists that hold them."""


@dataclass(frozen=True)
class Snapshot:
    """A report as it was rendered; `name` says which one, `sources` is the folder of its LaTeX and figures.

    `record` is its provenance with what stands behind it, `text` its LaTeX. Of figures that are not in
    `sources` the twins lie in `others`. `job` is the name of its LaTeX.
    """

    name: str
    record: Mapping[str, Any]
    text: str
    sources: Path | None = None
    others: Path | None = None
    job: str = JOB

    @property
    def printed(self) -> Sequence[Mapping[str, Any]]:
        """The printed values, in the order of the text."""
        found: Sequence[Mapping[str, Any]] = self.record["printed"]
        return found

    def behind(self, kind: str) -> Any:
        """Return what is recorded of a kind behind the report: `noise`, `parameters`, `figures`, …"""
        return self.record.get("background", {}).get(kind, {})

    def listed(self, kind: str) -> Sequence[Mapping[str, Any]]:
        """Return the claims, or what else the record lists; empty in records that know no such list."""
        found: Sequence[Mapping[str, Any]] = self.record.get(kind, ())
        return found

    @property
    def prose(self) -> Sequence[tuple[str, int, str]]:
        """The lines that were typed, each after its template and its line there."""
        return [(template, line, text) for template, line, text in self.behind("prose")]

    def picture(self, file: str) -> Path | None:
        """Return the PDF of a figure, by its name in the sources; None if it is not there any more."""
        folders = [folder for folder in (self.sources, self.others) if folder is not None]
        return next((folder / file for folder in folders if (folder / file).is_file()), None)


def published(project: Project) -> Snapshot | None:
    """Return the report that was published last; None if there is none."""
    return read(project, "the published report", project.provenance, project.latex)


def before(project: Project) -> Snapshot | None:
    """Return the published report that the last one took the place of; None if there is none."""
    folder = project.previous
    name = "the report published before"
    return read(project, name, folder / project.provenance.name, folder / "latex", project.latex)


def read(
    project: Project, name: str, record: Path, sources: Path, others: Path | None = None
) -> Snapshot | None:
    """Return the snapshot in a record and the sources that were published with it; None if there is none.

    Raises InputError if the record is damaged.
    """
    try:
        plain = provenance.read(record)
        text = (sources / f"{project.job}.tex").read_text(encoding="utf-8")
        _check(plain)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, LookupError, TypeError) as error:
        again = f", then make the report again: `{project.command('pdf')}`"
        # what was published before is not made again
        cure = "delete it" + (again if record == project.provenance else "; or name a folder or a revision")
        raise InputError(f"{project.shown(record)} cannot be read: {damage(error)}", cure=cure) from error
    return Snapshot(name, plain, text, sources, others, project.job)


def _check(plain: Mapping[str, Any]) -> None:
    """Raise ValueError, LookupError or TypeError if a record does not have the form that is read here."""
    if not isinstance(plain["printed"], list):
        raise ValueError("it lists no printed values")
    for kind, fields in FIELDS.items():
        for entry in plain.get(kind, ()):
            for name in fields:
                entry[name]
    background = plain.get("background", {})
    if not isinstance(background, dict) or not all(isinstance(v, dict | list) for v in background.values()):
        raise ValueError("what stands behind the report is not told by names")

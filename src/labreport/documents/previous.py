"""The report that was published before the present one: record and sources, kept to compare them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labreport.documents import provenance
from labreport.project import PROVENANCE
from labreport.results import freshness

if TYPE_CHECKING:
    from labreport.project import Project

LATEX = "latex"


def differs(project: Project, sources: Path, record: Path) -> bool | None:
    """Return whether sources or record of the published report differ from the new ones; None without one."""
    old = (project.provenance, project.latex / f"{project.job}.tex")
    new = (record, sources / f"{project.job}.tex")
    if not (provenance.is_whole(old[0]) and old[1].is_file()):
        return None  # the rest of a build that was killed tells nothing, nor does what was changed by hand
    return any(a.read_bytes() != b.read_bytes() for a, b in zip(old, new, strict=True))


def stage(project: Project, sources: Path, folder: Path) -> None:
    """Move the published record and sources to a new folder, without the figures that `sources` have, too."""
    folder.mkdir()
    project.provenance.rename(folder / PROVENANCE)
    project.latex.rename(folder / LATEX)
    for path in freshness.files_in(folder / LATEX):
        name = path.relative_to(folder / LATEX)
        if path.suffix == ".pdf" and freshness.digest(path) == freshness.digest(sources / name):
            path.unlink()

"""The report that was published before the present one: record and sources, kept to compare them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from labreport.project import PROVENANCE
from labreport.results import freshness

if TYPE_CHECKING:
    from labreport.project import Project

LATEX = "latex"


def differs(project: Project, sources: Path, record: Path) -> bool | None:
    """Return whether sources or record of the published report differ from the new ones; None without one."""
    old = (project.provenance, project.latex / f"{project.job}.tex")
    new = (record, sources / f"{project.job}.tex")
    published = freshness.read(project.state)
    if published is None or not freshness.outputs(project, old).items() <= published.outputs.items():
        return None  # the rest of a build that was killed tells nothing, nor does what was changed by hand
    return any(a.read_bytes() != b.read_bytes() for a, b in zip(old, new, strict=True))


def stage(project: Project, sources: Path, folder: Path) -> None:
    """Copy the published record and sources to a new folder, without the figures that `sources` have, too."""
    folder.mkdir()
    shutil.copyfile(project.provenance, folder / PROVENANCE)
    for path in freshness.files_in(project.latex):
        name = path.relative_to(project.latex)
        if path.suffix != ".pdf" or freshness.digest(path) != freshness.digest(sources / name):
            (folder / LATEX / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / LATEX / name)

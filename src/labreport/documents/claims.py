"""The claims of all documents, joined in one record: build/claims.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labreport.documents import cells, notebooks, provenance

if TYPE_CHECKING:
    from pathlib import Path

    from labreport.project import Project

SCHEMA = 1


def out_of_date(project: Project) -> bool:
    """Return whether a document was made since the claims were joined, or their record is damaged."""
    made = [path.stat().st_mtime_ns for path in _records(project).values() if path.is_file()]
    joined = project.claims.stat().st_mtime_ns if project.claims.is_file() else -1
    return max(made, default=-1) > joined or not provenance.is_whole(project.claims)


def join(project: Project) -> tuple[tuple[str, bool], ...]:
    """Write the claims of all documents that are there, in their order.

    Return the verdict of each, and whether the text for it is printed.
    """
    claims: list[dict[str, Any]] = []
    for document, path in _records(project).items():
        if path.is_file():
            claims += ({"document": document, **claim} for claim in provenance.read(path)["claims"])
    provenance.write(project.claims, {"schema": SCHEMA, "claims": claims})
    return tuple((claim["verdict"], claim["said"]) for claim in claims)


def _records(project: Project) -> dict[str, Path]:
    """Return where the provenance of each document is recorded, by its name."""
    woven = {f"{cells.FOLDER}/{n}": notebooks.provenance_path(project, n) for n in notebooks.names(project)}
    return {each.job: each.provenance for each in project.documents} | woven

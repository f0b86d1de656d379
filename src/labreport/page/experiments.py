"""Experiments on the page: the question of each, with what its result was made, and who uses that."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import PurePath
from typing import TYPE_CHECKING

from labreport.page.numbers import exact

if TYPE_CHECKING:
    from labreport.explain import Origin
    from labreport.page.code import Code
    from labreport.page.things import Plain
    from labreport.project import Project

DIGEST = 12
"""So many digits of a result's digest are shown: enough to compare it by eye."""

MAIN = "build_report.py"


def command(project: Project) -> str:
    """Return what a reader types to build the project: its main file, or the installed program."""
    return f"python {MAIN}" if (project.root / MAIN).is_file() else "labreport"


def told(project: Project, origin: Origin, drawn: Origin, code: Code) -> Plain:
    """Return where the result of an experiment comes from; its code, and what drew its figures, is shown."""
    result = project.shown(project.results / origin.experiment / "result.json")
    again = f"{command(project)} run {origin.experiment}{' --quick' if project.quick else ''}"
    return {
        "question": origin.question,
        "file": origin.file,
        "parameters": [exact(asdict(each)) | {"is_default": each.is_default} for each in origin.parameters],
        "code": code.add(origin.code),
        "draw_code": code.add(drawn.code),
        "results": list(origin.results),
        "read": [_inside(name) for name in origin.read],
        "versions": dict(origin.versions),
        "needed_by": list(origin.needed_by),
        "rerun": again,
        "result": result,
        "digest": origin.run.result[:DIGEST] if origin.run else None,
    }


def _inside(part: str) -> str:
    """Return a part of a fingerprint as the page names it: of what lies outside the project, the name."""
    kind, _, name = part.partition(" ")
    return f"{kind} {PurePath(name).name}" if PurePath(name).is_absolute() else part

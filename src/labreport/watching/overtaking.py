"""Whether an edit overtakes a build: what it makes at the moment would come out another way now.

While experiments run, that is a question to their fingerprints: a training goes on while somebody writes on
the text, or on code that it does not reach. What is rendered is made again after any edit of what it may be
made from; what follows the PDF gives way to any edit, since somebody waits for the next PDF.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from labreport.config import CONFIG
from labreport.errors import LabreportError
from labreport.project import ENGINE
from labreport.results import Fingerprint, Sources, recorded_drawing, recorded_run

if TYPE_CHECKING:
    from labreport.project import Project

Work = tuple[str, str]
"""An experiment, and what of it is at work: "run" or "draw"."""
Inputs = dict[Work, Fingerprint]
"""What work depends on, and what that depends on which it uses."""


class Stage:
    """How far a build has come: "planning", "experiments", "report" or "the rest", and what is at work."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.name = "planning"
        self.has_worked = False
        self._working: dict[Work, Inputs | None] = {}

    def begin(self, experiment: str, phase: str) -> None:
        """Note that work on an experiment begins, and what it depends on."""
        self.name, self.has_worked = "experiments", True
        self._working[experiment, phase] = _inputs(self.project, experiment, phase)

    def end(self, experiment: str, phase: str) -> None:
        """Note that work on an experiment has ended."""
        self._working.pop((experiment, phase), None)

    def is_overtaken(self, changed: Collection[str]) -> bool:
        """Return whether what the build makes at the moment depends on one of these files."""
        # the settings and the code of the build itself were read when it began
        if any(path == str(self.project.root / CONFIG) or _is_below(path, ENGINE) for path in changed):
            return True
        if self.name == "experiments":
            return any(_inputs(self.project, *work) != then for work, then in self._working.items())
        if self.name == "report":
            return not all(_is_below(path, self.project.templates / "notebooks") for path in changed)
        return True


def _is_below(path: str, folder: Path) -> bool:
    return path.startswith(f"{folder}/")


def _inputs(project: Project, experiment: str, phase: str) -> Inputs | None:
    """Return what work on an experiment depends on outside of the build; None if a declaration is wrong."""
    sources = Sources(project)
    found: Inputs = {}
    queue = [(experiment, "run"), (experiment, phase)]
    try:
        while queue:
            work = queue.pop()
            if work not in found:
                found[work] = _fingerprint(project, sources, *work)
                queue += [(need, "run") for need in sources.declaration(work[0]).needs]
    except LabreportError:
        return None
    return found


def _fingerprint(project: Project, sources: Sources, experiment: str, phase: str) -> Fingerprint:
    params = sources.declaration(experiment).values(quick=project.quick)
    recorded = (recorded_run if phase == "run" else recorded_drawing)(project, experiment)
    seen = {} if isinstance(recorded, str) else recorded.fingerprint.parts
    return sources.observed(seen) | sources.fingerprint(experiment, phase, params, {})

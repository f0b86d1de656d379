"""What a build hands back and tells: an outcome for each step, a plan, what was cleaned away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from labreport.events import Event

if TYPE_CHECKING:
    from labreport.checks import Verdict
    from labreport.documents import Made, Woven
    from labreport.handin import Submission
    from labreport.leftovers import Leftover
    from labreport.page import Made as MadePage
    from labreport.running import Step


@dataclass(frozen=True)
class Experiments:
    """How many experiments there are, which of them ran or drew, or were restored, and how long that took.

    `seconds` is None if nothing was out of date.
    """

    total: int
    ran: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True)
class Report:
    """The document that was made, None if it was up to date; `seconds` have passed since the build began."""

    pdf: Path
    made: Made | None
    seconds: float


@dataclass(frozen=True)
class Changed:
    """What changed in a document since it was last made, in one line; None if it was not, or not made now."""

    pdf: Path
    summary: str | None


@dataclass(frozen=True)
class Notebooks:
    """All notebooks of the project, including those that were up to date."""

    woven: tuple[Woven, ...]


@dataclass(frozen=True)
class Claims:
    """The verdicts of the claims of all documents, and whether each is said; None if no document was made."""

    verdicts: tuple[tuple[str, bool], ...] | None


@dataclass(frozen=True)
class Asked:
    """What the build asks of the author: a line for each paragraph that must be read, with the cure."""

    notices: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """The page that was made; None if it was up to date, or could not be made, as the notices say."""

    path: Path
    made: MadePage | None
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Annotated:
    """A document with its values in colour: how many of them are, and of how many."""

    pdf: Path
    coloured: int
    values: int


@dataclass(frozen=True)
class Packed:
    """The hand-in that was packed; None if it was up to date."""

    submission: Submission | None


@dataclass(frozen=True)
class Checked:
    """The verdict of each check on the hand-in."""

    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class Built:
    """What `make_all` made, step by step; a step that was not taken is None.

    `reports`, `changed` and `pages` have an entry for each document.
    """

    experiments: Experiments
    reports: tuple[Report, ...]
    changed: tuple[Changed, ...]
    notebooks: Notebooks
    claims: Claims
    asked: Asked
    pages: tuple[Page, ...]
    packed: Packed | None = None
    checked: Checked | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether everything was up to date."""
        experiments, claims = self.experiments.seconds, self.claims.verdicts
        documents = (*(each.made for each in self.reports), *(each.made for each in self.pages))
        steps = (experiments, claims, self.checked, *documents)
        woven = any(notebook.is_made for notebook in self.notebooks.woven)
        return not woven and all(made is None for made in steps)


@dataclass(frozen=True)
class Plan:
    """What a build would do: a step for each experiment, and why the documents would be made again.

    `reports` and `pages` say so by the file. `handin` says why the hand-in would be packed again, as far as
    that is known before the documents are made; None for a quick build, which packs nothing.
    """

    experiments: tuple[Step, ...]
    reports: Mapping[Path, Sequence[str]]
    notebooks: Stale
    pages: Mapping[Path, Sequence[str]]
    handin: tuple[str, ...] | None


@dataclass(frozen=True)
class Cleaned:
    """What nothing referred to; `removed` says whether it is gone, or was only looked for."""

    leftovers: tuple[Leftover, ...]
    removed: bool


Done = Experiments | Report | Changed | Notebooks | Claims | Asked | Page | Annotated | Packed | Checked
"""What the sink of events is given at the end of a step."""

Events = Callable[[Event | Done], None]
D = TypeVar("D", bound=Done)
Stale = Mapping[str, Sequence[str]]  # by name: why it is out of date


def told(events: Events, done: D) -> D:
    """Return what a step has made, after telling it."""
    events(done)
    return done

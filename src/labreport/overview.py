"""What `plan` prints: a table of what is out of date and why, and what a build would take."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labreport.events import brief
from labreport.progress import shown_seconds

if TYPE_CHECKING:
    from labreport.outcomes import Plan
    from labreport.project import Project
    from labreport.running import Step

HEAD = ("what", "state", "last time", "why")
INDENT = "    "
MOST_NAMED = 3


@dataclass(frozen=True)
class Row:
    """A line of the table: an experiment or a document, its state and the reasons."""

    what: str
    state: str
    last_time: str
    reasons: tuple[str, ...]


def rows(project: Project, planned: Plan) -> list[Row]:
    """Return a row for each experiment, then for each PDF, notebook and page, and for the hand-in."""
    experiments = [
        Row(s.experiment, s.state, shown_seconds(s.last_seconds), s.reasons) for s in planned.experiments
    ]
    before = _after(experiments, "experiments")
    documents = [_document(project.shown(path), why, before) for path, why in planned.reports.items()]
    documents += [_document(f"notebook {name}", why, before) for name, why in planned.notebooks.items()]
    before = before or _after(documents, "documents")
    documents += [_document(project.shown(path), why, before) for path, why in planned.pages.items()]
    if planned.handin is not None:
        documents.append(_document(project.shown(project.submission), planned.handin, before))
    return [*experiments, *documents]


def _after(found: Sequence[Row], what: str) -> str:
    """Return after which of the rows something comes, in words; nothing if all of them are fresh."""
    stale = [row.what for row in found if row.state != "fresh"]
    if not stale:
        return ""
    return f"after {', '.join(stale) if len(stale) <= MOST_NAMED else f'{len(stale)} {what}'}"


def _document(what: str, reasons: Sequence[str], before: str) -> Row:
    if before:
        return Row(what, "after", "", (before,))
    return Row(what, "stale" if reasons else "fresh", "", tuple(reasons))


def table(found: Sequence[Row], width: int | None = None) -> list[str]:
    """Return the rows as lines in columns; those of a terminal have a `width`.

    There, only the first of many reasons are shown, below the row if they do not fit beside it.
    """
    cells = [HEAD[:-1], *((row.what, row.state, row.last_time) for row in found)]
    reasons = ["why", *("; ".join(row.reasons) if width is None else brief(row.reasons) for row in found)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row, why in zip(cells, reasons, strict=True):
        left = "  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True))
        line = f"{left}  {why}".rstrip()
        if width is None or len(line) <= width:
            lines.append(line)
        else:
            below = textwrap.wrap(why, max(width - len(INDENT), 1), break_on_hyphens=False)
            lines += [left.rstrip(), *(INDENT + part for part in below)]
    return lines


def details(step: Step) -> list[str]:
    """Return all that is known of an experiment's step: its state, and every reason on a line of its own."""
    last = f" (last time {shown_seconds(step.last_seconds)})" if step.last_seconds is not None else ""
    return [f"{step.experiment}: {step.state}{last}", *(f"  {reason}" for reason in step.reasons)]


def summary(steps: Sequence[Step]) -> str:
    """Return in one line how many experiments a build would run, and how long that took the last time."""
    found = Counter((step.state, step.phase if step.state == "stale" else "") for step in steps)
    counted = [(found[key], words) for key, words in _WORDS.items() if found[key]]
    all_of_them = f"{len(steps)} experiment{'' if len(steps) == 1 else 's'}"
    if not counted:
        return f"no experiment would run: {all_of_them} up to date"
    (count, words), *others = counted
    said = [f"{count} of {all_of_them} {words}", *(f"{count} {words}" for count, words in others)]
    took = _took(steps)
    return ", ".join(said) + (f": {took}" if took else "")


_WORDS = {
    ("stale", "run"): "would run",
    ("stale", "draw"): "would only draw",
    ("maybe", ""): "may run after those",
    ("stored", ""): "would be restored from the store",
}


def _took(steps: Sequence[Step]) -> str:
    """Return how long a build would take if everything took as long as the last time."""
    costs = {state: [s.cost for s in steps if s.state == state] for state in ("stale", "maybe")}
    known = {state: [c for c in of if c is not None] for state, of in costs.items()}
    surely, perhaps = sum(known["stale"]), sum(known["maybe"])
    unknown = sum(map(len, costs.values())) - sum(map(len, known.values()))
    said = [f"about {shown_seconds(surely)}"] if known["stale"] else []
    said += [f"up to {shown_seconds(surely + perhaps)}"] if known["maybe"] else []
    said += [f"{unknown} unknown" if said else "how long is unknown"] if unknown else []
    return ", ".join(said)

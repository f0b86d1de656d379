"""Which experiments are out of date, why, and in what order they run.

An experiment runs again if, in this order: there is no good result; a part of its fingerprint changed; a
result that it needs came out different. It draws again if it ran with a different result, or if a part of its
drawing's fingerprint changed. What it needs is settled first; if that comes out equal, it stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labreport.errors import (
    InputError,
    LabreportError,
    Place,
    SeveralErrors,
    UsageError,
    did_you_mean,
    raise_all,
)
from labreport.results import (
    Declaration,
    Fingerprint,
    Sources,
    changes,
    last_seconds,
    of_kind,
    recorded_drawing,
    recorded_run,
    with_settings,
)

if TYPE_CHECKING:
    from labreport.project import Project

Settings = Mapping[str, Mapping[str, str]]  # experiment, parameter, text


@dataclass(frozen=True)
class Step:
    """What there is to do for one experiment, and why.

    `phase` is "run" (and then to draw what came out different) or "draw"; `state` is "fresh", "stale", or
    "maybe" where it depends on what another run gives.
    """

    experiment: str
    phase: str
    state: str
    reasons: tuple[str, ...]
    last_seconds: float | None

    @property
    def may_run(self) -> bool:
        """Return whether its result may change."""
        return self.phase == "run" and self.state != "fresh"


def plan(project: Project, settings: Settings | None = None) -> list[Step]:
    """Return a step for each experiment, those that are needed first.

    Raises
    ------
    InputError, SeveralErrors
        An experiment's declaration is wrong, or experiments need each other in a cycle.
    UsageError
        `settings` names an unknown experiment or parameter, or a text of the wrong type.

    """
    book = Book(project, settings or {})
    steps: dict[str, Step] = {}
    for name in book.order:
        steps[name] = _step(book, name, [n for n in book.declared[name].needs if steps[n].may_run])
    book.sources.save()
    return list(steps.values())


def _step(book: Book, name: str, pending: Sequence[str]) -> Step:
    """Return what to do for an experiment while `pending`, which it needs, may still come out different."""
    seconds = {phase: last_seconds(book.project, name, phase) for phase in ("run", "draw")}
    whole = None if seconds["run"] is None else seconds["run"] + (seconds["draw"] or 0.0)
    reasons = book.run_reasons(name, unsettled=pending)
    if reasons:
        return Step(name, "run", "stale", tuple(reasons), whole)
    if pending:
        return Step(name, "run", "maybe", (f"after {', '.join(pending)}",), whole)
    drawing = [f"figures: {reason}" for reason in book.draw_reasons(name)]
    if drawing:
        return Step(name, "draw", "stale", tuple(drawing), seconds["draw"])
    return Step(name, "run", "fresh", (), whole)


class Book:
    """What the project's experiments declare, and what their stored results depend on."""

    def __init__(self, project: Project, settings: Settings) -> None:
        self.project = project
        self.sources = Sources(project)
        self.declared = self._declared(settings)
        self.order = _ordered(self.declared)
        self.params = {name: d.values(quick=project.quick) for name, d in self.declared.items()}

    def _declared(self, settings: Settings) -> dict[str, Declaration]:
        names = self.project.experiment_names()
        errors: list[LabreportError] = [
            UsageError(f"there is no experiment {name!r}", cure=did_you_mean(name, names))
            for name in settings
            if name not in names
        ]
        declared = {}
        for name in names:
            try:
                declared[name] = with_settings(self.sources.declaration(name), settings.get(name, {}))
            except LabreportError as error:
                errors += error.errors if isinstance(error, SeveralErrors) else [error]
        errors += [
            InputError(
                f"report.toml sets a deadline for {name!r}, which does not exist",
                place=Place("report.toml"),
                cure=did_you_mean(name, names),
            )
            for name in self.project.config.deadlines
            if name not in names
        ]
        raise_all(errors)
        return declared

    def contents(self, names: Iterable[str]) -> dict[str, str]:
        """Return the digests of stored contents; of a result that is missing or damaged, the reason."""
        runs = {name: recorded_run(self.project, name) for name in names}
        return {name: run if isinstance(run, str) else run.content for name, run in runs.items()}

    def of_run(self, name: str, like: Fingerprint | None = None) -> Fingerprint:
        """Return the fingerprint that a run would have now, if it read what one with another has read.

        Without `like` it is what can be told before a run.
        """
        needs = self.contents(self.declared[name].needs)
        return self._as_seen(self.sources.fingerprint(name, "run", self.params[name], needs), like)

    def of_drawing(self, name: str, used: Iterable[str], like: Fingerprint | None = None) -> Fingerprint:
        """Return the fingerprint that a drawing would have now if it used these results; see `of_run`."""
        needs = self.contents({name, *used})
        return self._as_seen(self.sources.fingerprint(name, "draw", self.params[name], needs), like)

    def known(self, name: str, phase: str) -> Fingerprint:
        """Return what the last run or drawing has read without its being declared, as it is now."""
        recorded = (recorded_run if phase == "run" else recorded_drawing)(self.project, name)
        return (
            Fingerprint() if isinstance(recorded, str) else self.sources.observed(recorded.fingerprint.parts)
        )

    def _as_seen(self, declared: Fingerprint, like: Fingerprint | None) -> Fingerprint:
        # what is declared stands for itself: a file of READS is of the same kind as one that was only seen
        return declared if like is None else self.sources.observed(like.parts) | declared

    def run_reasons(self, name: str, unsettled: Iterable[str] = ()) -> list[str]:
        """Return why an experiment must run, whatever the unsettled results come out to be."""
        run = recorded_run(self.project, name)
        if isinstance(run, str):
            return [run]
        # what may yet come out equal is no reason: it counts with the content that this run used
        used = run.fingerprint.named("result")
        as_before = of_kind("result", {need: used[need] for need in unsettled if need in used})
        return changes(run.fingerprint, self.of_run(name, run.fingerprint) | as_before)

    def draw_reasons(self, name: str) -> list[str]:
        """Return why an experiment must draw."""
        if not self.declared[name].has_draw:
            return []
        drawing = recorded_drawing(self.project, name)
        if isinstance(drawing, str):
            return [drawing]
        known = drawing.fingerprint.named("result")
        used = [need for need in self.declared[name].needs if need in known]
        return changes(drawing.fingerprint, self.of_drawing(name, used, drawing.fingerprint))


def _ordered(declared: Mapping[str, Declaration]) -> list[str]:
    """Return the names so that each comes after those that it needs; InputError shows a cycle."""
    order: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            cycle = " -> ".join([*path[path.index(name) :], name])
            what = f"experiments need each other: {cycle}"
            place = Place(f"experiments/{path[-1]}.py")
            raise InputError(what, place=place, cure="take one of them out of NEEDS")
        if name not in order:
            for need in declared[name].needs:
                visit(need, (*path, name))
            order.append(name)

    for name in sorted(declared):
        visit(name, ())
    return order

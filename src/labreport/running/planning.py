"""Which experiments are out of date, why, and in what order they run.

An experiment runs again if, in this order: there is no good result; a part of its fingerprint changed; a
result that it needs came out different. It draws again if it ran with a different result, or if a part of its
drawing's fingerprint changed. What it needs is settled first; if that comes out equal, it stays as it is.
What is out of date may have been computed before: then it is in the store, and is restored instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    store,
    variants,
    with_settings,
)

if TYPE_CHECKING:
    from labreport.project import Project

Settings = Mapping[str, Mapping[str, str]]  # experiment, parameter, text


@dataclass(frozen=True)
class Step:
    """What there is to do for one experiment, and why.

    `phase` is "run" (and then to draw what came out different) or "draw"; `state` is "fresh", "stale" (it
    must run or draw), "maybe" where that depends on what another run gives, or "stored" where the store has
    all that is out of date. `last_seconds` is how long the phase took last time, `cost` how long the step
    takes if it takes as long again; None where that is not known.
    """

    experiment: str
    phase: str
    state: str
    reasons: tuple[str, ...]
    last_seconds: float | None
    cost: float | None

    @property
    def may_run(self) -> bool:
        """Return whether its result may change to one that is not known yet."""
        return self.phase == "run" and self.state in ("stale", "maybe")


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
    if reasons and (pending or not book.expect_stored(name)):
        return Step(name, "run", "stale", tuple(reasons), whole, whole)
    if pending:
        return Step(name, "run", "maybe", (f"after {', '.join(pending)}",), whole, whole)
    drawing = [f"figures: {reason}" for reason in book.draw_reasons(name)]
    why = (*reasons, *drawing)
    if drawing and not book.stored(name, "draw"):
        return Step(name, "draw", "stale", why, seconds["draw"], seconds["draw"])
    if why:
        return Step(name, "run" if reasons else "draw", "stored", why, whole, 0.0)
    return Step(name, "run", "fresh", (), whole, 0.0)


class Book:
    """What the project's experiments declare, and what their stored results depend on."""

    def __init__(self, project: Project, settings: Settings) -> None:
        self.project = project
        self.sources = Sources(project)
        self.declared = self._declared(settings)
        self.params = {name: d.values(quick=project.quick) for name, d in self.declared.items()}
        self._add_variants()
        self.order = _ordered(self.declared)
        self.expected: dict[str, str] = {}  # the contents of results that a build would restore

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

    def _add_variants(self) -> None:
        """Add each variant: an experiment of its own, but for the code; `--set` leaves it as it is."""
        for name in list(self.declared):
            declared = self.sources.declaration(name)
            for differing in declared.variants:
                variant = variants.named(name, variants.address(differing))
                self.declared[variant] = declared
                self.params[variant] = {**declared.values(quick=self.project.quick), **differing}

    def with_variants(self, names: Sequence[str], settings: Settings) -> list[str]:
        """Return names with the variants of each experiment whose parameters are not set otherwise."""
        bases = {name for name in names if name not in settings}
        return [*names, *(n for n in self.order if variants.MARK in n and variants.experiment(n) in bases)]

    def contents(self, names: Iterable[str]) -> dict[str, str]:
        """Return the digests of stored contents; of a result that is missing or damaged, the reason."""
        return {name: self.expected.get(name) or self._content(name) for name in names}

    def _content(self, name: str) -> str:
        run = recorded_run(self.project, name)
        return run if isinstance(run, str) else run.content

    def of_run(self, name: str, params: Mapping[str, Any] | None = None) -> Fingerprint:
        """Return what can be told of the fingerprint that a run would have now, with these parameters."""
        needs = self.contents(self.declared[name].needs)
        return self.sources.fingerprint(name, "run", self.params[name] if params is None else params, needs)

    def of_drawing(self, name: str, used: Iterable[str]) -> Fingerprint:
        """Return what can be told of the fingerprint that a drawing would have now, if it used these."""
        return self.sources.fingerprint(name, "draw", self.params[name], self._used(name, used))

    def _used(self, name: str, used: Iterable[str]) -> dict[str, str]:
        """Return the contents that a drawing uses; that of a variant counts as the experiment's own."""
        own = self.contents((name,))[name]
        return self.contents(used) | {variants.experiment(name): own}

    def known(self, name: str, phase: str) -> Fingerprint:
        """Return what the last run or drawing has read without its being declared, as it is now."""
        recorded = (recorded_run if phase == "run" else recorded_drawing)(self.project, name)
        if isinstance(recorded, str):
            return Fingerprint()
        return self.sources.observed(recorded.fingerprint.parts)

    def run_reasons(self, name: str, unsettled: Iterable[str] = ()) -> list[str]:
        """Return why an experiment must run, whatever the unsettled results come out to be."""
        run = recorded_run(self.project, name)
        if isinstance(run, str):
            return [run]
        # what may yet come out equal is no reason: it counts with the content that this run used
        used = run.fingerprint.named("result")
        as_before = of_kind("result", {need: used[need] for need in unsettled if need in used})
        return changes(run.fingerprint, self.run_now(name, run.fingerprint) | as_before)

    def draw_reasons(self, name: str) -> list[str]:
        """Return why an experiment must draw."""
        if not self.declared[name].has_draw:
            return []
        drawing = recorded_drawing(self.project, name)
        if isinstance(drawing, str):
            return [drawing]
        return changes(drawing.fingerprint, self._drawing_now(name, drawing.fingerprint))

    def stored(
        self, name: str, phase: str, damaged: Callable[[Path], None] = lambda _: None
    ) -> store.Entry | None:
        """Return what the store holds of that which a run or draw would give now; None if nothing fits.

        `damaged` is given the folder of each entry that cannot be used.
        """
        known = self.of_run(name) if phase == "run" else self.of_drawing(name, ())
        now = self.run_now if phase == "run" else self._drawing_now
        return store.find(self.project, name, phase, known, partial(now, name), damaged)

    def expect_stored(self, name: str) -> bool:
        """Return whether a run would be restored; from then on its content counts as that of the result."""
        entry = self.stored(name, "run")
        if entry is not None and entry.content is not None:
            self.expected[name] = entry.content
        return name in self.expected

    def run_now(
        self, name: str, recorded: Fingerprint, params: Mapping[str, Any] | None = None
    ) -> Fingerprint:
        """Return the fingerprint that a run would have now if it read what a recorded one has read."""
        return self._as_seen(self.of_run(name, params), recorded)

    def _drawing_now(self, name: str, recorded: Fingerprint) -> Fingerprint:
        """Return the fingerprint that a drawing would have now if it used what a recorded one has used."""
        known = recorded.named("result")
        used = [need for need in self.declared[name].needs if need in known]
        return self._as_seen(self.of_drawing(name, used), recorded)

    def _as_seen(self, declared: Fingerprint, recorded: Fingerprint) -> Fingerprint:
        # what is declared stands for itself: a file of READS is of the same kind as one that was only seen
        return self.sources.observed(recorded.parts) | declared


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

"""Origins: for an experiment, what made its result, from the records that the run left."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from labreport.errors import LabreportError
from labreport.explain.definitions import Definition, Definitions
from labreport.results import (
    FIGURES,
    RUN,
    Fingerprint,
    Run,
    declaration,
    recorded_drawing,
    recorded_run,
    variants,
)

if TYPE_CHECKING:
    from labreport.project import Project

DRAWING = f"{FIGURES}/figures.json"
MODULES = ("module", "file", "folder", "variable", "program")


@dataclass(frozen=True)
class Parameter:
    """A parameter with which an experiment ran, and its default now; None where there is no default."""

    name: str
    value: Any
    default: Any

    @property
    def is_default(self) -> bool:
        """Whether the default was used; JSON knows lists only, a declaration tuples only."""
        return bool(json.dumps(self.value) == json.dumps(self.default))


@dataclass(frozen=True)
class Origin:
    """Where the result of an experiment comes from.

    `code` are the functions, classes and methods that made it, those that `run` names first; `parts` is how
    many pieces of code its fingerprint holds in all. `results` are the results that it uses, `read` the files
    and the like; `needed_by` are the experiments that use it. `run` is None if nothing is recorded.
    """

    experiment: str
    question: str
    file: str
    parameters: tuple[Parameter, ...]
    code: tuple[Definition, ...]
    parts: int
    results: tuple[str, ...]
    read: tuple[str, ...]
    versions: Mapping[str, str]
    needed_by: tuple[str, ...]
    run: Run | None


class Origins:
    """The origins of a project's results; each is read when it is asked for."""

    def __init__(self, project: Project, definitions: Definitions | None = None) -> None:
        self.project = project
        self.definitions = definitions or Definitions(project)
        self._declarations: dict[str, tuple[str, dict[str, Any]]] = {}

    def of(self, name: str, phase: str = "run", *, most: int | None = None) -> Origin:
        """Return where the result of an experiment comes from, or with the phase "draw" its figures.

        `most` bounds the number of functions that are looked up, each in its file.
        """
        file = f"experiments/{variants.experiment(name)}.py"
        if name not in self._declarations:
            self._declarations[name] = self._declared(name)
        question, defaults = self._declarations[name]
        run = self._run(name)
        drawing = recorded_drawing(self.project, name) if phase == "draw" else ""
        used = run.fingerprint if run else Fingerprint()
        made = used if isinstance(drawing, str) else drawing.fingerprint
        values = {key: json.loads(value) for key, value in used.named("parameter").items()}
        names = sorted(values, key=[*defaults, *values].index)
        code = made.named("code")
        return Origin(
            experiment=name,
            question=question,
            file=file,
            parameters=tuple(Parameter(key, values[key], defaults.get(key)) for key in names),
            code=tuple(islice(self._definitions(file, phase, code), most)),
            parts=len(code),
            results=tuple(made.named("result")),
            read=tuple(f"{part.kind} {part.name}" for part in made.parts if part.kind in MODULES),
            versions=made.named("version"),
            needed_by=tuple(sorted(n for n, needs in self._needs.items() if name in needs)),
            run=run,
        )

    def _run(self, name: str) -> Run | None:
        run = recorded_run(self.project, name)
        return run if isinstance(run, Run) else None

    def _declared(self, name: str) -> tuple[str, dict[str, Any]]:
        """Return an experiment's question and the defaults of its parameters, as it is declared now."""
        path = self.project.experiments / f"{variants.experiment(name)}.py"
        try:
            data = path.read_bytes()
            shown = self.project.shown(path)
            tree = declaration.parse(data, shown)
            declared = declaration.read(tree, declaration.Source(data, shown), name)
        except (
            OSError,
            LabreportError,
        ):  # it is gone or being edited: its result can be explained all the same
            return "", {}
        return declared.question, declared.values(quick=self.project.quick)

    def _definitions(self, file: str, phase: str, code: Iterable[str]) -> Iterator[Definition]:
        """Yield the definitions among pieces of code, first those that the experiment names, in its order."""
        near = {name: place for place, name in enumerate(self.definitions.used_by(file, phase))}

        def rank(piece: str) -> tuple[bool, bool, int, str]:
            name, _, method = piece.partition(":")[2].partition(".")
            return piece != f"{file}:{phase}", bool(method), near.get(name, len(near)), piece

        # what is no definition, such as the name of an import, is in no file's lines
        yield from filter(None, map(self.definitions.find, sorted(code, key=rank)))

    @cached_property
    def _needs(self) -> dict[str, frozenset[str]]:
        """The results that each experiment used when it ran."""
        names = variants.names(self.project)
        return {name: frozenset(recorded(self.project, name).named("result")) for name in names}


def recorded(project: Project, name: str, phase: str = "run") -> Fingerprint:
    """Return the fingerprint of the last good "run" or "draw" of an experiment; empty if there is none.

    It is taken as it stands in its record: to check that with all that it vouches for takes ten times longer.
    """
    folder = project.results / name
    try:
        plain = json.loads((folder / (RUN if phase == "run" else DRAWING)).read_bytes())
        return Fingerprint.parse(plain["fingerprint"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return Fingerprint()

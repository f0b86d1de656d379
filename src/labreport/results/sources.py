"""The sources of a project, read once: what experiments declare, and their fingerprints."""

from __future__ import annotations

import ast
import json
import os
import sys
from collections.abc import Iterable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport import modules, surroundings
from labreport.errors import InputError, Place, UsageError, did_you_mean, raise_all
from labreport.modules import Module
from labreport.results import declaration as declarations
from labreport.results import (
    observed,
    packages,
    pieces,
    plain,
    reach,
    references,
    resolving,
    syntax,
    variants,
    versions,
)
from labreport.results.cache import Cache
from labreport.results.declaration import Declaration, Setting
from labreport.results.files import checksum
from labreport.results.fingerprint import OBSERVED, Fingerprint, Part, of_kind
from labreport.results.packages import Packages
from labreport.results.pieces import ModuleFacts
from labreport.results.reach import reached, reached_from
from labreport.results.references import ANYTHING, References
from labreport.results.results import SCHEMA
from labreport.results.strict_json import digest
from labreport.results.syntax import experiment_facts, module_facts

if TYPE_CHECKING:
    from labreport.project import Project

ENGINE = "labreport"
DRAWS_WITH = "matplotlib"
EXPERIMENTS = "experiments"

ROOTS = {"run": ("run", "Params"), "draw": ("draw",)}


class Sources:
    """The source files of a project, each read once: a snapshot from which all fingerprints are taken.

    What a file's syntax tells is a function of its bytes, and is kept in build/cache under their digest; a
    cache that is missing, damaged or of another version costs time and nothing else.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._bytes: dict[Path, bytes | None] = {}
        self._found: dict[str, Module | None] = {}
        self._facts: dict[Path, ModuleFacts] = {}
        self._own: dict[str, bool] = {}
        self.executed: resolving.Executed = {}
        self._installed: tuple[Packages, dict[str, str]] | None = None
        self._observed: dict[Part, str] = {}
        made_by = (
            syntax,
            declarations,
            versions,
            packages,
            observed,
            references,
            plain,
            reach,
            resolving,
            pieces,
        )
        self._cache = Cache(project.build / "cache" / "syntax.json", made_by)
        self._by_times = partial(self._cache.remember, again=project.rehash)

    def declaration(self, name: str) -> Declaration:
        """Return what an experiment declares.

        Raises
        ------
        UsageError
            There is no such experiment.
        InputError, SeveralErrors
            Its syntax or its declarations are wrong, it needs an unknown experiment, or it reads something
            that is not a file of the project.

        """
        facts = self._experiment(name)["declaration"]
        names = self._names
        errors = [self._unknown_need(name, need, names) for need in facts["needs"] if need not in names]
        raise_all([*errors, *filter(None, (self._unreadable(name, file) for file in facts["reads"]))])
        return Declaration(
            name=name,
            question=facts["question"],
            needs=tuple(facts["needs"]),
            reads=tuple(facts["reads"]),
            params={
                key: Setting(kind, ast.literal_eval(text)) for key, (kind, text) in facts["params"].items()
            },
            quick={key: ast.literal_eval(text) for key, text in facts["quick"].items()},
            has_draw=facts["has_draw"],
            variants=tuple(
                {key: ast.literal_eval(text) for key, text in each.items()} for each in facts["variants"]
            ),
        )

    def fingerprint(
        self, name: str, phase: str, params: Mapping[str, Any], needs: Mapping[str, str]
    ) -> Fingerprint:
        """Return the fingerprint of an experiment's "run" or "draw".

        `needs` maps the results that are used to the digests of their contents. For "draw" the experiment's
        own result is one of them, and `params` count as part of that.

        Raises
        ------
        InputError
            A module that the experiment reaches is not valid Python.

        """
        code = self._code(name, phase)
        foreign = {*code["foreign"]}
        # a micro release of Python only corrects errors: it must not make a reader train everything again
        fixed = {"schema": str(SCHEMA), "python": f"{sys.version_info.major}.{sys.version_info.minor}"}
        out = Fingerprint({Part(kind): value for kind, value in fixed.items()})
        out |= of_kind("code", code["code"])
        out |= of_kind("result", needs)
        out |= of_kind("file", self._digests(self._experiment(name)["declaration"]["reads"]))
        if phase == "run":
            out |= of_kind("parameter", {key: json.dumps(value) for key, value in params.items()})
        else:
            foreign.add(DRAWS_WITH)  # the figure is saved by labreport, whose own imports do not count
            out |= of_kind("style", self._digests([self.label(self.project.style)]))
        return out | self.versions(foreign)

    def versions(self, modules: Iterable[str]) -> Fingerprint:
        """Return the versions of the packages that provide top-level modules, the files of those without."""
        if self._installed is None:
            path = packages.import_path()
            self._installed = Packages(path, self._by_times), versions.installed(path)
        found, known = self._installed
        digests, rest = found.unreleased(modules)
        numbers = versions.versions(rest, known, self._cache.remember)
        return of_kind("package", digests) | of_kind("version", numbers)

    def observed(self, parts: Iterable[Part]) -> Fingerprint:
        """Return what a run would see now of what another has seen: the parts of the kinds `OBSERVED`.

        Other parts are left out. A part that cannot be found has a value that says so.
        """
        seen = [part for part in parts if part.kind in OBSERVED]
        for part in seen:
            if part not in self._observed:
                self._observed[part] = self._now(part)
        return Fingerprint({part: self._observed[part] for part in seen})

    def _now(self, part: Part) -> str:
        """Return the digest, or the short value, of one thing that was observed."""
        path = f"{self.project.root}/{observed.read_back(part.name)}"
        if part.kind == "file":
            return observed.file(path, self._by_times)
        if part.kind == "folder":
            return observed.folder(Path(path))
        if part.kind == "variable":
            return observed.variable(part.name, {**os.environ, **surroundings.for_experiments()})
        if part.kind == "program":
            return observed.program(part.name, self._by_times)
        return self._whole(part.name)

    def _whole(self, name: str) -> str:
        """Return the digest of a module as a whole, with all that it imports, whole as well."""
        roots = self._roots
        path = next((root / name for root in roots if (root / name).is_file()), None)
        if path is None or path.suffix != ".py":
            return observed.file(path or self.project.root / name)
        root = max((root for root in roots if path.is_relative_to(root)), key=lambda root: len(root.parts))
        module = Module(path, ".".join(path.relative_to(root).parent.parts))
        try:
            # what nobody names can be used in any way
            found = reached_from(self, module, (), [(module, References(computed=ANYTHING))])
        except InputError:  # it was valid when it was imported
            return observed.file(path)
        code = {self.label(path, label): sha for (path, label), sha in found.code.items()}
        return digest({**code, **self.versions(found.foreign).plain()})

    def _digests(self, names: Iterable[str]) -> dict[str, str]:
        """Return the digests of those of the project's files that exist."""
        read = {name: self.read(self.project.root / name) for name in names}
        return {name: checksum(data) for name, data in read.items() if data is not None}

    def imported_by(self, name: str, phase: str) -> set[Path]:
        """Return the project's modules that an experiment's "run" or "draw" imports, as its syntax tells."""
        return {Path(path) for path in self._code(name, phase)["imported"]}

    def save(self) -> None:
        """Keep what was learned from syntax, for the next time."""
        self._cache.save()

    def _experiment(self, name: str) -> dict[str, Any]:
        if name in self._names and not name.isidentifier():
            better = "".join(c if c.isidentifier() or c.isdigit() else "_" for c in name)
            raise InputError(
                f"no template can name the experiment {name!r}: it must be a name as those of Python",
                place=Place(self.project.shown(self.project.experiments / f"{name}.py")),
                cure=f"rename it, as {better if better.isidentifier() else f'n{better}'}.py",
            )
        name = variants.experiment(name)
        path = self.project.experiments / f"{name}.py"
        data = self.read(path) if name in self._names else None
        if data is None:
            cure = did_you_mean(name, self._names)
            raise UsageError(f"there is no experiment {name!r}", cure=cure)
        shown = self.project.shown(path)
        key = f"experiment {checksum(data)}"
        facts = self._cache.remember(key, lambda: experiment_facts(data, shown, name))
        assert isinstance(facts, dict)
        return facts

    def _unknown_need(self, name: str, need: str, names: Iterable[str]) -> InputError:
        what = f"experiment {name!r} needs {need!r}, which does not exist"
        cure = did_you_mean(need, set(names) - {name})
        return InputError(what, place=self._declared(name, "NEEDS", need), cure=cure)

    def _unreadable(self, name: str, file: str) -> InputError | None:
        """Return why a file that READS names cannot be read, or None if it can."""
        root = self.project.root
        path = root / file
        if not path.exists():
            beside = path.parent.iterdir() if path.parent.is_dir() else ()
            near = did_you_mean(file, [p.relative_to(root).as_posix() for p in beside if p.is_file()])
            what, cure = "does not exist", near if "mean" in near else "create it, or take it out of READS"
        elif not path.is_file():
            what, cure = "is not a file", "name the files in it one by one"
        elif not path.resolve().is_relative_to(root.resolve()):
            what, cure = "leads out of the project", "put a copy into the project instead of a link"
        else:
            return None
        place = self._declared(name, "READS", file)
        return InputError(f"experiment {name!r} reads {file!r}, which {what}", place=place, cure=cure)

    def _declared(self, name: str, keyword: str, text: str) -> Place:
        """Return where NEEDS or READS has a text."""
        # looked for in the text: the syntax was not parsed if its facts came from the cache
        path = self.project.experiments / f"{name}.py"
        lines = (self.read(path) or b"").decode("utf-8", "replace").splitlines()
        first = next((i for i, line in enumerate(lines) if line.startswith(keyword)), 0)
        for i, line in enumerate(lines[first:], first + 1):
            if f'"{text}"' in line or f"'{text}'" in line:
                return Place(self.project.shown(path), i, line.index(text) + 1, len(text), line)
        return Place(self.project.shown(path))

    def _code(self, name: str, phase: str) -> dict[str, Any]:
        """Return what a phase reaches: digests of code by label, imported modules, other packages."""
        name = variants.experiment(name)
        start = Module(self.project.experiments / f"{name}.py", EXPERIMENTS)

        def find() -> dict[str, Any]:
            found = reached(self, start, ROOTS[phase])
            code = {self.label(path, label): sha for (path, label), sha in found.code.items()}
            files = sorted(map(str, found.imported))
            return {"code": dict(sorted(code.items())), "imported": files, "foreign": sorted(found.foreign)}

        facts = self._cache.remember(f"reached {name} {phase} {self._snapshot}", find)
        assert isinstance(facts, dict)
        return facts

    @cached_property
    def _names(self) -> list[str]:
        return self.project.experiment_names()

    @cached_property
    def _roots(self) -> tuple[Path, ...]:
        return (self.project.root, *self.project.source_roots)

    @cached_property
    def _snapshot(self) -> str:
        """The digest of all that what is reached depends on: each Python file of the project, by its path."""
        found = ((path, self.read(path)) for path in self._files)
        return digest([[str(path), checksum(data)] for path, data in found if data is not None])

    @cached_property
    def _files(self) -> dict[Path, None]:
        """Each Python file of the project, in the order in which they were found."""
        return dict.fromkeys(modules.source_files(self.project))

    def find(self, dotted: str) -> Module | None:
        """Return the project's module of this name, None if there is none; see `resolving.Modules`."""
        if dotted not in self._found:
            # nearly every name that is asked for is none: the first step tells
            top = dotted.partition(".")[0]
            exists = top in self._tops and top != ENGINE
            found = modules.find_module(self.project, dotted, self._files.keys()) if exists else None
            self._found[dotted] = found
        return self._found[dotted]

    @cached_property
    def _tops(self) -> set[str]:
        """The names of all that lies in the source folders and may be a module."""
        return {path.stem for root in self.project.source_roots for path in root.iterdir()}

    def is_own(self, top: str) -> bool:
        """Return whether a top-level module, or a folder of modules, is the project's."""
        if top not in self._own:
            self._own[top] = top != ENGINE and top in self._tops and modules.is_own(self.project, top)
        return self._own[top]

    def is_foreign(self, top: str) -> bool:
        """Return whether a top-level module is neither the project's nor Python's own, nor labreport."""
        # labreport is the instrument, not the experiment: an update of it must not train networks again
        engine_or_python = top in (ENGINE, "", "__future__") or top in sys.stdlib_module_names
        return not engine_or_python and not self.is_own(top)

    def facts(self, module: Module) -> ModuleFacts:
        """Return what a module's syntax tells."""
        path = module.path
        if path not in self._facts:
            if module.package == EXPERIMENTS and path.stem in self._names:
                written = self._experiment(path.stem)["module"]
            else:
                data, shown = self.read(path) or b"", self.project.shown(path)
                written = self._cache.remember(f"module {checksum(data)}", lambda: module_facts(data, shown))
            self._facts[path] = ModuleFacts.parse(written)
        return self._facts[path]

    def read(self, path: Path) -> bytes | None:
        """Return the bytes of a file, as they were when they were first asked for; None if there is none."""
        if path not in self._bytes:
            try:
                self._bytes[path] = path.read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                self._bytes[path] = None
            except OSError as error:
                what = f"cannot read {self.project.shown(path)}: {error.strerror}"
                raise InputError(what, cure="make it readable") from error
        return self._bytes[path]

    def label(self, path: Path, symbol: str = "") -> str:
        """Return the name of a file, or of a symbol in it, in a fingerprint: the same on every machine."""
        roots = self._roots
        inside = next((root for root in roots if path.is_relative_to(root)), path.parent)
        return path.relative_to(inside).as_posix() + (f":{symbol}" if symbol else "")

"""The sources of a project, read once: what experiments declare, and their fingerprints."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport import modules
from labreport.errors import InputError, Place, UsageError, did_you_mean, raise_all
from labreport.modules import Module
from labreport.results import declaration as declarations
from labreport.results import syntax, versions
from labreport.results.cache import Cache
from labreport.results.declaration import Declaration, Setting
from labreport.results.files import checksum
from labreport.results.fingerprint import Fingerprint, Part, of_kind
from labreport.results.results import SCHEMA
from labreport.results.syntax import experiment_facts, module_facts

if TYPE_CHECKING:
    from labreport.project import Project

ENGINE = "labreport"
DRAWS_WITH = "matplotlib"
EXPERIMENTS = "experiments"

Import = Sequence[Any]  # module, the name taken from it or None, the level of a relative import


class Sources:
    """The source files of a project, each read once: a snapshot from which all fingerprints are taken.

    What a file's syntax tells is a function of its bytes, and is kept in build/cache under their digest; a
    cache that is missing, damaged or of another version costs time and nothing else.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._bytes: dict[Path, bytes | None] = {}
        self._packages: dict[Path, str] = {}
        self._found: dict[str, Module | None] = {}
        self._installed: dict[str, str] | None = None
        made_by = (syntax, declarations, versions)
        self._cache = Cache(project.build / "cache" / "syntax.json", made_by)

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
        names = self.project.experiment_names()
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
        experiment = self.project.experiments / f"{name}.py"
        reached = self._experiment(name)[phase]
        reached_modules, foreign = self._reach(reached["imports"])
        code = {self._label(path): facts["code"] for path, facts in reached_modules.items()}
        fixed = {"schema": str(SCHEMA), "python": f"{sys.version_info.major}.{sys.version_info.minor}"}
        out = Fingerprint({Part(kind): value for kind, value in fixed.items()})
        out |= of_kind("code", {self._label(experiment): reached["code"], **code})
        out |= of_kind("result", needs)
        out |= of_kind("file", self._digests(self._experiment(name)["declaration"]["reads"]))
        if phase == "run":
            out |= of_kind("parameter", {key: json.dumps(value) for key, value in params.items()})
        else:
            foreign.add(DRAWS_WITH)  # the figure is saved by labreport, whose own imports do not count
            out |= of_kind("style", self._digests([self._label(self.project.style)]))
        if self._installed is None:
            self._installed = versions.installed(sys.path)
        return out | of_kind("version", versions.versions(foreign, self._installed, self._cache.remember))

    def _digests(self, names: Iterable[str]) -> dict[str, str]:
        """Return the digests of those of the project's files that exist."""
        read = {name: self._read(self.project.root / name) for name in names}
        return {name: checksum(data) for name, data in read.items() if data is not None}

    def imported_by(self, name: str) -> set[Path]:
        """Return the project's modules that an experiment's module can import, by any of its statements."""
        path = self.project.experiments / f"{name}.py"
        return {path, *self._reach(self._module(path)["imports"])[0]}

    def save(self) -> None:
        """Keep what was learned from syntax, for the next time."""
        self._cache.save()

    def _experiment(self, name: str) -> dict[str, Any]:
        path = self.project.experiments / f"{name}.py"
        data = self._read(path) if name in self.project.experiment_names() else None
        if data is None:
            cure = did_you_mean(name, self.project.experiment_names())
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
        lines = (self._read(path) or b"").decode("utf-8", "replace").splitlines()
        first = next((i for i, line in enumerate(lines) if line.startswith(keyword)), 0)
        for i, line in enumerate(lines[first:], first + 1):
            if f'"{text}"' in line or f"'{text}'" in line:
                return Place(self.project.shown(path), i, line.index(text) + 1, len(text), line)
        return Place(self.project.shown(path))

    def _reach(self, imports: Iterable[Import]) -> tuple[dict[Path, dict[str, Any]], set[str]]:
        """Return the facts of all project modules that imports reach, and the foreign top-level modules."""
        reached: dict[Path, dict[str, Any]] = {}
        foreign: set[str] = set()
        queue = [(found, EXPERIMENTS) for found in imports]
        while queue:
            found, package = queue.pop()
            paths, top = self._resolve(found, package)
            foreign |= {top} if top else set()
            for path in paths:
                if path not in reached:
                    reached[path] = self._module(path)
                    queue += [(nested, self._packages[path]) for nested in reached[path]["imports"]]
        return reached, foreign

    def _resolve(self, found: Import, package: str) -> tuple[list[Path], str | None]:
        """Return the project's files that an import executes, or else the foreign module that it names."""
        module, name, level = found
        if level:
            above = package.split(".")
            module = ".".join([*above[: len(above) - level + 1], *([module] if module else [])])
        top = module.partition(".")[0]
        # labreport is the instrument, not the experiment: an update of it must not train networks again
        if top in (ENGINE, "", "__future__"):
            return [], None
        steps = module.split(".") + ([name] if name else [])
        # an import executes each package on the way, and what is taken from a module may be a module itself
        found_here = [self._find(".".join(steps[: i + 1])) for i in range(len(steps))]
        inside = [module.path for module in found_here if module is not None]
        if inside or level or top in sys.stdlib_module_names or top == EXPERIMENTS:
            return inside, None
        return [], top

    def _find(self, dotted: str) -> Module | None:
        """Return a project module, and note the package in which its relative imports start."""
        if dotted not in self._found:
            found = self._found[dotted] = modules.find_module(self.project, dotted)
            if found is not None:
                self._packages[found.path] = found.package
        return self._found[dotted]

    def _module(self, path: Path) -> dict[str, Any]:
        data, shown = self._read(path) or b"", self.project.shown(path)
        facts = self._cache.remember(f"module {checksum(data)}", lambda: module_facts(data, shown))
        assert isinstance(facts, dict)
        return facts

    def _read(self, path: Path) -> bytes | None:
        if path not in self._bytes:
            try:
                self._bytes[path] = path.read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                self._bytes[path] = None
            except OSError as error:
                what = f"cannot read {self.project.shown(path)}: {error.strerror}"
                raise InputError(what, cure="make it readable") from error
        return self._bytes[path]

    def _label(self, path: Path) -> str:
        """Return a file's name in a fingerprint: the same on every machine."""
        for root in (self.project.root, *self.project.source_roots):
            if path.is_relative_to(root):
                return path.relative_to(root).as_posix()
        return path.name

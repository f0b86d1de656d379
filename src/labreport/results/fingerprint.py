"""What a result depends on, and what changed since.

A fingerprint is a mapping from parts to digests. Its parts, in the order in which `changes` names them:

1. `schema`: the version of the result's format;
2. `parameter NAME`: the value, as JSON;
3. `code FILE`: the experiment's module, as far as `run` (or `draw`) reaches it by name, and each module of
   the project that this code imports, transitively and whole; as syntax: comments, docstrings and layout do
   not count, and neither does labreport;
4. `file NAME`: the bytes of a file that READS names, for `run` and `draw`;
5. `result NAME`: the content of a result that is used;
6. `version DISTRIBUTION` and `python`: of all third-party imports of that code;
7. `style FILE`: matplotlib's style file, for `draw`.

In doubt a part counts: a statement of an experiment's module that binds no name, or that is compound,
counts for `run` and `draw`.
"""

from __future__ import annotations

import ast
import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport.errors import InputError, Place, UsageError, did_you_mean, raise_all
from labreport.results import declaration as declarations
from labreport.results import files, syntax, versions
from labreport.results.declaration import Declaration, Setting, with_settings
from labreport.results.results import SCHEMA, Parts
from labreport.results.syntax import experiment_facts, module_facts

if TYPE_CHECKING:
    from labreport.project import Project

__all__ = ["Declaration", "Sources", "changes", "declaration", "parts", "with_settings"]

ENGINE = "labreport"
DRAWS_WITH = "matplotlib"

EXPERIMENTS = "experiments"

Import = Sequence[Any]  # module, the name taken from it or None, the level of a relative import


def declaration(project: Project, name: str) -> Declaration:
    """Return what an experiment declares; see `Sources.declaration`."""
    return Sources(project).declaration(name)


def parts(
    project: Project, name: str, phase: str, params: Mapping[str, Any], needs: Mapping[str, str]
) -> Parts:
    """Return the fingerprint of an experiment's "run" or "draw"; see `Sources.parts`."""
    return Sources(project).parts(name, phase, params, needs)


def changes(old: Parts, new: Parts) -> list[str]:
    """Return what changed between two fingerprints, as reasons for people, in the documented order."""
    return [
        _reason(part, old.get(part), new.get(part))
        for part in sorted(old.keys() | new.keys(), key=_order)
        if old.get(part) != new.get(part)
    ]


_REASONS = {  # changed, new, gone
    "schema": ("the format was {old}, is {new}",) * 3,
    "parameter": ("{name} was {old}, is {new}", "{name} is new: {new}", "{name} is gone, was {old}"),
    "code": ("{name} changed", "{name} is imported now", "{name} is imported no more"),
    "file": ("{name} changed", "{name} is read now", "{name} is read no more"),
    "result": ("the result of {name} changed", "it uses {name} now", "it uses {name} no more"),
    "version": ("{name} was {old}, is {new}", "{name} {new} is imported now", "{name} is imported no more"),
    "python": ("Python was {old}, is {new}",) * 3,
    "style": ("{name} changed", "{name} is new", "{name} is gone"),
}


def _order(part: str) -> tuple[int, bool, str]:
    kind, _, name = part.partition(" ")
    kinds = list(_REASONS)
    return kinds.index(kind) if kind in kinds else len(kinds), not name.startswith("experiments/"), name


def _reason(part: str, old: str | None, new: str | None) -> str:
    kind, _, name = part.partition(" ")
    texts = _REASONS.get(kind, ("{name} changed",) * 3)
    text = texts[1 if old is None else 2 if new is None else 0]
    return text.format(name=name or kind, old=_short(old), new=_short(new))


def _short(value: str | None) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"


class Sources:
    """The source files of a project, each read once: a snapshot from which all fingerprints are taken.

    What a file's syntax tells is a function of its bytes, and is kept in build/cache under their digest; a
    cache that is missing, damaged or of another version costs time and nothing else.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._bytes: dict[Path, bytes | None] = {}
        self._roots = project.source_roots
        self._names: dict[Path, str] = {}
        self._found: dict[str, Path | None] = {}
        self._installed: dict[str, str] | None = None
        self._cache = Cache(project.build / "cache" / "syntax.json")

    def declaration(self, name: str) -> Declaration:
        """Return what an experiment declares.

        Raises
        ------
        UsageError
            There is no such experiment.
        InputError, SeveralErrors
            Its syntax or its declarations are wrong, it needs an unknown experiment, or it reads what is no
            file of the project.

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

    def parts(self, name: str, phase: str, params: Mapping[str, Any], needs: Mapping[str, str]) -> Parts:
        """Return the fingerprint of an experiment's "run" or "draw", as a mapping from parts to digests.

        `needs` maps the results that are used to the digests of their contents. For "draw" the experiment's
        own result is one of them, and `params` count as part of that.

        Raises
        ------
        InputError
            A module that the experiment reaches is not Python.

        """
        experiment = self.project.experiments / f"{name}.py"
        reached = self._experiment(name)[phase]
        modules, foreign = self._reach(reached["imports"])
        out = {
            "schema": str(SCHEMA),
            "python": f"{sys.version_info.major}.{sys.version_info.minor}",
            f"code {self._label(experiment)}": reached["code"],
            **{f"code {self._label(path)}": facts["code"] for path, facts in modules.items()},
            **{f"result {need}": digest for need, digest in needs.items()},
        }
        for file in self._experiment(name)["declaration"]["reads"]:
            data = self._read(self.project.root / file)
            out |= {f"file {file}": _sha(data)} if data is not None else {}
        if phase == "run":
            out |= {f"parameter {key}": json.dumps(value) for key, value in params.items()}
        else:
            foreign.add(DRAWS_WITH)
            style = self._read(self.project.style)
            if style is not None:
                out[f"style {self._label(self.project.style)}"] = sha256(style).hexdigest()
        if self._installed is None:
            self._installed = versions.installed(sys.path)
        found = versions.versions(foreign, self._installed, self._cache.remember)
        return {**out, **{f"version {dist}": version for dist, version in found.items()}}

    def has_module(self, dotted: str) -> bool:
        """Return whether a module, or the package that it is in, is one of the project's own."""
        return self._find(dotted.partition(".")[0]) is not None

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
        facts = self._cache.remember(f"experiment {_sha(data)}", lambda: experiment_facts(data, shown, name))
        assert isinstance(facts, dict)
        return facts

    def _unknown_need(self, name: str, need: str, names: Iterable[str]) -> InputError:
        what = f"experiment {name!r} needs {need!r}, which does not exist"
        cure = did_you_mean(need, set(names) - {name})
        return InputError(what, place=self._declared(name, "NEEDS", need), cure=cure)

    def _unreadable(self, name: str, file: str) -> InputError | None:
        """Return why a file that READS names cannot be one, if so."""
        root = self.project.root
        path = root / file
        if not path.exists():
            beside = path.parent.iterdir() if path.parent.is_dir() else ()
            near = did_you_mean(file, [p.relative_to(root).as_posix() for p in beside if p.is_file()])
            what, cure = "does not exist", near if "mean" in near else "create it, or take it out of READS"
        elif not path.is_file():
            what, cure = "is no file", "name the files in it, each by itself"
        elif not path.resolve().is_relative_to(root.resolve()):
            what, cure = "leads out of the project", "put a copy into the project instead of a link"
        else:
            return None
        place = self._declared(name, "READS", file)
        return InputError(f"experiment {name!r} reads {file!r}, which {what}", place=place, cure=cure)

    def _declared(self, name: str, keyword: str, text: str) -> Place:
        """Return where NEEDS or READS has a text."""
        path = self.project.experiments / f"{name}.py"
        lines = (self._read(path) or b"").decode("utf-8", "replace").splitlines()
        first = next((i for i, line in enumerate(lines) if line.startswith(keyword)), 0)
        for i, line in enumerate(lines[first:], first + 1):
            if f'"{text}"' in line or f"'{text}'" in line:
                return Place(self.project.shown(path), i, line.index(text) + 1, len(text), line)
        return Place(self.project.shown(path))

    def _reach(self, imports: Iterable[Import]) -> tuple[dict[Path, dict[str, Any]], set[str]]:
        """Return the facts of all project modules that imports reach, and the foreign top-level modules."""
        modules: dict[Path, dict[str, Any]] = {}
        foreign: set[str] = set()
        queue = [(found, EXPERIMENTS) for found in imports]
        while queue:
            found, package = queue.pop()
            paths, top = self._resolve(found, package)
            foreign |= {top} if top else set()
            for path in paths:
                if path not in modules:
                    modules[path] = self._module(path)
                    queue += [(nested, self._names[path]) for nested in modules[path]["imports"]]
        return modules, foreign

    def _resolve(self, found: Import, package: str) -> tuple[list[Path], str | None]:
        """Return the project's files that an import executes, or else the foreign module that it names."""
        module, name, level = found
        if level:
            above = package.split(".")
            module = ".".join([*above[: len(above) - level + 1], *([module] if module else [])])
        top = module.partition(".")[0]
        if top in (ENGINE, "", "__future__"):
            return [], None
        steps = module.split(".") + ([name] if name else [])
        paths = [self._find(".".join(steps[: i + 1])) for i in range(len(steps))]
        inside = [path for path in paths if path is not None]
        if inside or level or top in sys.stdlib_module_names or top == EXPERIMENTS:
            return inside, None
        return [], top

    def _find(self, dotted: str) -> Path | None:
        """Return the file of a project module, and note the package in which its relative imports start."""
        if dotted not in self._found:
            self._found[dotted] = self._search(dotted)
        return self._found[dotted]

    def _search(self, dotted: str) -> Path | None:
        steps = dotted.split(".")
        for root in self._roots:
            base = root.joinpath(*steps)
            for path, package in (
                (base / "__init__.py", dotted),
                (base.with_name(f"{base.name}.py"), ".".join(steps[:-1])),
            ):
                if self._read(path) is not None:
                    self._names[path] = package
                    return path
        return None

    def _module(self, path: Path) -> dict[str, Any]:
        data, shown = self._read(path) or b"", self.project.shown(path)
        facts = self._cache.remember(f"module {_sha(data)}", lambda: module_facts(data, shown))
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
        for root in (self.project.root, *self._roots):
            if path.is_relative_to(root):
                return path.relative_to(root).as_posix()
        return path.name


class Cache:
    """Facts by key, kept in a file that is believed only whole and only by the code that wrote it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._old: dict[str, Any] | None = None
        self._used: dict[str, Any] = {}
        self._new = False

    def remember(self, key: str, make: Callable[[], Any]) -> Any:
        """Return the fact of a key, made if it is not known."""
        if self._old is None:
            self._old = self._load()
        if key not in self._used:
            if key in self._old:
                self._used[key] = self._old[key]
            else:
                self._used[key] = make()
                self._new = True
        return self._used[key]

    def save(self) -> None:
        """Write the facts that were used, if some are new; where nothing can be written, do without."""
        if self._new:
            text = json.dumps(self._used)
            with contextlib.suppress(OSError):
                files.write(self.path, f"{self._checksum(text)}\n{text}".encode())
            self._new = False

    def _load(self) -> dict[str, Any]:
        try:
            checksum, _, text = self.path.read_bytes().decode("utf-8", "replace").partition("\n")
        except OSError:
            return {}
        facts = json.loads(text) if checksum == self._checksum(text) else {}
        return facts if isinstance(facts, dict) else {}

    @staticmethod
    def _checksum(text: str) -> str:
        """Return the digest of a text, of the Python version and of the code that finds facts."""
        code = b"".join(
            Path(file).read_bytes() for file in (__file__, syntax.__file__, declarations.__file__)
        )
        return _sha(sys.version.encode() + code + text.encode())


def _sha(data: bytes) -> str:
    return sha256(data).hexdigest()

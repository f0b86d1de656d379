"""The project's own modules: found as files, the way an import finds them, and never imported."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labreport.project import Project

_ENGINE = str(Path(__file__).resolve().parent)
_NOT_PACKAGES = ("src", "build", "__pycache__")
_DEEPEST_FILE = 20  # no package is deeper; links that lead in a circle are
_DEEPEST = 4  # packages within packages whose modules are listed for a cure


@dataclass(frozen=True)
class Module:
    """A module's file, and the package in which its relative imports start."""

    path: Path
    package: str


def find_module(project: Project, dotted: str, files: Container[Path] | None = None) -> Module | None:
    """Return the module that an import of this name executes, or None if it is not one of the project's.

    A folder without `__init__.py` is not a module itself, but the modules in it are found. `files` are those
    that exist, if they are known.
    """
    above = dotted.rpartition(".")[0]
    for root in project.source_roots:
        base = root.joinpath(*dotted.split("."))
        # within one folder, an import prefers the package to the file of the same name
        for path, package in ((base / "__init__.py", dotted), (base.with_name(f"{base.name}.py"), above)):
            if path in files if files is not None else path.is_file():
                return Module(path, package)
    return None


def is_own(project: Project, module: str) -> bool:
    """Return whether a top-level module is one of the project's; a folder of modules counts as one."""
    return find_module(project, module) is not None or any(
        (root / module).is_dir() and any(_files_below(str(root / module))) for root in project.source_roots
    )


def module_names(project: Project) -> list[str]:
    """Return the names of all modules of the project, in the order in which an import looks for them."""
    return [name for root in project.source_roots for name in _below(root)]


def source_files(project: Project) -> list[Path]:
    """Return all Python files in the project's source folders; labreport's own do not count."""
    found: dict[str, None] = {}
    for root in project.source_roots:
        found.update(dict.fromkeys(_files_below(str(root), without=(_ENGINE, str(project.root / "build")))))
    return [Path(path) for path in found]


def _files_below(folder: str, without: Container[str] = (), depth: int = _DEEPEST_FILE) -> Iterator[str]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name.endswith(".py"):
            yield entry.path
        elif depth and _is_package_name(entry.name) and entry.is_dir() and entry.path not in without:
            yield from _files_below(entry.path, without, depth - 1)


def _is_package_name(name: str) -> bool:
    return name.isidentifier() and name != "__pycache__"


def _below(folder: Path, package: str = "", depth: int = _DEEPEST) -> Iterator[str]:
    """Yield the names of the modules below a source folder; not of hidden or generated ones."""
    for path in sorted(folder.iterdir()):
        name = package + path.stem
        if path.suffix == ".py" and path.stem.isidentifier():
            yield package.removesuffix(".") if path.stem == "__init__" else name
        elif path.is_dir() and path.name.isidentifier() and path.name not in _NOT_PACKAGES and depth:
            yield from _below(path, f"{name}.", depth - 1)

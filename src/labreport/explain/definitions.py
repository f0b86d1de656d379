"""Where code stands now: from its name in a fingerprint, `src/m.py:Net.forward`, to its line."""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from typing import TYPE_CHECKING, Any, TypeGuard

from labreport.results import files

if TYPE_CHECKING:
    from pathlib import Path

    from labreport.project import Project

Remember = Callable[[str, Callable[[], Any]], Any]
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Definition:
    """A function, class or method: its name in fingerprints, and the line in which it begins.

    Its code reaches from `first`, the line of the first decorator if it has some, to `last`.
    """

    code: str
    line: int
    first: int
    last: int

    @property
    def file(self) -> str:
        """The file, as fingerprints name it."""
        return self.code.partition(":")[0]

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.code.partition(':')[2]}"


def _found(_: str, find: Callable[[], Any]) -> Any:
    return find()


class Definitions:
    """The functions, classes and methods of a project's files, each file parsed once and only when asked.

    `remember` gives what a file was found to hold, by a key of its content, or finds it.
    """

    def __init__(self, project: Project, remember: Remember = _found) -> None:
        self.project = project
        self._remember = remember
        self._files: dict[str, _File] = {}

    def find(self, code: str) -> Definition | None:
        """Return where code of this name begins; None if it is no definition, or is gone."""
        file, _, name = code.partition(":")
        lines = self._file(file).lines.get(name)
        return Definition(code, *lines) if lines is not None else None

    def source(self, file: str) -> str:
        """Return the text of a file, with newlines alone between its lines; empty if there is none."""
        return self._file(file).source

    def names_in(self, file: str) -> list[str]:
        """Return the qualified names of all that a file defines, variables included."""
        return self._file(file).names

    def used_by(self, file: str, function: str) -> list[str]:
        """Return the names of the functions and classes that a function uses, in its order.

        They are those of its file and those that this imports. What the functions of the file use themselves
        comes after that.
        """
        return self._file(file).used_by(function)

    def _file(self, file: str) -> _File:
        if file not in self._files:
            roots = (self.project.root, *self.project.source_roots)
            paths = [root / file for root in roots if (root / file).is_file()]
            self._files[file] = _File(paths[0] if paths else None, self._remember)
        return self._files[file]


class _File:
    def __init__(self, path: Path | None, remember: Remember) -> None:
        self.path = path
        self._remember = remember

    @cached_property
    def source(self) -> str:
        try:
            with tokenize.open(self.path) if self.path else StringIO() as file:
                return file.read()
        except (OSError, SyntaxError, ValueError):  # what cannot be read now has no lines to tell
            return ""

    @cached_property
    def _tree(self) -> ast.Module:
        try:
            return ast.parse(self.source)
        except (SyntaxError, ValueError):
            return ast.Module([], [])

    @cached_property
    def _nodes(self) -> dict[str, _Definition]:
        return dict(_definitions(self._tree, ""))

    @cached_property
    def _digest(self) -> str:
        return files.checksum(self.source.encode())

    @cached_property
    def lines(self) -> dict[str, list[int]]:
        """The line of each definition, by its qualified name, the first with its decorators, the last."""
        return dict(self._remember(f"lines {self._digest}", self._lines))

    def _lines(self) -> dict[str, list[int]]:
        return {name: [node.lineno, *_extent(node)] for name, node in self._nodes.items()}

    @property
    def names(self) -> list[str]:
        assigned = (node for node in self._tree.body if isinstance(node, ast.Assign | ast.AnnAssign))
        variables = {n.id for node in assigned for n in ast.walk(node) if _is_bound(n)}
        return [*self._nodes, *sorted(variables)]

    @cached_property
    def _known(self) -> set[str]:
        """The names that the file imports, and those that it defines."""
        imports = (node for node in self._tree.body if isinstance(node, ast.Import | ast.ImportFrom))
        named = {(a.asname or a.name).partition(".")[0] for node in imports for a in node.names}
        return named | self._nodes.keys()

    def used_by(self, first: str) -> list[str]:
        return list(self._remember(f"uses {first} {self._digest}", lambda: self._used_by(first)))

    def _used_by(self, first: str) -> list[str]:
        waiting = [first]
        found: dict[str, None] = {}
        for name in waiting:
            used = list(_names(self._nodes[name], self._known)) if name in self._nodes else []
            waiting += (n for n in dict.fromkeys(used) if n not in waiting)
            found.update(dict.fromkeys(used))
        return list(found)


def _extent(node: _Definition) -> tuple[int, int]:
    starts = [node.lineno, *(decorator.lineno for decorator in node.decorator_list)]
    return min(starts), node.end_lineno or node.lineno


def _is_bound(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _definitions(node: ast.AST, above: str) -> Iterator[tuple[str, _Definition]]:
    """Yield the definitions of a module or class with their qualified names, also those under conditions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Definition):
            yield f"{above}{child.name}", child
            if isinstance(child, ast.ClassDef):
                yield from _definitions(child, f"{above}{child.name}.")
        elif isinstance(child, ast.stmt | ast.ExceptHandler):
            yield from _definitions(child, above)


def _names(node: ast.AST, known: Container[str]) -> Iterator[str]:
    """Yield the known names in a piece of code; of a known module, what is taken from it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Name) and child.id in known:
            yield child.id
        elif (
            isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name) and child.value.id in known
        ):
            yield child.attr
        yield from _names(child, known)

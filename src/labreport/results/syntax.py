"""What a Python file's syntax tells about what it depends on: a function of the file's bytes alone."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from labreport.results.declaration import Source, parse, read, targets

RUN_ROOTS = ("run", "Params")
DRAW_ROOTS = ("draw",)
_REFLECTION = {"globals", "eval", "exec"}  # whoever calls these may reach any name


def module_facts(data: bytes, shown: str) -> dict[str, Any]:
    """Return a module's facts: `code`, the digest of its syntax, and `imports`, all that it imports."""
    tree = parse(data, shown)
    imports = [found for node in tree.body for found in _imports(node)]
    return {"code": _digest(_without_texts(tree).body), "imports": _unique(imports)}


def experiment_facts(data: bytes, shown: str, name: str) -> dict[str, Any]:
    """Return an experiment's facts: its `declaration`, and the facts of what `run` and `draw` reach in it.

    InputError or SeveralErrors if it is not a valid experiment.
    """
    tree = parse(data, shown)
    declared = read(tree, Source(data, shown), name)
    pieces = list(_pieces(_without_texts(tree)))
    facts: dict[str, Any] = {
        "declaration": {
            "question": declared.question,
            "needs": list(declared.needs),
            "reads": list(declared.reads),
            "params": {key: [s.annotation, repr(s.default)] for key, s in declared.params.items()},
            "quick": {key: repr(value) for key, value in declared.quick.items()},
            "has_draw": declared.has_draw,
        },
        "run": _facts_of(_reached(pieces, RUN_ROOTS)),
    }
    if declared.has_draw:
        facts["draw"] = _facts_of(_reached(pieces, DRAW_ROOTS))
    return facts


@dataclass(frozen=True)
class _Piece:
    """A statement of a module, or one name of an import: the names that it binds and those that it uses."""

    node: ast.stmt
    binds: frozenset[str]
    uses: frozenset[str]
    always: bool


def _pieces(tree: ast.Module) -> Iterator[_Piece]:
    for statement in tree.body:
        if _never_runs(statement):
            continue
        for node in _split(statement):
            binds = frozenset(targets(node))
            uses = frozenset(_names(node))
            always = not binds or "*" in binds or not isinstance(node, _SIMPLE)
            yield _Piece(_without_defaults(node), binds, uses, always)


_SIMPLE = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.Import,
    ast.ImportFrom,
)


def _split(node: ast.stmt) -> Iterable[ast.stmt]:
    """Return an import once for each name, so that each counts only where it is used."""
    if isinstance(node, ast.Import):
        return [ast.Import([alias]) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [ast.ImportFrom(node.module, [alias], node.level) for alias in node.names]
    return [node]


def _never_runs(node: ast.stmt) -> bool:
    """Return whether the statement's body never runs in an experiment: type checking, or a script's main."""
    if not isinstance(node, ast.If) or node.orelse:
        return False
    test = ast.unparse(node.test)
    return test in ("TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'")


def _without_defaults(node: ast.stmt) -> ast.stmt:
    """Return the class Params without the defaults of its fields: they count as parameters."""
    if isinstance(node, ast.ClassDef) and node.name == "Params":
        for field in node.body:
            if isinstance(field, ast.AnnAssign):
                field.value = None
    return node


def _names(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            yield child.id
        elif isinstance(child, ast.Global):
            yield from child.names


def _reached(pieces: list[_Piece], roots: Iterable[str]) -> list[_Piece]:
    """Return the pieces that are reached by name from the roots, in the order of the file."""
    wanted: set[str] = set()
    queue = [*roots, *(name for piece in pieces if piece.always for name in piece.uses)]
    while queue:
        name = queue.pop()
        if name in _REFLECTION:
            return pieces  # which names it will ask for cannot be told
        if name not in wanted:
            wanted.add(name)
            queue += [use for piece in pieces if name in piece.binds for use in piece.uses]
    return [piece for piece in pieces if piece.always or piece.binds & wanted]


def _facts_of(pieces: list[_Piece]) -> dict[str, Any]:
    imports = [found for piece in pieces for found in _imports(piece.node)]
    return {"code": _digest(piece.node for piece in pieces), "imports": _unique(imports)}


def _imports(node: ast.AST) -> Iterator[list[Any]]:
    """Yield what a statement imports, nested imports included: module, name taken from it, relative level."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield [alias.name, None, 0]
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield [node.module or "", alias.name, node.level]
    elif not (isinstance(node, ast.stmt) and _never_runs(node)):
        for child in ast.iter_child_nodes(node):
            yield from _imports(child)


def _unique(imports: list[list[Any]]) -> list[list[Any]]:
    return sorted({tuple(found): found for found in imports}.values(), key=str)


def _without_texts(tree: ast.Module) -> ast.Module:
    """Return the tree without docstrings and other texts that stand alone: they do nothing."""
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list):
                body[:] = [statement for statement in body if not _is_text(statement)]
    return tree


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _digest(nodes: Iterable[ast.stmt]) -> str:
    # a text in the code may hold half of a surrogate pair, written as an escape
    return sha256("\n".join(ast.dump(node) for node in nodes).encode("utf-8", "surrogatepass")).hexdigest()

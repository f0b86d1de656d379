"""What a Python file's syntax tells about what it depends on: a function of the file's bytes alone.

A module is cut into pieces, each of which can count without the others: a function, a class without its
methods, a method, a name of an import, a statement. `reach` says which of them count.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from labreport.results.declaration import Source, parse, read, targets
from labreport.results.plain import Evaluation
from labreport.results.references import (
    Dotted,
    Globals,
    Import,
    References,
    dotted,
    executed_by,
    imports_of,
    references,
)

_DECLARED = ("NEEDS", "READS", "QUICK")
_CALLED_BY_PROTOCOLS = frozenset(
    (
        *("write", "writelines", "flush", "read", "readline", "readlines", "readinto", "seek", "tell"),
        *("close", "fileno", "isatty", "keys", "items", "values", "get", "append", "extend", "acquire"),
        *("release", "random", "getrandbits", "send", "throw", "fit", "predict", "transform", "score"),
        *("get_params", "set_params", "forward", "step", "backward"),
    )
)
"""Methods that other packages call on objects which they are given."""


_ON_SUBCLASSING = frozenset(("__init_subclass__", "__class_getitem__", "__set_name__", "__mro_entries__"))
_ON_CALLING = frozenset(("__init__", "__new__", "__post_init__", "__setattr__", "__set_name__", "__del__"))


@dataclass(frozen=True)
class Class:
    """What a class does besides being one.

    `bases` are those of its bases that may be the project's. It is `quiet` if making it or a subclass of it
    runs no code but that of its bases, `inert` if calling it runs none.
    """

    bases: tuple[Dotted, ...]
    quiet: bool
    inert: bool


@dataclass(frozen=True)
class Piece:
    """A part of a module that can count alone.

    `names` are the global names that it binds (for a method: its own), `owner` the class of a method, `label`
    what it is called. It counts `always` if importing the module calls something in it, and also unless the
    classes that it is `assuming` to be inert are so. An import statement `executes` imports, and its name
    `stands` for one.
    """

    label: str
    names: tuple[str, ...]
    digest: str
    refers: References
    owner: str = ""
    always: bool = False
    assuming: tuple[Dotted, ...] = ()
    executes: tuple[Import, ...] = ()
    stands: Import | None = None
    defines: Class | None = None

    def plain(self) -> list[Any]:
        """Return the piece as JSON."""
        refers, imports = self.refers.plain(), [self.executes, self.stands]
        defines = self.defines and [self.defines.bases, self.defines.quiet, self.defines.inert]
        flags = [self.always, self.assuming]
        return [self.label, self.names, self.digest, refers, self.owner, flags, imports, defines]

    @classmethod
    def parse(cls, plain: list[Any]) -> Piece:
        """Return the piece in parsed JSON."""
        label, names, digest, refers, owner, (always, assuming), (executes, stands), defines = plain
        imports = tuple(_import(found) for found in executes), _import(stands) if stands else None
        class_ = Class(_paths(defines[0]), *defines[1:]) if defines else None
        assumed = _paths(assuming)
        facts = References.parse(refers), owner, always, assumed
        return cls(label, tuple(names), digest, *facts, *imports, class_)


@dataclass(frozen=True)
class ModuleFacts:
    """A module's pieces in the order of the file; `stars` are the modules from which it imports all names."""

    pieces: tuple[Piece, ...]
    stars: tuple[Import, ...] = ()

    def plain(self) -> list[Any]:
        """Return the facts as JSON."""
        return [[piece.plain() for piece in self.pieces], self.stars]

    @classmethod
    def parse(cls, plain: list[Any]) -> ModuleFacts:
        """Return the facts in parsed JSON."""
        cut, stars = plain
        return cls(tuple(Piece.parse(piece) for piece in cut), tuple(_import(star) for star in stars))


def _paths(plain: Iterable[Iterable[str]]) -> tuple[Dotted, ...]:
    return tuple(tuple(path) for path in plain)


def _import(plain: Any) -> Import:
    module, name, level = plain
    return module, name, level


def module_facts(data: bytes, shown: str) -> list[Any]:
    """Return a module's facts as JSON; InputError if it is not valid Python."""
    return _facts(parse(data, shown)).plain()


def experiment_facts(data: bytes, shown: str, name: str) -> dict[str, Any]:
    """Return an experiment's `declaration` and the facts of its `module`, as JSON.

    InputError or SeveralErrors if it is not a valid experiment.
    """
    tree = parse(data, shown)
    declared = read(tree, Source(data, shown), name)
    declaration = {
        "question": declared.question,
        "needs": list(declared.needs),
        "reads": list(declared.reads),
        "params": {key: [s.annotation, repr(s.default)] for key, s in declared.params.items()},
        "quick": {key: repr(value) for key, value in declared.quick.items()},
        "has_draw": declared.has_draw,
    }
    return {"declaration": declaration, "module": _facts(tree, is_experiment=True).plain()}


def module_globals(body: Iterable[ast.stmt]) -> Globals:
    """Return what is known of the global names of a module from its statements."""
    imports: dict[str, Import] = {}
    others: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for name, found in imports_of(statement).items():
                if imports.setdefault(name, found) != found:
                    others.add(name)
        else:
            others.update(targets(statement))
        others.update(name for n in ast.walk(statement) if isinstance(n, ast.Global) for name in n.names)
    stars = (module for module, name, level in imports.values() if name == "*" and not level)
    return Globals(imports, frozenset(others), frozenset(stars))


def _facts(tree: ast.Module, *, is_experiment: bool = False) -> ModuleFacts:
    body = [statement for statement in without_texts(tree).body if not _never_runs(statement)]
    known = module_globals(body)
    unbound: dict[str, Import | None] = dict.fromkeys(module_globals(filter(_never_runs, tree.body)).others)
    evaluation = Evaluation(known, _data(body, known), _managers(body, known))
    cutter = _Cutter(known, evaluation, unbound, is_experiment)
    pieces = [piece for statement in body for piece in cutter.cut(statement)]
    stars = dict.fromkeys(found for piece in pieces for found in piece.executes if found[1] == "*")
    return ModuleFacts(tuple(pieces), tuple(stars))


class _Cutter:
    """Cuts the statements of a module into pieces; `unbound` names exist for type checkers alone."""

    def __init__(
        self,
        known: Globals,
        evaluation: Evaluation,
        unbound: Mapping[str, Import | None],
        is_experiment: bool,
    ) -> None:
        self.known = known
        self.evaluation = evaluation
        self.unbound = {name: None for name in unbound if name not in known.imports}
        self.is_experiment = is_experiment

    def cut(self, node: ast.stmt) -> Iterator[Piece]:
        """Yield the pieces of a statement."""
        self.evaluation.assumed.clear()
        match node:
            case ast.Import() | ast.ImportFrom():
                for alias in node.names:
                    yield self._imported(_only(node, alias))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield self._piece(node, (node.name,), always=not self._defines_plainly(node))
            case ast.ClassDef():
                yield from self._class(node)
            case ast.Assign() | ast.AnnAssign():
                yield self._piece(node, tuple(targets(node)), always=self._acts(node))
            case _:
                # a statement of another kind, or one that holds others, has no name of its own
                yield self._piece(node, tuple(targets(node)), label="", always=True)

    def _piece(
        self, node: ast.stmt, names: tuple[str, ...], *, label: str | None = None, **facts: Any
    ) -> Piece:
        shown = ", ".join(names) if label is None else label
        refers = references([node], self.known, self.unbound)
        assuming = tuple(sorted(self.evaluation.assumed))
        return Piece(shown, names, digest_of([node]), refers, assuming=assuming, **facts)

    def _imported(self, node: ast.Import | ast.ImportFrom) -> Piece:
        ((name, stands),) = imports_of(node).items()
        always = name == "*" or (isinstance(node, ast.ImportFrom) and node.module == "__future__")
        digest, executes = digest_of([node]), tuple(executed_by(node))
        label = "" if always else name  # a star has no name of its own, but shadows others
        return Piece(label, (name,), digest, References(), "", always, (), executes, stands)

    def _acts(self, node: ast.Assign | ast.AnnAssign) -> bool:
        """Return whether an assignment may do more than bind names."""
        bound = node.targets if isinstance(node, ast.Assign) else [node.target]
        if self.is_experiment and {*targets(node)} & {*_DECLARED}:
            return False  # labreport reads them as syntax
        places = [part for target in bound for part in _places(target)]
        if len(places) > len(bound) and not self.evaluation.iterates_plainly(node.value):
            return True  # what is unpacked is gone through
        if not all(isinstance(place, ast.Name) for place in places):
            return True
        annotation = node.annotation if isinstance(node, ast.AnnAssign) else None
        if annotation is not None and any(isinstance(part, ast.Call) for part in ast.walk(annotation)):
            return True
        return node.value is not None and not self.evaluation.is_plain(node.value)

    def _defines_plainly(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, siblings: Iterable[str] = ()
    ) -> bool:
        """Return whether defining a function calls nothing of the project."""
        returns = ast.walk(node.returns) if node.returns else ()
        return (
            all(self.evaluation.decorates_plainly(d, siblings) for d in node.decorator_list)
            and self.evaluation.has_plain_defaults(node.args)
            and not any(isinstance(part, ast.Call) for part in returns)
        )

    def _class(self, node: ast.ClassDef) -> Iterator[Piece]:
        functions = [f for f in node.body if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)]
        names = {function.name for function in functions}
        alone = [f for f in functions if self._counts_alone(f, names)]
        rest = [statement for statement in node.body if statement not in alone]
        decorated = all(self.evaluation.decorates_plainly(d) for d in node.decorator_list)
        acts = not decorated or not all(self._is_quiet_in_class(statement, names) for statement in rest)
        cut = copy.copy(node)
        cut.body = rest
        if self.is_experiment and node.name == "Params":
            cut.body = [_without_default(statement) for statement in rest]
        defines = self._described(node, names)
        always = acts or bool(node.keywords)
        piece = self._piece(cut, (node.name,), always=always, defines=defines)
        # what the body says about a function beside it is about the method, not about a global name
        piece.refers.names.update(path[0] for path in piece.refers.paths if path[0] in names)
        yield piece
        for function in alone:
            self.evaluation.assumed.clear()
            label = f"{node.name}.{function.name}"
            yield self._piece(function, (function.name,), label=label, owner=node.name)

    def _described(self, node: ast.ClassDef, functions: Iterable[str]) -> Class:
        """Return what a class does besides being one; bases that are not known count as doing anything."""
        others = [base for base in node.bases if not self.evaluation.is_plain_base(base)]
        paths = [dotted(base.value if isinstance(base, ast.Subscript) else base) for base in others]
        quiet = not node.keywords and None not in paths and _ON_SUBCLASSING.isdisjoint(functions)
        factories = (
            keyword.value
            for part in node.body
            for call in ast.walk(part)
            if isinstance(call, ast.Call)
            for keyword in call.keywords
            if keyword.arg in ("default_factory", "factory")
        )
        empty = all(isinstance(f, ast.Name) and f.id in ("list", "dict", "set") for f in factories)
        inert = quiet and empty and _ON_CALLING.isdisjoint(functions)
        return Class(tuple(path for path in paths if path is not None), quiet, inert)

    def _counts_alone(self, node: ast.FunctionDef | ast.AsyncFunctionDef, siblings: Iterable[str]) -> bool:
        called_unnamed = _is_special(node.name) or node.name in _CALLED_BY_PROTOCOLS
        return not called_unnamed and self._defines_plainly(node, siblings)

    def _is_quiet_in_class(self, node: ast.stmt, siblings: Iterable[str]) -> bool:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return self._defines_plainly(node, siblings)
            case ast.Assign() | ast.AnnAssign():
                return not self._acts(node)
            case ast.Pass():
                return True
        return False


def _only(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.Import | ast.ImportFrom:
    """Return an import statement with one of its names alone."""
    if isinstance(node, ast.Import):
        return ast.Import([alias])
    return ast.ImportFrom(node.module, [alias], node.level)


def _places(target: ast.expr) -> Iterator[ast.expr]:
    """Yield what an assignment binds: names, attributes, items."""
    if isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from _places(part)
    elif isinstance(target, ast.Starred):
        yield from _places(target.value)
    else:
        yield target


def _data(body: Iterable[ast.stmt], known: Globals) -> frozenset[str]:
    """Return the global names that plain data is bound to, by each statement that binds them."""
    data: set[str] = set()
    others = set(known.imports)
    for node in body:
        for inner in ast.walk(node):
            others.update(inner.names if isinstance(inner, ast.Global) else ())
        bound = set(targets(node)) if not isinstance(node, ast.Import | ast.ImportFrom) else set()
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if value is not None and Evaluation(known, frozenset(data - others)).is_data(value):
            data |= bound
        else:
            others |= bound
    return frozenset(data - others)


def _managers(body: Iterable[ast.stmt], known: Globals) -> frozenset[str]:
    """Return the names of a module's functions that make context managers."""
    return frozenset(
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if (path := dotted(decorator)) and known.qualified(path) == "contextlib.contextmanager"
    )


def _is_special(name: str) -> bool:
    """Return whether Python itself calls a function of this name: `__len__`, or `_missing_` of an Enum."""
    return name.startswith("_") and name.endswith("_") and len(name) > 2


def _never_runs(node: ast.AST) -> bool:
    """Return whether the statement's body never runs in an experiment: type checking, or a script's main."""
    if not isinstance(node, ast.If) or node.orelse:
        return False
    test = ast.unparse(node.test)
    return test in ("TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'")


def _without_default(node: ast.stmt) -> ast.stmt:
    """Return a field of Params without its default, which counts as a parameter."""
    if not isinstance(node, ast.AnnAssign):
        return node
    field_ = copy.copy(node)
    field_.value = None
    return field_


def without_texts(tree: ast.Module) -> ast.Module:
    """Return the tree without docstrings and other texts that stand alone: they do nothing."""
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list):
                body[:] = [statement for statement in body if not _is_text(statement)]
    return tree


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def digest_of(nodes: Iterable[ast.AST]) -> str:
    """Return the digest of code as syntax: layout and comments do not count."""
    # a text in the code may hold half of a surrogate pair, written as an escape
    return sha256("\n".join(ast.dump(node) for node in nodes).encode("utf-8", "surrogatepass")).hexdigest()

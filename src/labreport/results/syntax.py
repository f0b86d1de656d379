"""What a Python file's syntax tells about what it depends on: a function of the file's bytes alone.

A module is cut into pieces, each of which can count without the others: a function, a class without its
methods, a method, a name of an import, a statement. `reach` says which of them count.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Container, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from labreport.results.declaration import Source, parse, read, targets
from labreport.results.pieces import Class, ModuleFacts, Piece
from labreport.results.plain import Evaluation
from labreport.results.references import (
    Globals,
    Import,
    References,
    dotted,
    executed_by,
    imports_of,
    references,
)

_DECLARED = ("NEEDS", "READS", "QUICK", "VARIANTS")
_CALLED_BY_PROTOCOLS = frozenset(
    (
        # files, mappings, sequences, queues, locks
        *("write", "writelines", "flush", "read", "read1", "readall", "readline", "readlines", "readinto"),
        *("seek", "tell", "truncate", "close", "fileno", "isatty", "readable", "writable", "seekable"),
        *("keys", "items", "values", "get", "pop", "update", "setdefault", "copy", "clear"),
        *("append", "extend", "insert", "remove", "index", "count", "sort", "put", "acquire", "release"),
        # generators, executors, clocks, generators of random numbers
        *("send", "throw", "submit", "map", "shutdown", "result", "utcoffset", "dst", "tzname"),
        *("random", "getrandbits", "integers", "seed", "rvs"),
        # finders and loaders of modules, handlers of logs, pickling
        *("find_spec", "create_module", "exec_module", "load_module", "get_data", "get_source", "get_code"),
        *("is_package", "get_filename", "invalidate_caches", "get_resource_reader", "files"),
        *("emit", "handle", "filter", "format", "persistent_id", "persistent_load", "reducer_override"),
        # learners, networks, linear operators, plots
        *("fit", "predict", "predict_proba", "decision_function", "transform", "inverse_transform"),
        *("fit_transform", "partial_fit", "score", "get_params", "set_params", "forward", "backward"),
        *("step", "zero_grad", "state_dict", "load_state_dict", "parameters", "matvec", "rmatvec", "matmat"),
        *("shape", "dtype", "ndim", "size", "draw", "set_params", "to_numpy", "tolist", "item", "isoformat"),
        # the methods that numpy calls on the objects in an array
        *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "square", "reciprocal"),
        *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh", "arcsinh"),
        *("arccosh", "arctanh", "hypot", "degrees", "radians", "rad2deg", "deg2rad", "fabs", "floor", "ceil"),
        *("trunc", "rint", "fmod", "conjugate", "real", "imag", "isnan", "isfinite", "sign", "logical_and"),
        *("logical_or", "logical_xor", "logical_not"),
    )
)
"""Methods that other packages call on objects which they are given."""


_ON_SUBCLASSING = frozenset(("__init_subclass__", "__class_getitem__", "__set_name__", "__mro_entries__"))
_ON_CALLING = frozenset(("__init__", "__new__", "__post_init__", "__setattr__", "__set_name__", "__del__"))
_HOOKS = frozenset(("__get__", "__hash__", "__eq__", "__or__", "__ror__"))
_FACTORIES = frozenset(("list", "dict", "set"))


def module_facts(data: bytes, shown: str) -> list[Any]:
    """Return a module's facts as JSON; InputError if it is not valid Python."""
    return _facts(parse(data, shown), data).plain()


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
        "variants": [{key: repr(value) for key, value in each.items()} for each in declared.variants],
        "has_draw": declared.has_draw,
    }
    return {"declaration": declaration, "module": _facts(tree, data, is_experiment=True).plain()}


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
    stars = [module for module, _, level in _stars(body) if not level]
    return Globals(imports, frozenset(others), frozenset(stars), any(True for _ in _stars(body)))


def _stars(body: Iterable[ast.stmt]) -> Iterator[Import]:
    """Yield the imports of all names of a module, which may stand under a condition."""
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.ImportFrom):
                yield from (found for found in executed_by(node) if found[1] == "*")


def _facts(tree: ast.Module, data: bytes, *, is_experiment: bool = False) -> ModuleFacts:
    every = without_texts(tree).body
    names = module_globals(every)
    body = [statement for statement in every if not _never_runs(statement, names)]
    known = module_globals(body)
    elsewhere = () if known.has_stars else module_globals(s for s in every if s not in body).others
    unbound: dict[str, Import | None] = dict.fromkeys(set(elsewhere) - known.others - known.imports.keys())
    evaluation = Evaluation(known, _data(body, known), *_functions(body, known))
    cutter = _Cutter(known, evaluation, unbound, is_experiment and not _uses_defaults(body))
    pieces = [piece for statement in body for piece in cutter.cut(statement)]
    return ModuleFacts(tuple(pieces), tuple(dict.fromkeys(_stars(body))), sha256(data).hexdigest())


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
        self.unbound = unbound
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
                yield self._piece(node, tuple(targets(node)), always=self._acts(node), assigns=True)
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
        return Piece(label, (name,), digest, References(), always=always, executes=executes, stands=stands)

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
        if isinstance(node, ast.AnnAssign) and not self.evaluation.annotates_plainly(node.annotation):
            return True
        return node.value is not None and not self.evaluation.is_plain(node.value)

    def _defines_plainly(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, siblings: Iterable[str] = ()
    ) -> bool:
        """Return whether defining a function calls nothing of the project."""
        return (
            all(self.evaluation.decorates_plainly(d, siblings) for d in node.decorator_list)
            and self.evaluation.has_plain_defaults(node.args)
            and self.evaluation.annotates_plainly(node.returns)
        )

    def _class(self, node: ast.ClassDef) -> Iterator[Piece]:
        functions = [f for f in node.body if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)]
        names = {function.name for function in functions}
        alone = [f for f in functions if self._counts_alone(f, names)]
        rest = [statement for statement in node.body if statement not in alone]
        self.evaluation.assumed.clear()
        decorated = all(self.evaluation.decorates_plainly(d) for d in node.decorator_list)
        quiet = all(self._is_quiet_in_class(statement, names) for statement in rest)
        defines = self._described(node, rest, given=not decorated)
        always = not decorated or not quiet or defines.given or self._is_hooked_enum(node, names)
        cut = copy.copy(node)
        cut.body = rest
        if self.is_experiment and node.name == "Params":
            cut.body = [_without_default(statement) for statement in rest]
        piece = self._piece(cut, (node.name,), always=always, defines=defines)
        # what the body says about a function beside it is about the method, not about a global name
        used = {path[0] for path in piece.refers.paths} | {name for part in rest for name in targets(part)}
        piece.refers.names.update(used & names)
        yield piece
        for function in alone:
            self.evaluation.assumed.clear()
            label = f"{node.name}.{function.name}"
            yield self._piece(function, (function.name,), label=label, owner=node.name)

    def _described(self, node: ast.ClassDef, body: Iterable[ast.stmt], *, given: bool) -> Class:
        """Return what a class does besides being one; bases that are not known count as doing anything."""
        others = [base for base in node.bases if not self.evaluation.is_plain_base(base)]
        paths = [dotted(base.value if isinstance(base, ast.Subscript) else base) for base in others]
        given = given or bool(node.keywords) or None in paths
        names = {name for part in node.body for name in targets(part)}
        quiet = not given and _ON_SUBCLASSING.isdisjoint(names)
        inert = quiet and _ON_CALLING.isdisjoint(names) and all(map(self._is_inert_in_class, body))
        known = tuple(path for path in paths if path is not None)
        return Class(known, quiet, inert, given, tuple(sorted(names & _HOOKS)))

    def _is_inert_in_class(self, node: ast.stmt) -> bool:
        """Return whether what a statement leaves in a class runs no code when it is read or copied."""
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(value, ast.Call) and self._is_field(value):
            parts = [k.value for k in value.keywords if not _is_name(k.value, _FACTORIES)]
            return all(map(self.evaluation.is_data, parts))
        return value is None or self.evaluation.is_data(value)

    def _is_field(self, node: ast.Call) -> bool:
        path = dotted(node.func)
        return path is not None and self.known.qualified(path) == "dataclasses.field"

    def _is_hooked_enum(self, node: ast.ClassDef, functions: Iterable[str]) -> bool:
        """Return whether making an Enum calls a function of its own."""
        paths = filter(None, map(dotted, node.bases))
        is_enum = any((self.known.qualified(path) or "").startswith("enum.") for path in paths)
        return is_enum and any(map(_is_special, functions))

    def _counts_alone(self, node: ast.FunctionDef | ast.AsyncFunctionDef, siblings: Iterable[str]) -> bool:
        called_unnamed = _is_special(node.name) or node.name in _CALLED_BY_PROTOCOLS
        return not called_unnamed and self._defines_plainly(node, siblings)

    def _is_quiet_in_class(self, node: ast.stmt, siblings: Iterable[str]) -> bool:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return self._defines_plainly(node, siblings)
            case ast.Assign(value=ast.Name(id=name)) | ast.AnnAssign(value=ast.Name(id=name)):
                # an object may take note of the class to which it belongs
                is_known = name in siblings or name in self.evaluation.functions
                return (is_known or name in self.evaluation.data) and not self._acts(node)
            case ast.Assign(value=ast.Attribute() as value) | ast.AnnAssign(value=ast.Attribute() as value):
                return self.evaluation.is_data(value) and not self._acts(node)
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


def _functions(body: Iterable[ast.stmt], known: Globals) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that only functions have, and of these those that make context managers."""
    defined = [node for node in body if isinstance(node, ast.FunctionDef)]
    others = {name for node in body if node not in defined for name in targets(node)} | known.imports.keys()
    managers = (
        node.name
        for node in defined
        for decorator in node.decorator_list
        if (path := dotted(decorator)) and known.qualified(path) == "contextlib.contextmanager"
    )
    functions = frozenset(node.name for node in defined if not node.decorator_list)
    return functions - others, frozenset(managers)


def _is_name(node: ast.expr, names: Container[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _uses_defaults(body: Iterable[ast.stmt]) -> bool:
    """Return whether an experiment's code may use the defaults of Params, whatever it is given."""
    outside = [n for n in body if not (isinstance(n, ast.Assign) and {*targets(n)} & {*_DECLARED})]
    annotations = {
        id(name)
        for node in outside
        for part in ast.walk(node)
        for annotation in (getattr(part, "annotation", None), getattr(part, "returns", None))
        if isinstance(annotation, ast.expr)
        for name in ast.walk(annotation)
    }
    used = (name for node in outside for name in ast.walk(node) if id(name) not in annotations)
    return any(isinstance(n, ast.Name) and n.id in ("Params", "QUICK", "VARIANTS") for n in used)


def _is_special(name: str) -> bool:
    """Return whether Python itself calls a function of this name: `__len__`, or `_missing_` of an Enum."""
    return name.startswith("_") and name.endswith("_") and len(name) > 2


def _never_runs(node: ast.AST, known: Globals) -> bool:
    """Return whether the statement's body never runs in an experiment: type checking, or a script's main."""
    if not isinstance(node, ast.If) or node.orelse:
        return False
    path = dotted(node.test)
    is_of_types = path is not None and known.qualified(path) == "typing.TYPE_CHECKING"
    return is_of_types or ast.unparse(node.test) == "__name__ == '__main__'"


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

"""What a piece of Python code refers to, found in its syntax: names, attributes, texts and imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Import = tuple[str, str | None, int]
"""The module, the name taken from it or None, and the level of a relative import."""

Dotted = tuple[str, ...]

NONE, LOCAL, ANYTHING, TEXTS = 0, 1, 2, 3
"""What computed names can reach: nothing; what the module and the objects it is given have; anything; the
text of the files as well, docstrings, comments and the numbers of lines included."""

OF_MODULES = frozenset(("__dict__", "__getattribute__", "__getattr__"))
"""Attributes through which all others of a module or an object can be reached."""

_BY_BUILTIN = {
    **dict.fromkeys(("getattr", "hasattr", "setattr", "delattr"), LOCAL),
    **dict.fromkeys(("globals", "locals", "vars", "dir"), LOCAL),
    **dict.fromkeys(("eval", "exec", "compile", "__import__", "__builtins__", "__loader__"), ANYTHING),
    "__doc__": TEXTS,
}
_BY_ATTRIBUTE = {
    **dict.fromkeys(OF_MODULES, LOCAL),
    **dict.fromkeys(("__globals__", "f_globals", "f_locals", "f_builtins", "__builtins__"), ANYTHING),
    "__subclasses__": ANYTHING,
    **dict.fromkeys(("__doc__", "co_firstlineno", "co_lines", "co_positions"), TEXTS),
    **dict.fromkeys(("f_lineno", "tb_lineno", "lineno"), TEXTS),
}
_BY_FUNCTION = {
    **dict.fromkeys(("operator.attrgetter", "operator.methodcaller", "inspect.getmembers"), LOCAL),
    **dict.fromkeys(("inspect.getattr_static", "inspect.getmembers_static"), LOCAL),
    **dict.fromkeys(("object.__setattr__", "object.__delattr__", "object.__getattribute__"), LOCAL),
    **dict.fromkeys(("timeit", "doctest", "unittest", "cProfile", "profile", "logging.config"), ANYTHING),
    **dict.fromkeys(("importlib.metadata.entry_points", "importlib.metadata.EntryPoint"), ANYTHING),
    **dict.fromkeys((f"inspect.{name}" for name in ("getdoc", "getcomments", "findsource")), TEXTS),
    **dict.fromkeys((f"inspect.{name}" for name in ("getsource", "getsourcelines")), TEXTS),
    **dict.fromkeys(("linecache", "pydoc", "docopt", "runpy.run_path", "runpy.run_module"), TEXTS),
    **dict.fromkeys(
        (f"traceback.{name}" for name in ("format_exc", "format_exception", "format_tb", "format_stack")),
        TEXTS,
    ),
    **dict.fromkeys(
        (f"traceback.{name}" for name in ("extract_tb", "extract_stack", "TracebackException")), TEXTS
    ),
    **dict.fromkeys(
        (
            *("sys.modules", "importlib.import_module", "importlib.__import__", "importlib.reload"),
            *("pkgutil.resolve_name", "pkgutil.walk_packages", "pkgutil.iter_modules"),
            *("inspect.getmodule", "gc.get_objects"),
            *("gc.get_referrers", "gc.get_referents", "typing.get_type_hints", "code.InteractiveInterpreter"),
            *(
                f"{module}.{name}"
                for module in ("pickle", "dill", "cloudpickle")
                for name in ("load", "loads")
            ),
            *("pickle.Unpickler", "joblib.load", "shelve.open", "marshal.loads", "marshal.load"),
        ),
        ANYTHING,
    ),
    **dict.fromkeys(("importlib.util", "importlib.machinery", "zipimport", "imp"), ANYTHING),
}
_WITH_A_TEXT = {  # where the name is written out, it counts like any other text
    **dict.fromkeys(("getattr", "hasattr", "setattr", "delattr", "inspect.getattr_static"), 1),
    **dict.fromkeys(("object.__setattr__", "object.__delattr__", "object.__getattribute__"), 1),
    **dict.fromkeys(("operator.attrgetter", "operator.methodcaller"), 0),
    **dict.fromkeys(("importlib.import_module", "__import__", "pkgutil.resolve_name"), 0),
}
_IMPORTS = frozenset(("importlib.import_module", "__import__"))
_SENTENCE = re.compile(r"\s")
_WORD = re.compile(r"[^\W\d]\w*")
_FIELD = re.compile(r"\{[^{}]*\}")
_CODE = re.compile(r"(?<=@)[^\W\d]\w*|[^\W\d]\w*(?=\()")
"""What other packages take for a name of the code around them: "y ~ f(x)", "size > @limit"."""

_LONGEST_NAME = 200


@dataclass
class References:
    """What some code refers to.

    `paths` are dotted names that begin with a global name of the module; `imported` those that begin with
    what this very code imports; `names` are attributes of other objects, and words of texts; `texts` are
    dotted texts, which may name modules; `computed` says what the names can reach that are computed.
    """

    paths: set[Dotted] = field(default_factory=set)
    imported: set[tuple[Import, Dotted]] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    imports: set[Import] = field(default_factory=set)
    computed: int = NONE

    def plain(self) -> list[Any]:
        """Return the references as JSON, in an order that does not depend on hashes."""
        return [
            sorted(self.paths),
            sorted(self.imported, key=repr),
            sorted(self.names),
            sorted(self.texts),
            sorted(self.imports, key=repr),
            self.computed,
        ]

    @classmethod
    def parse(cls, plain: list[Any]) -> References:
        """Return the references in parsed JSON."""
        paths, imported, names, texts, imports, computed = plain
        return cls(
            {tuple(path) for path in paths},
            {((module, name, level), tuple(path)) for (module, name, level), path in imported},
            set(names),
            set(texts),
            {(module, name, level) for module, name, level in imports},
            computed,
        )

    def __or__(self, other: References) -> References:
        return References(
            self.paths | other.paths,
            self.imported | other.imported,
            self.names | other.names,
            self.texts | other.texts,
            self.imports | other.imports,
            max(self.computed, other.computed),
        )


@dataclass(frozen=True)
class Globals:
    """The global names of a module: what its imports bind them to, and those that something else binds.

    `stars` are the modules all of whose names it imports; it `has_stars` also if all are named relatively.
    """

    imports: Mapping[str, Import] = field(default_factory=dict)
    others: frozenset[str] = frozenset()
    stars: frozenset[str] = frozenset()
    has_stars: bool = False

    def qualified(self, path: Dotted) -> str | None:
        """Return the dotted name outside the module that a dotted name stands for, if imports tell it."""
        first, *rest = path
        if first in self.others:
            return None
        if first not in self.imports:  # a built-in name, or none at all
            return ".".join(path)
        module, name, level = self.imports[first]
        if level:
            return None
        # `import a.b` binds a, `import a.b as x` binds a.b: see `imports_of`
        return ".".join([module, *([name] if name else []), *rest]).removeprefix("builtins.")


def dotted(node: ast.expr) -> Dotted | None:
    """Return an expression as a dotted name, None if it is not one."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.insert(0, node.attr)
        node = node.value
    return (node.id, *attributes) if isinstance(node, ast.Name) else None


def references(nodes: Iterable[ast.AST], known: Globals, local: Mapping[str, Import | None]) -> References:
    """Return what nodes of a module refer to; `local` are the names around them that are not global."""
    finder = _Finder(known, [dict(local)])
    for node in nodes:
        finder.visit(node)
    return finder.found


def imports_of(node: ast.Import | ast.ImportFrom) -> dict[str, Import]:
    """Return what an import statement binds to which names."""
    if isinstance(node, ast.Import):
        # without `as`, the name stands for the first package alone; all of it is executed, see `executed_by`
        return {
            alias.asname or alias.name.partition(".")[0]: (
                alias.name if alias.asname else alias.name.partition(".")[0],
                None,
                0,
            )
            for alias in node.names
        }
    return {alias.asname or alias.name: (node.module or "", alias.name, node.level) for alias in node.names}


def executed_by(node: ast.Import | ast.ImportFrom) -> Iterator[Import]:
    """Yield the imports that a statement executes."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            yield alias.name, None, 0
        else:
            yield node.module or "", alias.name, node.level


_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def locals_of(function: _Function) -> dict[str, Import | None]:
    """Return the local names of a function: what it imports under them, None if something else binds them."""
    arguments = function.args
    named = [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ]
    bound: dict[str, Import | None] = {a.arg: None for a in named if a is not None}
    outside: set[str] = set()
    body = function.body if isinstance(function.body, list) else [function.body]
    for node in _own(body):
        if isinstance(node, ast.Global | ast.Nonlocal):
            outside.update(node.names)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for name, found in imports_of(node).items():
                bound[name] = found if bound.get(name, found) == found else None
        else:
            bound.update(dict.fromkeys(_bound_by(node)))
    return {name: found for name, found in bound.items() if name not in outside}


def _own(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield all nodes of a function's body, but not those of the scopes inside it."""
    for node in nodes:
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, _Comprehension):  # of all that is bound in there, := alone binds outside
            yield from (inner for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr))
            yield from (n.target for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
            continue
        yield from _own(ast.iter_child_nodes(node))


def _bound_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        yield from [node.name] if node.name else []
    elif isinstance(node, ast.MatchMapping):
        yield from [node.rest] if node.rest else []


class _Finder(ast.NodeVisitor):
    """Walks over code with the local names of the functions around each place."""

    def __init__(self, known: Globals, scopes: list[dict[str, Import | None]]) -> None:
        self.known = known
        self.scopes = scopes
        self.found = References()

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.found.imports.update(executed_by(node))
        for name, found in imports_of(node).items():
            # where something else may be bound to the name, too, its uses do not tell what they are of
            if self.scopes[-1].get(name) != found:
                self.found.imported.add((found, ()))

    visit_ImportFrom = visit_Import

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for outside in (*node.decorator_list, node.args, *([node.returns] if node.returns else [])):
            self.visit(outside)
        self._inside(locals_of(node), node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit(node.args)
        self._inside(locals_of(node), [node.body])

    def visit_ListComp(self, node: _Comprehension) -> None:
        self.visit(node.generators[0].iter)  # the only part that is evaluated outside
        targets = [n for g in node.generators for n in ast.walk(g.target)]
        bound = {name: None for target in targets for name in _bound_by(target)}
        rest = [part for g in node.generators for part in (g.target, *g.ifs)]
        rest += [g.iter for g in node.generators[1:]]
        values = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._inside(bound, [*rest, *values])

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def _inside(self, bound: Mapping[str, Import | None], nodes: Iterable[ast.AST]) -> None:
        self.scopes.append(dict(bound))
        for node in nodes:
            self.visit(node)
        self.scopes.pop()

    def visit_Global(self, node: ast.Global) -> None:
        self.found.paths.update((name,) for name in node.names)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):  # it is read, too
            self._path((node.target.id,))
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._path((node.id,))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._computes(_BY_ATTRIBUTE.get(node.attr, NONE))
        path = dotted(node)
        if path is None:
            self.found.names.add(node.attr)
            self.visit(node.value)
            return
        for attribute in path[1:]:
            self._computes(_BY_ATTRIBUTE.get(attribute, NONE))
        self._path(path)

    def visit_MatchClass(self, node: ast.MatchClass) -> None:
        self.found.names.update(node.kwd_attrs)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = self._qualified(node.func) or ""
        place = _WITH_A_TEXT.get(called)
        named = node.args[place] if place is not None and len(node.args) > place else None
        if not (isinstance(named, ast.Constant) and isinstance(named.value, str)):
            self.generic_visit(node)
            return
        self._computes(max((_BY_ATTRIBUTE.get(w, NONE) for w in _WORD.findall(named.value)), default=NONE))
        if named.value.startswith("."):  # a relative import; which package it is of is taken to be this one
            level = len(named.value) - len(named.value.lstrip("."))
            self.found.imported.add(((named.value.lstrip("."), None, level), ()))
        elif called in _IMPORTS:
            self.found.imports.add((named.value, None, 0))
        # not the function: its name alone, in any other place, is a computed name
        if isinstance(node.func, ast.Attribute):
            self.visit(node.func.value)
        for part in (*node.args, *node.keywords):
            self.visit(part)

    def visit_Constant(self, node: ast.Constant) -> None:
        text = node.value
        if not isinstance(text, str):
            return
        code = _CODE.findall(text)
        self.found.paths.update((name,) for name in code if self._is_global(name))
        if _SENTENCE.search(text) or len(text) > _LONGEST_NAME:
            words = [*code, *(word for field_ in _FIELD.findall(text) for word in _WORD.findall(field_))]
        else:
            words = _WORD.findall(text)
            self.found.texts.update(_dotted(text) if words else ())
        self.found.names.update(words)
        # "__dict__" may be one of the __slots__; where a text becomes a name, `visit_Call` has it
        self._computes(
            max((_BY_ATTRIBUTE.get(word, NONE) for word in words if word != "__dict__"), default=NONE)
        )

    def _is_global(self, name: str) -> bool:
        return name in self.known.imports or name in self.known.others

    def _path(self, path: Dotted) -> None:
        for scope in reversed(self.scopes):
            if path[0] in scope:
                imported = scope[path[0]]
                if imported is None:
                    self.found.names.update(path[1:])
                else:
                    self.found.imported.add((imported, path[1:]))
                    self._computes(_reaches(Globals({path[0]: imported}).qualified(path)))
                return
        self.found.paths.add(path)
        self._computes(_reaches(self.known.qualified(path)))
        if path[0] not in self.known.imports:  # it may come from any of these
            for star in self.known.stars:
                self._computes(_reaches(".".join((star, *path))))

    def _qualified(self, node: ast.expr) -> str | None:
        path = dotted(node)
        if path is None:
            return None
        for scope in reversed(self.scopes):
            if path[0] in scope:
                imported = scope[path[0]]
                return imported and Globals({path[0]: imported}).qualified(path)
        return self.known.qualified(path)

    def _computes(self, what: int) -> None:
        self.found.computed = max(self.found.computed, what)


def _reaches(qualified: str | None) -> int:
    """Return what can be reached by the function or object of a qualified name, as computed names go."""
    if qualified is None:
        return NONE
    if qualified in _BY_BUILTIN:
        return _BY_BUILTIN[qualified]
    steps = qualified.split(".")
    return max(_BY_FUNCTION.get(".".join(steps[: i + 1]), NONE) for i in range(len(steps)))


def _dotted(text: str) -> Iterator[str]:
    """Yield those of a text and of its part before a colon that are dotted names."""
    for candidate in (text, text.partition(":")[0]):
        if all(step.isidentifier() for step in candidate.split(".")):
            yield candidate

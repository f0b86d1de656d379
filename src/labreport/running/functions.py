"""What a function depends on, found while it is there: its code, and the values that it holds.

Code counts as in a fingerprint (see `reach`), from the function itself on: for a lambda or a nested function
from its own lines, not from those around it. The values that count are what closures, defaults, partials and
bound objects hold, and the present values of the module-level variables and class attributes that the code
reaches, since `run` may have changed them. Parameters and the lab do not count as values: what a call reads
of them is observed.
"""

from __future__ import annotations

import ast
import functools
import io
import operator
import pickle
import sys
import types
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport.results import Fingerprint, of_kind, reach, references, syntax

if TYPE_CHECKING:
    from labreport.modules import Module
    from labreport.results import Sources

ATTRIBUTES, MEMORY = "__dict__", "cache_info"

Ignored = Mapping[type, Callable[[object], str | None]]
"""For types some of whose objects do not count as values: what names such an object, and None for others."""


class Unknowable(Exception):
    """What a function depends on cannot be told."""


@dataclass
class Held:
    """What values hold besides data: functions, classes and modules, which count by their code."""

    functions: dict[int, types.FunctionType] = field(default_factory=dict)
    classes: dict[int, type] = field(default_factory=dict)
    modules: dict[int, types.ModuleType] = field(default_factory=dict)

    def count(self) -> int:
        """Return how many there are."""
        return len(self.functions) + len(self.classes) + len(self.modules)


class Functions:
    """Functions of an experiment and what they depend on; `start` is the experiment's module."""

    def __init__(self, sources: Sources, start: Module, ignored: Ignored) -> None:
        self.sources = sources
        self.start = start
        self.ignored = ignored
        self._trees: dict[Path, _Written] = {}
        self._reached: dict[frozenset[object], reach.Reached] = {}

    def fingerprint(self, function: object) -> Fingerprint:
        """Return the fingerprint of a function as it is now.

        Raises
        ------
        Unknowable
            It holds something whose value cannot be told.

        """
        held = Held()
        values = {"function": self._digest(function, held)}
        while True:
            before = held.count()
            reached = self._reach(held)
            for name, value in self._variables(reached, held):
                values[name] = self._digest(value, held)
            if held.count() == before:  # else variables hold functions, which reach further
                break
        code = {self.sources.label(path, label): sha for (path, label), sha in reached.code.items()}
        out = of_kind("code", {**code, **self._own_code(held)}) | of_kind("value", values)
        return out | self.sources.versions(set(reached.foreign) | self._foreign(held))

    def items(self, function: object) -> Callable[[object], str]:
        """Return what gives the digests of a function's items, until `run` goes on.

        Of functions and classes that an item holds the code counts as well, with what the function may call
        of it. The digests raise Unknowable as `fingerprint` does.
        """
        known: dict[frozenset[int], str] = {}  # many items, few classes

        def digest(item: object) -> str:
            held = Held()
            own = self._digest(item, held)
            if not held.count():
                return own
            inside = [*held.functions.values(), *held.classes.values(), *held.modules.values()]
            key = frozenset(map(id, inside))
            if key not in known:
                known[key] = self.fingerprint((function, inside)).digest
            return sha256(f"{own} {known[key]}".encode()).hexdigest()

        return digest

    # ---------------------------------------------------------------------------------------------- values

    def _digest(self, value: object, held: Held) -> str:
        sink = io.BytesIO()
        try:
            _Hasher(sink, self, held).dump(value)
        except Unknowable:
            raise
        except Exception as error:  # each class may refuse to be pickled in its own way
            raise Unknowable(f"{type(error).__name__}: {error}") from error
        return sha256(sink.getbuffer()).hexdigest()

    def _variables(self, reached: reach.Reached, held: Held) -> Iterator[tuple[str, object]]:
        """Yield the present values of variables and class attributes that code reaches, by name."""
        loaded = _loaded()
        for path in sorted(reached.imported):
            if (module := loaded.get(str(path))) is not None:
                yield from self._put_there(path, module, reached.attributes)
        for path, label in sorted(reached.code, key=str):
            module = loaded.get(str(path))
            if module is None or not label or "." in label:
                continue
            for name in label.split(", "):
                value = vars(module).get(name)
                shown = self.sources.label(path, name)
                if isinstance(value, types.FunctionType) and _is_of(value, path, name):
                    if own := {k: v for k, v in vars(value).items() if k != "__wrapped__"}:
                        yield f"{shown}.{ATTRIBUTES}", own
                    continue
                memory = getattr(value, "cache_info", None)
                if memory is not None and memory().currsize:
                    yield f"{shown}.{MEMORY}", True
                if isinstance(value, type):
                    yield from ((f"{shown}.{key}", v) for key, v in _attributes(value))
                elif name in vars(module):  # a variable, or a function that was put in another's place
                    yield shown, value

    def _put_there(
        self, path: Path, module: types.ModuleType, names: Iterable[str]
    ) -> Iterator[tuple[str, object]]:
        """Yield what a module has under these names though no statement of it binds them."""
        found = self.sources.find(module.__name__)
        if found is None:
            return
        bound = {name for piece in self.sources.facts(found).pieces for name in piece.names}
        for name in sorted(set(names) & vars(module).keys() - bound):
            value = vars(module)[name]
            if not (isinstance(value, types.ModuleType) or name.startswith("__")):
                yield self.sources.label(path, name), value

    def is_ours(self, function: types.FunctionType) -> bool:
        """Return whether a function is defined in a module of the project."""
        return self.sources.find(function.__module__ or "") is not None

    def is_written_here(self, function: Any) -> bool:
        """Return whether a function of the project is its own code, not a decorator's of another package."""
        file = function.__code__.co_filename
        ours = any(file.startswith(f"{root}/") for root in self.sources.project.source_roots)
        return (ours and "/site-packages/" not in file) or not hasattr(function, "__wrapped__")

    # ------------------------------------------------------------------------------------------------ code

    def _reach(self, held: Held) -> reach.Reached:
        key = frozenset([*(f.__code__ for f in held.functions.values()), *held.classes.values()])
        key |= frozenset(module.__name__ for module in held.modules.values())
        if key not in self._reached:
            names, code = [], []
            for function in held.functions.values():
                module = self.sources.find(function.__module__ or "")
                if module is None:
                    continue
                nodes = list(self._nodes(module, function.__code__))
                # by its name a method would count as its class does: by name only
                code += [(module, refers) for _, refers in nodes]
                if not nodes or "<" not in function.__qualname__:
                    names.append((module, function.__qualname__.partition(".")[0]))
            for class_ in held.classes.values():
                module = self.sources.find(class_.__module__)
                if module is not None:
                    names.append((module, class_.__qualname__.partition(".")[0]))
            found = (self.sources.find(module.__name__) for module in held.modules.values())
            values = [module for module in found if module is not None]
            self._reached[key] = reach.reached_from(self.sources, self.start, names, code, values)
        return self._reached[key]

    def _own_code(self, held: Held) -> dict[str, str]:
        """Return the digests of the lines of lambdas and nested functions."""
        out: dict[str, list[str]] = {}
        for function in held.functions.values():
            module = self.sources.find(function.__module__ or "")
            if module is None:
                continue
            label = self.sources.label(module.path, f"{function.__qualname__}")
            out.setdefault(label, []).extend(sha for sha, _ in self._nodes(module, function.__code__))
        return {
            label: sha256(" ".join(sorted(several)).encode()).hexdigest() for label, several in out.items()
        }

    def _nodes(self, module: Module, code: types.CodeType) -> Iterator[tuple[str, references.References]]:
        """Yield the digest and the references of each definition that a code object may come from."""
        written = self._written(module)
        for node, scopes in written.definitions[code.co_firstlineno, code.co_name]:
            yield syntax.digest_of([node]), references.references([node], written.known, scopes)

    def _written(self, module: Module) -> _Written:
        if module.path not in self._trees:
            self._trees[module.path] = _Written(self.sources.read(module.path) or b"")
        return self._trees[module.path]

    def _foreign(self, held: Held) -> set[str]:
        """Return the top-level modules of other packages' functions and classes among the values."""
        objects: list[Any] = [*held.functions.values(), *held.classes.values(), *held.modules.values()]
        names = {str(getattr(o, "__module__", None) or getattr(o, "__name__", "")) for o in objects}
        tops = {name.partition(".")[0] for name in names}
        return {top for top in tops if self.sources.is_foreign(top)}


def remembers(fingerprint: Fingerprint) -> bool:
    """Return whether a function that counts may remember what it has read before (`functools.cache`)."""
    return any(name.endswith(f".{MEMORY}") for name in fingerprint.named("value"))


class _Written:
    """The syntax of a module: its global names, and its functions by their first lines and names."""

    def __init__(self, source: bytes) -> None:
        tree = syntax.without_texts(ast.parse(source))
        self.known = syntax.module_globals(tree.body)
        self.definitions: dict[tuple[int, str], list[tuple[_Function, Scopes]]] = defaultdict(list)
        for node, scopes in _definitions(tree, {}):
            decorators = node.decorator_list if not isinstance(node, ast.Lambda) else []
            first = min([node.lineno, *(d.lineno for d in decorators)])
            name = "<lambda>" if isinstance(node, ast.Lambda) else node.name
            self.definitions[first, name].append((node, scopes))


class _Hasher(pickle.Pickler):
    """Writes a value so that equal values give equal bytes; notes what counts by its code."""

    def __init__(self, sink: io.BytesIO, functions: Functions, held: Held) -> None:
        super().__init__(sink, 5)
        self.fast = True  # no references to what was written before: equal parts need not be the same object
        self.functions = functions
        self.held = held
        self.array = getattr(sys.modules.get("numpy"), "ndarray", None)
        self.tensors = _tensors()
        self.begun: set[int] = set()

    def reducer_override(self, value: Any) -> Any:
        """Return how to write functions, classes and modules, and what does not count."""
        if type(value) in self.functions.ignored:
            name = self.functions.ignored[type(value)](value)
            return (str, (name,)) if name is not None else NotImplemented
        if type(value) is self.array and not value.dtype.hasobject:  # much less to write than NumPy's own way
            kind = value.dtype.str if value.dtype.names is None else value.dtype.descr
            return tuple, ((kind, value.shape, value.tobytes()),)
        if type(value) in self.tensors and (written := _of_tensor(value)) is not None:
            return tuple, (written,)
        if isinstance(value, types.FunctionType):
            if not self.functions.is_ours(value):
                return str, (f"{value.__module__}.{value.__qualname__}",)
            if not self.functions.is_written_here(value):  # a decorator's of another package, written at it
                inner = vars(value)["__wrapped__"]
                return tuple, ((value.__qualname__, value.__code__.co_name, inner),)
            known = id(value) in self.begun  # a function may hold itself
            self.begun.add(id(value))
            self.held.functions[id(value)] = value
            closure = [] if known else [_content(cell) for cell in value.__closure__ or ()]
            given = (value.__module__, value.__qualname__, value.__defaults__, value.__kwdefaults__)
            return tuple, ((*given, _told_apart(value.__code__), *closure),)
        if isinstance(value, type) and value.__module__ != "builtins":
            self.held.classes[id(value)] = value
            return str, (f"{value.__module__}.{value.__qualname__}",)
        if isinstance(value, types.ModuleType):
            self.held.modules[id(value)] = value
            return str, (value.__name__,)
        if isinstance(value, types.MethodType):
            return tuple, ((value.__func__, value.__self__),)
        if isinstance(value, property):
            return tuple, ((value.fget, value.fset, value.fdel),)
        if isinstance(value, staticmethod | classmethod):
            return tuple, ((type(value).__name__, value.__func__),)
        if isinstance(value, operator.methodcaller):
            raise Unknowable("what methodcaller calls is known by a name only: write a function")
        if isinstance(value, _CACHED):  # would be written as its name alone
            return tuple, (("cached", value.__wrapped__),)
        return NotImplemented


def _told_apart(code: types.CodeType) -> object:
    """Return what tells lambdas, and what stands in them, apart in one line; None for what has a name."""
    if not code.co_name.startswith("<"):
        return None
    constants = [
        _told_apart(constant) if isinstance(constant, types.CodeType) else repr(constant)
        for constant in code.co_consts
    ]
    return code.co_code, code.co_names, constants


def _content(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return "nothing yet"


def _loaded() -> Mapping[str, types.ModuleType]:
    """Return the loaded modules by their files."""
    files = ((getattr(module, "__file__", None), module) for module in list(sys.modules.values()))
    return {file: module for file, module in files if file}


def _is_of(function: types.FunctionType, path: Path, name: str) -> bool:
    """Return whether a function, or what it wraps, was defined under a name in a file."""
    while True:
        if (function.__code__.co_filename, function.__code__.co_qualname) == (str(path), name):
            return True
        inner = getattr(function, "__wrapped__", None)
        if not isinstance(inner, types.FunctionType):
            return False
        function = inner


_CACHED = type(functools.cache(len))
_DESCRIBING = (types.MemberDescriptorType, types.GetSetDescriptorType, functools.cached_property)


def _attributes(class_: type) -> Iterator[tuple[str, object]]:
    """Yield a class's attributes, as they are now, but for the functions that its own code defines."""
    for key, value in vars(class_).items():
        if key.startswith("__") and key.endswith("__"):
            continue
        inner = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
        while isinstance(wrapped := getattr(inner, "__wrapped__", None), types.FunctionType):
            inner = wrapped
        is_own = getattr(inner, "__qualname__", "") == f"{class_.__qualname__}.{key}"
        if not (is_own or isinstance(value, _DESCRIBING) or key == "_abc_impl"):
            yield key, value


def _tensors() -> tuple[type, ...]:
    torch: Any = sys.modules.get("torch")
    return (torch.Tensor, torch.nn.Parameter) if hasattr(torch, "nn") else ()


def _of_tensor(value: Any) -> object:
    """Return what is to be written of a plain tensor: torch's own way names places in memory."""
    torch: Any = sys.modules["torch"]
    if value.layout is not torch.strided or value.is_quantized or value.device.type != "cpu":
        return None
    data = value.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
    bits = data.view(torch.uint8).numpy().tobytes()
    kind = type(value).__name__, str(value.dtype), tuple(value.shape), value.requires_grad
    return (*kind, value.grad, bits)


_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Scopes = Mapping[str, references.Import | None]


def _definitions(node: ast.AST, scopes: Scopes) -> Iterator[tuple[_Function, Scopes]]:
    """Yield each function in some code, with the local names around it."""
    for child in ast.iter_child_nodes(node):
        inside = scopes
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child, scopes
            inside = {**scopes, **references.locals_of(child)}
        elif isinstance(child, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            targets = (n for generator in child.generators for n in ast.walk(generator.target))
            inside = {**scopes, **{n.id: None for n in targets if isinstance(n, ast.Name)}}
        yield from _definitions(child, inside)

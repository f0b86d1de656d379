"""Which expressions call nothing of the project when they are evaluated, as far as their syntax tells.

What a module's statements call while it is imported can have any effect: register a function, change a class,
seed a generator. Statements of which that can be ruled out count by name only; this is the list.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from labreport.results.references import Dotted, Globals, dotted

CALLED, READ, TYPE = "called", "read", "type"
"""What is assumed of a dotted name: to call it, or to read the last of its attributes, runs no code of the
project; or it is a type, without a metaclass of the project."""

Assumption = tuple[str, Dotted]

_PURE_BUILTINS = frozenset(
    (
        *("abs", "bool", "bytes", "chr", "complex", "dict", "divmod", "enumerate", "float", "frozenset"),
        *("int", "len", "list", "max", "min", "object", "ord", "pow", "range", "repr", "reversed", "round"),
        *("set", "slice", "sorted", "str", "sum", "tuple", "zip"),
    )
)
"""They call nothing but special methods, and data of these types have none of the project's."""

_PURE_METHODS = frozenset(
    (
        *("capitalize", "count", "decode", "encode", "endswith", "find", "format", "hex", "index", "join"),
        *("lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rpartition", "rsplit"),
        *("rstrip", "split", "splitlines", "startswith", "strip", "title", "upper", "zfill"),
        *("copy", "difference", "get", "intersection", "items", "keys", "union", "values"),
        *("astype", "max", "mean", "min", "prod", "reshape", "std", "sum", "tolist", "transpose"),
        *("absolute", "as_posix", "joinpath", "resolve", "with_name", "with_suffix"),
    )
)
"""Methods of texts, numbers, containers, arrays and paths that change nothing."""

_OF_DATA = frozenset(
    ("parent", "parents", "name", "stem", "suffix", "T", "shape", "size", "eps", "max", "min")
)
"""Attributes of paths, arrays and types of numbers, which are plain data again."""

_GENERIC_OF = ("typing.", "collections.", "numpy.typing.")
_GENERIC = frozenset(
    (
        *("dict", "list", "set", "frozenset", "tuple", "type"),
        *("numpy.ndarray", "os.PathLike", "re.Pattern"),
    )
)
"""Types with arguments in brackets, which only note them."""

_PURE_ON_DATA = (
    *("math.", "cmath.", "fractions.Fraction", "decimal.Decimal", "datetime.", "re.compile", "struct.Struct"),
    *(f"numpy.{name}" for name in ("array", "asarray", "linspace", "arange", "zeros", "ones", "full", "eye")),
    *(
        f"numpy.{name}"
        for name in ("geomspace", "logspace", "float32", "float64", "int64", "log", "exp", "sqrt")
    ),
    *("numpy.dtype", "numpy.finfo", "numpy.iinfo", "itertools.", "textwrap.", "enum.auto"),
    *("matplotlib.colors.", "pathlib.Path", "pathlib.PurePath", "string.Template", "uuid.UUID", "os.path."),
)
"""Functions of other packages that have no effect, and call nothing that data could bring along."""

_KEEPS_ITS_ARGUMENTS = frozenset(
    (
        *("dataclasses.field", "functools.partial", "collections.namedtuple", "collections.ChainMap"),
        *("types.MappingProxyType", "types.SimpleNamespace", "typing.TypeVar", "typing.ParamSpec"),
        *("typing.NewType", "typing.cast"),
        *("contextvars.ContextVar", "threading.Lock", "threading.RLock", "threading.local"),
        *("operator.attrgetter", "operator.itemgetter", "operator.methodcaller", "logging.getLogger"),
    )
)
"""Functions that call nothing at once: what they are given is named where it is given."""

_PLAIN_DECORATORS = frozenset(
    (
        *("dataclasses.dataclass", "property", "staticmethod", "classmethod", "enum.unique"),
        *("functools.cache", "functools.lru_cache", "functools.cached_property", "functools.wraps"),
        *("functools.total_ordering", "functools.singledispatch", "functools.singledispatchmethod"),
        *("contextlib.contextmanager", "contextlib.asynccontextmanager", "abc.abstractmethod"),
        *("typing.overload", "typing.final", "typing.override", "typing.runtime_checkable"),
        *("typing.no_type_check", "typing_extensions.override", "torch.no_grad", "torch.inference_mode"),
    )
)
"""Decorators that only wrap: what they decorate is reached by its name, as if it were not decorated."""

_PLAIN_BASES = frozenset(
    (
        *("object", "typing.Protocol", "typing.NamedTuple", "typing.TypedDict", "typing.Generic", "abc.ABC"),
        *("enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag", "enum.IntFlag"),
        *(n for n, v in vars(builtins).items() if isinstance(v, type) and issubclass(v, BaseException)),
    )
)
"""Base classes that do nothing with their subclasses, and call no method of theirs but special ones."""


_BUILTIN_TYPES = frozenset(name for name, value in vars(builtins).items() if isinstance(value, type))
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_ANY_MODULE_OF_PYTHON = sys.stdlib_module_names
_CONTAINERS = frozenset(("tuple", "list", "zip", "enumerate", "reversed", "collections.deque"))


@dataclass(frozen=True)
class Evaluation:
    """What is known of a module's global names where its statements are evaluated.

    `data` are names that plain data is bound to, by each statement that binds them; `functions` those that
    only definitions of functions bind, `managers` those of them that make context managers. What is found
    plain is plain only if all that is `assumed` is true of other names, which their own syntax tells.
    """

    known: Globals
    data: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    managers: frozenset[str] = frozenset()
    assumed: set[Assumption] = field(default_factory=set, compare=False)

    def is_plain(self, node: ast.expr) -> bool:
        """Return whether evaluating an expression calls nothing of the project, whatever comes out."""
        match node:
            case ast.Constant() | ast.Name():
                return True
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return all(self.is_plain(part) for part in parts)
            case ast.Set(elts=parts):
                return all(self.hashes_plainly(part) for part in parts)
            case ast.Starred(value=part):
                return self.iterates_plainly(part)
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                return all(
                    self.iterates_plainly(value)
                    if key is None
                    else self.hashes_plainly(key) and self.is_plain(value)
                    for key, value in pairs
                )
            case ast.Lambda(args=arguments):
                return self.has_plain_defaults(arguments)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.is_data(test) and self.is_plain(body) and self.is_plain(orelse)
            case ast.Attribute():
                return self._is_of_a_module(node) or self.is_data(node)
            case ast.Subscript() | ast.BinOp(op=ast.BitOr()):
                return self.is_type(node) or self.is_data(node)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehends(node, Evaluation.is_plain)
            case ast.Call():
                return self._calls_plainly(node)
        return self.is_data(node)

    def _calls_plainly(self, node: ast.Call) -> bool:
        name, path = self._name(node.func), dotted(node.func)
        if name in _KEEPS_ITS_ARGUMENTS:
            return self._all(self.is_plain, node)
        if name in _CONTAINERS:
            return self._all(self.iterates_plainly, node)
        if self.is_data(node):
            return True
        if path is None or not self.is_global(path[0]) or not self._all(self.is_plain, node):
            return False
        self.assumed.add((CALLED, path))
        return True

    def hashes_plainly(self, node: ast.expr) -> bool:
        """Return whether an expression can become a key without a call of the project's code."""
        match node:
            case ast.Name(id=name):
                return name in self.data or name in self.functions or self._is_type(name)
            case ast.Attribute():
                return self.is_plain(node)
            case ast.Tuple(elts=parts):
                return all(self.hashes_plainly(part) for part in parts)
        return self.is_data(node)

    def _is_type(self, name: str) -> bool:
        """Return whether a name is a built-in type, or assume that another one is a type."""
        if not self.is_global(name):
            return self._name(ast.Name(name)) in _BUILTIN_TYPES
        self.assumed.add((TYPE, (name,)))
        return True

    def is_global(self, name: str) -> bool:
        """Return whether a statement of the module binds a name."""
        return name in self.known.imports or name in self.known.others

    def iterates_plainly(self, node: ast.expr | None) -> bool:
        """Return whether going through what an expression gives calls nothing of the project."""
        containers = (
            ast.Tuple,
            ast.List,
            ast.Dict,
            ast.ListComp,
            ast.GeneratorExp,
            ast.DictComp,
            ast.SetComp,
        )
        return node is None or self.is_data(node) or (isinstance(node, containers) and self.is_plain(node))

    def is_data(self, node: ast.expr) -> bool:
        """Return whether an expression is plain data: evaluating and using it calls none of our code."""
        match node:
            case ast.Constant():
                return True
            case ast.Name(id=name):
                return name in self.data or (name == "__file__" and not self.is_global(name))
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                return all(self.is_data(part) for part in parts)
            case ast.BoolOp(values=parts) | ast.JoinedStr(values=parts):
                return all(self.is_data(part) for part in parts)
            case ast.Dict(keys=keys, values=values):
                return all(part is None or self.is_data(part) for part in (*keys, *values))
            case ast.Starred(value=part) | ast.UnaryOp(operand=part):
                return self.is_data(part)
            case ast.FormattedValue(value=part, format_spec=spec):
                return self.is_data(part) and (spec is None or self.is_data(spec))
            case ast.BinOp(left=left, right=right) | ast.Subscript(value=left, slice=right):
                return self.is_data(left) and self.is_data(right)
            case ast.Compare(left=left, comparators=others):
                return all(self.is_data(part) for part in (left, *others))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return all(self.is_data(part) for part in (test, body, orelse))
            case ast.Slice(lower=lower, upper=upper, step=step):
                return all(part is None or self.is_data(part) for part in (lower, upper, step))
            case ast.Attribute():
                # the numbers and types of these packages, and what lies below a module of Python's own
                top = self._name(node).partition(".")[0]
                of_a_module = top == "numpy" or (top in _ANY_MODULE_OF_PYTHON and top in self.known.imports)
                return of_a_module or (node.attr in _OF_DATA and self.is_data(node.value))
            case ast.Call():
                return self._is_pure(node.func) and self._all(self.is_data, node)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehends(node, Evaluation.is_data)
        return False

    def is_type(self, node: ast.expr) -> bool:
        """Return whether an expression is a type, as annotations and their aliases have it."""
        match node:
            case ast.Constant() | ast.Name():
                return True
            case ast.Attribute():
                return self._is_of_a_module(node)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return all(self.is_type(part) for part in parts)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                # an object other than a type may have an operator of its own
                named = [part.id for part in (left, right) if isinstance(part, ast.Name)]
                return self.is_type(left) and self.is_type(right) and all(map(self._is_type, named))
            case ast.Subscript(value=value, slice=arguments):
                name = self._name(value)
                return (name in _GENERIC or name.startswith(_GENERIC_OF)) and self.is_type(arguments)
        return False

    def decorates_plainly(self, node: ast.expr, own: Iterable[str] = ()) -> bool:
        """Return whether a decorator only wraps; `own` are the names that the class around it binds."""
        if isinstance(node, ast.Attribute) and node.attr in ("setter", "getter", "deleter"):
            return isinstance(node.value, ast.Name) and node.value.id in own
        called = node.func if isinstance(node, ast.Call) else node
        # a context manager that decorates is made at once, and entered when the function is called
        is_plain = self._name(called) in _PLAIN_DECORATORS or (
            isinstance(node, ast.Call) and isinstance(called, ast.Name) and called.id in self.managers
        )
        return is_plain and (
            called is node or (isinstance(node, ast.Call) and self._all(self.is_plain, node))
        )

    def is_plain_base(self, node: ast.expr) -> bool:
        """Return whether a base class takes no note of its subclasses and calls no method of theirs."""
        return self._name(node.value if isinstance(node, ast.Subscript) else node) in _PLAIN_BASES

    def has_plain_defaults(self, arguments: ast.arguments) -> bool:
        """Return whether evaluating a function's defaults and annotations calls nothing of the project."""
        defaults = [d for d in (*arguments.defaults, *arguments.kw_defaults) if d is not None]
        annotated = [arg.annotation for arg in ast.walk(arguments) if isinstance(arg, ast.arg)]
        return all(map(self.is_plain, defaults)) and all(map(self.annotates_plainly, annotated))

    def annotates_plainly(self, node: ast.expr | None) -> bool:
        """Return whether an annotation is not evaluated, or evaluating it calls nothing of the project."""
        return node is None or "annotations" in self.known.imports or self.is_type(node)

    def _comprehends(self, node: _Comprehension, right: Callable[[Evaluation, ast.expr], bool]) -> bool:
        """Return whether a comprehension goes through plain data, and all that it makes of it is right."""
        inside, values = self, [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for generator in node.generators:
            if generator.is_async or not inside.is_data(generator.iter):
                return False
            bound = {n.id for n in ast.walk(generator.target) if isinstance(n, ast.Name)}
            inside = replace(inside, data=inside.data | bound)
            if not all(inside.is_data(condition) for condition in generator.ifs):
                return False
        if not isinstance(node, ast.ListComp | ast.GeneratorExp) and not inside.hashes_plainly(values[0]):
            return False
        return all(right(inside, value) for value in values)

    def _is_pure(self, function: ast.expr) -> bool:
        name = self._name(function)
        if name in _PURE_BUILTINS or name.startswith(_PURE_ON_DATA):
            return True
        if isinstance(function, ast.Attribute) and self.is_data(function.value):
            return function.attr in _PURE_METHODS
        return False

    def _all(self, right: Callable[[ast.expr], bool], call: ast.Call) -> bool:
        return all(right(part) for part in (*call.args, *(keyword.value for keyword in call.keywords)))

    def _is_of_a_module(self, node: ast.Attribute) -> bool:
        """Return whether an attribute is one of an import; assume that no code of the project computes it."""
        path = dotted(node)
        if path is None:
            return False
        self.assumed.add((READ, path))
        return path[0] in self.known.imports and path[0] not in self.known.others

    def _name(self, node: ast.expr) -> str:
        path = dotted(node)
        if path is None or (self.known.has_stars and not self.is_global(path[0])):
            return ""  # any of the stars may have brought another thing of this name
        return self.known.qualified(path) or ""

"""What an experiment declares (question, needs, files, parameters), read as syntax: nothing is imported."""

from __future__ import annotations

import ast
import copy
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeGuard

from labreport.errors import InputError, Place, did_you_mean, raise_all

_EXAMPLE = "@dataclass(frozen=True)\nclass Params:\n    seed: int = 0"


@dataclass(frozen=True)
class Setting:
    """A parameter: its annotation as text and its default."""

    annotation: str
    default: Any


@dataclass(frozen=True)
class Declaration:
    """An experiment, as far as its syntax tells: the first line of its docstring is its question.

    `needs` are other experiments, `reads` files of the project by their paths inside it. `variants` are
    the parameters of each variant that are not the default.
    """

    name: str
    question: str
    needs: tuple[str, ...]
    reads: tuple[str, ...]
    params: dict[str, Setting]
    quick: dict[str, Any]
    has_draw: bool
    variants: tuple[dict[str, Any], ...] = ()

    def values(self, *, quick: bool = False) -> dict[str, Any]:
        """Return the parameters by name; `quick` gives those of a quick build."""
        defaults = {name: setting.default for name, setting in self.params.items()}
        return {**defaults, **self.quick} if quick else defaults


class Source:
    """The text of a Python file, to say where in it something is."""

    def __init__(self, data: bytes, shown: str) -> None:
        self.shown = shown
        self.lines = data.decode("utf-8", "replace").splitlines()

    def place(self, node: ast.AST) -> Place:
        """Return where a node begins."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        column = len(text.encode()[:column].decode("utf-8", "replace"))  # ast counts bytes, not characters
        end = getattr(node, "end_col_offset", column + 1) if getattr(node, "end_lineno", 0) == line else 0
        return Place(self.shown, line, column + 1, max(1, end - column), text)


def parse(data: bytes, shown: str) -> ast.Module:
    """Return the syntax of a Python file; InputError if it is not valid Python."""
    try:
        return ast.parse(data, shown)
    except SyntaxError as error:
        place = Place(
            shown, error.lineno, error.offset or None, source=(error.text or "").rstrip("\n") or None
        )
        raise InputError(
            f"{shown} is not valid Python: {error.msg}", place=place, cure="correct it"
        ) from error
    except (ValueError, RecursionError) as error:
        # a null byte, or expressions nested too deeply for the parser
        what = f"{shown} is not valid Python: {error}"
        raise InputError(what, place=Place(shown), cure="correct it") from error


def read(tree: ast.Module, source: Source, name: str) -> Declaration:
    """Return what an experiment's module declares.

    Raises
    ------
    InputError, SeveralErrors
        `run` or `Params` is missing, a default is not a literal or of another type than its annotation, NEEDS
        or READS is not a literal tuple of texts, READS names something outside the project, QUICK sets
        unknown parameters, VARIANTS is no tuple of different parameters; each with file, line and cure.

    """
    reader = _Reader(source)
    bound = {target: node for node in tree.body for target in targets(node)}
    for required, cure in (("run", "def run(params: Params, lab: Lab) -> dict:"), ("Params", _EXAMPLE)):
        if required not in bound:
            what = f"experiment {name!r} has no `{required}`"
            reader.errors.append(InputError(what, place=Place(source.shown), cure=f"add:\n{cure}"))
    params = reader.params(bound["Params"]) if "Params" in bound else {}
    needs = reader.needs(bound["NEEDS"]) if "NEEDS" in bound else ()
    reads = reader.reads(bound["READS"]) if "READS" in bound else ()
    # where Params cannot be read, each name in QUICK would be called unknown
    readable = isinstance(bound.get("Params"), ast.ClassDef)
    quick = reader.quick(bound["QUICK"], params) if readable and "QUICK" in bound else {}
    variants = reader.variants(bound["VARIANTS"], params) if readable and "VARIANTS" in bound else ()
    raise_all(reader.errors)
    question = (ast.get_docstring(tree) or "").partition("\n")[0].strip()
    return Declaration(name, question, needs, reads, params, quick, "draw" in bound, variants)


def targets(node: ast.stmt) -> list[str]:
    """Return the names that a statement of a module binds, nested statements of `if` and `try` included."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    names = [n.id for n in _outside_comprehensions(node) if isinstance(n, ast.Name) and _is_bound(n)]
    nested = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.stmt | ast.ExceptHandler)]
    for child in nested:
        statements = child.body if isinstance(child, ast.ExceptHandler) else [child]
        names += [name for statement in statements for name in targets(statement)]
    return list(dict.fromkeys(names))


def _is_bound(name: ast.Name) -> bool:
    return not isinstance(name.ctx, ast.Load)


def _outside_comprehensions(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and those in it whose names are bound outside: of a comprehension only `:=`."""
    yield node
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        yield from (inner.target for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr))
        return
    for child in ast.iter_child_nodes(node):
        yield from _outside_comprehensions(child)


class _Reader:
    """Reads the parts of a declaration and collects what is wrong with them."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.errors: list[InputError] = []

    def wrong(self, what: str, node: ast.AST, cure: str) -> None:
        self.errors.append(InputError(what, place=self.source.place(node), cure=cure))

    def params(self, node: ast.stmt) -> dict[str, Setting]:
        wrong = "Params must be a dataclass defined in this file"
        if not isinstance(node, ast.ClassDef):
            self.wrong(wrong, node, f"write:\n{_EXAMPLE}")
            return {}
        if not any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
            self.wrong(wrong, node, f"write:\n{_EXAMPLE}")
        if node.bases:
            self.wrong("Params must list all of its fields itself", node, "write the fields of its base here")
        settings = {}
        for field in node.body:
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                annotation = ast.unparse(field.annotation)
                if not annotation.startswith(("ClassVar", "typing.ClassVar")):
                    settings[field.target.id] = Setting(annotation, self.default(field, field.target.id))
        return settings

    def default(self, field: ast.AnnAssign, name: str) -> Any:
        if field.value is None:
            self.wrong(
                f"the parameter {name!r} has no default", field, f"write `{name}: … = …` with a literal"
            )
            return None
        return self.fitting(field.value, f"the default of {name!r}", ast.unparse(field.annotation))

    def fitting(self, node: ast.expr, what: str, annotation: str) -> Any:
        """Return the literal of a parameter; note as wrong one that a simple annotation excludes."""
        value = self.literal(node, what)
        types = _FITTING.get(annotation)
        if types and value is not None and type(value) not in types:  # None is what is not set yet
            self.wrong(f"{what} is {value!r}, not of its type {annotation}", node, "write one of this type")
        return value

    def literal(self, node: ast.expr, what: str) -> Any:
        cure = "write a number, a text, True, False, None or a tuple of these; compute in `run`"
        try:
            value = ast.literal_eval(_Arithmetic().visit(copy.deepcopy(node)))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError, ArithmeticError):
            self.wrong(f"{what} is not a literal", node, cure)
            return None
        if isinstance(value, list) or not _is_plain(value):
            self.wrong(f"{what} cannot be a parameter", node, cure)
            return None
        return value

    def needs(self, node: ast.stmt) -> tuple[str, ...]:
        return tuple(self.texts(node, "NEEDS", "names of experiments", '"NAME"'))

    def reads(self, node: ast.stmt) -> tuple[str, ...]:
        paths = self.texts(node, "READS", "paths of files", '"data/NAME.csv"')
        for path, written in paths.items():
            if not _is_inside(path):
                cure = 'write it relative to the project, for example "data/NAME.csv"'
                self.wrong(f"READS has {path!r}, which is not a path inside the project", written, cure)
            elif path.startswith("build/"):
                cure = "name the experiment that makes it in NEEDS, and use its result"
                self.wrong(f"READS has {path!r}, which is generated", written, cure)
        return tuple(paths)

    def texts(self, node: ast.stmt, keyword: str, kind: str, example: str) -> dict[str, ast.expr]:
        """Return the texts of the literal tuple that a keyword stands for, each once, with its place."""
        written = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        items = written.elts if isinstance(written, ast.Tuple | ast.List) else [ast.Constant(None)]
        texts = [(n.value, n) for n in items if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        if len(texts) < len(items):
            cure = f"write for example: {keyword} = ({example},)"
            if isinstance(written, ast.Constant) and isinstance(written.value, str):
                cure = f"it is the comma that makes a tuple: {keyword} = ({ast.unparse(written)},)"
            self.wrong(f"{keyword} must be a literal tuple of {kind}", node, cure)
            return {}
        return dict(texts)

    def quick(self, node: ast.stmt, params: Mapping[str, Setting]) -> dict[str, Any]:
        call = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if call is None or not _is_params(call):
            cure = "write for example: QUICK = Params(repeats=10)"
            self.wrong("QUICK must be a call of Params with literal keywords", node, cure)
            return {}
        return self.keywords(call, "QUICK", params)

    def keywords(self, call: ast.Call, keyword: str, params: Mapping[str, Setting]) -> dict[str, Any]:
        """Return the parameters that a call of Params sets; note as wrong those that there are not."""
        found = {}
        for given in call.keywords:
            name = str(given.arg)
            if name not in params:
                what = f"{keyword} sets {name!r}, which is not in Params"
                self.wrong(what, given, did_you_mean(name, params))
            annotation = params[name].annotation if name in params else ""
            found[name] = self.fitting(given.value, f"{keyword}'s {name!r}", annotation)
        return found

    def variants(self, node: ast.stmt, params: Mapping[str, Setting]) -> tuple[dict[str, Any], ...]:
        """Return the parameters of each variant that are not the default."""
        written = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        key = next(iter(params), "key")
        if not isinstance(written, ast.Tuple):
            cure = f"write for example: VARIANTS = (Params({key}=…), Params({key}=…))"
            if written is not None and _is_params(written):
                cure = f"it is the comma that makes a tuple: VARIANTS = ({ast.unparse(written)},)"
            self.wrong("VARIANTS must be a literal tuple of calls of Params", node, cure)
            return ()
        found: list[dict[str, Any]] = []
        for item in written.elts:
            if not _is_params(item):
                what = "each of VARIANTS must be a call of Params with literal keywords"
                self.wrong(what, item, f"write for example: Params({key}=…)")
                continue
            before = len(self.errors)
            values = self.keywords(item, "VARIANTS", params)
            if len(self.errors) > before:
                continue
            # a float as `--set` would read it: both give the same record
            as_set = {k: float(v) if params[k].annotation == "float" else v for k, v in values.items()}
            differing = {k: v for k, v in as_set.items() if v != params[k].default}
            if not differing:
                cure = "take it out: templates reach the default result without it"
                self.wrong(f"{ast.unparse(item)} of VARIANTS is the default", item, cure)
            elif differing in found:
                self.wrong(f"VARIANTS has {ast.unparse(item)} twice", item, "take one of them out")
            else:
                found.append(differing)
        return tuple(found)


def _is_params(node: ast.expr) -> TypeGuard[ast.Call]:
    """Return whether an expression is a call of Params with keywords alone."""
    if not isinstance(node, ast.Call) or node.args:
        return False
    return ast.unparse(node.func) == "Params" and all(keyword.arg for keyword in node.keywords)


class _Arithmetic(ast.NodeTransformer):
    """Puts the value in the place of arithmetic on literal numbers, such as 2**15 or 60 * 60."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        a, b = ast.literal_eval(self.visit(node.left)), ast.literal_eval(self.visit(node.right))
        operation = _OPERATIONS.get(type(node.op))
        if operation is None or type(a) not in (int, float) or type(b) not in (int, float):
            raise ValueError("not arithmetic on numbers")
        if isinstance(node.op, ast.Pow) and max(abs(a), abs(b)) > _LARGEST:
            raise ValueError("a power that takes long")
        value = operation(a, b)
        if abs(value) > 10**300:  # Python itself writes only 4,300 digits
            raise ValueError("a number that no parameter needs")
        return ast.Constant(value)


_LARGEST = 1000  # base and exponent of a power: 1000**1000 takes no time
_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_FITTING = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}
"""What the defaults of the simple types may be; that of others shows when it is used."""


def _is_inside(path: str) -> bool:
    """Return whether a text is a path below the project's folder, in the one way to write it."""
    found = PurePosixPath(path)
    inside = not found.is_absolute() and ".." not in found.parts
    return inside and path.isprintable() and path not in ("", ".") and str(found) == path


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple | list):
        return all(_is_plain(v) for v in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int | str)

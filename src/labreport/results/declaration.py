"""What an experiment declares (question, needs, files, parameters), read as syntax: nothing is imported."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from labreport.errors import InputError, Place, UsageError, did_you_mean, raise_all

_EXAMPLE = "@dataclass(frozen=True)\nclass Params:\n    seed: int = 0"


@dataclass(frozen=True)
class Setting:
    """A parameter: its annotation as text and its default."""

    annotation: str
    default: Any


@dataclass(frozen=True)
class Declaration:
    """An experiment, as far as its syntax tells: the first line of its docstring is its question.

    `needs` are other experiments, `reads` files of the project by their paths inside it.
    """

    name: str
    question: str
    needs: tuple[str, ...]
    reads: tuple[str, ...]
    params: dict[str, Setting]
    quick: dict[str, Any]
    has_draw: bool

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
        column = len(text.encode()[:column].decode("utf-8", "replace"))
        end = getattr(node, "end_col_offset", column + 1) if getattr(node, "end_lineno", 0) == line else 0
        return Place(self.shown, line, column + 1, max(1, end - column), text)


def parse(data: bytes, shown: str) -> ast.Module:
    """Return the syntax of a Python file; InputError if it has none."""
    try:
        return ast.parse(data, shown)
    except SyntaxError as error:
        place = Place(
            shown, error.lineno, error.offset or None, source=(error.text or "").rstrip("\n") or None
        )
        raise InputError(f"{shown} is not Python: {error.msg}", place=place, cure="correct it") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{shown} is not Python: {error}", place=Place(shown), cure="correct it") from error


def read(tree: ast.Module, source: Source, name: str) -> Declaration:
    """Return what an experiment's module declares.

    Raises
    ------
    InputError, SeveralErrors
        `run` or `Params` is missing, a default is no literal, NEEDS or READS is no literal tuple of texts,
        READS names what is no path inside the project, QUICK sets unknown parameters; each with file, line
        and cure.

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
    readable = isinstance(bound.get("Params"), ast.ClassDef)
    quick = reader.quick(bound["QUICK"], params) if readable and "QUICK" in bound else {}
    raise_all(reader.errors)
    question = (ast.get_docstring(tree) or "").partition("\n")[0].strip()
    return Declaration(name, question, needs, reads, params, quick, "draw" in bound)


def targets(node: ast.stmt) -> list[str]:
    """Return the names that a statement of a module binds, nested statements of `if` and `try` included."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)]
    nested = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.stmt | ast.ExceptHandler)]
    for child in nested:
        statements = child.body if isinstance(child, ast.ExceptHandler) else [child]
        names += [name for statement in statements for name in targets(statement)]
    return list(dict.fromkeys(names))


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
        return self.literal(field.value, f"the default of {name!r}")

    def literal(self, node: ast.expr, what: str) -> Any:
        cure = "write a number, a text, True, False, None or a tuple of these; compute in `run`"
        try:
            value = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            self.wrong(f"{what} is no literal", node, cure)
            return None
        if isinstance(value, list) or not _is_plain(value):
            self.wrong(f"{what} cannot be a parameter", node, cure)
            return None
        return value

    def needs(self, node: ast.stmt) -> tuple[str, ...]:
        wrong = "NEEDS must be a literal tuple of names of experiments"
        return tuple(self.texts(node, wrong, 'write for example: NEEDS = ("NAME",)'))

    def reads(self, node: ast.stmt) -> tuple[str, ...]:
        wrong = "READS must be a literal tuple of paths of files"
        paths = self.texts(node, wrong, 'write for example: READS = ("data/NAME.csv",)')
        for path, written in paths.items():
            if not _is_inside(path):
                cure = 'write it relative to the project, for example "data/NAME.csv"'
                self.wrong(f"READS has {path!r}, which is no path inside the project", written, cure)
            elif path.startswith("build/"):
                cure = "name the experiment that makes it in NEEDS, and use its result"
                self.wrong(f"READS has {path!r}, which is generated", written, cure)
        return tuple(paths)

    def texts(self, node: ast.stmt, wrong: str, cure: str) -> dict[str, ast.expr]:
        """Return the texts of a literal tuple, each once, with where it is written."""
        written = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        items = written.elts if isinstance(written, ast.Tuple | ast.List) else [ast.Constant(None)]
        texts = [(n.value, n) for n in items if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        if len(texts) < len(items):
            self.wrong(wrong, node, cure)
            return {}
        return dict(texts)

    def quick(self, node: ast.stmt, params: Mapping[str, Setting]) -> dict[str, Any]:
        call = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if not (
            isinstance(call, ast.Call)
            and ast.unparse(call.func) == "Params"
            and not call.args
            and all(keyword.arg for keyword in call.keywords)
        ):
            cure = "write for example: QUICK = Params(repeats=10)"
            self.wrong("QUICK must be a call of Params with literal keywords", node, cure)
            return {}
        quick = {}
        for keyword in call.keywords:
            name = str(keyword.arg)
            if name not in params:
                self.wrong(f"QUICK sets {name!r}, which Params has not", keyword, did_you_mean(name, params))
            quick[name] = self.literal(keyword.value, f"QUICK's {name!r}")
        return quick


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


# --set NAME.key=value


def with_settings(declaration: Declaration, settings: Mapping[str, str]) -> Declaration:
    """Return the declaration with other defaults, each given as text and read as its parameter's type.

    Raises
    ------
    UsageError, SeveralErrors
        A key is unknown or its text is not of the parameter's type; the message lists the right ones.

    """
    errors, values = [], {}
    notes = [f"{key}: {s.annotation} = {s.default!r}" for key, s in declaration.params.items()]
    for key, text in settings.items():
        name = f"{declaration.name}.{key}"
        if key not in declaration.params:
            cure = did_you_mean(key, declaration.params)
            errors.append(UsageError(f"there is no parameter {name}", notes=notes, cure=cure))
            continue
        kind = _type(declaration.params[key])
        try:
            values[key] = _read(text.strip() if kind != "str" else text, kind)
        except ValueError:
            what = f"{name} must be {_words(kind)}, not {text!r:.80}"
            cure = f"for example --set {name}={_shown(declaration.params[key].default)}"
            errors.append(UsageError(what, notes=notes, cure=cure))
    raise_all(errors)
    params = {k: replace(s, default=values.get(k, s.default)) for k, s in declaration.params.items()}
    quick = {k: v for k, v in declaration.quick.items() if k not in values}
    return replace(declaration, params=params, quick=quick)


_Type = str | tuple[Any, ...]  # "int", …, ("any", types), ("row", types), ("rows", type), ("one of", values)


def _type(setting: Setting) -> _Type:
    """Return the type that an annotation names, else the type of the default."""
    try:
        return _annotated(ast.parse(setting.annotation, mode="eval").body)
    except (ValueError, SyntaxError):
        return _type_of(setting.default)


def _annotated(node: ast.expr) -> _Type:
    if isinstance(node, ast.Constant):
        if node.value is None:
            return "None"
        return _annotated(ast.parse(str(node.value), mode="eval").body)
    if isinstance(node, ast.Name) and node.id in _READERS:
        return node.id
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return ("any", (_annotated(node.left), _annotated(node.right)))
    if isinstance(node, ast.Subscript):
        kind = ast.unparse(node.value).rpartition(".")[2]
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if kind == "Optional":
            return ("any", ("None", _annotated(inner[0])))
        if kind == "Union":
            return ("any", tuple(_annotated(n) for n in inner))
        if kind == "Literal":
            return ("one of", tuple(ast.literal_eval(n) for n in inner))
        if kind in ("list", "List", "Sequence") or (len(inner) == 2 and ast.unparse(inner[1]) == "..."):
            return ("rows", _annotated(inner[0]))
        if kind in ("tuple", "Tuple"):
            return ("row", tuple(_annotated(n) for n in inner))
    raise ValueError(ast.unparse(node))


def _type_of(value: object) -> _Type:
    if isinstance(value, tuple):
        kinds = {_type_of(v) for v in value}
        return ("rows", kinds.pop() if len(kinds) == 1 else "str")
    return "None" if value is None else type(value).__name__


def _read_int(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d[\d_]*", text):
        raise ValueError(text)
    return int(text)


def _read_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _read_bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _read_none(text: str) -> None:
    if text.lower() != "none":
        raise ValueError(text)


_READERS: dict[str, Callable[[str], Any]] = {
    "int": _read_int,
    "float": _read_float,
    "bool": _read_bool,
    "None": _read_none,
    "str": str,
}
_WORDS = {
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "None": "none",
    "str": "a text",
}


def _read(text: str, kind: _Type) -> Any:
    """Return the value that a text stands for; ValueError if it is not of the type."""
    if isinstance(kind, str):
        return _READERS[kind](text)
    how, inner = kind
    if how == "any":
        for option in sorted(inner, key=lambda option: option == "str"):  # a text is anything: try it last
            try:
                return _read(text, option)
            except ValueError:
                continue
        raise ValueError(text)
    if how == "one of":
        found = [value for value in inner if str(value) == text]
        if not found:
            raise ValueError(text)
        return found[0]
    items = _split(text)
    if how == "rows":
        return tuple(_read(item, inner) for item in items)
    if len(items) != len(inner):
        raise ValueError(text)
    return tuple(_read(item, option) for item, option in zip(items, inner, strict=True))


def _split(text: str) -> Sequence[str]:
    """Return the items of `1,2`, `(1, 2)` or `[(1, 2), (3, 4)]`: split at commas outside inner brackets."""
    text = text.strip()
    if text[:1] + text[-1:] in ("()", "[]") and _balanced(text[1:-1]):
        text = text[1:-1]
    items, depth, start = [], 0, 0
    for i, char in enumerate(text):
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            items.append(text[start:i])
            start = i + 1
    items.append(text[start:])
    if not items[-1].strip():
        items.pop()
    return [_unquoted(item.strip()) for item in items]


def _balanced(text: str) -> bool:
    depth = 0
    for char in text:
        depth += (char in "([") - (char in ")]")
        if depth < 0:
            return False
    return depth == 0


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _words(kind: _Type) -> str:
    if isinstance(kind, str):
        return _WORDS.get(kind, f"a {kind}")
    how, inner = kind
    if how == "any":
        return " or ".join(_words(option) for option in inner)
    if how == "one of":
        return "one of " + ", ".join(str(value) for value in inner)
    if how == "rows":
        return f"values separated by commas, each {_words(inner)}"
    return f"{len(inner)} values separated by commas: " + ", ".join(_words(option) for option in inner)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(_shown(v) if not isinstance(v, tuple) else f"({_shown(v)})" for v in value)
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)

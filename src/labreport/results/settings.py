"""Parameters that are set on the command line: texts, read as the types that the declaration names."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from labreport.errors import UsageError, did_you_mean, raise_all
from labreport.results.declaration import Declaration, Setting


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
            cure = f"for example --set {name}={shown_setting(declaration.params[key].default)}"
            errors.append(UsageError(what, notes=notes, cure=cure))
    raise_all(errors)
    params = {k: replace(s, default=values.get(k, s.default)) for k, s in declaration.params.items()}
    quick = {k: v for k, v in declaration.quick.items() if k not in values}
    return replace(declaration, params=params, quick=quick)


def choices(declaration: Declaration, key: str, text: str) -> list[str]:
    """Return the values that a text gives a parameter, one after the other: numbers stand between commas.

    Where the parameter is a text or a row of values, commas belong to its one value.
    """
    kind = _type(declaration.params[key]) if key in declaration.params else "str"
    options = kind[1] if isinstance(kind, tuple) and kind[0] == "any" else (kind,)
    is_one = all(option in ("int", "float", "bool", "None") for option in options)
    return [item.strip() for item in text.split(",")] if is_one else [text]


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
        # an annotation in quotes
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
    # what remains is a row: so many values, each of a type of its own
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


def shown_setting(value: object) -> str:
    """Return a value as `--set` takes it."""
    if isinstance(value, tuple | list):
        return ",".join(
            f"({shown_setting(v)})" if isinstance(v, tuple | list) else shown_setting(v) for v in value
        )
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)

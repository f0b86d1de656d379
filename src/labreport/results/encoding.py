"""What an experiment returns, as plain data that JSON can hold."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from labreport.errors import ExperimentError, raise_all
from labreport.results import tables
from labreport.results.strict_json import MAX_DEPTH, MAX_DIGITS, is_encodable

MAX_ERRORS = 10


def encode(returned: object, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `run` returned as plain data: `params`, `values` and `tables`.

    Numbers, texts, bools and None stay; scalars and arrays of numpy and torch become numbers and lists of
    numbers; DataFrames at the top level become tables.

    Raises
    ------
    ExperimentError, SeveralErrors
        With the path inside the result and the cure: NaN, an infinity, a key that is not a text, and anything
        else that JSON cannot hold.

    """
    problems = _Problems()
    values: dict[str, Any] = {}
    frames: dict[str, Any] = {}
    if not isinstance(returned, Mapping):
        problems.add("the result", f"is {kind_of(returned)}", "let `run` return a dict of named values")
        returned = {}
    for key, value in _items(returned, "values", problems):
        if tables.is_frame(value):
            frames[key] = _table(value, _join("tables", key), problems)
        else:
            values[key] = _plain(value, _join("values", key), problems, 2)
    encoded = {"params": _plain(dict(params), "params", problems, 1), "values": values, "tables": frames}
    raise_all(problems.errors())
    return encoded


class _Problems:
    """What is wrong with a result: the first few places, and how many there are."""

    def __init__(self) -> None:
        self.found: list[ExperimentError] = []
        self.count = 0

    def add(self, path: str, what: str, cure: str) -> None:
        self.count += 1
        if self.count <= MAX_ERRORS:
            self.found.append(ExperimentError(f"{path} {what}", cure=cure))

    def errors(self) -> list[ExperimentError]:
        more = self.count - len(self.found)
        return [*self.found, ExperimentError(f"… and {more:,} more such places")] if more else self.found


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if key.isidentifier() else f"{path}[{json.dumps(key, ensure_ascii=False)}]"


def _items(mapping: Mapping[Any, Any], path: str, problems: _Problems) -> Iterator[tuple[str, Any]]:
    """Yield the items whose keys can be used in a template, and record the others as problems."""
    seen = set()
    for key, value in mapping.items():
        trouble = _key_trouble(key)
        if trouble:
            problems.add(f"{path}: the key {key!r:.80}", *trouble)
        elif (text := str.__str__(key)) in seen:
            problems.add(f"{path}: the key {text!r}", "occurs twice", "give each value a name of its own")
        else:
            seen.add(text)
            yield text, value


def _key_trouble(key: object) -> tuple[str, str] | None:
    if not isinstance(key, str):
        return f"is {kind_of(key)}, not a text", "write a name, for example f'd{depth}w{width}'"
    if not is_encodable(key):
        return "holds half of a surrogate pair", "use a text of whole characters"
    if not key or key != key.strip() or len(key) > 200 or not key.isprintable():
        cure = "use a short printable text without spaces at its ends, at best a Python name"
        return "cannot be used as a name", cure
    return None


def _plain(value: Any, path: str, problems: _Problems, depth: int) -> Any:
    """Return a value as JSON can hold it; record what JSON cannot hold as problems."""
    if value is None:
        return None
    if depth > MAX_DEPTH:
        problems.add(path, f"is nested deeper than {MAX_DEPTH}", "flatten it, or return a DataFrame")
        return None
    for kind, convert in _CONVERSIONS:
        if isinstance(value, kind):
            return convert(value, path, problems, depth)
    # by the package's name, since a result of plain numbers should not import torch to be looked at
    foreign: _Convert = _FOREIGN.get(type(value).__module__.partition(".")[0], _unknown)
    return foreign(value, path, problems, depth)


def _bool(value: Any, path: str, problems: _Problems, depth: int) -> bool:
    del path, problems, depth
    return bool(value)


def _int(value: Any, path: str, problems: _Problems, depth: int) -> int | None:
    del depth
    number = int(value)
    # the length in bits is free, the power of ten is not
    if number.bit_length() > 3 * MAX_DIGITS and abs(number) >= 10**MAX_DIGITS:
        problems.add(path, f"is an integer of more than {MAX_DIGITS:,} digits", "return its logarithm")
        return None
    return number


def _float(value: Any, path: str, problems: _Problems, depth: int) -> float | None:
    del depth
    number = float(value)
    if math.isfinite(number):
        return number
    what = "is NaN" if math.isnan(number) else "is infinite"
    problems.add(path, what, "record a diverged run as such, by name; a missing value is None")
    return None


def _str(value: Any, path: str, problems: _Problems, depth: int) -> str | None:
    del depth
    if not is_encodable(value):
        cure = 'clean it: text.encode("utf-8", "replace").decode()'
        problems.add(path, "is a text with half of a surrogate pair", cure)
        return None
    return str.__str__(value)  # a subclass, such as numpy's str_ or an enum, becomes a plain text


def _list(value: Iterable[Any], path: str, problems: _Problems, depth: int) -> list[Any]:
    return [_plain(v, f"{path}[{i}]", problems, depth + 1) for i, v in enumerate(value)]


def _dict(value: Mapping[Any, Any], path: str, problems: _Problems, depth: int) -> dict[str, Any]:
    items = _items(value, path, problems)
    return {key: _plain(v, _join(path, key), problems, depth + 1) for key, v in items}


def _numpy(value: Any, path: str, problems: _Problems, depth: int) -> Any:
    """Return a numpy scalar or array as Python numbers; a masked element is a missing value."""
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind == "O":
        return _plain(value.tolist(), path, problems, depth + 1)
    if kind not in tuple("biufU"):
        return _unknown(value, path, problems, depth)
    if kind == "f" and value.dtype.itemsize > 8:
        value = value.astype("float64")  # tolist() would keep a long double
    return _plain(value.tolist(), path, problems, depth)


def _torch(value: Any, path: str, problems: _Problems, depth: int) -> Any:
    """Return a torch tensor as Python numbers."""
    if not hasattr(value, "detach"):
        return _unknown(value, path, problems, depth)
    if str(value.layout) != "torch.strided":
        problems.add(path, f"is a tensor of layout {value.layout}", "return .to_dense()")
        return None
    return _plain(value.detach().cpu().tolist(), path, problems, depth)


def _pandas(value: Any, path: str, problems: _Problems, depth: int) -> Any:
    """Return None for pandas' missing value; nothing else of pandas may lie inside a value."""
    if type(value).__name__ == "NAType":
        return None
    if tables.is_frame(value):
        problems.add(path, "is a DataFrame inside another value", "return it at the top level of the dict")
        return None
    return _unknown(value, path, problems, depth)


def _unknown(value: Any, path: str, problems: _Problems, depth: int) -> None:
    del depth
    problems.add(path, f"is {kind_of(value)}, which JSON cannot hold", _cure(value))


def _table(frame: Any, path: str, problems: _Problems) -> Any:
    def report(where: str, what: str, cure: str) -> None:
        problems.add(path + where, what, cure)

    return tables.encode(frame, _key_trouble, report)


# the order matters: a bool is an int, numpy's float64 is a float, its str_ a str
_Convert = Callable[[Any, str, _Problems, int], Any]
_CONVERSIONS: tuple[tuple[type, _Convert], ...] = (
    (bool, _bool),
    (int, _int),
    (float, _float),
    (str, _str),
    (list, _list),
    (tuple, _list),
    (Mapping, _dict),
)
_FOREIGN: dict[str, _Convert] = {"numpy": _numpy, "torch": _torch, "pandas": _pandas}

_CURES = {
    **dict.fromkeys(("set", "frozenset"), "return sorted(value): a set has no order"),
    **dict.fromkeys(("bytes", "bytearray"), "return a text: value.decode()"),
    **dict.fromkeys(("complex", "complex64", "complex128"), "return the real and the imaginary part"),
    **dict.fromkeys(("datetime", "date", "Timestamp"), "return a text: value.isoformat()"),
    **dict.fromkeys(("timedelta", "Timedelta"), "return value.total_seconds()"),
    **dict.fromkeys(("Decimal", "Fraction"), "return float(value) or str(value)"),
    **dict.fromkeys(("generator", "range", "map", "dict_keys", "dict_values"), "return list(value)"),
    "Series": "return .tolist(), or a DataFrame at the top level of the dict",
}


def _cure(value: object) -> str:
    if hasattr(type(value), "__dataclass_fields__"):
        return "return dataclasses.asdict(value)"
    if hasattr(value, "__fspath__"):
        return "return a text: path.name"
    if callable(value):
        return "return what it computes, not the function"
    return _CURES.get(type(value).__name__, "return numbers, texts, and lists and dicts of them")


def kind_of(value: object) -> str:
    """Return what a value is, in words: None, a list, a numpy ndarray."""
    if value is None:
        return "None"
    kind = type(value)
    module = kind.__module__.partition(".")[0]
    name = kind.__name__ if module in ("builtins", "__main__") else f"{module} {kind.__name__}"
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"

"""JSON: the same bytes for the same data, and read strictly, any damage named with line and column."""

from __future__ import annotations

import json
import math
import re
from hashlib import sha256
from typing import Any

from labreport.errors import InputError, Place

MAX_DEPTH = 60
MAX_DIGITS = 4000  # Python refuses to read integers of more than 4,300


def dumps(value: Any) -> str:
    """Return plain data as JSON: sorted keys, a line for each key, lists of plain values on one line."""
    return _format(value, "") + "\n"


def digest(value: Any) -> str:
    """Return the SHA-256 of plain data, in hexadecimal."""
    return sha256(dumps(value).encode()).hexdigest()


def seal(record: dict[str, Any]) -> bytes:
    """Return a record as JSON bytes that hold their own checksum."""
    return dumps({**record, "checksum": digest(record)}).encode()


def unseal(data: bytes, shown: str, *, cure: str) -> dict[str, Any]:
    """Return the record in sealed bytes; any other byte than was written is an InputError."""
    record = parse(data, shown, cure=cure)
    # written again and compared: another spelling of the same record is damage, too
    if not isinstance(record, dict) or record.pop("checksum", None) is None or seal(record) != data:
        raise InputError(f"{shown} is damaged: its checksum differs", place=Place(shown), cure=cure)
    return record


def parse(data: bytes, shown: str, *, cure: str) -> Any:
    """Return the plain data in JSON bytes, read strictly; `shown` is the file's name for messages.

    Raises
    ------
    InputError
        Not UTF-8 or not JSON; NaN, an infinity or a number that overflows to one; a key twice in one object;
        half of a surrogate pair; an integer of more than 4,000 digits; nesting deeper than 60.

    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        place = Place(shown, data.count(b"\n", 0, error.start) + 1)
        what = f"{shown} is not UTF-8: {error.reason} at byte {error.start}"
        raise InputError(what, place=place, cure=cure) from error
    value, trouble = None, None
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse,
            parse_float=_finite,
            parse_int=_short,
        )
        # only an escape can hide half of a surrogate pair: the bytes themselves were valid UTF-8
        if "\\u" in text or _depth(value) > MAX_DEPTH:
            trouble = _trouble(text)
    except json.JSONDecodeError as error:
        what = "it begins with a byte order mark" if text[:1] == "\ufeff" else f"not valid JSON: {error.msg}"
        trouble = error.pos, what
    except (_Refused, RecursionError):
        trouble = _trouble(text) or (0, "not valid JSON")
    if trouble is not None:
        offset, what = trouble
        raise InputError(f"{shown} is damaged: {what}", place=_place(shown, text, offset), cure=cure)
    return value


def _format(value: Any, indent: str) -> str:
    inner = indent + " "
    if isinstance(value, dict) and value:
        items = (f"{inner}{_compact(key)}: {_format(value[key], inner)}" for key in sorted(value))
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(value, list | tuple) and any(isinstance(v, dict | list | tuple) for v in value):
        return "[\n" + ",\n".join(inner + _format(v, inner) for v in value) + f"\n{indent}]"
    return _compact(value)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


class _Refused(ValueError):
    """JSON's own grammar allows it, we do not."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Refused
    return found


def _refuse(_: str) -> None:
    raise _Refused


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _Refused
    return number


def _short(text: str) -> int:
    if len(text) > MAX_DIGITS + 1:
        raise _Refused
    return int(text)


def _depth(value: Any) -> int:
    """Return how deep the nesting goes, without recursion."""
    depth, level = 0, [value]
    while level := [v for v in level if isinstance(v, dict | list)]:
        depth += 1
        level = [child for v in level for child in (v.values() if isinstance(v, dict) else v)]
    return depth


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?Infinity|NaN|-?\d[\d.eE+-]*|[{}\[\]:]')


def _trouble(text: str) -> tuple[int, str] | None:
    """Return the offset of the first thing that JSON's grammar allows and we do not, and what it is."""
    keys: list[set[str]] = []
    tokens = [(match.start(), match[0]) for match in _TOKEN.finditer(text)]
    for (offset, token), (_, follower) in zip(tokens, [*tokens[1:], (0, "")], strict=True):
        if token in "{[":
            keys.append(set())
            if len(keys) > MAX_DEPTH:
                return offset, f"nested deeper than {MAX_DEPTH}"
        elif token in "}]":
            keys.pop()
        elif token.lstrip("-") in ("NaN", "Infinity"):
            return offset, f"{token} is not a JSON number"
        elif token[0] == '"':
            if not is_encodable(json.loads(token)):
                return offset, "half of a surrogate pair in a text"
            if follower == ":":
                key = json.loads(token)
                if key in keys[-1]:
                    return offset, f"the key {token:.80} occurs twice in one object"
                keys[-1].add(key)
        elif token != ":":
            trouble = _number_trouble(token)
            if trouble:
                return offset, trouble
    return None


def _number_trouble(token: str) -> str | None:
    if token.lstrip("-").isdigit():
        return f"an integer of {len(token.lstrip('-')):,} digits" if len(token) > MAX_DIGITS + 1 else None
    return f"{token:.80} is too large for a float" if math.isinf(float(token)) else None


def is_encodable(text: str) -> bool:
    """Return whether a text can be written as UTF-8: it holds no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _place(shown: str, text: str, offset: int) -> Place:
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    source = text[start : end if end >= 0 else len(text)]
    return Place(shown, text.count("\n", 0, offset) + 1, offset - start + 1, source=source)

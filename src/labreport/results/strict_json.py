"""JSON: the same bytes for the same data, and read strictly, any damage named with line and column."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection
from hashlib import sha256
from typing import Any

from labreport.errors import InputError, Place

MAX_DEPTH = 60
MAX_DIGITS = 4000  # Python refuses to read integers of more than 4,300
_TOO_LOW, _TOO_HIGH = -(10**MAX_DIGITS), 10 ** (MAX_DIGITS + 1)  # the sign counts as a digit


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
    record: dict[str, Any] = parse(data, shown, cure=cure)
    found = _CHECKSUM.search(data)
    # without that line the bytes are those of the record, and need not be written again to be compared
    body = data[: found.start()] + data[found.end() :] if found else b""
    told = record.get("checksum") if isinstance(record, dict) and list(record) == sorted(record) else None
    if told != sha256(body).hexdigest():
        raise InputError(f"{shown} is damaged: its checksum differs", place=Place(shown), cure=cure)
    del record["checksum"]
    return record


def with_nulls(data: bytes, keys: Collection[str], shown: str, *, cure: str) -> bytes:
    """Return a record's sealed bytes with null in the place of some values; InputError as of `unseal`."""
    found = _CHECKSUM.search(data)
    if found and sha256(data[: found.start()] + data[found.end() :]).hexdigest().encode() in found[0]:
        # these are bytes that `seal` has written, with a line for each plain value: to read and write all of
        # a long record would take ten times as long
        line = re.compile(f'(\n "(?:{"|".join(map(re.escape, keys))})": )[^{{[\n][^\n]*?(?=,?\n)'.encode())
        (before, some), (after, more) = (
            line.subn(rb"\1null", part) for part in (data[: found.start()], data[found.end() :])
        )
        if some + more == len(keys):
            told = sha256(before + after).hexdigest().encode()
            return before + re.sub(b"[0-9a-f]{64}", told, found[0]) + after
    return seal({**unseal(data, shown, cure=cure), **dict.fromkeys(keys)})


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
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
        # only an escape can hide half of a surrogate pair: the bytes themselves were valid UTF-8
        if "\\u" in text or not _is_moderate(value):
            trouble = _trouble(text)
    except json.JSONDecodeError as error:
        what = "it begins with a byte order mark" if text[:1] == "\ufeff" else f"not valid JSON: {error.msg}"
        trouble = error.pos, what
    except (ValueError, RecursionError):  # refused by us, or more digits than Python reads
        trouble = _trouble(text) or (0, "not valid JSON")
    if trouble is not None:
        offset, what = trouble
        raise InputError(f"{shown} is damaged: {what}", place=_place(shown, text, offset), cure=cure)
    return value


_CHECKSUM = re.compile(rb'\n "checksum": "[0-9a-f]{64}",|,\n "checksum": "[0-9a-f]{64}"(?=\n}\n$)')
"""The line that `seal` adds, with its comma: only the keys of the record itself are indented by one space."""


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


def _is_moderate(value: Any) -> bool:
    """Return whether nothing in parsed JSON is infinite, too long or nested too deeply.

    It looks at whole levels: results hold numbers by the hundred thousand, and a call for each would take
    longer than reading them.
    """
    depth, level = 0, [value]
    while level:
        kinds = set(map(type, level))
        if float in kinds and (math.inf in level or -math.inf in level):
            return False
        if int in kinds:
            whole = [v for v in level if type(v) is int]
            if min(whole) <= _TOO_LOW or max(whole) >= _TOO_HIGH:
                return False
        outer = [v for v in level if type(v) in (dict, list)] if kinds & {dict, list} else []
        depth += bool(outer)
        level = [child for v in outer for child in (v.values() if type(v) is dict else v)]
    return depth <= MAX_DEPTH


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

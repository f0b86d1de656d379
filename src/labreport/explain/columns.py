"""Columns of tables: their heads, read off the expression that prints a table, and the one of a value."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from labreport.explain.record import Value
from labreport.explain.texts import readable

_TEXT = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_TEXTS = rf"(?:{_TEXT}|[\[(](?:\s*{_TEXT}\s*,?)+\s*[\])])"
_COLUMN = re.compile(rf"\bcolumn\(\s*(?P<head>{_TEXT})\s*,\s*(?P<fields>{_TEXTS})")
_REST = re.compile(rf"(?:{_TEXT}|\((?:{_TEXT}|[^()])*\)|[^()])*\)?")
_GREEK = re.compile(r"\\([a-z]+)")
_DOLLAR = re.compile(r"(?<!\\)\$")
_UNDER = re.compile(rf"\bunder\s*=\s*(?P<under>{_TEXTS})")


@dataclass(frozen=True)
class Column:
    """A column: its head after the heads that it has in common with others, and the fields it prints.

    `source` is the call in the expression.
    """

    head: str
    fields: tuple[str, ...]
    source: str


@lru_cache(maxsize=256)  # each cell of a table has the expression of the whole
def columns(expression: str) -> tuple[Column, ...]:
    """Return the columns of the tables that an expression prints; none if it prints another thing."""
    found = list(_COLUMN.finditer(expression))
    ends = [*(match.start() for match in found[1:]), len(expression)]
    # where there is no column, there is an end too many
    pairs = zip(found, ends, strict=False)
    return tuple(_column(match, expression[match.end() : end]) for match, end in pairs)


def head_of(value: Value) -> str | None:
    """Return the head of the column in which a value stands; None if it stands in no table's column."""
    column = column_of(value)
    return column.head if column else None


def expression_of(value: Value) -> str:
    """Return the expression that prints a value; of a table's, without the columns that it isn't in."""
    column = column_of(value)
    if column is None or len(columns(value.expression)) == 1:
        return value.expression
    return f"{value.expression.partition('column(')[0].rstrip()}… {column.source} …)"


def column_of(value: Value) -> Column | None:
    """Return the column in which a value stands; None if it stands in no table's column."""
    fields = {re.split(r"[.\[]", key)[-1] for key in value.keys}
    every = columns(value.expression)
    return next((each for each in every if fields.intersection(map(_last, each.fields))), None)


def _column(match: re.Match[str], rest: str) -> Column:
    found = _REST.match(rest)
    rest = found[0] if found else ""
    under = _UNDER.search(rest)
    heads = [*(_texts(under["under"]) if under else ()), *_texts(match["head"])]
    return Column(
        ": ".join(filter(None, map(_plain, heads))), tuple(_texts(match["fields"])), match[0] + rest
    )


def _plain(head: str) -> str:
    """Return a head as it looks on the page, its mathematics as text."""
    return readable(_DOLLAR.sub("", _GREEK.sub(_letter, head.replace("$-$", "−"))))


def _letter(match: re.Match[str]) -> str:
    try:
        return unicodedata.lookup(f"GREEK SMALL LETTER {match[1]}")
    except KeyError:
        return match[0]


def _texts(source: str) -> Iterator[str]:
    """Yield the texts in the source of a text, or of a list of texts."""
    for match in re.finditer(_TEXT, source):
        try:
            yield str(ast.literal_eval(match[0].replace("\n", "\\n")))
        except (SyntaxError, ValueError):  # an escape that only Jinja takes
            yield match[0][1:-1]


def _last(field: str) -> str:
    return field.rpartition(".")[2]

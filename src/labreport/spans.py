"""Spans: for each piece of generated text where it came from.

While a template renders, invisible marks divide its output; `decode` turns them into pieces: text typed in a
template, with its exact place, and printed values, with their expression and keys.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labreport.errors import Place

DATA, VALUE, END, STOP = "\ue000", "\ue001", "\ue002", "\ue003"
_MARK = re.compile(f"{DATA}(\\d+){STOP}|{VALUE}(\\d+){STOP}|{END}")


@dataclass(frozen=True)
class Site:
    """A place in a template that prints a value: offsets and line of the expression."""

    template: str
    offset: int
    expression: str


@dataclass(frozen=True)
class Printed:
    """A value as it was printed: where, from which expression, which keys, and the text from start to end."""

    site: Site
    value: Any
    keys: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Piece:
    """A piece of generated text from `start` on: typed in a template at `offset`, or made by `site`."""

    start: int
    template: str
    offset: int
    site: Site | None


@dataclass(frozen=True)
class Rendered:
    """The generated text, the pieces it consists of, and what it used."""

    text: str
    pieces: tuple[Piece, ...]
    printed: tuple[Printed, ...]
    answers: tuple[tuple[str, Place], ...]
    figures: frozenset[tuple[str, str]]
    files: frozenset[Path]
    sources: Mapping[str, str] = field(repr=False)
    folder: str = "report_templates"

    def piece(self, offset: int) -> Piece:
        """Return the piece that the character at this offset belongs to."""
        starts = [p.start for p in self.pieces]
        return self.pieces[max(0, bisect_right(starts, offset) - 1)]

    def value_at(self, offset: int) -> Printed | None:
        """Return the innermost printed value that covers this offset."""
        covering = [p for p in self.printed if p.start <= offset < max(p.end, p.start + 1)]
        return min(covering, key=lambda p: p.end - p.start, default=None)

    def place(self, offset: int, length: int = 1) -> Place:
        """Return the place in the template that made the character at this offset."""
        offset = min(max(offset, 0), max(len(self.text) - 1, 0))
        piece = self.piece(offset)
        if piece.site is not None:
            return self._template_place(
                piece.site.template, piece.site.offset, len(piece.site.expression.strip())
            )
        return self._template_place(piece.template, piece.offset + offset - piece.start, length)

    def site_place(self, site: Site) -> Place:
        """Return the place of an expression."""
        return self._template_place(site.template, site.offset, len(site.expression))

    def line_start(self, line: int) -> int:
        """Return the offset at which a line of the generated text begins; lines count from 1."""
        return sum(len(text) for text in self.text.splitlines(keepends=True)[: line - 1])

    def _template_place(self, template: str, offset: int, length: int) -> Place:
        return place_in(self.sources[template], f"{self.folder}/{template}", offset, length)


def place_in(source: str, file: str, offset: int, length: int = 1) -> Place:
    """Return the line and column of an offset in a source text."""
    line = source.count("\n", 0, offset) + 1
    begin = source.rfind("\n", 0, offset) + 1
    end = source.find("\n", begin)
    text = source[begin : end if end >= 0 else len(source)]
    return Place(file, line, offset - begin + 1, length, text)


def decode(
    raw: str,
    chunks: Sequence[tuple[str, int]],
    records: Sequence[tuple[Site | None, Any, frozenset[str]]],
) -> tuple[str, tuple[Piece, ...], tuple[Printed, ...]]:
    """Return marked text without its marks, the pieces it consists of and the values printed in it.

    `chunks` holds the template and offset of each piece of typed text, `records` the site, value and keys of
    each printed value (no site: that of the value around it), by the numbers that stand in the marks.
    """
    text: list[str] = []
    length, position = 0, 0
    pieces: list[Piece] = []
    printed: list[Printed] = []
    opened: list[tuple[Site, Any, frozenset[str], int, bool]] = []
    for match in _MARK.finditer(raw):
        text.append(raw[position : match.start()])
        length += match.start() - position
        position = match.end()
        if match[1] is not None:
            template, offset = chunks[int(match[1])]
            pieces.append(Piece(length, template, offset, None))
            continue
        if match[2] is not None:
            site, value, joined = records[int(match[2])]
            composed = site is not None and value is None and not joined and _is_composed(raw, match.end())
            inherited = site or opened[-1][0]
            opened.append((inherited, value, joined, length, composed))
            pieces.append(Piece(length, inherited.template, inherited.offset, inherited))
            continue
        site, value, joined, start, composed = opened.pop()
        if not composed:
            printed.append(Printed(site, value, tuple(sorted(joined)), start, length))
        if opened:
            outer = opened[-1][0]
            pieces.append(Piece(length, outer.template, outer.offset, outer))
    text.append(raw[position:])
    return "".join(text), tuple(pieces), tuple(sorted(printed, key=lambda p: p.start))


def _is_composed(raw: str, start: int) -> bool:
    """Return whether another value is marked before the one that begins here ends."""
    inner, end = raw.find(VALUE, start), raw.find(END, start)
    return 0 <= inner < end

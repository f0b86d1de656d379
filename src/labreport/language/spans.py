"""Spans: for each piece of generated text where it came from.

While a template renders, invisible marks divide its output: `Marks` hands them out and turns them into pieces
afterwards. A piece is text typed in a template, with its exact place, or made by an expression; each printed
value is known with its expression and keys.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar

from labreport.errors import Place

T = TypeVar("T")

PRIVATE = re.compile("[\ue000-\uf8ff]")
"""The characters that marks consist of. No template contains one and no value prints as one, so that data
cannot forge a mark."""

_TYPED, _VALUE, _END, _STOP, _REGION, _CLOSE = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004", "\ue005"
_MARK = re.compile(
    f"{_TYPED}([^{_STOP}]*){_STOP}|{_VALUE}(\\d+){_STOP}|{_REGION}(\\d+){_STOP}|({_CLOSE})|{_END}"
)


@dataclass(frozen=True)
class Site:
    """The place of an expression or a statement in a template: its offset and its source."""

    template: str
    offset: int
    expression: str

    @property
    def end(self) -> int:
        """The offset after the last character."""
        return self.offset + len(self.expression)


@dataclass(frozen=True)
class Printed:
    """A value as it was printed: by which expression, from which keys, and where its text starts and ends.

    `formatted` is what its format returned: a number, a figure, an excerpt; of values joined to one, a list.
    """

    site: Site
    value: Any
    keys: tuple[str, ...]
    start: int
    end: int
    formatted: Any = None

    def parts(self, kind: type[Any] | UnionType) -> Iterator[Any]:
        """Yield what formats returned, as far as it is of a kind, for each of the values joined here."""
        yield from (part for part in _parts(self.formatted) if isinstance(part, kind))


@dataclass(frozen=True)
class Piece:
    """A piece of generated text from `start` on: typed in a template at `offset`, or made by `site`."""

    start: int
    template: str
    offset: int
    site: Site | None


@dataclass(frozen=True)
class Region:
    """A part of the generated text that a statement gives a meaning, from `start` to `end`; regions nest.

    Its `kind` is the statement's name, its `value` what the statement says: of an answer the question, of a
    claim its name, of typed digits the reason, of `about` the target, which speaks of the paragraph that it
    stands in (`start` and `end` are equal). `verdict` is what the judge made of a claim; `said` tells whether
    the text for it is printed, or another one for want of it.
    """

    kind: str
    value: Any
    site: Site
    start: int
    end: int
    verdict: Any = None
    said: bool = True


@dataclass(frozen=True)
class Rendered:
    """The generated text, the pieces it consists of, and what it used.

    `printed` and `regions` are in the order of the text; no two printed values overlap.
    """

    text: str
    pieces: tuple[Piece, ...]
    printed: tuple[Printed, ...]
    regions: tuple[Region, ...]
    answers: tuple[tuple[str, Place], ...]
    files: frozenset[Path]
    sources: Mapping[str, str] = field(repr=False)
    folder: str = "report_templates"

    def piece(self, offset: int) -> Piece:
        """Return the piece that the character at this offset belongs to."""
        return self.pieces[max(0, bisect_right(self._piece_starts, offset) - 1)]

    def value_at(self, offset: int) -> Printed | None:
        """Return the printed value that covers this offset."""
        index = bisect_right(self._printed_starts, offset) - 1
        found = self.printed[index] if index >= 0 else None
        return found if found is not None and offset < found.end else None

    def shown(self, kind: type[T]) -> Iterator[tuple[Printed, T]]:
        """Yield what is shown of a kind (figures, excerpts), with the printed value that shows it."""
        for printed in self.printed:
            yield from ((printed, part) for part in printed.parts(kind))

    def place(self, offset: int, length: int = 1) -> Place:
        """Return the place in the template that made the character at this offset."""
        offset = min(max(offset, 0), max(len(self.text) - 1, 0))
        piece = self.piece(offset)
        if piece.site is not None:
            return self.site_place(piece.site)
        return self._place(piece.template, piece.offset + offset - piece.start, length)

    def site_place(self, site: Site) -> Place:
        """Return the place of an expression."""
        return self._place(site.template, site.offset, len(site.expression))

    def _place(self, template: str, offset: int, length: int) -> Place:
        return place_in(self.sources[template], f"{self.folder}/{template}", offset, length)

    @cached_property
    def _piece_starts(self) -> list[int]:
        return [piece.start for piece in self.pieces]

    @cached_property
    def _printed_starts(self) -> list[int]:
        return [printed.start for printed in self.printed]


def _parts(formatted: Any) -> Iterator[Any]:
    """Yield what formats returned for each of the values that were joined to one."""
    if isinstance(formatted, list):
        for part in formatted:
            yield from _parts(part)
    else:
        yield formatted


def place_in(source: str, file: str, offset: int, length: int = 1) -> Place:
    """Return the line and column of an offset in a source text."""
    starts = _line_starts(source)
    line = bisect_right(starts, offset)
    begin = starts[line - 1]
    return Place(file, line, offset - begin + 1, length, line_text(source, line))


def line_start(text: str, line: int) -> int:
    """Return the offset at which a line of a text begins, else its end; lines count from 1, as TeX does."""
    starts = _line_starts(text)
    return starts[line - 1] if 0 < line <= len(starts) else len(text)


def line_text(source: str, line: int) -> str:
    """Return a line of a source text without its end; lines count from 1."""
    starts = [*_line_starts(source), len(source) + 1]
    return source[starts[line - 1] : starts[line] - 1] if 0 < line < len(starts) else ""


# thousands of places are asked for in the same few texts
@lru_cache(maxsize=64)
def _line_starts(text: str) -> tuple[int, ...]:
    return (0, *(match.end() for match in re.finditer("\n", text)))


BRANCH = "branch"
"""The kind of region that the text for one verdict of a claim is."""


@dataclass(frozen=True)
class _Record:
    """A value that is being printed; without a site it is printed by the expression around it."""

    site: Site | None
    value: Any
    keys: frozenset[str]
    formatted: Any = None
    is_composed: bool = False


@dataclass(frozen=True)
class _Opened:
    """A region that a statement opened; a branch knows the number of its claim."""

    kind: str
    value: Any
    site: Site
    claim: int | None = None


Around = list[list[tuple[int, str]]]
"""For each place where a claim stands, the branches around it: the number of their claim, and the verdict."""


@dataclass(frozen=True)
class Decoded:
    """A text without its marks, the pieces that it consists of, what is printed in it, its regions.

    Each region comes with the number that `Marks.open` gave it.
    """

    text: str
    pieces: tuple[Piece, ...]
    printed: tuple[Printed, ...]
    regions: tuple[tuple[int, Region], ...]


class Marks:
    """The marks of one rendering: made while it runs, taken out again by `decode`."""

    def __init__(self) -> None:
        self._records: list[_Record] = []
        self._regions: list[_Opened] = []

    def typed(self, template: str, offset: int) -> str:
        """Return the mark that stands before text typed in a template at an offset.

        It says all itself, since it is part of the compiled template.
        """
        return f"{_TYPED}{offset} {template}{_STOP}"

    def value(
        self, text: str, value: Any, keys: frozenset[str], site: Site | None = None, formatted: Any = None
    ) -> str:
        """Return the text of a printed value between marks; `formatted` is what its format returned."""
        return self._around(text, _Record(site, value, keys, formatted))

    def composed(self, text: str, site: Site | None = None) -> str:
        """Return a text between marks that is no value, but may contain marked texts and values."""
        return self._around(text, _Record(site, None, frozenset(), is_composed=True))

    def _around(self, text: str, record: _Record) -> str:
        self._records.append(record)
        return f"{_VALUE}{len(self._records) - 1}{_STOP}{text}{_END}"

    def open(self, kind: str, value: Any, site: Site, claim: int | None = None) -> tuple[int, str]:
        """Return the number of a new region and the mark that opens it; `claim` is that of a branch."""
        self._regions.append(_Opened(kind, value, site, claim))
        return len(self._regions) - 1, f"{_REGION}{len(self._regions) - 1}{_STOP}"

    def close(self) -> str:
        """Return the mark that closes the region opened last."""
        return _CLOSE

    def claim_of(self, branch: int) -> int:
        """Return the number of the claim that a branch belongs to."""
        claim = self._regions[branch].claim
        assert claim is not None  # a branch is opened with the number of its claim
        return claim

    def branches(self, raw: str) -> dict[int, Around]:
        """Return the branches that each claim of marked text stands in, outer ones first, by its number."""
        found: dict[int, Around] = {}
        inside: list[_Opened] = []
        for match in _MARK.finditer(raw):
            if match[4] is not None:
                inside.pop()
            elif match[3] is not None:
                region = self._regions[int(match[3])]
                if region.kind == "claim":
                    place = [(o.claim, str(o.value)) for o in inside if o.claim is not None]
                    found.setdefault(int(match[3]), []).append(place)
                inside.append(region)
        return found

    def choose(self, raw: str, branches: Mapping[int, str]) -> str:
        """Return marked text with one branch of each claim: `branches` names it by the claim's number."""
        kept: list[str] = []
        position, skipped = 0, 0
        for match in _MARK.finditer(raw):
            if skipped:  # a branch that is cut out goes with all regions inside it
                skipped += (match[3] is not None) - (match[4] is not None)
                position = match.end()
            elif match[3] is not None:
                region = self._regions[int(match[3])]
                if region.claim is not None and branches[region.claim] != region.value:
                    kept.append(raw[position : match.start()])
                    skipped = 1
        kept.append(raw[position:])
        return "".join(kept)

    def decode(self, raw: str) -> Decoded:
        """Return marked text without its marks, with what these say."""
        return _Decoding(self._records, self._regions).decode(raw)


class _Decoding:
    """Takes the marks out of a text; they nest: what an expression prints may hold values of its own."""

    def __init__(self, records: list[_Record], regions: list[_Opened]) -> None:
        self.records, self.opened_regions = records, regions
        self.length = 0
        self.pieces: list[Piece] = []
        self.printed: list[Printed] = []
        self.regions: list[tuple[int, Region]] = []
        self.values: list[tuple[_Record, Site, int]] = []
        self.inside: list[int] = []

    def decode(self, raw: str) -> Decoded:
        text, position = [], 0
        for match in _MARK.finditer(raw):
            text.append(raw[position : match.start()])
            self.length += match.start() - position
            position = match.end()
            if match[1] is not None:
                offset, _, template = match[1].partition(" ")
                self.pieces.append(Piece(self.length, template, int(offset), None))
            elif match[3] is not None:
                self.open(int(match[3]))
            elif match[4] is not None:
                self.close()
            else:
                self.value(None if match[2] is None else int(match[2]))
        text.append(raw[position:])
        return Decoded("".join(text), tuple(self.pieces), tuple(self.printed), tuple(self.regions))

    def open(self, number: int) -> None:
        opened = self.opened_regions[number]
        self.inside.append(len(self.regions))
        region = Region(opened.kind, opened.value, opened.site, self.length, self.length)
        self.regions.append((number, region))

    def close(self) -> None:
        at = self.inside.pop()
        number, region = self.regions[at]
        self.regions[at] = (number, replace(region, end=self.length))

    def value(self, number: int | None) -> None:
        """Begin the value with a number, or end the one that began last."""
        if number is not None:
            record = self.records[number]
            self.values.append((record, record.site or self.values[-1][1], self.length))
        else:
            record, site, start = self.values.pop()
            if not record.is_composed:
                keys = tuple(sorted(record.keys))
                self.printed.append(Printed(site, record.value, keys, start, self.length, record.formatted))
        if self.values:  # after a nested value the text belongs to the expression around it again
            site = self.values[-1][1]
            self.pieces.append(Piece(self.length, site.template, site.offset, site))


def is_marked(text: str) -> bool:
    """Return whether a text contains marks."""
    return _TYPED in text or _VALUE in text or _REGION in text


def without_marks(text: str) -> str:
    """Return a text without its marks."""
    return _MARK.sub("", text)

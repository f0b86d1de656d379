"""The things that a reader can ask about: what the engine put into the documents, in the text's order."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from labreport.explain import (
    Answer,
    Claim,
    Excerpt,
    Figure,
    Place,
    Record,
    Value,
    columns,
    expression_of,
    head_of,
    readable,
)
from labreport.page import rows
from labreport.page.numbers import countable, exact, printed
from labreport.page.sentences import as_printed, caption

if TYPE_CHECKING:
    from labreport.page.characters import Box

Plain = dict[str, Any]
Places = Mapping[str, Sequence["Box"]]
Entry = Value | Claim | Figure | Excerpt | Answer

RANKS = {kind: rank for rank, kind in enumerate(("answer", "table", "claim", "figure", "excerpt", "value"))}
"""The kinds of things; of those that begin at the same place, one that holds others comes first."""

_STATEMENT = re.compile(r"""claim\s+(?:"[^"]*"|'[^']*')\s*,\s*""")

DIGITS = 2
"""The decimals of a coordinate, in points: finer than any screen shows."""


@dataclass(frozen=True)
class Tables:
    """The tables that one expression printed whole: their values, by the tables' ids, and the reverse."""

    values: Mapping[str, Sequence[int]]
    of_value: Mapping[int, str]


def tables(record: Record) -> Tables:
    """Return the tables of a record, numbered in the order of the text."""
    printed: dict[tuple[Any, ...], list[list[int]]] = {}
    for number, value in enumerate(record.values):
        place = value.place
        if "table(" in value.expression:
            name = (place.document, place.template, place.line, value.column, value.expression)
            same = printed.setdefault(name, [])
            if not same or _is_same_cell(value, record.values[same[-1][0]]):
                same.append([])  # its first cell again: a loop prints the table another time
            same[-1].append(number)
    found = sorted(numbers for each in printed.values() for numbers in each if len(numbers) > 1)
    values = {f"t{number}": numbers for number, numbers in enumerate(found)}
    return Tables(values, {number: table for table, numbers in values.items() for number in numbers})


def _is_same_cell(one: Value, other: Value) -> bool:
    return (one.keys, one.text, head_of(one)) == (other.keys, other.text, head_of(other))


@dataclass(frozen=True)
class Containment:
    """Which values stand in the sentence of which claim, by their numbers in the record."""

    values: Mapping[int, Sequence[int]]
    claims: Mapping[int, Sequence[int]]


def sentences(record: Record) -> Containment:
    """Return which values the sentences of claims print."""
    spots: dict[tuple[str, int | None], list[tuple[tuple[int, int], int]]] = {}
    for number, value in enumerate(record.values):
        spots.setdefault(_text_of(value.place), []).append((_spot(value.place), number))
    for found in spots.values():
        found.sort()
    values: dict[int, list[int]] = {}
    claims: dict[int, list[int]] = {}
    for number, claim in enumerate(record.claims):
        inside = spots.get(_text_of(claim.place), [])
        first = bisect_left(inside, (_spot(claim.place), 0))
        last = bisect_left(inside, (_end(claim), 0))
        values[number] = [value for _, value in inside[first:last]]
        for inner in values[number]:
            claims.setdefault(inner, []).append(number)
    return Containment(values, claims)


def _text_of(place: Place) -> tuple[str, int | None]:
    """Return what tells one text from another: the document, and the cell of a notebook."""
    return place.document, place.cell


def _spot(place: Place) -> tuple[int, int]:
    return place.file_line, place.file_column


def _end(claim: Claim) -> tuple[int, int]:
    """Return the line and the column in which a claim's sentence ends."""
    line, column = _spot(claim.place)
    *before, last = claim.sentence.split("\n")
    return line + len(before), len(last) + (1 if before else column)


class Things:
    """Tells each thing of a record as plain data, with the boxes in which it lies on the pages."""

    def __init__(self, record: Record, places: Places, pages: Sequence[Plain]) -> None:
        self.record = record
        self.places = places
        self.pages = pages
        self.tables = tables(record)
        self.rows = {
            number: name
            for numbers in self.tables.values.values()
            for number, name in rows.names({n: record.values[n] for n in numbers}).items()
        }
        self.sentences = sentences(record)

    def value(self, number: int) -> Plain:
        """Return a printed value: as it reads, as the result has it, and what it was made from."""
        value = self.record.values[number]
        return self._common(f"v{number}", "value", value.place) | {
            "text": readable(value.text),
            "value": exact(value.value),
            "keys": list(value.keys),
            "expression": on_one_line(expression_of(value)),
            "column": head_of(value),
            "row": self.rows.get(number),
            "table": self.tables.of_value.get(number),
            "claims": [f"c{claim}" for claim in self.sentences.claims.get(number, ())],
        }

    def claim(self, number: int) -> Plain:
        """Return a claim: its sentence and verdict, and what the verdict stands on."""
        claim = self.record.claims[number]
        evidence = ("predicate", "states", "verdict")
        own = self._common(f"c{number}", "claim", claim.place)
        return own | {
            "name": claim.name,
            "verdict": claim.verdict,
            "said": claim.said,
            "sentence": as_printed(claim.sentence, own["at"], self.pages),
            "predicate": countable(_STATEMENT.sub("", on_one_line(claim.expression))),
            "evidence": [
                {name: entry[name] for name in evidence} | {"states": printed(entry["states"])}
                for entry in claim.evidence
            ],
            "keys": list(claim.keys),
            "family": claim.family,
            "values": [f"v{value}" for value in self.sentences.values[number]],
        }

    def figure(self, number: int) -> Plain:
        """Return a figure; what is known of its picture is added by others."""
        figure = self.record.figures[number]
        own = self._common(f"f{number}", "figure", figure.place)
        return own | {
            "key": figure.key,
            "experiment": figure.experiment,
            "caption": caption(own["at"], self.pages),
        }

    def excerpt(self, number: int) -> Plain:
        """Return an excerpt: which lines of which file it shows."""
        excerpt = self.record.excerpts[number]
        first, last = excerpt.lines
        return self._common(f"e{number}", "excerpt", excerpt.place) | {
            "name": excerpt.name,
            "source": excerpt.source,
            "first": first,
            "last": last,
            "since": excerpt.since,
        }

    def table(self, name: str) -> Plain:
        """Return a table that was printed whole: its cells, its heads, and where its rows come from."""
        numbers = self.tables.values[name]
        first = self.record.values[numbers[0]]
        keys = dict.fromkeys(rows_of(key) for n in numbers for key in self.record.values[n].keys)
        own = self._common(name, "table", first.place)
        boxes = [box for n in numbers for box in self.places.get(f"v{n}", ())]
        pages = sorted({box.page for box in boxes})
        at = [box_entry(reduce(or_, (box for box in boxes if box.page == page))) for page in pages]
        return own | {
            "at": at,
            "page": at[0][0] if at else own["page"],
            "caption": caption(at[:1], self.pages),  # of a table over several pages it stands on the first
            "expression": on_one_line(first.expression),
            "keys": list(keys),
            "values": [f"v{n}" for n in numbers],
            "heads": [column.head for column in columns(first.expression)],
        }

    def answer(self, number: int) -> Plain:
        """Return the answer to a question; what it is about is added by others."""
        answer = self.record.answers[number]
        return self._common(f"a{number}", "answer", answer.place) | {"question": answer.question}

    def in_order(self) -> list[Plain]:
        """Return all things in the order of the text; what holds others stands before them."""
        record = self.record
        kinds: tuple[tuple[Callable[[int], Plain], Sequence[Entry]], ...] = (
            (self.answer, record.answers),
            (self.claim, record.claims),
            (self.figure, record.figures),
            (self.excerpt, record.excerpts),
            (self.value, record.values),
        )
        found = [
            (self._order(entry.place), tell(n)) for tell, entries in kinds for n, entry in enumerate(entries)
        ]
        for name, (first, *_) in self.tables.values.items():
            found.append((self._order(record.values[first].place), self.table(name)))
        found.sort(key=lambda each: (each[0], RANKS[each[1]["kind"]]))
        return [thing for _, thing in found]

    def _order(self, place: Place) -> tuple[Any, ...]:
        """Return what things are sorted by: the report comes first."""
        return place.cell is not None, place.document, place.cell or 0, *_spot(place)

    def _common(self, name: str, kind: str, place: Place) -> Plain:
        """Return what every thing has: where it lies, and the line of a template that made it."""
        boxes = [box_entry(box) for box in self.places.get(name, ())]
        return {
            "id": name,
            "kind": kind,
            "at": boxes,
            "document": place.document,
            "page": boxes[0][0] if boxes else place.page,
            "cell": place.cell,
            "template": place.template,
            "line": place.line,
        }


def box_entry(box: Box) -> list[float]:
    """Return a box as the page's data hold it."""
    return [box.page, *(round(number, DIGITS) for number in (box.x, box.y, box.width, box.height))]


def on_one_line(source: str) -> str:
    """Return the source of an expression without the breaks of its lines."""
    return " ".join(source.split())


def rows_of(key: str) -> str:
    """Return what the rows come from that a key leads into: `e.tables.t` for `e.tables.t[3].x`."""
    return re.split(r"\[\d+\]", key, maxsplit=1)[0]

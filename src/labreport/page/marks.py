r"""The published LaTeX with marks around what it shows, so that a PDF made from it tells what lies where.

A mark is a piece of marked content, `/LRv12 BMC … EMC`, which nothing shows and which takes no place. TeX
sets the text around one as before but for rare kerns, and so marks can stand where colour or a link could
not: in headings, captions and mathematics.

No mark may be open where a page or a column ends: footnotes and page numbers would lie in it. So running text
is marked word by word.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Protocol, TypeVar

from labreport.explain import Answer, Claim, Contexts, Place, Record, Value, cells

NAME = re.compile(r"LR([vcfea]\d+)", re.IGNORECASE)
"""The name of a mark, and in it the id, in capitals where the text is."""

HEAD = (
    # it is read once: packing would cost more than it saves
    r"\ifdefined\pdfextension\pdfvariable compresslevel0 \protected\def\pdfliteral{\pdfextension literal}"
    r"\else\ifdefined\pdfcompresslevel\pdfcompresslevel0 \fi\fi"
    r"\ifdefined\XeTeXrevision\special{dvipdfmx:config z 0}"
    r"\protected\def\pdfliteral direct#1{\special{pdf:literal direct #1}}\fi"
    r"\protected\def\LRb#1{\ifvmode\leavevmode\fi\pdfliteral direct{/LR#1 BMC}}"
    r"\protected\def\LRe#1{\pdfliteral direct{EMC}}"
    r"\ifdefined\pdfstringdefDisableCommands"
    r"\pdfstringdefDisableCommands{\def\LRb#1{}\def\LRe#1{}}\fi "
)
r"""Defines both ends of a mark. The name after \LRe keeps a blank or the end of a line after it."""

CODE_LINE = "LR(?:line|kept|added|removed)"

GROUP = r"\{(?:\\.|[^{}\\]|\{(?:\\.|[^{}\\]|\{(?:\\.|[^{}\\])*\})*\})*\}"
_WORD = re.compile(rf"(?:\\.|{GROUP}|[^\s\\{{}}])+", re.DOTALL)
_WHOLE_GROUP = re.compile(GROUP, re.DOTALL)
_PLAIN = re.compile(r"(?<!\S)[^\s\\{}$&~%#^_\[\]]+(?!\S)")
_AFTER_COMMAND = re.compile(r"\\[A-Za-z@]+\*?\s*$")
_OF_SIUNITX = re.compile(
    rf"\\(?:num|qty|SI|si|unit|ang|complexnum|complexqty|tablenum)[a-z]*(?:\[[^\]]*\])?(?:{GROUP})+",
    re.DOTALL,
)
NONE: Mapping[int, int] = MappingProxyType({})
_DEFINING = r"\\(?:(?:(?:re)?new|provide)command\*?|def)"
_MACRO = re.compile(rf"{_DEFINING}\s*(?:\{{\s*\\[A-Za-z@]+\s*\}}|\\[A-Za-z@]+)\s*{GROUP}", re.DOTALL)
LONGEST_COMMAND = 40
LONGEST_NUMBER = 200  # characters of a command of siunitx before the value in it


class _Shown(Protocol):
    @property
    def place(self) -> Place: ...


T = TypeVar("T", bound=_Shown)


def marked(text: str, record: Record, *, arguments: bool = True) -> str:
    r"""Return the LaTeX of the report with marks around what the record says that it shows.

    The names of the marks are the ids of the page: `v12` is value 12 of the record. Without `arguments`,
    those of commands that are not known stay as they are: some cannot be typeset, and TeX refuses the text.
    """
    return Marking(text, record, arguments=arguments).text_with_marks()


class Marking:
    """Collects which pieces of the text get which marks.

    In lines that were `refused` once arguments get none, in those that were refused again nothing does. With
    `macros` values get some that a command of the author's stands for.
    """

    def __init__(
        self,
        text: str,
        record: Record,
        *,
        arguments: bool = True,
        macros: bool = False,
        refused: Mapping[int, int] = NONE,
    ) -> None:
        self.text = text
        self.contexts = Contexts(text)
        self.source = self.contexts.source
        self.kinds = {"text", "mathematics", "cell", "number"} | ({"argument"} if arguments else set())
        self.starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self.refused = refused
        self.macros = [found.span() for found in _MACRO.finditer(self.source.clean)] if macros else []
        self.pieces: dict[tuple[int, int], list[str]] = {}
        self.in_cells: set[tuple[int, int]] = set()
        self._values(record)
        self._code(record)
        for name, figure in _numbered("f", record.figures):
            self._add(name, self._figures.get(self._offset(figure.place), ()))
        for name, claim in _numbered("c", record.claims):
            self._add(name, self._claim(claim))
        for name, answer in _numbered("a", record.answers):
            self._add(name, self._answer(answer))

    def _offset(self, place: Place) -> int:
        return self.starts[place.file_line - 1] + place.file_column - 1

    def _add(self, name: str, pieces: Iterable[tuple[int, int]]) -> None:
        for piece in pieces:
            if self.refused.get(self._line(piece[0]), 0) < 2:
                self.pieces.setdefault(piece, []).append(name)

    def _line(self, offset: int) -> int:
        return bisect_right(self.starts, offset)

    def _is_marked(self, start: int, end: int, *but: str) -> bool:
        """Return whether what stands in a place is of a kind that gets marks there, `but` for some."""
        kind = self.contexts.of(start, end)
        is_refused = kind == "argument" and self._line(start) in self.refused
        return kind in self.kinds and kind not in but and not is_refused

    @property
    def names(self) -> frozenset[str]:
        """The names of all marks."""
        return frozenset(name for names in self.pieces.values() for name in names)

    def last_line(self, line: int) -> int | None:
        """Return the last line with marks, up to one in which TeX has seen that something is wrong."""
        return max((at for start, _ in self.pieces if (at := self._line(start)) <= line), default=None)

    def _values(self, record: Record) -> None:
        for name, value in _numbered("v", record.values):
            self._add(name, self._value(value))
        self.of_values = sorted(self.pieces)

    def _value(self, value: Value) -> Iterator[tuple[int, int]]:
        start = self._offset(value.place)
        if self.text.startswith(value.text, start):
            for begin, end in cells(value.text, start):
                yield from self._parts(begin, end)

    def _parts(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the pieces in which a part of a value gets its mark."""
        kind = self.contexts.of(begin, end)
        if any(self._is_alone(begin, end, *macro) for macro in self.macros):
            yield self._inside(begin, end)
            return
        if not self._is_marked(begin, end):
            return
        if kind == "number":
            yield from self._command_around(begin)
        elif kind in ("text", "argument"):
            yield from (self._inside(*word.span()) for word in _WORD.finditer(self.text, begin, end))
        elif kind == "mathematics":
            yield self._inside(begin, end)
        else:
            self.in_cells.add((begin, end))
            yield begin, end

    def _is_alone(self, begin: int, end: int, start: int, stop: int) -> bool:
        r"""Return whether a macro stands for a value and nothing else, as in `\newcommand{\rate}{{0.5}}`."""
        return start < begin < stop and (self.text[end:stop], self.text[begin - 1]) == ("}", "{")

    def _inside(self, begin: int, end: int) -> tuple[int, int]:
        """Return a piece without the braces around all of it: an exponent may follow the group."""
        is_group = _WHOLE_GROUP.fullmatch(self.text, begin, end) is not None
        return (begin + 1, end - 1) if is_group and end - begin > 2 else (begin, end)

    def _command_around(self, offset: int) -> Iterator[tuple[int, int]]:
        """Yield where the command of siunitx stands in which a value is an argument."""
        for found in _OF_SIUNITX.finditer(self.text, max(0, offset - LONGEST_NUMBER)):
            if found.start() > offset:
                return
            if found.end() > offset:
                yield found.span()
                return

    @cached_property
    def _figures(self) -> dict[int, tuple[tuple[int, int], ...]]:
        found = self.source.commands("LRfigure", 2)
        return {c.start: ((c.start, c.end),) for c in found if self._is_marked(c.start, c.end, "cell")}

    def _code(self, record: Record) -> None:
        """Mark the lines of excerpts, with their numbers: each line is a box, which no page can end in."""
        blocks = {c.start: c.end for c in self.source.commands("LR(?:long)?code", 2)}
        lines = self.source.commands(CODE_LINE, 2) if record.excerpts else []
        for name, excerpt in _numbered("e", record.excerpts):
            start = self._offset(excerpt.place)
            within = (line for line in lines if start <= line.start < blocks.get(start, start))
            self._add(name, ((self.text.index("{", line.start) + 1, line.end - 1) for line in within))

    def _claim(self, claim: Claim) -> Iterator[tuple[int, int]]:
        start = self._offset(claim.place)
        end = start + len(claim.sentence)
        if self.text.startswith(claim.sentence, start):
            yield from filter(self._is_typeset, self._words(start, end))
            first, last = (bisect_left(self.of_values, (at, at)) for at in (start, end))
            yield from (piece for piece in self.of_values[first:last] if piece[1] <= end)

    def _words(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the words between blanks: there, a mark changes neither kerns nor hyphenation."""
        # cut out: what stands before and after may touch the first and the last word
        found = _PLAIN.finditer(self.source.clean[start:end])
        return [(start + word.start(), start + word.end()) for word in found]

    def _is_typeset(self, word: tuple[int, int]) -> bool:
        """Return whether a word is no length that a command takes, and no part of what is not typeset."""
        is_length = _AFTER_COMMAND.search(self.text, max(0, word[0] - LONGEST_COMMAND), word[0])
        return not is_length and self._is_marked(*word, "mathematics", "cell", "number")

    def _answer(self, answer: Answer) -> Iterator[tuple[int, int]]:
        """Yield the first and the last word of each line of an answer; a float can lie far from it."""
        first, last = answer.place.file_line, answer.file_end
        for line in range(first, max(last, first + 1)):
            words = self._words(max(self.starts[line - 1], self._offset(answer.place)), self._end(line))
            ends = (next(filter(self._stays, some), None) for some in (words, reversed(words)))
            yield from dict.fromkeys(filter(None, ends))

    def _stays(self, word: tuple[int, int]) -> bool:
        return self._is_typeset(word) and self.source.float_at(word[0]) is None

    def _end(self, line: int) -> int:
        return self.starts[line] if line < len(self.starts) else len(self.text)

    # ------------------------------------------------------------------------------------------- the text

    def text_with_marks(self) -> str:
        """Return the text with all marks, and with what defines them."""
        if self.source.begin is None:
            return self.text  # nowhere could the marks be defined
        edits = sorted(self._edits(self.source.begin.start()))
        parts, position = [], 0
        for offset, *_, mark in edits:
            parts += [self.text[position:offset], mark]
            position = offset
        return "".join([*parts, self.text[position:]])

    def _edits(self, begin: int) -> Iterator[tuple[int, int, int, str]]:
        """Yield what is put in: offset, the rank and the order among what is put in there, and the text."""
        yield begin, 0, 0, HEAD
        open_until: list[int] = []
        for (start, end), names in sorted(self.pieces.items(), key=lambda item: (item[0][0], -item[0][1])):
            while open_until and open_until[-1] <= start:
                open_until.pop()
            if open_until and end > open_until[-1]:
                continue  # it crosses another piece
            open_until.append(end)
            form = "{%s}" if (start, end) in self.in_cells else "%s"
            yield start, 1, -end, form % "".join(rf"\LRb{{{name}}}" for name in names)
            yield end, 0, -start, form % "".join(rf"\LRe{{{name}}}" for name in names)


def _numbered(letter: str, things: Iterable[T]) -> Iterator[tuple[str, T]]:
    """Yield the things that the report shows, not the notebooks, each after its id."""
    for number, thing in enumerate(things):
        if thing.place.cell is None:
            yield f"{letter}{number}", thing

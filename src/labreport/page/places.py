"""Where on the pages of the published PDF each printed value, claim, figure, excerpt and answer lies.

The PDF stays as it is. Its LaTeX is set once more with marks, which tell for each character what it is a part
of; the same characters are then looked up in the published PDF, so that a line that TeX broke elsewhere moves
no place. A value whose mark TeX refuses is looked for as text, between what stands before it and after.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import TYPE_CHECKING

from labreport.documents import latexmk, report
from labreport.explain import Record, Value, readable
from labreport.page import marks
from labreport.page.characters import Box, Leaf, opened, page_size

if TYPE_CHECKING:
    from labreport.project import Project

Position = tuple[int, int]
"""A character: the index of its page, which counts from 0, and its own there."""

ATTEMPTS = 8  # with marks in arguments, and as many without
SHORTEST = 3  # characters that a text has that is looked for: 7 may stand anywhere

MANY = 2_000  # words of pages that differ

_WORD = re.compile(r"\S+")
_EQUAL = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−–", "0123456789---")


def locate(project: Project, record: Record) -> dict[str, tuple[Box, ...]]:
    """Return the boxes of what the published report shows, by the ids of the page, as `v12` for value 12.

    A value or a claim has a box for each line, an answer or an excerpt one for each page and column. What is
    not printed, or could not be found, has none.
    """
    text = report.published_text(project)
    with opened(project.pdf.read_bytes()) as published:
        found, boxes, refused = _marked(project, text, record, published)
        found |= dict(_divided(record, published, found))
        found |= dict(_searched(record, published, found, refused))
        boxes |= {name: tuple(_boxes(name[0], there, published)) for name, there in found.items()}
    return {name: there for name, there in boxes.items() if there}


# -------------------------------------------------------------------------------------------------- by marks


def _marked(
    project: Project, text: str, record: Record, published: Sequence[Leaf]
) -> tuple[dict[str, list[Position]], dict[str, tuple[Box, ...]], frozenset[str]]:
    """Return what the marks tell: the characters of each thing, and the boxes of figures; which it does not.

    Those are all if TeX refuses the marks, or sets another number of pages with them. What has a mark that
    no character stands in is not printed.
    """
    wanted = marks.Marking(text, record, macros=True).names
    for marking, data in _accepted(project, text, record):
        with opened(data) as again:
            if len(again) == len(published):
                found = _carried(again, published)
                lost = {name for name, there in found.items() if not there}
                return found, _figures(project, record, again, published), wanted - marking.names | lost
    return {}, {}, wanted


def _accepted(project: Project, text: str, record: Record) -> Iterator[tuple[marks.Marking, bytes]]:
    """Yield what TeX makes of the text with marks, the most that it takes first.

    Where it refuses one, those in macros are left out, which may be part of anything; then those of the line;
    of too many lines, all those in arguments.
    """
    for arguments, macros, attempts in ((True, True, 1), (True, False, ATTEMPTS), (False, False, ATTEMPTS)):
        refused: Counter[int] = Counter()
        for _ in range(attempts):
            marking = marks.Marking(text, record, arguments=arguments, macros=macros, refused=refused)
            if macros and not marking.macros:
                break
            try:
                data = report.compile_again(project, marking.text_with_marks())
            except latexmk.CompileFailed as failed:
                first = failed.problems[0]
                line = marking.last_line(first.line or 0) if first.file == f"{project.job}.tex" else None
                if line is None:
                    break
                refused[line] += 1
            else:
                yield marking, data
                break


def _carried(again: Sequence[Leaf], published: Sequence[Leaf]) -> dict[str, list[Position]]:
    """Return the characters of the published PDF that are marked in the other one."""
    there: dict[Position, Position] = {}
    same = [leaf.as_in(other) for leaf, other in zip(again, published, strict=True)]
    for page, pairs in enumerate(same):
        there |= {(page, index): (page, other) for index, other in (pairs or {}).items()}
    for differ, pages in groupby(range(len(again)), lambda page: same[page] is None):
        if differ:
            run = list(pages)
            there |= _aligned([again[n] for n in run], [published[n] for n in run])
    found: dict[str, list[Position]] = {}
    for page, leaf in enumerate(again):
        for name, indices in leaf.marks().items():
            positions = (there.get((page, index)) for index in indices)
            found.setdefault(name, []).extend(p for p in positions if p is not None)
    return found


def _aligned(old: Sequence[Leaf], new: Sequence[Leaf]) -> dict[Position, Position]:
    """Return which characters of some pages are which ones of others, where their texts differ."""
    olds, news = _words(old), _words(new)
    found: dict[Position, Position] = {}
    matcher = _matcher([w for w, _ in olds], [w for w, _ in news])
    for kind, a, b, c, d in matcher.get_opcodes():
        before = [p for _, positions in olds[a:b] for p in positions]
        after = [p for _, positions in news[c:d] for p in positions]
        if kind == "equal":
            found |= zip(before, after, strict=True)
        elif kind == "replace":  # words that were parted in another way
            texts = ["".join(w for w, _ in words) for words in (olds[a:b], news[c:d])]
            pieces = _matcher(*texts)
            for i, j, size in pieces.get_matching_blocks():
                found |= zip(before[i : i + size], after[j : j + size], strict=True)
    return found


def _matcher(old: Sequence[str], new: Sequence[str]) -> SequenceMatcher[str]:
    """Return what matches two sequences; of long ones by what is rare in them.

    What there is much of, as a number in a long table, would take time by the cube of how often it is there.
    """
    return SequenceMatcher(None, old, new, autojunk=len(new) > MANY)


def _words(leaves: Iterable[Leaf]) -> list[tuple[str, list[Position]]]:
    return [
        (word[0], [(leaf.number - 1, index) for index in range(*word.span())])
        for leaf in leaves
        for word in _WORD.finditer(leaf.text)
    ]


def _figures(
    project: Project, record: Record, again: Sequence[Leaf], published: Sequence[Leaf]
) -> dict[str, tuple[Box, ...]]:
    """Return the boxes of the figures: which of the pictures on a page each one is, the marks tell."""
    found: dict[str, tuple[Box, ...]] = {}
    for marked, leaf in zip(again, published, strict=True):
        forms = list(leaf.forms())
        named = [names for names, _ in marked.forms()]
        if len(named) != len(forms):
            continue
        for names, (_, matrix) in zip(named, forms, strict=True):
            for name in names:
                shown = project.latex / record.figures[int(name[1:])].shown
                # a picture of dots is a square of which the matrix makes its size
                size = page_size(shown) if shown.suffix.lower() == ".pdf" else (1.0, 1.0)
                found[name] = (*found.get(name, ()), leaf.picture(matrix, *size))
    return found


# --------------------------------------------------------------------------------------------------- by text


def _searched(
    record: Record,
    leaves: Sequence[Leaf],
    found: Mapping[str, Sequence[Position]],
    refused: Container[str],
) -> Iterator[tuple[str, list[Position]]]:
    """Yield where values stand whose marks were refused, as far as their text tells.

    It does if it stands just once on its page between the values printed before and after.
    """
    values = [(n, v) for n, v in enumerate(record.values) if v.place.cell is None and v.place.page]
    for at, (number, value) in enumerate(values):
        name, page = f"v{number}", (value.place.page or 0) - 1
        wanted = _printed(value)
        if name not in refused or len(wanted) < SHORTEST or not 0 <= page < len(leaves):
            continue

        def here(others: Iterable[tuple[int, object]], page: int = page) -> Iterator[list[int]]:
            for other, _ in others:
                indices = [i for there, i in found.get(f"v{other}", ()) if there == page]
                if indices:
                    yield indices

        first = max(next(here(reversed(values[:at])), [-1])) + 1
        last = min(next(here(values[at + 1 :]), [len(leaves[page].text)]))
        yield name, [(page, index) for index in _only(wanted, leaves[page].text, first, last)]


def _divided(
    record: Record, leaves: Sequence[Leaf], found: Mapping[str, Sequence[Position]]
) -> Iterator[tuple[str, list[Position]]]:
    """Yield where each of several values stands that are arguments of one command, which is marked whole.

    Its text tells if it reads so in the order of the arguments; else each value keeps all of the command.
    """
    together: dict[tuple[Position, ...], list[str]] = {}
    for name, positions in found.items():
        if name.startswith("v"):
            together.setdefault(tuple(positions), []).append(name)
    for positions, names in together.items():
        names.sort(key=lambda name: int(name[1:]))
        parts, rest = [], [p for p in positions if not leaves[p[0]].text[p[1]].isspace()]
        for name in names if len(names) > 1 else ():
            part = _first(_printed(record.values[int(name[1:])]), rest, leaves)
            parts.append(part)
            rest = rest[rest.index(part[-1]) + 1 :] if part else []
        if all(parts):
            yield from zip(names, parts, strict=False)


def _first(wanted: str, positions: list[Position], leaves: Sequence[Leaf]) -> list[Position]:
    """Return those characters that are the first occurrence of a text as a whole word or number."""
    whole = "".join(leaves[page].text[index] for page, index in positions).translate(_EQUAL)
    for match in re.finditer(re.escape(wanted), whole):
        part = positions[match.start() : match.end()]
        ends = ((part[0], -1), (part[-1], 1)) if part else ()
        if not any(_goes_on(leaves[page].text, index, step) for (page, index), step in ends):
            return part
    return []


def _printed(value: Value) -> str:
    """Return the characters by which a value is looked for, blanks aside."""
    return "".join(readable(value.text).split()).translate(_EQUAL)


def _only(wanted: str, text: str, first: int, last: int) -> Sequence[int]:
    """Return which characters are the only occurrence of a text, blanks aside; none if there are more."""
    kept = [index for index in range(first, last) if not text[index].isspace()]
    whole = "".join(text[index] for index in kept).translate(_EQUAL)
    matches = [kept[m.start() : m.start() + len(wanted)] for m in re.finditer(re.escape(wanted), whole)]
    alone = [m for m in matches if not _goes_on(text, m[0], -1) and not _goes_on(text, m[-1], 1)]
    return alone[0] if len(alone) == 1 else ()


def _goes_on(text: str, index: int, step: int) -> bool:
    """Return whether a word or number goes on at the next character."""
    return text[index].isalnum() and text[index + step : index + step + 1].isalnum()


# ------------------------------------------------------------------------------------------------- the boxes


def _boxes(kind: str, positions: Iterable[Position], leaves: Sequence[Leaf]) -> Iterator[Box]:
    """Yield the boxes of a thing of a kind, the first letter of its id, from its marked characters."""
    marked = {p: box for p in positions if (box := leaves[p[0]].box(p[1])) is not None}
    if kind == "v":
        parts = _parts(marked, leaves)
        lines = [line for part in parts for line in _lines(marked[p] for p in part)]
    else:
        lines = list(_lines(marked.values()))
    for block in _blocks(lines) if kind in "ae" else lines:
        here = [(index, box) for (page, index), box in marked.items() if page == block.page - 1]
        if kind == "c":  # between its first and its last word all is part of it
            yield _as_wide(block, [index for index, _ in here], leaves)
        elif kind == "a":
            yield _as_wide(block, [index for index, box in here if block.holds(box)], leaves)
        else:
            yield block


def _parts(positions: Iterable[Position], leaves: Sequence[Leaf]) -> list[list[Position]]:
    """Return characters in parts between which others stand: a macro may print its value twice in a line."""
    parts: list[list[Position]] = []
    for page, index in positions:
        last = parts[-1][-1] if parts else None
        if last is None or last[0] != page or leaves[page].text[last[1] + 1 : index].strip():
            parts.append([])
        parts[-1].append((page, index))
    return parts


def _lines(boxes: Iterable[Box]) -> Iterator[Box]:
    """Yield a box for each line; what is raised or lowered belongs to its line."""
    line: Box | None = None
    last: Box | None = None
    for box in boxes:
        if line is not None and last is not None and (_beside(line, box) or _below(last, box)):
            line |= box
        else:
            if line is not None:
                yield line
            line = box
        last = box
    if line is not None:
        yield line


def _beside(line: Box, box: Box) -> bool:
    """Return whether a character stands in a line."""
    shared = min(line.bottom, box.bottom) - max(line.y, box.y)
    return line.page == box.page and shared > min(line.height, box.height) / 3


def _below(last: Box, box: Box) -> bool:
    """Return whether a character follows the last one in a line that is turned, in a table on its side."""
    shared = min(last.right, box.right) - max(last.x, box.x)
    apart = max(last.y, box.y) - min(last.bottom, box.bottom)
    return last.page == box.page and shared > min(last.width, box.width) / 3 and apart < last.width / 2


def _blocks(lines: Iterable[Box]) -> Iterator[Box]:
    """Yield a box for each page and column: it ends where the next line stands higher."""
    block: Box | None = None
    last: Box | None = None
    for line in lines:
        if block is not None and last is not None and line.page == block.page and line.middle[1] > last.y:
            block |= line
        else:
            if block is not None:
                yield block
            block = line
        last = line
    if block is not None:
        yield block


def _as_wide(block: Box, marked: Sequence[int], leaves: Sequence[Leaf]) -> Box:
    """Return a box as wide as the text in it from the first to the last of the characters that are marked."""
    pieces = leaves[block.page - 1].pieces(min(marked), max(marked))
    inside = [piece for piece in pieces if block.y < piece.middle[1] < block.bottom]
    left = min([block.x, *(piece.x for piece in inside)])
    right = max([block.right, *(piece.right for piece in inside)])
    return Box(block.page, left, block.y, right - left, block.height)

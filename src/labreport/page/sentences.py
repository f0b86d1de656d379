r"""Sentences and captions as the pages print them.

What LaTeX makes of `\cref{tab:fits}` or `$p < 0.001$`, and which number a figure has, only a page knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from labreport.explain import readable
from labreport.page.formulas import spelt_out
from labreport.page.marks import GROUP

Row = Sequence[Any]
"""A line of a page: its box, then its text."""

Page = Mapping[str, Any]
"""A page as the model tells it."""

ENDS = 4
"""By so many words at each end a sentence is found among the lines in which it stands."""

_FOOTNOTE = re.compile(rf"\\footnote(?:mark)?(?:\[[^\]]*\])?(?:{GROUP})?")
_TYPESET = re.compile(r"\\[A-Za-z]|[$_^]")
_POWER = re.compile("10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "−0123456789")
_SIGNS = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " "})


def as_printed(latex: str, at: Sequence[Row], pages: Sequence[Page]) -> str:
    """Return a sentence as plain text: as its pages print it, if it holds what is no plain text.

    `at` are the boxes in which it lies. If it isn't found there, it is as readable as its LaTeX can be made.
    """
    own = _FOOTNOTE.sub("", latex)  # it stands at the foot of the page
    text, spelt = readable(own), readable(spelt_out(own))
    if not _TYPESET.search(spelt):
        return spelt
    lines = list(_lines(at, pages)) if _TYPESET.search(text) else []
    if not lines:
        return spelt
    shown = _joined([line[4] for line, _ in lines], text)
    first, last = _plain(text.split()), _plain(text.split()[::-1])[::-1]
    # what begins or ends with typeset words has no box there: it is all up to the signs around a sentence
    start = _found(shown, first, first=True) if first else _before(shown, _cut(*lines[0], first=True))
    near = len(shown) - _cut(*lines[-1], first=False)
    end = _found(shown, last, first=False) if last else _after(shown, near, text)
    if start is None or end is None or start >= end:
        return spelt
    return _raised(shown[start:end], text)


def _before(shown: str, at: int) -> int:
    """Return where the sentence begins that stands at a place."""
    found = list(re.finditer(r"[.!?:;] ", shown[:at]))
    return found[-1].end() if found else 0


def _after(shown: str, at: int, text: str) -> int:
    """Return where what stands at a place ends with the same signs as a text."""
    signs = re.search(r"\W*$", text.replace("$", ""))
    found = shown.find(signs[0], at) if signs and signs[0] else -1
    return found + len(signs[0]) if signs and found >= 0 else at


def _raised(shown: str, text: str) -> str:
    """Return a text with its powers raised as in another one: the lines of a page hold digits alone."""
    for power in dict.fromkeys(_POWER.findall(text)):
        shown = shown.replace(power.translate(_LOWERED), power)
    return shown


def _plain(words: Sequence[str]) -> list[str]:
    """Return the first words, as far as they are plain text."""
    return list(takewhile(lambda word: not _TYPESET.search(word) and not _POWER.search(word), words[:ENDS]))


def _found(shown: str, words: Sequence[str], *, first: bool) -> int | None:
    """Return where words begin in a text, the first time, or where they end, the last time."""
    pattern = r"\s*".join(re.escape(char) for char in "".join(words).translate(_SIGNS))
    found = list(re.finditer(pattern, shown.translate(_SIGNS)))
    if not found:
        return None
    return found[0].start() if first else found[-1].end()


def _cut(line: Row, box: Row, *, first: bool) -> int:
    """Return how many characters of a line stand before a box, or after it, to the nearest blank."""
    text = line[4] if first else line[4][::-1]
    room = box[0] - line[0] if first else line[0] + line[2] - (box[0] + box[2])
    near = room / line[2] * len(text)
    blanks = [0, *(found.end() for found in re.finditer(" ", text))]
    return min(blanks, key=lambda at: abs(at - near))


def _lines(at: Sequence[Row], pages: Sequence[Page]) -> Iterator[tuple[Row, Row]]:
    """Yield the lines on which boxes lie, each with the first of these boxes."""
    taken: set[tuple[int, int]] = set()
    for page, *box in at:
        for number, line in enumerate(pages[int(page) - 1]["text"]):
            if (page, number) not in taken and _holds(line, box):
                taken.add((page, number))
                yield line, box


def _holds(line: Row, box: Row) -> bool:
    """Return whether the middle of a line's height lies in a box, and some of the line does."""
    middle = line[1] + line[3] / 2
    return bool(_beside(line, box) and box[1] <= middle <= box[1] + box[3])


def _joined(lines: Sequence[str], text: str) -> str:
    """Return lines as one, words that were divided between two of them whole again.

    Whether a hyphen at the end of a line belongs to the word, its other form in `text` tells.
    """
    shown = ""
    for line in lines:
        before, after = shown.rpartition(" ")[2], line.partition(" ")[0]
        if before.endswith("-"):
            divided = before[:-1] + re.split(r"\W", after, maxsplit=1)[0]
            shown = (shown[:-1] if divided in text else shown) + line
        else:
            shown = f"{shown} {line}".strip()
    return shown


# --------------------------------------------------------------------------------------------------- captions

_CAPTION = re.compile(r"[^\W\d]+\.?\s+[A-Z]?\.?\d+(?:\.\d+)*\s?[:.|]\s")
GAP = 0.75
"""A caption ends where the distance to the next line is greater than so many heights of a line."""


def caption(at: Sequence[Row], pages: Sequence[Page]) -> str:
    """Return the caption of what lies in boxes, as "Figure 2: …", the nearest below or above; "" if none."""
    if not at:
        return ""
    page, *box = at[-1]
    lines = pages[int(page) - 1]["text"]
    begun = [n for n, line in enumerate(lines) if _CAPTION.match(line[4]) and _beside(line, box)]
    if not begun:
        return ""
    first = min(begun, key=lambda n: _distance(lines[n], box))
    top, height = lines[first][1], lines[first][3]
    bottom = top + height
    found = []
    for line in lines[first:]:
        # a raised sign is a line of its own
        if not top - height < line[1] < bottom + GAP * height or not _beside(line, lines[first]):
            break
        bottom = max(bottom, line[1] + line[3])
        found.append(line[4].strip())
    return _joined(found, "")


def _distance(line: Row, box: Row) -> float:
    """Return how far a line lies below or above a box."""
    return float(max(line[1] - (box[1] + box[3]), box[1] - (line[1] + line[3])))


def _beside(one: Row, other: Row) -> bool:
    """Return whether two boxes lie one above the other."""
    return bool(one[0] < other[0] + other[2] and other[0] < one[0] + one[2])

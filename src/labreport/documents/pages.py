"""Pages: from a line of LaTeX to the page of the PDF on which it was typeset, as SyncTeX records it.

TeX notes for each piece that it sets the line that it was reading, and where on which page the piece came to
lie; the PDF itself stays the same to the byte.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Pages:
    """For each line of the main file, how many pieces of it lie on each page; pages count from 1."""

    lines: Mapping[int, Mapping[int, int]]

    def of(self, line: int, part: float = 0.0) -> int | None:
        """Return the page of what stands in a line, at a part of it from 0 to 1; None if nothing follows it.

        What stands in an argument of several lines, such as a caption, is set when its last line is read: so
        a line without pieces lies where the next one does. A line that a page ends in is divided as its
        pieces are.
        """
        at = bisect_left(self._known, line)
        if at == len(self._known):
            return None
        found = self.lines[self._known[at]]
        if self._known[at] != line:
            return min(found)
        whole, seen = sum(found.values()), 0
        for page in sorted(found):
            seen += found[page]
            if part * whole < seen:
                return page
        return max(found)

    @cached_property
    def _known(self) -> list[int]:
        return sorted(self.lines)


def read(path: Path, main: str) -> Pages:
    """Return the pages in a record of SyncTeX, for the lines of the main file; none if there is no record."""
    try:
        return Pages(_lines(path.read_bytes(), f"/./{main}".encode()))
    except FileNotFoundError:
        return Pages({})


def _lines(record: bytes, main: bytes) -> dict[int, Counter[int]]:
    """Return how many pieces of each line lie on each page; boxes do not count, only what is in them."""
    lines: dict[int, Counter[int]] = {}
    # not by lines: the name of a folder may hold a line break
    _, *files = re.split(rb"^Input:(\d+):", record, flags=re.MULTILINE)
    named = zip(files[::2], files[1::2], strict=True)
    tag = next((number for number, text in named if main + b"\n" in text), None)
    if tag is None:
        return lines
    piece = re.compile(rb"\n[hvxkgr$]%s,(\d+)(?=[,:])" % tag)
    # what stands before the first page is no piece
    for part in record.split(b"\n{")[1:]:
        number, _, pieces = part.partition(b"\n")
        for line, count in Counter(piece.findall(b"\n" + pieces)).items():
            lines.setdefault(int(line), Counter())[int(number)] += count
    return lines

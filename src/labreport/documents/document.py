"""The report as it was rendered: its LaTeX, and for each place in it what stands there and what made it.

Rendering is done once. Compiling, explaining errors, the record of provenance and the checks all ask this
object instead of reading the LaTeX back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from labreport.config import JOB

if TYPE_CHECKING:
    from labreport.errors import Place
    from labreport.language import Figure, Printed, Rendered
    from labreport.writing import Difference, Excerpt

QUICK = r"\PassOptionsToPackage{quick}{labreport}"


@dataclass(frozen=True)
class Document:
    """A rendered report; all offsets are those of `text`, the LaTeX that is compiled and published.

    What `rendered` itself tells, such as where printed values begin, counts in the rendered text: `published`
    gives its place in `text`. `job` is its name, and that of the main file without the suffix.
    """

    rendered: Rendered
    quick: bool = False
    job: str = JOB

    @cached_property
    def text(self) -> str:
        r"""The text as LaTeX gets it: with the proof of its end, and marked where the build is quick.

        Both additions leave every line where it is, so that TeX's lines are those of the rendered text.
        """
        text = self.rendered.text
        return self._before + text[: self._end] + self._proof + text[self._end :]

    @property
    def _before(self) -> str:
        return QUICK if self.quick else ""

    @cached_property
    def _proof(self) -> str:
        from labreport.documents.texlog import SENTINEL

        return rf"\par\typeout{{{SENTINEL}}}"

    @cached_property
    def _end(self) -> int:
        return self.rendered.text.rindex(r"\end{document}")

    def published(self, offset: int) -> int:
        """Return where the character at an offset of the rendered text stands in `text`."""
        return offset + len(self._before) + (len(self._proof) if offset >= self._end else 0)

    def _in_rendered(self, offset: int) -> int:
        """Return the offset in the rendered text; of what was added, that of the character after it."""
        inside = max(0, offset - len(self._before))
        return inside if inside < self._end else max(self._end, inside - len(self._proof))

    def place(self, offset: int, length: int = 1) -> Place:
        """Return the place in a template that made the character at this offset."""
        return self.rendered.place(self._in_rendered(offset), length)

    def value_at(self, offset: int) -> Printed | None:
        """Return the printed value that covers this offset."""
        return self.rendered.value_at(self._in_rendered(offset))

    @cached_property
    def figures(self) -> tuple[tuple[int, Figure], ...]:
        """The figures of results, each with the offset at which it is included."""
        from labreport.language import Figure

        return tuple((self.published(p.start), figure) for p, figure in self.rendered.shown(Figure))

    @cached_property
    def excerpts(self) -> tuple[tuple[int, Excerpt | Difference], ...]:
        """The project's code that is shown, each excerpt with the offset at which it stands."""
        from labreport.writing import Difference, Excerpt

        kinds: tuple[type[Excerpt | Difference], ...] = (Excerpt, Difference)
        found = [(self.published(p.start), code) for kind in kinds for p, code in self.rendered.shown(kind)]
        return tuple(sorted(found, key=lambda entry: entry[0]))

    def unshown(self, log: str) -> list[tuple[int, str]]:
        """Return what no font can show, and is printed as code points, as TeX's log tells.

        For each value that is its offset, and what it is in words.
        """
        from labreport.writing import UNSHOWN

        # pdfTeX has none of these; other engines ask the document's fonts, and tell in the log
        asked = None if "This is pdfTeX" in log[:200] else set(_NO_CHARACTER.findall(log))
        found: dict[int, str] = {}
        keys: dict[int, str] = {}
        for match in UNSHOWN.finditer(self.text):
            if asked is not None and match[1] not in asked:
                continue
            value = self.value_at(match.start())
            start = match.start() if value is None else self.published(value.start)
            keys[start] = f" of {', '.join(value.keys)}" if value and value.keys else ""
            found[start] = found.get(start, "") + chr(int(match[1], 16))
        return [(start, _unshown(characters, keys[start])) for start, characters in found.items()]


_NO_CHARACTER = re.compile(r"^labreport: no character ([0-9A-F]+)$", re.MULTILINE)


def _unshown(characters: str, of: str) -> str:
    """Return in words which characters cannot be shown, each with its code point."""
    single = list(dict.fromkeys(characters))
    named = [f"{c} (U+{ord(c):04X})" if c.isprintable() else f"U+{ord(c):04X}" for c in single[:4]]
    more = f" and {len(single) - 4} more" if single[4:] else ""
    return f"no font has {', '.join(named)}{more}{of}: printed as code points"

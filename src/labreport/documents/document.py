"""The report as it was rendered: its LaTeX, and for each place in it what stands there and what made it.

Rendering is done once. Compiling, explaining errors, the record of provenance and the checks all ask this
object instead of reading the LaTeX back.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labreport.errors import Place
    from labreport.language import Figure, Printed, Rendered
    from labreport.writing import Difference, Excerpt

JOB = "report"
"""The name of the main file, without its suffix."""

QUICK = r"\PassOptionsToPackage{quick}{labreport}"


@dataclass(frozen=True)
class Document:
    """A rendered report; all offsets are those of `text`, the LaTeX that is compiled and published.

    What `rendered` itself tells, such as where printed values begin, counts in the rendered text: `published`
    gives its place in `text`.
    """

    rendered: Rendered
    quick: bool = False

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

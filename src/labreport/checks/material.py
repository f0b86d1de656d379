"""What the checks look at, each read when it is first needed, and what they find in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from labreport import claims, errors, handin, results
from labreport.documents import Document, place_of, read_log, readback, report
from labreport.errors import InputError
from labreport.project import Project
from labreport.writing import Code, Difference, Excerpt, Picture, Source

if TYPE_CHECKING:
    from labreport.documents import Problem

Place = tuple[str, str]
"""Where a rule is broken, and how."""


@dataclass(frozen=True)
class Found:
    """What breaks a rule: where and what; `note` is worth knowing in any case.

    What is `lacking` breaks it only if all documents lack it.
    """

    places: Sequence[Place] = ()
    note: str = ""
    lacking: Sequence[Place] = ()


def counted(number: int, noun: str) -> str:
    """Return how many there are of something: 1 page, 2 pages."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


@dataclass(frozen=True)
class Material:
    """All that the checks look at.

    `stale` are the experiments whose results are out of date, with the reasons; `given` is the document that
    was just made, if there is one.
    """

    project: Project
    stale: Mapping[str, Sequence[str]]
    given: Document | None = None

    @cached_property
    def document(self) -> Document:
        """The report as its templates are now: it knows what stands where, and which line made it."""
        return self.given or report.render(self.project)

    @cached_property
    def pdf(self) -> readback.Pdf:
        """The published report."""
        shown = self.project.shown(self.project.pdf)
        try:
            return readback.read(self.project.pdf.read_bytes(), shown)
        except FileNotFoundError:
            cure = f"make it: `{self.project.command()}`"
            raise InputError(f"there is no {shown} to read", cure=cure) from None

    @cached_property
    def source(self) -> Source:
        """The document's LaTeX, for what its author typed."""
        return Source(self.document.text)

    @cached_property
    def log(self) -> str:
        """TeX's log of the last compilation."""
        path = self.project.latex_log
        if not path.is_file():
            shown = self.project.shown(path)
            raise InputError(f"there is no {shown} to read", cure=f"make it: `{self.project.command()}`")
        return path.read_text(encoding="utf-8", errors="replace")

    @cached_property
    def problems(self) -> list[Problem]:
        """What TeX complained about."""
        return read_log(self.log, f"{self.project.job}.tex")

    @cached_property
    def reading(self) -> claims.Reading:
        """The text as a reader reads it, for what its author typed."""
        names = (c.removeprefix("\\") for c in self.project.config.constants if c.startswith("\\"))
        return claims.read(self.document.rendered, frozenset(names))

    @cached_property
    def words(self) -> tuple[claims.Word, ...]:
        """The words that state results, outside of claims."""
        return tuple(claims.quantities(self.reading))

    @cached_property
    def numbers(self) -> Mapping[str, float]:
        """All single numbers of results and parameters, by their keys."""
        return _Numbers(self.project)

    def typed_at(self, offset: int) -> str:
        """Return the template's line that made what stands at an offset of the rendered text."""
        place = self.document.rendered.place(offset)
        return f"{place.file}:{place.line}"

    def where(self, offset: int) -> str:
        """Return the template's line that made what stands at an offset of the document."""
        place = self.document.place(offset)
        return f"{place.file}:{place.line}"

    def place_of(self, problem: Problem) -> str:
        """Return where a problem of the log lies: in a template, if the log is of these templates."""
        if self.read(f"{self.project.job}.tex") == self.document.text:
            place = place_of(self.project, self.document, problem)
        else:
            place = errors.Place(self.project.shown(self.project.latex / problem.file), problem.line)
        return place.file if place.line is None else f"{place.file}:{place.line}"

    @cached_property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures on the pages: figures of results, and files that the author includes himself."""
        shown = [
            Picture(at, figure.file, f"width={figure.width}" if figure.width else "", figure.alt)
            for at, figure in self.document.figures
            if self.source.is_read(at)
        ]
        typed = [p for p in self.source.pictures if self.document.value_at(p.start) is None]
        return tuple(sorted((*shown, *typed), key=lambda picture: picture.start))

    @cached_property
    def code(self) -> tuple[Code, ...]:
        """The code on the pages: excerpts, and what the author typed verbatim."""
        excerpts = [_code(at, code) for at, code in self.document.excerpts if self.source.is_read(at)]
        return tuple(sorted((*excerpts, *self.source.verbatim), key=lambda code: code.start))

    @cached_property
    def facts(self) -> dict[str, results.Figure | str]:
        """What is known of each figure that an experiment drew, by its file; a text says why nothing is."""
        known: dict[str, results.Figure | str] = {}
        for _, figure in self.document.figures:
            if not figure.experiment:
                continue
            drawing = results.recorded_drawing(self.project, figure.experiment)
            drawn = drawing.figures if isinstance(drawing, results.Drawing) else {}
            known[figure.file] = drawn.get(figure.name, "nothing is recorded of it")
        return known

    @cached_property
    def touched(self) -> Sequence[tuple[Path, str]]:
        """What was done to the hand-in after it was packed, by its path."""
        return handin.touched(self.project)

    @cached_property
    def zipped(self) -> dict[str, bytes] | str:
        """The files of the zip by their paths below its top folder; a text says why there are none."""
        path = self.project.submission / handin.CODE
        if not path.is_file():
            return "it does not exist"
        # what somebody else put into it may be anything: no check has to be able to read it
        if any(touched in (path, path.parent) for touched, _ in self.touched):
            return "it is not as it was packed"
        return handin.members(path.read_bytes())

    def read(self, name: str) -> str:
        """Return a file that LaTeX compiled, by its name in the folder of the sources."""
        path = self.project.latex / name
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise InputError(
                f"there is no {self.project.shown(path)}", cure=f"make it: `{self.project.command()}`"
            ) from None


class _Numbers(Mapping[str, float]):
    """The numbers of all results by their keys; a result is read when one of its numbers is asked for."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._names = results.variants.names(project)
        self._read: dict[str, dict[str, float]] = {}

    def __getitem__(self, key: str) -> float:
        return self._of(results.variants.owner(key))[key]

    def __iter__(self) -> Iterator[str]:
        return (key for name in self._names for key in self._of(name))

    def __len__(self) -> int:
        return sum(len(self._of(name)) for name in self._names)

    def _of(self, name: str) -> dict[str, float]:
        if name not in self._names:
            return {}
        if name not in self._read:
            result = results.load(self._project, name)
            tables = {table: result.rows(table) for table in result.tables}
            parts = {"params": result.params, "values": result.values, "tables": tables}
            self._read[name] = claims.numbers(results.variants.root(self._project, name), parts)
        return self._read[name]


def _code(start: int, shown: Excerpt | Difference) -> Code:
    """Return an excerpt with the numbers of the lines that it shows."""
    if isinstance(shown, Excerpt):
        return Code(start, shown.file, len(shown.lines), _numbers(shown, range(len(shown.lines))))
    new = [row.at for row in shown.rows if row.sign in "+ "]
    return Code(start, shown.new.file, len(shown.rows), _numbers(shown.new, new))


def _numbers(excerpt: Excerpt, shown: Iterable[int]) -> frozenset[int]:
    numbers = (excerpt.lines[at].number for at in shown)
    return frozenset(number for number in numbers if number is not None)

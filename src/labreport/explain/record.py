"""What the documents of the last build show, read from the records of provenance that it left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from labreport.config import JOB
from labreport.documents import notebooks, provenance
from labreport.errors import InputError
from labreport.results import variants

if TYPE_CHECKING:
    from labreport.project import Project


def page_of(document: str, page: int | None) -> str:
    """Return a page in words, empty for none; of several documents with the name."""
    if page is None:
        return ""
    return f"p. {page}" if document == JOB else f"{document}, p. {page}"


@dataclass(frozen=True)
class Place:
    """Where a document shows something: the template's line that made it, and where it stands.

    That is a page of the PDF, if it is known, or a cell of a notebook; `file_line` and `file_column` count
    in the generated LaTeX, or in the cell.
    """

    document: str
    template: str
    line: int
    file_line: int
    file_column: int
    page: int | None
    cell: int | None = None

    def __str__(self) -> str:
        return f"{self.template}:{self.line}"

    @property
    def where(self) -> str:
        """The page or the cell, in words."""
        if self.cell is not None:
            return f"{self.document}, cell {self.cell}"
        return page_of(self.document, self.page) or "on no page"

    def plain(self) -> dict[str, Any]:
        """Return the place as JSON holds it."""
        return {
            "document": self.document,
            "page": self.page,
            "cell": self.cell,
            "template": self.template,
            "line": self.line,
        }


@dataclass(frozen=True)
class Value:
    """A printed value: its text, the value that was printed, the keys that it was made from, and by what.

    `column` is where the expression begins in its line of the template.
    """

    place: Place
    text: str
    value: Any
    keys: tuple[str, ...]
    expression: str
    column: int


@dataclass(frozen=True)
class Claim:
    """A sentence that depends on data, the verdict on it, and what the verdict stands on.

    `expression` is the statement that makes the claim, `values` the numbers that were judged. In a quick
    build a claim may stand that its numbers do not carry: it is not `said`.
    """

    place: Place
    name: str
    verdict: str
    said: bool
    family: str | None
    sentence: str
    expression: str
    keys: tuple[str, ...]
    values: Mapping[str, Any]
    evidence: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Figure:
    """A figure of a result, by its key, or a file, by its path; `shown` is what LaTeX reads."""

    place: Place
    key: str
    shown: str

    @property
    def experiment(self) -> str | None:
        """The experiment that drew the figure; None for a file."""
        return variants.owner(self.key) if self.shown.startswith("figures/") else None


@dataclass(frozen=True)
class Excerpt:
    """Code that is shown: its name, file and lines; of a difference, those of the newer code."""

    place: Place
    name: str
    since: str | None
    source: str
    since_source: str | None
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Answer:
    """The answer to a question: it begins at its place, and ends in a line of the generated file."""

    place: Place
    question: str
    file_end: int

    def holds(self, place: Place) -> bool:
        """Return whether a place lies in this answer."""
        same = (place.document, place.cell) == (self.place.document, self.place.cell)
        return same and self.place.file_line <= place.file_line <= self.file_end


@dataclass(frozen=True)
class Paragraph:
    """A paragraph that says which code or result it explains, by the line of its template."""

    document: str
    target: str
    template: str
    line: int
    reads: str

    def plain(self) -> dict[str, Any]:
        """Return the paragraph as JSON holds it."""
        return asdict(self)


@dataclass(frozen=True)
class Record:
    """All that the documents show; `missing` names notebooks that have no record."""

    values: tuple[Value, ...] = ()
    claims: tuple[Claim, ...] = ()
    figures: tuple[Figure, ...] = ()
    excerpts: tuple[Excerpt, ...] = ()
    answers: tuple[Answer, ...] = ()
    paragraphs: tuple[Paragraph, ...] = ()
    missing: tuple[str, ...] = field(default=())

    def __or__(self, other: Record) -> Record:
        return Record(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})


def read(project: Project) -> Record:
    """Return what all documents and notebooks of the last build show.

    Raises InputError if one is not made yet, or a record is damaged or of another version.
    """
    return _of(project, project.documents)


def of_document(project: Project) -> Record:
    """Return what one document and the notebooks of the last build show. Raises what `read` raises."""
    return _of(project, (project,))


def _of(project: Project, documents: Iterable[Project]) -> Record:
    found = Record()
    for each in documents:
        if not each.provenance.is_file():
            what = f"no {each.job} has been built: there is no {project.shown(each.provenance)}"
            raise InputError(what, cure=f"build it: `{project.command()}`")
        found |= _read(project, each.provenance, each.job)
    for name in notebooks.names(project):
        path = notebooks.provenance_path(project, name)
        woven = f"notebooks/{name}"
        found |= _read(project, path, woven) if path.is_file() else Record(missing=(name,))
    return found


def _read(project: Project, path: Path, document: str) -> Record:
    try:
        plain = provenance.read(path)
        if plain["schema"] != provenance.SCHEMA:
            raise ValueError("it is of another version of labreport")
        others = {_site(entry) for kind in ("figures", "excerpts") for entry in plain[kind]}
        return Record(
            # a figure, too, is printed by an expression
            values=_entries(Value, (e for e in plain["printed"] if _site(e) not in others), document),
            claims=_entries(Claim, plain["claims"], document),
            figures=_entries(Figure, plain["figures"], document),
            excerpts=_entries(Excerpt, plain["excerpts"], document),
            answers=_entries(Answer, plain["answers"], document),
            paragraphs=tuple(_paragraph(entry, document) for entry in plain["about"]),
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        what = f"{project.shown(path)} cannot be read: {damage(error)}"
        raise InputError(what, cure=f"build again: `{project.command()}`") from error


def damage(error: Exception) -> str:
    """Return what is wrong with a record, from the error that reading it raised."""
    # the text of a KeyError is the key alone
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)


T = TypeVar("T", Value, Claim, Figure, Excerpt, Answer)


def _entries(kind: type[T], entries: Iterable[Mapping[str, Any]], document: str) -> tuple[T, ...]:
    """Return the entries of one kind; what labreport does not ask for is left out."""
    names = [f.name for f in fields(kind) if f.name != "place"]
    return tuple(
        kind(_place(entry, document), **{name: _frozen(name, entry[name]) for name in names})
        for entry in entries
    )


def _paragraph(entry: Mapping[str, Any], document: str) -> Paragraph:
    return Paragraph(document, entry["target"], entry["template"], entry["line"], entry["reads"])


def _site(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what tells one printing expression from another: where it is, and where its text stands."""
    return tuple(entry[name] for name in ("template", "line", "column", "file_line", "file_column"))


def _frozen(name: str, value: Any) -> Any:
    return tuple(value) if name in ("keys", "lines", "evidence") else value


def _place(entry: Mapping[str, Any], document: str) -> Place:
    names = ("template", "line", "file_line", "file_column", "page")
    return Place(document, **{name: entry[name] for name in names}, cell=entry.get("cell"))

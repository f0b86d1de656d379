"""Where the answer to each question is: on which page, in which notebook, from which experiments and code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labreport.explain import record
from labreport.explain.record import Answer, Claim, Record, Value

if TYPE_CHECKING:
    from labreport.project import Project


IN_PASSING = 0.1
"""The share of an answer's values below which an experiment is not what it is about."""


@dataclass(frozen=True)
class Located:
    """The answer to a question, by what it says and shows.

    `pdf` is the document with the page. `experiments` are those whose results it prints, the most printed
    first, without those that it prints only in passing; `code` what it shows or speaks of, as "module:name",
    or the path of a whole file; `cells` the cells of notebooks that it begins in, as pairs of name and
    number, from 1.
    """

    question: str
    page: int | None
    pdf: str
    experiments: tuple[str, ...]
    code: tuple[str, ...]
    cells: tuple[tuple[str, int], ...]


def located(project: Project) -> list[Located]:
    """Return the answers of the last build in the order of report.toml; none if nothing is asked or made."""
    if not project.config.questions or not all(each.provenance.is_file() for each in project.documents):
        return []
    found = record.read(project)
    names = set(project.experiment_names())
    return [
        _located(question, answers, found, names)
        for question in project.config.questions
        if (answers := [answer for answer in found.answers if answer.question == question])
    ]


def _located(question: str, answers: list[Answer], found: Record, names: set[str]) -> Located:
    cells = [(answer.place.document, answer.place.cell) for answer in answers]
    in_report = [answer for answer in answers if answer.place.cell is None]
    counts = Counter(name for key in _keys(found, in_report) if (name := key.partition(".")[0]) in names)
    enough = IN_PASSING * counts.total()
    return Located(
        question,
        in_report[0].place.page if in_report else None,
        f"{in_report[0].place.document}.pdf" if in_report else "",
        tuple(name for name, count in counts.most_common() if count > enough),
        _outermost(set(_code(found, in_report))),
        tuple((document.rpartition("/")[2], cell) for document, cell in cells if cell is not None),
    )


def _keys(found: Record, answers: Iterable[Answer]) -> Iterator[str]:
    """Yield the keys of what these answers print, claim and draw."""
    for answer in answers:
        entries: tuple[Value | Claim, ...] = (*found.values, *found.claims)
        for entry in entries:
            yield from entry.keys if answer.holds(entry.place) else ()
        yield from (figure.key for figure in found.figures if answer.holds(figure.place))


def _outermost(names: set[str]) -> tuple[str, ...]:
    """Return names of code in order: no constants, and no parts of a class that is among them."""
    parts = {name for name in names if name.rpartition(".")[0] in names}
    return tuple(name for name in sorted(names - parts) if not name.partition(":")[2].isupper())


def _code(found: Record, answers: Iterable[Answer]) -> Iterator[str]:
    """Yield the code that these answers show, and that their paragraphs speak of."""
    for answer in answers:
        yield from (e.name for e in found.excerpts if answer.holds(e.place))
        # other targets are results
        yield from (p.target for p in found.paragraphs if ":" in p.target and _speaks(answer, p, found))


def _speaks(answer: Answer, paragraph: record.Paragraph, found: Record) -> bool:
    """Return whether a paragraph stands in an answer: it does in its template, up to the next answer."""
    if (paragraph.document, paragraph.template) != (answer.place.document, answer.place.template):
        return False
    later = [a.place.line for a in found.answers if a.place.template == answer.place.template]
    end = min((line for line in later if line > answer.place.line), default=None)
    return answer.place.line <= paragraph.line and (end is None or paragraph.line < end)

"""From what somebody asks for to what the documents show: a printed text, a page, a key, a figure, …"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from labreport.documents import steps
from labreport.errors import UsageError, did_you_mean
from labreport.explain.keys import canonical, experiment_of, is_below, overlap
from labreport.explain.record import Claim, Excerpt, Figure, Place, Record, Value
from labreport.explain.texts import begins_with_number, comparable, numbers, parts, readable
from labreport.results import variants

if TYPE_CHECKING:
    from labreport.project import Project

SETTINGS = "report"
"""What keys begin with that lead to the texts of report.toml."""

MOST_NEAR = 3
MOST_LABELS = 24
MOST_SHOWN = 200  # characters of a query
ASK = (
    "ask for a text as it is printed (`0.12`, `0.12 p. 1`), a page (`p. 7`), a key or an experiment, the "
    "label of a figure or table, a claim, a question, a notebook, or `template:line`"
)

_PAGE = re.compile(r"(?:p|pp|page)\.?\s*(\d{1,9})", re.IGNORECASE)
_ON_PAGE = re.compile(r"(.*\S),?\s+(?:p|page)\.?\s*(\d{1,9})", re.IGNORECASE)
_NUMBERED = re.compile(r"(?:fig|tab|lis|sec|eq)[a-z]*\.?\s*[\d(]", re.IGNORECASE)
_LINE = re.compile(r"(.+?\.j2)(?::(\d{1,9}))?(?::\d+)?")
_CODE = re.compile(r"[\w.]+:[\w.]+")
_FLOAT = re.compile(r"\\begin\{((?:sideways|long|wrap)?(?:figure|table|listing|algorithm)\*?)\}")
_SECTION = re.compile(r"\\(?:part|chapter|(?:sub)*section|paragraph|appendix)\b")

T = TypeVar("T", Value, Claim, Figure, Excerpt)


@dataclass(frozen=True)
class Match:
    """What a query means, in one of its meanings, and what the documents show of that.

    `experiment` is set where the query names an experiment, or a key of one; `key` is the key it names.
    """

    kind: str
    title: str
    shown: Record
    experiment: str | None = None
    key: str | None = None


class Search:
    """Finds what queries mean in what the documents of a build show."""

    def __init__(self, project: Project, record: Record) -> None:
        self.project = project
        self.record = record

    def find(self, query: str) -> list[Match]:
        """Return all that a query means.

        Raises UsageError if nothing is called so, and names what is near.
        """
        query = query.strip()
        finders: tuple[Callable[[str], Match | None], ...] = (
            self._page,
            self._line,
            self._question,
            self._claim,
            self._key,
            self._label,
            self._excerpt,
            self._file,
            self._notebook,
            self._text,
        )
        found = [match for finder in finders if query and (match := finder(query)) is not None]
        if not found and query and (part := self._loosely(query)) is not None:
            found = [part]
        if not found:
            raise self._unknown(query)
        return found

    def _loosely(self, query: str) -> Match | None:
        if _ON_PAGE.fullmatch(query):
            return self._part(query) or self._on_page(query)
        return self._part(query) or self._series(query)

    # ----------------------------------------------------------------------------------------- the meanings

    def _page(self, query: str) -> Match | None:
        if (found := _PAGE.fullmatch(query)) is None:
            return None
        page = int(found[1])
        shown = self._where(lambda place: place.page == page)
        if not _is_shown(shown):
            pages = sorted({place.page for place in _places(self.record) if place.page is not None})
            last = pages[-1] if pages else 0
            what = f"nothing on page {page} was made by an expression"
            cure = did_you_mean(f"p. {page}", (f"p. {n}" for n in pages))
            raise UsageError(what, cure=cure if page <= last else f"the last page that has one is p. {last}")
        return Match("page", f"page {page}", shown)

    def _line(self, query: str) -> Match | None:
        if (found := _LINE.fullmatch(query)) is None:
            return None
        name, line = found[1], int(found[2]) if found[2] else None
        templates = {place.template for place in _places(self.record)}
        named = {t for t in templates if t == name or t.endswith(f"/{name.removeprefix('./')}")}
        if not named:
            raise UsageError(f"no template {name!r} prints anything", cure=did_you_mean(name, templates))
        shown = self._where(lambda place: place.template in named and line in (None, place.line))
        if not _is_shown(shown):
            lines = {place.line for place in _places(self.record) if place.template in named}
            near = sorted(sorted(lines, key=lambda n: abs(n - (line or 0)))[:MOST_NEAR])
            cure = f"near it, these do: {', '.join(map(str, near))}"
            raise UsageError(f"line {line} of {', '.join(sorted(named))} prints nothing", cure=cure)
        return Match("line", query, shown)

    def _question(self, query: str) -> Match | None:
        answers = [a for a in self.record.answers if a.question == query]
        if not answers:
            return None
        shown = self._where(lambda place: any(answer.holds(place) for answer in answers))
        text = self.project.config.questions.get(query, "")
        return Match("question", f"question {query}: {text}".rstrip(": "), shown)

    def _claim(self, query: str) -> Match | None:
        claims = tuple(claim for claim in self.record.claims if claim.name == query)
        return Match("claim", f"claim {query!r}", Record(claims=claims)) if claims else None

    def _key(self, query: str) -> Match | None:
        query = canonical(query)
        if (name := experiment_of(query)) not in {*self._experiments, SETTINGS}:
            return None
        is_name = query == name  # that of a variant does not begin its keys
        shown = self._of_keys(lambda key: is_below(key, query) or (is_name and experiment_of(key) == name))
        if not _is_shown(shown):  # it may be part of what is printed: the mean of a summary
            shown = self._of_keys(lambda key: overlap(key, query))
        if name == SETTINGS:
            return Match("key", query, shown) if _is_shown(shown) else None
        if query == name:
            return Match("experiment", f"experiment {name}", shown, name)
        return Match("key", query, shown, name, query) if _is_shown(shown) or self._leads(query) else None

    def _label(self, query: str) -> Match | None:
        shown = Record()
        for document, text in self._latex.items():
            begin, end = _lines_of_label(query, text)
            shown |= self._where(_within(document, begin, end))
        return Match("label", query, shown) if _is_shown(shown) else None

    def _excerpt(self, query: str) -> Match | None:
        found = tuple(e for e in self.record.excerpts if query in (e.name, e.since))
        return Match("excerpt", f"code {query}", Record(excerpts=found)) if found else None

    def _file(self, query: str) -> Match | None:
        found = tuple(f for f in self.record.figures if f.experiment is None and f.key == query)
        return Match("file", f"file {query}", Record(figures=found)) if found else None

    def _notebook(self, query: str) -> Match | None:
        name = f"notebooks/{query.removeprefix('notebooks/').removesuffix('.ipynb')}"
        shown = self._where(lambda place: place.document == name)
        return Match("notebook", name, shown) if _is_shown(shown) else None

    def _text(self, query: str) -> Match | None:
        wanted = comparable(query)
        return self._printed(query, lambda text: comparable(text) == wanted)

    def _part(self, query: str) -> Match | None:
        """Return what prints a text as a part of another one: the mean of 0.25 ± 0.02, a word."""
        wanted = comparable(query)
        is_word = len(wanted) > 2 and re.search(r"\d", wanted) is None
        return self._printed(query, lambda text: wanted in parts(text)) or (
            self._printed(query, lambda text: wanted in comparable(text)) if is_word else None
        )

    def _on_page(self, query: str) -> Match | None:
        """Return what prints a text, or has it as a part, on a page: `0.12 p. 1`."""
        if (found := _ON_PAGE.fullmatch(query)) is None:
            return None
        text = found[1].removesuffix(",")
        match = self._text(text) or self._part(text) or self._series(text)
        if match is None:
            return None
        page = int(found[2])
        values = tuple(v for v in match.shown.values if v.place.page == page)
        if not values:
            where = ", ".join(dict.fromkeys(value.place.where for value in match.shown.values))
            raise UsageError(f"{readable(text)!r} is not printed on page {page}", cure=f"it is on: {where}")
        title = f"printed text {readable(text)!r} on page {page}"
        return Match("text", title, Record(values=values))

    def _series(self, query: str) -> Match | None:
        """Return the values that print, one after the other, the numbers of a text: `1.22 [1.12, 1.33]`."""
        wanted = numbers(query)
        if not wanted or (len(wanted) == 1 and not begins_with_number(query)):
            return None
        printed = [(v.place.document, number, v) for v in self.record.values for number in numbers(v.text)]
        found: dict[int, Value] = {}
        for first, (document, number, _) in enumerate(printed):
            run = printed[first : first + len(wanted)] if number == wanted[0] else []
            if [(document, number) for number in wanted] == [(d, n) for d, n, _ in run]:
                found |= {id(value): value for _, _, value in run}
        title = f"printed in this order: {', '.join(wanted)}" if wanted[1:] else f"printed text {wanted[0]!r}"
        return Match("text", title, Record(values=tuple(found.values()))) if found else None

    def _printed(self, query: str, test: Callable[[str], bool]) -> Match | None:
        values = tuple(value for value in self.record.values if value.text.strip() and test(value.text))
        return Match("text", f"printed text {readable(query)!r}", Record(values=values)) if values else None

    # ---------------------------------------------------------------------------------------------- by place

    def _where(self, test: Callable[[Place], bool]) -> Record:
        def of(shown: Sequence[T]) -> tuple[T, ...]:
            return tuple(item for item in shown if test(item.place))

        record = self.record
        return Record(of(record.values), of(record.claims), of(record.figures), of(record.excerpts))

    def _of_keys(self, test: Callable[[str], bool]) -> Record:
        record = self.record
        return Record(
            values=tuple(v for v in record.values if any(map(test, v.keys))),
            claims=tuple(c for c in record.claims if any(map(test, c.keys))),
            figures=tuple(f for f in record.figures if test(f.key)),
        )

    @cached_property
    def _experiments(self) -> set[str]:
        return set(variants.names(self.project))

    def _leads(self, key: str) -> bool:
        """Return whether a key leads to something in its result, although nothing prints that."""
        from labreport.errors import LabreportError
        from labreport.explain.keys import Contents
        from labreport.results import load

        if steps(key) is None:
            return False
        try:
            Contents(load(self.project, experiment_of(key))).value(key)
        except (LabreportError, LookupError, TypeError):
            return False
        return True

    @cached_property
    def _latex(self) -> dict[str, str]:
        """The LaTeX of each document that is published, by its name."""
        paths = {each.job: each.latex / f"{each.job}.tex" for each in self.project.documents}
        return {job: path.read_text(encoding="utf-8") for job, path in paths.items() if path.is_file()}

    @cached_property
    def _labels(self) -> list[str]:
        return [label for text in self._latex.values() for label in re.findall(r"\\label\{([^}]*)\}", text)]

    # ----------------------------------------------------------------------------------------------- unknown

    def _unknown(self, query: str) -> UsageError:
        """Return an error that names what is called nearly so."""
        shown = query if len(query) <= MOST_SHOWN else f"{query[:MOST_SHOWN]}…"
        what = f"nothing that is printed, and no key or name, is {shown!r}"
        if _NUMBERED.match(query) and self._labels:
            # only TeX knows which number is whose; of Figure 7 the label is one that begins with fig
            like = [label for label in self._labels if label.startswith(query[:3].casefold())] or self._labels
            more = ", …" if len(like) > MOST_LABELS else ""
            return UsageError(what, cure=f"ask for it by its label: {', '.join(like[:MOST_LABELS])}{more}")
        number = _number(comparable(query))
        typed = self._typed(query) if re.search(r"\d", query) else []
        notes = [f"no expression prints it: it is typed at {place}" for place in typed]
        cure = self._near_numbers(number) if number is not None else self._near_names(query)
        return UsageError(what, cure=cure, notes=notes)

    def _typed(self, query: str) -> list[str]:
        """Return the first lines of templates in which a number or text stands as it was asked for."""
        pattern = re.compile(rf"(?<![\w.]){re.escape(query)}(?![\w]|\.\d)")
        found = []
        for path in sorted(self.project.templates.rglob("*.j2")):
            lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
            found += [f"{self.project.shown(path)}:{n}" for n, t in enumerate(lines, 1) if pattern.search(t)]
        return found[:MOST_NEAR]

    def _near_numbers(self, wanted: float) -> str:
        known: dict[str, float] = {}
        for value in self.record.values:
            for part in parts(value.text):
                known.setdefault(part, float(part))
        near = sorted(known, key=lambda text: abs(known[text] - wanted))[:MOST_NEAR]
        return f"the nearest printed numbers are {', '.join(near)}" if near else "no number is printed"

    def _near_names(self, query: str) -> str:
        names = self._names()
        near = did_you_mean(query, names)
        if near.startswith("did you mean"):
            return near
        # all names together are thousands
        if len(query) > 2 and (holding := sorted(n for n in names if query.lower() in n.lower())):
            return f"in these names it stands: {', '.join(holding[:MOST_NEAR])}"
        if _CODE.fullmatch(query):
            command = self.project.command("impact", query)
            return f"no document shows code of this name; what depends on code: `{command}`"
        return ASK

    def _names(self) -> set[str]:
        record = self.record
        keys = {key for value in record.values for key in value.keys}
        labels = set(self._labels)
        names = {claim.name for claim in record.claims} | {answer.question for answer in record.answers}
        names |= {figure.key for figure in record.figures} | {excerpt.name for excerpt in record.excerpts}
        texts = {readable(value.text) for value in record.values if len(value.text) < 80}
        return (keys | labels | names | texts | self._experiments) - {""}


def _is_shown(record: Record) -> bool:
    return any((record.values, record.claims, record.figures, record.excerpts))


def _places(record: Record) -> Iterator[Place]:
    every: tuple[Iterable[Value | Claim | Figure | Excerpt], ...]
    every = (record.values, record.claims, record.figures, record.excerpts)
    return (item.place for items in every for item in items)


def _within(document: str, begin: int, end: int) -> Callable[[Place], bool]:
    return lambda place: place.document == document and begin <= place.file_line <= end


def _lines_of_label(label: str, text: str) -> tuple[int, int]:
    """Return the first and last line of the float, else of the section, with a label; zeros if none."""
    at = text.find(rf"\label{{{label}}}")
    if at < 0:
        return 0, 0
    for begun in reversed(list(_FLOAT.finditer(text, 0, at))):
        end = text.find(rf"\end{{{begun[1]}}}", begun.end())
        if end > at:
            return _line_at(text, begun.start()), _line_at(text, end)
    following = _SECTION.search(text, at)
    return _line_at(text, at), _line_at(text, following.start()) if following else text.count("\n") + 1


def _line_at(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def _number(text: str) -> float | None:
    try:
        number = float(text.rstrip("%"))
    except ValueError:
        return None
    return number if math.isfinite(number) else None  # nothing is near to infinity

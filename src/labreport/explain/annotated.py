r"""The report once more, for its author: each value and claim in colour, with a link to what made it.

The published LaTeX gets commands around its values, claims and typed digits, and a list at its end. It is
compiled apart from the published PDF, which stays as it is; what comes out is never handed in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labreport.documents import report
from labreport.errors import InputError
from labreport.explain import record as records
from labreport.explain.contexts import COLOURED, Contexts, cells
from labreport.explain.keys import experiment_of
from labreport.explain.record import Claim, Place, Value
from labreport.results import variants

if TYPE_CHECKING:
    from labreport.project import Project

COLOURS = (
    *("1F5FA8", "1B7837", "7B3294", "8C510A", "C2185B", "00838F", "B35900", "6B6B00", "455A64", "5E35B1"),
    *("558B2F", "880E4F", "0277BD", "4E342E"),
)
"""The colours of experiments, dark enough for text; with more experiments they begin again."""

OTHERS = "616161"
TYPED = "D50000"
VERDICTS = {"holds": "2E7D32", "undecided": "EF6C00", "fails": "B71C1C"}
MOST_VALUE = 60
MOST_EXPRESSION = 40

COMMANDS = (
    # a document of its own class may have neither colours nor links
    r"\RequirePackage{xcolor}\providecommand\hyperlink[2]{#2}\providecommand\hypertarget[2]{#2}"
    r"\DeclareRobustCommand\LRnoted[3]{\hyperlink{LR:#1}{\textcolor{LR#2}{#3}}}"
    r"\DeclareRobustCommand\LRformula[2]{{\color{LR#1}#2}}"
    r"\DeclareRobustCommand\LRmark[3]{\hyperlink{LR:#1}{\textcolor{LR#2}{\textsf{\bfseries#3}}}}"
    r"\DeclareRobustCommand\LRtyped[1]{\textcolor{LRtyped}{#1}}"
)


_NUMBER = re.compile(r"[-+]?[\d.]+(?: ?[eE][-+]?\d+)?(?: ?(?:\+-|\\pm) ?[\d.]+)?")


@dataclass(frozen=True)
class Edit:
    """A text that is put in at an offset; of several at one place, the least rank comes first."""

    offset: int
    rank: int
    text: str


@dataclass
class _Annotating:
    """Collects what is put into the text, and the entries of the list."""

    text: str
    experiments: Sequence[str]
    edits: list[Edit] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.contexts = Contexts(self.text)
        self.taken = bytearray(len(self.text))  # 1 where a command stands around a character
        self.starts = [0, *(found.end() for found in re.finditer("\n", self.text))]

    def offset(self, place: Place) -> int:
        return self.starts[place.file_line - 1] + place.file_column - 1

    def colour(self, keys: Iterable[str]) -> str:
        """Return the name of the colour of values from these keys: that of the first experiment."""
        known = (
            name for key in keys if (name := variants.experiment(experiment_of(key))) in self.experiments
        )
        first = next(known, None)
        return f"exp{_letters(self.experiments.index(first))}" if first is not None else "other"

    def wrap(self, start: int, end: int, *, text: str, formula: str) -> bool:
        """Put a command around a piece of text, if it can stand there; return whether it can."""
        kind = self.contexts.of(start, end)
        if kind not in COLOURED or any(self.taken[start:end]):
            return False
        self.taken[start:end] = b"\1" * (end - start)
        opening, closing = (formula, "}") if kind == "mathematics" else (text, "}")
        if kind == "cell":  # the number is written here as the column would have written it
            is_number = _NUMBER.fullmatch(self.text, start, end) is not None
            opening = "{" + text + (r"\num{" if is_number else "")
            closing = "}}}" if is_number else "}}"
        self.edits += [Edit(start, 1, opening), Edit(end, 0, closing)]
        return True

    def value(self, value: Value, name: str) -> bool:
        """Colour a value; return whether it could be."""
        start, colour = self.offset(value.place), self.colour(value.keys)
        if not self.text.startswith(value.text, start):
            return False
        wrapped = [
            self.wrap(
                begin,
                end,
                text=rf"\LRnoted{{{name}}}{{{colour}}}{{",
                formula=rf"\LRformula{{{colour}}}{{",
            )
            for begin, end in cells(value.text, start)
        ]
        return any(wrapped)

    def claim(self, claim: Claim, name: str) -> bool:
        """Put marks around a claim, and its colour if it can stand in a group; return whether it could be."""
        start = self.offset(claim.place)
        end = start + len(claim.sentence)
        if not self.text.startswith(claim.sentence, start):
            return False
        if self.contexts.of(start, start) != "text":
            return False
        mark = rf"\LRmark{{{name}}}{{{claim.verdict}}}"
        is_group = self.contexts.of(start, end) == "text" and r"\item" not in claim.sentence
        colour, closing = (rf"{{\color{{LR{claim.verdict}}}", "}") if is_group else ("", "")
        self.edits.append(Edit(start, 0, f"{mark}{{[}}{colour}\\ignorespaces "))
        if self.contexts.of(end, end) == "text":
            self.edits.append(Edit(end, 1, f"{closing}{mark}{{]}}"))
        elif is_group:
            self.edits.append(Edit(end, 1, closing))
        return True

    def edited(self, end: str) -> str:
        """Return the text with all that is put in, and the list before the end of the document.

        InputError if the begin or the end stands in another file.
        """
        from labreport.writing import END

        source = self.contexts.source
        last = list(END.finditer(source.clean))[-1:]
        if source.begin is None or not last:
            what = r"the main template holds no \begin{document} or no \end{document}"
            raise InputError(what, cure="write both there, and not in a file that it reads")
        head = COMMANDS + "".join(
            rf"\definecolor{{LR{name}}}{{HTML}}{{{colour}}}" for name, colour in self._colours()
        )
        edits = [
            *self.edits,
            Edit(source.begin.start(), 0, head),
            Edit(last[0].start(), 2, end),
        ]
        parts, position = [], 0
        for edit in sorted(edits, key=lambda edit: (edit.offset, edit.rank)):
            parts += [self.text[position : edit.offset], edit.text]
            position = edit.offset
        return "".join([*parts, self.text[position:]])

    def _colours(self) -> Iterator[tuple[str, str]]:
        yield from (("other", OTHERS), ("typed", TYPED), *VERDICTS.items())
        for number in range(len(self.experiments)):
            yield f"exp{_letters(number)}", COLOURS[number % len(COLOURS)]


def annotate(project: Project) -> tuple[int, int]:
    """Make the annotated report; return how many values it shows in colour, and how many there are.

    Raises
    ------
    InputError
        There is no report, or a record of the build cannot be used.
    LatexError, ToolError
        The annotated text cannot be compiled.

    """
    record = records.of_document(project)
    text = report.published_text(project)
    values = [value for value in record.values if value.place.cell is None]
    claims = [claim for claim in record.claims if claim.place.cell is None]
    work = _Annotating(text, [*project.experiment_names()])
    shown = 0
    for number, group in enumerate(_groups(values)):
        name = f"value{number}"
        coloured = [value for value in group if work.value(value, name)]
        shown += len(coloured)
        if coloured:
            work.entries.append(_value_entry(name, work.colour(group[0].keys), group))
    for number, claim in enumerate(claims):
        if work.claim(claim, name := f"claim{number}"):
            work.entries.append(_claim_entry(name, claim))
    for start, end in _typed(project):
        work.wrap(start, end, text=r"\LRtyped{", formula=r"\LRformula{typed}{")
    report.recompile(project, work.edited(_list(work)), project.annotated)
    return shown, len(values)


def _typed(project: Project) -> list[tuple[int, int]]:
    """Return where the published LaTeX has digits that may state a result, and that no expression printed."""
    from labreport import claims

    document = report.render(project)
    constants = project.config.constants
    names = frozenset(text.removeprefix("\\") for text in constants if text.startswith("\\"))
    reading = claims.read(document.rendered, names)
    found = claims.typed_numbers(reading, constants, project.config.questions)
    return [(document.published(number.start), document.published(number.end)) for number in found]


def _groups(values: Iterable[Value]) -> list[list[Value]]:
    """Return values by the keys and the expression that they were made by, in the order of the text."""
    groups: dict[tuple[Any, ...], list[Value]] = {}
    for value in values:
        groups.setdefault((value.keys, value.text, value.expression), []).append(value)
    return list(groups.values())


# -------------------------------------------------------------------------------------------------- the list


def _list(work: _Annotating) -> str:
    """Return the list of what the marks mean, as LaTeX on the line where the document ends."""
    names = [
        rf"\textcolor{{LRexp{_letters(n)}}}{{\textbf{{{_written(name)}}}}}"
        for n, name in enumerate(work.experiments)
    ]
    verdicts = [rf"\textcolor{{LR{verdict}}}{{\textbf{{[{verdict}]}}}}" for verdict in VERDICTS]
    legend = (
        rf"\textbf{{Values}} by experiment: {', '.join(names) or 'none'}; "
        r"\textcolor{LRother}{\textbf{from report.toml, or computed}}. "
        rf"\textbf{{Claims}} in brackets: {', '.join(verdicts)}. "
        r"\textbf{Digits} that no expression printed: \textcolor{LRtyped}{\textbf{red}}."
    )
    return (
        r"\clearpage\onecolumn\begingroup\parindent0pt\parskip1.5pt plus.5pt\sloppy\raggedright"
        r"{\Large\bfseries Where the values and claims come from\par}\medskip "
        rf"{{\small {legend}\par}}\medskip\fontsize{{6.5}}{{7.6}}\selectfont "
        # a line for each: TeX cannot read one of any length
        + "".join(f"\n{{\\hangindent1em\\hangafter1 {entry}\\par}}" for entry in work.entries)
        + r"\endgroup "
    )


def _value_entry(name: str, colour: str, group: Sequence[Value]) -> str:
    value = group[0]
    keys = ", ".join(value.keys) or "no key"
    plain = value.value if isinstance(value.value, str) else json.dumps(value.value, ensure_ascii=False)
    # as it was printed: the fonts have all that it consists of
    text = r" $\pm$ ".join(value.text[begin:end] for begin, end in cells(value.text, 0))
    return (
        rf"\hypertarget{{LR:{name}}}{{}}\textcolor{{LR{colour}}}{{\textbf{{{text}}}}}"
        rf"\quad {_code(keys)} = {_written(_cut(plain, MOST_VALUE))}"
        rf"\quad {_code(_cut(' '.join(value.expression.split()), MOST_EXPRESSION))}\quad {_made(group)}"
    )


def _made(group: Sequence[Value | Claim]) -> str:
    """Return the lines of templates that made things, without the folder of all templates."""
    places = dict.fromkeys(str(shown.place).partition("/")[2] for shown in group)
    return _code(", ".join(places))


def _claim_entry(name: str, claim: Claim) -> str:
    states = "; ".join(str(evidence["states"]) for evidence in claim.evidence)
    return (
        rf"\hypertarget{{LR:{name}}}{{}}\textcolor{{LR{claim.verdict}}}{{\textbf{{[{claim.verdict}]}}}}"
        rf"\quad {_code(claim.name)}: {_written(states)}\quad {_made([claim])}"
    )


def _written(text: str) -> str:
    from labreport.writing import LATEX

    return str(LATEX.write(text))


def _code(text: str) -> str:
    """Return a key, an expression or a place in typewriter type, which may break after dots and slashes."""
    from labreport.language import FileName
    from labreport.writing import LATEX

    return str(LATEX.write(FileName(text)))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _letters(number: int) -> str:
    """Return a number as letters, which names of colours may consist of: 0 is a, 27 is bb."""
    return chr(ord("a") + number % 26) * (number // 26 + 1)

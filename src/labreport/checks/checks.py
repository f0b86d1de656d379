"""What a hand-in must satisfy: named checks over the published report and the zip beside it.

`CHECKS` is the table: one row for each check, with its rule, the function that finds what breaks it, and the
cure. A new check is a row here, and a function in the module for what it looks at. Nothing here changes a
file or runs an experiment; addresses are never visited.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from labreport import errors
from labreport.checks import document, figures, handin, listings, truth
from labreport.checks.material import Found, Material, Place
from labreport.config import CONFIG
from labreport.documents import SWITCHES
from labreport.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from labreport.documents import Document
    from labreport.project import Project

MOST_SHOWN = 12  # places for one check on the terminal

State = Literal["passed", "warning", "failed"]
_STATES: dict[str, State] = {"warning": "warning", "error": "failed"}
"""The states of a broken rule, by the levels in which report.toml counts."""


@dataclass(frozen=True)
class Check:
    """A row of the table: `find` looks for what breaks the rule; `state` is the verdict if there is any.

    A command that the cure names, such as `labreport run`, is shown as the user started this build.
    """

    name: str
    rule: str
    find: Callable[[Material], Found]
    cure: str
    state: State = "failed"


@dataclass(frozen=True)
class Verdict:
    """The outcome of a check; `places` says where the rule is broken, and how."""

    name: str
    rule: str
    state: State
    places: tuple[Place, ...]
    cure: str
    note: str = ""


def check(
    project: Project, stale: Mapping[str, Sequence[str]], made: Iterable[Document] = ()
) -> list[Verdict]:
    """Return the verdict of each check on the published documents and their hand-in.

    `stale` says of each experiment whose result is out of date why it is; `made` are the documents as they
    were just made: the templates of others are rendered, once.

    Raises
    ------
    InputError
        There is no report, a file of the build cannot be read, the templates cannot be rendered, or
        report.toml names a check that is none.

    """
    _check_names(project)
    given = {document.job: document for document in made}
    materials = {each.job: Material(each, stale, given.get(each.job)) for each in project.documents}
    found = ({job: row.find(material) for job, material in materials.items()} for row in CHECKS)
    return [_verdict(row, joined(each), project) for row, each in zip(CHECKS, found, strict=True)]


def joined(found: Mapping[str, Found]) -> Found:
    """Return what was found in several documents, by their names, as one: each place says where it is.

    What is found in all of them is reported once, and belongs to none.
    """
    if len(found) == 1:
        only = next(iter(found.values()))
        return Found([*only.places, *only.lacking], only.note)
    common = set.intersection(*({*each.places, *each.lacking} for each in found.values()))
    every = dict.fromkeys(place for each in found.values() for place in (*each.places, *each.lacking))
    places = [place for place in every if place in common]
    for job, each in found.items():
        places += [(f"{job}: {where}", what) for where, what in each.places if (where, what) not in common]
    notes = {job: each.note for job, each in found.items() if each.note}
    same = len({*notes.values()}) == 1
    note = "; ".join({*notes.values()} if same else (f"{job}: {note}" for job, note in notes.items()))
    return Found(places, note)


def _verdict(row: Check, found: Found, project: Project) -> Verdict:
    state: State = row.state if found.places else "passed"
    note = found.note
    for level, instead in _STATES.items():
        reason = project.config.findings(level).get(row.name)
        if reason and found.places:
            state, note = instead, "; ".join(filter(None, [note, f"{CONFIG}: {reason}"]))
    cure = re.sub("`labreport ?([^`]*)`", lambda said: f"`{project.command(*said[1].split())}`", row.cure)
    return Verdict(row.name, row.rule, state, tuple(found.places), cure, note)


def _check_names(project: Project) -> None:
    """Raise InputError if `severity` of report.toml names neither a check nor a finding of LaTeX's log."""
    known = [*(row.name for row in CHECKS), *SWITCHES]
    for name in project.config.severity:
        if name not in known:
            what = f"[severity] of {CONFIG} names {name!r}, which is no check"
            raise InputError(what, place=errors.Place(CONFIG), cure=did_you_mean(name, known))


def passes(verdicts: Iterable[Verdict], *, strict: bool = False) -> bool:
    """Return whether nothing failed; if strict, warnings are failures."""
    bad = ("failed", "warning") if strict else ("failed",)
    return not any(verdict.state in bad for verdict in verdicts)


def text(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts for the terminal: a line for each, with places and cure below those that fail."""
    width = max(len(verdict.name) for verdict in verdicts)
    lines = []
    for verdict in verdicts:
        said = verdict.note or verdict.rule
        if verdict.state != "passed":
            said = verdict.rule + (f": {verdict.note}" if verdict.note else "")
        lines.append(f"{verdict.state:<8} {verdict.name:<{width}}  {said}")
        shown = verdict.places[:MOST_SHOWN]
        lines += [f"           {where}: {what}" for where, what in shown]
        if len(shown) < len(verdict.places):
            lines.append(f"           … and {len(verdict.places) - len(shown)} more")
        if verdict.places:
            lines.append(f"           cure: {verdict.cure}")
    count = Counter(verdict.state for verdict in verdicts)
    return "\n".join([*lines, f"{len(verdicts)} checks: " + ", ".join(f"{n} {s}" for s, n in count.items())])


CHECKS = (
    Check(
        "answers",
        "every question of report.toml has its answer in the PDF",
        document.answers,
        r'write it between \BLOCK{answer "…"} and \BLOCK{endanswer}',
    ),
    Check(
        "pages",
        "main text and appendix have no more pages than report.toml allows",
        document.pages,
        r"say less, or move what no answer needs behind \appendix; the limits are [pages] in report.toml",
    ),
    Check(
        "authors",
        "the authors are named",
        document.authors,
        'set them in report.toml: authors = ["Name (student number)"]',
        "warning",
    ),
    Check(
        "full build",
        "the numbers come from full runs, not from a quick build",
        document.quick,
        "run `labreport --full`",
        "warning",
    ),
    Check(
        "dates",
        "dates are those that the author gives, not the day of a build",
        document.dates,
        r"print that of report.toml, \VAR{report.date}, or write it",
        "warning",
    ),
    Check(
        "fresh",
        "results and report are those of the sources as they are",
        document.fresh,
        "run `labreport`",
    ),
    Check(
        "paragraphs",
        "paragraphs about code or results were read since these changed",
        document.paragraphs,
        "read and correct them, then run `labreport accept`",
        "warning",
    ),
    Check(
        "captions",
        "each figure, table and listing has a caption",
        figures.captions,
        r"put it in a figure, table or listing, and say in a \caption what there is to see",
    ),
    Check(
        "labels",
        "each figure, table and listing has a label, which follows its caption",
        figures.labels,
        r"write \label{fig:…} after the caption",
    ),
    Check(
        "mentions",
        "the text refers to each figure, table and listing",
        figures.mentions,
        r"refer to it where it is needed: \cref{…}; or leave it out",
    ),
    Check(
        "axes",
        "axes with numbers say what the numbers are",
        figures.axes,
        "axes.set_xlabel(…), axes.set_ylabel(…), or figure.supxlabel(…) for all panels",
    ),
    Check(
        "legends",
        "a figure with more than one series has a legend",
        figures.legends,
        "axes.legend() or figure.legend()",
    ),
    Check(
        "text size",
        f"no text of a figure is smaller than {figures.SMALLEST_TEXT:g} pt as printed",
        figures.sizes,
        "draw the figure at the size at which it is printed (figsize), with larger text",
    ),
    Check(
        "edges",
        "nothing of a figure is cut off at its edge",
        figures.edges,
        'pyplot.subplots(…, layout="constrained"), or a larger figure',
    ),
    Check(
        "characters",
        "no character of a figure is missing from its fonts",
        figures.characters,
        "name a font that has it before the others: font.family in figures.mplstyle; or write it in words",
    ),
    Check(
        "resolution",
        f"no picture of dots is printed with fewer than {figures.FEWEST_DOTS} dots per inch",
        figures.resolutions,
        "make it with more dots, print it smaller, or show a PDF or an SVG",
        "warning",
    ),
    Check(
        "alternative texts",
        "each picture has an alternative text of its own, which is not its caption",
        figures.alternatives,
        r"lab.figure(…, alt=…) tells the finding to those who cannot see it; print figures with |figure",
    ),
    Check(
        "excerpts",
        f"code is shown in excerpts of at most {listings.LONGEST_EXCERPT} lines, never in full",
        listings.excerpts,
        "show less: `# excerpt: skip`, a smaller function, or the difference of two",
    ),
    Check(
        "typed digits",
        "each number in the text is printed from a result, or is said to be none",
        truth.digits,
        r'print it: \VAR{…}; a constant: list it under [constants] in report.toml; or \BLOCK{typed "why"}',
    ),
    Check(
        "comparisons",
        "words that compare in an answer stand in a claim",
        truth.comparisons,
        r'state it as a claim: \BLOCK{claim "name", …}; a definition: \BLOCK{typed "why"}',
    ),
    Check(
        "words of quantity",
        "words that state results stand in a claim",
        truth.quantities,
        r'state it as a claim: \BLOCK{claim "name", …}; a definition: \BLOCK{typed "why"}; or leave it out',
        "warning",
    ),
    Check(
        "precision",
        "each value is printed with one precision",
        truth.precisions,
        "give it the same format in both places",
        "warning",
    ),
    Check(
        "arithmetic",
        "printed differences, sums and ratios are those of the printed numbers",
        truth.arithmetic,
        "print more digits, or leave one of the three out",
        "warning",
    ),
    Check(
        "standard errors",
        "no mean is rounded more coarsely than its standard error warrants",
        truth.standard_errors,
        "print the mean with more decimals: |num(decimals=…)",
        "warning",
    ),
    Check(
        "constants",
        "each constant of report.toml stands in the report",
        truth.constants,
        "remove it from [constants] in report.toml",
        "warning",
    ),
    Check(
        "citations",
        "each citation has its entry, each entry of the bibliography is cited",
        document.citations,
        "cite it where it is used, or remove it from the bibliography",
    ),
    Check(
        "references",
        "no reference is undefined or means two things",
        document.undefined,
        r"correct the name, or give the thing a \label of its own",
    ),
    Check(
        "overfull",
        f"nothing sticks out of its line or page by more than {document.OVERFLOW:g} pt",
        document.overfull,
        "rephrase, break or shorten what is too wide",
    ),
    Check(
        "printed characters",
        "each character of the results can be shown",
        document.characters,
        'set the report in a font that has it: engine = "lualatex" in report.toml, and fontspec',
        "warning",
    ),
    Check(
        "fonts",
        "all fonts are embedded, none is of Type 3",
        document.fonts,
        "figures: pdf.fonttype: 42 in figures.mplstyle; text: \\usepackage{lmodern}",
    ),
    Check(
        "text",
        "text can be searched and copied on each page",
        document.extraction,
        "use fonts whose glyphs are mapped to characters; a page must not be a single picture",
    ),
    Check(
        "metadata",
        "the PDF states its title, subject and authors",
        document.metadata,
        r"set pdftitle, pdfsubject and pdfauthor with \hypersetup",
    ),
    Check(
        "links",
        "links lead to places that exist, addresses are well formed",
        document.links,
        "correct the address or the label",
    ),
    Check(
        "hand-in",
        "the hand-in is byte for byte what was packed",
        handin.untouched,
        "run `labreport`, which packs it again",
    ),
    Check(
        "report",
        "the report that is handed in is the one that was checked",
        handin.handed_in,
        "run `labreport`",
    ),
    Check(
        "zip",
        "the PDF is not in the zip",
        handin.in_zip(handin.report_outside),
        "hand the report in beside the zip: run `labreport`",
    ),
    Check(
        "README",
        "a README in the zip names the file to run and all libraries",
        handin.in_zip(handin.readme),
        "it is made from the project's metadata: run `labreport`",
    ),
    Check(
        "sources",
        "the zip holds all sources in their original format, as they are now",
        handin.in_zip(handin.sources),
        "run `labreport`",
    ),
    Check(
        "notebooks",
        "the zip holds all notebooks, executed and without errors",
        handin.in_zip(handin.notebooks),
        "run `labreport`, which weaves and runs them",
    ),
    Check(
        "secrets",
        "no secret, path or name of this machine is handed in",
        handin.secrets,
        "take it out and build again; revoke a key or password that was handed in already; what is harmless "
        "goes under `[submission] allow` of report.toml",
    ),
)
"""All checks, in the order in which a reader would ask."""

"""The report: from results and templates to the published PDF.

`inputs` says what the report is made from, `out_of_date` why the published one is not; `make` renders the
templates, compiles the document in a scratch folder and publishes PDF, sources and provenance
together. Until that last step nothing of an earlier report is touched.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport.documents import background, context, locate, pages, pins, previous, provenance, siunitx
from labreport.documents.document import JOB, Document
from labreport.errors import InputError, LatexError, Place
from labreport.project import ENGINE, PROVENANCE, Project
from labreport.results import TIMING, Fingerprint, Record, files, files_in, freshness

if TYPE_CHECKING:
    from labreport.documents.latexmk import CompileFailed
    from labreport.documents.texlog import Problem
    from labreport.language import Rendered

STYLE = Path(__file__).with_name(siunitx.STYLE)
MOST_NOTICES = 5


@dataclass(frozen=True)
class Made:
    """What was made: the document, number of pages, seconds for each step, what is worth a look.

    `is_new` says whether it differs from the report whose place it took; None if there was none.
    """

    document: Document
    pages: int
    render_seconds: float
    latex_seconds: float
    notices: tuple[str, ...]
    is_new: bool | None = None

    @property
    def values(self) -> int:
        """The number of values that are printed."""
        return len(self.document.rendered.printed)


# ------------------------------------------------------------------------------------------ is it up to date?


def inputs(project: Project, excerpts: Iterable[str]) -> Fingerprint:
    """Return the fingerprint of all files that the report depends on.

    These are the settings, all templates but those of notebooks, the results with their figures, labreport
    itself, and the files that excerpts were taken from.
    """
    templates = [p for p in files_in(project.templates) if p.parent != project.templates / "notebooks"]
    paths = [project.root / "report.toml", *templates, *files_in(ENGINE)]
    for name in project.experiment_names():
        folder = project.results / name
        figures = files_in(folder / "figures")
        paths += [folder / "result.json", *(f for f in figures if f.name != TIMING)]
    return freshness.inputs(project, [*paths, *(project.root / name for name in excerpts)])


def out_of_date(project: Project) -> list[str]:
    """Return why the published report must be made again, in words; empty if it is up to date."""
    record = freshness.read(project.state)
    now = inputs(project, record.found if record else ())
    return freshness.reasons(project, project.pdf, record, now)


def made_from(project: Project) -> frozenset[str]:
    """Return the files that the published report was made from, as messages show them."""
    record = freshness.read(project.state)
    return frozenset(record.inputs.named("input")) if record else frozenset()


# -------------------------------------------------------------------------------------------------- the steps


def make(project: Project) -> Made:
    """Render, compile and publish the report; return what was made.

    Raises
    ------
    InputError
        A template or a value in it is wrong, with the template's line.
    LatexError
        LaTeX or BibTeX failed, with the template's line where it can be told.
    ToolError
        A program is missing.

    """
    from concurrent.futures import ThreadPoolExecutor

    from labreport.documents import latexmk

    start = time.monotonic()
    latexmk.check_tools()
    # before the templates are read: what is edited from here on has changed
    used = inputs(project, ()) | freshness.settings(project)
    document = render(project)
    excerpts = context.code_files(document.rendered)
    render_seconds = time.monotonic() - start
    # beside LaTeX, which leaves a core free: nothing of this stands in the PDF
    with ThreadPoolExecutor(1) as beside, _scratch(project) as scratch:
        behind = beside.submit(background.of, project, document.rendered)
        sources = scratch / "latex"
        write_sources(project, document, sources)
        # TeX runs in a copy: what is published holds nothing that a run leaves behind
        shutil.copytree(sources, scratch / "compile")
        try:
            compiled = latexmk.compile(scratch / "compile", job=JOB, kept=project.auxiliary)
        except latexmk.CompileFailed as error:
            _keep_failure(project, sources, error)
            raise explain(project, document, error) from error
        project.log.mkdir(parents=True, exist_ok=True)
        (project.log / "latex.log").write_text(compiled.log, encoding="utf-8")
        record = scratch / PROVENANCE
        found = pages.read(compiled.synctex, f"{JOB}.tex")
        provenance.write(record, provenance.of_report(document, found) | {"background": behind.result()})
        used = inputs(project, excerpts) | used  # a file edited meanwhile counts as it was
        is_new = publish(project, sources, compiled.pdf, record, scratch)
    write_state(project, used, excerpts)
    notices = _notices(document, compiled.notices) + _unanswered(project, document)
    return Made(document, compiled.pages, render_seconds, compiled.seconds, tuple(notices), is_new)


def published_text(project: Project) -> str:
    """Return the published LaTeX; InputError if no report has been published."""
    try:
        return (project.latex / f"{JOB}.tex").read_text(encoding="utf-8")
    except FileNotFoundError:
        what = f"no report has been published: there is no {project.shown(project.latex)}/{JOB}.tex"
        raise InputError(what, cure=f"build it: `{project.command()}`") from None


def recompile(project: Project, text: str, target: Path) -> None:
    """Compile the published sources with another text in the place of theirs; publish nothing but the PDF.

    Raises LatexError or ToolError if the text cannot be compiled.
    """
    from labreport.documents import latexmk

    with _scratch(project) as scratch:
        shutil.copytree(project.latex, scratch / "compile")
        (scratch / "compile" / f"{JOB}.tex").write_text(text, encoding="utf-8")
        latexmk.compile(scratch / "compile", job=JOB).pdf.replace(target)


def render(project: Project, *, keep: bool = True) -> Document:
    """Return the rendered main template, as a document whose braces and environments match.

    Unless told to `keep` nothing, the build folder keeps compiled templates and statistics for the next time.

    Raises
    ------
    InputError
        A template or a value in it is wrong, with the template's line.

    """
    from labreport.language import render as render_template
    from labreport.writing import LATEX, listings

    if not (project.templates / project.config.template).is_file():
        raise InputError(
            f"the main template {project.config.template!r} does not exist",
            place=Place(project.shown(project.templates)),
            cure="create it, or name another one as `template` in report.toml",
        )
    known = context.known(project)
    with context.kept(project.build / "cache" / "report.json" if keep else None) as remember:
        rendered = render_template(
            project.templates,
            project.config.template,
            known,
            LATEX,
            questions=project.config.questions,
            functions={"excerpt": context.excerpt(project, listings.to_latex, remember)},
            **context.judging(project),
            remember=remember,
        )
    check_structure(rendered)
    pins.check(project, rendered, known)
    return Document(rendered, project.quick)


def recorded(project: Project, document: Document) -> dict[str, Any]:
    """Return the record of a report that was not compiled, and what stands behind it: it has no pages."""
    behind = background.of(project, document.rendered)
    return provenance.of_report(document, pages.Pages({})) | {"background": behind}


def check_structure(rendered: Rendered) -> None:
    r"""Raise InputError at the template's line if braces or environments do not match."""
    from labreport.writing import imbalance

    wrong = imbalance(rendered.text)
    if wrong is not None:
        raise InputError(wrong.what, place=rendered.place(wrong.offset, wrong.length), cure=wrong.cure)
    if r"\end{document}" not in rendered.text:
        raise InputError(
            r"the report has no \end{document}",
            place=rendered.place(len(rendered.text) - 1),
            cure=r"end the main template with \end{document}",
        )


def write_sources(project: Project, document: Document, folder: Path) -> None:
    """Write all that LaTeX needs into a new folder: the text, figures, bibliography, styles, settings."""
    from labreport.documents import latexmk

    folder.mkdir(parents=True)
    (folder / f"{JOB}.tex").write_text(document.text, encoding="utf-8")
    shutil.copyfile(STYLE, folder / STYLE.name)
    for path in files_in(project.templates):
        relative = path.relative_to(project.templates)
        if path.suffix != ".j2":
            (folder / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / relative)
    for figure in {figure for _, figure in document.figures}:
        (folder / figure.file).parent.mkdir(exist_ok=True)
        source = project.results / figure.experiment / "figures" / f"{figure.name}.pdf"
        shutil.copyfile(source, folder / figure.file)
    latexmk.write_latexmkrc(folder, job=JOB)
    siunitx.write_settings(folder)


# ---------------------------------------------------------------------------------------------------- publish


@contextmanager
def _scratch(project: Project) -> Iterator[Path]:
    """Give a fresh folder inside build/, removed at the end; folders of killed builds are removed first."""
    from labreport.documents.latexmk import end_leftover

    project.build.mkdir(parents=True, exist_ok=True)
    for old in project.build.glob(".scratch-*"):
        end_leftover(old / "compile")
        shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=".scratch-", dir=project.build))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(project: Project, sources: Path, pdf: Path, record: Path, scratch: Path) -> bool | None:
    """Move the finished parts to their places by renaming; the state is written last, by the caller.

    The report that was there before stays beside, if it was another one. Return whether it was; None if there
    was none.
    """
    project.state.unlink(missing_ok=True)  # a build killed from here on is made again
    is_new = previous.differs(project, sources, record)
    if is_new:
        previous.stage(project, sources, scratch / "previous")
        files.replace_folder(project.previous, scratch / "previous")
    if project.latex.exists():
        project.latex.rename(scratch / "old-latex")
    sources.rename(project.latex)
    record.replace(project.provenance)
    pdf.replace(project.pdf)
    return is_new


def write_state(project: Project, used: Fingerprint, excerpts: Iterable[str]) -> None:
    """Record what the published report was made from and its own digests."""
    made = [project.pdf, project.provenance, *files_in(project.latex)]
    record = Record(used, freshness.outputs(project, made), found=tuple(sorted(excerpts)))
    freshness.write(project.state, record)


# ----------------------------------------------------------------------------------------------------- errors


def explain(project: Project, document: Document, error: CompileFailed) -> LatexError:
    """Return LaTeX's first error at the place in the template that caused it, with the value involved."""
    problem = error.problems[0]
    notes = _printed_there(document, problem)
    others = [p for p in error.problems[1:3] if p.fatal and p.message != problem.message]
    notes += [f"also: {p.message}" for p in others]
    log = project.shown(project.log / "latex.log")
    return LatexError(
        problem.message,
        place=locate.place_of(document, problem),
        notes=notes,
        cure=(error.cure + "; " if error.cure else "") + f"LaTeX's whole log is {log}",
    )


def _printed_there(document: Document, problem: Problem) -> list[str]:
    """Return a note on the value that was printed where a problem lies; nothing if there is none."""
    offset = locate.offset_of(document, problem)
    value = document.value_at(offset) if offset is not None else None
    if value is None:
        return []
    text = document.rendered.text[value.start : value.end]
    shown = repr(text if value.value is None else value.value)
    shown = shown if len(shown) <= 80 else shown[:77] + "…"
    return [f"the value printed there: {shown}, from {', '.join(value.keys) or 'the template'}"]


def _keep_failure(project: Project, sources: Path, error: CompileFailed) -> None:
    """Keep log and sources of a failed compilation under build/log."""
    project.log.mkdir(parents=True, exist_ok=True)
    (project.log / "latex.log").write_text(error.log, encoding="utf-8")
    shutil.copyfile(sources / f"{JOB}.tex", project.log / f"failed-{JOB}.tex")


def _notices(document: Document, problems: tuple[Problem, ...]) -> list[str]:
    """Return what LaTeX noticed, with template lines: lines that stick out and the like."""
    found = []
    for problem in problems:
        if problem.kind == "overfull":
            place = locate.place_of(document, problem)
            where = place.file if place.line is None else f"{place.file}:{place.line}"
            found.append(f"{where}: {problem.message}")
    more = [f"… and {len(found) - MOST_NOTICES} more"] if len(found) > MOST_NOTICES else []
    return found[:MOST_NOTICES] + more


def _unanswered(project: Project, document: Document) -> list[str]:
    answered = {question for question, _ in document.rendered.answers}
    return [
        f"question {q} of report.toml has no answer yet"
        for q in project.config.questions
        if q not in answered
    ]

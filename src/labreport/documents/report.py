"""The report: from results and templates to the published PDF.

`inputs` says what the report is made from, `out_of_date` why the published one is not; `make` renders the
templates, compiles the document in a scratch folder and publishes PDF, sources and provenance
together. Until that last step nothing of an earlier report is touched.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport import lock, wall
from labreport.documents import (
    background,
    bare_numbers,
    context,
    locate,
    pages,
    pictures,
    pins,
    previous,
    provenance,
    siunitx,
)
from labreport.documents.document import Document
from labreport.errors import InputError, LatexError, Place
from labreport.project import ENGINE, PROVENANCE, Project
from labreport.results import TIMING, Fingerprint, Part, Record, files, files_in, freshness, variants

if TYPE_CHECKING:
    from labreport.documents.latexmk import CompileFailed, Rules
    from labreport.documents.texlog import Problem
    from labreport.language import Rendered

STYLE = Path(__file__).with_name(siunitx.STYLE)
MOST_NOTICES = 5
AGAIN = 60.0  # seconds that a second compilation may take


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


def inputs(project: Project, found: Iterable[str]) -> Fingerprint:
    """Return the fingerprint of all files that the report depends on.

    These are the settings, all templates but those of notebooks, the results with their figures, labreport
    itself, and the files that excerpts were taken from. Of several documents each depends on those of its own
    templates, which are among the `found` files, and on what LaTeX may read.
    """
    templates = [p for p in files_in(project.templates) if p.parent != project.templates / "notebooks"]
    if project.config.documents:
        templates = [path for path in templates if path.suffix != ".j2"]
    paths = [project.root / "report.toml", *templates, *files_in(ENGINE)]
    for name in variants.names(project):
        folder = project.results / name
        figures = files_in(folder / "figures")
        paths += [folder / "result.json", *(f for f in figures if f.name != TIMING)]
    return freshness.inputs(project, [*paths, *(project.root / name for name in found)])


def _all_templates(project: Project) -> list[str]:
    return [project.shown(path) for path in files_in(project.templates) if path.suffix == ".j2"]


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
    templates = _all_templates(project) if project.config.documents else []
    before = inputs(project, templates) | freshness.settings(project)
    document = render(project)
    found = (
        context.code_files(document.rendered)
        | pictures.files(document.rendered)
        | set(map(project.shown, document.rendered.files))
    )
    render_seconds = time.monotonic() - start
    # beside LaTeX, which leaves a core free: nothing of this stands in the PDF
    with ThreadPoolExecutor(1) as beside, _scratch(project) as scratch:
        behind = beside.submit(background.of, project, document.rendered)
        sources = scratch / "latex"
        write_sources(project, document, sources)
        # TeX runs in a copy: what is published holds nothing that a run leaves behind
        shutil.copytree(sources, scratch / "compile")
        try:
            compiled = latexmk.compile(
                scratch / "compile", job=project.job, kept=project.auxiliary, rules=rules(project)
            )
        except latexmk.CompileFailed as error:
            _keep_failure(project, sources, error)
            raise explain(project, document, error) from error
        log = scratch / project.latex_log.name
        log.write_text(compiled.log, encoding="utf-8")
        record = scratch / PROVENANCE
        places = pages.read(compiled.synctex, f"{project.job}.tex")
        provenance.write(record, provenance.of_report(document, places) | {"background": behind.result()})
        used = inputs(project, found) | before  # a file edited meanwhile counts as it was
        used = used.without(Part("input", name) for name in templates if name not in found)
        is_new = publish(project, sources, compiled.pdf, record, log, scratch)
    write_state(project, used, found)
    notices = _notices(project, document, compiled.notices)
    notices += _few([f"{_at(document.place(at))}: {what}" for at, what in document.unshown(compiled.log)])
    notices += _unanswered(project, document)
    notices += [] if wall.version() else [wall.NONE]
    return Made(document, compiled.pages, render_seconds, compiled.seconds, tuple(notices), is_new)


def rules(project: Project) -> Rules:
    """Return what report.toml says of findings in LaTeX's log."""
    from labreport.documents import latexmk

    said = {level: frozenset(project.config.findings(level)) for level in ("error", "warning")}
    return latexmk.Rules(errors=said["error"], warnings=said["warning"])


def published_text(project: Project) -> str:
    """Return the published LaTeX; InputError if no report has been published."""
    try:
        return (project.latex / f"{project.job}.tex").read_text(encoding="utf-8")
    except FileNotFoundError:
        what = f"no report has been published: there is no {project.shown(project.latex)}/{project.job}.tex"
        raise InputError(what, cure=f"build it: `{project.command()}`") from None


def recompile(project: Project, text: str, target: Path) -> None:
    """Compile the published sources with another text in the place of theirs; publish nothing but the PDF.

    Raises LatexError or ToolError if the text cannot be compiled.
    """
    from labreport.documents import latexmk

    with _scratch(project) as scratch:
        shutil.copytree(project.latex, scratch / "compile")
        (scratch / "compile" / f"{project.job}.tex").write_text(text, encoding="utf-8")
        latexmk.compile(scratch / "compile", job=project.job).pdf.replace(target)


def compile_again(project: Project, text: str) -> bytes:
    """Return the PDF of the published sources with another text in the place of theirs.

    Raises CompileFailed if TeX refuses the text.

    The text must refer to what the published one refers to: as a rule there is one pass. Nothing is
    published, and what is kept for later passes stays as it is.
    """
    from labreport.documents import latexmk

    with _scratch(project) as scratch:
        folder = scratch / "compile"
        shutil.copytree(project.latex, folder)
        (folder / f"{project.job}.tex").write_text(text, encoding="utf-8")
        return latexmk.compile_again(
            folder, job=project.job, deadline=AGAIN, kept=project.auxiliary
        ).read_bytes()


def render(project: Project, *, keep: bool = True) -> Document:
    """Return the rendered main template, as a document whose braces and environments match.

    Unless told to `keep` nothing, the build folder keeps compiled templates and statistics for the next time.

    Raises
    ------
    InputError
        A template or a value in it is wrong, with the template's line.

    """
    from labreport.language import render as render_template
    from labreport.writing import latex_in, listings

    if not (project.templates / project.template).is_file():
        raise InputError(
            f"the main template {project.template!r} does not exist",
            place=Place(project.shown(project.templates)),
            cure="create it, or name another one as `template` in report.toml",
        )
    known, own, language = context.known(project), context.own_formats(project), context.language(project)
    with context.kept(project.cache / "report.json" if keep else None) as remember:
        rendered = render_template(
            project.templates,
            project.template,
            known,
            latex_in(language),
            questions=project.config.questions,
            functions={
                "excerpt": context.excerpt(project, listings.to_latex, remember),
                "picture": pictures.picture(project, latex_in(language).write),
            },
            **context.judging(project),
            remember=remember,
            own=own.functions,
        )
    check_structure(rendered)
    pins.check(project, rendered, known)
    return Document(replace(rendered, files=rendered.files | own.files), project.quick, project.job)


def recorded(project: Project, document: Document) -> dict[str, Any]:
    """Return the record of a report that was not compiled, and what stands behind it: it has no pages."""
    behind = background.of(project, document.rendered)
    return provenance.of_report(document, pages.Pages({})) | {"background": behind}


# what does not stand in a preamble
_FIRST_WORDS = r"(?m)^[ \t]*(?:\\(?:maketitle|part|chapter|section|tableofcontents|begin|LR\w+)\b|\w)"


def check_structure(rendered: Rendered) -> None:
    r"""Raise InputError at the template's line if braces or environments do not match."""
    from labreport.writing import BEGIN, imbalance

    if r"\end{document}" in rendered.text and not BEGIN.search(rendered.text):
        found = re.search(_FIRST_WORDS, rendered.text)
        raise InputError(
            r"the report has no \begin{document}",
            place=rendered.place(found.start() if found else 0),
            cure=r"write \begin{document} before what is printed",
        )
    wrong = imbalance(rendered.text)
    if wrong is not None:
        notes = (
            [] if wrong.other is None else [f"what it would end begins at {_at(rendered.place(wrong.other))}"]
        )
        place = rendered.place(wrong.offset, wrong.length)
        raise InputError(wrong.what, place=place, cure=wrong.cure, notes=notes)
    if r"\end{document}" not in rendered.text:
        raise InputError(
            r"the report has no \end{document}",
            place=rendered.place(len(rendered.text) - 1),
            cure=r"end the main template with \end{document}",
        )


def write_sources(project: Project, document: Document, folder: Path) -> None:
    """Write all that LaTeX needs into a new folder: the text, figures, bibliography, styles, settings."""
    from labreport.documents import engines, latexmk

    folder.mkdir(parents=True)
    (folder / f"{project.job}.tex").write_text(document.text, encoding="utf-8")
    shutil.copyfile(STYLE, folder / STYLE.name)
    for path in files_in(project.templates):
        relative = path.relative_to(project.templates)
        if path.suffix not in (".j2", ".py"):
            _refuse_link(project, path, project.templates)
            (folder / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / relative)
    for figure in {figure for _, figure in document.figures}:
        if not figure.experiment:
            pictures.write(project, figure, folder / figure.file)
            continue
        (folder / figure.file).parent.mkdir(exist_ok=True)
        source = project.results / figure.experiment / "figures" / f"{figure.name}.pdf"
        _refuse_link(project, source, project.results)
        shutil.copyfile(source, folder / figure.file)
    named = engines.ENGINES.get(project.config.engine)
    latexmk.write_latexmkrc(folder, job=project.job, engine=named or engines.recognised(document.text))
    siunitx.write_settings(folder, context.language(project))


def _refuse_link(project: Project, path: Path, folder: Path) -> None:
    """Raise InputError for a file below a folder of the project that a link leads out of it."""
    real = path.resolve()
    if not (real.is_relative_to(project.root) or real.is_relative_to(folder.resolve())):
        above = project.root if path.is_relative_to(project.root) else project.generated
        shown = path.relative_to(above).as_posix()
        raise InputError(
            f"{shown} is a link to {real}, which lies outside of the project",
            place=Place(shown),
            cure="copy the file in place of the link",
        )


# ---------------------------------------------------------------------------------------------------- publish


@contextmanager
def _scratch(project: Project) -> Iterator[Path]:
    """Give a fresh folder inside build/, removed at the end; the next build removes what a kill leaves."""
    project.own.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=files.SCRATCH, dir=project.own))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(
    project: Project, sources: Path, pdf: Path, record: Path, log: Path, scratch: Path
) -> bool | None:
    """Move the finished parts to their places by renaming; the state is written last, by the caller.

    A copy of the report that was there before stays beside, if it was another one. Return whether it was;
    None if there was none.
    """
    lock.check(project)
    is_new = previous.differs(project, sources, record)
    if is_new:
        # a copy: if one of the renames below fails, the next build still knows what was published
        previous.stage(project, sources, scratch / "previous")
        files.replace_folder(project.previous, scratch / "previous")
    project.state.unlink(missing_ok=True)  # a build killed from here on is made again
    files.replace_folder(project.latex, sources)
    record.replace(project.provenance)
    project.log.mkdir(parents=True, exist_ok=True)
    log.replace(project.latex_log)
    pdf.replace(project.pdf)
    return is_new


def write_state(project: Project, used: Fingerprint, found: Iterable[str]) -> None:
    """Record what the published report was made from and its own digests."""
    made = [project.pdf, project.provenance, project.latex_log, *files_in(project.latex)]
    record = Record(used, freshness.outputs(project, made), found=tuple(sorted(found)))
    freshness.write(project.state, record)


# ----------------------------------------------------------------------------------------------------- errors


def explain(project: Project, document: Document, error: CompileFailed) -> LatexError:
    """Return LaTeX's first error at the place in the template that caused it, with the value involved."""
    problem = error.problems[0]
    notes = [*_also(project, document, problem), *_printed_there(document, problem)]
    others = [p for p in error.problems[1:3] if p.fatal and p.message != problem.message]
    notes += [f"also: {p.message}" for p in others]
    log = project.shown(project.failed_log)
    number = bare_numbers.printed_for(document, problem)
    cures = [error.cure, bare_numbers.cure(number) if number else None, f"LaTeX's whole log is {log}"]
    return LatexError(
        problem.message,
        place=document.rendered.place(number.start)
        if number
        else locate.place_of(project, document, problem),
        notes=notes,
        cure="; ".join(filter(None, cures)),
    )


def _also(project: Project, document: Document, problem: Problem) -> list[str]:
    """Return a note on the other place that has to do with a problem; nothing if there is none."""
    if problem.also is None:
        return []
    words, file, line = problem.also
    place = locate.place_of(project, document, replace(problem, file=file, line=line, context="", also=None))
    return [f"{words}, at {_at(place)}"]


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
    project.failed_log.write_text(error.log, encoding="utf-8")
    shutil.copyfile(sources / f"{project.job}.tex", project.log / f"failed-{project.job}.tex")


def _notices(project: Project, document: Document, problems: tuple[Problem, ...]) -> list[str]:
    """Return what LaTeX and BibTeX noticed, with the lines of sources: what sticks out, and the like."""
    found = []
    for problem in problems:
        if problem.kind in ("overfull", "foreign-label") or (
            problem.kind == "bibtex-warning" and problem.line is not None  # what a style only prints has none
        ):
            found.append(f"{_at(locate.place_of(project, document, problem))}: {problem.message}")
    return _few(found)


def _at(place: Place) -> str:
    return place.file if place.line is None else f"{place.file}:{place.line}"


def _few(found: list[str]) -> list[str]:
    """Return the first of some notices, and how many there are besides."""
    more = [f"… and {len(found) - MOST_NOTICES} more"] if len(found) > MOST_NOTICES else []
    return found[:MOST_NOTICES] + more


def _unanswered(project: Project, document: Document) -> list[str]:
    if len(project.documents) > 1:  # another one may answer it: the checks look at all
        return []
    answered = {question for question, _ in document.rendered.answers}
    return [
        f"question {q} of report.toml has no answer yet"
        for q in project.config.questions
        if q not in answered
    ]

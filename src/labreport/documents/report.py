"""The report: from results and templates to the published PDF. Read this first.

`inputs` says what the report is made from, `is_current` whether the published one still is; `make` renders
the templates, checks the text, compiles it in a scratch folder and publishes PDF, sources and provenance
together. Until that last step nothing of an earlier report is touched.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport.errors import InputError, LatexError, Place
from labreport.project import ENGINE, Project
from labreport.results.results import TIMING

if TYPE_CHECKING:
    from labreport.documents.latexmk import CompileFailed
    from labreport.documents.texlog import Problem
    from labreport.language import Rendered

SCHEMA = 1
JOB = "report"
STYLE = Path(__file__).with_name("labreport.sty")
MOST_NOTICES = 5
RESERVED = (
    "report",
    "quick",
    "range",
    "column",
    "namespace",
    "excerpt",
    "source",
)  # what templates know besides


@dataclass(frozen=True)
class Made:
    """What was made: number of pages and printed values, seconds for each step, what is worth a look."""

    pages: int
    values: int
    render_seconds: float
    latex_seconds: float
    notices: tuple[str, ...]


# ------------------------------------------------------------------------------------------ is it up to date?


def inputs(project: Project, excerpts: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the digest of each file that the report depends on, by its shown path.

    These are the settings, all templates but those of notebooks, the results with their figures, labreport
    itself, and the sources that excerpts were taken from: `excerpts`, or those that the published report
    recorded.
    """
    templates = [p for p in files_in(project.templates) if p.parent != project.templates / "notebooks"]
    files = [project.root / "report.toml", *templates, *files_in(ENGINE)]
    for name in project.experiment_names():
        folder = project.results / name
        figures = files_in(folder / "figures")
        files += [folder / "result.json", *(f for f in figures if f.name != TIMING)]
    known = excerpts if excerpts is not None else _state(project).get("excerpts", {})
    files += [project.root / name for name in known]
    return {project.shown(f): digest(f) for f in files if f.is_file()}


def is_current(project: Project) -> list[str]:
    """Return why the published report must be made again, in words; empty if it is up to date."""
    state = _state(project)
    if not state:
        return ["never made"] if not project.pdf.is_file() else ["no record of what it was made from"]
    reasons = [
        f"{project.shown(path)} is missing or was changed by hand"
        for path, known in ((project.build / n, d) for n, d in state["outputs"].items())
        if digest(path) != known
    ]
    old, new = state["inputs"], inputs(project)
    reasons += [f"{name} is new" for name in sorted(new.keys() - old.keys())]
    reasons += [f"{name} is gone" for name in sorted(old.keys() - new.keys())]
    reasons += [f"{name} changed" for name in sorted(new.keys() & old.keys()) if new[name] != old[name]]
    return reasons


def files_in(folder: Path) -> list[Path]:
    """Return all files below a folder, sorted, without hidden and compiled ones."""
    if not folder.is_dir():
        return []
    found = (p for p in folder.rglob("*") if p.is_file())
    return sorted(p for p in found if "__pycache__" not in p.parts and not p.name.startswith("."))


def digest(path: Path) -> str:
    """Return the digest of a file's bytes; empty if there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""


def _state(project: Project) -> dict[str, Any]:
    try:
        state = json.loads(project.state.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    usable = isinstance(state, dict) and state.get("schema") == SCHEMA
    return state if usable else {}


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
    from labreport.documents import latexmk

    start = time.monotonic()
    latexmk.check_tools()
    excerpts: dict[str, str] = {}
    used = inputs(project, excerpts)
    rendered = render(project, excerpts)
    check_structure(rendered)
    render_seconds = time.monotonic() - start
    with _scratch(project) as scratch:
        sources = scratch / "latex"
        write_sources(project, rendered, sources)
        shutil.copytree(sources, scratch / "compile")
        try:
            compiled = latexmk.compile(scratch / "compile", job=JOB)
        except latexmk.CompileFailed as error:
            _keep_failure(project, sources, error)
            raise explain(project, rendered, error) from error
        project.log.mkdir(parents=True, exist_ok=True)
        (project.log / "latex.log").write_text(compiled.log, encoding="utf-8")
        record = scratch / "provenance.json"
        record.write_text(
            json.dumps(provenance(rendered), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
        used = {**inputs(project, excerpts), **used}  # a file edited meanwhile counts as it was
        publish(project, sources, compiled.pdf, record, scratch)
    write_state(project, used, excerpts)
    notices = _notices(rendered, compiled.notices) + _unanswered(project, rendered)
    return Made(compiled.pages, len(rendered.printed), render_seconds, compiled.seconds, tuple(notices))


def render(project: Project, excerpts: dict[str, str] | None = None) -> Rendered:
    """Return the rendered main template; the files that excerpts come from are added to `excerpts`."""
    from labreport.language import render as render_template
    from labreport.writing import LATEX, listings

    used = excerpts if excerpts is not None else {}
    if not (project.templates / project.config.template).is_file():
        raise InputError(
            f"the main template {project.config.template!r} does not exist",
            place=Place(project.shown(project.templates)),
            cure="create it, or name another one as `template` in report.toml",
        )
    return render_template(
        project.templates,
        project.config.template,
        context(project),
        LATEX,
        questions=project.config.questions,
        functions={"excerpt": excerpt_function(project, used, listings.to_latex)},
    )


def excerpt_function(
    project: Project, used: dict[str, str], write: Callable[[Any], str]
) -> Callable[..., Any]:
    """Return the function `excerpt` of templates; the files that excerpts come from are added to `used`."""
    from markupsafe import Markup

    from labreport.writing import excerpts

    def excerpt(name: str, since: str | None = None, **options: Any) -> Markup:
        found = [excerpts.find(project, str(n), **options) for n in (name, since) if n is not None]
        used.update((part.file, "") for part in found)
        return Markup(write(found[0] if since is None else excerpts.difference(*found)))

    return excerpt


def context(project: Project) -> dict[str, Any]:
    """Return what templates know: a box for each experiment, `report` for report.toml, and `quick`."""
    from labreport.language import Box
    from labreport.results import results

    known: dict[str, Any] = {}
    for name in project.experiment_names():
        if name in RESERVED:
            raise InputError(
                f"an experiment cannot be called {name!r}: templates know something else by this name",
                place=Place(project.shown(project.experiments / f"{name}.py")),
                cure="rename the file",
            )
        result = results.load(project, name)
        figures = {
            figure: {
                "experiment": name,
                "name": figure,
                "file": f"figures/{name}-{figure}.pdf",
                "alt": stored.alt,
                "width_mm": stored.width_mm,
                "height_mm": stored.height_mm,
            }
            for figure, stored in result.figures.items()
        }
        tables = {table: result.rows(table) for table in result.tables}
        value = {"params": result.params, "values": result.values, "tables": tables, "figures": figures}
        known[name] = Box(value, (name,))
    config = asdict(project.config)
    settings = {key: config[key] for key in ("title", "subtitle", "authors", "date", "questions")}
    return {**known, "report": Box(settings, ("report",)), "quick": project.quick}


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


def write_sources(project: Project, rendered: Rendered, folder: Path) -> None:
    """Write all that LaTeX needs into a new folder: the text, figures, bibliography, styles, settings."""
    from labreport.documents import latexmk
    from labreport.language import Figure

    folder.mkdir(parents=True)
    (folder / f"{JOB}.tex").write_text(document(rendered.text, quick=project.quick), encoding="utf-8")
    shutil.copyfile(STYLE, folder / STYLE.name)
    latexmk.write_latexmkrc(folder, job=JOB)
    for path in files_in(project.templates):
        relative = path.relative_to(project.templates)
        if path.suffix != ".j2":
            (folder / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / relative)
    for figure in {shown for _, shown in rendered.shown(Figure)}:
        (folder / figure.file).parent.mkdir(exist_ok=True)
        source = project.results / figure.experiment / "figures" / f"{figure.name}.pdf"
        shutil.copyfile(source, folder / figure.file)


def document(text: str, *, quick: bool) -> str:
    r"""Return the text as LaTeX gets it: with the proof of its end, and marked where the build is quick.

    Both additions leave every line where it is.
    """
    from labreport.documents.latexmk import SENTINEL

    end = text.rindex(r"\end{document}")
    option = r"\PassOptionsToPackage{quick}{labreport}" if quick else ""
    return option + text[:end] + rf"\par\typeout{{{SENTINEL}}}" + text[end:]


def provenance(rendered: Rendered) -> dict[str, Any]:
    """Return the record of each printed value: text, value, keys, expression, places."""
    line_starts = [0, *(m.end() for m in re.finditer("\n", rendered.text))]
    entries = []
    line = 0
    for item in rendered.printed:
        while line + 1 < len(line_starts) and line_starts[line + 1] <= item.start:
            line += 1
        place = rendered.site_place(item.site)
        entries.append(
            {
                "text": rendered.text[item.start : item.end],
                "value": item.value,
                "keys": list(item.keys),
                "expression": item.site.expression,
                "template": place.file,
                "line": place.line,
                "column": place.column,
                "file": f"{JOB}.tex",
                "file_line": line + 1,
                "file_column": item.start - line_starts[line] + 1,
            }
        )
    answers = [{"question": q, "template": p.file, "line": p.line} for q, p in rendered.answers]
    return {"schema": SCHEMA, "printed": entries, "answers": answers}


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


def publish(project: Project, sources: Path, pdf: Path, record: Path, scratch: Path) -> None:
    """Move the finished parts to their places by renaming; the state is written last, by the caller."""
    project.state.unlink(missing_ok=True)
    if project.latex.exists():
        project.latex.rename(scratch / "old-latex")
    sources.rename(project.latex)
    record.replace(project.provenance)
    pdf.replace(project.pdf)


def write_state(project: Project, used: Mapping[str, str], excerpts: Mapping[str, str]) -> None:
    """Record what the published report was made from and its own digests."""
    outputs = [project.pdf, project.provenance, *files_in(project.latex)]
    state = {
        "schema": SCHEMA,
        "inputs": dict(sorted(used.items())),
        "excerpts": dict(sorted(excerpts.items())),
        "outputs": {p.relative_to(project.build).as_posix(): digest(p) for p in outputs},
    }
    temporary = project.state.with_suffix(".tmp")
    temporary.write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
    temporary.replace(project.state)


# ----------------------------------------------------------------------------------------------------- errors


def explain(project: Project, rendered: Rendered, error: CompileFailed) -> LatexError:
    """Return LaTeX's first error at the place in the template that caused it, with the value involved."""
    problem = error.problems[0]
    place, notes = _place(rendered, problem)
    others = [p for p in error.problems[1:3] if p.fatal and p.message != problem.message]
    notes += [f"also: {p.message}" for p in others]
    log = project.shown(project.log / "latex.log")
    return LatexError(
        problem.message,
        place=place or Place(problem.file, problem.line),
        notes=notes,
        cure=(error.cure + "; " if error.cure else "") + f"LaTeX's whole log is {log}",
    )


def _place(rendered: Rendered, problem: Problem) -> tuple[Place | None, list[str]]:
    """Return where in the templates a problem lies, and a note on the value that was printed there."""
    offset = _offset(rendered, problem)
    if offset is None:
        return None, []
    place = rendered.place(offset, len(problem.key or "") or 1)
    value = rendered.value_at(offset)
    if value is None:
        return place, []
    shown = repr(value.value) if value.value is not None else repr(rendered.text[value.start : value.end])
    shown = shown if len(shown) <= 80 else shown[:77] + "…"
    return place, [f"the value printed there: {shown}, from {', '.join(value.keys) or 'the template'}"]


def _offset(rendered: Rendered, problem: Problem) -> int | None:
    """Return the offset in the generated text at which a problem lies, as exactly as the log tells."""
    text = rendered.text
    if problem.key and problem.kind.startswith("undefined-"):
        command = "cite" if problem.kind == "undefined-citation" else "ref"
        pattern = rf"\\\w*{command}\w*\*?(?:\[[^\]]*\])*\{{[^}}]*?({re.escape(problem.key)})(?=[,}}])"
        if match := re.search(pattern, text):
            return match.start(1)
    if problem.line is None or problem.file != f"{JOB}.tex":
        return None
    start, end = rendered.line_start(problem.line), rendered.line_start(problem.line + 1)
    line = text[start:end]
    if not line.strip() and "$" in problem.message:
        return _open_dollar(text, start)
    if problem.key and problem.key in line:
        at = line.rfind(problem.key, 0, _stop(line, problem.context) or len(line))
        return start + max(at, 0)
    stop = _stop(line, problem.context)
    return start + (stop - 1 if stop else len(line) - len(line.lstrip()))


def _open_dollar(text: str, end: int) -> int:
    """Return where the mathematics begins that is still open at the end of a paragraph."""
    begin = text.rfind("\n\n", 0, end) + 1
    dollars = [m.start() for m in re.finditer(r"(?<!\\)\$", text[begin:end])]
    return begin + dollars[-1] if dollars else end


def _stop(line: str, context: str) -> int:
    """Return the column after the text that TeX had read of a line when it stopped; 0 if unknown."""
    context = context.strip()
    at = line.find(context) if context else -1
    return at + len(context) if at >= 0 else 0


def _keep_failure(project: Project, sources: Path, error: CompileFailed) -> None:
    """Keep log and sources of a failed compilation under build/log."""
    project.log.mkdir(parents=True, exist_ok=True)
    (project.log / "latex.log").write_text(error.log, encoding="utf-8")
    shutil.copyfile(sources / f"{JOB}.tex", project.log / f"failed-{JOB}.tex")


def _notices(rendered: Rendered, problems: tuple[Problem, ...]) -> list[str]:
    """Return what LaTeX noticed, with template lines: lines that stick out and the like."""
    worth = [p for p in problems if p.kind == "overfull"]
    found = []
    for problem in worth:
        place, _ = _place(rendered, replace(problem, context=""))
        where = f"{place.file}:{place.line}" if place else f"{problem.file}:{problem.line}"
        found.append(f"{where}: {problem.message}")
    return found[:MOST_NOTICES] + (
        [f"… and {len(found) - MOST_NOTICES} more"] if len(found) > MOST_NOTICES else []
    )


def _unanswered(project: Project, rendered: Rendered) -> list[str]:
    answered = {question for question, _ in rendered.answers}
    return [
        f"question {q} of report.toml has no answer yet"
        for q in project.config.questions
        if q not in answered
    ]

"""What a hand-in must satisfy: named checks over the published report and the zip beside it.

`CHECKS` is the table: one row for each check, with its rule, the function that finds what breaks it, and the
cure. Nothing here changes a file or runs an experiment; addresses are never visited.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from labreport.checks import latex_source as floats
from labreport.checks import pdf
from labreport.documents import report
from labreport.errors import InputError, LabreportError
from labreport.handin import bundle
from labreport.language.formats import label
from labreport.project import Project
from labreport.results import results
from labreport.running import runner

if TYPE_CHECKING:
    from labreport.checks.latex_source import Picture, Source
    from labreport.checks.pdf import Pdf
    from labreport.documents.latexmk import Problem
    from labreport.language.spans import Rendered

SMALLEST_TEXT = 7.0  # pt, as printed
CUT_VISIBLE = 0.2  # mm
LONGEST_EXCERPT = 30  # lines
LARGEST_SHARE = 0.2  # of the report's lines, for all code together
WHOLE = 0.9  # of a module's lines, from which on it counts as shown in full
CODE_LEADING = 10.6  # pt from line to line of code, as labreport.sty sets it
OVERFLOW = 1.0  # pt that a line may stick out
MOST_SHOWN = 12  # places for one check on the terminal

State = Literal["passed", "warning", "failed"]
Place = tuple[str, str]


@dataclass(frozen=True)
class Found:
    """What breaks a rule: where and what; `note` is worth knowing in any case."""

    places: Sequence[Place] = ()
    note: str = ""


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
    passed: State
    places: tuple[Place, ...]
    cure: str
    note: str = ""


def check(project: Project) -> list[Verdict]:
    """Return the verdict of each check on the published report and its hand-in.

    Raises
    ------
    InputError
        There is no report, or a file of the build cannot be read.

    """
    material = Material(project)
    return [_verdict(row, row.find(material), project) for row in CHECKS]


def _verdict(row: Check, found: Found, project: Project) -> Verdict:
    state: State = row.state if found.places else "passed"
    cure = re.sub("`labreport ?([^`]*)`", lambda said: f"`{project.command(*said[1].split())}`", row.cure)
    return Verdict(row.name, row.rule, state, tuple(found.places), cure, found.note)


def passes(verdicts: Iterable[Verdict], *, strict: bool = False) -> bool:
    """Return whether nothing failed; if strict, warnings are failures."""
    bad = ("failed", "warning") if strict else ("failed",)
    return not any(verdict.passed in bad for verdict in verdicts)


def text(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts for the terminal: a line for each, with places and cure below those that fail."""
    width = max(len(verdict.name) for verdict in verdicts)
    lines = []
    for verdict in verdicts:
        said = verdict.note or verdict.rule if verdict.passed == "passed" else verdict.rule
        lines.append(f"{verdict.passed:<8} {verdict.name:<{width}}  {said}")
        shown = verdict.places[:MOST_SHOWN]
        lines += [f"           {where}: {what}" for where, what in shown]
        if len(shown) < len(verdict.places):
            lines.append(f"           … and {len(verdict.places) - len(shown)} more")
        if verdict.places:
            lines.append(f"           cure: {verdict.cure}")
    count = Counter(verdict.passed for verdict in verdicts)
    return "\n".join([*lines, f"{len(verdicts)} checks: " + ", ".join(f"{n} {s}" for s, n in count.items())])


# ----------------------------------------------------------------------------------- what is looked at


@dataclass(frozen=True)
class Material:
    """All that the checks look at, each read when it is first needed."""

    project: Project

    @cached_property
    def pdf(self) -> Pdf:
        """The published report."""
        return pdf.read(self.project)

    @cached_property
    def source(self) -> Source:
        """The LaTeX that the report was compiled from."""
        return floats.Source(_read(self.project, f"{report.JOB}.tex"))

    @cached_property
    def log(self) -> str:
        """TeX's log of the last compilation."""
        path = self.project.log / "latex.log"
        if not path.is_file():
            shown = self.project.shown(path)
            raise InputError(f"there is no {shown} to read", cure=f"make it: `{self.project.command()}`")
        return path.read_text(encoding="utf-8", errors="replace")

    @cached_property
    def problems(self) -> list[Problem]:
        """What TeX complained about."""
        from labreport.documents import latexmk

        return latexmk.read_log(self.log, f"{report.JOB}.tex")

    @cached_property
    def rendered(self) -> Rendered | None:
        """The templates, rendered again, if that gives the published text: it knows the templates' lines."""
        try:
            rendered = report.render(self.project)
        except LabreportError:
            return None
        same = report.document(rendered.text, quick=self.project.quick) == self.source.text
        return rendered if same else None

    def where(self, offset: int) -> str:
        """Return the template's line that made what stands at an offset of the LaTeX, else LaTeX's line."""
        if self.rendered is None:
            return f"{self.project.shown(self.project.latex)}/{report.JOB}.tex:{self.source.line(offset)}"
        added = self.source.text.index(self.rendered.text.partition(r"\begin{document}")[0])
        place = self.rendered.place(offset - added)
        return f"{place.file}:{place.line}"

    def place_of(self, problem: Problem) -> str:
        """Return where a problem of the log lies."""
        if problem.file != f"{report.JOB}.tex" or problem.line is None:
            return problem.file
        lines = self.source.text.split("\n")
        start = sum(len(line) + 1 for line in lines[: problem.line - 1])
        return self.where(start + max(0, lines[problem.line - 1].find(problem.key or "")))

    @cached_property
    def facts(self) -> dict[str, results.Figure | str]:
        """What is known of each included figure, by its file; a text says why nothing is.

        Pictures that no experiment has drawn are not among them.
        """
        known = {}
        for picture in self.source.pictures:
            experiment, dash, name = PurePosixPath(picture.file).stem.partition("-")
            if dash and experiment in self.project.experiment_names():
                drawing = results.recorded_drawing(self.project, experiment)
                figures = drawing.figures if isinstance(drawing, results.Drawing) else {}
                known[picture.file] = figures.get(name, "nothing is recorded of it")
        return known

    @cached_property
    def zipped(self) -> dict[str, bytes] | None:
        """The files of the zip by their paths below its top folder; None if there is no zip."""
        path = self.project.submission / bundle.CODE
        if not path.is_file():
            return None
        try:
            with zipfile.ZipFile(path) as archive:
                files = {i.filename: archive.read(i) for i in archive.infolist() if not i.is_dir()}
        except (zipfile.BadZipFile, OSError) as error:
            shown = self.project.shown(path)
            raise InputError(f"{shown} cannot be read: {error}", cure="make it again") from error
        return {name.removeprefix(f"{bundle.TOP}/"): data for name, data in files.items()}


def _read(project: Project, name: str) -> str:
    path = project.latex / name
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(
            f"there is no {project.shown(path)}", cure=f"make it: `{project.command()}`"
        ) from None


def _first_words(text: str | None, most: int = 60) -> str:
    words = floats.plain(text or "")
    return f"“{words}”" if len(words) <= most else f"“{words[:most].rpartition(' ')[0]} …”"


# ---------------------------------------------------------------------------------------- the whole report


def _answers(m: Material) -> Found:
    pages = {q: m.pdf.destinations.get(label("answer:" + q)) for q in m.project.config.questions}
    missing = [q for q, page in pages.items() if page is None]
    texts = m.project.config.questions
    note = ", ".join(f"{q} on page {page}" for q, page in pages.items() if page is not None)
    return Found([("report.toml", f"question {q} has no answer: {texts[q]}") for q in missing], note)


def _pages(m: Material) -> Found:
    return Found(note=f"{len(m.pdf.pages)} pages")


def _authors(m: Material) -> Found:
    authors = m.project.config.authors
    missing = [("report.toml", "`authors` is empty")] if not any(a.strip() for a in authors) else []
    return Found(missing, ", ".join(authors))


def _quick(m: Material) -> Found:
    shown = m.project.shown(m.project.pdf)
    return Found([(shown, "its numbers come from short trial runs")] if m.project.quick else [])


def _fresh(m: Material) -> Found:
    stale = [
        (f"experiments/{step.experiment}.py", f"its result is out of date: {'; '.join(step.reasons)}")
        for step in runner.plan(m.project)
        if step.state != "fresh"
    ]
    shown = m.project.shown(m.project.pdf)
    return Found([*stale, *((shown, reason) for reason in report.is_current(m.project))])


def _metadata(m: Material) -> Found:
    wanted = ["Title", "Subject"] + (["Author"] if m.project.config.authors else [])
    shown = m.project.shown(m.project.pdf)
    return Found([(shown, f"{key} is empty") for key in wanted if not m.pdf.metadata.get(key, "").strip()])


def _fonts(m: Material) -> Found:
    places = []
    for font in m.pdf.fonts:
        if font.kind == "Type3":
            places.append((f"page {font.page}", f"the font {font.name} is of Type 3: shapes, not letters"))
        elif not font.embedded:
            places.append((f"page {font.page}", f"the font {font.name} is not embedded"))
    return Found(places, f"{len(m.pdf.fonts)} fonts, all embedded")


def _extraction(m: Material) -> Found:
    places = []
    for number, page in enumerate(m.pdf.pages, 1):
        lost = _LOST.search(page)
        if not page.strip():
            places.append((f"page {number}", "no text can be taken from it"))
        elif lost:
            near = page[max(0, lost.start() - 20) : lost.end() + 10]
            places.append((f"page {number}", f"a character has no meaning: {near!r}"))
    return Found(places)


_LOST = re.compile(r"\(cid:\d+\)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd\ue000-\uf8ff]")


def _links(m: Material) -> Found:
    places = [
        (m.place_of(p), p.message)
        for p in m.problems
        if "has been referenced but does not exist" in p.message
    ]
    for link in m.pdf.links:
        if link.kind == "GoTo":
            wrong = "" if link.target in m.pdf.destinations else "leads to no place in the document"
        elif link.kind == "URI":
            wrong = _trouble_with(link.target)
        else:
            wrong = f"is no address, but asks the reader's program to {link.kind}"
        if wrong:
            places.append((f"page {link.page}", f"the link to {link.target!r} {wrong}"))
    return Found(places, f"{len(m.pdf.links)} links")


def _trouble_with(address: str) -> str:
    """Return what is wrong with an address; empty if it is well formed."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError as error:
        return f"is malformed: {error}"
    if parts.scheme == "mailto":
        return "" if "@" in parts.path else "is malformed: no @"
    if parts.scheme not in ("http", "https"):
        return "does not begin with https://"
    if "." not in host or not all(host.split(".")):
        return "is malformed: no host"
    return "is malformed: blanks or backslashes" if re.search(r"[\s\\<>{}\"]", address) else ""


def _undefined(m: Material) -> Found:
    kinds = ("undefined-reference", "undefined-citation", "duplicate-label", "unsettled")
    places = [(m.place_of(p), p.message) for p in m.problems if p.kind in kinds]
    labels = {c.arguments[0] for c in (*m.source.commands("label"), *m.source.commands("LRanswer"))}
    unknown = [(at, key) for at, key in m.source.references if key not in labels]
    return Found([*places, *((m.where(at), f"no label {key!r}") for at, key in unknown)])


def _overfull(m: Material) -> Found:
    wide = [p for p in m.problems if p.kind == "overfull" and (p.points is None or p.points > OVERFLOW)]
    return Found([(m.place_of(p), p.message) for p in wide])


def _citations(m: Material) -> Found:
    cited = {key for _, key in m.source.citations}
    listed: dict[str, str] = {}
    for command in m.source.commands("bibliography"):
        for name in command.arguments[0].split(","):
            file = f"{name.strip().removesuffix('.bib')}.bib"
            for offset, key in floats.entries(bib := _read(m.project, file)):
                listed[key] = (
                    f"{m.project.shown(m.project.templates)}/{file}:{bib.count(chr(10), 0, offset) + 1}"
                )
    listed |= {c.arguments[0]: m.where(c.start) for c in m.source.commands("bibitem")}
    unknown = [(m.where(at), f"no entry {key!r}") for at, key in m.source.citations if key not in listed]
    unused = [(place, f"{key!r} is never cited") for key, place in listed.items() if key not in cited]
    return Found([*unknown, *unused], f"{len(listed)} entries, all cited")


# --------------------------------------------------------------------------- figures, tables and listings


def _captions(m: Material) -> Found:
    places = [(m.where(f.start), f"a {f.kind} without a caption") for f in m.source.floats if not f.caption]
    loose = [(p.start, f"the picture {p.file} stands outside any figure") for p in m.source.pictures]
    for match in re.finditer(r"\\begin\{tabular[*x]?\}(.*?)\\end\{tabular", m.source.body, re.DOTALL):
        if re.search(r"\\(?:toprule|hline|midrule)\b", match[1]):
            loose.append((match.start(), "a table stands in the text, without a caption"))
    places += [(m.where(at), what) for at, what in loose if m.source.float_at(at) is None]
    kinds = Counter(f.kind for f in m.source.floats)
    return Found(places, ", ".join(f"{n} {kind}s" for kind, n in kinds.items()) or "nothing needs one")


def _labels(m: Material) -> Found:
    places = []
    for f in m.source.floats:
        if not f.labels:
            places.append((m.where(f.start), f"a {f.kind} without a label: {_first_words(f.caption)}"))
        for key in f.early:
            what = f"the label {key!r} stands before the caption: it names the section"
            places.append((m.where(f.start), what))
    return Found(places)


def _mentions(m: Material) -> Found:
    places = []
    for f in m.source.floats:
        mentioned = {key for at, key in m.source.references if not f.start <= at < f.end}
        if f.labels and not mentioned & set(f.labels):
            places.append((m.where(f.start), f"the text never refers to the {f.kind} {f.labels[0]!r}"))
    return Found(places)


def _of_figures(m: Material, trouble: Callable[[Picture, results.Figure], Iterable[str]]) -> Found:
    """Return the troubles of all included figures that experiments have drawn."""
    places = []
    for picture in m.source.pictures:
        facts = m.facts.get(picture.file)
        if facts is not None:
            told = [facts] if isinstance(facts, str) else trouble(picture, facts)
            places += [(m.where(picture.start), f"{picture.file}: {what}") for what in told]
    others = [p.file for p in m.source.pictures if p.file not in m.facts]
    return Found(places, f"not measured, as no experiment drew it: {', '.join(others)}" if others else "")


def _axes(m: Material) -> Found:
    def trouble(_: Picture, figure: results.Figure) -> Iterable[str]:
        for number, axes in enumerate(figure.axes, 1):
            panel = f"panel {number}" + (f" ({axes.title})" if axes.title else "")
            panel = panel if len(figure.axes) > 1 else "it"
            yield from (f"{panel} shows numbers along {at} and says not of what" for at in axes.unnamed)

    return _of_figures(m, trouble)


def _legends(m: Material) -> Found:
    def trouble(_: Picture, figure: results.Figure) -> Iterable[str]:
        most = max((axes.series for axes in figure.axes if not axes.diagram), default=0)
        if most > 1 and not figure.legend:
            yield f"{most} series and no legend"

    return _of_figures(m, trouble)


def _sizes(m: Material) -> Found:
    def trouble(picture: Picture, figure: results.Figure) -> Iterable[str]:
        smallest = figure.smallest_text_pt
        if smallest is not None and smallest < SMALLEST_TEXT:
            yield f"text of {smallest:g} pt"
        boxed = any(start < picture.start < end for start, end in m.source.scaled)
        if boxed or re.search(r"\b(?:width|height|totalheight|scale)\s*=", picture.options):
            yield "it is scaled, so that its text has another size than it was drawn with"

    return _of_figures(m, trouble)


def _edges(m: Material) -> Found:
    def trouble(_: Picture, figure: results.Figure) -> Iterable[str]:
        if figure.cut_mm > CUT_VISIBLE:
            yield f"{figure.cut_mm:g} mm are cut off at its edge"

    return _of_figures(m, trouble)


def _alternatives(m: Material) -> Found:
    places = []
    seen: dict[str, str] = {}
    for picture in m.source.pictures:
        around = m.source.float_at(picture.start)
        words = _bare(picture.alt)
        if not words:
            what = "no alternative text"
        elif around is not None and words == _bare(around.caption):
            what = "its alternative text repeats the caption"
        elif words in seen and seen[words] != picture.file:
            what = f"its alternative text is that of {seen[words]}"
        else:
            seen[words] = picture.file
            continue
        places.append((m.where(picture.start), f"{picture.file}: {what}"))
    return Found(places)


def _bare(text: str | None) -> str:
    """Return the letters and digits of a text."""
    return "".join(c for c in floats.plain(text or "").lower() if c.isalnum())


# -------------------------------------------------------------------------------------------------- code


def _excerpts(m: Material) -> Found:
    places = []
    for code in m.source.code:
        if code.rows > LONGEST_EXCERPT:
            name = code.file or "typed code"
            places.append((m.where(code.start), f"{name}: {code.rows} lines, more than {LONGEST_EXCERPT}"))
    taken = m.source.commands("(?:lstinputlisting|inputminted|VerbatimInput|verbatiminput)")
    places += [(m.where(c.start), "a whole file is taken in") for c in taken]
    places += [
        (m.where(start), f"nearly all of {file} is shown") for file, start in _whole_modules(m).items()
    ]
    rows = sum(code.rows for code in m.source.code)
    height = re.search(r"^\* \\textheight=([\d.]+)pt", m.log, re.MULTILINE)
    share = rows * CODE_LEADING / (len(m.pdf.pages) * (float(height[1]) if height else m.pdf.height))
    if share > LARGEST_SHARE:
        shown = m.project.shown(m.project.pdf)
        places.append((shown, f"{share:.0%} of its height is code, more than {LARGEST_SHARE:.0%}"))
    return Found(places, f"{len(m.source.code)} excerpts, {rows} lines: {share:.1%} of the pages")


def _whole_modules(m: Material) -> dict[str, int]:
    """Return the modules that all excerpts together show, and where the first of them stands."""
    shown: dict[str, set[int]] = {}
    first: dict[str, int] = {}
    for code in m.source.code:
        if code.file is not None:
            shown.setdefault(code.file, set()).update(code.numbers)
            first.setdefault(code.file, code.start)
    whole = {}
    for file, numbers in shown.items():
        path = m.project.root / file
        lines = _code_lines(path.read_text(encoding="utf-8")) if path.is_file() else set()
        if lines and len(lines & numbers) >= WHOLE * len(lines):
            whole[file] = first[file]
    return whole


def _code_lines(text: str) -> set[int]:
    """Return the lines of a module's statements, without imports, docstrings, comments and blank lines."""
    tree = ast.parse(text)
    lines = text.split("\n")
    inside = {number for node in tree.body for number in _span(node)}
    docstrings = {
        number
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for number in _span(node)
    }
    imports = {n for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) for n in _span(node)}
    blank = {n for n, line in enumerate(lines, 1) if not line.strip() or line.lstrip().startswith("#")}
    return inside - docstrings - imports - blank


def _span(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


# -------------------------------------------------------------------------------------------- the hand-in


def _in_zip(find: Callable[[Material, dict[str, bytes]], Found]) -> Callable[[Material], Found]:
    """Return a check of the zip's files: without a zip there is nothing that could satisfy it."""

    def checked(m: Material) -> Found:
        if m.zipped is None:
            return Found([(m.project.shown(m.project.submission / bundle.CODE), "it does not exist")])
        return find(m, m.zipped)

    return checked


def _handed_in(m: Material) -> Found:
    path = m.project.submission / bundle.REPORT
    if not path.is_file():
        return Found([(m.project.shown(path), "it does not exist")])
    same = path.read_bytes() == m.project.pdf.read_bytes()
    return Found([] if same else [(m.project.shown(path), "it is another one than the report")])


def _report_outside(m: Material, files: dict[str, bytes]) -> Found:
    own = m.project.pdf.read_bytes()
    inside = [n for n, data in files.items() if data == own or PurePosixPath(n).name == bundle.REPORT]
    return Found([(bundle.CODE, f"it holds the report: {name}") for name in inside], f"{len(files)} files")


def _readme(_: Material, files: dict[str, bytes]) -> Found:
    found = [name for name in files if "/" not in name and name.upper().startswith("README")]
    said = "\n".join(files[name].decode("utf-8", "replace") for name in found)
    if not said.strip():
        return Found([(bundle.CODE, "no README with a text at its top")])
    main = [n for n, data in files.items() if "/" not in n and n.endswith(".py") and b"__main__" in data]
    places = []
    if not any(name in said for name in main):
        places.append((found[0], f"it names no main file to run; there is {', '.join(main) or 'none'}"))
    unlisted = [name for name in _libraries(files) if name.lower() not in said.lower()]
    places += [(found[0], f"it does not list the library {name}") for name in unlisted]
    return Found(places)


def _libraries(files: dict[str, bytes]) -> list[str]:
    """Return the libraries that the packed project says it needs, those of its extras among them."""
    settings = tomllib.loads(files.get("pyproject.toml", b"").decode("utf-8", "replace"))
    project = settings.get("project", {})
    groups = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    return [re.split(r"[^\w.-]", each, maxsplit=1)[0] for needed in groups for each in needed]


def _sources(m: Material, files: dict[str, bytes]) -> Found:
    patterns = ("report.toml", "experiments/**/*.py", "src/**/*.py", "report_templates/**/*.j2")
    places = []
    for path in sorted(path for pattern in patterns for path in m.project.root.glob(pattern)):
        name = path.relative_to(m.project.root).as_posix()
        if name not in files:
            places.append((bundle.CODE, f"{name} is missing"))
        elif files[name] != path.read_bytes():
            places.append((bundle.CODE, f"{name} differs from the project's file"))
    return Found(places)


def _notebooks(m: Material, files: dict[str, bytes]) -> Found:
    packed = {PurePosixPath(n).name: data for n, data in files.items() if n.endswith(".ipynb")}
    sources = sorted((m.project.templates / "notebooks").glob("*.py.j2"))
    names = [f"{path.name.removesuffix('.py.j2')}.ipynb" for path in sources]
    places = [(bundle.CODE, f"{name} is missing") for name in names if name not in packed]
    for name, data in sorted(packed.items()):
        places += [(name, what) for what in _trouble_in(data)]
        woven = m.project.notebooks / name
        if woven.is_file() and woven.read_bytes() != data:
            places.append((name, "it is another one than the notebook that was woven"))
    return Found(places, f"{len(packed)} notebooks, executed" if packed else "there are none")


def _trouble_in(notebook: bytes) -> Iterable[str]:
    """Yield what shows that a notebook was not executed, or not without errors."""
    try:
        cells: list[dict[str, Any]] = json.loads(notebook)["cells"]
    except (ValueError, LookupError, TypeError):
        yield "it is no notebook"
        return
    code = [
        (n, c) for n, c in enumerate(cells, 1) if c["cell_type"] == "code" and "".join(c["source"]).strip()
    ]
    for number, cell in code:
        errors = [o for o in cell["outputs"] if o["output_type"] == "error"]
        if cell["execution_count"] is None:
            yield f"cell {number} was not executed"
        yield from (f"cell {number} ended with {o.get('ename')}: {o.get('evalue')}" for o in errors)


# ---------------------------------------------------------------------------------------------- the table

CHECKS = (
    Check(
        "answers",
        "every question of report.toml has its answer in the PDF",
        _answers,
        r'write it between \BLOCK{answer "…"} and \BLOCK{endanswer}',
    ),
    Check("pages", "the number of pages is known", _pages, "make the report"),
    Check(
        "authors",
        "the authors are named",
        _authors,
        'set them in report.toml: authors = ["Name (student number)"]',
        "warning",
    ),
    Check(
        "full build",
        "the numbers come from full runs, not from a quick build",
        _quick,
        "run `labreport --full`",
        "warning",
    ),
    Check(
        "fresh",
        "results and report are those of the sources as they are",
        _fresh,
        "run `labreport`",
    ),
    Check(
        "captions",
        "each figure, table and listing has a caption",
        _captions,
        r"put it into a figure, table or listing, and say in a \caption what to see",
    ),
    Check(
        "labels",
        "each figure, table and listing has a label, which follows its caption",
        _labels,
        r"write \label{fig:…} after the caption",
    ),
    Check(
        "mentions",
        "the text refers to each figure, table and listing",
        _mentions,
        r"refer to it where it is needed: \cref{…}; or leave it out",
    ),
    Check(
        "axes",
        "axes with numbers say what the numbers are",
        _axes,
        "axes.set_xlabel(…), axes.set_ylabel(…), or figure.supxlabel(…) for all panels",
    ),
    Check(
        "legends",
        "a figure with more than one series has a legend",
        _legends,
        "axes.legend() or figure.legend()",
    ),
    Check(
        "text size",
        f"no text of a figure is smaller than {SMALLEST_TEXT:g} pt as printed",
        _sizes,
        "draw the figure at the size at which it is printed (figsize), with larger text",
    ),
    Check(
        "edges",
        "nothing of a figure is cut off at its edge",
        _edges,
        'pyplot.subplots(…, layout="constrained"), or a larger figure',
    ),
    Check(
        "alternative texts",
        "each picture has an alternative text of its own, which is not its caption",
        _alternatives,
        r"lab.figure(…, alt=…) tells the finding to who cannot see it; print figures with |figure",
    ),
    Check(
        "excerpts",
        f"code is shown in excerpts of at most {LONGEST_EXCERPT} lines, never in full",
        _excerpts,
        "show less: `# excerpt: skip`, a smaller function, or the difference of two",
    ),
    Check(
        "citations",
        "each citation has its entry, each entry of the bibliography is cited",
        _citations,
        "cite it where it is used, or remove it from the bibliography",
    ),
    Check(
        "references",
        "no reference is undefined or means two things",
        _undefined,
        r"correct the name, or give the thing a \label of its own",
    ),
    Check(
        "overfull",
        f"nothing sticks out of its line or page by more than {OVERFLOW:g} pt",
        _overfull,
        "rephrase, break or shorten what is too wide",
    ),
    Check(
        "fonts",
        "all fonts are embedded, none is of Type 3",
        _fonts,
        "figures: pdf.fonttype: 42 in figures.mplstyle; text: \\usepackage{lmodern}",
    ),
    Check(
        "text",
        "text can be searched and copied on each page",
        _extraction,
        "use fonts that say what their characters mean; no page may be one picture",
    ),
    Check(
        "metadata",
        "the PDF says its title, subject and authors",
        _metadata,
        r"set pdftitle, pdfsubject and pdfauthor with \hypersetup",
    ),
    Check(
        "links",
        "links lead to places that exist, addresses are well formed",
        _links,
        "correct the address or the label",
    ),
    Check(
        "report",
        "the report that is handed in is the one that was checked",
        _handed_in,
        "run `labreport`",
    ),
    Check(
        "zip",
        "the PDF is not in the zip",
        _in_zip(_report_outside),
        "hand the report in beside the zip: run `labreport`",
    ),
    Check(
        "README",
        "a README in the zip names the file to run and all libraries",
        _in_zip(_readme),
        "it is made from the project's metadata: run `labreport`",
    ),
    Check(
        "sources",
        "the zip holds all sources in their original format, as they are now",
        _in_zip(_sources),
        "run `labreport`",
    ),
    Check(
        "notebooks",
        "the zip holds all notebooks, executed and without errors",
        _in_zip(_notebooks),
        "run `labreport`, which weaves and runs them",
    ),
)
"""All checks, in the order in which a reader would ask."""

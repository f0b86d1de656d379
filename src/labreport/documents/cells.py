r"""The cells of a notebook, rendered from its template with the report's results.

A template, `report_templates/notebooks/NAME.py.j2`, is a script in the percent format of jupytext, in our
template language. Cells of Markdown are texts in triple quotes, where values print as Markdown. In cells of
code a value prints by `|python`, and `\VAR{source("module:name")}` puts the project's code itself there, so
that a notebook runs alone: it must import nothing of the project.
"""

from __future__ import annotations

import ast
import base64
import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from labreport.documents import context, percent, pins
from labreport.errors import InputError, Place
from labreport.modules import is_own
from labreport.project import ENGINE

if TYPE_CHECKING:
    from labreport.language import Formatted, Locale, Printed, Rendered
    from labreport.project import Project
    from labreport.writing import Excerpt

FOLDER = "notebooks"
SUFFIX = ".py.j2"
QUICK = "**Quick build**: all numbers and figures come from short trial runs."
FORMAT = {"extension": ".py", "format_name": "percent", "comment_magics": False}


@dataclass
class Cell:
    """A cell: "code", "markdown" or "raw"; its text as rendered, where that begins, what becomes of it."""

    kind: str
    start: int
    text: str
    tags: list[str]
    source: str
    images: dict[str, str] = field(default_factory=dict)

    def offset(self, line: int | None) -> int:
        """Return where a line begins in the rendered text; lines count from 1."""
        begins = [0, *(match.end() for match in re.finditer("\n", self.text))]
        return self.start + begins[min(line or 1, len(begins)) - 1]


@dataclass(frozen=True)
class Sheet:
    """A rendered notebook: its cells, the files it was made from, the foreign modules that it imports."""

    name: str
    rendered: Rendered
    cells: tuple[Cell, ...]
    files: tuple[str, ...]
    modules: frozenset[str]

    def place(self, cell: int, line: int | None = None) -> Place:
        """Return the place in a template that made a line of a cell."""
        return self.rendered.place(self.cells[cell].offset(line))

    def cell_at(self, offset: int) -> int:
        """Return the index of the cell in which an offset of the rendered text lies, or after which."""
        starts = [cell.start for cell in self.cells]
        return max(bisect_right(starts, offset) - 1, 0)

    def code(self, cell: int, line: int | None) -> str:
        """Return a line of a cell's code."""
        lines = self.cells[cell].text.split("\n")
        return lines[line - 1].strip() if line is not None and line <= len(lines) else ""


def render(project: Project, name: str) -> Sheet:
    """Return a notebook's cells.

    Raises
    ------
    InputError
        The template or a value in it is wrong, or a cell imports a module of the project.

    """
    from labreport.language import render as render_template
    from labreport.writing import listings, markdown_in

    known, language = context.known(project), context.language(project)
    own = context.own_formats(project)
    functions = {"excerpt": context.excerpt(project, listings.to_markdown), "source": _source(project)}
    with context.kept(project.build / "cache" / FOLDER / f"{name}.rendered.json") as remember:
        rendered = render_template(
            project.templates,
            f"{FOLDER}/{name}{SUFFIX}",
            known,
            markdown_in(language),
            questions=project.config.questions,
            functions=functions,
            **context.judging(project),
            remember=remember,
            own=own.functions,
        )
    pins.check(project, rendered, known)
    cells = _read(rendered)
    _check_values(rendered, cells)
    modules = _imported(project, rendered, cells)
    _fit_numbers(rendered, cells, language)
    images = _attach(project, rendered, cells)
    if project.quick:
        cells.insert(0, Cell("markdown", 0, "", [], QUICK))
    used = {project.shown(path) for path in (*rendered.files, *own.files, *images)} | context.code_files(
        rendered
    )
    used |= {part.file for _, code in rendered.shown(Code) for part in code.parts}
    return Sheet(name, rendered, tuple(cells), tuple(sorted(used)), frozenset(modules))


@dataclass(frozen=True)
class Code:
    """The whole code of some names, as `source` puts it into a cell."""

    parts: tuple[Excerpt, ...]


def _source(project: Project) -> Callable[..., Formatted]:
    """Return the function `source` of templates."""
    from labreport.language import FormatError, Formatted
    from labreport.writing import excerpts

    def source(*names: str) -> Formatted:
        if not names:
            raise FormatError("source() needs the name of code", cure='source("package.module:name")')
        code = Code(tuple(excerpts.whole(project, str(name)) for name in names))
        if len({_indent(part.lines[0].text) for part in code.parts}) > 1:
            what = "source() joins what is not indented alike: one would become part of another"
            raise FormatError(what, cure="write a source() for each, on a line of its own")
        text = _joined(["\n".join(line.text for line in part.lines) for part in code.parts])
        return Formatted.of(text, names, code)

    return source


def _indent(code: str) -> str:
    return code[: len(code) - len(code.lstrip())]


def _in_class(before: str, code: str) -> bool:
    """Return whether code, indented as it is, is part of a class if it comes after the rest of its cell."""
    try:
        tree = ast.parse(f"{before}{_indent(code)}pass")
    except IndentationError:
        return False
    except SyntaxError:  # which the kernel tells
        return True
    scope: ast.AST = tree
    node: ast.AST = tree
    while inner := [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]:
        node = inner[-1]
        scope = node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else scope
    return isinstance(scope, ast.ClassDef)


def _joined(parts: Sequence[str]) -> str:
    """Return pieces of code below each other, with empty lines around functions, classes and methods."""
    text = parts[0]
    for before, part in pairwise(parts):
        defines = any(re.match(r"\s*(@|def |class |async )", piece) for piece in (before, part))
        empty = (1 if part[:1].isspace() else 2) if defines else 0
        text += "\n" * (empty + 1) + part
    return text


def _read(rendered: Rendered) -> list[Cell]:
    """Return the cells of a rendered script."""
    import jupytext  # type: ignore[import-untyped]

    cells: list[Cell] = []
    position = percent.begin(rendered)
    for found in jupytext.reads(rendered.text[position:], fmt=dict(FORMAT)).cells:
        head = percent.HEAD.search(rendered.text, position)
        begin = head.end() if head else position
        start = rendered.text.find(found.source, begin)  # jupytext does not say where a cell stands
        if start < 0:
            cure = 'write the text of a cell of Markdown in triple quotes: """ … """'
            raise InputError(
                "this cell cannot be read",
                place=rendered.place(head.start() if head else position),
                cure=cure,
            )
        position = start + len(found.source)
        tags = found.metadata.get("tags", [])
        cells.append(Cell(found.cell_type, start, found.source, tags, found.source))
    _check_form(rendered, cells)
    return cells


def _check_form(rendered: Rendered, cells: Sequence[Cell]) -> None:
    """Raise InputError for a head that divides a block of code, and for a magic whose output changes."""
    for head in percent.INDENTED.finditer(rendered.text):
        if not any(cell.start <= head.start() < cell.start + len(cell.text) for cell in cells):  # of a text
            what = "the head of a cell stands in an indented block, and would divide it"
            place = rendered.place(head.start())
            raise InputError(what, place=place, cure="begin the line with it, or take out the %%")
    for cell in cells:
        for offset, magic in percent.changing(cell.text) if cell.kind == "code" else ():
            what = f"the output of {magic} is another one each time, and a notebook is the same each time"
            cure = "measure in an experiment, and print its result here"
            raise InputError(what, place=rendered.place(cell.start + offset, len(magic)), cure=cure)


def _printed(rendered: Rendered, cells: Sequence[Cell]) -> Iterator[tuple[Printed, Cell | None, int, int]]:
    """Yield each printed value with the cell that it is in, and where in the cell's text."""
    for printed in rendered.printed:
        around = [c for c in cells if c.start <= printed.start and printed.end <= c.start + len(c.text)]
        start = around[-1].start if around else 0
        yield printed, around[-1] if around else None, printed.start - start, printed.end - start


def _check_values(rendered: Rendered, cells: Sequence[Cell]) -> None:
    """Raise InputError for a value whose form does not fit its cell: code as Python, all else as Markdown."""
    for printed, cell, begin, end in _printed(rendered, cells):
        is_source = isinstance(printed.formatted, Code)
        is_python = re.search(r"\|\s*python\b", printed.site.expression) is not None
        what, cure = "", ""
        if cell is None or cell.kind == "raw":
            what, cure = "a value is printed outside the text of a cell", "move it into a cell"
        elif cell.kind == "markdown" and (is_source or is_python):
            what = "this form of a value belongs in a cell of code"
            cure = 'show code by excerpt("module:name")' if is_source else "use a format such as |num"
        elif cell.kind == "code" and not (is_source or is_python):
            what, cure = "a value in a cell of code must be written as Python", r"\VAR{value|python}"
        elif is_source and (cell.text[:begin][-1:] + cell.text[end:][:1]).strip("\n"):
            what, cure = "source() must stand alone on its line", "break the line"
        elif (
            is_source
            and cell.text[begin].isspace()
            and not _in_class(cell.text[:begin], cell.text[begin:end])
        ):
            what = "this is part of a class and cannot stand alone"
            cure = "write `class Name:` on the line before, or name the whole class"
        if what:
            raise InputError(what, place=rendered.site_place(printed.site), cure=cure)


def _imported(project: Project, rendered: Rendered, cells: Sequence[Cell]) -> set[str]:
    """Return the foreign modules that the cells import; raise InputError for one of the project's own."""
    found: set[str] = set()
    for cell in cells:
        for module, line in _imports(cell.text) if cell.kind == "code" else ():
            if module == ENGINE.name or is_own(project, module):
                what = f"the notebook imports {module!r}, a module of the project: it would not run alone"
                cure = rf'put the code itself there: \VAR{{source("{module}…:name")}}'
                raise InputError(what, place=rendered.place(cell.offset(line)), cure=cure)
            found.add(module)
    return found - set(sys.stdlib_module_names)


def _imports(code: str) -> Iterator[tuple[str, int]]:
    """Yield the top-level modules that code imports anywhere, with the line; of wrong code, nothing."""
    try:  # IPython's magics and shell commands are not Python
        tree = ast.parse(re.sub(r"(?m)^([ \t]*)[%!].*$", r"\1pass", code))
    except SyntaxError:
        return  # the kernel will say it
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0], node.lineno


def _fit_numbers(rendered: Rendered, cells: Sequence[Cell], language: Locale) -> None:
    """Write numbers as their surroundings demand.

    Between dollar signs they are TeX, where a percent sign begins a comment; and a whole number that begins a
    line and ends a sentence must not begin a list.
    """
    from labreport.writing import mathematics

    spans = {c.start: list(mathematics(c.text)) for c in cells if c.kind == "markdown"}
    # from the end on, so that what is inserted moves no place that is still needed
    for printed, cell, begin, end in reversed(list(_printed(rendered, cells))):
        inside = spans.get(cell.start, []) if cell is not None else []
        if cell is not None and any(first <= begin and end <= last for first, last in inside):
            tex = _as_tex(printed, cell.text[begin:end], language)
            cell.source = cell.source[:begin] + tex + cell.source[end:]
        elif cell is not None and cell.kind == "markdown" and _begins_list(cell.text, begin, end):
            cell.source = cell.source[:end] + "\\" + cell.source[end:]


def _as_tex(printed: Printed, text: str, language: Locale) -> str:
    """Return the text of a printed value with its numbers as TeX; values joined to one hold several."""
    from labreport.language import Numeric
    from labreport.writing import in_mathematics, markdown_in

    position = 0
    for number in printed.parts(Numeric):
        written = str(markdown_in(language).write(number))
        at = text.index(written, position)
        tex = in_mathematics(number, language)
        text, position = text[:at] + tex + text[at + len(written) :], at + len(tex)
    return text


def _begins_list(text: str, begin: int, end: int) -> bool:
    """Return whether a printed value and the character after it would be the mark of a list."""
    line = text[text.rfind("\n", 0, begin) + 1 : begin]
    return not line.strip() and text[begin:end].isdigit() and text[end : end + 1] in (".", ")")


def _attach(project: Project, rendered: Rendered, cells: Sequence[Cell]) -> list[Path]:
    """Attach to each cell the images that it shows; return their files."""
    from labreport.language import Figure
    from labreport.writing import attachment

    paths = []
    figures = {shown for _, shown in rendered.shown(Figure)}
    for figure in sorted(figures, key=lambda figure: (figure.experiment, figure.name)):
        attached = attachment(figure)
        path = project.results / figure.experiment / "figures" / f"{figure.name}.png"
        image = base64.b64encode(path.read_bytes()).decode()
        paths.append(path)
        for cell in cells:
            if f"(attachment:{attached})" in cell.source:
                cell.images[attached] = image
    return paths

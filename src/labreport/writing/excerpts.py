"""Excerpts: a project's code by name, as the report shows it; line numbers are found, never given.

A name is `module:qualified.name`, for example `package.module:function`, `package.module:Class.method` or
`experiments.name:Params`: a function, class, method or an assignment to a name. Modules are found as
files below the project's source folders and are parsed, never imported. The path of a file in the project,
for example `experiments/settings.yaml`, names all of its lines.

Two comments, each alone on its line, leave code out of every excerpt:

    # excerpt: skip
    ...                  shown as one line: …
    # excerpt: resume

An excerpt can be compared with another one: it then shows, by the lines that both show without their
indentation, what is new (+), what is gone (-) and two lines around (or as many as asked for), and … for the
rest.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import unicodedata
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

from labreport.errors import InputError, Place, did_you_mean
from labreport.modules import find_module, module_names
from labreport.project import Project
from labreport.writing.latex import columns

COLUMNS = 79  # characters of the longest line that fits the page
CONTEXT = 2  # unchanged lines shown before and after what changed, unless told otherwise
ELLIPSIS = "…"
TAB = 8

_MARK = re.compile(r"#\s*excerpt:\s*(?P<word>.*?)\s*$")
_MARKS = ("skip", "resume")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Assignment = ast.Assign | ast.AnnAssign | ast.AugAssign


@dataclass(frozen=True)
class Line:
    """A shown line, without the indentation that all have; `number` is None where lines were left out."""

    number: int | None
    text: str


@dataclass(frozen=True)
class Excerpt:
    """Code as the report shows it: `name` as asked for, `file` as messages show it, `source` to depend on."""

    name: str
    file: str
    source: Path
    lines: tuple[Line, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The files that the code comes from."""
        return (self.file,)

    @property
    def first(self) -> int:
        """The number of the first shown line."""
        return next(line.number for line in self.lines if line.number is not None)

    @property
    def last(self) -> int:
        """The number of the last shown line."""
        return next(line.number for line in reversed(self.lines) if line.number is not None)


@dataclass(frozen=True)
class Row:
    """A line of a difference: `at` counts the lines of the excerpt that it is taken from.

    `sign` is "+" (of the new excerpt only), "-" (of the old one only), " " (of the new one, in both), or
    "…" in the place of lines that are left out, of which `at` is the first that is not blank.
    """

    sign: str
    at: int


@dataclass(frozen=True)
class Difference:
    """What an excerpt shows that another one does not, and what it lacks."""

    new: Excerpt
    old: Excerpt
    rows: tuple[Row, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The files that the code comes from."""
        return (self.new.file, self.old.file)


def find(project: Project, name: str, *, docstring: bool = False) -> Excerpt:
    """Return the code of a name, from its first decorator on, without docstrings unless asked for.

    Comments stay, blank lines at the end go, and line numbers are those of the file. A path names a file.

    Raises
    ------
    InputError
        The module or the name does not exist or is defined more than once, marks do not pair, or a shown line
        has more than 79 columns.

    """
    path = project.root / name
    if ":" not in name and path.is_file() and path.resolve().is_relative_to(project.root):
        return _file(_Text(project, path), name)
    module, qualname = _parts(name)
    source = _Source(project, _module_file(project, name, module))
    node = source.definition(name, qualname)
    lines = _dedented(source.shown(node, docstring=docstring))
    _check_width(source, lines)
    return Excerpt(name, source.shown_path, source.path, tuple(lines))


def _file(text: _Text, name: str) -> Excerpt:
    lines = text.between(1, len(text.lines))
    if not any(line.number for line in lines):
        raise InputError(f"{text.shown_path} has no line to show", cure="name another file")
    _check_width(text, lines)
    return Excerpt(name, text.shown_path, text.path, tuple(lines))


def whole(project: Project, name: str) -> Excerpt:
    """Return all of the code of a name, with docstrings, without the marks of excerpts.

    A part of a class keeps its indentation, and a property comes with its setter.

    Raises
    ------
    InputError
        The module or the name does not exist or is defined more than once, or it is a part of a function.

    """
    module, qualname = _parts(name)
    source = _Source(project, _module_file(project, name, module))
    nodes = [source.definition(name, qualname)]
    if owner := qualname.rpartition(".")[0]:
        if not isinstance(source.definition(name, owner), ast.ClassDef):
            raise InputError(f"{qualname!r} is a part of {owner!r}", cure="name the whole of it")
        nodes = source.variants(qualname)
    pieces = [source.whole(node) for node in nodes]
    lines = [line for piece in pieces[:-1] for line in (*piece, Line(None, ""))]
    return Excerpt(name, source.shown_path, source.path, (*lines, *pieces[-1]))


def definition(project: Project, name: str) -> ast.stmt:
    """Return the statement that defines a name.

    Raises
    ------
    InputError
        The module or the name does not exist or is defined more than once.

    """
    module, qualname = _parts(name)
    return _Source(project, _module_file(project, name, module)).definition(name, qualname)


def difference(new: Excerpt, old: Excerpt, context: int = CONTEXT) -> Difference:
    """Return the difference of two excerpts: lines of the new one, and in between those that it lost.

    `context` unchanged lines are shown before and after what changed.

    Raises
    ------
    InputError
        They show the same lines, or `context` is no number of lines.

    """
    if type(context) is not int or context < 0:
        what = f"context= is a whole number of lines, 0 or more, not {context!r}"
        raise InputError(what, cure="context=2")
    rows = _compared([line.text for line in new.lines], [line.text for line in old.lines])
    if all(row.sign == " " for row in rows):
        what = f"the excerpts {new.name!r} and {old.name!r} show the same code"
        raise InputError(what, cure="name two that differ, or leave `since` out")
    return Difference(new, old, tuple(_shortened(rows, new, context)))


def _compared(new: Sequence[str], old: Sequence[str]) -> list[Row]:
    from difflib import SequenceMatcher

    rows = []
    # autojunk takes lines that repeat in long texts, such as blank ones, for noise
    for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        rows += [Row("-", at) for at in range(a, b) if what != "equal"]
        rows += [Row(" " if what == "equal" else "+", at) for at in range(c, d)]
    return rows


def _shortened(rows: Sequence[Row], new: Excerpt, context: int) -> Iterator[Row]:
    """Yield changes with the rows around them; others, where there are several together, as one …."""
    changes = [at for at, row in enumerate(rows) if row.sign != " "]

    def is_near(at: int) -> bool:
        hidden = rows[at].sign == " " and new.lines[rows[at].at].number is None  # by a mark, in both
        return not hidden and any(abs(at - change) <= context for change in changes)

    for kept, group in groupby(range(len(rows)), key=is_near):
        found = [rows[at] for at in group]
        written = [row.at for row in found if row.sign != " " or new.lines[row.at].text] or [found[0].at]
        yield from found if kept or len(found) == 1 else [Row(ELLIPSIS, written[0])]


# ------------------------------------------------------------------------------------------ finding the file


def _parts(name: str) -> tuple[str, str]:
    module, colon, qualname = name.partition(":")
    if not colon or not all(part.isidentifier() for part in f"{module}.{qualname}".split(".")):
        raise InputError(
            f"{name!r} does not name code",
            cure="write module:name, for example package.module:function or package.module:Class.method, "
            "or the path of a file in the project",
        )
    return module, qualname


def _module_file(project: Project, name: str, module: str) -> Path:
    """Return the file of a module, as an import would find it."""
    found = find_module(project, module)
    if found is None:
        cure = did_you_mean(module, module_names(project))
        raise InputError(f"no module {module!r} for the code {name!r}", cure=cure)
    return found.path


# ---------------------------------------------------------------------------------------- reading the source


class _Text:
    """The text of a file, in which lines that begin with # are comments."""

    def __init__(self, project: Project, path: Path) -> None:
        self.path = path
        self.shown_path = project.shown(path)
        try:
            self.text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{self.shown_path} is not UTF-8: {error.reason}", cure="save it as UTF-8"
            ) from error
        self.lines = self.text.split("\n")  # as Python counts them: splitlines() divides at form feeds, too

    @cached_property
    def comments(self) -> Mapping[int, _Comment]:
        """The comments by line."""
        return {
            number: _Comment(line.strip(), line.index("#"), alone=True)
            for number, line in enumerate(self.lines, 1)
            if line.lstrip().startswith("#")
        }

    def place(self, line: int, column: int | None = None) -> Place:
        return Place(self.shown_path, line, column, source=self.lines[line - 1])

    def between(self, first: int, last: int, hidden: Container[int] = ()) -> list[Line]:
        """Return the shown lines from the first to the last, and … where the marks leave some out."""
        lines: list[Line] = []
        skipped_since: int | None = None
        for number in range(first, last + 1):
            word = self._mark(number)
            if word == "skip":
                if skipped_since is not None:
                    raise self._unpaired(number, f"skips what line {skipped_since} skips already")
                skipped_since = number
                indent = re.match(r"\s*", self.lines[number - 1])
                lines.append(Line(None, (indent[0] if indent else "") + ELLIPSIS))
            elif word == "resume":
                if skipped_since is None:
                    raise self._unpaired(number, "resumes, but nothing is skipped")
                skipped_since = None
            elif skipped_since is None and number not in hidden:
                lines.append(Line(number, self.lines[number - 1].expandtabs(TAB).rstrip()))
        if skipped_since is not None:
            raise self._unpaired(skipped_since, "skips, and nothing resumes before the excerpt ends")
        while lines and not lines[-1].text:
            lines.pop()
        return lines

    def _mark(self, number: int) -> str | None:
        """Return `skip` or `resume` if the line is such a mark."""
        comment = self.comments.get(number)
        mark = _MARK.match(comment.text) if comment else None
        if comment is None or mark is None:
            return None
        if not comment.alone:
            raise self._unpaired(number, "must stand alone on its line", column=comment.column + 1)
        if mark["word"] not in _MARKS:
            raise InputError(
                f"unknown mark 'excerpt: {mark['word']}'",
                place=self.place(number, comment.column + 1),
                cure="write `# excerpt: skip` or `# excerpt: resume`",
            )
        return mark["word"]

    def _unpaired(self, number: int, what: str, *, column: int | None = None) -> InputError:
        return InputError(
            f"the mark of an excerpt {what}",
            place=self.place(number, column),
            cure="write `# excerpt: skip` and `# excerpt: resume` in pairs, each alone on its line",
        )


class _Source(_Text):
    """A module's text, parsed."""

    def __init__(self, project: Project, path: Path) -> None:
        super().__init__(project, path)
        try:
            self.tree = ast.parse(self.text)
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None)
            raise InputError(
                f"a module whose code is named is not valid Python: {getattr(error, 'msg', error)}",
                place=Place(self.shown_path, line),
                cure="correct the syntax",
            ) from error

    @cached_property
    def comments(self) -> Mapping[int, _Comment]:
        """The comments by line."""
        return _comments(self.text)

    def definition(self, name: str, qualname: str) -> ast.stmt:
        """Return the one statement that defines a qualified name."""
        named = list(_definitions(self.tree.body))
        found = [node for other, node in named if other == qualname and not _is_variant(node)]
        if not found:
            raise InputError(
                f"no {qualname!r} in {self.shown_path} for the code {name!r}",
                cure=did_you_mean(qualname, [other for other, _ in named]),
            )
        if len(found) > 1:
            raise InputError(
                f"{qualname!r} is defined {len(found)} times in {self.shown_path}",
                place=self.place(found[1].lineno),
                notes=[f"first in line {found[0].lineno}"],
                cure="give them different names, so that the name means one of them",
            )
        return found[0]

    def variants(self, qualname: str) -> list[ast.stmt]:
        """Return all statements that define a qualified name: a property, then its setter."""
        return [node for other, node in _definitions(self.tree.body) if other == qualname]

    def shown(self, node: ast.stmt, *, docstring: bool) -> list[Line]:
        """Return the lines of a definition that are shown, and … where the marks leave some out."""
        first, last = self._span(node)
        hidden = set() if docstring else set(self._docstring_lines(node))
        return self.between(first, last, hidden)

    def whole(self, node: ast.stmt) -> list[Line]:
        """Return the lines of a definition that are not marks."""
        first, last = self._span(node)
        numbers = (number for number in range(first, last + 1) if self._mark(number) is None)
        return [Line(number, self.lines[number - 1].rstrip()) for number in numbers]

    def _span(self, node: ast.stmt) -> tuple[int, int]:
        """Return the first and last line: from the decorators to the comments that belong to the body."""
        decorators = node.decorator_list if isinstance(node, Definition) else []
        first = min([node.lineno, *(d.lineno for d in decorators)])
        last = node.end_lineno or node.lineno
        if isinstance(node, Definition):
            # Python's tree ends at the last statement; indented comments below it belong to the body
            for number in range(last + 1, len(self.lines) + 1):
                text = self.lines[number - 1]
                comment = self.comments.get(number)
                if comment and comment.alone and comment.column > node.col_offset:
                    last = number
                elif text.strip():
                    break
        return first, last

    def _docstring_lines(self, node: ast.stmt) -> Iterator[int]:
        """Yield the lines of all docstrings within a definition, and of the blank line below each."""
        for inner in ast.walk(node):
            if not isinstance(inner, Definition) or ast.get_docstring(inner, clean=False) is None:
                continue
            text, *below = inner.body
            first, last = text.lineno, text.end_lineno or text.lineno
            # a docstring that is the whole body stays: without it the code would not be Python
            alone = not self.lines[first - 1][: text.col_offset].strip()
            if alone and below and below[0].lineno > last:
                yield from range(first, last + 1)
                if not self.lines[last].strip():
                    yield last + 1


@dataclass(frozen=True)
class _Comment:
    text: str
    column: int
    alone: bool


def _comments(text: str) -> Mapping[int, _Comment]:
    """Return the comments by line."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    lines = text.split("\n")  # that of a token can be several, where a text ends before a comment
    return {
        t.start[0]: _Comment(t.string, t.start[1], not lines[t.start[0] - 1][: t.start[1]].strip())
        for t in tokens
        if t.type == tokenize.COMMENT
    }


def _definitions(
    body: Sequence[ast.stmt], prefix: str = "", *, local: bool = False
) -> Iterator[tuple[str, ast.stmt]]:
    """Yield the qualified names that statements define, also within conditions; no local variables."""
    for node in body:
        if isinstance(node, Definition):
            yield prefix + node.name, node
            inside = not isinstance(node, ast.ClassDef)
            yield from _definitions(node.body, f"{prefix}{node.name}.", local=inside)
        elif isinstance(node, Assignment):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name) and _is_stored(n)]
            yield from ((prefix + name, node) for name in names if not local)
        else:
            for inner in ("body", "handlers", "orelse", "finalbody", "cases"):
                yield from _definitions(getattr(node, inner, []), prefix, local=local)


def _is_stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _is_variant(node: ast.stmt) -> bool:
    """Return whether a definition adds to another of its name: a property's setter, an overload."""
    decorators = node.decorator_list if isinstance(node, Definition) else []
    names = [ast.unparse(d).rpartition(".")[2] for d in decorators]
    return any(name in ("setter", "deleter", "overload") for name in names)


def _dedented(lines: Sequence[Line]) -> list[Line]:
    """Return the lines without the indentation of the first; a string's lines that have less keep theirs."""
    margin = len(lines[0].text) - len(lines[0].text.lstrip())
    out = []
    for line in lines:
        blank = len(line.text) - len(line.text.lstrip())
        out.append(Line(line.number, line.text[min(margin, blank) :]))
    return out


def _check_width(source: _Text, lines: Sequence[Line]) -> None:
    for line in lines:
        width = columns(unicodedata.normalize("NFC", line.text))
        if line.number is not None and width > COLUMNS:
            raise InputError(
                f"line {line.number} of {source.shown_path} runs off the page: {width} columns",
                place=source.place(line.number, COLUMNS + 1),
                cure=f"shorten it to {COLUMNS} columns",
            )

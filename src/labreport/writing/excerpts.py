"""Excerpts: a project's code by name, as the report shows it; line numbers are found, never given.

A name is `module:qualified.name`, for example `package.module:function`, `package.module:Class.method` or
`experiments.name:Params`: a function, class, method or an assignment to a name. Modules are found as
files below the project's source folders and are parsed, never imported.

Two comments, each alone on its line, leave code out of every excerpt:

    # excerpt: skip
    ...                  shown as one line: …
    # excerpt: resume

An excerpt can be compared with another one: it then shows, by the lines that both show without their
indentation, what is new (+), what is gone (-) and two lines around, and … for the rest.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from labreport.errors import InputError, Place, did_you_mean
from labreport.project import Project
from labreport.results import find_module, module_names
from labreport.writing import latex
from labreport.writing.markdown import code_block, code_span

COLUMNS = 79  # characters of the longest line that fits the page
UNSPLIT = 30  # lines up to which an excerpt stays on one page
CONTEXT = 2  # unchanged lines shown before and after what changed
ELLIPSIS = "…"
TAB = 8
NOT_IN_TYPEWRITER = "Ĳĳẞ‱℠™"  # Latin Modern has these in its other fonts only

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


def find(project: Project, name: str, *, docstring: bool = False) -> Excerpt:
    """Return the code of a name, from its first decorator on, without docstrings unless asked for.

    Comments stay, blank lines at the end go, and line numbers are those of the file.

    Raises
    ------
    InputError
        The module or the name does not exist or is defined more than once, marks do not pair, or a shown line
        has more than 79 columns.

    """
    module, qualname = _parts(name)
    source = _Source(project, _module_file(project, name, module))
    node = source.definition(name, qualname)
    lines = _dedented(source.shown(node, docstring=docstring))
    _check_width(source, lines)
    return Excerpt(name, source.shown_path, source.path, tuple(lines))


def whole(project: Project, name: str) -> Excerpt:
    """Return all of the code of a name, with docstrings, without the marks of excerpts.

    Raises
    ------
    InputError
        The module or the name does not exist or is defined more than once, or it is a part of a class.

    """
    module, qualname = _parts(name)
    source = _Source(project, _module_file(project, name, module))
    if "." in qualname:
        what = f"{qualname!r} is a part of {qualname.partition('.')[0]!r} and cannot stand alone"
        raise InputError(what, cure="name the whole of it")
    node = source.definition(name, qualname)
    return Excerpt(name, source.shown_path, source.path, tuple(source.whole(node)))


def difference(new: Excerpt, old: Excerpt) -> Difference:
    """Return the difference of two excerpts: lines of the new one, and in between those that it lost.

    Raises
    ------
    InputError
        They show the same lines.

    """
    rows = _compared([line.text for line in new.lines], [line.text for line in old.lines])
    if all(row.sign == " " for row in rows):
        what = f"the excerpts {new.name!r} and {old.name!r} show the same code"
        raise InputError(what, cure="name two that differ, or leave `since` away")
    return Difference(new, old, tuple(_shortened(rows, new)))


def _compared(new: Sequence[str], old: Sequence[str]) -> list[Row]:
    from difflib import SequenceMatcher

    rows = []
    for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        rows += [Row("-", at) for at in range(a, b) if what != "equal"]
        rows += [Row(" " if what == "equal" else "+", at) for at in range(c, d)]
    return rows


def _shortened(rows: Sequence[Row], new: Excerpt) -> Iterator[Row]:
    """Yield changes with the rows around them; others, where there are several together, as one …."""
    changes = [at for at, row in enumerate(rows) if row.sign != " "]

    def is_near(at: int) -> bool:
        hidden = rows[at].sign == " " and new.lines[rows[at].at].number is None  # by a mark, in both
        return not hidden and any(abs(at - change) <= CONTEXT for change in changes)

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
            cure="write module:name, for example package.module:function or package.module:Class.method",
        )
    return module, qualname


def _module_file(project: Project, name: str, module: str) -> Path:
    """Return the file of a module, as an import would find it."""
    found = find_module(project, module)
    if found is None:
        cure = did_you_mean(module, module_names(project))
        raise InputError(f"no module {module!r} for the excerpt {name!r}", cure=cure)
    return found.path


# ---------------------------------------------------------------------------------------- reading the source


class _Source:
    """A module's text, parsed."""

    def __init__(self, project: Project, path: Path) -> None:
        self.path = path
        self.shown_path = project.shown(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
            self.tree = ast.parse(text)
        except UnicodeDecodeError as error:
            raise InputError(
                f"{self.shown_path} is not UTF-8: {error.reason}", cure="save it as UTF-8"
            ) from error
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None)
            raise InputError(
                f"an excerpt's module is not valid Python: {getattr(error, 'msg', error)}",
                place=Place(self.shown_path, line),
                cure="correct the syntax",
            ) from error
        self.lines = text.split("\n")
        self.comments = _comments(text)

    def place(self, line: int, column: int | None = None) -> Place:
        return Place(self.shown_path, line, column, source=self.lines[line - 1])

    def definition(self, name: str, qualname: str) -> ast.stmt:
        """Return the one statement that defines a qualified name."""
        named = list(_definitions(self.tree.body))
        found = [node for other, node in named if other == qualname and not _is_variant(node)]
        if not found:
            raise InputError(
                f"no {qualname!r} in {self.shown_path} for the excerpt {name!r}",
                cure=did_you_mean(qualname, [other for other, _ in named]),
            )
        if len(found) > 1:
            raise InputError(
                f"{qualname!r} is defined {len(found)} times in {self.shown_path}",
                place=self.place(found[1].lineno),
                notes=[f"first in line {found[0].lineno}"],
                cure="give them different names, so that the excerpt is one of them",
            )
        return found[0]

    def shown(self, node: ast.stmt, *, docstring: bool) -> list[Line]:
        """Return the lines of a definition that are shown, and … where the marks leave some out."""
        first, last = self._span(node)
        hidden = set() if docstring else set(self._docstring_lines(node))
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

    def whole(self, node: ast.stmt) -> list[Line]:
        """Return the lines of a definition that are no marks."""
        first, last = self._span(node)
        numbers = (number for number in range(first, last + 1) if self._mark(number) is None)
        return [Line(number, self.lines[number - 1].rstrip()) for number in numbers]

    def _span(self, node: ast.stmt) -> tuple[int, int]:
        """Return the first and last line: from the decorators to the comments that belong to the body."""
        decorators = node.decorator_list if isinstance(node, Definition) else []
        first = min([node.lineno, *(d.lineno for d in decorators)])
        last = node.end_lineno or node.lineno
        if isinstance(node, Definition):
            for number in range(last + 1, len(self.lines) + 1):
                text = self.lines[number - 1]
                if number in self.comments and self.comments[number].column > node.col_offset:
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
            alone = not self.lines[first - 1][: text.col_offset].strip()
            if alone and below and below[0].lineno > last:
                yield from range(first, last + 1)
                if not self.lines[last].strip():
                    yield last + 1

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


@dataclass(frozen=True)
class _Comment:
    text: str
    column: int
    alone: bool


def _comments(text: str) -> Mapping[int, _Comment]:
    """Return the comments by line."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {
        t.start[0]: _Comment(t.string, t.start[1], not t.line[: t.start[1]].strip())
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


def _check_width(source: _Source, lines: Sequence[Line]) -> None:
    for line in lines:
        columns = sum(map(_columns, unicodedata.normalize("NFC", line.text)))
        if line.number is not None and columns > COLUMNS:
            raise InputError(
                f"line {line.number} of {source.shown_path} runs off the page: {columns} columns",
                place=source.place(line.number, COLUMNS + 1),
                cure=f"shorten it to {COLUMNS} columns",
            )


# ------------------------------------------------------------------------------------------------- as LaTeX

# Token type of Pygments -> command of labreport.sty; the nearest type above counts.
_COMMANDS = {
    "Token.Keyword": "LRkeyword",
    "Token.Keyword.Constant": "",
    "Token.Operator.Word": "LRkeyword",
    "Token.Comment": "LRcomment",
    "Token.Literal.String": "LRstring",
    "Token.Literal.String.Doc": "LRcomment",
    "Token.Literal.String.Interpol": "",
    "Token.Name.Function": "LRdefined",
    "Token.Name.Class": "LRdefined",
}


def to_latex(shown: Excerpt | Difference) -> str:
    """Return the excerpt for labreport.sty: highlighted, with the file's line numbers, on a light ground.

    In a difference each line has its sign before it, and the numbers are those of the new file. The result is
    ordinary LaTeX without any change of category codes: it may stand in an argument.
    """
    if isinstance(shown, Difference):
        new, old = shown.new, shown.old
        place = _lines(old) if old.source == new.source else old.file
        return _block(f"{new.file}, {_lines(new)}, compared with {place}", new, _signed(shown))
    rows = [_row("LRline", line, text) for line, text in zip(shown.lines, _code(shown), strict=True)]
    return _block(f"{shown.file}, {_lines(shown)}", shown, rows)


def to_markdown(shown: Excerpt | Difference) -> str:
    """Return the excerpt as a block of code below the place it comes from; a difference with its signs."""
    if isinstance(shown, Difference):
        lines = []
        for row in shown.rows:
            text = (shown.old if row.sign == "-" else shown.new).lines[row.at].text
            lines.append(f"  {ELLIPSIS}" if row.sign == ELLIPSIS else f"{row.sign} {text}".rstrip())
        return f"{_heading(shown)}:\n\n{code_block(chr(10).join(lines), 'diff')}"
    code = "\n".join(line.text for line in shown.lines)
    return f"{_heading(shown)}:\n\n{code_block(code, 'python')}"


def _heading(shown: Excerpt | Difference) -> str:
    """Return the place that code comes from."""
    if isinstance(shown, Excerpt):
        return f"{code_span(shown.file)}, {_lines(shown)}"
    new, old = shown.new, shown.old
    place = _lines(old) if old.source == new.source else code_span(old.file)
    return f"{code_span(new.file)}, {_lines(new)}, compared with {place}"


def _lines(excerpt: Excerpt) -> str:
    one = excerpt.first == excerpt.last
    return f"line {excerpt.first}" if one else f"lines {excerpt.first}–{excerpt.last}"


def _signed(shown: Difference) -> list[str]:
    """Return the rows of a difference; what is highlighted are the two whole excerpts."""
    new, old = _code(shown.new), _code(shown.old)
    rows = []
    for row in shown.rows:
        line = (shown.old if row.sign == "-" else shown.new).lines[row.at]
        if row.sign == ELLIPSIS:
            indent = " " * (len(line.text) - len(line.text.lstrip()))
            rows.append(_row("LRkept", Line(None, ""), _typeset(indent + ELLIPSIS)))
        elif row.sign == "-":
            rows.append(_row("LRremoved", Line(None, ""), old[row.at]))
        else:
            rows.append(_row("LRadded" if row.sign == "+" else "LRkept", line, new[row.at]))
    return rows


def _row(command: str, line: Line, text: str) -> str:
    return rf"\{command}{{{'' if line.number is None else line.number}}}{{{text}}}%"


def _block(heading: str, excerpt: Excerpt, rows: Sequence[str]) -> str:
    r"""Return \LRcode, or \LRlongcode with breaks allowed except beside the first and last three rows."""
    command = "LRcode" if len(rows) <= UNSPLIT else "LRlongcode"
    widest = max((str(line.number) for line in excerpt.lines if line.number is not None), key=len, default="")
    bound = [
        ("" if not at else r"\LRbreak" if 3 <= at < len(rows) - 3 else r"\nobreak") + row
        for at, row in enumerate(rows)
    ]
    return "\n".join([rf"\{command}[{widest}]{{{latex.escape(heading)}}}{{%", *bound, "}"])


def _code(excerpt: Excerpt) -> list[str]:
    """Return the lines of an excerpt as LaTeX."""
    return _highlighted("\n".join(line.text for line in excerpt.lines))


def _highlighted(code: str) -> list[str]:
    """Return the lines of Python code as LaTeX."""
    from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]

    tokens = [(_command(str(kind)), text) for _, kind, text in PythonLexer().get_tokens_unprocessed(code)]
    lines = [""]
    for command, group in groupby(tokens, key=itemgetter(0)):
        first, *others = ("".join(text for _, text in group)).split("\n")
        lines[-1] += _marked(command, first)
        lines += [_marked(command, part) for part in others]
    return lines


def _marked(command: str, text: str) -> str:
    shown = _typeset(text)
    return rf"\{command}{{{shown}}}" if command and text.strip() else shown


def _command(kind: str) -> str:
    """Return the command for a token type or for the nearest type above it."""
    while kind not in _COMMANDS and kind:
        kind = kind.rpartition(".")[0]
    return _COMMANDS.get(kind, "")


def _typeset(text: str) -> str:
    """Return text as LaTeX that prints each character in its own column."""
    return "".join(_character(c) for c in unicodedata.normalize("NFC", text))


@lru_cache(maxsize=1024)
def _character(c: str) -> str:
    if c == " ":
        return r"\ "
    if c.isspace() or c in NOT_IN_TYPEWRITER:
        return rf"{{[}}U+{ord(c):04X}{{]}}"
    return str(latex.escape(c))


def _columns(c: str) -> int:
    """Return how many columns a character takes: one, or those of its code point in brackets."""
    return len(f"[U+{ord(c):04X}]") if "U+" in _character(c) else 1

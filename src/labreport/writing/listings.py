"""Listings: excerpts as LaTeX and as Markdown, with the file that they come from and its line numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from labreport.writing import latex
from labreport.writing.excerpts import ELLIPSIS, Difference, Excerpt, Line
from labreport.writing.markdown import code_block, code_span

UNSPLIT = 30
"""The number of lines up to which an excerpt stays on one page."""

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
    "Token.Name.Tag": "LRdefined",  # a key of YAML
}


def to_latex(shown: Excerpt | Difference) -> str:
    """Return the excerpt for labreport.sty: highlighted, with the file's line numbers, on a light ground.

    In a difference each line has its sign before it, and the numbers are those of the new file. The result is
    ordinary LaTeX without any change of category codes: it may stand in an argument.
    """
    if isinstance(shown, Difference):
        return _block(_heading(shown, str), shown.new, _signed(shown))
    rows = [_row("LRline", line, text) for line, text in zip(shown.lines, _code(shown), strict=True)]
    return _block(_heading(shown, str), shown, rows)


def to_markdown(shown: Excerpt | Difference) -> str:
    """Return the excerpt as a block of code below the place it comes from; a difference with its signs."""
    if isinstance(shown, Difference):
        lines = []
        for row in shown.rows:
            text = (shown.old if row.sign == "-" else shown.new).lines[row.at].text
            lines.append(f"  {ELLIPSIS}" if row.sign == ELLIPSIS else f"{row.sign} {text}".rstrip())
        return f"{_heading(shown, code_span)}:\n\n{code_block(chr(10).join(lines), 'diff')}"
    code = "\n".join(line.text for line in shown.lines)
    language = lexer(shown.file).aliases[0]
    return f"{_heading(shown, code_span)}:\n\n{code_block(code, language)}"


def _heading(shown: Excerpt | Difference, name: Callable[[str], str]) -> str:
    """Return the place that code comes from; `name` writes the names of files."""
    if isinstance(shown, Excerpt):
        return f"{name(shown.file)}, {_lines(shown)}"
    new, old = shown.new, shown.old
    place = _lines(old) if old.source == new.source else name(old.file)
    return f"{name(new.file)}, {_lines(new)}, compared with {place}"


def _lines(excerpt: Excerpt) -> str:
    one = excerpt.first == excerpt.last
    return f"line {excerpt.first}" if one else f"lines {excerpt.first}–{excerpt.last}"


def _signed(shown: Difference) -> list[str]:
    """Return the rows of a difference as LaTeX."""
    # the whole excerpts are highlighted: a row alone may be the middle of a string
    new, old = _code(shown.new), _code(shown.old)
    rows = []
    for row in shown.rows:
        line = (shown.old if row.sign == "-" else shown.new).lines[row.at]
        if row.sign == ELLIPSIS:
            indent = " " * (len(line.text) - len(line.text.lstrip()))
            rows.append(_row("LRkept", Line(None, ""), latex.typewriter(indent + ELLIPSIS)))
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
    # breaks are allowed one by one: TeX would leave a single row at the end or the beginning of a page
    bound = [
        ("" if not at else r"\LRbreak" if 3 <= at < len(rows) - 3 else r"\nobreak") + row
        for at, row in enumerate(rows)
    ]
    return "\n".join([rf"\{command}[{widest}]{{{latex.escape(heading)}}}{{%", *bound, "}"])


def _code(excerpt: Excerpt) -> list[str]:
    """Return the lines of an excerpt as LaTeX."""
    return _highlighted("\n".join(line.text for line in excerpt.lines), lexer(excerpt.file))


def lexer(file: str) -> Any:
    """Return the lexer of Pygments for a file: that of Python, or the one for its suffix."""
    from pygments.lexers import get_lexer_for_filename  # type: ignore[import-untyped]
    from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]
    from pygments.lexers.special import TextLexer  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    if file.endswith(".py"):
        return PythonLexer()
    try:
        return get_lexer_for_filename(file)
    except ClassNotFound:
        return TextLexer()


def _highlighted(code: str, lexer: Any) -> list[str]:
    """Return the lines of code as LaTeX."""
    # tokens are joined by their command, so that neighbours in one style make one group of LaTeX
    tokens = [(_command(str(kind)), text) for _, kind, text in lexer.get_tokens_unprocessed(code)]
    lines = [""]
    for command, group in groupby(tokens, key=itemgetter(0)):
        first, *others = ("".join(text for _, text in group)).split("\n")
        lines[-1] += _marked(command, first)
        lines += [_marked(command, part) for part in others]
    return lines


def _marked(command: str, text: str) -> str:
    shown = latex.typewriter(text)
    return rf"\{command}{{{shown}}}" if command and text.strip() else shown


def _command(kind: str) -> str:
    """Return the command for a token type or for the nearest type above it."""
    while kind not in _COMMANDS and kind:
        kind = kind.rpartition(".")[0]
    return _COMMANDS.get(kind, "")

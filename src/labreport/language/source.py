r"""The source of a template: its parts with their places, and whether its statements match.

`\VAR{...}` prints a value, `\BLOCK{...}` is a statement, a line that begins with `%#` is a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jinja2 import TemplateSyntaxError
from jinja2.lexer import Lexer

from labreport.errors import InputError, did_you_mean
from labreport.language.spans import PRIVATE, place_in

SYNTAX: dict[str, Any] = {
    "block_start_string": r"\BLOCK{",
    "block_end_string": "}",
    "variable_start_string": r"\VAR{",
    "variable_end_string": "}",
    # no template holds these: `hide_comments` puts them around the lines that begin with %#
    "comment_start_string": "\ue0f0",
    "comment_end_string": "\ue0f1",
    # a statement alone on its line must leave no blank line, which would end TeX's paragraph
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}
"""What a template looks like, in Jinja's words."""

CLOSED = ("if", "for", "macro", "call", "set", "block", "with", "answer", "claim", "typed", "raw")
"""The statements that an `end…` closes; a `set` with a value needs none."""

STATEMENTS = (
    *CLOSED,
    *(f"end{name}" for name in CLOSED),
    "elif",
    "else",
    "include",
    "import",
    "from",
    "extends",
    "about",
    "undecided",
    "otherwise",
)

PRINTING = (
    "answer",
    "endanswer",
    "claim",
    "undecided",
    "otherwise",
    "endclaim",
    "typed",
    "endtyped",
    "about",
)
"""The statements that leave a mark where they stand."""


@dataclass(frozen=True)
class Part:
    """A part of a template: text, a value that is printed, or a statement; `source` as it was typed."""

    kind: Literal["text", "value", "statement"]
    offset: int
    source: str

    @property
    def name(self) -> str:
        """The statement's name; of a part that is none, its first word."""
        found = re.match(r"\w+", self.source)
        return found[0] if found else ""


def hide_comments(source: str) -> str:
    """Return the source with its comment lines as comments of Jinja, every character in its place."""
    return re.sub(r"(?m)^([ \t]*)%#(.*)$", lambda m: f"{m[1]}\ue0f0{' ' * len(m[2])}\ue0f1", source)


_EATEN = re.compile(
    r"(?<!\\)(?:\\\\)*\\(?P<word>[abfnrtv][A-Za-z]+|x(?![0-9A-Fa-f]{2})[A-Za-z]*|u(?![0-9A-Fa-f]{4})[A-Za-z]*"
    r"|U(?![0-9A-Fa-f]{8})[A-Za-z]*|N(?!\{)[A-Za-z]*)"
)
"""A command of LaTeX, in quotes, that Jinja would read as an escape of Python and the rest."""

Token = tuple[int, str, str]
"""A token of Jinja's lexer: line, kind, text."""


def read(source: str, file: str, lexer: Lexer) -> tuple[list[Part], list[Token]]:
    r"""Return the parts of a template in their order, and its tokens.

    Raises
    ------
    InputError
        At the exact place: a private character, a `\VAR{` that is not closed, a character that no expression
        can contain, an unknown statement, one that is not closed or closes nothing.

    """
    reader = _Reader(source, file, lexer)
    found = list(reader.parts())
    _check_statements([part for part in found if part.kind == "statement"], source, file)
    return found, reader.tokens


class _Reader:
    """Reads a source token by token and knows where it is, also where the lexer fails."""

    def __init__(self, source: str, file: str, lexer: Lexer) -> None:
        self.source, self.file, self.lexer = source, file, lexer
        self.tokens: list[Token] = []
        self.position = 0
        self.opening: tuple[int, str] | None = None

    def parts(self) -> Iterator[Part]:
        if private := PRIVATE.search(self.source):
            what = f"the template contains U+{ord(private[0]):04X}, which has no meaning outside one program"
            raise self.error(what, private.start(), 1, "remove the character")
        hidden = hide_comments(self.source)  # as long as the source: offsets are those of the file
        begin = 0
        try:
            for line, token, text in self.lexer.tokeniter(hidden, None):
                self.tokens.append((line, token, text))
                start = hidden.index(text, self.position)  # Jinja tells lines only; tokens come in order
                self.position = start + len(text)
                if token == "string":
                    self.check_escapes(start, text)
                if token in ("variable_begin", "block_begin"):
                    begin = self.position
                    self.opening = (start, text)
                    self.check_sign(text)
                elif token in ("variable_end", "block_end"):
                    inner = self.source[begin:start]
                    offset = begin + len(inner) - len(inner.lstrip())
                    yield Part("value" if token == "variable_end" else "statement", offset, inner.strip())
                    self.opening = None
                elif token == "data":
                    yield Part("text", start, self.source[start : self.position])
        except TemplateSyntaxError as error:
            raise self.lexical(error.message or "") from error
        if self.opening is not None:
            raise self.unclosed(*self.opening)

    def check_sign(self, opening: str) -> None:
        r"""Refuse `\VAR{-x}`: the sign would be taken for the request to remove the space before."""
        following = self.source[self.position : self.position + 1]
        if opening == r"\VAR{-" and not following.isspace():
            raise self.error(
                r"this minus would be lost: right after \VAR{ it removes the space before it",
                self.position - 1,
                1,
                r"write \VAR{(-value)} for the sign, \VAR{- value} to remove the space",
            )

    def check_escapes(self, start: int, text: str) -> None:
        r"""Refuse `"\texttt"`, which would be a tab and `exttt`."""
        if found := _EATEN.search(text):
            word = found["word"]
            what = rf"the backslash of \{word} would be lost: in quotes, \{word[0]} has a meaning of its own"
            raise self.error(what, start + found.start("word") - 1, len(word) + 1, rf"write \\{word}")

    def lexical(self, message: str) -> InputError:
        """Return the lexer's error at its place: at the opening, if the expression runs into other text."""
        at = len(self.source) - len(self.source[self.position :].lstrip())
        if self.opening is None:
            return self.error(message, at, 1, None)
        if self.source[at : at + 1] in ("\\", '"', "'") or "\n\n" in self.source[self.opening[0] : at]:
            return self.unclosed(*self.opening)
        if message.startswith("unexpected char"):
            message = f"unexpected character {self.source[at]!r} in an expression"
        return self.error(message, at, 1, None)

    def unclosed(self, start: int, text: str) -> InputError:
        return self.error(f"this {text} is never closed", start, len(text), "add the missing } or quote")

    def error(self, what: str, offset: int, length: int, cure: str | None) -> InputError:
        return InputError(what, place=place_in(self.source, self.file, offset, length), cure=cure)


def _check_statements(statements: Sequence[Part], source: str, file: str) -> None:
    """Raise InputError for a statement that is unknown, that nothing closes or that closes nothing."""
    # Jinja itself tells of a missing end at the end of the file
    opened: list[Part] = []
    for part in statements:
        what, cure = "", ""
        inner = opened[-1].name if opened else ""
        if part.name not in STATEMENTS:
            what, cure = f"unknown statement {part.name!r}", did_you_mean(part.name, STATEMENTS)
        elif part.name.startswith("end"):
            if any(part.name == f"end{outer.name}" for outer in opened) and part.name != f"end{inner}":
                raise _never_closed(opened[-1], source, file, before=part)
            if part.name != f"end{inner}":
                what = rf"\BLOCK{{{part.name}}} closes nothing"
                what += f"; the open statement is {inner!r}" if inner else ""
                cure = rf"write \BLOCK{{end{inner}}} before it" if inner else "remove it"
            else:
                opened.pop()
        elif part.name in ("undecided", "otherwise") and inner != "claim":
            what = rf"\BLOCK{{{part.name}}} stands outside a claim"
            cure = r"write it between \BLOCK{claim …} and \BLOCK{endclaim}"
        elif part.name in CLOSED and not re.match(r"set\b[^=]*=", part.source):
            opened.append(part)
        if what:
            place = place_in(source, file, part.offset, max(1, len(part.name)))
            raise InputError(what, place=place, cure=cure)
    if opened:
        raise _never_closed(opened[-1], source, file)


def _never_closed(opened: Part, source: str, file: str, before: Part | None = None) -> InputError:
    """Return the error of a statement that has no end, or none before that of a statement around it."""
    end = rf"\BLOCK{{end{opened.name}}}"
    what, cure = rf"\BLOCK{{{opened.name}}} is never closed", f"add {end}"
    if before is not None:
        line = source.count("\n", 0, before.offset) + 1
        what = rf"\BLOCK{{{opened.name}}} is not closed before \BLOCK{{{before.name}}} in line {line}"
        cure = f"add {end} before it"
    place = place_in(source, file, opened.offset, len(opened.source.split("\n")[0]))
    return InputError(what, place=place, cure=cure)

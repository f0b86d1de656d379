r"""What a place in a LaTeX text is part of: typeset text, mathematics, or something that must stay as it is.

Colour and links can be put around text, and colour around mathematics. They would break the argument of
`\label` or `\num`, a length, a file name, a heading (which is also a bookmark) and whatever else is not known
to be typeset: of a command that is not in the tables below, no argument is text. Invisible marks can stand in
more places, so an argument of an unknown command is kept apart from one that is certainly not typeset.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "mathematics", "cell", "number", "argument", "other"]
"""A "cell" is one of a table in which siunitx reads the numbers itself, and nothing may stand around them, a
"number" is read by one of its commands. An "argument" of a heading, or of a command that is not known, may be
typeset; what is "other" is not."""

COLOURED = ("text", "mathematics", "cell")
"""Where a value can be coloured."""

TEXTS: dict[str, frozenset[int]] = {
    **dict.fromkeys(
        (
            *("textbf", "textit", "textsl", "textsc", "textsf", "textrm", "texttt", "textup", "textmd"),
            *("textnormal", "emph", "underline", "mbox", "fbox", "text", "caption", "footnote", "centerline"),
            *("enquote", "ensuremath", "caption*", "title", "author", "date", "thanks"),
        ),
        frozenset({0}),
    ),
    **dict.fromkeys(
        ("parbox", "textcolor", "href", "raisebox", "colorbox", "scalebox", "rotatebox"), frozenset({1})
    ),
    **dict.fromkeys(("multicolumn", "multirow", "resizebox"), frozenset({2})),
}
"""Which arguments of a command in braces are typeset as they stand; those that count from 0."""

FORMULAS: dict[str, frozenset[int]] = {
    **dict.fromkeys(
        ("sqrt", "bar", "hat", "tilde", "overline", "mathbf", "mathrm", "operatorname", "mathcal"),
        frozenset({0}),
    ),
    **dict.fromkeys(("frac", "tfrac", "dfrac", "binom"), frozenset({0, 1})),
}
"""The same of commands of mathematics."""

NUMBERS = frozenset(
    (
        *(f"{name}{of}" for name in ("num", "qty", "SI") for of in ("", "list", "product", "range")),
        *("si", "unit", "ang", "complexnum", "complexqty", "tablenum"),
    )
)
"""The commands of siunitx that typeset what they read."""

SETTINGS = frozenset(
    (
        *("label", "ref", "eqref", "pageref", "autoref", "nameref", "cref", "Cref", "crefrange", "Crefrange"),
        *("cite", "citep", "citet", "citealp", "citeauthor", "citeyear", "nocite", "bibliography"),
        *("bibliographystyle", "url", "nolinkurl", "path", "hypertarget", "hyperlink", "hyperref"),
        *("hypersetup", "includegraphics", "graphicspath", "input", "include", "includeonly"),
        *("LRfigure", "LRanswer", "LRwidths", "LRerrors", "vspace", "hspace", "addvspace"),
        *("enlargethispage", "rule", "setlength", "addtolength", "settowidth", "setcounter", "addtocounter"),
        *("color", "definecolor", "colorlet"),
        *("pagestyle", "thispagestyle", "pagenumbering", "usepackage", "captionsetup", "sisetup", "cmidrule"),
        *("cline", "tikzset", "newcommand", "renewcommand", "providecommand", "def", "let", "newlength"),
    )
)
"""Commands of whose arguments none is typeset."""

MATHEMATICS = (
    *("equation", "align", "gather", "multline", "flalign", "alignat", "eqnarray"),
    *("displaymath", "math"),
)
BARE = frozenset(
    (
        *("midrule", "toprule", "bottomrule", "hline", "addlinespace", "item", "par", "noindent"),
        *("quad", "qquad", "centering"),
        *("bfseries", "itshape", "slshape", "scshape", "ttfamily", "sffamily", "rmfamily", "normalfont"),
        *("tiny", "scriptsize", "footnotesize", "small", "normalsize", "large", "Large", "LARGE", "huge"),
        *("raggedright", "raggedleft", "clearpage", "newpage", "hfill", "ldots", "dots"),
        *(f"begin {name}" for name in ("document", "center", "quote", "quotation", "itemize", "enumerate")),
        *(f"begin {name}" for name in ("description", "abstract", "flushleft", "flushright")),
    )
)
"""Commands and environments without arguments: the group that follows one is a group of the text."""

TABLES = {"tabular": 1, "tabular*": 2, "tabularx": 2, "longtable": 1, "array": 1}
"""How many arguments stand before the rows of a table; the last one says what its columns are."""

PICTURES = ("tikzpicture", "picture", "pgfpicture", "axis", "algorithmic", "filecontents", "comment")

_TOKEN = re.compile(r"\\[A-Za-z@]+\*?|\\.|\$\$|[{}\[\]$]|[^\s\\{}\[\]$]+|\s+", re.DOTALL)
_ENVIRONMENT = re.compile(r"\{([^{}]*)\}")


@dataclass
class _Frame:
    """A group that is open: what its content is, what closes it, and the kind around it."""

    kind: Kind
    closing: str
    name: str = ""
    number: int = 0  # the argument that it is


@dataclass
class _Scanner:
    """Reads a text once, and notes where the kind of what is read changes."""

    text: str
    frames: list[_Frame] = field(default_factory=lambda: [_Frame("text", "")])
    changes: list[tuple[int, Kind, int]] = field(default_factory=list)
    command: str = ""  # whose arguments may follow
    argument: int = 0
    groups: int = 0
    is_apart: bool = False  # by blanks from what follows

    def scan(self, start: int) -> None:
        position = start
        self._note(position)
        while position < len(self.text):
            found = _TOKEN.match(self.text, position)
            assert found is not None  # each character is part of a token
            position = self._read(found[0], found.end())
            self._note(position)

    def _note(self, position: int) -> None:
        if not self.changes or self.changes[-1][1:] != (self.frames[-1].kind, self.groups):
            self.changes.append((position, self.frames[-1].kind, self.groups))

    def _open(self, kind: Kind, closing: str, number: int = 0) -> None:
        self.groups += 1
        self.frames.append(_Frame(kind, closing, self.command, number))
        self.command = ""  # what stands in its argument is not another one

    def _close(self, closing: str) -> bool:
        if self.frames[-1].closing != closing or len(self.frames) == 1:
            return False
        self.groups += 1  # what follows is another piece, also where the kind is the same
        self.frames.pop()
        return True

    def _read(self, token: str, end: int) -> int:
        """Take a token that ends at a place; return where the next one begins."""
        if token.startswith("\\"):
            return self._control(token[1:], end)
        if token == "{":
            around = self.frames[-1].kind
            group: Kind = "text" if around == "cell" else around  # siunitx does not read what is in braces
            self._open(self._argument_kind() if self.command else group, "}", self.argument)
        elif token == "}":
            closed = self.frames[-1]
            if self._close("}"):
                self.command, self.argument = closed.name, closed.number + 1
        elif token == "[" and self.command and not self.argument and not self.is_apart:
            self._open("other", "]", self.argument)
        elif token == "]" and self.frames[-1].closing == "]":
            closed = self.frames[-1]
            self._close("]")
            self.command, self.argument = closed.name, closed.number
        elif token in ("$", "$$"):
            if not self._close(token):
                self._open(self._formula(), token)
            self.command = ""
        elif not token.isspace():
            self.command = ""
        self.is_apart = token.isspace()
        return end

    def _argument_kind(self) -> Kind:
        """Return what the next argument of the command is."""
        around, name = self.frames[-1].kind, self.command.rstrip("*")
        if around == "other" or name in SETTINGS or name.startswith("begin "):
            return "other"
        if name in NUMBERS:
            return "number"
        known = TEXTS if around in ("text", "cell") else TEXTS | FORMULAS
        if self.command not in known:
            return "argument"
        if self.argument not in known[self.command]:
            return "other"
        return "text" if around == "cell" else around

    def _formula(self) -> Kind:
        """Return what a formula that begins here is: where no colour may stand, it is as all around."""
        around = self.frames[-1].kind
        return "mathematics" if around in COLOURED else around

    def _control(self, name: str, end: int) -> int:
        self.command, self.argument = "", 0
        if name in ("begin", "end") and (found := _ENVIRONMENT.match(self.text, end)):
            return self._environment(name, found[1], found.end())
        if name in ("(", "["):
            self._open(self._formula(), f"\\{name}")
        elif name in (")", "]"):
            self._close("\\(" if name == ")" else "\\[")
        elif (name[0].isalpha() or name[0] == "@") and name not in BARE:
            self.command = name
        self.is_apart = False
        return end

    def _environment(self, begin_or_end: str, name: str, end: int) -> int:
        bare = name.rstrip("*")
        if begin_or_end == "end":
            self._close(f"end {name}")
            return end
        around = self.frames[-1].kind
        kind: Kind = around
        if bare in MATHEMATICS:
            kind = self._formula()
        elif name in PICTURES:
            kind = "other"
        elif name in TABLES:
            self.changes.append((end, "other", self.groups))
            columns, end = self._columns(name, end)
            if "S" in columns:
                kind = "cell" if around in ("text", "cell") else "other"
            else:
                kind = around
        self._open(kind, f"end {name}")
        # of the arguments of other environments, none is text
        self.command = "" if name in TABLES or f"begin {name}" in BARE else f"begin {name}"
        return end

    def _columns(self, name: str, at: int) -> tuple[str, int]:
        """Return the letters of a table's columns, and where its rows begin."""
        option = re.compile(r"\s*\[[^\]]*\]").match(self.text, at)
        at = option.end() if option else at
        columns = ""
        for _ in range(TABLES[name]):
            found = _GROUP.match(self.text, at)
            columns, at = (found[1], found.end()) if found else ("", at)
        # what stands between columns, before cells or as an option of a column is none
        return re.sub(r"\[[^\]]*\]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}", "", columns), at


_GROUP = re.compile(r"\s*\{((?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*)\}")
"""Matches a group in braces with groups in it, three deep."""


class Contexts:
    """The contexts of all places between the begin and the end of a document."""

    def __init__(self, text: str) -> None:
        from labreport.writing import Source  # it brings Jinja2, which `explain` does without

        # comments and verbatim text are blanks there, in the same places
        self.source = Source(text)
        scanner = _Scanner(self.source.clean)
        scanner.scan(self.source.begin.end() if self.source.begin else len(text))
        self._starts = [change[0] for change in scanner.changes]
        self._kinds = [change[1] for change in scanner.changes]

    def of(self, start: int, end: int) -> Kind:
        """Return what the text between two offsets is if it is a whole that may be wrapped, else "other"."""
        at = bisect_right(self._starts, start) - 1
        if at < 0 or not self._is_whole(start, end):
            return "other"
        return self._kinds[at]

    def _is_whole(self, start: int, end: int) -> bool:
        """Return whether nothing that begins in a piece of text ends outside it, and it is one cell."""
        text = self.source.clean[start:end]
        if text != self.source.text[start:end]:  # a part of it is a comment, or verbatim
            return False
        depth = 0
        for found in re.finditer(r"\\.|[{}&]", text, re.DOTALL):
            depth += (found[0] == "{") - (found[0] == "}")
            if depth < 0 or found[0] in ("&", r"\\"):
                return False
        return depth == 0 and len(re.findall(r"(?<!\\)(?:\\\\)*\$", text)) % 2 == 0


def cells(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Yield where the parts of a printed text begin and end that stand in cells of their own."""
    for part in re.finditer(r"(?:\\.|[^&\\])+", text, re.DOTALL):
        inner = part[0].strip()
        if inner:
            begin = start + part.start() + part[0].index(inner)
            yield begin, begin + len(inner)

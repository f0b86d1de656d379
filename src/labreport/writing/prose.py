r"""What a reader reads of generated LaTeX: running text and formulas, without what TeX alone reads.

Labels, references, citations, dimensions, columns' forms, addresses and code are left out. Nothing moves: the
words and the formulas are as long as the text, with blanks in the place of all else, so that an offset in one
is an offset in the other.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from labreport.writing.latex_source import CITATIONS, RANGES, REFERENCES, VERBATIM, Source, group_end

VALUE = "\ufffc"
"""What stands for each character of a printed value: a reader sees something, the author typed nothing."""


LONGEST_OPTION = 1000


@dataclass(frozen=True)
class Prose:
    """A text as it is read: `source` with its values hidden; its words, its formulas, where these stand."""

    source: str
    words: str
    formulas: str
    mathematics: tuple[tuple[int, int], ...]


def read_latex(text: str, values: Iterable[tuple[int, int]] = (), names: Collection[str] = ()) -> Prose:
    r"""Return a document as it is read, with values hidden, given by where they start and end.

    `names` are commands whose arguments are parts of a name: \net{3}{3} of `\newcommand\net[2]{…}`.
    """
    hidden, position = [], 0
    for start, end in values:
        hidden += [text[position:start], VALUE * (end - start)]
        position = end
    hidden.append(text[position:])
    source = Source("".join(hidden)).body
    return _Reader(source, frozenset(names)).read()


# --------------------------------------------------------------------------------------------- what TeX reads

_SILENT = {
    # How many arguments are not read as text, by a pattern for the command; options go with them.
    rf"label|{REFERENCES}|{CITATIONS}|nocite|hyperref|href|url|path|bibliography|bibliographystyle": 1,
    r"includegraphics|LR[a-z]+|input|include|usepackage|hypersetup|pagestyle|thispagestyle|bibitem": 1,
    r"[hv]space|raisebox|parbox|color|textcolor|colorbox|pagecolor|cline|cmidrule": 1,
    r"texttt|lstinline|mintinline|lstinputlisting|linespread|tag|end|pagenumbering|scalebox|captionof": 1,
    rf"LRsymbol|{RANGES}|setlength|addtolength|setcounter|addtocounter|rule|multirow|fontsize|resizebox": 2,
    r"(?:re)?newcommand|providecommand|DeclareMathOperator|def|let|multicolumn|sisetup": 2,
    r"definecolor": 3,
    r"addlinespace|linebreak|pagebreak|nolinebreak|nopagebreak|suppressfloats|enlargethispage": 0,
}
_SILENT_NAMES = [(re.compile(rf"(?:{pattern})\*?"), number) for pattern, number in _SILENT.items()]
_ARGUMENTS = {
    **dict.fromkeys(("tabular", "longtable", "array", "minipage", "multicols", "adjustbox"), 1),
    **dict.fromkeys(("tabular*", "tabularx", "wrapfigure", "wraptable"), 2),
}
_MATHEMATICS = (
    "math",
    "displaymath",
    "equation",
    "align",
    "gather",
    "multline",
    "eqnarray",
    "flalign",
    "alignat",
)
_UNREAD = (*VERBATIM, "thebibliography", "tikzpicture", "comment", "filecontents")
_WORDS = {"text", "mbox", "textrm", "textit", "textbf", "intertext", "hbox"}  # running text inside a formula
_CLOSING = {"$": "$", "$$": "$$", r"\(": r"\)", r"\[": r"\]"}

_COMMAND = re.compile(r"\s*\\[a-zA-Z@]+")
_TOKEN = re.compile(
    r"(?P<dimension>(?<![\w.])-?(?:\d+(?:\.\d*)?|\.\d+)(?:(?:pt|em|ex|bp|sp|mu)\b|\\[a-z]*(?:width|height|skip|sep)\b))"
    r"|\\(?P<name>[a-zA-Z@]+\*?)|\\(?P<sign>.)|(?P<dollar>\$\$?)|(?P<brace>[{}~])",
    re.DOTALL,
)


class _Reader:
    """Copies what is read from a text to the words and the formulas, at the same offsets."""

    def __init__(self, text: str, names: frozenset[str]) -> None:
        self.text, self.names = text, names
        blank = re.sub(r"[^\n]", " ", text)
        self.words, self.formulas = list(blank), list(blank)
        self.spans: list[tuple[int, int]] = []

    def read(self) -> Prose:
        self.walk(0, len(self.text), self.words)
        return Prose(self.text, "".join(self.words), "".join(self.formulas), tuple(sorted(self.spans)))

    def walk(self, at: int, end: int, into: list[str]) -> None:
        """Read a part of the text as words, or as a formula."""
        while (token := _TOKEN.search(self.text, at, end)) is not None:
            into[at : token.start()] = self.text[at : token.start()]
            at = self.token(token, end, into)
        into[at:end] = self.text[at:end]

    def token(self, token: re.Match[str], end: int, into: list[str]) -> int:
        """Read one token; return where the next begins."""
        is_formula = into is self.formulas
        opening = token["dollar"] or (token[0] if token[0] in _CLOSING else None)
        if opening and not is_formula:
            return self.formula(token.end(), self.find(_CLOSING[opening], token.end(), end), len(opening))
        if token["name"]:
            return self.command(token["name"], token, into)
        if token["sign"] == "\\":
            return self.skip(token.end(), 0)
        if is_formula:
            into[token.start() : token.end()] = token[0]
        elif token["sign"] and token["sign"] in "%&#$_":
            into[token.start() + 1] = token["sign"]
        return token.end()

    def find(self, closing: str, at: int, end: int) -> int:
        """Return where what was opened closes, at the latest where the part ends."""
        while (found := self.text.find(closing, at, end)) >= 0:
            if closing[0] == "\\" or self.text[found - 1] != "\\":
                return found
            at = found + 1
        return end

    def formula(self, start: int, end: int, closing: int) -> int:
        self.spans.append((start, end))
        self.walk(start, end, self.formulas)
        return end + closing

    def command(self, name: str, token: re.Match[str], into: list[str]) -> int:
        at = token.end()
        if name == "begin":
            return self.environment(at, into)
        if name == "lstinline":
            at = self.skip_options(at)
        if name in ("verb", "verb*") or (name == "lstinline" and not self.text.startswith("{", at)):
            return self.text.find(self.text[at : at + 1], at + 1) + 1 or at
        if name.rstrip("*") in self.names:
            return self.skip(at, 9)
        if name == "tikz":  # a drawing in the line: up to its semicolon, or a group
            at = self.skip_options(at)
            return group_end(self.text, at, "{", "}") or self.text.find(";", at) + 1 or at
        for pattern, arguments in _SILENT_NAMES:
            if pattern.fullmatch(name):
                return self.skip(at, arguments)
        if into is self.formulas:
            if name in _WORDS and (after := group_end(self.text, at, "{", "}")) is not None:
                self.walk(self.text.index("{", at) + 1, after - 1, self.words)
                return after
            into[token.start() : at] = token[0]
        return at

    def environment(self, at: int, into: list[str]) -> int:
        """Read what `begin` opens: a formula, what nobody reads, or text after options and arguments."""
        after = self.skip(at, 1)
        name = self.text[at:after].strip().strip("{}")
        end = self.text.find(rf"\end{{{name}}}", after)
        if end >= 0 and name in _UNREAD:
            return end
        if end >= 0 and name.rstrip("*") in _MATHEMATICS and into is self.words:
            return self.formula(self.skip(after, 1) if name.startswith("alignat") else after, end, 0)
        return self.skip(after, _ARGUMENTS.get(name, 0))

    def skip(self, at: int, arguments: int) -> int:
        """Return the offset after options and as many arguments, which are groups or commands."""
        at = self.skip_options(at)
        if self.text.startswith("(", at) and arguments:  # \cmidrule(lr){2-3}
            at = self.text.find(")", at, at + LONGEST_OPTION) + 1 or at
        for left in reversed(range(arguments)):
            command = _COMMAND.match(self.text, at)
            after = command.end() if command else group_end(self.text, at, "{", "}")
            if after is None:
                break
            # what follows the last argument in brackets is text again
            at = self.skip_options(after) if left else after
        return at

    def skip_options(self, at: int) -> int:
        # a bracket that nobody closes is looked for no further than options are long
        while self.text.find("]", at, at + LONGEST_OPTION) >= 0:
            after = group_end(self.text, at, "[", "]")
            if after is None:
                break
            at = after
        return at

r"""What an author typed in LaTeX: floats, pictures, code, references and citations.

What rendering put there (figures of results, excerpts, answers) is known from the document and not read here.

This is no TeX: it knows groups in braces and brackets, comments and environments, which is enough for what
templates are written in. All offsets are those of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

FLOATS = {
    name + star: kind
    for kind, names in (
        ("figure", ("figure", "wrapfigure", "sidewaysfigure")),
        ("table", ("table", "wraptable", "sidewaystable", "longtable")),
        ("listing", ("listing",)),
    )
    for name in names
    for star in ("", "*")
}
"""What kind of float an environment makes."""

BEGIN = re.compile(r"\\begin\s*\{document\}")
END = re.compile(r"\\end\s*\{document\}")
"""Where the document begins and ends: TeX skips blanks after the name of a command."""

_DELIMITER = re.compile(r"\\.|[{}\]]", re.DOTALL)
VERBATIM = ("verbatim", "verbatim*", "Verbatim", "lstlisting", "minted")
REFERENCES = r"(?:[cC]|auto|page|name|eq|v|labelc|namec|nameC|[cC]page)?ref\*?"
RANGES = r"[cC]refrange\*?"
REFERENCE = re.compile(rf"\\(?:{REFERENCES}|{RANGES}){{([^{{}}]*)}}(?:{{([^{{}}]*)}})?")
"""A reference, with the labels that it names."""
CITATIONS = r"[cC]ite(?:t|p|alt|alp|author|year|yearpar|text|num)?\*?"

_NAMING = re.compile(
    rf"(\\(?:label|{REFERENCES}|{RANGES}|(?:no)?{CITATIONS}|(?:text|paren|foot|auto)cite\*?|hypertarget|hyperlink"
    r"|includegraphics|input|include|bibliography|addbibresource|begin|end))"
    r"(?:\s*\[[^\[\]]*\])*\s*\{(?:[^{}\\]|\\VAR\{[^{}]*\})*\\VAR\{[-+]?\s*\Z"
)
LONGEST_NAME = 500


@dataclass(frozen=True)
class Command:
    """A command with its arguments as written; `options` is the text in brackets before the first."""

    name: str
    start: int
    end: int
    options: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Float:
    """A figure, table or listing: its first caption, and its labels, of which some may stand too early."""

    kind: str
    start: int
    end: int
    caption: str | None
    labels: tuple[str, ...]
    early: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """An included picture; `alt` is None where nothing is said to those who cannot see it."""

    start: int
    file: str
    options: str
    alt: str | None


@dataclass(frozen=True)
class Code:
    """Code that is shown: of which file of the project, if it is an excerpt, and the numbers of its lines.

    `rows` counts all lines as they are printed.
    """

    start: int
    file: str | None
    rows: int
    numbers: frozenset[int]


class Source:
    """The text of a LaTeX document; floats, pictures and code are looked for between its begin and end."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.clean = _cleaned(text)
        self.begin = BEGIN.search(self.clean)
        begin = self.begin.start() if self.begin else 0
        # blanked, not cut: definitions in the preamble do not count, and offsets stay those of the text
        self.body = " " * begin + self.clean[begin:]

    def is_read(self, offset: int) -> bool:
        """Return whether TeX reads what stands at an offset as a part of the pages, and no comment."""
        return self.body[offset] == self.text[offset]

    def commands(self, names: str, arguments: int = 1) -> list[Command]:
        """Return all commands whose name matches a pattern, with this many arguments in braces."""
        return list(_commands(self.body, names, arguments))

    @cached_property
    def floats(self) -> tuple[Float, ...]:
        """The figures, tables and listings, in their order."""
        names = "|".join(map(re.escape, FLOATS))
        return tuple(self._float(match) for match in re.finditer(rf"\\begin\{{({names})\}}", self.body))

    def _float(self, match: re.Match[str]) -> Float:
        end = self.body.find(rf"\end{{{match[1]}}}", match.end())
        end = end if end >= 0 else len(self.body)
        inside = self.body[match.end() : end]
        captions = [c for c in _commands(inside, r"caption\*?") if c.arguments[0].strip()]
        labels = list(_commands(inside, "label"))
        first = captions[0].start if captions else 0
        return Float(
            kind=FLOATS[match[1]],
            start=match.start(),
            end=end,
            caption=captions[0].arguments[0] if captions else None,
            labels=tuple(c.arguments[0] for c in labels),
            early=tuple(c.arguments[0] for c in labels if c.start < first),
        )

    def float_at(self, offset: int) -> Float | None:
        """Return the float around an offset."""
        return next((f for f in self.floats if f.start <= offset < f.end), None)

    @cached_property
    def pictures(self) -> tuple[Picture, ...]:
        """The included pictures, with the words of their alternative texts."""
        described = [
            Picture(c.start, c.arguments[0], c.options, _from_hexadecimal(c.arguments[1]))
            for c in self.commands("LRfigure", 2)
        ]
        bare = [
            Picture(c.start, c.arguments[0], c.options, None) for c in self.commands(r"includegraphics\*?")
        ]
        return tuple(sorted((*described, *bare), key=lambda picture: picture.start))

    @cached_property
    def scaled(self) -> tuple[tuple[int, int], ...]:
        """Where commands stand that scale what is in them: start and end."""
        boxes = (*self.commands("resizebox", 3), *self.commands("scalebox", 2))
        return tuple((c.start, c.end) for c in boxes)

    @cached_property
    def verbatim(self) -> tuple[Code, ...]:
        """The code that was typed between verbatim environments."""
        names = "|".join(map(re.escape, VERBATIM))
        found = re.finditer(rf"\\begin\{{({names})\}}(.*?)\\end\{{\1\}}", self.text, re.DOTALL)
        return tuple(Code(m.start(), None, len(m[2].strip("\n").split("\n")), frozenset()) for m in found)

    @cached_property
    def references(self) -> tuple[tuple[int, str], ...]:
        """Where the document refers to a label: offset and label, for each of a list."""
        found = (*_commands(self.clean, REFERENCES), *_commands(self.clean, RANGES, 2))
        return tuple((c.start, key) for c in found for part in c.arguments for key in _keys(part))

    @cached_property
    def citations(self) -> tuple[tuple[int, str], ...]:
        """Where the document cites an entry of the bibliography: offset and key, for each of a list."""
        found = _commands(self.clean, CITATIONS)
        return tuple((c.start, key) for c in found for key in _keys(c.arguments[0]))


def plain(text: str) -> str:
    """Return the words of a piece of LaTeX, without commands, braces and what separates them."""
    text = re.sub(r"\\([&%$#_{}])", r"\1", text)
    text = re.sub(r"\\[a-zA-Z@]+\*?\s?|\\.|~", " ", text)
    return re.sub(r"\s+", " ", re.sub(r"[{}$]", "", text)).strip()


def entries(bib: str) -> list[tuple[int, str]]:
    """Return the entries of a BibTeX file: offset and key."""
    found = re.finditer(r"^\s*@(\w+)\s*[{(]\s*([^\s,{}()]+)\s*,", bib, re.MULTILINE)
    return [(m.start(1), m[2]) for m in found if m[1].lower() not in ("comment", "string", "preamble")]


def _keys(argument: str) -> list[str]:
    return [key.strip() for key in argument.split(",") if key.strip() and "#" not in key]


def _cleaned(text: str) -> str:
    """Return the text with blanks where comments stand, what is skipped, and what is verbatim."""
    names = "|".join(map(re.escape, (*VERBATIM, "comment")))
    pattern = (
        rf"(?s:\\begin\{{({names})\}}.*?\\end\{{\1\}})|(?<!\\)(?:\\\\)*(%.*)"
        r"|(?s:\\iffalse(?![a-zA-Z]).*?\\(?:fi|else)(?![a-zA-Z]))"
    )

    def blank(match: re.Match[str]) -> str:
        start = match.start(2) - match.start() if match[2] else 0
        return match[0][:start] + re.sub(r"[^\n]", " ", match[0][start:])

    return re.sub(pattern, blank, text)


def _commands(text: str, names: str, arguments: int = 1) -> Iterator[Command]:
    """Yield the commands whose name matches, each with its options and arguments."""
    for match in re.finditer(rf"\\((?:{names}))(?![a-zA-Z@*])", text):
        at, options = match.end(), []
        while (end := group_end(text, at, "[", "]")) is not None:
            options.append(text[_begin(text, at) + 1 : end - 1])
            at = end
        found: list[str] = []
        while len(found) < arguments and (end := group_end(text, at, "{", "}")) is not None:
            found.append(text[_begin(text, at) + 1 : end - 1])
            at = end
        if len(found) == arguments:
            yield Command(match[1], match.start(), at, ",".join(options), tuple(found))


def _begin(text: str, at: int) -> int:
    """Return where the next character stands that is no blank."""
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def group_end(text: str, at: int, opening: str, closing: str) -> int | None:
    """Return the offset after a group that begins at an offset, blanks aside; None if there is none."""
    at = _begin(text, at)
    if text[at : at + 1] != opening:
        return None
    depth = 0  # of braces within the group
    for match in _DELIMITER.finditer(text, at + 1):
        if match[0] == closing and depth == 0:
            return match.end()
        depth += (match[0] == "{") - (match[0] == "}")
        if depth < 0:
            return None
    return None


def _from_hexadecimal(digits: str) -> str:
    """Return the text that `latex.hexadecimal` has written."""
    try:
        return bytes.fromhex(digits).decode("utf-16-be")
    except ValueError:  # written by hand
        return ""


def takes_name(before: str) -> str | None:
    r"""Return the command in whose argument a template's text ends if it takes a name, as \label does."""
    found = _NAMING.search(before[-LONGEST_NAME:])
    return found[1] if found else None

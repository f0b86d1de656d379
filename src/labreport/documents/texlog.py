"""TeX's and BibTeX's logs, read: what they complain about, with places in the sources."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from labreport.errors import Place

NOTICES = frozenset({"overfull", "underfull", "font", "warning", "bibtex-warning", "foreign-label"})

SENTINEL = "labreport: complete"
"""What a document writes into the log as its last words: without them, TeX stopped before the end."""

ENDED_EARLY = "the document ended before its last line"
_STOP = "Emergency stop"


@dataclass(frozen=True)
class Problem:
    """What TeX or BibTeX complains about; all but the kinds of `NOTICES` make the compilation fail.

    `file` is relative to the folder where it lies inside. `context` is the source line's text up to the point
    where TeX stopped (its end only, when TeX cut it). `key` is the label, the citation's key, the undefined
    command or the lost character; `points` the width that stands out; `runaway` the argument without an end.
    `macros` are those that TeX was expanding, `also` another place that has to do with it: words, file, line.
    """

    kind: str
    message: str
    file: str
    line: int | None = None
    context: str = ""
    key: str | None = None
    points: float | None = None
    runaway: str = ""
    macros: tuple[str, ...] = ()
    also: tuple[str, str, int] | None = None

    @property
    def fatal(self) -> bool:
        """Whether the PDF must not be published."""
        return self.kind not in NOTICES

    def __str__(self) -> str:
        return f"{Place(self.file, self.line)}: {self.message}"


def decisive_first(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems without repetitions and without those that only follow from others.

    A citation that TeX and BibTeX both miss is reported once, with TeX's line. Where BibTeX made no
    bibliography, citations and references are undefined for that one reason. A run that an error has
    stopped knows no labels yet.
    """
    out = list(dict.fromkeys(problems))
    if any(p.kind == "error" for p in out):
        out = [p for p in out if p.kind not in ("undefined-reference", "undefined-citation", "unsettled")]
    missed = {p.key for p in out if p.kind == "undefined-citation"}
    out = [
        p for p in out if not (p.kind == "bibtex" and "database entry for" in p.message and p.key in missed)
    ]
    if any(p.kind == "bibtex" and p.key is None for p in out):
        # nothing was set again after it
        out = [p for p in out if p.kind not in ("undefined-citation", "undefined-reference", "unsettled")]
    return sorted(out, key=lambda p: p.key is not None and p.kind == "bibtex")


def page_count(log: str) -> int:
    """Return the number of pages of the last run."""
    counts = re.findall(r"^Output written on .*\((\d+) pages?", log, re.MULTILINE)
    return int(counts[-1]) if counts else 0


def last_page(log: str) -> str:
    """Return the last page that was finished, as words."""
    pages = re.findall(r"\[(\d+)\b", log)
    return f"; the last finished page was {pages[-1]}" if pages else ""


# ---------------------------------------------------------------------------------------------- the log

_ERROR = re.compile(r"^(?:(?P<file>\.?/[^:]*):(?P<line>\d+): |! ?)(?P<message>.*)$")
_MACRO = re.compile(r"^(\\[A-Za-z@]+) .*?->")
_SOURCE_LINE = re.compile(r"^l\.(\d+) (.*)$")
_MESSAGE = re.compile(
    r"^(?:(?P<kernel>LaTeX(?: Font| hooks)?)|(?P<type>Package|Class) (?P<name>\S+)|(?P<pdftex>pdfTeX)) "
    r"(?P<level>Warning|warning|Info|info|Message)\b(?: \((?P<detail>[^)]*)\))?: (?P<text>.*)$"
)
_BOX = re.compile(
    r"^(?P<what>Overfull|Underfull) \\[hv]box \((?:(?P<points>[\d.]+)pt too \w+|badness (?P<badness>\d+))\)"
    r"(?P<where>.*?)(?:lines? (?P<line>\d+)(?:--\d+)?)?$"
)
_LOST = re.compile(
    r"^Missing character: There is no (?P<character>.+?) (?:\(.*?\) )?in font (?P<font>[^!]+)!"
)
_OPEN = re.compile(r"^\(?\\end occurred (?P<what>.+?)\)? *$")
_GROUP = re.compile(r"^### .* entered at line (\d+)")
_RUNAWAY = re.compile(r"^Runaway (?:argument|definition|preamble|text)\?$")
_FILE = re.compile(r"\((?P<file>\.?/[^\s()]+)|[()]")

# Warnings that fail the build: kind, pattern of the text; `key` is what is named.
_WARNINGS = (
    (
        "undefined-reference",
        re.compile(
            r"(?:Hyper r|R)eference `(?P<key>.*)' on page .* undefined(?: on input line (?P<line>\d+))?"
        ),
    ),
    (
        "undefined-citation",
        re.compile(r"Citation `(?P<key>.*)' (?:on page .*)?undefined(?: on input line (?P<line>\d+))?"),
    ),
    ("duplicate-label", re.compile(r"Label `(?P<key>.*(?<!@cref))' multiply defined(?P<line>)")),
    (
        "unsettled",
        re.compile(
            r"(?P<key>)(?:Label\(s\)|Citation\(s\)) may have changed|Table widths have changed(?P<line>)"
        ),
    ),
)
# what LaTeX only sums up at the end, or what the next run settles
_SUMMARIES = re.compile(
    r"There were (undefined|multiply)|`.*@cref' multiply|Empty bibliography|`!?h' float specifier|"
    r"Some font shapes|Size substitutions|No file .*\.(bbl|aux|toc)"
)


def read_log(log: str, main: str) -> list[Problem]:
    """Return all problems that a log of pdflatex tells, in its order; `main` is the compiled file."""
    return _without_stop(list(_LogReader(log, main).problems()))


def _without_stop(problems: list[Problem]) -> list[Problem]:
    """Return the problems without TeX's "Emergency stop", which tells the place of the error before it."""
    errors = [at for at, p in enumerate(problems) if p.kind == "error"]
    stops = [at for at in errors if problems[at].message == _STOP]
    if not stops:
        return problems
    stop = problems.pop(stops[0])
    if errors[0] == stops[0]:
        problems.append(replace(stop, kind="truncated", message=ENDED_EARLY))
    elif problems[errors[0]].line is None:
        problems[errors[0]] = replace(problems[errors[0]], file=stop.file, line=stop.line)
    return problems


class _LogReader:
    """Reads a log line by line, and follows in which file TeX is: `(./name` opens one, `)` closes it."""

    def __init__(self, log: str, main: str) -> None:
        self.lines = log.replace("\r", "").split("\n")
        self.at = 0
        self.main = main
        self.open: list[str | None] = []
        self.runaway = ""

    def problems(self) -> Iterator[Problem]:
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            if match := _ERROR.match(line):
                yield from self._error(match)
            elif match := _MESSAGE.match(line):
                yield from self._message(match)
            elif match := _BOX.match(line):
                yield from self._box(match)
            elif match := _LOST.match(line):
                yield from self._lost(match)
            elif match := _OPEN.match(line):
                yield self._unclosed(match)
            elif _RUNAWAY.match(line):
                self.runaway = "" if _ERROR.match(self._peek()) else self._next().strip()
            else:
                self._follow(line)

    @property
    def file(self) -> str:
        """The document's file that TeX reads now; files of the system are not meant."""
        inside = (name for name in reversed(self.open) if name and not name.startswith("/"))
        return next(inside, self.main)

    def _peek(self) -> str:
        return self.lines[self.at] if self.at < len(self.lines) else ""

    def _next(self) -> str:
        line = self._peek()
        self.at += 1
        return line

    def _follow(self, line: str) -> None:
        for match in _FILE.finditer(line):
            if match[0] != ")":  # brackets around no file count, too: each `)` must find its own
                self.open.append(_relative(match["file"]) if match["file"] else None)
            elif self.open:
                self.open.pop()

    def _error(self, match: re.Match[str]) -> Iterator[Problem]:
        message = match["message"].strip()
        if "==> Fatal error" in message:
            return  # it repeats that TeX stopped
        if "Error: " in message:
            message = " ".join([message, *self._until_blank()])
        above, line, context = self._stop()
        runaway, self.runaway = self.runaway, ""
        yield Problem(
            "error",
            _clean(message),
            _relative(match["file"]) if match["file"] else self.file,
            int(match["line"]) if match["line"] else line or _number(message),
            context,
            key=_last_command([*above, context]) if message.startswith("Undefined control") else None,
            runaway=runaway,
            macros=tuple(found[1] for text in above if (found := _MACRO.match(text))),
        )

    def _stop(self) -> tuple[list[str], int | None, str]:
        """Return the lines below an error, the source line's number and its text up to where TeX stopped."""
        above: list[str] = []
        for at in range(self.at, min(self.at + 80, len(self.lines))):
            if match := _SOURCE_LINE.match(self.lines[at]):
                self.at = at + 2
                return above, int(match[1]), _uncut(match[2])
            if _ERROR.match(self.lines[at]):
                break
            above.append(self.lines[at])
        return above, None, ""

    def _until_blank(self) -> list[str]:
        """Return the rest of a message, without the package's name before each line."""
        out = []
        while self.at < len(self.lines) and (line := self.lines[self.at]).strip():
            if line.startswith(("See the ", "Type ", "For immediate help", "l.", " ...", "<")):
                break
            out.append(re.sub(r"^\([\w.-]+\)\s+", "", line).strip())
            self.at += 1
        return out

    def _message(self, match: re.Match[str]) -> Iterator[Problem]:
        text = [match["text"]]
        prefix = f"({match['name'] or ('Font' if match['kernel'] == 'LaTeX Font' else 'LaTeX')})"
        while self.at < len(self.lines) and self.lines[self.at].startswith(prefix + "  "):
            text.append(self._next()[len(prefix) :].strip())
        message = " ".join(text)
        if match["level"].lower() == "warning" and not _SUMMARIES.search(message):
            yield self._warning(message, match["name"], font=match["kernel"] == "LaTeX Font")

    def _warning(self, message: str, package: str | None, *, font: bool) -> Problem:
        for kind, pattern in _WARNINGS:
            if match := pattern.search(message):
                line = int(match["line"]) if match["line"] else None
                return Problem(kind, _clean(message), self.file, line, key=match["key"] or None)
        points = re.search(r"Float too large for page by ([\d.]+)pt", message)
        kind = "font" if font else "overfull" if points else "warning"
        return Problem(
            kind,
            _clean(f"{package}: {message}" if package else message),
            self.file,
            _number(message),
            points=float(points[1]) if points else None,
        )

    def _box(self, match: re.Match[str]) -> Iterator[Problem]:
        content = []
        while self.at < len(self.lines) and self.lines[self.at].strip():
            content.append(self._next())
        problem = Problem(
            match["what"].lower(),
            match[0],
            self.file,
            int(match["line"]) if match["line"] else None,
            _box_text(" ".join(content)),
            points=float(match["points"]) if match["points"] else None,
        )
        # of underfull boxes only those of infinite badness can be seen: 10000 in TeX
        if match["what"] == "Overfull" or match["badness"] == "10000":
            yield problem

    def _lost(self, match: re.Match[str]) -> Iterator[Problem]:
        if match["font"] != "nullfont":  # it has no characters: for what is not to be printed
            message = f"the font {match['font']} has no character {match['character']}"
            yield Problem("missing-character", message, self.file, key=match["character"])

    def _unclosed(self, match: re.Match[str]) -> Problem:
        problem = Problem("unbalanced", rf"the document ended {match['what']}", self.main)
        for line in self.lines[self.at : self.at + 6]:
            if group := _GROUP.match(line):
                return replace(problem, line=int(group[1]))
        return replace(problem, line=_number(match["what"]))


def _relative(file: str) -> str:
    return file.removeprefix("./")


def _clean(message: str) -> str:
    """Return TeX's message as a sentence without prefix, doubled blanks and the last full stop."""
    text = re.sub(r"\s+", " ", message).strip()
    text = re.sub(r"^LaTeX (?:Font )?Error: |^(?:Package|Class) \S+ Error: (?=File `)", "", text)
    text = re.sub(r"^(?:Package|Class) (\S+) Error: ", r"\1: ", text)
    return re.sub(r"(?: on input line \d+)?(?: ?\.|: using draft setting\.)?$", "", text)


def _number(message: str) -> int | None:
    """Return the line that a message tells in words."""
    match = re.search(r"\b(?:on input|after|on) line (\d+)", message)
    return int(match[1]) if match else None


def _uncut(text: str) -> str:
    """Return TeX's context without its sign that it left out the beginning, perhaps within a character."""
    return re.sub(r"^\.\.\.(?:\\x[89ab][0-9a-f]){0,3}", "", text)


def _last_command(lines: Sequence[str]) -> str | None:
    """Return the command at the end of the first line of TeX's context: the one it does not know."""
    for line in lines:
        if match := re.search(r"(\\(?:[A-Za-z@]+|.)) *$", line):
            return match[1]
    return None


def _box_text(content: str) -> str:
    """Return the words of a box as the log shows it, without fonts and empty boxes."""
    text = re.sub(r"\\[A-Z0-9]+/\S+ ?(?:\([-+]\d+\) ?)?|\[\]|\$", "", content)
    return re.sub(r"\s+", " ", text).strip()[:80]


# ---------------------------------------------------------------------------------------------- BibTeX's log

_BIBTEX = re.compile(
    r"^Warning--(?P<warning>.+)(?:\n--line (?P<warned>\d+) of file (?P<inside>.+))?$"
    r"|^(?P<error>.+?)\n?---(?:line (?P<line>\d+) of|while reading) file (?P<file>.+)"
    r"(?:\n : (?P<context>.*))?$",
    re.MULTILINE,
)


def read_blg(blg: str) -> list[Problem]:
    """Return all complaints of BibTeX's log, in its order; what a style says of an entry is a warning."""
    text = blg.replace("\r", "")
    return [*map(_bibtex, _BIBTEX.finditer(text)), *_biber(text)]


_BIBER = re.compile(r"^\[\d+\] \S+> (?P<level>INFO|WARN|ERROR) - (?P<text>.+)$", re.MULTILINE)
_SOURCE_OF_BIBER = re.compile(r"Found BibTeX data source '(.+)'")
_LINE_OF_BIBER = re.compile(r"\.utf8, line (\d+), (?:(?:syntax error|warning): )?(.+)")
_ENTRY_OF_BIBER = re.compile(r"[Ee]ntry(?: key)? '([^']+)'")


def _biber(blg: str) -> Iterator[Problem]:
    """Yield the complaints of biber; it tells lines in a copy of the file that it has read last."""
    source = ""
    for match in _BIBER.finditer(blg):
        level, text = match["level"], match["text"]
        if found := _SOURCE_OF_BIBER.search(text):
            source = found[1]
        if level == "INFO":
            continue
        line, entry = _LINE_OF_BIBER.search(text), _ENTRY_OF_BIBER.search(text)
        yield Problem(
            "bibtex" if level == "ERROR" else "bibtex-warning",
            line[2] if line else text,
            source if line else "",
            int(line[1]) if line else None,
            key=entry[1] if entry else None,
        )


_OF_AN_ENTRY = re.compile(r"\bin (\S+)$")


def _bibtex(match: re.Match[str]) -> Problem:
    text = match["warning"] or match["error"]
    line = match["warned"] or match["line"]
    missing = re.search(r'database entry for "(.+)"$', text) if match["warning"] else None
    key = missing or (_OF_AN_ENTRY.search(text) if match["warning"] else None)
    return Problem(
        "bibtex-warning" if match["warning"] and not missing else "bibtex",
        text,
        _relative(match["inside"] or match["file"] or ""),
        int(line) if line else None,
        (match["context"] or "").rstrip(),
        key=key[1] if key else None,
    )

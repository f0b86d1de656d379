"""Compiling: a folder of LaTeX sources becomes a PDF, or problems with places; knows nothing of templates.

What the PDF depends on is the folder alone. The environment that TeX sees is fixed, here and in the generated
`latexmkrc`, so that a plain `latexmk` in any copy of the folder gives the same bytes.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from labreport import surroundings
from labreport.errors import LatexError, Place, ToolError

DEBIAN_PACKAGES = (
    "latexmk texlive-latex-recommended texlive-latex-extra texlive-science texlive-fonts-recommended lmodern"
)
TOOLS = ("perl", "latexmk", "pdflatex", "bibtex")
SENTINEL = "labreport: complete"

PDFLATEX = "pdflatex -no-shell-escape -interaction=nonstopmode -halt-on-error -file-line-error -recorder"
LARGEST_FILE = 256 * 2**20  # bytes that one file written by TeX may have
LOG_READ = 16 * 2**20  # bytes of a log that are looked at
_ENDED_EARLY = "the document ended before its last line"
_STOP = "Emergency stop"
VISIBLE_OVERFLOW = 1.0  # pt; smaller overfull boxes cannot be seen
PID_FILE = "latexmk.pid"

NOTICES = frozenset({"overfull", "underfull", "font", "warning"})

# Debian package of the files that generated documents ask for most.
PACKAGE_OF = {
    "lmodern.sty": "lmodern",
    "siunitx.sty": "texlive-science",
    "algorithm.sty": "texlive-science",
    "mhchem.sty": "texlive-science",
    "tikz.sty": "texlive-pictures",
    "pgfplots.sty": "texlive-pictures",
    "natbib.sty": "texlive-latex-base",
    "scrartcl.cls": "texlive-latex-recommended",
    "biblatex.sty": "texlive-bibtex-extra",
}


@dataclass(frozen=True)
class Problem:
    """What TeX or BibTeX complains about; all but the kinds of `NOTICES` make the compilation fail.

    `file` is relative to the folder where it lies inside. `context` is the source line's text up to the point
    where TeX stopped (its end only, when TeX cut it). `key` is the label, the citation's key, the undefined
    command or the lost character; `points` the width that stands out; `runaway` the argument without an end.
    """

    kind: str
    message: str
    file: str
    line: int | None = None
    context: str = ""
    key: str | None = None
    points: float | None = None
    runaway: str = ""

    @property
    def fatal(self) -> bool:
        """Whether the PDF must not be published."""
        return self.kind not in NOTICES

    def __str__(self) -> str:
        return f"{Place(self.file, self.line)}: {self.message}"


@dataclass(frozen=True)
class Compiled:
    """A finished PDF in the folder, with TeX's log and what is not wrong enough to fail."""

    pdf: Path
    log: str
    notices: tuple[Problem, ...]
    pages: int
    seconds: float


class CompileFailed(LatexError):
    """No PDF that may be published; `problems` has at least one entry, the decisive one first."""

    def __init__(self, problems: Sequence[Problem], log: str) -> None:
        first = problems[0]
        super().__init__(
            first.message,
            place=Place(first.file, first.line),
            notes=[str(p) for p in problems[1:4]],
            cure=_cure(first),
        )
        self.problems = tuple(problems)
        self.log = log


def check_tools() -> None:
    """Do nothing if all programs are on the PATH, else raise ToolError saying how to install them."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise ToolError(
            f"the PDF needs {', '.join(missing)}: not found on the PATH",
            cure=f"on Debian or Ubuntu: apt-get install {DEBIAN_PACKAGES}",
        )


def write_latexmkrc(folder: Path, *, job: str = "report") -> None:
    """Write the settings with which a plain `latexmk` in the folder gives the bytes that `compile` gives."""
    environment = "\n".join(f"  '{name}' => '{value}'," for name, value in surroundings.TEX.items())
    (folder / "latexmkrc").write_text(
        f"""\
# Generated. `latexmk` in this folder makes {job}.pdf, the same bytes everywhere:
# nothing of the user's environment or settings is used.
use Cwd;
%ENV = (
  'PATH' => $ENV{{'PATH'}},
  'HOME' => getcwd(),
{environment}
);
@default_files = ('{job}.tex');
$jobname = $out_dir = $aux_dir = '';
$pdf_mode = 1;
$dvi_mode = $postscript_mode = 0;
$preview_mode = $preview_continuous_mode = 0;
$pdflatex = '{PDFLATEX} %O %S';
$bibtex = 'bibtex %O %S';
$bibtex_use = 2;
$max_repeat = 8;
$warnings_as_errors = 1;
@cus_dep_list = ();
$compiling_cmd = $success_cmd = $warning_cmd = $failure_cmd = '';
""",
        encoding="utf-8",
    )


def compile(folder: Path, *, job: str = "report", deadline: float = 300.0) -> Compiled:
    r"""Return the PDF made from `<job>.tex` in a fresh folder, together with what was noticed.

    The folder must hold nothing of an earlier run: a killed run leaves files with which LaTeX fails for ever.
    Besides TeX's own errors, a document fails that does not reach its `\LRcomplete`, has undefined or
    duplicate labels or citations, lost characters, or a complaint of BibTeX.

    Raises
    ------
    ToolError
        latexmk, pdflatex, bibtex or perl is missing.
    LatexError
        The folder holds files of an earlier run.
    CompileFailed
        Anything is wrong with the document, or it is not ready after `deadline` seconds.

    """
    check_tools()
    _check_fresh(folder, job)
    write_latexmkrc(folder, job=job)
    start = time.monotonic()
    code, output = _run(folder, job, deadline)
    seconds = time.monotonic() - start
    log = _read(folder / f"{job}.log")
    found = [*read_log(log, f"{job}.tex"), *read_blg(_read(folder / f"{job}.blg"))]
    pages = _pages(log)
    found += _failures(folder, job, deadline, code, output, log, pages, found)
    fatal = _decisive_first(_located(p, folder) for p in found if p.fatal)
    if fatal:
        raise CompileFailed(fatal, log or output)
    notices = tuple(p for p in found if p.points is None or p.points > VISIBLE_OVERFLOW)
    return Compiled(folder / f"{job}.pdf", log, notices, pages, seconds)


def _check_fresh(folder: Path, job: str) -> None:
    old = [name for end in ("aux", "fdb_latexmk", "pdf") if (folder / (name := f"{job}.{end}")).exists()]
    if old:
        raise LatexError(f"{folder} holds {', '.join(old)} of an earlier run", cure="compile in a new folder")


def end_leftover(folder: Path) -> None:
    """End the latexmk, with its children, that an earlier, killed build left running in a folder."""
    try:
        pid, start = (folder / PID_FILE).read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return
    if _process_start(int(pid)) == start:
        _kill_group(int(pid))
        _await_end_of_group(int(pid))


# ---------------------------------------------------------------------------------------------- the process


def _run(folder: Path, job: str, deadline: float) -> tuple[int | None, str]:
    """Return latexmk's exit code (None at the deadline) and what it printed; no process of it is left."""
    with tempfile.TemporaryFile(dir=folder) as output:
        process = subprocess.Popen(
            ["latexmk", "-norc", "-r", "./latexmkrc", "-Werror", f"{job}.tex"],
            cwd=folder,
            env=surroundings.for_tex(folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _limit(process.pid, deadline)
            _record(folder, process.pid)
            code = process.wait(deadline)
        except subprocess.TimeoutExpired:
            return None, _tail_of(output)
        finally:
            _kill_group(process.pid)
            process.wait()
            _await_end_of_group(process.pid)
            (folder / PID_FILE).unlink(missing_ok=True)
        return code, _tail_of(output)


def _limit(pid: int, deadline: float) -> None:
    """Bound the processor time and the files of a process and of the children it will start."""
    cpu = int(deadline) + 10
    try:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
        resource.prlimit(pid, resource.RLIMIT_CPU, (cpu, cpu))
    except (ProcessLookupError, PermissionError, ValueError):
        pass  # it has ended already, or stricter limits are set


def _record(folder: Path, pid: int) -> None:
    (folder / PID_FILE).write_text(f"{pid} {_process_start(pid)}", encoding="ascii")


def _process_start(pid: int) -> str | None:
    """Return when a process started, which tells it from a later one with the same number."""
    try:
        return (
            Path(f"/proc/{pid}/stat")
            .read_text(encoding="utf-8", errors="replace")
            .rpartition(")")[2]
            .split()[19]
        )
    except OSError:
        return None


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _await_end_of_group(pid: int) -> None:
    """Return when no process of a killed group can write any more; zombies that nobody reaps do not count."""
    end = time.monotonic() + 1.0
    with contextlib.suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < end:
            os.killpg(pid, 0)
            time.sleep(0.005)


def _tail_of(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - LOG_READ))
    return file.read().decode("utf-8", errors="backslashreplace")


def _read(path: Path) -> str:
    """Return a log, at most its last 16 MB; an absent one is empty."""
    try:
        with path.open("rb") as file:
            return _tail_of(file)
    except FileNotFoundError:
        return ""


# ---------------------------------------------------------------------------------------------- the verdict


def _failures(
    folder: Path,
    job: str,
    deadline: float,
    code: int | None,
    output: str,
    log: str,
    pages: int,
    found: Sequence[Problem],
) -> Iterator[Problem]:
    """Yield what is wrong beyond TeX's own messages, the stronger reasons first."""
    main = f"{job}.tex"
    if code is None:
        yield Problem("deadline", f"LaTeX was not ready after {deadline:g} s{_reached(log)}", main)
        return
    if re.search(r"No space left on device|Disk quota exceeded", output + log):
        yield Problem("disk", "no space left on the device", main)
    if any(p.stat().st_size >= LARGEST_FILE for p in folder.iterdir() if p.is_file()):
        yield Problem(
            "limit", f"LaTeX wrote a file of more than {LARGEST_FILE // 2**20} MB{_reached(log)}", main
        )
    if "Unable to read an entire line" in output + log:
        yield Problem("limit", "a line of the source is longer than 200 000 bytes", main)
    if any(p.fatal for p in found):
        return
    finished = re.search(r"^(Output written on|No pages of output)", log, re.MULTILINE)
    complete = re.search(rf"^{re.escape(SENTINEL)}$", log, re.MULTILINE)
    if finished and not complete:
        yield Problem("truncated", _ENDED_EARLY, main)
    elif code != 0:
        yield Problem("error", f"latexmk failed with exit code {code}: {_last_words(output)}", main)
    elif pages < 1 or not (folder / f"{job}.pdf").is_file():
        yield Problem("truncated", "the document has no page", main)


def _decisive_first(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems without repetitions and without those that only follow from others.

    A citation that TeX and BibTeX both miss is told once, with TeX's line; when BibTeX made no bibliography,
    that all citations are undefined says nothing. A run that an error has stopped knows no labels yet.
    """
    out = list(dict.fromkeys(problems))
    if any(p.kind == "error" for p in out):
        out = [p for p in out if p.kind not in ("undefined-reference", "undefined-citation")]
    missed = {p.key for p in out if p.kind == "undefined-citation"}
    out = [
        p for p in out if not (p.kind == "bibtex" and "database entry for" in p.message and p.key in missed)
    ]
    if any(p.kind == "bibtex" and p.key is None for p in out):
        out = [p for p in out if p.kind != "undefined-citation"]
    return sorted(out, key=lambda p: p.key is not None and p.kind == "bibtex")


_NAMED_FILE = re.compile(
    r"^File `(.+?)(?:\.\w+)?' not found|\(file \./(.+?)(?:\.\w+)?\)|open (?:database|style) file (.+)\.\w+$"
)


def _located(problem: Problem, folder: Path) -> Problem:
    """Return the problem with the place in the sources that TeX does not tell."""
    key = re.escape(problem.key or "")
    if problem.kind == "bibtex" and problem.line is None and key:
        return _at(problem, _occurrences(folder, "*.bib", rf"@\w+\s*[{{(]\s*{key}\s*,")[:1])
    if problem.kind == "duplicate-label":
        return _at(problem, _occurrences(folder, "*.tex", rf"\\label(?:\[[^]]*\])?{{{key}}}")[1:2])
    if problem.kind == "truncated":
        return _at(
            problem,
            _occurrences(folder, "*.tex", r"\\(?:end\s*\{document\}|endinput|stop)(?![a-zA-Z@])")[:-1],
        )
    if named := _NAMED_FILE.search(problem.message):
        found = _occurrences(folder, "*.tex", re.escape(named[named.lastindex or 0]))
        told = problem.line if problem.file.endswith(".tex") else None
        before = [p for p in found if told is None or p == (problem.file, min(told, p[1]))]
        return _at(problem, before[-1:])
    return problem


def _at(problem: Problem, places: Sequence[tuple[str, int]]) -> Problem:
    return replace(problem, file=places[0][0], line=places[0][1]) if places else problem


def _occurrences(folder: Path, files: str, pattern: str) -> list[tuple[str, int]]:
    """Return file and line of all matches in the sources."""
    out = []
    for path in sorted(folder.rglob(files)):
        text = path.read_text(encoding="utf-8", errors="replace")
        name = path.relative_to(folder).as_posix()
        out += [(name, text.count("\n", 0, match.start()) + 1) for match in re.finditer(pattern, text)]
    return out


def _pages(log: str) -> int:
    """Return the number of pages of the last run."""
    counts = re.findall(r"^Output written on .*\((\d+) pages?", log, re.MULTILINE)
    return int(counts[-1]) if counts else 0


def _reached(log: str) -> str:
    """Return the last page that was finished, as words."""
    pages = re.findall(r"\[(\d+)\b", log)
    return f"; the last finished page was {pages[-1]}" if pages else ""


def _last_words(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if re.search(r"rror|ailed|cannot|not found", line)]
    return (told or lines or ["it printed nothing"])[-1]


def _cure(problem: Problem) -> str | None:
    """Return what the reader can do about a problem."""
    if problem.kind == "error":
        file = re.search(r"File `([^']+\.(?:sty|cls|def|fd|cfg))' not found", problem.message)
        return _cure_missing(file[1]) if file else None
    return _CURES.get(problem.kind)


def _cure_missing(file: str) -> str:
    package = PACKAGE_OF.get(file, "texlive-latex-extra")
    return f"on Debian or Ubuntu: apt-get install {package} (if that lacks it: apt-file search {file})"


_CURES = {
    "undefined-reference": r"correct the name, or give the thing a \label",
    "undefined-citation": "correct the key, or add the entry to the bibliography",
    "duplicate-label": "give each label to one thing only",
    "unbalanced": "close the brace, group or condition that is open",
    "missing-character": "replace the character: the font cannot show it",
    "truncated": r"look for an \end{document} or \endinput before the end",
    "unsettled": "look for a page reference that moves what it refers to",
    "bibtex": "correct the entry in the bibliography",
    "disk": "free some space and build again",
    "deadline": r"look for a macro that calls itself, or for an endless loop",
    "limit": "look for an endless loop, or cut the text that is too long",
}


# ------------------------------------------------------------------------------------------ reading the log

_ERROR = re.compile(r"^(?:(?P<file>\.?/[^:]*):(?P<line>\d+): |! ?)(?P<message>.*)$")
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
        problems.append(replace(stop, kind="truncated", message=_ENDED_EARLY))
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
            if match[0] != ")":
                self.open.append(_relative(match["file"]) if match["file"] else None)
            elif self.open:
                self.open.pop()

    def _error(self, match: re.Match[str]) -> Iterator[Problem]:
        message = match["message"].strip()
        if "==> Fatal error" in message:
            return
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
        if match["what"] == "Overfull" or match["badness"] == "10000":
            yield problem

    def _lost(self, match: re.Match[str]) -> Iterator[Problem]:
        if match["font"] != "nullfont":
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


_BIBTEX = re.compile(
    r"^Warning--(?P<warning>.+)(?:\n--line (?P<warned>\d+) of file (?P<inside>.+))?$"
    r"|^(?P<error>.+?)\n?---(?:line (?P<line>\d+) of|while reading) file (?P<file>.+)"
    r"(?:\n : (?P<context>.*))?$",
    re.MULTILINE,
)


def read_blg(blg: str) -> list[Problem]:
    """Return all complaints of BibTeX's log, in its order."""
    return [_bibtex(match) for match in _BIBTEX.finditer(blg.replace("\r", ""))]


def _bibtex(match: re.Match[str]) -> Problem:
    text = match["warning"] or match["error"]
    line = match["warned"] or match["line"]
    key = re.search(r'database entry for "(.+)"$|\bin (\S+)$', text) if match["warning"] else None
    return Problem(
        "bibtex",
        text,
        _relative(match["inside"] or match["file"] or ""),
        int(line) if line else None,
        (match["context"] or "").rstrip(),
        key=(key[1] or key[2]) if key else None,
    )

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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from labreport import surroundings
from labreport.documents import auxiliary, siunitx
from labreport.documents.texlog import (
    ENDED_EARLY,
    SENTINEL,
    Problem,
    decisive_first,
    last_page,
    page_count,
    read_blg,
    read_log,
)
from labreport.errors import LatexError, Place, ToolError
from labreport.results import files_in

DEBIAN_PACKAGES = (
    "latexmk texlive-latex-recommended texlive-latex-extra texlive-science texlive-fonts-recommended lmodern"
)
TOOLS = ("perl", "latexmk", "pdflatex", "bibtex")

PDFLATEX = "pdflatex -no-shell-escape -interaction=nonstopmode -halt-on-error -file-line-error -recorder"
LARGEST_FILE = 256 * 2**20  # bytes that one file written by TeX may have
LOG_READ = 16 * 2**20  # bytes of a log that are looked at
VISIBLE_OVERFLOW = 1.0  # pt; smaller overfull boxes cannot be seen
SYNCTEX = "-synctex=-1"  # not a byte of the PDF changes; the minus saves the time to compress the record
PID_FILE = "latexmk.pid"

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
class Compiled:
    """A finished PDF in the folder, with TeX's log and what is not wrong enough to fail.

    `synctex` is TeX's record of which line came to lie on which page.
    """

    pdf: Path
    log: str
    notices: tuple[Problem, ...]
    pages: int
    seconds: float
    synctex: Path


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
# Several passes fit into a second. By times of whole ones, latexmk can take a file that changed, but not in
# size, for the same, and stop before references are right.
use Time::HiRes;
{{ no warnings 'redefine'; *get_time_size = sub {{
  my @found = Time::HiRes::stat($_[0]);
  return @found ? ($found[9], $found[7]) : (0, -1);
}}; }}
$compiling_cmd = $success_cmd = $warning_cmd = $failure_cmd = '';
""",
        encoding="utf-8",
    )


def compile(
    folder: Path, *, job: str = "report", deadline: float = 300.0, kept: Path | None = None
) -> Compiled:
    r"""Return the PDF made from `<job>.tex` in a fresh folder, together with what was noticed.

    The folder must hold nothing of an earlier run: a killed run leaves files with which LaTeX fails for ever.
    In the folder `kept` are the auxiliary files of the last success: a pass starts from them, and latexmk
    goes on where it changes one. If that fails or reads what it does not write, all is made once more from
    nothing. The files of this success replace those kept.
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
    siunitx.write_settings(folder)
    sources = frozenset(files_in(folder))
    laid = auxiliary.lay(kept, folder) if kept is not None else {}
    compiled = _continued(folder, job, deadline, laid) if laid else None
    if compiled is None:
        for path in auxiliary.made_in(folder, sources):
            path.unlink()
        compiled = _compile(folder, job, deadline)
    if kept is not None:
        auxiliary.keep(kept, folder, sources, laid)
    return compiled


def _continued(folder: Path, job: str, deadline: float, laid: Mapping[str, str]) -> Compiled | None:
    """Return what the passes give that start from the files laid; None if it must be made without them."""
    start = time.monotonic()
    # latexmk itself takes as long as half a pass: it is asked only where one pass is not enough
    code, output = _run(folder, deadline, [*PDFLATEX.split(), SYNCTEX, f"{job}.tex"])
    log, record = (_read(folder / f"{job}.{end}") for end in ("log", "fls"))
    if code == 0 and auxiliary.is_settled(folder, job, laid, log, record):
        # what is wrong now is wrong without the files laid, too: they are those that the document writes
        return _judged(folder, job, deadline, code, output, start)
    try:
        if code == 0:
            code, output = _run_latexmk(folder, job, deadline)
        compiled = _judged(folder, job, deadline, code, output, start)
    except CompileFailed as failure:
        if failure.problems[0].kind in ("deadline", "disk", "limit"):
            raise  # these would come again, after as long
        return None  # whether the files laid are the reason is known only without them
    return None if auxiliary.are_stale(laid, _read(folder / f"{job}.fls")) else compiled


def _compile(folder: Path, job: str, deadline: float) -> Compiled:
    start = time.monotonic()
    code, output = _run_latexmk(folder, job, deadline)
    return _judged(folder, job, deadline, code, output, start)


def _judged(folder: Path, job: str, deadline: float, code: int | None, output: str, start: float) -> Compiled:
    """Return what was made since a moment; CompileFailed if its logs tell that anything is wrong."""
    seconds = time.monotonic() - start
    log = _read(folder / f"{job}.log")
    found = [*read_log(log, f"{job}.tex"), *read_blg(_read(folder / f"{job}.blg"))]
    pages = page_count(log)
    found += _failures(folder, job, deadline, code, output, log, pages, found)
    fatal = decisive_first(_located(p, folder) for p in found if p.fatal)
    if fatal:
        raise CompileFailed(fatal, log or output)
    notices = tuple(p for p in found if p.points is None or p.points > VISIBLE_OVERFLOW)
    pdf, synctex = (folder / f"{job}.{end}" for end in ("pdf", "synctex"))
    return Compiled(pdf, log, notices, pages, seconds, synctex)


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


def _run_latexmk(folder: Path, job: str, deadline: float) -> tuple[int | None, str]:
    return _run(folder, deadline, ["latexmk", "-norc", "-r", "./latexmkrc", "-Werror", SYNCTEX, f"{job}.tex"])


def _run(folder: Path, deadline: float, command: Sequence[str]) -> tuple[int | None, str]:
    """Return a program's exit code (None at the deadline) and what it printed; no process of it is left."""
    # a file, not a pipe: the output of an endless loop would fill the memory
    with tempfile.TemporaryFile(dir=folder) as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=surroundings.for_tex(folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own: latexmk's children must end with it
        )
        try:
            _limit(process.pid, deadline)
            _record(folder, process.pid)
            code = _awaited(process, deadline)
        finally:  # also when the build is interrupted: TeX would go on writing into the folder
            _kill_group(process.pid)
            process.wait()
            _await_end_of_group(process.pid)
            (folder / PID_FILE).unlink(missing_ok=True)
        return code, _tail_of(output)


def _awaited(process: subprocess.Popen[bytes], deadline: float) -> int | None:
    """Return the exit code of a process as soon as it has ended; None at the deadline."""
    end = time.monotonic() + deadline
    # Popen.wait with a limit looks every 50 ms, which is a sixth of a short pass
    while (code := process.poll()) is None and time.monotonic() < end:
        time.sleep(0.002)
    return code


def _limit(pid: int, deadline: float) -> None:
    """Bound the processor time and the files of a process and of the children it will start."""
    cpu = int(deadline) + 10
    # from outside: code between fork and exec (preexec_fn) is not safe beside other threads
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
        yield Problem("deadline", f"LaTeX was not ready after {deadline:g} s{last_page(log)}", main)
        return
    if re.search(r"No space left on device|Disk quota exceeded", output + log):
        yield Problem("disk", "no space left on the device", main)
    if any(p.stat().st_size >= LARGEST_FILE for p in folder.iterdir() if p.is_file()):
        yield Problem(
            "limit", f"LaTeX wrote a file of more than {LARGEST_FILE // 2**20} MB{last_page(log)}", main
        )
    if "Unable to read an entire line" in output + log:
        yield Problem("limit", "a line of the source is longer than 200 000 bytes", main)
    if any(p.fatal for p in found):
        return
    finished = re.search(r"^(Output written on|No pages of output)", log, re.MULTILINE)
    complete = re.search(rf"^{re.escape(SENTINEL)}$", log, re.MULTILINE)
    # a missing brace or an early \endinput ends with exit code 0 and a PDF that lacks its last part
    if finished and not complete:
        yield Problem("truncated", ENDED_EARLY, main)
    elif code != 0:
        yield Problem("error", f"latexmk failed with exit code {code}: {_last_words(output)}", main)
    elif pages < 1 or not (folder / f"{job}.pdf").is_file():
        yield Problem("truncated", "the document has no page", main)


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

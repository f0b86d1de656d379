"""Compiling: a folder of LaTeX sources becomes a PDF, or problems with places; knows nothing of templates.

What the PDF depends on is the folder alone. The environment that TeX sees is fixed, here and in the generated
`latexmkrc`, so that a plain `latexmk` in any copy of the folder gives the same bytes.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from labreport import surroundings
from labreport.documents import audit, auxiliary, engines, siunitx
from labreport.documents.blame import blamed
from labreport.documents.engines import PDFLATEX, Engine
from labreport.documents.processes import LARGEST_FILE, MOST_MEMORY, MOST_WRITTEN, TOO_MUCH, read_end, run
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
from labreport.results import files, files_in

DEBIAN_PACKAGES = (
    "latexmk texlive-latex-recommended texlive-latex-extra texlive-science texlive-fonts-recommended "
    "texlive-binaries lmodern"
)
TOOLS = ("perl", "latexmk", "bibtex", "kpsewhich")

MOST_PASSES = 6
WARNED = 12  # latexmk's exit code where warnings count as errors, and there is nothing worse
VISIBLE_OVERFLOW = 1.0  # pt; smaller overfull boxes cannot be seen
# pdfTeX then removes what it has written, and space is free again
_FULL = re.compile(r"No space left on device|Disk quota exceeded|f(?:write|flush|close)\(\) failed")
SYNCTEX = "-synctex=-1"  # not a byte of the PDF changes; the minus saves the time to compress the record

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
    "fontspec.sty": "texlive-latex-recommended",
    "luacode.sty": "texlive-luatex",
    "acmart.cls": "texlive-publishers",
    "elsarticle.cls": "texlive-publishers",
    "IEEEtran.cls": "texlive-publishers",
    "llncs.cls": "texlive-publishers",
    "mnras.cls": "texlive-publishers",
    "revtex4-2.cls": "texlive-publishers",
}


@dataclass(frozen=True)
class Rules:
    """What fails a document beyond what does so anyhow, and what does not; names are those of `SWITCHES`."""

    errors: frozenset[str] = frozenset()
    warnings: frozenset[str] = frozenset()

    def of(self, problem: Problem) -> Problem:
        """Return a problem as one that fails the document, or does not."""
        name = next((name for name, kinds in SWITCHES.items() if problem.kind in kinds), None)
        if name in self.errors:
            return replace(problem, kind=SWITCHES[name][0])
        return replace(problem, kind=SWITCHES[name][1]) if name in self.warnings else problem


NO_RULES = Rules()
SWITCHES = {
    "duplicate labels": ("duplicate-label", "foreign-label"),
    "BibTeX warnings": ("bibtex", "bibtex-warning"),
    "lost characters": ("missing-character", "warning"),
}
"""What some documents cannot avoid: the kind of problem where it fails a document, and where it does not."""


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


def check_tools(engine: Engine = PDFLATEX) -> None:
    """Do nothing if all programs are on the PATH, else raise ToolError saying how to install them."""
    missing = [tool for tool in (*TOOLS[:2], engine.name, *TOOLS[2:]) if shutil.which(tool) is None]
    # with its package a missing engine brings kpsewhich; without kpsewhich nobody knows what else it lacks
    is_alone = not missing or {engine.name} <= {*missing} <= {engine.name, "kpsewhich"}
    if engine != PDFLATEX and is_alone and (lacks := engine.lacks()):
        where = "not found on the PATH" if lacks == engine.name else f"TeX does not find it for {engine.name}"
        raise ToolError(
            f"the PDF needs {lacks}: {where}", cure=f"on Debian or Ubuntu: apt-get install {engine.package}"
        )
    if missing:
        raise ToolError(
            f"the PDF needs {', '.join(missing)}: not found on the PATH",
            cure=f"on Debian or Ubuntu: apt-get install {DEBIAN_PACKAGES}",
        )


def write_latexmkrc(folder: Path, *, job: str = "report", engine: Engine = PDFLATEX) -> None:
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
  'TMPDIR' => getcwd(),
{environment}
);
@default_files = ('{job}.tex');
$jobname = $out_dir = $aux_dir = '';
$pdf_mode = {engine.mode};
$dvi_mode = $postscript_mode = 0;
$preview_mode = $preview_continuous_mode = 0;
${engine.name} = '{engine.command} %O %S';
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
    folder: Path,
    *,
    job: str = "report",
    deadline: float = 300.0,
    kept: Path | None = None,
    rules: Rules = NO_RULES,
) -> Compiled:
    r"""Return the PDF made from `<job>.tex` in a fresh folder, together with what was noticed.

    The folder must hold nothing of an earlier run: a killed run leaves files with which LaTeX fails for ever.
    In the folder `kept` are the auxiliary files of the last success: a pass starts from them, and latexmk
    goes on where it changes one. If that fails or reads what it does not write, all is made once more from
    nothing. The files of this success replace those kept.
    Besides TeX's own errors, a document fails that does not reach its `\LRcomplete`, has undefined or
    duplicate labels or citations, lost characters, or an error of BibTeX; `rules` say where that differs.

    Raises
    ------
    ToolError
        latexmk, the engine, the bibliography program or perl is missing.
    LatexError
        The folder holds files of an earlier run.
    CompileFailed
        Anything is wrong with the document, or it is not ready after `deadline` seconds.
    OSError
        The disk is full.

    """
    engine = engines.of(folder, job)
    check_tools(engine)
    _check_fresh(folder, job)
    write_latexmkrc(folder, job=job, engine=engine)
    siunitx.write_settings(folder)
    sources = frozenset(files_in(folder))
    laid = auxiliary.lay(kept, folder) if kept is not None else {}
    compiled = _continued(folder, job, deadline, laid, rules) if laid else None
    if compiled is None:
        for path in (*auxiliary.made_in(folder, sources), folder / audit.PASSES):
            path.unlink(missing_ok=True)
        compiled = _compile(folder, job, deadline, rules)
    if kept is not None:
        auxiliary.keep(kept, folder, sources, laid)
    return compiled


def compile_again(folder: Path, *, job: str, deadline: float, kept: Path) -> Path:
    """Return the PDF of a document with the references of the last success; CompileFailed if TeX refuses it.

    One pass from the files in `kept`, which stay as they are, is enough; without them it takes several.
    """
    if auxiliary.lay(kept, folder):
        siunitx.write_settings(folder)
        code, output = run(folder, deadline, [*engines.of(folder, job).command.split(), f"{job}.tex"])
        log, errors = read_end(folder / f"{job}.log"), list(audit.outside(folder, job, output))
        if code == 0 and not errors:
            return folder / f"{job}.pdf"
        errors += [problem for problem in read_log(log, f"{job}.tex") if problem.kind == "error"]
        raise CompileFailed(errors or [Problem("error", "there is no PDF", f"{job}.tex")], log)
    return compile(folder, job=job, deadline=deadline).pdf


def compile_plainly(folder: Path, *, job: str, deadline: float = 300.0) -> Compiled:
    """Return the PDF that passes of TeX give in a fresh folder, without latexmk, BibTeX and their settings.

    So publishers compile what they are sent. Raises CompileFailed if anything is wrong with the document.
    """
    start = time.monotonic()
    command = [*engines.of(folder, job).command.split(), f"{job}.tex"]
    for _ in range(MOST_PASSES):
        before = _written(folder, job)
        code, output = run(folder, deadline, command)
        audit.keep(folder, job)
        if code != 0 or _written(folder, job) == before:
            break
    return _judged(folder, job, deadline, code, output, start, NO_RULES)


def _written(folder: Path, job: str) -> dict[str, bytes]:
    """Return what a pass leaves for the next one."""
    own = (f"{job}.pdf", f"{job}.log", f"{job}.fls")
    return {path.name: path.read_bytes() for path in folder.glob(f"{job}.*") if path.name not in own}


def inputs(record: Path) -> list[str]:
    """Return the files in its folder that TeX has read, as its record tells them, by their names there."""
    lines = record.read_text(encoding="utf-8", errors="replace").splitlines()
    read = (line.removeprefix("INPUT ").removeprefix("./") for line in lines if line.startswith("INPUT "))
    return sorted({name for name in read if not name.startswith("/")})


def _continued(
    folder: Path, job: str, deadline: float, laid: Mapping[str, str], rules: Rules
) -> Compiled | None:
    """Return what the passes give that start from the files laid; None if it must be made without them."""
    start = time.monotonic()
    # latexmk itself takes as long as half a pass: it is asked only where one pass is not enough
    code, output = run(folder, deadline, [*engines.of(folder, job).command.split(), SYNCTEX, f"{job}.tex"])
    audit.keep(folder, job)
    log, record = (read_end(folder / f"{job}.{end}") for end in ("log", "fls"))
    if code == 0 and auxiliary.is_settled(folder, job, laid, log, record):
        # what is wrong now is wrong without the files laid, too: they are those that the document writes
        return _judged(folder, job, deadline, code, output, start, rules)
    try:
        if code == 0:
            code, output = _run_latexmk(folder, job, deadline)
        compiled = _judged(folder, job, deadline, code, output, start, rules)
    except CompileFailed as failure:
        if failure.problems[0].kind in ("deadline", "limit"):
            raise  # these would come again, after as long
        return None  # whether the files laid are the reason is known only without them
    return None if auxiliary.are_stale(laid, read_end(folder / f"{job}.fls")) else compiled


def _compile(folder: Path, job: str, deadline: float, rules: Rules) -> Compiled:
    start = time.monotonic()
    code, output = _run_latexmk(folder, job, deadline)
    # only biblatex knows whether biber is needed, and tells it by this file
    if (folder / f"{job}.bcf").exists() and shutil.which("biber") is None:
        raise ToolError(
            "the bibliography needs biber: not found on the PATH",
            place=Place(f"{job}.tex"),
            cure="on Debian or Ubuntu: apt-get install biber; or load biblatex with backend=bibtex",
        )
    return _judged(folder, job, deadline, code, output, start, rules)


def _judged(
    folder: Path, job: str, deadline: float, code: int | None, output: str, start: float, rules: Rules
) -> Compiled:
    """Return what was made since a moment; CompileFailed if its logs tell that anything is wrong.

    Raises OSError if the disk is full.
    """
    seconds = time.monotonic() - start
    log = read_end(folder / f"{job}.log")
    found = [*read_log(log, f"{job}.tex"), *read_blg(read_end(folder / f"{job}.blg"))]
    pages = page_count(log)
    found = [*audit.outside(folder, job, output), *found]
    found = [rules.of(blamed(problem, folder, job)) for problem in found]
    failures = _failures(folder, job, deadline, code, output, log, pages, found)
    found += [blamed(problem, folder, job) for problem in failures]
    fatal = decisive_first(problem for problem in found if problem.fatal)
    # TeX ends with 0 where it could not write all, and without a word where even its log finds no room
    if _FULL.search(output + log) or (fatal and not files.has_space(folder)):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    if fatal:
        raise CompileFailed(fatal, log or output)
    notices = tuple(p for p in found if p.points is None or p.points > VISIBLE_OVERFLOW)
    pdf, synctex = (folder / f"{job}.{end}" for end in ("pdf", "synctex"))
    return Compiled(pdf, log, notices, pages, seconds, synctex)


def _check_fresh(folder: Path, job: str) -> None:
    path = folder.resolve()
    # kpathsea expands these in each name, also in what it has expanded
    for named in (part for part in path.parts if re.search(r"[${}]", part)):
        what = f"TeX cannot work below a folder named {named!r}: $, {{ and }} have a meaning in its paths"
        raise LatexError(what, cure="rename that folder")
    old = [name for end in ("aux", "fdb_latexmk", "pdf") if (folder / (name := f"{job}.{end}")).exists()]
    if old:
        raise LatexError(f"{folder} holds {', '.join(old)} of an earlier run", cure="compile in a new folder")


# ---------------------------------------------------------------------------------------------- the process


def _run_latexmk(folder: Path, job: str, deadline: float) -> tuple[int | None, str]:
    watched = audit.watched(engines.of(folder, job).name, job)
    options = ["-norc", "-r", "./latexmkrc", "-e", watched, "-Werror", SYNCTEX]
    return run(folder, deadline, ["latexmk", *options, f"{job}.tex"])


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
    for limit in _limits_met(folder, code, output + log):
        yield Problem("limit", f"LaTeX {limit}{last_page(log)}", main)
    if "Unable to read an entire line" in output + log:
        yield Problem("limit", "a line of the source is longer than 200 000 bytes", main)
    if any(p.fatal for p in found):
        return
    finished = re.search(r"^(Output written on|No pages of output)", log, re.MULTILINE)
    complete = re.search(rf"^{re.escape(SENTINEL)}$", log, re.MULTILINE)
    # a missing brace or an early \endinput ends with exit code 0 and a PDF that lacks its last part
    if finished and not complete:
        yield Problem("truncated", ENDED_EARLY, main)
    elif code == WARNED and any(p.kind in ("foreign-label", "bibtex-warning") for p in found):
        return  # latexmk has told of nothing else
    elif code != 0:
        yield Problem("error", f"latexmk failed with exit code {code}: {_last_words(output)}", main)
    elif pages < 1 or not (folder / f"{job}.pdf").is_file():
        yield Problem("truncated", "the document has no page", main)


def _limits_met(folder: Path, code: int | None, said: str) -> Iterator[str]:
    if any(p.stat().st_size >= LARGEST_FILE for p in folder.iterdir() if p.is_file()):
        yield f"wrote a file of more than {LARGEST_FILE // 2**20} MB"
    if code == TOO_MUCH:
        yield f"wrote more than {MOST_WRITTEN // 2**20} MB in all"
    if re.search(r"not enough memory|memory exhausted|Out of memory|[Cc]annot allocate memory", said):
        yield f"needs more than {MOST_MEMORY // 2**30} GB of memory"
    if code == -signal.SIGXCPU or re.search(r"signal 24\b|CPU time limit exceeded", said):
        yield "used up its processor time"


def _last_words(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if re.search(r"rror|ailed|cannot|not found", line)]
    return (told or lines or ["it printed nothing"])[-1]


def _cure(problem: Problem) -> str | None:
    """Return what the reader can do about a problem."""
    if problem.kind == "error":
        file = re.search(r"File `([^']+\.(?:sty|cls|def|fd|cfg))' not found", problem.message)
        if file:
            return _cure_missing(file[1])
        if problem.message.startswith("Undefined control sequence") and str(problem.key).startswith("\\LR"):
            return r"write \usepackage{labreport} into the preamble: values, code and figures need it"
        if "longtable not in 1-column mode" in problem.message:
            return r'in two columns write layout="normal" inside of \begin{table*}, or \onecolumn before it'
        if "Bibliography not compatible" in problem.message:
            return (
                r"choose a style of natbib (plainnat, abbrvnat, unsrtnat), "
                r"or write \setcitestyle{numbers} into the preamble"
            )
        if problem.message.startswith("Option clash for package"):
            return (
                r"load it with your options before \usepackage{labreport}, which then leaves it as it is; "
                "or give all its options where it is loaded first"
            )
        return None
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
    "outside": "copy the file into report_templates",
    "record": "give the file another ending than .fls",
    "bibtex": "correct the entry in the bibliography",
    "deadline": r"look for a macro that calls itself, or for an endless loop",
    "limit": "look for an endless loop, or cut the text that is too long",
}

r"""Which line of the sources a complaint is about, where TeX or BibTeX names another one, or none.

TeX tells the line where it stopped: that is the end of an argument that was wrong further up, a line of a
package that got an option, of the `.bbl` that BibTeX made of an entry. What a complaint names is looked for
in the files that the author wrote.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from labreport.documents.texlog import Problem

OWN = ("labreport.sty",)
_TEX = ("*.tex", "*.sty", "*.cls")
_NAMED_FILE = re.compile(
    r"^File `(.+?)(?:\.\w+)?' not found|\(file \./(.+?)(?:\.\w+)?\)|open (?:database|style) file (.+)\.\w+$"
)
_OPTION = re.compile(r"Unknown option `.*?' for (?:package|class) `(.+?)'|Option clash for package (\S+)")
_LOADING = r"\\(?:usepackage|RequirePackage|documentclass|LoadClass)\s*(?:\[[^]]*\])?\s*\{{[^}}]*\b{}\b"
# biblatex sets the last entry at the end of the document
_PRINTING = re.compile(r"\\(?:printbibliography|bibliography)(?![A-Za-z])|\\end\s*\{document\}")
_DEFINING = (
    r"\\(?:(?:re)?newcommand|providecommand|(?:New|Renew|Provide|Declare)\w*Command\w*|DeclareMathOperator)\*?"
    r"\s*\{{?\s*{0}(?![A-Za-z])|\\[gex]?def\s*{0}(?![A-Za-z])"
)
# what a message complains about, where it stands in an entry of the bibliography
_CHARACTERS = (
    ("alignment tab", r"(?<!\\)&"),
    (r"Missing \$", r"(?<!\\)[_^$]"),
    ("Missing } inserted|Extra }|Bad math|Display math", r"(?<!\\)\$"),
    ("parameter character", r"(?<!\\)#"),
    ("Double s", r"[_^]"),
)


def blamed(problem: Problem, folder: Path, job: str) -> Problem:
    """Return the problem with the place in the sources that the log does not tell."""
    key = re.escape(problem.key or "")
    if problem.kind in ("bibtex", "bibtex-warning"):
        return _of_bibtex(problem, folder)
    if problem.kind == "duplicate-label":
        given = _occurrences(folder, ("*.tex",), rf"\\label(?:\[[^]]*\])?{{{key}}}")
        # a label that the sources do not give twice is one that a class gives itself
        if not given[1:]:
            return replace(problem, kind="foreign-label")
        return replace(_at(problem, given[1:2]), also=("it is given first", *given[0]))
    if problem.kind == "truncated":
        ends = r"\\(?:end\s*\{document\}|endinput|stop)(?![a-zA-Z@])"
        return _at(problem, _occurrences(folder, ("*.tex",), ends)[:-1])
    if problem.kind == "outside":
        # TeX adds `.tex` to a name
        return _at(problem, _occurrences(folder, _TEX, re.escape(Path(problem.key or "").stem))[:1])
    if named := _NAMED_FILE.search(problem.message):
        return _before(problem, _occurrences(folder, _TEX, re.escape(named[named.lastindex or 0])))
    if problem.kind != "error":
        return problem
    return _of_tex(problem, folder, job)


def _of_tex(problem: Problem, folder: Path, job: str) -> Problem:
    """Return an error of TeX at the line that is wrong."""
    if option := _OPTION.search(problem.message):
        return _before(problem, _loaded(folder, option[1] or option[2]))
    if "Bibliography not compatible" in problem.message:
        return _at(problem, _occurrences(folder, _TEX, r"\\bibliographystyle\s*\{")[-1:])
    if problem.file == f"{job}.bbl":
        return _in_entry(problem, folder, _key_above(folder / problem.file, problem.line or 0))
    path = folder / problem.file
    if problem.file.startswith("/") or not path.is_file():
        return _at(problem, _loaded(folder, Path(problem.file).stem)[-1:])
    text = path.read_text(encoding="utf-8", errors="replace")
    line = _line(text, problem.line or 0)
    printed = "\\printbibliography" in text and _PRINTING.search(line)
    if printed and (found := _in_entry(problem, folder, "")) != problem:
        return found  # biblatex keeps entries in memory: TeX knows no line of them
    if problem.key and problem.key not in line:
        problem = _above(problem, text, rf"{re.escape(problem.key)}(?![A-Za-z])")
    elif words := re.findall(r"[^{}\\]{3,}", problem.runaway):
        problem = _above(problem, text, re.escape(words[0].strip()[:40]))
    elif begun := re.match(r"\\begin\{(.+?)\} on input line", problem.message):
        problem = _above(problem, text, rf"\\begin\s*\{{?{re.escape(begun[1])}")
    elif "\\eqno" in problem.message or "\\right" in problem.message:
        problem = _above(problem, text, r"\\left(?![A-Za-z])")
    return _inside(problem, folder)


def _above(problem: Problem, text: str, pattern: str) -> Problem:
    """Return a problem at the nearest line above that holds a pattern: TeX told where an argument ends."""
    from labreport.writing import BEGIN

    begin = BEGIN.search(text)
    first = text.count("\n", 0, begin.start()) + 1 if begin else 1
    for number in range(problem.line or 0, first - 1, -1):
        if re.search(pattern, _line(text, number)):
            return replace(problem, line=number, context="")
    return problem


def _inside(problem: Problem, folder: Path) -> Problem:
    """Return the problem with the line of the macro's body that it lies in, if the author has defined one."""
    for macro in reversed(problem.macros):
        defined = _occurrences(folder, _TEX, _DEFINING.format(re.escape(macro)))
        for file, line in defined[-1:]:
            lines = (folder / file).read_text(encoding="utf-8", errors="replace").split("\n")
            below = range(line, min(line + 30, len(lines) + 1))
            exact = (n for n in below if problem.key and problem.key in lines[n - 1])
            return replace(problem, also=(f"in the body of {macro}", file, next(exact, line)))
    return problem


# ------------------------------------------------------------------------------------------- the bibliography


def _of_bibtex(problem: Problem, folder: Path) -> Problem:
    """Return a complaint of BibTeX at its line: of a file that it names, of an entry, or of a brace."""
    if named := _NAMED_FILE.search(problem.message):
        name = re.escape(named[named.lastindex or 0])
        return _at(problem, _occurrences(folder, _TEX, rf"\\\w*(?:bib|resource)\w*.*\{{[^}}]*{name}")[-1:])
    if problem.line is None and problem.key:
        return _at(problem, _entry(folder, problem.key))
    path = folder / problem.file
    if problem.kind == "bibtex" and problem.line is not None and path.suffix == ".bib" and path.is_file():
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
        return replace(problem, line=_open_field(lines, problem.line) or problem.line)
    return problem


def _open_field(lines: Sequence[str], told: int) -> int | None:
    """Return the line of the field that does not end, in the entry that BibTeX read at a line."""
    entries = [n for n, line in enumerate(lines, 1) if re.match(r"\s*@\w+\s*[{(]", line)]
    end = next((n for n in entries if n > told), len(lines))
    starts = [n for n in entries if n <= told]
    for start in reversed(starts[-2:]):  # without an end, the next entry is taken for a part of this one
        depth, field = 0, None
        for number, line in enumerate(lines[start:end], start + 1):
            is_next = number in entries
            if is_next or re.match(r"\s*\w+\s*=", line):
                if depth > 0:
                    return field
                if is_next:
                    break
                depth, field = 0, number
            bare = re.sub(r"\\.", "", line)
            depth += bare.count("{") - bare.count("}")
    return None


def _key_above(bbl: Path, line: int) -> str:
    r"""Return the key of the entry around a line of a `.bbl`."""
    if not bbl.is_file():
        return ""
    above = "\n".join(bbl.read_text(encoding="utf-8", errors="replace").split("\n")[:line])
    keys = re.findall(r"\\bibitem\s*(?:\[(?:[^][{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\])?\s*\{([^{}]+)\}", above)
    return str(keys[-1]) if keys else ""


def _in_entry(problem: Problem, folder: Path, key: str) -> Problem:
    """Return the problem at the line of the entry, or of any, that holds what it complains about."""
    entry = _entry(folder, key) if key else []
    patterns = [re.escape(problem.key) + r"(?![A-Za-z])"] if problem.key else []
    patterns += [pattern for what, pattern in _CHARACTERS if re.search(what, problem.message)]
    words = re.findall(r"[^\W\d_]{4,}", problem.context)
    patterns += [re.escape(word) for word in words[-1:] if key]
    for pattern in patterns:
        for file, line in _occurrences(folder, ("*.bib",), rf"^\s*(?!url|doi|file)\w+\s*=.*{pattern}"):
            end = next(
                (n for f, n in _entry(folder, r"[^\s,]+") if f == file and entry and n > entry[0][1]), 0
            )
            if not key or (entry and file == entry[0][0] and line >= entry[0][1] and (not end or line < end)):
                return replace(problem, file=file, line=line, context="")
    return _at(problem, entry)


def _entry(folder: Path, key: str) -> list[tuple[str, int]]:
    pattern = key if key.startswith("[^") else re.escape(key)
    return _occurrences(folder, ("*.bib",), rf"@\w+\s*[{{(]\s*{pattern}\s*,")


# ------------------------------------------------------------------------------------------------ the sources


def _loaded(folder: Path, package: str) -> list[tuple[str, int]]:
    return _occurrences(folder, _TEX, _LOADING.format(re.escape(package)))


def _before(problem: Problem, found: Sequence[tuple[str, int]]) -> Problem:
    """Return the problem at the last of several places that is not below the line that was told."""
    told = problem.line if problem.file.endswith(".tex") else None
    before = [p for p in found if told is None or p == (problem.file, min(told, p[1]))]
    return _at(problem, (before or list(found))[-1:])


def _at(problem: Problem, places: Sequence[tuple[str, int]]) -> Problem:
    return replace(problem, file=places[0][0], line=places[0][1], context="") if places else problem


def _line(text: str, number: int) -> str:
    lines = text.split("\n")
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _occurrences(folder: Path, files: Sequence[str], pattern: str) -> list[tuple[str, int]]:
    """Return file and line of all matches in the sources."""
    out = []
    for path in sorted(path for kind in files for path in folder.rglob(kind) if path.name not in OWN):
        text = path.read_text(encoding="utf-8", errors="replace")
        name = path.relative_to(folder).as_posix()
        found = re.finditer(pattern, text, re.MULTILINE)
        out += [(name, text.count("\n", 0, match.start()) + 1) for match in found]
    return out

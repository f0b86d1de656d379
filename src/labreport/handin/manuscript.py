"""What a publisher asks for: the sources of the report alone, which compile without labreport.

They are what TeX read for the published report, with the bibliography as BibTeX has set it. Before they are
handed over they are compiled in an empty folder, by passes of TeX alone, and must give the same PDF.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from labreport import surroundings
from labreport.documents import latexmk, readback, report
from labreport.errors import UsageError, raise_all
from labreport.handin import zipped
from labreport.handin.contents import Contents, PackError
from labreport.handin.leaks import leaks
from labreport.project import Project
from labreport.results import files, files_in

FOLDER = "pack"
TEXTS = (".tex", ".sty", ".cls", ".bbl", ".cfg")


@dataclass(frozen=True)
class Publisher:
    """What a publisher takes: files in one folder only, the database of references, settings of latexmk.

    `names` matches the paths that it takes.
    """

    flat: bool = False
    database: bool = True
    latexmkrc: bool = False
    names: str = r"[\w+\-.,=/]+"


ENGLISH = r"[A-Za-z0-9_+\-.,=/]+"
PUBLISHERS = {
    # https://info.arxiv.org/help/submit_tex.html: it runs no BibTeX, and wants nothing that it does not need
    "arxiv": Publisher(database=False, names=ENGLISH),
    "overleaf": Publisher(latexmkrc=True),
    "journal": Publisher(flat=True, names=ENGLISH),
}


@dataclass(frozen=True)
class Manuscript:
    """What was written for a publisher: the zip, the names in it, the pages that they give."""

    path: Path
    files: tuple[str, ...]
    pages: int


def pack_for(project: Project, name: str) -> Manuscript:
    """Write the sources of the report for a publisher, and return what they are.

    Raises
    ------
    PackError, SeveralErrors
        The report is not up to date; a name or a text would give away what must not be handed in, or is none
        that the publisher takes; or the sources do not give the report's PDF.
    UsageError
        The build is a quick one.

    """
    publisher = PUBLISHERS[name]
    _check_report(project)
    scratch = files.stage(project.build)
    try:
        contents = _collected(project, publisher, scratch / "made")
        raise_all(_bad_names(contents, publisher, name))
        pdf = project.pdf.read_bytes()
        raise_all(leaks(project, contents, {project.pdf.name: pdf}))
        pages = _compiled(project, contents.data, scratch / "compile", pdf)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    stem = f"{name}-{project.job}" if project.config.documents else name
    target = project.build / FOLDER / f"{stem}.zip"
    target.parent.mkdir(exist_ok=True)
    files.write(target, zipped.archive(contents.data, top=""))
    return Manuscript(target, tuple(sorted(contents.data)), pages)


def _check_report(project: Project) -> None:
    if project.quick:
        raise UsageError("a quick build is not handed in", cure=f"run `{project.command('--full')}`")
    if reasons := report.out_of_date(project):
        what = f"{project.shown(project.pdf)} is not up to date: {reasons[0]}"
        raise PackError(what, notes=reasons[1:], cure=f"run `{project.command()}`")


def _collected(project: Project, publisher: Publisher, folder: Path) -> Contents:
    """Return what TeX reads of the published sources, as the publisher wants it; it is made in `folder`."""
    shutil.copytree(project.latex, folder)
    sources = {path.relative_to(folder).as_posix() for path in files_in(folder)}
    made = latexmk.compile(folder, job=project.job)
    read = set(latexmk.inputs(made.pdf.with_suffix(".fls")))
    taken = (sources | {f"{project.job}.bbl", "labreport.cfg"}) & read
    if publisher.database:
        taken |= {name for name in sources if name.endswith((".bib", ".bst"))}
    contents = Contents()
    for name in sorted(taken):
        contents.add(name, (folder / name).read_bytes(), project.shown(project.latex / name))
    if publisher.flat:
        _flatten(contents)
    if publisher.latexmkrc:
        contents.add("latexmkrc", _latexmkrc().encode(), "latexmkrc, which is made for the publisher")
    return contents


def _flatten(contents: Contents) -> None:
    """Move all files into one folder, and let the sources name them there."""
    moved = {name: name.rpartition("/")[2] for name in contents.data if "/" in name}
    kept = {name for name in contents.data if "/" not in name}
    for name, short in moved.items():
        if short in kept:  # two files of one name
            moved[name] = name.replace("/", "-")
        kept.add(moved[name])
    for name, short in moved.items():
        contents.add(short, contents.data.pop(name), contents.shown.pop(name))
    for name, data in contents.data.items():
        if name.endswith(TEXTS):
            contents.data[name] = _renamed(data.decode(), moved).encode()


def _renamed(text: str, moved: Mapping[str, str]) -> str:
    """Return LaTeX with other paths in its arguments, with the suffixes of files or without."""
    for name, short in moved.items():
        stem, end = name.rpartition(".")[::2]
        pattern = rf"(?<={{)(?:\./)?{re.escape(stem)}(\.{re.escape(end)})?(?=}})"
        text = re.sub(pattern, lambda found, s=short: s if found[1] else s.rpartition(".")[0], text)  # type: ignore[misc]
    return text


def _latexmkrc() -> str:
    """Return settings with which latexmk gives the report of this project: its dates are no clock's."""
    names = ("SOURCE_DATE_EPOCH", "FORCE_SOURCE_DATE", "TZ")
    lines = [f"$ENV{{'{name}'}} = '{surroundings.TEX[name]}';" for name in names]
    return "\n".join(["# Generated by labreport.", *lines, "$pdf_mode = 1;", ""])


def _bad_names(contents: Contents, publisher: Publisher, name: str) -> list[PackError]:
    return [
        PackError(
            f"{name} does not take a file of the name {contents.shown[path]!r}",
            cure="give it a name of letters without accents, digits, and - or _",
        )
        for path in sorted(contents.data)
        if not re.fullmatch(publisher.names, path)
    ]


def _compiled(project: Project, data: Mapping[str, bytes], folder: Path, pdf: bytes) -> int:
    """Return the pages that the files give in an empty folder; PackError if it is not the report's PDF."""
    for name, content in data.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    try:
        made = latexmk.compile_plainly(folder, job=project.job)
    except latexmk.CompileFailed as error:
        what = f"what was to be handed over does not compile alone: {error.problems[0].message}"
        raise PackError(what, notes=[str(p) for p in error.problems[1:4]], cure=_CURE) from error
    again = made.pdf.read_bytes()
    shown = project.shown(project.pdf)
    if again != pdf and readback.read(again, shown).pages != readback.read(pdf, shown).pages:
        what = f"what was to be handed over gives another document than {shown}"
        raise PackError(what, cure=_CURE)
    return made.pages


_CURE = "the report must need nothing but its sources and TeX: no files of other folders, no other programs"

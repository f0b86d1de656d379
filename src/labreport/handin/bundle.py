"""The hand-in: the report, and a zip of all that it was made from, the same bytes for the same files.

An allow-list decides what goes in; what tells a secret or tells of this machine is refused before anything is
written. Until the last step nothing of an earlier hand-in is touched.
"""

from __future__ import annotations

import io
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from labreport.documents import cells
from labreport.errors import InputError, LabreportError, Place, UsageError, raise_all
from labreport.handin import readme, secrets
from labreport.project import CONFIG, ENGINE, Project
from labreport.results import files, results
from labreport.results.fingerprint import Sources
from labreport.results.strict_json import seal, unseal

REPORT = "report.pdf"
CODE = "code.zip"
TOP = "code"
"""The one folder of the zip, in which all files lie."""

README = "README.txt"
DATE = (1980, 1, 1, 0, 0, 0)
MOST_NAMED = 5

FOLDERS = ("experiments", "report_templates", "src", "tests")
PATTERNS = (
    "experiments/**/*.py",
    "experiments/**/*.yaml",
    "experiments/**/*.mplstyle",
    "report_templates/**/*",
    "src/**/*.py",
    "src/**/*.sty",
    "src/**/py.typed",
    "tests/**/*.py",
)
SINGLE = ("report.toml", "README.md", "build/README.md")
MAIN = ("build_report.py", "pyproject.toml", "constraints.txt", "Makefile")
"""Files that labreport gives to a project that has none of its own."""

FIGURE_FILES = (".pdf", ".png", ".csv", ".json")
CIRCUMSTANCES = ("started", "finished", "seconds", "python", "jobs", "revision")
"""What run.json records of time and place."""


class PackError(LabreportError):
    """The hand-in cannot be packed, or holds what must not be handed in."""

    exit_code = 7


@dataclass(frozen=True)
class Submission:
    """A hand-in: its two files, the names in the zip, and what is worth a look."""

    report: Path
    code: Path
    files: tuple[str, ...]
    notices: tuple[str, ...]


@dataclass
class Contents:
    """What goes into the zip: the bytes by name, where they come from, and what was left out."""

    data: dict[str, bytes] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    refused: list[LabreportError] = field(default_factory=list)

    def add(self, name: str, data: bytes, shown: str) -> None:
        """Add bytes under their name in the zip; messages call them `shown`."""
        self.data[name] = data
        self.shown[name] = shown

    def add_file(self, name: str, path: Path, shown: str) -> None:
        """Add a file under its name in the zip; what is no regular file is refused."""
        if path.is_symlink():
            what = f"{shown} is a symbolic link, which is not handed in"
            cure = "put the file itself in its place, or take the link out"
            self.refused.append(PackError(what, cure=cure))
        elif not path.is_file():
            what = f"{shown} is no regular file"
            self.refused.append(PackError(what, cure="take it out of the project"))
        else:
            self.add(name, path.read_bytes(), shown)


def pack(project: Project) -> Submission:
    """Write the hand-in and return what it is; an earlier one is replaced as a whole, or stays as it is.

    Raises
    ------
    PackError, SeveralErrors
        There is no report, a result or a notebook is missing, a file is a symbolic link or has a name that
        not every system knows, or something holds a secret, a path of this machine or the name of its user.
    InputError
        `include` of report.toml matches nothing, or what must not be packed.
    UsageError
        The build is a quick one.

    """
    _refuse_quick(project)
    pdf = _report(project)
    contents = collect(project)
    processor = readme.processor_class()
    text = readme.text(project, contents.data, _questions(project), processor)
    contents.add(README, text.encode(), f"{README}, which is made from the project's files")
    raise_all([*leaks(project, contents), *_leaks_of_report(project, pdf)])
    _publish(project, pdf, archive(contents.data))
    return Submission(
        report=project.submission / REPORT,
        code=project.submission / CODE,
        files=tuple(sorted(contents.data)),
        notices=_notices(contents.left_out),
    )


def is_current(project: Project) -> list[str]:
    """Return why the hand-in must be packed again, in words; empty if it is up to date."""
    code, report = project.submission / CODE, project.submission / REPORT
    if not (code.is_file() and report.is_file()):
        return ["never packed"]
    reasons = []
    if not project.pdf.is_file() or report.read_bytes() != project.pdf.read_bytes():
        reasons.append(f"{project.shown(project.pdf)} is another one")
    try:
        with zipfile.ZipFile(code) as packed:
            old = {e.filename.removeprefix(f"{TOP}/"): (e.CRC, e.file_size) for e in packed.infolist()}
    except (zipfile.BadZipFile, OSError):
        return [*reasons, f"{project.shown(code)} is damaged"]
    old.pop(README, None)  # it follows from the others
    new = {name: (zlib.crc32(data), len(data)) for name, data in collect(project).data.items()}
    reasons += [f"{name} is new" for name in sorted(new.keys() - old.keys())]
    reasons += [f"{name} is gone" for name in sorted(old.keys() - new.keys())]
    reasons += [f"{name} changed" for name in sorted(new.keys() & old.keys()) if new[name] != old[name]]
    return reasons


def archive(data: Mapping[str, bytes]) -> bytes:
    """Return a zip of files: sorted, of one date, with the rights that their contents ask for.

    The files are stored as they are: what a compressor gives depends on its version.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        for name in sorted(data):
            entry = zipfile.ZipInfo(f"{TOP}/{name}", DATE)
            entry.create_system = 3  # Unix, so that the rights count
            entry.external_attr = (0o100755 if data[name].startswith(b"#!") else 0o100644) << 16
            packed.writestr(entry, data[name])
    return out.getvalue()


def _refuse_quick(project: Project) -> None:
    if project.quick:
        raise UsageError("a quick build is not handed in", cure="build without --quick")


def _report(project: Project) -> bytes:
    try:
        return project.pdf.read_bytes()
    except FileNotFoundError:
        what = f"there is no {project.shown(project.pdf)} to hand in"
        raise PackError(what, cure=f"run `{project.command()}`") from None


def _questions(project: Project) -> dict[str, str]:
    sources = Sources(project)
    return {name: sources.declaration(name).question for name in project.experiment_names()}


def _notices(left_out: Sequence[str]) -> tuple[str, ...]:
    if not left_out:
        return ()
    named = ", ".join(left_out[:MOST_NAMED])
    more = f" and {len(left_out) - MOST_NAMED} more" if len(left_out) > MOST_NAMED else ""
    return (f"not handed in: {named}{more}; `[submission] include` of {CONFIG} can name further files",)


# --------------------------------------------------------------------------------------------- what goes in


def collect(project: Project) -> Contents:
    """Return what goes into the zip but for its README, from the project and, where it lacks it, the engine.

    Raises
    ------
    PackError, InputError, SeveralErrors
        As `pack`.

    """
    contents = Contents()
    for folder in FOLDERS:
        _add_matching(contents, project, project.root / folder, PATTERNS)
    _add_named(contents, project)
    _add_included(contents, project)
    _add_engine(contents, project)
    for name in project.experiment_names():
        _add_result(contents, project, name)
    _note_foreign_results(contents, project)
    _add_notebooks(contents, project)
    raise_all([*contents.refused, *_bad_names(contents)])
    contents.left_out = [name for name in contents.left_out if name not in contents.data]
    return contents


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Return whether a path in the project has the form of a pattern; `**/` is any number of folders."""
    return any(re.fullmatch(_expression(pattern), name) for pattern in patterns)


def _expression(pattern: str) -> str:
    known = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return "".join(known.get(part) or re.escape(part) for part in re.split(r"(\*\*/|\*\*|\*|\?)", pattern))


def _add_matching(contents: Contents, project: Project, folder: Path, patterns: Sequence[str]) -> None:
    for path in _walk(folder):
        name = _relative(project, path)
        if matches(name, patterns) or path.is_symlink() or not path.is_file():
            contents.add_file(name, path, name)
        else:
            contents.left_out.append(name)


def _add_named(contents: Contents, project: Project) -> None:
    """Add single files of the project, and those that its experiments declare to read."""
    sources = Sources(project)
    reads = [name for each in project.experiment_names() for name in sources.declaration(each).reads]
    for name in (*SINGLE, *MAIN, *reads):
        path = project.root / name
        if path.is_symlink() or path.is_file():
            contents.add_file(_relative(project, path), path, name)


def _add_included(contents: Contents, project: Project) -> None:
    for pattern in project.config.submission.get("include", []):
        place = _setting(project, pattern)
        if not _is_usable(pattern):
            cure = "name visible files below the project's folder, with / between folders, outside build/"
            raise InputError(f"include of {CONFIG} cannot hold {pattern!r}", place=place, cure=cure)
        fixed = re.split(r"[*?]", pattern, maxsplit=1)[0].rpartition("/")[0]
        start = project.root / fixed
        names = [_relative(project, path) for path in _walk(start)]
        found = [n for n in names if matches(n, (pattern,)) and not n.startswith("build/")]
        if not found:
            what = f"include of {CONFIG} names {pattern!r}, which matches no file"
            raise InputError(what, place=place, cure="correct the pattern, or take it out")
        for name in found:
            contents.add_file(name, project.root / name, name)


def _relative(project: Project, path: Path) -> str:
    return path.relative_to(project.root).as_posix()


def _is_usable(pattern: str) -> bool:
    steps = pattern.split("/")
    return "\\" not in pattern and steps[0] != "build" and all(s and not s.startswith(".") for s in steps)


def _setting(project: Project, text: str) -> Place:
    """Return where report.toml has a text."""
    lines = (project.root / CONFIG).read_text(encoding="utf-8-sig").splitlines()
    return next(
        (Place(CONFIG, n, source=line) for n, line in enumerate(lines, 1) if text in line), Place(CONFIG)
    )


def _add_engine(contents: Contents, project: Project) -> None:
    """Add labreport itself, and the files around it that the project has not, so that the zip runs alone."""
    root = ENGINE.parents[1]
    if project.root == root:
        return
    if not any(name.startswith("src/labreport/") for name in contents.data):
        for path in _walk(ENGINE):
            name = f"src/labreport/{path.relative_to(ENGINE).as_posix()}"
            if matches(name, PATTERNS):
                contents.add_file(name, path, f"labreport's {path.name}")
    for name in MAIN:
        if name not in contents.data and (root / name).is_file():
            contents.add_file(name, root / name, f"labreport's {name}")


def _add_result(contents: Contents, project: Project, name: str) -> None:
    """Add a result and its figures, with a record of the run that says nothing of time and place."""
    folder = project.results / name
    for required in (results.RESULT, results.RUN):
        if not (folder / required).is_file():
            cure = f"run `{project.command('run', name)}`"
            contents.refused.append(PackError(f"the result of {name!r} is missing", cure=cure))
            return
    for path in _walk(folder):
        inside, shown = path.relative_to(folder).as_posix(), project.shown(path)
        figure = inside.startswith(f"{results.FIGURES}/") and path.suffix in FIGURE_FILES
        if path.name == results.TIMING:
            continue
        if figure or inside in (results.RESULT, results.RUN):
            contents.add_file(f"build/results/{name}/{inside}", path, shown)
        else:
            contents.left_out.append(shown)
    run = f"build/results/{name}/{results.RUN}"
    again = f"make it again: `{project.command('run', name)}`"
    if run in contents.data:
        contents.data[run] = timeless(contents.data[run], contents.shown[run], again)


def timeless(record: bytes, shown: str, cure: str) -> bytes:
    """Return the bytes of a run.json without the circumstances of the run."""
    return seal({**unseal(record, shown, cure=cure), **dict.fromkeys(CIRCUMSTANCES)})


def _note_foreign_results(contents: Contents, project: Project) -> None:
    """Note results of experiments that are no more."""
    if project.results.is_dir():
        foreign = {path.name for path in project.results.iterdir()} - set(project.experiment_names())
        contents.left_out += [f"build/results/{n}" for n in sorted(foreign) if not n.startswith(".")]


def _add_notebooks(contents: Contents, project: Project) -> None:
    """Add the woven notebook of each template, at the top of the zip."""
    wanted = cells.names(project)
    for path in _walk(project.notebooks):
        if path.suffix == ".ipynb" and path.stem in wanted:
            contents.add_file(f"notebooks/{path.name}", path, project.shown(path))
        else:
            contents.left_out.append(project.shown(path))
    for name in wanted:
        if f"notebooks/{name}.ipynb" not in contents.data:
            what = f"the notebook {name!r} has not been woven"
            contents.refused.append(PackError(what, cure=f"run `{project.command()}`"))


def _walk(folder: Path) -> Iterator[Path]:
    """Yield all that is in a folder, sorted, but for what is hidden and caches; links are not followed."""
    if folder.is_symlink():
        yield folder
    elif folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.name.startswith(".") or path.name == "__pycache__":
                continue
            if path.is_dir():
                yield from _walk(path)
            else:
                yield path


def _bad_names(contents: Contents) -> list[LabreportError]:
    """Return what is wrong with names: not every system can unpack them."""
    wrong: list[LabreportError] = []
    folded: dict[str, str] = {}
    for name in sorted(contents.data):
        if not name.isprintable() or re.search(r'[\\:*?"<>|]', name):
            what = f"the name {name!r} cannot be unpacked on every system"
            wrong.append(PackError(what, cure="rename the file: letters, digits, - and _"))
        twin = folded.setdefault(name.casefold(), name)
        if twin != name:
            what = f"{twin!r} and {name!r} differ only in upper and lower case"
            wrong.append(PackError(what, cure="rename one of the files"))
        if name.casefold() == README.casefold():
            what = f"{name} would take the place of the README that is made"
            wrong.append(PackError(what, cure="rename the file"))
    return wrong


# --------------------------------------------------------------------------------------- what must not go in

_CURES = {
    "secret": "take it out and revoke it: whoever has it can use it",
    "path": "print names of files relative to the project, or only their last part; then build again",
    "name": "take it out, then build again",
}
_NO_CASE = "if it is none: `[submission] allow` of report.toml lists texts that are harmless"


def leaks(project: Project, contents: Contents) -> list[LabreportError]:
    """Return what the files of a hand-in give away, with file and line, without the values."""
    known = _known(project)
    return [
        _leak(contents.shown[name], finding)
        for name, data in sorted(contents.data.items())
        for finding in secrets.search(data, known)
    ]


def _leaks_of_report(project: Project, pdf: bytes) -> list[LabreportError]:
    """Return what the report gives away: in its bytes and streams, or as the text that one reads."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    known = _known(project)
    shown = project.shown(project.pdf)
    found = {f.what: _leak(shown, f) for f in secrets.search(pdf, known)}
    try:
        reader = PdfReader(io.BytesIO(pdf))
        texts = {"its metadata": "\n".join(map(str, (reader.metadata or {}).values()))}
        texts |= {f"page {number}": page.extract_text() for number, page in enumerate(reader.pages, 1)}
    except (PyPdfError, ValueError, LookupError) as error:
        what = f"{shown} cannot be read back: {type(error).__name__}"
        raise PackError(what, cure="delete it, then build again") from error
    for where, text in texts.items():
        for f in secrets.search(text.encode("utf-8", "replace"), known):
            found.setdefault(f.what, _leak(f"{shown}, {where}", secrets.Finding(f.kind, f.what)))
    return list(found.values())


def _known(project: Project) -> secrets.Known:
    folders = {project.root, ENGINE.parents[1]}
    return secrets.known(
        sorted(folders),
        allowed=project.config.submission.get("allow", []),
        authors=project.config.authors,
    )


def _leak(shown: str, finding: secrets.Finding) -> PackError:
    what = f"{shown} would give away {finding}"
    return PackError(what, place=Place(shown, finding.line), cure=f"{_CURES[finding.kind]}; {_NO_CASE}")


# --------------------------------------------------------------------------------------------------- publish


def _publish(project: Project, pdf: bytes, code: bytes) -> None:
    """Put both files in the place of the last ones, after a look at what was written."""
    files.sweep(project.build)
    staged = files.stage(project.build)
    try:
        (staged / REPORT).write_bytes(pdf)
        (staged / CODE).write_bytes(code)
        _check_written(staged / CODE, code)
        files.replace_folder(project.submission, staged)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _check_written(path: Path, expected: bytes) -> None:
    """Raise PackError unless a zip can be read back whole."""
    with zipfile.ZipFile(path) as packed:
        names = packed.namelist()
        good = packed.testzip() is None and names == sorted(set(names))
        good = good and all(name.startswith(f"{TOP}/") for name in names)
    if not good or path.read_bytes() != expected:
        raise PackError(f"{CODE} was not written as it should be", cure="free space on the disk; build again")

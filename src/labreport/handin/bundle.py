"""The hand-in: the report, and a zip of all that it was made from, the same bytes for the same files.

What gives away a secret or this machine is refused before anything is written. Until the last step nothing of
an earlier hand-in is touched.
"""

from __future__ import annotations

import io
import shutil
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labreport import lock
from labreport.config import CONFIG
from labreport.errors import UsageError, raise_all
from labreport.handin import leaks, standalone
from labreport.handin.allowlist import collect
from labreport.handin.contents import README, Contents, PackError
from labreport.project import Project
from labreport.results import changes, files, of_kind

CODE = "code.zip"
TOP = "code"
"""The one folder of the zip, in which all files lie."""

DATE = (1980, 1, 1, 0, 0, 0)
MOST_NAMED = 5


@dataclass(frozen=True)
class Submission:
    """A hand-in: its documents and the zip, the names in that, and what is worth a look."""

    reports: tuple[Path, ...]
    code: Path
    files: tuple[str, ...]
    notices: tuple[str, ...]


def pack(project: Project, contents: Contents | None = None) -> Submission:
    """Write the hand-in and return what it is; an earlier one is replaced as a whole, or stays as it is.

    `contents` are what `collect` returns, if that was asked before.

    Raises
    ------
    PackError, SeveralErrors
        There is no report, a result or a notebook is missing, a file is a symbolic link or has a name that
        some systems refuse, or something holds a secret, a path of this machine or the name of its user.
    InputError
        `include` of report.toml matches nothing, or what must not be packed.
    UsageError
        The build is a quick one.

    """
    from labreport.handin import readme

    _refuse_quick(project)
    pdfs = {each.pdf.name: _report(each) for each in project.documents}
    contents = contents or collect(project)
    needed = standalone.add_made(contents)  # before the README, which lists the versions
    processor = readme.processor_class()
    text = readme.text(project, contents.data, contents.questions, needed, processor)
    contents.add(README, text.encode(), f"{README}, which is made from the project's files")
    raise_all(leaks.leaks(project, contents, pdfs))
    _publish(project, pdfs, archive(contents.data))
    leaks.note_searched(project)
    return Submission(
        reports=tuple(project.submission / name for name in pdfs),
        code=project.submission / CODE,
        files=tuple(sorted(contents.data)),
        notices=(*contents.notices, *_notices(contents.left_out)),
    )


def out_of_date(project: Project, contents: Contents | None = None) -> list[str]:
    """Return why the hand-in must be packed again, in words; empty if it is up to date.

    `contents` are what `collect` returns, if that was asked before.
    """
    code = project.submission / CODE
    packed_as = {each.pdf: project.submission / each.pdf.name for each in project.documents}
    if not all(path.is_file() for path in (code, *packed_as.values())):
        return ["never packed"]
    reasons = [
        f"{project.shown(pdf)} changed"
        for pdf, packed_pdf in packed_as.items()
        if not pdf.is_file() or packed_pdf.read_bytes() != pdf.read_bytes()
    ]
    handed_in = {path.name for path in project.submission.iterdir()}
    surplus = handed_in - {code.name, *(path.name for path in packed_as.values())}
    reasons += [f"{name} is handed in no longer" for name in sorted(surplus)]
    try:
        with zipfile.ZipFile(code) as packed:
            old = {e.filename.removeprefix(f"{TOP}/"): f"{e.CRC} {e.file_size}" for e in packed.infolist()}
            made = {n: packed.read(f"{TOP}/{n}") for n in standalone.MAIN if n in old}
            made = {name: data for name, data in made.items() if standalone.is_made(data)}
    except (zipfile.BadZipFile, OSError):
        return [*reasons, f"{project.shown(code)} is damaged"]
    contents = contents or collect(project)
    new = {name: f"{zlib.crc32(data)} {len(data)}" for name, data in contents.data.items()}
    old.pop(README, None)
    for name, data in made.items():  # they follow from the others
        if name not in new or standalone.replaces(data, contents.data[name]):
            old.pop(name)
            new.pop(name, None)
    reasons += changes(of_kind("input", old), of_kind("input", new))
    if not reasons and not leaks.is_searched(project):  # perhaps a key became known since
        reasons = ["it was not searched for all that is secret by now"]
    return reasons


def archive(data: Mapping[str, bytes], *, top: str = TOP) -> bytes:
    """Return a zip of files in one folder: sorted, of one date, with the rights that their contents ask for.

    The files are stored as they are: what a compressor gives depends on its version.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        for name in sorted(data):
            entry = zipfile.ZipInfo(f"{top}/{name}" if top else name, DATE)
            entry.create_system = 3  # Unix, so that the rights count
            entry.external_attr = (0o100755 if data[name].startswith(b"#!") else 0o100644) << 16
            packed.writestr(entry, data[name])
    return out.getvalue()


def _refuse_quick(project: Project) -> None:
    if project.quick:
        raise UsageError("a quick build is not handed in", cure=f"run `{project.command('--full')}`")


def _report(project: Project) -> bytes:
    try:
        return project.pdf.read_bytes()
    except FileNotFoundError:
        what = f"there is no {project.shown(project.pdf)} to hand in"
        raise PackError(what, cure=f"run `{project.command()}`") from None


def _notices(left_out: Sequence[str]) -> tuple[str, ...]:
    if not left_out:
        return ()
    named = ", ".join(left_out[:MOST_NAMED])
    more = f" and {len(left_out) - MOST_NAMED} more" if len(left_out) > MOST_NAMED else ""
    return (f"not handed in: {named}{more}; `[submission] include` of {CONFIG} can name further files",)


# --------------------------------------------------------------------------------------------------- publish


def _publish(project: Project, pdfs: Mapping[str, bytes], code: bytes) -> None:
    """Put all files in the place of the last ones, after a look at what was written."""
    lock.check(project)
    staged = files.stage(project.build)
    try:
        for name, pdf in pdfs.items():
            (staged / name).write_bytes(pdf)
        (staged / CODE).write_bytes(code)
        # what counts is what reached the disk, not what was meant to be there
        _check_written(staged / CODE, code)
        files.replace_folder(project.submission, staged)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _check_written(path: Path, expected: bytes) -> None:
    """Raise PackError unless a file holds what was written."""
    if path.read_bytes() != expected:
        raise PackError(
            f"{CODE} was damaged while it was written", cure="free space on the disk; build again"
        )

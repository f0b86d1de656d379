"""The hand-in: the report, and a zip of all that it was made from, the same bytes for the same files.

What gives away a secret or this machine is refused before anything is written. Until the last step nothing of
an earlier hand-in is touched.
"""

from __future__ import annotations

import shutil
import stat
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labreport import lock
from labreport.config import CONFIG
from labreport.errors import UsageError, raise_all
from labreport.handin import leaks, standalone, zipped
from labreport.handin.allowlist import collect
from labreport.handin.contents import README, Contents, PackError
from labreport.handin.zipped import CODE, TOP
from labreport.project import Project
from labreport.results import Record, changes, files, freshness, of_kind

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
    publish(project, pdfs, contents.data)
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
    if not project.submission.is_dir():
        return ["never packed"]
    if by_hand := touched(project):
        return [f"{project.shown(path, follow_symlinks=False)}: {what}" for path, what in by_hand]
    pairs = {each.pdf: project.submission / each.pdf.name for each in project.documents}
    reasons = [
        f"{project.shown(pdf)} changed"
        for pdf, packed in pairs.items()
        if not packed.is_file() or freshness.digest(pdf) != freshness.digest(packed)
    ]
    handed_in = {path.name for path in project.submission.iterdir()}
    surplus = handed_in - {CODE, *(path.name for path in pairs.values())}
    reasons += [f"{name} is handed in no longer" for name in sorted(surplus)]
    contents = contents or collect(project)
    record = freshness.read(_record(project))
    old = record.inputs.named("input") if record else {}
    new = {name: files.checksum(data) for name, data in contents.data.items()}
    old.pop(README, None)
    for name, data in _made(project, old).items():  # they follow from the others
        if name not in new or standalone.replaces(data, contents.data[name]):
            old.pop(name)
            new.pop(name, None)
    reasons += changes(of_kind("input", old), of_kind("input", new))
    if not reasons and not leaks.is_searched(project):  # perhaps a key became known since
        reasons = ["it was not searched for all that is secret by now"]
    return reasons


def _made(project: Project, packed: Mapping[str, str]) -> dict[str, bytes]:
    """Return those files of the zip that were made for it."""
    with zipfile.ZipFile(project.submission / CODE) as code:
        found = {name: code.read(f"{TOP}/{name}") for name in standalone.MAIN if name in packed}
    return {name: data for name, data in found.items() if standalone.is_made(data)}


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


# --------------------------------------------------------------------------------- published, and left alone


def publish(project: Project, pdfs: Mapping[str, bytes], data: Mapping[str, bytes]) -> None:
    """Put documents and a zip of files in the place of the last hand-in, and record what they are.

    Raises PackError if they did not reach the disk.
    """
    lock.check(project)
    staged = files.stage(project.build)
    try:
        packed = {**pdfs, CODE: zipped.archive(data)}
        for name, content in packed.items():
            (staged / name).write_bytes(content)
            # what counts is what reached the disk, not what was meant to be there
            _check_written(staged / name, content)
        _record(project).unlink(missing_ok=True)  # a build killed from here on packs again
        files.replace_folder(project.submission, staged)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    paths = [project.submission / name for name in packed]
    inside = of_kind("input", {name: files.checksum(content) for name, content in data.items()})
    freshness.write(_record(project), Record(inside, freshness.outputs(project, paths)))


def _check_written(path: Path, expected: bytes) -> None:
    """Raise PackError unless a file holds what was written."""
    if path.read_bytes() != expected:
        raise PackError(
            f"{path.name} was damaged while it was written", cure="free space on the disk; build again"
        )


def _record(project: Project) -> Path:
    """Return the file that says what was packed: the digests of the files handed in, and of those inside."""
    return project.build / "cache" / "handin.json"


def touched(project: Project) -> list[tuple[Path, str]]:
    """Return what was done to the hand-in after it was packed: the file or folder, and what was done to it.

    Nothing was done to one that was never packed.
    """
    folder = project.submission
    if not folder.is_dir():
        return []
    record = freshness.read(_record(project))
    if record is None:
        return [(folder, "there is no record of what was packed")]
    if folder.is_symlink():
        return [(folder, "it is a symbolic link")]
    packed = {folder / name.rpartition("/")[2]: digest for name, digest in record.outputs.items()}
    added = [(path, "it was added") for path in sorted({*folder.iterdir()} - packed.keys())]
    changed = ((path, _trouble(path, digest, record)) for path, digest in packed.items())
    return [*added, *((path, what) for path, said in changed for what in said)]


def _trouble(path: Path, digest: str, record: Record) -> Iterator[str]:
    """Yield what was done to a file of the hand-in whose bytes had this digest."""
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            yield "it is a symbolic link" if stat.S_ISLNK(mode) else "it is not a regular file"
            return
        if mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX):  # some file systems make up the others
            yield f"it has the rights {stat.filemode(mode)}"
        if files.digest(path) != digest:
            known = record.inputs.named("input")
            said = [*zipped.deviations(path.read_bytes(), known)] if path.name == CODE else []
            yield from said or ["it was changed"]
    except FileNotFoundError:
        yield "it is missing"
    except OSError as error:
        yield f"it cannot be read: {error.strerror}"

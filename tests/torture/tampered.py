"""Hand-ins that somebody changed: each kind of change, at random places, and whether it is noticed.

`verify` and `check` must each name it in a line, before anything is unpacked; an untouched one must pass.
"""

from __future__ import annotations

import io
import os
import random
import shutil
import stat
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import projects
import pypdf
from handed import EXPERIMENT, TOML, fill, write_pdf

from labreport.checks import CHECKS
from labreport.checks.material import Material
from labreport.handin import VerifyError, bundle, verification, verify, zipped
from labreport.project import Project
from torture.trial import Trial

Entries = list[tuple[zipfile.ZipInfo, bytes]]

HAND_IN = next(row for row in CHECKS if row.name == "hand-in")


# ------------------------------------------------------------------------------------------ inside of the zip


def rewritten(change: Callable[[random.Random, Entries], Entries | None]) -> Change:
    """Return a change of the zip that takes it apart, changes entries, and writes it as it was otherwise."""

    def changed(chance: random.Random, project: Project) -> None:
        with zipfile.ZipFile(code(project)) as packed:
            entries = [(entry, packed.read(entry)) for entry in packed.infolist()]
        entries = change(chance, entries) or entries
        write(code(project), entries)

    return changed


def write(path: Path, entries: Entries) -> None:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as packed:
        warnings.simplefilter("ignore")  # of a name that is there twice
        for entry, data in entries:
            packed.writestr(entry, data, entry.compress_type)


def code(project: Project) -> Path:
    return project.submission / zipped.CODE


def one(chance: random.Random, entries: Entries, pattern: str = "") -> int:
    """Return the number of an entry that is not empty, and whose name holds a text."""
    return chance.choice([n for n, (entry, data) in enumerate(entries) if data and pattern in entry.filename])


def edit(pattern: str) -> Callable[[random.Random, Entries], None]:
    """Return a change of a byte of a file, with the checksum that it then has."""

    def changed(chance: random.Random, entries: Entries) -> None:
        at = one(chance, entries, pattern)
        entry, data = entries[at]
        entries[at] = entry, flipped(chance, data)

    return changed


def flipped(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def add(name: str) -> Callable[[random.Random, Entries], None]:
    """Return a change that adds a file of a name."""

    def changed(chance: random.Random, entries: Entries) -> None:
        entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        entry.external_attr = 0o100644 << 16
        entries.insert(chance.randrange(len(entries) + 1), (entry, b"print('mine')\n"))

    return changed


def remove(pattern: str = "") -> Callable[[random.Random, Entries], None]:
    def changed(chance: random.Random, entries: Entries) -> None:
        del entries[one(chance, entries, pattern)]

    return changed


def rename(chance: random.Random, entries: Entries) -> None:
    entry = entries[one(chance, entries)][0]
    entry.filename = f"{entry.filename}{chance.choice('~x.')}"


def put_zero_byte(chance: random.Random, entries: Entries) -> None:
    entry = entries[one(chance, entries)][0]
    entry.filename = f"{entry.filename}\0.py"


def repeat(chance: random.Random, entries: Entries) -> None:
    entry, data = entries[one(chance, entries)]
    entries.append((entry, chance.choice([data, b"another"])))


def reorder(chance: random.Random, entries: Entries) -> Entries:
    return [*entries[1:], entries[0]]


def other_case(chance: random.Random, entries: Entries) -> None:
    name = entries[one(chance, entries)][0].filename
    add(f"code/{name.removeprefix('code/').swapcase()}")(chance, entries)


def mode(bits: int) -> Callable[[random.Random, Entries], None]:
    def changed(chance: random.Random, entries: Entries) -> None:
        entries[one(chance, entries)][0].external_attr = bits << 16

    return changed


def link(chance: random.Random, entries: Entries) -> None:
    at = one(chance, entries)
    entry = entries[at][0]
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    entries[at] = entry, b"/etc/passwd"


def attribute(name: str, *values: object) -> Callable[[random.Random, Entries], None]:
    """Return a change of what the zip says of a file."""

    def changed(chance: random.Random, entries: Entries) -> None:
        setattr(entries[one(chance, entries)][0], name, chance.choice(values))

    return changed


def compress(chance: random.Random, entries: Entries) -> None:
    method = chance.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    for entry, _ in entries[: chance.randint(1, len(entries))]:
        entry.compress_type = method


# ----------------------------------------------------------------------------------------- bytes, whole files


def bytes_of(name: str, change: Callable[[random.Random, bytes], bytes]) -> Change:
    """Return a change of the bytes of a file that is handed in."""

    def changed(chance: random.Random, project: Project) -> None:
        path = project.submission / name
        path.write_bytes(change(chance, path.read_bytes()))

    return changed


def noise(chance: random.Random) -> bytes:
    return chance.randbytes(chance.choice([1, 2, 7, 100, 70_000]))


def comment(chance: random.Random, data: bytes) -> bytes:
    said = noise(chance)[:60_000]
    return data[:-2] + struct.pack("<H", len(said)) + said


def local_field(offset: int) -> Callable[[random.Random, bytes], bytes]:
    """Return a change of a field of a file's own head, which the directory at the end does not repeat."""

    def changed(chance: random.Random, data: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            at = chance.choice(packed.infolist()).header_offset + offset
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    return changed


def encrypted(chance: random.Random, data: bytes) -> bytes:
    """Set the flag of an encrypted file in the directory and in the file's own head."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        entry = chance.choice(packed.infolist())
    changed = bytearray(data)
    changed[entry.header_offset + 6] |= 1
    at = data.rindex(b"PK\1\2", 0, data.rindex(entry.filename.encode()))
    changed[at + 8] |= 1
    return bytes(changed)


def spliced(chance: random.Random, data: bytes) -> bytes:
    """Put other bytes in the place of some, anywhere."""
    start = chance.randrange(len(data))
    end = min(len(data), start + chance.choice([0, 1, 16, 4000]))
    new = chance.choice([noise(chance), bytes(end - start), data[:100], b"PK\5\6" + bytes(18)])
    return data[:start] + new + data[end:] if new != data[start:end] else data + b"\0"


def nested(_: random.Random, data: bytes) -> bytes:
    return zipped.archive({"code.zip": data}, top="")


def another(chance: random.Random, _: bytes) -> bytes:
    """Return the hand-in of somebody else, as labreport would pack it."""
    return zipped.archive(
        {"README.txt": b"Run main.py", "main.py": noise(chance), "report.toml": b"title = 1"}
    )


def new_metadata(chance: random.Random, data: bytes) -> bytes:
    out, writer = io.BytesIO(), pypdf.PdfWriter(clone_from=io.BytesIO(data))
    writer.add_metadata({"/Author": f"Somebody else {chance.random()}"})
    writer.write(out)
    return out.getvalue()


def exchange_report(chance: random.Random, project: Project) -> None:
    write_pdf(project.pdf, f"Another report: {chance.random()}")
    shutil.copyfile(project.pdf, project.submission / "report.pdf")


def make_link(name: str) -> Change:
    def changed(_: random.Random, project: Project) -> None:
        path, other = project.submission / name, project.build / f"the real {name}"
        path.rename(other)
        path.symlink_to(other)

    return changed


def make_folder(_: random.Random, project: Project) -> None:
    code(project).unlink()
    code(project).mkdir()


def make_pipe(_: random.Random, project: Project) -> None:
    code(project).unlink()
    os.mkfifo(code(project))


def rights(bits: int) -> Change:
    def changed(chance: random.Random, project: Project) -> None:
        path = chance.choice(sorted(project.submission.iterdir()))
        path.chmod(path.stat().st_mode | bits)

    return changed


def put(name: str) -> Change:
    def changed(_: random.Random, project: Project) -> None:
        projects.write(project.submission / name, "mine\n")

    return changed


def delete(name: str) -> Change:
    return lambda _, project: (project.submission / name).unlink()


def rename_zip(_: random.Random, project: Project) -> None:
    code(project).rename(project.submission / "code-final.zip")


def change_with_record(chance: random.Random, project: Project) -> None:
    """Change the zip and the record of what was packed, as far as somebody can who does not seal it again."""
    rewritten(edit("README.txt"))(chance, project)
    record = project.build / "cache" / "handin.json"
    record.write_bytes(flipped(chance, record.read_bytes()))


Change = Callable[[random.Random, Project], None]
"""What somebody does to a hand-in."""

UNTOUCHED = "untouched"

KINDS: dict[str, Change] = {
    UNTOUCHED: lambda *_: None,
    "a result in the zip": rewritten(edit("result.json")),
    "the README in the zip": rewritten(edit("README.txt")),
    "a made file in the zip": rewritten(edit("pyproject.toml")),
    "any file in the zip": rewritten(edit("")),
    "file added": rewritten(add("code/src/thing/more.py")),
    "report added to the zip": rewritten(add("code/report.pdf")),
    "empty folder added": rewritten(add("code/empty/")),
    "absolute name": rewritten(add("/etc/cron.d/mine")),
    "name that leads out": rewritten(add("code/../../mine.py")),
    "name with backslashes": rewritten(add("code\\src\\mine.py")),
    "name with a drive": rewritten(add("C:/mine.py")),
    "name beside the folder": rewritten(add("mine.py")),
    "name with escapes": rewritten(add("code/\x1b[2Jmine.py")),
    "names that differ in case": rewritten(other_case),
    "README missing": rewritten(remove("README.txt")),
    "file missing": rewritten(remove()),
    "file renamed": rewritten(rename),
    "zero byte in a name": rewritten(put_zero_byte),
    "name twice": rewritten(repeat),
    "other order": rewritten(reorder),
    "symbolic link in the zip": rewritten(link),
    "setuid in the zip": rewritten(mode(0o104755)),
    "executable in the zip": rewritten(mode(0o100777)),
    "date": rewritten(attribute("date_time", (2031, 5, 1, 12, 0, 0), (1980, 1, 1, 0, 0, 2))),
    "extra field": rewritten(attribute("extra", b"\x99\x99\1\0x", b"UT\5\0\1abcd")),
    "comment of a file": rewritten(attribute("comment", b"mine")),
    "other system": rewritten(attribute("create_system", 0, 10)),
    "other version": rewritten(attribute("create_version", 63)),
    "other attributes": rewritten(attribute("internal_attr", 1)),
    "compressed": rewritten(compress),
    "comment": bytes_of("code.zip", comment),
    "bytes behind the zip": bytes_of("code.zip", lambda chance, data: data + noise(chance)),
    "bytes before the zip": bytes_of("code.zip", lambda chance, data: noise(chance) + data),
    "another zip behind it": bytes_of("code.zip", lambda chance, data: data + another(chance, data)),
    "time in a file's head": bytes_of("code.zip", local_field(10)),
    "name in a file's head": bytes_of("code.zip", local_field(30)),
    "encrypted": bytes_of("code.zip", encrypted),
    "bit of the zip": bytes_of("code.zip", flipped),
    "part of the zip": bytes_of("code.zip", spliced),
    "zip cut off": bytes_of("code.zip", lambda chance, data: data[: chance.randrange(1, len(data))]),
    "empty zip": bytes_of("code.zip", lambda *_: b""),
    "zip of nothing": bytes_of("code.zip", lambda *_: zipped.archive({})),
    "no zip": bytes_of("code.zip", lambda chance, _: b"%PDF-1.5\n" + noise(chance)),
    "zip in a zip": bytes_of("code.zip", nested),
    "zip of another project": bytes_of("code.zip", another),
    "bit of the PDF": bytes_of("report.pdf", flipped),
    "bytes behind the PDF": bytes_of("report.pdf", lambda chance, data: data + noise(chance)),
    "PDF cut off": bytes_of("report.pdf", lambda chance, data: data[: chance.randrange(len(data))]),
    "metadata of the PDF": bytes_of("report.pdf", new_metadata),
    "another PDF in both places": exchange_report,
    "link to the zip": make_link("code.zip"),
    "link to the PDF": make_link("report.pdf"),
    "folder instead of the zip": make_folder,
    "pipe instead of the zip": make_pipe,
    "setuid": rights(stat.S_ISUID),
    "file beside": put("notes.txt"),
    "hidden file beside": put(".hidden"),
    "folder beside": put("more/notes.txt"),
    "no PDF": delete("report.pdf"),
    "no zip at all": delete("code.zip"),
    "zip renamed": rename_zip,
    "record changed as well": change_with_record,
}
"""What can be done to a hand-in; only the first is right."""


# ----------------------------------------------------------------------------------------------------- trials


def packed(folder: Path) -> Project:
    """Return a project with its hand-in, in a folder."""
    project = fill(projects.make(folder, {"one": EXPERIMENT}, toml=TOML))
    bundle.pack(project)
    return project


def trials(count: int, seed: int) -> Iterator[Trial]:
    """Yield whether so many changes, each kind in its turn, are noticed."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        project = packed(Path(name) / "project")
        for at in range(count):
            kind = [*KINDS][at % len(KINDS)]
            yield tried(kind, chance, project)


def tried(kind: str, chance: random.Random, project: Project) -> Trial:
    """Change a hand-in, return the trial, and put the hand-in back as it was."""
    before = project.build.with_name("as it was")
    shutil.copytree(project.build, before)
    try:
        KINDS[kind](chance, project)
        said = {"verify": told_by_verify(project), "check": told_by_check(project)}
    except Exception as error:  # whatever it is, nobody must see it
        return Trial(kind, "raised", repr(error))
    finally:
        shutil.rmtree(project.build)
        before.rename(project.build)
    if kind == UNTOUCHED:
        return Trial(kind, "alarmed" if any(said.values()) else "kept", f"{said}")
    lines = [line for told in said.values() for line in told]
    outcome = "refused" if all(said.values()) else "missed"
    if not all(line.isprintable() for line in lines):  # a name in the zip may hold what moves the cursor
        outcome = "raw"
    return Trial(kind, outcome, f"{said}")


class Unpacked(Exception):
    """The hand-in passed: the next step would unpack it."""


def told_by_verify(project: Project) -> list[str]:
    """Return what `verify` says of a hand-in before it unpacks it; nothing if that is as it was packed."""
    try:
        with mock.patch.object(verification, "_unpacked", side_effect=Unpacked):
            verify(project)
    except VerifyError as error:
        return error.lines()
    except Unpacked:
        pass
    return []


def told_by_check(project: Project) -> list[str]:
    """Return what `check` says of a hand-in."""
    material = Material(project, {})
    for row in CHECKS:  # those of the zip must bear it, whatever it is
        if row.name in ("report", "zip", "README", "sources", "notebooks"):
            row.find(material)
    return [f"{where}: {what}" for where, what in HAND_IN.find(material).places]

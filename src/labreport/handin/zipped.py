"""The zip of a hand-in, in its one form: written, read, and how another zip deviates from it, in words.

A file that somebody else may have had in their hands is read with care: nothing is inflated, nothing larger
than the zip itself is allocated, and no damage is more than a sentence.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping

from labreport.errors import visible
from labreport.results import files

CODE = "code.zip"
TOP = "code"
"""The one folder of the zip, in which all files lie."""

DATE = (1980, 1, 1, 0, 0, 0)

_DAMAGE = (
    *(zipfile.BadZipFile, struct.error, OSError, EOFError),
    *(ValueError, LookupError, ArithmeticError, RuntimeError),
)
"""What `zipfile` raises for damaged bytes, as fuzzing has shown."""


class _Unreadable(Exception):
    """A zip, or a file in it, cannot be read; the text says why."""


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


def members(data: bytes) -> dict[str, bytes]:
    """Return the files of a zip that `archive` made, by their paths below its top folder."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return {_inside(name): packed.read(name) for name in packed.namelist()}


def deviations(data: bytes, known: Mapping[str, str]) -> Iterator[str]:
    """Yield how a zip differs from what `archive` made of files with `known` digests; nothing if it does not.

    It can be any bytes at all.
    """
    try:
        opened = _opened(data)
    except _Unreadable as error:
        yield str(error)
        return
    with opened as packed:
        found: dict[str, bytes] = {}
        said = []
        entries = _entries(packed)
        for entry in entries:
            name = _inside(entry.filename)
            if name not in known:
                said.append(f"{visible(name)} was added")
            try:
                content = _read(packed, entry, len(data) - sum(map(len, found.values())))
            except _Unreadable as error:
                said.append(str(error))
            else:
                found[entry.filename] = content
                if known.get(name, files.checksum(content)) != files.checksum(content):
                    said.append(f"{visible(name)} was changed")
    counts = Counter(entry.filename for entry in entries)
    said += [f"{visible(_inside(name))} occurs {n} times" for name, n in counts.items() if n > 1]
    said += [f"{name} is missing" for name in sorted(known.keys() - map(_inside, counts))]
    usual = archive(found, top="")
    with _opened(usual) as expected:
        for entry, right in ((e, expected.getinfo(e.filename)) for e in entries if e.filename in found):
            said += [f"{visible(_inside(entry.filename))} {words}" for words in _oddities(entry, right)]
    said += _around(data, usual, bool(said))
    yield from dict.fromkeys(said)


def _opened(data: bytes) -> zipfile.ZipFile:
    """Return the zip in bytes, _Unreadable if they are none."""
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except _DAMAGE as error:
        raise _Unreadable("it is not a zip, or only a part of one" if data else "it is empty") from error


def _entries(packed: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    entries = packed.infolist()
    for entry in entries:
        # zipfile cuts a name at a zero byte, and others may not
        entry.filename = entry.orig_filename
    return entries


def _inside(name: str) -> str:
    return name.removeprefix(f"{TOP}/")


def _read(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """Return a file of a zip; _Unreadable if it takes more than copying at most so many bytes."""
    name = visible(_inside(entry.filename))
    if "\0" in entry.filename:  # one program takes the part before it for the name, the next one does not
        raise _Unreadable(f"{name} has a zero byte in its name")
    if entry.flag_bits & 0x1:
        raise _Unreadable(f"{name} is encrypted")
    if entry.compress_type != zipfile.ZIP_STORED:
        raise _Unreadable(f"{name} is compressed")
    if max(entry.file_size, entry.compress_size) > most:
        raise _Unreadable(f"{name} claims bytes that the zip does not have, or gives twice")
    try:
        return packed.read(entry)
    except _DAMAGE as error:
        raise _Unreadable(f"{name} was changed") from error


def _oddities(entry: zipfile.ZipInfo, right: zipfile.ZipInfo) -> Iterator[str]:
    """Yield what of an entry is not as `archive` writes it."""
    mode, usual = entry.external_attr >> 16, right.external_attr >> 16
    if stat.S_ISLNK(mode):
        yield "is a symbolic link"
    elif entry.external_attr != right.external_attr:
        yield f"has the rights {stat.filemode(mode)}, not {stat.filemode(usual)}"
    for name, words in _FIELDS.items():
        if getattr(entry, name) != getattr(right, name):
            yield words


_FIELDS = {
    "date_time": "has another date",
    "extra": "carries an extra field",
    "comment": "carries a comment",
    "create_system": "says that another system made it",
    "create_version": "says that another program made it",
    "extract_version": "asks for another program to unpack it",
    "flag_bits": "has other flags",
    "internal_attr": "has other attributes",
    "reserved": "has other attributes",
    "volume": "lies on another volume",
}


def _around(data: bytes, usual: bytes, is_explained: bool) -> list[str]:
    """Return what is different in a zip around its files, compared with the `usual` one of the same files."""
    if data == usual:
        return []
    more = len(data) - len(usual)
    if data.startswith(usual):
        return [f"{_bytes(more)} behind its end"]
    if data.endswith(usual):
        return [f"{_bytes(more)} before its beginning"]
    with _opened(data) as packed:
        if packed.comment:
            return [f"it carries a comment of {_bytes(len(packed.comment))}"]
    if is_explained:
        return []
    at = next((n for n, (a, b) in enumerate(zip(data, usual, strict=False)) if a != b), len(usual))
    return [f"other bytes from {at:,} on, between or around its files"]


def _bytes(count: int) -> str:
    return f"{count:,} byte{'' if count == 1 else 's'}"

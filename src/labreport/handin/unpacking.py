"""What is in what: the texts of a PNG, pages and streams of a PDF, archives, base64, text that is escaped."""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

DEEPEST = 4
"""How many times something is unpacked from something else."""
LARGEST = 1 << 26
"""The number of bytes that are unpacked from a compressed piece."""


@dataclass(frozen=True)
class View:
    """Bytes to be searched; `line` is the line of them all, if they are in something else; 0 if unknown."""

    data: bytes
    is_text: bool
    line: int | None
    inside: str

    def at(self, offset: int) -> int | None:
        """Return the line of an offset."""
        if self.line is not None or not self.is_text:
            return self.line or None
        return self.data.count(b"\n", 0, offset) + 1


Part = tuple[bytes, str, int | None]  # the bytes, inside what, the line where it begins


def views(data: bytes, inside: str = "", line: int | None = None, depth: int = 0) -> Iterator[View]:
    """Yield the bytes themselves and all that is in them."""
    data = _as_utf8(data)
    magic = next((m for m in _CONTAINERS if data.startswith(m)), None)
    is_text = magic is None and not _CONTROL.search(data[:4096])
    yield View(data.replace(b"\0", b""), is_text, line, inside)  # UTF-16 and UTF-32 become readable
    if depth < DEEPEST:
        parts = _CONTAINERS[magic] if magic is not None else _in_text if is_text else _in_nothing
        for part, where, start in filter(_has_bytes, parts(data)):
            yield from views(part, inside or where, line if line is not None else start, depth + 1)


def _has_bytes(part: Part) -> bool:
    return bool(part[0])


_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")
"""What no text holds, but for the colours of a terminal."""


def _as_utf8(data: bytes) -> bytes:
    """Return text in UTF-16, by its first bytes, in UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    return data


def _in_nothing(_: bytes) -> Iterator[Part]:
    """Yield nothing: this is how pixels and fonts look."""
    return iter(())


# ------------------------------------------------------------------------------------------------ containers


def _in_png(data: bytes) -> Iterator[Part]:
    """Yield the texts of a PNG."""
    where, at = "in a text of a PNG", 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        if kind in (b"tEXt", b"zTXt", b"iTXt", b"eXIf"):
            yield body.replace(b"\0", b" "), where, 0
        _, _, rest = body.partition(b"\0")  # after the keyword
        if kind == b"zTXt":
            yield _inflated(rest[1:]), where, 0
        elif kind == b"iTXt" and rest[:1] == b"\1":  # two flags, language, translated keyword, text
            yield _inflated(rest[2:].split(b"\0", 2)[-1]), where, 0
        at += size + 12


def _in_pdf(data: bytes) -> Iterator[Part]:
    """Yield the text of the pages of a PDF, as one reads it, and what its streams and strings hold."""
    for number, text in enumerate(_pages(data), 1):
        # ligatures and quotes as they are typed
        plain = unicodedata.normalize("NFKC", text).translate(_TYPED)
        yield plain.encode("utf-8", "replace"), f"on page {number} of a PDF", 0
    yield _with_strings(data), "in a string of a PDF", 0
    for found in re.finditer(rb"stream\r?\n", data):
        end = data.find(b"endstream", found.end())
        begin = data.rfind(b"obj", 0, found.start())
        stream = data[found.end() : end] if end > 0 else b""
        for name in re.findall(rb"/(\w+Decode)\b", data[begin : found.start()] if begin >= 0 else b""):
            stream = _FILTERS.get(name, _as_it_is)(stream)
        yield stream, "in a stream of a PDF", 0
        yield _with_strings(stream), "in a string of a PDF", 0


_TYPED = str.maketrans("“”‘’", "\"\"''")


def _pages(data: bytes) -> tuple[str, ...]:
    """Return the text of each page; letters may be glyphs by number, or cut apart to set them."""
    from pypdfium2 import PdfiumError

    from labreport.documents import readback

    try:
        return readback.texts(data)
    except PdfiumError:  # a reader shows none either
        return ()


def _with_strings(data: bytes) -> bytes:
    """Return the strings of a PDF that are written in codes, readable; nothing if there are none."""
    found = [_of_hex(match[1]) for match in re.finditer(rb"<([0-9A-Fa-f\s]{8,})>", data)]
    if re.search(rb"\\[0-7]{3}|\\\r?\n", data):
        for match in re.finditer(rb"\(((?:\\.|[^\\()]){4,})\)", data, re.DOTALL):
            text = re.sub(rb"\\\r?\n", b"", match[1])
            text = re.sub(rb"\\([0-7]{1,3})", lambda code: bytes([int(code[1], 8) & 255]), text)
            found.append(re.sub(rb"\\(.)", rb"\1", text))
    return b"\n".join(_as_utf8(text).replace(b"\0", b"") for text in found)


def _of_hex(digits: bytes) -> bytes:
    digits = b"".join(digits.split())
    try:
        return binascii.unhexlify(digits + b"0" * (len(digits) % 2))
    except binascii.Error:
        return b""


def _of_base85(data: bytes) -> bytes:
    try:
        return base64.a85decode(data.partition(b"~>")[0].removeprefix(b"<~"))
    except ValueError:
        return b""


def _in_zip(data: bytes) -> Iterator[Part]:
    """Yield the members of a zip."""
    import io
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                with archive.open(entry) as member:
                    yield member.read(LARGEST), f"in {entry.filename} of an archive", 0
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError, EOFError, zlib.error):
        return


def _in_gzip(data: bytes) -> Iterator[Part]:
    """Yield what a gzip file holds."""
    yield _inflated(data, zlib.MAX_WBITS | 32), "in an archive", 0


def _in_zlib(data: bytes) -> Iterator[Part]:
    """Yield what is compressed without a file around it."""
    yield _inflated(data), "in an archive", 0


def _in_bz2(data: bytes) -> Iterator[Part]:
    """Yield what a file of bzip2 holds."""
    import bz2

    try:
        yield bz2.BZ2Decompressor().decompress(data, LARGEST), "in an archive", 0
    except (OSError, ValueError, EOFError):
        return


def _in_xz(data: bytes) -> Iterator[Part]:
    """Yield what a file of xz holds."""
    import lzma

    try:
        yield lzma.LZMADecompressor().decompress(data, LARGEST), "in an archive", 0
    except (lzma.LZMAError, EOFError):
        return


def _inflated(data: bytes, window: int = zlib.MAX_WBITS) -> bytes:
    try:
        return zlib.decompressobj(window).decompress(data, LARGEST)
    except zlib.error:
        return b""


def _as_it_is(data: bytes) -> bytes:
    return data


_FILTERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"FlateDecode": _inflated,
    b"ASCII85Decode": _of_base85,
    b"ASCIIHexDecode": lambda data: _of_hex(data.partition(b">")[0]),
}
"""What undoes the filters of a PDF's streams; those of pictures hold no text."""

_CONTAINERS: dict[bytes, Callable[[bytes], Iterator[Part]]] = {
    b"\x89PNG\r\n\x1a\n": _in_png,
    b"%PDF-": _in_pdf,
    b"PK\x03\x04": _in_zip,
    b"\x1f\x8b": _in_gzip,
    b"BZh": _in_bz2,
    b"\xfd7zXZ\0": _in_xz,
    **dict.fromkeys((b"x\x01", b"x\x9c", b"x\xda"), _in_zlib),
}
"""What is looked into, by the first bytes."""


# ------------------------------------------------------------------------------------------- escapes of texts

_BETWEEN = rb"(?:\\n|[\s\"',\\])+"
_WORD = rb"[A-Za-z0-9+/_-]"
_BASE64 = re.compile(rb"(?<!%b)(?:(?:%b{16,}%b)+%b*|%b{20,})=*" % (_WORD, _WORD, _BETWEEN, _WORD, _WORD))
"""A long word, or several that are lines of one."""

_HEX = re.compile(rb"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}){12,}(?![0-9A-Fa-f])")

LONGEST_WORD = 512
"""In what is longer, bytes that are not text are searched, too: a program wrote it."""


def _in_text(data: bytes) -> Iterator[Part]:
    """Yield what a text holds in base64 or hexadecimal, and the text with its escapes read."""
    for found in _BASE64.finditer(data):
        words = re.split(_BETWEEN, found[0])
        # the first or the last word may be none of these lines
        whole = (words, words[1:], words[:-1])
        for run in dict.fromkeys((*map(b"".join, whole), *words)):
            text = _decoded(run)
            if _is_worth(text):
                yield text, "in base64", data.count(b"\n", 0, found.start()) + 1
    for found in _HEX.finditer(data):
        text = binascii.unhexlify(found[0])
        if _is_worth(text):
            yield text, "in hexadecimal", data.count(b"\n", 0, found.start()) + 1
    read, how = data, list[str]()
    for what, escaped, unescaped in _ESCAPES:
        if re.search(escaped, read) and (text := unescaped(read)) != read:
            read, how = text, [*how, what]
    if how:
        yield read, " and ".join(how), None


def _of_backslashes(data: bytes) -> bytes:
    data = re.sub(rb"\\u00([0-7][0-9A-Fa-f])|\\x([0-7][0-9A-Fa-f])", _of_code, data)
    return re.sub(rb"\\([\\\"'/_#$%&{}])", rb"\1", data)


def _of_code(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1] or found[2], 16)])


def _of_references(data: bytes) -> bytes:
    return html.unescape(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


_ESCAPES: tuple[tuple[str, bytes, Callable[[bytes], bytes]], ...] = (
    ("between tags", rb"</\w", lambda data: re.sub(rb"</?[A-Za-z][^<>]*>", b"", data)),
    ("as characters of XML", rb"&#?\w+;", _of_references),
    ("with backslashes", rb"\\(?:u00|x[0-7]|[\\\"'/_#$%&{}])", _of_backslashes),
    ("quoted for a URL", rb"%[0-9A-Fa-f]{2}", unquote_to_bytes),
)
"""How a text may be written in another one: what that is called, where it may be, how it is read.

All of them are undone one after the other: to try them in each order would read long files dozens of times.
"""


def _decoded(run: bytes) -> bytes:
    run = run.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(run[: len(run) - (len(run) % 4 == 1)] + b"=" * (-len(run) % 4))
    except binascii.Error:
        return b""


def _is_worth(data: bytes) -> bool:
    """Return whether decoded bytes are something that can be read, not a word that was no code."""
    if data.startswith(tuple(_CONTAINERS)) or len(data) > LONGEST_WORD:
        return True
    try:
        return len(data) >= 12 and not _CONTROL.search(data) and bool(data.decode())
    except UnicodeDecodeError:
        return False

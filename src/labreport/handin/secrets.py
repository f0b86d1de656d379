"""What must not leave this machine: secrets, its paths, the names of its user and of itself.

Data is searched as it is and as what it holds: the texts of a PNG, the streams of a PDF, archives, base64,
text quoted for URLs; values of the environment also where they are broken over lines. No value is ever part
of a finding.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote_to_bytes

SHORTEST_VALUE = 8
SHORTEST_NAME = 4
DEEPEST = 4
"""How many times something is unpacked from something else."""
LARGEST = 1 << 26
"""The number of bytes that are unpacked from a compressed piece."""

SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL)S?(_|$)", re.IGNORECASE)
"""The names of variables of the environment whose values are secrets."""

COMMON_NAMES = """
    admin administrator agent anonymous author bash build builder code codespace computer container daemon
    debian default demo desktop developer docker ec2-user fedora guest home host jenkins jovyan jupyter laptop
    linux local localhost machine main mark master model nobody node notebook page python report root runner
    sandbox server student system temp test tester ubuntu user users vagrant will windows work worker
    workspace workstation world
"""
"""Names of users and machines that say nothing, or that texts need as words; shorter ones do not count."""

Kind = Literal["secret", "path", "name"]


@dataclass(frozen=True)
class Finding:
    """What was found: its kind, in words without its value, the line if it can be told, and inside what."""

    kind: Kind
    what: str
    line: int | None = None
    inside: str = ""

    def __str__(self) -> str:
        return f"{self.what}, {self.inside}" if self.inside else self.what


@dataclass(frozen=True)
class _Value:
    """A secret that is known: how it may be written, `tight` without all but letters and digits."""

    what: str
    text: bytes
    tight: bool


@dataclass(frozen=True)
class _Form:
    """A form that gives something away; it holds at least one of `hints`, which are quick to look for."""

    kind: Kind
    what: str
    hints: tuple[bytes, ...]
    pattern: re.Pattern[bytes]

    def found(self, data: bytes) -> re.Match[bytes] | None:
        """Return the first place that has the form."""
        return self.pattern.search(data) if any(hint in data for hint in self.hints) else None


@dataclass(frozen=True)
class Known:
    """What is looked for; `allowed` texts do not count."""

    values: tuple[_Value, ...]
    paths: tuple[_Form, ...]
    names: tuple[_Form, ...]
    allowed: tuple[bytes, ...]

    def written(self) -> bytes:
        """Return all of it in bytes, which differ where anything differs; they hold the secrets."""
        forms = [(f.kind, f.what, f.hints, f.pattern.pattern) for f in (*self.paths, *self.names)]
        return repr((self.values, forms, self.allowed)).encode()


def _form(what: str, hints: str, pattern: str, kind: Kind = "secret") -> _Form:
    return _Form(kind, what, tuple(hint.encode() for hint in hints.split()), re.compile(pattern.encode()))


_TOKENS = (  # whatever begins like this is one, also if it is broken over lines
    _form("a key of Weights & Biases", "wandb_v1_", r"wandb_v1_(?=\w*\d)\w{20,}"),
    _form("a token of GitHub", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_(?=[A-Za-z]*\d)[A-Za-z0-9]{36,}"),
    _form("a token of GitHub", "github_pat_", r"github_pat_(?=[A-Za-z_]*\d)\w{22,}"),
    _form("a token of GitLab", "glpat-", r"glpat-[\w-]{20,}"),
    _form("a key of AWS", "AKIA ASIA", r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![A-Za-z0-9])"),
    _form("a token of Slack", "xox xapp-", r"(?:xox[abeoprs]|xapp)-(?=[\w-]*\d)[\w-]{10,}"),
    _form("a key of Google", "AIza", r"AIza[\w-]{35}"),
    _form("a token of Google", "ya29.", r"ya29\.(?=[\w-]*\d)[\w-]{20,}"),
    _form("a token of PyPI", "pypi-AgEI", r"pypi-AgEI[\w-]{20,}"),
    _form("a private key", "PRIVATE", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
)
_FORMS = (
    _form(
        "a key of OpenAI or a like one",
        "sk-",
        r"(?<![\w-])sk-(?=[\w-]{0,200}\d)(?=[\w-]{0,200}[A-Z])[\w-]{20,}",
    ),
    _form("a key of Stripe", "k_live_", r"\b[rs]k_live_[0-9A-Za-z]{20,}"),
    _form("a token of Hugging Face", "hf_", r"\bhf_[A-Za-z0-9]{34}\b"),
    _form("a webhook of Slack", "hooks.slack.com", r"hooks\.slack\.com/services/T\w+/B\w+/\w{16,}"),
    _form("a signed web token", "eyJ", r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    _form(
        "a secret key of AWS",
        "secret SECRET Secret",
        r"(?i:aws_?secret_?(?:access_?)?key)\W{1,6}[A-Za-z0-9/+=]{40}(?![A-Za-z0-9/+=])",
    ),
    _form(
        "a key of Weights & Biases",
        "key KEY Key login local-",
        r"(?i:(?:wandb|api)[\w.-]{0,20}key\W{1,8}|wandb\s+login\s+(?:--\S+\s+)*|\blocal-)"
        r"(?:local-)?[0-9a-f]{40}(?![0-9A-Za-z])",
    ),
    _form(
        "a password in an address",
        "://",
        r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s/:@\"'<>{}$\\]{1,80}:[^\s/@\"'<>{}$*\\]{3,}@[\w.-]",
    ),
    _form(
        "a password as in .netrc",
        "machine",
        r"\bmachine(?:\s|\\n)+[^\s{}<>$]+(?:\s|\\n)+login(?:\s|\\n)+[^\s{}<>$]+(?:\s|\\n)+"
        r"password(?:\s|\\n)+[^\s{}<>$\"']{4,}",
    ),
    _form(
        "a password of a request",
        "uthorization AUTHORIZATION",
        r"(?i:authorization)\W{1,6}(?i:bearer|basic)\s+(?=[\w+/=.-]*\d)[\w+/=.-]{16,}",
    ),
)


# --------------------------------------------------------------------------------------------- what is known


def known(
    folders: Iterable[Path],
    *,
    environment: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    allowed: Collection[str] = (),
    authors: Iterable[str] = (),
) -> Known:
    """Return what to look for on this machine.

    `folders` are the project's; the home folder, the temporary ones and Python's come of themselves. `names`
    maps names to what they are, else those of the user and of the machine. The names of `authors` may appear.
    """
    found = machine_names() if names is None else names
    known_names = {word.lower() for author in authors for word in re.findall(r"\w+", author)} | set(
        COMMON_NAMES.split()
    )
    telling = {
        n: what for n, what in found.items() if len(n) >= SHORTEST_NAME and n.lower() not in known_names
    }
    return Known(
        values=tuple(_values(os.environ if environment is None else environment)),
        paths=tuple(_paths(folders)),
        names=tuple(
            _Form("name", what, (n.encode(),), re.compile(rb"(?<![\w-])%s(?![\w-])" % re.escape(n.encode())))
            for n, what in telling.items()
        ),
        allowed=tuple(text.encode() for text in allowed if text),
    )


def machine_names() -> dict[str, str]:
    """Return the names of the user and of the machine, with what they are."""
    import platform
    import pwd
    import socket

    host = socket.gethostname()
    hosts = (host, host.partition(".")[0], platform.node())
    users = [os.environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER")]
    users += [entry.pw_name for entry in pwd.getpwall() if entry.pw_uid == os.getuid()]
    return dict.fromkeys(hosts, "the name of this machine") | dict.fromkeys(
        users, "the name of this machine's user"
    )


def _values(environment: Mapping[str, str]) -> Iterator[_Value]:
    """Yield the secret values of an environment, as they are and as they may be encoded."""
    for name, value in sorted(environment.items()):
        if not SECRET_NAME.search(name) or len(value.strip()) < SHORTEST_VALUE or _is_file(value):
            continue
        what = f"the value of the environment's {name}"
        raw = os.fsencode(value.strip())
        for text in dict.fromkeys(_encodings(raw)):
            bare = _tight(text)
            tight = len(bare) >= SHORTEST_VALUE + 4
            yield _Value(what, bare if tight else _loose(text), tight)


def _is_file(value: str) -> bool:
    return os.path.exists(value)  # noqa: PTH110 -- a long value is no error here


def _encodings(value: bytes) -> Iterator[bytes]:
    """Yield a value as it is, quoted for URLs, in hexadecimal, and in base64 at any place of a text."""
    yield value
    # some programs write %2F, others %2f
    quoted = quote(value, safe="").encode()
    yield from (quoted, re.sub(rb"%..", lambda found: found[0].lower(), quoted), quote(value).encode())
    yield value.hex().encode()
    for before in range(3):
        after = -(before + len(value)) % 3
        start, stop = (0, 2, 3)[before], (0, 2, 3)[after]  # characters that the neighbours share
        text = base64.b64encode(b"\0" * before + value + b"\0" * after)
        yield (core := text[start : len(text) - stop])
        yield core.translate(bytes.maketrans(b"+/", b"-_"))


def _paths(folders: Iterable[Path]) -> Iterator[_Form]:
    """Yield the folders that tell of this machine, the longest first."""
    import sys
    import tempfile

    known_as = {str(folder): "a path of this machine, of the project's folder" for folder in folders}
    for folder, what in (
        (os.path.expanduser("~"), "a path of this machine, of the home folder"),  # noqa: PTH111 -- "~" may stay
        (tempfile.gettempdir(), "a path of this machine, of a temporary folder"),
        ("/tmp", "a path of this machine, of a temporary folder"),
        ("/var/tmp", "a path of this machine, of a temporary folder"),
        (sys.prefix, "a path of this machine, of Python's folder"),
        (sys.base_prefix, "a path of this machine, of Python's folder"),
    ):
        known_as.setdefault(folder, what)
    for folder, what in sorted(known_as.items(), key=lambda item: -len(item[0])):
        if not folder.startswith("/") or folder in ("/", "/usr", "/usr/local", "/opt", "/home"):
            continue
        many_have_it = (
            folder.count("/") == 1 or folder == "/var/tmp"
        )  # only what lies in it tells of this one
        end = r"/[\w.-]+" if many_have_it else r"(?![\w-])"
        yield _Form(
            "path", what, (folder.encode(),), re.compile(rf"(?<![\w.~-]){re.escape(folder)}{end}".encode())
        )


# ------------------------------------------------------------------------------------------------- searching


def search(
    data: bytes, looked_for: Known, is_clean: Callable[[View], bool] = lambda _: False
) -> list[Finding]:
    """Return what is found in the bytes of a file, each thing once, where it stands first.

    Of what is in the file, `is_clean` says what was searched before.
    """
    found: dict[str, Finding] = {}
    for view in _views(data):
        for finding in () if is_clean(view) else in_view(view, looked_for):
            found.setdefault(finding.what, finding)
    return list(found.values())


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


def in_view(view: View, looked_for: Known) -> Iterator[Finding]:
    """Yield what is found in a view; whether there is any depends on its `data` and `is_text` alone."""
    data = view.data
    for text in looked_for.allowed:
        data = data.replace(text, re.sub(rb"[^\n]", b" ", text))
    yield from _values_in(data, view, looked_for.values)
    forms = [*_TOKENS, *_FORMS, *looked_for.paths, *(looked_for.names if view.is_text else ())]
    for form in forms:
        if match := form.found(data):
            yield Finding(form.kind, form.what, view.at(match.start()), view.inside)
    if view.is_text and any(hint in data for token in _TOKENS for hint in token.hints):
        joined = _LINE_BREAK.sub(b"", data)
        for token in _TOKENS:
            if match := token.found(joined):
                yield Finding("secret", token.what, view.at(max(data.find(match[0][:8]), 0)), view.inside)


_LINE_BREAK = re.compile(rb"[\"'\\,-]*(?:\\n|\r?\n)[\s\"',#%|>]*")
"""A break of a line within a longer text, as prose, source code and JSON have it."""


def _values_in(data: bytes, view: View, values: tuple[_Value, ...]) -> Iterator[Finding]:
    tight, loose = (_tight(data), _loose(data)) if values else (b"", b"")
    for value in values:
        if value.text in (tight if value.tight else loose):
            between = rb"(?:\\[nrt]|%s)*" % (rb"[^A-Za-z0-9]" if value.tight else rb"[\s\"'\\,+]")
            spread = between.join(re.escape(bytes([c])) for c in value.text)
            match = re.search(spread, data)
            yield Finding("secret", value.what, view.at(match.start() if match else 0), view.inside)


_NO_DIGITS_OR_LETTERS = bytes(c for c in range(256) if not (c < 128 and chr(c).isalnum()))


def _tight(data: bytes) -> bytes:
    """Return bytes without all but ASCII's letters and digits, and without escapes of line breaks."""
    return _without_escapes(data).translate(None, _NO_DIGITS_OR_LETTERS)


def _loose(data: bytes) -> bytes:
    """Return bytes without white space, quotes and what joins texts in source code."""
    return _without_escapes(data).translate(None, b" \t\r\n\"'\\,+")


def _without_escapes(data: bytes) -> bytes:
    for escape in (b"\\n", b"\\r", b"\\t"):
        data = data.replace(escape, b" ")
    return data


# ------------------------------------------------------------------------------------------- what is in what


Part = tuple[bytes, str, int | None]  # the bytes, inside what, the line where it begins


def _views(data: bytes, inside: str = "", line: int | None = None, depth: int = 0) -> Iterator[View]:
    """Yield the bytes themselves and all that is in them."""
    magic = next((m for m in _CONTAINERS if data.startswith(m)), None)
    is_text = magic is None and not _CONTROL.search(data[:4096])
    yield View(data.replace(b"\0", b""), is_text, line, inside)  # UTF-16 becomes readable
    if depth < DEEPEST:
        parts = _CONTAINERS[magic] if magic is not None else _in_text if is_text else _in_nothing
        for part, where, start in parts(data):
            yield from _views(part, inside or where, line if line is not None else start, depth + 1)


_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")
"""What no text holds, but for the colours of a terminal."""


def _in_nothing(_: bytes) -> Iterator[Part]:
    """Yield nothing: this is how pixels and fonts look."""
    return iter(())


def _in_png(data: bytes) -> Iterator[Part]:
    """Yield the texts of a PNG."""
    at = 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        if kind in (b"tEXt", b"zTXt", b"iTXt", b"eXIf"):
            yield body.replace(b"\0", b" "), "in a text of a PNG", 0
            start = body.find(b"x", body.find(b"\0"))  # zlib's first byte, for the usual window
            if kind in (b"zTXt", b"iTXt") and start >= 0 and (text := _inflated(body[start:])):
                yield text, "in a text of a PNG", 0
        at += size + 12


def _in_pdf(data: bytes) -> Iterator[Part]:
    """Yield the compressed streams of a PDF."""
    for found in re.finditer(rb"stream\r?\n", data):
        end = data.find(b"endstream", found.end())
        text = _inflated(data[found.end() : end]) if end > 0 else b""
        if text:
            yield text, "in a stream of a PDF", 0


def _in_zip(data: bytes) -> Iterator[Part]:
    """Yield the members of a zip."""
    import io
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                with archive.open(entry) as member:
                    yield member.read(LARGEST), f"in {entry.filename} of an archive", 0
    except (zipfile.BadZipFile, RuntimeError, ValueError, OSError, EOFError, zlib.error):
        return


def _in_gzip(data: bytes) -> Iterator[Part]:
    """Yield what a gzip file holds."""
    text = _inflated(data, zlib.MAX_WBITS | 32)
    if text:
        yield text, "in an archive", 0


def _inflated(data: bytes, window: int = zlib.MAX_WBITS) -> bytes:
    try:
        return zlib.decompressobj(window).decompress(data, LARGEST)
    except zlib.error:
        return b""


_CONTAINERS: dict[bytes, Callable[[bytes], Iterator[Part]]] = {
    b"\x89PNG\r\n\x1a\n": _in_png,
    b"%PDF-": _in_pdf,
    b"PK\x03\x04": _in_zip,
    b"\x1f\x8b": _in_gzip,
}
"""What is looked into, by the first bytes."""

_BASE64 = re.compile(rb"(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/_-]{40,}(?:\\n|[\s\",])+)*[A-Za-z0-9+/_-]{24,}")
"""A long word, or several that are lines of one."""


def _in_text(data: bytes) -> Iterator[Part]:
    """Yield what a text holds in base64 or quoted for URLs."""
    for found in _BASE64.finditer(data):
        for run in dict.fromkeys((found[0], found[0].split()[-1])):
            text = _decoded(re.sub(rb"\\n|[\s\",]", b"", run))
            if text.startswith(tuple(_CONTAINERS)) or (len(text) >= 16 and _is_readable(text)):
                yield text, "in base64", data.count(b"\n", 0, found.start()) + 1
    if re.search(rb"%[0-9A-Fa-f]{2}", data):
        yield unquote_to_bytes(data), "quoted for a URL", None


def _decoded(run: bytes) -> bytes:
    run = run.translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(run[: len(run) - (len(run) % 4 == 1)] + b"=" * (-len(run) % 4))
    except binascii.Error:
        return b""


def _is_readable(text: bytes) -> bool:
    return all(32 <= c < 127 or c in b"\t\r\n" for c in text)

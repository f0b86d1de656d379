"""The secrets that are known on this machine: where they lie, and how they may be written elsewhere."""

from __future__ import annotations

import base64
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from labreport.handin.forms import is_dummy

SHORTEST = 8
LARGEST_FILE = 1 << 20

SECRET_NAME = re.compile(
    r"(?:(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL)S?"
    r"|(?:^|_)(?:PASS|PAT|PW|PSK|AUTH|DSN)|_PWD)(?:_|\d|$)",
    re.IGNORECASE,
)
"""The names of variables and settings whose values are secrets."""


@dataclass(frozen=True)
class Value:
    """A secret that is known: how it may be written, `tight` without all but letters and digits."""

    what: str
    text: bytes
    tight: bool


def of_environment(environment: Mapping[str, str]) -> Iterator[Value]:
    """Yield the secrets of an environment: values by their names, and passwords in addresses."""
    for name, text in sorted(environment.items()):
        value = os.fsencode(text.strip())
        if SECRET_NAME.search(name) and not is_path(text):
            yield from _written(f"the value of the environment's {name}", value)
        for part in _in_addresses(value):
            yield from _written(f"the password in the environment's {name}", part)


def of_files(environment: Mapping[str, str], folders: Iterable[Path] = ()) -> Iterator[Value]:
    """Yield the secrets that programs keep in the files of a user, and in those of some folders."""
    for path, shown in _files(environment, folders).items():
        try:
            with path.open("rb") as file:
                data = file.read(LARGEST_FILE)
        except OSError:  # it is not there, or is nobody's to read
            continue
        for part in dict.fromkeys((*_in_netrc(data), *_in_settings(data), *_in_addresses(data))):
            yield from _written(f"a password or key of {shown}", part)


def _files(environment: Mapping[str, str], folders: Iterable[Path]) -> dict[Path, str]:
    """Return where passwords and keys are kept for Weights & Biases, pip and whoever reads .netrc."""
    home = environment.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 -- "~" may stay
    settings = environment.get("XDG_CONFIG_HOME") or f"{home}/.config"
    named = {
        "NETRC": f"{home}/.netrc",
        "PIP_CONFIG_FILE": f"{settings}/pip/pip.conf",
        "WANDB_CONFIG_DIR": f"{settings}/wandb",
    }
    paths = [environment.get(name) or usual for name, usual in named.items()]
    paths += [*named.values(), f"{home}/_netrc", f"{home}/.config/wandb", f"{home}/.pip/pip.conf"]
    paths += ["/etc/pip.conf", "/etc/xdg/pip/pip.conf", f"{sys.prefix}/pip.conf"]
    paths += [f"{folder}/wandb" for folder in folders]
    files = (Path(path, "settings") if Path(path).name == "wandb" else Path(path) for path in paths)
    # a message must not tell where the home folder is
    return {path: f"~/{path.relative_to(home)}" if path.is_relative_to(home) else path.name for path in files}


def _in_netrc(data: bytes) -> Iterator[bytes]:
    # the standard library's reader gives up a file for one line that it does not know
    for found in re.finditer(rb"\bpassword\s+(?:\"([^\"]*)\"|(\S+))", data):
        yield found[1] or found[2] or b""


def _in_settings(data: bytes) -> Iterator[bytes]:
    for found in re.finditer(rb"(?m)^[ \t]*([\w.-]+)[ \t]*[=:][ \t]*(.+?)[ \t\r]*$", data):
        if SECRET_NAME.search(found[1].decode("ascii", "replace").replace("-", "_")):
            yield found[2].strip(b"\"'")


def _in_addresses(data: bytes) -> Iterator[bytes]:
    """Yield the passwords in addresses, quoted and as they are meant; a token may stand alone."""
    for found in re.finditer(rb"://(?:[^\s/:@]*:([^\s/@]+)|([^\s/:@]{16,}))@", data):
        part = found[1] or found[2]
        yield part
        yield unquote_to_bytes(part)


def is_path(value: str) -> bool:
    """Return whether a value names a file or folder of this machine, not a secret."""
    # nobody is asked whether the file exists: what looks at files may be recorded, with their names
    first = value.strip().split("/")[1:2]
    try:
        return value.strip().startswith("/") and first[0] in {path.name for path in Path("/").iterdir()}
    except OSError:
        return False


def _written(what: str, value: bytes) -> Iterator[Value]:
    """Yield a value as it is and as it may be encoded; nothing if it is too short, or stands for one."""
    if len(value) < SHORTEST or is_dummy(value):
        return
    for text in dict.fromkeys(_encodings(value)):
        bare = tight(text)
        is_tight = len(bare) >= SHORTEST + 4
        yield Value(what, bare if is_tight else loose(text), is_tight)


def _encodings(value: bytes) -> Iterator[bytes]:
    """Yield a value as it is, quoted for URLs, in hexadecimal, and in base64 at any place of a text."""
    yield value
    # some programs write %2F, others %2f
    quoted = quote(value, safe="").encode()
    yield from (quoted, re.sub(rb"%..", lambda found: found[0].lower(), quoted), quote(value).encode())
    yield from (value.hex().encode(), value.hex().upper().encode())
    for before in range(3):
        after = -(before + len(value)) % 3
        start, stop = (0, 2, 3)[before], (0, 2, 3)[after]  # characters that the neighbours share
        text = base64.b64encode(b"\0" * before + value + b"\0" * after)
        yield (core := text[start : len(text) - stop])
        yield core.translate(bytes.maketrans(b"+/", b"-_"))


# --------------------------------------------------------------------------------------------------- spelling

_NO_DIGITS_OR_LETTERS = bytes(c for c in range(256) if not (c < 128 and chr(c).isalnum()))


def tight(data: bytes) -> bytes:
    """Return bytes without all but ASCII's letters and digits, and without escapes of line breaks."""
    return _without_escapes(data).translate(None, _NO_DIGITS_OR_LETTERS)


def loose(data: bytes) -> bytes:
    """Return bytes without white space, quotes and what joins texts in source code."""
    return _without_escapes(data).translate(None, b" \t\r\n\"'\\,+")


def _without_escapes(data: bytes) -> bytes:
    for escape in (b"\\n", b"\\r", b"\\t"):
        data = data.replace(escape, b" ")
    return data


def spread(value: Value) -> re.Pattern[bytes]:
    """Return a pattern of the places where a value stands, with what may stand between its characters."""
    between = rb"(?:\\[nrt]|%s)*" % (rb"[^A-Za-z0-9]" if value.tight else rb"[\s\"'\\,+]")
    return re.compile(between.join(re.escape(bytes([c])) for c in value.text))

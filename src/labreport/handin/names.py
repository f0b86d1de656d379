"""Names of files in the zip: what not every system can unpack, and what to call such a file instead."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from labreport.errors import LabreportError
from labreport.handin.contents import README, PackError

LONGEST_PATH = 180
"""Windows takes 259 characters, and the folder in which somebody unpacks the zip is a part of them."""
LONGEST_NAME = 255  # bytes, on most file systems of Linux and macOS

_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])", re.IGNORECASE)


def bad_names(names: Iterable[str]) -> list[LabreportError]:
    """Return what is wrong with the paths of files: each with what to call the file instead."""
    wrong: list[LabreportError] = []
    known: dict[str, str] = {}
    for name in sorted(names):
        parts = name.split("/")
        whole = f"it has {len(name)} characters, and Windows takes 259 with all folders"
        reasons = [whole] if len(name) > LONGEST_PATH else []
        reasons += [reason for part in parts for reason in _reasons(part)]
        if reasons:
            better = "/".join(map(_better, parts))
            cure = f"rename it, for example to {better}" if better != name else "shorten the name"
            wrong.append(PackError(f"{name!r} cannot be unpacked on every system: {reasons[0]}", cure=cure))
        # also a folder: Windows and macOS unpack both into one, and one file in the place of the other
        for path in ("/".join(parts[:end]) for end in range(1, len(parts) + 1)):
            twin = known.setdefault(path.casefold(), path)
            if twin != path:
                what = f"{twin!r} and {path!r} differ only in upper and lower case"
                wrong.append(PackError(what, cure="rename one of the two"))
                known[path.casefold()] = path  # of a folder, once
        if name.casefold() == README.casefold():
            what = f"{name} would take the place of the README that is made"
            wrong.append(PackError(what, cure="rename the file"))
    return wrong


def _reasons(part: str) -> Iterator[str]:
    """Yield why a part of a path is refused somewhere."""
    if not part.isprintable():
        yield "a character of it cannot be printed"
    if found := re.search(r'[\\:*?"<>|]', part):
        yield f"Windows allows no {found[0]} in names"
    if part.endswith((".", " ")):
        yield f"Windows drops the {'dot' if part.endswith('.') else 'space'} at the end of {part!r}"
    # with any ending, and with spaces before it
    if _DEVICES.fullmatch(part.partition(".")[0].rstrip(" ")):
        yield f"{part.partition('.')[0].rstrip(' ')!r} is the name of a device on Windows"
    if unicodedata.normalize("NFC", part) != part:
        yield "a letter and its accent are two characters, which macOS and others take for one (NFC)"
    if len(part.encode("utf-8", "replace")) > LONGEST_NAME:
        yield f"it is longer than {LONGEST_NAME} bytes"


def _better(part: str) -> str:
    """Return a name that all systems take."""
    name = unicodedata.normalize("NFC", part)
    name = "".join("_" if c in '\\:*?"<>|' or not c.isprintable() else c for c in name).rstrip(". ")
    stem, dot, ending = name.partition(".")
    if _DEVICES.fullmatch(stem.rstrip(" ")):
        name = f"{stem.rstrip(' ')}_{dot}{ending}"
    return name or "_"

"""What was searched for leaks and held none, kept between builds so that it is not searched again.

Only what is clean is noted, each time by a tag that is made of the bytes, of all that was looked for and of
the rules by which it was: without the secrets nobody can make one, and from the tags nobody can tell them. So
a line that was damaged, written by hand or brought from another machine matches nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from labreport.handin import secrets
from labreport.handin.known import Known
from labreport.handin.unpacking import View
from labreport.results import files

if TYPE_CHECKING:
    from labreport.project import Project

MOST = 10_000
"""How many tags are kept: those that were asked for last."""


class Cleared:
    """The contents that are known to be clean, for one set of what is looked for."""

    def __init__(self, project: Project, known: Known) -> None:
        self.path = project.build / "cache" / "cleared.txt"
        self._known = known
        self._key = _key(known)
        self._old = _lines(self.path)
        self._clean: dict[str, None] = {}  # a set that keeps its order

    def search(self, data: bytes) -> list[secrets.Finding]:
        """Return what `secrets.search` finds in the bytes of a file, which are searched if they are new."""
        tag = self._tag(b"file", data)
        if tag in self._old:
            self._clean[tag] = None
            return []
        found = secrets.search(data, self._known, self._is_clean)
        if not found:
            self._clean[tag] = None
        return found

    def masked(self, text: str) -> str:
        """Return a text for people with each secret in it masked."""
        return secrets.masked(text, self._known)

    def note(self, hand_in: bytes) -> None:
        """Note that a hand-in, given by bytes that identify it, holds nothing of what is looked for."""
        self._clean[self._tag(b"hand-in", hand_in)] = None

    def is_noted(self, hand_in: bytes) -> bool:
        """Return whether a hand-in was noted, for the same set of what is looked for."""
        return self._tag(b"hand-in", hand_in) in self._old

    def save(self) -> None:
        """Keep what was clean for the next time; where nothing can be written, do without."""
        if self._clean.keys() - self._old.keys():
            kept = [*self._clean, *(tag for tag in self._old if tag not in self._clean)]
            with contextlib.suppress(OSError):
                files.write(self.path, "\n".join(kept[:MOST]).encode())

    def _is_clean(self, view: View) -> bool:
        """Return whether one of the things in a file is clean: most streams of a PDF stay as they are."""
        tag = self._tag(b"text" if view.is_text else b"bytes", view.data)
        if tag not in self._old and secrets.in_view(view, self._known):
            return False
        self._clean[tag] = None
        return True

    def _tag(self, kind: bytes, data: bytes) -> str:
        return hmac.digest(self._key, kind + hashlib.sha256(data).digest(), "sha256").hex()


def _key(known: Known) -> bytes:
    """Return a key made of what is looked for and of the rules."""
    own = sorted(Path(secrets.__file__).parent.glob("*.py"))
    rules = b"".join(path.read_bytes() for path in own) + sys.version.encode()
    # slow on purpose: who has the tags and the files could else try out short passwords
    return hashlib.scrypt(known.written(), salt=hashlib.sha256(rules).digest(), n=1 << 12, r=8, p=1)


def _lines(path: Path) -> dict[str, None]:
    try:
        return dict.fromkeys(path.read_bytes().decode("ascii", "replace").split("\n"))
    except OSError:
        return {}

"""Facts that cost time to find, kept between builds."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from labreport.results import files


class Cache:
    """Facts by key, kept in a file that is believed only whole and only by the code that wrote it."""

    def __init__(self, path: Path, made_by: Iterable[ModuleType]) -> None:
        self.path = path
        self.code = [Path(str(module.__file__)) for module in made_by]
        self._old: dict[str, Any] | None = None
        self._used: dict[str, Any] = {}
        self._new = False

    def remember(self, key: str, make: Callable[[], Any]) -> Any:
        """Return the fact of a key, made if it is not known."""
        if self._old is None:
            self._old = self._load()
        if key not in self._used:
            if key in self._old:
                self._used[key] = self._old[key]
            else:
                self._used[key] = make()
                self._new = True
        return self._used[key]

    def save(self) -> None:
        """Write the facts that were used, if some are new; where nothing can be written, do without."""
        if self._new:
            text = json.dumps(self._used)
            with contextlib.suppress(OSError):  # a cache that cannot be kept costs time, nothing else
                files.write(self.path, f"{self._checksum(text)}\n{text}".encode())
            self._new = False

    def _load(self) -> dict[str, Any]:
        try:
            recorded, _, text = self.path.read_bytes().decode("utf-8", "replace").partition("\n")
        except OSError:
            return {}
        facts = json.loads(text) if recorded == self._checksum(text) else {}
        return facts if isinstance(facts, dict) else {}

    def _checksum(self, text: str) -> str:
        """Return the digest of a text, of the Python version and of the code that finds facts."""
        code = b"".join(path.read_bytes() for path in self.code)
        return files.checksum(sys.version.encode() + code + text.encode())

"""Facts that cost time to find, kept between builds."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from labreport.results import files

_NONE: Mapping[str, str] = MappingProxyType({})


class Cache:
    """Facts by key, kept in a file that is believed only whole and only by the code that wrote it."""

    def __init__(
        self, path: Path, made_by: Iterable[ModuleType], made_with: Mapping[str, str] = _NONE
    ) -> None:
        """Keep facts that modules find; a package stands for all of its modules.

        `made_with` are the versions of the distributions that they use.
        """
        self.path = path
        self.code = [path for module in made_by for path in _files(module)]
        self.versions = "".join(f"{name} {version}\n" for name, version in sorted(made_with.items()))
        self._old: dict[str, Any] | None = None
        self._used: dict[str, Any] = {}
        self._new = False

    def remember(self, key: str, make: Callable[[], Any], *, again: bool = False) -> Any:
        """Return the fact of a key, made if it is not known, or if it is to be made `again`."""
        if key not in self._used:
            old = self._known()
            self._used[key] = old[key] if key in old and not again else make()
            self._new |= key not in old or self._used[key] != old[key]
        return self._used[key]

    def knows(self, key: str) -> bool:
        """Return whether the fact of a key was kept."""
        return key in self._known()

    def save(self, *, forget: bool = True) -> None:
        """Write the facts that were used, if some are new; where nothing can be written, do without.

        Without `forget` also those are kept that were not used.
        """
        if self._new:
            text = json.dumps(self._used if forget else {**(self._old or {}), **self._used})
            with contextlib.suppress(OSError):  # a cache that cannot be kept costs time, nothing else
                files.write(self.path, f"{self._checksum(text)}\n{text}".encode())
            self._new = False

    def _known(self) -> dict[str, Any]:
        if self._old is None:
            self._old = self._load()
        return self._old

    def _load(self) -> dict[str, Any]:
        try:
            recorded, _, text = self.path.read_bytes().decode("utf-8", "replace").partition("\n")
        except OSError:
            return {}
        facts = _parsed(text) if recorded == self._checksum(text) else {}
        return facts if isinstance(facts, dict) else {}

    def _checksum(self, text: str) -> str:
        """Return the digest of a text, of the versions and of the code that finds facts."""
        code = b"".join(path.read_bytes() for path in self.code)
        return files.checksum(f"{sys.version}{self.versions}".encode() + code + text.encode())


@lru_cache(maxsize=8)  # facts are never changed
def _parsed(text: str) -> Any:
    return json.loads(text)


def _files(module: ModuleType) -> list[Path]:
    file = Path(str(module.__file__))
    return sorted(file.parent.glob("**/*.py")) if file.stem == "__init__" else [file]

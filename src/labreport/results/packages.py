"""Packages without a released version: they count by their files.

A version tells what a package is only if it was built once and released under that number. So these count by
what they hold, and so do the packages of this kind that they import:

- what lies on the import path (PYTHONPATH, a `.pth` file) without the metadata of a distribution beside it;
- editable installs, which run from somebody's working copy;
- links in a folder of packages;
- installs from a local folder, by the digests that pip has recorded; from an archive or a revision that
  somebody named, by its hash.

A local version (`2.4+cpu`) is a release: somebody built it once, and it counts by its text.
"""

from __future__ import annotations

import ast
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

from labreport.results import observed, versions
from labreport.results.files import checksum, token
from labreport.results.observed import Remember

_SUFFIXES = (".py", *EXTENSION_SUFFIXES)


def import_path() -> list[str]:
    """Return the folders in which processes of experiments look for packages, first match first."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    # the folder in which the command was started is not on their path
    return [entry for entry in dict.fromkeys([*given, *sys.path]) if entry]


@dataclass(frozen=True)
class _Found:
    """A module: the digest of what is unreleased of it and what that imports; whether some has a version."""

    digest: str
    imports: tuple[str, ...]
    has_version: bool


@dataclass
class Packages:
    """The packages on an import path; each of its folders is read once."""

    path: Sequence[str]
    remember: Remember
    _names: dict[str, frozenset[str]] = field(default_factory=dict)
    _metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    _looked_up: dict[str, _Found] = field(default_factory=dict)

    def unreleased(self, modules: Iterable[str]) -> tuple[dict[str, str], set[str]]:
        """Return the digests of the modules that have no released version; and the rest, by their names.

        Both hold what a module without a released version imports in its turn, if it is installed.
        """
        asked = set(modules)
        digests: dict[str, str] = {}
        rest: set[str] = set()
        queue = list(asked)
        while queue:
            module = queue.pop()
            if module in digests or module in rest:
                continue
            found = self._find(module)
            if found.digest:
                digests[module] = found.digest
                queue += found.imports
            if found.has_version or (module in asked and not found.digest):
                rest.add(module)
        return digests, rest

    def _find(self, module: str) -> _Found:
        """Return what there is to know of a module, whose parts may lie in several places."""
        if module not in self._looked_up:
            places = self._places(module)
            known = [(place, self._known(module, place)) for place in places]
            facts = [fact or self._files(place) for place, fact in known if fact != ""]
            digests = [fact["digest"] for fact in facts]
            self._looked_up[module] = _Found(
                checksum(json.dumps(digests).encode()) if digests else "",
                tuple(name for fact in facts for name in fact["imports"]),
                len(facts) < len(places),
            )
        return self._looked_up[module]

    def _places(self, module: str) -> list[Path]:
        """Return the file or folder that an import of a top-level module takes; several of a namespace."""
        portions = []
        for entry in self.path:
            names = self._listed(entry)
            if module in names and (folder := Path(entry, module)).is_dir():
                if any((folder / f"__init__{suffix}").is_file() for suffix in _SUFFIXES):
                    return [folder]
                portions.append(folder)
            for suffix in _SUFFIXES:
                if f"{module}{suffix}" in names:
                    return [Path(entry, f"{module}{suffix}")]
        return portions or _found_by_a_hook(module)

    def _listed(self, entry: str) -> frozenset[str]:
        if entry not in self._names:
            try:
                self._names[entry] = frozenset(os.listdir(entry))  # noqa: PTH208 -- half the time
            except OSError:
                self._names[entry] = frozenset()
        return self._names[entry]

    def _known(self, module: str, place: Path) -> Any:
        """Return what is known of an unreleased module without its files; "" if it has a released version."""
        beside = self._beside(str(place.parent))
        if not beside or place.is_symlink():
            return None
        own = versions.normalised(module)
        names = [own] if own in beside else versions.providers(self.path, self.remember).get(module, [])
        folders = [place.parent / beside[name] for name in names if name in beside]
        return _origin(folders) if folders else None

    def _beside(self, folder: str) -> Mapping[str, str]:
        """Return the folders of metadata in a folder, by the normalised names of the distributions."""
        if folder not in self._metadata:
            self._metadata[folder] = {
                versions.normalised(found["name"]): name
                for name in self._listed(folder)
                if name.endswith("-info") and (found := versions.FOLDER.fullmatch(name))
            }
        return self._metadata[folder]

    def _files(self, place: Path) -> dict[str, Any]:
        """Return the digest of a module's files, and what they import."""
        files = _below(place)
        stats = {name: path.stat() for name, path in files.items()}
        tokens = {name: token(found) for name, found in stats.items()}
        if not all(tokens.values()):  # edited just now: the clock cannot tell the next edit from this one
            return _facts(files)
        key = checksum(json.dumps(tokens, sort_keys=True).encode())
        facts = self.remember(f"package {key}", lambda: _facts(files))
        assert isinstance(facts, dict)
        return facts


def _found_by_a_hook(module: str) -> list[Path]:
    """Return where a finder that some package has installed finds a module: editable installs have such."""
    from importlib import util

    try:
        spec = util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return []
    if spec is None:
        return []
    if spec.submodule_search_locations:
        return [Path(place) for place in spec.submodule_search_locations if Path(place).is_dir()]
    archive = getattr(spec.loader, "archive", None)
    origin = archive or (spec.origin if spec.has_location else None)
    return [Path(origin)] if origin and Path(origin).is_file() else []


def _origin(folders: Iterable[Path]) -> Any:
    """Return what pip has recorded of an install from elsewhere than an index; "" if it is a release."""
    for folder in folders:
        try:
            origin = json.loads((folder / "direct_url.json").read_bytes())
        except (OSError, ValueError):
            continue
        if origin.get("dir_info", {}).get("editable"):
            return None
        named = origin.get("vcs_info", {}).get("commit_id") or origin.get("archive_info", {}).get("hashes")
        digest = json.dumps(named, sort_keys=True) if named else observed.file(folder / "RECORD")
        return None if digest == observed.ABSENT else {"digest": digest, "imports": []}
    return ""


def _below(place: Path) -> dict[str, Path]:
    """Return the files of a module by their paths inside it; hidden and compiled ones are left out."""
    if not place.is_dir():
        return {place.name: place}
    found: dict[str, Path] = {}
    for folder, folders, names in os.walk(place, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        for name in sorted(names):
            path = Path(folder, name)
            if not name.startswith(".") and not name.endswith(".pyc") and path.is_file():
                found[path.relative_to(place).as_posix()] = path
    return found


def _facts(files: Mapping[str, Path]) -> dict[str, Any]:
    digests = {name: observed.file(path) for name, path in files.items()}
    imports = {top for path in files.values() if path.suffix == ".py" for top in _imports(path)}
    digest = checksum(json.dumps(digests, sort_keys=True).encode())
    return {"digest": digest, "imports": sorted(imports - set(sys.stdlib_module_names))}


def _imports(path: Path) -> set[str]:
    """Return the top-level modules that a file imports by name."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
    return found

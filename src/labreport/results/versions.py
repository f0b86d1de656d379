"""The versions of installed distributions, found in a millisecond: by the names of their folders."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

FOLDER = re.compile(r"(?P<name>.+?)-(?P<version>\d[^-]*)(-py[\d.]+)?\.(dist|egg)-info")
"""The name of a folder with the metadata of a distribution."""


def installed(path: Iterable[str]) -> dict[str, str]:
    """Return the versions of the distributions in the folders of an import path, by normalised name."""
    found: dict[str, str] = {}
    for folder in path:
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208 -- half the time of Path.iterdir
        except OSError:
            continue
        for name in names:
            match = FOLDER.fullmatch(name) if name.endswith("-info") else None
            if match:
                # an import, too, takes what lies in the first folder
                found.setdefault(normalised(match["name"]), match["version"])
    return found


def normalised(name: str) -> str:
    """Return a distribution's name as the packaging specification compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def versions(
    modules: Iterable[str], known: Mapping[str, str], remember: Callable[[str, Callable[[], Any]], Any]
) -> dict[str, str]:
    """Return the versions of the distributions that provide top-level modules, by distribution.

    `known` is what `installed` returned. Where no distribution has the module's own name (PIL is of pillow),
    the list of all modules of all distributions is asked for; it takes a quarter of a second, so
    `remember(key, make)` keeps it. A module that is of no distribution has the version "unknown".
    """
    out: dict[str, str] = {}
    for module in sorted(modules):
        names = [normalised(module)]
        if names[0] not in known:
            names = _remembered(known, remember).get(module, names)
        out |= {name: known.get(name, "unknown") for name in names}
    return out


def providers(path: Iterable[str], remember: Callable[[str, Callable[[], Any]], Any]) -> dict[str, list[str]]:
    """Return the distributions that provide each top-level module, by their normalised names."""
    return _remembered(installed(path), remember)


def _remembered(
    known: Mapping[str, str], remember: Callable[[str, Callable[[], Any]], Any]
) -> dict[str, list[str]]:
    listing = " ".join(f"{name} {version}" for name, version in sorted(known.items()))
    found = remember(f"distributions {listing}", _providers)
    assert isinstance(found, dict)
    return found


def _providers() -> dict[str, list[str]]:
    from importlib.metadata import packages_distributions

    return {
        module: sorted({normalised(name) for name in names})
        for module, names in packages_distributions().items()
    }

"""Variants: results of an experiment with other parameters than the default, which a report uses as well.

An experiment declares them in VARIANTS. Each goes by a name of its own, `coin@tosses=50`, in the plan, in the
folders of the build and in messages, and by its address, `tosses=50`, in templates. What it computes is what
`run --set tosses=50` computes: its seeds, its code and its record are those of the experiment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from labreport.errors import LabreportError
from labreport.results import declaration as declarations
from labreport.results.files import checksum
from labreport.results.settings import shown_setting

if TYPE_CHECKING:
    from labreport.project import Project

MARK = "@"
KEYWORD = "variants"
LONGEST = 80

_KEY = re.compile(rf'([^\W\d]\w*)\.{KEYWORD}\[("(?:[^"\\]|\\.)*")\]')
_UNSAFE = re.compile(r"[^A-Za-z0-9.=,+_-]")


def address(differing: Mapping[str, Any]) -> str:
    """Return what parameters that differ from the default are called, as `--set` takes them."""
    return " ".join(f"{key}={shown_setting(value)}" for key, value in sorted(differing.items()))


def canonical(text: str, addresses: Iterable[str]) -> str:
    """Return the address that a text means: its parameters may stand in any order; else the text itself."""
    words = sorted(text.split())
    return next((known for known in addresses if sorted(known.split()) == words), text)


def named(experiment: str, address: str) -> str:
    """Return the name of a variant, which can be that of a folder on any system."""
    safe = _UNSAFE.sub("_", address.replace(" ", "+")).lower()
    # some systems take upper for lower case
    if len(safe) > LONGEST or safe != address.replace(" ", "+") or "+" in address:
        safe = f"{safe[:LONGEST]}_{checksum(address.encode())[:8]}"
    return f"{experiment}{MARK}{safe}"


def experiment(name: str) -> str:
    """Return the experiment whose variant a name means, or that it means itself."""
    return name.partition(MARK)[0]


def of(project: Project, name: str) -> dict[str, str]:
    """Return the variants that an experiment declares, by their addresses; none if it cannot be read."""
    path = project.experiments / f"{name}.py"
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    # the word is looked for first: most experiments have no variants, and need not be parsed
    return {each: named(name, each) for each in (_declared(data, name) if b"VARIANTS" in data else ())}


@lru_cache(maxsize=64)
def _declared(data: bytes, name: str) -> tuple[str, ...]:
    try:
        source = declarations.Source(data, name)
        found = declarations.read(declarations.parse(data, name), source, name).variants
    except LabreportError:  # the plan says what is wrong
        return ()
    return tuple(map(address, found))


def names(project: Project) -> list[str]:
    """Return the names of all results of a project: of each experiment, then of its variants."""
    found = project.experiment_names()
    return [each for name in found for each in (name, *of(project, name).values())]


def owner(key: str) -> str:
    """Return the name of the result that a key leads into: `coin@tosses=50`, or `coin` of the default."""
    if MARK in key.partition("[")[0]:
        return key
    found = _KEY.match(key)
    return named(found[1], json.loads(found[2])) if found else re.split(r"[.\[]", key, maxsplit=1)[0]


def root(project: Project, name: str) -> str:
    """Return what the keys of a result begin with: `coin`, or `coin.variants["tosses=50"]`."""
    base = experiment(name)
    where = next((each for each, other in of(project, base).items() if other == name), None)
    return base if where is None else f"{base}.{KEYWORD}[{json.dumps(where, ensure_ascii=False)}]"

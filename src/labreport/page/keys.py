"""Keys on the page: the value of each in its result, with the spread of the sample that it summarises."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labreport.documents import steps
from labreport.errors import LabreportError
from labreport.explain import Contents, experiment_of
from labreport.page.numbers import exact
from labreport.results import Result, load, variants

if TYPE_CHECKING:
    from labreport.page.things import Plain
    from labreport.project import Project

_LAST = re.compile(r'(?:\.\w+|\["(?:[^"\\]|\\.)*"\]|\[\d+\])$')
"""The last step of a key."""

MOST = 40
"""The most items of a list or a mapping that are told as the value of a key: of more, none."""


def results(project: Project) -> dict[str, Result]:
    """Return the results of all experiments that have one that can be used."""
    found = {}
    for name in variants.names(project):
        try:
            found[name] = load(project, name)
        except LabreportError:  # the report tells of what its build found
            continue
    return found


@dataclass(frozen=True)
class Known:
    """What a key leads to in its result, and the summary of the sample that this belongs to."""

    value: Any
    spread: Mapping[str, float]
    words: frozenset[str]
    """The names in the key, and the texts and whole numbers that stand beside the value."""


def known(keys: Iterable[str], found: Mapping[str, Result]) -> dict[str, Known]:
    """Return what keys lead to; nothing of those that lead to no value: texts of report.toml, columns."""
    contents = {name: Contents(result) for name, result in found.items()}
    told = {}
    for key in keys:
        if (content := contents.get(experiment_of(key))) is not None:
            # the result is newer than the report, or the key that of a whole column
            with suppress(LookupError, TypeError):
                told[key] = Known(content.value(key), content.spread(key), frozenset(_words(key, content)))
    return told


def _words(key: str, content: Contents) -> Iterator[str]:
    yield from map(str, steps(key) or ())
    there = content.value(key)
    beside = there if isinstance(there, Mapping) else content.value(_LAST.sub("", key))
    if isinstance(beside, Mapping):
        yield from (str(cell) for cell in beside.values() if type(cell) in (str, int))


def told(
    keys: Iterable[str], known: Mapping[str, Known], samples: Mapping[str, int], names: Container[str]
) -> Plain:
    """Return what the page tells of keys: their values, `samples` and experiments, if these have `names`."""
    nothing = Known(None, {}, frozenset())
    return {
        key: {
            "value": exact(found.value) if size(found.value) <= MOST else None,
            "spread": exact(dict(found.spread)),
            "samples": [samples[key]] if key in samples else [],
            "experiment": name if (name := experiment_of(key)) in names else None,
        }
        for key in keys
        for found in (known.get(key, nothing),)
    }


def size(value: Any) -> int:
    """Return how many plain values a value consists of."""
    if isinstance(value, Mapping):
        return sum(map(size, value.values()))
    return sum(map(size, value)) if isinstance(value, list | tuple) else 1

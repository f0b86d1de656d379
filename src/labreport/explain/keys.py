"""Keys of results: how they are spelt, the value that one leads to, and the sample that it summarises."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from labreport.documents import Step, steps
from labreport.results import variants

if TYPE_CHECKING:
    from labreport.results import Result

SAMPLE = ("mean", "median", "std", "sd", "se", "sem", "min", "max")
"""How the parts of a summary of a sample are called."""

INTERVAL = ("estimate", "low", "high", "p", "p_holm")
"""How the parts of an estimate with its interval are called."""

NUMBER = "n"
"""How the size of a sample is called."""


def canonical(key: str) -> str:
    """Return a key as records spell it, `e.a["b c"]` for `e['a']["b c"]`; other texts as they are."""
    name, *path = steps(key) or (key,)
    return str(name) + "".join(map(_written, path))


def _written(step: Step) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if step.isidentifier() else f"[{json.dumps(step, ensure_ascii=False)}]"


def is_below(key: str, above: str) -> bool:
    """Return whether a key is another one, or leads to a part of what the other one leads to."""
    return key == above or (key.startswith(above) and key[len(above)] in ".[")


def overlap(one: str, other: str) -> bool:
    """Return whether what one key leads to is part of what the other one leads to, or the other way round."""
    return is_below(one, other) or is_below(other, one)


def experiment_of(key: str) -> str:
    """Return the name of the result that a key leads into; `report` for a text of report.toml."""
    return variants.owner(key)


class Contents:
    """What the keys of one experiment lead to in its result."""

    def __init__(self, result: Result) -> None:
        self._result = result
        self._tables: dict[str, list[dict[str, Any]]] = {}

    def value(self, key: str) -> Any:
        """Return the value that a key leads to; LookupError or TypeError if there is none."""
        return self._value(_inside(key))

    def spread(self, key: str) -> dict[str, Any]:
        """Return the summary of the sample that a value belongs to: its mean, deviation, interval, number, …

        These stand beside the value: `low` beside `estimate`, `std` beside `mean`, `loss_std` beside `loss`
        or `loss_mean`. Empty if the value is not part of a summary.
        """
        path = _inside(key)
        whole = self._value(path)
        if isinstance(whole, Mapping):
            return _found(whole, (*SAMPLE, *INTERVAL, NUMBER))
        if len(path) < 2 or path[0] == "params" or not isinstance(path[-1], str):
            return {}
        beside = self._value(path[:-1])
        return _summary(beside, path[-1]) if isinstance(beside, Mapping) else {}

    def _value(self, path: tuple[Step, ...]) -> Any:
        container: Any = {"params": self._result.params, "values": self._result.values}
        if path[:1] == ("tables",) and len(path) > 1:
            container, path = self._rows(str(path[1])), path[2:]
        for step in path:
            container = container[step]
        return container

    def _rows(self, name: str) -> list[dict[str, Any]]:
        if name not in self._result.tables:
            raise LookupError(name)
        if name not in self._tables:
            self._tables[name] = self._result.rows(name)
        return self._tables[name]


def _inside(key: str) -> tuple[Step, ...]:
    """Return the steps of a key inside the result that it leads into."""
    path = (steps(key) or ())[1:]
    return path[2:] if path[:1] == (variants.KEYWORD,) else path


def _summary(beside: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the statistics beside a name in a mapping, without the value itself; none without a spread."""
    every = (*SAMPLE, *INTERVAL)
    stem, _, last = name.rpartition("_")
    if name in every:
        found = _found(beside, SAMPLE if name in SAMPLE and "estimate" in beside else every)
        found.pop(name)
    elif stem and last in every:
        found = _found(beside, every, f"{stem}_")
        found.pop(last, None)
    else:
        found = _found(beside, every, f"{name}_")
        if not found and not beside.keys() & {"estimate", *SAMPLE}:  # a share with its interval
            interval = _found(beside, ("low", "high"))
            found = interval if _lies(beside[name], **interval) else {}
    return found | _found(beside, (NUMBER,)) if found else {}


def _lies(value: Any, low: float = math.inf, high: float = -math.inf) -> bool:
    """Return whether a value lies in an interval: of the numbers beside one, its own alone is sure to."""
    return isinstance(value, int | float) and low <= value <= high


def _found(mapping: Mapping[str, Any], names: Iterable[str], prefix: str = "") -> dict[str, Any]:
    found = {name: mapping.get(prefix + name) for name in names}
    return {name: value for name, value in found.items() if isinstance(value, int | float)}

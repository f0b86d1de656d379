"""What a run has set before it calls `lab.map`, for processes that are not copies of its own.

A forked process finds the variables of modules as the run has left them; one on another machine has only
imported the same sources. So what differs from how the imports left it is sent along: variables that have
been bound anew, lists, dicts and sets whose elements are others, and the settings of NumPy, torch and Python
below. An object that was changed in itself (an attribute, an element of an array) is not noticed.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

_PLAIN = (bool, int, float, complex, str, bytes, type(None))
_CONTAINERS = (list, dict, set, tuple)
_LARGEST = 10_000  # elements; a larger container is looked at as one object
_DEEPEST = 20

_SETTINGS: Mapping[str, tuple[tuple[Callable[[Any], Any], Callable[[Any, Any], object]], ...]] = {
    "sys": ((lambda sys: sys.getrecursionlimit(), lambda sys, limit: sys.setrecursionlimit(limit)),),
    "numpy": ((lambda numpy: numpy.geterr(), lambda numpy, kinds: numpy.seterr(**kinds)),),
    "torch": (
        (lambda torch: torch.get_default_dtype(), lambda torch, dtype: torch.set_default_dtype(dtype)),
        (
            lambda torch: torch.are_deterministic_algorithms_enabled(),
            lambda torch, on: torch.use_deterministic_algorithms(on),
        ),
    ),
}
"""For each module how its settings are read and set."""


@dataclass(frozen=True)
class State:
    """What differs from how the imports left it.

    `variables` maps (module, name) to a value that is bound anew, `contents` to a container whose elements
    are others now; `settings` maps (module, number) to a value.
    """

    variables: Mapping[tuple[str, str], Any]
    contents: Mapping[tuple[str, str], Any]
    settings: Mapping[tuple[str, int], Any]

    def restore(self) -> None:
        """Set all of this in this process, where the same modules have been imported."""
        for (module, name), value in self.variables.items():
            setattr(importlib.import_module(module), name, value)
        for (module, name), value in self.contents.items():
            found = getattr(importlib.import_module(module), name)
            found.clear()  # in place: other modules may have taken it by its name
            found.extend(value) if isinstance(value, list) else found.update(value)
        for (module, number), value in self.settings.items():
            _SETTINGS[module][number][1](importlib.import_module(module), value)


class Baseline:
    """How the imports left the variables of some modules, and the settings."""

    def __init__(self, modules: Iterable[str]) -> None:
        found = {module: _variables(module) for module in modules}
        # the values are kept, so that no other object can come to have their identity
        self._before = {
            (module, name): (value, _mark(value))
            for module, variables in found.items()
            for name, value in variables.items()
        }
        self._modules = tuple(found)
        self._settings = _settings()

    def changes(self) -> State:
        """Return what differs now; of modules that were imported later, nothing."""
        variables: dict[tuple[str, str], Any] = {}
        contents: dict[tuple[str, str], Any] = {}
        for module in self._modules:
            for name, value in _variables(module).items():
                before, mark = self._before.get((module, name), (_ABSENT, _ABSENT))
                if _mark(value) == mark:
                    continue
                # a tuple keeps its elements, but these may have other elements
                same = before is value and not isinstance(value, tuple)
                (contents if same else variables)[module, name] = value
        settings = {key: value for key, value in _settings().items() if self._differs(key, value)}
        return State(variables, contents, settings)

    def _differs(self, key: tuple[str, int], value: Any) -> bool:
        return key not in self._settings or bool(self._settings[key] != value)


_ABSENT = object()


def _variables(module: str) -> dict[str, Any]:
    found = vars(sys.modules[module]) if module in sys.modules else {}
    # a module among the variables of a package is there as soon as it has been imported
    return {
        name: value
        for name, value in list(found.items())
        if not (name.startswith("__") and name.endswith("__")) and not isinstance(value, ModuleType)
    }


def _mark(value: Any, depth: int = 0) -> Any:
    """Return what is equal for values that are plainly the same, else for the same object only."""
    kind = type(value)
    if kind in _PLAIN:
        return kind, repr(value) if kind in (float, complex) else value  # NaN is the same as NaN here
    if kind not in _CONTAINERS or len(value) > _LARGEST or depth == _DEEPEST:
        return kind, id(value)
    if kind is dict:
        return kind, tuple((_mark(k, depth + 1), _mark(v, depth + 1)) for k, v in value.items())
    marks = (_mark(element, depth + 1) for element in value)
    return kind, frozenset(marks) if kind is set else tuple(marks)


def _settings() -> dict[tuple[str, int], Any]:
    return {
        (module, number): read(sys.modules[module])
        for module, settings in _SETTINGS.items()
        if module in sys.modules
        for number, (read, _) in enumerate(settings)
    }

"""The global generators of Python, NumPy and torch: seeded together, and given back as they were.

Code that draws from them (`random.random()`, `np.random.rand()`, `torch.randn(3)`) without a seed of its own
gets repeatable numbers. A library that is imported only later is seeded as soon as it is there: this module
imports none of them. Generators that somebody makes are not touched: `np.random.default_rng()` without a seed
draws from the operating system.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType


@dataclass(frozen=True)
class _Generator:
    """How the global generator of a module is seeded, and how its state is kept and given back."""

    seed: Callable[[Any, int], object]
    state: Callable[[Any], Any]
    restore: Callable[[Any, Any], object]


_GENERATORS: Mapping[str, _Generator] = {
    "random": _Generator(
        lambda random, seed: random.seed(seed),
        lambda random: random.getstate(),
        lambda random, state: random.setstate(state),
    ),
    "numpy.random": _Generator(
        # one integer may have 32 bits only; several are mixed without loss
        lambda random, seed: random.seed([seed >> 32, seed & 0xFFFFFFFF]),
        lambda random: random.get_state(legacy=False),
        lambda random, state: random.set_state(state),
    ),
    "torch": _Generator(
        lambda torch, seed: torch.manual_seed(seed),
        lambda torch: torch.get_rng_state(),
        lambda torch, state: torch.set_rng_state(state),
    ),
}

_in_force: int | None = None
"""The last seed: libraries that are imported from now on begin with it."""
_first: dict[str, bytes] = {}
"""The states with which libraries have begun that were imported after the first seed."""


def seed(number: int) -> None:
    """Seed all global generators with a number in [0, 2**63), those of libraries to come as well."""
    global _in_force
    _in_force = number
    if _SEEDING not in sys.meta_path:
        sys.meta_path.insert(0, _SEEDING)
    for name, module in _loaded().items():
        _GENERATORS[name].seed(module, number)


def states() -> dict[str, bytes]:
    """Return the states of all global generators that are there, in a form that can be compared."""
    return {name: _written(name, module) for name, module in _loaded().items()}


def _written(name: str, module: ModuleType) -> bytes:
    state = _GENERATORS[name].state(module)
    # what pickle writes of a tensor names its place in memory
    return pickle.dumps(state.numpy().tobytes() if name == "torch" else state)


def are_used_since(before: Mapping[str, bytes]) -> bool:
    """Return whether a generator has another state than before, or than when its library was imported."""
    return any(state != before.get(name, _first.get(name)) for name, state in states().items())


@contextmanager
def kept() -> Iterator[None]:
    """Give the generators back, at the end, as if nothing had been drawn or seeded meanwhile."""
    global _in_force
    before = _in_force
    states = {name: _GENERATORS[name].state(module) for name, module in _loaded().items()}
    try:
        yield
    finally:
        _in_force = before
        for name, module in _loaded().items():
            if name in states:
                _GENERATORS[name].restore(module, states[name])
            elif before is not None:  # imported meanwhile: as if it were imported only now
                _GENERATORS[name].seed(module, before)


def _loaded() -> dict[str, ModuleType]:
    found = {name: sys.modules.get(name) for name in _GENERATORS}
    # a module that another thread is just importing has no generator yet
    return {name: module for name, module in found.items() if module is not None and not _is_new(module)}


def _is_new(module: ModuleType) -> bool:
    return bool(getattr(module.__spec__, "_initializing", False))


class _SeedingFinder(MetaPathFinder):
    """Lets the other finders find a library, and seeds its generator when it has been imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what the others find for a library that has a global generator; None for all else."""
        if fullname not in _GENERATORS:
            return None
        others = (finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec"))
        specs = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is not None and spec.loader is not None:
            _seed_after(spec.loader, fullname)
        return spec


def _seed_after(loader: Loader, name: str) -> None:
    execute = loader.exec_module

    def execute_and_seed(module: ModuleType) -> None:
        execute(module)
        if _in_force is not None:
            _GENERATORS[name].seed(module, _in_force)
            _first[name] = _written(name, module)

    loader.exec_module = execute_and_seed  # type: ignore[method-assign]


_SEEDING = _SeedingFinder()

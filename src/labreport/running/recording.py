"""The environment as a mapping that tells which variables are read and set."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from labreport.results import observed

if TYPE_CHECKING:
    # what a type checker knows as `os._Environ` is generic, what there is at run time is not
    _Base = os._Environ[Any]
else:
    _Base = os._Environ


class Listener(Protocol):
    """Whoever takes note of variables, by their names."""

    def read_variable(self, name: str) -> None:
        """Take note that a variable is read, or all of them."""

    def set_variable(self, name: str) -> None:
        """Take note that a variable is set or removed."""


class _Recording(_Base):
    """The environment itself: all that the standard library makes of it goes through these methods."""

    told: ClassVar[Listener | None] = None

    def __getitem__(self, key: Any) -> Any:
        _tell_read(key)
        return super().__getitem__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        _tell_set(key)
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        _tell_set(key)
        super().__delitem__(key)

    def __iter__(self) -> Iterator[Any]:
        _tell_read(observed.EVERY)
        return super().__iter__()

    def copy(self) -> dict[Any, Any]:
        """Return a copy that tells what is read from it; most are made for a program, not to be read."""
        return _Copy({key: super(_Recording, self).__getitem__(key) for key in super().__iter__()})

    def __or__(self, other: Any) -> Any:
        return self.copy() | dict(other) if isinstance(other, Mapping) else NotImplemented

    def __ror__(self, other: Any) -> Any:
        return _Copy(other) | self.copy() if isinstance(other, Mapping) else NotImplemented


class _Copy(dict[Any, Any]):
    """A copy of the environment; programs are started with it, and some variables are read from it."""

    def __getitem__(self, key: Any) -> Any:
        _tell_read(key)
        return super().__getitem__(key)

    def get(self, key: Any, default: Any = None) -> Any:
        """Return a variable's value, or the default where it is unset."""
        _tell_read(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        _tell_read(key)
        return super().__contains__(key)

    def __or__(self, other: Any) -> Any:
        return _Copy(super().__or__(other))


def _tell_read(key: object) -> None:
    if isinstance(key, str | bytes) and _Recording.told is not None:
        _Recording.told.read_variable(os.fsdecode(key))


def _tell_set(key: object) -> None:
    if isinstance(key, str | bytes) and _Recording.told is not None:
        _Recording.told.set_variable(os.fsdecode(key))


def start(told: Listener) -> None:
    """Let the environment of this process tell from now on what is read and set."""
    _Recording.told = told
    # everybody has taken this very object into their own modules: its class changes, not the object
    os.environ.__class__ = _Recording
    os.environb.__class__ = _Recording

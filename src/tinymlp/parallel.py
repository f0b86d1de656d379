"""How work on many items is handed out.

Who takes a `map` as an argument works in one process by default, and lets the caller share the work out.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol


class Map(Protocol):
    """`map`, or one like it that works in parallel."""

    def __call__(self, function: Callable[[Any], Any], items: Sequence[Any], /) -> Iterable[Any]:
        """Return what the function returns for each item, in order."""

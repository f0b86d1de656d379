"""How work on many items is handed out.

Who takes a `map` as an argument works in one process by default, and lets the caller share the work out.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol


class Map(Protocol):
    """`serial`, or one like it that works in parallel."""

    def __call__(
        self, function: Callable[[Any], Any], items: Sequence[Any], /, *, batch: int | None = None
    ) -> Iterable[Any]:
        """Return what the function returns for each item, in order.

        With `batch`, it takes a list of at most so many items and returns a list of their values, which do
        not depend on how items are put together.
        """


def serial(
    function: Callable[[Any], Any], items: Sequence[Any], /, *, batch: int | None = None
) -> Iterable[Any]:
    """Return what a function returns for each item, in order, one call after the other; see `Map`."""
    if batch is None:
        return [function(item) for item in items]
    lists = (items[first : first + batch] for first in range(0, len(items), batch))
    return [value for some in lists for value in function(list(some))]

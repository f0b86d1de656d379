"""Variables of the environment, set for a while."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Set variables of the environment, or unset them (None), and restore them at the end."""
    # put aside, not read: nothing depends on what they were before
    present = dict(os.environ.copy().items())
    before = {key: present.get(key) for key in values}
    _put(values)
    try:
        yield
    finally:
        _put(before)


def _put(values: Mapping[str, str | None]) -> None:
    for key, value in values.items():
        if value is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = value

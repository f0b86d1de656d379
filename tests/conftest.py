"""The tests interrupt processes, which those that a shell starts in the background would not notice."""

import signal
import sys

import pytest

# a shell without job control lets background jobs ignore SIGINT, and what they start inherits that
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def matplotlib_settings():
    """A test that leaves matplotlib's settings changed fails itself, not one that comes later."""
    before = dict(sys.modules["matplotlib"].rcParams) if "matplotlib" in sys.modules else None
    yield
    if before is not None:
        after = sys.modules["matplotlib"].rcParams
        changed = {
            key: (value, after[key])
            for key, value in before.items()
            if after[key] != value and not key.startswith("backend")  # no window here, whatever the name
        }
        sys.modules["matplotlib"].rcParams.update(before)
        assert changed == {}

"""The tests interrupt processes, which those that a shell starts in the background would not notice."""

import os
import signal
import sys

import projects
import pytest

# a shell without job control lets background jobs ignore SIGINT, and what they start inherits that
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _kept_for_all_workers(tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    projects.KEPT = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(autouse=True)
def matplotlib_settings():
    """A test that leaves matplotlib's settings changed fails itself, not one that comes later."""
    if "matplotlib" not in sys.modules:
        yield
        return
    settings = sys.modules["matplotlib"].rcParams
    before = dict(dict.items(settings))  # `rcParams` itself checks each access: a millisecond for each test
    yield
    after = dict(dict.items(settings))
    if after != before:
        settings.update(before)
        # no window here, whatever the name
        changed = {
            k: (v, after[k]) for k, v in before.items() if after[k] != v and not k.startswith("backend")
        }
        assert changed == {}

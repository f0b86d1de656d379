"""The tests interrupt processes, which those that a shell starts in the background would not notice."""

import os
import signal
import sys

import projects
import pytest

# a shell without job control lets background jobs ignore these two, and what they start inherits that
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
# and under nohup they would ignore SIGHUP, by which tests end some of them
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def _kept_for_all_workers(tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    projects.KEPT = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="module", autouse=True)
def _no_browser_is_left():
    """A browser is driven by an event loop, beside which tests that come later could have none."""
    yield
    if (browsers := sys.modules.get("browsers")) is not None:
        browsers.close()


@pytest.fixture(autouse=True)
def matplotlib_settings():
    """A test that leaves matplotlib's settings changed fails itself, not one that comes later."""
    before = _settings()
    yield
    if "matplotlib" not in sys.modules:
        return
    # a test that was the first to import matplotlib began with the settings that it has by itself
    before = before or dict(dict.items(sys.modules["matplotlib"].rcParamsOrig))
    after = _settings()
    if after != before:
        sys.modules["matplotlib"].rcParams.update(before)
        # no window here, whatever the name
        changed = {
            k: (v, after[k]) for k, v in before.items() if after[k] != v and not k.startswith("backend")
        }
        assert changed == {}


def _settings():
    if "matplotlib" not in sys.modules:
        return {}
    # `rcParams` itself checks each access: a millisecond for each test
    return dict(dict.items(sys.modules["matplotlib"].rcParams))

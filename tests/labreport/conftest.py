"""Properties are checked without a deadline: how long one takes depends on what else the machine does."""

import functools

import pytest
from hypothesis import settings

from labreport.results import versions

settings.register_profile("labreport", deadline=None)
settings.load_profile("labreport")


@pytest.fixture(scope="session", autouse=True)
def _modules_of_distributions_are_listed_once():
    """Let what the installed distributions provide be listed once: that takes a quarter of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "_providers", functools.cache(versions._providers))
        yield

"""Properties are checked without a deadline: how long one takes depends on what else the machine does."""

import functools

import pytest
from hypothesis import settings

from labreport import documenting
from labreport.results import versions

settings.register_profile("labreport", deadline=None)
settings.load_profile("labreport")


@pytest.fixture(scope="session", autouse=True)
def _modules_of_distributions_are_listed_once():
    """Let what the installed distributions provide be listed once: that takes a quarter of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "_providers", functools.cache(versions._providers))
        yield


@pytest.fixture(scope="session", autouse=True)
def _mistakes_in_the_page_are_raised():
    """Let an error of ours end a build, which a user learns by a notice: no test can overlook it so."""

    def raised(error: Exception):
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documenting, "unforeseen", raised)
        yield

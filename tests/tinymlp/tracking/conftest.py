"""A session in a temporary folder, for a user without a key."""

import pytest
from tracked import own_home  # noqa: F401 (a fixture)

from tinymlp.tracking import Session


@pytest.fixture
def notices():
    return []


@pytest.fixture
def session(tmp_path, notices):
    """A session that is not open yet."""
    return Session(tmp_path / "build", project="tests", notice=notices.append)

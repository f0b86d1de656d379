"""A project that was built once, for tests that only ask."""

import explained
import pytest

from labreport.project import Project


@pytest.fixture(scope="session")
def asked(tmp_path_factory) -> Project:
    return explained.make(tmp_path_factory.mktemp("asked"))

"""A packed project, and a fresh copy of it for each test."""

import projects
import pytest
from handed import EXPERIMENT, TOML, copied, fill

from labreport.project import Project


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "project"
    return fill(projects.make(folder, {"one": EXPERIMENT}, toml=TOML))


@pytest.fixture
def project(made_once, tmp_path) -> Project:
    return copied(made_once, tmp_path / "project")

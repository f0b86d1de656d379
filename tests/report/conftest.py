"""A built project of another subject, for the tests from end to end."""

import shutil
from pathlib import Path

import pytest
from coins import User, write_project


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> User:
    """A built project, not to be changed."""
    user = write_project(tmp_path_factory.mktemp("coins"))
    user.run()
    return user


@pytest.fixture
def user(built_once: User, tmp_path: Path) -> User:
    """A fresh copy of the built project."""
    folder = tmp_path / "project"
    shutil.copytree(built_once.folder, folder)
    return User(folder)

"""A built project of another subject, for the tests from end to end."""

import shutil
from pathlib import Path

import projects
import pytest
from coins import User, write_project
from wandb_server import WandbServer

from tinymlp.tracking import Session


@pytest.fixture(scope="session")
def built_once() -> User:
    """A built project, not to be changed."""
    return User(projects.once_for_all_workers("coins", lambda folder: write_project(folder).run()))


@pytest.fixture
def user(built_once: User, tmp_path: Path) -> User:
    """A fresh copy of the built project."""
    folder = tmp_path / "project"
    shutil.copytree(built_once.folder, folder)
    return User(folder)


@pytest.fixture
def notices():
    return []


@pytest.fixture
def session(tmp_path, notices):
    """A session that is not open yet."""
    return Session(tmp_path / "build", project="tests", notice=notices.append)


@pytest.fixture
def server(monkeypatch):
    """A server for which a key is configured."""
    with WandbServer() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server
        assert server.unknown == []

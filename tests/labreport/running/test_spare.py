"""A fork server that one build after the other uses, and that is given up when anything is not as it was."""

import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import projects
import pytest
from processes import alive, pids, wait_for

from labreport import project as loading
from labreport.results import load
from labreport.running import spare
from labreport.running.children import server_of
from labreport.running.forkserver import ForkServer

PARENT = "import os\n\n\ndef run(params, lab):\n    return {'server': os.getppid()}\n"
SLEEPER = """
import os
import time
from pathlib import Path


def sleeps(path, send):
    Path(path).write_text(str(os.getpid()))
    time.sleep(60)
"""


@pytest.fixture
def project(tmp_path):
    return projects.make(tmp_path / "p", {"one": projects.experiment(PARENT)})


@pytest.fixture(autouse=True)
def dropped(monkeypatch):
    monkeypatch.setattr(spare, "_is_broken", False)
    yield
    spare.drop(None)


def server_used(project):
    """Return the process of the fork server in which an experiment runs now."""
    projects.run(project, force=True)
    return load(project, "one").values["server"]


def test_one_build_after_the_other_uses_the_server_that_is_ready(project):
    spare.prepare(server_of(project))
    first = server_used(project)
    spare.prepare(server_of(project))
    assert server_used(project) == first
    assert spare.is_intact()
    spare.drop(None)
    assert not alive(first)


def test_without_one_each_build_has_its_own_and_ends_it(project):
    first, second = server_used(project), server_used(project)
    assert first != second
    assert not alive(first)


def test_a_server_of_another_kind_is_not_used_and_is_replaced(project):
    spare.prepare(server_of(project))
    first = server_used(project)
    (project.root / "report.toml").write_text('title = "T"\npreload = ["decimal"]\n')
    changed = loading.load(project.root)
    assert server_used(changed) != first
    spare.prepare(server_of(changed))
    assert not alive(first)
    assert server_used(changed) == server_used(changed)


def test_a_server_that_has_ended_is_not_used_and_not_intact(project):
    spare.prepare(server_of(project))
    first = server_used(project)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not alive(first))
    assert server_used(project) != first
    assert not spare.is_intact()


def test_what_is_under_way_ends_when_the_server_is_given_back(project, tmp_path):
    projects.write(project.root / "src/sleeper.py", SLEEPER)
    spare.prepare(server_of(project))
    server = spare.take(server_of(project))
    assert server is not None
    sleeps = SimpleNamespace(__module__="sleeper", __qualname__="sleeps")  # as the server finds it
    server.start(sleeps, str(tmp_path / "pid"), tmp_path / "log")
    while not pids(tmp_path / "pid"):
        server.receive(0.1)
    (pid,) = pids(tmp_path / "pid")
    assert spare.give_back(server)
    assert not alive(pid)
    assert spare.is_intact()
    assert spare.take(server_of(project)) is server


def test_a_server_says_whether_its_code_is_that_on_the_disk(tmp_path):
    module = tmp_path / "preloaded.py"
    module.write_text("A = 1\n")
    time.sleep(0.05)  # what is saved just when it is loaded is believed by nobody
    path = [Path(__file__).parents[3] / "src", tmp_path]
    server = ForkServer(preload=["preloaded"], path=path, cwd=tmp_path, log=tmp_path / "log", env={})
    try:
        assert server.is_fresh()
        module.write_text("A = 2\n")
        assert not server.is_fresh()
    finally:
        server.close()

"""Folders among the system's temporary files: what killed builds left goes, what is in use or kept stays."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import projects
import pytest

from labreport import build, scratch

SRC = Path(__file__).parents[2] / "src"
HOLD = (
    "import sys; from labreport import scratch\n"
    "with scratch.folder() as folder: print(folder, flush=True); sys.stdin.read()"
)


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """The system's folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def holder():
    """Another process, which works in a folder until it is ended, and that folder."""
    command = [sys.executable, "-c", HOLD]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(SRC)}, **pipes) as process:
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_a_folder_goes_when_its_work_ends_however_that_is(temporary):
    with scratch.folder() as folder:
        assert folder.parent == temporary.resolve()
        (folder / "x").touch()
    with pytest.raises(KeyboardInterrupt), scratch.folder():
        raise KeyboardInterrupt
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("command", [build.run, build.clean], ids=lambda command: command.__name__)
def test_the_folder_of_a_killed_build_goes_with_the_next_command(tmp_path, holder, command):
    project = projects.make(tmp_path / "p", {})
    process, folder = holder
    command(project)
    assert folder.is_dir()
    process.send_signal(signal.SIGKILL)
    process.wait()
    command(project)
    assert not folder.exists()


def test_a_dry_run_leaves_it(tmp_path, holder):
    process, folder = holder
    process.kill()
    process.wait()
    build.clean(projects.make(tmp_path / "p", {}), dry_run=True)
    assert folder.is_dir()


def test_what_was_kept_and_what_is_the_users_stays(temporary):
    with scratch.folder() as kept:
        scratch.keep(kept)
    own = temporary / "labreport-thesis"
    own.mkdir()
    (temporary / "labreport-link").symlink_to(own)
    scratch.sweep()
    assert {path.name for path in temporary.iterdir()} == {kept.name, "labreport-thesis", "labreport-link"}

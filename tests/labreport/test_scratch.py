"""Folders among the system's temporary files: what killed builds left goes, what is in use or kept stays."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest.mock import Mock

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
        (kept / "log").touch()
        scratch.keep(kept)
    own = [
        temporary / name for name in ("labreport-thesis", f"{scratch.PREFIX}thesis", f"{scratch.PREFIX}link")
    ]
    own[0].mkdir()
    (own[1] / "chapters").mkdir(parents=True)
    own[2].symlink_to(own[0])
    scratch.sweep()
    assert {*temporary.iterdir()} == {kept, *own}


MAKE_AND_DIE = """
import os, signal, sys
from labreport import scratch

sys.addaudithook(lambda event, _: event == sys.argv[1] and os.kill(os.getpid(), signal.SIGKILL))
with scratch.folder() as folder:
    (folder / "x").mkdir()
"""


@pytest.mark.parametrize("event", ["open", "fcntl.flock", "os.mkdir"])
def test_what_a_kill_leaves_while_a_folder_is_made_goes(temporary, event):
    subprocess.run(
        [sys.executable, "-c", MAKE_AND_DIE, event], env=os.environ | {"PYTHONPATH": str(SRC)}, check=False
    )
    scratch.sweep()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("name", ["open", "flock"])
def test_a_folder_that_is_swept_before_it_is_locked_is_made_anew(temporary, monkeypatch, name):
    swept = []
    owner = {"open": Path, "flock": scratch.fcntl}[name]
    real = getattr(owner, name)

    def late(*args, **kwargs):
        monkeypatch.setattr(owner, name, real)
        swept.extend(temporary.iterdir())
        scratch.sweep()
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, late)
    with scratch.folder() as folder:
        assert swept
        assert folder not in swept
        scratch.sweep()
        assert list(temporary.iterdir()) == [folder]


def test_a_folder_that_cannot_be_marked_is_not_left(temporary, monkeypatch):
    monkeypatch.setattr(scratch.fcntl, "flock", Mock(side_effect=OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"), scratch.folder():
        pass
    assert list(temporary.iterdir()) == []

"""The lock of a build folder: who holds it is told, can be waited for, and is not lost without a word."""

import errno
import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import projects
import pytest
from processes import wait_for

from labreport import build, lock
from labreport.errors import BusyError, ToolError

SRC = Path(__file__).parents[2] / "src"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(SRC)}
COIN = projects.returning('{"x": params.seed}')
HOLD = (
    "import sys; from pathlib import Path; from labreport import build, project\n"
    "with build.building(project.load(Path(sys.argv[1]))):\n"
    "    print('held', flush=True); sys.stdin.read()\n"
)


@pytest.fixture
def project(tmp_path):
    return projects.make(tmp_path / "p", {"coin": COIN})


@pytest.fixture
def holder(project):
    """Another process, which holds the lock of the project until its input ends."""
    command = [sys.executable, "-c", HOLD, project.root]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=ENVIRONMENT, **pipes) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def labreport(project, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "labreport", *arguments],
        cwd=project.root,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_second_build_says_who_holds_the_lock_since_when(project, holder):
    done = labreport(project, "run")
    _, error = done.communicate(timeout=60)
    assert done.returncode == 75
    when = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    who = rf"process {holder.pid} on \S+, since {when}: \S*python\S* -c .*"
    assert re.match(rf"error: another build works in build: {who}\n  cure: .*--wait.*\n\Z", error)
    assert lock.owner(project.lock) in error


def test_a_build_that_waits_says_so_and_goes_on_when_the_other_has_ended(project, holder):
    waits = labreport(project, "run", "--wait")
    assert f"process {holder.pid}" in (line := waits.stderr.readline())
    assert "waiting until it has ended" in line
    # what is edited meanwhile counts
    projects.change(project.experiments / "coin.py", "params.seed", "7")
    assert waits.poll() is None
    holder.stdin.close()
    out, error = waits.communicate(timeout=60)
    assert (waits.returncode, error) == (0, "")
    assert "coin" in out
    assert '"x": 7' in (project.results / "coin" / "result.json").read_text()


def test_ctrl_c_ends_the_wait_and_leaves_the_other_build_alone(project, holder):
    waits = labreport(project, "run", "--wait")
    assert "waiting" in waits.stderr.readline()
    waits.send_signal(signal.SIGINT)
    _, error = waits.communicate(timeout=60)
    assert (waits.returncode, "interrupted" in error, "Traceback" in error) == (130, True, False)
    assert holder.poll() is None
    assert lock.owner(project.lock) is not None


def test_a_killed_holder_holds_nothing(project, holder):
    holder.kill()
    holder.wait()
    assert lock.owner(project.lock) is None
    with build.building(project):
        pass


def test_a_moments_look_at_the_lock_makes_nobody_busy(project):
    with build.building(project):
        pass
    with project.lock.open("rb") as look:
        fcntl.flock(look, fcntl.LOCK_SH)
        timer = threading.Timer(lock.PATIENCE / 4, fcntl.flock, (look, fcntl.LOCK_UN))
        timer.start()
        with build.building(project):
            pass
        timer.join()


@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "replaced"])
def test_a_lock_that_is_gone_is_noticed_before_anything_is_published(project, replaced):
    projects.change(project.experiments / "coin.py", "import dataclass", "import dataclass\nimport time")
    projects.change(project.experiments / "coin.py", "    return", "    time.sleep(3)\n    return")

    def lose():
        wait_for(lambda: (project.log / "coin.log").exists())
        time.sleep(0.5)
        project.lock.unlink()
        if replaced:
            project.lock.touch()

    thread = threading.Thread(target=lose)
    thread.start()
    with pytest.raises(BusyError, match=r"build/\.lock was removed while this build held it") as caught:
        build.run(project)
    thread.join()
    assert caught.value.exit_code == 75
    assert not (project.results / "coin" / "result.json").exists()


def test_what_fails_because_another_build_took_the_folder_is_told_as_that(project):
    def fails():
        with build.building(project):
            project.lock.unlink()
            (project.build / "swept").read_bytes()

    with pytest.raises(BusyError, match="was removed") as caught:
        fails()
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    with build.building(project):
        pass


def test_a_process_of_no_build_has_nothing_to_check(project):
    lock.check(project)
    lock.join(project)
    lock.check(project)


def test_a_file_system_without_locks_is_told(project, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(ToolError, match="has no locks"), build.building(project):
        pass

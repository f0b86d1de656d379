"""Builds that are ended at random moments: a few of those that `make torture` ends by the hundred."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from torture import kills
from torture.kills import Kill
from torture.trial import table

OLD = {"report.pdf": b"1", "submission/report.pdf": b"1", "submission/code.zip": b"1", "report.html": b"1"}
NEW = dict.fromkeys(OLD, b"2")
DAEMON = (
    "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(300)\n"
)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.skipif(shutil.which("latexmk") is None, reason="needs latexmk")
def test_one_build_after_a_killed_one_gives_what_a_clean_one_gives():
    text, failed = table(kills.trials(len(kills.KINDS), seed=3))
    assert failed == [], "\n".join([text, *(trial.detail for trial in failed)])


@pytest.mark.parametrize("new", [[], ["report.pdf"], sorted(OLD.keys() - {"report.html"}), OLD])
def test_what_is_published_in_order_is_whole(new):
    made = OLD | {name: NEW[name] for name in new} | {"notebooks/.tmp-x": b"half"}
    assert list(kills.torn(made, OLD, NEW)) == []


@pytest.mark.parametrize(
    ("made", "what"),
    [
        (OLD | {"report.pdf": b"half of 2"}, "torn: report.pdf"),
        (OLD | {"other.pdf": b"2"}, "torn: other.pdf"),
        ({name: data for name, data in OLD.items() if name != "report.html"}, "lost: report.html"),
        (NEW | {"submission/code.zip": b"1"}, "mixed: the files of the hand-in"),
        (OLD | {"report.html": b"2"}, "mixed: {'report.pdf': False"),
    ],
)
def test_what_is_torn_lost_or_mixed_is_told(made, what):
    assert any(told.startswith(what) for told in kills.torn(made, OLD, NEW))


def test_a_process_that_has_left_its_group_and_its_parent_is_found_and_ended(monkeypatch):
    monkeypatch.setattr(kills, "GRACE", 0.5)
    with kills.adopting() as lingering:
        subprocess.run([sys.executable, "-c", DAEMON], check=True)
        (command,) = lingering()
        assert "time.sleep(300)" in command
        assert lingering() == []


def test_what_a_kill_leaves_in_the_temporary_folder_is_found(tmp_path):
    project = kills.projects.make(tmp_path / "coins", {})
    (kills.temporary(project.root) / "labreport-x").mkdir()
    kills.projects.write(project.build / "cache" / ".tmp-x", "")
    found = kills.left(project.root)
    assert any(path.endswith("labreport-x") for path in found)
    assert any(path.endswith(".tmp-x") for path in found)


def test_the_exit_code_of_an_ended_command_is_the_one_that_a_shell_tells(tmp_path, monkeypatch):
    waiting = tmp_path / "waiting.py"
    waiting.write_text("import time\nprint('it waits', flush=True)\ntime.sleep(300)\n")
    monkeypatch.setattr(kills, "MAIN", waiting)
    how = Kill(after=1.0, signal=signal.SIGTERM, group=True)
    (tmp_path / "coins").mkdir()
    assert kills.Command(tmp_path / "coins").end(how)[0] in how.codes
    assert how.codes == (0, 128 + 15)
    assert os.getpid() not in kills.children()


@pytest.mark.parametrize("number", range(4))
def test_a_program_ends_before_the_rename_of_a_number(tmp_path, monkeypatch, number):
    renaming = tmp_path / "renaming.py"
    renaming.write_text(
        "import os, sys\nfor n in range(3):\n    os.rename(str(n), f'{n} of {sys.argv[3]}')\n"
    )
    monkeypatch.setattr(kills, "MAIN", renaming)
    folder = tmp_path / "coins"
    folder.mkdir()
    for name in range(3):
        (folder / str(name)).touch()
    how = Kill(rename=number, group=True)
    command = kills.Command(folder, "pack", how=how)
    code, output = command.end(how) if number else command.wait()
    renamed = [path.name for path in folder.iterdir() if "pack" in path.name]
    assert len(renamed) == (number - 1 if number else 3)
    assert code == (128 + 9 if number else 0)
    assert "3 renames" in output or number

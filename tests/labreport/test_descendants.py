"""Processes that leave their session and their parent are adopted, named and ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from processes import alive, pids, wait_for

from labreport import descendants

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to a process")

DAEMONS = {
    "setsid": "import subprocess; subprocess.Popen(['setsid', 'sh', '-c', {shell!r}])",
    "session": "import subprocess; subprocess.Popen(['sh', '-c', {shell!r}], start_new_session=True)",
    "double fork": (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork(): os._exit(0)\n"
        "    open({pids!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
        "    time.sleep(600)\n"
    ),
    "of its own": "import subprocess; subprocess.Popen(['setsid', 'sh', '-c', {nested!r}])",
}
"""Ways to leave something running that no signal to a group or session ends."""


def daemon(kind: str, record: Path) -> str:
    """Return Python that leaves a process of this kind running; its number goes into a file."""
    shell = f"echo $$ >> {record}; exec sleep 600"
    nested = f"(setsid sh -c '{shell}' &); echo $$ >> {record}; exec sleep 600"
    return DAEMONS[kind].format(shell=shell, nested=nested, pids=str(record))


def guarded(tmp_path, code):
    """Return a process that runs Python under the program, and the file that names what it left."""
    left = tmp_path / "left"
    command = [sys.executable, "-I", "-S", descendants.__file__, left, sys.executable, "-c", code]
    return subprocess.Popen(command), left


@pytest.mark.parametrize("kind", DAEMONS)
def test_what_a_command_leaves_running_is_ended_and_named(tmp_path, kind):
    record = tmp_path / "pids"
    wanted = 2 if kind == "of its own" else 1
    code = f"{daemon(kind, record)}\nimport time\n"
    code += f"while not __import__('os').path.exists({str(record)!r}) or "
    code += f"len(open({str(record)!r}).readlines()) < {wanted}: time.sleep(0.01)"
    process, left = guarded(tmp_path, code)
    assert process.wait(30) == 0
    found = pids(record)
    assert len(found) == wanted
    assert not any(map(alive, found))
    named = left.read_text().splitlines()
    assert sorted(line.split()[1] for line in named) == sorted(map(str, found))
    if kind != "double fork":  # which has no command of its own
        assert all(line.endswith(("(sleep 600)", "…)")) for line in named)


@pytest.mark.parametrize("ends", ["is told to end", "loses its parent"])
def test_the_command_and_what_it_left_end_with_the_program(tmp_path, ends):
    record = tmp_path / "pids"
    code = f"{daemon('setsid', record)}\nimport os, time\n"
    code += f"open({str(record)!r}, 'a').write(f'{{os.getpid()}}\\n'); time.sleep(600)"
    if ends == "is told to end":
        process, _ = guarded(tmp_path, code)
        wait_for(lambda: len(pids(record)) == 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
    else:
        starter = "import subprocess, sys, time\n"
        starter += "subprocess.Popen(sys.argv[1:], start_new_session=True); time.sleep(600)"
        command = [sys.executable, "-I", "-S", descendants.__file__, tmp_path / "left"]
        command = [sys.executable, "-c", starter, *command, sys.executable, "-c", code]
        with subprocess.Popen(command) as process:
            wait_for(lambda: len(pids(record)) == 2)
            process.kill()
    wait_for(lambda: not any(map(alive, pids(record))))


@pytest.mark.parametrize(
    ("code", "status"), [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137)]
)
def test_the_program_ends_as_its_command_has_and_names_nothing(tmp_path, code, status):
    process, left = guarded(tmp_path, code)
    assert process.wait(30) == status
    assert left.read_text() == ""


def test_what_stays_in_the_session_is_ended_without_a_word(tmp_path):
    record = tmp_path / "pids"
    code = f"import subprocess; subprocess.Popen(['sh', '-c', 'echo $$ > {record}; exec sleep 600'])\n"
    code += f"import os, time\nwhile not os.path.exists({str(record)!r}): time.sleep(0.01)"
    process, left = guarded(tmp_path, code)
    assert process.wait(30) == 0
    assert not any(map(alive, pids(record)))
    assert left.read_text() == ""


def test_the_processes_below_one_are_found_by_level():
    code = "import subprocess; subprocess.run(['sh', '-c', 'sleep 60; true'])"
    with subprocess.Popen([sys.executable, "-c", code], start_new_session=True) as process:
        try:
            wait_for(lambda: len(descendants.below(process.pid)) == 2)
            shell, sleep = descendants.below(process.pid)
            assert descendants.children(shell) == [sleep]
            assert process.pid in descendants.children(os.getpid())
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    assert descendants.below(process.pid) == []

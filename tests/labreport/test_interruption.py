"""Signals that end a build: what was begun is cleared away, a message says so, the exit code is theirs."""

import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import projects
import pytest
from processes import alive, pids, wait_for

from labreport import descendants

SRC = Path(__file__).parents[2] / "src"
WAITS = projects.experiment(
    """
    import os, time
    from pathlib import Path

    def waits(item):
        while item:
            time.sleep(60)

    def run(params, lab):
        Path("PID").write_text(f"{os.getpid()}\\n")
        lab.map(waits, [0, 1, 2])
        return {}
    """
)
ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]


def started(folder, *arguments, before="", **kwargs):
    """Return labreport as a process in a folder; `before` is Python that runs before it."""
    code = f"{before}\nimport sys; from labreport.__main__ import main; sys.argv[0] = 'labreport'; main()"
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **kwargs}
    command = [sys.executable, "-c", code, *arguments]
    environment = os.environ | {"PYTHONPATH": str(SRC)}
    return subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, **options)


@pytest.fixture
def waiting(tmp_path):
    """A project whose experiment waits for ever, once one of its items has finished."""
    return projects.make(tmp_path / "p", {"coin": WAITS.replace("PID", str(tmp_path / "pid"))})


def begin(project, **kwargs):
    """Return a build that has kept an item and computes two others, and the processes that do that."""
    build = started(project.root, "run", "--jobs", "2", **kwargs)
    record = project.root.parent / "pid"
    wait_for(lambda: (project.cells / "coin" / "cells.db").exists() and pids(record))
    (leader,) = pids(record)
    wait_for(lambda: len(descendants.below(leader)) == 2)
    return build, [leader, *descendants.below(leader)]


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_a_signal_ends_all_processes_and_tells_what_is_kept(waiting, number):
    build, found = begin(waiting)
    build.send_signal(number)
    _, error = build.communicate(timeout=60)
    assert build.returncode == 128 + number
    by = "" if number == signal.SIGINT else f" by {number.name}"
    said = f"interrupted{by}; what was finished is kept, and the next build goes on from there"
    assert error.strip().splitlines() == [said]
    assert not any(map(alive, found))
    assert not [path for path in waiting.build.rglob(".tmp-*") if not path.is_file()]


def test_a_second_signal_does_not_cut_the_clearing_short(waiting):
    build, found = begin(waiting)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGTERM):  # the system delivers them in any order
        build.send_signal(number)
    _, error = build.communicate(timeout=60)
    assert build.returncode in (129, 143)
    assert (error.count("interrupted by SIG"), error.count("Traceback")) == (1, 0)
    assert not any(map(alive, found))


UNHEARD = """
import select, signal

real = select.select

def unheard(*args):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        return real(*args)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

select.select = unheard
"""
"""What a signal meets that comes after Python has looked for some, and before the system waits."""


def test_a_signal_that_ends_no_wait_is_heard_after_it(waiting):
    build, found = begin(waiting, before=UNHEARD)
    time.sleep(0.5)  # until it waits, and nothing more is said
    build.send_signal(signal.SIGTERM)
    build.communicate(timeout=30)
    assert build.returncode == 143
    assert not any(map(alive, found))


def test_what_the_program_was_started_to_ignore_does_not_end_it(waiting):
    before = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    build, _ = begin(waiting, before=before)
    build.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        build.wait(0.5)
    build.send_signal(signal.SIGTERM)
    assert build.wait(60) == 143
    build.communicate()


def test_a_build_in_the_background_of_a_shell_can_be_ended(waiting):
    before = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
    build, found = begin(waiting, before=before)
    build.send_signal(signal.SIGTERM)
    _, error = build.communicate(timeout=60)
    assert (build.returncode, error.count("interrupted by SIGTERM")) == (143, 1)
    assert not any(map(alive, found))


def test_a_closed_terminal_ends_a_build_in_order(waiting):
    ours, theirs = pty.openpty()
    handles = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    build, found = begin(waiting, **handles)
    os.close(theirs)
    os.close(ours)
    build.send_signal(signal.SIGHUP)  # which the system sends to those whose terminal it was
    assert build.wait(60) == 129
    assert not any(map(alive, found))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("latexmk") is None, reason="needs latexmk")
@pytest.mark.parametrize("number", ENDING[1:], ids=lambda number: number.name)
def test_a_signal_ends_latex_and_clears_its_folder(tmp_path, number):
    project = projects.make(tmp_path / "p", {})
    head = r"\documentclass{article}\usepackage[article]{labreport}"
    endless = r"\begin{document}\def\x{\x}\x\end{document}"
    projects.write(project.templates / "report.tex.j2", head + endless)

    def working():
        folders = (path for path in Path("/proc").glob("[0-9]*/cwd"))
        return [path for path in folders if _leads_below(path, project.build)]

    build = started(project.root)
    wait_for(lambda: any("pdflatex" in (path.parent / "comm").read_text() for path in working()))
    build.send_signal(number)
    _, error = build.communicate(timeout=60)
    assert (build.returncode, error.count(f"interrupted by {number.name}")) == (128 + number, 1)
    assert working() == []
    assert not list(project.build.glob(".scratch-*"))


def _leads_below(link, folder):
    try:
        return link.readlink().is_relative_to(folder)
    except OSError:  # it has ended, or is another user's
        return False

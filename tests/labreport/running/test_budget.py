"""Slots are shared by processes that know nothing of each other, and none is ever lost."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from labreport.running.budget import Alone, Shared

SRC = Path(__file__).parents[3] / "src"

OTHER = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from labreport.running.budget import Shared
budget = Shared(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
print("made", flush=True)
for line in sys.stdin:
    print(eval(line), flush=True)
"""


class Other:
    """A process with a part of the budget, which does what it is told."""

    def __init__(self, path, jobs, own):
        command = [sys.executable, "-c", OTHER, *map(str, (SRC, path, jobs, own))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.heard() == "made"

    def heard(self):
        return self.process.stdout.readline().strip()

    def told(self, expression):
        """Let it begin to do something; `heard` is what this gives, once it has."""
        self.process.stdin.write(f"{expression}\n")
        self.process.stdin.flush()

    def does(self, expression):
        self.told(expression)
        return self.heard()


@pytest.fixture
def others(tmp_path):
    """Make processes with slots of one budget, and end them."""
    made = []

    def other(jobs, own):
        made.append(Other(tmp_path / "build" / ".slots", jobs, own))
        return made[-1]

    yield other
    for each in made:
        each.process.kill()
        each.process.communicate()


def test_one_alone_borrows_all_slots_but_its_own(others):
    one = others(4, 2)
    one.does("budget.enter()")
    assert [one.does("budget.borrow()") for _ in range(4)] == ["0", "1", "3", "None"]


def test_the_slot_of_who_is_there_cannot_be_borrowed(others):
    one, two = others(3, 0), others(3, 1)
    one.does("budget.enter()")
    two.does("budget.enter()")
    assert [one.does("budget.borrow()") for _ in range(2)] == ["2", "None"]
    assert two.does("budget.borrow()") == "None"
    one.does("budget.give_back(2)")
    assert two.does("budget.borrow()") == "2"


def test_an_owner_waits_until_its_slot_is_given_back(others):
    one, two = others(2, 0), others(2, 1)
    one.does("budget.enter()")
    assert one.does("budget.borrow()") == "1"
    assert one.does("budget.is_wanted(1)") == "False"
    two.told("budget.enter()")
    while one.does("budget.is_wanted(1)") == "False":
        pass
    assert not select.select([two.process.stdout], [], [], 0.2)[0]
    one.does("budget.give_back(1)")
    assert two.heard() == "None"
    assert one.does("budget.borrow()") == "None"


def test_a_killed_process_loses_no_slot(others):
    one, two = others(3, 0), others(3, 1)
    one.does("budget.enter()")
    assert [one.does("budget.borrow()") for _ in range(2)] == ["1", "2"]
    two.told("budget.enter()")
    one.process.send_signal(signal.SIGKILL)
    assert two.heard() == "None"
    assert sorted(two.does("budget.borrow()") for _ in range(2)) == ["0", "2"]


def test_a_forked_process_that_outlives_its_parent_holds_nothing(others):
    one, two = others(2, 0), others(2, 1)
    one.does("budget.enter()")
    child = int(one.does("__import__('os').fork() or __import__('time').sleep(60)"))
    try:
        one.process.kill()
        one.process.wait()
        two.does("budget.enter()")
        assert two.does("budget.borrow()") == "0"
    finally:
        os.kill(child, signal.SIGKILL)


def test_alone_there_are_as_many_processes_as_jobs(tmp_path):
    assert Alone(1).borrow() is None
    budget = Alone(3)
    assert {budget.borrow(), budget.borrow(), budget.borrow()} == {1, 2, None}
    assert not budget.is_wanted(2)
    budget.give_back(2)
    assert budget.borrow() == 2


def test_one_job_is_one_slot(tmp_path):
    budget = Shared(tmp_path / ".slots", 1, 0)
    budget.enter()
    assert budget.borrow() is None

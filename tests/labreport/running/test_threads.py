"""Which threads forbid a fork: native ones, and Python's while they work."""

import _thread
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from labreport.running import threads

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of each thread")
SRC = Path(__file__).parents[3] / "src"


def found(code: str) -> int:
    """Return how many threads forbid a fork at the end of some code in a fresh Python."""
    (number,) = numbers(code)
    return number


def numbers(*pieces: str) -> list[int]:
    """Return how many threads forbid a fork after each piece of code in a fresh Python."""
    head = f"import sys, threading, time; sys.path.insert(0, {str(SRC)!r})\n"
    tell = "\nfrom labreport.running import threads\nprint('found', threads.endangered_by_fork())\n"
    command = [sys.executable, "-c", head + "".join(piece + tell for piece in pieces)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("found ")]


def test_a_process_without_other_threads_may_fork():
    assert found("") == 0


@pytest.mark.parametrize(
    "rest",
    [
        "threading.Event().wait",
        "__import__('queue').SimpleQueue().get",
        "lambda: time.sleep(60)",
        "lambda: __import__('socket').socketpair()[0].recv(1)",
    ],
)
def test_a_python_thread_at_rest_does_no_harm(rest):
    assert found(f"threading.Thread(target={rest}, daemon=True).start(); time.sleep(0.1)") == 0


def test_nor_does_one_that_no_thread_object_stands_for():
    rest = "def rest():\n    time.sleep(60)\n"
    assert found(f"import _thread\n{rest}_thread.start_new_thread(rest, ()); time.sleep(0.1)") == 0


@pytest.mark.parametrize(
    "work",
    [
        "while True: pass",
        "while True: time.sleep(0.0001)",
        "while True: __import__('hashlib').sha256(bytes(10**7))",  # without Python's lock
    ],
)
def test_a_python_thread_at_work_forbids_a_fork(work):
    assert found(f"def work():\n    {work}\nthreading.Thread(target=work, daemon=True).start()") == 1


def test_a_thread_that_is_just_ending_is_waited_for(monkeypatch):
    """The system still counts a thread for a moment after it was joined."""
    counted = iter([3, 2, 1])
    monkeypatch.setattr(threads, "_native", lambda: next(counted) - 1)
    monkeypatch.setattr(threads, "_at_work", lambda: 0)
    monkeypatch.setattr(threads, "GRACE_SECONDS", 60)
    assert threads.endangered_by_fork() == 0


def test_the_pool_of_a_library_forbids_a_fork():
    pytest.importorskip("torch")
    code = (
        "import os; os.environ['OMP_NUM_THREADS'] = os.environ['OPENBLAS_NUM_THREADS'] = '1'\n"
        "import torch\n"
        "def multiply():\n    x = torch.ones(600, 600); (x @ x).sum()\n"
        "multiply()"
    )
    alone, three, back = numbers(code, "torch.set_num_threads(3); multiply()", "torch.set_num_threads(1)")
    assert alone == 0
    assert three >= 2
    assert back >= 2


def test_threads_of_any_process_are_counted():
    before = threads.count()
    over = threading.Event()
    _thread.start_new_thread(over.wait, ())
    assert threads.count() == before + 1
    over.set()
    sleeping = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert threads.count(sleeping.pid) == 1
    sleeping.communicate(b"\n")
    assert threads.count(sleeping.pid) is None


def test_torch_is_given_back_with_the_threads_that_it_had():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    with threads.kept():
        threads.limit()
        assert torch.get_num_threads() == 1
        torch.set_num_threads(before + 1)
    assert torch.get_num_threads() == before

"""lab.map gives the same values for any number of processes, and says which item failed."""

import os
import random
import signal
import time
from pathlib import Path

import projects
import pytest

from labreport.errors import ExperimentError
from labreport.running import Lab


@pytest.fixture
def project(tmp_path):
    return projects.make(tmp_path, {})


@pytest.fixture(params=[1, 2, 3])
def lab(project, request):
    return Lab(project, "exp", {"seed": 7}, jobs=request.param)


@pytest.fixture
def two(project):
    return Lab(project, "exp", {"seed": 7}, jobs=2)


def children() -> set[int]:
    task = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
    return {int(pid) for pid in Path(task).read_text().split()}


@pytest.fixture(autouse=True)
def _no_process_is_left():
    before = children()
    yield
    assert children() == before


def test_values_come_in_the_order_of_the_items(lab):
    def slow_first(i):
        time.sleep(0.02 * (5 - i))
        return i * i

    assert lab.map(slow_first, range(6)) == [0, 1, 4, 9, 16, 25]


def test_nothing_to_map_is_an_empty_list(lab):
    assert lab.map(str, []) == []


def test_closures_lambdas_and_items_that_cannot_be_pickled_work(lab):
    offset = 10
    assert lab.map(lambda f: f(1) + offset, [lambda x: x, lambda x: -x]) == [11, 9]


def test_the_number_of_processes_does_not_change_random_numbers(project):
    def draw(key):
        return random.Random(lab.seed(key)).random()

    found = []
    for jobs in (1, 2, 4):
        lab = Lab(project, "exp", {"seed": 7}, jobs=jobs)
        found.append(lab.map(draw, range(9)))
    assert found[0] == found[1] == found[2]
    assert len(set(found[0])) == 9


def test_several_jobs_are_several_processes_and_one_job_is_none(project):
    def who(_):
        time.sleep(0.05)
        return os.getpid()

    assert len(set(Lab(project, "e", {}, jobs=2).map(who, range(6)))) == 2
    assert set(Lab(project, "e", {}, jobs=1).map(who, range(3))) == {os.getpid()}


def test_an_error_of_the_function_is_raised_with_the_item_that_it_had(lab):
    def invert(x):
        return 1 / x

    with pytest.raises(ZeroDivisionError, match="division by zero") as caught:
        lab.map(invert, [1, 2, 0])
    assert caught.value.__notes__ == ["in item 3 of lab.map: 0"]


def test_an_error_that_cannot_be_pickled_keeps_its_text(two):
    class Odd(Exception):
        def __init__(self, a, b):
            super().__init__(a)

    def fail(x):
        raise Odd("strange", x)

    with pytest.raises(RuntimeError, match="Odd: strange"):
        two.map(fail, [1, 2])


def test_an_error_ends_the_other_processes_at_once(two):
    def work(x):
        if x:
            time.sleep(60)
        raise ValueError(x)

    start = time.monotonic()
    with pytest.raises(ValueError, match="0"):
        two.map(work, [1, 0])
    assert time.monotonic() - start < 10


def test_a_killed_process_is_named_with_its_item(two):
    def die(x):
        if x == "bad":
            os.kill(os.getpid(), signal.SIGKILL)
        return x

    with pytest.raises(ExperimentError) as caught:
        two.map(die, ["good", "bad", "good"])
    assert caught.value.what == "a process of lab.map was killed by signal 9 (out of memory?)"
    assert caught.value.notes == ("in item 2 of lab.map: 'bad'",)


def test_a_process_that_ends_itself_is_named_with_its_item(two):
    with pytest.raises(ExperimentError, match="exited unexpectedly with code 5"):
        two.map(lambda x: os._exit(5), [1, 2])


def test_a_value_that_cannot_be_sent_says_so(two):
    with pytest.raises(ExperimentError, match="cannot send what the function returned, function"):
        two.map(lambda x: lambda: x, [1, 2])


def test_large_values_pass(two):
    assert [len(v) for v in two.map(lambda n: b"x" * n, [3_000_000, 5_000_000, 1])] == [
        3_000_000,
        5_000_000,
        1,
    ]


def test_a_map_inside_a_map_stays_in_its_process(lab):
    def outer(x):
        inner = lab.map(lambda y: (os.getpid(), x * y), [1, 2])
        return {pid for pid, _ in inner} == {os.getpid()}, [value for _, value in inner]

    assert lab.map(outer, [1, 2, 3]) == [(True, [1, 2]), (True, [2, 4]), (True, [3, 6])]


@pytest.mark.parametrize("jobs", [1, 2])
def test_progress_begins_at_nothing_and_ends_at_all(project, jobs):
    seen = []
    lab = Lab(project, "exp", {}, jobs=jobs, progress=lambda *told: seen.append(told))
    lab.map(abs, range(50), label="trainings")
    assert seen[0] == (0, 50, "trainings")
    assert seen[-1] == (50, 50, "trainings")
    assert [done for done, _, _ in seen] == sorted({done for done, _, _ in seen})


def test_torch_computes_with_one_thread_and_gives_the_same_bits(project):
    torch = pytest.importorskip("torch")

    def train(seed):
        generator = torch.Generator().manual_seed(seed)
        w = torch.randn(64, 64, generator=generator, requires_grad=True)
        for _ in range(3):
            loss = (w @ w).tanh().square().sum()
            loss.backward()
            with torch.no_grad():
                w -= 0.01 * w.grad
                w.grad.zero_()
        return torch.get_num_threads(), w.detach().clone()

    one, two = (Lab(project, "e", {}, jobs=jobs).map(train, [1, 2, 3]) for jobs in (1, 2))
    assert {threads for threads, _ in (*one, *two)} == {1}
    for (_, a), (_, b) in zip(one, two, strict=True):
        assert torch.equal(a, b)

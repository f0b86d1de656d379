"""lab.map gives the same values for any number of processes, and says which item failed."""

import hashlib
import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

import projects
import pytest

from labreport.errors import ExperimentError
from labreport.running import Lab, relay, threads
from labreport.running.budget import Alone
from labreport.running.pool import Local

WAYS = ["here", "forked", "three forked", "fresh"]
JOBS = {"here": 1, "forked": 2, "three forked": 3, "fresh": 2}


@pytest.fixture
def project(tmp_path):
    return projects.make(tmp_path, {})


@pytest.fixture
def lab_of(project, monkeypatch):
    """How to get a lab whose maps are computed in one of the ways, whatever threads these tests have."""

    def lab(way, **kwargs):
        monkeypatch.setattr(threads, "endangered_by_fork", lambda: int(way == "fresh"))
        return Lab(project, "exp", {"seed": 7}, jobs=JOBS[way], **kwargs)

    return lab


@pytest.fixture(params=WAYS)
def lab(lab_of, request):
    return lab_of(request.param)


@pytest.fixture(params=["forked", "fresh"])
def two(lab_of, request):
    return lab_of(request.param)


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


def seed_of(*key) -> int:
    text = json.dumps(["exp", 7, "map", *key], separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def test_each_item_draws_from_generators_seeded_for_it(lab):
    np, torch = pytest.importorskip("numpy"), pytest.importorskip("torch")

    def draw(_):
        import numpy as np

        return random.random(), np.random.rand()

    def draw_all(_):
        import torch  # which takes each fresh process a second

        return *draw(_), float(torch.rand(1))

    random.random()  # what was drawn before does not matter
    for number, function in enumerate([draw, draw_all]):
        for index, found in enumerate(lab.map(function, "abcd", "draws")):
            seed = seed_of("draws", number, index)
            expected = (
                random.Random(seed).random(),
                np.random.RandomState([seed >> 32, seed % 2**32]).rand(),
                float(torch.rand(1, generator=torch.Generator().manual_seed(seed))),
            )
            assert found == expected[: len(found)]
            assert len(found) == 2 + number


def test_maps_of_one_name_and_maps_of_other_names_draw_other_numbers(lab):
    def one(_):
        return random.random()

    def other(_):
        return random.random()

    found = [lab.map(one, [0]), lab.map(one, [0]), lab.map(other, [0]), lab.map(one, [0], "labelled")]
    assert len({value for (value,) in found}) == 4


def test_what_follows_a_map_draws_as_if_there_had_been_none(lab):
    def draw(_):
        random.seed(0)
        loaded = sys.modules  # a fresh process, whose draws cannot matter, is spared the import of torch
        return random.random(), "torch" in loaded and (loaded["numpy"].random.rand(), loaded["torch"].rand(1))

    np, torch = pytest.importorskip("numpy"), pytest.importorskip("torch")
    random.seed(5)
    np.random.seed(5)
    torch.manual_seed(5)
    lab.map(draw, range(3))
    expected = random.Random(5).random(), np.random.RandomState(5).rand()
    assert (random.random(), np.random.rand()) == expected
    assert torch.equal(torch.rand(1), torch.rand(1, generator=torch.Generator().manual_seed(5)))


def test_a_map_inside_an_item_draws_the_same_wherever_the_item_is_computed(lab_of):
    def outer(_):
        before = random.random()
        inner = [lab.map(lambda _: random.random(), range(2)) for _ in range(2)]
        return before, inner, random.random()

    found = []
    for way in WAYS:
        lab = lab_of(way)
        found.append(lab.map(outer, range(4)))
    assert all(other == found[0] for other in found)
    numbers = [x for before, inner, after in found[0] for x in (before, *inner[0], *inner[1], after)]
    assert len(set(numbers)) == 4 * 6


def test_several_jobs_are_several_processes_and_one_job_is_none(lab_of):
    def who(_):
        time.sleep(0.3)
        return os.getpid()

    for way in ("forked", "fresh"):
        assert len(set(lab_of(way).map(who, range(6))) - {os.getpid()}) == 2
    assert set(lab_of("here").map(who, range(2))) == {os.getpid()}


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


class Refused(ValueError):
    """What an item raises, and who has called the map catches."""


def test_an_error_of_the_users_own_class_can_be_caught_as_such(lab):
    class Local(Exception):
        pass

    def refuse(x):
        raise Refused(x) if x else Local

    with pytest.raises(Refused):
        lab.map(refuse, [1, 1])


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
    with pytest.raises(ExperimentError, match="cannot send what the function returned, lock"):
        two.map(lambda x: __import__("threading").Lock(), [1, 2])


def test_an_item_that_calls_exit_ends_the_map_as_it_would_here(lab):
    with pytest.raises(SystemExit) as caught:
        lab.map(lambda x: sys.exit(f"no more than {x}"), [1, 2])
    assert caught.value.code in ("no more than 1", "no more than 2")
    assert caught.value.__notes__[0].startswith("in item ")


def test_what_cannot_go_to_a_fresh_process_is_refused_before_any_is_started(lab_of):
    lock = threading.Lock()
    for function, items, named in [
        (lambda x: lock, [1, 2], "the function"),
        (str, [1, lock], "item 2 of lab.map: <unlocked"),
    ]:
        with pytest.raises(
            ExperimentError, match="cannot fork processes: this one has another thread"
        ) as caught:
            lab_of("fresh").map(function, items)
        assert f"nor can it send {named}" in caught.value.notes[0]
        assert "cannot pickle '_thread.lock' object" in caught.value.notes[0]
        assert "torch.set_num_threads(1)" in caught.value.cure


@pytest.mark.parametrize("way", ["here", "fresh"])
def test_notices_of_items_are_heard(lab_of, way, monkeypatch):
    """Those of forked processes are, too, where the sink is a pipe, as it is in a build."""
    heard = []
    monkeypatch.setattr(relay, "_sink", lambda message: heard.append(message["notice"]))
    lab = lab_of(way, notify=relay.notice)
    lab.map(lambda i: lab.notice(f"item {i}"), range(2))
    assert sorted(line for line in heard if line.startswith("item")) == ["item 0", "item 1"]


def test_that_processes_are_fresh_ones_and_why_is_said_once(lab_of):
    heard = []
    lab = lab_of("fresh")
    lab.executor = Local(Alone(2), warn=heard.append)
    for _ in range(2):
        lab.map(str, range(2))
    assert heard == [
        "lab.map starts fresh processes, which takes longer: a fork would cut off another thread"
    ]


@pytest.mark.parametrize("way", WAYS)
def test_only_the_outer_map_tells_of_its_progress(lab_of, way):
    seen = []
    lab = lab_of(way, progress=lambda *told: seen.append(told))
    lab.map(lambda _: lab.map(abs, range(100), "inner"), range(2), "outer")
    assert {label for _, _, label in seen} == {"outer"}


def test_torch_begins_each_item_with_one_thread_and_gives_the_same_bits(lab_of):
    torch = pytest.importorskip("torch")

    def train(seed):
        threads = torch.get_num_threads()
        torch.set_num_threads(3)  # as careless as it may be
        generator = torch.Generator().manual_seed(seed)
        w = torch.randn(64, 64, generator=generator, requires_grad=True)
        for _ in range(3):
            loss = (w @ w).tanh().square().sum()
            loss.backward()
            with torch.no_grad():
                w -= 0.01 * w.grad
                w.grad.zero_()
        return threads, w.detach().clone()

    before = torch.get_num_threads()
    found = []
    try:
        for way in ("here", "fresh"):  # a fork would hang: these tests have used two threads
            torch.set_num_threads(2)
            found.append(lab_of(way).map(train, [1, 2, 3]))
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert {threads for values in found for threads, _ in values} == {1}
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(*found, strict=True))

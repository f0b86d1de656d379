"""A line says when no item of a map finishes."""

import re
import threading
import time

import projects
import pytest

from labreport.running import Lab, threads, watch


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setattr(watch, "PATIENCE_SECONDS", 0.2)
    return projects.make(tmp_path, {})


def heard_while(project, function, items, **kwargs):
    heard = []
    Lab(project, "exp", {}, notify=heard.append, **kwargs).map(function, items)
    return [re.sub(r"[0-9.]+ s", "N s", line) for line in heard]


@pytest.mark.parametrize("way", ["forked", "fresh"])
def test_items_that_do_not_finish_are_named_with_their_threads(project, monkeypatch, way):
    monkeypatch.setattr(threads, "endangered_by_fork", lambda: int(way == "fresh"))
    monkeypatch.setattr(watch, "PATIENCE_SECONDS", 2.0)  # a fresh process needs a part of it to begin

    def work(item):
        if item == "slow":
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            time.sleep(3)

    lines = heard_while(project, work, ["quick", "quick", "slow"], jobs=2)
    assert lines[-1] == "no item has finished for N s: item 3 of lab.map: 'slow' (2 threads)"


def test_an_item_computed_here_is_named(project):
    def work(seconds):
        time.sleep(seconds)

    native = threads.count()
    lines = heard_while(project, work, [0, 0.35, 0])
    told = "1 thread" if native == 1 else f"{native} threads"
    assert lines == [f"no item has finished for N s: item 2 of lab.map: 0.35 ({told})"]


class Clock:
    """A clock that goes when it is told, and a watch that looks at it for one unit of this process."""

    def __init__(self, monkeypatch):
        self.now, self.heard = 1000.0, []
        monkeypatch.setattr(watch, "PATIENCE_SECONDS", 60.0)
        monkeypatch.setattr(watch.time, "monotonic", lambda: self.now)
        self.watch = watch.Watch(self.heard.append)

    def said_at(self, now, units=1):
        """Return what the watch says when it looks at a time after the start."""
        self.now, self.heard[:] = 1000.0 + now, []
        self.watch.look([(watch.Unit(0, "x" * 200, 0), 1)] * units)
        return self.heard


def test_lines_come_after_the_time_and_after_twice_the_time_and_so_on(monkeypatch):
    clock = Clock(monkeypatch)
    times = [second for second in range(0, 1000, 10) if clock.said_at(second)]
    assert times == [60, 120, 240, 480, 960]
    assert clock.watch.remaining() == 1920 - 990


def test_an_item_that_finishes_begins_the_time_again(monkeypatch):
    clock = Clock(monkeypatch)
    assert clock.said_at(60)
    clock.said_at(70)
    clock.watch.finished()
    assert clock.watch.remaining() == 60
    assert not clock.said_at(129)
    assert clock.said_at(130)[0].startswith("no item has finished for 60 s: ")


def test_of_many_items_some_are_named_and_long_ones_are_cut(monkeypatch):
    (line,) = Clock(monkeypatch).said_at(60, units=5)
    assert line.count("item 1 of lab.map: 'xxx") == 3
    assert line.endswith("; 2 more")
    assert len(line) < 400

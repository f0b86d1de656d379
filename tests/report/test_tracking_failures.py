"""The real wandb client, and servers that fail: the same history, the whole log, and not much later."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from online import assert_arrived
from tracked import (
    TRAIN,
    VAL,
    assert_all_there,
    in_workers,
    net,
    own_home,  # noqa: F401 (a fixture)
    plainly_trained,
    trained,
)
from wandb_server import WandbServer

from tinymlp.tracking import account, fit
from tinymlp.tracking import session as sessions

pytestmark = pytest.mark.slow

EXTRA_SECONDS = 20  # that W&B may cost in all


@pytest.fixture
def impatient(monkeypatch):
    """How to let a call last for two seconds only, once the server has failed: it would be eight."""

    def impatient():
        monkeypatch.setattr(sessions, "CALL_SECONDS", 2.0)

    return impatient


@contextmanager
def timed(session, runs):
    """Train some runs; assert that all is there, and in time."""
    begin = time.monotonic()
    plain = plainly_trained()
    for _ in range(runs - 1):
        assert plainly_trained() == plain
    allowed = time.monotonic() - begin + EXTRA_SECONDS
    begin = time.monotonic()
    with session:
        yield
    assert time.monotonic() - begin < allowed


def test_a_server_that_never_answers_costs_little(session, notices, monkeypatch, capfd):
    with socket.create_server(("127.0.0.1", 0)) as hole:
        url = f"http://127.0.0.1:{hole.getsockname()[1]}"
        monkeypatch.setenv("WANDB_BASE_URL", url)
        monkeypatch.setenv("WANDB_API_KEY", WandbServer.key)
        monkeypatch.setattr(account, "PROBE_SECONDS", 1.0)
        with timed(session, 3):
            runs = [trained(session, name) for name in "abc"]
    assert_all_there(session, [(tracker.id, history) for tracker, history in runs])
    assert len(notices) == 1
    # two clocks run out at about the same time
    assert re.match(
        rf"W&B: {url} (does not answer|cannot be reached \(timed out\)); 3 runs offline", notices[0]
    )
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("moment", ["before a run", "within a run"])
def test_a_server_that_falls_silent_costs_little(server, session, notices, moment, impatient, capfd):
    with timed(session, 4):
        runs = [trained(session, "a")]
        impatient()
        if moment == "before a run":
            server.silence()
        with session.track("b", group="group", config={}) as tracker:
            server.silence()
            runs.append((tracker, fit(net(), TRAIN, VAL, tracker, epochs=3, seed=3)))
        runs += [trained(session, name) for name in "cd"]
    assert_all_there(session, [(tracker.id, history) for tracker, history in runs])
    assert len(notices) == 1
    assert "took more than 2 s; 1 run online:" in notices[0]
    assert "3 runs offline" in notices[0]
    assert capfd.readouterr() == ("", "")


def test_a_server_that_falls_silent_under_two_workers_costs_little(server, session, notices, impatient):
    def silence(number):
        if number == 1:
            impatient()
            server.silence()

    with timed(session, 3):
        found = in_workers(session, [range(0, 3), range(3, 6)], silence)
    assert_all_there(session, found.values())
    assert "took more than 2 s" in notices[0]


def test_a_server_that_dies_costs_little_and_what_was_lost_can_be_uploaded(session, notices, monkeypatch):
    with WandbServer() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        session.__enter__()
        first = trained(session, "a")
    begin = time.monotonic()
    runs = [first, trained(session, "b"), trained(session, "c")]
    session.__exit__(None, None, None)
    assert time.monotonic() - begin < EXTRA_SECONDS
    assert_all_there(session, [(tracker.id, history) for tracker, history in runs])
    assert "1 run online" in notices[0]
    assert "2 runs offline" in notices[0]
    folders = [str(path) for path in (session.folder / "wandb").glob("offline-run-*")]
    with WandbServer() as server:
        environment = {**os.environ, **server.environment, "WANDB_ERROR_REPORTING": "false"}
        command = [sys.executable, "-m", "wandb", "sync", *folders]
        subprocess.run(command, env=environment, capture_output=True, check=True, timeout=120)
        for tracker, _ in runs[1:]:
            assert_arrived(server, session.read(tracker.id))


def test_a_wandb_core_that_hangs_costs_little(session, notices, impatient):
    with timed(session, 3):
        runs = [trained(session, "a")]
        impatient()
        os.kill(session._core.pid, signal.SIGSTOP)
        runs += [trained(session, name) for name in "bc"]
    assert_all_there(session, [(tracker.id, history) for tracker, history in runs])
    assert "took more than 2 s" in notices[0]

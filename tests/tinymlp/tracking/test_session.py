"""Runs tracked by the real wandb: W&B never stands in the way of a training, and loses nothing."""

import os
import signal
import socket
import sys
import threading

import pytest
import wandb
from matplotlib.figure import Figure
from tracked import (
    TRAIN,
    VAL,
    assert_all_there,
    curves,
    in_workers,
    net,
    plainly_trained,
    trained,
    wandb_threads,
)
from wandb_server import WandbServer

from tinymlp.tracking import Session, TrackingError, fit

KEY = WandbServer.key


def test_ids_follow_from_what_is_run(tmp_path):
    def run_id(project="p", name="n", group="g", key="", **config):
        with Session(tmp_path, project=project, mode="disabled") as session:
            return session.track(name, group=group, config=config, key=key).id

    assert run_id(a=1, b=[2]) == run_id(b=[2], a=1) == "a4293e0616833c39"
    others = [
        run_id(a=1),
        run_id("q", a=1),
        run_id(name="m", a=1),
        run_id(group="h", a=1),
        run_id(key="k", a=1),
    ]
    assert len({*others, run_id(a=2), run_id(a=1.5)}) == 7


def test_a_run_takes_the_place_of_the_earlier_one_of_its_id(session, tmp_path):
    ids = set()
    for rows in (3, 1):
        with session, session.track("one", group="group", config={}) as tracker:
            for step in range(rows):
                tracker.log({"step": step})
        ids.add(tracker.id)
    assert len(ids) == 1
    assert len(session.read(tracker.id).rows) == 1
    assert len(list((tmp_path / "build" / "wandb").glob("*-run-*"))) == 1


def test_nothing_is_printed_but_one_notice(session, notices, capfd):
    with session:
        trained(session, "one")
        trained(session, "two")
    assert capfd.readouterr() == ("", "")
    [notice] = notices
    folder = session.folder / "wandb"
    assert f"2 runs offline in {folder}; look: wandb leet {folder}/offline-run-" in notice
    assert f"upload: wandb sync {folder}/offline-run-*" in notice
    assert "\n" not in notice


def test_disabled_tracks_nothing_and_says_nothing(session, notices, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    with session:
        tracker, history = trained(session)
        tracker.image("figure", Figure())
    assert history == plainly_trained()
    assert session.read(tracker.id) is None
    assert notices == []
    assert not session.folder.exists()


def test_wandb_dir_is_not_used_and_wandb_project_is(session, monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    with session:
        tracker, _ = trained(session)
    assert session.read(tracker.id)
    assert not (tmp_path / "elsewhere").exists()
    assert b"mine" in next((session.folder / "wandb").glob("*/*.wandb")).read_bytes()


def test_the_process_is_left_as_it_was(session, monkeypatch):
    monkeypatch.setenv("WANDB_TAGS", "mine")

    def state():
        variables = {name: value for name, value in os.environ.items() if name.startswith("WANDB")}
        return variables, sys.exit, sys.excepthook, threading.excepthook, signal.getsignal(signal.SIGTERM)

    before = state()
    with session:
        trained(session)
        assert os.environ["WANDB_MODE"] == "offline"
        core = session._core.pid
    assert state() == before
    assert not wandb_threads()
    with pytest.raises(ProcessLookupError):
        os.kill(core, 0)


def test_forked_workers_track_together(session, notices):
    with session:
        found = in_workers(session, [range(0, 3), range(3, 6)])
    expected = plainly_trained()
    for number, (run_id, history) in found.items():
        log = session.read(run_id)
        assert history == curves(log) == expected
        assert log.config == {"number": number}
    assert len({run_id for run_id, _ in found.values()}) == 6
    assert "6 runs offline" in notices[0]


@pytest.mark.parametrize("moment", ["before", "within", "after"])
def test_a_killed_wandb_core_loses_nothing(session, notices, moment, capfd):
    with session:
        runs = []
        for number in range(3):
            with session.track(f"run {number}", group="group", config={}) as tracker:
                if moment == "before" and number == 1:
                    os.kill(session._core.pid, signal.SIGKILL)
                tracker.summary(note="first")
                if moment == "within" and number == 1:
                    os.kill(session._core.pid, signal.SIGKILL)
                history = fit(net(), TRAIN, VAL, tracker, epochs=3, seed=3)
            if moment == "after" and number == 1:
                os.kill(session._core.pid, signal.SIGKILL)
            runs.append((tracker.id, history))
    assert_all_there(session, runs)
    assert len(notices) == 1
    assert "3 runs offline" in notices[0]
    assert "failed" in notices[0]
    assert capfd.readouterr() == ("", "")


def test_a_wandb_core_killed_under_two_workers_loses_nothing(session, notices):
    def hook(number):
        if number == 1:
            os.kill(session._core.pid, signal.SIGKILL)

    with session:
        found = in_workers(session, [range(0, 3), range(3, 6)], hook)
    assert_all_there(session, found.values())
    assert "6 runs offline" in notices[0]


def test_a_server_that_refuses_is_named_and_work_goes_on_offline(session, notices, monkeypatch, capfd):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but not listening
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setenv("WANDB_BASE_URL", url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        with session:
            tracker, history = trained(session)
    assert_all_there(session, [(tracker.id, history)])
    assert session.mode == "offline"
    assert len(notices) == 1
    assert f"W&B: {url} cannot be reached" in notices[0]
    assert KEY not in notices[0]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"WANDB_MODE": "online"}, "no key is configured"),
        ({"WANDB_API_KEY": "too-short"}, "WANDB_API_KEY invalid: API key must have 40+ characters"),
        ({"WANDB_API_KEY": KEY, "WANDB_BASE_URL": "nonsense"}, "base_url"),
    ],
)
def test_what_is_wrong_with_the_configuration_is_said(session, notices, monkeypatch, variables, reason):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with session:
        _, history = trained(session)
    assert history == plainly_trained()
    assert session.mode != "online"
    assert len(notices) == 1
    assert reason in notices[0]
    assert "too-short" not in notices[0]


def test_without_a_folder_to_write_to_the_training_goes_on_untracked(tmp_path, notices, capfd):
    (tmp_path / "build").write_text("a file")
    session = Session(tmp_path / "build", project="tests", notice=notices.append)
    with session:
        tracker, history = trained(session)
    assert history == plainly_trained()
    assert session.read(tracker.id) is None
    assert session.mode == "disabled"
    assert len(notices) == 1
    assert "runs are not tracked" in notices[0]
    assert "Not a directory" in notices[0]
    assert capfd.readouterr() == ("", "")


def test_without_wandb_core_the_training_goes_on_untracked(session, notices, monkeypatch):
    def missing():
        raise wandb.errors.WandbCoreNotAvailableError("no binary")

    monkeypatch.setattr("tinymlp.tracking.client.get_core_path", missing)
    with session:
        _, history = trained(session)
    assert history == plainly_trained()
    assert "no binary" in notices[0]
    assert "runs are not tracked" in notices[0]


def test_an_offline_session_connects_to_nothing(session, monkeypatch):
    """Whatever wandb might want to reach, here, it would have to go through this listener."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, url)
            monkeypatch.setenv(name.lower(), url)
        monkeypatch.setenv("WANDB_BASE_URL", url)
        with session:
            tracker, _ = trained(session)
        assert session.read(tracker.id)
        listener.settimeout(0.5)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_session_has_to_be_open(session):
    message = "the session is not open"
    with pytest.raises(TrackingError, match=message), session.track("one", group="group", config={}):
        pass
    with session:
        pass
    with pytest.raises(TrackingError, match=message), session.track("one", group="group", config={}):
        pass


def test_the_notice_quotes_what_a_shell_would_split(tmp_path, notices):
    with Session(tmp_path / "a folder", project="p", notice=notices.append) as session:
        trained(session)
    folder = f"'{tmp_path}/a folder/wandb'"
    assert f"1 run offline in {folder}" in notices[0]

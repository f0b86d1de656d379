"""Runs tracked by the real wandb: what a log holds, and that W&B never stands in the way of a training."""

import io
import math
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
import wandb
from matplotlib.figure import Figure
from matplotlib.image import imread
from tracked import (
    TRAIN,
    VAL,
    assert_all_there,
    curves,
    in_workers,
    net,
    own_home,  # noqa: F401 (a fixture)
    plainly_trained,
    trained,
    wandb_threads,
)
from wandb_server import WandbServer, wait_until

from tinymlp.networks import training
from tinymlp.tracking.session import Session, TrackingError, fit, milestones


@pytest.fixture
def notices():
    return []


@pytest.fixture
def session(tmp_path, notices):
    """A session that is not open yet."""
    return Session(tmp_path / "build", project="tests", notice=notices.append)


KEY = WandbServer.key


# ---- what a log holds


def test_training_with_tracking_is_the_same_to_the_last_bit_and_so_is_what_the_log_says(session):
    with session:
        tracker, history = trained(session)
    assert history == plainly_trained()
    log = session.read(tracker.id)
    assert curves(log) == history
    assert [row["epoch"] for row in log.rows] == [1, 2, 3]
    assert (log.id, log.name, log.group, log.exit_code, log.sweep) == (tracker.id, "one", "group", 0, "")


def test_values_come_back_exactly(session):
    config = {"lr": 1 / 3, "layers": [3, 2], "nested": {"deep": 1e-300}, "name": "x", "none": None}
    rows = [
        {"third": 1 / 3, "tiny": 1e-300, "least": 5e-324, "great": 1.7976931348623157e308, "single": 0.1},
        {"count": 2**53 + 1, "minus": -(2**62), "yes": True, "text": 'ö "quoted"\n', "nothing": None},
        {"list": [1 / 3, 2, -0.1], "lists": [[1], [2.5]], "a": {"b": {"c": 1 / 7}, "d": 2}, "empty": []},
        {"nan": math.nan, "inf": math.inf, "minus inf": -math.inf},
        {"array": torch.tensor([0.5, 0.1]), "scalar": torch.tensor(0.25)},
    ]
    with session, session.track("one", group="group", config=config) as tracker:
        for row in rows:
            tracker.log(row)
        tracker.summary(best=1 / 9, of={"run": 3})
    log = session.read(tracker.id)
    assert log.config == config
    assert log.rows[:2] == rows[:2]
    assert log.rows[2] == {
        "list": [1 / 3, 2, -0.1],
        "lists": [[1], [2.5]],
        "a.b.c": 1 / 7,
        "a.d": 2,
        "empty": [],
    }
    assert math.isnan(log.rows[3].pop("nan"))
    assert log.rows[3] == {"inf": math.inf, "minus inf": -math.inf}
    assert log.rows[4] == {"array": torch.tensor([0.5, 0.1]).tolist(), "scalar": 0.25}
    assert log.summary["best"] == 1 / 9
    assert log.summary["of.run"] == 3
    assert log.summary["third"] == 1 / 3


def test_the_boundary_is_logged_at_milestones_as_picture_and_as_parameters(session):
    with session, session.track("one", group="group", config={}) as tracker:
        model = net()
        fit(model, TRAIN, VAL, tracker, epochs=41, seed=3)
    log = session.read(tracker.id)
    shown = [row for row in log.rows if "parameters" in row]
    assert [row["epoch"] for row in shown] == [*range(1, 41, 3), 41]
    assert shown[-1]["parameters"] == [value for p in model.parameters() for value in p.flatten().tolist()]
    files = next((session.folder / "wandb").glob(f"offline-run-*-{tracker.id}")) / "files"
    pictures = [imread(files / row["boundary.path"]) for row in shown]
    assert {picture.shape for picture in pictures} == {(240, 240, 4)}
    assert not (pictures[0] == pictures[-1]).all()


@pytest.mark.parametrize("epochs", [0, 1, 2, 19, 20, 21, 100, 1000])
def test_milestones_are_the_first_epoch_the_last_and_about_twenty(epochs):
    chosen = milestones(epochs)
    assert chosen <= set(range(epochs))
    assert len(chosen) <= 21
    assert not epochs or {0, epochs - 1} <= chosen


def test_the_best_epoch_is_in_the_summary_and_the_last_model_is_an_artifact(session):
    history = training.History(
        *([[3.0, 1.0, 2.0]] * 2), [0.5, math.nan, 0.25, 0.5][:3], *([[0.1, 0.2, 0.3]] * 2)
    )
    model = net()
    with session, session.track("one", group="group", config={}) as tracker:
        tracker.outcome(model, history)
    summary = session.read(tracker.id).summary
    assert summary["best_epoch"] == 3
    assert summary["best_val_loss"] == 0.25
    assert summary["best_train_loss"] == 2.0
    folder = next((session.folder / "wandb").glob(f"offline-run-*-{tracker.id}"))
    state = torch.load(io.BytesIO((folder / "artifacts" / "model" / "model.pt").read_bytes()))
    assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())


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


@pytest.mark.parametrize(
    ("error", "code"),
    [(ValueError("no"), 1), (KeyboardInterrupt(), 255), (SystemExit(3), 3), (SystemExit("no"), 1)],
)
def test_a_run_that_fails_says_so(session, error, code):
    with session:
        tracker = session.track("one", group="group", config={})

        def fail():
            with tracker:
                tracker.log({"x": 1})
                raise error

        with pytest.raises(type(error)):
            fail()
    log = session.read(tracker.id)
    assert (log.exit_code, log.rows) == (code, [{"x": 1}])


def test_an_incomplete_log_is_none(session):
    with session, session.track("one", group="group", config={}) as tracker:
        for step in range(400):
            tracker.log({f"key {i}": step / 7 for i in range(5)})
    path = next((session.folder / "wandb").glob("*/*.wandb"))
    whole = path.read_bytes()
    assert len(session.read(tracker.id).rows) == 400
    assert session.read("other") is None
    assert len(whole) > 3 * 32768  # the log's blocks
    for end in (0, 3, 7, 100, 32768, 40000, 65536, len(whole) - 40, len(whole) - 1):
        path.write_bytes(whole[:end])
        assert session.read(tracker.id) is None, end
    path.write_bytes(whole[:40000] + bytes(50) + whole[40050:])  # a hole: the end is there
    assert session.read(tracker.id) is None
    path.write_bytes(whole)
    assert len(session.read(tracker.id).rows) == 400


def test_a_run_knows_nothing_of_the_machine_and_its_user(session, monkeypatch, tmp_path):
    """But the log has the place of an artifact's files, for their upload."""
    monkeypatch.setattr("socket.gethostname", lambda: "name-of-the-host")
    monkeypatch.setenv("USER", "name-of-the-user")
    monkeypatch.setenv("EMAIL", "name-of-the-user@example.org")
    with session, session.track("one", group="group", config={"lr": 0.1}) as tracker:
        tracker.boundary(net(), TRAIN)
        tracker.log({"x": 1})
    folder = next((session.folder / "wandb").glob("offline-run-*"))
    content = (folder / f"run-{tracker.id}.wandb").read_bytes()
    for secret in (
        "name-of-the-host",
        "name-of-the-user",
        str(Path.cwd()),
        str(tmp_path),
        sys.executable,
        "pytest",
    ):
        assert secret.encode() not in content, secret
    assert [path.suffix for path in (folder / "files").rglob("*") if path.is_file()] == [".png"]
    assert not [path for path in (tmp_path / "home").rglob("*") if "wandb" in path.name]


# ---- the mode


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


def login(home):
    (home / ".netrc").write_text(f"machine api.wandb.ai\n  login user\n  password {KEY}\n")
    (home / ".netrc").chmod(0o600)


MODES = [
    ({}, False, "offline"),
    ({}, True, "online"),
    ({"WANDB_API_KEY": KEY}, False, "online"),
    ({"WANDB_API_KEY": ""}, False, "offline"),
    ({"WANDB_MODE": ""}, True, "online"),
    ({"WANDB_MODE": "online"}, False, "online"),
    ({"WANDB_MODE": "offline", "WANDB_API_KEY": KEY}, True, "offline"),
    ({"WANDB_MODE": "dryrun"}, True, "offline"),
    ({"WANDB_MODE": "disabled"}, True, "disabled"),
    ({"WANDB_BASE_URL": "http://127.0.0.1:9"}, True, "offline"),  # the key is for another host
]


@pytest.mark.parametrize(("variables", "logged_in", "mode"), MODES)
def test_the_mode_follows_from_variables_and_keys(
    session, tmp_path, monkeypatch, variables, logged_in, mode, capfd
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if logged_in:
        login(tmp_path / "home")
    before = dict(os.environ)
    assert session.mode == mode
    assert dict(os.environ) == before
    assert capfd.readouterr() == ("", "")


def test_a_key_stored_for_a_server_of_ones_own_counts_for_it(session, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    (tmp_path / "home" / ".netrc").write_text(f"machine 127.0.0.1:9 login user password {KEY}")
    assert session.mode == "online"


def test_settings_of_wandb_itself_count(session, tmp_path):
    login(tmp_path / "home")
    folder = tmp_path / "home" / ".config" / "wandb"
    folder.mkdir(parents=True)
    (folder / "settings").write_text("[default]\nmode = offline\n")
    assert session.mode == "offline"


@pytest.mark.parametrize("mode", ["shared", "run", "Offline", "sometimes"])
def test_a_mode_that_does_not_exist_is_refused(session, monkeypatch, mode):
    monkeypatch.setenv("WANDB_MODE", mode)
    with pytest.raises(TrackingError, match=rf"WANDB_MODE={mode}: there are online, offline and disabled"):
        session.__enter__()
    with pytest.raises(TrackingError, match=rf"mode={mode}: "):
        Session(session.folder, project="p", mode=mode).__enter__()
    assert not session.folder.exists()


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


# ---- an agent


def under_agent(monkeypatch, path, text, run_id="trial7"):
    path.write_text(text)
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep1")
    monkeypatch.setenv("WANDB_RUN_ID", run_id)
    monkeypatch.setenv("WANDB_SWEEP_PARAM_PATH", str(path))


def agent_starts(monkeypatch, tmp_path, number, lr):
    text = f"wandb_version: 1\nlr:\n  value: {lr}\nsizes: {{value: [1, 2]}}\n"
    under_agent(monkeypatch, tmp_path / f"parameters{number}.yaml", text, f"trial{number}")


@pytest.mark.parametrize("mode", ["offline", "disabled"])
@pytest.mark.parametrize("first", ["before the session", "within the session"])
def test_parameters_of_an_agent_go_before_those_of_the_program(session, monkeypatch, tmp_path, mode, first):
    """In one process one after the other, as the local agent does; a program of `wandb agent` begins so."""
    monkeypatch.setenv("WANDB_MODE", mode)
    monkeypatch.setenv("WANDB_RESUME", "must")
    if first == "before the session":
        agent_starts(monkeypatch, tmp_path, 0, 0.05)
    with session:
        for number, lr in enumerate([0.05, 0.5]):
            agent_starts(monkeypatch, tmp_path, number, lr)
            with session.track("one", group="group", config={"lr": 1.0, "depth": 3}) as tracker:
                tracker.log({"loss": tracker.config["lr"]})
            assert tracker.id == f"trial{number}"
            assert tracker.config == {"lr": lr, "depth": 3, "sizes": [1, 2]}
    for number, lr in enumerate([0.05, 0.5] if mode == "offline" else []):
        log = session.read(f"trial{number}")
        assert log.config == {"lr": lr, "depth": 3, "sizes": [1, 2]}
        assert (log.id, log.name, log.sweep, log.rows) == (f"trial{number}", "one", "sweep1", [{"loss": lr}])


@pytest.mark.parametrize("text", ["[1, 2]", "lr: 3", "lr: {", "lr: {values: [1]}"])
def test_a_file_of_parameters_that_is_none_is_named(session, monkeypatch, tmp_path, text):
    under_agent(monkeypatch, tmp_path / "parameters.yaml", text)
    with session, pytest.raises(TrackingError, match=r"parameters\.yaml: not a file of sweep parameters"):
        session.track("one", group="group", config={})


def test_without_an_agent_a_run_id_in_the_environment_is_not_taken(session, monkeypatch):
    monkeypatch.setenv("WANDB_RUN_ID", "always-the-same")
    with session:
        assert session.track("one", group="group", config={}).id != "always-the-same"


def test_a_run_that_an_agent_stops_is_recorded_as_stopped(session):
    fork = multiprocessing.get_context("fork")
    begun = fork.Event()

    def work():
        with session.track("one", group="group", config={}) as tracker:
            for step in range(100_000):
                tracker.log({"step": step})
                if step == 20:
                    begun.set()
                time.sleep(0.001)

    with session:
        process = fork.Process(target=work)
        process.start()
        assert begun.wait(60)
        process.terminate()
        process.join(60)
        assert process.exitcode == 143
        run_id = session.track("one", group="group", config={}).id
    log = session.read(run_id)
    assert log.exit_code == 143
    assert [row["step"] for row in log.rows] == list(range(len(log.rows)))
    assert len(log.rows) > 20


# ---- W&B is never in the way


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

    monkeypatch.setattr("tinymlp.tracking.session.get_core_path", missing)
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


# ---- mistakes


def test_a_value_that_no_log_can_hold_is_named(session):
    with session, session.track("one", group="group", config={}) as tracker:
        with pytest.raises(TrackingError, match=r"a row, key 'model', holds a Net: log numbers"):
            tracker.log({"model": net()})
        tracker.log({"x": 1})
    assert session.read(tracker.id).rows == [{"x": 1}]


def test_a_row_is_logged_as_it_is_at_that_time(session):
    with session, session.track("one", group="group", config={}) as tracker:
        values = [1]
        tracker.log({"values": values})
        values.append(2)
        os.kill(session._core.pid, signal.SIGKILL)  # so that the row is written again
        wait_until(lambda: session._core.poll() is not None)
        tracker.log({"values": values})
    assert [row["values"] for row in session.read(tracker.id).rows] == [[1], [1, 2]]


def test_a_session_has_to_be_open(session):
    message = "the session is not open"
    with pytest.raises(TrackingError, match=message), session.track("one", group="group", config={}):
        pass
    with session:
        pass
    with pytest.raises(TrackingError, match=message), session.track("one", group="group", config={}):
        pass


def test_a_figure_is_kept_as_it_is_at_that_time(session):
    figure = Figure(figsize=(1, 1), dpi=50)
    with session, session.track("one", group="group", config={}) as tracker:
        tracker.image("figure", figure)
        figure.set_facecolor("black")
        tracker.log({"x": 1})
        tracker.log({"x": 2})
    first, second = session.read(tracker.id).rows
    assert second == {"x": 2}
    files = next((session.folder / "wandb").glob(f"offline-run-*-{tracker.id}")) / "files"
    assert imread(files / first["figure.path"]).min() == 1


def test_the_notice_quotes_what_a_shell_would_split(tmp_path, notices):
    with Session(tmp_path / "a folder", project="p", notice=notices.append) as session:
        trained(session)
    folder = f"'{tmp_path}/a folder/wandb'"
    assert f"1 run offline in {folder}" in notices[0]

"""What a log holds, and when it counts as complete."""

import math
import sys
from pathlib import Path

import torch
from swept import LISTS, definition
from tracked import (
    TRAIN,
    net,
)

from tinymlp.sweep import agent, check_logged


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


def test_trials_of_a_sweep_are_logged_with_lists_and_names_of_hydra(session, tmp_path):
    sweep = definition("random", LISTS, run_cap=3)

    def trial():
        with session.track("trial", group="sweep", config={}) as tracker:
            tracker.log({"loss": 1.0})
        return {"loss": 1.0}

    with session:
        trials = agent(sweep, trial, folder=tmp_path / "trials", seed=1)
    for one in trials:
        log = session.read(one.id)
        assert {name: log.config[name] for name in LISTS} == one.config
        check_logged(sweep, one, log.config, log.rows)


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

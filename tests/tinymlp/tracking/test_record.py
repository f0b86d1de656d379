"""A run that an agent of W&B has started takes its id and its parameters."""

import multiprocessing
import time
from pathlib import Path

import pytest

from tinymlp.tracking import TrackingError
from tinymlp.tracking.record import Picture, Record


def under_agent(monkeypatch, path, text, run_id="trial7"):
    path.write_text(text)
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep1")
    monkeypatch.setenv("WANDB_RUN_ID", run_id)
    monkeypatch.setenv("WANDB_SWEEP_PARAM_PATH", str(path))


def agent_starts(monkeypatch, tmp_path, number, lr):
    text = f"wandb_version: 1\nlr:\n  value: {lr}\nsizes: {{value: [1, 2]}}\n"
    under_agent(monkeypatch, tmp_path / f"parameters{number}.yaml", text, f"trial{number}")


def test_a_record_is_the_same_after_it_was_handed_over_as_text():
    rows = [{"loss": 0.1 + 0.2, "boundary": Picture(Path("a.png")), "parameters": [1e-300, 3, None]}]
    record = Record("id", "ü", "g", "p", "", {"lr": 1}, rows, {"best": float("inf")}, url="u", whole=True)
    record.artifacts["model"] = {"model.pt": bytes(range(256))}
    assert Record.from_json(record.as_json()) == record


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

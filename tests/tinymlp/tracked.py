"""Small tracked trainings for the tests of tracking, and what must be true of their logs."""

import multiprocessing
import os
import threading
import time

import pytest
import torch

from tinymlp.networks import training
from tinymlp.networks.models import Net
from tinymlp.networks.noisy_xor import NoisyXor
from tinymlp.tracking import fit

KEYS = {
    "train_loss": "train/loss",
    "train_accuracy": "train/accuracy",
    "val_loss": "val/loss",
    "val_accuracy": "val/accuracy",
    "gradient_norm": "gradient_norm",
}


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """No key, settings and variables of whoever runs the tests; one thread, as the networks are tiny."""
    for name in [*os.environ]:
        if name.startswith("WANDB_") or name == "NETRC" or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    assert "WANDB_SERVICE" not in os.environ


TRAIN, VAL = NoisyXor(60, seed=1), NoisyXor(40, seed=2)


def net():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Net(1, 2)


def trained(session, name="one", epochs=3, **config):
    """Train with tracking; return the tracker and the history."""
    with session.track(name, group="group", config=config) as tracker:
        history = fit(net(), TRAIN, VAL, tracker, epochs=epochs, seed=3)
    return tracker, history


def plainly_trained(epochs=3):
    return training.fit(net(), TRAIN, VAL, epochs=epochs, seed=3)


def curves(log):
    """The history that a log tells of."""
    return training.History(**{name: [row[key] for row in log.rows] for name, key in KEYS.items()})


def wandb_threads():
    return [t.name for t in threading.enumerate() if t.name.startswith(("wandb", "NetStat"))]


def in_workers(session, numbers, hook=lambda number: None):
    """Train in forked processes, killed at the end as those of lab.map are; return ids and histories."""
    fork = multiprocessing.get_context("fork")
    results = fork.SimpleQueue()

    def work(mine):
        for number in mine:
            hook(number)
            tracker, history = trained(session, f"run {number}", number=number)
            results.put((number, tracker.id, history))

    processes = [fork.Process(target=lambda part=part: (work(part), time.sleep(600))) for part in numbers]
    for process in processes:
        process.start()
    found = {
        number: (run_id, history)
        for number, run_id, history in (results.get() for part in numbers for _ in part)
    }
    for process in processes:
        process.kill()
        process.join()
        process.close()
    return found


def assert_all_there(session, runs, epochs=3):
    """Every run has the plain history, in its process and in its log."""
    expected = plainly_trained(epochs)
    for run_id, history in runs:
        log = session.read(run_id)
        assert history == expected
        assert curves(log) == expected
        assert "boundary.path" in log.rows[0]
        assert log.summary["best_epoch"] >= 1
        assert log.exit_code == 0
    assert not wandb_threads()

"""What a tracker is given is logged as it was then; what a log cannot hold is refused."""

import io
import math
import os
import signal

import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.image import imread
from tracked import (
    net,
)
from wandb_server import wait_until

from tinymlp.networks import training
from tinymlp.tracking import TrackingError


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

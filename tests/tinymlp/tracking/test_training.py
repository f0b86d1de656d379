"""The tracked training is the plain one, and its log says so."""

import pytest
from matplotlib.image import imread
from tracked import (
    TRAIN,
    VAL,
    curves,
    net,
    plainly_trained,
    trained,
)

from tinymlp.tracking import fit
from tinymlp.tracking.training import milestones


def test_training_with_tracking_is_the_same_to_the_last_bit_and_so_is_what_the_log_says(session):
    with session:
        tracker, history = trained(session)
    assert history == plainly_trained()
    log = session.read(tracker.id)
    assert curves(log) == history
    assert [row["epoch"] for row in log.rows] == [1, 2, 3]
    assert (log.id, log.name, log.group, log.exit_code, log.sweep) == (tracker.id, "one", "group", 0, "")


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

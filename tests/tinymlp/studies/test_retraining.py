"""Retraining gives the networks of the study again, and goes on from them."""

import numpy as np
import pandas as pd
import pytest

from tinymlp.networks import NoisyXor, Shape, Training, evaluate, train
from tinymlp.parallel import serial
from tinymlp.studies.retraining import Retraining

PARAMS = {
    "epochs": 4,
    "batch_size": 20,
    "lr": 0.05,
    "n_train": 60,
    "s": 0.2,
    "n_test": 50,
    "solved_above": 0.8,
}
TRAINING = Training(epochs=4, batch_size=20, lr=0.05, n_train=60, s=0.2)
SHAPES = [Shape(1, 2), Shape(2, 2)]
LABELS: list[str] = []


def mapped(label):
    LABELS.append(label)
    return serial


@pytest.fixture(scope="module")
def study():
    return train(SHAPES, range(3), TRAINING, seed=11)


@pytest.fixture(scope="module")
def again(study):
    rows = [
        {"shape": shape.name, "replicate": i, "train_loss": loss, "solved": i == 1}
        for shape in SHAPES
        for i, loss in enumerate(study.history[shape].train_loss[-1])
    ]
    return Retraining(PARAMS, 11, 12, pd.DataFrame(rows), mapped)


def test_the_same_seeds_give_the_same_networks(study, again):
    networks = again.train(SHAPES, [2, 0])
    for shape in SHAPES:
        expected = study.states[shape].parameters[:, [2, 0]]
        np.testing.assert_array_equal(networks.states[shape].parameters, expected)
    assert LABELS[-1] == "training 1x2, 2x2"


def test_scores_are_on_the_test_points_of_the_study(study, again):
    test = NoisyXor(50, 0.2, seed=12)
    (score,) = again.test_of(study.select(range(3), [SHAPES[0]])).values()
    assert score.loss.tolist() == evaluate(study, test.inputs, test.targets)[SHAPES[0]].loss.tolist()
    assert again.solved(score).tolist() == [accuracy > 0.8 for accuracy in score.accuracy]


def test_training_on_is_training_longer_with_a_checkpoint_at_each_multiple(again):
    shape = SHAPES[0]
    longer = again.train_on(again.train([shape], [0, 1]), 3)
    at_once = train([shape], [0, 1], Training(epochs=12, batch_size=20, lr=0.05, n_train=60, s=0.2), seed=11)
    np.testing.assert_array_equal(longer.states[shape].parameters, at_once.states[shape].parameters)
    assert longer.recorded[-3:] == (12, 24, 36)


def test_restarts_begin_with_the_recorded_one_and_keep_its_data(again):
    shape = SHAPES[0]
    losses, solved = again.restarted(shape, 3)
    assert losses.shape == solved.shape == (3, 3)
    assert losses[:, 0].tolist() == again.of(shape)["train_loss"].tolist()
    assert solved[:, 0].tolist() == [False, True, False]
    other = train([shape], [2], TRAINING, seed=11, restarts=[1])
    assert losses[2, 1] == pytest.approx(other.history[shape].train_loss[-1][0])
    assert len(set(losses[2])) == 3
    again_data = again.data(2)
    assert (len(again_data.targets), again_data.s) == (60, 0.2)

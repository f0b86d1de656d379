"""Outcomes: what counts as solved, the excess over the Bayes loss, and settings trained side by side."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import norm

from tinymlp.networks import NoisyXor, Shape, Training, evaluate, train
from tinymlp.studies.outcomes import (
    Outcome,
    loss_of_bayes,
    outcome_summary,
    setting_rows,
    solved,
    train_settings,
)
from tinymlp.studies.settings import Setting

CORNERS = [(0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.mark.parametrize("s", [0.1, 0.3])
def test_solved_is_less_than_a_tenth_behind_the_bayes_classifier(s):
    right = norm.cdf(0.5 / s)  # of one bit; the class is right if both bits are, or neither
    best = right**2 + (1 - right) ** 2
    assert solved([best, best - 0.099, best - 0.101], s).tolist() == [True, True, False]


@pytest.mark.parametrize("s", [0.2, 0.5])
def test_loss_of_bayes_is_the_cross_entropy_of_the_densities(s):
    test = NoisyXor(500, s, seed=3)
    x = test.inputs.double().numpy()
    density = {m: norm.pdf(x[:, 0], m[0], s) * norm.pdf(x[:, 1], m[1], s) for m in CORNERS}
    p = torch.tensor((density[0, 1] + density[1, 0]) / sum(density.values()))
    expected = torch.nn.functional.binary_cross_entropy(p, test.targets.double())
    assert loss_of_bayes(test) == pytest.approx(float(expected), rel=1e-6)


def summary_of(losses, accuracy):
    losses, accuracy = np.array(losses), np.array(accuracy)
    return outcome_summary(Outcome(0.1, losses, losses, accuracy, accuracy == 1))


def test_a_summary_counts_successes_and_describes_the_solved_alone():
    found = summary_of([0.02, 0.04, 0.69, 0.35], [1.0, 0.95, 0.5, 0.75])
    assert (found["success"]["successes"], found["success"]["n"]) == (2, 4)
    assert found["loss"]["mean"] == pytest.approx(0.275)
    assert found["solved_loss"]["max"] == 0.04
    assert found["solved_excess"]["min"] == 0.02


def test_a_summary_without_successes_has_missing_numbers():
    found = summary_of([0.7, 0.7], [0.5, 0.5])
    assert found["success"]["estimate"] == 0
    assert (found["solved_loss"]["n"], found["solved_loss"]["mean"]) == (0, None)


SMALL = Training(epochs=4, batch_size=50, lr=0.02, n_train=100, n_val=1, dtype="float64")
SETTINGS = [
    Setting("a", "reference", SMALL),
    Setting("b", "longer", replace(SMALL, epochs=6)),
    Setting("c", "decay", replace(SMALL, weight_decay=0.01)),
    Setting("d", "noise", replace(SMALL, s=0.3)),
    Setting("e", "scale, shorter", replace(SMALL, initial_scale=2, epochs=2)),
]
SHAPES = [Shape(1, 2), Shape(2, 3)]


@pytest.fixture(scope="module")
def found():
    return train_settings(SETTINGS, SHAPES, 3, seed=5, test=lambda s: NoisyXor(200, s, seed=9))


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.label)
def test_side_by_side_each_setting_ends_as_if_trained_alone(found, setting):
    test = NoisyXor(200, setting.training.s, seed=9)
    alone = train(SHAPES, range(3), setting.training, seed=5)
    for shape, score in evaluate(alone, test.inputs, test.targets).items():
        ended = found[setting.name][shape]
        np.testing.assert_allclose(ended.loss, score.loss, rtol=1e-9)
        assert ended.accuracy.tolist() == score.accuracy.tolist()
        np.testing.assert_allclose(ended.excess, score.loss - loss_of_bayes(test), rtol=1e-9)
        assert ended.s == setting.training.s


def test_settings_keep_their_order(found):
    assert list(found) == ["reference", "longer", "decay", "noise", "scale_shorter"]


def test_centres_are_right_where_all_four_are():
    training = replace(SMALL, epochs=60)
    settings = [Setting("a", "reference", training)]
    ended = train_settings(settings, [Shape(1, 3)], 5, seed=5, test=lambda s: NoisyXor(10, s, seed=9))
    alone = train([Shape(1, 3)], range(5), training, seed=5)
    with torch.no_grad():
        points = torch.tensor(CORNERS, dtype=torch.float64)
        classes = [(alone.network(Shape(1, 3), column)(points) > 0).tolist() for column in range(5)]
    right = [one == [False, True, True, False] for one in classes]
    assert 0 < sum(right) < 5
    assert ended["reference"][Shape(1, 3)].centres.tolist() == right


def test_rows_name_setting_shape_and_epochs(found):
    summaries = {
        name: {shape: outcome_summary(one) for shape, one in shapes.items()} for name, shapes in found.items()
    }
    rows = list(setting_rows(SETTINGS, summaries))
    assert len(rows) == 10
    last = rows[-1]
    assert (last["setting"], last["depth"], last["width"], last["n"]) == ("scale_shorter", 2, 3, 3)
    assert (last["optimiser"], last["beta1"], last["beta2"]) == ("adam", 0.9, 0.999)
    assert (last["initial_scale"], last["steps"], last["epochs"]) == (2.0, 4, 2.0)
    assert last["loss_mean"] == pytest.approx(found["scale_shorter"][Shape(2, 3)].loss.mean())

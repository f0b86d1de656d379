"""Fits of networks of `Var`s: starts, training, the values that are looked at, choosing among fits."""

import math
from random import Random, gauss

import numpy as np
import pytest
import torch

from tinymlp.scalar.autodiff import Var, Var_to_nparray, nparray_to_Var
from tinymlp.scalar.fitting import (
    SpreadInitializer,
    chosen_losses,
    descend,
    descend_by_tape,
    draw_task,
    mean_loss,
    predict,
    straight_line,
)
from tinymlp.scalar.nn import ConstantInitializer, DenseLayer, NeuralNetwork, NormalInitializer
from tinymlp.scalar.regression import data_generator, line_with_wave


def network(units, activation, seed=1):
    start = NormalInitializer(std=1.0, rng=Random(seed))
    return NeuralNetwork([DenseLayer(1, units, activation, start), DenseLayer(units, 1, Var.identity, start)])


@pytest.fixture
def points():
    rng = np.random.default_rng(5)
    return rng.normal(size=(12, 1)), rng.normal(size=12)


# ------------------------------------------------------------------------ the task


def test_a_task_holds_the_sets_of_the_data_generator():
    task = draw_task(0.5, seed=3)
    sets = data_generator(noise=0.5, rng=np.random.default_rng(3))
    held = [side for name in ("train", "validation", "test") for side in task.sets[name]]
    assert all(np.array_equal(one, other) for one, other in zip(held, sets, strict=True))


def test_inputs_in_original_units_are_the_grid():
    task = draw_task(0.5, seed=3, n_samples=60)
    x = np.concatenate([x for x, _ in task.sets.values()])
    np.testing.assert_allclose(np.sort(x, axis=0), task.standardised(np.linspace(-3, 3, 60)), atol=1e-12)


def test_targets_without_noise_are_the_mean_in_original_units():
    task = draw_task(0.0, seed=3)
    assert all(np.abs(task.noise(name)).max() < 1e-12 for name in ("train", "validation", "test"))


def test_noise_has_the_standard_deviation_asked_for():
    noise = np.concatenate([draw_task(0.5, seed=seed).noise("test") for seed in range(100)])
    error = 0.5 / math.sqrt(2 * len(noise))  # of a standard deviation of normal numbers
    assert abs(noise.std() - 0.5) < 4 * error
    assert abs(noise.mean()) < 4 * 0.5 / math.sqrt(len(noise))


# ------------------------------------------------------------------------ the start


def test_each_part_of_the_interval_has_the_zero_of_one_unit():
    start = SpreadInitializer(slope=4.0, half_width=2.0, rng=Random(0))
    (weights,), biases = start.init_weights(1, 8), start.init_bias(8)
    zeros = [-bias.v / weight.v for weight, bias in zip(weights, biases, strict=True)]
    assert [weight.v for weight in weights] == [4.0] * 8
    assert [math.floor((zero + 2) / 0.5) for zero in zeros] == list(range(8))
    assert len({zero % 0.5 for zero in zeros}) == 8  # at random within its part


def test_a_spread_start_needs_a_single_input():
    with pytest.raises(ValueError, match="one input, not 2"):
        DenseLayer(2, 3, Var.tanh, SpreadInitializer(4.0, 2.0, Random(0)))


# --------------------------------------------------------------------- the training


def test_training_follows_pytorch_step_by_step(points):
    x, y = points
    ours = network(4, Var.tanh)
    theirs = torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)).double()
    with torch.no_grad():
        for layer, linear in zip(ours, (theirs[0], theirs[2]), strict=True):
            linear.weight.copy_(torch.tensor(Var_to_nparray(layer.weights)).T)
            linear.bias.copy_(torch.tensor(Var_to_nparray([layer.bias])[0]))
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.01)
    expected = []
    for _ in range(31):
        loss = ((theirs(torch.tensor(x))[:, 0] - torch.tensor(y)) ** 2).sum()
        expected.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    epochs, losses = zip(*descend(ours, x, y, 0.01, 30), strict=True)
    assert epochs == tuple(range(31))
    np.testing.assert_allclose(losses, expected, rtol=1e-10)


@pytest.mark.parametrize("activation", [Var.identity, Var.relu, Var.tanh])
@pytest.mark.parametrize("rate", [0.01, 1.0, 1e160])  # the last two diverge, with identity and ReLU to NaN
def test_training_by_tape_is_that_by_fresh_graphs_to_the_last_bit(points, activation, rate):
    by_graphs, by_tape = network(4, activation), network(4, activation)

    def steps(train, net):
        return [(epoch, loss.hex(), [p.v.hex() for p in net.parameters]) for epoch, loss in train]

    expected = steps(descend(by_graphs, *points, rate, 20), by_graphs)
    assert steps(descend_by_tape(by_tape, *points, rate, 20), by_tape) == expected
    assert len(expected) == 21


class Doubled(DenseLayer):
    def forward(self, single_input):
        return [2 * output for output in super().forward(single_input)]


class Noisy(NeuralNetwork):
    def forward(self, points):
        return super().forward([[x + gauss(0, 1) for x in point] for point in points])


@pytest.mark.parametrize(
    "net",
    [
        NeuralNetwork([DenseLayer(1, 1, lambda a: a if a.v > 0 else 0.01 * a)]),
        NeuralNetwork([Doubled(1, 1, Var.tanh)]),
        Noisy([DenseLayer(1, 1, Var.tanh)]),
    ],
)
def test_a_graph_that_may_change_is_not_recorded(points, net):
    with pytest.raises(ValueError, match="may change from step to step: train it by descend"):
        next(descend_by_tape(net, *points, 0.01, 5))


def test_network_has_the_parameters_of_the_loss_that_is_yielded(points):
    x, y = points
    trained = network(3, Var.relu)
    steps = [(loss, len(y) * mean_loss(trained, x, y)) for _, loss in descend(trained, x, y, 0.01, 5)]
    steps.append((steps[-1][0], len(y) * mean_loss(trained, x, y)))  # no step after the last
    np.testing.assert_allclose(*zip(*steps, strict=True), rtol=1e-12)


def test_a_line_trained_by_gradient_descent_is_the_least_squares_line(points):
    x, y = points
    line = NeuralNetwork([DenseLayer(1, 1, Var.identity, ConstantInitializer())])
    losses = [loss for _, loss in descend(line, x, y, 0.02, 300)]
    slope, intercept = straight_line(x, y)
    assert [p.v for p in line.parameters] == pytest.approx([slope, intercept], abs=1e-9)
    assert [slope, intercept] == pytest.approx(np.polyfit(x[:, 0], y, 1).tolist())
    assert losses[-1] == pytest.approx(((slope * x[:, 0] + intercept - y) ** 2).sum())


def test_equal_units_stay_equal(points):
    start = ConstantInitializer(weight=0.5)
    net = NeuralNetwork([DenseLayer(1, 3, Var.tanh, start), DenseLayer(3, 1, Var.identity, start)])
    losses = [loss for _, loss in descend(net, *points, 0.01, 50)]
    hidden, output = net.layers
    assert losses[-1] < losses[0]
    for group in (hidden.weights[0], hidden.bias, [row[0] for row in output.weights]):
        assert len({p.v for p in group}) == 1


def test_a_rate_that_is_too_large_ends_in_a_loss_that_is_not_finite(points):
    losses = [loss for _, loss in descend(network(4, Var.identity), *points, 1.0, 60)]
    assert losses[1] > losses[0]
    assert not math.isfinite(losses[-1])


@pytest.mark.parametrize("activation", [Var.identity, Var.relu])
def test_training_goes_on_with_nan_after_a_gradient_that_is_too_large(points, activation):
    net = network(4, activation)
    losses = [loss for _, loss in descend(net, *points, 1e160, 6)]
    assert len(losses) == 7
    assert math.isfinite(losses[0])
    assert math.isnan(losses[-1])
    assert math.isnan(mean_loss(net, *points))


@pytest.mark.parametrize("activation", [Var.identity, Var.relu, Var.tanh])
def test_predictions_without_a_graph_are_those_of_the_network(points, activation):
    net = network(5, activation)
    by_vars = Var_to_nparray(net.forward(nparray_to_Var(points[0])))
    np.testing.assert_allclose(predict(net, points[0]), by_vars, rtol=1e-12)


def test_no_line_is_best_where_all_inputs_are_equal():
    with pytest.raises(ValueError, match="all x are equal"):
        straight_line(np.ones((3, 1)), np.arange(3.0))


# --------------------------------------------------------------------- the choosing


def test_the_best_of_two_fits_looks_better_than_it_is_by_the_known_amount():
    """Fits of constant error +a and -a differ by 4 a times the mean noise e of the m points.

    The lesser loss has mean sigma^2 + a^2 - 2 a E|e|, and E|e| = sigma sqrt(2 / (pi m)).
    """
    a, sigma, m, draws = 0.3, 0.5, 10, 40_000
    means = line_with_wave(np.linspace(-3, 3, 50))
    fits = means + np.array([[a], [-a]])
    losses = chosen_losses(fits, means, sigma, m, [1, 2], draws, np.random.default_rng(0))
    truth = sigma**2 + a**2
    error = math.sqrt((2 * sigma**4 + 4 * a**2 * sigma**2) / m / draws)  # of the mean loss of one fit
    assert losses[1] == pytest.approx((truth, truth), abs=4 * error)
    assert losses[2][1] == pytest.approx(truth)
    assert losses[2][0] == pytest.approx(truth - 2 * a * sigma * math.sqrt(2 / math.pi / m), abs=4 * error)


def test_many_points_choose_the_best_fit():
    means = np.zeros(20)
    fits = np.full((3, 20), [[0.5], [0.1], [0.9]])
    (losses,) = chosen_losses(fits, means, 0.5, 2000, [3], 50, np.random.default_rng(0)).values()
    assert losses == pytest.approx((0.26, 0.26), abs=0.01)
    assert losses[1] == pytest.approx(0.25 + 0.1**2)  # the best each time


def test_fits_are_drawn_without_repetition():
    means = np.zeros(4)
    fits = np.full((2, 4), [[0.0], [9.0]])
    losses = chosen_losses(fits, means, 0.0, 1, [1, 2], 4000, np.random.default_rng(0))
    assert losses[2] == (0.0, 0.0)  # both are there each time
    assert losses[1][1] == pytest.approx(81 / 2, abs=4 * 81 / 2 / math.sqrt(4000))


def test_more_fits_than_there_are_cannot_be_drawn():
    with pytest.raises(ValueError, match="3 of 2"):
        chosen_losses(np.zeros((2, 4)), np.zeros(4), 0.5, 1, [1, 3], 5, np.random.default_rng(0))

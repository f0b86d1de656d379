"""Fits of the line with a wave, against PyTorch and against sums by hand."""

import math
from random import Random

import numpy as np
import pytest
import torch

from tinymlp.scalar import Var, draw_task
from tinymlp.studies.fits import (
    FINE,
    PLACES,
    SETS,
    Fit,
    FitSetting,
    checkpoint_epochs,
    excess,
    fit,
    fitted_functions,
    reference_losses,
    starting_network,
    training_points,
)

TASK = draw_task(0.5, seed=3)
SMALL = FitSetting(Var.tanh, 3, "normal", 0.5, 0.1)


def wave(x):
    return x + 0.5 * np.sin(3 * x)


def test_a_network_has_so_many_parameters():
    assert (SMALL.parameters, FitSetting(Var.relu, 8, "equal", 1, 1).parameters) == (10, 25)
    assert len(starting_network(SMALL, Random(0)).parameters) == 10


def test_an_equal_start_has_equal_units_and_a_spread_one_equal_slopes():
    equal = starting_network(FitSetting(Var.tanh, 3, "equal", 0.5, 1), Random(0))
    assert {w.v for w in equal.layers[0].weights[0]} == {0.5}
    spread = starting_network(FitSetting(Var.tanh, 3, "spread", 4, 1), Random(0)).layers[0]
    zeros = [-b.v / w.v for w, b in zip(spread.weights[0], spread.bias, strict=True)]
    third = 2 * math.sqrt(3) / 3
    ends = [-math.sqrt(3) + third * i for i in range(4)]
    assert all(low <= zero <= high for zero, low, high in zip(zeros, ends[:-1], ends[1:], strict=True))
    with pytest.raises(KeyError):
        starting_network(FitSetting(Var.tanh, 3, "other", 1, 1), Random(0))


def test_a_fit_descends_as_pytorch_does():
    found = fit(SMALL, TASK, 15, 20, {0, 10, 20}, seed=5)
    start = starting_network(SMALL, Random(5))
    parts = [
        torch.tensor(np.array([[v.v for v in row] for row in rows]), requires_grad=True)
        for layer in start.layers
        for rows in (layer.weights, [layer.bias])
    ]
    x, y = (torch.tensor(side[:15]) for side in TASK.sets["train"])

    def predicted(points):
        return (torch.tanh(points @ parts[0] + parts[1]) @ parts[2] + parts[3])[:, 0]

    for _ in range(20):
        gradients = torch.autograd.grad(((predicted(x) - y) ** 2).sum(), parts)
        with torch.no_grad():
            for part, gradient in zip(parts, gradients, strict=True):
                part -= 0.1 / 15 * gradient
    assert found.curve["epoch"].tolist() == [0, 10, 20]
    last = found.curve.iloc[-1]
    with torch.no_grad():
        unit = TASK.scale[1] ** 2
        train = float(((predicted(x) - y) ** 2).mean()) * unit
        x_test, y_test = (torch.tensor(side) for side in TASK.sets["test"])
        test = float(((predicted(x_test) - y_test) ** 2).mean()) * unit
        fine = predicted(torch.tensor((FINE[:, None] - TASK.shift[0]) / TASK.scale[0])).numpy()
    assert (last["train"], last["test"]) == pytest.approx((train, test))
    assert found.function == pytest.approx((TASK.shift[1] + TASK.scale[1] * fine).tolist())
    assert not found.diverged


def test_a_fit_that_diverges_stops_without_a_function():
    found = fit(FitSetting(Var.relu, 8, "normal", 1.0, 50.0), TASK, None, 100, set(range(101)), seed=1)
    assert found.diverged
    assert found.function is None
    assert len(found.curve) < 100
    assert np.isfinite(found.curve.to_numpy()).all()


def test_checkpoints_are_even_on_a_log_axis_with_start_end_and_marks():
    epochs = checkpoint_epochs(1000, (7, 333))
    assert {0, 1, 7, 333, 1000} <= epochs
    assert len(epochs) <= 33
    assert 10 <= sum(10 <= epoch < 100 for epoch in epochs) <= 11  # a third of thirty to a decade


def test_the_excess_is_the_distance_from_the_wave():
    def shifted(x):
        original = TASK.shift[0] + TASK.scale[0] * x[:, 0]
        return (wave(original) + 0.3 - TASK.shift[1]) / TASK.scale[1]

    assert excess(shifted, TASK) == pytest.approx(0.09)


def test_references_are_noise_and_least_squares_lines():
    found = reference_losses([TASK], 105, 15)
    points = {name: training_points(TASK, 15) for name in ("line", "line_few")}
    for name, count in (("line", 105), ("line_few", 15)):
        x, y = (points[name][axis].to_numpy()[:count] for axis in ("x", "y"))
        slope, intercept = np.polyfit(x, y, 1)
        row = found[name].iloc[0]
        assert row["train"] == pytest.approx(np.mean((slope * x + intercept - y) ** 2))
        assert row["excess"] == pytest.approx(np.mean((slope * PLACES + intercept - wave(PLACES)) ** 2))
    train = points["line"]
    noise = np.mean((train["y"] - wave(train["x"])) ** 2)
    assert found["mean"].iloc[0].tolist() == pytest.approx([noise, *found["mean"].iloc[0][1:3], 0.0])
    assert list(found["mean"].columns) == [*SETS, "excess"]
    assert train["few"].tolist() == [True] * 15 + [False] * 90


def test_places_cover_the_task():
    assert (PLACES[0], PLACES[-1], len(PLACES)) == (-3, 3, 300)
    assert (FINE[0], FINE[-1], FINE[1] - FINE[0]) == pytest.approx((-3, 3, 0.05))


def test_functions_of_diverged_fits_are_left_out():
    good, gone = Fit(None, list(FINE), diverged=False), Fit(None, None, diverged=True)
    frame = fitted_functions({("a", 0): good, ("a", 1): gone, ("b", 0): good})
    assert frame.groupby(["setting", "repeat"]).size().to_dict() == {("a", 0): 121, ("b", 0): 121}
    assert (frame["x"] == frame["y"]).all()

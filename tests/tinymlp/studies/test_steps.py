"""Steps of finite differences: tables by hand, and the theory against SciPy's minimum."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from tinymlp.scalar import EPSILON
from tinymlp.studies.steps import (
    RULES,
    SMOOTH,
    best_step,
    best_step_rows,
    best_steps_of,
    error_rows,
    kink_steps,
    slope,
    step_errors,
    step_grid,
    step_summary,
    truncation,
)

FUNCTIONS = {"exp": math.exp, "tanh": math.tanh, "log": math.log, "cube": lambda x: x**3}


def test_a_grid_has_so_many_steps_per_decade():
    assert step_grid(-3, -1, 2) == pytest.approx([1e-3, 10**-2.5, 1e-2, 10**-1.5, 1e-1])


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("order", [0, 1, 2])
def test_each_derivative_is_that_of_the_one_before(name, order):
    smooth, h = SMOOTH[name], 1e-6
    before = FUNCTIONS[name] if order == 0 else smooth.derivatives[order - 1]
    for x in smooth.places(3):
        difference = (before(x + h) - before(x - h)) / (2 * h)
        assert smooth.derivatives[order](x) == pytest.approx(difference, rel=1e-5)
        assert smooth.value(x) == pytest.approx(FUNCTIONS[name](x))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("rule", RULES)
def test_the_best_step_minimises_truncation_and_rounding(name, rule):
    smooth, x = SMOOTH[name], SMOOTH[name].places(3)[1]

    def error(log_step):
        h = math.exp(log_step)
        return math.log(truncation(smooth, rule, x, h) + EPSILON * abs(smooth.value(x)) / h)

    found = optimize.minimize_scalar(error, bounds=(-30, 0), method="bounded", options={"xatol": 1e-9})
    assert best_step(smooth, rule, x) == pytest.approx(math.exp(found.x), rel=1e-4)


@pytest.mark.parametrize("rule", RULES)
def test_truncation_is_the_error_of_long_steps(rule):
    smooth, x, h = SMOOTH["exp"], 1.0, 1e-2
    measured = abs(RULES[rule](math.exp, x, h) - math.e)
    assert truncation(smooth, rule, x, h) == pytest.approx(measured, rel=0.01)


def test_errors_are_relative_to_the_derivative():
    found = step_errors(SMOOTH["cube"], "forward", 1.0, 3)  # ((x + 1)^3 - x^3) / 3 x^2 - 1 at 20, 40, 60
    assert found["median"] == pytest.approx((3 * 40 + 1) / (3 * 40**2))
    assert found["max"] == pytest.approx((3 * 20 + 1) / (3 * 20**2))
    assert found["truncation"] == pytest.approx(1 / 40)  # h f'' / 2 = 3 x
    assert found["rounding"] == pytest.approx(EPSILON * 40 / 3)


def test_a_row_has_the_best_step_beside_that_of_theory_and_the_course():
    errors = error_rows({"exp": SMOOTH["exp"]}, step_grid(-12, -2, 1), 5)
    assert len(errors) == 2 * 11
    forward, central = best_step_rows(errors, {"exp": SMOOTH["exp"]}, 1e-10).to_dict("records")
    assert (forward["method"], central["method"]) == ("forward", "central")
    assert forward["step"] == pytest.approx(1e-8)
    assert 1e-6 < central["step"] < 1e-4
    of_forward = errors[errors["method"] == "forward"].set_index(np.arange(-12, -1))
    assert forward["error"] == of_forward["median"].min()
    assert forward["course_error"] == of_forward.loc[-10, "median"]
    assert forward["course_loss"] == pytest.approx(forward["course_error"] / forward["error"])
    assert forward["theory_step"] == best_step(SMOOTH["exp"], "forward", 1.0)


STEPS = [1e-4, 1e-3, 1e-2, 1e-1]
CURVES = pd.DataFrame(
    {
        "network": [0] * 4 + [1] * 4 + [2] * 4,
        "step": STEPS * 3,
        "forward": [3, 1, 10, 100, 2, 4, 10, 100, 9, 2, 10, 100],
        "central": [4, 3, 2, 200, 4, 5, 1, 100, 4, 3, 3, 400],
        "kink": [False] * 4 + [False, False, True, True] + [False, False, False, True],
    }
)


def test_a_summary_has_median_and_range_for_each_step():
    table = step_summary(CURVES)
    assert table["step"].tolist() == STEPS
    assert table["forward_median"].tolist() == [3, 2, 10, 100]
    assert (table["central_min"].tolist(), table["central_max"].tolist()) == ([4, 3, 1, 100], [4, 5, 3, 400])


def test_the_best_step_is_that_of_the_median_and_networks_have_their_own():
    found = best_steps_of(CURVES, "forward", {"truncation": (-2, -1)})
    assert (found["step"], found["error"]) == (1e-3, 2)
    assert (found["lowest_step"], found["highest_step"]) == (1e-4, 1e-3)
    assert found["truncation"] == pytest.approx(1)  # ten times the error for ten times the step


def test_a_slope_is_the_power_between_two_powers_of_ten():
    steps = 10.0 ** np.arange(-6, 0)
    errors = pd.Series([1e3, 1.0, 1e-8, 1e-6, 1e-4, 5.0], index=steps)
    assert slope(errors, -4, -2) == pytest.approx(2)


def test_kinks_begin_at_the_first_step_that_crosses_one():
    found = kink_steps(CURVES, 1e-2)
    assert (found["at_best"], found["error_at_best"]) == (1, 3)
    assert (found["first_step"], found["half_step"]) == (1e-2, 1e-1)
    assert found["crossing"] == {"median": 100, "min": 1, "max": 400}


def test_without_kinks_there_is_nothing_to_tell():
    found = kink_steps(CURVES.assign(kink=False), 1e-2)
    assert found["at_best"] == 0
    assert (found["first_step"], found["half_step"], found["crossing"]["max"]) == (None, None, None)

"""Finite differences: on functions whose derivatives are known, and against a wrong gradient."""

import math

import pytest

from tinymlp.scalar.autodiff import Var
from tinymlp.scalar.gradcheck import (
    CENTRAL_STEP,
    FORWARD_STEP,
    central_difference,
    forward_difference,
    gradient,
    gradient_error,
    numerical_gradient,
    relative_error,
)


def test_differences_of_a_parabola_by_hand():
    """(9.61 - 9) / 0.1 and (9.61 - 8.41) / 0.2; the central difference of a parabola is exact."""
    assert forward_difference(lambda x: x * x, 3.0, 0.1) == pytest.approx(6.1)
    assert central_difference(lambda x: x * x, 3.0, 0.1) == pytest.approx(6.0)


@pytest.mark.parametrize(
    ("difference", "order", "coefficient"),
    [(forward_difference, 1, 1 / 2), (central_difference, 2, 1 / 6)],
)
def test_truncation_error_is_that_of_the_taylor_series(difference, order, coefficient):
    """All derivatives of exp at 1 are e."""
    for step in (1e-2, 1e-3):
        error = difference(math.exp, 1.0, step) - math.e
        assert error == pytest.approx(coefficient * math.e * step**order, rel=2 * step)


def test_default_steps_are_near_the_best_and_lose_half_and_a_third_of_the_digits():
    assert forward_difference(math.exp, 1.0) == pytest.approx(math.e, rel=1e-7)
    assert central_difference(math.exp, 1.0) == pytest.approx(math.e, rel=1e-10)
    for difference, step in ((forward_difference, FORWARD_STEP), (central_difference, CENTRAL_STEP)):
        best = abs(difference(math.exp, 1.0, step) - math.e)
        for factor in (1e-4, 1e4):
            assert abs(difference(math.exp, 1.0, factor * step) - math.e) > 10 * best


def test_gradient_of_many_inputs_by_hand():
    x = [2.0, -3.0, 30.0]
    assert numerical_gradient(lambda a, b, c: a * b + c * c, x) == pytest.approx([-3, 2, 60], rel=1e-7)
    assert gradient(lambda a, b, c: a * b + c * c, x) == [-3, 2, 60]


def test_the_step_of_an_input_grows_with_its_size_but_is_not_below_the_given_one():
    asked = []
    numerical_gradient(lambda *x: float(asked.append(x) or 0), [2.0, -0.5, -30.0], step=0.25)
    assert asked == [
        (2.5, -0.5, -30.0),
        (1.5, -0.5, -30.0),
        (2.0, -0.25, -30.0),
        (2.0, -0.75, -30.0),
        (2.0, -0.5, -22.5),
        (2.0, -0.5, -37.5),
    ]


def test_the_default_step_of_a_gradient_loses_a_third_of_the_digits():
    assert numerical_gradient(math.exp, [1.0]) == [central_difference(math.exp, 1.0)]


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("sign", [1, -1])
def test_relative_error_is_in_units_of_the_largest_derivative(place, sign):
    """The largest difference is 1, beside 0.5 and 0.25, of a derivative of 10 or -10, wherever it stands."""
    found, expected = [1.0, sign * 11.0, 2.0], [1.5, sign * 10.0, 2.25]
    turned = [values[place:] + values[:place] for values in (found, expected)]
    assert relative_error(*turned) == pytest.approx(0.1)


def test_relative_error_where_all_derivatives_are_zero_is_the_difference():
    assert relative_error([0.25, 0.0], [0.0, 0.0]) == 0.25


@pytest.mark.parametrize("found", [[math.nan, 2.0], [1.0, math.nan]])
def test_relative_error_hides_no_nan(found):
    assert math.isnan(relative_error(found, [1.0, 2.0]))


def test_a_right_gradient_passes_and_a_wrong_one_is_seen():
    def cube(a, factor=3.0):
        return Var(a.v**3, lambda: [(a, factor * a.v**2)])

    assert gradient_error(lambda a, b: cube(a) * b.tanh(), [1.2, 0.3]) < 1e-9
    assert gradient_error(lambda a: cube(a, 3.001), [1.2]) == pytest.approx(0.001 / 3, rel=1e-3)


def test_inputs_that_do_not_count_have_gradient_zero():
    assert gradient(lambda a, b: Var(1.0) + a, [1.0, 2.0]) == [1.0, 0.0]

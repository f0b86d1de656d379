"""Derivatives by finite differences, to check those of `Var`s."""

import math
import sys
from collections.abc import Callable, Sequence

from tinymlp.scalar.autodiff import Var

EPSILON = sys.float_info.epsilon
FORWARD_STEP = EPSILON ** (1 / 2)
CENTRAL_STEP = EPSILON ** (1 / 3)


def forward_difference(
    f: Callable[[float], float],
    x: float,
    step: float = FORWARD_STEP,
) -> float:
    """Return (f(x + h) - f(x)) / h, h being the step.

    Cutting off the Taylor series costs h |f''| / 2, rounding about
    epsilon |f| / h. The sum is least near h = sqrt(epsilon), where half of
    the digits are lost (W. H. Press et al., Numerical Recipes, section 5.7).
    """
    return (f(x + step) - f(x)) / step


def central_difference(
    f: Callable[[float], float],
    x: float,
    step: float = CENTRAL_STEP,
) -> float:
    """Return (f(x + h) - f(x - h)) / (2 h), h being the step.

    Cutting off costs h^2 |f'''| / 6, rounding about epsilon |f| / h. The sum
    is least near h = epsilon^(1/3), where a third of the digits is lost.
    """
    return (f(x + step) - f(x - step)) / (2 * step)


def numerical_gradient(
    f: Callable[..., float],
    x: Sequence[float],
    step: float = CENTRAL_STEP,
) -> list[float]:
    """Return the derivatives of f(*x) by central differences.

    The step of an input is `step` times the larger of 1 and its size.
    """

    def partial(i: int) -> float:
        def along(value: float) -> float:
            return f(*x[:i], value, *x[i + 1 :])

        return central_difference(along, x[i], step * max(1.0, abs(x[i])))

    return [partial(i) for i in range(len(x))]


def gradient(f: Callable[..., Var], x: Sequence[float]) -> list[float]:
    """Return the derivatives of f(*x) by a backward pass."""
    inputs = [Var(value) for value in x]
    f(*inputs).backward()
    return [variable.grad for variable in inputs]


def relative_error(found: Sequence[float], expected: Sequence[float]) -> float:
    """Return the largest difference, in units of the largest expected value.

    Where all that is expected is zero, return the largest difference itself;
    where any number is NaN, NaN, so that no comparison takes it for small.
    """
    pairs = zip(found, expected, strict=True)
    differences = [abs(a - b) for a, b in pairs]
    if any(map(math.isnan, differences)):
        return math.nan
    return max(differences) / (max(map(abs, expected)) or 1.0)


def gradient_error(f: Callable[..., Var], x: Sequence[float]) -> float:
    """Return how far the gradient of f at x is from central differences.

    `f` takes as many `Var`s as x has numbers; the error is a `relative_error`,
    of the order of 1e-10 for a right gradient of a smooth function.
    """

    def value(*x: float) -> float:
        return f(*map(Var, x)).v

    return relative_error(gradient(f, x), numerical_gradient(value, x))

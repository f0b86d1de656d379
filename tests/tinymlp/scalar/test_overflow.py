"""Gradients that leave the finite numbers: errors that name the operation, or infinities that were put in."""

import math
import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tinymlp.scalar.autodiff import Var, affine, logsumexp, sum_of_squares, total

SUBNORMAL = 5e-324


def squared(x):
    return x * x


TOO_LARGE = {
    "the derivative of a quotient": (lambda: 1 / Var(1e-200), r"1\.0 / 1e-200"),
    "a subnormal divisor": (lambda: Var(0.0) / Var(SUBNORMAL), r"0\.0 / 5e-324"),
    "log of a subnormal": (lambda: Var(1e-320).log(), r"log\(1e-320\)"),
    "factors": (lambda: (Var(1.0) * 1e200) * 1e200, r"1\.0 \* 1e\+200"),
    "factors, the value finite": (lambda: (Var(1e-300) * 1e200) * 1e200, r"1e-300 \* 1e\+200"),
    "a value that is infinite": (lambda: squared(Var(1e200)) * 1e200, r"1e\+200 \* 1e\+200"),
    "a value that is NaN": (lambda: squared(Var(1e200) * 1e200) / (Var(1e200) * 1e200), r"inf / inf"),
    "an inverse power": (lambda: Var(1e-200) ** -1, r"1e-200 \*\* -1\.0"),
    "a root": (lambda: Var(SUBNORMAL) ** 0.01 * 1e300, r"5e-324 \*\* 0\.01"),
    "an exponential": (lambda: 1e300 ** Var(1.02), r"1e\+300 \*\* 1\.02"),
    "exp": (lambda: Var(100.0).exp() * 1e300, r"exp\(100\.0\)"),
    "a negative": (lambda: (-squared(Var(1e160))) * 1e300, r"1e\+160 \* 1e\+160"),
    "tanh": (lambda: (Var(0.0) * 1e300).tanh() * 1e300, r"0\.0 \* 1e\+300"),
    "sigmoid": (lambda: (Var(0.0) * 1e300).sigmoid() * 1e300, r"0\.0 \* 1e\+300"),
    "relu": (lambda: (Var(1.0) * 1e300).relu() * 1e300, r"1\.0 \* 1e\+300"),
    "two ways to one weight": (
        lambda: affine(Var(0.0), [w := Var(1.0), w], [Var(2.0), Var(2.0)]) * 1e308,
        r"affine\(0\.0, 1\.0, 1\.0, 2\.0",
    ),
    "a difference": (
        lambda: sum_of_squares([Var(1e308)], [Var(-1e308)]),
        r"sum of squares\(1e\+308, -1e\+308",
    ),
    "a sum": (lambda: total([x := Var(1.0), x]) * 1e308, r"sum\(1\.0, 1\.0\)"),
    "a grad_fn": (lambda: Var(1.0, lambda: [(Var(2.0), math.inf)]), r"grad_fn\(2\.0\)"),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_gradient_that_is_too_large_names_the_operation_and_changes_nothing(name):
    build, shown = TOO_LARGE[name]
    root = build()
    pattern = rf"^the derivative of {shown}.*: the result is too large for a float$"
    with pytest.raises(OverflowError, match=pattern):
        root.backward()
    assert root.grad == 0.0
    assert [operand.grad for operand in root.operands] == [0.0] * len(root.operands)


def test_a_sum_over_passes_that_is_too_large_changes_nothing():
    x = Var(2.0)
    y = x * 1e308
    y.backward()
    with pytest.raises(
        OverflowError, match=r"^the sum of the gradients of Var\(2\.0\): the result is too large"
    ):
        y.backward()
    assert (x.grad, y.grad) == (1e308, 1.0)


def test_a_derivative_of_a_grad_fn_that_is_nan_is_not_defined():
    x = Var(2.0)
    with pytest.raises(ValueError, match=r"^the derivative of grad_fn\(2\.0\): not defined for real numbers"):
        Var(1.0, lambda: [(x, math.nan)]).backward()
    assert x.grad == 0.0


def test_gradients_near_the_largest_float_are_no_error():
    x, y = Var(1.0), Var(1.0)
    (x * 1.7e308 + y * 1.7e308).backward()  # their sum is no float
    assert (x.grad, y.grad) == (1.7e308, 1.7e308)


@pytest.mark.parametrize(
    ("f", "derivative"),
    [
        (lambda x: x / 1e-200, 1e200),  # the derivative in the number is -1e400
        (lambda x: (x * 1e200 * 1e-200) * 1e150, 1e150),
        (lambda x: 1e-200 * (x * 1e200) * 1e200, 1e200),
    ],
)
def test_numbers_of_an_expression_may_have_gradients_that_are_too_large(f, derivative):
    x = Var(1.0)
    for passes in (1, 2):
        f(x).backward()
        assert x.grad == pytest.approx(passes * derivative, rel=1e-12)


def test_numbers_of_an_expression_may_have_sums_of_gradients_that_are_too_large():
    x = Var(1e308)
    y = x * 1.0  # the derivative in the number is 1e308
    for _ in range(3):
        y.backward()
    assert x.grad == 3.0


# what is put in passes, as in PyTorch
PUT_IN = {
    "an input": (lambda a, b: a * b + b, (math.inf, 2.0)),
    "two inputs": (lambda a, b: a * b, (math.inf, -math.inf)),
    "a quotient": (lambda a, b: a / b, (math.inf, 2.0)),
    "a divisor": (lambda a, b: a / b, (2.0, -math.inf)),
    "exp": (lambda a, b: a.exp() * b, (math.inf, 3.0)),
    "log": (lambda a, b: a.log() * b, (math.inf, 3.0)),
    "a difference of infinities": (lambda a, b: (a - b) * (a - b), (math.inf, math.inf)),
    "a square": (lambda a, b: a**2 + b, (-math.inf, 1.0)),
    "NaN": (lambda a, b: a * b * 1e200, (math.nan, 1e200)),
    "a number": (lambda a, b: a * math.inf + b, (2.0, 1.0)),
}


@pytest.mark.parametrize("name", PUT_IN)
def test_infinities_that_are_put_in_pass_as_in_pytorch(name):
    f, values = PUT_IN[name]
    ours = [Var(value) for value in values]
    theirs = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in values]
    root, expected = f(*ours), f(*theirs)
    root.backward()
    expected.backward()
    assert root.v == pytest.approx(expected.item(), nan_ok=True)
    assert [x.grad for x in ours] == pytest.approx([x.grad.item() for x in theirs], nan_ok=True)


def test_an_infinite_bp_passes():
    x = Var(2.0)
    (x * 3).backprop(math.inf)
    assert x.grad == math.inf


def test_beside_an_infinity_that_was_put_in_an_overflow_is_still_an_error():
    x, y = Var(math.inf), Var(1e-200)
    with pytest.raises(OverflowError, match=r"1\.0 / 1e-200"):
        (x * 2 + 1 / y).backward()
    assert (x.grad, y.grad) == (0.0, 0.0)


EXTREMES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([0.0, 1e-320, 1e200, -1e-200])
)
STEPS = [
    *(lambda a, b: a * b, lambda a, b: a + b, lambda a, b: a / b, lambda a, b: a - b),
    *(lambda a, b: a.exp() + b, lambda a, b: a.log() * b, lambda a, b: a**-1 + b, lambda a, b: a**0.5 * b),
    *(lambda a, b: a.relu(), lambda a, b: b.tanh(), lambda a, b: a.sigmoid(), lambda a, b: logsumexp([a, b])),
    *(lambda a, b: affine(a, [b, a], [a, b]), lambda a, b: sum_of_squares([a], [b]), lambda a, b: 1e160 * a),
]


@given(values=st.lists(EXTREMES, min_size=2, max_size=4), seed=st.integers(0, 2**32))
def test_finite_inputs_have_finite_gradients_or_an_error_and_none(values, seed):
    rng = random.Random(seed)
    inputs = [Var(value) for value in values]
    graph = list(inputs)
    try:
        for _ in range(6):
            graph.append(rng.choice(STEPS)(*rng.choices(graph, k=2)))
    except (ArithmeticError, ValueError):
        return
    failure = None
    try:
        graph[-1].backward()
    except (ArithmeticError, ValueError) as error:
        failure = str(error)
    gradients = [var.grad for var in graph]
    if failure is None:
        assert all(map(math.isfinite, gradients))
    else:
        assert failure.startswith("the derivative of ")
        assert gradients == [0.0] * len(graph)

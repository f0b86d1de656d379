"""The cross entropy of large logits, against PyTorch in double precision and against the limits of floats."""

import math
import sys

import pytest
import torch

from tinymlp.studies.logits import (
    INFINITE,
    compared_losses,
    exact_loss,
    failure,
    limits,
    naive_loss,
    numpy_outcome,
    stable_loss,
)


@pytest.mark.parametrize("loss", [naive_loss, stable_loss, exact_loss])
@pytest.mark.parametrize("target", [0, 1, 2])
def test_each_loss_is_that_of_pytorch_with_its_gradient(loss, target):
    logits = torch.tensor([[0.3, -1.2, 2.5]], dtype=torch.float64, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(logits, torch.tensor([target]))
    expected.backward()
    found, gradient = loss((0.3, -1.2, 2.5), target)
    assert found == pytest.approx(expected.item(), rel=1e-12)
    assert gradient == pytest.approx(logits.grad[0].tolist(), abs=1e-12)


def test_the_exact_loss_keeps_what_double_precision_rounds_away():
    loss, gradient = exact_loss((40, 0), 0)
    assert loss == pytest.approx(math.exp(-40), rel=1e-12)  # ln(1 + x) = x, almost
    assert gradient[0] == pytest.approx(-math.exp(-40), rel=1e-12)
    assert naive_loss((40, 0), 0)[0] == 0


@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        ((0, 1), None),
        ((1000, 0), "OverflowError"),  # exp(1000) is no float
        ((-1000, -1001), "ValueError"),  # the sum is 0, and has no logarithm
        ((-744, -745), INFINITE),
    ],
)
def test_the_naive_loss_fails_in_three_ways(logits, expected):
    assert failure(logits, 0) == expected


@pytest.mark.parametrize(
    ("logits", "outcome"), [((0, 1), "number"), ((1000, 0), "inf"), ((-1000, -1001), "-inf")]
)
def test_numpy_gives_infinities_without_an_error(logits, outcome):
    assert numpy_outcome(logits) == outcome


def test_a_comparison_has_none_for_what_does_not_exist():
    row = compared_losses((1000, 0), 1)
    assert (row["exact"], row["stable"], row["stable_error"]) == (1000, 1000, 0)
    assert (row["naive"], row["naive_error"], row["naive_gradient_error"]) == (None, None, None)
    infinite = compared_losses((-744, -745), 0)
    assert infinite["naive"] is not None
    assert infinite["naive_gradient_error"] is None
    assert infinite["stable_gradient_error"] < 1e-12
    assert compared_losses((2, 1), 0)["naive_gradient_error"] < 1e-15


def test_limits_are_the_first_whole_numbers_beyond_those_of_floats():
    found = limits()
    assert found["overflow_theory"] == pytest.approx(math.log(sys.float_info.max))
    assert (found["overflow"], found["infinite_gradient"], found["underflow"]) == (710, -710, -746)
    assert found["underflow_theory"] == pytest.approx(-1075 * math.log(2))

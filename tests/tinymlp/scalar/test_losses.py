"""The losses of networks of `Var`s: by hand, where PyTorch is exact, and where the naive formula fails."""

import math

import pytest
import torch

from tinymlp.scalar.autodiff import Var, nparray_to_Var
from tinymlp.scalar.losses import cross_entropy_loss, squared_loss


def test_squared_loss_by_hand_is_a_sum_without_a_half():
    t, y = nparray_to_Var([[1, 2], [3, 4]]), nparray_to_Var([[0, 4], [3, 1]])
    loss = squared_loss(t, y)
    loss.backward()
    assert loss.v == 1 + 4 + 0 + 9
    assert [[var.grad for var in row] for row in y] == [[-2, 4], [0, -6]]
    assert [[var.grad for var in row] for row in t] == [[2, -4], [0, 6]]


def test_targets_may_be_plain_numbers():
    y = [[Var(0.5)]]
    assert squared_loss([[1]], y).v == 0.25
    assert cross_entropy_loss([[1.0, 0.0]], [[Var(0.0), Var(0.0)]]).v == pytest.approx(math.log(2))


def test_cross_entropy_by_hand_and_its_gradient_is_softmax_minus_target():
    """Logits ln 1, ln 2, ln 5 are the probabilities 1/8, 2/8, 5/8."""
    h = [Var(0.0), Var(math.log(2)), Var(math.log(5))]
    loss = cross_entropy_loss([[0.0, 1.0, 0.0]], [h])
    loss.backward()
    assert loss.v == pytest.approx(math.log(4))
    assert [x.grad for x in h] == pytest.approx([1 / 8, 2 / 8 - 1, 5 / 8])


@pytest.mark.parametrize("size", [1.0, 50.0, 1e3, 1e5, 1e300])
def test_cross_entropy_of_large_logits_is_that_of_pytorch(size):
    logits = [size, -size, 0.25 * size]
    h = [Var(x) for x in logits]
    loss = cross_entropy_loss([[0.0, 0.5, 0.5]], [h])
    loss.backward()
    tensor = torch.tensor([logits], dtype=torch.float64, requires_grad=True)
    target = torch.tensor([[0.0, 0.5, 0.5]], dtype=torch.float64)
    expected = torch.nn.functional.cross_entropy(tensor, target)
    expected.backward()
    assert loss.v == pytest.approx(expected.item(), rel=1e-12)
    assert [x.grad for x in h] == pytest.approx(tensor.grad[0].tolist(), rel=1e-12, abs=1e-15)


def test_shifting_all_logits_changes_nothing():
    losses = [cross_entropy_loss([[0.3, 0.7]], [[Var(1.0 + c), Var(-2.0 + c)]]).v for c in (0, 700, -900)]
    assert losses[1:] == pytest.approx([losses[0]] * 2)


@pytest.mark.parametrize("loss", [squared_loss, cross_entropy_loss])
@pytest.mark.parametrize(
    ("t", "y", "message"),
    [
        ([[1.0]], [[Var(1.0)], [Var(2.0)]], "1 targets, but 2 outputs"),
        ([[1.0], [1.0]], [[Var(1.0)], [Var(2.0)] * 2], "point 1 has 1 targets, but 2 outputs"),
    ],
)
def test_other_sizes_are_refused(loss, t, y, message):
    with pytest.raises(ValueError, match=message):
        loss(t, y)

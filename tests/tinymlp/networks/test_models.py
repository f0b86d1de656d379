"""The network is the one that the assignment prints."""

import pytest
import torch
from torch import nn

from tinymlp.networks.models import Net, parameter_count

LISTING = """\
Net(
  (model): Sequential(
    (0): Linear(in_features=2, out_features=3, bias=True)
    (1): Tanh()
    (2): Linear(in_features=3, out_features=1, bias=True)
    (3): Identity()
  )
)"""


def test_prints_as_in_the_assignment():
    assert str(Net(depth=1, width=3)) == LISTING


def test_without_hidden_layer_it_is_linear_and_has_no_width():
    assert str(Net(0, 1)) == str(Net(0, 0)) == str(Net(0, 3))
    assert [type(layer) for layer in Net(0, 3).model] == [nn.Linear, nn.Identity]


def test_depth_counts_hidden_layers_each_with_the_activation():
    net = Net(3, 2, nn.ReLU)
    linear = [(layer.in_features, layer.out_features) for layer in net.model if isinstance(layer, nn.Linear)]
    assert linear == [(2, 2), (2, 2), (2, 2), (2, 1)]
    assert sum(isinstance(layer, nn.ReLU) for layer in net.model) == 3


def test_known_weights_give_xor():
    """Both hidden units are thresholds on x1 + x2: above 1/2 and below 3/2."""
    net = Net(1, 2)
    first, last = net.model[0], net.model[2]
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[40.0, 40.0], [-40.0, -40.0]]))
        first.bias.copy_(torch.tensor([-20.0, 60.0]))
        last.weight.copy_(torch.tensor([[10.0, 10.0]]))
        last.bias.copy_(torch.tensor([-10.0]))
    corners = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    torch.testing.assert_close(net(corners), torch.tensor([-10.0, 10, 10, -10]))


def test_logits_have_one_axis_less_than_the_points():
    assert Net(2, 3)(torch.zeros(5, 2)).shape == (5,)


@pytest.mark.parametrize("inputs", [2, 5])
@pytest.mark.parametrize("width", [1, 2, 3, 10])
@pytest.mark.parametrize("depth", [0, 1, 2, 3, 6])
def test_the_formula_counts_every_parameter(depth, width, inputs):
    counted = sum(p.numel() for p in Net(depth, width, inputs=inputs).parameters())
    assert parameter_count(depth, width, inputs) == counted


def test_counts_of_the_ten_networks_by_hand():
    counts = [parameter_count(0, 1)] + [parameter_count(d, w) for d in (1, 2, 3) for w in (1, 2, 3)]
    assert counts == [3, 5, 9, 13, 7, 15, 25, 9, 21, 37]


@pytest.mark.parametrize(("depth", "width"), [(-1, 2), (1, 0), (2, -3)])
def test_impossible_shapes_are_refused(depth, width):
    with pytest.raises(ValueError, match="depth >= 0"):
        Net(depth, width)
    with pytest.raises(ValueError, match="depth >= 0"):
        parameter_count(depth, width)

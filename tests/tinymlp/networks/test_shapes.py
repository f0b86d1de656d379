"""A shape names the layers that `Net` has, and refuses those it cannot have."""

import pytest
from torch import nn

from tinymlp.networks import Net, Shape, Training, start


def test_depth_zero_has_no_width():
    assert Shape(0, 1) == Shape(0, 3)
    assert len(start([Shape(0, 1), Shape(0, 2)], [0], Training(), seed=0).states) == 1


@pytest.mark.parametrize(("depth", "width"), [(0, 1), (1, 1), (2, 3), (3, 8)])
def test_layers_are_those_of_the_network(depth, width):
    linear = [module for module in Net(depth, width).modules() if isinstance(module, nn.Linear)]
    assert Shape(depth, width).layers == [(one.in_features, one.out_features) for one in linear]


@pytest.mark.parametrize(("depth", "width"), [(-1, 3), (1, 0), (2, -1)])
def test_an_impossible_shape_is_refused(depth, width):
    with pytest.raises(ValueError, match="depth >= 0 and hidden layers of width >= 1"):
        Shape(depth, width)


@pytest.mark.parametrize(
    ("shape", "name", "key"),
    [(Shape(2, 3), "2x3", "d2w3"), (Shape(1, 12), "1x12", "d1w12"), (Shape(0, 0), "0", "d0")],
)
def test_a_shape_has_a_name_and_a_key_and_is_found_by_both(shape, name, key):
    assert (shape.name, shape.key) == (name, key)
    assert Shape.parse(name) == Shape.parse(key) == shape


@pytest.mark.parametrize("text", ["", "2", "2x", "2w3", "d2x3", "0x0", "d0w0", "02x3", "2x3 ", "2x\u0663"])
def test_no_other_text_is_a_shape(text):
    with pytest.raises(ValueError, match="a shape is written"):
        Shape.parse(text)

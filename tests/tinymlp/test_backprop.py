"""The recursions of the layered network: by hand, against PyTorch autograd and central differences."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tinymlp.backprop import (
    ACTIVATIONS,
    Network,
    deltas,
    error,
    flat,
    forward,
    gradient,
    multiplications,
    point_gradient,
    softmax,
)
from tinymlp.gradcheck import numerical_gradient, relative_error

TORCH = {"identity": lambda a: a, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}


@st.composite
def cases(draw):
    """A network of 1 to 4 layers, with its points and targets."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=2, max_size=5))
    hidden = draw(
        st.lists(st.sampled_from(list(ACTIVATIONS)), min_size=len(sizes) - 2, max_size=len(sizes) - 2)
    )
    output = draw(st.sampled_from(["softmax", *ACTIVATIONS]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(1, 4))
    net = Network.of(
        [rng.normal(size=(b, 1 + a)) for a, b in pairwise(sizes)],
        [*hidden, output],
    )
    x = rng.normal(size=(n, sizes[0]))
    t = rng.dirichlet(np.ones(sizes[-1]), n) if output == "softmax" else rng.normal(size=(n, sizes[-1]))
    return net, x, t


def by_torch(net, x, t):
    """Return error and gradient of the same network, written with PyTorch."""
    w = {n: torch.tensor(matrix, requires_grad=True) for n, matrix in net.w.items()}
    z = torch.tensor(x)
    for n, matrix in w.items():
        a = z @ matrix[:, 1:].T + matrix[:, 0]
        z = a if net.h[n] == "softmax" else TORCH[net.h[n]](a)
    if net.h[net.L] == "softmax":
        loss = torch.nn.functional.cross_entropy(z, torch.tensor(t), reduction="sum")
    else:
        loss = ((z - torch.tensor(t)) ** 2).sum()
    loss.backward()
    return loss.item(), flat({n: matrix.grad.numpy() for n, matrix in w.items()})


@given(cases())
def test_error_and_gradient_are_those_of_pytorch(case):
    expected_error, expected = by_torch(*case)
    assert error(*case) == pytest.approx(expected_error, rel=1e-12, abs=1e-13)
    assert flat(gradient(*case)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("hidden", ["identity", "tanh", "sigmoid", "relu"])
@pytest.mark.parametrize("output", ["softmax", "identity", "tanh", "sigmoid"])
def test_gradient_agrees_with_central_differences(hidden, output):
    """Seed 3: no unit with ReLU is nearer to its kink than the steps of the differences."""
    rng = np.random.default_rng(3)
    sizes = [3, 4, 4, 2]
    weights = [rng.normal(size=(b, 1 + a)) for a, b in pairwise(sizes)]
    net = Network.of(weights, [hidden, hidden, output])
    x = rng.normal(size=(5, 3))
    t = np.eye(2)[rng.integers(2, size=5)] if output == "softmax" else rng.normal(size=(5, 2))
    found = numerical_gradient(lambda *w: error(net.moved_to(w), x, t), net.vector())
    assert relative_error(flat(gradient(net, x, t)), found) < 1e-8


class TestByHand:
    """Two inputs 1 and 2, one hidden tanh unit, one output: every formula by hand."""

    x, t = np.array([1.0, 2.0]), np.array([3.0])
    net = Network.of([[[0.1, 0.2, -0.3]], [[0.5, 2.0]]], ["tanh", "identity"])

    def test_forward(self):
        a, z = forward(self.net, self.x)
        a1 = 0.1 + 0.2 * 1 - 0.3 * 2
        assert a[1] == pytest.approx([a1])
        assert z[0].tolist() == [1, 1, 2]
        assert z[1] == pytest.approx([1, math.tanh(a1)])
        assert z[2][1:] == a[2] == pytest.approx([0.5 + 2 * math.tanh(a1)])

    def test_backward(self):
        a, z = forward(self.net, self.x)
        delta = deltas(self.net, a, z[2][1:], self.t)
        d2 = 2 * (0.5 + 2 * math.tanh(-0.3) - 3)
        d1 = (1 - math.tanh(-0.3) ** 2) * d2 * 2
        assert list(delta) == [2, 1]
        assert delta[2] == pytest.approx([d2])
        assert delta[1] == pytest.approx([d1])
        gradient_of = point_gradient(self.net, self.x, self.t)
        assert gradient_of[1] == pytest.approx(np.array([[d1, d1 * 1, d1 * 2]]))
        assert gradient_of[2] == pytest.approx(np.array([[d2, d2 * math.tanh(-0.3)]]))

    def test_gradient_sums_over_the_points(self):
        two = gradient(self.net, [self.x, [0, -1]], [self.t, [1]])
        one = point_gradient(self.net, self.x, self.t)
        other = point_gradient(self.net, np.array([0.0, -1.0]), np.array([1.0]))
        assert flat(two) == pytest.approx(flat(one) + flat(other))

    def test_softmax_and_its_error(self):
        """Pre-activations ln 1, ln 3 with target (0, 1): y = (1/4, 3/4), error ln 4/3, delta = (1/4, -1/4)."""
        net = Network.of([[[0.0, 0.0], [0.0, math.log(3)]]], ["softmax"])
        a, z = forward(net, np.array([1.0]))
        assert z[1][1:] == pytest.approx([0.25, 0.75])
        assert error(net, [[1.0]], [[0, 1]]) == pytest.approx(math.log(4 / 3))
        assert deltas(net, a, z[1][1:], np.array([0, 1]))[1] == pytest.approx([0.25, -0.25])


def test_large_pre_activations_do_not_overflow():
    net = Network.of([[[0.0, 1e4], [0.0, -1e4]]], ["softmax"])
    assert error(net, [[1.0]], [[0, 1]]) == pytest.approx(2e4)
    assert softmax(np.array([1e4, -1e4])).tolist() == [1, 0]
    assert error(Network.of([[[0.0, -1e4]]], ["sigmoid"]), [[1.0]], [[0.0]]) == 0


class Counted:
    """A number that counts its multiplications by weights."""

    count = 0

    def __init__(self, v):
        self.v = v

    def __add__(self, other):
        return Counted(self.v + other.v)

    def __mul__(self, other):
        Counted.count += 1
        return Counted(self.v * other.v)


@pytest.mark.parametrize("sizes", [[3, 2], [2, 5, 3], [4, 3, 6, 2]])
def test_multiplications_are_counted_by_doing_them(sizes):
    """Forward: each z times its weights. Backward: delta times z, and delta times the weights above."""
    pairs = list(pairwise(sizes))
    net = Network.of([np.ones((b, 1 + a)) for a, b in pairs], ["identity"] * len(pairs))

    def product(matrix, vector):
        rows = [[Counted(w) * z for w, z in zip(row, vector, strict=True)] for row in matrix]
        return [sum(row[1:], start=row[0]) for row in rows]

    Counted.count, z = 0, [[Counted(1.0)] * (1 + sizes[0])]
    for a, b in pairs:
        z.append([Counted(1.0), *product([[1.0] * (1 + a)] * b, z[-1])])
    forwards = Counted.count
    Counted.count, delta = 0, [Counted(1.0)] * sizes[-1]
    for n in range(len(pairs), 0, -1):
        _ = [[d * unit for unit in z[n - 1]] for d in delta]
        if n > 1:
            columns = [[1.0] * len(delta)] * pairs[n - 1][0]
            delta = product(columns, delta)
    assert multiplications(net) == (forwards, Counted.count)


@pytest.mark.parametrize(
    ("weights", "names", "message"),
    [
        ([np.ones((2, 3))], ["tanh", "tanh"], "1 matrices, 2 activations"),
        ([], [], "0 matrices"),
        ([np.ones((2, 3))], ["tan"], "layer 1 has 'tan'"),
        ([np.ones((2, 3)), np.ones((1, 3))], ["softmax", "tanh"], "layer 1 has 'softmax'"),
        ([np.ones((2, 3)), np.ones((1, 2))], ["tanh", "tanh"], r"w\[2\] has 2 columns, for 2 units"),
    ],
)
def test_networks_that_do_not_fit_are_refused(weights, names, message):
    with pytest.raises(ValueError, match=message):
        Network.of(weights, names)


@pytest.mark.parametrize(("x", "t"), [([[1.0]], [[1.0]]), ([[1.0, 2.0]], [[1.0, 2.0]]), ([1.0, 2.0], [1.0])])
def test_points_of_another_size_are_refused(x, t):
    net = Network.of([np.ones((1, 3))], ["tanh"])
    with pytest.raises(ValueError, match=r"takes x \(n, 2\) and t \(n, 1\)"):
        gradient(net, x, t)

"""The recursions of the derivation: by hand, against PyTorch, against finite differences, counted."""

import math
from dataclasses import replace

import mpmath
import numpy as np
import pytest
import torch

from tinymlp.scalar.backprop import (
    ACTIVATIONS,
    Network,
    activate,
    cross_entropy,
    error_signals,
    finite_differences,
    forward,
    gradient,
    log_sum_exp,
    logistic,
    loss,
    multiplications,
    random_network,
    softmax,
    squared_loss,
)
from tinymlp.scalar.gradcheck import forward_difference

TORCH = {
    "identity": lambda a: a,
    "tanh": torch.tanh,
    "logistic": torch.sigmoid,
    "relu": torch.relu,
}
OUTPUTS = ("softmax", "identity", "tanh", "logistic", "relu")
DEPTHS = (1, 2, 3, 4)

# 2-2-1, ReLU, then the identity, squared loss; two data points, t = 7 and -2. All by hand:
#   x = (1, 2):   a^(1) = (4, -1), z^(1) = (4, 0), y = 9,  delta^(2) = 4,  delta^(1) = (8, 0)
#   x = (-1, 1):  a^(1) = (1, 2),  z^(1) = (1, 2), y = -3, delta^(2) = -2, delta^(1) = (-4, 6)
BY_HAND = Network(
    {
        1: np.array([[1.0, 1.0, 1.0], [-1.0, -2.0, 1.0]]),
        2: np.array([[1.0, 2.0, -3.0]]),
    },
    {1: "relu", 2: "identity"},
)
X = np.array([[1.0, -1.0], [2.0, 1.0]])
T = np.array([[7.0, -2.0]])


def random_case(depth, hidden, output, seed):
    """Return a network of random widths with a data set of several points."""
    rng = np.random.default_rng([depth, OUTPUTS.index(output), seed])
    sizes = [int(m) for m in rng.integers(1, 6, depth + 1)]
    names = list(ACTIVATIONS) if hidden == "mixed" else [hidden]
    h = [*rng.choice(names, depth - 1).tolist(), output]
    net = random_network(sizes, h, rng)
    points = int(rng.integers(2, 6))
    x = rng.normal(size=(sizes[0], points))
    if output == "softmax":
        t = rng.dirichlet(np.ones(sizes[-1]), points).T
    else:
        t = rng.normal(size=(sizes[-1], points))
    return net, x, t


def torch_loss(net, parameters, x, t):
    """Return E and the pre-activations, by PyTorch, from points in rows and weights and biases apart."""
    z, a = torch.tensor(x.T), {}
    for layer, (weight, bias) in parameters.items():
        a[layer] = torch.nn.functional.linear(z, weight, bias)
        a[layer].retain_grad()
        z = a[layer] if net.h[layer] == "softmax" else TORCH[net.h[layer]](a[layer])
    targets = torch.tensor(t.T)
    if net.h[len(net.w)] == "softmax":
        return torch.nn.functional.cross_entropy(z, targets, reduction="sum"), a
    return torch.nn.functional.mse_loss(z, targets, reduction="sum"), a


def by_torch(net, x, t):
    """Return loss, gradients and error signals of PyTorch's autograd in double precision."""
    parameters = {
        layer: [torch.tensor(part, requires_grad=True) for part in (w[:, 1:], w[:, 0])]
        for layer, w in net.w.items()
    }
    total, a = torch_loss(net, parameters, x, t)
    total.backward()
    gradients = {
        layer: np.column_stack([bias.grad.numpy(), weight.grad.numpy()])
        for layer, (weight, bias) in parameters.items()
    }
    return total.item(), gradients, {layer: value.grad.numpy().T for layer, value in a.items()}


def agree(found, expected, **tolerance):
    assert list(found) == list(expected)
    for layer in expected:
        np.testing.assert_allclose(found[layer], expected[layer], **tolerance)


def test_forward_pass_by_hand():
    a, z = forward(BY_HAND, X)
    agree(a, {1: [[4, 1], [-1, 2]], 2: [[9, -3]]})
    agree(z, {0: X, 1: [[4, 1], [0, 2]], 2: [[9, -3]]})
    assert loss(BY_HAND, X, T) == 2**2 + 1**2


def test_error_signals_and_gradient_by_hand():
    a, z = forward(BY_HAND, X)
    delta = error_signals(BY_HAND, a, z, T)
    agree(delta, {2: [[4, -2]], 1: [[8, -4], [0, 6]]})
    agree(gradient(BY_HAND, X, T), {1: [[4, 12, 12], [6, -6, 6]], 2: [[2, 14, -4]]})


def test_softmax_and_cross_entropy_by_hand():
    """With a = (ln 1, ln 3) the outputs are 1/4 and 3/4."""
    net = Network({1: np.array([[0.0, 0.0], [0.0, math.log(3)]])}, {1: "softmax"})
    x, t = np.array([[1.0]]), np.array([[1.0], [0.0]])
    np.testing.assert_allclose(forward(net, x)[1][1], [[0.25], [0.75]])
    assert loss(net, x, t) == pytest.approx(math.log(4))
    agree(gradient(net, x, t), {1: [[-0.75, -0.75], [0.75, 0.75]]})


def test_tanh_network_follows_bishops_example():
    """Section 5.3.2: delta_j = (1 - z_j^2) sum_k w_kj delta_k; our delta_k is twice y_k - t_k, (5.65)."""
    net, x, t = random_case(2, "tanh", "identity", 0)
    a, z = forward(net, x)
    delta = error_signals(net, a, z, t)
    np.testing.assert_allclose(delta[2], 2 * (z[2] - t))
    for j, signal in enumerate(delta[1]):
        back = sum(net.w[2][k, j + 1] * delta[2][k] for k in range(len(delta[2])))
        np.testing.assert_allclose(signal, (1 - z[1][j] ** 2) * back)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("hidden", [*ACTIVATIONS, "mixed"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_loss_gradient_and_error_signals_are_those_of_pytorch(depth, hidden, output):
    for seed in range(5):
        net, x, t = random_case(depth, hidden, output, seed)
        expected, gradients, signals = by_torch(net, x, t)
        assert loss(net, x, t) == pytest.approx(expected, rel=1e-12)
        agree(gradient(net, x, t), gradients, rtol=1e-10, atol=1e-13)
        delta = error_signals(net, *forward(net, x), t)
        agree(dict(sorted(delta.items())), signals, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("output", ["softmax", "identity", "tanh", "logistic"])
@pytest.mark.parametrize("hidden", ["identity", "tanh", "logistic"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_gradient_is_that_of_central_differences(depth, hidden, output):
    for seed in range(3):
        net, x, t = random_case(depth, hidden, output, seed)
        agree(gradient(net, x, t), finite_differences(net, x, t), rtol=1e-7, atol=1e-8)


def test_relu_gradient_is_that_of_central_differences_away_from_kinks():
    checked = 0
    for seed in range(40):
        net, x, t = random_case(3, "relu", ("softmax", "relu")[seed % 2], seed)
        a, _ = forward(net, x)
        if min(np.abs(signal).min() for signal in a.values()) > 1e-3:  # steps are below 1e-5
            agree(gradient(net, x, t), finite_differences(net, x, t), rtol=1e-7, atol=1e-8)
            checked += 1
    assert checked > 20


def test_central_differences_across_a_kink_halve_the_slope():
    """E = relu(w)^2 summed with t = -1: at w = 0 the slope is 2 from above and 0 from below."""
    net = Network({1: np.array([[0.0, 0.0]])}, {1: "relu"})
    x, t = np.array([[0.0]]), np.array([[-1.0]])
    assert gradient(net, x, t)[1][0, 0] == 0  # as PyTorch has it
    assert finite_differences(net, x, t)[1][0, 0] == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_and_slopes_are_those_of_pytorch(name):
    values = np.array([-800.0, -40.0, -2.5, -1e-3, 0.0, 1e-3, 0.7, 3.0, 40.0, 800.0])
    a = torch.tensor(values, requires_grad=True)
    h = TORCH[name](a)
    h.sum().backward()
    np.testing.assert_allclose(activate(name, values), h.detach(), rtol=1e-13, atol=1e-300)
    np.testing.assert_allclose(ACTIVATIONS[name].slope(values), a.grad, rtol=1e-11, atol=1e-16)


def test_gradient_of_a_data_set_is_the_sum_over_its_points():
    net, x, t = random_case(3, "mixed", "softmax", 1)
    points = [gradient(net, x[:, [n]], t[:, [n]]) for n in range(x.shape[1])]
    assert len(points) > 1
    total = {layer: sum(point[layer] for point in points) for layer in net.w}
    agree(gradient(net, x, t), total, rtol=1e-12, atol=1e-14)


def test_bias_unit_sends_no_error_back_and_receives_the_sum_of_the_signals():
    net, x, t = random_case(3, "tanh", "identity", 2)
    a, z = forward(net, x)
    delta = error_signals(net, a, z, t)
    shifted = {layer: w + 100 * (np.arange(w.shape[1]) == 0) for layer, w in net.w.items()}
    agree(error_signals(replace(net, w=shifted), a, z, t), delta)
    for layer, found in gradient(net, x, t).items():
        np.testing.assert_allclose(found[:, 0], delta[layer].sum(axis=1))


def test_scores_of_any_size_give_finite_losses():
    a, t = np.array([[1000.0, -1000.0], [0.0, -1001.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(log_sum_exp(a), [1000, -1000 + math.log1p(math.exp(-1))])
    np.testing.assert_allclose(softmax(a).sum(axis=0), 1)
    assert cross_entropy(a, t) == pytest.approx(1000 + math.log1p(math.exp(-1)))
    assert logistic(np.array([-800.0, 800.0])).tolist() == [0, 1]


def test_squared_loss_has_no_factor_one_half():
    assert squared_loss(np.array([[1.0, 2.0], [3.0, 4.0]]), np.zeros((2, 2))) == 1 + 4 + 9 + 16


def test_finite_differences_leave_the_network_as_it_was_and_take_any_rule():
    net, x, t = random_case(2, "tanh", "softmax", 3)
    before = {layer: w.copy() for layer, w in net.w.items()}
    agree(finite_differences(net, x, t, forward_difference), gradient(net, x, t), atol=1e-6)
    with pytest.raises(ValueError, match="sum to one"):
        finite_differences(net, x, t + 1)
    agree(net.w, before, rtol=0)


class Counted:
    """A number that counts the multiplications with it; powers belong to h and E and do not count."""

    count = 0

    def __init__(self, value):
        self.value = float(value)

    def __mul__(self, other):
        Counted.count += 1
        return Counted(self.value * getattr(other, "value", other))

    __rmul__ = __mul__

    def __add__(self, other):
        return Counted(self.value + getattr(other, "value", other))

    __radd__ = __add__

    def __sub__(self, other):
        return Counted(self.value - getattr(other, "value", other))

    def __rsub__(self, other):
        return Counted(other - self.value)

    def __pow__(self, power):
        return Counted(self.value**power)

    def __gt__(self, other):
        return self.value > other

    def __ge__(self, other):
        return self.value >= getattr(other, "value", other)

    def tanh(self):
        return Counted(math.tanh(self.value))


def counted(function, *arguments):
    """Return how often `function` multiplies."""
    Counted.count = 0
    function(*arguments)
    return Counted.count


@pytest.mark.parametrize("output", ["softmax", "identity", "tanh"])
@pytest.mark.parametrize("sizes", [(3, 2), (1, 1, 1), (4, 6, 5, 3), (2, 7, 1, 4, 3)])
def test_multiplications_are_those_that_the_code_does(monkeypatch, sizes, output):
    monkeypatch.setattr("tinymlp.scalar.backprop.softmax", lambda a: a - 0.5)  # h does not count
    rng = np.random.default_rng(1)
    net = random_network(sizes, [*["tanh", "relu", "identity"][: len(sizes) - 2], output], rng)
    numbers = replace(net, w={layer: np.vectorize(Counted, [object])(w) for layer, w in net.w.items()})
    x, t = rng.normal(size=(sizes[0], 1)), np.full((sizes[-1], 1), 1 / sizes[-1])
    expected = multiplications(net)
    assert counted(forward, numbers, x) == expected.forward == net.n_weights
    assert counted(gradient, numbers, x, t) == expected.both


@pytest.mark.parametrize("sizes", [(3, 2), (1, 1, 1), (4, 6, 5, 3), (2, 7, 1, 4, 3)])
def test_backpropagation_takes_less_than_three_multiplications_for_each_weight(sizes):
    """3 W - D M_1 - K with softmax outputs, which is W with one layer; 2 K more with others."""
    for output, more in (("softmax", 0), ("tanh", 2 * sizes[-1])):
        net = random_network(sizes, [*["tanh"] * (len(sizes) - 2), output], np.random.default_rng(0))
        closed = 3 * net.n_weights - sizes[0] * sizes[1] - sizes[-1]
        assert multiplications(net).both == closed + more


def test_central_differences_take_two_forward_passes_for_each_weight(monkeypatch):
    net, x, t = random_case(3, "tanh", "softmax", 4)
    passes = []
    monkeypatch.setattr("tinymlp.scalar.backprop.forward", lambda *case: passes.append(1) or forward(*case))
    finite_differences(net, x, t)
    assert len(passes) == 2 * net.n_weights
    assert multiplications(net).central == len(passes) * multiplications(net).forward


def test_weights_are_counted_with_the_biases():
    net = random_network((4, 6, 5, 3), ("tanh", "tanh", "softmax"), np.random.default_rng(0))
    assert net.sizes == (4, 6, 5, 3)
    assert net.n_weights == 5 * 6 + 7 * 5 + 6 * 3


def test_random_weights_have_variance_one_over_their_number_for_each_unit():
    net = random_network((3, 9000, 2), ("tanh", "softmax"), np.random.default_rng(0))
    assert net.w[1].var() == pytest.approx(1 / 4, rel=0.03)
    assert net.w[2].var() == pytest.approx(1 / 9001, rel=0.03)


W1, W2 = np.zeros((3, 3)), np.zeros((2, 4))


@pytest.mark.parametrize(
    ("w", "h", "message"),
    [
        ({}, {}, "must be 1"),
        ({0: W1, 1: W2}, {0: "tanh", 1: "tanh"}, r"\[0, 1\]"),
        ({1: W1, 2: W2}, {1: "tanh"}, r"\[1, 2\], \[1\]"),
        ({1: W1, 2: np.zeros((2, 3))}, {1: "tanh", 2: "tanh"}, r"w\[2\] must have 1 \+ 3 columns, not 3"),
        ({1: np.zeros(3)}, {1: "tanh"}, r"w\[1\] must be \(units, 1 \+ units below\), not \(3,\)"),
        ({1: np.zeros((3, 1))}, {1: "tanh"}, "units below"),
        ({1: W1, 2: W2}, {1: "softmax", 2: "tanh"}, r"for the outputs, not h\[1\]"),
        ({1: W1}, {1: "sigmoid"}, "'sigmoid' is not one of: identity, tanh, logistic, relu, softmax"),
    ],
)
def test_networks_whose_layers_do_not_fit_are_refused(w, h, message):
    with pytest.raises(ValueError, match=message):
        Network(w, h)


@pytest.mark.parametrize("function", [loss, gradient, finite_differences])
@pytest.mark.parametrize(
    ("x", "t", "message"),
    [
        (np.zeros((3, 5)), np.full((2, 5), 0.5), r"inputs must be \(2, points\), not \(3, 5\)"),
        (np.zeros(2), np.full((2, 1), 0.5), r"not \(2,\)"),
        (np.zeros((2, 5)), np.full((2, 4), 0.5), r"targets must be \(2, 5\), not \(2, 4\)"),
        (np.zeros((2, 5)), np.full((1, 5), 1.0), r"targets must be \(2, 5\), not \(1, 5\)"),
        (np.zeros((2, 5)), np.full(2, 0.5), r"not \(2,\)"),
        (np.zeros((2, 5)), np.full((2, 5), 0.6), "sum to one"),
    ],
)
def test_data_that_do_not_fit_the_network_are_refused(function, x, t, message):
    net = Network({1: W1, 2: W2}, {1: "tanh", 2: "softmax"})
    with pytest.raises(ValueError, match=message):
        function(net, x, t)


def test_the_slope_of_tanh_is_right_where_tanh_is_nearly_one():
    a = np.concatenate([np.linspace(-30, 30, 241), [-745.0, -100.0, 19.0, 100.0, 372.0, 800.0]])
    with mpmath.workprec(200):
        exact = np.array([float(mpmath.sech(mpmath.mpf(x)) ** 2) for x in a.tolist()])
    np.testing.assert_allclose(ACTIVATIONS["tanh"].slope(a), exact, rtol=4e-15, atol=1e-322)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_nan_goes_through_an_activation_as_in_pytorch(name):
    a = torch.tensor([math.nan, 1.0, -1.0], dtype=torch.float64, requires_grad=True)
    h = 1 * TORCH[name](a)
    h.backward(torch.ones(3, dtype=torch.float64))
    with np.errstate(invalid="ignore"):  # logaddexp warns of NaN
        found = ACTIVATIONS[name].h(a.detach().numpy()), ACTIVATIONS[name].slope(a.detach().numpy())
    np.testing.assert_allclose(found, (h.detach().numpy(), a.grad.numpy()), rtol=1e-15)

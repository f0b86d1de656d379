"""Networks of `Var`s: the interface of the exercises, initialisers, and whole networks against PyTorch."""

import inspect
import math
import random
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import tinymlp
from tinymlp.scalar.autodiff import Var, Var_to_nparray, nparray_to_Var
from tinymlp.scalar.losses import cross_entropy_loss, squared_loss
from tinymlp.scalar.nn import (
    ConstantInitializer,
    DenseLayer,
    DenseLayer_Glorot_tanh,
    DenseLayer_He_relu,
    GlorotInitializer,
    HeInitializer,
    Initializer,
    NeuralNetwork,
    NormalInitializer,
    UniversalInitializer,
    forward,
    mean_squares,
    parameters,
    update_parameters,
    zero_gradients,
)

ACTIVATIONS = {
    "tanh": (Var.tanh, torch.tanh),
    "relu": (Var.relu, torch.relu),
    "sigmoid": (Var.sigmoid, torch.sigmoid),
    "identity": (Var.identity, lambda x: x),
}


def values(rows):
    return [[var.v for var in row] for row in rows]


class TestInterface:
    @pytest.mark.parametrize(
        ("function", "defaults"),
        [
            (NormalInitializer, {"mean": 0, "std": 0.1}),
            (ConstantInitializer, {"weight": 1.0, "bias": 0.0}),
            (update_parameters, {"learning_rate": 0.01}),
        ],
    )
    def test_defaults(self, function, defaults):
        signature = inspect.signature(function).parameters
        assert {name: signature[name].default for name in defaults} == defaults

    def test_parameters_stand_in_the_order_of_the_exercises(self):
        order = ["n_in", "n_out", "act_fn", "initializer"]
        assert list(inspect.signature(DenseLayer).parameters) == order
        assert isinstance(inspect.signature(DenseLayer).parameters["initializer"].default, NormalInitializer)
        for function in (DenseLayer_Glorot_tanh, DenseLayer_He_relu):
            assert list(inspect.signature(function).parameters)[:2] == ["n_in", "n_out"]
        assert list(inspect.signature(forward).parameters) == ["input", "network"]

    def test_a_layer_prints_all_of_its_parameters(self):
        layer = DenseLayer(1, 2, Var.tanh, ConstantInitializer(weight=0.5, bias=-1.0))
        weights = "[[Var(v=0.5000, grad=0.0000), Var(v=0.5000, grad=0.0000)]]"
        bias = "[Var(v=-1.0000, grad=0.0000), Var(v=-1.0000, grad=0.0000)]"
        assert repr(layer) == f"DenseLayer\n  weights: {weights}\n  bias: {bias}"

    def test_star_import_brings_all_names_of_the_exercises(self):
        scope = {}
        exec("from tinymlp import *", scope)
        names = (
            "Var Initializer NormalInitializer ConstantInitializer DenseLayer forward nparray_to_Var "
            "Var_to_nparray squared_loss cross_entropy_loss parameters update_parameters zero_gradients "
            "DenseLayer_Glorot_tanh DenseLayer_He_relu data_generator NeuralNetwork"
        )
        assert set(names.split()) <= scope.keys()
        assert scope["DenseLayer"] is DenseLayer

    def test_unknown_names_of_the_package_are_errors(self):
        with pytest.raises(AttributeError, match="DenceLayer"):
            _ = tinymlp.DenceLayer

    def test_a_notebook_like_session(self):
        """Code in the manner of the exercises: a layer by hand, a list as network, a training loop."""
        random.seed(1)
        network = [DenseLayer(1, 5, lambda x: x.tanh()), DenseLayer(5, 1, lambda x: x.identity())]
        x, t = nparray_to_Var(np.linspace(-1, 1, 8)), nparray_to_Var(np.linspace(-1, 1, 8) ** 2)
        losses = []
        for _ in range(30):
            loss = squared_loss(t, forward(x, network))
            losses.append(loss.v)
            zero_gradients(parameters(network))
            loss.backward()
            update_parameters(parameters(network), learning_rate=0.01)
        assert len(parameters(network)) == 5 + 5 + 5 + 1
        assert all(after < before for before, after in pairwise(losses))


class TestLayers:
    def test_forward_of_constant_weights_by_hand(self):
        """Two inputs 1 and 2, weights 0.5, biases 0.25: each hidden unit gets 1.75, three of them 5.5."""
        network = [
            DenseLayer(2, 3, Var.identity, ConstantInitializer(0.5, 0.25)),
            DenseLayer(3, 1, Var.tanh, ConstantInitializer()),
        ]
        hidden = network[0].forward([Var(1.0), Var(2.0)])
        assert [unit.v for unit in hidden] == [1.75] * 3
        assert values(forward([[Var(1.0), Var(2.0)]], network)) == [[math.tanh(5.25)]]

    def test_weights_lead_from_input_i_to_unit_j(self):
        layer = DenseLayer(2, 3, Var.identity, ConstantInitializer(0.0))
        layer.weights[0][2].v = 10.0
        layer.weights[1][0].v = 7.0
        layer.bias[1].v = 1.0
        assert [unit.v for unit in layer.forward([Var(1.0), Var(2.0)])] == [14.0, 1.0, 10.0]

    def test_parameters_are_the_weights_row_by_row_then_the_biases(self):
        layer = DenseLayer(2, 3, Var.tanh)
        assert (len(layer.weights), len(layer.weights[0]), len(layer.bias)) == (2, 3, 3)
        assert layer.parameters() == layer.weights[0] + layer.weights[1] + layer.bias

    def test_another_number_of_inputs_is_refused(self):
        with pytest.raises(ValueError, match="takes 2 inputs, not 1"):
            DenseLayer(2, 3, Var.tanh).forward([Var(1.0)])

    def test_layers_without_units_are_refused(self):
        with pytest.raises(ValueError, match="n_out=0"):
            DenseLayer(2, 0, Var.tanh)

    def test_a_network_keeps_and_updates_its_parameters(self):
        network = NeuralNetwork([DenseLayer_He_relu(2, 3), DenseLayer(3, 1, Var.identity)])
        assert network.parameters == parameters(network) == parameters(network.layers)
        before = [p.v for p in network.parameters]
        squared_loss([[1.0]], network.forward([[Var(1.0), Var(2.0)]])).backward()
        gradients = [p.grad for p in network.parameters]
        assert any(gradients)
        network.update(0.5)
        network.zero_gradients()
        expected = [v - 0.5 * g for v, g in zip(before, gradients, strict=True)]
        assert [(p.v, p.grad) for p in network.parameters] == [(v, 0.0) for v in expected]

    def test_layers_that_do_not_fit_are_refused(self):
        with pytest.raises(ValueError, match="3 units, 2 inputs"):
            NeuralNetwork([DenseLayer(2, 3, Var.tanh), DenseLayer(2, 1, Var.tanh)])


class TestInitialisers:
    @pytest.mark.parametrize(
        ("initialiser", "mean", "variance"),
        [
            (NormalInitializer(), 0, 0.01),
            (NormalInitializer(2, std=3), 2, 9),
            (GlorotInitializer(), 0, 2 / 400),
            (GlorotInitializer(2.0), 0, 4 / 400),
            (HeInitializer(), 0, 2 / 100),
            (HeInitializer(1.0), 0, 1 / 100),
            (UniversalInitializer(Var.relu), 0, 2 / 100),
        ],
    )
    def test_mean_and_variance_of_the_weights(self, initialiser, mean, variance):
        """30,000 weights: the mean within 4 standard errors, the variance within 4 of sqrt(2 / n)."""
        initialiser.rng = random.Random(5)
        weights = initialiser.init_weights(100, 300)
        assert (len(weights), {len(row) for row in weights}) == (100, {300})
        drawn = np.array(values(weights)).ravel()
        assert drawn.mean() == pytest.approx(mean, abs=4 * math.sqrt(variance / 30_000))
        assert drawn.var() == pytest.approx(variance, rel=4 * math.sqrt(2 / 30_000))
        assert [b.v for b in initialiser.init_bias(3)] == [0.0, 0.0, 0.0]

    def test_constant_weights_and_biases(self):
        initialiser = ConstantInitializer(2.0, -1.0)
        assert values(initialiser.init_weights(2, 3)) == [[2.0] * 3] * 2
        assert [b.v for b in initialiser.init_bias(2)] == [-1.0, -1.0]

    def test_each_weight_is_a_var_of_its_own(self):
        for initialiser in (ConstantInitializer(), NormalInitializer()):
            weights = [w for row in initialiser.init_weights(3, 4) for w in row]
            assert len({id(w) for w in [*weights, *initialiser.init_bias(4)]}) == 16

    def test_the_seed_decides(self):
        first, second = (NormalInitializer(rng=random.Random(3)).init_weights(2, 2) for _ in range(2))
        assert values(first) == values(second)
        random.seed(3)
        assert values(NormalInitializer().init_weights(2, 2)) == values(first)

    def test_ready_made_layers_have_their_activation_and_variance(self):
        rng = random.Random(7)
        for make, activation, variance in (
            (DenseLayer_Glorot_tanh, math.tanh, 2 / 300),
            (DenseLayer_He_relu, lambda x: max(x, 0.0), 2 / 100),
        ):
            layer = make(100, 200, rng)
            assert layer.act_fn(Var(-0.3)).v == activation(-0.3)
            weights = np.array(values(layer.weights))
            assert weights.var() == pytest.approx(variance, rel=4 * math.sqrt(2 / 20_000))

    @pytest.mark.parametrize("name", ACTIVATIONS)
    def test_mean_squares_of_an_activation_and_its_slope_against_simulation(self, name):
        ours, theirs = ACTIVATIONS[name]
        a = torch.randn(4_000_000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        a = (math.sqrt(0.7) * a).requires_grad_()
        h = theirs(a)
        (slope,) = torch.autograd.grad(h.sum(), a)
        expected = [(h**2).mean().item(), (slope**2).mean().item()]
        assert mean_squares(ours, 0.7) == pytest.approx(expected, rel=3e-3)

    def test_mean_squares_that_are_known(self):
        assert mean_squares(Var.identity) == pytest.approx((1, 1))
        assert mean_squares(Var.relu, 3.0) == pytest.approx((1.5, 0.5))

    def test_an_activation_that_passes_on_nothing_is_refused(self):
        with pytest.raises(ValueError, match="no signal"):
            UniversalInitializer(lambda x: 0 * x)

    def test_the_base_class_initialises_nothing(self):
        with pytest.raises(NotImplementedError):
            Initializer().init_weights(1, 1)
        with pytest.raises(NotImplementedError):
            Initializer().init_bias(1)


@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    names=st.lists(st.sampled_from(list(ACTIVATIONS)), min_size=4, max_size=4),
    classify=st.booleans(),
    points=st.integers(1, 4),
    seed=st.integers(0, 2**32),
)
def test_whole_networks_have_the_outputs_losses_and_gradients_of_pytorch(
    sizes, names, classify, points, seed
):
    rng = np.random.default_rng(seed)
    initialiser = NormalInitializer(0.1, 0.8, random.Random(seed))
    shapes = list(pairwise(sizes))
    network = [
        DenseLayer(a, b, ACTIVATIONS[name][0], initialiser)
        for (a, b), name in zip(shapes, names, strict=False)
    ]
    x = rng.normal(size=(points, sizes[0]))
    t = rng.dirichlet(np.ones(sizes[-1]), points) if classify else rng.normal(size=(points, sizes[-1]))

    y = forward(nparray_to_Var(x), network)
    loss = (cross_entropy_loss if classify else squared_loss)(nparray_to_Var(t), y)
    loss.backward()

    signal, tensors = torch.tensor(x), []
    for layer, name in zip(network, names, strict=False):
        weights = torch.tensor(values(layer.weights), dtype=torch.float64, requires_grad=True)
        bias = torch.tensor([b.v for b in layer.bias], dtype=torch.float64, requires_grad=True)
        signal = ACTIVATIONS[name][1](signal @ weights + bias)
        tensors += [weights, bias]
    target = torch.tensor(t)
    if classify:
        expected = torch.nn.functional.cross_entropy(signal, target, reduction="sum")
    else:
        expected = ((target - signal) ** 2).sum()
    expected.backward()

    assert Var_to_nparray(y) == pytest.approx(signal.detach().numpy(), rel=1e-12, abs=1e-14)
    assert loss.v == pytest.approx(expected.item(), rel=1e-12, abs=1e-14)
    gradients = torch.cat([tensor.grad.ravel() for tensor in tensors]).numpy()
    assert [p.grad for p in parameters(network)] == pytest.approx(gradients, rel=1e-9, abs=1e-12)

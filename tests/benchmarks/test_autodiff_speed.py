"""Our scalar autodiff against micrograd, and a tape against fresh graphs, each with the same results."""

import random
import sys
from time import perf_counter

import numpy as np
import pytest
from micrograd.engine import Value
from micrograd.nn import MLP

from tinymlp.scalar import (
    DenseLayer,
    NeuralNetwork,
    NormalInitializer,
    Var,
    descend,
    descend_by_tape,
    forward,
    nparray_to_Var,
    parameters,
    squared_loss,
    update_parameters,
    zero_gradients,
)

POINTS = 105
HIDDEN = 8
DOUBLINGS = 400  # micrograd recurses
TIMES = 60
LEARNING_RATE = 1e-4


@pytest.fixture(autouse=True)
def _deep_recursion():
    """Micrograd's backward pass recurses as deep as the graph."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(limit)


def seconds(*functions):
    """Return the best of several runs of each, by turns: what else the machine does can only add."""
    taken = [[] for _ in functions]
    for _ in range(TIMES):
        for function, times in zip(functions, taken, strict=True):
            start = perf_counter()
            function()
            times.append(perf_counter() - start)
    return [min(times) for times in taken]


def task():
    rng = random.Random(0)
    x = [rng.gauss(0, 1) for _ in range(POINTS)]
    return x, [value + rng.gauss(0, 0.3) for value in x]


def micrograd_epoch(x, t):
    """Return a function that takes a step of gradient descent with a 1-8-1 ReLU network, and the network."""
    random.seed(0)
    network = MLP(1, [HIDDEN, 1])

    def epoch():
        loss = Value(0.0)
        for value, target in zip(x, t, strict=True):
            loss = loss + (network([value]) - target) ** 2
        network.zero_grad()
        loss.backward()
        for p in network.parameters():
            p.data -= LEARNING_RATE * p.grad
        return loss.data

    return epoch, network


def our_epoch(x, t, twin):
    """Return the same step for the same network of `Var`s."""
    network = [DenseLayer(1, HIDDEN, Var.relu), DenseLayer(HIDDEN, 1, Var.identity)]
    for layer, other in zip(network, twin.layers, strict=True):
        for j, neuron in enumerate(other.neurons):
            layer.bias[j].v = float(neuron.b.data)
            for i, weight in enumerate(neuron.w):
                layer.weights[i][j].v = float(weight.data)
    inputs, targets, params = nparray_to_Var(x), nparray_to_Var(t), parameters(network)

    def epoch():
        loss = squared_loss(targets, forward(inputs, network))
        zero_gradients(params)
        loss.backward()
        update_parameters(params, LEARNING_RATE)
        return loss.v

    return epoch


def test_a_training_epoch_is_faster_than_micrograds(benchmark):
    x, t = task()
    theirs, twin = micrograd_epoch(x, t)
    ours = our_epoch(x, t, twin)
    losses = [(ours(), theirs()) for _ in range(5)]
    assert all(a == pytest.approx(b, rel=1e-9) for a, b in losses)
    benchmark.pedantic(ours, rounds=TIMES)
    other, mine = seconds(theirs, ours)
    ratio = other / mine
    benchmark.extra_info.update(ratio=round(ratio, 2))
    print(f"\none epoch, {POINTS} points, 1-{HIDDEN}-1 ReLU: {mine * 1e3:.1f} ms, {ratio:.2f} times as fast")
    assert ratio > 1


@pytest.mark.parametrize("activation", [Var.relu, Var.tanh], ids=["relu", "tanh"])
def test_an_epoch_by_tape_is_several_times_faster_than_by_fresh_graphs(benchmark, activation):
    x, t = map(np.array, task())

    def losses(train):
        start = NormalInitializer(std=1.0, rng=random.Random(0))
        layers = [DenseLayer(1, HIDDEN, activation, start), DenseLayer(HIDDEN, 1, Var.identity, start)]
        return train(NeuralNetwork(layers), x[:, None], t, LEARNING_RATE, 100 * TIMES)

    by_graphs, by_tape = losses(descend), losses(descend_by_tape)
    assert all(next(by_graphs) == next(by_tape) for _ in range(5))
    benchmark.pedantic(next, (by_tape,), rounds=TIMES)
    other, mine = seconds(lambda: next(by_graphs), lambda: next(by_tape))
    ratio = other / mine
    benchmark.extra_info.update(ratio=round(ratio, 2))
    print(f"\none epoch by tape, {POINTS} points: {mine * 1e3:.2f} ms, {ratio:.1f} times as fast")
    assert ratio > 4


def test_the_shared_graph_is_faster_than_micrograds(benchmark):
    def doubled(number):
        x = y = number(1e-100)
        for _ in range(DOUBLINGS):
            y = y + y
        y.backward()
        return x.grad

    assert doubled(Var) == doubled(Value) == 2.0**DOUBLINGS
    benchmark.pedantic(doubled, (Var,), rounds=TIMES)
    other, mine = seconds(lambda: doubled(Value), lambda: doubled(Var))
    ratio = other / mine
    benchmark.extra_info.update(ratio=round(ratio, 2))
    print(f"\n{DOUBLINGS} doublings: {mine * 1e6:.0f} us, {ratio:.2f} times as fast")
    assert ratio > 1

"""Tapes: values, gradients and errors are those of `Var` to the last bit; against PyTorch and differences."""

import math
import random
from itertools import pairwise

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from tinymlp.scalar.autodiff import Var, affine, logsumexp, nparray_to_Var, sum_of_squares, total
from tinymlp.scalar.gradcheck import central_difference
from tinymlp.scalar.losses import cross_entropy_loss, squared_loss
from tinymlp.scalar.nn import DenseLayer, NeuralNetwork, NormalInitializer
from tinymlp.scalar.tape import Tape, rules

OPERATIONS = {  # on any three numbers
    "+": lambda a, b, c: a + b,
    "-": lambda a, b, c: a - b,
    "*": lambda a, b, c: a * b,
    "neg": lambda a, b, c: -a,
    "identity": lambda a, b, c: a.identity(),
    "relu": lambda a, b, c: a.relu(),
    "tanh": lambda a, b, c: a.tanh(),
    "sigmoid": lambda a, b, c: a.sigmoid(),
    "sum": lambda a, b, c: total([a, b, c]),
    "affine": lambda a, b, c: affine(a, [b, c], [c, a]),
    "sum of squares": lambda a, b, c: sum_of_squares([a, b], [b, c]),
    "logsumexp": lambda a, b, c: logsumexp([a, b, c]),
    "a plain number": lambda a, b, c: 3 * a - 0.1,
}
ORDINARY = st.floats(-3, 3)
ANY = st.sampled_from(
    [0.0, -0.0, 5e-324, 1e-160, 1.5, -1.5, 20.0, 1e154, -1e200, 1.7e308, math.inf, math.nan]
)
PROGRAMS = st.lists(st.tuples(st.sampled_from(sorted(OPERATIONS)), *[st.integers(0, 9)] * 3), max_size=12)


def run(program, inputs):
    """Return the last result of operations that take three of the newest ten numbers, all of them summed."""
    numbers = list(inputs)
    for name, *which in program:
        newest = numbers[-10:]
        numbers.append(OPERATIONS[name](*(newest[i % len(newest)] for i in which)))
    return total(numbers[-4:])


def backward(root, inputs):
    """Return the gradients after a backward pass, or the error that it raises, to the last bit."""
    try:
        root.backward()
    except (ArithmeticError, ValueError) as error:
        return type(error), str(error), [x.grad.hex() for x in inputs]
    return [x.grad.hex() for x in inputs]


def test_each_rule_is_among_the_random_graphs():
    x, y, z = Var(1.0), Var(2.0), Var(3.0)
    made = {operation(x, y, z).operation for operation in OPERATIONS.values()}
    assert made == set(rules())


@given(PROGRAMS, st.lists(st.tuples(*[ORDINARY | ANY] * 3), min_size=2, max_size=4))
@example([("tanh", 0, 0, 0), ("*", 0, 1, 2), ("+", 0, 0, 0)], [(1.0, 2.0, 3.0)] * 3)
@example([("*", 0, 1, 0)] * 3, [(1.0, 2.0, 3.0), (1e160, 1e150, 0.0), (3.0, 2.0, 1.0)])  # an error in between
def test_passes_over_a_random_graph_are_those_of_fresh_graphs_of_vars(program, settings):
    inputs = [Var(value) for value in settings[0]]
    tape = Tape(run(program, inputs))
    for values in settings:
        fresh = [Var(value) for value in values]
        for x, other, value in zip(inputs, fresh, values, strict=True):
            x.v, other.grad = value, x.grad  # gradients go on from those of earlier passes
        root = run(program, fresh)
        assert tape.forward().hex() == root.v.hex()
        assert backward(tape, inputs) == backward(root, fresh)


@given(st.lists(st.floats(-30, 30), min_size=5, max_size=5))
def test_gradients_are_those_of_pytorch(values):
    def graph(a, b, c, d, e, tanh, sigmoid, relu, lse):
        shared = tanh(a * b + c)  # goes two ways
        return sigmoid(shared - d) * shared + relu(e) * shared - lse([a, shared, e])

    ours = [Var(0.5) for _ in values]
    tape = Tape(graph(*ours, Var.tanh, Var.sigmoid, Var.relu, logsumexp))
    theirs = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in values]
    for x, value in zip(ours, values, strict=True):
        x.v = value
    root = graph(
        *theirs, torch.tanh, torch.sigmoid, torch.relu, lambda terms: torch.logsumexp(torch.stack(terms), 0)
    )
    root.backward()
    assert tape.forward() == pytest.approx(root.item(), rel=1e-12, abs=1e-12)
    tape.backward()
    assert [x.grad for x in ours] == pytest.approx([x.grad.item() for x in theirs], rel=1e-9, abs=1e-12)


def network(rng, *widths, act_fn=Var.tanh):
    start = NormalInitializer(std=1.0, rng=rng)
    return NeuralNetwork([DenseLayer(n_in, n_out, act_fn, start) for n_in, n_out in pairwise(widths)])


@pytest.mark.parametrize("loss", [squared_loss, cross_entropy_loss])
def test_gradients_of_a_network_are_central_differences_of_its_recorded_loss(loss):
    rng = random.Random(3)
    net = network(rng, 2, 3, 2)
    points = [[Var(rng.gauss(0, 1)) for _ in range(2)] for _ in range(4)]
    tape = Tape(loss([[0.0, 1.0], [1.0, 0.0]] * 2, net.forward(points)))
    for p in net.parameters:
        p.v += rng.gauss(0, 0.3)
    tape.forward()
    tape.backward()

    def at(p):
        def value(v):
            before, p.v = p.v, v
            found = tape.forward()
            p.v = before
            return found

        return value

    differences = [central_difference(at(p), p.v) for p in net.parameters]
    assert [p.grad for p in net.parameters] == pytest.approx(differences, rel=1e-7, abs=1e-8)


def test_layers_that_share_their_weights_have_the_gradients_of_vars():
    rng = random.Random(4)
    net = network(rng, 3, 3, 3, 3, act_fn=Var.relu)
    for layer in net.layers[1:]:
        layer.weights, layer.bias = net.layers[0].weights, net.layers[0].bias
    points = [[Var(rng.gauss(0, 1)) for _ in range(3)] for _ in range(5)]
    shared = net.layers[0].parameters()

    def loss():
        return squared_loss([[1.0, -1.0, 0.5]] * 5, net.forward(points))

    tape, off = Tape(loss()), []
    for _ in range(6):
        for p in shared:
            p.v += rng.gauss(0, 0.5)
            p.grad = 0.0
        root = loss()
        assert tape.forward() == root.v
        root.backward()
        by_vars = [p.grad for p in shared]
        for p in shared:
            p.grad = 0.0
        tape.backward()
        assert [p.grad for p in shared] == by_vars
        off.append(by_vars.count(0.0))
    assert min(off) < max(off)  # units go on and off


def test_only_inputs_get_values_and_gradients():
    x = Var(3.0)
    y = x * x
    tape = Tape(y + x)
    x.v = 5.0
    assert (tape.forward(), y.v) == (30.0, 9.0)
    tape.backward()
    assert (x.grad, y.grad) == (11.0, 0.0)


def test_a_second_backward_pass_adds_to_the_first():
    x = Var(3.0)
    tape = Tape(2 * x * x)
    tape.backward()  # a tape begins with the values that it has recorded
    tape.backward()
    assert x.grad == 24.0


def test_an_input_alone_has_derivative_one():
    x = Var(3.0)
    tape = Tape(x)
    x.v = 7.0
    assert tape.forward() == 7.0
    tape.backward()
    assert x.grad == 1.0


def test_a_graph_may_be_deeper_than_the_recursion_limit():
    x = Var(1.0)
    y = x
    for _ in range(2000):
        y = y + x
    tape = Tape(y)
    x.v = 2.0
    assert tape.forward() == 4002.0
    tape.backward()
    assert x.grad == 2001.0


def test_a_gradient_that_is_too_large_is_named_and_the_next_pass_is_right():
    x, y = Var(1.0), Var(1.0)
    tape = Tape((x * y) * y)
    x.v, y.v = 1e-300, 1e200
    tape.forward()
    with pytest.raises(OverflowError, match=r"^the derivative of 1e-300 \* 1e\+200: the result is too large"):
        tape.backward()
    assert (x.grad, y.grad) == (0.0, 0.0)
    x.v, y.v = 2.0, 3.0
    assert tape.forward() == 18.0
    tape.backward()
    assert (x.grad, y.grad) == (9.0, 12.0)


def test_gradients_whose_sum_over_passes_is_too_large_are_an_error():
    x = Var(2.0)
    tape = Tape(x * 1e308)
    tape.backward()
    with pytest.raises(
        OverflowError, match=r"^the sum of the gradients of Var\(2\.0\): the result is too large"
    ):
        tape.backward()
    assert x.grad == 1e308


def test_gradients_of_results_do_not_add_up_from_pass_to_pass():
    x, large, factor = Var(2.0), Var(math.inf), Var(1.0)
    tape = Tape(-x * 1.7e308 + large * factor)
    for _ in range(2):
        x.grad = factor.grad = 0.0
        tape.backward()
        assert (x.grad, factor.grad) == (-1.7e308, math.inf)  # an infinity that was put in is no error


REFUSED = {
    "'/'": lambda x: x / 2,
    r"'\*\*'": lambda x: x**2,
    "'exp'": lambda x: x.exp(),
    "'log'": lambda x: x.log(),
    "a grad_fn given by hand": lambda x: Var(math.sin(x.v), lambda: [(x, math.cos(x.v))]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_repeated_is_refused(name):
    root = REFUSED[name](Var(2.0)) + 1
    with pytest.raises(ValueError, match=f"a tape cannot repeat {name}: build the graph for each pass"):
        Tape(root)


def test_arrays_become_inputs():
    points = nparray_to_Var([[1.0, 2.0], [3.0, 4.0]])
    tape = Tape(total([a * b for a, b in points]))
    assert tape.forward() == 14.0
    points[1][0].v = 0.0
    assert tape.forward() == 2.0

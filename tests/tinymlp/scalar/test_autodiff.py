"""`Var`: values and gradients against hand calculation, PyTorch, central differences and plain recursion."""

import copy
import math
import random

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from tinymlp.scalar.autodiff import (
    Var,
    Var_to_nparray,
    affine,
    logsumexp,
    nparray_to_Var,
    sum_of_squares,
    total,
)
from tinymlp.scalar.gradcheck import gradient, gradient_error
from tinymlp.scalar.losses import cross_entropy_loss, squared_loss


class Plain:
    """The recursion rule of the exercises, stated again: one call for each path, nothing shared."""

    def __init__(self, v, edges=()):
        self.v, self.edges, self.grad = v, edges, 0.0

    def backprop(self, bp):
        self.grad += bp
        for plain, derivative in self.edges:
            plain.backprop(bp * derivative)


def example():
    a, b, d = Var(3.0), Var(5.0), Var(9.0)
    c, e = a * b, a * d
    return a, b, d, c, e, c + e


def passes_on(var):
    """What grad_fn returns, as names of places and numbers, to compare by value."""
    return [(id(operand), derivative) for operand, derivative in var.grad_fn()]


class TestInterface:
    def test_a_var_begins_with_its_value_no_gradient_and_no_inputs(self):
        a = Var(3.0)
        assert (a.v, a.grad, a.grad_fn()) == (3.0, 0.0, [])

    def test_repr_shows_value_and_gradient_with_four_decimals(self):
        assert repr(Var(1 / 3)) == "Var(v=0.3333, grad=0.0000)"

    def test_product_knows_its_inputs_and_the_local_derivatives(self):
        a, b = Var(3.0), Var(5.0)
        assert passes_on(a * b) == [(id(a), 5.0), (id(b), 3.0)]

    def test_first_example(self):
        a, b = Var(3.0), Var(5.0)
        f = a * b
        f.backward()
        assert (f.v, a.grad, b.grad, f.grad) == (15.0, 5.0, 3.0, 1.0)

    def test_second_backward_doubles_every_gradient(self):
        a, b, d, c, e, f = example()
        expected = (14.0, 3.0, 3.0, 1.0, 1.0, 1.0)
        f.backward()
        assert tuple(x.grad for x in (a, b, d, c, e, f)) == expected
        f.backward()
        assert a.grad == 28.0
        assert tuple(x.grad for x in (a, b, d, c, e, f)) == tuple(2 * g for g in expected)

    def test_gradients_accumulate_over_backprops_of_several_results(self):
        a, b, d, c, e, f = example()
        f.backprop(2.0)
        c.backprop(-0.5)
        e.backward()
        assert (a.grad, b.grad, d.grad) == (2 * 14 - 0.5 * 5 + 9, 2 * 3 - 0.5 * 3, 2 * 3 + 3)
        assert (c.grad, e.grad, f.grad) == (1.5, 3.0, 2.0)

    def test_minus_one_takes_a_backward_back(self):
        *inputs, f = example()
        f.backward()
        f.backward()
        f.backprop(-1.0)
        f.backprop(-1.0)
        assert [x.grad for x in (*inputs, f)] == [0.0] * 6

    def test_grad_fn_reads_the_values_at_the_time_of_the_backward_pass(self):
        a, b = Var(3.0), Var(5.0)
        f = a * b
        b.v = 7.0
        f.backward()
        assert (f.v, a.grad, b.grad) == (15.0, 7.0, 3.0)

    def test_a_var_made_with_a_grad_fn_takes_part(self):
        x = Var(0.7)
        sine = Var(math.sin(x.v), lambda: [(x, math.cos(x.v))])
        (sine * sine).backward()
        assert x.grad == pytest.approx(2 * math.sin(0.7) * math.cos(0.7), rel=1e-15)

    def test_grad_fn_may_be_replaced(self):
        x = Var(2.0)
        y = x * 3
        y.grad_fn = lambda: [(x, 100.0)]
        y.backward()
        assert x.grad == 100.0

    def test_grad_fn_is_called_once_for_each_backward_pass(self):
        calls = []
        x = Var(1.0)
        y = Var(1.0, lambda: calls.append("y") or [(x, 2.0)])
        f = y * y + y
        f.backward()
        assert (x.grad, calls) == (6.0, ["y"])

    def test_copies_are_apart(self):
        w = Var(1.0)
        w.name = "w"
        other = copy.deepcopy([w])[0]
        other.v = 2.0
        assert (w.v, other.v, other.name, other.grad_fn()) == (1.0, 2.0, "w", [])

    def test_texts_are_refused(self):
        with pytest.raises(TypeError, match="not '3'"):
            Var("3")


class TestNumbersAsOperands:
    @pytest.mark.parametrize(
        ("f", "value", "derivative"),
        [
            (lambda x: 2 * x, 8, 2),
            (lambda x: x * 2, 8, 2),
            (lambda x: x - 1, 3, 1),
            (lambda x: 1 - x, -3, -1),
            (lambda x: x + 1, 5, 1),
            (lambda x: 1 + x, 5, 1),
            (lambda x: x / 2, 2, 0.5),
            (lambda x: 1 / x, 0.25, -1 / 16),
            (lambda x: x**2, 16, 8),
            (lambda x: x**0.5, 2, 0.25),
            (lambda x: x**-1, 0.25, -1 / 16),
            (lambda x: x**0, 1, 0),
            (lambda x: 2**x, 16, 16 * math.log(2)),
            (lambda x: 0**x, 0, 0),
            (lambda x: sum([x, x, x]), 12, 3),
            (lambda x: np.float64(2) * x, 8, 2),
            (lambda x: np.float32(1) - x, -3, -1),
            (lambda x: x * np.int64(2), 8, 2),
            (lambda x: True + x, 5, 1),
            (lambda x: -x, -4, -1),
        ],
    )
    def test_value_and_derivative_by_hand(self, f, value, derivative):
        x = Var(4.0)
        y = f(x)
        assert isinstance(y, Var)
        y.backward()
        assert (y.v, x.grad) == (pytest.approx(value), pytest.approx(derivative))

    @pytest.mark.parametrize(
        "f", [lambda x: x + "1", lambda x: [] * x, lambda x: x - None, lambda x: x ** "2"]
    )
    def test_what_is_no_number_is_refused(self, f):
        with pytest.raises(TypeError, match=r"unsupported operand|can't multiply"):
            f(Var(1.0))

    def test_a_var_as_exponent_of_a_var_is_refused_with_the_cure(self):
        with pytest.raises(TypeError, match=r"write \(b \* a\.log\(\)\)\.exp\(\)"):
            Var(1.0) ** Var(2.0)

    def test_zero_to_the_power_of_zero_and_one_have_derivatives(self):
        for exponent, derivative in ((0, 0.0), (1, 1.0), (2, 0.0)):
            x = Var(0.0)
            (x**exponent).backward()
            assert x.grad == derivative


class TestUndefinedResults:
    @pytest.mark.parametrize(
        ("f", "error", "message"),
        [
            (lambda: Var(-1.0).log(), ValueError, r"^log\(-1\.0\): not defined"),
            (lambda: Var(0.0).log(), ValueError, r"^log\(0\.0\): not defined"),
            (lambda: Var(1.0) / 0, ZeroDivisionError, r"^1\.0 / 0\.0: division by zero"),
            (lambda: 1 / Var(0.0), ZeroDivisionError, r"^1\.0 / 0\.0: division by zero"),
            (lambda: Var(0.0) ** -1, ZeroDivisionError, r"^0\.0 \*\* -1\.0: division by zero"),
            (lambda: Var(-8.0) ** 0.5, ValueError, r"^-8\.0 \*\* 0\.5: not defined"),
            (lambda: (-2) ** Var(0.5), ValueError, r"^-2\.0 \*\* 0\.5: not defined"),
            (lambda: Var(1000.0).exp(), OverflowError, r"^exp\(1000\.0\): the result is too large"),
            (lambda: Var(10.0) ** 400, OverflowError, r"^10\.0 \*\* 400\.0: the result is too large"),
            (lambda: logsumexp([]), ValueError, "logsumexp of no terms"),
        ],
    )
    def test_errors_name_the_operation_and_the_values(self, f, error, message):
        with pytest.raises(error, match=message):
            f()

    def test_an_undefined_derivative_changes_no_gradient(self):
        x, y = Var(0.0), Var(1.0)
        f = y * x**0.5
        with pytest.raises(ZeroDivisionError, match=r"^the derivative of 0\.0 \*\* 0\.5: division by zero"):
            f.backward()
        assert (x.grad, y.grad, f.grad) == (0.0, 0.0, 0.0)

    @pytest.mark.parametrize("from_the_inside", [True, False])
    def test_a_var_that_depends_on_itself_is_refused(self, from_the_inside):
        inner = Var(1.0)
        outer = inner + 1
        inner.grad_fn = lambda: [(outer, 1.0)]
        with pytest.raises(ValueError, match="depends on itself"):
            (inner if from_the_inside else outer).backward()
        assert (inner.grad, outer.grad) == (0.0, 0.0)

    @pytest.mark.parametrize("x", [-1e4, -800.0, 800.0, 1e4, math.inf, -math.inf])
    def test_sigmoid_and_tanh_saturate_without_overflow(self, x):
        for f, limits in ((Var.sigmoid, (0.0, 1.0)), (Var.tanh, (-1.0, 1.0))):
            var = Var(x)
            y = f(var)
            y.backward()
            assert (y.v, var.grad) == (limits[x > 0], 0.0)

    @pytest.mark.parametrize("offset", [-1e4, 0.0, 1e4])
    def test_the_softmax_of_logsumexp_is_the_same_far_from_zero(self, offset):
        terms = [Var(offset), Var(offset + math.log(3.0))]
        f = logsumexp(terms)
        f.backward()
        assert f.v == pytest.approx(offset + math.log(4.0), rel=1e-12)
        assert [term.grad for term in terms] == pytest.approx([0.25, 0.75], rel=1e-11)


def numbers(low, high):
    return st.floats(low, high, allow_nan=False, allow_subnormal=False)


away_from_zero = numbers(-50, 50).filter(lambda x: abs(x) > 0.1)
OPERATIONS = {
    "add": (lambda a, b: a + b, lambda a, b: a + b, (numbers(-1e3, 1e3), numbers(-1e3, 1e3))),
    "subtract": (lambda a, b: a - b, lambda a, b: a - b, (numbers(-1e3, 1e3), numbers(-1e3, 1e3))),
    "multiply": (lambda a, b: a * b, lambda a, b: a * b, (numbers(-1e2, 1e2), numbers(-1e2, 1e2))),
    "divide": (lambda a, b: a / b, lambda a, b: a / b, (numbers(-1e2, 1e2), away_from_zero)),
    "cube": (lambda a: a**3, lambda a: a**3, (numbers(-50, 50),)),
    "inverse square": (lambda a: a**-2, lambda a: a**-2, (away_from_zero,)),
    "real power": (lambda a: a**1.7, lambda a: a**1.7, (numbers(0.1, 50),)),
    "exponential": (lambda a: 1.3**a, lambda a: 1.3**a, (numbers(-20, 20),)),
    "negative": (lambda a: -a, lambda a: -a, (numbers(-1e3, 1e3),)),
    "relu": (Var.relu, torch.relu, (away_from_zero,)),
    "identity": (Var.identity, lambda a: 1 * a, (numbers(-1e3, 1e3),)),
    "tanh": (Var.tanh, torch.tanh, (numbers(-8, 8),)),
    "sigmoid": (Var.sigmoid, torch.sigmoid, (numbers(-20, 20),)),
    "exp": (Var.exp, torch.exp, (numbers(-20, 20),)),
    "log": (Var.log, torch.log, (numbers(0.1, 1e3),)),
    "total": (lambda *a: total(a), lambda *a: sum(a), (numbers(-1e2, 1e2),) * 4),
    "affine": (
        lambda b, w, v, x, y: affine(b, [w, v], [x, y]),
        lambda b, w, v, x, y: b + w * x + v * y,
        (numbers(-1e2, 1e2),) * 5,
    ),
    "logsumexp": (
        lambda *a: logsumexp(a),
        lambda *a: torch.logsumexp(torch.stack(a), 0),
        (numbers(-20, 20),) * 3,
    ),
    "sum of squares": (
        lambda a, b, c, d: sum_of_squares([a, b], [c, d]),
        lambda a, b, c, d: (a - c) ** 2 + (b - d) ** 2,
        (numbers(-1e2, 1e2),) * 4,
    ),
}


def test_every_operation_of_var_is_in_the_table():
    methods = {name for name, value in vars(Var).items() if hasattr(value, "edges")}
    symbols = {
        "__add__": "add",
        "__sub__": "subtract",
        "__mul__": "multiply",
        "__truediv__": "divide",
        "_to_the_number": "real power",
        "_number_to_the": "exponential",
        "__neg__": "negative",
    }
    assert symbols.keys() <= methods
    assert {symbols.get(name, name) for name in methods} <= OPERATIONS.keys()


@pytest.mark.parametrize("name", OPERATIONS)
@given(data=st.data())
def test_operation_agrees_with_pytorch_and_central_differences(name, data):
    ours, theirs, domain = OPERATIONS[name]
    x = data.draw(st.tuples(*domain))
    tensors = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in x]
    result = theirs(*tensors)
    result.backward()
    expected = [tensor.grad.item() for tensor in tensors]
    assert ours(*map(Var, x)).v == pytest.approx(result.item(), rel=1e-12, abs=1e-12)
    assert gradient(ours, x) == pytest.approx(expected, rel=1e-11, abs=1e-13)
    # rounding of f counts relative to the derivative: 1e-16 * |f| / step / |f'|
    scale = max(abs(result.item()), 1.0) / max(max(map(abs, expected)), 1e-300)
    assume(scale < 1e6)
    assert gradient_error(ours, x) < 1e-8 * max(scale, 1.0)


@pytest.mark.parametrize("name", OPERATIONS)
def test_nan_in_any_operand_gives_what_it_gives_in_pytorch(name):
    ours, theirs, domain = OPERATIONS[name]
    for place in range(len(domain)):
        x = [math.nan if i == place else 1.5 + i for i in range(len(domain))]
        tensors = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in x]
        result = theirs(*tensors)
        result.backward()
        expected = [tensor.grad.item() for tensor in tensors]
        assert math.isnan(result.item())
        assert math.isnan(ours(*map(Var, x)).v)
        assert gradient(ours, x) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("f", "nan"),
    [
        (lambda x: (x * 2).relu() + 1, True),
        (lambda x: logsumexp([Var(math.inf), x]), True),
        (lambda x: logsumexp([x, Var(-math.inf)]), True),
        (lambda x: (-2.0) * x**3, True),
        (lambda x: Var(-2.0) ** x.v, True),
        (lambda x: x**0, False),  # 1, as for C and PyTorch
        (lambda x: cross_entropy_loss([[0, 1, 0]], [[Var(1.0), x, Var(2.0)]]), True),
        (lambda x: squared_loss([[0]], [[x]]), True),
    ],
)
def test_nan_is_not_lost_on_the_way(f, nan):
    assert math.isnan(f(Var(math.nan)).v) == nan


PLACES = [
    *(k / 16 for k in range(-160, 161)),
    *(s * k for s in (-1, 1) for k in range(11, 746, 7)),
    19.0,
    372.0,
]


@pytest.mark.parametrize(
    ("f", "slope", "ulps"),
    [
        (Var.tanh, lambda x: mpmath.sech(x) ** 2, 7),
        (Var.sigmoid, lambda x: mpmath.sech(x / 2) ** 2 / 4, 4),
        (Var.exp, mpmath.exp, 1),
    ],
)
def test_slopes_are_right_to_rounding_far_from_zero_too(f, slope, ulps):
    places = [x for x in PLACES if x < 709 or f is not Var.exp]
    with mpmath.workprec(2500):
        for x in places:
            exact = slope(mpmath.mpf(x))
            (found,) = gradient(f, [x])
            assert abs(found - exact) <= ulps * math.ulp(float(exact))


NUMBERS = [np.float64, np.float32, np.float16, np.int64, np.bool_, int, bool, np.array]


class TestNumbersOfNumPyAsValues:
    @pytest.mark.parametrize("number", NUMBERS)
    def test_become_floats(self, number):
        x, y = Var(number(1)), Var(0.5)
        y.v = number(1)
        assert (type(x.v), type(y.v), type((x * y).v)) == (float, float, float)

    @pytest.mark.parametrize("number", NUMBERS)
    @pytest.mark.parametrize(
        ("f", "error"),
        [
            (lambda x: 1 / x, ZeroDivisionError),
            (lambda x: x / x, ZeroDivisionError),
            (lambda x: x**-1, ZeroDivisionError),
            (lambda x: x.log(), ValueError),
            (lambda x: (x + 1000).exp(), OverflowError),
            (lambda x: (x + 10) ** 400, OverflowError),
            (lambda x: (x - 8) ** 0.5, ValueError),
        ],
    )
    def test_raise_the_errors_of_floats(self, number, f, error):
        x = Var(1.0)
        x.v = number(0)
        with pytest.raises(error):
            f(x)

    def test_count_with_all_digits_of_a_float(self):
        x = Var(0.0)
        x.v = np.float32(0.1)
        assert (x / 3).v == float(np.float32(0.1)) / 3

    def test_may_be_the_step_of_an_update(self):
        x = Var(1.0)
        x.v -= np.float64(0.25) * x.grad + np.float64(1.0)
        with pytest.raises(ZeroDivisionError, match=r"^1\.0 / 0\.0: division by zero"):
            1 / x

    @pytest.mark.parametrize("value", ["1", b"1"])
    def test_texts_are_not_values(self, value):
        x = Var(1.0)
        with pytest.raises(TypeError, match="holds a number"):
            x.v = value
        assert x.v == 1.0


UNARY = [Var.relu, Var.tanh, Var.sigmoid, Var.identity, lambda a: -a, lambda a: a**2, lambda a: 0.5 * a]
BINARY = [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / (b**2 + 1)]


def random_graph(seed, size=9):
    """A random graph over three inputs, and the same as `Plain`s with the local derivatives of the `Var`s."""
    rng = random.Random(seed)
    variables = [Var(rng.uniform(-2, 2)) for _ in range(3)]
    inputs = tuple(variables)
    for _ in range(size):
        a, b = rng.choices(variables, k=2)
        variables.append(rng.choice(UNARY)(a) if rng.random() < 0.4 else rng.choice(BINARY)(a, b))
    return inputs, variables[-1]


def plain(root):
    """Return the same graph as `Plain`s: one for each `Var`."""
    made = {}

    def visit(var):
        if var not in made:
            edges = [(visit(operand), derivative) for operand, derivative in var.grad_fn()]
            made[var] = Plain(var.v, edges)
        return made[var]

    visit(root)
    return made


@given(seed=st.integers(0, 2**32), bps=st.lists(numbers(-3, 3), min_size=1, max_size=3))
def test_gradients_of_random_graphs_are_those_of_the_plain_recursion(seed, bps):
    _, root = random_graph(seed)
    twins = plain(root)
    for bp in bps:
        root.backprop(bp)
        twins[root].backprop(bp)
    for var, twin in twins.items():
        assert var.grad == pytest.approx(twin.grad, rel=1e-9, abs=1e-9)


class TestLargeGraphs:
    def test_ten_thousand_doublings_overflow_but_do_not_hang(self):
        x = Var(1.0)
        y = x
        for _ in range(10_000):
            y = y + y
        assert y.v == math.inf
        with pytest.raises(OverflowError, match=r"^the derivative of .* \+ .*: the result is too large"):
            y.backward()
        assert (x.grad, y.grad) == (0.0, 0.0)

    def test_a_thousand_doublings_are_exact(self):
        x = Var(1.0)
        y = x
        for _ in range(1000):
            y = y + y
        y.backward()
        assert x.grad == 2.0**1000

    def test_a_chain_of_a_hundred_thousand_additions(self):
        x, one = Var(0.0), Var(1.0)
        y = x
        for _ in range(100_000):
            y = y + one
        y.backward()
        assert (y.v, x.grad, one.grad) == (1e5, 1.0, 1e5)


def test_the_sum_of_no_terms_is_zero_and_has_a_backward_pass():
    nothing = total([])
    nothing.backward()
    assert (nothing.v, nothing.grad) == (0.0, 1.0)


class TestArrays:
    def test_a_vector_becomes_a_list_of_lists_of_one(self):
        assert [[var.v for var in row] for row in nparray_to_Var(np.array([1.0, 2.0]))] == [[1.0], [2.0]]

    def test_a_matrix_there_and_back(self):
        x = np.arange(6.0).reshape(3, 2)
        assert np.array_equal(Var_to_nparray(nparray_to_Var(x)), x)

    def test_other_dimensions_are_refused(self):
        with pytest.raises(ValueError, match=r"\(1, 2, 3\)"):
            nparray_to_Var(np.zeros((1, 2, 3)))

"""Reverse-mode automatic differentiation: numbers that know their origin.

A computation with `Var`s leaves a graph: each result knows its operation and
its operands. The backward pass walks it once, from the result to the inputs,
and multiplies and adds the local derivatives on the way: the chain rule.

Values are those of IEEE 754 and of PyTorch: NaN stays NaN, and infinity that
is put in goes on. An operation that Python refuses is an error, and so is a
gradient that is infinite or NaN though all numbers put in are finite.
"""

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinymlp.scalar.copies import deep_copy, reduced
from tinymlp.scalar.overflow import constant, first_overflow

Edges = list[tuple["Var", float]]  # inputs, each with its local derivative


@dataclass(frozen=True, slots=True)
class Operation:
    """What an operation is called, and what it passes back.

    `edges` takes the operands and returns the pairs (operand, local
    derivative). It reads the operands' values when it is called, in the
    backward pass. An operand that is a constant needs no pair.
    """

    name: str
    edges: Callable[..., Edges]


def result(
    value: float,
    operation: Operation,
    operands: tuple["Var", ...],
) -> "Var":
    """Return the `Var` of a value that an operation has computed."""
    made = object.__new__(Var)  # sooner than by Var(value)
    made._v = value
    made.grad = 0.0
    made.operation = operation
    made.operands = operands
    return made


def _refusal(
    error: Exception,
    name: str,
    operands: Sequence["Var"],
    prefix: str = "",
) -> Exception:
    """Return an error of the same type that names operation and values."""
    reasons: dict[type[Exception], str] = {
        ZeroDivisionError: "division by zero",
        OverflowError: "the result is too large for a float",
    }
    values = [str(operand.v) for operand in operands[:4]]
    if name[0].isalpha():
        shown = f"{name}({', '.join(values)})"
    else:
        shown = f" {name} ".join(values)
    reason = reasons.get(type(error), "not defined for real numbers")
    return type(error)(f"{prefix}{shown}: {reason}")


def _unary(
    name: str,
    value: Callable[[float], float],
    edges: Callable[["Var"], Edges],
) -> Callable[["Var"], "Var"]:
    """Return the method of an operation with one operand."""
    operation = Operation(name, edges)

    def method(self: "Var") -> "Var":
        try:
            v = value(self._v)
        except (ArithmeticError, ValueError) as error:
            raise _refusal(error, name, (self,)) from None
        return result(v, operation, (self,))

    vars(method)["edges"] = edges
    return method


def _binary(
    name: str,
    value: Callable[[float, float], float],
    edges: Callable[["Var", "Var"], Edges],
) -> Callable[["Var", Any], Any]:
    """Return the method of an operation; its other operand may be a number."""
    operation = Operation(name, edges)

    def method(self: "Var", other: Any) -> Any:
        if type(other) is not Var and not isinstance(other, Var):
            if not isinstance(other, Real):
                return NotImplemented
            other = Var(float(other), constant)
        try:
            v = value(self._v, other._v)
        except (ArithmeticError, ValueError) as error:
            raise _refusal(error, name, (self, other)) from None
        return result(v, operation, (self, other))

    vars(method)["edges"] = edges
    return method


def _reflected(
    method: Callable[["Var", Any], Any],
) -> Callable[["Var", Any], Any]:
    """Return the method for a number on the left of a `Var`."""

    def reflected(self: "Var", number: Any) -> Any:
        if not isinstance(number, Real):
            return NotImplemented
        return method(Var(float(number), constant), self)

    return reflected


def _named(kind: type["Var"]) -> type["Var"]:
    """Give methods and derivatives the names by which pickle finds them."""
    for name, method in vars(kind).items():
        if edges := getattr(method, "edges", None):
            method.__qualname__ = f"{kind.__name__}.{name}"
            edges.__qualname__ = f"{method.__qualname__}.edges"
    return kind


def _power(base: float, exponent: float) -> float:
    if base < 0 and exponent % 1 > 0:
        raise ValueError
    return float(base**exponent)


def _exponential(base: float, exponent: float) -> float:
    if base < 0:  # defined for some exponents, but not in between
        raise ValueError
    return float(base**exponent)


def _sigmoid(x: float) -> float:
    small = math.exp(-abs(x))  # cannot overflow
    return (1.0 if x >= 0 else small) / (1.0 + small)


def _tanh_slope(x: float) -> float:
    if abs(x) <= 1.5:
        return 1 - math.tanh(x) ** 2
    small = math.exp(-2 * abs(x))  # out there 1 - tanh^2 loses its digits
    return 4 * small / (1 + small) ** 2


def _no_inputs() -> Edges:
    return []


@_named
class Var:
    """A scalar that remembers how it was computed, for its gradient.

    Attributes: `v`, the value, always a float; `grad`, the sum of the
    gradients of all backward passes so far, 0.0 at first; `grad_fn`, a
    function that returns the pairs (input, local derivative). Give a `grad_fn`
    to make a `Var` from what is no operation here.

    One operand of + - * / may be a plain number; of a power, one must be one.

    Copies by `copy.deepcopy` and by pickle hold all that the `Var` was
    computed from, with values and gradients, however deep the graph is. A
    `grad_fn` given by hand is shared by copies, and pickle must find it by
    its name.
    """

    __slots__ = (
        *("_v", "grad", "operation", "operands"),
        *("_given", "__dict__", "__weakref__"),
    )
    _v: float
    grad: float
    operation: Operation | None  # None: not computed by an operation
    operands: tuple["Var", ...]

    def __init__(
        self,
        val: float,
        grad_fn: Callable[[], Edges] = _no_inputs,
    ) -> None:
        self.v = val
        self.grad = 0.0
        self.operation = None
        self.operands = ()
        self._given = grad_fn

    # Operations: the name, the value, the derivative in each operand.

    __add__ = _binary("+", operator.add, lambda a, b: [(a, 1.0), (b, 1.0)])
    __sub__ = _binary("-", operator.sub, lambda a, b: [(a, 1.0), (b, -1.0)])
    __mul__ = _binary("*", operator.mul, lambda a, b: [(a, b.v), (b, a.v)])
    __truediv__ = _binary(
        "/",
        operator.truediv,
        lambda a, b: [(a, 1 / b.v), (b, -a.v / b.v / b.v)],
    )
    _to_the_number = _binary(
        "**",
        _power,
        lambda a, b: [(a, b.v and b.v * _power(a.v, b.v - 1))],
    )
    _number_to_the = _binary(
        "**",
        _exponential,
        lambda a, b: [(b, a.v and a.v**b.v * math.log(a.v))],
    )
    __neg__ = _unary("neg", operator.neg, lambda a: [(a, -1.0)])
    identity = _unary("identity", operator.pos, lambda a: [(a, 1.0)])
    relu = _unary(
        "relu",
        lambda x: 0.0 if x <= 0 else x,  # in this order, NaN stays NaN
        lambda a: [(a, 0.0 if a.v <= 0 else 1.0)],
    )
    tanh = _unary("tanh", math.tanh, lambda a: [(a, _tanh_slope(a.v))])
    sigmoid = _unary(
        "sigmoid",
        _sigmoid,
        lambda a: [(a, _sigmoid(a.v) * _sigmoid(-a.v))],
    )
    exp = _unary("exp", math.exp, lambda a: [(a, math.exp(a.v))])
    log = _unary("log", math.log, lambda a: [(a, 1 / a.v)])

    __radd__ = _reflected(__add__)
    __rsub__ = _reflected(__sub__)
    __rmul__ = _reflected(__mul__)
    __rtruediv__ = _reflected(__truediv__)
    __rpow__ = _reflected(_number_to_the)

    def __pow__(self, exponent: float) -> "Var":
        if isinstance(exponent, Var):
            cure = "write (b * a.log()).exp() for a ** b"
            raise TypeError(f"an exponent is a number, not a Var: {cure}")
        powered: Var = self._to_the_number(exponent)
        return powered

    def __repr__(self) -> str:
        return f"Var(v={self.v:.4f}, grad={self.grad:.4f})"

    def _set_v(self, value: float) -> None:
        """Set the value to a float: NumPy's would warn instead of raising."""
        if isinstance(value, str | bytes):
            raise TypeError(f"a Var holds a number, not {value!r}")
        self._v = float(value)

    v: float = property(  # type: ignore[assignment]
        operator.attrgetter("_v"),
        _set_v,
    )

    @property
    def grad_fn(self) -> Callable[[], Edges]:
        """Return the function that returns the pairs (input, derivative)."""
        if self.operation is None:
            return self._given
        return partial(self.operation.edges, *self.operands)

    @grad_fn.setter
    def grad_fn(self, grad_fn: Callable[[], Edges]) -> None:
        self._given = grad_fn
        self.operation = None
        self.operands = ()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Var":
        copied: Var = deep_copy(self, memo)
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        return reduced(self)

    def backward(self) -> None:
        """Add the derivatives of this value to the gradients of its inputs."""
        self.backprop(1.0)

    def backprop(self, bp: float) -> None:
        """Add `bp` times the derivatives of this value to all gradients.

        Each `Var` that this one depends on, and this one itself, gets its
        derivative added to `grad`. The time is proportional to the number of
        edges of the graph. No gradient changes where a derivative is not
        defined (ZeroDivisionError, ValueError), it or a gradient is too large
        for a float (OverflowError), or an input depends on its own result
        (ValueError). What comes of an infinity or NaN that was put in, as a
        value or as `bp`, is no error.
        """
        passed, given = _inputs_first(self)
        passed[self] = bp = float(bp)
        try:
            for node, gradient in reversed(passed.items()):
                operation = node.operation
                if operation is None:
                    edges = given.get(node, [])
                else:
                    edges = operation.edges(*node.operands)
                for operand, derivative in edges:
                    passed[operand] += gradient * derivative
        except (ArithmeticError, ValueError) as error:
            name = operation.name if operation else "grad_fn"
            what = "the derivative of "
            raise _refusal(error, name, node.operands, what) from None
        sums = [node.grad + gradient for node, gradient in passed.items()]
        if not math.isfinite(sum(sums)):  # one at least, or they are large
            _refuse_overflow(self, bp, passed, given)
        for node, gradient in zip(passed, sums, strict=True):
            node.grad = gradient


def _inputs_first(root: Var) -> tuple[dict[Var, float], dict[Var, Edges]]:
    """Return a zero for all that `root` depends on, inputs before results.

    Also return the edges that a `grad_fn` was given for.
    """
    zeros: dict[Var, float] = {}
    given: dict[Var, Edges] = {}
    seen: set[Var] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            inputs = node.operands
            if node.operation is None and (edges := node._given()):
                given[node] = [(var, float(slope)) for var, slope in edges]
                inputs = tuple(var for var, _ in given[node])
            waiting.append(node)  # comes again when its inputs are done
            waiting += inputs
        else:
            zeros[node] = 0.0
    if given:
        _refuse_cycles(zeros, given)
    return zeros, given


def _refuse_cycles(order: Iterable[Var], given: dict[Var, Edges]) -> None:
    """Raise ValueError if an input comes after its result."""
    place = {node: index for index, node in enumerate(order)}
    for node in place:
        inputs = node.operands or [var for var, _ in given.get(node, [])]
        if any(place[var] >= place[node] for var in inputs):
            raise ValueError(f"{node} depends on itself: see its grad_fn")


def _refuse_overflow(*the_pass: Any) -> None:
    """Raise an error if a gradient of a pass stops being finite on its own."""
    if place := first_overflow(*the_pass):
        raise _refusal(*place)


# ---------------------------------------- operations on many operands


def total(terms: Sequence[Var]) -> Var:
    """Return the sum of any number of `Var`s."""
    return result(sum([x._v for x in terms], 0.0), _TOTAL, tuple(terms))


def affine(bias: Var, weights: Sequence[Var], inputs: Sequence[Var]) -> Var:
    """Return bias + sum over i of weights[i] * inputs[i], in one step.

    ValueError unless there are as many weights as inputs.
    """
    if len(weights) != len(inputs):
        counts = f"{len(weights)} weights, {len(inputs)} inputs"
        raise ValueError(f"each input needs one weight: {counts}")
    v = bias._v
    for weight, x in zip(weights, inputs, strict=True):
        v += weight._v * x._v
    return result(v, _AFFINE, (bias, *weights, *inputs))


def sum_of_squares(a: Sequence[Var], b: Sequence[Var]) -> Var:
    """Return the sum over i of (a[i] - b[i])^2, in one step.

    ValueError unless both are equally long.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} numbers against {len(b)}")
    differences = [x._v - y._v for x, y in zip(a, b, strict=True)]
    squares = sum([d * d for d in differences], 0.0)
    return result(squares, _SQUARES, (*a, *b))


def logsumexp(terms: Sequence[Var]) -> Var:
    """Return ln(sum over i of exp(terms[i])), without overflow.

    The largest term is taken out of the sum; the derivatives are the softmax.
    ValueError if there are no terms.
    """
    if not terms:
        raise ValueError("logsumexp of no terms is not defined")
    return result(_log_sum_exp(terms), _LOGSUMEXP, tuple(terms))


def _log_sum_exp(terms: Sequence[Var]) -> float:
    largest = max(term.v for term in terms)
    if math.isinf(largest):
        return math.nan if any(x.v != x.v for x in terms) else largest
    return largest + math.log(sum(math.exp(x.v - largest) for x in terms))


def _affine_edges(bias: Var, *factors: Var) -> Edges:
    half = len(factors) // 2
    edges = [(bias, 1.0)]
    for i in range(half):
        weight, x = factors[i], factors[half + i]
        edges += (weight, x._v), (x, weight._v)
    return edges


def _squares_edges(*numbers: Var) -> Edges:
    half = len(numbers) // 2
    edges: Edges = []
    for a, b in zip(numbers[:half], numbers[half:], strict=True):
        derivative = 2 * (a._v - b._v)
        edges += (a, derivative), (b, -derivative)
    return edges


def _softmax_edges(*terms: Var) -> Edges:
    largest = max(term.v for term in terms)
    shares = [math.exp(term.v - largest) for term in terms]
    whole = sum(shares)
    pairs = zip(terms, shares, strict=True)
    return [(term, share / whole) for term, share in pairs]


def _total_edges(*terms: Var) -> Edges:
    return [(term, 1.0) for term in terms]


_TOTAL = Operation("sum", _total_edges)
_AFFINE = Operation("affine", _affine_edges)
_SQUARES = Operation("sum of squares", _squares_edges)
_LOGSUMEXP = Operation("logsumexp", _softmax_edges)


# ------------------------------------------------------- arrays


def nparray_to_Var(x: ArrayLike) -> list[list[Var]]:
    """Return an array as `Var`s: a list for each of its rows.

    `x` is (n, d), or (n,), which counts as (n, 1). ValueError for others.
    """
    array = np.asarray(x, dtype=np.float64)
    if array.ndim not in (1, 2):
        raise ValueError(f"an array (n,) or (n, d) is needed: {array.shape}")
    rows = array.reshape(len(array), -1).tolist()
    return [[Var(value) for value in row] for row in rows]


def Var_to_nparray(x: Sequence[Sequence[Var]]) -> NDArray[np.float64]:
    """Return the values of n lists of d `Var`s as an array (n, d)."""
    return np.array([[var.v for var in row] for row in x], dtype=np.float64)

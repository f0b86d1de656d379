"""Where a backward pass leaves the finite numbers.

PyTorch passes infinities on, whatever they come from. Here an infinity or NaN
that was put in passes, and one that finite numbers lead to is an error.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Var = Any  # that of `autodiff`, which imports this module
Edges = list[tuple[Var, float]]

Place = tuple[Exception, str, Sequence[Var], str]


def constant() -> Edges:
    """Be the `grad_fn` of a number in an expression, as 2 in `2 * x`.

    Nobody asks for its gradient, so that may be infinite.
    """
    return []


def first_overflow(
    root: Var,
    bp: float,
    order: Iterable[Var],
    given: Mapping[Var, Edges],
) -> Place | None:
    """Return where finite numbers first give an infinite gradient, or NaN.

    That is an error, the name of an operation, its operands, and what of it is
    not finite; None if there is no such place in `root.backprop(bp)`. `order`
    has inputs before results, and `given` the edges that a `grad_fn` returned.
    """
    put_in = _put_in(order, given)
    passed = dict.fromkeys(order, 0.0) | {root: bp}
    for node in reversed(passed):
        edges = node.grad_fn() if node.operation else given.get(node, [])
        inputs = node.operands or tuple(var for var, _ in edges)
        excused = not math.isfinite(passed[node]) or put_in & {*inputs}
        for operand, derivative in edges:
            before = passed[operand]
            passed[operand] = after = before + passed[node] * derivative
            broken = math.isfinite(before) and not math.isfinite(after)
            if broken and not excused and not _is_constant(operand):
                name = node.operation.name if node.operation else "grad_fn"
                what = "the derivative of "
                return _error(after, inputs), name, inputs, what
    return next(_sums(order, passed), None)


def _is_constant(var: Var) -> bool:
    return var.operation is None and var._given is constant


def _sums(
    order: Iterable[Var],
    passed: Mapping[Var, float],
) -> Iterator[Place]:
    """Yield the `Var`s whose finite gradients have an infinite sum."""
    for var in order:
        terms = var.grad, passed[var]
        finite = all(map(math.isfinite, terms))
        if finite and math.isinf(sum(terms)) and not _is_constant(var):
            yield OverflowError(), "Var", (var,), "the sum of the gradients of "


def _error(gradient: float, inputs: Iterable[Var]) -> Exception:
    """Return what is wrong: NaN comes of large numbers, too, as inf - inf."""
    finite = all(math.isfinite(var.v) for var in inputs)
    undefined = math.isnan(gradient) and finite
    return ValueError() if undefined else OverflowError()


def _put_in(
    order: Iterable[Var],
    given: Mapping[Var, Edges],
) -> set[Var]:
    """Return the `Var`s that are not finite because an input is not."""
    found: set[Var] = set()
    for node in order:
        inputs = node.operands or [var for var, _ in given.get(node, [])]
        from_below = not inputs or not found.isdisjoint(inputs)
        if from_below and not math.isfinite(node.v):
            found.add(node)
    return found

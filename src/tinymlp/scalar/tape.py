"""A computation with `Var`s, recorded once and done again with other numbers.

Each step of training does the same operations; only the numbers differ. A `Tape` keeps the operations, so no
graph is built again, and does those of one kind that do not need each other at once, as arrays. What an
operation passes back is added up in the order of `Var.backward`. So all values and gradients are those of
`Var`, to the last bit.

A list of what was done, to be gone through again: R. E. Wengert, Communications of the ACM 7 (1964), pages
463-464. Tapes that serve for new inputs: ADOL-C, A. Griewank, D. Juedes, J. Utke, ACM Transactions on
Mathematical Software 22 (1996), pages 131-167. Like operations of a graph together: G. Neubig, Y. Goldberg,
C. Dyer, On-the-fly Operation Batching in Dynamic Computation Graphs, NeurIPS 2017.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinymlp.scalar.autodiff import (
    Operation,
    Var,
    _sigmoid,
    _tanh_slope,
    affine,
    logsumexp,
    sum_of_squares,
    total,
)
from tinymlp.scalar.copies import operands_first

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


# ------------------------------------------------------------------------------------------ the operations


@dataclass(frozen=True)
class Rule:
    """How n operations of one kind are done at once; their k operands are rows, (k, n).

    The operands stand in the order of the operation's edges. `value` returns the results (n,), `slopes` the
    derivatives, (k, n) once they are broadcast. Sums and products are NumPy's, which rounds them as Python
    does; its tanh, exp and powers can differ from Python's in the last bit, so these go number by number.
    """

    value: Callable[[Floats], ArrayLike]
    slopes: Callable[[Floats], Floats | float]


def _each(function: Callable[[float], float], x: Floats) -> Floats:
    return np.array(list(map(function, x.ravel().tolist()))).reshape(x.shape)


def _sums(rows: Floats) -> list[float]:
    """Return the sum of each column by Python's `sum`, as in `Var`: how it rounds depends on the version."""
    return [sum(terms, 0.0) for terms in rows.T.tolist()]


def _affine(rows: Floats) -> Floats:
    result: Floats = rows[0].copy()
    for product in rows[1::2] * rows[2::2]:
        result += product
    return result


def _affine_slopes(rows: Floats) -> Floats:
    slopes = np.ones_like(rows)
    slopes[1::2], slopes[2::2] = rows[2::2], rows[1::2]
    return slopes


def _squares(rows: Floats) -> list[float]:
    differences = rows[::2] - rows[1::2]
    return _sums(differences * differences)


def _squares_slopes(rows: Floats) -> Floats:
    slopes = 2 * (rows[::2] - rows[1::2])
    return np.stack([slopes, -slopes], axis=1).reshape(rows.shape)


def _logsumexps(rows: Floats) -> list[Var]:
    return [logsumexp([Var(term) for term in terms]) for terms in rows.T.tolist()]


def _slopes(result: Var) -> list[float]:
    return [slope for _, slope in result.grad_fn()]


def rules() -> dict[Operation | None, Rule]:
    """Return how each operation is done that is defined for all numbers.

    The others (/, **, exp, log) can raise an error for one number of many, and `Var` says for which. It is a
    function, so that what only imports this module does not depend on the table.
    """
    x = Var(1.0)
    return {  # each operation is known by the one that it leaves in its result
        (x + x).operation: Rule(lambda rows: rows[0] + rows[1], lambda _: 1.0),
        (x - x).operation: Rule(lambda rows: rows[0] - rows[1], lambda _: np.array([[1.0], [-1.0]])),
        (x * x).operation: Rule(lambda rows: rows[0] * rows[1], lambda rows: rows[::-1]),
        (-x).operation: Rule(lambda rows: -rows[0], lambda _: -1.0),
        x.identity().operation: Rule(lambda rows: rows[0], lambda _: 1.0),
        x.relu().operation: Rule(
            lambda rows: np.where(rows[0] <= 0, 0.0, rows[0]),
            lambda rows: np.where(rows <= 0, 0.0, 1.0),
        ),
        x.tanh().operation: Rule(
            lambda rows: _each(math.tanh, rows[0]), lambda rows: _each(_tanh_slope, rows)
        ),
        x.sigmoid().operation: Rule(
            lambda rows: _each(_sigmoid, rows[0]),
            lambda rows: _each(_sigmoid, rows) * _each(_sigmoid, -rows),
        ),
        total([x]).operation: Rule(_sums, lambda _: 1.0),
        affine(x, [x], [x]).operation: Rule(_affine, _affine_slopes),
        sum_of_squares([x], [x]).operation: Rule(_squares, _squares_slopes),
        logsumexp([x]).operation: Rule(
            lambda rows: [result.v for result in _logsumexps(rows)],
            lambda rows: np.array([_slopes(result) for result in _logsumexps(rows)]).T,
        ),
    }


# ------------------------------------------------------------------------------------------------ the tape


@dataclass(frozen=True)
class Arrivals:
    """The edges that lead to the n values of a group, in the order in which `Var.backward` goes along them.

    `targets` tells for each of them to which of the values it leads.
    """

    edges: Places
    targets: Places
    n: int

    def gradients(self, passed: Floats) -> Floats:
        """Return the sums (n,) of what is passed along the edges, each from the first edge to the last."""
        sums = np.bincount(self.targets, passed[self.edges], self.n)
        return sums.astype(np.float64, copy=False)


@dataclass(frozen=True)
class Batch:
    """Operations of one kind that are done at once: where their numbers stand."""

    rule: Rule
    operands: Places  # (k, n), among the values
    results: slice  # n of the values
    edges: slice  # k n of the edges, row by row
    arrivals: Arrivals  # at the results


class Tape:
    """The operations that led from inputs to `root`, to be done again.

    The inputs are the `Var`s of the graph that no operation has computed: `forward` reads their values, and
    `backward` adds to their gradients. The other `Var`s get neither, as in PyTorch.

    A tape repeats operations, not the code that chose them. Where that code looks at a value, as in
    `x if x.v > 0 else 0.1 * x`, the graph is right for that value only and must not be recorded. A tape pays
    where many operations are alike, as those of the units of a layer for all points.

    ValueError for an operation that `rules` does not have, and for a `grad_fn` given by hand, which does not
    say how the value is computed.
    """

    def __init__(self, root: Var) -> None:
        order = operands_first(root, ())
        groups, known = _groups(order), rules()
        _refuse_unknown(order, known)
        self._root = root
        self._inputs = groups[0]
        self._computed = [node for group in groups[1:] for node in group]
        self._values = np.array([node.v for group in groups for node in group])
        self._arrivals, self._batches = _batches(groups, order, known)

    def forward(self) -> float:
        """Return the value of `root` for the values that the inputs have now."""
        values = self._values
        values[: len(self._inputs)] = [x.v for x in self._inputs]
        with np.errstate(all="ignore"):  # infinities and NaN go on, as in `Var`
            for batch in self._batches:
                values[batch.results] = batch.rule.value(values[batch.operands])
        return float(values[-1])

    def backward(self) -> None:
        """Add the derivatives of `root` to the gradients of the inputs, as they are after the last `forward`.

        Raises what `Var.backward` raises, and then changes no gradient of an input.
        """
        with np.errstate(all="ignore"):
            sums = self._arrivals.gradients(self._passed_back()) + [x.grad for x in self._inputs]
        if np.isfinite(sums).all():  # what is not finite on the way gets to an input: infinity times 0 is NaN
            for x, gradient in zip(self._inputs, sums.tolist(), strict=True):
                x.grad = gradient
        else:
            self._backward_by_vars()

    def _passed_back(self) -> Floats:
        """Return what is passed along each edge; along the last one, which leads to `root`, comes 1."""
        passed = np.ones(1 + sum(batch.operands.size for batch in self._batches))
        for batch in reversed(self._batches):
            slopes = batch.rule.slopes(self._values[batch.operands])
            gradients = batch.arrivals.gradients(passed)
            passed[batch.edges].reshape(batch.operands.shape)[:] = slopes * gradients
        return passed

    def _backward_by_vars(self) -> None:
        """Take the backward pass by `Var`, which tells an error from an infinity or NaN that was put in."""
        values = self._values[len(self._inputs) :].tolist()
        for node, value in zip(self._computed, values, strict=True):
            node.v, node.grad = value, 0.0
        self._root.backward()


def _groups(order: Iterable[Var]) -> list[list[Var]]:
    """Return the inputs, and then groups of results of one kind of operation.

    No result needs another one of its group, and each group comes after those that it needs.
    """
    levels: dict[Var, int] = {}
    groups = defaultdict[tuple[int, Operation | None, int], list[Var]](list)
    for node in order:
        levels[node] = level = max((levels[x] + 1 for x in node.operands), default=0)
        groups[level, node.operation if level else None, len(node.operands)].append(node)
    return [groups[key] for key in sorted(groups, key=lambda key: key[0])]


def _refuse_unknown(order: Iterable[Var], known: Mapping[Operation | None, Rule]) -> None:
    """Raise ValueError for a `Var` whose operation cannot be repeated."""
    for node in order:
        is_input = node.operation is None and not node.grad_fn()
        if not is_input and node.operation not in known:
            name = repr(node.operation.name) if node.operation else "a grad_fn given by hand"
            cure = "build the graph for each pass, and call its backward()"
            raise ValueError(f"a tape cannot repeat {name}: {cure}")


def _batches(
    groups: Sequence[Sequence[Var]], order: Sequence[Var], known: Mapping[Operation | None, Rule]
) -> tuple[Arrivals, list[Batch]]:
    """Return what arrives at the inputs, and a batch for each of the other groups."""
    places = {node: place for place, node in enumerate(node for group in groups for node in group)}
    operands = [
        np.array([[places[x] for x, _ in node.grad_fn()] for node in group], dtype=np.intp).T
        for group in groups[1:]
    ]
    # `Var.backward` comes to the results in reverse order, and takes the edges of each from first to last
    turns = {node: -place for place, node in enumerate(order)}
    most = max(map(len, operands), default=1)
    keys = [
        most * np.array([turns[node] for node in group]) + np.arange(len(rows))[:, None]
        for group, rows in zip(groups[1:], operands, strict=True)
    ]
    at_inputs, *arrivals = _arrivals(operands, keys, [len(group) for group in groups])
    batches, value, edge = [], len(groups[0]), 0
    for group, rows, arriving in zip(groups[1:], operands, arrivals, strict=True):
        results, edges = slice(value, value + arriving.n), slice(edge, edge + rows.size)
        batches.append(Batch(known[group[0].operation], rows, results, edges, arriving))
        value, edge = results.stop, edges.stop
    return at_inputs, batches


def _arrivals(operands: Sequence[Places], keys: Sequence[Places], sizes: Sequence[int]) -> Iterator[Arrivals]:
    """Yield what arrives at each group of values.

    Edges are numbered through the `operands` of all groups but the first, row by row, and taken in the order
    of the `keys`. One more, the last, leads from outside to the last value.
    """
    targets = np.concatenate([*map(np.ravel, operands), [sum(sizes) - 1]])
    group = np.repeat(np.arange(len(sizes)), sizes)[targets]
    in_order = np.lexsort((np.concatenate([*map(np.ravel, keys), [0]]), group))
    ends = np.cumsum(np.bincount(group))
    first = 0
    for edges, n in zip(np.split(in_order, ends[:-1]), sizes, strict=True):
        yield Arrivals(edges, targets[edges] - first, n)
        first += n

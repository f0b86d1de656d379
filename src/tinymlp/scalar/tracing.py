"""What a backward pass by plain recursion does, call by call.

The rule: `backprop(bp)` adds bp to the gradient of its Var; then, for each
pair (input, derivative) that the Var's `grad_fn()` returns, it calls
`input.backprop(bp * derivative)`. So each Var is visited once for each path
that leads to it. `Var.backprop` gives the same gradients, up to rounding, and
visits each Var once.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from tinymlp.scalar.autodiff import Edges, Var


@dataclass(frozen=True)
class Call:
    """One call of `backprop` on the Var `name` with the argument `argument`.

    Calls are numbered from 1 in the order in which they begin. `caller` is
    the number of the call that made this one, and the argument is that of the
    caller times `derivative`; both are None for the first call, which comes
    from outside. `depth` counts the calls around it. `before` and `after` are
    the gradient of the Var before and after this call has added to it.
    """

    number: int
    caller: int | None
    depth: int
    name: str
    derivative: float | None
    argument: float
    before: float
    after: float


@dataclass(frozen=True)
class Edge:
    """An input of a Var, and the derivative of the Var in this input."""

    input: str
    derivative: float


@dataclass(frozen=True)
class Node:
    """A Var of the graph: its attributes, with names for other Vars.

    `edges` are the pairs that `grad_fn()` returns. `before` and `after` are
    the gradient before and after all calls.
    """

    name: str
    v: float
    operation: str | None
    operands: tuple[str, ...]
    edges: tuple[Edge, ...]
    before: float
    after: float


@dataclass(frozen=True)
class Trace:
    """The Vars of a graph, each after its inputs, and the calls in order."""

    nodes: tuple[Node, ...]
    calls: tuple[Call, ...]


def trace(
    root: Var,
    names: Mapping[str, Var] | None = None,
    bp: float = 1.0,
    *,
    limit: int = 10_000,
) -> Trace:
    """Return what `root.backprop(bp)` by plain recursion would do.

    No gradient changes, and each `grad_fn` is called once. A Var without one
    of the `names` is called v1, v2, ... in the order of the nodes. The stack
    is explicit, so a graph may be of any depth.

    Raises ValueError for more calls than `limit`, for a Var that depends on
    itself, and for a name that is not that of one Var of the graph.
    """
    edges = _edges(root)
    _refuse_more(_count(edges), limit)
    known = _names(edges, names or {})
    calls = list(_calls(root, bp, edges, known))
    after = {call.name: call.after for call in calls}
    nodes = (_node(var, pairs, known, after) for var, pairs in edges.items())
    return Trace(tuple(nodes), tuple(calls))


def count_visits(root: Var) -> int:
    """Return how often `root.backward()` asks a Var for its edges.

    It is counted in a real backward pass, over a copy of the graph whose
    `grad_fn`s count. The plain recursion asks once in each call.
    """
    asked = 0

    def counting(edges: Edges) -> Callable[[], Edges]:
        def grad_fn() -> Edges:
            nonlocal asked
            asked += 1
            return edges

        return grad_fn

    copies: dict[Var, Var] = {}
    for var, edges in _edges(root).items():
        inputs = [*(one for one, _ in edges), *var.operands]  # a constant has no pair
        copies[var] = Var(var.v, counting([(copies[one], 0.0) for one in inputs]))  # no gradient can overflow
    copies[root].backward()
    return asked


def _calls(
    root: Var,
    bp: float,
    edges: Mapping[Var, Edges],
    names: Mapping[Var, str],
) -> Iterator[Call]:
    """Yield the calls; those that wait stand on the stack, the next on top."""
    gradients = {var: var.grad for var in edges}
    waiting: list[tuple[Var, float, float | None, int | None, int]]
    waiting = [(root, bp, None, None, 0)]
    for number in count(1):
        if not waiting:
            return
        var, bp, derivative, caller, depth = waiting.pop()
        name, before = names[var], gradients[var]
        gradients[var] = after = before + bp
        yield Call(number, caller, depth, name, derivative, bp, before, after)
        for one, slope in reversed(edges[var]):
            waiting.append((one, bp * slope, slope, number, depth + 1))


def _edges(root: Var) -> dict[Var, Edges]:
    """Return the edges of each Var that `root` depends on, inputs first.

    Inputs come in the order of the operands. ValueError for a cycle.
    """
    found = {root: list(root.grad_fn())}
    done: dict[Var, Edges] = {}
    path = [(root, iter(_inputs(root, found[root])))]
    while path:
        var, inputs = path[-1]
        new = next((one for one in inputs if one not in done), None)
        if new is None:
            done[var] = found[var]
            path.pop()
        elif new in found:
            raise ValueError(f"{new} depends on itself: see its grad_fn")
        else:
            found[new] = list(new.grad_fn())
            path.append((new, iter(_inputs(new, found[new]))))
    return done


def _inputs(var: Var, edges: Edges) -> list[Var]:
    """Return each input once; an operand may have no derivative."""
    return list(dict.fromkeys([*var.operands, *[one for one, _ in edges]]))


def _count(edges: dict[Var, Edges]) -> int:
    """Return the number of paths that begin at the last Var; the empty path counts."""
    total = 0
    paths = {next(reversed(edges)): 1}
    for var in reversed(edges):
        here = paths.pop(var, 0)
        total += here
        for one, _ in edges[var]:
            paths[one] = paths.get(one, 0) + here
    return total


def _refuse_more(calls: int, limit: int) -> None:
    if calls > limit:
        about = f"about 10^{math.log10(calls):.0f}"
        needed = f"{calls:,}" if calls < 10**15 else about
        cure = "trace a smaller graph, or raise the limit"
        what = f"the plain recursion makes {needed} calls of backprop"
        raise ValueError(f"{what}, the limit is {limit:,}: {cure}")


def _names(edges: Mapping[Var, Edges], given: Mapping[str, Var]) -> dict[Var, str]:
    """Return the name of each Var."""
    names: dict[Var, str] = {}
    for name, var in given.items():
        if var not in edges:
            cure = "leave it out, or give the name to the Var of the graph"
            raise ValueError(f"{name!r} is not a Var of this graph: {cure}")
        if var in names:
            two = f"{names[var]!r} and {name!r}"
            raise ValueError(f"{two} are the same Var: give it one name")
        names[var] = name
    free = (name for i in count(1) if (name := f"v{i}") not in given)
    return {var: names[var] if var in names else next(free) for var in edges}


def _node(var: Var, edges: Edges, names: Mapping[Var, str], after: Mapping[str, float]) -> Node:
    name = names[var]
    return Node(
        name,
        var.v,
        var.operation.name if var.operation else None,
        tuple(names[one] for one in var.operands),
        tuple(Edge(names[one], derivative) for one, derivative in edges),
        var.grad,
        after.get(name, var.grad),
    )

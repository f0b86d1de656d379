"""Question 2(b): how a backward pass works: the graph, the objects, and each call of `backprop`.

Two expressions are computed with real `Var`s: f = a b, and f = c + e with c = a b and e = a d. Each is
traced: what the plain recursion would call, in order, with which arguments. Then `f.backward()` runs, and its
gradients are compared with those of the trace. Beside it we count: the calls of the plain recursion and the
`Var`s that our own pass visits, for both expressions and for n doublings y = y + y.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from tinymlp.figures import computation, figure, objects
from tinymlp.scalar import Edge, Node, Var, count_visits, trace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labreport.results import Result
    from labreport.running import Lab
    from tinymlp.scalar import Call


@dataclass(frozen=True)
class Params:
    """The values of the expressions' inputs, and how often a number is doubled."""

    a: float = 3.0
    b: float = 5.0
    d: float = 9.0
    doublings: int = 12


def product(params: Params) -> dict[str, Var]:
    """The first expression: its `Var`s by name."""
    a, b = Var(params.a), Var(params.b)
    f = a * b
    return {"a": a, "b": b, "f": f}


def sum_of_products(params: Params) -> dict[str, Var]:
    """The second expression: a is used twice."""
    a, b, d = Var(params.a), Var(params.b), Var(params.d)
    c = a * b
    e = a * d
    f = c + e
    return {"a": a, "b": b, "d": d, "c": c, "e": e, "f": f}


EXPRESSIONS = {"product": product, "sum_of_products": sum_of_products}
FORMULAS = {"product": "$f = a b$", "sum_of_products": "$f = c + e$, with $c = a b$ and $e = a d$"}
PANELS = {"product": "(a)", "sum_of_products": "(b)"}  # of the figure


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """Both expressions traced and passed through, and what the two ways to do it cost."""
    # 1. each expression: its graph, the calls of the plain recursion in order, then a real backward pass
    studies = {name: _study(expression(params)) for name, expression in EXPRESSIONS.items()}
    # 2. a number doubled again and again: calls of the recursion, visits of our own pass
    doublings = _doubled(params.doublings)
    return {
        **{name: study["values"] for name, study in studies.items()},
        "largest_difference": max(study["values"]["difference"] for study in studies.values()),
        "doublings": doublings,
        "calls": _joined({name: study["calls"] for name, study in studies.items()}),
    }


def _joined(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The tables of the expressions as one, with the name and the panel of each."""
    named = [table.assign(expression=name, panel=PANELS[name]) for name, table in tables.items()]
    return pd.concat(named, ignore_index=True)


def _study(graph: Mapping[str, Var]) -> dict[str, Any]:
    """An expression traced, then passed through, with the largest difference between both gradients."""
    traced = trace(graph["f"], graph)  # leaves the gradients as they are
    visits = count_visits(graph["f"])
    graph["f"].backward()  # what the trace foresaw is compared with what this leaves
    after = {name: var.grad for name, var in graph.items()}
    values = {
        "v": {name: var.v for name, var in graph.items()},
        "derivative": {node.name: {e.input: e.derivative for e in node.edges} for node in traced.nodes},
        "grad": after,
        "difference": max(abs(after[node.name] - node.after) for node in traced.nodes),
        "vars": len(traced.nodes),
        "visits": visits,
        "calls_made": len(traced.calls),
        "nodes": [asdict(node) for node in traced.nodes],
    }
    return {"values": values, "calls": _calls(traced.calls)}


def _calls(calls: Sequence[Call]) -> pd.DataFrame:
    """A row for each call, with the argument of its caller, from which its own follows."""
    rows = [
        {
            **asdict(call),
            "shown": f"{call.name}.backprop({call.argument})",
            "caller_name": None if call.caller is None else calls[call.caller - 1].name,
            "caller_argument": None if call.caller is None else calls[call.caller - 1].argument,
        }
        for call in calls
    ]
    return pd.DataFrame(rows).astype(
        {"caller": "Int64", "caller_argument": "Float64", "derivative": "Float64"}
    )


def _doubled(n: int) -> dict[str, int]:
    """What n doublings y = y + y cost; the calls are made, not only counted."""
    y = Var(1.0)
    for _ in range(n):
        y = y + y
    return {"n": n, "calls": len(trace(y).calls), "visits": count_visits(y)}


def draw(result: Result, lab: Lab) -> None:
    """The graphs of both expressions, and the objects of the first."""
    nodes = {name: _nodes(result.values[name]["nodes"]) for name in EXPRESSIONS}
    grads = {name: result.values[name]["grad"] for name in EXPRESSIONS}
    lab.figure(
        "graphs",
        figure(
            *(computation(nodes[name], gradients=True) for name in EXPRESSIONS),
            titles=[f"{PANELS[name]} {formula}" for name, formula in FORMULAS.items()],
        ),
        alt="Two graphs, from the inputs on the left to f on the right, with a derivative at each arrow. The "
        f"gradients in the first are {grads['product']['a']:g} for a and {grads['product']['b']:g} for b. In "
        f"the second, two paths lead from a to f, and its gradient is {grads['sum_of_products']['a']:g}.",
    )
    lab.figure(
        "objects",
        figure(objects(nodes["product"])),
        alt="Three objects of class Var. Those named a and b have no operation and no operands; f has the "
        "operation * and refers to a and b as its operands. All gradients are zero.",
    )


def _nodes(plain: Sequence[Mapping[str, Any]]) -> list[Node]:
    """The traced nodes, from what JSON made of them."""

    def edges(node: Mapping[str, Any]) -> tuple[Edge, ...]:
        return tuple(Edge(**edge) for edge in node["edges"])

    return [Node(**{**node, "operands": tuple(node["operands"]), "edges": edges(node)}) for node in plain]

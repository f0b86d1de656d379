"""Exercises 2(a), (c) to (f) and (k): small questions to the autodiff framework, answered by running it.

What the gradients of the two examples are derivatives of (a); what a second backward pass adds (c); what
takes it away again (d); which step a finite difference needs (e); activation functions and their derivatives
(f); the cross entropy of large logits (k). Nothing here is random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tinymlp.scalar import (
    EPSILON,
    Var,
    gradient,
    numerical_gradient,
    trace,
)
from tinymlp.studies import SMOOTH, best_step_rows, compared_losses, error_rows, limits, step_grid

if TYPE_CHECKING:
    from labreport.running import Lab


@dataclass(frozen=True)
class Params:
    """How many steps per decade and places of a derivative we look at."""

    steps_per_decade: int = 4
    places: int = 41  # where each derivative is taken
    curve_points: int = 161


QUICK = Params(steps_per_decade=1, places=5, curve_points=17)


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """The answers to all these exercises, one after the other."""
    steps = error_rows(SMOOTH, step_grid(*DECADES, params.steps_per_decade), params.places)
    return {
        # a: each gradient beside the derivative that it is
        "gradients": examples(),
        # c, d: what passes add, and what backprop(-1.0) takes away
        "passes": repeated_passes(),
        "rebound": rebound(),
        # e: the error of finite differences by their step; the backward pass has none
        "best_steps": best_step_rows(steps, SMOOTH, COURSE_STEP),
        "backward_error": backward_errors(params.places),
        "epsilon": EPSILON,
        # f: derivatives of activation functions against central differences
        "slopes": slopes(activations(params.curve_points)),
        # k: the cross entropy of large logits
        "shifted_losses": shifted_losses(),
        "limits": limits(),
    }


# ------------------------------------------------------------------------------------- a: the two examples


def product() -> dict[str, Var]:
    """The first example, f = a b."""
    a, b = Var(3.0), Var(5.0)
    return {"a": a, "b": b, "f": a * b}


def reuse() -> dict[str, Var]:
    """The second example, f = a b + a d, in which a is used twice."""
    a, b, d = Var(3.0), Var(5.0), Var(9.0)
    c, e = a * b, a * d
    return {"a": a, "b": b, "d": d, "c": c, "e": e, "f": c + e}


# how f depends on each Var, with all that does not depend on that Var held fixed, and its derivative in words
DERIVATIVES = {
    "product": {
        "a": ("a b", "b", lambda a: a * 5.0),
        "b": ("a b", "a", lambda b: 3.0 * b),
        "f": ("f", "1", lambda f: f),
    },
    "reuse": {
        "a": ("a b + a d", "b + d", lambda a: a * 5.0 + a * 9.0),
        "b": ("a b + a d", "a", lambda b: 3.0 * b + 3.0 * 9.0),
        "d": ("a b + a d", "a", lambda d: 3.0 * 5.0 + 3.0 * d),
        "c": ("c + e", "1", lambda c: c + 27.0),
        "e": ("c + e", "1", lambda e: 15.0 + e),
        "f": ("f", "1", lambda f: f),
    },
}


def examples() -> pd.DataFrame:
    """A row for each Var of the examples: its value and gradient, what this is, and by differences."""
    rows = []
    for example, graph in {"product": product(), "reuse": reuse()}.items():
        graph["f"].backward()
        for name, var in graph.items():
            expression, derivative, function = DERIVATIVES[example][name]
            (difference,) = numerical_gradient(function, [var.v])
            rows.append(
                {
                    "example": example,
                    "name": name,
                    "value": var.v,
                    "gradient": var.grad,
                    "expression": expression,
                    "derivative": derivative,
                    "by_difference": difference,
                }
            )
    return pd.DataFrame(rows)


# --------------------------------------------------------------------------- c and d: further backward passes


def repeated_passes() -> pd.DataFrame:
    """The gradients of the second example after each of three passes, and what each pass brings to a.

    It brings the same each time, since it depends on the values only: b on the path over c, d on that over e.
    """
    graph, rows = reuse(), []
    for number in (1, 2, 3):
        over_c, over_e = (call.argument for call in trace(graph["f"], graph).calls if call.name == "a")
        before = graph["a"].grad
        graph["f"].backward()
        gradients = {name: var.grad for name, var in graph.items()}
        rows.append({"passes": number, "before": before, "over_c": over_c, "over_e": over_e, **gradients})
    return pd.DataFrame(rows)


def rebound() -> dict[str, Any]:
    """What happens to the gradients if the name a is bound to a new Var before the passes are undone."""
    graph = reuse()
    a, f = graph["a"], graph["f"]
    f.backward()
    f.backward()
    graphs_a, a = a, Var(2.0)
    before = {"new": a.grad, "graph": graphs_a.grad}
    f.backprop(-1.0)
    between = {"new": a.grad, "graph": graphs_a.grad}
    f.backprop(-1.0)
    after = {"new": a.grad, "graph": graphs_a.grad}
    values = {"new": a.v, "graph": graphs_a.v, "f": f.v}
    return {"before": before, "between": between, "after": after, "values": values}


# ------------------------------------------------------------------------------------ e: finite differences


COURSE_STEP = 1e-10
DECADES = (-15, -1)


def backward_errors(count: int) -> dict[str, float]:
    """The largest relative error of a backward pass, for each function and over all."""
    errors = {
        name: max(abs(gradient(f.f, [x])[0] / f.derivatives[0](x) - 1) for x in f.places(count))
        for name, f in SMOOTH.items()
    }
    return {**errors, "largest": max(errors.values())}


# ------------------------------------------------------------------------------------ f: activation functions

ACTIVATIONS = {"identity": Var.identity, "tanh": Var.tanh, "sigmoid": Var.sigmoid, "relu": Var.relu}
REACH = 4.0


def activations(count: int) -> pd.DataFrame:
    """A row for each activation function and x: value, derivative by backward, and by central differences.

    A central difference of ReLU at 0 lies across its kink: there it is missing.
    """
    rows = []
    for name, h in ACTIVATIONS.items():
        for x in np.linspace(-REACH, REACH, count).tolist():
            (difference,) = numerical_gradient(lambda value, h=h: h(Var(value)).v, [x])
            rows.append(
                {
                    "function": name,
                    "x": x,
                    "value": h(Var(x)).v,
                    "derivative": gradient(h, [x])[0],
                    "by_difference": None if name == "relu" and x == 0 else difference,
                }
            )
    return pd.DataFrame(rows)


def slopes(curves: pd.DataFrame) -> dict[str, dict[str, float]]:
    """For each activation function: derivatives at 0 and at the right end, and the error of differences."""
    found = {}
    for name, rows in curves.groupby("function", sort=False):
        by_x = rows.set_index("x")["derivative"]
        found[str(name)] = {
            "at_zero": float(by_x[0.0]),
            "at_end": float(by_x[REACH]),
            "error": float((rows["derivative"] - rows["by_difference"]).abs().max()),
        }
    return found


# --------------------------------------------------------------------------- k: cross entropy of large logits

SHIFTS = (0, 100, 700, 709, 710, 1000, 10_000, -100, -700, -740, -745, -746, -1000)


def shifted_losses() -> pd.DataFrame:
    """Logits c, c - 1, c - 2 and the last one's class: the same loss for all c."""
    return pd.DataFrame([{"shift": c, **compared_losses((c, c - 1, c - 2), 2)} for c in SHIFTS])

"""Exercises 2(a), (c) to (f), (j) and (k): small questions to the autodiff framework, answered by running it.

What the gradients of the two examples are derivatives of (a); what a second backward pass adds (c); what
takes it away again (d); which step a finite difference needs (e); activation functions and their derivatives
(f); a layer with constant weights by hand (j); the cross entropy of large logits (k). Nothing here is random.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tinymlp.figures import BLUE, GREEN, ORANGE, VERMILION
from tinymlp.scalar import (
    EPSILON,
    ConstantInitializer,
    DenseLayer,
    Var,
    forward,
    gradient,
    numerical_gradient,
    trace,
)
from tinymlp.studies import RULES, SMOOTH, best_step_rows, compared_losses, error_rows, limits, step_grid

if TYPE_CHECKING:
    from labreport.results import Result
    from labreport.running import Lab


@dataclass(frozen=True)
class Params:
    """How many backward passes, steps per decade and places of a derivative we look at."""

    passes: int = 10
    steps_per_decade: int = 4
    places: int = 41  # where each derivative is taken
    curve_points: int = 161


QUICK = Params(passes=3, steps_per_decade=1, places=5, curve_points=17)


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """The answers to all these exercises, one after the other."""
    steps = error_rows(SMOOTH, step_grid(*DECADES, params.steps_per_decade), params.places)
    curves = activations(params.curve_points)
    return {
        "gradients": examples(),
        "passes": repeated_passes(),
        "undone": undone_passes(params.passes),
        "rebound": rebound(),
        "step_errors": steps,
        "best_steps": best_step_rows(steps, SMOOTH, COURSE_STEP),
        "backward_error": backward_errors(params.places),
        "course_step": COURSE_STEP,
        "epsilon": EPSILON,
        "activations": curves,
        "slopes": slopes(curves),
        "layer": constant_layers(),
        "transposed": transposed(),
        "shifted_losses": shifted_losses(),
        "wrong_losses": scaled_losses(1),
        "right_losses": scaled_losses(0),
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


def undone_passes(most: int) -> pd.DataFrame:
    """What n backward() and then n backprop(-1.0) leave in a gradient: of a, and of the same with 0.1.

    Whole numbers are added without rounding. Otherwise each addition rounds by at most epsilon / 2 of its
    result; the results are 1 to n and n - 1 to 0 gradients, n^2 in all.
    """
    rows = []
    for n in range(1, most + 1):
        whole, tenth = reuse(), {"a": Var(3.0), "b": Var(0.1)}
        tenth["f"] = tenth["a"] * tenth["b"]
        for bp in [1.0] * n + [-1.0] * n:
            for graph in (whole, tenth):
                graph["f"].backprop(bp)
        left = max(abs(var.grad) for var in whole.values())
        rows.append(
            {"n": n, "whole": left, "tenth": tenth["a"].grad, "bound": n * n * EPSILON / 2 * tenth["b"].v}
        )
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


# ----------------------------------------------------------------------- j: a forward pass that is known


def constant_layers() -> dict[str, Any]:
    """A 2-3-1 network with all weights 0.5 and biases 0.25 at (1, 2): each layer, and by hand.

    By hand: 0.5 (1 + 2) + 0.25 = 1.75 in each of three hidden units, 3 x 0.5 tanh(1.75) + 0.25 at the output.
    """
    start = ConstantInitializer(0.5, 0.25)
    network = [DenseLayer(2, 3, Var.tanh, start), DenseLayer(3, 1, Var.identity, start)]
    x = [Var(1.0), Var(2.0)]
    hidden = [unit.v for unit in network[0].forward(x)]
    ((output,),) = forward([x], network)
    by_hand = {"hidden": math.tanh(1.75), "output": 1.5 * math.tanh(1.75) + 0.25}
    return {
        "hidden": hidden,
        "output": output.v,
        "by_hand": by_hand,
        "error": abs(output.v - by_hand["output"]),
    }


def transposed() -> dict[str, list[float]]:
    """What the test with equal weights cannot see: a layer that takes its weights transposed.

    At (1, 10), with equal weights and with the rows (1, 2) and (3, 4); by hand 31, 42 for the latter.
    """
    found = {}
    for name, rows in {"equal": [[1.0, 1.0], [1.0, 1.0]], "distinct": [[1.0, 2.0], [3.0, 4.0]]}.items():
        for suffix, weights in {
            "": rows,
            "_transposed": [list(column) for column in zip(*rows, strict=True)],
        }.items():
            layer = DenseLayer(2, 2, Var.identity, ConstantInitializer())
            layer.weights = [[Var(w) for w in row] for row in weights]
            found[name + suffix] = [unit.v for unit in layer.forward([Var(1.0), Var(10.0)])]
    return found


# --------------------------------------------------------------------------- k: cross entropy of large logits

SHIFTS = (0, 100, 700, 709, 710, 1000, 10_000, -100, -700, -740, -745, -746, -1000)
SCALES = (1, 10, 30, 40, 100, 700, 709, 710, 1000, 10_000)


def shifted_losses() -> pd.DataFrame:
    """Logits c, c - 1, c - 2 and the last one's class: the same loss for all c."""
    return pd.DataFrame([{"shift": c, **compared_losses((c, c - 1, c - 2), 2)} for c in SHIFTS])


def scaled_losses(target: int) -> pd.DataFrame:
    """Logits s and 0: the larger s, the surer the network is of class 0; it is wrong if the target is 1."""
    return pd.DataFrame([{"scale": s, **compared_losses((s, 0), target)} for s in SCALES])


# ------------------------------------------------------------------------------------------------- figures

FUNCTION_STYLES = {
    "exp": ("$e^x$", BLUE, "o"),
    "tanh": (r"$\tanh x$", ORANGE, "s"),
    "log": (r"$\ln x$", GREEN, "^"),
    "cube": ("$x^3$", VERMILION, "v"),
}
ACTIVATION_STYLES = {
    "identity": ("identity", "0.5", ":"),
    "tanh": ("tanh", BLUE, "-"),
    "sigmoid": ("sigmoid", VERMILION, "--"),
    "relu": ("ReLU", GREEN, "-."),
}


def draw(result: Result, lab: Lab) -> None:
    """Two figures: the error of finite differences over the step, and the activation functions."""
    errors, curves = result.table("step_errors"), result.table("activations")
    lab.figure("steps", _steps_figure(errors), alt=_steps_finding(result.table("best_steps")), data=errors)
    lab.figure("activations", _activations_figure(curves), alt=_slopes_finding(result), data=curves)


def _steps_finding(best: pd.DataFrame) -> str:
    def of(method: str) -> str:
        rows = best[best["method"] == method]
        return (
            f"{method} differences reach errors of {rows['error'].min():.0e} to {rows['error'].max():.0e} "
            f"at steps from {rows['step'].min():.0e} to {rows['step'].max():.0e}, and errors of "
            f"{rows['course_error'].min():.0e} to {rows['course_error'].max():.0e} at {COURSE_STEP:.0e}"
        )

    return (
        "Relative error of a derivative against the step on log axes: V-shaped curves along the theory. "
        f"On four functions, {of('forward')}; {of('central')}."
    )


def _slopes_finding(result: Result) -> str:
    at_zero = ", ".join(f"{name} {found['at_zero']:.2f}" for name, found in result.values["slopes"].items())
    return (
        "Four activation functions on the left and their derivatives on the right, where points by central "
        f"differences lie on the curves of the backward pass. Derivatives at 0: {at_zero}."
    )


def _steps_figure(errors: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(5.9, 2.8))
    for ax, method in zip(figure.subplots(1, 2, sharey=True, sharex=True), RULES, strict=True):
        for name, (label, colour, marker) in FUNCTION_STYLES.items():
            rows = errors[(errors["function"] == name) & (errors["method"] == method)]
            ax.plot(rows["step"], rows["truncation"] + rows["rounding"], color=colour, linewidth=0.7)
            ax.plot(rows["step"], rows["median"].clip(lower=1e-16), marker, color=colour, ms=2.5, label=label)
        ax.plot([], [], color="0.4", linewidth=0.7, label="theory")
        ax.axvline(COURSE_STEP, color="0.4", linestyle="--", linewidth=0.8, label="step $10^{-10}$")
        ax.set(title=f"{method} difference", xlabel="step $h$", xscale="log", yscale="log", ylim=(1e-13, 10))
        ax.set_xticks(10.0 ** np.arange(-15, 0, 2))
    figure.axes[0].set_ylabel("relative error of the derivative")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside right center")
    return figure


def _activations_figure(curves: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(5.9, 2.2))
    values, derivatives = figure.subplots(1, 2, sharex=True)
    for name, (label, colour, line) in ACTIVATION_STYLES.items():
        rows = curves[curves["function"] == name]
        values.plot(rows["x"], rows["value"], line, color=colour, label=label)
        for side in (rows[rows["x"] <= 0], rows[rows["x"] > 0]) if name == "relu" else (rows,):
            derivatives.plot(side["x"], side["derivative"], line, color=colour)
        some = rows[5::10]
        derivatives.plot(some["x"], some["by_difference"], "o", color=colour, ms=2)
    values.plot([], [], "o", color="0.3", ms=2, label="central\ndifference")
    values.set(title="activation function", xlabel="$x$", ylabel="$h(x)$", ylim=(-1.3, 3))
    derivatives.set(title="derivative", xlabel="$x$", ylabel="$h'(x)$", ylim=(-0.08, 1.15))
    figure.legend(*values.get_legend_handles_labels(), loc="outside right center")
    return figure

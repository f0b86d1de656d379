"""Exercises 1(c) and 1(j): do the recursions, coded as derived, give the gradient?

Random networks of several depths, widths and activation functions, each with a random data set of several
points. The gradient by backpropagation is compared with central differences of the loss and with PyTorch's
autograd, all in double precision. The error of one gradient is the largest difference over all weights,
divided by the largest component of the gradient that backpropagation gives.

Finite differences have errors of their own: a second part measures them over step sizes from 1e-13 to 1e-1.
With ReLUs a step may cross a kink, where the loss has no derivative; we record where one does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch.nn import functional

from tinymlp.figures import BLUE, VERMILION
from tinymlp.scalar import CENTRAL_STEP, EPSILON, FORWARD_STEP, backprop, relative_error
from tinymlp.studies import RULES, best_steps_of, crosses_kink, kink_steps, step_grid, step_summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from labreport.results import Result
    from labreport.running import Lab

# A notebook shows functions of this module as they stand beside those of `backprop`, whose names it has.
ACTIVATIONS, SOFTMAX, Layers, Network = (
    backprop.ACTIVATIONS,
    backprop.SOFTMAX,
    backprop.Layers,
    backprop.Network,
)
forward, gradient, random_network = backprop.forward, backprop.gradient, backprop.random_network
error_signals, weight_gradients = backprop.error_signals, backprop.weight_gradients
finite_differences, multiplications = backprop.finite_differences, backprop.multiplications


@dataclass(frozen=True)
class Params:
    """How many networks: for each row and loss of the table, and for each curve over the step size."""

    networks: int = 16
    curve_networks: int = 20
    points: int = 5  # data points for each network
    steps_per_decade: int = 3
    seed: int = 0


QUICK = Params(networks=3, curve_networks=3, steps_per_decade=1)

SHAPES = ((4, 3), (3, 5, 2), (4, 6, 5, 3), (5, 7, 6, 6, 4))  # D - M_1 - ... - K
LARGE = (784, 100, 100, 10)  # for the cost only
CURVE_SHAPE = (3, 4, 3, 2)
HIDDEN = {"tanh": "tanh", "logistic": "logistic", "relu": "ReLU", "mixed": "mixed"}
LOSSES = ("cross_entropy", "squared")
DECADES = (-13, -1)
SLOPES = {  # between which powers of ten the error is a power of the step
    "forward": {"rounding": (-13, -10), "truncation": (-6, -3)},
    "central": {"rounding": (-13, -7), "truncation": (-4, -2)},
}
TORCH = {
    "identity": lambda a: a,
    "tanh": torch.tanh,
    "logistic": torch.sigmoid,
    "relu": torch.relu,
    SOFTMAX: lambda a: a,  # torch's cross entropy takes the pre-activations
}


@dataclass(frozen=True)
class Case:
    """A network with the inputs (D, N) and targets (K, N) of its data set."""

    net: Network
    x: np.ndarray
    t: np.ndarray


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """The errors of each kind of network, the errors over the step size, and the multiplications."""
    # 1. the gradient of random networks against central differences and PyTorch
    checks = _checks(params, lab)
    # 2. the error of the differences over their step, without kinks (tanh) and with them (ReLU)
    tanh = _curves("tanh", ("forward", "central"), params, lab)
    relu = _curves("relu", ("central",), params, lab)
    steps = {rule: best_steps_of(tanh, rule, SLOPES[rule]) for rule in RULES}
    # 3. would the check notice? the same with wrong rules; and what both ways to the gradient cost
    return {
        **_worst(checks),
        "faults": _faults(params, lab),
        "steps": steps,
        "relu": kink_steps(relu, steps["central"]["step"]),
        "curve_network": _name(CURVE_SHAPE),
        "check_step": CENTRAL_STEP,
        "epsilon": EPSILON,
        "rows": _rows(checks),
        "cost": _cost(LARGE),
        "curves": step_summary(tanh),
        "relu_curves": relu,
    }


# ---------------------------------------------------------------------------------------- random networks


def random_case(shape: tuple[int, ...], hidden: str, loss: str, points: int, seed: int) -> Case:
    """A random network with random data: normal inputs, one-hot or normal targets.

    All layers have the function `hidden`, or each its own if that is "mixed"; with the cross entropy the
    outputs are softmax.
    """
    rng = np.random.default_rng(seed)
    names = list(ACTIVATIONS) if hidden == "mixed" else [hidden]
    h = [str(name) for name in rng.choice(names, len(shape) - 1)]
    if loss == "cross_entropy":
        h[-1] = SOFTMAX
        t = np.eye(shape[-1])[:, rng.integers(0, shape[-1], points)]
    else:
        t = rng.normal(size=(shape[-1], points))
    return Case(random_network(shape, h, rng), rng.normal(size=(shape[0], points)), t)


def autograd(case: Case) -> Layers:
    """The gradient by PyTorch in double precision."""
    w = {layer: torch.tensor(w, requires_grad=True) for layer, w in case.net.w.items()}
    z = torch.tensor(case.x.T)
    for layer in w:
        z = TORCH[case.net.h[layer]](functional.linear(z, w[layer][:, 1:], w[layer][:, 0]))
    is_softmax = case.net.h[len(w)] == SOFTMAX
    loss = functional.cross_entropy if is_softmax else functional.mse_loss
    loss(z, torch.tensor(case.t.T), reduction="sum").backward()
    return {layer: part.grad.numpy() for layer, part in w.items()}


def error(found: Layers, exact: Layers) -> float:
    """The largest difference over all weights, divided by the largest component of `exact`."""
    return relative_error(*(np.concatenate([*map(np.ravel, g.values())]).tolist() for g in (found, exact)))


# -------------------------------------------------------------------------------------- errors of the table


def _checks(params: Params, lab: Lab) -> pd.DataFrame:
    """A row for each network: its errors, and whether central differences cross a kink."""
    kinds = [
        (shape, hidden, loss, repeat)
        for shape in SHAPES
        for hidden in (HIDDEN if len(shape) > 2 else ["mixed"])
        for loss in LOSSES
        for repeat in range(params.networks)
    ]

    def check(kind: tuple[tuple[int, ...], str, str, int]) -> dict[str, Any]:
        shape, hidden, loss, repeat = kind
        seed = lab.seed("check", shape, hidden, loss, repeat)
        case = random_case(shape, hidden, loss, params.points, seed)
        exact = gradient(case.net, case.x, case.t)
        return {
            "network": _name(shape),
            "hidden": hidden,
            "loss": loss,
            "weights": case.net.n_weights,
            "central": error(finite_differences(case.net, case.x, case.t), exact),
            "autograd": error(autograd(case), exact),
            "kink": crosses_kink(case.net, case.x, CENTRAL_STEP),
        }

    return pd.DataFrame(lab.map(check, kinds, "networks"))


def _rows(checks: pd.DataFrame) -> pd.DataFrame:
    """The table: a row for each shape and activation function, with the largest errors for both losses."""
    rows = []
    for (network, hidden), group in checks.groupby(["network", "hidden"], sort=False):
        row = {"network": network, "weights": group["weights"].iloc[0], "hidden": HIDDEN[hidden]}
        for loss in LOSSES:
            of_loss = group[group["loss"] == loss]
            row[f"{loss}_central"] = of_loss.loc[~of_loss["kink"], "central"].max()
            row[f"{loss}_autograd"] = of_loss["autograd"].max()
        rows.append(row)
    return pd.DataFrame(rows)


def _worst(checks: pd.DataFrame) -> dict[str, Any]:
    """How many networks there are, how many cross a kink, and the largest errors of all."""
    return {
        "networks": len(checks),
        "kinked": int(checks["kink"].sum()),
        "central": float(checks.loc[~checks["kink"], "central"].max()),
        "autograd": float(checks["autograd"].max()),
    }


def _faults(params: Params, lab: Lab) -> dict[str, float]:
    """The least error against central differences of two wrong rules, over tanh networks of L > 1.

    They are: h' left out of the recursion, and one unit of the layer above in place of the sum over all.
    """
    cases = [
        random_case(shape, "tanh", loss, params.points, lab.seed("check", shape, "tanh", loss, repeat))
        for shape in SHAPES[1:]
        for loss in LOSSES
        for repeat in range(params.networks)
    ]
    found = lab.map(_errors_of_wrong_rules, cases, "wrong rules")
    return {name: min(errors[name] for errors in found) for name in found[0]}


def _errors_of_wrong_rules(case: Case) -> dict[str, float]:
    net, last = case.net, len(case.net.w)
    linear = {layer: name if layer == last else "identity" for layer, name in net.h.items()}
    first = {layer: w * (np.arange(len(w)) == 0)[:, None] for layer, w in net.w.items()}
    wrong = {"no_slope": replace(net, h=linear), "one_path": replace(net, w=first)}
    a, z = forward(net, case.x)
    exact = finite_differences(net, case.x, case.t)
    return {
        name: error(weight_gradients(error_signals(rule, a, z, case.t), z), exact)
        for name, rule in wrong.items()
    }


def _cost(shape: tuple[int, ...]) -> dict[str, int]:
    """Multiplications for a data point: by backpropagation with softmax outputs, by central differences."""
    h = [*["tanh"] * (len(shape) - 2), SOFTMAX]
    net = random_network(shape, h, np.random.default_rng(0))
    counts = multiplications(net)
    return {"weights": net.n_weights, "both": counts.both, "central": counts.central}


def _name(shape: tuple[int, ...]) -> str:
    return "-".join(map(str, shape))


# ------------------------------------------------------------------------------- errors over the step size


def _curves(hidden: str, rules: tuple[str, ...], params: Params, lab: Lab) -> pd.DataFrame:
    """A row for each network and step: the errors of the differences, and whether a kink is crossed."""
    steps = step_grid(*DECADES, params.steps_per_decade)

    def curve(repeat: int) -> pd.DataFrame:
        seed = lab.seed("curve", hidden, repeat)
        case = random_case(CURVE_SHAPE, hidden, "cross_entropy", params.points, seed)
        exact = gradient(case.net, case.x, case.t)

        def off(rule: str, step: float) -> float:
            found = finite_differences(case.net, case.x, case.t, partial(RULES[rule], step=step))
            return error(found, exact)

        errors = {rule: [off(rule, step) for step in steps] for rule in rules}
        kinks = [crosses_kink(case.net, case.x, step) for step in steps]
        return pd.DataFrame({"network": repeat, "step": steps, **errors, "kink": kinks})

    return pd.concat(lab.map(curve, range(params.curve_networks), hidden), ignore_index=True)


# ------------------------------------------------------------------------------------------------ figures

CHAIN_SIZE = (5.9, 1.72)  # in inches, as the places
# What stands where. Layer l + 1 is shown by its first unit, its last one, and one in between.
PLACES = {
    "weight": ("$w_{ji}^{(l)}$", 0.32, 0.86),
    "a": ("$a_j^{(l)}$", 1.38, 0.86),
    "z": ("$z_j^{(l)}$", 2.5, 0.86),
    "bias": ("$z_0^{(l)} = 1$", 2.5, 0.22),
    "1": ("$a_1^{(l+1)}$", 4.12, 1.5),
    "k": ("$a_k^{(l+1)}$", 4.12, 0.86),
    "M": ("$a_M^{(l+1)}$", 4.12, 0.22),
    "loss": ("$E_n$", 5.65, 0.86),
}
# The derivative at each arrow, and how far (points) it stands from the arrow's middle.
CHAIN = {
    ("weight", "a"): ("$z_i^{(l-1)}$", (0, 10)),
    ("a", "z"): ("$h_l'(a_j^{(l)})$", (0, 10)),
    ("z", "1"): ("$w_{1j}^{(l+1)}$", (-12, 12)),
    ("z", "k"): ("$w_{kj}^{(l+1)}$", (18, 10)),
    ("z", "M"): ("$w_{Mj}^{(l+1)}$", (18, 6)),
    ("1", "loss"): (r"$\delta_1^{(l+1)}$", (12, 9)),
    ("k", "loss"): (r"$\delta_k^{(l+1)}$", (-6, 10)),
    ("M", "loss"): (r"$\delta_M^{(l+1)}$", (14, -8)),
}


def draw(result: Result, lab: Lab) -> None:
    """The paths of the chain rule; error against step size, with smooth networks and with ReLU networks."""
    lab.figure(
        "paths",
        chain_rule(),
        alt="A path leads from the weight w_ji through a_j to z_j, and from there one through each unit "
        "of the next layer to the loss. Arrows lead from the bias unit to that layer, and none to it.",
    )
    curves, relu = result.table("curves"), result.table("relu_curves")
    figure = Figure(figsize=(5.9, 2.5))
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    _smooth_panel(left, curves)
    _kinked_panel(right, relu)
    left.set(title="tanh", ylabel="relative error of the gradient")
    right.set(title="ReLU, central differences")
    for ax in (left, right):
        ax.set(xscale="log", yscale="log", xlabel="step $h$", ylim=(1e-12, 10))
        ax.set_xticks([10.0**power for power in range(-13, 0, 3)])
        ax.set_yticks([10.0**power for power in range(-12, 1, 3)])
        ax.minorticks_off()
    lab.figure("steps", figure, alt=_finding(result.values), data=curves, explore="lines")


def chain_rule() -> Figure:
    """The paths from w_ji to the loss, with the derivative at each arrow; M is the width of layer l + 1."""
    figure = Figure(figsize=CHAIN_SIZE)
    figure.set_layout_engine("none")
    ax = figure.add_axes((0, 0, 1, 1), xlim=(0, CHAIN_SIZE[0]), ylim=(0, CHAIN_SIZE[1]))
    ax.set_axis_off()
    centred: dict[str, Any] = {"size": 10, "ha": "center", "va": "center"}  # its indices are 7 pt
    frame = {"boxstyle": "round", "facecolor": "0.96", "linewidth": 0.6}
    boxes = {name: ax.text(x, y, z, **centred, bbox=frame, zorder=3) for name, (z, x, y) in PLACES.items()}
    style = {"arrowstyle": "-|>", "color": "black", "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0}
    for (tail, head), (label, shift) in CHAIN.items():
        (x0, y0), (x1, y1) = PLACES[tail][1:], PLACES[head][1:]
        ends = {"patchA": boxes[tail].get_bbox_patch(), "patchB": boxes[head].get_bbox_patch()}
        ax.annotate("", (x1, y1), (x0, y0), arrowprops={**style, **ends})
        ax.annotate(label, ((x0 + x1) / 2, (y0 + y1) / 2), shift, textcoords="offset points", **centred)
    for unit in "1kM":  # the bias unit feeds them, too: only the beginnings, so that no line meets a label
        (x0, y0), (x1, y1) = PLACES["bias"][1:], PLACES[unit][1:]
        ax.plot((x0, 0.6 * x0 + 0.4 * x1), (y0, 0.6 * y0 + 0.4 * y1), "--", color="black", linewidth=0.7)
    return figure


def _finding(values: Any) -> str:
    forward, central, relu = values["steps"]["forward"], values["steps"]["central"], values["relu"]
    kink = ""
    if relu["first_step"] is not None:
        kink = f" until the step crosses a kink, first at {relu['first_step']:.0e}; "
        kink += f"then the error is larger, up to {relu['crossing']['max']:.1f}"
    return (
        "Relative error of finite differences against the step, both on log axes. For tanh networks both "
        f"errors fall and rise again: forward differences are best at {forward['step']:.0e}, with an error "
        f"of {forward['error']:.0e}, central ones at {central['step']:.0e}, with {central['error']:.0e}. "
        f"ReLU networks behave alike{kink}."
    )


def _smooth_panel(ax: Axes, curves: pd.DataFrame) -> None:
    """Medians and ranges of both differences, the steps of theory, and the slopes of theory."""
    styles = {"forward": (VERMILION, (0, (4, 1.5))), "central": (BLUE, "-")}
    for rule, (colour, line) in styles.items():
        low, median, high = (curves[f"{rule}_{part}"] for part in ("min", "median", "max"))
        ax.fill_between(curves["step"], low, high, color=colour, alpha=0.25, linewidth=0)
        ax.plot(curves["step"], median, linestyle=line, color=colour, label=f"{rule} differences")
    for theory, power in ((FORWARD_STEP, "1/2"), (CENTRAL_STEP, "1/3")):
        ax.axvline(theory, ymax=0.16, color="0.3", linewidth=0.6, linestyle=":")
        ax.annotate(rf"$\epsilon^{{{power}}}$", (theory, 1.3e-12), (-3, 0), **LABEL, ha="right", va="bottom")
    _slope_line(ax, (1e-12, 1e-7), -1, 1e-17, "$h^{-1}$", (-15, -7))
    _slope_line(ax, (1e-6, 1e-2), 1, 20, "$h$", (-9, 2))
    _slope_line(ax, (1e-4, 1e-1), 2, 0.004, "$h^2$", (5, -5))
    ax.legend(loc="upper left")


LABEL: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8}


def _slope_line(
    ax: Axes, ends: tuple[float, float], power: int, factor: float, name: str, shift: tuple[float, float]
) -> None:
    """A thin line `factor` * step^power between two steps, its name shifted (points) from the middle."""
    ax.plot(ends, [factor * step**power for step in ends], color="0.3", linewidth=0.6)
    middle = (ends[0] * ends[1]) ** 0.5
    ax.annotate(name, (middle, factor * middle**power), shift, **LABEL)


def _kinked_panel(ax: Axes, relu: pd.DataFrame) -> None:
    """Each network at each step, marked where the step crosses a kink."""
    looks = {False: ("no", "o", 4, 0, BLUE), True: ("a", "x", 9, 0.7, VERMILION)}
    for kink, (article, marker, size, width, colour) in looks.items():
        chosen, label = relu[relu["kink"] == kink], f"{article} kink within the step"
        look = {"marker": marker, "s": size, "linewidth": width, "color": colour}
        ax.scatter(chosen["step"], chosen["central"], **look, label=label)
    ax.legend(loc="upper left", handletextpad=0.1)

"""Question 3.1(a): what distinguishes the two binary cross entropies of PyTorch, and which one to use?

`torch.nn.BCELoss` takes probabilities, here the sigmoid of a logit; `torch.nn.BCEWithLogitsLoss` takes the
logit itself. Mathematically they are the same function of the logit z and the target y. We compute both in
single precision, with their gradient with respect to z, over a dense grid of logits and for both targets,
and compare with the closed form in double precision:

    loss = ln(1 + exp(z)) - y z,        d loss / dz = sigmoid(z) - y.

"Wrong" are the positive logits of target 0 and the negative logits of target 1: the model is sure of the
other class. There the exact loss is nearly |z| and the exact gradient nearly +1 or -1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from scipy.special import expit
from torch import nn

from tinymlp.figures import BLUE, VERMILION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from torch import Tensor

    from labreport.results import Result
    from labreport.running import Lab


@dataclass(frozen=True)
class Params:
    """The grid of logits; with a power of two of steps per unit every logit is exact in float32."""

    largest_logit: int = 120
    steps_per_unit: int = 1024
    ordinary_logit: int = 10  # up to this size a logit counts as ordinary
    seed: int = 0  # nothing here is random


QUICK = Params(steps_per_unit=64)

CLAMP = 100.0  # BCELoss lets no logarithm be below -100, says its documentation
TABLE_LOGITS = (10, 15, 17, 30, 60, 88, 90, 120)
FIGURE_STEPS_PER_UNIT = 4


def bce(logits: Tensor, targets: Tensor) -> Tensor:
    """The loss of each logit by `BCELoss` on its sigmoid."""
    return nn.BCELoss(reduction="none")(torch.sigmoid(logits), targets)


def with_logits(logits: Tensor, targets: Tensor) -> Tensor:
    """The loss of each logit by `BCEWithLogitsLoss`."""
    return nn.BCEWithLogitsLoss(reduction="none")(logits, targets)


LOSSES = {"bce": bce, "with_logits": with_logits}


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """The two losses and their gradients beside the exact ones, and where they part."""
    # both losses with their gradients on a dense grid of logits, for each target
    steps = params.largest_logit * params.steps_per_unit
    logits = np.arange(-steps, steps + 1) / params.steps_per_unit
    curves = {target: _curves(logits, target) for target in (0, 1)}
    # from which logit on each departs from the exact one
    values: dict[str, Any] = {
        name: {f"y{target}": _departure(curves[target], name, params) for target in curves} for name in LOSSES
    }
    # the causes, found by measurement: where the sigmoid rounds, the clamp, the floor in the backward pass
    on_figure = np.arange(0, len(logits), params.steps_per_unit // FIGURE_STEPS_PER_UNIT)
    return {
        **values,
        "sigmoid": _sigmoid_limits(logits),
        "clamp": float(curves[0]["bce"].max()),
        "largest_loss_below_clamp": float(curves[0]["bce"][curves[0]["bce"] < CLAMP].max()),
        "gradient_floor": _gradient_floor(curves[1]),
        "wrong_by_much": pd.concat([_wrong(curves[target]) for target in curves], ignore_index=True),
        "curves": pd.concat([curves[target].iloc[on_figure] for target in curves], ignore_index=True),
    }


def _curves(logits: np.ndarray, target: int) -> pd.DataFrame:
    """A row for each logit: the exact loss and gradient (float64), and each loss's own (float32)."""
    sign = 1 - 2 * target  # the loss of target 1 is that of target 0 at the mirrored logit
    exact = {"exact": np.logaddexp(0, sign * logits), "exact_gradient": sign * expit(sign * logits)}
    measured = {}
    for name, loss in LOSSES.items():
        z = torch.tensor(logits, dtype=torch.float32, requires_grad=True)
        losses = loss(z, torch.full_like(z, target))
        (gradient,) = torch.autograd.grad(losses.sum(), z)
        measured[name] = losses.detach().double().numpy() + 0.0  # -0 becomes 0
        measured[f"{name}_gradient"] = gradient.double().numpy() + 0.0
    return pd.DataFrame({"target": target, "logit": logits, **exact, **measured})


def _departure(curves: pd.DataFrame, name: str, params: Params) -> dict[str, float | None]:
    """How far a loss and its gradient are from the exact ones, and from which wrong logit on."""
    logit, ordinary = curves["logit"], curves["logit"].abs() <= params.ordinary_logit
    wrong = curves["exact_gradient"].abs() > 0.5
    error = (curves[name] - curves["exact"]).abs()
    gradient = curves[f"{name}_gradient"].abs()
    gradient_error = (curves[f"{name}_gradient"] - curves["exact_gradient"]).abs()
    return {
        "error": float(error.max()),
        "error_at": float(logit[error.idxmax()]),
        "ordinary_error": float(error[ordinary].max()),
        "gradient_error": float(gradient_error.max()),
        "ordinary_gradient_error": float(gradient_error[ordinary].max()),
        "clamped_from": _nearest(logit[wrong & (curves[name] == CLAMP) & (error > 1e-3)]),
        "gradient_halved_from": _nearest(logit[wrong & (gradient < curves["exact_gradient"].abs() / 2)]),
        "gradient_zero_from": _nearest(logit[wrong & (gradient == 0)]),
    }


def _nearest(logits: pd.Series) -> float | None:
    """The logit that is nearest to zero; None if there is none."""
    return None if logits.empty else float(logits[logits.abs().idxmin()])


def _sigmoid_limits(logits: np.ndarray) -> dict[str, float]:
    """Where the float32 sigmoid becomes exactly 1 and exactly 0, as measured and as float32 predicts.

    `1 + exp(-z)` rounds to 1 once `exp(-z)` is half the distance from 1 to the next number, 2^-24, or less;
    `1 / (1 + exp(-z))` is 0 once `exp(-z)` overflows. Rounded once, from its exact value, the sigmoid
    would be 1 only where it is nearer to 1 than to the number before, half as far away: from 2^-25 on.
    """
    float32 = torch.finfo(torch.float32)
    probability = torch.sigmoid(torch.tensor(logits, dtype=torch.float32)).numpy()
    return {
        "one_from": float(logits[probability == 1].min()),
        "one_predicted": -math.log(float32.eps / 2),
        "one_if_rounded_once": -math.log(float32.eps / 4),
        "zero_to": float(logits[probability == 0].max()),
        "zero_predicted": -math.log(float32.max),
    }


def _gradient_floor(curves: pd.DataFrame) -> float:
    """What the backward pass of `BCELoss` puts for `p (1 - p)` where that is smaller, measured at z = -60.

    The gradient in p is `(p - y) / max(p (1 - p), floor)`; the sigmoid multiplies it with `p (1 - p)`.
    """
    row = curves[curves["logit"] == -60].iloc[0]
    return float(expit(-60) * expit(60) / abs(row["bce_gradient"]))


def _wrong(curves: pd.DataFrame) -> pd.DataFrame:
    """The rows of the logits in the table, on the side that is wrong for the target."""
    return curves[curves["logit"].abs().isin(TABLE_LOGITS) & (curves["exact_gradient"].abs() > 0.5)]


def draw(result: Result, lab: Lab) -> None:
    """One figure: losses above, gradients below, a column for each target."""
    curves, bce = result.table("curves"), result.values["bce"]
    lab.figure(
        "losses",
        _figure(curves, bce),
        alt=_finding(bce),
        data=curves,
        explore={"kind": "lines", "x": "logit"},
    )


def _finding(bce: Mapping[str, Any]) -> str:
    zero, one = bce["y0"], bce["y1"]
    return (
        "Loss and gradient against the logit for both targets. BCEWithLogitsLoss follows the exact curves. "
        f"BCELoss jumps to 100 and loses its gradient at the logit {zero['clamped_from']:.1f} for target 0; "
        f"for target 1 the gradient is lost at {one['gradient_halved_from']:.1f}, "
        f"the clamp at {one['clamped_from']:.1f}."
    )


def _figure(curves: pd.DataFrame, bce: Mapping[str, Any]) -> Figure:
    figure = Figure(figsize=(5.9, 2.35))
    axes = figure.subplots(2, 2, sharex=True, sharey="row")
    for target, column in zip((0, 1), axes.T, strict=True):
        rows = curves[curves["target"] == target]
        column[0].set_title(f"target $y = {target}$")
        _panel(column[0], rows, "")
        _panel(column[1], rows, "_gradient")
        column[1].set_xlabel("logit $z$")
        departure = bce[f"y{target}"]
        _mark(column[0], departure["clamped_from"], 60 + 40 * target, outwards=False)
        _mark(column[1], departure["gradient_halved_from"], 0.5 - target, outwards=True)
    axes[0, 0].set(ylabel="loss (nats)", yticks=(0, 50, 100), ylim=(-6, 126))
    axes[1, 0].set(ylabel="derivative in $z$", yticks=(-1, 0, 1))
    axes[1, 0].set_xticks((-100, -50, 0, 50, 100))
    axes[0, 1].legend(loc="upper right")
    return figure


def _panel(ax: Axes, rows: pd.DataFrame, suffix: str) -> None:
    styles = {
        "exact": {"label": "exact", "color": "0.82", "linewidth": 4, "solid_capstyle": "butt"},
        "bce": {"label": "BCELoss of the sigmoid", "color": VERMILION},
        "with_logits": {"label": "BCEWithLogitsLoss", "color": BLUE, "linestyle": (0, (2.5, 2.5))},
    }
    for name, style in styles.items():
        ax.plot(rows["logit"], rows[name + suffix], **style)


def _mark(ax: Axes, logit: float, height: float, *, outwards: bool) -> None:
    """Write a logit beside the cliff that stands there, on the side away from zero or towards it."""
    side = math.copysign(1, logit) * (1 if outwards else -1)
    ax.annotate(
        f"$z = {logit:.1f}$",
        (logit, height),
        xytext=(4 * side, 0),
        textcoords="offset points",
        ha="left" if side > 0 else "right",
        va="center",
        fontsize=8,
    )

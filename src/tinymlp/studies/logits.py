"""Large logits: the cross entropy as it is written, as it is computed and exactly; how the first fails."""

import math
from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Any

import numpy as np

from tinymlp.scalar import Var, cross_entropy_loss, total

Loss = tuple[float, list[float]]  # with its derivatives in the logits

DIGITS = 50
ERRORS = ("OverflowError", "ValueError")
INFINITE = "infinite gradient"


def naive_loss(logits: Sequence[float], target: int) -> Loss:
    """Return the cross entropy as it is written: ln of the sum of exp(h_i), minus the target's h.

    Raises OverflowError or ValueError for logits that are too large or too small. Where the loss is a number
    but its gradient is too large for a float, all derivatives are infinite.
    """
    h = [Var(value) for value in logits]
    loss = total([var.exp() for var in h]).log() - h[target]
    try:
        loss.backward()
    except OverflowError:  # that of the value is raised above
        return loss.v, [math.inf] * len(h)
    return loss.v, [var.grad for var in h]


def stable_loss(logits: Sequence[float], target: int) -> Loss:
    """Return the cross entropy by `cross_entropy_loss`."""
    h = [Var(value) for value in logits]
    loss = cross_entropy_loss([[Var(float(i == target)) for i in range(len(h))]], [h])
    loss.backward()
    return loss.v, [var.grad for var in h]


def exact_loss(logits: Sequence[float], target: int) -> Loss:
    """Return the cross entropy with 50 digits, rounded at the end."""
    with localcontext(prec=DIGITS):
        h = [Decimal(value) for value in logits]
        partition = sum((value.exp() for value in h), Decimal(0))
        gradients = [number.exp() / partition - (i == target) for i, number in enumerate(h)]
        return float(partition.ln() - h[target]), [float(slope) for slope in gradients]


def compared_losses(logits: Sequence[float], target: int) -> dict[str, Any]:
    """Return the loss in both ways, with the errors of loss and gradient; what does not exist is None."""
    exact, exact_gradient = exact_loss(logits, target)
    row: dict[str, Any] = {"exact": exact, "failure": failure(logits, target), "numpy": numpy_outcome(logits)}
    for name, function in {"naive": naive_loss, "stable": stable_loss}.items():
        fails = row["failure"] if name == "naive" else None
        loss, found = (None, []) if fails in ERRORS else function(logits, target)
        row[name] = loss
        row[f"{name}_error"] = None if loss is None else abs(loss - exact)
        pairs = zip([] if fails else found, [] if fails else exact_gradient, strict=True)
        row[f"{name}_gradient_error"] = max((abs(a - b) for a, b in pairs), default=None)
    return row


def failure(logits: Sequence[float], target: int) -> str | None:
    """Return how the naive loss fails, if it does: the name of an error, or an infinite gradient."""
    try:
        _, found = naive_loss(logits, target)
    except (OverflowError, ValueError) as error:
        return type(error).__name__
    return None if all(map(math.isfinite, found)) else INFINITE


def numpy_outcome(logits: Sequence[float]) -> str:
    """Return what the naive formula gives in NumPy, which raises no error: a number, inf or -inf."""
    with np.errstate(all="ignore"):
        value = float(np.log(np.exp(np.array(logits, dtype=np.float64)).sum()))
    return "number" if math.isfinite(value) else str(value)


def limits() -> dict[str, float]:
    """Return the first whole logits, up and down, that break the naive loss in each way, beside the theory.

    One logit is far above the other, so its exp is the sum. It overflows above ln M, M being the largest
    float; its inverse, a factor of the gradient, below -ln M; it is 0 below ln of half the smallest float.
    """
    largest = float(np.finfo(np.float64).max)
    smallest = float(np.finfo(np.float64).smallest_subnormal)
    return {
        "overflow": _first(1, "OverflowError"),
        "overflow_theory": math.log(largest),
        "infinite_gradient": _first(-1, INFINITE),
        "infinite_gradient_theory": -math.log(largest),
        "underflow": _first(-1, "ValueError"),
        "underflow_theory": math.log(smallest) - math.log(2),
    }


def _first(sign: int, name: str) -> int:
    """Return the first logit of 0, 1, 2, ... or 0, -1, -2, ... at which the naive loss fails in this way."""
    return next(sign * c for c in range(1000) if failure((sign * c, sign * c - 1000), 0) == name)

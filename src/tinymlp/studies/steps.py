"""Steps of finite differences: the errors over the step size, the best step, and what theory expects of both.

Frames have a row for each network (or function) and step, with a column of relative errors for each of the
`RULES`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from tinymlp.scalar import (
    CENTRAL_STEP,
    EPSILON,
    FORWARD_STEP,
    Var,
    central_difference,
    forward_difference,
)

Function = Callable[[float], float]

RULES = {"forward": forward_difference, "central": central_difference}
THEORY_STEPS = {"forward": FORWARD_STEP, "central": CENTRAL_STEP}


def step_grid(low: int, high: int, per_decade: int) -> list[float]:
    """Return steps from one power of ten to another, evenly on a log axis, ends included."""
    return [float(h) for h in np.logspace(low, high, (high - low) * per_decade + 1)]


# ---- networks: measured errors of whole gradients


def step_summary(curves: pd.DataFrame) -> pd.DataFrame:
    """Return median, least and largest error of both rules for each step."""
    by_step = curves.groupby("step")[[*RULES]].agg(["median", "min", "max"])
    by_step.columns = pd.Index(["_".join(name) for name in by_step.columns])
    return by_step.reset_index()


def best_steps_of(curves: pd.DataFrame, rule: str, slopes: Mapping[str, tuple[int, int]]) -> dict[str, float]:
    """Return the step of the least median error, the range of the networks' own best steps, and the slopes.

    `slopes` names ranges of steps, as two powers of ten each; see `slope`.
    """
    best = curves.loc[curves.groupby("network")[rule].idxmin()]
    median = curves.groupby("step")[rule].median()
    return {
        "step": float(median.index.to_numpy()[median.to_numpy().argmin()]),
        "error": float(median.min()),
        "lowest_step": float(best["step"].min()),
        "highest_step": float(best["step"].max()),
        "theory": THEORY_STEPS[rule],
        **{name: slope(median, *decades) for name, decades in slopes.items()},
    }


def slope(median: "pd.Series[float]", low: int, high: int) -> float:
    """Return the power of the step that an error follows between two powers of ten.

    The errors are indexed by step; the power is the slope of the least-squares
    line through the logarithms of both.
    """
    logs = np.log10(np.column_stack([median.index, median]))
    # the steps come from a sum of logarithms and miss a power of ten by rounding
    step, size = logs[(logs[:, 0] > low - 1e-9) & (logs[:, 0] < high + 1e-9)].T
    return float(np.polyfit(step, size, 1)[0])


def kink_steps(curves: pd.DataFrame, best: float) -> dict[str, Any]:
    """Return from which step on networks cross kinks, and the errors of central differences with and without.

    `curves` has a column `kink`; `best` is the step that is best for smooth
    networks. What does not occur is None.
    """
    crossing, smooth = curves[curves["kink"]], curves[~curves["kink"]]
    share = curves.groupby("step")["kink"].mean()
    return {
        "at_best": int(crossing["step"].eq(best).sum()),
        "error_at_best": _number(smooth.loc[smooth["step"].eq(best), "central"].max()),
        "first_step": _number(crossing["step"].min()),
        "half_step": _number(share[share >= 0.5].index.min()),
        "crossing": {
            "median": _number(crossing["central"].median()),
            "min": _number(crossing["central"].min()),
            "max": _number(crossing["central"].max()),
        },
    }


# ---- functions of one number: what theory expects of an error


@dataclass(frozen=True)
class Smooth:
    """A function of one Var with its first three derivatives, and the places where it is looked at."""

    f: Callable[[Var], Var]
    derivatives: tuple[Function, Function, Function]
    low: float
    high: float

    def value(self, x: float) -> float:
        """Return f(x)."""
        return self.f(Var(x)).v

    def places(self, count: int) -> list[float]:
        """Return places at equal distances, ends included."""
        return [float(x) for x in np.linspace(self.low, self.high, count)]


def _tanh_derivatives() -> tuple[Function, Function, Function]:
    """With t = tanh x: 1 - t^2, -2 t (1 - t^2) and (1 - t^2) (6 t^2 - 2)."""
    return (
        lambda x: math.cosh(x) ** -2,
        lambda x: -2 * math.tanh(x) * math.cosh(x) ** -2,
        lambda x: (6 * math.tanh(x) ** 2 - 2) * math.cosh(x) ** -2,
    )


SMOOTH = {
    "exp": Smooth(lambda x: x.exp(), (math.exp,) * 3, 0.5, 1.5),
    "tanh": Smooth(lambda x: x.tanh(), _tanh_derivatives(), 0.9, 1.5),
    "log": Smooth(lambda x: x.log(), (lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3), 0.2, 0.6),
    "cube": Smooth(lambda x: x**3, (lambda x: 3 * x**2, lambda x: 6 * x, lambda _: 6.0), 20, 60),
}


def truncation(smooth: Smooth, rule: str, x: float, h: float) -> float:
    """Return what cutting off the Taylor series costs: h |f''| / 2 forward, h^2 |f'''| / 6 central."""
    _, second, third = (abs(derivative(x)) for derivative in smooth.derivatives)
    return h * second / 2 if rule == "forward" else h**2 * third / 6


def best_step(smooth: Smooth, rule: str, x: float) -> float:
    """Return the step at which the sum of truncation and rounding, epsilon |f| / h, is least."""
    _, second, third = (abs(derivative(x)) for derivative in smooth.derivatives)
    rounding = EPSILON * abs(smooth.value(x))
    return (
        math.pow(2 * rounding / second, 1 / 2) if rule == "forward" else math.pow(3 * rounding / third, 1 / 3)
    )


def step_errors(smooth: Smooth, rule: str, h: float, count: int) -> dict[str, float]:
    """Return errors relative to the derivative at some places, and what theory expects of them.

    `median` and `max` are over the places; `truncation` and `rounding` are medians.
    """
    errors, cut, rounded = [], [], []
    for x in smooth.places(count):
        exact = smooth.derivatives[0](x)
        errors.append(abs(RULES[rule](smooth.value, x, h) / exact - 1))
        cut.append(truncation(smooth, rule, x, h) / abs(exact))
        rounded.append(EPSILON * abs(smooth.value(x) / exact) / h)
    medians = {"median": errors, "truncation": cut, "rounding": rounded}
    return {**{name: float(np.median(sample)) for name, sample in medians.items()}, "max": max(errors)}


def error_rows(functions: Mapping[str, Smooth], steps: Sequence[float], count: int) -> pd.DataFrame:
    """Return a row of `step_errors` for each function, rule and step."""
    return pd.DataFrame(
        [
            {"function": name, "method": rule, "step": h, **step_errors(smooth, rule, h, count)}
            for name, smooth in functions.items()
            for rule in RULES
            for h in steps
        ]
    )


def best_step_rows(errors: pd.DataFrame, functions: Mapping[str, Smooth], course_step: float) -> pd.DataFrame:
    """Return a row for each function and rule: the step of the least median error beside that of the theory.

    `errors` are `error_rows`. The theory is for the middle of the places.
    `course_loss` is how many times the best error the one at the step nearest
    to `course_step` is.
    """
    rows = []
    for name, rule in product(functions, RULES):
        group = errors[(errors["function"] == name) & (errors["method"] == rule)]
        best = group.iloc[int(group["median"].to_numpy().argmin())]
        course = group.iloc[int((group["step"] / course_step - 1).abs().to_numpy().argmin())]
        smooth = functions[name]
        rows.append(
            {
                "function": name,
                "method": rule,
                "step": best["step"],
                "error": best["median"],
                "theory_step": best_step(smooth, rule, (smooth.low + smooth.high) / 2),
                "theory_error": (group["truncation"] + group["rounding"]).min(),
                "course_error": course["median"],
                "course_loss": course["median"] / best["median"],
            }
        )
    return pd.DataFrame(rows)


def _number(value: Any) -> float | None:
    """Return a number; None where there is nothing to take it from."""
    return None if np.isnan(value) else float(value)

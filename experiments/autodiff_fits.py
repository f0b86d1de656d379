"""Question 2(l): over-fitting, under-fitting and a good fit of the regression task; validation and test loss.

Networks of our own `Var`s are trained by plain gradient descent on the summed squared loss of the line with a
wave. From a setting that fits well we change the start, the architecture, the length of training and the
number of training points; the course's setting is one more. All settings share data and random numbers
of a repeat, so comparisons are paired. Losses are means per point in the units of y before standardisation.

Then networks are trained on one small training set, and the best on a few validation points is chosen: how
much better than it is does it look? All draws of validation points share its fits: it counts as one number.

The settings were fixed after trials with other seeds; nothing was chosen on the repeats reported.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tinymlp.figures import BLACK, BLUE, ORANGE, VERMILION, interval_bars
from tinymlp.scalar import Var, descend_by_tape, draw_task, line_with_wave, predict
from tinymlp.studies import (
    FINE,
    PLACES,
    SETS,
    FitSetting,
    candidate_counts,
    checkpoint_epochs,
    choice_rows,
    choices,
    chosen_by_points,
    compared,
    fit,
    fitted_functions,
    flat_choice,
    mean_std,
    reference_losses,
    starting_network,
    stopped,
    stopping,
    training_points,
    validation_and_test,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from labreport.results import Result
    from labreport.running import Lab
    from tinymlp.scalar import Task
    from tinymlp.studies import Chosen, Fit


@dataclass(frozen=True)
class Params:
    """The noise of the task, how long and how often we train, and the choosing among fits."""

    noise: float = 0.5  # standard deviation
    repeats: int = 20
    epochs: int = 200
    short: int = 10  # epochs of the training that stops early
    few: int = 15  # points of the small training sets
    functions: int = 6  # repeats whose functions are drawn
    training_sets: int = 24  # for the choosing
    candidates: int = 16  # fits of each training set
    draws: int = 250  # of validation points, for each training set
    few_validation: int = 10
    seed: int = 0


QUICK = Params(repeats=3, epochs=20, short=5, functions=2, training_sets=4, candidates=4, draws=50)

ALL = 105  # training points of the task
VALIDATION_SIZES = (5, 10, 20, 50, 100)

GOOD = FitSetting(Var.tanh, 8, "spread", 4, 0.15)
SETTINGS = {
    "course": FitSetting(Var.relu, 8, "normal", 0.1, 0.21),
    "small": FitSetting(Var.tanh, 8, "normal", 0.1, 0.15),
    "equal": FitSetting(Var.tanh, 8, "equal", 0.5, 0.15),
    "narrow": FitSetting(Var.tanh, 1, "spread", 1, 0.15, length=2),
    "good": GOOD,
    "wide": FitSetting(Var.tanh, 12, "spread", 6, 0.1),
    "few": replace(GOOD, few=True, length=5),
    "wide_few": FitSetting(Var.tanh, 12, "spread", 6, 0.1, few=True, length=5),
}
# the rows of the table: a setting, and where its training is looked at, in multiples of `epochs`
ROWS = {
    "course": ("course", 1),
    "small": ("small", 1),
    "equal": ("equal", 1),
    "narrow": ("narrow", 2),
    "short": ("good", 0),  # after `short` epochs
    "good": ("good", 1),
    "wide": ("wide", 1),
    "few": ("few", 1),
    "few_long": ("few", 5),
    "wide_few": ("wide_few", 1),
    "wide_few_long": ("wide_few", 5),
}
# trainings on few points over-fit if they lose more at the end than where they could have been stopped
FEW = ("few", "few_long", "wide_few", "wide_few_long")
ALIKE = ("line", "course", "small", "equal", "narrow", "short", "wide")  # as many points as the good fit
# differences of test losses that the text speaks of: more, less
PAIRS = {
    "data": ("wide_few", "wide"),
    "line": ("course", "line"),
    "stopped": ("stopped", "line_few"),
    "width": ("wide_few_long", "few_long"),
}
ORDER = ("mean", *ALIKE[:-1], "good", "wide", "line_few", *FEW[:-1], "stopped", "wide_few_long")
CASES = {"course": "under-fit", "good": "good fit", "wide_few": "over-fit"}
FIT_NAMES = {"under": "under-fit", "good": "good fit", "over": "over-fit"}


# ----------------------------------------------------------------------------------------- running


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """Losses of all settings and repeats, their comparison, and what choosing among fits does."""
    # 1. every repeat has its own data, which all settings share
    tasks = [draw_task(params.noise, lab.seed("data", repeat)) for repeat in range(params.repeats)]
    # 2. train each setting in each repeat;
    # the longest first: then no process is left with one of them at the end
    jobs = [(name, repeat) for name in SETTINGS for repeat in range(params.repeats)]
    jobs.sort(key=lambda job: -_work(SETTINGS[job[0]], params))
    fits = lab.map(lambda job: _fit(*job, params, lab), jobs, "settings")
    by_job = dict(zip(jobs, fits, strict=True))
    # 3. the losses of each row of the table, at its epoch or where the validation loss was least
    labelled = [fit.curve.assign(setting=name, repeat=r) for (name, r), fit in sorted(by_job.items())]
    curves = pd.concat(labelled, ignore_index=True)
    losses = reference_losses(tasks, ALL, params.few) | {row: _losses(curves, row, params) for row in ROWS}
    losses["stopped"] = stopped(*_until(curves, "wide_few_long", params))[[*SETS, "excess"]]
    # 4. what under-fits is worse than the good fit, what over-fits has become worse than it was
    stops = {row: stopping(*_until(curves, row, params)) for row in FEW}
    found = compared(losses, PAIRS, params.noise**2, stops, ALIKE)
    return {
        "noise_floor": params.noise**2,
        "fits": {row: _described(row, losses[row], params) for row in ORDER},
        "diverged": sum(fit.diverged for fit in fits),
        "trainings": len(fits),
        **found,
        "validation_and_test": validation_and_test(losses, ROWS),
        **_choosing(params, lab),  # 5. validation against test loss, once something is chosen
        "rows": _rows(losses, found, params),
        "repeats": pd.concat([frame.assign(row=row) for row, frame in losses.items()]).reset_index(),
        "curves": curves[curves["setting"].isin(CASES)].reset_index(drop=True),
        "functions": fitted_functions(
            {(name, r): by_job[name, r] for name in CASES for r in range(params.functions)}
        ),
        "points": training_points(tasks[0], params.few),
    }


def _work(setting: FitSetting, params: Params) -> int:
    return setting.units * setting.length * (params.few if setting.few else ALL)


def _fit(name: str, repeat: int, params: Params, lab: Lab) -> Fit:
    setting = SETTINGS[name]
    epochs, points = setting.length * params.epochs, params.few if setting.few else None
    marks, seed = checkpoint_epochs(epochs, (params.short, params.epochs)), lab.seed("start", repeat)
    return fit(setting, draw_task(params.noise, lab.seed("data", repeat)), points, epochs, marks, seed)


# --------------------------------------------------------------------------------------- comparing


def _losses(curves: pd.DataFrame, row: str, params: Params) -> pd.DataFrame:
    """What the table's row is made of, a line for each repeat that has not diverged."""
    setting, length = ROWS[row]
    at = (curves["setting"] == setting) & (curves["epoch"] == (length * params.epochs or params.short))
    return curves[at].set_index("repeat")[[*SETS, "excess"]]


def _described(row: str, losses: pd.DataFrame, params: Params) -> dict[str, Any]:
    columns = {column: mean_std(losses[column]) for column in (*SETS, "excess")}
    return {**_shape(row, params), "repeats": len(losses), **columns}


def _shape(row: str, params: Params) -> dict[str, Any]:
    """How many parameters a row has, how many points and epochs it learns from."""
    if row not in ROWS and row != "stopped":
        none = dict.fromkeys(("units", "scale", "rate", "epochs"))
        points = None if row == "mean" else params.few if row == "line_few" else ALL
        return {**none, "parameters": None if row == "mean" else 2, "points": points}
    name, length = ROWS["wide_few_long" if row == "stopped" else row]
    setting = SETTINGS[name]
    return {
        "units": setting.units,
        "scale": setting.scale,
        "rate": setting.rate,
        "epochs": None if row == "stopped" else length * params.epochs or params.short,
        "parameters": setting.parameters,
        "points": params.few if setting.few else ALL,
    }


def _until(curves: pd.DataFrame, row: str, params: Params) -> tuple[pd.DataFrame, int]:
    """The learning curves of a row's setting, and the epoch at which the row looks at them."""
    setting, length = ROWS[row]
    return curves[curves["setting"] == setting], length * params.epochs


def _rows(losses: Mapping[str, pd.DataFrame], found: Mapping[str, Any], params: Params) -> pd.DataFrame:
    """The table: settings, losses, and the contrast of the test loss with that of the good fit."""
    rows = []
    for row in ORDER:
        values = _described(row, losses[row], params)
        contrast = found["test_against_good"].get(row, {})
        verdict = found["verdicts"].get(row, row)
        rows.append(
            {
                "row": row,
                "label": _label(row),
                "verdict": FIT_NAMES.get(verdict, ""),
                **{key: values[key] for key in ("parameters", "points", "epochs", "repeats")},
                **{f"{c}_{k}": values[c][k] for c in (*SETS, "excess") for k in ("mean", "std")},
                "difference": contrast.get("estimate"),
                "low": contrast.get("low"),
                "high": contrast.get("high"),
            }
        )
    counts = dict.fromkeys(("parameters", "points", "epochs"), "Int64")
    return pd.DataFrame(rows).astype(counts | dict.fromkeys(("difference", "low", "high"), "Float64"))


def _label(row: str) -> str:
    """What is fitted, and from which start."""
    if row == "stopped":
        return f"{_label('wide_few_long')}, stopped"
    if row not in ROWS:
        return "mean of y itself" if row == "mean" else "best straight line"
    setting = SETTINGS[ROWS[row][0]]
    name = "ReLU" if setting.activation is Var.relu else "tanh"
    return f"{setting.units} {name}, {setting.start}"


# ---------------------------------------------------------------------------------------- choosing


def _choosing(params: Params, lab: Lab) -> dict[str, Any]:
    """What the chosen fit's validation loss says and what its test loss is, over training sets."""
    counts = candidate_counts(params.candidates)
    numbers = range(params.training_sets)
    sets = lab.map(lambda number: _chosen(number, counts, params, lab), numbers, "choosing")
    return {
        "choosing": choices(sets, params.few_validation, VALIDATION_SIZES),
        "training_sets": choice_rows(sets),
    }


def _chosen(number: int, counts: list[int], params: Params, lab: Lab) -> Chosen:
    """The losses of the chosen fits of one training set, as means over many draws of validation points."""
    task = draw_task(params.noise, lab.seed("data for choosing", number))
    rng = Random(lab.seed("candidates", number))
    fits = np.array([_candidate(task, params, rng) for _ in range(params.candidates)])
    return chosen_by_points(
        fits,
        line_with_wave(PLACES),
        params.noise,
        VALIDATION_SIZES,
        counts,
        params.draws,
        lambda points: np.random.default_rng(lab.seed("validation", number, points)),
    )


def _candidate(task: Task, params: Params, rng: Random) -> np.ndarray:
    """The function of a network of random width, slope and length of training, at all places of x."""
    x, y = (side[: params.few] for side in task.sets["train"])
    setting = replace(GOOD, units=rng.choice((2, 4, 8)), scale=2 ** rng.uniform(0, 3))
    epochs = params.epochs // rng.choice((2, 4, 8))
    network = starting_network(setting, rng)
    for _ in descend_by_tape(network, x, y, setting.rate / len(x), epochs):
        pass
    return task.original(predict(network, task.standardised(PLACES))[:, 0])


# ----------------------------------------------------------------------------------------- drawing

STYLES = {"train": ("training", "-"), "validation": ("validation", (0, (4, 1.5)))}
# colours of different lightness, for readers in grey; where the name stands, in points from the curve's end
LOOKS = {"course": (ORANGE, (-49, 19)), "good": (VERMILION, (3, -10)), "wide_few": (BLACK, (3, 0))}
LOSSES = (0.05, 0.1, 0.2, 0.5, 1, 2)


def draw(result: Result, lab: Lab) -> None:
    """Two figures: fitted functions beside learning curves for the three cases; choosing among fits."""
    curves = result.table("curves")
    lab.figure("fits", _fits_figure(result, curves), alt=_fits_finding(result), data=curves, explore="lines")
    choosing = result.values["choosing"]
    rows = pd.DataFrame([flat_choice(row) for row in (*choosing["by_count"], *choosing["by_points"])])
    lab.figure("choosing", _choosing_figure(result), alt=_choosing_finding(choosing), data=rows)


def _fits_figure(result: Result, curves: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(5.9, 3.0))
    panels = figure.subplots(2, 2).flat
    functions, points = result.table("functions"), result.table("points")
    for (name, case), ax, letter in zip(CASES.items(), panels, "abc", strict=False):
        shown = points[points["few"]] if SETTINGS[name].few else points
        _functions_panel(ax, functions[functions["setting"] == name], shown)
        ax.set_title(f"({letter}) {case}")
    panels[0].legend(loc="upper left", handletextpad=0.5)
    _curves_panel(panels[3], curves, result.values["noise_floor"])
    return figure


def _curves_panel(ax: Axes, curves: pd.DataFrame, floor: float) -> None:
    """Means over repeats from the first epoch on; the case stands beside its validation curve."""
    means = curves[curves["epoch"] > 0].groupby(["setting", "epoch"])[list(STYLES)].mean()
    for name, case in CASES.items():
        colour, offset = LOOKS[name]
        for kind, (_, line) in STYLES.items():
            losses = means.loc[name][kind]
            ax.plot(losses.index, losses, color=colour, linestyle=line, linewidth=1.5)
        end = losses.index[-1], losses.iloc[-1]  # of the validation curve, the last one drawn
        ax.annotate(case, end, offset, textcoords="offset points", fontsize=8)
    for label, line in STYLES.values():
        ax.plot([], [], color="0.3", linewidth=1.5, linestyle=line, label=label)
    ax.axhline(floor, color="black", linewidth=0.8, linestyle=":")
    ax.text(15 * curves["epoch"].max(), 0.95 * floor, "noise floor", ha="right", va="top", fontsize=8)
    ax.set(xscale="log", yscale="log", xlabel="epoch (log)", ylabel="loss (log)")
    ax.set(title="(d) learning curves", ylim=(0.02, 4), xlim=(1, 15 * curves["epoch"].max()))
    ax.set_yticks(LOSSES, [str(loss) for loss in LOSSES])
    ax.minorticks_off()
    ax.legend(loc="lower left")


def _functions_panel(ax: Axes, functions: pd.DataFrame, points: pd.DataFrame) -> None:
    ax.scatter(points["x"], points["y"], 6, "0.55", linewidths=0, label="training points", zorder=1)
    table = functions.pivot_table(index="x", columns="repeat", values="y")
    ax.plot(table.index, table, color=BLUE, linewidth=0.6, label=["fits", *[None] * (table.shape[1] - 1)])
    ax.plot(FINE, line_with_wave(FINE), color="black", linestyle=(0, (4, 2)), label="mean of $y$")
    ax.set(xlabel="$x$", ylabel="$y$", xlim=(-3, 3), ylim=(-5, 6), xticks=(-2, 0, 2), yticks=(-4, 0, 4))


def _fits_finding(result: Result) -> str:
    def told(row: str) -> str:
        fit = result.values["fits"][row]
        return " and ".join(f"{fit[name]['mean']:.2f} in {name}" for name in STYLES)

    return (
        f"Under-fit: losses end at {told('course')}; the functions are nearly straight. Good fit: "
        f"{told('good')}; the functions follow the wave. Over-fit: {told('wide_few_long')}; the functions "
        "bend towards the few points."
    )


def _choosing_figure(result: Result) -> Figure:
    figure, choosing = Figure(figsize=(5.9, 2.1)), result.values["choosing"]
    losses, bias = figure.subplots(1, 2)
    _losses_panel(losses, [flat_choice(row) for row in choosing["by_count"]], result.values["noise_floor"])
    _bias_panel(bias, [flat_choice(row) for row in choosing["by_points"]], result.table("training_sets"))
    return figure


def _losses_panel(ax: Axes, rows: Sequence[Mapping[str, Any]], floor: float) -> None:
    counts = [row["candidates"] for row in rows]
    ax.plot(counts, [row["test"] for row in rows], "o-", color=BLUE, label="test")
    ax.plot(counts, [row["validation"] for row in rows], "s--", color=ORANGE, label="validation")
    ax.axhline(floor, color="black", linewidth=0.8, linestyle=":", label="noise floor")
    ax.set(xscale="log", xlabel="number of fits to choose from (log)", ylabel="loss of the chosen fit")
    ax.set_xticks(counts, [str(count) for count in counts])
    ax.minorticks_off()
    ax.set(ylim=(0, None), title=f"{rows[0]['points']} validation points")
    ax.legend(loc="lower left")


def _bias_panel(ax: Axes, rows: Sequence[Mapping[str, Any]], sets: pd.DataFrame) -> None:
    points = [row["points"] for row in rows]
    estimates, low, high = ([row[key] for row in rows] for key in ("estimate", "low", "high"))
    most = sets[sets["candidates"] == rows[0]["candidates"]]
    differences = most["test"] - most["validation"]
    ax.scatter(most["points"], differences, 4, "0.6", linewidths=0, label="one training set")
    style = {"fmt": "D-", "color": BLUE, "ms": 3, "capsize": 3, "label": r"mean, 95 % interval"}
    interval_bars(ax, points, estimates, low, high, **style)
    ax.axhline(0, color="black", linewidth=0.5)
    ax.set(xscale="log", xlabel="validation points (log)", ylabel=r"test $-$ validation loss")
    ax.set(title=f"best of {rows[0]['candidates']} fits")
    ax.set_xticks(points, [str(count) for count in points])
    ax.minorticks_off()
    ax.legend(loc="upper right")


def _choosing_finding(choosing: Mapping[str, Any]) -> str:
    one, best, most = (choosing[key] for key in ("one", "all", "most_points"))
    return (
        f"Left: with {best['points']} validation points, one fit has the validation loss "
        f"{one['validation']['mean']:.2f} and the test loss {one['test']['mean']:.2f}; the best of "
        f"{best['candidates']} has {best['validation']['mean']:.2f} and {best['test']['mean']:.2f}. "
        f"Right: with {most['points']} points the difference is {most['bias']['estimate']:.3f}."
    )

"""Question 2(l): over-fitting, under-fitting and a good fit of the regression task; validation and test loss.

Networks of our own `Var`s are trained by plain gradient descent on the summed squared loss of the line with a
wave. From a setting that fits well we change the start, the architecture, the length of training and the
number of training points; the course's setting is one more. All settings see the same repeats: a repeat has
its own draw of the data and its own random numbers for the start, so comparisons are paired. Losses are means
per point in the units of y before it was standardised, where the noise floor is the same for all repeats.

Then many small networks are trained on one small training set, and the best on a few validation points is
chosen: how much better than it is does it look? All draws of validation points from one training set share
its fits, so intervals are over training sets, each of which counts as one number.

The settings were fixed after trials with other seeds; nothing was chosen on the repeats reported.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tinymlp.inference import holm_corrected, paired_means, summarise
from tinymlp.scalar import (
    ConstantInitializer,
    DenseLayer,
    NeuralNetwork,
    NormalInitializer,
    SpreadInitializer,
    Var,
    chosen_losses,
    descend,
    draw_task,
    line_with_wave,
    mean_loss,
    predict,
    straight_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes

    from labreport.results.results import Result
    from labreport.running.lab import Lab
    from tinymlp.inference import Contrast
    from tinymlp.scalar import Initializer, Task


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
GRID = 300  # places of x in the task
SETS = ("train", "validation", "test")
FINE = np.linspace(-3, 3, 121)  # where functions are drawn
CHECKPOINTS = 30
GONE = 1000  # a loss as many times the first one has diverged
VALIDATION_SIZES = (5, 10, 20, 50, 100)
HALF_WIDTH = math.sqrt(3)  # of the standardised x, which are even over an interval
OUTPUT_STD = 0.1  # of the first output weights


@dataclass(frozen=True)
class Setting:
    """How a network is built, started and trained.

    `scale` is the standard deviation of a normal start, the weight of one with equal units, the slope of one
    with spread units. `rate` belongs to the mean loss per point: the step on the sum is `rate / points`.
    """

    activation: Callable[[Var], Var]
    units: int
    start: str
    scale: float
    rate: float
    length: int = 1  # in multiples of `epochs`
    few: bool = False

    @property
    def parameters(self) -> int:
        """The number of weights and biases."""
        return 3 * self.units + 1


GOOD = Setting(Var.tanh, 8, "spread", 4, 0.15)
SETTINGS = {
    "course": Setting(Var.relu, 8, "normal", 0.1, 0.21),
    "small": Setting(Var.tanh, 8, "normal", 0.1, 0.15),
    "equal": Setting(Var.tanh, 8, "equal", 0.5, 0.15),
    "narrow": Setting(Var.tanh, 1, "spread", 1, 0.15, length=2),
    "good": GOOD,
    "wide": Setting(Var.tanh, 12, "spread", 6, 0.1),
    "few": replace(GOOD, few=True, length=5),
    "wide_few": Setting(Var.tanh, 12, "spread", 6, 0.1, few=True, length=5),
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
# differences of test losses that the text speaks of: more, less
PAIRS = {
    "data": ("wide_few", "wide"),
    "length": ("wide_few_long", "wide_few"),
    "width": ("wide_few_long", "few_long"),
    "line_few": ("few", "line_few"),
    "line": ("course", "line"),
}
CASES = {"course": "under-fitting", "good": "good fit", "wide_few": "over-fitting"}


# ----------------------------------------------------------------------------------------- running


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """Losses of all settings and repeats, their comparison, and what choosing among fits does."""
    tasks = [draw_task(params.noise, lab.seed("data", repeat)) for repeat in range(params.repeats)]
    # the longest first: then no process is left with one of them at the end
    jobs = [(name, repeat) for name in SETTINGS for repeat in range(params.repeats)]
    jobs.sort(key=lambda job: -_work(SETTINGS[job[0]], params))
    fits = lab.map(
        lambda job: _fit(SETTINGS[job[0]], tasks[job[1]], params, lab.seed("start", job[1])),
        jobs,
        "settings",
    )
    by_job = dict(zip(jobs, fits, strict=True))
    labelled = [fit.curve.assign(setting=name, repeat=r) for (name, r), fit in sorted(by_job.items())]
    curves = pd.concat(labelled, ignore_index=True)
    losses = _references(tasks, params) | {row: _losses(curves, row, params) for row in ROWS}
    compared = _compared(losses, params)
    return {
        "noise_floor": params.noise**2,
        "fits": {row: _described(row, frame, params) for row, frame in losses.items()},
        "diverged": sum(fit.diverged for fit in fits),
        "trainings": len(fits),
        **compared,
        "validation_and_test": _validation_and_test(losses),
        "stopping": {row: _stopping(curves, row, params) for row in ("few_long", "wide_few_long")},
        **_choosing(params, lab),
        "rows": _rows(losses, compared, params),
        "repeats": pd.concat([frame.assign(row=row) for row, frame in losses.items()]).reset_index(),
        "curves": curves[curves["setting"].isin(CASES)].reset_index(drop=True),
        "functions": _functions(by_job, params),
        "points": _points(tasks[0], params),
    }


def _work(setting: Setting, params: Params) -> int:
    return setting.units * setting.length * (params.few if setting.few else ALL)


@dataclass(frozen=True)
class Fit:
    """One training: its losses at the checkpoints, the fitted function on `FINE`, whether it diverged."""

    curve: pd.DataFrame
    function: list[float] | None
    diverged: bool


def _fit(setting: Setting, task: Task, params: Params, seed: int) -> Fit:
    """Train one network; look at it with NumPy at the checkpoints."""
    x, y = (side[: params.few] if setting.few else side for side in task.sets["train"])
    network = _network(setting, Random(seed))
    epochs = setting.length * params.epochs
    checkpoints = _checkpoints(epochs, params)
    seen, first = [], math.inf
    for epoch, loss in descend(network, x, y, setting.rate / len(x), epochs):
        first = loss if epoch == 0 else first
        if not loss <= GONE * first:
            return Fit(pd.DataFrame(seen), None, diverged=True)
        if epoch in checkpoints:
            seen.append({"epoch": epoch, **_look(network, task, len(x))})
    function = task.original(predict(network, task.standardised(FINE))[:, 0])
    return Fit(pd.DataFrame(seen), function.tolist(), diverged=False)


def _network(setting: Setting, rng: Random) -> NeuralNetwork:
    starts: dict[str, tuple[Initializer, Initializer]] = {
        "normal": (NormalInitializer(std=setting.scale, rng=rng),) * 2,
        "equal": (ConstantInitializer(setting.scale),) * 2,
        "spread": (
            SpreadInitializer(setting.scale, HALF_WIDTH, rng),
            NormalInitializer(std=OUTPUT_STD, rng=rng),
        ),
    }
    hidden, output = starts[setting.start]
    return NeuralNetwork(
        [
            DenseLayer(1, setting.units, setting.activation, hidden),
            DenseLayer(setting.units, 1, Var.identity, output),
        ]
    )


def _checkpoints(epochs: int, params: Params) -> set[int]:
    """The start, the end, what the table shows, and steps that are even on a log axis."""
    even = np.geomspace(1, epochs, CHECKPOINTS).round().astype(int).tolist()
    return {0, params.short, params.epochs, *even}


def _look(network: NeuralNetwork, task: Task, points: int) -> dict[str, float]:
    """The losses per point, and how far the function is from the mean of y, over all places of x."""
    unit = task.scale[1] ** 2
    sizes = {name: points if name == "train" else None for name in SETS}
    losses = {name: unit * mean_loss(network, *(s[: sizes[name]] for s in task.sets[name])) for name in SETS}
    return {**losses, "excess": _excess(lambda x: predict(network, x)[:, 0], task)}


def _excess(function: Callable[[np.ndarray], np.ndarray], task: Task) -> float:
    x = np.linspace(-3, 3, GRID)
    errors = task.original(function(task.standardised(x))) - line_with_wave(x)
    return float(np.mean(errors**2))


def _references(tasks: Sequence[Task], params: Params) -> dict[str, pd.DataFrame]:
    """What the fits are measured by: the mean of y itself and the least-squares lines."""
    references = {
        "mean": [
            {name: float(np.mean(task.noise(name) ** 2)) for name in SETS} | {"excess": 0.0} for task in tasks
        ],
        "line": [_line(task, ALL) for task in tasks],
        "line_few": [_line(task, params.few) for task in tasks],
    }
    return {name: pd.DataFrame(values).rename_axis("repeat") for name, values in references.items()}


def _line(task: Task, points: int) -> dict[str, float]:
    """The losses of the least-squares line through the first training points."""
    sets = task.sets | {"train": tuple(side[:points] for side in task.sets["train"])}
    slope, intercept = straight_line(*sets["train"])

    def line(x: np.ndarray) -> np.ndarray:
        return slope * x[:, 0] + intercept

    unit = task.scale[1] ** 2
    losses = {name: unit * float(np.mean((line(x) - y) ** 2)) for name, (x, y) in sets.items()}
    return {**losses, "excess": _excess(line, task)}


# --------------------------------------------------------------------------------------- comparing


def _losses(curves: pd.DataFrame, row: str, params: Params) -> pd.DataFrame:
    """What the table's row is made of, a line for each repeat that has not diverged."""
    setting, length = ROWS[row]
    at = (curves["setting"] == setting) & (curves["epoch"] == (length * params.epochs or params.short))
    return curves[at].set_index("repeat")[[*SETS, "excess"]]


def _mean_std(values: pd.Series) -> dict[str, float | None]:
    summary = summarise(values)
    return {"mean": summary.mean, "std": summary.std}


def _described(row: str, losses: pd.DataFrame, params: Params) -> dict[str, Any]:
    columns = {column: _mean_std(losses[column]) for column in (*SETS, "excess")}
    return {**_shape(row, params), "repeats": len(losses), **columns}


def _shape(row: str, params: Params) -> dict[str, Any]:
    """How many parameters a row has, how many points and epochs it learns from."""
    if row not in ROWS:
        few = row == "line_few"
        none = dict.fromkeys(("units", "scale", "rate", "epochs"))
        points = None if row == "mean" else params.few if few else ALL
        return {**none, "parameters": None if row == "mean" else 2, "points": points}
    name, length = ROWS[row]
    setting = SETTINGS[name]
    return {
        "units": setting.units,
        "scale": setting.scale,
        "rate": setting.rate,
        "epochs": length * params.epochs or params.short,
        "parameters": setting.parameters,
        "points": params.few if setting.few else ALL,
    }


def _paired(first: pd.Series, second: pd.Series) -> Contrast:
    """The contrast of the repeats that both have."""
    both = pd.concat([first, second], axis=1, join="inner")
    return paired_means(both.iloc[:, 0], both.iloc[:, 1])


def _compared(losses: Mapping[str, pd.DataFrame], params: Params) -> dict[str, Any]:
    """Each row against the good fit, its training loss against the noise floor, and what follows."""
    good = losses["good"]
    others = {row: frame for row, frame in losses.items() if row not in ("good", "mean")}
    test = holm_corrected({row: _paired(frame["test"], good["test"]) for row, frame in others.items()})
    train = {row: _paired(frame["train"], good["train"]) for row, frame in others.items()}
    least = params.noise**2
    floor = {row: paired_means(frame["train"], [least] * len(frame)) for row, frame in losses.items()}
    verdicts = {row: _verdict(test[row], train[row], floor[row]) for row in others}
    pairs = {
        name: _paired(losses[more]["test"], losses[less]["test"]) for name, (more, less) in PAIRS.items()
    }
    return {
        "test_against_good": {row: asdict(contrast) for row, contrast in test.items()},
        "train_against_good": {row: asdict(contrast) for row, contrast in train.items()},
        "train_against_floor": {row: asdict(contrast) for row, contrast in floor.items()},
        "worse_than_good": {row: int((frame["test"] > good["test"]).sum()) for row, frame in others.items()},
        "pairs": {name: asdict(contrast) for name, contrast in pairs.items()},
        "verdicts": verdicts,
        "comparisons": len(test),
        "largest_p_holm": {kind: _largest_p(test, verdicts, kind) for kind in ("under", "over")},
    }


def _largest_p(test: Mapping[str, Contrast], verdicts: Mapping[str, str], kind: str) -> float | None:
    """The largest corrected p value of the rows with a verdict; None if there are none."""
    values = [test[row].p_holm for row, verdict in verdicts.items() if verdict == kind]
    return max((p for p in values if p is not None), default=None)


def _verdict(test: Contrast, train: Contrast, floor: Contrast) -> str:
    """Whether a setting over-fits or under-fits by the criteria of the report."""
    assert test.p_holm is not None
    if test.estimate <= 0 or test.p_holm >= 0.05:
        return "neither"
    if train.low > 0 and floor.low > 0:
        return "under"
    return "over" if train.high < 0 and floor.high < 0 else "neither"


def _validation_and_test(losses: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Test minus validation loss without any choice, of all settings and of the mean of y itself."""
    contrasts = {row: paired_means(frame["test"], frame["validation"]) for row, frame in losses.items()}
    fits = [contrasts[row] for row in ROWS]
    return {
        **{row: asdict(contrast) for row, contrast in contrasts.items()},
        "covering_zero": sum(contrast.low <= 0 <= contrast.high for contrast in fits),
        "settings": len(fits),
        "least": min(contrast.estimate for contrast in fits),
        "greatest": max(contrast.estimate for contrast in fits),
    }


def _stopping(curves: pd.DataFrame, row: str, params: Params) -> dict[str, Any]:
    """The test loss at the end against that where the validation loss of the same training is least."""
    setting = ROWS[row][0]
    ends, stops = [], []
    for _, curve in curves[curves["setting"] == setting].groupby("repeat"):
        if curve["epoch"].iloc[-1] == ROWS[row][1] * params.epochs:
            ends.append(curve["test"].iloc[-1])
            stops.append(curve.loc[curve["validation"].idxmin()])
    stopped = pd.DataFrame(stops)
    return {
        "rise": asdict(paired_means(ends, stopped["test"])),
        "epoch": asdict(summarise(stopped["epoch"])),
        "stopped": _mean_std(stopped["test"]),
        "test_minus_validation": asdict(paired_means(stopped["test"], stopped["validation"])),
    }


def _rows(losses: Mapping[str, pd.DataFrame], compared: Mapping[str, Any], params: Params) -> pd.DataFrame:
    """The table: settings, losses, and the contrast of the test loss with that of the good fit."""
    rows = []
    for row, frame in losses.items():
        values = _described(row, frame, params)
        contrast = compared["test_against_good"].get(row, {})
        verdict = compared["verdicts"].get(row, row)
        rows.append(
            {
                "row": row,
                "kind": "fit" if row in ROWS else "reference",
                "label": _label(row),
                "verdict": verdict if verdict in ("under", "good", "over") else "",
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
    if row not in ROWS:
        return "mean of y itself" if row == "mean" else "best straight line"
    setting = SETTINGS[ROWS[row][0]]
    name = "ReLU" if setting.activation is Var.relu else "tanh"
    return f"{setting.units} {name}, {setting.start}"


def _functions(fits: Mapping[tuple[str, int], Fit], params: Params) -> pd.DataFrame:
    """The fitted functions of the three cases in the first repeats."""
    frames = [
        pd.DataFrame({"setting": name, "repeat": repeat, "x": FINE, "y": fits[name, repeat].function})
        for name in CASES
        for repeat in range(params.functions)
        if fits[name, repeat].function is not None
    ]
    return pd.concat(frames, ignore_index=True)


def _points(task: Task, params: Params) -> pd.DataFrame:
    """The training points of a repeat in original units, and which belong to the small training set."""
    x, y = task.sets["train"]
    return pd.DataFrame(
        {
            "x": task.shift[0] + task.scale[0] * x[:, 0],
            "y": task.original(y),
            "few": np.arange(len(y)) < params.few,
        }
    )


# ---------------------------------------------------------------------------------------- choosing


def _choosing(params: Params, lab: Lab) -> dict[str, Any]:
    """What the chosen fit's validation loss says and what its test loss is, over training sets."""
    counts, few = _counts(params), params.few_validation
    sets = range(params.training_sets)
    numbers = lab.map(lambda number: _chosen(number, counts, params, lab), sets, "choosing")
    first, last = ([n[few][count][1] for n in numbers] for count in (1, counts[-1]))
    return {
        "choosing": {
            "by_count": [_choice(numbers, few, count) for count in counts],
            "by_points": [_choice(numbers, points, counts[-1]) for points in VALIDATION_SIZES],
            "one": _choice(numbers, few, 1),
            "all": _choice(numbers, few, counts[-1]),
            "fewest_points": _choice(numbers, VALIDATION_SIZES[0], counts[-1]),
            "most_points": _choice(numbers, VALIDATION_SIZES[-1], counts[-1]),
            "gain": asdict(paired_means(first, last)),
        },
        "training_sets": pd.DataFrame(
            [
                {"set": i, "points": points, "candidates": count, "validation": v, "test": t}
                for i, number in enumerate(numbers)
                for points, by_count in number.items()
                for count, (v, t) in by_count.items()
            ]
        ),
    }


def _counts(params: Params) -> list[int]:
    """1, 2, 4 and so on up to the number of candidates."""
    return [2**i for i in range(params.candidates.bit_length())]


Chosen = dict[int, dict[int, tuple[float, float]]]  # points -> candidates -> (validation, test)


def _chosen(number: int, counts: list[int], params: Params, lab: Lab) -> Chosen:
    """The losses of the chosen fits of one training set, as means over many draws of validation points."""
    task = draw_task(params.noise, lab.seed("data for choosing", number))
    rng = Random(lab.seed("candidates", number))
    fits = np.array([_candidate(task, params, rng) for _ in range(params.candidates)])
    means = line_with_wave(np.linspace(-3, 3, GRID))
    return {
        points: chosen_losses(
            fits,
            means,
            params.noise,
            points,
            counts,
            params.draws,
            np.random.default_rng(lab.seed("validation", number, points)),
        )
        for points in VALIDATION_SIZES
    }


def _candidate(task: Task, params: Params, rng: Random) -> np.ndarray:
    """The function of a network of random width, slope and length of training, at all places of x."""
    x, y = (side[: params.few] for side in task.sets["train"])
    setting = replace(GOOD, units=rng.choice((2, 4, 8)), scale=2 ** rng.uniform(0, 3))
    epochs = params.epochs // rng.choice((2, 4, 8))
    network = _network(setting, rng)
    for _ in descend(network, x, y, setting.rate / len(x), epochs):
        pass
    return task.original(predict(network, task.standardised(np.linspace(-3, 3, GRID)))[:, 0])


def _choice(numbers: Sequence[Chosen], points: int, count: int) -> dict[str, Any]:
    validation, test = zip(*(number[points][count] for number in numbers), strict=True)
    return {
        "points": points,
        "candidates": count,
        "validation": _mean_std(pd.Series(validation)),
        "test": _mean_std(pd.Series(test)),
        "bias": asdict(paired_means(test, validation)),
    }


# ----------------------------------------------------------------------------------------- drawing

STYLES = {
    "train": {"label": "training", "color": "#0072B2", "linestyle": "-"},
    "validation": {"label": "validation", "color": "#D55E00", "linestyle": (0, (4, 1.5))},
}
LOSSES = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2)
FIT_COLOUR, MEAN_STYLE = "#0072B2", {"color": "black", "linestyle": (0, (4, 2)), "linewidth": 1.2}


def draw(result: Result, lab: Lab) -> None:
    """Two figures: learning curves above fitted functions for the three cases; choosing among fits."""
    curves = result.table("curves")
    lab.figure("fits", _fits_figure(result, curves), alt=_fits_finding(result), data=curves)
    choosing = result.values["choosing"]
    rows = pd.DataFrame([_flat(row) for row in (*choosing["by_count"], *choosing["by_points"])])
    lab.figure("choosing", _choosing_figure(result), alt=_choosing_finding(choosing), data=rows)


def _fits_figure(result: Result, curves: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(5.9, 4.1))
    axes = figure.subplots(2, 3, sharey="row")
    functions, points = result.table("functions"), result.table("points")
    floor, fits = result.values["noise_floor"], result.values["fits"]
    for (name, case), column in zip(CASES.items(), axes.T, strict=True):
        line = fits["line_few" if SETTINGS[name].few else "line"]["test"]["mean"]
        column[0].set_title(case)
        _curves_panel(column[0], curves[curves["setting"] == name], floor, line)
        shown = points[points["few"]] if SETTINGS[name].few else points
        _functions_panel(column[1], functions[functions["setting"] == name], shown)
    axes[0, 0].set_ylabel("squared loss per point (log)")
    axes[1, 0].set_ylabel("$y$")
    axes[0, 0].legend(loc="lower left")
    axes[1, 0].legend(loc="upper left", handletextpad=0.5)
    return figure


def _curves_panel(ax: Axes, curves: pd.DataFrame, floor: float, line: float) -> None:
    """Every repeat thin, the mean over repeats thick, from the first epoch on."""
    trained = curves[curves["epoch"] > 0]
    for name, style in STYLES.items():
        table = trained.pivot_table(index="epoch", columns="repeat", values=name)
        plain = {key: value for key, value in style.items() if key != "label"}
        ax.plot(table.index, table, **plain | {"linestyle": "-"}, linewidth=0.4, alpha=0.3)
        ax.plot(table.index, table.mean(axis=1), **style, linewidth=1.6)
    ax.axhline(line, color="0.35", linewidth=0.8, linestyle=(0, (6, 1, 1, 1)), label="best line (test)")
    ax.axhline(floor, color="black", linewidth=0.8, linestyle=":", label="noise floor")
    ax.set(
        xscale="log", yscale="log", xlabel="epoch (log)", ylim=(0.015, 2), xlim=(1, trained["epoch"].max())
    )
    ax.set_yticks(LOSSES, [str(loss) for loss in LOSSES])
    ax.minorticks_off()


def _functions_panel(ax: Axes, functions: pd.DataFrame, points: pd.DataFrame) -> None:
    ax.scatter(points["x"], points["y"], 5, "0.6", linewidths=0, label="data of one repeat", zorder=1)
    table = functions.pivot_table(index="x", columns="repeat", values="y")
    for index, repeat in enumerate(table):
        ax.plot(table.index, table[repeat], color=FIT_COLOUR, linewidth=0.6, label=None if index else "fits")
    ax.plot(FINE, line_with_wave(FINE), **MEAN_STYLE, label="mean of $y$")
    ax.set(xlabel="$x$", xlim=(-3, 3), ylim=(-5, 7), xticks=(-2, 0, 2), yticks=(-4, 0, 4))


def _fits_finding(result: Result) -> str:
    fits = result.values["fits"]

    def told(row: str) -> str:
        return " and ".join(f"{fits[row][name]['mean']:.2f} in {name}" for name in STYLES)

    return (
        f"Three columns. Under-fitting: both learning curves end high, at {told('course')}, and the "
        f"functions are nearly straight. Good fit: the curves end at {told('good')}, near the noise "
        "floor, and the functions follow the wave. Over-fitting: training and validation part and end at "
        f"{told('wide_few_long')}; the functions bend towards the few points and differ between repeats."
    )


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "points": row["points"],
        "candidates": row["candidates"],
        "validation": row["validation"]["mean"],
        "test": row["test"]["mean"],
        **{key: row["bias"][key] for key in ("estimate", "low", "high")},
    }


def _choosing_figure(result: Result) -> Figure:
    choosing = result.values["choosing"]
    figure = Figure(figsize=(5.9, 2.3))
    losses, bias = figure.subplots(1, 2)
    _losses_panel(losses, [_flat(row) for row in choosing["by_count"]], result.values["noise_floor"])
    _bias_panel(bias, [_flat(row) for row in choosing["by_points"]], result.table("training_sets"))
    return figure


def _losses_panel(ax: Axes, rows: Sequence[Mapping[str, Any]], floor: float) -> None:
    counts = [row["candidates"] for row in rows]
    ax.plot(counts, [row["test"] for row in rows], "o-", color="#009E73", label="test")
    ax.plot(counts, [row["validation"] for row in rows], "s--", color="#D55E00", label="validation")
    ax.axhline(floor, color="black", linewidth=0.8, linestyle=":", label="noise floor")
    ax.set(xscale="log", xlabel="number of fits to choose from (log)", ylabel="loss of the chosen fit")
    ax.set_xticks(counts, [str(count) for count in counts])
    ax.minorticks_off()
    ax.set_ylim(bottom=0)
    ax.set_title(f"{rows[0]['points']} validation points")
    ax.legend(loc="lower left")


def _bias_panel(ax: Axes, rows: Sequence[Mapping[str, Any]], sets: pd.DataFrame) -> None:
    points, estimates = [row["points"] for row in rows], [row["estimate"] for row in rows]
    below = [row["estimate"] - row["low"] for row in rows]
    above = [row["high"] - row["estimate"] for row in rows]
    most = sets[sets["candidates"] == rows[0]["candidates"]]
    ax.scatter(
        most["points"], most["test"] - most["validation"], 4, "0.65", linewidths=0, label="one training set"
    )
    style = {"fmt": "D-", "color": "#0072B2", "ms": 3, "capsize": 3}
    ax.errorbar(points, estimates, (below, above), **style, label=r"mean, 95 % interval")
    ax.axhline(0, color="black", linewidth=0.5)
    ax.set(xscale="log", xlabel="validation points (log)", ylabel=r"test $-$ validation loss")
    ax.set_xticks(points, [str(count) for count in points])
    ax.minorticks_off()
    ax.set_title(f"best of {rows[0]['candidates']} fits")
    ax.legend(loc="upper right")


def _choosing_finding(choosing: Mapping[str, Any]) -> str:
    one, best, most = choosing["one"], choosing["all"], choosing["most_points"]
    return (
        f"Left: with {best['points']} validation points, one fit has a validation loss of "
        f"{one['validation']['mean']:.2f} and a test loss of {one['test']['mean']:.2f}; of the best of "
        f"{best['candidates']} the validation loss is {best['validation']['mean']:.2f}, the test loss "
        f"{best['test']['mean']:.2f}. Right: the difference falls with the number of validation points, to "
        f"{most['bias']['estimate']:.3f} with {most['points']}."
    )

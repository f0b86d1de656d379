"""Question 3.3: which conclusions on depth and width hold for other training parameters, and which do not?

Around one reference setting we change one factor at a time, and the learning rate together with the scale of
the initial parameters. In each setting the same repeats train networks of one to three hidden layers of width
2 and 3: a repeat has the same data, the same random numbers behind its initial parameters and the same order
of the points in every setting where that is possible. So all comparisons are paired.

A network has solved the task if its test accuracy is less than 0.1 below that of the Bayes classifier. Where
the clusters do not overlap this is an accuracy above 0.9; where they do, it still means that all four are
told apart. How close a network comes to the best possible classifier is the excess of its test loss over the
Bayes loss, both on the same test points.

Five contrasts were planned, two of width and three of depth, and a third of width was added later, for three
outcomes: success, an excess loss below 0.1 nat, and the ratio of the losses where both networks have solved
the task. Holm's correction takes all settings and contrasts of an outcome as one family.

The reference setting is that of `depth_width` with half the epochs, for the sake of time: the success rates
have levelled off by then. Training for all epochs is one of the settings.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from tinymlp.figures import DEPTH_LOOKS, interval_bars, shape_label, strips
from tinymlp.inference import bayes_accuracy, bayes_loss, holm_corrected, paired_successes, summarise, wilson
from tinymlp.networks import NoisyXor, Shape, Training, start
from tinymlp.studies import (
    COMPARISONS,
    GRID,
    LR_FACTORS,
    NEAR_BAYES,
    REFERENCE,
    SCALES,
    SHORTFALL,
    contrast_rows,
    cross_chosen,
    largest_changes,
    loss_of_bayes,
    nested_contrasts,
    outcome_summary,
    planned_contrasts,
    rounded_product,
    setting_rows,
    settings_around,
    train_settings,
    verdicts,
    verdicts_by_factor,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.axes import Axes

    from labreport.results import Result
    from labreport.running import Lab
    from tinymlp.studies import Contrasts, Outcome, Outcomes, Setting


@dataclass(frozen=True)
class Params:
    """The reference setting, and on how many repeats and test points each setting is tried."""

    repeats: int = 200
    test_points: int = 20_000
    n_train: int = 1000
    s: float = 0.1
    epochs: int = 50
    batch_size: int = 32
    lr: float = 0.01
    seed: int = 0


QUICK = Params(repeats=8, test_points=500, batch_size=256)  # few steps; the settings keep their names

SHAPES = [Shape(depth, width) for depth in (1, 2, 3) for width in (2, 3)]
OTHERS = [Shape(0, 0), *(Shape(depth, 1) for depth in (1, 2, 3))]  # tried where the noise varies
CONTRASTS = {  # first minus second
    "width_2_to_3_at_depth_1": (Shape(1, 3), Shape(1, 2)),
    "width_2_to_3_at_depth_2": (Shape(2, 3), Shape(2, 2)),
    "width_2_to_3_at_depth_3": (Shape(3, 3), Shape(3, 2)),
    "depth_1_to_2_at_width_2": (Shape(2, 2), Shape(1, 2)),
    "depth_1_to_2_at_width_3": (Shape(2, 3), Shape(1, 3)),
    "depth_1_to_3_at_width_3": (Shape(3, 3), Shape(1, 3)),
}


# ---- the result


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """How each shape ended in each setting, the planned contrasts, and where their conclusions hold."""
    settings = settings_around(_reference(params))
    outcomes = _trained(settings, SHAPES, params, lab)
    noise = [setting for setting in settings if setting.factor in (REFERENCE, "noise")]
    for name, others in _trained(noise, OTHERS, params, lab).items():
        outcomes[name] |= others
    summaries = {
        name: {shape: outcome_summary(outcome) for shape, outcome in shapes.items()}
        for name, shapes in outcomes.items()
    }
    contrasts = {
        kind: planned_contrasts(outcomes, CONTRASTS, compare) for kind, compare in COMPARISONS.items()
    }
    found = verdicts(settings, contrasts, CONTRASTS)
    return {
        "at": {
            name: {shape.key: values for shape, values in shapes.items()}
            for name, shapes in summaries.items()
        },
        "contrast": {
            kind: nested_contrasts(kind, one, settings, CONTRASTS) for kind, one in contrasts.items()
        },
        "verdict": {
            kind: {row["contrast"]: row for row in found if row["outcome"] == kind} for kind in COMPARISONS
        },
        "counts": _counts(settings, outcomes, contrasts),
        "largest_change": largest_changes(settings, summaries),
        "near": {"bayes": NEAR_BAYES, "shortfall": SHORTFALL},
        "noise": {setting.name: _limits(setting.training.s, params, lab) for setting in noise},
        **_at_best_scales(settings, outcomes, params.repeats),
        "settings": pd.DataFrame(setting_rows(settings, summaries)),
        "contrasts": pd.DataFrame(contrast_rows(settings, contrasts)),
        "verdicts": pd.DataFrame(found),
        "verdicts_by_factor": pd.DataFrame(verdicts_by_factor(settings, contrasts, CONTRASTS)),
        "signal": pd.DataFrame(_signal(params, lab)),
        "noisiest": pd.DataFrame(_repeats(outcomes[noise[-1].name])),
    }


def _reference(params: Params) -> Training:
    return Training(
        epochs=params.epochs,
        batch_size=params.batch_size,
        lr=params.lr,
        n_train=params.n_train,
        n_val=1,
        s=params.s,
    )


def _trained(settings: Sequence[Setting], shapes: Sequence[Shape], params: Params, lab: Lab) -> Outcomes:
    return train_settings(
        settings,
        shapes,
        params.repeats,
        seed=lab.seed("networks"),
        test=lambda s: _test(s, params, lab),
        map=lab.map,
    )


def _test(s: float, params: Params, lab: Lab) -> NoisyXor:
    return NoisyXor(params.test_points, s, seed=lab.seed("test"))


def _counts(
    settings: Sequence[Setting], outcomes: Outcomes, contrasts: Mapping[str, Contrasts]
) -> dict[str, int]:
    """The sizes of the study, and in how many networks two notions of success differ."""
    every = [outcome for shapes in outcomes.values() for outcome in shapes.values()]
    return {
        "settings": len(settings),
        "networks": sum(len(outcome.loss) for outcome in every),
        "solved_otherwise": sum(int((outcome.solved != outcome.centres).sum()) for outcome in every),
        **{f"{kind}_contrasts": len(found) for kind, found in contrasts.items()},
    }


def _limits(s: float, params: Params, lab: Lab) -> dict[str, float]:
    """The best that a classifier can do, in expectation and on the test points."""
    test = _test(s, params, lab)
    return {
        "s": s,
        "bayes_loss": bayes_loss(s),
        "bayes_loss_on_test": loss_of_bayes(test),
        "bayes_accuracy": bayes_accuracy(s),
        "solved_above": bayes_accuracy(s) - SHORTFALL,
    }


def _repeats(shapes: Mapping[Shape, Outcome]) -> Iterator[dict[str, Any]]:
    for shape, outcome in sorted(shapes.items()):
        for excess, solved in zip(outcome.excess, outcome.solved, strict=True):
            yield {
                "depth": shape.depth,
                "width": shape.width,
                "excess": float(f"{excess:.4g}"),
                "solved": bool(solved),
            }


# ---- depth at the scale that suits each shape


def _at_best_scales(settings: Sequence[Setting], outcomes: Outcomes, repeats: int) -> dict[str, Any]:
    """Success of each shape at its own best scale of the initial parameters, and the contrasts.

    The repeats of one half use the scale with the most successes in the other half, so that the choice does
    not flatter.
    """
    reference = settings[0].training
    scales = [s for s in settings if s.factor in (REFERENCE, GRID) and s.training.lr == reference.lr]
    chosen, best = {}, {}
    for shape in SHAPES:
        solved = [outcomes[setting.name][shape].solved for setting in scales]
        chosen[shape], best[shape] = cross_chosen(solved)
    rows = [
        {
            "depth": shape.depth,
            "width": shape.width,
            "first_scale": scales[chosen[shape][0]].training.initial_scale,
            "second_scale": scales[chosen[shape][1]].training.initial_scale,
            **asdict(wilson(int(best[shape].sum()), repeats)),
        }
        for shape in SHAPES
    ]
    family = {name: paired_successes(best[one], best[other]) for name, (one, other) in CONTRASTS.items()}
    return {
        "best_scale": {shape.key: row for shape, row in zip(SHAPES, rows, strict=True)},
        "best_scale_contrast": {name: asdict(found) for name, found in holm_corrected(family).items()},
        "best_scales": pd.DataFrame(rows).astype({"first_scale": float, "second_scale": float}),
    }


def _signal(params: Params, lab: Lab) -> Iterator[dict[str, Any]]:
    """How much the logit of an untrained network varies over the points: the signal that depth shrinks."""
    points = NoisyXor(1000, params.s, seed=lab.seed("test")).inputs
    repeats = range(min(params.repeats, 100))
    shapes = [shape for shape in SHAPES if shape.width == 3]
    ways = [("default", scale) for scale in SCALES] + [("glorot", 1)]
    for initialiser, scale in ways:
        training = Training(n_val=1, initialiser=initialiser, initial_scale=scale)
        untrained = start(shapes, repeats, training, seed=lab.seed("networks"))
        for shape in shapes:
            spread = summarise([_spread(untrained.network(shape, column), points) for column in repeats])
            yield {"initialiser": initialiser, "scale": float(scale), "depth": shape.depth} | asdict(spread)


@torch.no_grad()
def _spread(network: torch.nn.Module, points: torch.Tensor) -> float:
    return float(network(points).double().std())


# ---- figures

LOOKS: dict[int, dict[str, Any]] = {
    depth: {"color": look.colour, "marker": look.marker, "markerfacecolor": face}
    for (depth, look), face in zip(DEPTH_LOOKS.items(), ("white", None, None), strict=True)
}
LAYERS = {1: "1 hidden layer", 2: "2 hidden layers", 3: "3 hidden layers"}


def draw(result: Result, lab: Lab) -> None:
    """Three figures: success over learning rate and scale, success by one factor, excess loss in noise."""
    settings, noisiest, lr = result.table("settings"), result.table("noisiest"), result.params["lr"]
    grid = settings[settings["factor"].isin([REFERENCE, GRID])]
    lab.figure("scales", _scales(grid, lr), alt=_finding_of_scales(grid, lr), data=grid)
    lab.figure("factors", _factors(settings, lr), alt=_finding_of_factors(settings, lr), data=settings)
    lab.figure("noise", _noise(noisiest), alt=_finding_of_noise(noisiest), data=noisiest)


def _finding_of_scales(grid: pd.DataFrame, lr: float) -> str:
    rows = grid[(grid["lr"] == lr) & (grid["width"] == 3)].set_index(["depth", "initial_scale"])["success"]
    low, high = SCALES[0], SCALES[-1]
    depths = "; ".join(
        f"{LAYERS[depth]}: {100 * rows[depth, low]:.0f} and {100 * rows[depth, high]:.0f} percent"
        for depth in LAYERS
    )
    return (
        "Success rate against the scale of the initial parameters, for three learning rates, widths 2 and 3 "
        f"and one to three hidden layers. At the learning rate {lr:g} and width 3, for the scales {low:g} "
        f"and {high:g}: {depths}."
    )


def _finding_of_factors(settings: pd.DataFrame, lr: float) -> str:
    shown = [name for _, name, _ in _lines(settings, lr)]
    able = settings[(settings["width"] > 1) & settings["setting"].isin(shown)]
    rates = able.pivot(index=["setting", "depth"], columns="width", values="success")
    ahead = (rates[3] > rates[2]).groupby("setting").all()
    return (
        "Success rates with intervals for each setting, by depth, for widths 2 and 3. Width 3 is ahead of "
        f"width 2 at every depth in {ahead.sum()} of {len(ahead)} settings; the order of the depths varies."
    )


def _finding_of_noise(noisiest: pd.DataFrame) -> str:
    medians = noisiest.groupby(["depth", "width"])["excess"].median()
    shapes = "; ".join(
        f"{f'{depth} x {width}' if depth else 'linear'}: {excess:.2f}"
        for (depth, width), excess in medians.items()
    )
    return (
        "Excess of the test loss over the Bayes loss for every network at the largest noise, by hidden "
        f"layers x width, on a log axis. Medians in nats: {shapes}."
    )


def _scales(grid: pd.DataFrame, lr: float) -> Figure:
    """A row for each width, a column for each learning rate that was tried with all scales."""
    figure = Figure(figsize=(5.9, 3.5))
    axes = figure.subplots(2, len(LR_FACTORS), sharex=True, sharey=True)
    for row, width in zip(axes, (3, 2), strict=True):
        for ax, factor in zip(row, LR_FACTORS, strict=True):
            rate = rounded_product(factor, lr)
            _success_by_scale(ax, grid[(grid["width"] == width) & (grid["lr"] == rate)])
            ax.set(xscale="log", xticks=SCALES, ylim=(-3, 103), yticks=(0, 50, 100))
            ax.set_xticks(SCALES, [f"{scale:g}" for scale in SCALES])
            ax.set_xticks([], minor=True)
            ax.set_title(f"width {width}, learning rate {rate:g}")
    figure.supxlabel("scale of the initial parameters")
    figure.supylabel("success rate (%)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def _success_by_scale(ax: Axes, rows: pd.DataFrame) -> None:
    for depth, look in LOOKS.items():
        chosen = rows[rows["depth"] == depth].sort_values("initial_scale")
        sideways = 1.05 ** (depth - 2)  # so that no interval hides another
        style = {"ms": 3.5, "lw": 0.9, "elinewidth": 0.7, "label": LAYERS[depth], **look}
        interval_bars(ax, chosen["initial_scale"] * sideways, *_success(chosen), percent=True, **style)


def _success(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """The success rates, and the ends of their intervals."""
    return rows["success"], rows["success_low"], rows["success_high"]


def _factors(settings: pd.DataFrame, lr: float) -> Figure:
    """A line for each setting, a panel for each width, a marker for each depth."""
    lines = _lines(settings, lr)
    figure = Figure(figsize=(5.9, 5.6))
    axes = figure.subplots(1, 2, sharey=True)
    for ax, width in zip(axes, (2, 3), strict=True):
        for depth, look in LOOKS.items():
            shape = settings[(settings["depth"] == depth) & (settings["width"] == width)]
            rows = shape.set_index("setting").loc[[name for _, name, _ in lines]]
            places = np.arange(len(lines)) + 0.26 * (depth - 2)
            style = {"ms": 3, "elinewidth": 0.7, "ls": "", "label": LAYERS[depth], **look}
            interval_bars(ax, places, *_success(rows), percent=True, horizontal=True, **style)
        ax.set(title=f"width {width}", xlim=(-2, 102), xlabel="success rate (%)", xticks=(0, 25, 50, 75, 100))
        _bands(ax, [factor for factor, _, _ in lines])
    axes[0].set(ylim=(len(lines) - 0.4, -0.6))
    axes[0].set_yticks(range(len(lines)), [label for _, _, label in lines])
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def _lines(settings: pd.DataFrame, lr: float) -> list[tuple[str, str, str]]:
    """Factor, name and label of each setting that differs from the reference in one factor."""
    rows = settings.drop_duplicates("setting")
    grid = rows[rows["factor"] == GRID]
    rates = grid[grid["initial_scale"] == 1].sort_values("lr").assign(factor="learning rate")
    scales = grid[grid["lr"] == lr].assign(factor="initial scale")
    others = rows[~rows["factor"].isin([REFERENCE, GRID])]
    ordered = pd.concat([rows[rows["factor"] == REFERENCE], rates, scales, others])
    return list(ordered[["factor", "setting", "label"]].itertuples(index=False, name=None))


def _bands(ax: Axes, factors: Sequence[str]) -> None:
    """Shade the lines of every other factor."""
    for place, factor in enumerate(dict.fromkeys(factors)):
        if place % 2:
            first = factors.index(factor)
            ax.axhspan(first - 0.5, first + factors.count(factor) - 0.5, color="0.94", lw=0, zorder=0)
    ax.tick_params(axis="y", length=0)


def _noise(noisiest: pd.DataFrame) -> Figure:
    """Every network at the largest noise; a line for each notion of success, with its name."""
    figure = Figure(figsize=(5.9, 2.9))
    ax = figure.subplots()
    shapes = noisiest.groupby(["depth", "width"])
    strips(ax, {shape_label(Shape(*shape)): rows["excess"] for shape, rows in shapes}, size=3, opacity=0.5)
    ends = noisiest.groupby("solved")["excess"]
    if ends.ngroups == 2 and ends.max()[True] < ends.min()[False]:
        _line(ax, float(np.sqrt(ends.max()[True] * ends.min()[False])), "solved")
    _line(ax, NEAR_BAYES, "near Bayes")
    lowest = 0.8 * noisiest["excess"].min()
    ticks = [tick for tick in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if tick > lowest]
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_yticks([], minor=True)
    ax.set(xlabel=r"hidden layers $\times$ width", ylabel="excess loss (nats)")
    ax.set(xlim=(-0.6, len(shapes) - 0.4), ylim=(lowest, 0.7))
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def _line(ax: Axes, excess: float, name: str) -> None:
    ax.axhline(excess, color="0.4", lw=0.6, ls=(0, (4, 3)), zorder=0)
    ax.annotate(name, (-0.5, excess), xytext=(0, -2), textcoords="offset points", va="top", size=8)

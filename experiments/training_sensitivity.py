"""Question 3.3: which conclusions on depth and width hold for other training parameters, and which do not?

Around one reference setting we change one factor at a time, and some of them together: above all the learning
rate and the scale of the initial parameters. In each setting the same repeats train networks of one to three
hidden layers of width 2 and 3: a repeat has the same data, the same random numbers behind its initial
parameters and the same order of the points in every setting where that is possible. So all comparisons are
paired.

A network has solved the task if its test accuracy is less than 0.1 below that of the Bayes classifier. Where
the clusters do not overlap this is an accuracy above 0.9; where they do, it still means that all four are
told apart. How close a network comes to the best possible classifier is the excess of its test loss over the
Bayes loss, both on the same test points.

Five contrasts were planned, two of width and three of depth, and a third of width was added later, for two
outcomes: success, and the ratio of the mean losses where both networks have solved the task. The settings
that change the optimiser were added later, too. Holm's correction takes all settings and contrasts of an
outcome as one family.

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

from tinymlp.figures import DEPTH_LOOKS, interval_bars
from tinymlp.inference import bayes_accuracy, bayes_loss, holm_corrected, paired_successes, summarise, wilson
from tinymlp.networks import NoisyXor, Shape, Training, start
from tinymlp.studies import (
    COMPARISONS,
    GRID,
    REFERENCE,
    SCALE,
    SCALES,
    SHORTFALL,
    contrast_rows,
    cross_chosen,
    influence_rows,
    loss_of_bayes,
    nested_contrasts,
    outcome_summary,
    planned_contrasts,
    setting_rows,
    settings_around,
    train_settings,
    verdicts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.axes import Axes

    from labreport.results import Result
    from labreport.running import Lab
    from tinymlp.studies import Contrasts, Outcomes, Setting


@dataclass(frozen=True)
class Params:
    """The reference setting, and on how many repeats and test points each setting is tried."""

    repeats: int = 400
    test_points: int = 20_000
    n_train: int = 1000
    s: float = 0.1
    epochs: int = 50
    batch_size: int = 32
    lr: float = 0.01
    seed: int = 0


QUICK = Params(repeats=8, test_points=500, batch_size=256)  # few steps; the settings keep their names

SHAPES = [Shape(depth, width) for depth in (1, 2, 3) for width in (2, 3)]
CONTRASTS = {  # first minus second
    "width_2_to_3_at_depth_1": (Shape(1, 3), Shape(1, 2)),
    "width_2_to_3_at_depth_2": (Shape(2, 3), Shape(2, 2)),
    "width_2_to_3_at_depth_3": (Shape(3, 3), Shape(3, 2)),
    "depth_1_to_2_at_width_2": (Shape(2, 2), Shape(1, 2)),
    "depth_1_to_2_at_width_3": (Shape(2, 3), Shape(1, 3)),
    "depth_1_to_3_at_width_3": (Shape(3, 3), Shape(1, 3)),
}
WIDER = [name for name in CONTRASTS if name.startswith("width")]
DEEPER = [name for name in CONTRASTS if name.startswith("depth")]
DEEPEST = DEEPER[-1]  # the ratio of losses that the table of parameters shows


# ---- the result


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """How each shape ended in each setting, the planned contrasts, and where their conclusions hold."""
    # 1. the reference, and the settings that differ from it; each trains all shapes on the same repeats
    settings = settings_around(_reference(params))
    outcomes = train_settings(
        settings,
        SHAPES,
        params.repeats,
        seed=lab.seed("networks"),
        test=lambda s: _test(s, params, lab),
        map=lab.map,
    )
    # 2. how often each shape succeeds, and how well it then does
    summaries = {
        name: {shape: outcome_summary(outcome) for shape, outcome in shapes.items()}
        for name, shapes in outcomes.items()
    }
    # 3. the planned contrasts in every setting, one family for each outcome
    contrasts = {
        kind: planned_contrasts(outcomes, CONTRASTS, compare) for kind, compare in COMPARISONS.items()
    }
    # 4. where they come out as in the reference, contrast by contrast and factor by factor
    found = verdicts(settings, contrasts, CONTRASTS)
    success, ratios = contrasts["success"], contrasts["loss_ratio"]
    influences = influence_rows(
        settings, summaries, success, ratios, wider=WIDER, deeper=DEEPER, deepest=DEEPEST
    )
    influence = {row["factor"].replace(" ", "_"): row for row in influences}
    noise = [setting for setting in settings if setting.factor in (REFERENCE, "noise")]
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
        "influence": influence,
        "counts": _counts(settings, outcomes, contrasts),
        "near": {"shortfall": SHORTFALL},
        "noise": {setting.name: _limits(setting.training.s, params, lab) for setting in noise},
        **_at_best_scales(settings, outcomes, params.repeats),
        "settings": pd.DataFrame(setting_rows(settings, summaries)),
        "contrasts": pd.DataFrame(contrast_rows(settings, contrasts)),
        "verdicts": pd.DataFrame(found),
        "signal": pd.DataFrame(_signal(params, lab)),
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


# ---- depth at the scale that suits each shape


def _at_best_scales(settings: Sequence[Setting], outcomes: Outcomes, repeats: int) -> dict[str, Any]:
    """Success of each shape at its own best scale of the initial parameters, and the contrasts.

    The repeats of one half use the scale with the most successes in the other half, so that the choice does
    not flatter.
    """
    scales = [setting for setting in settings if setting.factor in (REFERENCE, SCALE)]
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

LAYERS = {1: "1 hidden layer", 2: "2 hidden layers", 3: "3 hidden layers"}


def draw(result: Result, lab: Lab) -> None:
    """One figure: success in the reference and in each setting that differs from it."""
    settings = result.table("settings")
    shown = ["factor", "lr", "initial_scale", "steps", "s", "depth", "width", "loss_median", "success"]
    lab.figure(
        "factors",
        _factors(settings),
        alt=_finding_of_factors(settings),
        data=settings,
        explore={"kind": "parallel", "columns": shown},
    )


def _looks() -> dict[int, dict[str, Any]]:
    """How each number of hidden layers is drawn; a function, so that no colour is a part of the result."""
    faces = dict.fromkeys(DEPTH_LOOKS) | {1: "white"}
    return {
        depth: {"color": look.colour, "marker": look.marker, "markerfacecolor": faces[depth]}
        for depth, look in DEPTH_LOOKS.items()
    }


def _finding_of_factors(settings: pd.DataFrame) -> str:
    shown = [name for _, name, _ in _lines(settings)]
    able = settings[settings["setting"].isin(shown)]
    rates = able.pivot(index=["setting", "depth"], columns="width", values="success")
    ahead = (rates[3] > rates[2]).groupby("setting").all()
    return (
        "Success rates with intervals for each setting, by depth, for widths 2 and 3. Width 3 is ahead of "
        f"width 2 at every depth in {ahead.sum()} of {len(ahead)} settings; the order of the depths varies."
    )


def _success(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """The success rates, and the ends of their intervals."""
    return rows["success"], rows["success_low"], rows["success_high"]


def _factors(settings: pd.DataFrame) -> Figure:
    """A line for each setting, a panel for each width, a marker for each depth."""
    lines = _lines(settings)
    figure = Figure(figsize=(5.9, 6.5))
    axes = figure.subplots(1, 2, sharey=True)
    for ax, width in zip(axes, (2, 3), strict=True):
        for depth, look in _looks().items():
            shape = settings[(settings["depth"] == depth) & (settings["width"] == width)]
            rows = shape.set_index("setting").loc[[name for _, name, _ in lines]]
            places = np.arange(len(lines)) + 0.26 * (depth - 2)
            style = {"ms": 3, "elinewidth": 0.7, "ls": "", "label": LAYERS[depth], **look}
            interval_bars(ax, places, *_success(rows), percent=True, horizontal=True, **style)
        ax.set(title=f"width {width}", xlim=(-2, 102), xlabel="success rate (%)", xticks=(0, 25, 50, 75, 100))
        _bands(ax, [factor for factor, _, _ in lines])
    axes[0].set(ylim=(len(lines) - 0.4, -0.6), ylabel="setting")
    axes[0].set_yticks(range(len(lines)), [_written(label) for _, _, label in lines])
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def _lines(settings: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Factor, name and label of each setting but those of learning rate and scale together."""
    rows = settings[settings["factor"] != GRID].drop_duplicates("setting")
    place = {factor: place for place, factor in enumerate(dict.fromkeys(rows["factor"]))}
    ordered = rows.sort_values("factor", key=lambda factors: factors.map(place), kind="stable")
    return list(ordered[["factor", "setting", "label"]].itertuples(index=False, name=None))


def _written(label: str) -> str:
    """The label of a setting as a figure has it: short, with Greek letters."""
    for name, sign in (("beta1", r"$\beta_1$"), ("beta2", r"$\beta_2$"), ("learning rate", "rate")):
        label = label.replace(name, sign)
    return label


def _bands(ax: Axes, factors: Sequence[str]) -> None:
    """Shade the lines of every other factor."""
    for place, factor in enumerate(dict.fromkeys(factors)):
        if place % 2:
            first = factors.index(factor)
            ax.axhspan(first - 0.5, first + factors.count(factor) - 0.5, color="0.94", lw=0, zorder=0)
    ax.tick_params(axis="y", length=0)

"""Question 3.2: how well do networks of each depth and width classify noisy XOR, over many repeats?

There are ten networks: 0 to 3 hidden layers of 1 to 3 units, and without a hidden layer there is no width. In
each repeat every network has new training data, new initial parameters and a new order of the mini-batches;
the ten networks of one repeat share the training data, so that their contrasts are paired. All are tested on
the same new points, far more than they were trained on.

The test accuracies of all networks leave one wide gap empty: nothing lies between the networks that tell the
four clusters apart and those that do not. So a network counts as solved if its accuracy is above a threshold
anywhere in this gap; the result holds the gap's ends, between which the threshold changes no count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tinymlp.figures import DEPTH_LOOKS, boundary_key, network_picture, shape_label, strips
from tinymlp.inference import bayes_accuracy, bayes_loss
from tinymlp.networks import (
    Ensemble,
    NoisyXor,
    Score,
    Shape,
    Training,
    centre_probabilities,
    evaluate,
    stream_seed,
    train,
)
from tinymlp.studies import (
    CENTRE_COLUMNS,
    LOSS,
    SUCCESS,
    gap,
    learning_curves,
    levelling,
    loss_ratios,
    outcomes_of,
    plateau_losses,
    success_contrasts,
    success_row,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

    from labreport.results import Result
    from labreport.running import Lab


@dataclass(frozen=True)
class Params:
    """How many repeats, on what data, and how they are trained.

    The noise is that of the assignment's Figure 1, the learning rate ten times Adam's default for networks so
    small, and 100 epochs are enough for the share of solved networks to level off.
    """

    repeats: int = 1000
    n_train: int = 1000
    n_test: int = 50_000
    s: float = 0.1
    batch_size: int = 32
    lr: float = 0.01
    epochs: int = 100
    solved_above: float = 0.9  # test accuracy
    seed: int = 0


QUICK = Params(repeats=128, n_train=200, n_test=2000)

LINEAR = Shape(0, 0)
SHAPES = [LINEAR, *(Shape(depth, width) for depth in (1, 2, 3) for width in (1, 2, 3))]
ABLE = [shape for shape in SHAPES if shape.width > 1]  # those that can solve the task
CHECKPOINTS = (0, 1, 2, 5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90, 100)  # epochs

CONTRASTS = {  # first minus second
    "width_2_to_3_at_depth_1": (Shape(1, 3), Shape(1, 2)),
    "width_2_to_3_at_depth_2": (Shape(2, 3), Shape(2, 2)),
    "width_2_to_3_at_depth_3": (Shape(3, 3), Shape(3, 2)),
    "depth_1_to_2_at_width_2": (Shape(2, 2), Shape(1, 2)),
    "depth_2_to_3_at_width_2": (Shape(3, 2), Shape(2, 2)),
    "depth_1_to_2_at_width_3": (Shape(2, 3), Shape(1, 3)),
    "depth_2_to_3_at_width_3": (Shape(3, 3), Shape(2, 3)),
}
LOWEST_LOSS = 1e-4  # the end of the figure's axis, unless a network is better


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """Train and test all networks; tables of shapes, repeats, contrasts and learning curves."""
    # one test set for all networks; it serves for nothing else
    seed, test_seed = lab.seed("networks"), lab.seed("test")
    test = NoisyXor(params.n_test, params.s, seed=test_seed)
    # train every network in every repeat; a repeat has its own data, and initial weights for each network
    ensemble = train(SHAPES, range(params.repeats), _training(params), seed=seed, map=lab.map)
    # test them: loss and accuracy on the new points, and what they say at the centres of the clusters
    scores = evaluate(ensemble, test.inputs, test.targets, map=lab.map)
    at_centres = centre_probabilities(ensemble)
    solved = {shape: score.accuracy > params.solved_above for shape, score in scores.items()}
    # mean and standard deviation for each shape, and the shapes against each other, repeat by repeat
    train_loss = {shape: ensemble.history[shape].train_loss[-1] for shape in SHAPES}
    test_loss = {shape: score.loss for shape, score in scores.items()}
    shapes = {
        shape.key: success_row(shape, scores[shape], train_loss[shape], solved[shape]) for shape in SHAPES
    }
    contrasts = success_contrasts(CONTRASTS, scores, solved)
    return {
        "networks_seed": seed,
        "test_seed": test_seed,
        "n_shapes": len(SHAPES),
        "n_networks": len(SHAPES) * params.repeats,
        "steps": ensemble.training.total_steps,
        "steps_per_epoch": ensemble.training.steps_per_epoch,
        "bayes": {"loss": bayes_loss(params.s), "accuracy": bayes_accuracy(params.s)},
        "plateaus": plateau_losses(),
        "gap": _gap(scores, solved, at_centres),
        "shape": shapes,
        "levelling": {shape.key: levelling(ensemble, shape, params.solved_above) for shape in SHAPES},
        "contrast": _by_name(contrasts),
        "ratio": {  # of the losses of solved networks
            "train": loss_ratios(CONTRASTS, train_loss, solved),
            "test": loss_ratios(CONTRASTS, test_loss, solved),
        },
        "examples": _examples(ensemble, scores, solved),
        "shapes": pd.DataFrame(list(shapes.values())).astype({"width": "Int64"}),
        "repeats": _repeats(ensemble, scores, solved, at_centres),
        "contrasts": contrasts,
        "curves": learning_curves(ensemble, solved, params.solved_above),
    }


def _training(params: Params) -> Training:
    training = Training(
        params.epochs, batch_size=params.batch_size, lr=params.lr, n_train=params.n_train, s=params.s
    )
    epochs = sorted({*CHECKPOINTS, params.epochs // 2, params.epochs})
    steps = tuple(epoch * training.steps_per_epoch for epoch in epochs if epoch <= params.epochs)
    return replace(training, checkpoints=steps)


def _gap(
    scores: Mapping[Shape, Score],
    solved: Mapping[Shape, np.ndarray],
    at_centres: Mapping[Shape, np.ndarray],
) -> dict[str, Any]:
    """The gap between stuck and solved networks, over all shapes together."""
    return gap(
        np.concatenate([scores[shape].accuracy for shape in SHAPES]),
        np.concatenate([scores[shape].loss for shape in SHAPES]),
        np.concatenate([solved[shape] for shape in SHAPES]),
        np.concatenate([at_centres[shape] for shape in SHAPES]),
    )


def _by_name(contrasts: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The contrasts as values: first what is contrasted, then which."""
    return {
        key: {row["name"]: row for row in contrasts[contrasts["measure"] == measure].to_dict("records")}
        for key, measure in (("rate", SUCCESS), ("loss", LOSS))
    }


def _repeats(
    ensemble: Ensemble,
    scores: Mapping[Shape, Score],
    solved: Mapping[Shape, np.ndarray],
    at_centres: Mapping[Shape, np.ndarray],
) -> pd.DataFrame:
    """A row for every network; p01 is its probability of class 1 at the centre (0, 1)."""
    frames = [
        pd.DataFrame(
            {
                "shape": shape.name,
                "replicate": ensemble.columns.replicate,
                "test_loss": scores[shape].loss,
                "test_accuracy": scores[shape].accuracy,
                "train_loss": ensemble.history[shape].train_loss[-1],
                "val_loss": ensemble.history[shape].val_loss[-1],
                "solved": solved[shape],
                **dict(zip(CENTRE_COLUMNS, at_centres[shape].T, strict=True)),
            }
        )
        for shape in SHAPES
    ]
    return pd.concat(frames, ignore_index=True)


def _examples(
    ensemble: Ensemble, scores: Mapping[Shape, Score], solved: Mapping[Shape, np.ndarray]
) -> list[dict[str, Any]]:
    """The first solved and the first stuck repeat of each shape, with all parameters."""
    examples = []
    for shape in SHAPES:
        for outcome, chosen in outcomes_of(solved[shape]).items():
            for column in np.flatnonzero(chosen)[:1].tolist():
                examples.append(
                    {
                        "shape": shape.name,
                        "depth": shape.depth,
                        "width": shape.width,
                        "outcome": outcome,
                        "replicate": column,
                        "test_loss": scores[shape].loss[column],
                        "test_accuracy": scores[shape].accuracy[column],
                        "parameters": ensemble.states[shape].parameters[:, column],
                    }
                )
    return examples


# ---- figures


def draw(result: Result, lab: Lab) -> None:
    """Three figures: losses of all repeats, decision boundaries, learning curves."""
    repeats, curves = result.table("repeats"), result.table("curves")
    values, params = result.values, result.params
    plateau, gap = values["plateaus"], values["gap"]
    lab.figure(
        "losses",
        _losses(repeats, values),
        alt="Test loss of every network on a log axis, a strip for each shape, with mean and median. "
        f"Solved networks reach up to {gap['solved_loss_max']:.3f}, all others begin at "
        f"{gap['stuck_loss_min']:.3f}, around the plateaus at {plateau['two_merged']:.3f}, "
        f"{plateau['three_merged']:.3f} and {plateau['constant']:.3f}.",
        data=repeats,
    )
    lab.figure(
        "boundaries",
        _boundaries(values, params),
        alt="Decision boundaries of the first solved and the first stuck network of each shape. Solved "
        "networks give each class its two clusters; stuck ones leave some clusters on a plain of one "
        "probability; width 1 has parallel straight boundaries, the linear network at most one.",
    )
    levelling = values["levelling"]["d3w3"]
    lab.figure(
        "curves",
        _learning(curves),
        alt="Learning curves of the networks of width 2 and 3: the share of solved networks, which levels "
        f"off (3x3: {levelling['solved_at_half']} of {params['repeats']} after half of the epochs, "
        f"{levelling['solved_at_end']} at the end), and the median training loss of those that end solved, "
        "which keeps falling.",
        data=curves,
        explore={"kind": "lines", "y": ["median", "share_solved"]},
    )


def _losses(repeats: pd.DataFrame, values: Mapping[str, Any]) -> Figure:
    figure = Figure(figsize=(5.9, 2.25))
    ax = figure.subplots()
    samples = {
        shape_label(Shape.parse(str(name))): rows["test_loss"]
        for name, rows in repeats.groupby("shape", sort=False)
    }
    strips(ax, samples, size=1.5, opacity=0.3)
    lines = {
        "constant": (r"$\ln 2$", 6),
        "three_merged": (r"$\frac{3}{4}\,H(\frac{1}{3})$", -1),
        "two_merged": (r"$\frac{1}{2}\,\ln 2$", -11),
    }
    for key, (label, shift) in lines.items():
        _level(ax, values["plateaus"][key], label, shift)
    ax.set(xlim=(-0.6, len(samples) - 0.4), xlabel="hidden layers $\\times$ width", ylabel="test loss (nats)")
    ax.set_ylim(min(LOWEST_LOSS, 0.8 * repeats["test_loss"].min()), 1.2)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    bayes = rf"$\downarrow$ Bayes loss ${_scientific(values['bayes']['loss'])}$"
    ax.annotate(bayes, (0, 0), xycoords="axes fraction", xytext=(4, 5), textcoords="offset points", size=8)
    return figure


def _level(ax: Axes, loss: float, label: str, shift: float) -> None:
    """Draw a reference line with its name at the right end."""
    ax.axhline(loss, color="0.4", lw=0.6, ls=(0, (4, 3)), zorder=0)
    ax.annotate(
        label,
        (1, loss),
        xycoords=("axes fraction", "data"),
        xytext=(3, shift),
        textcoords="offset points",
        va="center",
        size=8,
    )


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}"


def _boundaries(values: Mapping[str, Any], params: Mapping[str, Any]) -> Figure:
    """The first solved and the first stuck network of each shape; in the last row those that never solve."""
    figure = Figure(figsize=(5.9, 2.9))
    axes = figure.subplots(3, len(ABLE))
    examples = {(example["shape"], example["outcome"]): example for example in values["examples"]}
    unable = [shape for shape in SHAPES if shape not in ABLE]
    rows = {"solved": ("solved", ABLE), "stuck": ("stuck", ABLE), "never solved": ("stuck", unable)}
    for row, (title, (outcome, shapes)) in enumerate(rows.items()):
        for column, (ax, shape) in enumerate(zip_longest(axes[row], shapes)):
            example = examples.get((shape.name, outcome)) if shape else None
            if example is None:
                ax.set_axis_off()
                continue
            background = _picture(ax, example, values["networks_seed"], params)
            ax.set_title("" if row == 1 else shape_label(shape))
            ax.set(xlabel="$x_1$" if row == 2 else "", ylabel="")
            ax.tick_params(labelbottom=row == 2, labelleft=column == 0)
        axes[row, 0].set_ylabel(f"{title}\n$x_2$")
    _key_to_boundaries(axes[2, 4], background)
    return figure


def _key_to_boundaries(ax: Axes, background: AxesImage) -> None:
    """Explain marks and colours in the empty place of the last row, two pictures wide."""
    scale = ax.inset_axes((0.3, 0.3, 1.6, 0.08))
    ax.figure.colorbar(background, scale, orientation="horizontal", ticks=(0, 0.5, 1), label="$p(y = 1)$")
    legend = ax.legend(handles=boundary_key(), loc="lower left", bbox_to_anchor=(0.2, 0.4))
    for artist in (scale, legend):
        artist.set_in_layout(False)


def _picture(ax: Axes, example: Mapping[str, Any], seed: int, params: Mapping[str, Any]) -> AxesImage:
    """Draw a network with some of its own training data."""
    own = stream_seed(seed, "train", example["replicate"])
    data = NoisyXor(params["n_train"], params["s"], seed=own)
    return network_picture(ax, Shape.parse(example["shape"]), example["parameters"], data, size=3)


def _learning(curves: pd.DataFrame) -> Figure:
    """The share of repeats solved so far, and the median training loss of those that end solved."""
    figure = Figure(figsize=(5.9, 1.95))
    share, loss = figure.subplots(1, 2)
    for name, rows in curves[curves["outcome"] == "solved"].groupby("shape", sort=False):
        shape = Shape.parse(str(name))
        style = {"label": shape_label(shape), **_style(shape)}
        share.plot(rows["epoch"], 100 * rows["share_solved"], **style)
        loss.plot(rows["epoch"], rows["median"], **style)
    share.set(xlabel="epochs", ylabel="solved so far (%)", ylim=(-3, 103))
    loss.set(xlabel="epochs", yscale="log", ylabel="median training loss (nats)")
    figure.legend(*share.get_legend_handles_labels(), loc="outside right center")
    return figure


def _style(shape: Shape) -> dict[str, Any]:
    """The look of a shape's line: colour and marker tell the depth, dashes and an open marker width 2."""
    look = DEPTH_LOOKS[shape.depth]
    narrow = {"ls": (0, (3, 2)), "mfc": "white"} if shape.width == ABLE[0].width else {}
    return {"color": look.colour, "lw": 0.9, "marker": look.marker, "ms": 3, "mew": 0.7, **narrow}

"""Question 3.1: what the data look like: noisy XOR, drawn once for training and once for validation.

Both sets come from the same source with different seeds, as in every other experiment. Beside the pictures
stand the numbers that show that the source is the one of the assignment: the size of the classes and of the
clusters, and the spread of the points around the centres of their clusters. The network of the assignment is
printed as PyTorch prints it.

The networks of all other experiments are trained side by side: how far their losses are from those of the
readable loop is measured here, on networks of each shape that can solve the task.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure

from tinymlp.figures import scatter_classes
from tinymlp.inference import bayes_accuracy, bayes_loss, wilson
from tinymlp.networks import Net, NoisyXor, Shape, Training, greatest_difference

if TYPE_CHECKING:
    from labreport.results import Result
    from labreport.running import Lab


@dataclass(frozen=True)
class Params:
    """The sizes of the two sets, the noise in the assignment's Figure 1, and the length of the comparison.

    The noise is a standard deviation; for so many epochs the two ways to train are compared.
    """

    train: int = 400
    validation: int = 400
    s: float = 0.1
    epochs: int = 50
    seed: int = 0


QUICK = Params(train=100, validation=100, epochs=5)

ABLE = [Shape(depth, width) for depth in (1, 2, 3) for width in (2, 3)]  # shapes that can solve the task
PRINTED = Shape(1, 3)  # the network in the assignment's listing
PRECISIONS = {"single": "float32", "double": "float64"}

TITLES = {"train": "training set", "validation": "validation set"}


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """The points of both sets, what they count, a network's print, and how well a classifier can do."""
    # two samples of the same source, from different seeds
    sets = {
        "train": NoisyXor(params.train, params.s, seed=lab.seed("train")),
        "validation": NoisyXor(params.validation, params.s, seed=lab.seed("validation")),
    }
    points = pd.concat([_points(name, data) for name, data in sets.items()], ignore_index=True)
    return {
        **{name: _counts(points[points["set"] == name], sets[name]) for name in sets},
        "print": str(Net(PRINTED.depth, PRINTED.width)).splitlines(),
        # no classifier can do better on this source: what all losses are compared with
        "bayes": {"loss": bayes_loss(params.s), "accuracy": bayes_accuracy(params.s)},
        # all other experiments rest on networks that are trained side by side: as by the readable loop?
        "agreement": _agreement(params, lab),
        "points": points,
    }


def _agreement(params: Params, lab: Lab) -> dict[str, float | int]:
    """The greatest relative difference between the losses of the two ways to train, in each precision."""
    trainings = {
        name: Training(params.epochs, n_train=params.train, n_val=params.validation, s=params.s, dtype=dtype)
        for name, dtype in PRECISIONS.items()
    }
    seed = lab.seed("agreement")
    differences = lab.map(
        lambda training: greatest_difference(ABLE, training, seed), trainings.values(), "agreement"
    )
    steps = trainings["single"].total_steps
    return {"networks": len(ABLE), "steps": steps, **dict(zip(PRECISIONS, differences, strict=True))}


def _points(name: str, data: NoisyXor) -> pd.DataFrame:
    x1, x2 = data.inputs.double().numpy().T
    m1, m2 = data.centres.int().numpy().T
    return pd.DataFrame(
        {"set": name, "x1": x1, "x2": x2, "m1": m1, "m2": m2, "y": data.targets.int().numpy()}
    )


def _counts(points: pd.DataFrame, data: NoisyXor) -> dict[str, Any]:
    """The sizes of classes and clusters (c01 is at m1 = 0, m2 = 1), and the noise in both directions."""
    clusters = {
        f"c{m1}{m2}": int(((points["m1"] == m1) & (points["m2"] == m2)).sum())
        for m1 in (0, 1)
        for m2 in (0, 1)
    }
    ones = int(points["y"].sum())
    return {
        "n": len(points),
        "class_0": len(points) - ones,
        "class_1": ones,
        "share_of_class_1": asdict(wilson(ones, len(points))),
        "clusters": clusters,
        "smallest_cluster": min(clusters.values()),
        "largest_cluster": max(clusters.values()),
        "noise_std": float((data.inputs - data.centres).double().std()),
    }


def draw(result: Result, lab: Lab) -> None:
    """One figure: the training and the validation set side by side, on the same axes."""
    points = result.table("points")
    figure = Figure(figsize=(4.7, 1.95))
    for ax, (name, title) in zip(
        figure.subplots(1, 2, sharex=True, sharey=True), TITLES.items(), strict=True
    ):
        chosen = points[points["set"] == name]
        scatter_classes(ax, chosen[["x1", "x2"]], chosen["y"], size=7)
        ax.set(title=f"{title}, $n = {len(chosen)}$", xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
        ax.label_outer()
    figure.legend(*ax.get_legend_handles_labels(), loc="outside right center", handletextpad=0.1)
    lab.figure(
        "sets",
        figure,
        alt="Scatter plots of a training and a validation set of noisy XOR. Each shows four round clusters "
        "around the corners of the unit square; class 1 are the clusters at (0, 1) and (1, 0).",
        data=points,
    )

"""Question 3.3: why does a network that could solve noisy XOR fail, and what helps?

Six questions on the networks of `depth_width`, which are trained again where their parameters are needed:
the same seeds give the same networks.

1. Which clusters does a stuck network confuse? We compare its probabilities at the four centres with those of
   a network that merges some clusters and is right about the others, and its loss with the loss derived.
2. Is it slow or stuck? We train ten times longer, and look at the curvature of the loss where it ends.
3. What can a network of width 1, or a linear one, reach at best?
4. Do restarts of a narrow network replace width? The best of k is chosen by the training loss.
5. Does depth help when the number of parameters is the same?
6. Does a lower training loss mean a lower test loss?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from tinymlp.figures import BLACK, BLUE, VERMILION, boundary_key, interval_bars, network_picture, shape_label
from tinymlp.inference import holm_corrected, paired_successes, summarise, wilson
from tinymlp.networks import (
    CENTRES,
    Ensemble,
    NoisyXor,
    Shape,
    curvature,
    linear_bound,
    monotone_bound,
    plateaus,
    stream_seed,
)
from tinymlp.studies import (
    CENTRE_COLUMNS,
    KINDS,
    Retraining,
    best_of,
    classified,
    curvature_counts,
    curvature_row,
    independence,
    longer_row,
    matching_widths,
    mean_ratio,
    pattern_classes,
    pattern_counts,
    pattern_distances,
    pattern_examples,
    pattern_kind,
    plateau_error,
    plateau_losses,
    restart_row,
    share_with_origin,
    single_rate,
    size_contrasts,
    size_row,
    weighted_share,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from labreport.results import Result
    from labreport.running import Lab

NEEDS = ("depth_width",)


@dataclass(frozen=True)
class Params:
    """How many stuck networks of each shape are trained on and how much longer, and how many restarts.

    There are at least three trainings of the narrow network and two of the wide one.
    """

    stuck_per_shape: int = 128
    longer: int = 10  # times the epochs of depth_width
    curved_per_shape: int = 24  # networks whose curvature is computed
    restarts_narrow: int = 5  # of 1x2, the first training included
    restarts_wide: int = 2  # of 1x3


QUICK = Params(stuck_per_shape=4, longer=2, curved_per_shape=1, restarts_narrow=3)

ABLE = [Shape(depth, width) for depth in (1, 2, 3) for width in (2, 3)]  # shapes that can solve the task
NARROW, WIDE = Shape(1, 2), Shape(1, 3)
DEEP = [Shape(2, 2), Shape(3, 2), Shape(2, 3), Shape(3, 3)]  # to be matched in parameters by depth 1


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """Answer the six questions, one after the other."""
    result = lab.result("depth_width")
    seed, test_seed = result.values["networks_seed"], result.values["test_seed"]
    repeats, mapped = result.table("repeats"), lambda label: partial(lab.map, label=label)
    base = Retraining(result.params, seed, test_seed, repeats, mapped)
    return {
        **_classified(base.repeats),
        **_longer(base, params),
        **_bounds(base),
        **_restarts(base, params),
        **_sizes(base, _steps(result)),
    }


def _steps(result: Result) -> dict[str, tuple[Shape, Shape]]:
    """The contrasts of one more unit or layer, by name: the first against the second shape."""
    rows = result.values["contrast"]["rate"]
    return {name: (Shape.parse(row["first"]), Shape.parse(row["second"])) for name, row in rows.items()}


# ---- 1. which clusters are confused


def _classified(repeats: pd.DataFrame) -> dict[str, Any]:
    """Every stuck network at its plateau; the losses observed there beside those derived."""
    stuck = classified(repeats[~repeats["solved"]].reset_index(drop=True))
    able = stuck[stuck["shape"].isin([shape.name for shape in ABLE])]
    classes = pattern_classes(stuck)
    return {
        "n_stuck": len(stuck),
        "n_stuck_able": len(able),
        **pattern_distances(stuck),
        "kind": {f"merged_{merged}": pattern_kind(merged, able) for merged in (2, 3, 4)},
        "class": {f"{Shape.parse(row['shape']).key}_merged_{row['merged']}": row for row in classes},
        "with_00": share_with_origin(able),
        "classes": pd.DataFrame(classes),
        "patterns": pd.DataFrame(pattern_counts(able)),
    }


# ---- 2. slow or stuck


def _longer(base: Retraining, params: Params) -> dict[str, Any]:
    """The first stuck networks of each shape, trained longer."""
    failed = {shape: base.of(shape)[~base.of(shape)["solved"]] for shape in ABLE}
    # a shape at a time: half as many networks at once would take nearly as long; first what takes longest
    shapes = [shape for shape in reversed(ABLE) if not failed[shape].empty]
    longer = list(base.mapped("longer")(lambda shape: _longer_of(base, shape, failed[shape], params), shapes))
    rows = {shape.key: row for shape, (row, _, _) in zip(shapes[::-1], longer[::-1], strict=True)}
    examples = [example for _, found, _ in longer[::-1] for example in found]
    table = pd.DataFrame(list(rows.values()))
    total = wilson(int(table["solved"].sum()), int(table["n"].sum()))
    first_of_each = {example["clusters"]: example for example in reversed(examples)}
    return {
        "longer": rows | {"all": asdict(total), "weighted": weighted_share(table)},
        "longer_epochs": params.longer * base.params["epochs"],
        "retrained_same": sum(same for _, _, same in longer),
        "retrained": int(table["n"].sum()),
        "examples": list(first_of_each.values()),
        "long_runs": table,
    }


def _longer_of(
    base: Retraining, shape: Shape, failed: pd.DataFrame, params: Params
) -> tuple[dict[str, Any], list[dict[str, Any]], int]:
    """What longer training does to stuck networks of a shape; examples; how many were trained as before."""
    recorded = failed.head(params.stuck_per_shape)
    before = base.train([shape], recorded["replicate"].tolist())
    same = int((base.test_of(before)[shape].loss == recorded["test_loss"]).sum())
    after = base.train_on(before, params.longer)
    score, history = base.test_of(after)[shape], after.history[shape].train_loss
    solved = base.solved(score)
    row = {
        **longer_row(shape, len(failed), solved, history, recorded["test_loss"], score.loss),
        **_curvatures(base, shape, after, solved, params),
    }
    return row, pattern_examples(shape, before, recorded[CENTRE_COLUMNS]), same


def _curvatures(
    base: Retraining, shape: Shape, after: Ensemble, solved: np.ndarray, params: Params
) -> dict[str, Any]:
    """Gradient and curvature of the training loss where networks are still stuck."""

    def one(column: int) -> tuple[float, int, int, float]:
        data = base.data(int(after.columns.replicate[column]))
        gradient, eigenvalues = curvature(after.network(shape, column), data.inputs, data.targets)
        return float(gradient.norm()), *curvature_counts(eigenvalues.numpy())

    columns = np.flatnonzero(~solved)[: params.curved_per_shape].tolist()
    return curvature_row(shape, list(base.mapped(f"curvature of {shape.name}")(one, columns)))


# ---- 3. what width 1 and linear networks can reach


def _bounds(base: Retraining) -> dict[str, Any]:
    """The least loss of width 1 and of a linear network, beside what was observed.

    `on_test` is what merging three clusters costs on the test points themselves, whose clusters are not
    quite equally large; `test_error` is the standard error of such a loss.
    """
    bound, angle = monotone_bound(base.params["s"])
    counts = [int((base.test.centres == torch.tensor(centre)).all(dim=1).sum()) for centre in CENTRES]
    merged = [plateau for plateau in plateaus(counts) if len(plateau.merged) == 3]
    return {
        "width_one": {
            "bound": bound,
            "angle_degrees": float(np.degrees(angle)),
            "without_noise": plateau_losses()["three_merged"],
            "on_test": min(plateau.loss for plateau in merged),
            "test_error": plateau_error(sum(counts)),
            **{shape.key: _reached(base, shape) for shape in (Shape(depth, 1) for depth in (1, 2, 3))},
        },
        "linear": {"bound": linear_bound(), **_reached(base, Shape(0, 0))},
    }


def _reached(base: Retraining, shape: Shape) -> dict[str, Any]:
    loss = summarise(base.of(shape)["test_loss"])
    return {"n": loss.n, "min": loss.min, "mean": loss.mean, "std": loss.std, "median": loss.median}


# ---- 4. restarts against width


def _restarts(base: Retraining, params: Params) -> dict[str, Any]:
    """The best of k trainings on the same data, k = 1, 2, ..., for the narrow and for the wide network."""
    chosen, rows, chances = {}, {}, {}
    for shape, restarts in ((NARROW, params.restarts_narrow), (WIDE, params.restarts_wide)):
        train_loss, solved = base.restarted(shape, restarts)
        for k in range(1, restarts + 1):
            chosen[shape, k] = best_of(train_loss, solved, k)
            rows[f"{shape.key}k{k}"] = restart_row(shape, k, train_loss, solved)
        chances[shape.key] = asdict(single_rate(solved)) | independence(solved)
    against = {
        f"best_of_{k}_against_one_wide": paired_successes(chosen[NARROW, k], chosen[WIDE, 1])
        for k in range(1, params.restarts_narrow + 1)
    }
    against["best_of_3_against_best_of_2_wide"] = paired_successes(chosen[NARROW, 3], chosen[WIDE, 2])
    table = pd.DataFrame(list(rows.values()))
    return {
        "restart": {
            "single": chances,
            **rows,
            "missed": int((table["any_solved"] - table["solved"]).sum()),
        },
        "restart_contrast": {name: asdict(contrast) for name, contrast in holm_corrected(against).items()},
        "restarts": table,
    }


# ---- 5. networks of equal parameter count; 6. training against test loss


def _sizes(base: Retraining, steps: Mapping[str, tuple[Shape, Shape]]) -> dict[str, Any]:
    """Deep networks against one hidden layer with as many parameters, or nearly, and all losses compared.

    `mean_ratio` compares the mean losses of two shapes where both have solved the task, `generalisation` the
    mean test loss of the solved networks of a shape with their mean training loss.
    """
    pairs = [(deep, Shape(1, width)) for deep in DEEP for width in matching_widths(deep)]
    solved = {shape: base.of(shape)["solved"].to_numpy() for shape in ABLE}
    test = {shape: base.of(shape)["test_loss"].to_numpy() for shape in ABLE}
    train = {shape: base.of(shape)["train_loss"].to_numpy() for shape in ABLE}
    replicates = base.of(NARROW)["replicate"].tolist()
    # the wider shallow networks are no part of depth_width: they are trained here, on the same data
    more = list(dict.fromkeys(shallow for _, shallow in pairs if shallow not in solved))
    ensemble = base.train(more, replicates)
    for shape, score in base.test_of(ensemble).items():
        solved[shape], test[shape] = base.solved(score), score.loss
        train[shape] = ensemble.history[shape].train_loss[-1]
    compared = size_contrasts(pairs, solved)
    named = {**steps, **dict(zip(compared, pairs, strict=True))}
    sizes = {shape.key: size_row(shape, solved[shape], test[shape]) for shape in sorted(solved)}
    return {
        "equal": compared,
        "mean_ratio": {
            data: {
                name: mean_ratio(loss[one], loss[other], solved[one] & solved[other])
                for name, (one, other) in named.items()
            }
            for data, loss in (("train", train), ("test", test))
        },
        "generalisation": {
            shape.key: mean_ratio(test[shape], train[shape], solved[shape]) for shape in sorted(solved)
        },
        "size": sizes,
        "equal_parameters": pd.DataFrame(list(compared.values())),
        "sizes": pd.DataFrame(list(sizes.values())),
    }


# ---- figures


def draw(result: Result, lab: Lab) -> None:
    """Two figures: stuck networks by pattern; restarts and parameters against success."""
    values, kinds = result.values, result.values["kind"]
    lab.figure(
        "patterns",
        _patterns(result.table("patterns"), values["examples"], lab.result("depth_width")),
        alt="Decision boundaries of stuck networks, one for each set of two or three merged clusters, which "
        "lie on a plain of probability one half, one third or two thirds. Of "
        f"{values['n_stuck_able']} stuck networks {kinds['merged_2']['n']} merge two clusters and "
        f"{kinds['merged_3']['n']} merge three.",
        data=result.table("patterns"),
    )
    rates = "; ".join(
        f"{row.shape}, {row.parameters} parameters: {100 * row.rate:.1f}"
        for row in result.table("sizes").itertuples(index=False)
    )
    lab.figure(
        "help",
        _help(result.table("restarts"), result.table("sizes")),
        alt="Left: the success rate of the best of k trainings of 1x2 and of 1x3, beside what independent "
        f"trainings would give. Right: success rate against the number of parameters; in percent: {rates}.",
        data=result.table("sizes"),
    )


def _patterns(patterns: pd.DataFrame, examples: Sequence[Mapping[str, Any]], base: Result) -> Figure:
    """A picture for each set of two and of three merged clusters, with its count."""
    figure = Figure(figsize=(5.9, 3.2))
    axes = figure.subplots(2, 4)
    by_clusters = {example["clusters"]: example for example in examples}
    for line, merged in zip(axes, (2, 3), strict=True):
        rows = patterns[patterns["merged"] == merged]
        for ax, row in zip(line, rows.to_dict("records"), strict=True):
            example = by_clusters.get(row["clusters"])
            if example is None:
                ax.set_axis_off()
                continue
            _picture(ax, example, base)
            ax.set_title(f"{row['n']} networks")
            ax.set(xlabel="$x_1$" if merged == 3 else "", ylabel="")
            ax.tick_params(labelbottom=merged == 3, labelleft=ax is line[0])
        line[0].set_ylabel(f"{KINDS[merged]}\n$x_2$")
    figure.legend(handles=boundary_key(), loc="outside lower center", ncols=3)
    return figure


def _picture(ax: Axes, example: Mapping[str, Any], base: Result) -> None:
    seed = stream_seed(base.values["networks_seed"], "train", example["replicate"])
    data = NoisyXor(base.params["n_train"], base.params["s"], seed=seed)
    network_picture(ax, Shape.parse(example["shape"]), example["parameters"], data, size=4)


def _help(restarts: pd.DataFrame, sizes: pd.DataFrame) -> Figure:
    """Success against what was trained in all: by restarts on the left, in one network on the right."""
    figure = Figure(figsize=(5.9, 2.15))
    left, right = figure.subplots(1, 2, sharey=True)
    for shape, colour, marker in ((NARROW, BLUE, "o"), (WIDE, VERMILION, "s")):
        rows = restarts[restarts["shape"] == shape.name]
        left.plot(rows["trained_parameters"], 100 * rows["predicted"], color=colour, lw=0.8, ls="--")
        _points(left, rows, "trained_parameters", colour, marker, f"best of $k$ times {shape_label(shape)}")
        texts = [f"$k = {k}$" for k in rows["k"]]
        place, align = ((5, -8), "left") if shape == NARROW else ((-5, 2), "right")
        _annotate(left, rows["trained_parameters"], rows["rate"], texts, place, align)
    left.set(xlabel="parameters, all $k$ trainings together", ylabel="success rate (%)")
    for depth, colour, marker in ((1, BLACK, "o"), (2, VERMILION, "s"), (3, BLUE, "^")):
        rows = sizes[sizes["depth"] == depth]
        label = f"{depth} hidden layer{'s' if depth > 1 else ''}"
        _points(right, rows, "parameters", colour, marker, label, ls="-" if depth == 1 else "")
        texts = [shape_label(Shape.parse(name)) for name in rows["shape"]]
        place, align = ((4, -9), "left") if depth == 1 else ((0, -18), "center")
        _annotate(right, rows["parameters"], rows["rate"], texts, place, align)
    right.set(xlabel="parameters of one network")
    for ax, end in ((left, 49), (right, 43)):
        ax.set(xlim=(5, end), ylim=(48, 103), xticks=(10, 20, 30, 40), yticks=(50, 60, 70, 80, 90, 100))
        ax.legend(loc="lower right")
    return figure


def _annotate(
    ax: Axes, x: pd.Series, rate: pd.Series, texts: Sequence[str], place: tuple[float, float], align: str
) -> None:
    """Write a text beside each point, `place` points away."""
    for at, height, text in zip(x, 100 * rate, texts, strict=True):
        ax.annotate(text, (at, height), xytext=place, textcoords="offset points", ha=align, size=8)


def _points(ax: Axes, rows: pd.DataFrame, x: str, colour: str, marker: str, label: str, ls: str = "") -> None:
    """Draw success rates with their intervals."""
    look = {"color": colour, "fmt": marker, "ls": ls, "ms": 3.5, "lw": 0.8, "label": label}
    interval_bars(ax, rows[x], rows["rate"], rows["rate_low"], rows["rate_high"], percent=True, **look)

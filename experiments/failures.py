"""Question 3.3: why does a network that could solve noisy XOR fail, and what helps?

Five questions on the networks of `depth_width`, which are trained again where their parameters are needed:
the same seeds give the same networks.

1. Which clusters does a stuck network confuse? We compare its probabilities at the four centres with those of
   a network that merges some clusters and is right about the others, and its loss with the loss derived.
2. Is it slow or stuck? We train ten times longer, and look at the curvature of the loss where it ends.
3. What can a network of width 1, or a linear one, reach at best?
4. Do restarts of a narrow network replace width? The best of k is chosen by the training loss.
5. Does depth help when the number of parameters is the same?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy import stats
from torch import nn

from tinymlp.figures import boundary_key, decision_boundary, scatter_classes
from tinymlp.inference import Contrast, holm_corrected, paired_successes, summarise, wilson
from tinymlp.networks import (
    CENTRES,
    Ensemble,
    Net,
    NoisyXor,
    Score,
    Shape,
    Training,
    advance,
    centre_probabilities,
    curvature,
    evaluate,
    linear_bound,
    monotone_bound,
    nearest_plateau,
    parameter_count,
    plateaus,
    stream_seed,
    train,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from labreport.results.results import Result
    from labreport.running.lab import Lab

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


QUICK = Params(stuck_per_shape=8, longer=2, curved_per_shape=2, restarts_narrow=3)

ABLE = [Shape(depth, width) for depth in (1, 2, 3) for width in (2, 3)]  # shapes that can solve the task
NARROW, WIDE = Shape(1, 2), Shape(1, 3)
DEEP = [Shape(2, 2), Shape(3, 2), Shape(2, 3), Shape(3, 3)]  # to be matched in parameters by depth 1
UNCLEAR = 1 / 6  # half of the least distance between two plateaus, in probability
FLAT = 1e-4  # an eigenvalue below this part of the largest one counts as zero
KINDS = {0: "none merged", 2: "two merged", 3: "three merged", 4: "all merged"}
SHOWN_POINTS = 100
BLUE, ORANGE = "#0072B2", "#D55E00"
ENDS: dict[bool, dict[str, Any]] = {  # the lines of networks that are solved in the end, and of others
    True: {"color": ORANGE, "lw": 1, "zorder": 3},
    False: {"color": "0.55", "lw": 0.4},
}


@dataclass(frozen=True)
class Base:
    """What `depth_width` did and found, to go on from there."""

    params: Mapping[str, Any]
    seed: int
    test_seed: int
    repeats: pd.DataFrame
    lab: Lab

    @property
    def training(self) -> Training:
        """How its networks were trained."""
        names = ("epochs", "batch_size", "lr", "n_train", "s")
        return Training(**{name: self.params[name] for name in names})

    @cached_property
    def test(self) -> NoisyXor:
        """Its test points."""
        return NoisyXor(self.params["n_test"], self.params["s"], seed=self.test_seed)

    def of(self, shape: Shape) -> pd.DataFrame:
        """The repeats of one shape, in order."""
        return self.repeats[self.repeats["shape"] == _name(shape)]

    def train(
        self, shape: Shape, replicates: Sequence[int], restarts: Sequence[int] | None = None
    ) -> Ensemble:
        """Networks of one shape, on the data of these replicates."""
        mapped = partial(self.lab.map, label=f"training {_name(shape)}")
        return train([shape], replicates, self.training, seed=self.seed, restarts=restarts, map=mapped)

    def test_of(self, ensemble: Ensemble) -> Score:
        """The test scores of networks of one shape."""
        (score,) = evaluate(ensemble, self.test.inputs, self.test.targets, map=self.lab.map).values()
        return score

    def solved(self, score: Score) -> np.ndarray:
        """Which networks are solved."""
        good: np.ndarray = score.accuracy > self.params["solved_above"]
        return good

    def data(self, replicate: int) -> NoisyXor:
        """The training data of a replicate."""
        seed = stream_seed(self.seed, "train", replicate)
        return NoisyXor(self.params["n_train"], self.params["s"], seed=seed)


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """Answer the five questions, one after the other."""
    result = lab.result("depth_width")
    seed, test_seed = result.values["networks_seed"], result.values["test_seed"]
    base = Base(result.params, seed, test_seed, result.table("repeats"), lab)
    return {
        **_classified(base),
        **_longer(base, params),
        **_bounds(base),
        **_restarts(base, params),
        **_equal_parameters(base),
    }


def _name(shape: Shape) -> str:
    return f"{shape.depth}x{shape.width}" if shape.depth else "0"


def _key(name: str) -> str:
    """The name of a shape among the values: d2w3 for 2x3."""
    return "d0" if name == "0" else "d" + name.replace("x", "w")


def _clusters(merged: Sequence[int]) -> str:
    """The merged clusters as text: 00+01."""
    return "+".join("".join(map(str, CENTRES[i])) for i in merged)


# ---- 1. which clusters are confused


def _classified(base: Base) -> dict[str, Any]:
    """Every stuck network at its plateau; the losses observed there beside those derived."""
    stuck = base.repeats[~base.repeats["solved"]].reset_index(drop=True)
    index, distance = nearest_plateau(stuck[_centre_columns()])
    known = plateaus()
    stuck = stuck.assign(
        merged=[len(known[i].merged) for i in index],
        clusters=[_clusters(known[i].merged) for i in index],
        distance=distance,
    )
    able = stuck[stuck["shape"].isin([_name(shape) for shape in ABLE])]
    groups = [
        (name, *rows) for name, rest in stuck.groupby("shape", sort=False) for rows in rest.groupby("merged")
    ]
    classes = [_class(shape, merged, rows, stuck) for shape, merged, rows in groups]
    patterns = [_pattern(plateau.merged, able) for plateau in known if plateau.merged]
    return {
        "n_stuck": len(stuck),
        "n_stuck_able": len(able),
        "unclear": int((distance > UNCLEAR).sum()),
        "distance_max": float(distance.max()),
        "distance_q95": float(np.quantile(distance, 0.95)),
        "kind": {f"merged_{merged}": _kind(merged, able) for merged in (2, 3, 4)},
        "class": {f"{_key(row['shape'])}_merged_{row['merged']}": row for row in classes},
        "with_00": _share_with_origin(able),
        "classes": pd.DataFrame(classes),
        "patterns": pd.DataFrame(patterns),
    }


def _centre_columns() -> list[str]:
    return [f"p{m1}{m2}" for m1, m2 in CENTRES]


def _class(shape: str, merged: int, rows: pd.DataFrame, stuck: pd.DataFrame) -> dict[str, Any]:
    share = wilson(len(rows), int((stuck["shape"] == shape).sum()))
    return {
        "shape": shape,
        "merged": merged,
        "kind": KINDS[merged],
        "n": share.successes,
        "of": share.n,
        "share": share.estimate,
        "share_low": share.low,
        "share_high": share.high,
        **_observed(merged, rows),
    }


def _observed(merged: int, rows: pd.DataFrame) -> dict[str, float | None]:
    """The derived loss of a kind of plateau, and the losses observed there."""
    test, training = summarise(rows["test_loss"]), summarise(rows["train_loss"])
    (derived,) = {plateau.loss for plateau in plateaus() if len(plateau.merged) == merged}
    return {
        "derived": derived,
        "test_mean": test.mean,
        "test_std": test.std,
        "test_min": test.min,
        "test_max": test.max,
        "train_mean": training.mean,
        "train_std": training.std,
    }


def _kind(merged: int, able: pd.DataFrame) -> dict[str, Any]:
    """One kind of plateau over all shapes that can solve the task."""
    rows = able[able["merged"] == merged]
    return {"n": len(rows), "share": len(rows) / max(len(able), 1), **_observed(merged, rows)}


def _pattern(merged: tuple[int, ...], able: pd.DataFrame) -> dict[str, Any]:
    """How often just these clusters are merged."""
    n = int((able["clusters"] == _clusters(merged)).sum())
    return {"clusters": _clusters(merged), "merged": len(merged), "n": n, "of": len(able)}


def _share_with_origin(able: pd.DataFrame) -> dict[str, Any]:
    """How often a merged pair holds the cluster at (0, 0) and not the one at (1, 1)."""
    pairs = able[able["merged"] == 2]["clusters"]
    return asdict(wilson(int(pairs.str.contains("00").sum()), len(pairs))) if len(pairs) else {}


# ---- 2. slow or stuck


def _longer(base: Base, params: Params) -> dict[str, Any]:
    """The first stuck networks of each shape, trained longer."""
    rows, paths, examples, moves, same = [], [], [], [], 0
    for shape in ABLE:
        recorded = base.of(shape)
        recorded = recorded[~recorded["solved"]].head(params.stuck_per_shape)
        if recorded.empty:
            continue
        before = base.train(shape, recorded["replicate"].tolist())
        first = base.test_of(before)
        same += int((first.loss == recorded["test_loss"]).sum())
        after = _trained_on(base, shape, before, params)
        score = base.test_of(after)
        solved = base.solved(score)
        rows.append(
            _row(shape, recorded, after, score, solved) | _curvatures(base, shape, after, solved, params)
        )
        paths.append(_paths(shape, after, solved, base))
        moves.append(_moves(shape, recorded, after, solved))
        examples += _patterns_of(shape, before, recorded)
    table, move = pd.DataFrame(rows), pd.concat(moves, ignore_index=True)
    total = wilson(int(table["solved"].sum()), int(table["n"].sum()))
    first_of_each = {example["clusters"]: example for example in reversed(examples)}
    return {
        "longer": {_key(row["shape"]): row for row in rows} | {"all": asdict(total)},
        "longer_epochs": params.longer * base.params["epochs"],
        "retrained_same": same,
        "retrained": int(table["n"].sum()),
        "examples": list(first_of_each.values()),
        "long_runs": table,
        "paths": pd.concat(paths, ignore_index=True),
        "moves": move.groupby(["shape", "before", "after"], sort=False, as_index=False)["n"].sum(),
    }


def _trained_on(base: Base, shape: Shape, before: Ensemble, params: Params) -> Ensemble:
    steps = base.training.total_steps
    mapped = partial(base.lab.map, label=f"training {_name(shape)} on")
    points = [steps * k for k in range(1, params.longer + 1)]
    return advance(before, steps * params.longer, checkpoints=points, map=mapped)


def _row(
    shape: Shape, recorded: pd.DataFrame, after: Ensemble, score: Score, solved: np.ndarray
) -> dict[str, Any]:
    """What became of the stuck networks of one shape; losses are of those that are still stuck."""
    share = wilson(int(solved.sum()), len(solved))
    history = after.history[shape].train_loss
    half = len(history) // 2
    still = ~solved
    return {
        "shape": _name(shape),
        "n": share.n,
        "solved": share.successes,
        "share": share.estimate,
        "share_low": share.low,
        "share_high": share.high,
        "still_stuck": int(still.sum()),
        "train_loss_before": summarise(history[0][still]).median,
        "train_loss_after": summarise(history[-1][still]).median,
        "train_loss_fall": summarise((history[0] - history[-1])[still]).median,
        "train_loss_fall_second_half": summarise((history[half] - history[-1])[still]).median,
        "test_loss_before": summarise(recorded["test_loss"][still]).median,
        "test_loss_after": summarise(score.loss[still]).median,
    }


def _curvatures(
    base: Base, shape: Shape, after: Ensemble, solved: np.ndarray, params: Params
) -> dict[str, Any]:
    """Gradient and curvature of the training loss where networks are still stuck."""

    def one(column: int) -> tuple[float, int, int, float]:
        data = base.data(int(after.columns.replicate[column]))
        gradient, eigenvalues = curvature(after.network(shape, column), data.inputs, data.targets)
        relative = (eigenvalues / eigenvalues[-1]).numpy()
        counts = int((relative < -FLAT).sum()), int((np.abs(relative) <= FLAT).sum())
        return float(gradient.norm()), *counts, float(relative[0])

    columns = np.flatnonzero(~solved)[: params.curved_per_shape].tolist()
    found = np.array(base.lab.map(one, columns, label=f"curvature of {_name(shape)}")).reshape(-1, 4)
    gradient, negative, flat, lowest = found.T
    return {
        "curved_n": len(columns),
        "parameters": parameter_count(shape.depth, shape.width),
        "gradient_median": summarise(gradient).median,
        "with_descent": int((negative > 0).sum()),
        "flat_median": summarise(flat).median,
        "lowest_curvature": summarise(lowest).min,
    }


def _paths(shape: Shape, after: Ensemble, solved: np.ndarray, base: Base) -> pd.DataFrame:
    """The training loss of each network at the checkpoints."""
    epochs = np.array(after.recorded) // base.training.steps_per_epoch
    losses = after.history[shape].train_loss
    return pd.DataFrame(
        {
            "shape": _name(shape),
            "replicate": np.repeat(after.columns.replicate, len(epochs)),
            "epoch": np.tile(epochs, losses.shape[1]),
            "train_loss": losses.T.ravel(),
            "solved": np.repeat(solved, len(epochs)),
        }
    )


def _moves(shape: Shape, recorded: pd.DataFrame, after: Ensemble, solved: np.ndarray) -> pd.DataFrame:
    """From which kind of plateau to which; a row for each network."""
    known = np.array([len(plateau.merged) for plateau in plateaus()])
    before = known[nearest_plateau(recorded[_centre_columns()])[0]]
    later = known[nearest_plateau(centre_probabilities(after)[shape])[0]]
    end = ["solved" if good else KINDS[merged] for good, merged in zip(solved, later, strict=True)]
    return pd.DataFrame(
        {"shape": _name(shape), "before": [KINDS[merged] for merged in before], "after": end, "n": 1}
    )


def _patterns_of(shape: Shape, before: Ensemble, recorded: pd.DataFrame) -> list[dict[str, Any]]:
    """The first network of each pattern of merged clusters, with all parameters."""
    index, _ = nearest_plateau(recorded[_centre_columns()])
    return [
        {
            "shape": _name(shape),
            "depth": shape.depth,
            "width": shape.width,
            "clusters": _clusters(plateaus()[i].merged),
            "merged": len(plateaus()[i].merged),
            "replicate": int(before.columns.replicate[column]),
            "parameters": before.states[shape].parameters[:, column],
        }
        for i, column in zip(*np.unique(index, return_index=True), strict=True)
    ]


# ---- 3. what width 1 and linear networks can reach


def _bounds(base: Base) -> dict[str, Any]:
    """The least loss of width 1 and of a linear network, beside what was observed.

    `on_test` is what merging three clusters costs on the test points themselves, whose clusters are not
    quite equally large; `test_error` is the standard error of such a loss.
    """
    s = base.params["s"]
    bound, angle = monotone_bound(s)
    counts = [int((base.test.centres == torch.tensor(centre)).all(dim=1).sum()) for centre in CENTRES]
    merged = [plateau for plateau in plateaus(counts) if len(plateau.merged) == 3]
    (derived,) = {plateau.loss for plateau in plateaus() if len(plateau.merged) == 3}
    return {
        "width_one": {
            "bound": bound,
            "angle_degrees": float(np.degrees(angle)),
            "without_noise": derived,
            "on_test": min(plateau.loss for plateau in merged),
            "test_error": _plateau_error(sum(counts)),
            **{_key(f"{depth}x1"): _reached(base, Shape(depth, 1)) for depth in (1, 2, 3)},
        },
        "linear": {"bound": linear_bound(), **_reached(base, Shape(0, 0))},
    }


def _plateau_error(n: int) -> float:
    """The standard error of the mean loss over n points if three clusters are merged.

    The loss of a point is 0 with probability 1/4, ln(3/2) with 1/2 and ln 3 with 1/4.
    """
    losses, weights = np.array([0, np.log(1.5), np.log(3)]), np.array([1, 2, 1]) / 4
    variance = weights @ losses**2 - (weights @ losses) ** 2
    return float((variance / n) ** 0.5)


def _reached(base: Base, shape: Shape) -> dict[str, Any]:
    loss = summarise(base.of(shape)["test_loss"])
    return {"n": loss.n, "min": loss.min, "mean": loss.mean, "std": loss.std, "median": loss.median}


# ---- 4. restarts against width


def _restarts(base: Base, params: Params) -> dict[str, Any]:
    """The best of k trainings on the same data, k = 1, 2, ..., for the narrow and for the wide network."""
    chosen, rows, chances = {}, [], {}
    for shape, restarts in ((NARROW, params.restarts_narrow), (WIDE, params.restarts_wide)):
        train_loss, solved = _all_restarts(base, shape, restarts)
        single = wilson(int(solved.sum()), solved.size)
        for k in range(1, restarts + 1):
            best = train_loss[:, :k].argmin(axis=1)
            chosen[shape, k] = solved[np.arange(len(solved)), best]
            rows.append(_best_of(shape, k, chosen[shape, k], solved[:, :k].any(axis=1), single))
        chances[_key(_name(shape))] = asdict(single) | _independence(solved)
    against = {
        f"best_of_{k}_against_one_wide": paired_successes(chosen[NARROW, k], chosen[WIDE, 1])
        for k in range(1, params.restarts_narrow + 1)
    }
    equal = "best_of_3_against_best_of_2_wide"
    against[equal] = paired_successes(chosen[NARROW, 3], chosen[WIDE, 2])
    table = pd.DataFrame(rows)
    return {
        "restart": {
            "single": chances,
            **{f"{_key(row['shape'])}k{row['k']}": row for row in rows},
            "missed": int((table["any_solved"] - table["solved"]).sum()),
        },
        "restart_contrast": {name: asdict(contrast) for name, contrast in holm_corrected(against).items()},
        "restarts": table,
    }


def _all_restarts(base: Base, shape: Shape, restarts: int) -> tuple[np.ndarray, np.ndarray]:
    """Training loss and whether solved of each restart: (replicates, restarts); the first is known."""
    known = base.of(shape)
    replicates = known["replicate"].to_numpy()
    more = restarts - 1
    again = base.train(
        shape, np.repeat(replicates, more).tolist(), np.tile(range(1, restarts), len(replicates))
    )
    solved = base.solved(base.test_of(again)).reshape(-1, more)
    losses = again.history[shape].train_loss[-1].reshape(-1, more)
    first = known["train_loss"].to_numpy(), known["solved"].to_numpy()
    return np.column_stack([first[0], losses]), np.column_stack([first[1], solved])


def _best_of(shape: Shape, k: int, chosen: np.ndarray, any_solved: np.ndarray, single: Any) -> dict[str, Any]:
    """The success rate of the best of k, and what independent trainings would give: 1 - (1 - p)^k."""
    rate = wilson(int(chosen.sum()), len(chosen))
    return {
        "shape": _name(shape),
        "k": k,
        "trained_parameters": k * parameter_count(shape.depth, shape.width),
        "n": rate.n,
        "solved": rate.successes,
        "rate": rate.estimate,
        "rate_low": rate.low,
        "rate_high": rate.high,
        "predicted": 1 - (1 - single.estimate) ** k,
        "predicted_low": 1 - (1 - single.low) ** k,
        "predicted_high": 1 - (1 - single.high) ** k,
        "any_solved": int(any_solved.sum()),
    }


def _independence(solved: np.ndarray) -> dict[str, Any]:
    """Whether the restarts on one data set succeed as often together as independent ones would.

    A chi-squared test of the number of successes in each data set against the binomial distribution.
    """
    restarts, p = solved.shape[1], solved.mean()
    counts = np.bincount(solved.sum(axis=1), minlength=restarts + 1)
    expected = len(solved) * stats.binom.pmf(range(restarts + 1), restarts, p)
    p_value = stats.chisquare(counts, expected, ddof=1).pvalue if restarts > 1 and 0 < p < 1 else None
    return {"by_successes": counts, "expected": expected, "independence_p": p_value}


# ---- 5. networks of equal parameter count


def _equal_parameters(base: Base) -> dict[str, Any]:
    """Deep networks against networks of one hidden layer with as many parameters, or nearly."""
    pairs = [(deep, Shape(1, width)) for deep in DEEP for width in _matching_widths(deep)]
    solved = {shape: base.of(shape)["solved"].to_numpy() for shape in [*ABLE]}
    loss = {shape: base.of(shape)["test_loss"].to_numpy() for shape in ABLE}
    replicates = base.of(NARROW)["replicate"].tolist()
    for shape in dict.fromkeys(shallow for _, shallow in pairs if shallow not in solved):
        score = base.test_of(base.train(shape, replicates))
        solved[shape], loss[shape] = base.solved(score), score.loss
    contrasts = holm_corrected(
        {_pair(*pair): paired_successes(*(solved[one] for one in pair)) for pair in pairs}
    )
    rows = [_compared(deep, shallow, contrasts[_pair(deep, shallow)], solved) for deep, shallow in pairs]
    sizes = [_sized(shape, solved[shape], loss[shape]) for shape in sorted(solved)]
    return {
        "equal": {_pair(*pair): row for pair, row in zip(pairs, rows, strict=True)},
        "size": {_key(row["shape"]): row for row in sizes},
        "equal_parameters": pd.DataFrame(rows),
        "sizes": pd.DataFrame(sizes),
    }


def _matching_widths(deep: Shape) -> list[int]:
    """The widths with which one hidden layer has as many parameters, or next to as many: 4 width + 1."""
    width = (parameter_count(deep.depth, deep.width) - 1) / 4
    return sorted({int(np.floor(width)), int(np.ceil(width))})


def _pair(deep: Shape, shallow: Shape) -> str:
    return f"{_key(_name(deep))}_{_key(_name(shallow))}"


def _compared(
    deep: Shape, shallow: Shape, contrast: Contrast, solved: Mapping[Shape, np.ndarray]
) -> dict[str, Any]:
    return {
        "deep": _name(deep),
        "shallow": _name(shallow),
        "parameters_deep": parameter_count(deep.depth, deep.width),
        "parameters_shallow": parameter_count(shallow.depth, shallow.width),
        "rate_deep": float(solved[deep].mean()),
        "rate_shallow": float(solved[shallow].mean()),
        **asdict(contrast),
    }


def _sized(shape: Shape, solved: np.ndarray, loss: np.ndarray) -> dict[str, Any]:
    """The success rate of a shape and its number of parameters."""
    rate = wilson(int(solved.sum()), len(solved))
    return {
        "shape": _name(shape),
        "depth": shape.depth,
        "width": shape.width,
        "parameters": parameter_count(shape.depth, shape.width),
        "n": rate.n,
        "solved": rate.successes,
        "rate": rate.estimate,
        "rate_low": rate.low,
        "rate_high": rate.high,
        "median": float(np.median(loss)),
        "solved_loss_median": summarise(loss[solved]).median,
    }


# ---- figures


def draw(result: Result, lab: Lab) -> None:
    """Three figures: stuck networks by pattern, longer training, restarts and parameters against success."""
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
    everything = values["longer"]["all"]
    lab.figure(
        "longer",
        _long_runs(result.table("paths"), result.table("long_runs")),
        alt=f"Training losses of stuck networks, a panel for each shape, trained for "
        f"{values['longer_epochs']} epochs in all: flat lines, of which {everything['successes']} of "
        f"{everything['n']} suddenly fall, at any time.",
        data=result.table("paths"),
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


def _shown(name: str) -> str:
    return "$" + name.replace("x", r"\times") + "$"


def _patterns(patterns: pd.DataFrame, examples: Sequence[Mapping[str, Any]], base: Result) -> Figure:
    """A picture for each set of two and of three merged clusters, with its count."""
    figure = Figure(figsize=(5.9, 3.75))
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
    net = Net(example["depth"], example["width"])
    nn.utils.vector_to_parameters(torch.tensor(example["parameters"]), net.parameters())
    seed = stream_seed(base.values["networks_seed"], "train", example["replicate"])
    data = NoisyXor(base.params["n_train"], base.params["s"], seed=seed)
    decision_boundary(ax, partial(_probability, net))
    scatter_classes(ax, data.inputs[:SHOWN_POINTS], data.targets[:SHOWN_POINTS], size=4)


@torch.no_grad()
def _probability(net: Net, points: np.ndarray) -> np.ndarray:
    return torch.sigmoid(net(torch.tensor(points, dtype=torch.float32))).numpy()


def _long_runs(paths: pd.DataFrame, table: pd.DataFrame) -> Figure:
    """The training loss of each stuck network, a panel for each shape."""
    figure = Figure(figsize=(5.9, 3.6))
    axes = figure.subplots(2, 3, sharex=True, sharey=True)
    places = {f"{depth}x{width}": axes[width - 2, depth - 1] for depth in (1, 2, 3) for width in (2, 3)}
    for row in table.to_dict("records"):
        ax = places[row["shape"]]
        chosen = paths[paths["shape"] == row["shape"]]
        for _, path in chosen.groupby("replicate"):
            ax.plot(path["epoch"], path["train_loss"], **ENDS[bool(path["solved"].iloc[0])])
        ax.set_title(f"{_shown(row['shape'])}: {row['solved']} of {row['n']} solved")
    for ax in axes[1]:
        ax.set(xlabel="epochs", xticks=(200, 500, 800))
    for ax in axes[:, 0]:
        ax.set(ylabel="training loss (nats)", yscale="log")
    lines = [
        Line2D([], [], label=word, **ENDS[end]) for end, word in ((True, "solved"), (False, "not solved"))
    ]
    figure.legend(handles=lines, loc="outside lower center", ncols=2)
    return figure


def _help(restarts: pd.DataFrame, sizes: pd.DataFrame) -> Figure:
    """Success against what was trained in all: by restarts on the left, in one network on the right."""
    figure = Figure(figsize=(5.9, 2.7))
    left, right = figure.subplots(1, 2, sharey=True)
    for name, colour, marker in (("1x2", BLUE, "o"), ("1x3", ORANGE, "s")):
        rows = restarts[restarts["shape"] == name]
        left.plot(rows["trained_parameters"], 100 * rows["predicted"], color=colour, lw=0.8, ls="--")
        _points(left, rows, "trained_parameters", colour, marker, f"best of $k$ times {_shown(name)}")
        texts = [f"$k = {k}$" for k in rows["k"]]
        place, align = ((5, -8), "left") if name == "1x2" else ((-5, 2), "right")
        _annotate(left, rows["trained_parameters"], rows["rate"], texts, place, align)
    left.set(xlabel="parameters, all $k$ trainings together", ylabel="success rate (%)")
    for depth, colour, marker in ((1, "#000000", "o"), (2, ORANGE, "s"), (3, BLUE, "^")):
        rows = sizes[sizes["depth"] == depth]
        label = f"{depth} hidden layer{'s' if depth > 1 else ''}"
        _points(right, rows, "parameters", colour, marker, label, ls="-" if depth == 1 else "")
        texts = [_shown(name) for name in rows["shape"]]
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
    errors = 100 * np.stack([rows["rate"] - rows["rate_low"], rows["rate_high"] - rows["rate"]])
    ax.errorbar(
        rows[x], 100 * rows["rate"], errors, color=colour, fmt=marker, ls=ls, ms=3.5, lw=0.8, label=label
    )

"""Question 3.3: which conclusions on depth and width hold for other training parameters, and which do not?

Around one reference setting we change one factor at a time, and the learning rate together with the scale of
the initial parameters. In each setting the same repeats train networks of one to three hidden layers of width
2 and 3: a repeat has the same data, the same random numbers behind its initial parameters and the same order
of the points in every setting where that is possible. So all comparisons are paired.

A network has solved the task if its test accuracy is less than 0.1 below that of the Bayes classifier. Where
the clusters do not overlap this is an accuracy above 0.9; where they do, it still means that all four are
told apart. How close a network comes to the best possible classifier is the excess of its test loss over the
Bayes loss, both on the same test points.

Five contrasts were planned, two of width and three of depth, for three outcomes: success, an excess loss
below 0.1 nat, and the ratio of the losses where both networks have solved the task. Holm's correction takes
all settings and contrasts of an outcome as one family.

The reference setting is that of `depth_width` with half the epochs, for the sake of time: the success rates
have levelled off by then. Training for all epochs is one of the settings.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from scipy.special import xlog1py, xlogy

from tinymlp.figures import strips
from tinymlp.inference import (
    bayes_accuracy,
    bayes_loss,
    bayes_probability,
    holm_corrected,
    paired_means,
    paired_successes,
    summarise,
    wilson,
)
from tinymlp.networks import NoisyXor, Shape, Training, advance, evaluate, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from matplotlib.axes import Axes

    from labreport.results.results import Result
    from labreport.running.lab import Lab
    from tinymlp.inference import Contrast
    from tinymlp.networks import Ensemble, Score


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


QUICK = Params(repeats=16, test_points=500, batch_size=256)  # few steps; the settings keep their names

SHAPES = [Shape(depth, width) for depth in (1, 2, 3) for width in (2, 3)]
OTHERS = [Shape(0, 0), *(Shape(depth, 1) for depth in (1, 2, 3))]  # tried where the noise varies
CONTRASTS = {  # first minus second
    "width_2_to_3_at_depth_1": (Shape(1, 3), Shape(1, 2)),
    "width_2_to_3_at_depth_2": (Shape(2, 3), Shape(2, 2)),
    "depth_1_to_2_at_width_2": (Shape(2, 2), Shape(1, 2)),
    "depth_1_to_2_at_width_3": (Shape(2, 3), Shape(1, 3)),
    "depth_1_to_3_at_width_3": (Shape(3, 3), Shape(1, 3)),
}

REFERENCE, GRID = "reference", "learning rate and scale"
LR_FACTORS, LR_BETWEEN = (0.1, 1, 10), (0.3, 3)  # of the reference, the former with all scales
SCALES = (0.25, 0.5, 1, 2, 4)
EPOCH_FACTORS = (0.1, 0.2, 0.5, 2, 4)
DECAYS = (1e-4, 1e-3, 1e-2)
SHORTFALL = 0.1  # in accuracy, of a network that has solved the task
NEAR_BAYES = 0.1  # nats of excess loss
NEAR_CONSTANT = 0.02  # nats below ln 2, the loss of a network that always says one half
FEWEST_PAIRS = 10  # for a ratio of losses
ALPHA = 0.05

CENTRES, CLASSES = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])


# ---- settings


@dataclass(frozen=True)
class Setting:
    """One way to train; the label says what differs from the reference setting."""

    factor: str
    label: str
    training: Training

    @property
    def name(self) -> str:
        """The key of the setting in the result."""
        return self.label.lower().replace(",", "").translate(str.maketrans(" .-", "___"))

    @property
    def columns(self) -> tuple[Any, ...]:
        """What can differ between networks that are trained side by side."""
        return self.training.lr, self.training.weight_decay, self.training.initial_scale

    @property
    def shared(self) -> Training:
        """What cannot, steps apart."""
        return replace(self.training, lr=0, weight_decay=0, initial_scale=0, epochs=0, steps=0)


def settings_around(params: Params) -> list[Setting]:
    """The reference setting, the others with one factor changed, and learning rate with initial scale."""
    reference = Training(
        epochs=params.epochs,
        batch_size=params.batch_size,
        lr=params.lr,
        n_train=params.n_train,
        n_val=1,
        s=params.s,
    )
    relu = replace(reference, activation="relu")
    noise = [_times(factor, params.s) for factor in (2, 3)]
    return [
        Setting(REFERENCE, REFERENCE, reference),
        *_learning_rate_and_scale(reference),
        *_steps(reference),
        *(Setting("weight decay", f"weight decay {w:g}", replace(reference, weight_decay=w)) for w in DECAYS),
        *_sizes(reference, "batch size", "batch_size", (0.25, 4)),
        *_sizes(reference, "training points", "n_train", (0.1, 3)),
        Setting("initialiser", "Glorot initialiser", replace(reference, initialiser="glorot")),
        Setting("activation", "ReLU", relu),
        Setting("activation", "ReLU, initial scale 2", replace(relu, initial_scale=2)),
        *(Setting("noise", f"noise {s:g}", replace(reference, s=s)) for s in noise),
    ]


def _learning_rate_and_scale(reference: Training) -> Iterator[Setting]:
    """All scales with some learning rates, then learning rates between."""
    rates = [_times(factor, reference.lr) for factor in LR_FACTORS]
    between = [_times(factor, reference.lr) for factor in LR_BETWEEN]
    for lr, scale in [*product(rates, SCALES), *product(between, [1])]:
        changes = {"learning rate": lr, "initial scale": scale}
        usual = {"learning rate": reference.lr, "initial scale": 1}
        label = ", ".join(f"{word} {value:g}" for word, value in changes.items() if value != usual[word])
        if label:
            yield Setting(GRID, label, replace(reference, lr=lr, initial_scale=scale))


def _steps(reference: Training) -> Iterator[Setting]:
    """Shorter and longer training; the longest with a small learning rate too."""
    epochs = [round(factor * reference.epochs) for factor in EPOCH_FACTORS]
    for n in epochs:
        yield Setting("epochs", f"epochs {n}", replace(reference, epochs=n))
    slow = replace(reference, epochs=epochs[-1], lr=_times(LR_FACTORS[0], reference.lr))
    yield Setting("epochs", f"epochs {slow.epochs}, learning rate {slow.lr:g}", slow)


def _sizes(reference: Training, factor: str, field: str, multiples: Sequence[float]) -> Iterator[Setting]:
    """Another size of batch or training set changes the number of steps, or else the number of epochs."""
    for multiple in multiples:
        size = round(multiple * getattr(reference, field))
        by_epochs = replace(reference, **{field: size})
        by_steps = replace(by_epochs, steps=reference.total_steps)
        yield Setting(factor, f"{factor} {size}, equal steps", by_steps)
        if field == "batch_size" or multiple < 1:  # more points for as many epochs are but more steps
            yield Setting(factor, f"{factor} {size}, equal epochs", by_epochs)


def _times(factor: float, value: Any) -> float:
    """A product without the rounding error: 3 times 0.1 is 0.3."""
    return float(f"{factor * value:.6g}")


# ---- training


@dataclass(frozen=True)
class Outcome:
    """How the networks of one shape ended in one setting: arrays (repeats,)."""

    s: float
    loss: np.ndarray
    excess: np.ndarray  # of the loss over that of the Bayes classifier, on the same points
    accuracy: np.ndarray
    centres: np.ndarray  # whether the four cluster centres are classified correctly

    @property
    def solved(self) -> np.ndarray:
        """Which networks have solved the task."""
        return self.accuracy > bayes_accuracy(self.s) - SHORTFALL

    @property
    def near_bayes(self) -> np.ndarray:
        """Which networks come near the Bayes loss."""
        return self.excess < NEAR_BAYES


Outcomes = dict[str, dict[Shape, Outcome]]  # by setting and shape


def study(settings: Sequence[Setting], shapes: Sequence[Shape], params: Params, lab: Lab) -> Outcomes:
    """Train networks of these shapes in all settings, side by side where the ensemble can."""
    groups: dict[Training, list[Setting]] = defaultdict(list)
    for setting in settings:
        groups[setting.shared].append(setting)
    found: Outcomes = {}
    for group in groups.values():
        found |= _side_by_side(group, shapes, params, lab)
    return {setting.name: found[setting.name] for setting in settings}


def _side_by_side(group: Sequence[Setting], shapes: Sequence[Shape], params: Params, lab: Lab) -> Outcomes:
    """Train settings of one `shared`; where they differ in steps alone, one goes on from the other."""
    lanes = list(dict.fromkeys(setting.columns for setting in group))
    ensemble = _start(group[0].shared, lanes, shapes, params, lab.seed("networks"))
    test = NoisyXor(params.test_points, ensemble.training.s, seed=lab.seed("test"))
    found: Outcomes = {}
    for steps in sorted({setting.training.total_steps for setting in group}):
        going = {setting.columns for setting in group if setting.training.total_steps >= steps}
        ensemble = _lanes(ensemble, [lanes.index(lane) for lane in lanes if lane in going], params.repeats)
        lanes = [lane for lane in lanes if lane in going]
        ensemble = advance(ensemble, steps, map=lab.map)
        done = [setting for setting in group if setting.training.total_steps == steps]
        there = _lanes(ensemble, [lanes.index(setting.columns) for setting in done], params.repeats)
        found |= _outcomes(there, [setting.name for setting in done], test, lab)
    return found


def _start(
    shared: Training, lanes: Sequence[tuple[Any, ...]], shapes: Sequence[Shape], params: Params, seed: int
) -> Ensemble:
    """Untrained networks: for each lane (learning rate, weight decay, initial scale) all repeats."""
    lr, decay, scale = (np.repeat(column, params.repeats).tolist() for column in zip(*lanes, strict=True))
    training = replace(shared, lr=lr, weight_decay=decay, initial_scale=scale)
    return start(shapes, [*range(params.repeats)] * len(lanes), training, seed=seed)


def _lanes(ensemble: Ensemble, places: Sequence[int], repeats: int) -> Ensemble:
    columns = np.arange(len(ensemble)).reshape(-1, repeats)
    return ensemble.select(columns[list(places)].ravel())


def _outcomes(ensemble: Ensemble, names: Sequence[str], test: NoisyXor, lab: Lab) -> Outcomes:
    """How the networks ended; the ensemble holds the settings of these names side by side."""
    scores = evaluate(ensemble, test.inputs, test.targets, map=lab.map)
    centres = evaluate(ensemble, CENTRES, CLASSES)
    floor = loss_of_bayes(test)

    def outcome(test_score: Score, centre_score: Score, place: int) -> Outcome:
        loss, accuracy, right = (
            values.reshape(len(names), -1)[place]
            for values in (test_score.loss, test_score.accuracy, centre_score.accuracy)
        )
        return Outcome(test.s, loss, loss - floor, accuracy, right == 1)

    return {
        name: {shape: outcome(scores[shape], centres[shape], place) for shape in scores}
        for place, name in enumerate(names)
    }


def loss_of_bayes(test: NoisyXor) -> float:
    """The loss of the Bayes classifier on these very points; its expectation is `bayes_loss`."""
    p, y = bayes_probability(test.inputs, test.s), test.targets.numpy()
    return float(-(xlogy(y, p) + xlog1py(1 - y, -p)).mean())


# ---- the result


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """How each shape ended in each setting, the planned contrasts, and where their conclusions hold."""
    settings = settings_around(params)
    outcomes = study(settings, SHAPES, params, lab)
    noise = [setting for setting in settings if setting.factor in (REFERENCE, "noise")]
    for name, others in study(noise, OTHERS, params, lab).items():
        outcomes[name] |= others
    summaries = {
        name: {shape: _summary(outcome) for shape, outcome in shapes.items()}
        for name, shapes in outcomes.items()
    }
    contrasts = {kind: planned(outcomes, compare) for kind, compare in COMPARISONS.items()}
    verdicts = _verdicts(settings, contrasts)
    return {
        "at": {
            name: {_name(shape): summary for shape, summary in shapes.items()}
            for name, shapes in summaries.items()
        },
        "contrast": {kind: _nested(kind, found, settings) for kind, found in contrasts.items()},
        "verdict": {
            kind: {row["contrast"]: row for row in verdicts if row["outcome"] == kind} for kind in COMPARISONS
        },
        "counts": _counts(settings, outcomes, contrasts),
        "noise": {setting.name: _limits(setting.training.s, params, lab) for setting in noise},
        **_at_best_scales(settings, outcomes, params.repeats),
        "settings": pd.DataFrame(_setting_rows(settings, summaries)),
        "contrasts": pd.DataFrame(_contrast_rows(settings, contrasts)),
        "verdicts": pd.DataFrame(verdicts),
        "verdicts_by_factor": pd.DataFrame(_verdicts_by_factor(settings, contrasts)),
        "signal": pd.DataFrame(_signal(params, lab)),
        "noisiest": pd.DataFrame(_repeats(outcomes[noise[-1].name])),
    }


def _name(shape: Shape) -> str:
    return f"d{shape.depth}w{shape.width}" if shape.depth else "d0"


def _summary(outcome: Outcome) -> dict[str, Any]:
    """What a sentence may want to know of one shape in one setting; losses in nats."""
    loss, excess = outcome.loss[outcome.solved], outcome.excess[outcome.solved]
    return {
        "success": asdict(wilson(int(outcome.solved.sum()), len(outcome.solved))),
        "near_bayes": asdict(wilson(int(outcome.near_bayes.sum()), len(outcome.near_bayes))),
        "loss": asdict(summarise(outcome.loss)),
        "solved_loss": asdict(summarise(loss)),
        "solved_excess": asdict(summarise(excess)),
        "solved_accuracy": asdict(summarise(outcome.accuracy[outcome.solved])),
        "least_excess": float(outcome.excess.min()),
        "constant": float((outcome.loss > np.log(2) - NEAR_CONSTANT).mean()),
    }


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
    test = NoisyXor(params.test_points, s, seed=lab.seed("test"))
    return {
        "s": s,
        "bayes_loss": bayes_loss(s),
        "bayes_loss_on_test": loss_of_bayes(test),
        "bayes_accuracy": bayes_accuracy(s),
        "solved_above": bayes_accuracy(s) - SHORTFALL,
    }


def _setting_rows(
    settings: Sequence[Setting], summaries: Mapping[str, Mapping[Shape, Mapping[str, Any]]]
) -> Iterator[dict[str, Any]]:
    for setting in settings:
        for shape, summary in summaries[setting.name].items():
            success, near, solved = (summary[key] for key in ("success", "near_bayes", "solved_loss"))
            yield {
                **_described(setting),
                "depth": shape.depth,
                "width": shape.width,
                "n": success["n"],
                "success": success["estimate"],
                "success_low": success["low"],
                "success_high": success["high"],
                "near_bayes": near["estimate"],
                "near_bayes_low": near["low"],
                "near_bayes_high": near["high"],
                "loss_mean": summary["loss"]["mean"],
                "loss_std": summary["loss"]["std"],
                "loss_median": summary["loss"]["median"],
                "solved_loss_mean": solved["mean"],
                "solved_loss_median": solved["median"],
                "solved_loss_q95": solved["q95"],
            }


def _described(setting: Setting) -> dict[str, Any]:
    training = setting.training
    return {
        "setting": setting.name,
        "factor": setting.factor,
        "label": setting.label,
        "lr": training.lr,
        "initial_scale": float(training.initial_scale),
        "steps": training.total_steps,
        "epochs": training.total_steps / training.steps_per_epoch,
        "s": training.s,
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


# ---- contrasts

Contrasts = dict[tuple[str, str], "Contrast"]  # by setting and contrast


def _log_ratio(first: Outcome, second: Outcome) -> Contrast | None:
    """The mean of the log of the ratio of the losses, where both have solved the task."""
    both = first.solved & second.solved
    if both.sum() < FEWEST_PAIRS:
        return None
    return paired_means(np.log(first.loss[both]), np.log(second.loss[both]))


COMPARISONS: dict[str, Callable[[Outcome, Outcome], Contrast | None]] = {
    "success": lambda first, second: paired_successes(first.solved, second.solved),
    "near_bayes": lambda first, second: paired_successes(first.near_bayes, second.near_bayes),
    "loss_ratio": _log_ratio,
}


def planned(outcomes: Outcomes, compare: Callable[[Outcome, Outcome], Contrast | None]) -> Contrasts:
    """The planned contrasts in all settings, corrected as one family; without those of too few pairs."""
    family = {
        (setting, name): compare(shapes[first], shapes[second])
        for setting, shapes in outcomes.items()
        for name, (first, second) in CONTRASTS.items()
    }
    return holm_corrected({key: found for key, found in family.items() if found is not None})


def _numbers(kind: str, contrast: Contrast) -> dict[str, Any]:
    """The fields of a contrast; of the log of a ratio, the ratio itself."""
    fields = asdict(contrast)
    if kind == "loss_ratio":
        fields |= {key: float(np.exp(fields[key])) for key in ("estimate", "low", "high")}
    return fields


def _nested(kind: str, contrasts: Contrasts, settings: Sequence[Setting]) -> dict[str, dict[str, Any]]:
    """The contrasts by setting and name; one that had too few pairs has missing numbers."""
    missing: dict[str, Any] = dict.fromkeys(("n", "estimate", "low", "high", "p", "p_holm"))
    found = {key: _numbers(kind, contrast) for key, contrast in contrasts.items()}
    return {s.name: {name: found.get((s.name, name), missing) for name in CONTRASTS} for s in settings}


def _contrast_rows(
    settings: Sequence[Setting], contrasts: Mapping[str, Contrasts]
) -> Iterator[dict[str, Any]]:
    about = {s.name: {"setting": s.name, "factor": s.factor, "label": s.label} for s in settings}
    for kind, found in contrasts.items():
        for (setting, name), contrast in found.items():
            yield {"outcome": kind, **about[setting], "contrast": name, **_numbers(kind, contrast)}


def _standing(contrasts: Sequence[Contrast], reference: Contrast) -> dict[str, int]:
    """How many contrasts have the sign of the reference, how many the opposite, and significantly so."""
    agreement = np.array([contrast.estimate * reference.estimate for contrast in contrasts])
    clear = np.array([c.p_holm is not None and c.p_holm < ALPHA for c in contrasts], dtype=bool)
    return {
        "settings": len(contrasts),
        "same": int((agreement > 0).sum()),
        "same_significant": int(((agreement > 0) & clear).sum()),
        "opposite": int((agreement < 0).sum()),
        "opposite_significant": int(((agreement < 0) & clear).sum()),
    }


def _verdicts(settings: Sequence[Setting], contrasts: Mapping[str, Contrasts]) -> list[dict[str, Any]]:
    """For each contrast, in how many of the other settings it comes out as in the reference setting."""
    return [
        {"outcome": kind, "contrast": name, **_verdict(kind, name, settings, found)}
        for kind, found in contrasts.items()
        for name in CONTRASTS
        if (REFERENCE, name) in found and any((s.name, name) in found for s in settings[1:])
    ]


def _verdict(kind: str, name: str, settings: Sequence[Setting], found: Contrasts) -> dict[str, Any]:
    reference = found[REFERENCE, name]
    others = {s.label: found[s.name, name] for s in settings[1:] if (s.name, name) in found}
    opposite = [label for label, one in others.items() if _standing([one], reference)["opposite_significant"]]
    ordered = sorted(others, key=lambda label: others[label].estimate)
    return {
        **{f"reference_{key}": value for key, value in _numbers(kind, reference).items()},
        **_standing(list(others.values()), reference),
        "opposite_in": "; ".join(opposite),
        "lowest": _numbers(kind, others[ordered[0]])["estimate"],
        "lowest_in": ordered[0],
        "highest": _numbers(kind, others[ordered[-1]])["estimate"],
        "highest_in": ordered[-1],
    }


def _verdicts_by_factor(
    settings: Sequence[Setting], contrasts: Mapping[str, Contrasts]
) -> Iterator[dict[str, Any]]:
    """The same by factor: a row for each outcome and factor, some columns for each contrast."""
    for kind, found in contrasts.items():
        for factor in dict.fromkeys(setting.factor for setting in settings[1:]):
            names = [setting.name for setting in settings if setting.factor == factor]
            row: dict[str, Any] = {"outcome": kind, "factor": factor, "settings": len(names)}
            for contrast in CONTRASTS:
                here = [found[name, contrast] for name in names if (name, contrast) in found]
                if (REFERENCE, contrast) in found:
                    standing = _standing(here, found[REFERENCE, contrast])
                    row |= {f"{contrast}_{word}": count for word, count in standing.items()}
            yield row


# ---- depth at the scale that suits each shape


def _at_best_scales(settings: Sequence[Setting], outcomes: Outcomes, repeats: int) -> dict[str, Any]:
    """Success of each shape at its own best scale of the initial parameters, and the contrasts.

    The repeats of one half use the scale with the most successes in the other half, so that the choice does
    not flatter.
    """
    reference = settings[0].training
    scales = [s for s in settings if s.factor in (REFERENCE, GRID) and s.training.lr == reference.lr]
    solved = {
        shape: np.stack([outcomes[setting.name][shape].solved for setting in scales]) for shape in SHAPES
    }
    half = np.arange(repeats) % 2
    chosen = {
        shape: [int(every[:, half != side].sum(axis=1).argmax()) for side in (0, 1)]
        for shape, every in solved.items()
    }
    best = {shape: np.where(half == 0, *solved[shape][chosen[shape]]) for shape in SHAPES}
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
        "best_scale": {_name(shape): row for shape, row in zip(SHAPES, rows, strict=True)},
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

LOOKS = {  # by depth: the colours of `depth_width`, and markers that tell the depth in grey
    1: {"color": "#0072B2", "marker": "o", "markerfacecolor": "white"},
    2: {"color": "#D55E00", "marker": "s"},
    3: {"color": "#000000", "marker": "^"},
}
LAYERS = {1: "1 hidden layer", 2: "2 hidden layers", 3: "3 hidden layers"}


def draw(result: Result, lab: Lab) -> None:
    """Three figures: success over learning rate and scale, success by one factor, excess loss in noise."""
    settings, noisiest, lr = result.table("settings"), result.table("noisiest"), result.params["lr"]
    grid = settings[settings["factor"].isin([REFERENCE, GRID])]
    lab.figure("scales", _scales(grid, lr), alt=_finding_of_scales(grid, lr), data=grid)
    lab.figure("factors", _factors(settings, lr), alt=_finding_of_factors(settings), data=settings)
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


def _finding_of_factors(settings: pd.DataFrame) -> str:
    able = settings[settings["width"] > 1]
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
            rate = _times(factor, lr)
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
        ax.errorbar(chosen["initial_scale"] * sideways, 100 * chosen["success"], _interval(chosen), **style)


def _interval(rows: pd.DataFrame) -> np.ndarray:
    """The distances, in percent, from the success rate to the ends of its interval."""
    return 100 * np.stack([rows["success"] - rows["success_low"], rows["success_high"] - rows["success"]])


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
            ax.errorbar(100 * rows["success"], places, xerr=_interval(rows), **style)
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
    strips(ax, {_shown(*shape): rows["excess"] for shape, rows in shapes}, size=3, opacity=0.5)
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


def _shown(depth: int, width: int) -> str:
    return rf"${depth}\times{width}$" if depth else "linear"

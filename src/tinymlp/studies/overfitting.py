"""Over-fitting and under-fitting: verdicts on fits by what they lose in training and in test, and why.

Losses come as frames with a row for each repeat and columns for "train", "validation" and "test". The repeats
share their data, so that comparisons are paired.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike

from tinymlp.inference import Contrast, holm_corrected, paired_means, summarise

ALPHA = 0.05
OVER, UNDER, NEITHER = "over", "under", "neither"


def verdict(test: Contrast, train: Contrast, floor: Contrast, rise: Contrast | None = None) -> str:
    """Return whether a setting over-fits or under-fits.

    `test` and `train` are its losses against those of a good fit, `floor` its training loss against the noise
    floor, `rise` its test loss against that of the same training at the least validation loss; None if that
    is not known. Either verdict needs a test loss that is significantly larger than that of the good fit, by
    the corrected p value. Then it under-fits if the training loss is above both. It over-fits if the training
    loss is below both and the rise is significant, too: fewer training points alone make a test loss larger,
    and only the rise is what learning the noise has done. Raises ValueError if a contrast is not corrected.
    """
    if not _larger(test):
        return NEITHER
    if train.low > 0 and floor.low > 0:
        return UNDER
    learnt_noise = train.high < 0 and floor.high < 0 and rise is not None and _larger(rise)
    return OVER if learnt_noise else NEITHER


def _larger(contrast: Contrast) -> bool:
    if contrast.p_holm is None:
        raise ValueError("a verdict needs the corrected p value of its family: call holm_corrected before")
    return contrast.estimate > 0 and contrast.p_holm < ALPHA


def compared(
    losses: Mapping[str, pd.DataFrame],
    pairs: Mapping[str, tuple[str, str]],
    noise_floor: float,
    stops: Mapping[str, Mapping[str, Any]],
    *,
    good: str = "good",
    mean: str = "mean",
) -> dict[str, Any]:
    """Return each row against the good fit, its training loss against the noise floor, and the verdicts.

    `losses` are by row; `good` and `mean` name the good fit and the mean of y
    itself, which have no verdict. Of the `pairs` of rows, by name, the second
    is subtracted from the first. `stops` are what `stopping` returns of some
    rows; they are returned with their rises corrected as one family.
    """
    best = losses[good]
    others = {row: frame for row, frame in losses.items() if row not in (good, mean)}
    test = holm_corrected({row: _paired(frame["test"], best["test"]) for row, frame in others.items()})
    train = {row: _paired(frame["train"], best["train"]) for row, frame in others.items()}
    floor = {row: paired_means(frame["train"], [noise_floor] * len(frame)) for row, frame in losses.items()}
    rises = holm_corrected({row: Contrast(**stop["rise"]) for row, stop in stops.items()})
    verdicts = {row: verdict(test[row], train[row], floor[row], rises.get(row)) for row in others}
    contrasts = {
        name: _paired(losses[more]["test"], losses[less]["test"]) for name, (more, less) in pairs.items()
    }
    return {
        "test_against_good": _plain(test),
        "train_against_good": _plain(train),
        "train_against_floor": _plain(floor),
        "worse_than_good": {row: _worse(frame["test"], best["test"]) for row, frame in others.items()},
        "pairs": _plain(contrasts),
        "stopping": {row: {**stop, "rise": asdict(rises[row])} for row, stop in stops.items()},
        "verdicts": verdicts,
        "comparisons": len(test),
        "largest_p_holm": {kind: largest_p(test, verdicts, kind) for kind in (UNDER, OVER)},
    }


def largest_p(test: Mapping[str, Contrast], verdicts: Mapping[str, str], kind: str) -> float | None:
    """Return the largest corrected p value of the rows with a verdict; None if there are none."""
    values = [test[row].p_holm for row, found in verdicts.items() if found == kind]
    return max((p for p in values if p is not None), default=None)


def validation_and_test(losses: Mapping[str, pd.DataFrame], fits: Collection[str]) -> dict[str, Any]:
    """Return test minus validation loss of every row, and of the `fits` how many intervals cover zero.

    Without any choice the two estimate the same: they differ by chance.
    """
    contrasts = {row: paired_means(frame["test"], frame["validation"]) for row, frame in losses.items()}
    chosen = [contrasts[row] for row in fits]
    return {
        **_plain(contrasts),
        "covering_zero": sum(contrast.low <= 0 <= contrast.high for contrast in chosen),
        "settings": len(chosen),
        "least": min(contrast.estimate for contrast in chosen),
        "greatest": max(contrast.estimate for contrast in chosen),
    }


def stopping(curves: pd.DataFrame, end: int) -> dict[str, Any]:
    """Return the test loss after `end` epochs against that where the validation loss until then is least.

    The same training on the same points is looked at twice, so that the rise is what training on has done.
    `curves` has the columns `repeat` and `epoch` beside the losses. Trainings that did not reach the epoch
    `end` diverged and are left out.
    """
    ends, stops = [], []
    for _, curve in curves[curves["epoch"] <= end].groupby("repeat"):
        if curve["epoch"].iloc[-1] == end:
            ends.append(curve["test"].iloc[-1])
            stops.append(curve.iloc[int(curve["validation"].to_numpy().argmin())])
    stopped = pd.DataFrame(stops)  # whole rows: the losses of all sets at the same moment
    return {
        "rise": asdict(paired_means(ends, stopped["test"])),
        "epoch": asdict(summarise(stopped["epoch"])),
        "stopped": mean_std(stopped["test"]),
        "test_minus_validation": asdict(paired_means(stopped["test"], stopped["validation"])),
    }


def mean_std(values: ArrayLike) -> dict[str, float | None]:
    """Return mean and standard deviation of a sample; None for what it is too small for."""
    summary = summarise(values)
    return {"mean": summary.mean, "std": summary.std}


def _paired(first: "pd.Series[float]", second: "pd.Series[float]") -> Contrast:
    """Return the contrast over the repeats that both have: one may have diverged in some."""
    both = pd.concat([first, second], axis=1, join="inner")
    return paired_means(both.iloc[:, 0], both.iloc[:, 1])


def _worse(first: "pd.Series[float]", second: "pd.Series[float]") -> int:
    """Return in how many of the repeats that both have the first loses more."""
    both = pd.concat([first, second], axis=1, join="inner")
    return int((both.iloc[:, 0] > both.iloc[:, 1]).sum())


def _plain(contrasts: Mapping[str, Contrast]) -> dict[str, dict[str, Any]]:
    return {name: asdict(contrast) for name, contrast in contrasts.items()}

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


def under_fits(test: Contrast, train: Contrast, floor: Contrast) -> bool:
    """Return whether a setting under-fits: its training points hold what it has not learnt.

    `test` and `train` are its losses against those of a good fit to as many training points, `floor` its
    training loss against the noise floor. The test loss must be significantly larger, by the corrected p
    value, and the training loss above both. Raises ValueError if `test` is not corrected.
    """
    return _larger(test) and train.low > 0 and floor.low > 0


def over_fits(rise: Contrast, fall: Contrast) -> bool:
    """Return whether a training over-fits: learning more of the same points has made the test loss larger.

    `rise` is its test loss, `fall` its training loss, at the end against the moment of the least validation
    loss. Few training points alone make a test loss large, so a training is compared with itself, never with
    one on more points. Raises ValueError if `rise` is not corrected.
    """
    return _larger(rise) and fall.high < 0


def _larger(contrast: Contrast) -> bool:
    if contrast.p_holm is None:
        raise ValueError("a verdict needs the corrected p value of its family: call holm_corrected before")
    return contrast.estimate > 0 and contrast.p_holm < ALPHA


def compared(
    losses: Mapping[str, pd.DataFrame],
    pairs: Mapping[str, tuple[str, str]],
    noise_floor: float,
    stops: Mapping[str, Mapping[str, Any]],
    alike: Collection[str],
    *,
    good: str = "good",
) -> dict[str, Any]:
    """Return the contrasts of rows of losses, and which of them under-fit and over-fit.

    The rows `alike`, which learnt from as many points as the good one, are compared with it. Of the `pairs`
    of rows, by name, the second is subtracted from the first. `stops` are what `stopping` returns of some
    rows; they are returned with their rises corrected as one family.
    """
    best = losses[good]
    test = holm_corrected({row: _paired(losses[row]["test"], best["test"]) for row in alike})
    train = {row: _paired(losses[row]["train"], best["train"]) for row in alike}
    floor = {row: paired_means(frame["train"], [noise_floor] * len(frame)) for row, frame in losses.items()}
    rises = holm_corrected({row: Contrast(**stop["rise"]) for row, stop in stops.items()})
    verdicts = {row: UNDER if under_fits(test[row], train[row], floor[row]) else NEITHER for row in alike}
    for row, stop in stops.items():
        verdicts[row] = OVER if over_fits(rises[row], Contrast(**stop["fall"])) else NEITHER
    contrasts = {
        name: _paired(losses[more]["test"], losses[less]["test"]) for name, (more, less) in pairs.items()
    }
    return {
        "test_against_good": _plain(test),
        "train_against_floor": _plain(floor),
        "pairs": _plain(contrasts),
        "stopping": {row: {**stop, "rise": asdict(rises[row])} for row, stop in stops.items()},
        "verdicts": verdicts,
        "comparisons": len(test),
        "largest_p_holm": largest_p(test, verdicts, UNDER),
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


def stopped(curves: pd.DataFrame, end: int) -> pd.DataFrame:
    """Return the losses of each training where its validation loss is least until the epoch `end`, by repeat.

    `curves` has the columns `repeat` and `epoch` beside the losses. Trainings that did not reach the epoch
    `end` diverged and are left out.
    """
    until = curves[curves["epoch"] <= end].reset_index(drop=True)
    reached = until.groupby("repeat")["epoch"].transform("max") == end
    least = until[reached].groupby("repeat")["validation"].idxmin()  # whole rows: all sets at one moment
    return until.loc[least].set_index("repeat")


def stopping(curves: pd.DataFrame, end: int) -> dict[str, Any]:
    """Return the losses after `end` epochs against those where the validation loss until then is least.

    The same training on the same points is looked at twice, so that the rise of the test loss is what
    training on has done; `fall` is the change of the training loss, `risen` counts the repeats with a rise.
    """
    stops = stopped(curves, end)
    ends = curves[curves["epoch"] == end].set_index("repeat").loc[stops.index]
    return {
        "rise": asdict(paired_means(ends["test"], stops["test"])),
        "fall": asdict(paired_means(ends["train"], stops["train"])),
        "risen": int((ends["test"] > stops["test"]).sum()),
        "epoch": asdict(summarise(stops["epoch"])),
        "test_minus_validation": asdict(paired_means(stops["test"], stops["validation"])),
    }


def mean_std(values: ArrayLike) -> dict[str, float | None]:
    """Return mean and standard deviation of a sample; None for what it is too small for."""
    summary = summarise(values)
    return {"mean": summary.mean, "std": summary.std}


def _paired(first: "pd.Series[float]", second: "pd.Series[float]") -> Contrast:
    """Return the contrast over the repeats that both have: one may have diverged in some."""
    both = pd.concat([first, second], axis=1, join="inner")
    return paired_means(both.iloc[:, 0], both.iloc[:, 1])


def _plain(contrasts: Mapping[str, Contrast]) -> dict[str, dict[str, Any]]:
    return {name: asdict(contrast) for name, contrast in contrasts.items()}

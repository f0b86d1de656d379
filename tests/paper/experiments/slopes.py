"""Does depth rise with length, in all birds together and within each species?"""

from dataclasses import dataclass

import numpy as np
from experiments.bills import COLOURS
from lines import interval, resampled, slope
from matplotlib import pyplot
from scipy import stats

NEEDS = ("bills",)


@dataclass(frozen=True)
class Params:
    repeats: int = 2000  # samples drawn with replacement
    seed: int = 1


QUICK = Params(repeats=100)


def run(params, lab):
    birds = lab.result("bills").table("birds")
    groups = {"all": birds, **dict(iter(birds.groupby("species")))}

    def fit(name):
        x, y = (groups[name][column].to_numpy() for column in ("length", "depth"))
        low, high = interval(resampled(x, y, params.repeats, lab.seed(name)))
        fitted = stats.linregress(x, y)
        return {
            "n": len(x),
            "slope": {"estimate": float(slope(x, y)), "low": low, "high": high},
            "error": float(fitted.stderr),
            "p": float(fitted.pvalue),
        }

    fits = dict(zip(groups, lab.map(fit, list(groups)), strict=True))
    means = birds.groupby("species")[["length", "depth"]].transform("mean")
    inner = birds[["length", "depth"]] - means
    spread = birds["length"] - birds["length"].mean()
    species = [name for name in fits if name != "all"]
    slopes = [fits[name]["slope"]["estimate"] for name in species]
    return {
        **{name.lower(): values for name, values in fits.items()},
        "within": float(slope(inner["length"].to_numpy(), inner["depth"].to_numpy())),
        "between": float(slope(means["length"].to_numpy(), means["depth"].to_numpy())),
        "share_within": float(np.sum(inner["length"] ** 2) / np.sum(spread**2)),
        "lowest": min(slopes),
        "highest": max(slopes),
        "species": [{"species": name, **fits[name]} for name in species],
    }


def draw(result, lab):
    birds = lab.result("bills").table("birds")
    figure, axes = pyplot.subplots(figsize=(6.2, 2.6), layout="constrained")
    for (species, group), marker in zip(birds.groupby("species"), "o^s", strict=True):
        colour = COLOURS[species]
        axes.plot(
            group["length"], group["depth"], marker, markersize=3, color=colour, alpha=0.5, label=species
        )
        line(axes, group, color=colour, linewidth=1.5)
    line(axes, birds, color="black", linestyle="--", label="all birds")
    axes.set(xlabel="bill length (mm)", ylabel="bill depth (mm)")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    alt = "The line through all birds falls, while the line through each of the three species rises."
    lab.figure("lines", figure, alt=alt, data=birds)


def line(axes, birds, **style):
    """Draw the least-squares line over the range of lengths."""
    ends = np.array([birds["length"].min(), birds["length"].max()])
    rise = slope(birds["length"].to_numpy(), birds["depth"].to_numpy())
    axes.plot(ends, birds["depth"].mean() + rise * (ends - birds["length"].mean()), **style)

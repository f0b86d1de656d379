"""Does the slope within a species hold in each of the years?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from experiments.bills import COLOURS
from lines import interval, resampled, slope
from matplotlib import pyplot

READS = ("data/penguins.csv",)


@dataclass(frozen=True)
class Params:
    repeats: int = 2000  # samples drawn with replacement
    seed: int = 1


QUICK = Params(repeats=100)


def run(params, lab):
    birds = pd.read_csv(lab.file("data/penguins.csv")).dropna(subset=["bill_length_mm", "bill_depth_mm"])
    groups = dict(iter(birds.groupby(["species", "year"])))

    def fit(key):
        species, year = key
        x, y = (groups[key][f"bill_{name}_mm"].to_numpy() for name in ("length", "depth"))
        low, high = interval(resampled(x, y, params.repeats, lab.seed(species, int(year))))
        estimate = {"estimate": float(slope(x, y)), "low": low, "high": high}
        return {"species": species, "year": str(year), "n": len(x), "slope": estimate}

    rows = lab.map(fit, list(groups), label="species and years")
    return {
        "rows": rows,
        "groups": len(rows),
        "fewest": min(row["n"] for row in rows),
        "lowest": min(row["slope"]["estimate"] for row in rows),
        "with_zero": sum(row["slope"]["low"] <= 0 for row in rows),
    }


def draw(result, lab):
    rows = result.values["rows"]
    figure, axes = pyplot.subplots(figsize=(2.9, 2.3), layout="constrained")
    for at, (species, marker) in enumerate(zip(COLOURS, "o^s", strict=True)):
        own = [row for row in rows if row["species"] == species]
        places = np.arange(len(own)) + 0.18 * (at - 1)
        middle = np.array([row["slope"]["estimate"] for row in own])
        ends = np.array([[row["slope"]["low"], row["slope"]["high"]] for row in own]).T
        around = np.abs(ends - middle)
        axes.errorbar(
            places, middle, around, fmt=marker, markersize=4, color=COLOURS[species], label=species, capsize=2
        )
    axes.axhline(0, color="0.4", linewidth=0.8)
    axes.set_xticks(range(3), sorted({row["year"] for row in rows}))
    axes.set(xlabel="year", ylabel="slope (mm per mm)")
    axes.legend(frameon=False, fontsize=7, loc="upper left")
    axes.margins(y=0.25)
    alt = "Slopes of three species in three years with intervals; all points lie above zero."
    lab.figure("years", figure, alt=alt)

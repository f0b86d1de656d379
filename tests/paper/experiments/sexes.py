"""How much of the slope within species is left within the sexes?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from lines import common, interval
from matplotlib import pyplot

READS = ("data/penguins.csv",)


@dataclass(frozen=True)
class Params:
    repeats: int = 1000  # samples drawn with replacement, within each species and sex
    seed: int = 1


QUICK = Params(repeats=50)


def run(params, lab):
    birds = pd.read_csv(lab.file("data/penguins.csv"))
    birds = birds.dropna(subset=["bill_length_mm", "bill_depth_mm", "sex"])
    x, y = birds["bill_length_mm"].to_numpy(), birds["bill_depth_mm"].to_numpy()
    sexes = (birds["species"] + " " + birds["sex"]).to_numpy()
    parts = {"species": birds["species"].to_numpy(), "species and sex": sexes}
    members = [np.flatnonzero(sexes == name) for name in np.unique(sexes)]

    def again(repeat):
        random = np.random.default_rng(lab.seed(repeat))
        some = np.concatenate([random.choice(member, len(member)) for member in members])
        return [common(x[some], y[some], labels[some]) for labels in parts.values()]

    drawn = np.array(lab.map(again, range(params.repeats), label="samples"))
    rows = []
    for (name, labels), slopes in zip(parts.items(), drawn.T, strict=True):
        low, high = interval(slopes)
        rows.append({"within": name, "slope": {"estimate": common(x, y, labels), "low": low, "high": high}})
    low, high = interval(drawn[:, 0] - drawn[:, 1])
    by_species, by_sex = (row["slope"]["estimate"] for row in rows)
    means = birds.groupby("species")[["bill_length_mm", "bill_depth_mm"]].transform("mean")
    return {
        "n": len(birds),
        "rows": rows,
        "change": by_sex / by_species - 1,
        "drop": {"estimate": by_species - by_sex, "low": low, "high": high},
        "birds": pd.DataFrame(
            {
                "sex": birds["sex"].to_numpy(),
                "length": x - means["bill_length_mm"].to_numpy(),
                "depth": y - means["bill_depth_mm"].to_numpy(),
            }
        ),
    }


def draw(result, lab):
    birds = result.table("birds")
    figure, axes = pyplot.subplots(figsize=(2.9, 2.3), layout="constrained")
    for (sex, group), marker, colour in zip(birds.groupby("sex"), "o^", ("#CC79A7", "#0072B2"), strict=True):
        axes.plot(group["length"], group["depth"], marker, markersize=2.5, color=colour, alpha=0.6, label=sex)
    axes.set(xlabel="length, less the mean of the species (mm)", ylabel="depth, less the mean (mm)")
    axes.legend(frameon=False)
    alt = "Most males lie above and to the right of most females, along the slope of the cloud."
    lab.figure("sexes", figure, alt=alt, data=birds)

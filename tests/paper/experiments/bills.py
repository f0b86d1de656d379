"""How long and how deep are the bills of each species?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib import pyplot
from scipy import stats

READS = ("data/penguins.csv",)
COLOURS = {"Adelie": "#E69F00", "Chinstrap": "#009E73", "Gentoo": "#0072B2"}
COUNT = (
    'NR > 1 { all++; if ($3 != "NA" && $3 != "" && $4 != "NA" && $4 != "") whole++ } END { print all, whole }'
)


@dataclass(frozen=True)
class Params:
    level: float = 0.95


def run(params, lab):
    # awk counts the lines before pandas decides what is missing
    total, complete = map(int, lab.command(["awk", "-F,", COUNT, "data/penguins.csv"]).text.split())
    birds = pd.read_csv(lab.file("data/penguins.csv")).dropna(subset=["bill_length_mm", "bill_depth_mm"])
    if len(birds) != complete:
        raise ValueError(f"awk counts {complete} complete lines, pandas {len(birds)}")
    birds = birds.rename(columns={"bill_length_mm": "length", "bill_depth_mm": "depth"})
    rows = []
    for species, group in birds.groupby("species"):
        row = {"species": species, "n": len(group)}
        for name in ("length", "depth"):
            row[name] = estimate(group[name], params.level)
        rows.append(row)
    depths = {row["species"]: row["depth"]["estimate"] for row in rows}
    return {
        "total": total,
        "complete": complete,
        "dropped": total - complete,
        "gentoo_to_adelie": depths["Gentoo"] / depths["Adelie"] - 1,
        "species": rows,
        "birds": birds[["species", "length", "depth"]].reset_index(drop=True),
    }


def estimate(values, level):
    """Return a mean with its interval by Student's t."""
    mean, error = np.mean(values), stats.sem(values)
    half = error * stats.t.ppf((1 + level) / 2, len(values) - 1)
    return {"estimate": float(mean), "low": float(mean - half), "high": float(mean + half)}


def draw(result, lab):
    birds = result.table("birds")
    for name in ("length", "depth"):
        figure, axes = pyplot.subplots(figsize=(1.4, 1.7), layout="constrained")
        groups = [group[name].to_numpy() for _, group in birds.groupby("species")]
        places = np.concatenate([i + np.linspace(-0.25, 0.25, len(group)) for i, group in enumerate(groups)])
        axes.scatter(places, np.concatenate(groups), s=1.5, color="0.55", label="bird")
        middle = np.arange(len(groups))
        axes.hlines(
            [group.mean() for group in groups], middle - 0.35, middle + 0.35, color="black", label="mean"
        )
        axes.set_xticks(range(len(COLOURS)), [species[:1] for species in COLOURS])
        axes.set_ylabel(f"bill {name} (mm)")
        corner = {"length": "upper left", "depth": "lower left"}[name]
        axes.legend(frameon=False, loc=corner, fontsize=7, handlelength=1, borderaxespad=0)
        alt = {
            "length": "Bills of Adelie penguins are the shortest; those of the other two are alike.",
            "depth": "Bills of Gentoo penguins are the least deep; those of the other two are alike.",
        }[name]
        lab.figure(name, figure, alt=alt, data=birds[["species", name]])

"""Sweeps and functions to sweep for the tests of the room, and what an agent has left."""

import math
import multiprocessing
import os
from pathlib import Path

import yaml

from tinymlp.sweep import Parameter, Sweep

MIXED = {
    "x": Parameter("uniform", (), -5.0, 10.0),
    "y": Parameter("uniform", (), 0.0, 15.0),
    "rate": Parameter("log_uniform_values", (), 0.001, 0.1),
    "width": Parameter("int_uniform", (), 2, 8, 1),
    "kind": Parameter("categorical", ("tanh", "relu")),
    "fixed": Parameter("constant", (7,)),
}

GRID = {
    "a": Parameter("categorical", ("one", 2, 3.5, True, None)),
    "b": Parameter("int_uniform", (), 1, 3, 1),
    "c": Parameter("q_uniform", (), 0.0, 1.0, 0.5),
    "d": Parameter("constant", (9,)),
}

LISTS = {
    "model/layers": Parameter("categorical", ([64, 64], [128], [], [[8], "x"])),
    "+opt.betas": Parameter("categorical", ([0.9, 0.999], [0.9, 0.99])),
    "often": Parameter("categorical", (0.5, 0.5, 0.25)),
    "mixed": Parameter("categorical", (1, [1], "1", None)),
    "fixed": Parameter("constant", ([7, 8],)),
}


def definition(method="bayes", parameters=MIXED, goal="minimize", run_cap=70):
    return Sweep("train.py", method, "loss", goal, dict(parameters), run_cap)


def given():
    """Return the parameters that the agent has given, as wandb reads them."""
    entries = yaml.safe_load(Path(os.environ["WANDB_SWEEP_PARAM_PATH"]).read_text())
    return {key: entry["value"] for key, entry in entries.items()}


def bowl(sign=1.0):
    """A function of rate and x alone, least at rate 0.02 and x 3."""
    config = given()
    return {"loss": sign * (math.log(config["rate"] / 0.02) ** 2 + (config["x"] - 3) ** 2 / 20)}


def branin():
    """Branin's function: three minima of 0.397887 (Dixon and Szegö, Towards Global Optimisation 2, 1978)."""
    x, y = (given()[key] for key in "xy")
    bend = (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2
    return {"loss": bend + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10}


def layered():
    """A function of the layers alone, least for the first."""
    return {"loss": float(LISTS["model/layers"].values.index(given()["model/layers"]))}


def constant():
    return {"loss": 1.0}


def forked_map(function, items):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(function, items, chunksize=1)


def configs(trials):
    return [trial.config for trial in trials]


def stored(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "trials").glob("*.json"))}

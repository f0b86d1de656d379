"""Exercise 2(i): do initialisers keep the variance of signals over layers, forward and backward?

Many random networks of `Var`s, each with one standard normal input and one standard normal error at the
outputs. Forward we measure the mean square of each layer's pre-activations, backward that of its error
signals dE/da, over its units; both begin near one, and a good initialiser keeps them there. All networks of
one shape see the same random numbers.

The factor from layer to layer is averaged in two ways. The geometric mean, over layers and networks, tells
of a typical network. The arithmetic mean is what the rules for initial weights are about. It is larger: a
product of random factors of mean one shrinks in most networks and grows a lot in a few. We take it only
without activation and with ReLUs, whose factors do not depend on the size of the signal: elsewhere large
signals shrink and small ones grow, and their mean factor would tell of the scatter.

A second set of networks tapers: there no variance of the weights suits both directions.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tinymlp.inference import paired_means, summarise
from tinymlp.scalar import (
    GlorotInitializer,
    HeInitializer,
    NormalInitializer,
    UniversalInitializer,
    Var,
    expected_signals,
    measured_signals,
    random_network,
    typical_share,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from labreport.running import Lab
    from tinymlp.scalar import Signals


@dataclass(frozen=True)
class Params:
    """How many networks of each kind, and their layers: equally wide ones, and those that taper."""

    networks: int = 60
    width: int = 30
    layers: int = 14
    taper_networks: int = 90
    wide_end: int = 64
    narrow_end: int = 8
    taper_layers: int = 8
    seed: int = 0


QUICK = Params(networks=4, layers=6, taper_networks=4, taper_layers=4)

DIRECTIONS = ("forward", "backward")
ACTIVATIONS = {"identity": Var.identity, "tanh": Var.tanh, "ReLU": Var.relu, "sigmoid": Var.sigmoid}


class FanOutInitializer(HeInitializer):
    """Weights of variance alpha / n_out, which keep the variance backward."""

    def std_of(self, n_in: int, n_out: int) -> float:
        """The standard deviation of the weights of a layer."""
        return math.sqrt(self.alpha / n_out)


@dataclass(frozen=True)
class Case:
    """A kind of network: its activation function, and its initialiser for a source of random numbers."""

    activation: str
    initializer: str
    start: Callable[[Random | None], NormalInitializer]
    taper: bool = False

    def networks(self, params: Params) -> int:
        """How many networks of this kind there are."""
        return params.taper_networks if self.taper else params.networks

    def widths(self, params: Params) -> list[int]:
        """The numbers of units of all layers; those of a taper are a geometric sequence, rounded."""
        if not self.taper:
            return [params.width] * params.layers
        widths = np.geomspace(params.wide_end, params.narrow_end, params.taper_layers)
        return [round(width) for width in widths.tolist()]


def _glorot(rng: Random | None) -> NormalInitializer:
    return GlorotInitializer(1.0, rng)


def _he(rng: Random | None) -> NormalInitializer:
    return HeInitializer(2.0, rng)


CASES = {
    "normal_tanh": Case("tanh", "normal", lambda rng: NormalInitializer(std=0.1, rng=rng)),
    "glorot_tanh": Case("tanh", "Glorot", _glorot),
    "he_tanh": Case("tanh", "He", _he),
    "universal_tanh": Case("tanh", "universal", lambda rng: UniversalInitializer(Var.tanh, rng)),
    "universal_sigmoid": Case("sigmoid", "universal", lambda rng: UniversalInitializer(Var.sigmoid, rng)),
    "glorot_relu": Case("ReLU", "Glorot", _glorot),
    "he_relu": Case("ReLU", "He", _he),
    "glorot_identity": Case("identity", "Glorot", _glorot),
    "taper_fan_in": Case("identity", "fan-in", lambda rng: HeInitializer(1.0, rng), taper=True),
    "taper_glorot": Case("identity", "Glorot", _glorot, taper=True),
    "taper_fan_out": Case("identity", "fan-out", lambda rng: FanOutInitializer(1.0, rng), taper=True),
}


# ----------------------------------------------------------------------------------------------- measuring


def run(params: Params, lab: Lab) -> dict[str, Any]:
    """The signals of all kinds of networks, as factors from layer to layer and at the end of the way."""
    # 1. send signals through random networks of each kind, forward and backward
    jobs = [(name, repeat) for name, case in CASES.items() for repeat in range(case.networks(params))]
    found = lab.map(lambda job: _signals(CASES[job[0]], params, lab, job[1]), jobs, "networks")
    samples = {name: [s for s, job in zip(found, jobs, strict=True) if job[0] == name] for name in CASES}
    # 2. what is expected of wide networks, by the same rules for initial weights
    theory = {
        name: expected_signals(case.widths(params), ACTIVATIONS[case.activation], case.start(None))
        for name, case in CASES.items()
    }
    # 3. the factor from layer to layer, measured and expected
    values = {
        name: {d: _direction(CASES[name], d, samples[name], theory[name], params) for d in DIRECTIONS}
        for name in CASES
    }
    return {
        **values,
        "alphas": {name: CASES[f"universal_{name}"].start(None).alpha for name in ("tanh", "sigmoid")},
        "factors": pd.DataFrame([_row(name, values[name]) for name in CASES]),
    }


def _signals(case: Case, params: Params, lab: Lab, repeat: int) -> Signals:
    """The signals of one random network with random input and error."""
    rng = Random(lab.seed("taper" if case.taper else "equal", repeat))
    widths = case.widths(params)
    network = random_network(widths, ACTIVATIONS[case.activation], case.start(rng))
    x, error = ([rng.gauss(0, 1) for _ in range(n)] for n in (widths[0], widths[-1]))
    return measured_signals(network, x, error)


def _along(signals: Signals, direction: str) -> list[float]:
    """The mean squares in the order in which the signals go."""
    return signals.forward if direction == "forward" else signals.backward[::-1]


def _factors(signals: Signals, direction: str) -> list[float]:
    """The factors of the mean square from layer to layer."""
    return [after / before for before, after in pairwise(_along(signals, direction))]


def _direction(
    case: Case, direction: str, sample: Sequence[Signals], theory: Signals, params: Params
) -> dict[str, Any]:
    """The factors per layer, with 95 % intervals, and the mean squares at the end of the way.

    `theory` is the factor of wide networks, `exact` that of a typical network of this width.
    """
    factors = np.array([_factors(signals, direction) for signals in sample])
    expected = np.array(_factors(theory, direction))
    end = asdict(summarise([_along(signals, direction)[-1] for signals in sample]))
    scales = case.activation in ("identity", "ReLU")
    return {
        "theory": _geometric_mean(expected),
        **{key: math.exp(log) for key, log in _mean(np.log(factors).mean(axis=1)).items()},
        "exact": _geometric_mean(expected * _shares(case, direction, params)) if scales else None,
        "arithmetic": {**_mean(factors.mean(axis=1)), "theory": float(expected.mean())} if scales else None,
        "end": {**end, "theory": _along(theory, direction)[-1]},
    }


def _mean(sample: np.ndarray) -> dict[str, float]:
    """The mean with its 95 % interval, by Student's t over the networks."""
    contrast = paired_means(sample, np.zeros_like(sample))
    return {"factor": contrast.estimate, "low": contrast.low, "high": contrast.high}


def _geometric_mean(factors: np.ndarray) -> float:
    return float(np.exp(np.log(factors).mean()))


def _shares(case: Case, direction: str, params: Params) -> np.ndarray:
    """For each factor, the typical one as a share of the mean: exact for the identity and for equal ReLUs."""
    widths = case.widths(params)
    receiving = widths[1:] if direction == "forward" else widths[-2::-1]
    return np.array([typical_share(n, relu=case.activation == "ReLU") for n in receiving])


def _row(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the table: the factors of a kind of network in both directions."""
    case = CASES[name]
    row = {"case": name, "activation": case.activation, "initializer": case.initializer, "taper": case.taper}
    for direction in DIRECTIONS:
        found = values[direction]
        row |= {f"{direction}_{key}": found[key] for key in ("theory", "factor")}
    return row

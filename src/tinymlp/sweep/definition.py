"""A sweep over hyper-parameters: what is varied, in which range, and by which method."""

import json
import math
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Literal

import numpy as np

Value = str | int | float | bool | None | list[Any]  # of a list, each item is a value
Config = dict[str, Value]

STARTUP = 10
"""Random trials for each swept parameter with which `bayes` begins: the rule n = 10 d of Loeppky, Sacks and
Welch, Technometrics 51 (2009), pages 366-376."""


@dataclass(frozen=True)
class Parameter:
    """A hyper-parameter and the values that it can have.

    `distribution` is W&B's name: `constant` and `categorical` have `values`,
    and one that is there twice is twice as probable; the others have a
    smallest and a largest value, both included, and `q`, the step from value to
    value, where there is one. Whole numbers are int.
    """

    distribution: str
    values: tuple[Value, ...] = ()
    min: float = 0.0
    max: float = 0.0
    q: float | None = None

    @property
    def fixed(self) -> bool:
        """Whether there is only one value."""
        return len(self.values) == 1

    @property
    def log(self) -> bool:
        """Whether equal ratios have equal probabilities."""
        return "log" in self.distribution

    @property
    def count(self) -> int | None:
        """The number of values, None for an interval."""
        if self.values:
            return len(self.values)
        return None if self.q is None else round((self.max - self.min) / self.q) + 1

    def level(self, index: int) -> Value:
        """Return the value of this index, if the values can be counted."""
        return self.values[index] if self.values or self.q is None else self.min + index * self.q

    def draw(self, rng: np.random.Generator) -> Value:
        """Return a value drawn from the distribution."""
        if self.log:
            half = 0 if self.q is None else 0.5  # the outermost whole numbers get their share
            bounds = math.log(self.min - half), math.log(self.max + half)
            x = math.exp(rng.uniform(*bounds))
            return min(max(x if self.q is None else round(x), self.min), self.max)
        if self.count is not None:
            return self.level(int(rng.integers(self.count)))
        return float(rng.uniform(self.min, self.max))


@dataclass(frozen=True)
class Sweep:
    """A sweep; its parameters are in the order of the file.

    `run_cap` is the greatest number of trials, None only for a grid.
    """

    program: str
    method: Literal["grid", "random", "bayes"]
    metric: str
    goal: Literal["minimize", "maximize"]
    parameters: dict[str, Parameter]
    run_cap: int | None = None
    project: str | None = None
    entity: str | None = None

    @property
    def swept(self) -> dict[str, Parameter]:
        """The parameters that have more than one value."""
        return {name: one for name, one in self.parameters.items() if not one.fixed}

    @property
    def fixed(self) -> Config:
        """The values of the other parameters."""
        return {name: one.values[0] for name, one in self.parameters.items() if one.fixed}

    @property
    def startup(self) -> int:
        """The number of random trials with which `bayes` begins."""
        return STARTUP * len(self.swept)

    @property
    def id(self) -> str:
        """Eight hexadecimal digits that stand for all that the trials depend on, except for the run cap."""
        parameters = [[name, asdict(one)] for name, one in self.parameters.items()]
        return digest([self.method, self.metric, self.goal, parameters])[:8]


def digest(value: object) -> str:
    """Return the digest of a value as JSON, in hexadecimal digits."""
    return sha256(json.dumps(value).encode()).hexdigest()

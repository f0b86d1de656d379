"""The shape of a network: how many hidden layers, and how wide."""

import re
from dataclasses import dataclass
from itertools import pairwise

from tinymlp.networks.models import parameter_count


@dataclass(frozen=True, order=True)
class Shape:
    """`depth` hidden layers of `width` units; without a hidden layer there is no width, and it becomes 0."""

    depth: int
    width: int

    def __post_init__(self) -> None:
        if self.depth == 0:
            object.__setattr__(self, "width", 0)
        parameter_count(self.depth, self.width)  # refuses an impossible shape

    @property
    def layers(self) -> list[tuple[int, int]]:
        """Fan-in and fan-out of each layer, from the inputs to the logit."""
        sizes = [2, *[self.width] * self.depth, 1]
        return list(pairwise(sizes))

    @property
    def name(self) -> str:
        """The shape in tables: 2x3 has two hidden layers of three units, 0 has none."""
        return f"{self.depth}x{self.width}" if self.depth else "0"

    @property
    def key(self) -> str:
        """The shape among the values of a result, where keys are identifiers: d2w3, or d0."""
        return f"d{self.depth}w{self.width}" if self.depth else "d0"

    @classmethod
    def parse(cls, text: str) -> "Shape":
        """Return the shape of this name or key. Raises ValueError if there is none."""
        number = "([1-9][0-9]*)"
        found = re.fullmatch(f"{number}x{number}|d{number}w{number}|d?0", text)
        if found is None:
            raise ValueError(f"a shape is written like 2x3 or d2w3, the linear one 0 or d0: {text!r}")
        depth, width = (int(found[place] or found[place + 2] or 0) for place in (1, 2))
        return cls(depth, width)

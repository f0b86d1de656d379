"""The shape of a network: how many hidden layers, and how wide."""

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

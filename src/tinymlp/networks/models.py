"""Feed-forward networks of any depth, width and activation."""

from torch import Tensor, nn


class Net(nn.Module):
    """A feed-forward network with one output, the logit of class 1.

    `depth` hidden layers of `width` units each; without a hidden layer
    (depth 0) the network is linear and has no width.
    """

    def __init__(
        self,
        depth: int,
        width: int,
        activation: type[nn.Module] = nn.Tanh,
        inputs: int = 2,
    ) -> None:
        check_shape(depth, width)
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(depth):
            layers += [nn.Linear(inputs, width), activation()]
            inputs = width
        layers += [nn.Linear(inputs, 1), nn.Identity()]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits (n,) of the points `x` (n, inputs)."""
        logits: Tensor = self.model(x)  # (n, 1)
        return logits.squeeze(-1)


def parameter_count(depth: int, width: int, inputs: int = 2) -> int:
    """Return the number of weights and biases of `Net(depth, width)`.

    A layer from a to b units has (a + 1) b of them.
    """
    check_shape(depth, width)
    if depth == 0:
        return inputs + 1
    inner = (depth - 1) * (width + 1) * width
    return (inputs + 1) * width + inner + (width + 1)


def check_shape(depth: int, width: int) -> None:
    """Raise ValueError unless such a network exists."""
    if depth < 0 or (depth > 0 and width < 1):
        rule = "a network has depth >= 0 and hidden layers of width >= 1"
        raise ValueError(f"{rule}: {depth=}, {width=}")

"""Losses of networks of `Var`s, as sums over the data.

Targets and outputs are lists over the data of lists over the outputs; targets
may be plain numbers.
"""

from collections.abc import Iterator, Sequence

from tinymlp.scalar.autodiff import Var, affine, logsumexp, sum_of_squares, total

Rows = Sequence[Sequence[Var]]
Row = tuple[Sequence[Var], Sequence[Var]]


def squared_loss(t: Rows, y: Rows) -> Var:
    """Return the sum over data and outputs of (t - y)^2, without a factor 1/2.

    ValueError unless targets and outputs have the same sizes.
    """
    rows = list(_rows(t, y))
    targets = [target for row, _ in rows for target in row]
    outputs = [output for _, row in rows for output in row]
    return sum_of_squares(targets, outputs)


def cross_entropy_loss(t: Rows, h: Rows) -> Var:
    """Return the cross entropy of the targets and softmax(h), in nats.

    For each point it is -sum_i t_i h_i + ln sum_i exp(h_i), which is
    -sum_i t_i ln softmax_i(h) for targets that sum to one; Bishop, Pattern
    Recognition and Machine Learning (2006), equations 4.104 and 4.108.
    ValueError unless targets and outputs have the same sizes, not empty.
    """
    zero = Var(0.0)
    return total([logsumexp(b) - affine(zero, a, b) for a, b in _rows(t, h)])


def _rows(t: Rows, y: Rows) -> Iterator[Row]:
    """Yield the targets and outputs of each point."""
    if len(t) != len(y):
        raise ValueError(f"{len(t)} targets, but {len(y)} outputs")
    for n, (targets, outputs) in enumerate(zip(t, y, strict=True)):
        if len(targets) != len(outputs):
            sizes = f"{len(targets)} targets, but {len(outputs)} outputs"
            raise ValueError(f"point {n} has {sizes}")
        yield [_as_var(target) for target in targets], outputs


def _as_var(target: Var | float) -> Var:
    return target if isinstance(target, Var) else Var(target)

"""Where learning noisy XOR stops short: losses of networks that cannot tell some clusters apart."""

import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special
from torch import Tensor, nn

from tinymlp.networks.ensemble import Ensemble, evaluate
from tinymlp.networks.shapes import Shape

Floats = NDArray[np.float64]

CENTRES = ((0, 0), (0, 1), (1, 0), (1, 1))
LABELS = (0, 1, 1, 0)
EQUAL = (0.25, 0.25, 0.25, 0.25)
TAIL = 8  # standard deviations; beyond lies less than 1e-15 of a cluster


@dataclass(frozen=True)
class Plateau:
    """The best answer of a network that merges some clusters and is right about the others.

    `merged` are indices into `CENTRES`; `probabilities` are those of class 1
    at the four centres; `loss` is the expected cross entropy in nats.
    """

    merged: tuple[int, ...]
    probabilities: tuple[float, ...]
    loss: float


def plateaus(weights: Sequence[float] = EQUAL) -> list[Plateau]:
    """Return what merging clusters costs, from none merged to all four.

    The clusters are points of probability proportional to `weights`, in the
    order of `CENTRES`. Merged are sets with both classes in them; the best
    probability there is the share q of class 1, and the loss is the entropy
    -q ln q - (1 - q) ln(1 - q) times the weight of the set. With equal weights
    these are 0, (1/2) ln 2, (3/4) H(1/3) and ln 2 for 0, 2, 3, 4 clusters. To
    merge two pairs with both classes in each is then the same as to merge all.
    """
    sets = [m for size in (0, 2, 3, 4) for m in combinations(range(4), size)]
    mixed = [m for m in sets if not m or {LABELS[i] for i in m} == {0, 1}]
    shares = np.asarray(weights, dtype=np.float64) / sum(weights)
    return [_plateau(merged, shares) for merged in mixed]


def nearest_plateau(probabilities: ArrayLike) -> tuple[NDArray[np.intp], Floats]:
    """Return the index in `plateaus()` that is nearest to each network, and how far it is.

    `probabilities` (n, 4) are those of class 1 at `CENTRES`. Distance is the
    largest of the four differences.
    """
    known = np.array([plateau.probabilities for plateau in plateaus()])
    given = np.asarray(probabilities, dtype=np.float64)
    distances = np.abs(given[:, None] - known).max(axis=-1)
    return distances.argmin(axis=1), distances.min(axis=1)


def centre_probabilities(ensemble: Ensemble) -> dict[Shape, Floats]:
    """Return the probability of class 1 at `CENTRES` by each network: arrays (columns, 4).

    The loss at a single point of class 1 is -ln p there.
    """
    scores = [evaluate(ensemble, [centre], [1]) for centre in CENTRES]
    return {shape: np.exp([-score[shape].loss for score in scores]).T for shape in ensemble.states}


def monotone_loss(s: float, angle: float, *, cells: int = 4000) -> float:
    """Return the least expected cross entropy (nats) of a monotone function of one projection.

    The projection of noisy XOR is t = x1 cos(angle) + x2 sin(angle), a mixture
    of four normal densities. Functions constant on each of `cells` intervals
    are considered; halving the intervals can only lower the loss. The best
    increasing or decreasing one is the isotonic regression on t: what pooling
    adjacent violators gives is optimal for every loss with the mean as its
    Bayes act, the cross entropy among them (A. I. Jordan, A. Mühlemann and
    J. F. Ziegel, Optimal solutions to the isotonic regression problem,
    arXiv:1904.04761, 2020).
    """
    means = np.array(CENTRES) @ (math.cos(angle), math.sin(angle))
    edges = np.linspace(means.min() - TAIL * s, means.max() + TAIL * s, cells + 1)
    masses = np.diff(special.ndtr((edges - means[:, None]) / s)) / 4
    mass = masses.sum(axis=0)
    ones = masses[np.array(LABELS) == 1].sum(axis=0)[mass > 0]
    mass = mass[mass > 0]
    fits = (optimize.isotonic_regression(ones / mass, weights=mass, increasing=up).x for up in (True, False))
    return min(_cross_entropy(ones, mass - ones, fit) for fit in fits)


def monotone_bound(s: float, *, angles: int = 180) -> tuple[float, float]:
    """Return the least `monotone_loss` over equally spaced angles in [0, pi), and its angle.

    No network whose hidden layers have one unit each can do better: its logit
    is a chain of monotone functions of w1 x1 + w2 x2.
    """
    grid = np.arange(angles) * math.pi / angles
    return min((monotone_loss(s, float(angle)), float(angle)) for angle in grid)


def linear_bound() -> float:
    """Return ln 2, the least expected cross entropy (nats) of a linear logit on noisy XOR, at any s.

    The loss is convex in (w1, w2, w0). To mirror x1 at 1/2 swaps the classes:
    (w1, w2, w0) has the same loss as (w1, -w2, -w0 - w1). Likewise for x2:
    (-w1, w2, -w0 - w2); and for both: (-w1, -w2, w0 + w1 + w2). The mean of
    the four is 0, so by convexity the logit 0 is as good as any.
    """
    return math.log(2)


def curvature(net: nn.Module, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return gradient and ascending eigenvalues of the Hessian of the mean cross entropy (nats).

    Both are with respect to all parameters of `net`, over the points `inputs`
    (n, features) with `targets` (n,), in float64: shape (parameters,) each.
    """
    model = deepcopy(net).double()
    named = dict(model.named_parameters())
    sizes = [parameter.numel() for parameter in named.values()]
    x, y = inputs.double(), targets.double()

    def loss(flat: Tensor) -> Tensor:
        parts = torch.split(flat, sizes)
        given = {name: part.view_as(named[name]) for name, part in zip(named, parts, strict=True)}
        logits = torch.func.functional_call(model, given, (x,))
        return nn.functional.binary_cross_entropy_with_logits(logits, y)

    flat = nn.utils.parameters_to_vector(model.parameters()).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(flat), flat, create_graph=True)
    rows = [torch.autograd.grad(slope, flat, retain_graph=True)[0] for slope in gradient]
    return gradient.detach(), torch.linalg.eigvalsh(torch.stack(rows))


def _plateau(merged: tuple[int, ...], shares: Floats) -> Plateau:
    chosen = list(merged)
    weight = float(shares[chosen].sum())
    share = float(shares[chosen] @ np.array(LABELS)[chosen]) / weight if merged else 0.0
    probabilities = tuple(share if i in merged else float(label) for i, label in enumerate(LABELS))
    return Plateau(merged, probabilities, weight * float(special.entr(share) + special.entr(1 - share)))


def _cross_entropy(ones: Floats, zeros: Floats, p: Floats) -> float:
    return -float(special.xlogy(ones, p).sum() + special.xlog1py(zeros, -p).sum())

"""Noisy XOR: points around the corners of the unit square."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset


class NoisyXor(Dataset[tuple[Tensor, Tensor]]):
    """Draw `n` points (m1 + s*eta1, m2 + s*eta2) with label m1 xor m2.

    The centres (m1, m2) are the four corners of the unit square with equal
    probability, eta1 and eta2 are standard normal; all are independent and
    follow from `seed`.

    Attributes: `inputs` (n, 2), `targets` (n,) with 0.0 or 1.0, and `centres`
    (n, 2), all float32; `s`, the standard deviation.
    """

    def __init__(self, n: int, s: float = 0.1, *, seed: int) -> None:
        # excerpt: skip
        if n < 1 or s < 0:
            raise ValueError(f"noisy XOR needs n >= 1 and s >= 0: {n=}, {s=}")
        # excerpt: resume
        generator = torch.Generator().manual_seed(seed)
        corners = torch.randint(2, (n, 2), generator=generator)
        noise = torch.randn(n, 2, generator=generator)
        self.s = s
        self.centres = corners.float()
        self.inputs = self.centres + s * noise
        self.targets = (corners[:, 0] ^ corners[:, 1]).float()
        # excerpt: skip

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.inputs[index], self.targets[index]

    # excerpt: resume


def noisy_xor_batch(seeds: Sequence[int], n: int, s: float) -> tuple[Tensor, Tensor]:
    """Return inputs (2, n, seeds) and targets (n, seeds), side by side.

    Each column is `NoisyXor(n, s, seed=seed)` for its own seed alone.
    """
    sets = [NoisyXor(n, s, seed=seed) for seed in seeds]
    inputs = np.stack([one.inputs.numpy().T for one in sets], axis=-1)
    targets = np.stack([one.targets.numpy() for one in sets], axis=-1)
    return torch.from_numpy(inputs), torch.from_numpy(targets)

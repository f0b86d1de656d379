"""The regression task: a line with a wave, sampled with noise."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Sets = tuple[Floats, Floats, Floats, Floats, Floats, Floats]


def data_generator(
    noise: float = 0.1,
    n_samples: int = 300,
    D1: bool = True,
    rng: np.random.Generator | None = None,
) -> Sets:
    """Return x and y for training, x and y for validation, x and y for test.

    `D1`: x is an even grid over [-3, 3], shuffled, and y is normal with mean
    x + 0.5 sin(3 x) and standard deviation `noise`. Otherwise x has three
    dimensions, each normal with variance `noise`, and
    y = sin(x1) - 5 x2^2 + 0.5 x3.

    Training gets 35 % of the samples, validation as many and test the rest.
    All x (n, d) and y (n,) are standardised by the means and standard
    deviations of the training set. Random numbers come from `rng`, or else
    from NumPy's global generator. ValueError for less than 6 samples or
    negative noise.
    """
    if n_samples < 6 or noise < 0:
        sizes = f"{n_samples=}, {noise=}"
        raise ValueError(f"n_samples >= 6 and noise >= 0 are needed: {sizes}")
    draw = line_samples if D1 else paraboloid_samples
    x, y = draw(noise, n_samples, rng or np.random)
    samples = np.column_stack([x, y])
    ends = [n_samples * 35 // 100, n_samples * 70 // 100]
    train = samples[: ends[0]]
    samples = (samples - train.mean(axis=0)) / train.std(axis=0)
    parts = np.split(samples, ends)
    sets = [side for part in parts for side in (part[:, :-1], part[:, -1])]
    return tuple(sets)  # type: ignore[return-value]


def line_samples(noise: float, n: int, rng: Any) -> tuple[Floats, Floats]:
    """Return x (n, 1) and y (n,) of the line, before standardisation."""
    x = np.linspace(-3, 3, n)
    rng.shuffle(x)
    return x[:, None], rng.normal(line_with_wave(x), noise)


def line_with_wave(x: Floats) -> Floats:
    """Return x + 0.5 sin(3 x), what y is without noise."""
    return x + 0.5 * np.sin(3 * x)


def paraboloid_samples(
    noise: float,
    n: int,
    rng: Any,
) -> tuple[Floats, Floats]:
    """Return x (n, 3) and y (n,) of the task in three dimensions."""
    x = rng.normal(0, np.sqrt(noise), (n, 3))
    return x, np.sin(x[:, 0]) - 5 * x[:, 1] ** 2 + 0.5 * x[:, 2]

"""Choices that must not flatter: what is chosen on some repeats is judged on others."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Flags = NDArray[np.bool_]


def cross_chosen(successes: ArrayLike) -> tuple[tuple[int, int], Flags]:
    """Return the setting chosen for each half of the repeats, and the successes there (repeats,).

    `successes` (settings, repeats) says which repeats succeed in which
    setting. The repeats with an even number use the setting with the most
    successes among those with an odd number, and the other way round; of equal
    settings the first is taken.
    """
    every = np.asarray(successes, dtype=bool)
    odd = np.arange(every.shape[1]) % 2 == 1
    of_even, of_odd = (int(every[:, other].sum(axis=1).argmax()) for other in (odd, ~odd))
    return (of_even, of_odd), np.where(odd, every[of_odd], every[of_even])

"""Straight lines through points, and how far they would move with other points."""

import numpy as np


def slope(x, y):
    """Return the slope of the least-squares line."""
    x = x - np.mean(x)
    return np.sum(x * y) / np.sum(x**2)


def resampled(x, y, repeats, seed):
    """Return slopes of samples drawn from the points with replacement."""
    random = np.random.default_rng(seed)
    n = len(x)
    drawn = random.integers(n, size=(repeats, n))
    slopes = [slope(x[i], y[i]) for i in drawn]
    return np.array(slopes)


def common(x, y, labels):
    """Return the slope of the deviations from the means of the groups."""
    x, y = x.copy(), y.copy()
    for name in np.unique(labels):
        group = labels == name
        x[group] -= x[group].mean()
        y[group] -= y[group].mean()
    return float(slope(x, y))


def interval(values):
    """Return the bounds of the middle 95 % of the values."""
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)

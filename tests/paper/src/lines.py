"""Straight lines through points, and how far they would move with other points."""

import numpy as np


def slope(x, y):
    """Return the slope of the least-squares line."""
    x = x - np.mean(x)
    return np.sum(x * y) / np.sum(x**2)


def resampled(x, y, repeats, seed):
    """Return slopes of samples drawn from the points with replacement."""
    random = np.random.default_rng(seed)
    drawn = random.integers(0, len(x), (repeats, len(x)))
    return np.array([slope(x[some], y[some]) for some in drawn])


def interval(values):
    """Return the bounds of the middle 95 % of the values."""
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)

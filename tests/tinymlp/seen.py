"""Colours as they are seen in grey prints and by the colour-blind."""

import numpy as np
from matplotlib.colors import to_rgb

# G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, A Physiologically-based Model for Simulation of Color
# Vision Deficiency, IEEE Transactions on Visualization and Computer Graphics 15 (2009), pages 1291-1298: the
# matrices of severity 1.0, for linear RGB.
VIEWS = {
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "grey": np.tile([0.2126, 0.7152, 0.0722], (3, 1)),  # the luminance of sRGB
}

# From the linear RGB of sRGB (IEC 61966-2-1) to CIE XYZ over that of white, D65.
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
XYZ /= XYZ.sum(axis=1, keepdims=True)


def lab(colours, view: str | None = None) -> np.ndarray:
    """Return sRGB colours (..., 3) of 0 to 1, as seen in a view of `VIEWS`, as CIELAB of 1976."""
    rgb = np.asarray(colours, dtype=float)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    if view:
        linear = np.clip(linear @ VIEWS[view].T, 0, 1)
    t = linear @ XYZ.T
    x, y, z = np.moveaxis(np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def difference(one, other, view: str | None = None) -> float:
    """Return how far apart two colours of matplotlib are seen: CIE's Delta E of 1976."""
    return float(np.linalg.norm(lab(to_rgb(one), view) - lab(to_rgb(other), view)))

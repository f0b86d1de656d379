"""The formats of this report."""


def per_cm(slope: float) -> float:
    """Return a slope in mm per mm as mm per cm."""
    return 10 * slope

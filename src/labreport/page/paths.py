"""Paths of SVG: written with no more digits than a screen shows, and the frames in which they lie."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise, product
from math import ceil, hypot, log10

Frame = tuple[float, float, float, float]
"""Left, top, right, bottom."""

COMMANDS = frozenset("MLHVCSQTAZmlhvcsqtaz")
MOST_DECIMALS = 6
SLACK = 0.01
"""Points by which something may stand out of a frame that holds it."""

_MATRIX = re.compile(r"matrix\(" + ", *".join([r"([-+\d.e]+)"] * 6) + r"\)")
_LAST_MOVE = re.compile(r"(?<=Z)M[^A-Z]*$")


class Rounded(dict[str, str]):
    """For each number, as it is written, its form with so many decimals; commands stay as they are."""

    def __init__(self, decimals: int) -> None:
        super().__init__()
        self._decimals = decimals

    def __missing__(self, token: str) -> str:
        if token in COMMANDS:
            short = token
        else:
            short = f"{float(token):.{self._decimals}f}"
            if "." in short:
                short = short.rstrip("0").rstrip(".")
            if short == "-0":
                short = "0"
        self[token] = short
        return short


def shortened(path: str, rounded: Rounded) -> str:
    """Return a path with no more digits and blanks than it needs; ValueError if it is none."""
    text = " ".join([rounded[token] for token in path.split()])
    for command in "MLCZ":
        text = text.replace(f"{command} ", command).replace(f" {command}", command)
    # cairo moves to the beginning once more at the end
    return _LAST_MOVE.sub("", text.replace(" -", "-"))


def matrix(transform: str | None) -> tuple[float, ...]:
    """Return the six numbers of a matrix; those that change nothing if it is none."""
    found = _MATRIX.fullmatch(transform) if transform else None
    return tuple(map(float, found.groups())) if found else (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def scale(transform: str | None) -> float:
    """Return by how much a transformation enlarges."""
    a, b, c, d, _, _ = matrix(transform)
    return max(hypot(a, b), hypot(c, d))


def decimals(known: int, transform: str | None) -> int:
    """Return how many decimals are needed of what a transformation enlarges."""
    larger = scale(transform) if transform else 1.0
    return min(MOST_DECIMALS, known + ceil(log10(larger) - 0.1)) if larger > 1 else known


def rectangle(path: str) -> Frame | None:
    """Return the frame that a path draws; None if it is no upright rectangle."""
    tokens = path.split()
    if [token for token in tokens if token in COMMANDS] != ["M", "L", "L", "L", "Z", "M"]:
        return None
    points = _points(tokens)[:4]
    left, top, right, bottom = frame = _frame(points)
    # a rectangle goes from corner to corner along its sides
    along = all((a[0] == b[0]) != (a[1] == b[1]) for a, b in pairwise(points))
    return frame if along and {*points} == {*product((left, right), (top, bottom))} else None


def extent(path: str, transform: str | None, style: Mapping[str, str]) -> Frame | None:
    """Return a frame in which a path lies, with the breadth of its line; None if none is known."""
    tokens = path.split()
    if COMMANDS.intersection(tokens) - set("MLCZ") or len(tokens) < 3:
        return None
    # a curve lies within the points that control it
    left, top, right, bottom = _frame(_points(tokens))
    a, b, c, d, e, f = matrix(transform)
    corners = product((left, right), (top, bottom))
    moved = _frame([(a * x + c * y + e, b * x + d * y + f) for x, y in corners])
    breadth = _breadth(style)
    wide, high = breadth * hypot(a, c), breadth * hypot(b, d)
    return moved[0] - wide, moved[1] - high, moved[2] + wide, moved[3] + high


def holds(outer: Frame, inner: Frame) -> bool:
    """Return whether a frame holds another one."""
    begins = outer[0] - SLACK <= inner[0] and outer[1] - SLACK <= inner[1]
    return begins and inner[2] <= outer[2] + SLACK and inner[3] <= outer[3] + SLACK


def _breadth(style: Mapping[str, str]) -> float:
    """Return how far a line reaches beyond its path: a sharp corner by the limit of its mitre."""
    if style.get("stroke", "none") == "none":
        return 0.0
    sharp = style.get("stroke-linejoin", "miter") == "miter"
    reach = float(style.get("stroke-miterlimit", "4")) if sharp else 1.5
    return float(style.get("stroke-width", "1")) / 2 * reach


def _points(tokens: list[str]) -> list[tuple[float, float]]:
    numbers = [float(token) for token in tokens if token not in COMMANDS]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _frame(points: list[tuple[float, float]]) -> Frame:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)

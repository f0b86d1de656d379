"""The results and parameters that a typed number may have been copied from, or should be."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

from labreport.claims.reading import experiment_of
from labreport.claims.typed import Typed
from labreport.language import step

MOST_NEAREST = 3
NEAR = 0.1  # how far a value may be from a number that it is nearest to, as a part of it
MOST_EQUAL = 20  # equal values, after which none of them tells anything
NEAREST_NOUNS = 3  # words beside a number by which a result may be called
LONGEST = 100
"""The number of items from which on a list is a sample: its values are no numbers that a text states."""


def numbers(key: str, tree: Any) -> dict[str, float]:
    """Return each number in a value of a result, by its key."""
    found: dict[str, float] = {}

    def collect(key: str, tree: Any) -> None:  # generators within generators would take three times as long
        if isinstance(tree, int | float) and not isinstance(tree, bool):
            found[key] = tree
        elif isinstance(tree, dict):
            for name, inside in tree.items():
                collect(key + step(name), inside)
        elif isinstance(tree, list | tuple) and len(tree) < LONGEST:
            for index, inside in enumerate(tree):
                collect(key + step(index), inside)

    collect(key, tree)
    return found


class Nearest:
    """What stands nearest to a typed number among the numbers of results and parameters, by their keys.

    These are the values that print as the number does, and those that are called as a word beside it: "18
    points" is told that `survey.params.points` is 324; if there are none, those of about its size. Those of
    the experiments that its paragraph shows come first.
    """

    def __init__(self, values: Mapping[str, float]) -> None:
        self.values = values
        self.by_value = sorted((value, key) for key, value in values.items())
        self.by_name: dict[str, list[str]] = {}
        for key in values:
            for name in _names(key):
                self.by_name.setdefault(name, []).append(key)

    def __call__(self, number: Typed) -> str:
        """Return what stands nearest to a number, in words."""
        equal = self._equal(number)
        here = [key for key in equal if experiment_of(key) in number.experiments]
        named = self._named(number) if not here else []
        if len(equal) > MOST_EQUAL and not here and not named:
            return f"{len(equal)} results and parameters have this value"
        nearest = here or named + equal or self._near(number)
        shown = ", ".join(f"{key} = {self.values[key]:.6g}" for key in nearest[:MOST_NEAREST])
        none = "" if equal else "no result has this value"
        return "; ".join(part for part in (none, shown and f"nearest: {shown}?") if part)

    def _named(self, number: Typed) -> list[str]:
        """Return the keys that are called as a word beside the number, of the experiments that are shown."""
        for noun in number.nouns[:NEAREST_NOUNS]:
            keys = [k for k in self.by_name.get(_stem(noun), ()) if experiment_of(k) in number.experiments]
            if keys:
                return self._ordered(keys, number)[:MOST_NEAREST]
        return []

    def _equal(self, number: Typed) -> list[str]:
        """Return the keys of the values that print as the number does."""
        half = _half_a_digit(number.text)
        found = self._between(number.value - half, number.value + half)
        if number.nouns[0] in ("%", "percent"):
            half = half or 0.5  # a whole percentage is rounded, too
            found += self._between((number.value - half) / 100, (number.value + half) / 100)
        return self._ordered(found, number)

    def _near(self, number: Typed) -> list[str]:
        """Return the keys of values that are about the number, the closest first."""
        width = NEAR * abs(number.value)
        found = self._between(number.value - width, number.value + width)
        shown = [key for key in found if experiment_of(key) in number.experiments]
        return sorted(shown or found, key=lambda key: (abs(self.values[key] - number.value), key))

    def _between(self, low: float, high: float) -> list[str]:
        first = bisect_left(self.by_value, (low, ""))
        last = bisect_left(self.by_value, (high, "\uffff"))
        return [key for _, key in self.by_value[first:last]]

    def _ordered(self, found: list[str], number: Typed) -> list[str]:
        """Return keys in the order in which an author would look at them."""
        nouns = {_stem(noun) for noun in number.nouns if noun}

        def order(key: str) -> tuple[bool, bool, bool, float, int, str]:
            elsewhere = experiment_of(key) not in number.experiments
            distance = abs(self.values[key] - number.value)
            return elsewhere, not nouns & _names(key), ".tables." in key, distance, len(key), key

        return sorted(found, key=order)


def _half_a_digit(text: str) -> float:
    """Return by how much a value may differ that prints as a text; whole numbers are exact."""
    mantissa, _, power = re.sub(r"\\.*", "", text).partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 0.5 * 10.0 ** (int(power or 0) - decimals) if decimals or power else 0.0


def _names(key: str) -> set[str]:
    """Return the words that the last step of a key is called by."""
    last = key[key.rfind(".") + 1 :].partition("[")[0]
    return {word.removesuffix("s") for word in last.lower().split("_")}


def _stem(word: str) -> str:
    """Return a word without the ending of its plural, as keys and texts may differ in that."""
    return word.lower().removesuffix("s")

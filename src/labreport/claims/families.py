"""Multiplicity: the tests of a family are corrected together, each counted once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from labreport.claims.judgement import Correction, Test

FAMILY = "report"
"""The family of claims that name no other."""


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values adjusted for their number, in the order given.

    Rejecting those of at most alpha keeps the chance of one false rejection or more at alpha, whatever the
    dependence: S. Holm, Scandinavian Journal of Statistics 6 (1979), pages 65-70.
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank, index in enumerate(order):
        largest = max(largest, min((len(p_values) - rank) * p_values[index], 1.0))
        adjusted[index] = largest
    return adjusted


def corrections(stated: Iterable[tuple[str, Test]]) -> dict[str, dict[Hashable, Correction]]:
    """Return the correction of each test of each family; a test stated in several places counts once."""
    families: dict[str, dict[Hashable, float]] = {}
    for family, test in stated:
        families.setdefault(family, {})[test.identity] = test.p
    return {
        family: {
            identity: Correction(p, family, len(tests))
            for identity, p in zip(tests, holm(list(tests.values())), strict=True)
        }
        for family, tests in families.items()
    }

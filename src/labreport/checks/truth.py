"""Checks of what the text says: typed digits, words that state results, numbers that do not fit each other.

Each speaks of what an author typed, as far as no claim and no expression stands behind it.
"""

from __future__ import annotations

from collections.abc import Iterable

from labreport import claims
from labreport.checks.material import Found, Material, counted


def digits(m: Material) -> Found:
    """Return the typed numbers, each with its sentence and the results and parameters nearest to it."""
    found = claims.typed_numbers(m.reading, m.project.config.constants, m.project.config.questions)
    nearest = claims.Nearest(m.numbers) if found else str
    places = [(m.typed_at(n.start), f"{n.text} in “{n.sentence}”: {nearest(n)}") for n in found]
    return Found(places, f"{len(found)} of {counted(claims.count(m.reading), 'typed number')}")


def constants(m: Material) -> Found:
    """Return the constants of report.toml that stand nowhere in the report."""
    listed = m.project.config.constants
    unused = claims.unused(m.reading, listed)
    places = [("report.toml", f"{text!r} ({listed[text]}) stands nowhere in the report") for text in unused]
    return Found(note=counted(len(listed), "constant"), lacking=places)


def comparisons(m: Material) -> Found:
    """Return the words that compare, in the answer to a question and outside of claims."""
    return _words(m, (word for word in m.words if word.is_answer and word.kind in claims.COMPARING))


def quantities(m: Material) -> Found:
    """Return all other words that state results outside of claims."""
    return _words(m, (word for word in m.words if not (word.is_answer and word.kind in claims.COMPARING)))


def _words(m: Material, words: Iterable[claims.Word]) -> Found:
    places = [(m.typed_at(word.start), f"{word.text} in “{word.sentence}”") for word in words]
    return Found(places, f"{len(places)} of {counted(len(m.reading.prose.words.split()), 'word')}")


def precisions(m: Material) -> Found:
    """Return the values that are printed with two precisions."""
    return _misfits(m, claims.precisions(m.document.rendered))


def arithmetic(m: Material) -> Found:
    """Return the printed differences, sums and ratios that disagree with their printed parts."""
    return _misfits(m, claims.arithmetic(m.reading))


def standard_errors(m: Material) -> Found:
    """Return the means that are rounded more coarsely than their standard errors warrant."""
    return _misfits(m, claims.standard_errors(m.document.rendered, m.numbers))


def _misfits(m: Material, found: Iterable[claims.Misfit]) -> Found:
    places = []
    for misfit in found:
        here, there = m.typed_at(misfit.start), m.typed_at(misfit.other)
        places.append((here, misfit.what + (f" (the other at {there})" if there != here else "")))
    return Found(places)

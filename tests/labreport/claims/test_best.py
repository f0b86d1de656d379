"""The best of several values is told by intervals and tests, never by bare means."""

import pytest

from labreport.claims import best
from labreport.language import Box, FormatError


def estimate(middle, half):
    return {"estimate": middle, "low": middle - half, "high": middle + half}


@pytest.mark.parametrize(
    ("direction", "values", "how", "expected"),
    [
        ("highest", [estimate(0.9, 0.02), estimate(0.93, 0.02), estimate(0.85, 0.02)], None, [1, 1, 0]),
        ("lowest", [estimate(0.9, 0.01), None, estimate(0.85, 0.01)], None, [0, 0, 1]),
        ("lowest", [[1.0, 2.0, 3.0, 4.0], [1.1, 2.2, 3.1, 4.2], [0.9, 2.1, 3.1, 3.9]], "paired", [1, 0, 1]),
        ("lowest", [[1.0, 2.0, 3.0, 4.0], [1.1, 2.2, 3.1, 4.2]], "unpaired", [1, 1]),
        ("highest", [3, 7, 7, None], "exact", [0, 1, 1, 0]),
        ("highest", [None, None], None, [0, 0]),
    ],
)
def test_all_that_the_data_do_not_tell_from_the_one_in_front_are_the_best(direction, values, how, expected):
    assert best(direction, [Box(value, ("x",)) for value in values], how) == [bool(e) for e in expected]


def test_comparisons_are_corrected_together():
    """Each p is 0.014 (SciPy): one alone is told from the best, of four by Holm none: 4 x 0.014 > 0.05."""
    front, apart = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5], [0.1, 0.12, 0.4, 0.35, 0.55, 0.58]
    assert best("lowest", [front, apart], "paired") == [True, False]
    assert best("lowest", [front, *[[x + n / 1e9 for x in apart] for n in range(4)]], "paired") == [True] * 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("lowest", [0.5, 0.6]), "does not tell how sure"),
        (("least", [1]), '"lowest" or "highest"'),
        (("lowest", ["a", "b"]), "not of the text"),
        (("lowest", [[1.0, 2.0], [2.0, 3.0]]), "does not say how to compare"),
    ],
)
def test_bare_numbers_and_what_cannot_be_compared_are_refused(arguments, words):
    with pytest.raises(FormatError, match=words):
        best(*arguments)

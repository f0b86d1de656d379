"""Shapes of equal parameter count, counted by hand."""

import numpy as np
import pytest

from tinymlp.networks import Shape
from tinymlp.studies.sizes import matching_widths, size_contrasts, size_row


@pytest.mark.parametrize(
    ("deep", "widths"),
    [
        (Shape(2, 2), [3, 4]),  # 6 + 6 + 3 = 15 parameters; widths 3 and 4 have 13 and 17
        (Shape(3, 2), [5]),  # 6 + 6 + 6 + 3 = 21 = 4 5 + 1
        (Shape(2, 3), [6]),  # 9 + 12 + 4 = 25
        (Shape(3, 3), [9]),  # 9 + 12 + 12 + 4 = 37
    ],
)
def test_matching_widths_have_as_many_parameters_or_next_to(deep, widths):
    assert matching_widths(deep) == widths


def test_contrasts_are_paired_and_corrected_as_one_family():
    solved = {
        Shape(2, 2): np.array([True] * 6 + [False] * 2),
        Shape(1, 3): np.array([False] * 6 + [False] * 2),
        Shape(1, 4): np.array([True] * 6 + [False] * 2),
    }
    pairs = [(Shape(2, 2), Shape(1, 3)), (Shape(2, 2), Shape(1, 4))]
    found = size_contrasts(pairs, solved)
    assert list(found) == ["d2w2_d1w3", "d2w2_d1w4"]
    first, second = found.values()
    assert (first["deep"], first["shallow"]) == ("2x2", "1x3")
    assert (first["parameters_deep"], first["parameters_shallow"]) == (15, 13)
    assert (first["rate_deep"], first["rate_shallow"], first["estimate"]) == (0.75, 0, 0.75)
    assert first["p"] == pytest.approx(2 * 0.5**6)
    assert first["p_holm"] == pytest.approx(4 * 0.5**6)
    assert (second["estimate"], second["p"]) == (0, 1)


def test_a_row_has_the_median_of_all_and_of_the_solved():
    row = size_row(Shape(2, 3), [True, False, True], [0.1, 0.5, 0.3])
    assert (row["shape"], row["parameters"], row["n"], row["solved"]) == ("2x3", 25, 3, 2)
    assert (row["median"], row["solved_loss_median"]) == (0.3, 0.2)

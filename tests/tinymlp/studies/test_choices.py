"""Choices that are made on some repeats and judged on others."""

import numpy as np

from tinymlp.studies.choices import cross_chosen


def test_each_half_uses_the_setting_that_is_best_in_the_other():
    # by hand: of setting 0 all odd repeats succeed and one even, of setting 1 all even ones and one odd
    chosen, best = cross_chosen([[0, 1, 1, 1, 0, 1], [1, 0, 1, 0, 1, 1]])
    assert chosen == (0, 1)
    assert best.tolist() == [False, False, True, False, False, True]


def test_of_equal_settings_the_first_is_chosen():
    chosen, best = cross_chosen([[1, 1, 0, 0], [1, 1, 0, 0]])
    assert chosen == (0, 0)
    assert best.tolist() == [True, True, False, False]


def test_on_coin_tosses_the_choice_does_not_flatter():
    tosses = np.random.default_rng(0).random((20, 20_000)) < 0.3
    _, best = cross_chosen(tosses)
    assert abs(best.mean() - 0.3) < 0.01

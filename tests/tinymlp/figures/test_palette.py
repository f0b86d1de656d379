"""The palette stays apart in grey prints and for the colour-blind, as `seen` simulates them."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from seen import VIEWS, difference, lab, legend_entries, mean_difference

from tinymlp.figures import BLACK, BLUE, GREEN, ORANGE, VERMILION
from tinymlp.figures.networks import DEPTH_LOOKS
from tinymlp.figures.parallel_coordinates import MAGNITUDES
from tinymlp.figures.plots import CLASS_COLOURS, CLASS_EDGES, PROBABILITIES

APART = 15  # Delta E; about 2 can just be seen beside each other
PAIRS = list(combinations((BLACK, ORANGE, GREEN, BLUE, VERMILION), 2))
COLOUR_BLIND = [view for view in VIEWS if view != "grey"]


# The values are those of B. Lindbloom's calculator, www.brucelindbloom.com (sRGB, D65, no adaptation).
@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ("white", (100, 0, 0)),
        ("black", (0, 0, 0)),
        ("red", (53.24, 80.09, 67.20)),
        ("blue", (32.30, 79.19, -107.86)),
        ("#808080", (53.59, 0, 0)),
    ],
)
def test_cielab_is_that_of_the_tables(colour, expected):
    assert lab(to_rgb(colour)) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("view", VIEWS)
def test_greys_are_seen_as_they_are(view):
    greys = np.linspace(0, 1, 7)[:, None].repeat(3, axis=1)
    assert lab(greys, view) == pytest.approx(lab(greys), abs=0.05)


def test_for_the_colour_blind_red_and_green_have_one_hue_and_blue_and_yellow_two():
    """a* is the axis from green to red, b* the one from blue to yellow."""
    for view in COLOUR_BLIND:
        (_, red, _), (_, green, _) = lab([to_rgb("#C04040"), to_rgb("#40A040")], view)
        assert abs(red - green) < 5
        (_, _, blue), (_, _, yellow) = lab([to_rgb("blue"), to_rgb("yellow")], view)
        assert yellow - blue > 150


@pytest.mark.parametrize("view", COLOUR_BLIND)
@pytest.mark.parametrize("pair", PAIRS)
def test_all_colours_of_the_palette_stay_apart_for_the_colour_blind(pair, view):
    assert difference(*pair, view) > APART


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair != (GREEN, VERMILION)])
def test_in_grey_the_colours_differ_but_green_and_vermilion(pair):
    assert difference(*pair, "grey") > 12


@pytest.mark.parametrize("view", VIEWS)
def test_depths_stay_apart(view):
    for one, other in combinations(DEPTH_LOOKS.values(), 2):
        assert difference(one.colour, other.colour, view) > APART
        assert one.marker != other.marker


@pytest.mark.parametrize("view", VIEWS)
def test_classes_stay_apart_and_so_do_their_tints(view):
    assert difference(*CLASS_COLOURS, view) > 2 * APART
    assert difference(PROBABILITIES(0.0), PROBABILITIES(1.0), view) > APART


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_points_of_both_classes_are_seen_on_all_tints(view, probability):
    """A light point shows by its edge."""
    for face, edge in zip(CLASS_COLOURS, CLASS_EDGES, strict=True):
        tint = PROBABILITIES(probability)
        assert max(difference(face, tint, view), difference(edge, tint, view)) > 2 * APART


def test_magnitudes_grow_lighter_all_the_way_in_grey():
    lightness = lab(MAGNITUDES(np.linspace(0, 1, 50))[:, :3], "grey")[:, 0]
    assert (np.diff(lightness) > 0).all()


def drawn(*looks):
    """Return the marks of a legend in pairs, as pictures."""
    figure = Figure(figsize=(3, 2))
    ax = figure.subplots()
    for number, look in enumerate(looks):
        ax.plot([0, 1], [number, number], label=str(number), **look)
    ax.legend()
    (entries,) = legend_entries(figure)
    assert list(entries) == [str(number) for number in range(len(looks))]
    return list(combinations(entries.values(), 2))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"color": "black"}, {"color": "black"}, 0),
        ({"color": "black", "lw": 4}, {"color": "#808080", "lw": 4}, 53.6),
        ({"color": "red", "lw": 4}, {"color": "#808080", "lw": 4}, 0.4),  # of one lightness
    ],
)
def test_marks_of_one_shape_differ_in_grey_by_the_lightness_of_their_colours(one, other, expected):
    ((first, second),) = drawn(one, other)
    assert mean_difference(first, second, "grey") == pytest.approx(expected, abs=3)


@pytest.mark.parametrize(
    "other",
    [{"ls": "--"}, {"ls": ":"}, {"marker": "o"}, {"lw": 4}, {"ls": "", "marker": "s"}],
)
def test_marks_of_one_colour_differ_by_their_shapes(other):
    ((first, second),) = drawn({"color": "black"}, {"color": "black", **other})
    assert mean_difference(first, second, "grey") > APART

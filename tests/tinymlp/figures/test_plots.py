"""What the shared drawings show: every point, where it is, and nothing that is not there."""

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from tinymlp.figures.plots import (
    BLUE,
    CLASS_COLOURS,
    ORANGE,
    boundary_key,
    decision_boundary,
    interval_bars,
    scatter_classes,
    strips,
)


@pytest.fixture
def ax():
    return Figure().subplots()


def offsets(collection):
    return np.asarray(collection.get_offsets())


class TestClasses:
    def test_each_point_stands_at_its_inputs_in_the_colour_of_its_class(self, ax):
        inputs = np.array([[0, 0], [1, 0], [0, 1], [1.5, 1.5]])
        scatter_classes(ax, inputs, [0, 1, 1, 0])
        zero, one = ax.collections
        assert offsets(zero).tolist() == [[0, 0], [1.5, 1.5]]
        assert offsets(one).tolist() == [[1, 0], [0, 1]]
        assert [to_hex(c.get_facecolor()[0]).upper() for c in (zero, one)] == list(CLASS_COLOURS)
        assert ax.get_legend_handles_labels()[1] == ["class 0", "class 1"]

    def test_classes_differ_without_colour_and_axes_are_equal(self, ax):
        scatter_classes(ax, [[0, 0], [1, 0]], [0, 1])
        shapes = [collection.get_paths()[0].vertices.tolist() for collection in ax.collections]
        assert shapes[0] != shapes[1]
        assert ax.get_aspect() == 1

    @pytest.mark.parametrize(("inputs", "targets"), [([[0, 0]], [0, 1]), ([[0, 0, 0]], [1]), ([[0, 0]], [2])])
    def test_other_shapes_and_targets_are_refused(self, ax, inputs, targets):
        with pytest.raises(ValueError, match="n times 0 or 1"):
            scatter_classes(ax, inputs, targets)


class TestDecisionBoundaries:
    def test_line_is_where_a_logistic_regression_gives_one_half(self, ax):
        decision_boundary(ax, lambda x: 1 / (1 + np.exp(-(2 * x[:, 0] - x[:, 1] - 0.3))))
        (line,) = ax.collections
        points = np.concatenate([path.vertices for path in line.get_paths()])
        assert len(points) > 50
        assert points[:, 1] == pytest.approx(2 * points[:, 0] - 0.3, abs=0.01)

    def test_background_is_the_probability_at_the_place(self, ax):
        image = decision_boundary(ax, lambda x: (x[:, 1] + 1) / 4, limits=(-1, 3), resolution=5)
        assert image.get_extent() == [-1, 3, -1, 3]
        assert image.origin == "lower"
        assert image.get_array().tolist() == [[p] * 5 for p in (0, 0.25, 0.5, 0.75, 1)]

    @pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
    def test_there_is_no_line_where_one_half_is_not_crossed(self, ax, p):
        decision_boundary(ax, lambda x: np.full(len(x), p))
        assert len(ax.collections) == 0


SAMPLES = {"a": [0.5, 0.1, 0.2, 0.2], "b": np.geomspace(1e-4, 1, 1000)}


class TestStrips:
    def test_every_value_is_a_point_over_its_name(self, ax):
        strips(ax, SAMPLES, positions=[0, 3])
        points = [c for c in ax.collections if isinstance(c, PathCollection)]
        assert ax.get_yscale() == "log"
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "b"]
        for drawn, place, values in zip(points, (0, 3), SAMPLES.values(), strict=True):
            assert offsets(drawn)[:, 1].tolist() == list(values)
            assert (abs(offsets(drawn)[:, 0] - place) < 0.5).all()
            assert len(set(offsets(drawn)[:, 0])) == len(values)
            assert drawn.get_rasterized()

    def test_mean_and_median_stand_beside(self, ax):
        strips(ax, {"a": [1.0, 2.0, 6.0]})
        heights = [set(line.get_ydata()) for line in ax.lines if len(line.get_ydata())]
        assert {3.0} in heights  # the mean
        assert {2.0} in heights  # the median
        assert set(ax.get_legend_handles_labels()[1]) == {"one repeat", "median", "mean"}

    def test_points_are_spread_the_same_way_each_time(self):
        first, second = Figure().subplots(), Figure().subplots()
        for ax in (first, second):
            strips(ax, SAMPLES)
        assert (offsets(first.collections[0]) == offsets(second.collections[0])).all()

    @pytest.mark.parametrize("values", [[1.0, 0.0], [], [float("nan")]])
    def test_values_that_a_log_axis_would_drop_are_refused(self, ax, values):
        with pytest.raises(ValueError, match="positive numbers only: 'a'"):
            strips(ax, {"a": values})


def test_key_of_a_boundary_shows_the_looks_of_both_classes_and_the_line(ax):
    scatter_classes(ax, [[0, 0], [0, 1]], [0, 1])
    *marks, line = boundary_key()
    drawn = ax.get_legend_handles_labels()
    assert [mark.get_label() for mark in marks] == drawn[1]
    assert [to_hex(mark.get_color()) for mark in marks] == [to_hex(p.get_facecolor()[0]) for p in drawn[0]]
    assert line.get_label() == "$p = 1/2$"


class TestIntervals:
    RATES, LOW, HIGH = [0.5, 0.9], [0.4, 0.7], [0.7, 0.95]

    @staticmethod
    def ends(ax):
        return np.array([segment for bars in ax.containers for segment in bars[2][0].get_segments()])

    def test_each_bar_goes_from_low_to_high_around_its_estimate(self, ax):
        interval_bars(ax, [3, 4], self.RATES, self.LOW, self.HIGH, fmt="o")
        assert ax.lines[0].get_xydata() == pytest.approx(np.array([[3, 0.5], [4, 0.9]]))
        assert self.ends(ax) == pytest.approx(np.array([[[3, 0.4], [3, 0.7]], [[4, 0.7], [4, 0.95]]]))

    def test_horizontal_bars_in_percent(self, ax):
        interval_bars(ax, [3, 4], self.RATES, self.LOW, self.HIGH, percent=True, horizontal=True)
        assert ax.lines[0].get_xydata() == pytest.approx(np.array([[50, 3], [90, 4]]))
        assert self.ends(ax) == pytest.approx(np.array([[[40, 3], [70, 3]], [[70, 4], [95, 4]]]))

    def test_an_estimate_outside_its_interval_is_refused(self, ax):
        with pytest.raises(ValueError, match="negative"):
            interval_bars(ax, [1], [0.5], [0.6], [0.7])


def test_the_classes_have_colours_of_the_palette():
    assert CLASS_COLOURS == (ORANGE, BLUE)  # written out in `plots`, as a notebook shows that line alone

"""What the drawings of a sweep show: each trial where it is, the best on top, numbers to be read."""

import logging
import math
from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgba_array
from matplotlib.figure import Figure
from pypdf import PdfReader

from tinymlp.figures.parallel_coordinates import (
    MAGNITUDES,
    Axis,
    history,
    importance_bars,
    parallel_coordinates,
)

STYLE = Path(__file__).parents[3] / "experiments" / "figures.mplstyle"
LOSS = Axis("loss")


@pytest.fixture
def ax():
    return Figure().subplots()


def curves(ax):
    """The curves in the order in which they are drawn: their heights at the axes, their width and colour."""
    found = []
    for collection in sorted(ax.collections, key=lambda artist: artist.get_zorder()):
        collection.update_scalarmappable()
        colours = collection.get_edgecolor()
        for number, path in enumerate(collection.get_paths()):
            heights = path.vertices[::3, 1].tolist()
            found.append((heights, collection.get_linewidth()[0], to_hex(colours[number % len(colours)])))
    return found


def heights_at(ax, place):
    return [heights[place] for heights, _, _ in curves(ax)]


def luminance(colours):
    """Rec. 709's weights of red, green and blue."""
    return to_rgba_array(colours)[..., :3] @ (0.2126, 0.7152, 0.0722)


def numbers(ax, place):
    """The numbers of an axis from below."""
    found = {text.get_text(): text.xy[1] for text in ax.texts if text.xy[0] == place}
    return sorted(found, key=found.get)


class TestParallelCoordinates:
    def test_each_trial_crosses_each_axis_at_its_value(self, ax):
        columns = {"lr": [0.001, 0.01, 0.1], "decay": [2.0, 0.0, 8.0], "loss": [1.0, 2.0, 5.0]}
        axes = {"lr": Axis("rate", "log"), "decay": Axis("decay", limits=(0, 10)), "loss": LOSS}
        assert parallel_coordinates(ax, columns, axes, value="loss") == 0
        worst_first = [heights for heights, _, _ in curves(ax)]
        assert np.array(worst_first) == pytest.approx(np.array([[1, 0.8, 1], [0.5, 0, 0.25], [0, 0.2, 0]]))
        assert [label.get_text() for label in ax.get_xticklabels()] == ["rate", "decay", "loss"]

    def test_curves_cross_the_axes_at_right_angles_and_stay_between_their_values(self, ax):
        axes = {"lr": Axis("rate"), "decay": Axis("decay"), "loss": LOSS}
        columns = {"lr": [0, 1], "decay": [1, 0], "loss": [1, 2]}
        parallel_coordinates(ax, columns, axes, value="loss")
        for collection in ax.collections:
            for path in collection.get_paths():
                (line,) = path.to_polygons(closed_only=False)
                assert np.diff(line[:, 0]).min() >= 0
                assert (line[:, 1].min(), line[:, 1].max()) == (0, 1)
                assert path.vertices[2, 1] == path.vertices[3, 1] == path.vertices[4, 1]

    def test_objective_is_the_last_axis_wherever_it_is_named(self, ax):
        columns = {"loss": [1.0, 3.0], "lr": [5.0, 4.0], "other": [None, None]}
        parallel_coordinates(ax, columns, {"loss": LOSS, "lr": Axis("rate")}, value="loss")
        assert [label.get_text() for label in ax.get_xticklabels()] == ["rate", "loss"]
        assert heights_at(ax, 1) == [1, 0]

    def test_best_trials_are_drawn_last_and_wide_and_the_very_best_is_black_with_dots(self, ax):
        columns = {"lr": list(range(20)), "loss": [float(19 - trial) for trial in range(20)]}
        parallel_coordinates(ax, columns, {"lr": Axis("rate"), "loss": LOSS}, value="loss", best=5)
        drawn = curves(ax)
        assert heights_at(ax, 1) == pytest.approx(np.linspace(1, 0, 20).tolist())
        widths = [width for _, width, _ in drawn]
        assert set(widths[:15]) == {min(widths)}
        assert all(2 * min(widths) < width < max(widths) for width in widths[15:-1])
        assert widths[-1] == max(widths)
        assert [colour for _, _, colour in drawn[:15]] == [
            to_hex(MAGNITUDES(place)) for place in np.linspace(1, 0, 20)[:15]
        ]
        (next_best,) = {colour for _, _, colour in drawn[15:-1]}
        assert 0.2 < luminance(next_best) < 0.5  # in print, neither the black of the best nor a pale line
        assert drawn[-1][2] == "#000000"
        dots = next(line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata()))
        assert dots.get_ydata().tolist() == drawn[-1][0]
        assert ax.get_legend_handles_labels()[1] == ["best trial", "4 next best", "15 others"]

    def test_colours_grow_lighter_with_the_objective(self):
        assert (np.diff(luminance(MAGNITUDES(np.linspace(0, 1, 50)))) > 0).all()

    def test_trials_without_a_finite_objective_are_counted_and_not_drawn(self, ax):
        columns = {"lr": [1.0, 2.0, 3.0, None, 5.0], "loss": [2.0, None, math.nan, math.inf, 1.0]}
        assert parallel_coordinates(ax, columns, {"lr": Axis("rate"), "loss": LOSS}, value="loss") == 3
        assert heights_at(ax, 1) == [1, 0]
        assert ax.get_legend_handles_labels()[1][-1] == "(3 failed, not drawn)"

    @pytest.mark.parametrize(
        ("axis", "values"),
        [
            (Axis("width", "integer"), [2, 3, 4]),
            (Axis("width", "integer"), list(range(1, 11))),
            (Axis("size", "category", levels=(8, 16, 64)), [8, 16, 64]),
            (
                Axis("act", "category", levels=("relu", "sine", "tanh"), inverted=True),
                ["tanh", "sine", "relu"],
            ),
        ],
    )
    def test_equal_levels_are_spread_evenly_and_little(self, ax, axis, values):
        n = len(values)
        columns = {"x": values * 40, "loss": list(range(40 * n))}
        parallel_coordinates(ax, columns, {"x": axis, "loss": LOSS}, value="loss")
        heights = np.array(heights_at(ax, 0))[::-1].reshape(40, n)  # the first trial is the best
        assert len(np.unique(heights)) == 40 * n
        assert heights.mean(axis=0) == pytest.approx((np.arange(n) + 0.5) / n, abs=0.01)
        assert np.ptp(heights, axis=0).max() < 0.4 / n

    def test_spread_of_a_trial_does_not_depend_on_the_others(self, ax):
        axes = {"x": Axis("width", "integer", limits=(1, 4)), "loss": Axis("loss", limits=(0, 9))}
        parallel_coordinates(ax, {"x": [1, 2, 3], "loss": [3, None, 1]}, axes, value="loss")
        other = Figure().subplots()
        parallel_coordinates(other, {"x": [4, 2, 3, 1], "loss": [4, 8, 1, 2]}, axes, value="loss")
        assert heights_at(ax, 0)[-1] == heights_at(other, 0)[-1]

    def test_inverted_objective_has_the_best_on_top_as_dark_as_before(self, ax):
        columns = {"lr": [1, 2, 3], "loss": [0.1, 1.0, 10.0]}
        axes = {"lr": Axis("rate"), "loss": Axis("loss", "log", inverted=True)}
        parallel_coordinates(ax, columns, axes, value="loss", best=1)
        assert heights_at(ax, 1) == pytest.approx([0, 0.5, 1])
        assert curves(ax)[0][2] == to_hex(MAGNITUDES(1.0))
        (strip,) = ax.images
        assert strip.get_array().ravel()[[0, -1]].tolist() == [1, 0]

    @pytest.mark.parametrize(
        ("axis", "values", "expected"),
        [
            (Axis("", "log"), [0.001, 0.05, 0.1], ["$10^{-3}$", "$10^{-2}$", "$10^{-1}$"]),
            (Axis("", "log"), [1e-12, 1e-6, 1.0], [f"$10^{{{power}}}$" for power in range(-12, 1, 3)]),
            (Axis("", "log"), [0.25, 1, 4], ["$0.5$", "$1$", "$2$"]),
            (Axis("", "log"), [0.17, 0.2, 0.34], ["$0.20$", "$0.25$", "$0.30$"]),
            (Axis("", "linear"), [0.0, 0.3, 0.9], ["$0.0$", "$0.2$", "$0.4$", "$0.6$", "$0.8$"]),
            (Axis("", "integer"), [2, 5, 8], [f"${number}$" for number in range(2, 9)]),
            (Axis("", "integer", limits=(1, 16)), [2, 5, 8], [f"${number}$" for number in range(1, 16, 2)]),
            (Axis("", "category", levels=(8, 32)), [8, 8, 32], ["$8$", "$32$"]),
            (Axis("", "category", levels=("tanh", "relu")), ["tanh"] * 3, ["tanh", "relu"]),
            (Axis("", "category", levels=(0.5, 0.5, 0.25)), [0.5, 0.25, 0.5], ["$0.5$", "$0.25$"]),
            (
                Axis("", "category", levels=([64, 64], [128], "tanh", True, None)),
                [[64, 64], None, [128]],
                ["[64, 64]", "[128]", "tanh", "true", "null"],
            ),
        ],
    )
    def test_numbers_are_few_and_round(self, ax, axis, values, expected):
        columns = {"x": values, "loss": [1, 2, 3]}
        parallel_coordinates(ax, columns, {"x": axis, "loss": LOSS}, value="loss")
        assert numbers(ax, 0) == expected

    @pytest.mark.parametrize("scale", ["linear", "log", "integer"])
    def test_trials_may_all_have_one_value(self, ax, scale):
        columns = {"x": [3, 3], "loss": [2.0, 2.0]}
        parallel_coordinates(ax, columns, {"x": Axis("x", scale), "loss": LOSS}, value="loss")
        assert all(0 < height < 1 for height in heights_at(ax, 0) + heights_at(ax, 1))

    @pytest.mark.parametrize(
        ("axis", "values", "message"),
        [
            (Axis("x"), [1], "one entry for each trial"),
            (Axis("x"), [1, None], "not finite numbers"),
            (Axis("x"), [1, math.nan], "not finite numbers"),
            (Axis("x", limits=(0, 1)), [0.5, 2], "outside its limits, 0 to 1"),
            (Axis("x", "log"), [1, 0], "positive numbers only: 'x' has 0"),
            (Axis("x", "integer"), [1, 1.5], "integers only"),
            (Axis("x", "category", levels=("a", "b")), ["a", "c"], "'x' is 'c', which is none of its levels"),
        ],
    )
    def test_values_that_do_not_lie_on_their_axis_are_refused(self, ax, axis, values, message):
        columns = {"x": values, "loss": [1, 2]}
        with pytest.raises(ValueError, match=message):
            parallel_coordinates(ax, columns, {"x": axis, "loss": LOSS}, value="loss")

    @pytest.mark.parametrize(
        ("columns", "axes", "message"),
        [
            ({"loss": [1]}, {"x": Axis("x"), "loss": LOSS}, "'x' needs both"),
            ({"x": [1], "loss": [1]}, {"x": Axis("x")}, "'loss' needs both"),
            ({"x": [1], "loss": [None]}, {"x": Axis("x"), "loss": LOSS}, "nothing to draw"),
            ({"x": [1], "loss": [1]}, {"x": Axis("x"), "loss": Axis("", "integer")}, "linear or log"),
        ],
    )
    def test_impossible_drawings_are_refused(self, ax, columns, axes, message):
        with pytest.raises(ValueError, match=message):
            parallel_coordinates(ax, columns, axes, value="loss")


def drawn_sweep():
    """Return a figure of 130 trials in seven parameters, three of them failed."""
    draw, n = np.random.default_rng(3), 130
    columns = {
        "depth": draw.integers(1, 4, n),
        "width": draw.integers(2, 9, n),
        "lr": 10 ** draw.uniform(-3, -1, n),
        "batch_size": draw.choice([8, 16, 32, 64], n),
        "activation": draw.choice(["tanh", "relu"], n),
        "initial_scale": 4 ** draw.uniform(-1, 1, n),
        "weight_decay": 10 ** draw.uniform(-6, -2, n),
    }
    losses = 0.17 + 0.03 * (np.log10(columns["lr"]) + 1.5) ** 2 + 0.2 / columns["width"] ** 1.5
    failed = {5, 17, 44}
    columns["loss"] = [None if trial in failed else float(loss) for trial, loss in enumerate(losses)]
    axes = {
        "depth": Axis("depth", "integer"),
        "width": Axis("width", "integer"),
        "lr": Axis("learning\nrate", "log", limits=(1e-3, 1e-1)),
        "batch_size": Axis("batch\nsize", "category", levels=(8, 16, 32, 64)),
        "activation": Axis("activation", "category", levels=("tanh", "relu")),
        "initial_scale": Axis("initial\nscale", "log", limits=(0.25, 4)),
        "weight_decay": Axis("weight\ndecay", "log", limits=(1e-6, 1e-2)),
        "loss": Axis("validation\nloss (nats)", "log"),
    }
    figure = Figure(figsize=(5.9, 3))
    ax = figure.subplots()
    parallel_coordinates(ax, columns, axes, value="loss")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


@pytest.fixture(scope="module")
def sweep():
    with plt.style.context(["default", STYLE], after_reset=True):
        yield drawn_sweep()


class TestPrint:
    """A sweep as it is printed: 130 trials, eight axes, 150 mm."""

    def test_no_text_touches_another_or_leaves_the_figure(self, sweep):
        renderer = FigureCanvasAgg(sweep).get_renderer()
        sweep.draw(renderer)
        (ax,) = sweep.axes
        texts = [*ax.texts, *ax.get_xticklabels()]
        boxes = {(t.get_text(), t.get_window_extent(renderer)) for t in texts}
        assert len(boxes) > 35
        assert [(a, b) for (a, first), (b, second) in combinations(boxes, 2) if first.overlaps(second)] == []
        width, height = sweep.canvas.get_width_height()
        assert [a for a, box in boxes if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height] == []

    def test_no_curve_runs_through_a_number(self, sweep):
        (ax,) = sweep.axes
        lines = [artist.get_zorder() for artist in (*ax.collections, *ax.lines)]
        assert all(text.get_zorder() > max(lines) for text in ax.texts)
        assert {to_hex(text.get_bbox_patch().get_facecolor()) for text in ax.texts} == {"#ffffff"}

    def test_letters_are_text_of_8_points_or_more_in_a_small_vector_file(self, sweep, tmp_path, caplog):
        caplog.set_level(logging.WARNING, logger="matplotlib")
        sweep.savefig(tmp_path / "sweep.pdf")
        assert [record for record in caplog.records if record.name.startswith("matplotlib")] == []
        assert (tmp_path / "sweep.pdf").stat().st_size < 150_000
        (page,) = PdfReader(tmp_path / "sweep.pdf").pages
        words = page.extract_text()
        assert all(word in words for word in ("depth", "activation", "tanh", "relu", "117 others"))
        assert words.count("tanh") == 1
        texts = [*sweep.axes[0].texts, *sweep.axes[0].get_xticklabels(), *sweep.legends[0].get_texts()]
        assert min(text.get_size() for text in texts) >= 8

    def test_equal_sweeps_give_equal_files(self, sweep, tmp_path):
        for name in ("first", "second"):
            drawn_sweep().savefig(tmp_path / f"{name}.pdf", metadata={"CreationDate": None})
        assert (tmp_path / "first.pdf").read_bytes() == (tmp_path / "second.pdf").read_bytes()


class TestHistory:
    VALUES = (3.0, 2.0, None, 4.0, 1.0, 2.5)

    def test_trials_stand_in_order_with_a_marker_for_each_phase(self, ax):
        history(ax, self.VALUES, startup=3)
        random, proposed = (c for c in ax.collections if isinstance(c, PathCollection))
        assert np.ma.compressed(random.get_offsets()[:, 1]).tolist() == [3, 2]
        assert np.asarray(proposed.get_offsets()).tolist() == [[4, 4], [5, 1], [6, 2.5]]
        shapes = [collection.get_paths()[0].vertices.tolist() for collection in (random, proposed)]
        assert shapes[0] != shapes[1]

    def test_line_is_the_least_so_far(self, ax):
        history(ax, self.VALUES, startup=3)
        line = next(line for line in ax.lines if line.get_label() == "least so far")
        assert line.get_drawstyle() == "steps-post"
        assert line.get_xdata().tolist() == [1, 2, 3, 4, 5, 6]
        assert line.get_ydata().tolist() == [3, 2, 2, 2, 1, 1]

    def test_failed_trials_are_crosses_on_the_edge(self, ax):
        history(ax, self.VALUES, startup=6)
        crosses = next(line for line in ax.lines if line.get_label() == "failed")
        assert crosses.get_xdata().tolist() == [3]
        assert ax.get_legend_handles_labels()[1] == ["random trial", "least so far", "failed"]

    @pytest.mark.parametrize("startup", [-1, 7])
    def test_more_first_trials_than_there_are_are_refused(self, ax, startup):
        with pytest.raises(ValueError, match="of 6 trials"):
            history(ax, self.VALUES, startup)


class TestImportance:
    def test_the_greatest_is_on_top_with_its_interval(self, ax):
        importance_bars(ax, {"width": (0.2, 0.1, 0.4), "rate": (0.7, 0.5, 0.8), "depth": (0.1, 0.12, 0.2)})
        assert [label.get_text() for label in ax.get_yticklabels()] == ["depth", "width", "rate"]
        (dots,) = ax.lines
        assert dots.get_xdata().tolist() == [0.1, 0.2, 0.7]
        _, bars = ax.collections
        ends = [path.vertices[:, 0].tolist() for path in bars.get_paths()]
        assert ends == [[0.12, 0.2], [0.1, 0.4], [0.5, 0.8]]
        assert ax.get_xlim()[0] == 0

    @pytest.mark.parametrize("wrong", [{}, {"x": (0.2, 0.3, 0.1)}, {"x": (0.2, math.nan, 0.3)}])
    def test_other_intervals_are_refused(self, ax, wrong):
        with pytest.raises(ValueError, match="low <= high"):
            importance_bars(ax, wrong)

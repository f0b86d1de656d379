"""Figures as files: the same bytes for the same figure, and what a check must know of them."""

import csv
import hashlib
import os

import matplotlib as mpl
import numpy as np
import pandas as pd
import projects
import pypdf
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure
from PIL import Image

from labreport.errors import ExperimentError
from labreport.running import Lab, figures


@pytest.fixture
def lab(tmp_path):
    project = projects.make(tmp_path / "p", {})
    folder = tmp_path / "staged"
    folder.mkdir()
    return Lab(project, "exp", {}, folder=folder)


def drawing(**kwargs) -> Figure:
    figure = Figure(figsize=(3, 2), **kwargs)
    axes = figure.subplots()
    axes.plot([1, 2], [3, 1], label="loss")
    axes.set_xlabel("epoch")
    return figure


def facts(figure, lab):
    lab.figure("x", figure, alt="x")
    return lab.figures["x"]


def test_a_figure_has_its_size_in_print_and_on_screen(lab):
    found = facts(drawing(), lab)
    assert (found["width_mm"], found["height_mm"]) == (76.2, 50.8)
    page = pypdf.PdfReader(lab.folder / "x.pdf").pages[0].mediabox
    assert (float(page.width), float(page.height)) == (216.0, 144.0)  # points: 72 to an inch
    with Image.open(lab.folder / "x.png") as image:
        assert image.size == (600, 400)


def test_the_size_stays_even_if_the_style_says_tight(lab):
    with mpl.rc_context({"savefig.bbox": "tight"}), pytest.warns(UserWarning, match="'tight' does not count"):
        facts(drawing(), lab)
    assert float(pypdf.PdfReader(lab.folder / "x.pdf").pages[0].mediabox.width) == 216.0


def test_the_files_hold_no_dates_and_no_names_of_programs(lab):
    facts(drawing(), lab)
    assert not pypdf.PdfReader(lab.folder / "x.pdf").metadata
    with Image.open(lab.folder / "x.png") as image:
        assert set(image.info) == {"dpi"}


def test_the_same_figure_has_the_same_bytes(lab, monkeypatch):
    digests = set()
    for name, time in (("a", "0"), ("b", "1000000000")):
        monkeypatch.setitem(os.environ, "SOURCE_DATE_EPOCH", time)
        lab.figure(name, drawing(), alt="x")
        files = [lab.folder / f"{name}.{kind}" for kind in ("pdf", "png")]
        digests.add(tuple(hashlib.sha256(file.read_bytes()).digest() for file in files))
    assert len(digests) == 1


def test_the_smallest_text_is_the_smallest_that_is_drawn(lab):
    figure = drawing()
    axes = figure.axes[0]
    axes.tick_params(labelsize=9)
    axes.text(1, 1, "small", fontsize=6.5)
    axes.text(1, 1, "hidden", fontsize=2, visible=False)
    axes.text(1, 1, " ", fontsize=1)
    assert facts(figure, lab)["smallest_text_pt"] == 6.5


def test_a_figure_without_text_has_no_smallest_text(lab):
    figure = Figure()
    figure.add_axes((0, 0, 1, 1)).set_axis_off()
    assert facts(figure, lab)["smallest_text_pt"] is None


def test_each_pair_of_axes_says_its_labels_legend_and_series(lab):
    figure = Figure(layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot([1, 2], label="a")
    left.plot([2, 1], label="b")
    left.set(xlabel="x", ylabel="y", title="both")
    left.legend()
    image = right.imshow([[1, 2], [3, 4]])
    figure.colorbar(image, ax=right).set_label("loss")
    found = facts(figure, lab)
    names = ("title", "xlabel", "ylabel", "series", "legend", "colorbar")
    assert [tuple(axes[name] for name in names) for axes in found["axes"]] == [
        ("both", "x", "y", 2, True, False),
        ("", "", "", 0, False, False),
        ("", "", "loss", 0, False, True),
    ]
    assert (found["series"], found["legend"]) == (2, True)


def no_labels(figure):
    figure.subplots().plot([1, 2])


def label_of_one(figure):
    figure.subplots().set(xlabel="epoch")


def labels_of_the_outer_panels(figure):
    axes = figure.subplots(2, 2, sharex=True, sharey=True)
    for panel in axes.flat:
        panel.tick_params(labelbottom=True, labelleft=True)
    axes[1, 0].set(xlabel="x", ylabel="y")


def panels_that_share_nothing(figure):
    left, right = figure.subplots(1, 2)
    left.set(xlabel="x", ylabel="y")
    right.set(xlabel="x")


def inner_panels_without_numbers(figure):
    left, right = figure.subplots(1, 2)
    left.set(xlabel="x", ylabel="y")
    right.set(xlabel="x")
    right.tick_params(labelleft=False)


def labels_of_the_figure(figure):
    figure.subplots(1, 2)
    figure.supxlabel("x")


def words_as_ticks(figure):
    figure.subplots().barh(["depth 1", "depth 2"], [1, 2])


def a_drawing(figure):
    figure.subplots().set_axis_off()


def a_scale_with_a_title(figure):
    axes = figure.subplots()
    axes.set(xlabel="x", ylabel="y")
    figure.colorbar(axes.imshow([[1, 2]])).ax.set_title("loss")


def powers(figure):
    figure.subplots().set(xscale="log", ylabel="y")


@pytest.mark.parametrize(
    ("draw", "unnamed"),
    [
        (no_labels, [["x", "y"]]),
        (label_of_one, [["y"]]),
        (labels_of_the_outer_panels, [[]] * 4),
        (panels_that_share_nothing, [[], ["y"]]),
        (inner_panels_without_numbers, [[], []]),
        (labels_of_the_figure, [["y"], ["y"]]),
        (words_as_ticks, [["x"]]),
        (a_drawing, [[]]),
        (a_scale_with_a_title, [[], []]),
        (powers, [["x"]]),
    ],
)
def test_axes_are_unnamed_if_they_show_numbers_and_nothing_says_of_what(lab, draw, unnamed):
    figure = Figure()
    draw(figure)
    found = facts(figure, lab)["axes"]
    assert [axes["unnamed"] for axes in found] == unnamed
    assert [axes["diagram"] for axes in found] == [draw is a_drawing] * len(found)


def test_what_reaches_beyond_the_edge_is_measured(lab):
    figure = Figure(figsize=(3, 2))
    axes = figure.add_axes((0.25, 0.25, 0.7, 0.7))
    lab.figure("inside", figure, alt="x")
    assert lab.figures["inside"]["cut_mm"] == 0.0
    axes.text(0, 0, "x", transform=figure.transFigure, fontsize=10, ha="right")
    lab.figure("cut", figure, alt="x")
    assert 1.0 < lab.figures["cut"]["cut_mm"] < 3.0  # an x of 10 points is about 2 mm wide


def scatter_by_value(axes):
    axes.scatter([1, 2, 3], [1, 2, 3], c=[0.1, 0.5, 0.9])


def two_scatters(axes):
    axes.scatter([1], [1], color="red")
    axes.scatter([2], [2], color="blue")


def many_lines_of_one_colour(axes):
    for i in range(50):
        axes.plot([0, i], color="grey")


def bars_of_two_colours(axes):
    axes.bar([1, 2], [1, 2], color="red")
    axes.bar([1, 2], [1, 2], color="blue")


def empty_and_hidden(axes):
    axes.plot([], [])
    axes.plot([1, 2], color="red", visible=False)
    axes.plot([1, 2], color="blue")


@pytest.mark.parametrize(
    ("draw", "series"),
    [
        (scatter_by_value, 0),
        (two_scatters, 2),
        (many_lines_of_one_colour, 1),
        (bars_of_two_colours, 2),
        (empty_and_hidden, 1),
    ],
)
def test_series_are_groups_of_data_that_look_different(lab, draw, series):
    figure = Figure()
    draw(figure.subplots())
    assert facts(figure, lab)["series"] == series


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame({"x": [1, 2], "y": [0.5, None]}),
        {"x": np.array([1, 2]), "y": [0.5, float("nan")]},
        [{"x": 1, "y": 0.5}, {"x": 2, "y": None}],
    ],
    ids=["frame", "columns", "rows"],
)
def test_the_data_behind_a_figure_is_kept_as_csv(lab, data):
    lab.figure("x", drawing(), alt="x", data=data)
    assert (lab.folder / "x.csv").read_text() == "x,y\n1,0.5\n2,\n"


@pytest.mark.parametrize("make", [pd.DataFrame, dict], ids=["frame", "columns"])
def test_data_with_the_carriage_return_of_a_text_read_back_as_they_were(lab, make):
    data = {"word": ["x", "\r", "q\r\n", None], "n\r": [1, 2, 3, 4]}
    lab.figure("x", drawing(), alt="x", data=make(data))
    with (lab.folder / "x.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [["word", "n\r"], ["x", "1"], ["\r", "2"], ["q\r\n", "3"], ["", "4"]]


def test_files_are_kept_beside_a_figure_under_their_names(lab):
    lab.figure("x", drawing(), alt="x", files={"run-1.log": b"\0one", "x.txt": b"two"})
    assert (lab.folder / "run-1.log").read_bytes() == b"\0one"
    assert (lab.folder / "x.txt").read_bytes() == b"two"
    assert lab.figures["x"]["files"] == ["run-1.log", "x.txt"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("../out.log", b"", "not a valid name"),
        ("a/b.log", b"", "not a valid name"),
        (".hidden", b"", "not a valid name"),
        ("", b"", "not a valid name"),
        ("other.pdf", b"", "not a valid name"),
        ("figures.json", b"", "not a valid name"),
        ("run.log", "text", "is a str, not bytes"),
        ("again.log", b"", "'again.log' twice"),
    ],
)
def test_files_that_cannot_be_kept_are_named_with_a_cure(lab, name, content, message):
    lab.figure("first", drawing(), alt="x", files={"again.log": b"1"})
    with pytest.raises(ExperimentError) as caught:
        lab.figure("x", drawing(), alt="x", files={name: content})
    assert message in caught.value.what
    assert caught.value.cure
    assert (lab.folder / "again.log").read_bytes() == b"1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "Big Figure"}, "the name is not a valid file name"),
        ({"name": "../x"}, "the name is not a valid file name"),
        ({"name": "x.pdf"}, "the name is not a valid file name"),
        ({"name": ""}, "the name is not a valid file name"),
        ({"alt": ""}, "has no alternative text"),
        ({"alt": " \n"}, "has no alternative text"),
        ({"alt": None}, "has no alternative text"),
        ({"figure": "axes"}, "is a str, not a matplotlib Figure"),
        ({"figure": Figure()}, "is empty: it has no axes"),
        ({"data": {"x": [1], "y": [1, 2]}}, "has columns of different lengths"),
        ({"data": 3}, "the data of figure 'line' of experiment 'exp' is an int"),
    ],
)
def test_what_cannot_be_kept_is_named_with_a_cure(lab, arguments, message):
    good = {"name": "line", "figure": drawing(), "alt": "x"}
    with pytest.raises(ExperimentError) as caught:
        lab.figure(**{**good, **arguments})
    assert message in caught.value.what
    assert caught.value.cure


def test_a_name_is_used_once(lab):
    lab.figure("x", drawing(), alt="x")
    with pytest.raises(ExperimentError, match="is stored twice"):
        lab.figure("x", drawing(), alt="x")


def test_a_style_is_applied_over_the_defaults_and_all_figures_are_closed(tmp_path):
    style = tmp_path / "figures.mplstyle"
    style.write_text("font.size: 7\n")
    with mpl.rc_context({"lines.linewidth": 9, "font.size": 20}):
        with figures.style(style):
            assert mpl.rcParams["font.size"] == 7
            assert mpl.rcParams["lines.linewidth"] == mpl.rcParamsDefault["lines.linewidth"]
            pyplot.figure()
        assert pyplot.get_fignums() == []
        assert mpl.rcParams["font.size"] == 20
    with figures.style(tmp_path / "none.mplstyle"):
        assert mpl.rcParams["font.size"] == mpl.rcParamsDefault["font.size"]


def test_without_a_style_nothing_is_cut_off_and_letters_stay_letters(lab, tmp_path):
    with figures.style(tmp_path / "none.mplstyle"):
        figure, axes = pyplot.subplots(1, 2, figsize=(5, 2))
        axes[0].set(xlabel="a name below", ylabel="a long name\nbeside")
        axes[1].set(xlabel="$x^2$", ylabel="in the other's way")
        found = facts(figure, lab)
        assert (found["width_mm"], found["height_mm"]) == (127, 50.8)
        assert found["cut_mm"] < 0.2
        boxes = [one.get_tightbbox().bounds for one in axes]
        assert boxes[0][0] + boxes[0][2] <= boxes[1][0]
    fonts = pypdf.PdfReader(lab.folder / "x.pdf").pages[0]["/Resources"]["/Font"]
    assert {font.get_object()["/Subtype"] for font in fonts.values()} == {"/Type0"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: pyplot.subplots(layout="compressed")[0],
        lambda: pyplot.subplots(gridspec_kw={"left": 0.3})[0],
        lambda: pyplot.subplots()[0].subplots_adjust(left=0.3) or pyplot.gcf(),
        lambda: pyplot.subplots()[0].tight_layout() or pyplot.gcf(),
        lambda: pyplot.axes((0.2, 0.2, 0.5, 0.5)).figure,
    ],
)
def test_where_somebody_has_put_the_axes_they_stay(lab, tmp_path, make):
    with figures.style(tmp_path / "none.mplstyle"):
        figure = make()
        figure.canvas.draw()
        before = figure.axes[0].get_position().bounds
        facts(figure, lab)
        assert figure.axes[0].get_position().bounds == pytest.approx(before, abs=0.01)

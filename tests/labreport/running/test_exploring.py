"""What `lab.figure(explore=…)` says, checked against the data and complete."""

import numpy as np
import pandas as pd
import projects
import pytest
from matplotlib.figure import Figure

from labreport.errors import ExperimentError
from labreport.results import Drawing, Fingerprint, publish_drawing, recorded_drawing
from labreport.running import Lab

TRIALS = {
    "number": [0, 1, 2],
    "activation": ["relu", "tanh", "relu"],
    "loss": [0.3, None, 0.1],
    "note": ["", "", ""],
}
QUANTILES = pd.DataFrame(
    {
        "outcome": ["solved", "solved", "stuck", "stuck"],
        "epoch": [0, 10, 0, 10],
        "q05": [0.1, 0.1, 0.6, 0.6],
        "q25": [0.2, 0.2, 0.6, 0.6],
        "median": [0.3, 0.3, 0.7, 0.7],
        "q75": [0.4, 0.4, 0.8, 0.8],
        "q95": [0.5, 0.5, 0.9, 0.9],
        "share": [0.0, 0.9, 0.0, 0.1],
    }
)
RUNS = [{"run": run, "epoch": epoch, "loss": 1.0 / (epoch + 1)} for run in (0, 1) for epoch in (0, 1, 2)]


@pytest.fixture
def lab(tmp_path):
    folder = tmp_path / "p" / "build" / "results" / "exp" / "staged"
    folder.mkdir(parents=True)
    return Lab(projects.make(tmp_path / "p", {}), "exp", {}, folder=folder)


def explored(lab, explore, data):
    figure = Figure()
    figure.subplots()
    lab.figure("x", figure, alt="x", data=data, explore=explore)
    return lab.figures["x"]["explore"]


def lines(x, by, y, **bands):
    return {"kind": "lines", "x": x, "by": by, "y": y, "bands": bands}


def test_parallel_axes_take_all_columns_and_colour_by_the_last_of_numbers(lab):
    expected = {"kind": "parallel", "columns": ["number", "activation", "loss", "note"], "colour": "loss"}
    assert explored(lab, "parallel", TRIALS) == expected


def test_parallel_axes_take_the_columns_that_are_named(lab):
    said = {"kind": "parallel", "columns": ["loss", "activation"], "colour": "number"}
    assert explored(lab, said, pd.DataFrame(TRIALS)) == said


LINES = {
    "text tells curves apart, quantiles are bands": (
        "lines",
        QUANTILES,
        lines("epoch", ["outcome"], ["median", "share"], median=[["q05", "q95"], ["q25", "q75"]]),
    ),
    "whole numbers tell apart where it takes them": ("lines", RUNS, lines("epoch", ["run"], ["loss"])),
    "those of numpy, too": (
        "lines",
        [
            {"run": np.int64(row["run"]), "epoch": row["epoch"], "loss": np.float32(row["loss"])}
            for row in RUNS
        ],
        lines("epoch", ["run"], ["loss"]),
    ),
    "whole numbers stay values where it takes none": (
        "lines",
        {"n": [5, 7], "step": [1, 2], "loss": [0.5, 0.2]},
        lines("step", [], ["n", "loss"]),
    ),
    "without a usual name, x is the first column of numbers": (
        "lines",
        {"name": ["a", "a"], "size": [1, 2], "loss_low": [0, 0], "loss": [1, 1], "loss_high": [2, 2]},
        lines("size", [], ["loss"], loss=[["loss_low", "loss_high"]]),
    ),
    "bounds belong to the median of the same stem": (
        "lines",
        {"h": [1, 2], "a_median": [1, 1], "a_min": [0, 0], "a_max": [2, 2], "b_min": [0, 0], "b_max": [2, 2]},
        lines("h", [], ["a_median", "b_min", "b_max"], a_median=[["a_min", "a_max"]]),
    ),
    "columns of a list of dicts may have gaps, and names that are numbers": (
        "lines",
        [{1: 0, 2: 0.5, "epoch": 1}, {1: 0, 2: float("nan"), "epoch": 2}, {1: 1, "epoch": 1}],
        lines("epoch", ["1"], ["2"]),
    ),
    "all can be said": (
        {"kind": "lines", "x": "q05", "by": "outcome", "y": ["share", "q25"]},
        QUANTILES.assign(q05=[0, 1, 0, 1]),
        lines("q05", ["outcome"], ["share", "q25"]),
    ),
}


@pytest.mark.parametrize(("explore", "data", "expected"), LINES.values(), ids=LINES)
def test_lines_find_x_curves_values_and_bands(lab, explore, data, expected):
    assert explored(lab, explore, data) == expected


WRONG = [
    ("circles", TRIALS, "as 'circles'", 'say "parallel" or "lines"'),
    (7, TRIALS, "as an int", 'say "parallel" or "lines"'),
    ({"columns": ["loss"]}, TRIALS, "as None", 'say "parallel" or "lines"'),
    ("lines", None, "has no data", "data=…"),
    ({"kind": "parallel", "color": "loss"}, TRIALS, "no setting 'color'", "did you mean 'colour'?"),
    (
        {"kind": "parallel", "colour": "los"},
        TRIALS,
        "colour='los', which is no column",
        "did you mean 'loss'?",
    ),
    (
        {"kind": "parallel", "colour": "activation"},
        TRIALS,
        "not a column of numbers",
        "another column for colour",
    ),
    ({"kind": "parallel", "columns": 3}, TRIALS, "columns=3", "a text or a list of texts"),
    ({"kind": "lines", "x": ["number", "loss"]}, TRIALS, "x=['number', 'loss']", "name one column"),
    ({"kind": "lines", "y": []}, TRIALS, "y=[]", "a list of texts"),
    ("parallel", {"loss": [1, 2]}, "1 column and 2 rows", "two columns and two rows"),
    ("parallel", {"a": [1], "b": [2]}, "2 columns and 1 row", "two columns and two rows"),
    ("parallel", {"a": ["x", "y"], "b": ["x", "y"]}, "no column of numbers", "add such a column"),
    ("lines", {"a": ["x", "y"], "solved": [True, False]}, "no column of numbers for x", "add such a column"),
    (
        "lines",
        {"epoch": [0, 1], "name": ["x", "y"]},
        "no column of numbers beside epoch",
        "what the curves show",
    ),
    ("lines", {"epoch": [0, 0], "loss": [0.5, 0.25]}, "several rows for one epoch", '"by": […]'),
    (
        "parallel",
        {"a": [1, 2], "b": [0.5, float("inf")]},
        "its column 'b' has an infinite value",
        "leave the value out",
    ),
    (
        "parallel",
        pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]),
        "two columns of one name",
        "a name of its own",
    ),
    ({"kind": "lines", "by": "outcome"}, RUNS, "by='outcome', which is no column", "the names here are"),
]


@pytest.mark.parametrize(("explore", "data", "what", "cure"), WRONG)
def test_what_cannot_be_explored_is_told_with_a_cure(lab, explore, data, what, cure):
    with pytest.raises(ExperimentError) as caught:
        explored(lab, explore, data)
    assert "figure 'x' of experiment 'exp'" in str(caught.value)
    assert what in str(caught.value)
    assert cure in caught.value.cure


def test_the_settings_are_recorded_with_the_figure(lab):
    expected = explored(lab, "lines", RUNS)
    publish_drawing("exp", lab.folder, lab.figures, Fingerprint(), {})
    drawing = recorded_drawing(lab.project, "exp")
    assert isinstance(drawing, Drawing)
    assert drawing.figures["x"].explore == expected


@pytest.mark.parametrize("data", [TRIALS, pd.DataFrame(TRIALS)])
def test_a_figure_that_is_not_explored_says_nothing_of_it(lab, data):
    figure = Figure()
    figure.subplots()
    lab.figure("x", figure, alt="x", data=data)
    assert "explore" not in lab.figures["x"]

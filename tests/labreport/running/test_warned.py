"""Warnings of experiments are told with their place: how many, the first one, for each figure."""

import pytest
from projects import experiment, make, run

from labreport.results import recorded_drawing

HELPER = """
import warnings
from matplotlib import rcParams
rcParams["font.size"] = 13
rcParams["savefig.bbox"] = "tight"

def shaky(x):
    warnings.warn(f"shaky {x}", RuntimeWarning, stacklevel=2)
    return x
"""
BODY = """
import warnings
import numpy as np
from helper import shaky

def run(params, lab):
    shaky(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shaky(2)
    np.log(np.zeros(2) - params.seed)
    lab.map(shaky, [5, 6])
    return {}

def draw(result, lab):
    from matplotlib import pyplot
    for name in ("a", "b"):
        figure, axes = pyplot.subplots()
        axes.set_title("李")
        if name == "b":
            axes.set_title("$李$")
            axes.set_xscale("log")
            axes.plot([0, 1], [-1, -2])
            axes.set_yscale("log")
        lab.figure(name, figure, alt="It rises.")
    pyplot.show()
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    project = make(tmp_path_factory.mktemp("warned"), {"exp": experiment(BODY)}, src={"helper.py": HELPER})
    events = []
    run(project, jobs=2, events=events.append)
    return project, [(event.phase, event.label) for event in events if event.kind == "notice"]


def test_warnings_of_a_run_and_of_its_items_are_one_line(told):
    (line,) = (label for phase, label in told[1] if phase == "run")
    assert line.startswith(
        "4 warnings, the first at experiments/exp.py:17: RuntimeWarning: shaky 1 (all are in"
    )
    log = (told[0].log / "exp.log").read_text()
    assert all(text in log for text in ("shaky 1", "divide by zero", "shaky 5", "shaky 6"))
    assert "shaky 2" not in log


def test_each_figure_has_a_line_with_what_matplotlib_says(told):
    a, b = sorted(label for phase, label in told[1] if phase == "draw")
    assert a.startswith(
        "figure 'a': 2 warnings, the first at experiments/exp.py:35: UserWarning: Glyph 26446 "
    )
    assert b.startswith(
        "figure 'b': 3 warnings, the first at experiments/exp.py:34: UserWarning: Data has no positive values"
    )
    assert "savefig.bbox = 'tight' does not count" in (told[0].log / "exp.draw.log").read_text()


def test_what_is_missing_is_recorded_with_the_drawing(told):
    figures = recorded_drawing(told[0], "exp").figures
    assert [figures[name].unshown for name in ("a", "b")] == [["李"], ["李"]]
    assert figures["a"].smallest_text_pt == pytest.approx(13, abs=0.1)

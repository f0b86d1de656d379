"""What `plan` prints: readable on a terminal, whole in a pipe, and what it will take."""

import projects
import pytest

from labreport import outcomes, overview
from labreport.overview import Row
from labreport.running import Step


def step(name="coin", state="stale", phase="run", cost=2.0, reasons=("n was 1, is 2",)):
    return Step(name, phase, state, reasons, cost, 0.0 if state in ("fresh", "stored") else cost)


ROWS = [
    Row("depth_width", "stale", "3 min 10 s", tuple(f"src/nets.py:layer_{n} changed" for n in range(6))),
    Row("coin", "stale", "2.0 s", ("n was 1, is 2",)),
    Row("dice", "fresh", "", ()),
]


def test_a_table_in_a_pipe_holds_every_reason_on_the_line_of_its_row():
    changed = "; ".join(f"src/nets.py:layer_{n} changed" for n in range(6))
    assert overview.table(ROWS) == [
        "what         state  last time   why",
        f"depth_width  stale  3 min 10 s  {changed}",
        "coin         stale  2.0 s       n was 1, is 2",
        "dice         fresh",
    ]


def test_a_table_on_a_terminal_breaks_long_reasons_below_their_row():
    assert overview.table(ROWS, 80) == [
        "what         state  last time   why",
        "depth_width  stale  3 min 10 s",
        "    src/nets.py:layer_0 changed; src/nets.py:layer_1 changed;",
        "    src/nets.py:layer_2 changed; and 3 more",
        "coin         stale  2.0 s       n was 1, is 2",
        "dice         fresh",
    ]


@pytest.mark.parametrize("width", [20, 40, 80])
def test_reasons_never_stick_out_of_a_terminal(width):
    rows = [Row("a", "stale", "", (f"src/{'x' * 200}.py changed", "n was 1, is 2"))]
    lines = overview.table(rows, width)
    assert max(map(len, lines[1:])) <= width
    assert "n was 1, is 2" in " ".join(line.strip() for line in lines).replace("; ", ";").replace(";", " ")


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        ([step(state="fresh"), step(state="fresh")], "no experiment would run: 2 experiments up to date"),
        (
            [step(cost=170), step(cost=20), step(state="fresh")],
            "2 of 3 experiments would run: about 3 min 10 s",
        ),
        ([step(cost=20), step(cost=None)], "2 of 2 experiments would run: about 20 s, 1 unknown"),
        ([step(cost=None)], "1 of 1 experiment would run: how long is unknown"),
        (
            [step(cost=20), step(state="maybe", cost=15), step(phase="draw", cost=1.5)],
            "1 of 3 experiments would run, 1 would only draw, 1 may run after those: about 22 s, up to 36 s",
        ),
        ([step(state="stored")], "1 of 1 experiment would be restored from the store"),
        (
            [step(state="stored", phase="draw"), step(cost=20)],
            "1 of 2 experiments would run, 1 would be restored from the store: about 20 s",
        ),
    ],
)
def test_one_line_says_how_many_would_run_and_how_long_they_took(steps, line):
    assert overview.summary(steps) == line


def test_the_details_of_an_experiment_are_all_its_reasons():
    told = overview.details(step(reasons=tuple("abcdefgh")))
    assert told == ["coin: stale (last time 2.0 s)", *(f"  {reason}" for reason in "abcdefgh")]
    assert overview.details(step(state="fresh", cost=None, reasons=())) == ["coin: fresh"]


def documents(tmp_path, **kwargs):
    project = projects.make(tmp_path, {})
    plan = {"experiments": (), "notebooks": {"walk": ()}, "handin": ()}
    plan |= {
        "reports": {project.pdf: kwargs.pop("report", ())},
        "pages": {project.page: kwargs.pop("page", ())},
    }
    rows = overview.rows(project, outcomes.Plan(**plan | kwargs))
    return {row.what: (row.state, row.reasons) for row in rows if row.what not in ("coin", *"abcd")}


def test_documents_come_after_what_they_are_made_from(tmp_path):
    names = ("build/report.pdf", "notebook walk", "build/report.html", "build/submission")
    fresh = dict.fromkeys(names, ("fresh", ()))
    assert documents(tmp_path) == fresh
    assert documents(tmp_path, experiments=[step(state="stored")]) == dict.fromkeys(
        fresh, ("after", ("after coin",))
    )
    steps = [step(name) for name in "abcd"]
    assert documents(tmp_path, experiments=steps)["build/report.pdf"] == ("after", ("after 4 experiments",))
    assert documents(tmp_path, report=("never made",)) == {
        **fresh,
        "build/report.pdf": ("stale", ("never made",)),
        "build/report.html": ("after", ("after build/report.pdf",)),
        "build/submission": ("after", ("after build/report.pdf",)),
    }
    assert documents(tmp_path, page=("never made",)) == {
        **fresh,
        "build/report.html": ("stale", ("never made",)),
    }
    assert documents(tmp_path, handin=("never packed",)) == {
        **fresh,
        "build/submission": ("stale", ("never packed",)),
    }


def test_a_quick_build_has_no_hand_in(tmp_path):
    assert "build/submission" not in documents(tmp_path, handin=None)

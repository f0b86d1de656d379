"""What was computed once and is right again is restored, and nothing runs."""

import shutil

import projects
import pytest
from projects import experiment, make, reasons, returning, run, states

from labreport import running
from labreport.results import store

DRAWN = """
from helper import double

COLOUR = "red"

def run(params, lab):
    return {"x": [1, double(params.n)]}

def draw(result, lab):
    from matplotlib.figure import Figure
    figure = Figure(figsize=(1, 1))
    figure.subplots().plot(result.values["x"], color=COLOUR)
    lab.figure("line", figure, alt="a line")
"""
N = "@dataclass(frozen=True)\nclass Params:\n    n: int = 1\n"


def made(project):
    """Return the bytes of all results and figures, with their records of time and place."""
    found = [path for path in project.results.rglob("*") if path.is_file()]
    return {path.relative_to(project.results).as_posix(): path.read_bytes() for path in found}


def restored(project, **kwargs):
    """Build, and return the phases that were restored; any that runs or draws is an error of the test."""
    events = []
    outcome = run(project, events=events.append, **kwargs)
    assert outcome.ran == ()
    assert [event for event in events if event.kind == "started"] == []
    return [(event.experiment, event.phase) for event in events if event.kind == "restored"]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A project whose experiment `a` draws; `b` needs `a`, and `c` needs `b`."""
    project = make(
        tmp_path_factory.mktemp("chain"),
        {
            "a": experiment(DRAWN, params=N),
            "b": returning('{"even": lab.result("a").values["x"][1] % 4 == 0}', needs=("a",)),
            "c": returning('{"b": lab.result("b").values["even"]}', needs=("b",)),
        },
        src={"helper.py": "def double(x):\n    return 2 * x\n"},
    )
    run(project)
    return project


@pytest.fixture
def chain(ran, tmp_path):
    shutil.copytree(ran.root, tmp_path, dirs_exist_ok=True)
    return projects.projects.load(tmp_path)


def set_n(project, old, new):
    projects.change(project.experiments / "a.py", f"n: int = {old}", f"n: int = {new}")


def test_a_parameter_there_and_back_runs_nothing_and_gives_the_same_bytes(chain):
    first = made(chain)
    set_n(chain, 1, 2)
    assert run(chain).ran == ("a", "b", "c")
    second = made(chain)
    set_n(chain, 2, 1)
    assert states(chain) == {"a": "stored run", "b": "stored run", "c": "stored run"}
    assert reasons(chain, "a") == ("n was 2, is 1", "figures: the result of a changed")
    assert sorted(restored(chain)) == [("a", "draw"), ("a", "run"), ("b", "run"), ("c", "run")]
    assert made(chain) == first
    assert states(chain) == dict.fromkeys("abc", "fresh")
    set_n(chain, 1, 2)  # and forth again: what was restored over is kept, too
    restored(chain)
    assert made(chain) == second


def test_a_setting_of_one_run_is_undone_by_the_next_build_without_running(chain):
    first = made(chain)
    run(chain, ["a"], settings={"a": {"n": "4"}})
    assert made(chain) != first
    assert restored(chain) == [("a", "run"), ("a", "draw")]
    assert made(chain) == first
    assert restored(chain, names=["a"], settings={"a": {"n": "4"}}) == [("a", "run"), ("a", "draw")]


def test_a_branch_with_other_code_and_back_runs_nothing(chain):
    first = made(chain)
    trunk = {path: path.read_bytes() for path in chain.root.rglob("*.py")}
    projects.change(chain.root / "src" / "helper.py", "2 * x", "4 * x")
    projects.change(chain.experiments / "a.py", '"red"', '"blue"')
    projects.write(chain.experiments / "d.py", returning("{}"))
    run(chain)
    for path in chain.root.rglob("*.py"):
        path.write_bytes(trunk[path]) if path in trunk else path.unlink()
    shutil.rmtree(chain.results / "d")
    assert {step.cost for step in running.plan(chain)} == {0.0}
    restored(chain)
    assert made(chain) == first


def test_another_colour_there_and_back_draws_nothing(chain):
    first = made(chain)
    projects.change(chain.experiments / "a.py", '"red"', '"blue"')
    assert run(chain).ran == ("a",)
    projects.change(chain.experiments / "a.py", '"blue"', '"red"')
    assert states(chain)["a"] == "stored draw"
    assert restored(chain) == [("a", "draw")]
    assert made(chain) == first


def test_a_drawing_that_is_not_in_the_store_is_drawn_from_a_restored_result(chain):
    set_n(chain, 1, 2)
    run(chain)
    set_n(chain, 2, 1)
    projects.change(chain.experiments / "a.py", '"red"', '"blue"')
    assert states(chain)["a"] == "stale draw"
    events = []
    assert run(chain, events=events.append).ran == ("a",)
    did = [(e.kind, e.phase) for e in events if e.experiment == "a"]
    assert did == [("restored", "run"), ("started", "draw"), ("finished", "draw")]


def test_what_needs_a_restored_result_stays_fresh_if_it_used_the_same_content(chain):
    set_n(chain, 1, 2)
    run(chain, ["a"])
    assert states(chain) == {"a": "fresh", "b": "stale run", "c": "maybe run"}
    set_n(chain, 2, 1)
    assert states(chain) == {"a": "stored run", "b": "fresh", "c": "fresh"}
    assert restored(chain) == [("a", "run"), ("a", "draw")]


def test_a_drawing_that_used_other_results_is_right_only_with_the_same_ones(tmp_path):
    draw = DRAWN.replace('result.values["x"]', 'lab.result("a").values["x"]')
    project = make(
        tmp_path,
        {"a": returning('{"x": [1, params.n]}', params=N), "b": experiment(draw, params=N, needs=("a",))},
        src={"helper.py": "def double(x):\n    return 0\n"},
    )
    run(project)
    first = made(project)
    set_n(project, 1, 2)
    events = []
    run(project, events=events.append)
    assert ("b", "draw") in [(e.experiment, e.phase) for e in events if e.kind == "finished"]
    set_n(project, 2, 1)
    assert ("b", "draw") in restored(project)
    assert made(project) == first


def test_forcing_runs_and_does_not_believe_the_older_result_again(chain):
    set_n(chain, 1, 2)
    run(chain, ["a"])
    set_n(chain, 2, 1)
    assert run(chain, ["a"], force=True).ran == ("a",)
    shutil.rmtree(chain.results / "a")
    assert states(chain)["a"] == "stale run"
    set_n(chain, 1, 2)
    assert states(chain)["a"] == "stored run"  # what was there before it was forced had other parameters


def test_a_forced_result_takes_the_place_of_the_older_one(chain):
    path = chain.experiments / "a.py"
    projects.change(path, "[1, ", "[__import__('time').time_ns(), ")
    run(chain, ["a"])
    run(chain, ["a"], force=True)
    forced = made(chain)
    set_n(chain, 1, 2)
    run(chain, ["a"])
    set_n(chain, 2, 1)
    restored(chain, names=["a"])
    assert made(chain) == forced


def test_a_damaged_entry_is_computed_again_and_removed_with_one_notice(chain):
    set_n(chain, 1, 2)
    run(chain)
    set_n(chain, 2, 1)
    (entry,) = (chain.store / "a" / "run").iterdir()
    (entry / "result.json").write_bytes(b"{}")
    assert states(chain)["a"] == "stale run"
    assert entry.exists()  # a plan removes nothing
    events = []
    outcome = run(chain, events=events.append)
    assert outcome.ran == ("a",)
    notices = [event.label for event in events if event.kind == "notice"]
    assert notices == ["build/store/a/run held a damaged entry, which was removed"]
    assert not entry.exists()


def test_a_store_that_cannot_be_written_costs_a_notice_and_no_result(chain, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "keep", full)
    set_n(chain, 1, 2)
    events = []
    assert run(chain, ["a"], events=events.append).ran == ("a",)
    notices = [event.label for event in events if event.kind == "notice"]
    what = "the older {} cannot be kept in build/store: No space left on device"
    assert notices == [what.format("result"), what.format("drawing")]


def test_figures_of_an_experiment_that_draws_again_are_restored(chain):
    first = made(chain)
    path = chain.experiments / "a.py"
    text = path.read_text()
    path.write_text(text.partition("def draw")[0])
    run(chain)
    assert "a/figures/line.pdf" not in made(chain)
    path.write_text(text)
    assert restored(chain) == [("a", "draw")]
    assert made(chain) == first


def test_a_build_keeps_the_store_within_its_bound(chain):
    (chain.root / "report.toml").write_text('title = "T"\nstore = "20 kB"\n')
    small = projects.projects.load(chain.root)
    for n in range(1, 6):
        set_n(small, n, n + 1)
        run(small)
        sizes = [path.stat().st_size for path in small.store.rglob("*") if path.is_file()]
        assert 0 < sum(sizes) <= 20_000


def test_quick_builds_have_a_store_of_their_own(chain):
    quick = projects.projects.load(chain.root, quick=True)
    run(quick, ["a"])
    set_n(quick, 1, 2)
    run(quick, ["a"])
    assert list((chain.build / "quick" / "store").glob("a/run/*"))
    assert not chain.store.exists()

"""What is out of date, why, and in what order it runs."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import projects
import pytest
from projects import experiment, make, reasons, returning, run, states

from labreport import running
from labreport.errors import InputError, LabreportError, UsageError
from labreport.results import load

SRC = Path(__file__).parents[3] / "src"

FIGURE = """
def draw(result, lab):
    from matplotlib.figure import Figure
    figure = Figure(figsize=(2, 2))
    figure.subplots().plot(result.values["x"], color=COLOUR)
    lab.figure("line", figure, alt="a line", data={"x": result.values["x"]})
"""


def result_bytes(project, name) -> bytes:
    return (project.results / name / "result.json").read_bytes()


# planning


def test_the_plan_names_needed_experiments_first(tmp_path):
    project = make(
        tmp_path,
        {
            "a": returning("{}", needs=("c",)),
            "b": returning("{}"),
            "c": returning("{}", needs=("d", "b")),
            "d": returning("{}"),
        },
    )
    assert [step.experiment for step in running.plan(project)] == ["d", "b", "c", "a"]
    assert states(project) == dict.fromkeys("abcd", "stale run")
    assert reasons(project, "a") == ("no result yet",)


@pytest.mark.parametrize(
    ("needs", "cycle"),
    [
        ({"a": ("a",)}, "a -> a"),
        ({"a": ("b",), "b": ("a",)}, "a -> b -> a"),
        ({"a": ("b",), "b": ("c",), "c": ("d",), "d": ("b",)}, "b -> c -> d -> b"),
    ],
)
def test_a_cycle_of_needs_is_shown(tmp_path, needs, cycle):
    project = make(tmp_path, {name: returning("{}", needs=of) for name, of in needs.items()})
    with pytest.raises(InputError) as caught:
        running.plan(project)
    assert caught.value.what == f"experiments need each other: {cycle}"


def test_wrong_settings_of_several_experiments_come_together(tmp_path):
    project = make(tmp_path, {"a": returning("{}"), "b": returning("{}")})
    with pytest.raises(LabreportError) as caught:
        running.plan(project, {"a": {"seed": "x"}, "b": {"sed": "1"}, "c": {"seed": "1"}})
    assert len(caught.value.errors) == 3


HEAVY = (
    "torch",
    "numpy",
    "pandas",
    "matplotlib",
    "jinja2",
    "rich",
    "asyncio",
    "multiprocessing",
    "subprocess",
)


def test_planning_imports_nothing_heavy_and_runs_no_process(tmp_path):
    project = make(tmp_path, {"a": "import torch, pandas\n" + returning("{}")})
    code = f"""
        import sys
        from pathlib import Path
        from labreport import project
        from labreport import running
        running.plan(project.load(Path({str(project.root)!r})))
        print([name for name in {HEAVY!r} if name in sys.modules])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(SRC)},
        check=True,
    )
    assert done.stdout.strip() == "[]"


# up to date or not


@pytest.fixture(scope="module")
def ran_chain(tmp_path_factory):
    """Three experiments that have run: b needs a, c needs b."""
    project = make(
        tmp_path_factory.mktemp("chain"),
        {
            "a": experiment(
                """
                from helper import double
                CONSTANT = 1
                def run(params, lab):
                    return {"x": double(params.repeats) + CONSTANT}
                """,
                params="@dataclass\nclass Params:\n    repeats: int = 50\n",
            ),
            "b": returning('{"even": lab.result("a").values["x"] % 2 == 0}', needs=("a",)),
            "c": returning('{"b": lab.result("b").values["even"]}', needs=("b",)),
        },
        src={"helper.py": "def double(x):\n    return 2 * x\n"},
    )
    outcome = run(project)
    assert outcome.ran == ("a", "b", "c")
    return project


@pytest.fixture
def chain(ran_chain, tmp_path):
    """A copy of the chain, as fresh as the original: nothing depends on where a project lies."""
    shutil.copytree(ran_chain.root, tmp_path, dirs_exist_ok=True)
    return dataclasses.replace(ran_chain, root=tmp_path)


def test_after_a_run_all_is_fresh_and_nothing_runs_again(chain):
    assert states(chain) == dict.fromkeys("abc", "fresh")
    before = [result_bytes(chain, name) for name in "abc"]
    outcome = run(chain)
    assert (outcome.ran, outcome.fresh) == ((), ("a", "b", "c"))
    assert [result_bytes(chain, name) for name in "abc"] == before
    assert all(step.last_seconds >= 0 for step in running.plan(chain))


def test_a_changed_comment_runs_nothing(chain):
    for path in (chain.experiments / "a.py", chain.root / "src" / "helper.py"):
        path.write_text(f"# more\n\n{path.read_text()}")
    assert run(chain).ran == ()


def test_a_changed_module_runs_what_imports_it_and_only_may_run_what_needs_that(chain):
    projects.change(chain.root / "src" / "helper.py", "2 * x", "4 * x")
    assert states(chain) == {"a": "stale run", "b": "maybe run", "c": "maybe run"}
    assert reasons(chain, "a") == ("src/helper.py:double changed",)
    assert reasons(chain, "b") == ("after a",)
    assert reasons(chain, "c") == ("after b",)


def test_an_equal_outcome_stops_the_chain(chain):
    projects.change(chain.root / "src" / "helper.py", "2 * x", "x + x")
    outcome = run(chain)
    assert (outcome.ran, outcome.fresh) == (("a",), ("b", "c"))


def test_a_different_outcome_goes_as_far_as_it_makes_a_difference(chain):
    projects.change(chain.root / "src" / "helper.py", "2 * x", "4 * x")  # still odd
    assert run(chain).ran == ("a", "b")
    projects.change(chain.root / "src" / "helper.py", "4 * x", "4 * x + 1")
    assert run(chain).ran == ("a", "b", "c")
    assert json.loads(result_bytes(chain, "c"))["values"] == {"b": True}


def test_a_changed_default_and_a_setting_say_what_the_parameter_was(chain):
    projects.change(chain.experiments / "a.py", "repeats: int = 50", "repeats: int = 1000")
    assert reasons(chain, "a") == ("repeats was 50, is 1000",)
    assert run(chain, ["a"], settings={"a": {"repeats": "50"}}).ran == ()
    run(chain, ["a"], settings={"a": {"repeats": "7"}})
    assert reasons(chain, "a") == ("repeats was 7, is 1000",)
    assert load(chain, "a").params == {"repeats": 7}
    assert load(chain, "a").values == {"x": 15}


def test_another_version_of_a_library_runs_again(chain, monkeypatch):
    path = chain.root / "src" / "helper.py"
    path.write_text("import numpy\n" + path.read_text())
    run(chain)
    from labreport.results import versions

    real = versions.installed
    monkeypatch.setattr(versions, "installed", lambda path: {**real(path), "numpy": "99.0"})
    (reason,) = reasons(chain, "a")
    assert reason.startswith("numpy was ")
    assert reason.endswith(", is 99.0")


@pytest.mark.parametrize("file", ["result.json", "run.json"])
def test_a_flipped_byte_runs_again_and_gives_the_same_bytes(chain, file):
    path = chain.results / "a" / file
    good, result = path.read_bytes(), result_bytes(chain, "a")
    path.write_bytes(good[:-20] + bytes([good[-20] ^ 1]) + good[-19:])
    assert states(chain)["a"] == "stale run"
    assert file in reasons(chain, "a")[0]
    assert run(chain).ran == ("a",)
    assert result_bytes(chain, "a") == result


def test_a_deleted_result_runs_again(chain):
    (chain.results / "b" / "result.json").unlink()
    assert run(chain).ran == ("b",)


def test_a_named_experiment_runs_with_the_stale_ones_that_it_needs_and_no_others(chain):
    projects.change(chain.root / "src" / "helper.py", "2 * x", "4 * x + 1")
    outcome = run(chain, ["b"])
    assert (outcome.ran, outcome.fresh) == (("a", "b"), ())
    assert states(chain)["c"] == "stale run"
    assert reasons(chain, "c") == ("the result of b changed",)


def test_force_runs_only_what_was_named(chain):
    assert run(chain, ["b"], force=True).ran == ("b",)
    assert run(chain, force=True).ran == ("a", "b", "c")


def test_an_unknown_name_runs_nothing(chain):
    with pytest.raises(UsageError, match="no experiment 'd'"):
        running.execute(chain, ["a", "d"], force=True)
    assert states(chain)["a"] == "fresh"


def test_a_quick_build_uses_quick_parameters_and_its_own_folder(tmp_path):
    text = returning(
        "{'n': params.n}",
        params="@dataclass\nclass Params:\n    n: int = 1000\n    m: int = 2\n\nQUICK = Params(n=3)\n",
    )
    full, quick = make(tmp_path, {"a": text}), make(tmp_path, {"a": text}, quick=True)
    run(quick)
    assert load(quick, "a").params == {"n": 3, "m": 2}
    assert sorted(path.name for path in (tmp_path / "build").iterdir()) == ["quick"]
    assert states(full) == {"a": "stale run"}


def test_a_source_of_the_same_size_and_time_is_noticed_and_run(chain, monkeypatch):
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    path = chain.root / "src" / "helper.py"
    run(chain, force=True)
    stat = path.stat()
    projects.change(path, "2 * x", "3 * x")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size
    run(chain)
    assert load(chain, "a").values == {"x": 151}


# files that are read

READING = {
    "body": """
        def run(params, lab):
            return {"x": lab.file("data/points.csv").read_text()}
    """,
    "reads": ("data/points.csv",),
}


@pytest.fixture
def reading(tmp_path):
    projects.write(tmp_path / "data" / "points.csv", "1\n")
    return make(tmp_path, {"a": experiment(**READING), "b": returning("{}")})


def test_a_changed_file_runs_what_reads_it_and_nothing_else(reading):
    run(reading)
    assert load(reading, "a").values == {"x": "1\n"}
    assert states(reading) == {"a": "fresh", "b": "fresh"}
    projects.write(reading.root / "data" / "points.csv", "2\n")
    assert reasons(reading, "a") == ("data/points.csv changed",)
    assert run(reading).ran == ("a",)
    assert load(reading, "a").values == {"x": "2\n"}


def test_a_changed_file_draws_again_even_if_the_result_came_out_equal(tmp_path):
    draw = FIGURE.replace("color=COLOUR", 'color=lab.file("colour.txt").read_text().strip()')
    body = f'def run(params, lab):\n    return {{"x": [1, 2]}}\n{draw}'
    projects.write(tmp_path / "colour.txt", "red\n")
    project = make(tmp_path, {"a": experiment(body, reads=("colour.txt",))})
    run(project)
    red = (project.results / "a" / "figures" / "line.pdf").read_bytes()
    projects.write(tmp_path / "colour.txt", "blue\n")
    assert run(project).ran == ("a",)
    assert (project.results / "a" / "figures" / "line.pdf").read_bytes() != red
    assert states(project) == {"a": "fresh"}


def test_a_deleted_file_stops_the_plan_at_the_line_that_reads_it(reading):
    run(reading)
    (reading.root / "data" / "points.csv").unlink()
    with pytest.raises(InputError) as caught:
        running.plan(reading)
    assert caught.value.what == "experiment 'a' reads 'data/points.csv', which does not exist"
    assert caught.value.place.source == "READS = ('data/points.csv',)"


def test_a_file_that_changes_while_the_build_goes_on_is_not_believed(tmp_path):
    go = tmp_path / "go"
    body = f"""
        import os, time
        def run(params, lab):
            lab.notice("started")
            while not os.path.exists({str(go)!r}):
                time.sleep(0.01)
            return {{"x": lab.file("data/points.csv").read_text()}}
    """
    projects.write(tmp_path / "p" / "data" / "points.csv", "1\n")
    project = make(tmp_path / "p", {"a": experiment(body, reads=("data/points.csv",))})

    def edit(event):
        if event.kind == "notice":
            projects.write(project.root / "data" / "points.csv", "2\n")
            go.touch()

    (error,) = running.execute(project, events=edit).errors
    assert error.what == "experiment 'a' failed: data/points.csv changed since the build began"
    assert error.cure == "build again"
    assert states(project) == {"a": "stale run"}

"""What runs, in what order, and what happens when it goes wrong; with real processes."""

import dataclasses
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import projects
import pytest
from projects import experiment, make, reasons, returning, run, states

from labreport import running
from labreport.errors import InputError, LabreportError, UsageError
from labreport.progress import Progress
from labreport.results import load, recorded_drawing, recorded_run

SRC = Path(__file__).parents[3] / "src"

FIGURE = """
def draw(result, lab):
    from matplotlib.figure import Figure
    figure = Figure(figsize=(2, 2))
    figure.subplots().plot(result.values["x"], color=COLOUR)
    lab.figure("line", figure, alt="a line", data={"x": result.values["x"]})
"""


def alive(pid: int) -> bool:
    """Return whether a process lives: it exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def pids(path: Path) -> list[int]:
    return [int(word) for word in path.read_text().split()] if path.exists() else []


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
    assert reasons(chain, "a") == ("src/helper.py changed",)
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


def test_what_killed_runs_left_behind_is_swept(chain):
    (chain.results / "a" / ".tmp-half").write_text("{")
    (chain.build / "cache" / ".tmp-half").write_text("{")
    run(chain)
    assert not list(chain.build.rglob(".tmp-*"))
    assert sorted(path.name for path in (chain.results / "a").iterdir()) == ["result.json", "run.json"]


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


# notices


NOTING = """
import os, sys
def run(params, lab):
    lab.notice("runs lie in build/x")
    lab.map(lambda i: lab.notice(f"item {i}"), [1, 2])
    return {"x": [1, 2]}
COLOUR = "red"
"""


def test_notices_are_shown_while_the_build_runs_and_change_nothing(tmp_path, capsys):
    noisy = make(
        tmp_path / "noisy", {"a": experiment(NOTING + FIGURE.replace("from", 'lab.notice("drawn"); from'))}
    )
    progress = Progress()
    outcome = run(noisy, jobs=2, events=progress.show)
    assert outcome.ran == ("a",)
    out = capsys.readouterr().out.splitlines()
    notices = [line for line in out if "notice" in line]
    assert notices[0] == "a: notice: runs lie in build/x"
    assert sorted(notices[1:]) == ["a: notice: drawn", "a: notice: item 1", "a: notice: item 2"]
    assert out.index("a: notice: item 1") < next(i for i, line in enumerate(out) if line.startswith("a: ran"))
    log = (noisy.log / "a.log").read_text().splitlines()
    assert log[0] == "notice: runs lie in build/x"
    assert sorted(log) == ["notice: item 1", "notice: item 2", "notice: runs lie in build/x"]
    quiet = make(tmp_path / "quiet", {"a": experiment(re.sub(r"lab\.notice\(", "str(", NOTING) + FIGURE)})
    run(quiet)
    values = [json.loads(result_bytes(project, "a"))["values"] for project in (noisy, quiet)]
    assert values[0] == values[1]


def test_a_notice_of_an_experiment_that_fails_is_shown_too(tmp_path):
    body = "def run(params, lab):\n    lab.notice('é' * 600)\n    raise ValueError('no luck')\n"
    events = []
    running.execute(make(tmp_path, {"a": experiment(body)}), events=events.append)
    assert [event.kind for event in events] == ["started", "notice", "failed"]
    assert events[1].label == "é" * 498 + " …"


# checkpoints


KEEPING = """
import os, time
STEP = 1
def run(params, lab):
    found = sorted(path.name for path in lab.checkpoints.iterdir())
    others = len(os.listdir(lab.checkpoints.parent))
    (lab.checkpoints / "left").write_text("half of the work")
    if not os.path.exists({path!r}):
        open({path!r}, "w").close()
        time.sleep(600)
    lab.map(lambda i: (lab.checkpoints / "more").touch(), [STEP, 2])
    return {{"found": found, "others": others}}
"""


@pytest.fixture
def killed(tmp_path):
    """A project whose build was killed in the middle of `a`, which needs `b`."""
    there = tmp_path / "there"
    text = experiment(KEEPING.format(path=str(there)), needs=("b",))
    project = make(tmp_path / "p", {"a": text, "b": returning('{"x": 1}')})
    code = (
        "from pathlib import Path; from labreport import project, running;"
        f"running.execute(project.load(Path({str(project.root)!r})))"
    )
    build = subprocess.Popen([sys.executable, "-c", code], env={"PYTHONPATH": str(SRC), "PATH": ""})
    try:
        wait_for(there.exists)
    finally:
        build.kill()
        build.wait()
    assert len(list((project.checkpoints / "a").iterdir())) == 1
    assert states(project) == {"a": "stale run", "b": "fresh"}
    return project


def test_a_killed_run_finds_what_it_had_left_and_nothing_is_left_when_it_has_finished(killed):
    run(killed, jobs=2)
    assert load(killed, "a").values == {"found": ["left"], "others": 1}
    assert list(killed.checkpoints.iterdir()) == []


def test_an_experiment_that_fails_keeps_its_checkpoints(killed):
    projects.change(killed.experiments / "a.py", "lab.map(", "1 / 0; lab.map(")
    assert len(running.execute(killed).errors) == 1
    (folder,) = (killed.checkpoints / "a").iterdir()
    assert [path.name for path in folder.iterdir()] == ["left"]


CHANGES = {
    "code": lambda project: projects.change(project.experiments / "a.py", "STEP = 1", "STEP = 3"),
    "parameter": lambda project: projects.change(
        project.experiments / "a.py", "seed: int = 0", "seed: int = 5"
    ),
    "needed result": lambda project: projects.change(project.experiments / "b.py", '"x": 1', '"x": 2'),
}


@pytest.mark.parametrize("what", CHANGES)
def test_another_fingerprint_finds_nothing_and_removes_what_was_left(killed, what):
    CHANGES[what](killed)
    run(killed)
    assert load(killed, "a").values == {"found": [], "others": 1}
    assert list(killed.checkpoints.iterdir()) == []


def test_a_comment_does_not_lose_the_checkpoints(killed):
    path = killed.experiments / "a.py"
    path.write_text(f"# more\n{path.read_text()}")
    run(killed)
    assert load(killed, "a").values["found"] == ["left"]


def test_force_starts_without_checkpoints(killed):
    run(killed, ["a"], force=True)
    assert load(killed, "a").values == {"found": [], "others": 1}


def test_force_leaves_the_checkpoints_of_what_was_not_named(killed):
    run(killed, ["b"], force=True)
    run(killed, ["a"])
    assert load(killed, "a").values["found"] == ["left"]


# drawing


def test_figures_are_drawn_again_without_running_again(tmp_path):
    body = f'COLOUR = "red"\ndef run(params, lab):\n    return {{"x": [1, 2, params.seed]}}\n{FIGURE}'
    project = make(tmp_path, {"a": experiment(body)})
    run(project)
    ran, folder = result_bytes(project, "a"), project.results / "a" / "figures"
    record = (project.results / "a" / "run.json").read_bytes()
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "draw.json"}
    assert sorted(files) == ["figures.json", "line.csv", "line.pdf", "line.png"]
    assert states(project) == {"a": "fresh"}

    # the same figure has the same bytes, here after damage
    (folder / "line.png").write_bytes(b"")
    assert states(project) == {"a": "stale draw"}
    assert reasons(project, "a") == ("figures: line.png is not what was drawn",)
    run(project)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name in files} == files

    # another colour draws again
    projects.change(project.experiments / "a.py", '"red"', '"blue"')
    assert states(project) == {"a": "stale draw"}
    assert reasons(project, "a") == ("figures: experiments/a.py changed",)
    assert run(project).ran == ("a",)
    assert (folder / "line.pdf").read_bytes() != files["line.pdf"]
    assert (result_bytes(project, "a"), (project.results / "a" / "run.json").read_bytes()) == (ran, record)

    # a failed drawing keeps the last figures
    blue = (folder / "line.pdf").read_bytes()
    projects.change(project.experiments / "a.py", 'alt="a line"', 'alt=" "')
    outcome = running.execute(project)
    assert "has no alternative text" in outcome.errors[0].what
    assert (folder / "line.pdf").read_bytes() == blue
    assert not list(folder.parent.glob(".tmp-*"))

    # without `draw` there are no figures
    path = project.experiments / "a.py"
    path.write_text(path.read_text().partition("def draw")[0])
    assert run(project).ran == ()
    assert not folder.exists()


def test_a_drawing_depends_on_the_other_results_that_it_uses(tmp_path):
    draw = FIGURE.replace('result.values["x"], color=COLOUR', 'lab.result("a").values["x"]')
    project = make(
        tmp_path,
        {
            "a": returning('{"x": [1, 2]}'),
            "b": returning('{"x": [1]}'),
            "c": experiment(f'def run(params, lab):\n    return {{"x": [0]}}\n{draw}', needs=("a", "b")),
        },
    )
    run(project)
    drawing = recorded_drawing(project, "c")
    assert sorted(drawing.fingerprint.named("result")) == ["a", "c"]


def test_a_drawing_that_is_out_of_date_leaves_dependents_fresh(tmp_path):
    body = f'COLOUR = "red"\ndef run(params, lab):\n    return {{"x": [1, 2]}}\n{FIGURE}'
    project = make(tmp_path, {"a": experiment(body), "b": returning('lab.result("a").values', needs=("a",))})
    run(project, ["b"])
    assert states(project) == {"a": "stale draw", "b": "fresh"}
    assert reasons(project, "a") == ("figures: no figures yet",)


# failures


FAILURES = {
    "raises": ("raise ValueError('no luck')", "experiment 'bad' failed: ValueError: no luck", 13),
    "divides": ("return {'x': 1 / 0}", "experiment 'bad' failed: ZeroDivisionError: division by zero", 13),
    "exits": ("import sys; sys.exit(3)", "experiment 'bad' called sys.exit(3)", 13),
    "exits well": ("raise SystemExit", "experiment 'bad' called sys.exit(None)", 13),
    "imports": ("import no_such_module", "experiment 'bad' cannot import 'no_such_module'", 13),
    "nothing": ("pass", "experiment 'bad' failed: the result is None", None),
    "nan": ("return {'a': [float('nan')]}", "experiment 'bad' failed: values.a[0] is NaN", None),
    "needs": (
        "lab.result('other')",
        "experiment 'bad' failed: experiment 'bad' uses the result of 'other'",
        13,
    ),
    "killed": (
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "experiment 'bad' was killed by signal 9 (out of memory?)",
        None,
    ),
    "crashed": (
        "import ctypes; ctypes.string_at(0)",
        "experiment 'bad' was killed by signal 11 (SIGSEGV)",
        None,
    ),
    "vanishes": ("import os; os._exit(0)", "experiment 'bad' ended by itself with exit code 0", None),
    "publishes": (
        "open(lab.project.results / 'bad' / 'result.json', 'w')",
        "experiment 'bad' failed: FileNotFoundError: [Errno 2]",
        13,
    ),
}


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """A project in which much fails, its outcome, and the events."""
    bad = {
        how.replace(" ", "_"): experiment(f"def run(params, lab):\n    {statement}\n")
        for how, (statement, _, _) in FAILURES.items()
    }
    others = {
        "good": returning('{"x": 1}'),
        "after": returning("{}", needs=("raises",)),
        "later": returning("{}", needs=("after", "good")),
    }
    project = make(tmp_path_factory.mktemp("failed"), {**bad, **others})
    events = []
    return project, running.execute(project, jobs=2, events=events.append), events


@pytest.mark.parametrize("how", FAILURES)
def test_a_failure_is_named_with_its_place_and_no_traceback(failed, how):
    project, _, events = failed
    statement, message, line = FAILURES[how]
    name = how.replace(" ", "_")
    (error,) = [e.error for e in events if e.kind == "failed" and e.experiment == name]
    assert error.what.startswith(message.replace("'bad'", f"'{name}'"))
    assert error.exit_code == 4
    assert (error.place.file, error.place.line) == (f"experiments/{name}.py", line)
    assert error.cure
    assert len(error.lines()) <= 6
    assert "Traceback" not in str(error)
    assert states(project)[name] == "stale run"
    if line:
        assert "Traceback" in (project.log / f"{name}.log").read_text()
        assert error.place.source.strip() in statement


def test_after_failures_the_others_go_on_and_dependents_are_skipped(failed):
    project, outcome, events = failed
    assert outcome.ran == ("good",)
    assert outcome.skipped == ("after", "later")
    assert list(outcome.errors) == [e.error for e in events if e.kind == "failed"]
    assert len(outcome.errors) == len(FAILURES)
    assert {e.experiment: e.reasons for e in events if e.kind == "skipped"} == {
        "after": ("raises failed",),
        "later": ("after was skipped",),
    }
    found = states(project)
    assert {name: found[name] for name in ("good", "after", "later")} == {
        "good": "fresh",
        "after": "stale run",
        "later": "stale run",
    }


def test_an_error_in_a_module_is_shown_at_the_experiments_line_with_a_note(tmp_path):
    body = "from helper import fail\ndef run(params, lab):\n    fail(1)\n"
    project = make(tmp_path, {"a": experiment(body)}, src={"helper.py": "\ndef fail(x):\n    x.nope()\n"})
    (error,) = running.execute(project).errors
    assert (error.place.file, error.place.line) == ("experiments/a.py", 14)
    assert "raised in src/helper.py:3" in error.notes
    assert error.cure == "the full traceback is in build/log/a.log"


def test_a_module_that_fails_at_its_import_is_named(tmp_path):
    project = make(
        tmp_path, {"a": experiment("1 / 0\ndef run(params, lab):\n    return {}\n"), "b": returning("{}")}
    )
    outcome = running.execute(project)
    assert outcome.ran == ("b",)
    assert outcome.errors[0].what == "experiment 'a' failed: ZeroDivisionError: division by zero"
    assert outcome.errors[0].place.line == 12


def test_an_error_inside_a_map_is_shown_at_its_line_with_its_item(tmp_path):
    body = """
        def invert(x):
            return 1 / x
        def run(params, lab):
            return {"x": lab.map(invert, [2, 1, 0])}
    """
    project = make(tmp_path, {"a": experiment(body)})
    (error,) = running.execute(project, jobs=2).errors
    assert error.what == "experiment 'a' failed: ZeroDivisionError: division by zero"
    assert error.place.source == "    return 1 / x"
    assert error.notes == ("in item 3 of 3 of lab.map: 0",)


def test_a_message_of_many_lines_is_cut(tmp_path):
    body = "def run(params, lab):\n    raise ValueError('one\\ntwo\\nthree\\nfour\\nfive')\n"
    (error,) = running.execute(make(tmp_path, {"a": experiment(body)})).errors
    assert error.what == "experiment 'a' failed: ValueError: one"
    assert error.notes == ("two", "three", "four")


def test_several_errors_of_a_result_come_as_one_with_notes(tmp_path):
    body = "def run(params, lab):\n    return {'a': float('inf'), 'b': {1: 2}}\n"
    (error,) = running.execute(make(tmp_path, {"a": experiment(body)})).errors
    assert error.what == "experiment 'a' failed with 2 errors"
    assert error.notes[0].startswith("values.a is infinite (cure: record a diverged run as such")
    assert error.notes[1].startswith("values.b: the key 1 is an int, not a text")


def test_a_module_imported_behind_the_back_of_the_fingerprint_is_refused(tmp_path):
    body = """
        import importlib
        def run(params, lab):
            return {"x": importlib.import_module("hid" + "den").X}
    """
    project = make(tmp_path, {"a": experiment(body)}, src={"hidden.py": "X = 1\n"})
    (error,) = running.execute(project).errors
    assert "imports src/hidden.py in a way that its syntax does not show" in error.what
    projects.change(project.experiments / "a.py", "import importlib", "import importlib, hidden")
    assert run(project).ran == ("a",)


def test_a_deadline_for_an_unknown_experiment_is_an_error(tmp_path):
    project = make(tmp_path, {"slow": returning("{}")}, toml="[deadlines]\nslwo = 1\n")
    with pytest.raises(InputError, match="a deadline for 'slwo', which does not exist") as caught:
        running.plan(project)
    assert caught.value.cure == "did you mean 'slow'?"


def test_an_experiment_that_hangs_is_ended_with_its_grandchildren(tmp_path):
    body = f"""
        import os, subprocess, sys, time
        def run(params, lab):
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            with open({str(tmp_path / "pids")!r}, "w") as file:
                file.write(f"{{os.getpid()}} {{child.pid}}")
            lab.map(lambda x: time.sleep(600), range(4))
    """
    project = make(
        tmp_path / "p",
        {"slow": experiment(body), "good": returning("{}")},
        toml="deadline = 300\n[deadlines]\nslow = 1\n",
    )
    start = time.monotonic()
    outcome = running.execute(project, jobs=2)
    assert time.monotonic() - start < 15
    assert outcome.ran == ("good",)
    assert outcome.errors[0].what == "experiment 'slow' was ended after 1 s, its deadline"
    assert "[deadlines] slow" in outcome.errors[0].cure
    assert len(pids(tmp_path / "pids")) == 2
    wait_for(lambda: not any(alive(pid) for pid in pids(tmp_path / "pids")))


def test_a_process_left_behind_by_an_experiment_is_ended(tmp_path):
    body = f"""
        import subprocess, sys
        def run(params, lab):
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            with open({str(tmp_path / "pids")!r}, "w") as file:
                file.write(str(child.pid))
            return {{}}
    """
    project = make(tmp_path / "p", {"a": experiment(body)})
    assert run(project).ran == ("a",)
    assert len(pids(tmp_path / "pids")) == 1
    wait_for(lambda: not any(alive(pid) for pid in pids(tmp_path / "pids")))


def test_what_an_experiment_prints_goes_to_its_log(tmp_path):
    body = r"""
        import os, sys
        def run(params, lab):
            print("hello \ud800", flush=True)
            print("to stderr", file=sys.stderr)
            os.write(1, b"\xff\x00\x1b[31m garbage\n")
            os.system("echo from a shell")
            return {}
    """
    project = make(tmp_path, {"a": experiment(body)})
    run(project)
    log = (project.log / "a.log").read_bytes()
    assert log == b"hello \\ud800\nto stderr\n\xff\x00\x1b[31m garbage\nfrom a shell\n"


def test_a_log_is_cut_at_its_limit(tmp_path):
    from labreport.running.forkserver import MAX_LOG

    project = make(
        tmp_path, {"a": experiment(f"def run(params, lab):\n    print('x' * {3 * MAX_LOG})\n    return {{}}")}
    )
    assert run(project).ran == ("a",)
    log = (project.log / "a.log").read_bytes()
    assert MAX_LOG < len(log) < MAX_LOG + 100
    assert b"is not kept" in log[-100:]


def test_a_long_error_message_arrives_cut(tmp_path):
    project = make(
        tmp_path, {"a": experiment("def run(params, lab):\n    raise ValueError('é' * 100_000)\n")}
    )
    (error,) = running.execute(project).errors
    assert error.what.startswith("experiment 'a' failed: ValueError: éé")
    assert len(error.what) < 3000


def test_a_source_that_changes_while_the_build_begins_is_not_believed(tmp_path):
    project = make(
        tmp_path,
        {
            "a": experiment("from helper import X\ndef run(params, lab):\n    return {'x': X}\n"),
            "b": returning("{}"),
        },
        src={"helper.py": "X = 1\n"},
    )

    def edit(event):
        if event.kind == "started" and event.experiment == "a":
            (project.root / "src" / "helper.py").write_text("X = 2\n")

    outcome = running.execute(project, ["a"], events=edit)
    if outcome.errors:  # the child has seen the new file
        assert outcome.errors[0].what.endswith("src/helper.py changed while the build began")
        assert states(project)["a"] == "stale run"
    else:
        assert load(project, "a").values == {"x": 1}


# where and how


def test_a_child_has_the_documented_surroundings(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "TkAgg")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.chdir("/")
    body = """
        import os, sys
        def run(params, lab):
            names = ("MPLBACKEND", "OMP_NUM_THREADS", "PYTHONHASHSEED", "SOURCE_DATE_EPOCH", "TZ")
            return {
                "env": {name: os.environ[name] for name in names},
                "cwd": os.getcwd(),
                "leads": os.getsid(0) == os.getpid(),
                "stdin": sys.stdin.read() + os.read(0, 10).decode(),
                "path": sys.path[:2],
                "name": __name__,
                "hash": hash("x"),
            }
    """
    project = make(tmp_path, {"a": experiment(body), "b": experiment(body)}, src={"m.py": ""})
    run(project, jobs=2)
    values = load(project, "a").values
    assert values["env"] == {
        "MPLBACKEND": "Agg",
        "OMP_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": "1735689600",
        "TZ": "UTC",
    }
    assert values["cwd"] == str(tmp_path)
    assert values["leads"]
    assert values["stdin"] == ""
    assert values["path"] == [str(tmp_path / "src"), str(tmp_path)]
    assert values["name"] == "experiments.a"
    assert values["hash"] == load(project, "b").values["hash"]


def test_experiments_of_another_project_cannot_be_imported(tmp_path, monkeypatch):
    make(tmp_path / "other", {"theirs": returning("{}")}, src={"their_helper.py": ""})
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "other"))
    body = "def run(params, lab):\n    import experiments.theirs\n    return {}\n"
    (error,) = running.execute(make(tmp_path / "own", {"a": experiment(body)})).errors
    assert error.what == "experiment 'a' cannot import 'experiments.theirs'"


@pytest.mark.parametrize("name", ["with space", "größe", "a:b", "#%$~'\"", "-dash", "x" * 200])
def test_a_project_may_lie_in_a_folder_of_any_name(tmp_path, name):
    body = "from helper import X\ndef run(params, lab):\n    return {'x': lab.map(abs, [X, X])}\n"
    project = make(tmp_path / name, {"a": experiment(body)}, src={"helper.py": "X = -3\n"})
    assert run(project, jobs=2).ran == ("a",)
    assert load(project, "a").values == {"x": [3, 3]}
    assert states(project) == {"a": "fresh"}


def test_preloaded_modules_are_there_before_the_child_starts(tmp_path):
    body = (
        "import sys\nTHERE = 'colorsys' in sys.modules\ndef run(params, lab):\n    return {'there': THERE}\n"
    )
    toml = 'preload = ["colorsys", "no_such_module"]\n'
    project = make(tmp_path, {"a": experiment(body)}, toml=toml)
    run(project)
    assert load(project, "a").values == {"there": True}
    assert "cannot preload no_such_module" in (project.log / "forkserver.log").read_text()


def test_two_jobs_give_the_same_bytes_as_one(tmp_path):
    body = """
        import random
        def run(params, lab):
            def one(key):
                return random.Random(lab.seed("run", key)).random()
            return {"xs": lab.map(one, range(20))}
    """
    texts = {name: experiment(body) for name in "abc"}
    one, two = make(tmp_path / "one", texts), make(tmp_path / "two", texts)
    run(one, jobs=1)
    run(two, jobs=2)
    for name in texts:
        assert result_bytes(one, name) == result_bytes(two, name)
    values = [load(one, name).values["xs"] for name in texts]
    assert len({x for xs in values for x in xs}) == 60


def test_at_most_so_many_experiments_run_at_once(tmp_path):
    body = "import time\ndef run(params, lab):\n    time.sleep(0.2)\n    return {'end': time.time()}\n"
    project = make(tmp_path, {name: experiment(body) for name in "abcd"})
    running, most = set(), []

    def count(event):
        running.add(event.experiment) if event.kind == "started" else running.discard(event.experiment)
        most.append(len(running))

    run(project, jobs=2, events=count)
    assert max(most) == 2


def test_events_tell_the_whole_story(tmp_path):
    body = "def run(params, lab):\n    lab.map(str, range(3), label='counting')\n    return {}\n"
    project = make(tmp_path, {"a": experiment(body), "b": returning("{}", needs=("a",))})
    events = []
    run(project, jobs=2, events=events.append)
    story = [(e.experiment, e.kind) for e in events if e.kind != "progress"]
    assert story == [("a", "started"), ("a", "finished"), ("b", "started"), ("b", "finished")]
    assert events[0].reasons == ("no result yet",)
    progress = [(e.done, e.total, e.label) for e in events if e.kind == "progress"]
    assert (progress[0], progress[-1]) == ((0, 3, "counting"), (3, 3, "counting"))
    events.clear()
    run(project, events=events.append)
    assert [(e.experiment, e.kind) for e in events] == [("a", "fresh"), ("b", "fresh")]


def test_the_record_of_a_run_knows_the_revision_and_does_without_git(tmp_path, monkeypatch):
    project = make(tmp_path, {"a": returning("{}")})
    run(project)
    assert recorded_run(project, "a").revision is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "report.toml", "experiments"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "m"], check=True)
    head = subprocess.run(
        [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    run(project, force=True)
    assert recorded_run(project, "a").revision == head
    monkeypatch.setenv("PATH", "/nowhere")
    run(project, force=True)
    assert recorded_run(project, "a").revision is None


# ends from outside


STUCK = """
import os, subprocess, sys, time
def run(params, lab):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    def note(x):
        with open({path!r}, "a") as file:
            file.write(f"{{os.getpid()}} ")
        time.sleep(600)
    with open({path!r}, "a") as file:
        file.write(f"{{os.getpid()}} {{os.getppid()}} {{child.pid}} ")
    lab.map(note, [1, 2])
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_end_of_the_build_leaves_no_process_and_keeps_finished_results(tmp_path, end):
    path = tmp_path / "pids"
    project = make(
        tmp_path / "p",
        {"a": returning('{"x": 1}'), "stuck": experiment(STUCK.format(path=str(path)), needs=("a",))},
    )
    code = (
        "from pathlib import Path; from labreport import project, running;"
        f"running.execute(project.load(Path({str(project.root)!r})), jobs=2)"
    )
    build = subprocess.Popen(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(SRC), "PATH": ""}, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: len(pids(path)) == 5)
        assert all(alive(pid) for pid in pids(path))
        build.send_signal(end)
        build.wait(20)
        wait_for(lambda: not any(alive(pid) for pid in pids(path)))
    finally:
        build.kill()
        build.wait()
    assert states(project) == {"a": "fresh", "stuck": "stale run"}


def test_the_end_of_the_fork_server_fails_what_was_running_and_leaves_no_process(tmp_path):
    path = tmp_path / "pids"
    project = make(tmp_path / "p", {"stuck": experiment(STUCK.format(path=str(path)))})
    killed = []

    def kill(event):
        if event.kind == "progress" and not killed:
            wait_for(lambda: len(pids(path)) == 5)
            killed.append(pids(path)[1])
            os.kill(killed[0], signal.SIGKILL)

    outcome = running.execute(project, jobs=2, events=kill)
    assert [error.what for error in outcome.errors] == ["experiment 'stuck' was lost: the fork server ended"]
    assert killed
    wait_for(lambda: not any(alive(pid) for pid in pids(path)))


@pytest.mark.slow
def test_builds_killed_at_any_time_are_made_good_by_the_next(tmp_path):
    def write(version):
        body = f"""
            V = {version}
            def run(params, lab):
                return {{"x": lab.map(lambda i: i * V, range(30))}}
        """
        needs_a = returning('{"x": [2 * x for x in lab.result("a").values["x"]]}', needs=("a",))
        needs_b = returning('{"s": sum(lab.result("b").values["x"])}', needs=("b",))
        return make(tmp_path / "p", {"a": experiment(body), "b": needs_a, "c": needs_b})

    def snapshot(project):
        return [result_bytes(project, name) for name in "abc"]

    clean = []
    for version in (1, 2):
        start = time.monotonic()
        run(write(version), jobs=2)
        seconds = time.monotonic() - start
        clean.append(snapshot(write(version)))
    assert clean[0] != clean[1]
    code = (
        "from pathlib import Path; from labreport import project, running;"
        f"running.execute(project.load(Path({str(tmp_path / 'p')!r})), jobs=2)"
    )
    rounds, random_ = 12, random.Random(2)
    for i in range(rounds):
        write(1 + i % 2)
        build = subprocess.Popen([sys.executable, "-c", code], env={"PYTHONPATH": str(SRC), "PATH": ""})
        time.sleep((i + random_.random()) / rounds * 1.2 * seconds)
        build.kill()
        build.wait()
        project = write(1 + i % 2)
        run(project, jobs=2)
        assert snapshot(project) == clean[i % 2]
        assert not list(project.build.rglob(".tmp-*"))

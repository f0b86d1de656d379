"""What becomes of an experiment that fails, hangs, or does what it must not."""

import hashlib
import time

import pytest
from processes import alive, pids, wait_for
from projects import experiment, make, returning, run, states

from labreport import running
from labreport.errors import InputError
from labreport.results import load

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
    "vanishes": ("import os; os._exit(0)", "experiment 'bad' exited unexpectedly with code 0", None),
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
    assert error.notes == ("in item 3 of lab.map: 0",)


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
    assert outcome.errors[0].what == "experiment 'slow' was stopped after 1 s, its deadline"
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


# threads, and what no item survives


def test_a_map_after_torch_has_computed_in_two_threads_works(tmp_path):
    torch = pytest.importorskip("torch")
    body = """
        import torch
        SCALE = 1.0
        def work(i):
            torch.set_num_threads(2)
            x = torch.randn(400, 400).double()
            return float((x @ x).sum()) * SCALE
        def run(params, lab):
            global SCALE
            SCALE = 2.0
            torch.set_num_threads(2)
            x = torch.randn(600, 600).double()
            (x @ x).sum()
            found = lab.map(work, range(4))
            return {"r": found, "threads": torch.get_num_threads(), "next": float(torch.rand(1))}
    """
    found = []
    for jobs in (1, 2):
        project = make(
            tmp_path / str(jobs), {"a": experiment(body)}, toml='deadline = 120\npreload = ["torch"]\n'
        )
        run(project, jobs=jobs)
        found.append(load(project, "a").values)
    assert found[0] == found[1]
    assert found[0]["threads"] == 2
    seed = int.from_bytes(hashlib.sha256(b'["a",0,"map","work",0,3]').digest()[:8], "big") >> 1
    x = torch.randn(400, 400, generator=torch.Generator().manual_seed(seed)).double()
    assert found[0]["r"][3] == pytest.approx(2 * float((x @ x).sum()))


def test_a_map_that_can_neither_fork_nor_send_is_refused_at_its_line(tmp_path):
    body = """
        import threading, time
        def work():
            while True:
                time.sleep(0.0001)
        def run(params, lab):
            threading.Thread(target=work, daemon=True).start()
            lock = threading.Lock()
            return {"r": lab.map(lambda i: lock.locked(), range(4))}
    """
    (error,) = running.execute(make(tmp_path, {"a": experiment(body)}), jobs=2).errors
    assert "lab.map cannot fork processes: this one has another thread" in error.what
    assert error.place.source.strip() == 'return {"r": lab.map(lambda i: lock.locked(), range(4))}'
    assert "nor can it send the function to fresh processes" in error.notes[0]


def test_a_source_that_changes_before_fresh_processes_import_it_is_not_believed(tmp_path):
    body = f"""
        import threading, time
        from pathlib import Path
        from helper import X
        def work():
            while True:
                time.sleep(0.0001)
        def run(params, lab):
            threading.Thread(target=work, daemon=True).start()
            Path({str(tmp_path / "src" / "helper.py")!r}).write_text("X = 2\\n")
            return {{"r": lab.map(lambda i: i * X, range(4))}}
    """
    project = make(tmp_path, {"a": experiment(body)}, src={"helper.py": "X = 1\n"})
    (error,) = running.execute(project, jobs=2).errors
    assert "src/helper.py" in error.what
    assert error.what.endswith("changed while the build began")


def test_what_is_said_at_a_deadline_names_the_map_that_did_not_end(tmp_path):
    body = """
        import time
        def work(i):
            if i == 2:
                time.sleep(0.5)  # until the others have finished
                lab_.notice("item 2 begins")
                time.sleep(600)
        def run(params, lab):
            global lab_
            lab_ = lab
            lab.map(work, range(3), "waiting for Godot")
    """
    project = make(tmp_path, {"a": experiment(body)}, toml="deadline = 3\n")
    (error,) = running.execute(project, jobs=2).errors
    assert error.what == "experiment 'a' was stopped after 3 s, its deadline"
    stands, notice = error.notes
    assert stands.startswith("in lab.map 'waiting for Godot': 2 of 3 items had finished, none for ")
    assert notice == "last notice: item 2 begins"


# global generators

DRAWING = """
    import random
    from pathlib import Path
    AT_IMPORT = random.random()
    def run(params, lab):
        import numpy as np
        in_items = lab.map(lambda _: [random.random(), np.random.rand()], range(3))
        return {"all": [AT_IMPORT, random.random(), np.random.rand(), *sum(in_items, [])]}
    def draw(result, lab):
        from matplotlib.figure import Figure
        figure = Figure(figsize=(2, 2))
        figure.subplots().plot([0, 1])
        lab.figure("line", figure, alt="a line", data={"x": [AT_IMPORT, random.random()]})
"""


def drawn(project, name) -> list[float]:
    """Return all numbers that `run` and `draw` have drawn."""
    lines = (project.results / name / "figures" / "line.csv").read_text().split()[1:]
    return [*load(project, name).values["all"], *(float(line.split(",")[-1]) for line in lines)]


def test_numbers_from_unseeded_global_generators_are_repeatable_and_different(tmp_path):
    found = []
    for jobs in (1, 2):
        project = make(tmp_path / str(jobs), {name: experiment(DRAWING) for name in "ab"})
        run(project, jobs=jobs)
        found.append([drawn(project, name) for name in "ab"])
        run(project, ["a"], jobs=jobs, settings={"a": {"seed": "1"}})
        found[-1].append(drawn(project, "a"))
    assert found[0] == found[1]
    a, b, other_seed = found[0]
    assert a[0] == a[-2] == other_seed[0]  # what the module draws at its import does not know the parameters
    assert len({*a, *b, *other_seed}) == len(a) - 1 + len(b) - 1 + len(other_seed) - 2


def test_an_error_of_the_experiments_own_class_can_be_caught_from_a_fresh_process(tmp_path):
    body = """
        import threading, time
        from dataclasses import dataclass
        class Refused(Exception):
            pass
        @dataclass
        class Point:
            x: int
        def work():
            while True:
                time.sleep(0.0001)
        def item(x):
            if x == 3:
                raise Refused(x)
            return Point(x)
        def run(params, lab):
            threading.Thread(target=work, daemon=True).start()
            points = lab.map(item, [1, 2])
            try:
                lab.map(item, [2, 3])
            except Refused as error:
                return {"points": [isinstance(p, Point) and p.x for p in points], "refused": error.args[0]}
    """
    project = make(tmp_path, {"a": experiment(body)})
    run(project, jobs=2)
    assert load(project, "a").values == {"points": [1, 2], "refused": 3}

"""What happens while experiments run, with real processes."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import projects
import pytest
from processes import alive, pids, wait_for
from projects import experiment, make, reasons, returning, run, states

from labreport import running
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


def result_bytes(project, name) -> bytes:
    return (project.results / name / "result.json").read_bytes()


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


@pytest.mark.parametrize("name", ["with space", "größe", "a:b", "#%~'\"", "-dash", "x" * 200])
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
    events = []
    run(project, events=events.append)
    assert load(project, "a").values == {"there": True}
    assert "cannot preload no_such_module" in (project.log / "forkserver.log").read_text()
    (notice,) = (event for event in events if event.kind == "notice")
    assert (notice.experiment, notice.label) == (
        "report.toml",
        "preload: 'no_such_module' cannot be imported (ModuleNotFoundError: No module named "
        "'no_such_module'); install the package, or take it out of the list",
    )


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


SHARING = """
import time
def run(params, lab):
    def work(_):
        start = time.monotonic()
        time.sleep(0.15)
        return [start, time.monotonic()]
    items = [[(m, i) for i in range({items})] for m in range({maps})]  # each but once: what is known is kept
    return {{"spans": [span for some in items for span in lab.map(work, some)]}}
"""


def most_at_once(spans) -> int:
    """Return how many of the spans of time overlap."""
    ends = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    counts = [sum(step for _, step in ends[: i + 1]) for i in range(len(ends))]
    return max(counts)


@pytest.mark.parametrize(("jobs", "experiments"), [(1, "ab"), (2, "abc"), (4, "abcd"), (3, "a")])
def test_experiments_and_their_maps_share_one_budget_of_processes(tmp_path, jobs, experiments):
    body = SHARING.format(maps=2, items=8)
    project = make(tmp_path, {name: experiment(body) for name in experiments})
    assert sorted(run(project, jobs=jobs).ran) == list(experiments)
    spans = [span for name in experiments for span in load(project, name).values["spans"]]
    assert len(spans) == 16 * len(experiments)
    assert most_at_once(spans) == jobs


def test_drawings_share_the_budget_too(tmp_path):
    draw = """
        def draw(result, lab):
            from matplotlib.figure import Figure
            spans = lab.map(work, range(6))
            figure = Figure(figsize=(2, 2))
            figure.subplots().plot([0, 1])
            lab.figure("line", figure, alt="a line", data={"x": [x for span in spans for x in span]})
    """
    work = """
        import time
        def work(_):
            start = time.monotonic()
            time.sleep(0.15)
            return [start, time.monotonic()]
    """
    ran = "def run(params, lab):\n    return {'spans': lab.map(work, range(6))}\n"
    body = "\n".join(textwrap.dedent(part) for part in (work, ran, draw))
    project = make(tmp_path, {name: experiment(body) for name in "abc"})
    run(project, jobs=2)
    spans = [span for name in "abc" for span in load(project, name).values["spans"]]
    for name in "abc":
        lines = (project.results / name / "figures" / "line.csv").read_text().split()[1:]
        drawn = [float(line.split(",")[-1]) for line in lines]
        spans += zip(drawn[::2], drawn[1::2], strict=True)
    assert len(spans) == 36
    assert most_at_once(spans) == 2


def test_an_experiment_that_begins_is_given_its_slot_by_one_that_maps(tmp_path):
    late = """
        import time
        def run(params, lab):
            start = time.monotonic()
            time.sleep(0.5)
            return {"span": [start, time.monotonic()]}
    """
    project = make(
        tmp_path,
        {
            "late": experiment(late, needs=("first",)),
            "maps": experiment(SHARING.format(maps=1, items=30)),
            "first": returning("{}"),
        },
    )

    def wait_until_the_slot_is_lent(event):
        if (event.experiment, event.kind) == ("first", "finished"):
            time.sleep(0.5)

    run(project, jobs=2, events=wait_until_the_slot_is_lent)
    spans, span = load(project, "maps").values["spans"], load(project, "late").values["span"]
    assert span[0] < max(end for _, end in spans)
    assert most_at_once([*spans, span]) == 2


def test_time_spent_waiting_for_a_slot_does_not_count_for_the_deadline(tmp_path):
    lends = """
        import time
        def run(params, lab):
            lab.map(lambda _: time.sleep(4), range(2))
            return {}
    """
    project = make(
        tmp_path,
        {"lends": experiment(lends), "first": returning("{}"), "late": returning("{}", needs=("first",))},
        toml="[deadlines]\nlate = 2\n",
    )
    lent = []

    def wait_until_the_slot_is_lent(event):
        if (event.experiment, event.kind) == ("first", "finished"):
            time.sleep(1)
            lent.append(time.monotonic())
        elif (event.experiment, event.kind) == ("late", "finished"):
            lent.append(time.monotonic())

    run(project, jobs=2, events=wait_until_the_slot_is_lent)
    assert lent[1] - lent[0] > 2
    assert recorded_run(project, "late").seconds < 2


def test_an_experiment_that_is_killed_while_it_maps_loses_no_slot(tmp_path):
    dies = """
        import os, signal, time
        def run(params, lab):
            parent = os.getpid()
            lab.map(lambda i: time.sleep(0.1) if i < 4 else os.kill(parent, signal.SIGKILL), range(9))
    """
    project = make(
        tmp_path,
        {"a_dies": experiment(dies), "b": experiment(SHARING.format(maps=1, items=12))},
        toml="deadline = 60\n",
    )
    outcome = running.execute(project, jobs=3)
    assert [error.what for error in outcome.errors] == [
        "experiment 'a_dies' was killed by signal 9 (out of memory?)"
    ]
    assert most_at_once(load(project, "b").values["spans"]) == 3


def test_what_takes_longest_with_all_that_waits_for_it_starts_first(tmp_path, monkeypatch):
    needs = {"short": (), "long": (), "unknown": (), "needed": (), "heir": ("needed",)}
    project = make(tmp_path, {name: returning("{}", needs=needs[name]) for name in needs})
    seconds = {"short": 5.0, "long": 90.0, "unknown": None, "needed": 10.0, "heir": 100.0}
    monkeypatch.setattr(running.runner, "last_seconds", lambda _, name, phase: seconds[name])
    events = []
    run(project, jobs=1, events=events.append)
    started = [event.experiment for event in events if event.kind == "started"]
    assert started == ["needed", "heir", "long", "unknown", "short"]  # a minute is expected of the unknown


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


HIDES = """
def run(params, lab):
    import subprocess
    subprocess.run(["setsid", "--fork", "sh", "-c", "echo $$ > RECORD; exec sleep 600"], check=True)
    while not __import__("os").path.exists("RECORD"):
        pass
    return {"x": 1}
"""


def test_what_an_experiment_hides_from_its_session_is_ended_and_named(tmp_path):
    record = tmp_path / "pid"
    made = projects.make(tmp_path / "p", {"a": experiment(HIDES.replace("RECORD", str(record)))})
    events = []
    assert running.execute(made, events=events.append).ran == ("a",)
    (pid,) = pids(record)
    assert not alive(pid)
    (notice,) = [event.label for event in events if event.kind == "notice" and "running" in event.label]
    assert notice.startswith(f"ended what it had left running: process {pid}")


def test_git_that_hangs_delays_nobody_and_is_ended(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    git = tmp_path / "bin" / "git"
    record = tmp_path / "pids"
    git.write_text(f"#!/bin/sh\necho $$ > {record}\nsleep 600 & echo $! >> {record}\nwait\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{git.parent}:{os.environ['PATH']}")
    made = projects.make(tmp_path / "p", {"a": projects.returning("{}")})
    assert running.execute(made).ran == ("a",)
    assert json.loads((made.results / "a" / "run.json").read_text())["revision"] is None
    assert len(pids(record)) == 2
    assert not any(map(alive, pids(record)))


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
    assert reasons(project, "a") == ("figures: experiments/a.py:COLOUR changed",)
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

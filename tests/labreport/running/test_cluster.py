"""Items on a real Dask cluster: the same values as here, whatever its workers have, and however they end."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import clusters
import projects
import pytest
from processes import alive, pids, wait_for
from projects import experiment, make, run

from labreport import running
from labreport.errors import ToolError, UsageError
from labreport.results import load
from labreport.running import handshake

pytestmark = pytest.mark.slow
SRC = Path(__file__).parents[3] / "src"


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Return the address of a cluster of two workers, whose variables and modules are not the driver's."""
    folder = tmp_path_factory.mktemp("two")
    projects.write(folder / "theirs" / "helper.py", "K = -1\n")
    projects.write(folder / "theirs" / "elsewhere.py", "K = -1\n")
    env = {
        "OMP_NUM_THREADS": "2",
        "PYTHONHASHSEED": "7",
        "MODE": "theirs",
        "PYTHONPATH": str(folder / "theirs"),
    }
    with clusters.running(folder / "cluster", env=env) as started:
        yield started


def result_bytes(project, name) -> bytes:
    return (project.results / name / "result.json").read_bytes()


def failure(project, **kwargs):
    (error,) = running.execute(project, **kwargs).errors
    return error


# the same values


VALUES = """
    import random
    import helper
    import numpy as np
    {apart}

    SCALE = 1
    TABLE = None

    def power(x):
        return x**2 * SCALE + helper.K

    def run(params, lab):
        global SCALE, TABLE
        SCALE, TABLE = 5, np.arange(3.0)
        helper.KNOWN["new"] = [1]
        offset = 10
        path = lab.file("data/x.csv")

        def look(i):
            return {
                "file": lab.file("data/x.csv").read_text() + path.read_text(),
                "beside": helper.beside(),
                "result": lab.result("needed").values["x"],
                "hash": hash("x"),
                "table": float(TABLE.sum()),
                "known": helper.KNOWN,
                "inner": lab.map(lambda j: i * j, [1, 2]),
                "drawn": np.random.default_rng(lab.seed(i)).normal(size=3).tolist(),
                "global": [random.random(), float(np.random.rand()), helper.DRAWN],
            }

        return {
            "function": lab.map(power, range(5)),
            "lambda": lab.map(lambda f: f(1) + offset, [lambda x: x, lambda x: -x]),
            "closure": lab.map(look, range(3)),
            "nothing": lab.map(look, []),
            "class": [point.x for point in lab.map(helper.Point, range(3))],
            "then": random.random(),
        }
"""
APART = "from labreport.running import guest; guest.identity = lambda root: None"
"""What lets the workers see nothing of the driver's project, as on another machine."""

HELPER = """
import random
from dataclasses import dataclass
from pathlib import Path

K = 2
KNOWN = {}
DRAWN = random.random()

@dataclass
class Point:
    x: int

def beside():
    return Path(__file__).with_name("table.json").read_text()
"""


@pytest.mark.parametrize("apart", ["", APART], ids=["one file system", "apart"])
def test_results_have_the_same_bytes_as_without_a_cluster(tmp_path, two, apart):
    body = VALUES.replace("{apart}", apart)
    texts = {
        "a": experiment(body, needs=("needed",), reads=("data/x.csv",)),
        "needed": projects.returning("{'x': 0.1 + 0.2}"),
    }
    found = []
    for name, options in {"one": {"jobs": 1}, "two": {"jobs": 2}, "on": {"cluster": two.address}}.items():
        project = make(tmp_path / name, texts, src={"helper/__init__.py": HELPER, "helper/table.json": "7"})
        projects.write(project.root / "data" / "x.csv", "a,b\n")
        run(project, **options)
        found.append(result_bytes(project, "a"))
    assert found[0] == found[1] == found[2]
    values = json.loads(found[0])["values"]
    assert values["function"] == [2, 7, 22, 47, 82]
    assert values["lambda"] == [11, 9]
    assert values["closure"][1]["known"] == {"new": [1]}
    assert len({x for look in values["closure"] for x in look["global"][:2]}) == 6


def test_global_generators_give_each_item_its_own_numbers_on_any_worker(tmp_path, two):
    body = """
        import random
        import numpy as np
        def run(params, lab):
            return {"drawn": lab.map(lambda i: [random.random(), float(np.random.rand())], range(6))}
    """
    project = make(tmp_path / "p", {"a": experiment(body)})
    run(project, jobs=1)
    found = result_bytes(project, "a")
    run(project, cluster=two.address, force=True)
    assert result_bytes(project, "a") == found
    with clusters.running(tmp_path / "one", workers=1) as one:
        run(project, cluster=one.address, force=True)
    assert result_bytes(project, "a") == found
    values = load(project, "a").values
    assert len({x for pair in values["drawn"] for x in pair}) == 12


def test_items_see_the_variables_of_the_driver_but_its_secrets(tmp_path, two, monkeypatch):
    monkeypatch.setenv("MINE", "ours")
    monkeypatch.setenv("API_KEY", "secret")
    body = """
        import os
        NAMES = ("MINE", "MODE", "API_KEY", "OMP_NUM_THREADS", "PYTHONHASHSEED", "TZ")
        def run(params, lab):
            os.environ["SET"] = "by run"
            return {"seen": lab.map(lambda name: os.environ.get(name, ""), [*NAMES, "SET"])}
    """
    project = make(tmp_path, {"a": experiment(body)})
    run(project, cluster=two.address)
    assert load(project, "a").values["seen"] == ["ours", "", "", "1", "0", "UTC", "by run"]


def test_torch_computes_with_one_thread_and_in_the_precision_that_the_run_has_set(tmp_path, two):
    pytest.importorskip("torch")
    body = """
        import torch
        def train(seed):
            w = torch.randn(64, 64, generator=torch.Generator().manual_seed(seed), requires_grad=True)
            (w @ w).tanh().square().sum().backward()
            return {"sum": float(w.grad.sum()), "threads": torch.get_num_threads(), "dtype": str(w.dtype)}
        def run(params, lab):
            torch.set_default_dtype(torch.float64)
            return {"trained": lab.map(train, range(3))}
    """
    project = make(tmp_path, {"a": experiment(body)})
    run(project, jobs=2)
    found = result_bytes(project, "a")
    run(project, cluster=two.address, force=True)
    assert result_bytes(project, "a") == found
    assert load(project, "a").values["trained"][0]["dtype"] == "torch.float64"
    assert load(project, "a").values["trained"][0]["threads"] == 1


# the driver's code, and no other


def test_code_that_was_edited_is_the_code_that_runs(tmp_path, two):
    body = "import helper\ndef run(params, lab):\n    return {'k': lab.map(lambda i: helper.K, range(4))}\n"
    project = make(tmp_path, {"a": experiment(body)}, src={"helper.py": "K = 1\n"})
    run(project, cluster=two.address)
    assert load(project, "a").values["k"] == [1] * 4
    projects.change(project.root / "src" / "helper.py", "1", "2")
    run(project, cluster=two.address)
    assert load(project, "a").values["k"] == [2] * 4


def test_two_projects_with_modules_of_one_name_do_not_meet(tmp_path, two):
    body = """
        import time
        import helper
        def look(i):
            time.sleep(0.1)
            return helper.K
        def run(params, lab):
            return {"k": lab.map(look, range(8))}
    """
    made = [make(tmp_path / str(k), {"a": experiment(body)}, src={"helper.py": f"K = {k}\n"}) for k in (1, 2)]
    threads = [threading.Thread(target=run, args=(p,), kwargs={"cluster": two.address}) for p in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [load(project, "a").values["k"] for project in made] == [[1] * 8, [2] * 8]


def test_a_module_of_the_project_that_was_not_sent_is_not_taken_from_the_worker(tmp_path, two):
    body = """
        import importlib
        def run(params, lab):
            return {"k": lab.map(lambda name: importlib.import_module(name).K, ["else" + "where"])}
    """
    project = make(tmp_path, {"a": experiment(body)}, src={"elsewhere.py": "K = 1\n"})
    error = failure(project, cluster=two.address)
    assert error.what == "experiment 'a' cannot import 'elsewhere'"


def test_a_package_on_the_path_of_the_driver_is_sent(tmp_path, two, monkeypatch):
    projects.write(tmp_path / "lib" / "mine" / "__init__.py", "from mine.core import K\n")
    projects.write(tmp_path / "lib" / "mine" / "core.py", "K = 3\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))
    body = "import mine\ndef run(params, lab):\n    return {'k': lab.map(lambda i: mine.K, range(2))}\n"
    project = make(tmp_path / "p", {"a": experiment(body)})
    run(project, cluster=two.address)
    assert load(project, "a").values["k"] == [3, 3]


# what items say and raise


def test_what_items_print_and_notice_arrives_at_the_driver(tmp_path, two):
    body = """
        def run(params, lab):
            def tell(i):
                print("printed", i)
                lab.notice(f"noticed {i}")
            lab.map(tell, range(2), label="words")
            return {}
    """
    project = make(tmp_path, {"a": experiment(body)})
    seen = []
    run(project, cluster=two.address, events=seen.append)
    notices = sorted(event.label for event in seen if event.kind == "notice")
    progress = [(event.done, event.total, event.label) for event in seen if event.kind == "progress"]
    log = (project.log / "a.log").read_text()
    assert notices == ["noticed 0", "noticed 1"]
    assert progress[-1] == (2, 2, "words")
    assert sorted(log.splitlines()) == ["notice: noticed 0", "notice: noticed 1", "printed 0", "printed 1"]


def test_an_exception_shows_the_line_of_the_project_and_the_item(tmp_path, two):
    body = "from helper import invert\n\n\ndef run(params, lab):\n    return {'x': lab.map(invert, [1, 0])}\n"
    helper = "def invert(x):\n    return 1 / x\n"
    project = make(tmp_path, {"a": experiment(body)}, src={"helper.py": helper})
    error = failure(project, cluster=two.address)
    assert error.what == "experiment 'a' failed: ZeroDivisionError: division by zero"
    assert error.place.file == "experiments/a.py"
    assert error.place.source.strip() == "return {'x': lab.map(invert, [1, 0])}"
    assert error.notes[0] == "raised in src/helper.py:2"
    assert "item 2" in error.notes[1]
    assert "    return 1 / x" in (project.log / "a.log").read_text()


@pytest.mark.parametrize(
    ("call", "what"),
    [
        ("lab.map(lambda x: x.locked(), [Lock()])", "a lock (cannot pickle"),
        ("lab.map(lambda i: lock.locked(), [1])", "run.<locals>.<lambda> ("),
        ("lab.map(look, [1])", "experiments.a.LOCK, which the run has set ("),
    ],
)
def test_what_cannot_be_sent_is_computed_by_the_driver_and_named(tmp_path, two, call, what):
    body = f"""
        from threading import Lock
        LOCK = None
        def look(i):
            return LOCK.locked()
        def run(params, lab):
            global LOCK
            LOCK, lock = {"Lock()" if "LOCK" in what else "None"}, Lock()
            return {{"x": [{call}, {call}]}}
    """
    project = make(tmp_path, {"a": experiment(body)})
    seen = []
    run(project, cluster=two.address, events=seen.append)
    (notice,) = [event.label for event in seen if event.kind == "notice"]
    assert notice.startswith(f"lab.map computes here what it cannot send to the cluster: {what}")
    assert load(project, "a").values["x"] == [[False], [False]]


def test_a_value_that_cannot_be_sent_says_so(tmp_path, two):
    body = "def run(params, lab):\n    return {'x': lab.map(lambda i: (lambda: i), [1])}\n"
    error = failure(make(tmp_path, {"a": experiment(body)}), cluster=two.address)
    assert "lab.map cannot send what the function returned, function" in error.what
    assert error.cure == "return numbers, texts, arrays or tables"


@pytest.mark.parametrize(
    "writes",
    [
        "(path / 'x').write_text('')",
        "(lab.checkpoints / 'x').write_text('')",
        "(lab.project.build / 'made').mkdir()",
        "open('x', 'w')",
    ],
)
def test_a_file_that_the_run_could_not_read_is_refused(tmp_path, two, writes):
    body = f"""
        {APART}
        def run(params, lab):
            path = lab.project.build
            def write(i):
                {writes}
            return {{"x": lab.map(write, [1])}}
    """
    error = failure(make(tmp_path, {"a": experiment(body)}), cluster=two.address)
    assert error.what.startswith("experiment 'a' failed: a function of lab.map writes ")
    assert "return what it computes" in error.cure


def test_files_can_be_written_where_the_workers_see_the_project(tmp_path, two):
    body = """
        def run(params, lab):
            folder = lab.checkpoints
            lab.map(lambda i: (folder / str(i)).write_text(str(i * i)), range(3))
            lab.map(lambda i: (lab.checkpoints / f"{i}.txt").write_text(str(i)), range(3))
            return {"found": {path.name: path.read_text() for path in sorted(folder.iterdir())}}
    """
    project = make(tmp_path, {"a": experiment(body)})
    run(project, cluster=two.address)
    found = {"0": "0", "1": "1", "2": "4", "0.txt": "0", "1.txt": "1", "2.txt": "2"}
    assert load(project, "a").values["found"] == found


def test_an_item_that_calls_sys_exit_is_an_error(tmp_path, two):
    body = "import sys\n\n\ndef run(params, lab):\n    return {'x': lab.map(sys.exit, [3])}\n"
    error = failure(make(tmp_path, {"a": experiment(body)}), cluster=two.address)
    assert error.what == "experiment 'a' called sys.exit(3)"


# ends


WAITING = """
    import os
    import time
    from pathlib import Path

    def wait(i):
        with open({file!r}, "a") as file:
            file.write(f"{{os.getppid()}} {{os.getpid()}}\\n")
        time.sleep({seconds})
        return i * 7 / 3

    def run(params, lab):
        return {{"x": lab.map(wait, range({items}))}}
"""


def waiting(tmp_path, items=8, seconds=0.3, **kwargs):
    file = tmp_path / "started"
    body = WAITING.format(file=str(file), seconds=seconds, items=items)
    return make(tmp_path / "p", {"a": experiment(body)}, **kwargs), file


def test_items_of_a_worker_that_dies_are_computed_again(tmp_path):
    project, started = waiting(tmp_path)
    with clusters.running(tmp_path / "cluster") as pair:
        thread = threading.Thread(target=run, args=(project,), kwargs={"cluster": pair.address})
        thread.start()
        wait_for(lambda: len(pids(started)) >= 6, 60)
        worker, guest = pids(started)[-2:]
        os.kill(worker, signal.SIGKILL)
        assert worker in [process.pid for process in pair.workers]
        thread.join()
        wait_for(lambda: not alive(guest))
    assert load(project, "a").values["x"] == [i * 7 / 3 for i in range(8)]
    assert len(pids(started)) > 2 * 8  # one of them twice


def test_a_worker_that_comes_later_computes_items_too(tmp_path):
    project, started = waiting(tmp_path, items=40)
    with clusters.running(tmp_path / "cluster", workers=1) as growing:
        thread = threading.Thread(target=run, args=(project,), kwargs={"cluster": growing.address})
        thread.start()
        wait_for(lambda: pids(started), 60)
        growing.add()
        thread.join()
        late = growing.workers[1].pid
    assert late in pids(started)[::2]
    assert load(project, "a").values["x"] == [i * 7 / 3 for i in range(40)]


def test_an_item_that_ends_its_process_is_named_and_its_worker_lives(tmp_path, two):
    body = """
        import os, signal
        def die(x):
            if x == "bad":
                os.kill(os.getpid(), signal.SIGKILL)
        def run(params, lab):
            return {"x": lab.map(die, ["good", "bad", "good"])}
    """
    error = failure(make(tmp_path, {"a": experiment(body)}), cluster=two.address)
    words = "a process of lab.map on the cluster was killed by signal 9 (out of memory?)"
    assert error.what == f"experiment 'a' failed: {words}"
    assert "'bad'" in error.notes[0]
    assert all(worker.poll() is None for worker in two.workers)


def test_a_process_that_ends_once_is_replaced(tmp_path, two):
    body = f"""
        import os
        from pathlib import Path
        def end_once(i):
            mark = Path({str(tmp_path)!r}) / "ended"
            if not mark.exists():
                mark.touch()
                os._exit(3)
            return i
        def run(params, lab):
            return {{"x": lab.map(end_once, range(3))}}
    """
    project = make(tmp_path / "p", {"a": experiment(body)})
    run(project, cluster=two.address)
    assert load(project, "a").values["x"] == [0, 1, 2]


def test_an_item_that_ends_its_workers_is_named(tmp_path):
    body = """
        import os, signal, time
        def kill(x):
            if x == "bad":
                os.kill(os.getppid(), signal.SIGKILL)
                time.sleep(60)
            return x
        def run(params, lab):
            return {"x": lab.map(kill, ["good", "bad", "fine", "well"])}
    """
    project = make(tmp_path / "p", {"a": experiment(body)})
    env = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    with clusters.running(tmp_path / "cluster", workers=3, env=env) as three:
        error = failure(project, cluster=three.address)
        assert sum(worker.poll() is not None for worker in three.workers) == 2
    assert error.what.endswith("a function of lab.map kills each worker of the cluster that computes it")
    assert "'bad'" in error.notes[0]


def test_a_deadline_ends_the_items_but_not_the_cluster(tmp_path, two):
    project, started = waiting(tmp_path, seconds=600, toml="deadline = 5\n")
    error = failure(project, cluster=two.address)
    assert "was stopped after 5 s" in error.what
    found = pids(started)
    assert len(found) == 4
    wait_for(lambda: not any(alive(guest) for guest in found[1::2]))
    assert all(alive(worker) for worker in found[::2])
    other, _ = waiting(tmp_path / "other", items=2, seconds=0)
    run(other, cluster=two.address)


def test_an_interrupted_build_leaves_no_item_running(tmp_path, two):
    project, started = waiting(tmp_path, seconds=600)
    code = "import sys; from labreport.cli import main; main()"
    command = [sys.executable, "-c", code, "run", "--project", str(project.root), "--cluster", two.address]
    build = subprocess.Popen(command, cwd=SRC, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(pids(started)) == 4, 60)
    build.send_signal(signal.SIGINT)
    said = build.communicate(timeout=60)[1]
    assert build.returncode == 130, said
    assert "Traceback" not in said
    wait_for(lambda: not any(alive(guest) for guest in pids(started)[1::2]))


@pytest.mark.parametrize(
    ("ended", "what"),
    [
        ("workers", "the cluster at {address} has had no worker for 2 s"),
        ("scheduler", "the connection to the cluster at {address} was lost"),
    ],
)
def test_a_cluster_that_ends_is_an_error(tmp_path, ended, what):
    impatient = (
        "from labreport.running import cluster\ncluster.ALONE_SECONDS, cluster.LISTEN_SECONDS = 2, 0.5"
    )
    project, started = waiting(tmp_path, seconds=600)
    source = project.experiments / "a.py"
    projects.change(source, "import os", f"{impatient}\nimport os")
    errors = []
    with clusters.running(tmp_path / "cluster") as pair:
        thread = threading.Thread(target=lambda: errors.append(failure(project, cluster=pair.address)))
        thread.start()
        wait_for(lambda: len(pids(started)) == 4, 60)
        for process in pair.workers if ended == "workers" else [pair.scheduler]:
            process.kill()
        thread.join(60)
        wait_for(lambda: not any(alive(guest) for guest in pids(started)[1::2]))
    (error,) = errors
    assert error.what.endswith(what.format(address=pair.address))
    assert error.cure


# a cluster that cannot be used


def nothing_ran(project) -> bool:
    return not project.results.exists() or not any(project.results.iterdir())


def refusal(project, address):
    with pytest.raises(ToolError) as caught:
        running.execute(project, cluster=address)
    assert nothing_ran(project)
    return caught.value


@pytest.fixture
def small(tmp_path):
    body = (
        "import numpy\ndef run(params, lab):\n    return {'x': lab.map(lambda i: int(numpy.abs(i)), [1])}\n"
    )
    return make(tmp_path / "small", {"a": experiment(body)})


@pytest.mark.parametrize("answers", [False, True], ids=["refused", "silent"])
def test_a_scheduler_that_does_not_answer_is_an_error_before_anything_runs(small, answers):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if answers:
            listener.listen()
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        start = time.monotonic()
        error = refusal(small, address)
    assert time.monotonic() - start < 15  # which the README promises
    assert error.what.startswith(f"no Dask scheduler answers at {address}")
    assert "dask scheduler" in error.cure


@pytest.mark.parametrize(
    "address", ["", "host", "tcp://host", "http://host:8787", "tcp://:8786", "host:port"]
)
def test_an_address_that_is_not_valid_is_a_mistake_of_the_user(small, address):
    with pytest.raises(UsageError, match="is not a valid address"):
        running.execute(small, cluster=address)
    assert nothing_ran(small)


def test_a_cluster_without_workers_is_an_error_before_anything_runs(small, tmp_path, monkeypatch):
    monkeypatch.setattr(handshake, "CONNECT_SECONDS", 3)
    with clusters.running(tmp_path / "cluster", workers=0) as empty:
        error = refusal(small, empty.address)
    assert error.what == f"the cluster at {empty.address} has no worker"
    assert error.cure == f"start workers: `dask worker {empty.address}`"


REPORTING = """
import distributed.versions
get = distributed.versions.get_package_info
distributed.versions.get_package_info = lambda names: {{**get(names), **{others!r}}}
"""


@pytest.mark.parametrize(
    ("side", "others", "said"),
    [
        (
            "scheduler",
            {"python": "3.4.0.final.0", "distributed": "2020.1"},
            ["the scheduler has python 3.4", "the scheduler has distributed 2020.1"],
        ),
        ("worker", {"cloudpickle": "0.1", "numpy": None}, ["has cloudpickle 0.1", "has numpy not installed"]),
    ],
)
def test_other_versions_are_an_error_that_names_both_sides(small, tmp_path, side, others, said):
    code = {side: REPORTING.format(others=others)}
    with clusters.running(tmp_path / "cluster", workers=1, **code) as other:
        error = refusal(small, other.address)
    assert error.what == f"the cluster at {other.address} has other versions"
    assert len(error.notes) == len(said)
    assert all(f"{words}, here it is " in note for words, note in zip(said, error.notes, strict=True))
    assert error.cure


def test_a_worker_that_comes_later_with_other_versions_computes_nothing(small, tmp_path, monkeypatch):
    monkeypatch.setattr(handshake, "check", lambda *_: None)
    code = """
import importlib.metadata
version = importlib.metadata.version
importlib.metadata.version = lambda name: "0.1" if name == "numpy" else version(name)
"""
    with clusters.running(tmp_path / "cluster", workers=1, worker=code) as other:
        error = failure(small, cluster=other.address)
    assert "has other versions" in error.what
    assert error.notes[0].startswith("a worker has numpy 0.1, here it is ")


def test_a_missing_package_is_named_with_the_command_that_installs_it(small, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    error = refusal(small, "tcp://127.0.0.1:8786")
    assert "'distributed'" in error.what
    assert f"{sys.executable} -m pip install " in error.cure


def test_a_cluster_is_not_asked_where_nothing_is_out_of_date(small):
    run(small)
    assert run(small, cluster="tcp://127.0.0.1:1").fresh == ("a",)


def test_without_a_cluster_distributed_is_not_imported(small):
    code = """
        import sys
        def run(params, lab):
            return {"loaded": lab.map(lambda i: "distributed" in sys.modules, range(2))}
    """
    projects.write(small.experiments / "b.py", experiment(code))
    run(small, jobs=2)
    assert load(small, "b").values["loaded"] == [False, False]
    assert (
        "distributed"
        not in subprocess.run(
            [sys.executable, "-c", "import labreport.cli, labreport.running, sys; print(*sys.modules)"],
            cwd=SRC,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
    )

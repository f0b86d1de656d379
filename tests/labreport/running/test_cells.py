"""Finished items of lab.map are computed once, and again where anything that they depend on has changed."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time

import projects
import pytest
from projects import experiment, make, run

from labreport import running
from labreport.project import ENGINE
from labreport.results import load

PARAMS = """
@dataclass(frozen=True)
class Params:
    seed: int = 0
    repeats: int = 4
    lr: float = 0.5
    other: int = 1

    @property
    def half(self):
        return self.lr / 2
"""
# each call leaves a line in the log, so that calls can be counted
BODY = """
import core
SCALE = 2
class C:
    k = 1
def cell(i, params, lab):
    print("computed", i)
    return EXPRESSION
def run(params, lab):
    BEFORE
    return {"y": lab.map(lambda i: cell(i, params, lab), range(params.repeats))}
"""
CORE = {
    "core.py": "K = 5\ndef f(x): return 3 * x\ndef unused(x): return 0\n",
    "kinds.py": "class D:\n    k = 7\n",
}


@pytest.fixture
def written(tmp_path):
    """Make a project whose one experiment computes an expression in each cell."""

    def written(cell="i * params.lr", before="pass", **kwargs):
        return make(tmp_path, {"a": experiment(body(cell, before), params=PARAMS, **kwargs)}, src=CORE)

    return written


def computed(project, **settings):
    """Return how many cells a run computes, with these parameters."""
    chosen = {"a": {name: str(value) for name, value in settings.items()}}
    outcome = run(project, settings=chosen, jobs=2)
    log = (project.log / "a.log").read_text() if outcome.ran else ""
    return log.count("computed")


def changed(project, old, new, file="experiments/a.py"):
    projects.change(project.root / file, old, new)


class Cases:
    """One project with an experiment for each case of a table, which run together: that is cheaper by far.

    Each case has its own `core`.
    """

    def __init__(self, folder, bodies, core=CORE["core.py"]):
        self.names = {case: f"case{n}" for n, case in enumerate(bodies)}
        self.project = make(
            folder,
            {
                name: experiment(bodies[case].replace("core", f"core_{name}"), params=PARAMS)
                for case, name in self.names.items()
            },
            src={f"core_{name}.py": core for name in self.names.values()},
        )

    def computed(self, jobs=2, **settings):
        """Return how many cells of each case a run computes, with these parameters."""
        chosen = {name: str(value) for name, value in settings.items()}
        outcome = run(self.project, settings=dict.fromkeys(self.names.values(), chosen), jobs=jobs)
        logs = {case: self.project.log / f"{name}.log" for case, name in self.names.items()}
        ran = {case for case, name in self.names.items() if name in outcome.ran}
        return {case: logs[case].read_text().count("computed") if case in ran else 0 for case in logs}

    def change(self, case, old, new, file="experiments/NAME.py"):
        changed(self.project, old, new, file.replace("NAME", self.names[case]))

    def values(self, case):
        return load(self.project, self.names[case]).values["y"]


def body(cell, before="pass"):
    return BODY.replace("EXPRESSION", cell).replace("BEFORE", before)


def test_more_repeats_compute_only_the_new_ones(written):
    project = written()
    assert [computed(project, repeats=n) for n in (4, 7, 5)] == [4, 3, 0]
    assert load(project, "a").values["y"] == [0, 0.5, 1, 1.5, 2]


def test_another_parameter_counts_only_where_it_is_read(written):
    project = written()
    assert computed(project) == 4
    assert computed(project, other=2) == 0
    assert computed(project, lr=0.25) == 4
    assert load(project, "a").values["y"] == [0, 0.25, 0.5, 0.75]


WAYS = [
    "params.half",
    "getattr(params, 'l' + 'r')",
    "vars(params)['lr']",
    "__import__('dataclasses').asdict(params)['lr']",
    "__import__('dataclasses').replace(params, other=3).lr",
    "__import__('copy').copy(params).lr",
    "float(repr(params).partition('lr=')[2].partition(',')[0])",
    "hash(params)",
]


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    cases = Cases(tmp_path_factory.mktemp("read"), {way: body(f"i * ({way})") for way in WAYS})
    return [cases.computed(), cases.computed(lr=0.25)]


@pytest.mark.parametrize("way", WAYS)
def test_however_a_parameter_is_read(read, way):
    assert [counts[way] for counts in read] == [4, 4]


def test_a_seed_of_the_lab_is_a_parameter_that_was_read(written):
    project = written("lab.seed(i)")
    assert [computed(project), computed(project, other=2), computed(project, seed=3)] == [4, 0, 4]


def test_the_global_generators_are_seeded_by_what_the_cell_is_not_where_it_ran(written):
    project = written("__import__('random').random()")
    assert [computed(project), computed(project, repeats=6), computed(project, seed=1)] == [4, 2, 4]
    assert len(set(load(project, "a").values["y"])) == 4


def test_a_library_with_a_generator_that_a_cell_imports_is_no_draw(written):
    project = written("len(__import__('numpy').random.__name__) * i")
    assert [computed(project), computed(project, seed=1)] == [4, 0]


EDITS = {
    "the cell": ("experiments/NAME.py", 'print("computed", i)', 'print("computed", i, i)', "i"),
    "what it calls": ("src/core_NAME.py", "3 * x", "4 * x", "core.f(i)"),
    "a constant": ("experiments/NAME.py", "SCALE = 2", "SCALE = 3", "SCALE * i"),
    "a constant elsewhere": ("src/core_NAME.py", "K = 5", "K = 6", "core.K * i"),
    "a class": ("experiments/NAME.py", "k = 1", "k = 2", "C.k * i"),
    "the lambda": ("experiments/NAME.py", "lambda i: cell(i", "lambda i: cell(i + 1", "i"),
}


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    cases = Cases(tmp_path_factory.mktemp("edited"), {what: body(row[3]) for what, row in EDITS.items()})
    before = cases.computed()
    for what, (file, old, new, _) in EDITS.items():
        cases.change(what, old, new, file)
    return [before, cases.computed()]


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_of_what_a_cell_reaches_computes_it_again(edited, what):
    assert [counts[what] for counts in edited] == [4, 4]


def test_an_edit_of_what_it_does_not_reach_computes_nothing(written):
    project = written("core.f(i)")
    assert computed(project) == 4
    changed(project, "return 0", "return 1", "src/core.py")
    changed(project, '{"y": lab.map', '{"z": 1, "y": lab.map')
    assert computed(project) == 0
    assert load(project, "a").values["z"] == 1


CALLED = {
    "cached": ("@functools.cache\ndef call(i): return print('computed') or i + 10", "call"),
    "cached and partial": (
        "@functools.cache\ndef g(k, i): return print('computed') or i + 10",
        "functools.partial(g, 1)",
    ),
    "a method's function": (
        "def g(i): return i + 10\nclass M:\n    def call(self, i): return print('computed') or g(i)",
        "M().call",
    ),
    "a method's method": (
        "class M:\n    def call(self, i): return print('computed') or self.g(i)\n"
        "    def g(self, i): return i + 10",
        "M().call",
    ),
    "a static method's function": (
        "def g(i): return i + 10\nclass M:\n    @staticmethod\n"
        "    def call(i): return print('computed') or g(i)",
        "M.call",
    ),
    "an inherited method": (
        "class B:\n    def g(self, i): return i + 10\n"
        "class M(B):\n    def call(self, i): return print('computed') or self.g(i)",
        "M().call",
    ),
    "found by a name": (
        "class M(int):\n    def call(self): return print('computed') or self + 10",
        "lambda i: operator.methodcaller('call')(M(i))",
    ),
}
ITEMS = {
    "its method": ("self.g()", "[M(i) for i in range(params.repeats)]"),
    "a call of it": ("self()", "[M(i) for i in range(params.repeats)]"),
    "a method that it holds": ("self()", "[M(i).g for i in range(params.repeats)]"),
    "its class": ("self(i).g()", "[M] * params.repeats"),
    "a cached function": ("self(1)", "[functools.cache(h)] * params.repeats"),
}
ITEM = """
import functools
from core import M, h
def call(self, i=1): return print("computed") or CALL
def run(params, lab):
    return {"y": lab.map(call, ITEMS)}
"""


@pytest.fixture(scope="module")
def called(tmp_path_factory):
    bodies = {
        what: f"import functools, operator\n{code}\ndef run(params, lab):\n"
        f"    return {{'y': lab.map({call}, range(params.repeats))}}\n"
        for what, (code, call) in CALLED.items()
    }
    cases = Cases(tmp_path_factory.mktemp("called"), bodies)
    before = cases.computed()
    for what in CALLED:
        cases.change(what, "+ 10", "+ 20")
    return cases, [before, cases.computed()]


@pytest.mark.parametrize("what", CALLED)
def test_an_edit_of_what_a_callable_reaches_computes_its_cells_again(called, what):
    cases, computed = called
    assert [counts[what] for counts in computed] == [4, 4]
    assert cases.values(what) == [20, 21, 22, 23]


@pytest.fixture(scope="module")
def items(tmp_path_factory):
    core = "class M:\n    def __init__(self, k): pass\n    def g(self): return h(1)\n"
    core += "    def __call__(self): return self.g()\ndef h(i): return i + 10\n"
    bodies = {what: ITEM.replace("CALL", call).replace("ITEMS", its) for what, (call, its) in ITEMS.items()}
    cases = Cases(tmp_path_factory.mktemp("items"), bodies, core)
    cases.computed(jobs=1)
    for what in ITEMS:
        cases.change(what, "i + 10", "i + 20", "src/core_NAME.py")
    cases.computed(jobs=1)
    return cases


@pytest.mark.parametrize("what", ITEMS)
def test_an_edit_of_what_a_cell_calls_of_its_item_computes_it_again(items, what):
    assert items.values(what) == [21] * 4


TOLD_APART = {
    "lambdas in one line that differ inside": (
        "[lambda x: sum(v for v in x), lambda x: sum(v * v for v in x)]",
        "item([1, 2])",
        [3, 5],
    ),
    "the names of an array's fields": (
        "[np.array([(1, 2)], [(a, int), (b, int)]) for a, b in ('xy', 'yx')]",
        "int(item['x'][0])",
        [1, 2],
    ),
    "the values of a closure": ("[(lambda k: lambda: k)(k) for k in (1, 2)]", "item()", [1, 2]),
}


@pytest.fixture(scope="module")
def told_apart(tmp_path_factory):
    bodies = {
        what: f"import numpy as np\ndef run(params, lab):\n    items = {items}\n"
        f"    return {{'y': lab.map(lambda item: print('computed') or {value}, items)}}\n"
        for what, (items, value, _) in TOLD_APART.items()
    }
    cases = Cases(tmp_path_factory.mktemp("told"), bodies)
    return cases, [cases.computed(), cases.computed(other=2)]


@pytest.mark.parametrize("what", TOLD_APART)
def test_items_that_differ_are_told_apart(told_apart, what):
    cases, computed = told_apart
    assert [counts[what] for counts in computed] == [2, 0]
    assert cases.values(what) == TOLD_APART[what][2]


def test_tensors_count_by_their_values(tmp_path):
    body = "import torch\ndef run(params, lab):\n"
    body += "    one, other = (torch.nn.Linear(2, n).eval() for n in (1, params.other))\n"
    body += "    items = [torch.full((2,), float(i)).bfloat16() for i in range(params.repeats)]\n"
    body += "    a = lab.map(lambda x: print('computed') or (x.sum() * one.out_features).item(), items)\n"
    body += "    b = lab.map(lambda x: print('computed') or (x.sum() * other.out_features).item(), items)\n"
    body += "    return {'y': [a, b]}\n"
    project = make(tmp_path, {"a": experiment(body, params=PARAMS)})
    assert [computed(project), computed(project, repeats=5, other=2)] == [8, 1 + 5]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_buffer_that_cells_share_gives_each_its_own_value(tmp_path, jobs):
    body = "BUFFER = [0]\ndef cell(i):\n    BUFFER[0] = i\n    return BUFFER\n"
    body += "def run(params, lab):\n    return {'y': lab.map(cell, range(params.repeats))}\n"
    project = make(tmp_path, {"a": experiment(body, params=PARAMS)})
    run(project, jobs=jobs)
    assert load(project, "a").values["y"] == [[0], [1], [2], [3]]


HELD = {
    "a value that a closure holds": ("x = params.other", "x * i"),
    "a global that run sets": ("global SCALE; SCALE = params.other", "SCALE * i"),
    "a class that run changes": ("C.k = params.other", "C.k * i"),
    "a module that run changes": ("core.K = params.other", "core.K * i"),
    "a function in the place of another": (
        "core.f = (lambda x: x) if params.other == 1 else (lambda x: 2 * x)",
        "core.f(i)",
    ),
    "a method in the place of another": (
        "C.f = (lambda self: 1) if params.other == 1 else (lambda self: 2)",
        "C().f() * i",
    ),
    "an object that run puts into a class": (
        "C.k = __import__('numpy').array([params.other])",
        "float(C.k[0] * i)",
    ),
    "a closure that run puts into a module": (
        "core.f = (lambda k: lambda x: k * x)(params.other)",
        "core.f(i)",
    ),
    "a closure that run puts into a class": (
        "C.f = property((lambda k: lambda self: k)(params.other))",
        "C().f * i",
    ),
    "a list that run fills": ("core.T = [params.other]", "core.T[0] * i"),
    "a variable of the environment": (
        "import os; os.environ['MODE'] = str(params.other)",
        "__import__('os').environ['MODE']",
    ),
}


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    call = "lambda i: cell(i, params, lab)"
    bodies = {
        what: body("x", before).replace(call, f"lambda i: print('computed') or {cell}")
        for what, (before, cell) in HELD.items()
    }
    cases = Cases(tmp_path_factory.mktemp("held"), bodies)
    settings = ({}, {"repeats": 5}, {"other": 2}, {"other": 1, "repeats": 3})
    return [cases.computed(**chosen) for chosen in settings]


@pytest.mark.parametrize("what", HELD)
def test_what_run_has_changed_before_the_map_counts(held, what):
    assert [counts[what] for counts in held] == [4, 1, 4, 0]


def test_items_count_by_their_values(written):
    project = written("i")
    changed(project, "range(params.repeats)", "[(n, {'b': [n]}) for n in (3, 1, 2)]")
    assert computed(project) == 3
    changed(project, "(3, 1, 2)", "(2, 4, 3)")
    assert computed(project) == 1
    assert load(project, "a").values["y"][0] == [2, {"b": [2]}]


def test_a_file_that_a_cell_reads_counts_with_its_bytes(written):
    project = written("open('data.txt').read() * i")
    (project.root / "data.txt").write_text("x")
    assert [computed(project), computed(project, repeats=5)] == [4, 1]
    (project.root / "data.txt").write_text("y")
    assert computed(project, repeats=5) == 5


REMEMBERED = """
import functools
@functools.cache
def table(): return open("data.txt").read()
MEMO = {}
def own_memo():
    if "x" not in MEMO: MEMO["x"] = open("data.txt").read()
    return MEMO["x"]
def run(params, lab):
    BEFORE
    return {"y": lab.map(lambda i: print("computed", i) or READ * i, range(params.repeats))}
"""


REMEMBERING = [(read, before) for read in ("table()", "own_memo()") for before in ("pass", "READ")]


@pytest.fixture(scope="module", params=[1, 2])
def remembered(tmp_path_factory, request):
    bodies = {case: REMEMBERED.replace("BEFORE", case[1]).replace("READ", case[0]) for case in REMEMBERING}
    cases = Cases(tmp_path_factory.mktemp("remembered"), bodies)
    found = []
    for text in "xyx":
        (cases.project.root / "data.txt").write_text(text)
        run(cases.project, jobs=request.param)
        found.append({case: cases.values(case) for case in REMEMBERING})
    return found


@pytest.mark.parametrize("case", REMEMBERING, ids=str)
def test_a_file_that_is_read_once_and_remembered_counts_for_all_cells(remembered, case):
    assert [values[case] for values in remembered] == [["", text, text * 2, text * 3] for text in "xyx"]


def test_what_run_reads_to_make_the_items_does_not_count_for_each_of_them(written):
    project = written("i")
    changed(project, "range(params.repeats)", "open('data.txt').read().split()")
    (project.root / "data.txt").write_text("1 2 3")
    assert computed(project) == 3
    (project.root / "data.txt").write_text("1 4 2 3")
    assert computed(project) == 1


def test_a_result_that_a_cell_uses_counts_with_its_content(tmp_path):
    needing = BODY.replace("EXPRESSION", 'lab.result("b").values["x"] * i').replace("BEFORE", "pass")
    b = projects.returning('{"x": params.seed}')
    project = make(tmp_path, {"a": experiment(needing, params=PARAMS, needs=("b",)), "b": b}, src=CORE)
    assert computed(project) == 4
    run(project, settings={"b": {"seed": "5"}})
    assert load(project, "a").values["y"] == [0, 5, 10, 15]


def test_a_cell_that_leaves_a_file_behind_is_computed_each_time(written):
    project = written("(lab.checkpoints / str(i)).write_text('x')")
    assert [computed(project), computed(project, repeats=5)] == [4, 5]


def test_what_cannot_be_told_is_known_to_the_same_run_only(written):
    project = written("i", "lock = __import__('threading').Lock()")
    changed(project, "lambda i: cell(", "lambda i: lock and cell(")
    assert [computed(project), computed(project, repeats=5)] == [4, 5]


def test_force_computes_all_again(written):
    project = written()
    assert computed(project) == 4
    run(project, ["a"], force=True)
    assert (project.log / "a.log").read_text().count("computed") == 4


BATCH = """
def cells(some):
    print("batch", some)
    return [i * i for i in some]
def run(params, lab):
    return {"y": lab.map(cells, range(params.repeats), batch=3)}
"""


@pytest.mark.parametrize(("jobs", "sizes"), [(1, [2, 2, 3]), (2, [1, 2, 2, 2])])
def test_a_batched_function_is_given_lists_and_each_item_is_kept(tmp_path, jobs, sizes):
    project = make(tmp_path, {"a": experiment(BATCH, params=PARAMS)})
    run(project, jobs=jobs, settings={"a": {"repeats": "7"}})
    log = (project.log / "a.log").read_text()
    assert sorted(line.count(",") + 1 for line in log.splitlines()) == sizes
    run(project, jobs=jobs, settings={"a": {"repeats": "9"}})
    assert load(project, "a").values["y"] == [i * i for i in range(9)]
    assert "0" not in (project.log / "a.log").read_text()  # the first items were known


@pytest.mark.parametrize("returned", ["some[1:]", "5", "None", "iter(some)"])
def test_a_batched_function_must_return_a_value_for_each_item(tmp_path, returned):
    project = make(
        tmp_path, {"a": experiment(BATCH.replace("[i * i for i in some]", returned), params=PARAMS)}
    )
    (error,) = running.execute(project).errors
    assert "with `batch` returned" in error.what
    assert error.cure == "return a list with one value for each item"


@pytest.mark.parametrize("draw", ["random.random()", "np.random.rand()"])
def test_a_batched_function_must_not_draw_from_a_global_generator(tmp_path, draw):
    source = BATCH.replace("i * i for", f"{draw} for").replace(
        "def cells", "import random\nimport numpy as np\ndef cells"
    )
    project = make(tmp_path, {"a": experiment(source, params=PARAMS)})
    for _ in range(2):  # what was computed must not be found
        (error,) = running.execute(project).errors
        assert "draws from a global generator" in error.what
        assert "lab.seed(" in error.cure


def test_a_batched_function_may_seed_a_global_generator_for_each_item(tmp_path):
    source = BATCH.replace("i * i for", "random.Random(i).random() + (random.seed(i) or random.random()) for")
    source = source.replace("def cells", "import random\ndef cells")
    project = make(tmp_path, {"a": experiment(source, params=PARAMS)})
    run(project, jobs=1, settings={"a": {"repeats": "7"}})
    assert load(project, "a").values["y"] == [2 * random.Random(i).random() for i in range(7)]


def test_a_batch_of_one_may_draw_from_a_global_generator(tmp_path):
    source = BATCH.replace('print("batch", some)', "import random; random.random()").replace(
        "batch=3", "batch=1"
    )
    project = make(tmp_path, {"a": experiment(source, params=PARAMS)})
    assert running.execute(project).errors == ()


def test_a_batch_of_none_is_refused(tmp_path):
    project = make(tmp_path, {"a": experiment(BATCH.replace("batch=3", "batch=0"), params=PARAMS)})
    (error,) = running.execute(project).errors
    assert "batch=0" in error.what


def test_an_edit_while_the_experiment_runs_does_not_mix_old_values_with_new_code(written):
    """The sources are edited by `run` itself, after they were imported."""
    edit = "path = __import__('pathlib').Path(__file__)"
    edit += "; path.write_text(path.read_text().replace('i + 10', 'i + 20'))"
    project = written("i + 10", edit)
    assert computed(project) == 4
    assert load(project, "a").values["y"] == [10, 11, 12, 13]
    assert computed(project) == 4
    assert load(project, "a").values["y"] == [20, 21, 22, 23]


KILLED = """
import time
def cell(i):
    print("computed", i)
    time.sleep(0.05)
    return i
def run(params, lab):
    return {"y": lab.map(cell, range(40))}
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_run_goes_on_where_it_was(tmp_path, jobs):
    project = make(tmp_path, {"a": experiment(KILLED, params=PARAMS)})
    code = f"""
        import sys
        sys.path.insert(0, {str(ENGINE.parent)!r})
        from pathlib import Path
        from labreport import project, running
        running.execute(project.load(Path({str(tmp_path)!r})), jobs={jobs})
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], start_new_session=True)
    end = time.monotonic() + 60
    while count(project) < 10 and time.monotonic() < end:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(0.3)  # the experiment ends with the build
    kept = count(project)
    assert 10 <= kept < 40
    run(project, jobs=jobs)
    assert (project.log / "a.log").read_text().count("computed") == 40 - kept
    assert load(project, "a").values["y"] == list(range(40))


def count(project) -> int:
    path = project.cells / "a" / "cells.db"
    if not path.exists():
        return 0
    try:
        with sqlite3.connect(path) as connection:
            return connection.execute("select count(*) from cells").fetchone()[0]
    except sqlite3.OperationalError:  # it is just being made
        return 0

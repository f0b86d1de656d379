"""What an experiment reads without declaring it: seen, told once, and part of what makes it stale."""

import os
import shutil
import subprocess
import sys
import textwrap
import venv
from pathlib import Path

import projects
import pytest
from projects import experiment, make, reasons, run, states

from labreport import running
from labreport.results import load, recorded_drawing, recorded_run

SRC = Path(__file__).parents[3] / "src"


def observed(project, name, phase="run"):
    """Return the observed parts of a record, as they are written there."""
    record = (recorded_run if phase == "run" else recorded_drawing)(project, name)
    kinds = ("module", "file", "folder", "variable", "program")
    return {str(part) for part in record.fingerprint.parts if part.kind in kinds}


def body(statements, head=""):
    """Return the source of an experiment that executes statements in `run` and returns `x`."""
    inside = textwrap.indent(textwrap.dedent(statements).strip(), "    ")
    return experiment(f"{head}\n\ndef run(params, lab):\n{inside}\n    return {{'x': x}}\n")


# each way to read: the statements, and the part by which it counts

FILES = {
    "opened": ('x = open("data/x.csv").read()', "data/x.csv"),
    "path": ('from pathlib import Path; x = Path("data/x.csv").read_text()', "data/x.csv"),
    "dots": ('x = open("src/../data/x.csv").read()', "data/x.csv"),
    "absolute": ("x = open(lab.project.root / 'data' / 'x.csv').read()", "data/x.csv"),
    "low": ("import os; f = os.open('data/x.csv', os.O_RDONLY); x = len(os.read(f, 9))", "data/x.csv"),
    "table": ('import pandas; x = len(pandas.read_csv("data/x.csv"))', "data/x.csv"),
    "array": ('import numpy; x = numpy.load("data/x.npy").tolist()', "data/x.npy"),
    "copied": (
        'import shutil, tempfile; x = str(bool(shutil.copy("data/x.csv", tempfile.mkdtemp())))',
        "data/x.csv",
    ),
    "outside": ('x = open("../outside.csv").read()', "../outside.csv"),
    "source": ("import inspect; x = len(inspect.getsource(run))", "experiments/source.py"),
    "executed": ('import runpy; x = runpy.run_path("tools/script.py")["X"]', "tools/script.py"),
    "packaged": ('import pkgutil; x = len(pkgutil.get_data("pack", "x.json"))', "src/pack/x.json"),
    "resource": (
        'from importlib import resources; x = len((resources.files("pack") / "x.json").read_text())',
        "src/pack/x.json",
    ),
    "beside": ("from table import late; x = late()", "src/table.json"),
    "mapped": ("x = lab.map(lambda i: open('data/x.csv').read(), range(3))", "data/x.csv"),
    "threads": (
        "from concurrent.futures import ThreadPoolExecutor\nfrom pathlib import Path\n"
        "with ThreadPoolExecutor(2) as pool: x = list(pool.map(Path.read_text, [Path('data/x.csv')]))",
        "data/x.csv",
    ),
    "forked": (
        "import multiprocessing\n"
        "with multiprocessing.get_context('fork').Pool(1) as pool: x = pool.map(len_of, ['data/x.csv'])",
        "data/x.csv",
    ),
    "database": (
        "import sqlite3\nx = sqlite3.connect('data/x.db').execute('select x from t').fetchall()[0][0]",
        "data/x.db",
    ),
    "program_argument": ("import subprocess; x = subprocess.getoutput('cat data/x.csv')", "data/x.csv"),
    "script_argument": (
        "import subprocess, sys\nx = subprocess.run([sys.executable, 'tools/script.py']).returncode",
        "tools/script.py",
    ),
}
HEADS = {"forked": "def len_of(name):\n    return len(open(name).read())\n"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A project in which each experiment reads one file in its own way, and nobody declares it."""
    folder = tmp_path_factory.mktemp("files")
    project = make(
        folder / "p",
        {name: body(statements, HEADS.get(name, "")) for name, (statements, _) in FILES.items()},
        src={
            "pack/__init__.py": "",
            "pack/x.json": "1",
            "table.json": "1",
            "table.py": """
                import json
                from pathlib import Path
                def late():
                    return json.loads(Path(__file__).with_name("table.json").read_text())
            """,
        },
    )
    import sqlite3

    import numpy as np

    projects.write(folder / "p" / "data" / "x.csv", "1\n2\n")
    projects.write(folder / "p" / "tools" / "script.py", "X = 1\n")
    projects.write(folder / "outside.csv", "1\n")
    np.save(folder / "p" / "data" / "x.npy", np.ones(2))
    with sqlite3.connect(folder / "p" / "data" / "x.db") as database:
        database.execute("create table t (x int)")
        database.execute("insert into t values (1)")
    database.close()
    events = []
    run(project, jobs=2, events=events.append)
    return project, events


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_read_counts_however_it_is_read(files, name):
    project, _ = files
    found = {part for part in observed(project, name) if part.startswith("file ")}
    assert found == {f"file {FILES[name][1]}"}


@pytest.mark.parametrize("name", FILES)
def test_an_undeclared_file_is_told_with_its_cure(files, name):
    _, events = files
    (told,) = [e.label for e in events if e.kind == "notice" and e.experiment == name and "READS" in e.label][
        :1
    ]
    assert told == f"read {FILES[name][1]}: declared from now on, or add it to READS"


def test_all_is_fresh_after_a_run_that_read_undeclared_files(files):
    project, _ = files
    assert states(project) == dict.fromkeys(FILES, "fresh")


def test_a_changed_file_makes_stale_what_has_read_it_and_nothing_else(files):
    project, _ = files
    path = project.root / "data" / "x.csv"
    before = path.read_bytes()
    path.write_text("1\n3\n")
    try:
        found = states(project)
        stale = {name for name, state in found.items() if state == "stale run"}
        assert stale == {name for name, (_, file) in FILES.items() if file == "data/x.csv"}
        assert reasons(project, "opened") == ("data/x.csv changed",)
    finally:
        path.write_bytes(before)
    assert states(project) == dict.fromkeys(FILES, "fresh")


@pytest.fixture
def reading(tmp_path):
    projects.write(tmp_path / "data" / "x.csv", "1\n")
    return make(tmp_path, {"a": body('x = open("data/x.csv").read()')})


def notices(project, **kwargs):
    events = []
    outcome = run(project, events=events.append, **kwargs)
    return outcome.ran, [event.label for event in events if event.kind == "notice"]


def test_a_file_is_told_once(reading):
    assert notices(reading)[1] == ["read data/x.csv: declared from now on, or add it to READS"]
    projects.write(reading.root / "data" / "x.csv", "2\n")
    assert notices(reading) == (("a",), [])
    assert load(reading, "a").values == {"x": "2\n"}
    assert notices(reading) == ((), [])


def test_declaring_a_file_that_was_seen_runs_nothing_and_neither_does_forgetting_to(reading):
    run(reading)
    path = reading.experiments / "a.py"
    projects.change(path, "NEEDS = ()", 'NEEDS = ()\nREADS = ("data/x.csv",)')
    assert states(reading) == {"a": "fresh"}
    assert notices(reading, force=True) == (("a",), [])
    assert states(reading) == {"a": "fresh"}
    projects.change(path, 'READS = ("data/x.csv",)', "")
    assert states(reading) == {"a": "fresh"}
    projects.write(reading.root / "data" / "x.csv", "2\n")
    assert reasons(reading, "a") == ("data/x.csv changed",)


def test_a_file_that_is_no_longer_read_goes_with_the_next_run(reading):
    run(reading)
    projects.change(reading.experiments / "a.py", 'open("data/x.csv").read()', "1")
    assert run(reading).ran == ("a",)
    assert observed(reading, "a") == set()
    (reading.root / "data" / "x.csv").unlink()
    assert states(reading) == {"a": "fresh"}


def test_a_file_that_is_gone_makes_stale_and_the_run_says_what_is_missing(reading):
    run(reading)
    (reading.root / "data" / "x.csv").unlink()
    assert reasons(reading, "a") == ("data/x.csv is gone",)
    (error,) = running.execute(reading).errors
    assert "FileNotFoundError" in error.what


def test_a_file_that_was_looked_for_in_vain_counts_when_it_appears(tmp_path):
    statements = """
        try:
            x = open("data/extra.csv").read()
        except FileNotFoundError:
            x = ""
    """
    project = make(tmp_path, {"a": body(statements)})
    told = "looked for data/extra.csv in vain: stale from now on as soon as it exists"
    assert notices(project) == (("a",), [told])
    assert states(project) == {"a": "fresh"}
    projects.write(tmp_path / "data" / "extra.csv", "1\n")
    assert states(project) == {"a": "stale run"}
    assert reasons(project, "a") == ("data/extra.csv exists now",)
    run(project)
    assert load(project, "a").values == {"x": "1\n"}
    assert states(project) == {"a": "fresh"}


OWN = {
    "temporary": (
        "import tempfile\n"
        "with tempfile.TemporaryFile(dir='.') as f: f.write(b'1'); f.seek(0); x = f.read().decode()"
    ),
    "written": "open('out.txt', 'w').write('1')\nx = open('out.txt').read()",
    "exclusive": (
        "import os\nf = os.open('new.txt', os.O_RDWR | os.O_CREAT | os.O_EXCL)\nos.close(f)\n"
        "x = open('new.txt').read()\nos.remove('new.txt')"
    ),
    "renamed": (
        "import os\nopen('half.txt', 'w').write('1')\nos.replace('half.txt', 'whole.txt')\n"
        "x = open('whole.txt').read()"
    ),
    "in_a_worker": (
        "import os, time\ndef work(i):\n    open(f'part{i}.txt', 'w').write('1')\n    time.sleep(0.05)\n"
        "lab.map(work, range(4))\nx = [open(f'part{i}.txt').read() for i in range(4)]"
    ),
    "folder": "import os\nos.makedirs('made/by/it')\nx = os.listdir('made/by')\nos.removedirs('made/by/it')",
    "checkpoint": "(lab.checkpoints / 'c').write_text('1')\nx = (lab.checkpoints / 'c').read_text()",
    "generated": "x = len(open(lab.project.log / 'generated.log').read()) * 0",
    "elsewhere": "x = len(open('/etc/passwd').read()) * 0",
    "device": "x = len(open('/dev/null').read())",
    "declared": "x = lab.file('data/x.csv').read_text()",
    "packages": "import scipy.stats, matplotlib.pyplot, pandas\nx = 1",
    "warning": "import warnings\nwarnings.warn('look')\nx = 1",
    "traceback": (
        "import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.format_exc()\nx = 1"
    ),
    "entry_points": "from importlib.metadata import entry_points\nx = len(entry_points()) * 0",
    "plain_import": "import helper\nx = helper.X",
    "platform": "import platform\nx = len(platform.platform()) * 0",
    "python": "import subprocess, sys\nx = subprocess.run([sys.executable, '-c', '']).returncode",
    "home": "import os, pathlib\nx = len(os.path.expanduser('~') + str(pathlib.Path.home())) * 0",
    "fixed": "import os\nx = os.environ['OMP_NUM_THREADS']",
    "set_here": "import os\nos.environ['SET_HERE'] = '1'\nx = os.environ['SET_HERE']",
    "for_a_program": (
        "import os, subprocess, sys\n"
        "x = [subprocess.run([sys.executable, '-c', ''], env=env).returncode\n"
        "     for env in (os.environ, os.environ.copy(), os.environ | {'A': 'b'})]"
    ),
}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A project whose experiments read only what is no input, or what is declared."""
    folder = tmp_path_factory.mktemp("own")
    projects.write(folder / "data" / "x.csv", "1\n")
    texts = {name: body(statements) for name, statements in OWN.items()}
    texts["declared"] = texts["declared"].replace("NEEDS = ()", "NEEDS = ()\nREADS = ('data/x.csv',)")
    project = make(folder, texts, src={"helper.py": "X = 1\n"})
    run(project, jobs=2)
    return project


@pytest.mark.parametrize("name", OWN)
def test_what_is_no_input_does_not_count(own, name):
    assert observed(own, name) == ({"file data/x.csv"} if name == "declared" else set())


def test_a_declared_file_is_not_told(tmp_path):
    projects.write(tmp_path / "data" / "x.csv", "1\n")
    text = body('x = open("data/x.csv").read()').replace("NEEDS = ()", "NEEDS = ()\nREADS = ('data/x.csv',)")
    assert notices(make(tmp_path, {"a": text})) == (("a",), [])


# folders

FOLDERS = {
    "globbed": "from pathlib import Path\nx = sorted(p.name for p in Path('data').glob('*.csv'))",
    "glob": "import glob\nx = sorted(glob.glob('data/*.csv'))",
    "listdir": "import os\nx = sorted(os.listdir('data'))",
    "scandir": "import os\nx = sorted(entry.name for entry in os.scandir('data'))",
    "walk": "import os\nx = [sorted(names) for _, _, names in os.walk('data')]",
    "iterdir": "x = sorted(p.name for p in (lab.project.root / 'data').iterdir())",
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("folders")
    projects.write(folder / "data" / "a.csv", "1\n")
    project = make(folder, {name: body(statements) for name, statements in FOLDERS.items()})
    return project, notices(project, jobs=2)[1]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_listed_folder_counts_by_its_names(folders, name):
    project, told = folders
    assert observed(project, name) == {"folder data"}
    assert all(label.startswith("listed data: ") for label in told)
    assert len(told) == len(FOLDERS)


def test_a_new_file_in_a_listed_folder_makes_stale_and_a_changed_one_does_not(folders):
    project, _ = folders
    (project.root / "data" / "a.csv").write_text("2\n")
    (project.root / "data" / ".a.csv.swp").write_text("")
    assert set(states(project).values()) == {"fresh"}
    (project.root / "data" / "b.csv").write_text("1\n")
    assert set(states(project).values()) == {"stale run"}
    assert reasons(project, "glob") == ("what lies in data changed",)


# variables

VARIABLES = {
    "index": "x = os.environ['MODE']",
    "get": "x = os.environ.get('MODE')",
    "getenv": "x = os.getenv('MODE')",
    "contained": "x = 'MODE' in os.environ",
    "copied": "x = os.environ.copy()['MODE']",
    "copied_get": "x = (os.environ | {'A': 'b'}).get('MODE')",
    "bytes_": "x = os.environb[b'MODE'].decode()",
    "popped": "x = os.environ.pop('MODE')",
    "default": "x = os.environ.setdefault('MODE', 'slow')",
    "expanded": "x = os.path.expandvars('$MODE')",
    "before_setting": "x = os.environ['MODE']\nos.environ['MODE'] = 'other'",
    "imported": "from os import environ\nx = environ['MODE']",
    "by_a_module": "import settings\nx = settings.mode()",
    "by_a_worker": "x = lab.map(lambda i: os.environ['MODE'], range(2))",
}


@pytest.fixture(scope="module")
def variables(tmp_path_factory):
    project = make(
        tmp_path_factory.mktemp("variables"),
        {name: body(f"import os\n{statements}") for name, statements in VARIABLES.items()},
        src={"settings.py": "import os\ndef mode():\n    return os.environ['MODE']\n"},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODE", "fast")
        told = notices(project, jobs=2)[1]
        yield project, told


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_that_the_projects_code_reads_counts_with_its_value(variables, name):
    project, told = variables
    assert observed(project, name) == {"variable MODE"}
    assert recorded_run(project, name).fingerprint.named("variable") == {"MODE": '"fast"'}
    assert sum(label.startswith("read MODE from the environment: ") for label in told) == len(VARIABLES)


def test_another_value_of_a_variable_makes_stale_and_the_same_one_fresh(variables, monkeypatch):
    project, _ = variables
    monkeypatch.setenv("MODE", "slow")
    assert set(states(project).values()) == {"stale run"}
    assert reasons(project, "get") == ('MODE was "fast", is "slow"',)
    monkeypatch.delenv("MODE")
    assert reasons(project, "get") == ('MODE was "fast", is unset',)
    monkeypatch.setenv("MODE", "fast")
    assert set(states(project).values()) == {"fresh"}


@pytest.mark.parametrize("copy", ["dict(os.environ)", "{**os.environ}", "list(os.environ.items())"])
def test_who_reads_all_variables_depends_on_all_of_them(tmp_path, monkeypatch, copy):
    project = make(tmp_path, {"a": body(f"import os\nx = len({copy}) * 0")})
    (told,) = notices(project)[1]
    assert told.startswith("read the whole environment: ")
    assert states(project) == {"a": "fresh"}
    monkeypatch.setenv("TERM", "another-window")
    assert states(project) == {"a": "fresh"}
    monkeypatch.setenv("ANYTHING", "1")
    assert states(project) == {"a": "stale run"}


def test_the_value_of_a_variable_that_may_be_secret_is_not_written_down(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "abc123")
    monkeypatch.setenv("PLACE", "/home/someone/data and more")
    project = make(tmp_path, {"a": body("import os\nx = len(os.environ['MY_TOKEN'] + os.environ['PLACE'])")})
    run(project)
    written = (project.results / "a" / "run.json").read_text()
    assert "variable MY_TOKEN" in written
    assert "abc123" not in written
    assert "someone" not in written
    monkeypatch.setenv("MY_TOKEN", "abc124")
    assert states(project) == {"a": "stale run"}


# programs


def test_a_program_counts_by_its_file(tmp_path, monkeypatch):
    tool = tmp_path / "bin" / "measure"
    projects.write(tool, "#!/bin/sh\necho 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    starts = {
        "run": "x = subprocess.run(['measure'], capture_output=True, text=True).stdout",
        "shell": "x = subprocess.getoutput('A=b measure | cat > out.txt; cat out.txt')",
        "system": "x = os.system('measure')",
        "spawn": "x = os.waitpid(os.posix_spawnp('measure', ['measure'], {}), 0)[1]",
    }
    project = make(
        tmp_path / "p", {name: body(f"import os, subprocess\n{text}") for name, text in starts.items()}
    )
    told = notices(project)[1]
    assert len([label for label in told if label.startswith("started ") and "measure" in label]) == len(
        starts
    )
    assert all("program measure" in observed(project, name) for name in starts)
    assert set(states(project).values()) == {"fresh"}
    tool.write_text("#!/bin/sh\necho 2\n")
    assert set(states(project).values()) == {"stale run"}
    assert reasons(project, "run") == ("the program measure changed",)


def test_what_a_program_writes_is_no_input_of_it(tmp_path):
    statements = """
        import random, subprocess, sys
        command = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
        subprocess.run([sys.executable, "-c", command, "out.txt", str(random.SystemRandom().random())])
        x = len(open("out.txt").read()) * 0
    """
    project = make(tmp_path, {"a": body(statements)})
    run(project)
    run(project, force=True)  # now the file is there when the program is started
    assert states(project) == {"a": "fresh"}


# modules

HIDDEN = {
    "computed": 'import importlib\nx = importlib.import_module("hid" + "den").X',
    "builtin": 'x = __import__("hid" + "den").X',
    "by_its_file": (
        "import importlib.util\n"
        "spec = importlib.util.spec_from_file_location('any', 'src/hid' + 'den.py')\n"
        "module = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(module)\nx = module.X"
    ),
    "in_a_worker": (
        "import importlib\nx = lab.map(lambda i: importlib.import_module('hid' + 'den').X, range(2))"
    ),
}


@pytest.fixture(scope="module")
def hidden(tmp_path_factory):
    project = make(
        tmp_path_factory.mktemp("hidden"),
        {name: body(statements) for name, statements in HIDDEN.items()},
        src={"hidden.py": "from other import X\n", "other.py": "X = 1\n"},
    )
    return project, notices(project, jobs=2)[1]


@pytest.mark.parametrize("name", HIDDEN)
def test_a_module_that_no_syntax_names_counts_with_what_it_imports(hidden, name):
    project, told = hidden
    assert "module src/hidden.py" in observed(project, name)
    assert sum("src/hidden.py" in label and "plain `import`" in label for label in told) == len(HIDDEN)


def test_a_change_in_a_hidden_module_or_below_makes_stale_and_a_comment_does_not(hidden):
    project, _ = hidden
    for file in ("hidden.py", "other.py"):
        path = project.root / "src" / file
        before = path.read_text()
        path.write_text(f"# a comment\n{before}")
        assert set(states(project).values()) == {"fresh"}, file
        path.write_text(f"{before}\nY = 2\n")
        assert set(states(project).values()) == {"stale run"}, file
        assert "src/hidden.py, or what it imports, changed" in reasons(project, "computed")
        path.write_text(before)


def test_a_module_from_a_folder_that_is_put_on_the_path_counts(tmp_path):
    projects.write(tmp_path / "tools" / "helper.py", "X = 1\n")
    project = make(
        tmp_path, {"a": body("import sys\nsys.path.insert(0, 'tools')\nimport helper\nx = helper.X")}
    )
    run(project)
    assert observed(project, "a") == {"module tools/helper.py"}
    projects.write(tmp_path / "tools" / "helper.py", "X = 2\n")
    run(project)
    assert load(project, "a").values == {"x": 2}


# drawings


def test_what_a_drawing_reads_draws_again_and_runs_nothing(tmp_path):
    text = experiment(
        """
        def run(params, lab):
            return {"x": [1, 2]}
        def draw(result, lab):
            from matplotlib.figure import Figure
            figure = Figure(figsize=(2, 2))
            figure.subplots().plot(result.values["x"], color=open("colour.txt").read().strip())
            lab.figure("line", figure, alt="a line")
        """
    )
    projects.write(tmp_path / "colour.txt", "red\n")
    projects.write(tmp_path / "experiments" / "figures.mplstyle", "font.size: 8\n")
    project = make(tmp_path, {"a": text})
    events = []
    run(project, events=events.append)
    assert [(e.phase, e.label) for e in events if e.kind == "notice"] == [
        ("draw", "read colour.txt: declared from now on, or add it to READS")
    ]
    assert observed(project, "a", "draw") == {"file colour.txt"}
    assert states(project) == {"a": "fresh"}
    projects.write(tmp_path / "colour.txt", "blue\n")
    assert states(project) == {"a": "stale draw"}
    assert reasons(project, "a") == ("figures: colour.txt changed",)


# while it runs


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_that_is_edited_after_it_was_read_is_not_believed(tmp_path, jobs):
    go = tmp_path / "go"
    statements = f"""
        import os, time
        def work(i):
            text = open("data/x.csv").read()
            lab.notice("read")
            while not os.path.exists({str(go)!r}):
                time.sleep(0.01)
            return text
        x = lab.map(work, range(2))
    """
    projects.write(tmp_path / "p" / "data" / "x.csv", "1\n")
    project = make(tmp_path / "p", {"a": body(statements)})

    def edit(event):
        if event.label == "read":
            projects.write(project.root / "data" / "x.csv", "2\n")
            go.touch()

    (error,) = running.execute(project, jobs=jobs, events=edit).errors
    assert error.what == "experiment 'a' failed: data/x.csv changed while the experiment read it"
    assert error.cure == "build again"
    assert states(project) == {"a": "stale run"}


def test_a_run_that_changes_what_it_has_read_is_stale_and_says_why(tmp_path):
    projects.write(tmp_path / "count.txt", "1")
    statements = """
        from pathlib import Path
        x = int(Path("count.txt").read_text())
        Path("count.txt").write_text(str(x + 1))
    """
    project = make(tmp_path, {"a": body(statements)})
    run(project)
    assert load(project, "a").values == {"x": 1}
    assert reasons(project, "a") == ("count.txt changed",)


def test_checkpoints_are_not_those_of_other_undeclared_inputs(tmp_path):
    projects.write(tmp_path / "x.txt", "1")
    statements = """
        kept = lab.checkpoints / "kept"
        if kept.exists():
            x = kept.read_text()
        else:
            x = open("x.txt").read()
            kept.write_text(x)
            if x == "2":
                raise KeyboardInterrupt
    """
    project = make(tmp_path, {"a": body(statements)})
    run(project)
    projects.write(tmp_path / "x.txt", "2")
    assert running.execute(project).errors
    projects.write(tmp_path / "x.txt", "3")
    run(project)
    assert load(project, "a").values == {"x": "3"}


KILLED = """
    kept = lab.checkpoints / "kept"
    if kept.exists():
        x = kept.read_text()
    else:
        x = lab.map(lambda i: open("x.txt").read(), range(2))[0]
        kept.write_text(x)
        raise KeyboardInterrupt
"""


def test_checkpoints_of_a_killed_first_run_are_not_those_of_other_inputs(tmp_path):
    projects.write(tmp_path / "x.txt", "1")
    project = make(tmp_path, {"a": body(KILLED)})
    assert running.execute(project, jobs=2).errors
    projects.write(tmp_path / "x.txt", "2")
    assert running.execute(project, jobs=2).errors  # it begins anew
    run(project)
    assert load(project, "a").values == {"x": "2"}


def test_what_a_killed_run_had_read_counts_for_the_run_that_goes_on(tmp_path):
    projects.write(tmp_path / "x.txt", "1")
    project = make(tmp_path, {"a": body(KILLED)})
    assert running.execute(project, jobs=2).errors
    run(project)
    assert observed(project, "a") == {"file x.txt"}
    assert not project.checkpoints.exists() or not list(project.checkpoints.glob("a/*"))
    projects.write(tmp_path / "x.txt", "2")
    assert reasons(project, "a") == ("x.txt changed",)


# what a stretch of work reads, for whoever keeps its value


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_unit_of_work_knows_what_it_has_read_itself_for_the_first_time_or_again(tmp_path, jobs):
    statements = """
        from labreport.running import observing
        open("all.txt").read()
        def work(name):
            with observing.during() as sight:
                open("all.txt").read()
                with observing.during() as inner:
                    open(name).read()
                open("own.txt", "w").write("1")
                open("own.txt").read()
            return [sorted(map(str, s.seen.parts)) for s in (sight, inner)]
        x = lab.map(work, ["b.txt", "c.txt", "b.txt"])
    """
    for name in ("all", "b", "c"):
        projects.write(tmp_path / f"{name}.txt", "1")
    project = make(tmp_path, {"a": body(statements)})
    run(project, jobs=jobs)
    assert load(project, "a").values["x"] == [
        [["file all.txt", f"file {name}.txt"], [f"file {name}.txt"]] for name in "bcb"
    ]
    assert observed(project, "a") == {"file all.txt", "file b.txt", "file c.txt"}


def test_what_was_observed_elsewhere_counts_and_must_agree(tmp_path):
    statements = """
        from labreport.results import Fingerprint, Part
        from labreport.running import observing
        if params.seed:
            open("x.txt").read()
        observing.add(Fingerprint({Part("file", "x.txt"): "another digest"}))
        x = 1
    """
    projects.write(tmp_path / "x.txt", "1")
    project = make(tmp_path, {"a": body(statements)})
    for settings in ({}, {"a": {"seed": "1"}}):
        (error,) = running.execute(project, settings=settings).errors
        assert error.what == "experiment 'a' failed: x.txt changed while the experiment read it"


# packages without a released version


def package_project(tmp_path, statements="import mypkg\nx = mypkg.K"):
    return make(tmp_path / "p", {"a": body(statements)})


def test_a_package_on_pythonpath_counts_by_its_files(tmp_path, monkeypatch):
    lib = tmp_path / "lib"
    projects.write(lib / "mypkg" / "__init__.py", "__version__ = '1.0'\nfrom mypkg.core import K\n")
    projects.write(lib / "mypkg" / "core.py", "K = 1\n")
    monkeypatch.setenv("PYTHONPATH", str(lib))
    project = package_project(tmp_path)
    run(project)
    assert states(project) == {"a": "fresh"}
    projects.write(lib / "mypkg" / "core.py", "K = 2\n")
    assert reasons(project, "a") == ("the files of mypkg changed",)
    run(project)
    assert load(project, "a").values == {"x": 2}
    assert states(project) == {"a": "fresh"}


def test_a_package_on_pythonpath_is_not_taken_from_a_cache_even_if_it_is_preloaded(tmp_path, monkeypatch):
    file = tmp_path / "lib" / "mypkg.py"
    projects.write(file, "K = 1\n")
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(file.parent))
    project = make(tmp_path / "p", {"a": body("import mypkg\nx = mypkg.K")}, toml='preload = ["mypkg"]\n')
    run(project)
    before = file.stat()
    projects.write(file, "K = 2\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))  # as an edit within the same second
    run(project)
    assert load(project, "a").values == {"x": 2}


def test_an_editable_install_counts_by_its_working_copy(tmp_path):
    projects.write(tmp_path / "copy" / "mypkg.py", "K = 1\n")
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    (site,) = (tmp_path / "venv" / "lib").glob("*/site-packages")
    ours = next(path for path in sys.path if path.endswith("site-packages"))
    projects.write(site / "mypkg.pth", f"{tmp_path / 'copy'}\n{ours}\n{SRC}\n")
    projects.write(site / "mypkg-1.0.dist-info" / "METADATA", "Name: mypkg\nVersion: 1.0\n")
    origin = '{"url": "file:///copy", "dir_info": {"editable": true}}'
    projects.write(site / "mypkg-1.0.dist-info" / "direct_url.json", origin)
    project = package_project(tmp_path)

    def labreport(command):
        python = tmp_path / "venv" / "bin" / "python"
        line = [python, "-m", "labreport", command, "--project", project.root]
        environment = {"PATH": os.environ["PATH"]}
        return subprocess.run(line, capture_output=True, text=True, check=True, env=environment).stdout

    labreport("run")
    assert load(project, "a").values == {"x": 1}
    assert "fresh" in labreport("plan")
    projects.write(tmp_path / "copy" / "mypkg.py", "K = 2\n")
    assert "the files of mypkg changed" in labreport("plan")
    labreport("run")
    assert load(project, "a").values == {"x": 2}


def test_the_files_that_were_read_are_those_of_the_link_that_leads_to_them(tmp_path):
    projects.write(tmp_path / "real" / "x.csv", "1\n")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "data").symlink_to(tmp_path / "real")
    project = make(tmp_path / "p", {"a": body('x = open("data/x.csv").read()')})
    run(project)
    assert observed(project, "a") == {"file data/x.csv"}
    projects.write(tmp_path / "real" / "x.csv", "2\n")
    assert states(project) == {"a": "stale run"}


def test_a_copy_of_the_project_is_as_fresh_as_the_project(reading, tmp_path):
    import dataclasses

    run(reading)
    other = tmp_path.with_name(f"{tmp_path.name}-copy")
    shutil.copytree(reading.root, other)
    assert states(dataclasses.replace(reading, root=other)) == {"a": "fresh"}
    assert sys.prefix not in (reading.results / "a" / "run.json").read_text()

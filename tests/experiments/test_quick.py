"""Every experiment runs with its QUICK parameters, encodes, draws, and gives the same values for any --jobs.

Each function that ran is in the fingerprint, as coverage saw it.

The experiments are run as a user runs them, in copies of the project. In one there is a single process, whose
runs and drawings are measured; there the sweep runs without W&B, which takes most of its time. In the other
there are two processes, and W&B is offline, without an account: there nothing is drawn, which depends on the
result alone. Two of them are smaller than QUICK says; the sweep's trainings are shorter and on fewer points
than sweep.yaml has them.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import combinations
from pathlib import Path

import oracle
import pytest
from seen import VIEWS, legend_entries, mean_difference

from labreport import project as projects
from labreport.results import Sources, load
from labreport.running import figures

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("experiments/*.py"))}
MAPPED = [name for name, source in SOURCES.items() if "lab.map" in source]  # no other can depend on --jobs
DRAWING = [name for name, source in SOURCES.items() if "\ndef draw(" in source]
PHASES = [(name, "run") for name in SOURCES] + [(name, "draw") for name in DRAWING]
TRIALS = 44  # importances need 41
SMALLER = (f"sweep.trials={TRIALS}", "training_sensitivity.repeats=4", "training_sensitivity.n_train=256")
SHORTER = {"epochs": 4, "n_train": 64, "n_val": 100}  # of each trial in sweep.yaml
APART = 8  # the least mean difference, in Delta E, of the marks of two entries of a legend
TEMPLATES = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("report_templates/**/*.j2"))


def copied(folder: Path) -> Path:
    """Copy what an experiment can reach, with a short sweep."""
    folder.mkdir()
    for name in ("experiments", "src", "report_templates"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("build_report.py", "report.toml"):
        shutil.copy(ROOT / name, folder)
    sweep = folder / "experiments" / "sweep.yaml"
    text = sweep.read_text(encoding="utf-8")
    for key, value in SHORTER.items():
        text, found = re.subn(rf"(\n  {key}: {{value: )\d+", rf"\g<1>{value}", text)
        assert found == 1, key
    sweep.write_text(text, encoding="utf-8")
    return folder


def without_drawing(folder: Path) -> None:
    for path in (folder / "experiments").glob("*.py"):
        source = path.read_text(encoding="utf-8")
        path.write_text(source.replace("\ndef draw(", "\ndef not_drawn("), encoding="utf-8")


def run(folder: Path, *arguments: str, mode: str = "offline", measured: bool = True) -> str:
    """Run experiments in a copy, where nothing of whoever runs the tests is known; return what is printed."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    variables = oracle.environment(folder, folder / "measured") if measured else os.environ
    kept = {key: value for key, value in variables.items() if not key.startswith("WANDB_")}
    command = [
        sys.executable,
        "build_report.py",
        "--quick",
        "run",
        *(part for setting in SMALLER for part in ("--set", setting)),
        *arguments,
    ]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**kept, "HOME": str(home), "NETRC": str(home / "none"), "WANDB_MODE": mode},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=550,
        check=False,
    )
    return done.stdout + done.stderr


def run_with_two(folder: Path) -> str:
    without_drawing(copied(folder))
    return run(folder, "--jobs", "2", *MAPPED, measured=False)


def run_with_one(folder: Path) -> str:
    copied(folder)
    others = [name for name in SOURCES if name != "sweep"]
    return run(folder, "--jobs", "1", *others) + run(folder, "--jobs", "1", "sweep", mode="disabled")


@pytest.fixture(scope="session")
def results(tmp_path_factory, worker_id):
    """Return the folders of the results with one job and with two.

    They are made at once, one beside the other, and once for all workers of pytest-xdist: the first that
    comes makes them, and the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "experiments"
    folder.mkdir(exist_ok=True)
    ways = {"one": run_with_one, "two": run_with_two}
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "told").exists():
            with ThreadPoolExecutor(len(ways)) as pool:
                told = pool.map(lambda way: ways[way](folder / way), ways)
            (folder / "told").write_text("\n".join(told), encoding="utf-8")
    print((folder / "told").read_text(encoding="utf-8"))  # pytest shows it if a test fails
    return [folder / way / "build" / "quick" / "results" for way in ways]


def read(folder: Path, name: str) -> dict:
    """Return a result; refuse NaN and infinity, which are not JSON though Python reads them."""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    text = (folder / name / "result.json").read_text(encoding="utf-8")
    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("name", SOURCES)
def test_quick_run_ends_with_a_result_of_strict_json(results, name):
    result = read(results[0], name)
    assert result["experiment"] == name
    assert result["values"]


@pytest.mark.parametrize("name", SOURCES)
def test_every_figure_is_drawn(results, name):
    named = set(re.findall(r"lab\.figure\(\s*\"([a-z_]+)\"", SOURCES[name]))
    assert named >= set(re.findall(rf"\b{name}\.figures\.(\w+)", TEMPLATES))
    folder = results[0] / name / "figures"
    assert {path.stem for path in folder.glob("*.pdf")} == named
    assert (name in DRAWING) == (named != set())
    for figure in named:
        assert (folder / f"{figure}.pdf").read_bytes().startswith(b"%PDF-")
        assert (folder / f"{figure}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", MAPPED)
def test_one_job_and_two_give_the_same_values_and_tables(results, name):
    one, two = (read(folder, name) for folder in results)
    if name == "sweep":
        read_logs = [result["values"]["logs"].pop("read") for result in (one, two)]
        assert read_logs == [0, two["values"]["trials"]["total"]]
        rows = [result["tables"].pop("logged")["rows"] for result in (one, two)]  # what W&B has kept
        assert rows[0] == 0 < rows[1]
    assert one["values"] == two["values"]
    assert one["tables"] == two["tables"]


class Gallery:
    """Takes what an experiment draws; it gives the results of others as `Lab` does."""

    def __init__(self, project: projects.Project) -> None:
        self.project = project
        self.figures = {}

    def figure(self, name, figure, **_):
        self.figures[name] = figure

    def result(self, name):
        return load(self.project, name)


@pytest.mark.parametrize("name", DRAWING)
def test_what_a_legend_tells_apart_is_told_apart_in_grey_and_by_the_colour_blind(results, name, monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    project = projects.load(results[0].parents[2], quick=True)
    gallery = Gallery(project)
    with figures.style(ROOT / "experiments" / "figures.mplstyle"):
        import_module(f"experiments.{name}").draw(load(project, name), gallery)
        assert gallery.figures
        for shown, figure in gallery.figures.items():
            for entries in legend_entries(figure):
                near = [
                    (shown, *pair, view)
                    for pair in combinations(entries, 2)
                    for view in VIEWS
                    if mean_difference(*(entries[each] for each in pair), view) < APART
                ]
                assert near == []


def measured(results) -> tuple[projects.Project, dict]:
    """Return the copy that was measured, and what was run there, but for labreport: that never counts."""
    folder = results[0].parents[2]
    found = oracle.ran(folder / "measured")
    own = {key: {f for f in ran if "labreport" not in f.path.parts} for key, ran in found.items()}
    return projects.load(folder, quick=True), own


@pytest.mark.parametrize(("name", "phase"), PHASES)
def test_each_function_that_ran_is_in_the_fingerprint(results, name, phase):
    project, ran = measured(results)
    assert ran[name, phase]
    code = Sources(project).fingerprint(name, phase, {}, {}).named("code")
    assert oracle.missed(project, {(name, phase): oracle.unnamed(code, project.root, ran[name, phase])}) == []


def test_each_token_of_what_ran_counts(results):
    assert oracle.edits_not_seen(*measured(results), count=40) == []


def test_what_no_run_reaches_does_not_count(results):
    assert oracle.harmless_edits_seen(*measured(results), count=40) == []

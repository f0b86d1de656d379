"""What a clean removes: all that nothing refers to, and nothing else."""

import shutil
import signal
import subprocess
from pathlib import Path

import projects
import pytest

from labreport import build, running
from labreport.documents import processes
from labreport.results import freshness
from labreport.results.fingerprint import Fingerprint
from labreport.results.freshness import Record

ENTRY = "0123456789abcdef-00000000000000000000000000000000"
GOOD = [
    "README.md",
    "report.pdf",
    "latex/report.tex",
    "latex/figures/coin/deep/one.pdf",
    "log/coin.log",
    "log/coin.draw.log",
    "log/notebook-walk.log",
    "log/forkserver.log",
    "log/latex.log",
    "log/verify.log",
    "log/failed-report.log",
    "log/failed-report.tex",
    "notebooks/walk.ipynb",
    "cache/notebooks/walk.json",
    "cache/notebooks/walk.provenance.json",
    "cache/notebooks/walk.rendered.json",
    "cache/report.json",
    "cache/syntax.json",
    "cache/page/page.json",
    "report.html",
    "results/notes.txt",
    "results/coin/.tmp-old-figures/line.pdf",
    "checkpoints/coin/abc/half",
    "submission/code.zip",
    "wandb/offline-run-1/run.wandb",
    "quick/results/gone/result.json",
]
LEFT = [
    "results/gone/result.json",
    "checkpoints/gone/abc/half",
    "store/gone/run/x/entry.json",
    f"store/coin/run/{ENTRY}/entry.json",
    "log/gone.log",
    "log/gone.draw.log",
    "log/notebook-gone.log",
    "notebooks/gone.ipynb",
    "cache/notebooks/gone.json",
    "cache/notebooks/gone.provenance.json",
    "cache/notebooks/gone.rendered.json",
    "latex/report.aux",
    "latex/figures/coin/deep/two.pdf",
    "latex/old/figure.pdf",
    ".tmp-abc/report.pdf",
    "cache/page/.tmp-abc",
    ".scratch-abc/compile/report.tex",
    "results/.tmp-abc/x",
    "results/coin/.tmp-abc",
    "results/coin/.tmp-old-run.json/x",
    "checkpoints/coin/.tmp-abc/x",
    "store/coin/run/.tmp-abc/x",
    "cache/.tmp-abc",
]


def contents(folder):
    """Return all files below a folder, and links as such."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[path.relative_to(folder).as_posix()] = path.readlink()
        elif path.is_file() and path.name != ".lock":
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


@pytest.fixture
def project(tmp_path):
    return make(tmp_path / "p")


@projects.once
def make(folder):
    made = projects.make(folder, {"coin": projects.returning('{"x": params.seed}')})
    projects.write(made.templates / "notebooks" / "walk.py.j2", "# %%\n1\n")
    running.execute(made)
    projects.change(made.experiments / "coin.py", "seed: int = 0", "seed: int = 1")
    running.execute(made)
    for name in GOOD:
        if not (made.build / name).exists():
            projects.write(made.build / name, "good")
    published = [made.build / name for name in GOOD if name.startswith("latex/")]
    freshness.write(made.state, Record(Fingerprint(), freshness.outputs(made, published)))
    return made


@pytest.fixture
def littered(project):
    for name in LEFT:
        projects.write(project.build / name, "left over")
    return project


def names(project, cleaned):
    return [leftover.path.relative_to(project.build).as_posix() for leftover in cleaned.leftovers]


def test_nothing_is_left_over_after_builds(project):
    before = contents(project.build)
    assert len(list((project.store / "coin" / "run").iterdir())) == 1
    assert build.clean(project).leftovers == ()
    assert contents(project.build) == before


def test_a_clean_removes_what_nothing_refers_to_and_nothing_else(project):
    good = contents(project.build)
    for name in LEFT:
        projects.write(project.build / name, "left over")
    cleaned = build.clean(project)
    assert contents(project.build) == good
    assert cleaned.removed
    for name in LEFT:
        whole = [path for path in names(project, cleaned) if Path(name).is_relative_to(path)]
        assert len(whole) == 1, name
    assert build.clean(project).leftovers == ()
    assert running.execute(project).fresh == ("coin",)


def test_each_build_sweeps_what_killed_ones_left_half_done(littered):
    left = {
        name for name in LEFT if any(part.startswith((".tmp-", ".scratch-")) for part in Path(name).parts)
    }
    assert len(left) == 9
    projects.write(littered.build / "quick" / ".tmp-abc" / "x", "a quick build's own")
    with build.building(littered):
        found = contents(littered.build)
    assert sorted(left & found.keys()) == []
    assert set(LEFT) - left <= found.keys()
    assert "quick/.tmp-abc/x" in found
    # what was moved away when the kill came is back
    assert "results/coin/figures/line.pdf" in found


def test_what_a_killed_build_left_running_ends_with_its_folder(littered):
    folder = littered.build / ".scratch-abc" / "compile"
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        processes._record(folder, process.pid)
        with build.building(littered):
            assert process.wait(10) == -signal.SIGKILL
    assert not folder.exists()


def test_a_dry_run_lists_what_a_clean_removes_and_removes_nothing(littered):
    before = contents(littered.build)
    dry = build.clean(littered, dry_run=True)
    assert contents(littered.build) == before
    assert not dry.removed
    assert len(dry.leftovers) >= 15
    assert dry.leftovers == build.clean(littered).leftovers


def test_the_size_of_a_leftover_is_that_of_its_files(project):
    projects.write(project.results / "gone" / "result.json", "x" * 100)
    projects.write(project.results / "gone" / "figures" / "a.pdf", "x" * 23)
    (leftover,) = build.clean(project).leftovers
    assert (leftover.path, leftover.size) == (project.results / "gone", 123)


def test_a_link_goes_and_what_it_points_to_stays(project, tmp_path):
    data = tmp_path / "data"
    projects.write(data / "precious.csv", "1")
    before = contents(data)
    links = [
        "results/gone",
        "checkpoints/gone",
        f"store/coin/run/{ENTRY}",
        "latex/link",
        "notebooks/gone.ipynb",
    ]
    for name in links:
        (project.build / name).parent.mkdir(parents=True, exist_ok=True)
        (project.build / name).symlink_to(data)
    projects.write(project.results / "lost" / "x", "1")
    (project.results / "lost" / "inside").symlink_to(data)
    cleaned = build.clean(project)
    assert sorted(names(project, cleaned)) == sorted([*links, "results/lost"])
    assert sum(leftover.size for leftover in cleaned.leftovers) == 1
    assert not [name for name in links if (project.build / name).is_symlink()]
    assert contents(data) == before


@pytest.mark.parametrize("name", ["results", "checkpoints", "store", "log", "notebooks", "latex", "cache"])
def test_a_folder_that_leads_out_of_the_build_is_not_entered(littered, tmp_path, name):
    outside = tmp_path / "outside"
    shutil.move(littered.build / name, outside)
    (littered.build / name).symlink_to(outside)
    before = contents(outside)
    cleaned = build.clean(littered)
    assert contents(outside) == before
    assert (littered.build / name).is_symlink()
    assert [found for found in names(littered, cleaned) if found.startswith(f"{name}/")] == []
    assert cleaned.leftovers


def test_a_quick_clean_stays_below_build_quick(littered):
    before = contents(littered.build)
    quick = projects.projects.load(littered.root, quick=True)
    cleaned = build.clean(quick)
    assert [leftover.path for leftover in cleaned.leftovers] == [quick.results / "gone"]
    after = contents(littered.build)
    assert before.keys() - after.keys() == {"quick/results/gone/result.json"}


def test_without_a_record_of_the_report_its_sources_stay(littered):
    littered.state.unlink()
    build.clean(littered)
    assert (littered.latex / "report.aux").exists()


def test_an_entry_of_the_store_that_is_good_stays(project):
    (entry,) = (project.store / "coin" / "run").iterdir()
    build.clean(project)
    assert entry.exists()
    (entry / "result.json").write_text("{}")
    (leftover,) = build.clean(project).leftovers
    assert (leftover.path, leftover.what) == (entry, "a damaged entry of the store")

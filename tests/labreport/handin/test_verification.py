"""The hand-in is rebuilt from the zip alone, and each difference is named."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import projects
import pytest

from labreport import project as projects_of
from labreport.errors import UsageError
from labreport.handin import bundle, readme, verification, verify
from labreport.handin.verification import VerifyError
from labreport.project import Project
from labreport.results.files import checksum
from labreport.results.results import content
from labreport.results.strict_json import dumps, parse, seal, unseal

ROOT = Path(__file__).parents[3]
COIN = projects.experiment(
    """
    import random


    def run(params, lab):
        coin = random.Random(lab.seed())
        shares = [sum(coin.random() < 0.5 for _ in range(100)) / 100 for _ in range(3)]
        return {"mean": sum(shares) / 3, "shares": shares}
    """
)
TEMPLATE = r"""\documentclass{article}
\usepackage[article]{labreport}
\begin{document}
The mean is \VAR{coin.values.mean|num}.
\BLOCK{for share in coin.values.shares}
\VAR{share|num}
\BLOCK{endfor}
\end{document}
"""
NOTEBOOK = r'''# %% [markdown]
"""
The mean is \VAR{coin.values.mean|num}.
"""

# %%
6 * 7
'''


def coin_project(folder: Path, experiment: str = COIN, notebook: bool = False, **more: str) -> Project:
    project = projects.make(folder, {"coin": experiment})
    projects.write(project.templates / "report.tex.j2", TEMPLATE)
    if notebook:
        projects.write(project.templates / "notebooks" / "walk.py.j2", NOTEBOOK)
    for name, text in more.items():
        projects.write(project.root / name.replace("__", "/"), text)
    return project


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    """The folder in which temporary folders are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


# ------------------------------------------------------------- with a build that is copied instead of made


PRINTED = [
    ("coin.values.mean|num", "0.503", 4),
    *(("share|num", text, 6) for text in ("0.51", "0.50", "0.50")),
]


def write_record(build: Path, printed=PRINTED) -> None:
    entries = [
        {
            "text": text,
            "expression": what,
            "template": "report_templates/report.tex.j2",
            "line": line,
            "column": 1,
        }
        for what, text, line in printed
    ]
    projects.write(build / "provenance.json", json.dumps({"printed": entries}))


@pytest.fixture(scope="module")
def packed_once(tmp_path_factory):
    from matplotlib.figure import Figure

    project = coin_project(tmp_path_factory.mktemp("packed") / "project", notebook=True)
    projects.run(project)
    Figure(figsize=(1, 1)).savefig(project.pdf, metadata={"CreationDate": None})
    projects.write(project.notebooks / "walk.ipynb", "{}")
    projects.write(project.results / "coin/figures/line.pdf", "%PDF-1.5 a line")
    write_record(project.build)
    bundle.pack(project)
    return project


@pytest.fixture
def packed(packed_once, tmp_path) -> Project:
    shutil.copytree(packed_once.root, tmp_path / "project")
    return projects_of.load(tmp_path / "project")


def rebuilding(monkeypatch, change=lambda build: None) -> list[list[str]]:
    """Let a run of the unpacked code copy the project's build and change something; return what is run."""
    runs = []

    def run(_, arguments, code, project, say):
        runs.append([*arguments, "results" if (code / "build/results").exists() else "no results"])
        if arguments != ["pdf"]:
            shutil.copytree(project.build, code / "build", dirs_exist_ok=True)
            change(code / "build")

    monkeypatch.setattr(verification, "_run", run)
    return runs


def difference(project: Project, **options) -> list[str]:
    with pytest.raises(VerifyError) as caught:
        verify(project, **options)
    assert caught.value.exit_code == 8
    assert "not what is handed in" in caught.value.what
    return list(caught.value.notes)


def test_an_equal_rebuild_passes_and_says_what_was_compared(packed, temporary, monkeypatch):
    runs = rebuilding(monkeypatch)
    report = verify(packed)
    assert runs == [["no results"]]
    assert report.compared == (
        "the result of 'coin'", "4 printed values", "the bytes of report.pdf",
        "the bytes of notebooks/walk.ipynb", "the bytes of code.zip",
    )  # fmt: skip
    assert report.skipped == ()
    assert str(report).splitlines()[1] == "equal: 4 printed values"
    assert list(temporary.iterdir()) == []


def test_without_training_the_packed_results_are_used_and_proved_to_be_enough(packed, temporary, monkeypatch):
    runs = rebuilding(monkeypatch)
    report = verify(packed, train=False, jobs=2)
    assert runs == [["pdf", "results"], ["--jobs", "2", "results"]]
    assert "the result of 'coin'" not in report.compared
    assert "4 printed values" in report.compared


def change_number(build):
    write_record(build, [PRINTED[0], ("share|num", "0.51", 6), ("share|num", "0.49", 6), PRINTED[3]])


def change_count(build):
    write_record(build, PRINTED[:-1])


def change_result(build):
    path = build / "results/coin/result.json"
    data = json.loads(path.read_text())
    data["values"]["shares"][1] = 0.75
    path.write_text(dumps(data))


def append(name):
    def change(build):
        (build / name).write_bytes((build / name).read_bytes() + b"%")

    return change


def lose_notebook(build):
    (build / "notebooks/walk.ipynb").unlink()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            change_number,
            "printed at report_templates/report.tex.j2:6:1, share|num: 0.50 is handed in, 0.49 was",
        ),
        (
            change_count,
            "printed at report_templates/report.tex.j2:6:1, share|num: 3 values are handed in, 2 were",
        ),
        (change_result, "result of 'coin': values.shares[1]: 0.48 is handed in, 0.75 was"),
        (append("report.pdf"), "report.pdf: other bytes from"),
        (
            append("notebooks/walk.ipynb"),
            "notebooks/walk.ipynb: other bytes from 2 on (2 bytes are handed in, 3",
        ),
        (lose_notebook, "notebooks/walk.ipynb was not made again"),
        (append("results/coin/figures/line.pdf"), "figure line.pdf of 'coin': other bytes"),
        (append("submission/code.zip"), "code.zip: other bytes from"),
    ],
)
def test_each_difference_is_named_and_what_was_made_is_kept(packed, temporary, monkeypatch, change, named):
    rebuilding(monkeypatch, change)
    with pytest.raises(VerifyError) as caught:
        verify(packed)
    notes = caught.value.notes
    assert [note for note in notes if note.startswith(named)], notes
    assert len([note for note in notes if not note.startswith("equal: ")]) == 1
    (kept,) = temporary.iterdir()
    assert (kept / "code" / "build" / "report.pdf").is_file()
    assert str(kept) in caught.value.cure
    assert notes[0] in (packed.log / "verify.log").read_text()


def test_where_only_the_pdf_differs_the_cure_is_to_let_latex_begin_afresh(packed, temporary, monkeypatch):
    cures = []
    for change in (append("report.pdf"), lose_notebook):
        rebuilding(monkeypatch, change)
        with pytest.raises(VerifyError) as caught:
            verify(packed)
        cures.append("delete build/cache/latex and build/report.pdf" in caught.value.cure)
    assert cures == [True, False]


def test_on_another_class_of_processors_only_printed_values_are_compared(packed, temporary, monkeypatch):
    monkeypatch.setattr(readme, "processor_class", lambda: "riscv64")
    rebuilding(monkeypatch, lambda build: (append("report.pdf")(build), change_result(build)))
    report = verify(packed)
    assert report.compared == ("4 printed values",)
    assert "riscv64" in report.skipped[0]
    rebuilding(monkeypatch, change_number)
    assert difference(packed)[0].startswith("printed at")


def test_a_hand_in_of_another_build_is_not_verified(packed, temporary, monkeypatch):
    runs = rebuilding(monkeypatch)
    projects.write(packed.root / "tests" / "new.py", "")
    with pytest.raises(VerifyError, match=r"not of this build: tests/new\.py is new"):
        verify(packed)
    shutil.rmtree(packed.submission)
    with pytest.raises(VerifyError, match="never packed"):
        verify(packed)
    with pytest.raises(UsageError, match="quick"):
        verify(projects_of.load(packed.root, quick=True))
    assert runs == []
    assert list(temporary.iterdir()) == []


def test_an_interruption_leaves_no_folder(packed, temporary, monkeypatch):
    def interrupt(build):
        raise KeyboardInterrupt

    rebuilding(monkeypatch, interrupt)
    with pytest.raises(KeyboardInterrupt):
        verify(packed)
    assert list(temporary.iterdir()) == []


def main_file(project: Project, text: str) -> None:
    projects.write(project.root / "build_report.py", text)
    bundle.pack(project)


def test_the_unpacked_code_finds_nothing_of_this_user(packed, temporary, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "not for the unpacked code")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    main_file(
        packed, "import os, sys\nprint(dict(os.environ), sys.path[0], os.listdir(os.environ['HOME']))\n1/0\n"
    )
    lines: list[str] = []
    with pytest.raises(VerifyError):
        verify(packed, progress=lines.append)
    (kept,) = temporary.iterdir()
    assert lines[0] == "$ python build_report.py"
    assert "MY_API_KEY" not in lines[1]
    assert "PYTHONPATH" not in lines[1]
    assert lines[1].endswith(f"{kept}/code []")
    assert "'PATH'" in lines[1]
    assert lines[1] in (packed.log / "verify.log").read_text()


def test_what_the_unpacked_code_says_of_its_failure_is_shown(packed, temporary):
    main_file(packed, "import sys\nprint('fine')\nprint('error: it lacks x\\n  cure: add x')\nsys.exit(4)\n")
    with pytest.raises(VerifyError, match="ends with exit code 4") as caught:
        verify(packed)
    assert caught.value.notes == ("error: it lacks x", "  cure: add x")
    assert "verify.log" in caught.value.cure
    assert "include" in caught.value.cure


# ------------------------------------------------------------------------------------------- with real builds


def build(project: Project, *arguments: str, check: int = 0) -> str:
    command = [sys.executable, ROOT / "build_report.py", "--project", project.root, "--jobs", "1", *arguments]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == check, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
def test_an_honest_project_is_verified_with_and_without_training(tmp_path, temporary):
    project = coin_project(tmp_path / "project", notebook=True)
    build(project)
    report = verify(project, jobs=1)
    assert "the bytes of report.pdf" in report.compared
    assert "the bytes of notebooks/walk.ipynb" in report.compared
    assert "the bytes of code.zip" in report.compared
    assert "the result of 'coin'" in report.compared
    assert "the bytes of report.pdf" in verify(project, train=False, jobs=1).compared
    assert list(temporary.iterdir()) == []


def forge(project: Project) -> None:
    """Change a number in a result and make its records fit."""
    folder = project.results / "coin"
    data = parse((folder / "result.json").read_bytes(), "", cure="")
    data["values"]["mean"] = 0.987
    (folder / "result.json").write_text(dumps(data))
    record = unseal((folder / "run.json").read_bytes(), "", cure="")
    seals = {"result": checksum(dumps(data).encode()), "content": content(data)}
    (folder / "run.json").write_bytes(seal({**record, **seals}))


@pytest.mark.slow
def test_a_forged_result_is_found_by_training_and_named(tmp_path, temporary):
    project = coin_project(tmp_path / "project")
    build(project, "run")
    forge(project)
    build(project)
    notes = difference(project, jobs=1)
    assert notes[0].startswith("result of 'coin': values.mean: 0.987 is handed in, 0.")
    assert any("coin.values.mean|num: " in note and "0.987" in note for note in notes)
    assert any(note.startswith("report.pdf: other bytes") for note in notes)


@pytest.mark.slow
def test_an_experiment_that_is_not_deterministic_is_named(tmp_path, temporary):
    body = """
    import os


    def run(params, lab):
        return {"mean": int.from_bytes(os.urandom(4)) / 7, "shares": [1]}
    """
    project = coin_project(tmp_path / "project", projects.experiment(body))
    build(project)
    notes = difference(project, jobs=1)
    assert notes[0].startswith("result of 'coin': values.mean: ")


@pytest.mark.slow
def test_a_file_that_is_missing_in_the_zip_is_told_by_the_unpacked_code(tmp_path, temporary):
    body = """
    from pathlib import Path


    def run(params, lab):
        if not Path(__file__).with_name("numbers.txt").exists():  # it is never opened: nobody sees it read
            raise FileNotFoundError("numbers.txt")
        return {"mean": 0.5, "shares": [1]}
    """
    project = coin_project(tmp_path / "project", projects.experiment(body), experiments__numbers_txt="")
    (project.root / "experiments/numbers_txt").rename(project.root / "experiments/numbers.txt")
    (project.root / "experiments/numbers.txt").write_text("0.5")
    assert "not handed in: experiments/numbers.txt" in build(project)
    with pytest.raises(VerifyError, match="ends with exit code 4") as caught:
        verify(project, jobs=1)
    assert "numbers.txt" in "\n".join(caught.value.notes)
    (project.root / "report.toml").write_text(
        'title = "T"\nsubmission = {include = ["experiments/numbers.txt"]}\n'
    )
    build(project)
    assert verify(projects_of.load(project.root), jobs=1).compared

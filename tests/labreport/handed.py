"""A project that is ready to be handed in, without LaTeX and notebooks having run."""

import json
import shutil
import zipfile
from pathlib import Path

import projects
import pytest
from matplotlib.figure import Figure

from labreport import project as projects_of
from labreport.errors import LabreportError
from labreport.handin import bundle
from labreport.project import Project

TOML = """\
subtitle = "A subtitle"
authors = ["Ada Lovelace (abc123)", "Zoë & Co"]
date = "1 May 2025"
"""
EXPERIMENT = projects.experiment(
    """
    def run(params, lab):
        return {"x": lab.file("data/numbers.csv").read_text()}


    def draw(result, lab):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(1, 1))
        figure.add_subplot(xlabel="x", ylabel="y").plot([1, 2])
        data, files = {"x": [1, 2]}, {"run-1.log": b"\\0one"}
        lab.figure("line", figure, alt="A line.", data=data, files=files)
    """,
    reads=("data/numbers.csv",),
)
NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
TOKEN = "gh" + "p_" + "aB3d" * 9
OWN = [
    "build/README.md",
    "build/results/one/figures/figures.json",
    "build/results/one/figures/line.csv",
    "build/results/one/figures/line.pdf",
    "build/results/one/figures/line.png",
    "build/results/one/figures/run-1.log",
    "build/results/one/result.json",
    "build/results/one/run.json",
    "data/numbers.csv",
    "experiments/inner/more.py",
    "experiments/one.py",
    "experiments/style.mplstyle",
    "experiments/sweep.yaml",
    "notebooks/walk.ipynb",
    "report.toml",
    "report_templates/notebooks/walk.py.j2",
    "report_templates/references.bib",
    "report_templates/report.tex.j2",
    "report_templates/sections/a.tex.j2",
    "src/labreport/__init__.py",
    "src/thing/__init__.py",
    "src/thing/py.typed",
    "src/thing/thing.sty",
    "tests/test_thing.py",
]
LEFT_OUT = ["experiments/notes.txt", "src/thing/big.bin", "tests/data.json", "build/results/old"]


def write_pdf(path: Path, text: str, **metadata: str) -> None:
    figure = Figure(figsize=(5, 1))
    figure.text(0.1, 0.5, text)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"CreationDate": None, **metadata})


def fill(project: Project) -> Project:
    for name, text in {
        "data/numbers.csv": "1,2\n",
        "data/others.csv": "3,4\n",
        "build/README.md": "What lies here\n",
        "build/notebooks/walk.ipynb": json.dumps(NOTEBOOK, indent=1),
        "build/latex/report.tex": "generated\n",
        "build/quick/results/one/result.json": "{}",
        "build/log/one.log": "printed\n",
        "experiments/inner/more.py": "X = 1\n",
        "experiments/style.mplstyle": "font.size: 8\n",
        "experiments/sweep.yaml": "a: 1\n",
        "experiments/notes.txt": "not packed\n",
        "experiments/.env": "A=1\n",
        "experiments/__pycache__/one.pyc": "cache",
        "report_templates/report.tex.j2": "text\n",
        "report_templates/references.bib": "@book{a}\n",
        "report_templates/sections/a.tex.j2": "more\n",
        "report_templates/notebooks/walk.py.j2": "# %%\n",
        "src/thing/__init__.py": '"""What the thing does."""\n',
        "src/thing/py.typed": "",
        "src/thing/thing.sty": "% style\n",
        "src/thing/big.bin": "x",
        "tests/test_thing.py": "def test(): pass\n",
        "tests/data.json": "{}",
        "scratch.py": "not packed either\n",
        ".netrc": "not packed\n",
    }.items():
        projects.write(project.root / name, text)
    write_pdf(project.pdf, "The report")
    projects.run(project)
    projects.write(project.results / "old" / "result.json", "{}")
    projects.write(project.root / "src/labreport/__init__.py", "# in place of all of labreport\n")
    return project


def copied(project: Project, folder: Path, toml: str | None = None) -> Project:
    shutil.copytree(project.root, folder)
    if toml is not None:
        (folder / "report.toml").write_text(f'title = "T"\n{toml}', encoding="utf-8")
    return projects_of.load(folder)


def names(project: Project) -> list[str]:
    with zipfile.ZipFile(project.submission / "code.zip") as packed:
        assert all(name.startswith("code/") for name in packed.namelist())
        return [name.removeprefix("code/") for name in packed.namelist()]


def refused(project: Project) -> LabreportError:
    """Return why a project is not packed, after a look at whether the last hand-in is as it was."""
    before = {p: p.read_bytes() for p in project.submission.glob("*")}
    with pytest.raises(LabreportError) as caught:
        bundle.pack(project)
    assert {p: p.read_bytes() for p in project.submission.glob("*")} == before
    assert list(project.build.glob(".tmp-*")) == []
    return caught.value


def digest(project: Project) -> bytes:
    bundle.pack(project)
    return (project.submission / "code.zip").read_bytes()


def change_source(project):
    projects.change(project.root / "src/thing/__init__.py", "does", "did")


def in_source(project, text):
    projects.write(project.root / "src/thing/more.py", f"\n\nX = '{text}'\n")
    return "src/thing/more.py:3"


def in_template(project, text):
    projects.write(project.root / "report_templates/sections/a.tex.j2", f"one\n{text}\n")
    return "report_templates/sections/a.tex.j2:2"

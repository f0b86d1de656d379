"""The README of a hand-in says what the packed files say."""

import json
import os
import re
import shutil
import tomllib
import zipfile
from pathlib import Path

import projects
from handed import NOTEBOOK, copied, refused

from labreport.documents import cells, notebooks, provenance, report
from labreport.documents.pages import Pages
from labreport.errors import InputError
from labreport.handin import bundle, readme
from labreport.project import Project

ROOT = Path(__file__).parents[3]


def packed_readme(project: Project) -> str:
    bundle.pack(project)
    with zipfile.ZipFile(project.submission / "code.zip") as packed:
        return packed.read("code/README.txt").decode()


def with_our_metadata(project: Project) -> Project:
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copyfile(ROOT / name, project.root / name)
    return project


def test_the_readme_says_what_it_is_and_how_to_run_it(project):
    with_our_metadata(project)
    text = packed_readme(project)
    assert text.splitlines()[:4] == ["T", "A subtitle", "Ada Lovelace (abc123), Zoë & Co", "1 May 2025"]
    projects.write(project.root / "Makefile", "report:\n\ntest: report\n")
    text = packed_readme(project)
    for line in ("make report", "make test", "python build_report.py pdf", "python build_report.py run one"):
        assert f"\n  {line}" in text
    assert re.search(r"notebooks/walk\.ipynb +a notebook, executed", text)
    assert re.search(r"src/thing/ +What the thing does\n", text)
    assert re.search(r"one +What comes out\?", text)
    assert max(map(len, text.splitlines())) <= 79
    assert text.isprintable() or set(text) - set("\n") == {c for c in text if c.isprintable()}


def test_the_readme_lists_python_every_direct_library_with_its_version_and_the_systems_packages(project):
    projects.write(project.root / "experiments/inner/more.py", "import networkx\n")
    projects.write(project.root / "tests/test_more.py", "import hypothesis\n")
    text = " ".join(packed_readme(with_our_metadata(project)).split())
    meta = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line)
    assert meta["requires-python"] == ">=3.11"
    assert "Python 3.11 or newer." in text
    assert len(meta["dependencies"]) > 10
    for requirement in [*meta["dependencies"], *meta["optional-dependencies"]["dev"], "networkx"]:
        name = re.match(r"[\w-]+", requirement)[0]
        version = next(v for n, v in pins.items() if n.lower().replace("_", "-") == name.lower())
        assert re.search(rf"(?<![\w-]){name} {re.escape(version)}[,.]", text), name
    assert f"Libraries: networkx {pins['networkx']}." in text
    assert not re.search(r"\b(torch|wandb|distributed)\b", text)  # which our own metadata name
    order = [text.index(f"{head}: ") for head in ("Libraries", "labreport needs", "For the tests")]
    assert order == sorted(order)
    assert "texlive-latex-extra" in text
    assert "latexmk" in text
    assert "poppler-utils" in text


ANSWERED = """\
\\documentclass{article}\\begin{document}
\\BLOCK{answer "1"}\\VAR{one.values.x|text} \\VAR{excerpt("experiments.one:run")}\\BLOCK{endanswer}
\\end{document}
"""


def test_the_readme_begins_with_where_each_question_is_answered(made_once, tmp_path):
    project = copied(made_once, tmp_path / "p", '[questions]\n"1" = "What?"\n"2(b)" = "Which?"\n')
    projects.write(project.templates / "report.tex.j2", ANSWERED)
    record = provenance.of_report(report.render(project), Pages({2: {7: 1}}))
    provenance.write(project.provenance, record)
    notebook = '# %% [markdown]\n"""\n\\BLOCK{answer "1"}## A *walk*\\BLOCK{endanswer}\n"""\n'
    projects.write(project.templates / "notebooks/walk.py.j2", notebook)
    woven = provenance.of_notebook(cells.render(project, "walk"))
    provenance.write(notebooks.provenance_path(project, "walk"), woven)
    cell = {"cell_type": "markdown", "metadata": {}, "source": ["## A *walk*\n", "text"]}
    projects.write(project.notebooks / "walk.ipynb", json.dumps(NOTEBOOK | {"cells": [cell]}))
    text = packed_readme(project)
    first = next(line for line in text.splitlines() if line.isupper() and len(line) > 1)
    assert first == "WHERE IS EACH QUESTION"
    row = '1, page 7 notebooks/walk.ipynb, cell 1 "A *walk*"; experiments/one.py: run'
    assert row in " ".join(text.split())


def test_a_file_that_an_answer_shows_is_named_by_its_path(made_once, tmp_path):
    project = copied(made_once, tmp_path / "p", '[questions]\n"1" = "What?"\n')
    for name in ("experiments/sweep.yaml", "MAKEFILE"):
        projects.write(project.root / name, "a: 1\n")
        text = ANSWERED.replace("experiments.one:run", name)
        projects.write(project.templates / "report.tex.j2", text)
        provenance.write(project.provenance, provenance.of_report(report.render(project), Pages({2: {7: 1}})))
        row = f"1, page 7 experiments/one.py; {name} WHAT THIS IS"
        assert row in " ".join(packed_readme(project).split())


def test_the_readme_follows_the_project(made_once, tmp_path):
    project = copied(made_once, tmp_path / "p", "")
    shutil.rmtree(project.root / "tests")
    (project.root / "report_templates/notebooks/walk.py.j2").unlink()
    projects.change(project.root / "experiments/one.py", "What comes out?", "What goes in?")
    projects.write(
        project.root / "pyproject.toml",
        '[project]\nrequires-python = ">=3.12,<4"\ndependencies = ["a>1", "b[x]"]',
    )
    text = packed_readme(project)
    assert "(authors: not named yet)" in text
    assert "What goes in?" in text
    assert "Python >=3.12,<4." in text
    assert "make test" not in text
    assert "notebook" not in text.lower()


def test_the_readme_holds_the_notes_of_the_authors(made_once, tmp_path):
    project = copied(
        made_once, tmp_path / "p", '[submission]\nnotes = ["The first\\nnote.", "data/ is & stays."]\n'
    )
    layout = packed_readme(project).partition("WHAT LIES WHERE")[2].partition("EXPERIMENTS AND")[0]
    assert "\n\nThe first note.\n\ndata/ is & stays.\n" in layout


def test_notes_can_neither_steer_a_terminal_nor_pass_for_a_line_of_ours(made_once, tmp_path):
    notes = ["red \\u001b[31m text\\u202e", " ", "Processor class: another"]
    listed = ", ".join(f'"{note}"' for note in notes)
    project = copied(made_once, tmp_path / "p", f"[submission]\nnotes = [{listed}]\n")
    text = packed_readme(project)
    assert "\n\nred  [31m text\n\nProcessor class: another\n" in text
    assert text.replace("\n", "").isprintable()
    assert readme.recorded_processor(text) == readme.processor_class()


def test_tests_that_cannot_be_run_are_not_offered(project):
    text = packed_readme(project)
    assert "tests/ " in text
    assert "make test" not in text


def test_a_broken_pyproject_is_named(project):
    projects.write(project.root / "pyproject.toml", "[project\n")
    error = refused(project)
    assert isinstance(error, InputError)
    assert error.place.file == "pyproject.toml"


def test_the_readme_records_the_class_of_processors(project):
    text = packed_readme(project)
    assert readme.recorded_processor(text) == readme.processor_class()
    assert os.uname().machine in readme.recorded_processor(text)
    assert readme.recorded_processor("no such line\n") == ""

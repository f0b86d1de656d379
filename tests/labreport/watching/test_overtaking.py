"""What an edit has to touch for a build to be ended because of it."""

import projects
import pytest

from labreport.project import ENGINE
from labreport.watching.overtaking import Stage

CODE = """
def used(x):
    return x + 1

def unused(x):
    return x - 1
"""
RUN = "from lib.code import used\n\n\ndef run(params, lab):\n    return {'x': used(1)}\n"
READING = "def run(params, lab):\n    return {'x': lab.file('data/table.csv').read_text()}\n"
NEEDING = "def run(params, lab):\n    return {'x': lab.result('one')}\n"


@pytest.fixture
def project(tmp_path):
    experiments = {
        "one": projects.experiment(RUN),
        "needing": projects.experiment(NEEDING, needs=("one",)),
        "reading": projects.experiment(READING, reads=("data/table.csv",)),
    }
    projects.write(tmp_path / "p/data/table.csv", "1\n")
    project = projects.make(tmp_path / "p", experiments, src={"lib/code.py": CODE})
    projects.write(project.templates / "report.tex.j2", "text\n")
    return project


def edit(project, name, old, new):
    projects.change(project.root / name, old, new)
    return {str(project.root / name)}


EDITS = {
    "code that it reaches": ("src/lib/code.py", "x + 1", "x + 2"),
    "code that it does not reach": ("src/lib/code.py", "x - 1", "x - 2"),
    "a comment": ("src/lib/code.py", "def used", "# more\ndef used"),
    "a parameter": ("experiments/one.py", "seed: int = 0", "seed: int = 1"),
    "a syntax error": ("experiments/one.py", "return", "return )"),
    "data": ("data/table.csv", "1", "2"),
    "the text": ("report_templates/report.tex.j2", "text", "words"),
    "the settings": ("report.toml", "T", "U"),
}


@pytest.mark.parametrize(
    ("experiment", "what", "is_overtaken"),
    [
        ("one", "code that it reaches", True),
        ("one", "code that it does not reach", False),
        ("one", "a comment", False),
        ("one", "a parameter", True),
        ("one", "a syntax error", True),
        ("one", "data", False),
        ("one", "the text", False),
        ("one", "the settings", True),
        ("needing", "a parameter", True),
        ("needing", "the text", False),
        ("reading", "data", True),
        ("reading", "code that it reaches", False),
    ],
)
def test_an_experiment_at_work_is_overtaken_by_what_it_depends_on(project, experiment, what, is_overtaken):
    stage = Stage(project)
    stage.begin(experiment, "run")
    assert stage.is_overtaken(edit(project, *EDITS[what])) == is_overtaken


def test_an_experiment_that_has_ended_is_overtaken_by_nothing(project):
    stage = Stage(project)
    stage.begin("one", "run")
    stage.end("one", "run")
    assert not stage.is_overtaken(edit(project, *EDITS["a parameter"]))


def test_labreport_itself_overtakes_every_build(project):
    stage = Stage(project)
    stage.begin("one", "run")
    assert stage.is_overtaken({str(ENGINE / "build.py")})


@pytest.mark.parametrize("name", ["planning", "report", "the rest"])
def test_any_edit_overtakes_what_is_planned_rendered_or_follows(project, name):
    stage = Stage(project)
    stage.name = name
    assert stage.is_overtaken(edit(project, *EDITS["the text"]))


def test_the_report_is_not_overtaken_by_the_source_of_a_notebook(project):
    stage = Stage(project)
    stage.name = "report"
    notebook = str(project.templates / "notebooks/n.py.j2")
    assert not stage.is_overtaken({notebook})
    assert stage.is_overtaken({notebook, str(project.templates / "report.tex.j2")})

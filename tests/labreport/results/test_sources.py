"""What a result depends on, and what does not count."""

import os
import sys
from importlib import metadata

import projects
import pytest

from labreport.errors import InputError, LabreportError, UsageError
from labreport.results import versions
from labreport.results.fingerprint import changes
from labreport.results.sources import Sources

EXPERIMENT = '''"""Question?"""
from __future__ import annotations
from dataclasses import dataclass
from typing import TYPE_CHECKING
from model import train
from plots import paint
import drawing_tools as tools
if TYPE_CHECKING:
    import only_for_types

NEEDS = ()
EPOCHS = 10
COLOUR = "red"
SHADES = {COLOUR: 1}

@dataclass(frozen=True)
class Params:
    """The parameters."""
    repeats: int = 5
    seed: int = 0

    @property
    def twice(self):
        return 2 * self.repeats

QUICK = Params(repeats=1)

def helper(x):
    """Help."""
    return train(x, EPOCHS)  # a comment

def shade():
    return SHADES

def run(params, lab):
    from lazy import late
    return {"x": helper(params.repeats), "y": late()}

def draw(result, lab):
    paint(shade(), tools)
'''

MODULES = {
    "model/__init__.py": "LAYERS = 2\n",
    "model/core.py": "def train(x, n):\n    return x\n",
    "plots.py": "def paint(x, y):\n    pass\n",
    "drawing_tools.py": "",
    "lazy.py": "from pkg import deep\nlate = deep.late\n",
    "pkg/__init__.py": "",
    "pkg/deep.py": "from . import sibling\nfrom .sub.leaf import VALUE\n\ndef late():\n    return VALUE\n",
    "pkg/sibling.py": "import typing\nif typing.TYPE_CHECKING:\n    import unused\n",
    "pkg/sub/__init__.py": "from ..cousin import *\n",
    "pkg/sub/leaf.py": "VALUE = 1\n",
    "pkg/cousin.py": "",
    "only_for_types.py": "",
    "unused.py": "",
}
MODULES["model/__init__.py"] = "from .core import train\nLAYERS = 2\n"


@pytest.fixture
def project(tmp_path):
    return projects.make(tmp_path, {"exp": EXPERIMENT}, src=MODULES)


def taken(project, phase="run", **params):
    found = Sources(project)
    values = {**found.declaration("exp").values(), **params}
    return found.fingerprint("exp", phase, values, {"other": "c0"})


def code(project, phase="run"):
    return taken(project, phase).named("code").keys()


def test_code_counts_by_symbol_through_modules_packages_and_relative_imports(project):
    assert code(project) == {
        *(
            f"experiments/exp.py:{name}"
            for name in ("run", "helper", "EPOCHS", "Params", "dataclass", "train")
        ),
        "experiments/exp.py",  # from __future__ import annotations
        "src/model/__init__.py:train",
        "src/model/core.py:train",
        "src/lazy.py:deep",
        "src/lazy.py:late",
        "src/pkg/deep.py:VALUE",
        "src/pkg/deep.py:late",
        "src/pkg/sub/__init__.py",  # from ..cousin import *
        "src/pkg/sub/leaf.py:VALUE",
    }
    assert code(project, "draw") == {
        *(f"experiments/exp.py:{name}" for name in ("draw", "shade", "SHADES", "COLOUR", "paint", "tools")),
        "experiments/exp.py",
        "src/plots.py:paint",
    }


UNSEEN = {
    "comment": ("# a comment", "# another"),
    "docstring of a function": ('"""Help."""', '"""Help more."""'),
    "docstring of Params": ('"""The parameters."""', '"""All."""'),
    "question": ('"""Question?"""', '"""Which?"""'),
    "layout": ("return train(x, EPOCHS)", "return train(\n        x,\n        EPOCHS,\n    )"),
    "parentheses": ("return train(x, EPOCHS)", "return (train(x, (EPOCHS)))"),
    "a method that nothing names": ("2 * self.repeats", "3 * self.repeats"),
    "blank line": ("EPOCHS = 10\n", "\n\nEPOCHS = 10\n"),
    "quick values": ("QUICK = Params(repeats=1)", "QUICK = Params(repeats=2)"),
    "import for types": ("import only_for_types", "import unused"),
    "a default, which counts as parameter": ("repeats: int = 5", "repeats: int = 6"),
}
DRAWING = {
    "constant of draw": ('COLOUR = "red"', 'COLOUR = "blue"'),
    "helper of draw": ("return SHADES", "return dict(SHADES)"),
    "draw itself": ("paint(shade(), tools)", "paint(tools, shade())"),
    "import of draw": ("import drawing_tools as tools", "import unused as tools"),
}
RUNNING = {
    "constant of run": ("EPOCHS = 10", "EPOCHS = 11"),
    "helper of run": ("def helper(x):", "def helper(x, y=1):"),
    "run itself": ('"x": helper', '"z": helper'),
    "import of run": ("from model import train", "from unused import train"),
    "import inside run": ("from lazy import late", "from unused import late"),
    "annotation of a parameter": ("repeats: int", "repeats: float"),
}


@pytest.mark.parametrize("case", [*UNSEEN, *DRAWING, *RUNNING])
def test_only_what_a_phase_reaches_changes_its_fingerprint(project, case):
    before = {phase: taken(project, phase, repeats=5) for phase in ("run", "draw")}
    projects.change(project.experiments / "exp.py", *{**UNSEEN, **DRAWING, **RUNNING}[case])
    changed = [phase for phase in before if taken(project, phase, repeats=5) != before[phase]]
    assert changed == (["run"] if case in RUNNING else ["draw"] if case in DRAWING else [])


@pytest.mark.parametrize(
    ("line", "phases"),
    [
        ("import warnings; warnings.simplefilter('error')", ["run", "draw"]),
        ("SHADES['x'] = 2", ["run", "draw"]),
        ("if EPOCHS > 5:\n    LIMIT = 1", ["run", "draw"]),
        ("from plots import *", ["run", "draw"]),
        ("EPOCHS += 1", ["run", "draw"]),  # on a list, this would change what others have
        ("def helper(x): return 2", ["run"]),
        ("COLOUR: str = 'green'", ["draw"]),
        ("if __name__ == '__main__':\n    run(Params(), None)", []),
        ("def nobody(): return run", []),
        ("'a text that stands alone'", []),
    ],
)
def test_an_added_statement_counts_where_it_can_matter(project, line, phases):
    before = {phase: taken(project, phase) for phase in ("run", "draw")}
    path = project.experiments / "exp.py"
    path.write_text(f"{path.read_text()}\n{line}\n")
    assert [phase for phase in before if taken(project, phase) != before[phase]] == phases


def test_who_reads_names_at_run_time_depends_on_all_of_them(project):
    projects.change(project.experiments / "exp.py", '"y": late()', '"y": globals()')
    before = taken(project)
    projects.change(project.experiments / "exp.py", 'COLOUR = "red"', 'COLOUR = "blue"')
    assert changes(before, taken(project)) == ["experiments/exp.py:COLOUR changed"]


@pytest.mark.parametrize("module", ["model/core.py", "pkg/cousin.py", "pkg/__init__.py", "lazy.py"])
@pytest.mark.parametrize("line", ["# only a comment", "UNUSED = 1", "def unused():\n    return train"])
def test_what_nothing_reaches_can_be_added_to_a_module_that_counts(project, module, line):
    before = taken(project)
    path = project.root / "src" / module
    path.write_text(f"{path.read_text()}\n{line}\n")
    assert taken(project) == before


def test_a_change_is_named_by_file_and_symbol(project):
    before = taken(project)
    projects.change(project.root / "src" / "model" / "core.py", "return x", "return x + 1")
    assert changes(before, taken(project)) == ["src/model/core.py:train changed"]


def test_a_new_file_that_an_import_finds_first_counts(project):
    before = taken(project).named("code")
    projects.write(project.root / "src" / "pkg" / "deep" / "__init__.py", "late = print\n")
    now = taken(project).named("code")
    assert now.keys() - before.keys() == {"src/pkg/deep/__init__.py:late"}


def test_labreport_itself_never_counts(project):
    before = code(project)
    projects.change(
        project.experiments / "exp.py",
        "from lazy import late",
        "from lazy import late; from labreport.running import Lab; import labreport.results.results",
    )
    found = taken(project)
    assert code(project) == before
    assert not any("labreport" in part for part in found.plain())


def test_the_same_sources_in_another_folder_have_the_same_fingerprint(project, tmp_path):
    other = projects.make(tmp_path / "elsewhere", {"exp": EXPERIMENT}, src=MODULES)
    for phase in ("run", "draw"):
        assert taken(project, phase) == taken(other, phase)


def test_the_style_file_counts_for_drawing_only(project):
    before = {phase: taken(project, phase) for phase in ("run", "draw")}
    projects.write(project.style, "font.size: 8\n")
    assert taken(project) == before["run"]
    found = changes(before["draw"], taken(project, "draw"))
    assert found == ["experiments/figures.mplstyle is new"]


# files


@pytest.fixture
def reading(project):
    """The project, whose experiment reads two files."""
    projects.write(project.experiments / "sweep.yaml", "method: grid\n")
    projects.write(project.root / "data" / "points.csv", "x\n1\n")
    reads = 'NEEDS = ()\nREADS = (\n    "experiments/sweep.yaml",\n    "data/points.csv",\n)'
    projects.change(project.experiments / "exp.py", "NEEDS = ()", reads)
    return project


@pytest.mark.parametrize("phase", ["run", "draw"])
def test_the_bytes_of_each_file_that_is_read_count_for_running_and_drawing(reading, phase):
    before = taken(reading, phase)
    assert list(before.named("file")) == ["experiments/sweep.yaml", "data/points.csv"]
    (reading.experiments / "sweep.yaml").write_text("method: grid \n")
    assert changes(before, taken(reading, phase)) == ["experiments/sweep.yaml changed"]


def test_a_file_that_is_read_now_or_no_more_is_a_reason(reading):
    with_both = taken(reading)
    projects.change(reading.experiments / "exp.py", '    "data/points.csv",\n', "")
    assert changes(with_both, taken(reading)) == ["data/points.csv is no longer read"]
    assert changes(taken(reading), with_both) == ["data/points.csv is read now"]


def remove(path):
    path.unlink()


def make_folder(path):
    path.unlink()
    path.mkdir()


def link_outside(path):
    path.unlink()
    path.symlink_to("/etc/passwd")


def link_to_itself(path):
    path.unlink()
    path.symlink_to(path)


def make_pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (remove, "does not exist"),
        (make_folder, "is not a file"),
        (link_outside, "leads out of the project"),
        (link_to_itself, "does not exist"),
        (make_pipe, "is not a file"),
    ],
)
def test_what_is_no_file_of_the_project_is_an_error_at_its_line(reading, spoil, what):
    spoil(reading.root / "data" / "points.csv")
    with pytest.raises(InputError) as caught:
        Sources(reading).declaration("exp")
    error = caught.value
    assert error.what == f"experiment 'exp' reads 'data/points.csv', which {what}"
    assert (error.place.file, error.place.line, error.place.column) == ("experiments/exp.py", 14, 6)
    assert error.cure


def test_a_link_inside_the_project_and_a_near_name_are_told_apart_from_mistakes(reading):
    path = reading.root / "data" / "points.csv"
    path.rename(path.with_name("point.csv"))
    with pytest.raises(InputError) as caught:
        Sources(reading).declaration("exp")
    assert caught.value.cure == "did you mean 'data/point.csv'?"
    path.symlink_to("point.csv")
    assert Sources(reading).declaration("exp").reads == ("experiments/sweep.yaml", "data/points.csv")


# versions


def test_imports_count_by_the_version_of_their_distribution(project):
    (project.root / "src" / "pkg" / "sibling.py").write_text("import numpy.linalg\nimport PIL\nimport json\n")
    found = taken(project)
    assert found.named("version")["numpy"] == metadata.version("numpy")
    assert found.named("version")["pillow"] == metadata.version("pillow")
    assert not any("json" in part for part in found.plain())
    assert found.plain()["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_drawing_depends_on_matplotlib_even_if_nothing_imports_it(project):
    assert taken(project, "draw").named("version")["matplotlib"] == metadata.version("matplotlib")
    assert "matplotlib" not in taken(project).named("version")


def test_a_module_of_no_distribution_is_unknown_until_there_is_one(project, tmp_path, monkeypatch):
    (project.root / "src" / "pkg" / "sibling.py").write_text("import nobody_made_this\n")
    before = taken(project)
    assert before.named("version")["nobody-made-this"] == "unknown"
    (tmp_path / "site" / "Nobody.Made_This-1.2.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert changes(before, taken(project)) == ["nobody-made-this was not installed, is 1.2"]


def test_installed_versions_are_those_of_the_standard_library(monkeypatch):
    found = versions.installed(sys.path)
    assert len(found) > 20
    for name, version in found.items():
        assert metadata.version(name) == version


# declarations


def test_an_unknown_experiment_names_near_ones(project):
    with pytest.raises(UsageError, match="no experiment 'ex'") as caught:
        Sources(project).declaration("ex")
    assert caught.value.cure == "did you mean 'exp'?"


def test_an_unknown_need_is_named_with_its_line(project):
    projects.write(project.experiments / "other.py", projects.returning("{}"))
    projects.change(project.experiments / "exp.py", "NEEDS = ()", 'NEEDS = (\n    "othr",\n)')
    with pytest.raises(InputError, match="needs 'othr', which does not exist") as caught:
        Sources(project).declaration("exp")
    assert (caught.value.place.file, caught.value.place.line) == ("experiments/exp.py", 12)
    assert caught.value.cure == "did you mean 'other'?"


def test_a_syntax_error_in_an_imported_module_is_named_with_its_line(project):
    (project.root / "src" / "pkg" / "cousin.py").write_text("x = 1\ndef broken(:\n")
    with pytest.raises(InputError, match=r"src/pkg/cousin\.py is not valid Python") as caught:
        taken(project)
    assert caught.value.place.line == 2


def test_several_wrong_declarations_come_together(project):
    projects.change(project.experiments / "exp.py", "repeats: int = 5", "repeats: int = f()")
    projects.change(project.experiments / "exp.py", "NEEDS = ()", "NEEDS = f()")
    with pytest.raises(LabreportError) as caught:
        Sources(project).declaration("exp")
    assert len(caught.value.errors) == 2


@pytest.mark.parametrize(
    ("name", "better"), [("a.b", "a_b"), ("a-b", "a_b"), ("1st", "n1st"), ("a b", "a_b"), ("x@y=1", "x_y_1")]
)
def test_an_experiment_that_no_template_can_name_is_refused(tmp_path, name, better):
    made = projects.make(tmp_path, {"fine": projects.returning("{}"), name: projects.returning("{}")})
    with pytest.raises(InputError, match="no template can name the experiment") as caught:
        Sources(made).declaration(name)
    assert repr(name) in caught.value.what
    assert caught.value.place.file == f"experiments/{name}.py"
    assert caught.value.cure == f"rename it, as {better}.py"

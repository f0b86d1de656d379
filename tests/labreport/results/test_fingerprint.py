"""What a result depends on, and what does not count."""

import os
import sys
from importlib import metadata

import projects
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labreport.errors import InputError, LabreportError, UsageError
from labreport.results import fingerprint, versions

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


def parts(project, phase="run", **params):
    found = fingerprint.Sources(project)
    values = {**found.declaration("exp").values(), **params}
    return found.parts("exp", phase, values, {"other": "c0"})


def code(project, phase="run"):
    return {part.removeprefix("code ") for part in parts(project, phase) if part.startswith("code ")}


def test_modules_count_transitively_with_their_packages_and_relative_imports(project):
    assert code(project) == {
        "experiments/exp.py",
        "src/model/__init__.py",
        "src/model/core.py",
        "src/lazy.py",
        "src/pkg/__init__.py",
        "src/pkg/deep.py",
        "src/pkg/sibling.py",
        "src/pkg/sub/__init__.py",
        "src/pkg/sub/leaf.py",
        "src/pkg/cousin.py",
    }
    assert code(project, "draw") == {"experiments/exp.py", "src/plots.py", "src/drawing_tools.py"}


UNSEEN = {
    "comment": ("# a comment", "# another"),
    "docstring of a function": ('"""Help."""', '"""Help more."""'),
    "docstring of Params": ('"""The parameters."""', '"""All."""'),
    "question": ('"""Question?"""', '"""Which?"""'),
    "layout": ("return train(x, EPOCHS)", "return train(\n        x,\n        EPOCHS,\n    )"),
    "parentheses": ("2 * self.repeats", "(2 * (self.repeats))"),
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
    "method of Params": ("2 * self.repeats", "3 * self.repeats"),
    "annotation of a parameter": ("repeats: int", "repeats: float"),
}


@pytest.mark.parametrize("case", [*UNSEEN, *DRAWING, *RUNNING])
def test_only_what_a_phase_reaches_changes_its_fingerprint(project, case):
    before = {phase: parts(project, phase, repeats=5) for phase in ("run", "draw")}
    projects.change(project.experiments / "exp.py", *{**UNSEEN, **DRAWING, **RUNNING}[case])
    changed = [phase for phase in before if parts(project, phase, repeats=5) != before[phase]]
    assert changed == (["run"] if case in RUNNING else ["draw"] if case in DRAWING else [])


@pytest.mark.parametrize(
    ("line", "phases"),
    [
        ("import warnings; warnings.simplefilter('error')", ["run", "draw"]),
        ("SHADES['x'] = 2", ["run", "draw"]),
        ("if EPOCHS > 5:\n    LIMIT = 1", ["run", "draw"]),
        ("from plots import *", ["run", "draw"]),
        ("EPOCHS += 1", ["run"]),
        ("def helper(x): return 2", ["run"]),
        ("COLOUR: str = 'green'", ["draw"]),
        ("if __name__ == '__main__':\n    run(Params(), None)", []),
        ("def nobody(): return run", []),
        ("'a text that stands alone'", []),
    ],
)
def test_an_added_statement_counts_where_it_can_matter(project, line, phases):
    before = {phase: parts(project, phase) for phase in ("run", "draw")}
    path = project.experiments / "exp.py"
    path.write_text(f"{path.read_text()}\n{line}\n")
    assert [phase for phase in before if parts(project, phase) != before[phase]] == phases


def test_who_reads_names_at_run_time_depends_on_all_of_them(project):
    projects.change(project.experiments / "exp.py", '"y": late()', '"y": globals()')
    before = parts(project)
    projects.change(project.experiments / "exp.py", 'COLOUR = "red"', 'COLOUR = "blue"')
    assert fingerprint.changes(before, parts(project)) == ["experiments/exp.py changed"]


@pytest.mark.parametrize("module", ["model/core.py", "pkg/cousin.py", "pkg/__init__.py", "lazy.py"])
def test_a_change_in_an_imported_module_is_named_by_its_file(project, module):
    before = parts(project)
    path = project.root / "src" / module
    path.write_text(f"{path.read_text()}\n# only a comment\n")
    assert parts(project) == before
    path.write_text(f"{path.read_text()}\nNEW = 1\n")
    assert fingerprint.changes(before, parts(project)) == [f"src/{module} changed"]


def test_a_new_file_that_an_import_finds_first_counts(project):
    before = parts(project)
    projects.write(project.root / "src" / "pkg" / "deep" / "__init__.py", "late = print\n")
    assert "src/pkg/deep/__init__.py is imported now" in fingerprint.changes(before, parts(project))


def test_labreport_itself_never_counts(project):
    before = code(project)
    projects.change(
        project.experiments / "exp.py",
        "from lazy import late",
        "from lazy import late; from labreport.running.lab import Lab; import labreport.results.results",
    )
    found = parts(project)
    assert code(project) == before
    assert not any("labreport" in part for part in found)


def test_the_same_sources_in_another_folder_have_the_same_fingerprint(project, tmp_path):
    other = projects.make(tmp_path / "elsewhere", {"exp": EXPERIMENT}, src=MODULES)
    for phase in ("run", "draw"):
        assert parts(project, phase) == parts(other, phase)


def test_the_style_file_counts_for_drawing_only(project):
    before = {phase: parts(project, phase) for phase in ("run", "draw")}
    projects.write(project.style, "font.size: 8\n")
    assert parts(project) == before["run"]
    changes = fingerprint.changes(before["draw"], parts(project, "draw"))
    assert changes == ["experiments/figures.mplstyle is new"]


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
    before = parts(reading, phase)
    assert [part for part in before if part.startswith("file ")] == [
        "file experiments/sweep.yaml",
        "file data/points.csv",
    ]
    (reading.experiments / "sweep.yaml").write_text("method: grid \n")
    assert fingerprint.changes(before, parts(reading, phase)) == ["experiments/sweep.yaml changed"]


def test_a_file_that_is_read_now_or_no_more_is_a_reason(reading):
    with_both = parts(reading)
    projects.change(reading.experiments / "exp.py", '    "data/points.csv",\n', "")
    assert fingerprint.changes(with_both, parts(reading)) == ["data/points.csv is read no more"]
    assert fingerprint.changes(parts(reading), with_both) == ["data/points.csv is read now"]


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
        (make_folder, "is no file"),
        (link_outside, "leads out of the project"),
        (link_to_itself, "does not exist"),
        (make_pipe, "is no file"),
    ],
)
def test_what_is_no_file_of_the_project_is_an_error_at_its_line(reading, spoil, what):
    spoil(reading.root / "data" / "points.csv")
    with pytest.raises(InputError) as caught:
        fingerprint.declaration(reading, "exp")
    error = caught.value
    assert error.what == f"experiment 'exp' reads 'data/points.csv', which {what}"
    assert (error.place.file, error.place.line, error.place.column) == ("experiments/exp.py", 14, 6)
    assert error.cure


def test_a_link_inside_the_project_and_a_near_name_are_told_apart_from_mistakes(reading):
    path = reading.root / "data" / "points.csv"
    path.rename(path.with_name("point.csv"))
    with pytest.raises(InputError) as caught:
        fingerprint.declaration(reading, "exp")
    assert caught.value.cure == "did you mean 'data/point.csv'?"
    path.symlink_to("point.csv")
    assert fingerprint.declaration(reading, "exp").reads == ("experiments/sweep.yaml", "data/points.csv")


# versions


def test_imports_count_by_the_version_of_their_distribution(project):
    (project.root / "src" / "pkg" / "sibling.py").write_text("import numpy.linalg\nimport PIL\nimport json\n")
    found = parts(project)
    assert found["version numpy"] == metadata.version("numpy")
    assert found["version pillow"] == metadata.version("pillow")
    assert not any("json" in part for part in found)
    assert found["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_drawing_depends_on_matplotlib_even_if_nothing_imports_it(project):
    assert parts(project, "draw")["version matplotlib"] == metadata.version("matplotlib")
    assert "version matplotlib" not in parts(project)


def test_a_module_of_no_distribution_is_unknown_until_there_is_one(project, tmp_path, monkeypatch):
    (project.root / "src" / "pkg" / "sibling.py").write_text("import nobody_made_this\n")
    before = parts(project)
    assert before["version nobody-made-this"] == "unknown"
    (tmp_path / "site" / "Nobody.Made_This-1.2.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert fingerprint.changes(before, parts(project)) == ["nobody-made-this was unknown, is 1.2"]


def test_installed_versions_are_those_of_the_standard_library(monkeypatch):
    found = versions.installed(sys.path)
    assert len(found) > 20
    for name, version in found.items():
        assert metadata.version(name) == version


# reasons


def test_reasons_stand_in_the_documented_order():
    old = {
        "schema": "1",
        "python": "3.11",
        "version torch": "2.12.0",
        "version numpy": "2.0",
        "file data/gone.csv": "aa",
        "file experiments/sweep.yaml": "aa",
        "result noisy_xor": "aa",
        "result gone": "aa",
        "code src/b.py": "1",
        "code src/a.py": "1",
        "code experiments/x.py": "1",
        "parameter repeats": "50",
        "parameter rate": "0.1",
        "style experiments/figures.mplstyle": "1",
        "same": "x",
    }
    new = {
        "schema": "2",
        "python": "3.12",
        "version torch": "2.13.0",
        "version pandas": "3.0",
        "file experiments/sweep.yaml": "bb",
        "file data/new.csv": "bb",
        "result noisy_xor": "bb",
        "result more": "bb",
        "code src/b.py": "2",
        "code src/c.py": "1",
        "code experiments/x.py": "2",
        "parameter repeats": "1000",
        "parameter name": '"adam"',
        "style experiments/figures.mplstyle": "2",
        "same": "x",
    }
    assert fingerprint.changes(old, new) == [
        "the format was 1, is 2",
        'name is new: "adam"',
        "rate is gone, was 0.1",
        "repeats was 50, is 1000",
        "experiments/x.py changed",
        "src/a.py is imported no more",
        "src/b.py changed",
        "src/c.py is imported now",
        "experiments/sweep.yaml changed",
        "data/gone.csv is read no more",
        "data/new.csv is read now",
        "it uses gone no more",
        "it uses more now",
        "the result of noisy_xor changed",
        "numpy is imported no more",
        "pandas 3.0 is imported now",
        "torch was 2.12.0, is 2.13.0",
        "Python was 3.11, is 3.12",
        "experiments/figures.mplstyle changed",
    ]


@given(
    st.dictionaries(st.sampled_from(["schema", "code a", "parameter b", "odd part", "version c"]), st.text())
)
def test_equal_fingerprints_have_no_reasons(found):
    assert fingerprint.changes(found, dict(reversed(found.items()))) == []


# declarations


def test_an_unknown_experiment_names_near_ones(project):
    with pytest.raises(UsageError, match="no experiment 'ex'") as caught:
        fingerprint.declaration(project, "ex")
    assert caught.value.cure == "did you mean 'exp'?"


def test_an_unknown_need_is_named_with_its_line(project):
    projects.write(project.experiments / "other.py", projects.returning("{}"))
    projects.change(project.experiments / "exp.py", "NEEDS = ()", 'NEEDS = (\n    "othr",\n)')
    with pytest.raises(InputError, match="needs 'othr', which does not exist") as caught:
        fingerprint.declaration(project, "exp")
    assert (caught.value.place.file, caught.value.place.line) == ("experiments/exp.py", 12)
    assert caught.value.cure == "did you mean 'other'?"


def test_a_syntax_error_in_an_imported_module_is_named_with_its_line(project):
    (project.root / "src" / "pkg" / "cousin.py").write_text("x = 1\ndef broken(:\n")
    with pytest.raises(InputError, match=r"src/pkg/cousin\.py is not Python") as caught:
        parts(project)
    assert caught.value.place.line == 2


# the cache


def test_the_cache_changes_nothing_but_time(project, monkeypatch):
    def all_parts():
        sources = fingerprint.Sources(project)
        found = [sources.parts("exp", phase, {"n": 1}, {}) for phase in ("run", "draw")]
        declared = sources.declaration("exp")
        sources.save()
        return found, declared

    first = all_parts()
    monkeypatch.setattr(fingerprint, "module_facts", None)
    monkeypatch.setattr(fingerprint, "experiment_facts", None)
    assert all_parts() == first


@pytest.mark.parametrize("damage", ["", "x", "{}", "flip", "empty facts"])
def test_a_damaged_cache_is_not_believed(project, damage):
    sources = fingerprint.Sources(project)
    before = sources.parts("exp", "run", {}, {})
    sources.save()
    path = project.build / "cache" / "syntax.json"
    text = path.read_text()
    digest = before["code src/model/core.py"]
    flipped = text.replace(digest, "0" * 64)
    assert flipped != text
    path.write_text(
        {"flip": flipped, "empty facts": f"{text.partition(chr(10))[0]}\n{{}}"}.get(damage, damage)
    )
    assert fingerprint.Sources(project).parts("exp", "run", {}, {}) == before


def test_a_build_folder_that_cannot_be_written_costs_only_time(project):
    project.build.write_text("in the way")
    sources = fingerprint.Sources(project)
    sources.declaration("exp")
    sources.save()
    assert project.build.read_text() == "in the way"


def test_several_wrong_declarations_come_together(project):
    projects.change(project.experiments / "exp.py", "repeats: int = 5", "repeats: int = f()")
    projects.change(project.experiments / "exp.py", "NEEDS = ()", "NEEDS = f()")
    with pytest.raises(LabreportError) as caught:
        fingerprint.declaration(project, "exp")
    assert len(caught.value.errors) == 2

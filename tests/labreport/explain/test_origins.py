"""What made the result of an experiment."""

import shutil

import projects
import pytest

from labreport.explain.origins import Origins


@pytest.fixture(scope="module")
def origin(asked):
    return Origins(asked).of("coin")


def test_parameters_that_are_not_the_defaults_are_told_apart(origin):
    found = {p.name: (p.value, p.default, p.is_default) for p in origin.parameters}
    assert found == {"tosses": (12, 10, False), "seed": (0, 0, True)}


def line_of(project, file: str, text: str) -> str:
    """Return the place of the line of a file that begins with a text, after blanks."""
    lines = (project.root / file).read_text().split("\n")
    (line,) = [n for n, line in enumerate(lines, 1) if line.strip().startswith(text)]
    return f"{file}:{line}"


def test_the_functions_that_made_it_begin_with_run_and_what_that_names(asked, origin):
    assert [str(code) for code in origin.code] == [
        f"{line_of(asked, 'experiments/coin.py', 'def run')} run",
        f"{line_of(asked, 'src/toss.py', 'def toss')} toss",
        f"{line_of(asked, 'experiments/coin.py', 'class Params')} Params",
        f"{line_of(asked, 'src/toss.py', 'class Coin')} Coin",
        f"{line_of(asked, 'src/toss.py', 'def side')} Coin.side",
    ]
    assert origin.parts > len(origin.code)  # the names of imports are pieces, too


def test_lines_are_those_of_now(asked, tmp_path):
    shutil.copytree(asked.root, tmp_path / "p")
    moved = projects.projects.load(tmp_path / "p")
    source = moved.root / "src" / "toss.py"
    source.write_text("# a new line\n" + source.read_text().replace("class Coin", "class Other"))
    code = [str(found) for found in Origins(moved).of("coin").code]
    assert "src/toss.py:7 toss" in code
    assert not [line for line in code if "Coin" in line]


def test_inputs_users_versions_and_the_run_are_told(asked, origin):
    assert origin.question == "What comes out?"
    assert origin.read == ("file data/coins.csv",)
    assert origin.needed_by == ("fair",)
    assert "pandas" in origin.versions
    assert origin.run is not None
    assert origin.run.seconds >= 0
    fair = Origins(asked).of("fair")
    assert (fair.results, fair.needed_by) == (("coin",), ())


def test_an_experiment_that_is_being_edited_is_explained_from_its_records(asked, tmp_path):
    shutil.copytree(asked.root, tmp_path / "p")
    broken = projects.projects.load(tmp_path / "p")
    (broken.experiments / "coin.py").write_text("def run(:\n")
    found = Origins(broken).of("coin")
    assert {p.name: p.value for p in found.parameters} == {"tosses": 12, "seed": 0}
    assert found.question == ""
    assert found.run is not None


def test_what_draws_the_figures_is_asked_for_by_its_phase(asked):
    drawn = str(Origins(asked).of("coin", "draw").code[0])
    assert drawn == f"{line_of(asked, 'experiments/coin.py', 'def draw')} draw"


def test_no_more_functions_are_looked_up_than_are_asked_for(asked, origin):
    assert Origins(asked).of("coin", most=2).code == origin.code[:2]

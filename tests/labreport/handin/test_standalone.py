"""What a hand-in needs to run alone comes from labreport where the project lacks it.

That the unpacked code then builds is tested with the real builds of test_verification.
"""

import json
import re
import shutil
import subprocess
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import projects

from labreport.documents.latexmk import DEBIAN_PACKAGES
from labreport.handin import bundle, out_of_date, requirements
from labreport.project import Project

ROOT = Path(__file__).parents[3]


def packed(project: Project) -> dict[str, str]:
    bundle.pack(project)
    with zipfile.ZipFile(project.submission / "code.zip") as archive:
        names = [name for name in archive.namelist() if not name.startswith("code/build/")]
        return {name.removeprefix("code/"): archive.read(name).decode() for name in names}


def pins(text: str) -> dict[str, str]:
    return dict(line.split("==") for line in text.splitlines() if not line.startswith("#"))


def test_a_project_gets_of_labreport_what_it_lacks(project):
    projects.write(project.root / "Makefile", "report:\n\ttrue\n")
    shutil.rmtree(project.root / "src/labreport")
    files = packed(project)
    assert files["Makefile"] == "report:\n\ttrue\n"
    assert files["build_report.py"] == (ROOT / "build_report.py").read_text()
    folder = ROOT / "src/labreport"
    suffixes, whole = (".py", ".sty", ".toml", ".typed"), {"main", "assets", "project", "kinds"}
    inside = {p: p.relative_to(folder).parts for p in folder.rglob("*") if p.is_file()}
    source = [p for p, parts in inside.items() if p.suffix in suffixes or whole & set(parts)]
    source = [p for p in source if "__pycache__" not in p.parts]
    engine = [f"src/labreport/{p.relative_to(folder).as_posix()}" for p in source]
    assert [name for name in files if name.startswith("src/labreport/")] == sorted(engine)


def test_the_makefile_of_a_hand_in_builds_its_report_with_the_engines_system_packages(project, tmp_path):
    projects.write(tmp_path / "Makefile", packed(project)["Makefile"])
    command = ["make", "-n", "--no-print-directory", "report"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "constraints.txt" in said.stderr  # it is what the environment is made from
    (tmp_path / "constraints.txt").touch()
    recipe = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert f'--no-install-recommends {DEBIAN_PACKAGES} poppler-utils"' in recipe
    assert recipe.endswith(".venv/bin/python build_report.py\n")


def test_what_labreport_and_the_project_import_is_named_with_the_installed_versions(project):
    projects.write(
        project.root / "src/thing/more.py", "import json\nimport thing, networkx, nowhere_else\nimport yaml\n"
    )
    projects.write(project.root / "src/networkx/__init__.py", "# of the project itself\n")
    cell = {"cell_type": "code", "source": ["%matplotlib inline\n", "import nothing\n"]}
    other = {"cell_type": "code", "source": ["from optuna.trial import Trial\n"]}
    text = json.dumps({"cells": [cell, other, {"cell_type": "markdown", "source": ["import wandb"]}]})
    projects.write(project.notebooks / "walk.ipynb", text)
    files = packed(project)
    meta = tomllib.loads(files["pyproject.toml"])["project"]
    own = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert meta["requires-python"] == own["requires-python"]
    assert meta["dependencies"] == [*own["dependencies"], "optuna", "pyyaml"]
    named = pins(files["constraints.txt"])
    for name in ("jinja2", "pyyaml", "optuna", "markupsafe", "pyzmq"):  # pyzmq: what jupyter-client needs
        assert named[name] == version(name)
    assert not {"torch", "wandb", "pytest", "labreport", "nowhere-else"} & named.keys()
    readme = " ".join(files["README.txt"].split())
    assert f"Libraries: optuna {version('optuna')}, pyyaml {version('pyyaml')}." in readme
    assert "labreport needs: babel" in readme


def test_an_extra_brings_what_it_needs_and_no_other_does(monkeypatch):
    required = {
        "a": ['b; extra == "x"', "c ; extra == 'y'", 'd[e]>=1; python_version >= "3"', "not-installed"],
        "d": ['f; python_version >= "3" and extra == "e"', "a"],
    }
    monkeypatch.setattr("importlib.metadata.requires", required.get)
    known = dict(zip("abcdef", "123456", strict=True))
    monkeypatch.setattr("labreport.results.versions.installed", lambda _: known)
    assert requirements.pins(["a[x] >= 1"]) == {"a": "1", "b": "2", "d": "4", "f": "6"}


def test_a_build_of_a_version_is_pinned_as_the_version(project):
    projects.write(project.root / "experiments/inner/more.py", "import torch\n")
    named = pins(packed(project)["constraints.txt"])
    assert named["torch"] == re.match(r"[\d.]+", version("torch"))[0]


def test_what_the_project_says_itself_is_packed_as_it_is_where_it_is_right(project):
    named = packed(project)
    text = (
        named["constraints.txt"].replace("# Made by labreport for this hand-in", "# mine") + "colorama==0.4\n"
    )
    projects.write(project.root / "constraints.txt", text)
    projects.write(project.root / "pyproject.toml", '[project]\ndependencies = ["matplotlib"]\n')
    files = packed(project)
    assert files["constraints.txt"] == text
    assert files["pyproject.toml"] == '[project]\ndependencies = ["matplotlib"]\n'
    assert [
        each for each in bundle.pack(project).notices if "constraints" in each or "pyproject" in each
    ] == []
    assert out_of_date(project) == []
    (project.root / "constraints.txt").unlink()
    assert out_of_date(project) == ["constraints.txt is gone"]


def test_a_zip_is_installed_from_what_its_code_imports_whatever_the_project_pins(project):
    """As where a project began as a copy of another one, with libraries of a subject of its own."""
    projects.write(project.root / "src/thing/more.py", "import optuna\n")
    projects.write(
        project.root / "pyproject.toml", '[project]\ndependencies = ["wandb>=0.2", "matplotlib"]\n'
    )
    old = f"wandb=={version('wandb')}\nmatplotlib==1.5\n"
    projects.write(project.root / "constraints.txt", old)
    right = pins(packed(project)["constraints.txt"])
    first = [name for name in right if name != "matplotlib"][:3]
    assert bundle.pack(project).notices[:2] == (
        "pyproject.toml lacks optuna; it lists wandb, which nothing in the hand-in needs: "
        "correct its dependencies",
        f"constraints.txt lacks {', '.join(first)} and {len(right) - 4} more; it lists wandb, which nothing "
        f"in the hand-in needs; it pins matplotlib 1.5, where {version('matplotlib')} is installed: "
        "the one in the zip is made for it",
    )
    files = packed(project)
    assert pins(files["constraints.txt"])["optuna"] == version("optuna")
    assert "wandb" not in files["constraints.txt"] + files["README.txt"]
    assert out_of_date(project) == []
    projects.write(project.root / "constraints.txt", f"{old}# mended\n")
    assert out_of_date(project) == ["constraints.txt changed"]

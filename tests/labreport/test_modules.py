"""The project's modules are found as an import finds them, and nothing is imported."""

import subprocess
import sys

import projects
import pytest

from labreport.modules import find_module, is_own, module_names

SOURCES = {
    "model/__init__.py": "",
    "model/core.py": "",
    "twice/__init__.py": "",
    "twice.py": "",
    "loose/leaf.py": "",
    "plain.py": "",
}


@pytest.fixture
def project(tmp_path):
    return projects.make(tmp_path, {"exp": projects.returning("{}")}, src=SOURCES)


@pytest.mark.parametrize("name", ["model", "model.core", "twice", "loose.leaf", "plain", "experiments.exp"])
def test_a_module_is_the_file_that_an_import_executes(project, name):
    code = f"import importlib; print(importlib.import_module({name!r}).__file__)"
    paths = {"PYTHONPATH": f"{project.root}/src:{project.root}"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=paths, cwd="/", capture_output=True, text=True, check=True)
    assert str(find_module(project, name).path) == done.stdout.strip()


@pytest.mark.parametrize(
    ("name", "package"), [("model", "model"), ("model.core", "model"), ("plain", ""), ("loose.leaf", "loose")]
)
def test_relative_imports_start_in_the_package_that_python_says(project, name, package):
    assert find_module(project, name).package == package


@pytest.mark.parametrize("name", ["numpy", "model.nothing", "loose", "plain.core"])
def test_what_is_no_module_of_the_project_is_not_found(project, name):
    assert find_module(project, name) is None


@pytest.mark.parametrize(
    ("name", "own"), [("plain", True), ("loose", True), ("json", False), ("numpy", False)]
)
def test_a_folder_of_modules_is_the_projects_own_too(project, name, own):
    assert is_own(project, name) is own


def test_names_are_those_of_files_and_packages_but_not_of_generated_ones(project):
    for generated in ("build/made.py", "src/__pycache__/x.py", "src/.hidden/y.py"):
        projects.write(project.root / generated, "")
    names = [name for name in module_names(project) if not name.startswith(("labreport", "tinymlp"))]
    assert names == ["loose.leaf", "model", "model.core", "plain", "twice", "twice", "experiments.exp"]

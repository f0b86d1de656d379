"""The reports that the checks are tried on, each made once."""

import shutil

import projects
import pytest
from checked import BAD, BIB, EXPERIMENT, GOOD, MODULE, TOML, UNUSED, made, pack

from labreport import project as project_module


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    if shutil.which("latexmk") is None:
        pytest.skip("needs latexmk")
    folder = tmp_path_factory.mktemp("checks") / "good"
    project = projects.make(folder, {"exp": EXPERIMENT}, src={"m.py": MODULE}, toml=TOML)
    projects.write(folder / "experiments" / "figures.mplstyle", "pdf.fonttype: 42\n")
    projects.write(folder / "report_templates" / "notebooks" / "One.py.j2", "# %%\n1 + 1\n")
    projects.run(project)
    project = made(folder, GOOD, BIB)
    pack(project)
    return project


@pytest.fixture(scope="session")
def bad(good):
    folder = good.root.with_name("bad")
    shutil.copytree(good.root, folder)
    return made(folder, BAD.replace("LONG", "\n".join(f"line {n}" for n in range(31))), BIB + UNUSED)


@pytest.fixture
def copy(good, tmp_path):
    """Give a copy of the good project, to be spoilt."""
    shutil.copytree(good.root, tmp_path / "p")
    return project_module.load(tmp_path / "p")

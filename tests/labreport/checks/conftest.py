"""The reports that the checks are tried on, each made once."""

import shutil

import projects
import pytest
from checked import BAD, BIB, EXPERIMENT, GOOD, MODULE, TOML, UNUSED, made, pack

from labreport import project as project_module


@pytest.fixture(scope="session")
def good():
    if shutil.which("latexmk") is None:
        pytest.skip("needs latexmk")
    return project_module.load(projects.once_for_all_workers("good", make_good))


def make_good(folder):
    project = projects.make(folder, {"exp": EXPERIMENT}, src={"m.py": MODULE}, toml=TOML)
    projects.write(folder / "experiments" / "figures.mplstyle", "pdf.fonttype: 42\n")
    projects.write(folder / "report_templates" / "notebooks" / "One.py.j2", "# %%\n1 + 1\n")
    projects.run(project)
    pack(made(folder, GOOD, BIB))


@pytest.fixture(scope="session")
def bad(good):
    def make_bad(folder):
        shutil.copytree(good.root, folder)
        made(folder, BAD.replace("LONG", "\n".join(f"line {n}" for n in range(31))), BIB + UNUSED)

    return project_module.load(projects.once_for_all_workers("bad", make_bad))


@pytest.fixture
def copy(good, tmp_path):
    """Give a copy of the good project, to be spoilt."""
    shutil.copytree(good.root, tmp_path / "p")
    return project_module.load(tmp_path / "p")

"""labreport installed from its wheel, without this checkout: a small project builds where it lies."""

import shutil
import subprocess
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
import wheels
from coins import ROOT, write_project
from pypdf import PdfReader

import labreport

pytestmark = pytest.mark.slow
NOT_NEEDED = ("torch", "wandb", "optuna", "networkx")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return wheels.built(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The folder of the programs of a new virtual environment with labreport in it.

    The libraries beside it are links into those of this environment: that is as good as installing them, and
    takes no minutes. What only this repository's report needs is not among them.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if path.suffix != ".pth" and path.name.partition("-")[0] not in NOT_NEEDED:
            link(path, packages / path.name)
    wheels.pip("--python", python, "install", *wheels.OFFLINE, wheel)
    return folder / "bin"


def link(path: Path, new: Path) -> None:
    """Link to what is in a folder: a package that is a link itself is no release, and would be read whole."""
    if path.is_dir():
        new.mkdir()
        for inner in path.iterdir():
            (new / inner.name).symlink_to(inner)
    else:
        shutil.copy(path, new)


def run(*command: object, cwd: Path | None = None, check: int = 0) -> str:
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=wheels.environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == check, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_the_wheel_holds_the_engine_whole_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
    folder = ROOT / "src" / "labreport"
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert names == {f"labreport/{path.relative_to(folder).as_posix()}" for path in files}
    assert "labreport/documents/labreport.sty" in names
    assert wheel.name.startswith(f"labreport-{labreport.__version__}-")


def test_the_command_is_the_installed_one(installed, tmp_path):
    there = run(installed / "python", "-c", "import labreport; print(labreport.__file__)", cwd=tmp_path)
    assert Path(there.strip()).is_relative_to(installed.parent)
    path = run(installed / "python", "-c", "import sys; print(*sys.path, sep='\\n')", cwd=tmp_path)
    assert not [entry for entry in path.split("\n") if Path(entry).is_relative_to(ROOT / "src")]
    find = "import sys; from importlib.util import find_spec; print(*map(find_spec, sys.argv[1:]))"
    found = run(installed / "python", "-c", find, *NOT_NEEDED, "tinymlp", cwd=tmp_path)
    assert set(found.split()) == {"None"}
    for program in ([installed / "labreport"], [installed / "python", "-m", "labreport"]):
        assert run(*program, "--version", cwd=tmp_path) == f"labreport {labreport.__version__}\n"
    error = run(installed / "labreport", cwd=tmp_path, check=2)
    assert error.startswith("error: there is no project here")


def test_a_project_elsewhere_is_built_handed_in_and_rebuilt_from_its_zip(installed, tmp_path):
    user = write_project(tmp_path / "a place" / "coins")
    said = run(installed / "labreport", "--jobs", "1", cwd=user.folder)
    assert f"`{installed}/labreport check`" in said
    page = " ".join(PdfReader(user.path("build/report.pdf")).pages[0].extract_text().split())
    assert "After 100 tosses the share is" in page
    again = run(installed / "labreport", cwd=user.path("experiments"))
    assert "build/report.pdf is up to date; 1 experiment up to date" in again
    assert "fresh" in run(installed / "labreport", "plan", "--project", user.folder, cwd=tmp_path)

    # the packages beside labreport are not the project's own code: they count by their versions
    code = [
        part for part in user.path("build/results/coin/run.json").read_text().split('"') if "code " in part
    ]
    assert "code experiments/coin.py:run" in code
    assert {part.partition(":")[0] for part in code} == {"code experiments/coin.py"}

    with zipfile.ZipFile(user.path("build/submission/code.zip")) as packed:
        pins = packed.read("code/constraints.txt").decode()
        assert {"code/Makefile", "code/src/labreport/build.py", "code/pyproject.toml"} <= set(
            packed.namelist()
        )
    assert "\npandas==" in pins  # what the experiment imports
    assert "\nclick==" in pins  # what labreport imports
    assert "torch" not in pins
    verified = run(installed / "labreport", "verify", "--jobs", "1", cwd=user.folder)
    for what in ("the result of 'coin'", "the bytes of report.pdf", "the bytes of code.zip"):
        assert f"equal: {what}" in verified

"""Full, failing and read-only disks: one message, the exit code 74, and nothing that is lost."""

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import projects
import pytest

from labreport import build, running
from labreport import project as projects_of
from labreport.documents import latexmk
from labreport.documents.latexmk import CompileFailed
from labreport.errors import DiskError, UsageError
from labreport.results import files
from torture import disk, injected

SRC = Path(__file__).parents[2] / "src"
COIN = projects.experiment(
    """
    def run(params, lab):
        return {"half": sum(lab.map(lambda item: item / 6, range(3)))}
    """
)
TEMPLATE = r"""\documentclass{article}
\usepackage[article]{labreport}
\begin{document}
The mean is \VAR{coin.values.half|num}.
\end{document}
"""
SENTINEL = r"""\documentclass{article}
\makeatletter\AtEndDocument{\typeout{labreport: complete}}\makeatother
\begin{document}
\newcount\n \loop x\newpage \advance\n by 1 \ifnum\n<40 \repeat
\end{document}
"""
WITHOUT_ROOT = "-dac_override,-dac_read_search"
"""What lets root pass by the rights of files."""


@pytest.fixture
def project(tmp_path):
    made = projects.make(tmp_path / "project", {"coin": COIN})
    projects.write(made.templates / "report.tex.j2", TEMPLATE)
    return made


@pytest.fixture
def small(tmp_path):
    """Give a function that makes a small file system in a folder; only root can."""
    mounted = []

    def mount(folder: Path, size: str) -> Path:
        folder.mkdir(exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=False)
        if done.returncode:
            pytest.skip("only root can mount a file system")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)


def command(folder: Path, *arguments: object, without_root: bool = False) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "labreport", *map(str, arguments)]
    if without_root and os.geteuid() == 0:
        words = ["setpriv", f"--bounding-set={WITHOUT_ROOT}", f"--inh-caps={WITHOUT_ROOT}", *words]
    environment = os.environ | {"PYTHONPATH": str(SRC)}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)


# ------------------------------------------------------------------------------------------------ full disks


def tried(kind: str, count: int) -> subprocess.CompletedProcess[str]:
    """Run trials, whose processes fork, apart from the threads of the tests."""
    words = [sys.executable, "-m", "torture", kind, "--count", str(count), "--seed", "5"]
    path = os.pathsep.join(map(str, (SRC, *(SRC.parent / "tests" / part for part in (".", "labreport")))))
    environment = os.environ | {"PYTHONPATH": path}
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "count"), [("disk", 6), ("ended", 8), ("flips", 10)])
def test_whatever_happens_at_an_operation_or_to_a_byte_the_next_build_mends_it(kind, count):
    done = tried(kind, count)
    assert done.returncode == 0, done.stdout + done.stderr


MAKES_TWO_FOLDERS = """
import os, sitecustomize
sitecustomize.Turn(os.environ[sitecustomize.VARIABLE]).begin()
os.mkdir("one")
os.mkdir("two")
"""


@pytest.mark.parametrize(
    ("what", "number", "code"),
    [
        (injected.ONCE, errno.EIO, 1),
        (injected.PARENT, signal.SIGKILL, -signal.SIGKILL),
        (injected.GROUP, signal.SIGTERM, -signal.SIGTERM),
    ],
    ids=["fails", "is killed", "its group is ended"],
)
def test_something_happens_at_the_operation_that_was_chosen(tmp_path, monkeypatch, what, number, code):
    monkeypatch.setenv(injected.VARIABLE, "")  # set anew below, and as before afterwards
    injected.make(str(tmp_path / "turn")).set(2, number, what)
    (tmp_path / "path").mkdir()
    shutil.copyfile(injected.__file__, tmp_path / "path" / "sitecustomize.py")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "path"), "PYTHONDONTWRITEBYTECODE": "1"}
    words = [sys.executable, "-c", MAKES_TWO_FOLDERS]
    done = subprocess.run(
        words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert done.returncode == code, done.stderr
    assert [(tmp_path / name).exists() for name in ("one", "two")] == [True, False]
    assert ("Input/output error" in done.stderr) == (what == injected.ONCE)


def test_the_exit_codes_of_a_build_that_is_ended_are_those_of_the_signal():
    assert disk.ENDINGS["SIGTERM to the group"].codes == (0, -15, 143)
    assert disk.FAILURES["full"].codes == (0, 74)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("latexmk") is None, reason="needs latexmk")
def test_latex_on_a_full_disk_says_so_at_each_size_of_the_disk(small, tmp_path):
    told = {}
    for size in (24, 32, 48, 64, 96, 128):
        folder = small(tmp_path / str(size), f"{size}k") / "compile"
        try:
            folder.mkdir()
            (folder / "report.tex").write_text(SENTINEL)
            latexmk.compile(folder)
        except (OSError, CompileFailed) as error:
            told[size] = str(error)
    assert len(told) > 2
    assert {size: error for size, error in told.items() if "No space left" not in error} == {}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("latexmk") is None, reason="needs latexmk")
def test_a_build_on_a_full_disk_says_how_much_is_free_and_goes_on_once_there_is_more(project, small):
    small(project.build, "100k")
    done = command(project.root)
    assert done.returncode == DiskError.exit_code, done.stdout + done.stderr
    assert re.search(
        r"error: no space left on build: [\d,]+ bytes free\n  cure: free some space", done.stderr
    )
    assert "Traceback" not in done.stderr
    assert not project.pdf.exists()
    subprocess.run(["mount", "-o", "remount,size=64m", project.build], check=True)
    ran = "coin: ran in" in done.stdout + done.stderr
    again = command(project.root)
    assert again.returncode == 0, again.stdout + again.stderr
    assert ran != ("running coin" in again.stdout + again.stderr)
    assert project.pdf.is_file()


def test_a_result_that_finds_no_room_is_told_with_its_experiment(tmp_path, small):
    project = projects.make(tmp_path / "p", {"big": projects.returning('{"text": "x" * 900_000}')})
    small(project.build, "600k")
    with pytest.raises(
        DiskError, match=r"experiment 'big' failed: no space left on build: [\d,]+ bytes free"
    ):
        build.run(project)
    subprocess.run(["mount", "-o", "remount,size=64m", project.build], check=True)
    assert build.run(project).ran == ("big",)


def test_what_an_experiment_itself_may_not_read_is_its_own_error(tmp_path):
    body = """
    def run(params, lab):
        raise PermissionError(13, "Permission denied", "/secret")
    """
    project = projects.make(tmp_path, {"sly": projects.experiment(body)})
    (error,) = running.execute(project).errors
    assert error.exit_code == 4
    assert error.what == "experiment 'sly' failed: PermissionError: [Errno 13] Permission denied: '/secret'"


def test_a_folder_that_cannot_be_replaced_stays(tmp_path, monkeypatch):
    files.write(tmp_path / "figures" / "old", b"x")
    staged = files.stage(tmp_path)
    real = Path.rename

    def rename(path, target):
        if path == staged:
            raise OSError(5, "Input/output error")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr(files, "_exchange", lambda one, other: False)  # not on every file system
    with pytest.raises(OSError, match="Input/output"):
        files.replace_folder(tmp_path / "figures", staged)
    assert (tmp_path / "figures" / "old").read_bytes() == b"x"


def test_nothing_is_left_of_a_replaced_folder_if_the_disk_fails_afterwards(tmp_path, monkeypatch):
    files.write(tmp_path / "figures" / "old", b"x")
    staged = files.stage(tmp_path)

    def sync(path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(files, "sync", sync)
    with pytest.raises(OSError, match="Input/output"):
        files.replace_folder(tmp_path / "figures", staged)
    assert [path.name for path in tmp_path.iterdir()] == ["figures"]


def test_an_experiment_that_cannot_even_begin_says_why(tmp_path):
    project = projects.make(tmp_path, {"coin": COIN})
    project.slots.mkdir(parents=True)
    (error,) = running.execute(project).errors
    assert error.exit_code == DiskError.exit_code
    assert error.what == "experiment 'coin' failed: Is a directory: build/.slots"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("latexmk") is None, reason="needs latexmk")
def test_a_report_that_cannot_be_published_keeps_what_was_published(project, monkeypatch):
    build.make_all(project)
    record, pdf = project.provenance.read_bytes(), project.pdf.read_bytes()
    projects.change(project.templates / "report.tex.j2", "The mean", "Our mean")
    real = Path.rename

    def rename(path, target):
        if target == project.latex:
            raise OSError(5, "Input/output error", str(path))
        return real(path, target)

    with monkeypatch.context() as failing:
        failing.setattr(Path, "rename", rename)
        failing.setattr(files, "_exchange", lambda one, other: False)
        with pytest.raises(DiskError, match="Input/output error"):
            build.make_all(project)
    assert project.pdf.read_bytes() == pdf
    assert (project.previous / project.provenance.name).read_bytes() == record
    assert build.make_all(project).reports[0].made is not None
    assert (project.previous / project.provenance.name).read_bytes() == record


# ------------------------------------------------------------------------------------------- read-only places


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("latexmk") is None, reason="needs latexmk")
def test_a_read_only_checkout_builds_elsewhere_and_to_the_same_bytes(project, tmp_path):
    assert command(project.root).returncode == 0
    published = {path.name: path.read_bytes() for path in project.submission.iterdir()}
    shutil.rmtree(project.build)
    for path in (project.root, *project.root.rglob("*")):
        path.chmod(path.stat().st_mode & 0o555)
    try:
        done = command(project.root, without_root=True)
        assert (done.returncode, done.stdout) == (DiskError.exit_code, "")
        assert done.stderr.startswith("error: Permission denied: build\n  cure: ")
        assert "--build-dir DIR" in done.stderr
        out = tmp_path / "elsewhere"
        done = command(project.root, "--build-dir", out, without_root=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert {path.name: path.read_bytes() for path in (out / "submission").iterdir()} == published
        assert not project.build.exists()
        again = command(project.root, "--build-dir", out, without_root=True)
        assert f"{out}/report.pdf is up to date" in again.stdout
        assert f"--build-dir {out} check" in again.stdout
        assert command(project.root, "clean", "--build-dir", out, without_root=True).returncode == 0
        assert command(project.root, "--quick", "--build-dir", out, without_root=True).returncode == 0
        assert (out / "quick" / "report.pdf").is_file()
    finally:
        for path in (project.root, *project.root.rglob("*")):
            path.chmod(path.stat().st_mode | 0o200)


@pytest.mark.parametrize("name", [".", "results"])
def test_a_folder_that_only_another_user_can_write_is_named_before_anything_runs(project, name):
    folder = project.build / name
    folder.mkdir(parents=True)
    (project.build / ".lock").touch()
    folder.chmod(0o555)
    done = command(project.root, "run", without_root=True)
    folder.chmod(0o755)
    assert done.returncode == DiskError.exit_code
    assert "running" not in done.stdout + done.stderr
    assert done.stderr.startswith(f"error: Permission denied: build{'' if name == '.' else '/results'}\n")


@pytest.mark.parametrize("name", ["out", "..", "build/x"])
def test_a_build_folder_inside_or_around_the_project_is_refused(project, name):
    with pytest.raises(UsageError, match="lie in each other"):
        projects_of.load(project.root, build_dir=project.root / name)


def test_the_usual_build_folder_can_be_named(project):
    assert projects_of.load(project.root, build_dir=project.root / "build").build_dir is None

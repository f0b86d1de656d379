"""The command line: what a user types, and what is read of it."""

import subprocess
import sys
from pathlib import Path

import click
import projects
import pytest
from click.testing import CliRunner

import labreport
from labreport import cli

ROOT = Path(__file__).parents[2]
COIN = projects.returning("1", params="@dataclass(frozen=True)\nclass Params:\n    tosses: int = 10\n")
BARE = projects.returning("1", params="@dataclass(frozen=True)\nclass Params:\n    pass\n")


def labreport_command(*arguments: str, cwd: Path, main: bool = False) -> subprocess.CompletedProcess[str]:
    program = ["build_report.py"] if main else ["-m", "labreport"]
    if main:
        program = [str(ROOT / "build_report.py")]
    environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [sys.executable, *program, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("interpreter", "program", "typed"),
    [
        (["python", "build_report.py", "plan"], ["build_report.py", "plan"], "python build_report.py"),
        ([".venv/bin/python", "../x y.py"], ["../x y.py"], ".venv/bin/python '../x y.py'"),
        (["python3", "-X", "dev", "b.py", "-h"], ["b.py", "-h"], "python3 -X dev b.py"),
        (["python", "-m", "labreport", "run", "a"], ["/l/__main__.py", "run", "a"], "python -m labreport"),
        (["/v/bin/python", "/v/bin/labreport", "plan"], ["/v/bin/labreport", "plan"], "labreport"),
        (["/w/bin/python", "w/bin/labreport"], ["w/bin/labreport"], "w/bin/labreport"),
    ],
)
def test_the_program_is_named_as_it_was_typed(monkeypatch, interpreter, program, typed):
    monkeypatch.setattr("shutil.which", lambda name: f"/v/bin/{name}")
    assert cli._typed(interpreter, program) == typed


def test_the_version_is_that_of_the_package(tmp_path):
    done = labreport_command("--version", cwd=tmp_path)
    assert done.stdout == f"labreport {labreport.__version__}\n"


def test_without_a_project_one_error_says_what_to_do(tmp_path):
    done = labreport_command("plan", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no project here")
    assert "cure: " in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_the_main_file_takes_the_project_around_the_current_folder_before_its_own(tmp_path):
    inner = projects.make(tmp_path / "own", {"coin": COIN}).root / "experiments"
    assert "coin " in labreport_command("plan", cwd=inner, main=True).stdout
    assert "coin " not in labreport_command("plan", cwd=tmp_path, main=True).stdout
    assert "depth_width " in labreport_command("plan", cwd=tmp_path, main=True).stdout


@pytest.mark.parametrize("wrong", ["coin.tosses", "tosses=5", ".tosses=5", "coin.=5"])
def test_a_wrong_setting_is_answered_with_one_of_the_users_own_experiments(tmp_path, monkeypatch, wrong):
    monkeypatch.chdir(projects.make(tmp_path, {"a_bare": BARE, "coin": COIN}).root)
    done = CliRunner().invoke(cli.commands, ["run", "coin", "--set", wrong])
    assert done.exception.cure == "write for example --set coin.tosses=10"
    assert done.exception.exit_code == 2


def test_no_message_of_the_engine_names_an_experiment_or_the_main_file_of_another_project():
    names = [path.stem for path in (ROOT / "experiments").glob("*.py")]
    assert len(names) > 10
    for path in (ROOT / "src" / "labreport").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert [name for name in names if "_" in name and name in text] == [], path.name
        assert "`python build_report" not in text, path.name


def test_options_may_stand_before_and_after_the_command(tmp_path):
    folder = str(projects.make(tmp_path, {"coin": COIN}).root)
    for arguments in (["--project", folder, "--quick", "plan"], ["plan", "--project", folder, "--quick"]):
        done = CliRunner().invoke(cli.commands, arguments)
        assert "build/quick/report.pdf" in done.output


@pytest.mark.parametrize("name", sorted(cli.commands.commands))
def test_every_command_is_described_and_has_the_common_options(name):
    command = cli.commands.commands[name]
    assert command.help
    options = {option for p in command.params if isinstance(p, click.Option) for option in p.opts}
    assert {"--project", "--jobs", "--quick"} <= options
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert name == "all" or f"labreport {name}" in readme or f"build_report.py {name}" in readme


@pytest.mark.parametrize("arguments", [["run"], ["all"], [], ["run", "coin"]])
def test_each_command_that_runs_experiments_can_run_them_on_a_cluster(tmp_path, arguments):
    projects.make(tmp_path, {"coin": COIN})
    for order in ([*arguments, "--cluster", "nowhere"], ["--cluster", "nowhere", *arguments]):
        done = labreport_command(*order, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith("error: --cluster 'nowhere' is not a valid address")

"""Completion, as real shells ask for it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import projects
import pytest
from click.testing import CliRunner

from labreport import cli, completing

SRC = Path(__file__).parents[2] / "src"
TOML = '[questions]\n"3.1" = "Write a program"\n'
ASKED = {
    "labreport run c": ["coin"],
    "labreport plan ": ["coin", "dice"],
    "labreport run --set coin.": ["coin.tosses=10"],
    "labreport explain 3": ["3.1"],
    "labreport ne": ["new"],
    "labreport new --kind a": ["article", "assignment"],
    "labreport run --fo": ["--force"],
    "labreport --project /nowhere run ": [],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    params = "@dataclass(frozen=True)\nclass Params:\n    tosses: int = 10\n"
    experiments = {"coin": projects.returning("1", params=params), "dice": projects.returning("1")}
    made = projects.make(tmp_path_factory.mktemp("p"), experiments, toml=TOML)
    program = f'#!/bin/sh\nPYTHONPATH="{SRC}" exec "{sys.executable}" -m labreport "$@"\n'
    projects.write(made.root / "bin" / "labreport", program)
    (made.root / "bin" / "labreport").chmod(0o755)
    return made


def said(project, shell, code, first=""):
    """Return the lines that a shell prints which has the script of `labreport completion`."""
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"there is no {shell} on the PATH")
    projects.write(project.root / shell, completing.script(shell, cli.commands, "labreport"))
    environment = {"PATH": f"{project.root / 'bin'}:{os.environ['PATH']}", "HOME": str(project.root)}
    done = subprocess.run(
        [path, "-c", f"{first}\nsource ./{shell}\n{code}"],
        cwd=project.root,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.slow
def test_bash_completes_what_the_project_has(project):
    code = 'ask() { COMPREPLY=(); COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _labreport_completion labreport; '
    code += 'echo "${COMPREPLY[*]}"; }\n'
    for line in ASKED:
        code += " ".join(f"'{word}'" for word in ["ask", *line.split(" ")]).replace("'ask'", "ask") + "\n"
    assert [line.split() for line in said(project, "bash", code)] == list(ASKED.values())


@pytest.mark.slow
def test_fish_completes_what_the_project_has(project):
    code = "\n".join(f"complete -C '{line}'; echo ." for line in ASKED)
    parts = "\n".join(["", *said(project, "fish", code)]).split("\n.")
    offered = [[line.split("\t")[0] for line in part.split("\n") if line] for part in parts]
    assert offered[: len(ASKED)] == list(ASKED.values())


@pytest.mark.slow
def test_zsh_takes_the_script(project):
    first = "autoload -U compinit; compinit -u -D"
    assert said(project, "zsh", "print $_comps[labreport]", first) == ["_labreport_completion"]


def test_where_nothing_can_be_read_nothing_is_offered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment = {completing.VARIABLE: "bash_complete", "COMP_WORDS": "labreport run ", "COMP_CWORD": "2"}
    for toml in (None, "not toml"):
        if toml:
            projects.write(tmp_path / "report.toml", toml)
        done = CliRunner(env=environment).invoke(
            cli.commands, [], complete_var=completing.VARIABLE, prog_name="labreport"
        )
        assert (done.exit_code, done.output.strip()) == (0, "")


@pytest.mark.parametrize("shell", completing.SHELLS)
def test_each_shell_has_a_script(shell):
    done = CliRunner().invoke(cli.commands, ["completion", shell])
    assert completing.VARIABLE in done.output

"""What a build needs of the machine, and what is said where it is missing."""

import fcntl
import os
import shutil

import projects
import pytest
from click.testing import CliRunner

from labreport import cli, doctor, wall

USES = "import math\n\nimport numpy\n\nimport helper\nimport nowhere_to_be_found.inside\n"
TEMPLATE = r"""\documentclass{article}
% \usepackage{commented-out}
\usepackage[a,b]{nowhere-at-all, mine}\usepackage{booktabs}
"""


@pytest.fixture
def project(tmp_path):
    made = projects.make(tmp_path, {"coin": projects.returning("1") + USES}, src={"helper.py": ""})
    projects.write(made.templates / "report.tex.j2", TEMPLATE)
    projects.write(made.templates / "mine.sty", r"\RequirePackage{nor-this}")
    return made


def failing(project):
    return {finding.what: finding for finding in doctor.examine(project) if finding.fails}


def test_packages_that_are_missing_are_told_with_who_needs_them(project):
    found = failing(project)
    assert set(found) == {"nowhere_to_be_found", "nowhere-at-all.sty", "nor-this.sty"}
    assert "experiments/coin.py imports it" in found["nowhere_to_be_found"].told
    assert "-m pip install nowhere_to_be_found" in found["nowhere_to_be_found"].cure
    assert "report_templates/report.tex.j2 needs it" in found["nowhere-at-all.sty"].told
    assert "tlmgr install nor-this" in found["nor-this.sty"].cure


def test_programs_that_are_missing_are_told_with_the_packages_that_bring_them(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    told = {finding.what: finding for finding in doctor.examine(None)}
    assert told["pdflatex"].fails
    assert "apt-get install latexmk" in told["latexmk"].cure
    assert "poppler-utils" in told["pdftocairo"].cure
    assert not told["pdftocairo"].fails


def test_a_program_that_hangs_or_fails_is_told_by_its_place(tmp_path, monkeypatch):
    for name, answers in (("latexmk", "exec sleep 600"), ("perl", "exit 3")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{answers}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(doctor, "ANSWER", 0.2)
    told = {finding.what: finding.told for finding in doctor.examine(None)}
    assert (told["latexmk"], told["perl"]) == (str(tmp_path / "latexmk"), str(tmp_path / "perl"))


@pytest.mark.parametrize(
    ("preamble", "programs"),
    [
        (r"\usepackage{labreport}", {"pdflatex", "bibtex"}),
        (r"\usepackage{fontspec}", {"lualatex"}),
        ("% !TeX program = xelatex", {"xelatex"}),
        (r"\usepackage[style=apa]{biblatex}", {"pdflatex", "biber"}),
        (r"\usepackage[backend=bibtex]{biblatex}", {"pdflatex"}),
    ],
)
def test_the_programs_are_those_that_the_documents_need(project, preamble, programs):
    projects.write(project.templates / "report.tex.j2", preamble)
    looked = {finding.what for finding in doctor.examine(project)}
    assert programs <= looked
    assert not looked & {"pdflatex", "lualatex", "xelatex", "biber"} - programs


def test_a_folder_that_cannot_be_written_a_full_disk_and_another_build_are_told(project, monkeypatch):
    def told():
        return [*doctor.examine(project)][-1]

    assert "can be written" in told().told
    project.build.mkdir()
    with project.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another build" in told().told
        assert not told().fails
    usage = shutil.disk_usage(project.root)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1))
    assert "only 0 MiB" in told().told
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "chmod u+w" in told().cure


def test_each_line_is_marked_and_the_exit_code_says_whether_a_build_can_begin(project):
    done = CliRunner().invoke(cli.commands, ["doctor", "--project", str(project.root)])
    assert done.exit_code == 1
    assert [line[0] for line in done.output.splitlines() if "nowhere_to_be_found:" in line] == ["✗"]
    projects.write(project.experiments / "coin.py", projects.returning("1"))
    projects.write(project.templates / "report.tex.j2", r"\documentclass{article}\usepackage{labreport}")
    (project.templates / "mine.sty").unlink()
    done = CliRunner(charset="ascii").invoke(cli.commands, ["doctor", "--project", str(project.root)])
    assert done.exit_code == 0
    assert done.output.startswith("+ Python 3.")


def test_whether_there_is_a_wall_is_told_and_fails_nothing(monkeypatch):
    told = {}
    for version in (0, 7):
        monkeypatch.setattr(wall, "version", lambda version=version: version)
        told[version] = next(finding for finding in doctor.examine(None) if finding.what == "Landlock")
    assert "nothing keeps TeX and notebooks" in told[0].told
    assert "Linux 5.13" in told[0].cure
    assert "version 7" in told[7].told
    assert not told[0].fails

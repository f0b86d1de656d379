"""What is edited while a build runs is never packed beside a report that was made without it."""

import shutil
import zipfile

import projects
import pytest

from labreport import build, outcomes
from labreport import project as projects_of
from labreport.documents import report
from labreport.errors import LatexError
from labreport.handin import PackError

pytestmark = pytest.mark.slow

COIN = projects.experiment(
    """
    from coins import SIDES


    def run(params, lab):
        return {"half": sum(range(SIDES)) / 30 + params.seed}
    """
)
TEMPLATE = r"""\documentclass{article}
\usepackage[article]{labreport}
\begin{document}
\section{One}\label{sec:one}
The mean is \VAR{coin.values.half|num}, see \cref{sec:one}.
\end{document}
"""
NOTEBOOK = "# %%\n1 + 1\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    project = projects.make(
        tmp_path_factory.mktemp("built") / "project", {"coin": COIN}, src={"coins.py": "SIDES = 6\n"}
    )
    projects.write(project.templates / "report.tex.j2", TEMPLATE)
    projects.write(project.templates / "notebooks" / "walk.py.j2", NOTEBOOK)
    build.make_all(project)
    return project


@pytest.fixture
def project(built, tmp_path):
    shutil.copytree(built.root, tmp_path / "project")
    return projects_of.load(tmp_path / "project")


def edit_template(project):
    projects.change(project.templates / "report.tex.j2", "is", "was")


EDITS = {
    "report_templates/report.tex.j2 changed": edit_template,
    "coin: src/coins.py:SIDES changed": lambda p: projects.write(p.root / "src" / "coins.py", "SIDES = 5\n"),
    "coin: seed was 0, is 7": lambda p: projects.change(
        p.experiments / "coin.py", "seed: int = 0", "seed: int = 7"
    ),
    "report_templates/notebooks/walk.py.j2 changed": lambda p: projects.write(
        p.templates / "notebooks" / "walk.py.j2", "# %%\n2 + 2\n"
    ),
    "report.toml changed": lambda p: projects.write(p.root / "report.toml", 'title = "Another"\n'),
}


def handed_in(project):
    return {path.name: path.read_bytes() for path in project.submission.iterdir()}


@pytest.mark.parametrize("reason", EDITS)
def test_what_is_edited_during_a_build_is_not_packed_and_the_next_build_does(project, reason):
    projects.change(project.templates / "report.tex.j2", "mean", "average")
    before, said = handed_in(project), []

    def edit(told):
        if isinstance(told, outcomes.Notebooks):  # report and notebooks are made, the hand-in is not
            EDITS[reason](project)
        said.append(told)

    with pytest.raises(PackError) as caught:
        build.make_all(project, events=edit)
    assert caught.value.what == f"changed during the build: {reason}"
    assert caught.value.cure == f"build again: run `{project.command()}`; nothing was packed"
    assert caught.value.exit_code == 7
    assert handed_in(project) == before
    assert not any(isinstance(told, outcomes.Packed | outcomes.Checked) for told in said)

    again = build.make_all(projects_of.load(project.root))
    with zipfile.ZipFile(again.packed.submission.code) as packed:
        for path in (
            project.root / "report.toml",
            project.experiments / "coin.py",
            *project.templates.rglob("*.j2"),
        ):
            assert packed.read(f"code/{path.relative_to(project.root)}") == path.read_bytes()
    assert build.make_all(projects_of.load(project.root)).is_nothing


def test_what_is_edited_while_an_experiment_runs_is_not_packed(project):
    projects.change(project.experiments / "coin.py", "/ 30", "/ 60")
    before = handed_in(project)

    def edit(told):
        if isinstance(told, outcomes.Experiments):
            projects.change(project.experiments / "coin.py", "/ 60", "/ 90")

    with pytest.raises(PackError, match=r"during the build: coin: experiments/coin\.py:run changed"):
        build.make_all(project, events=edit)
    assert handed_in(project) == before
    assert build.make_all(project).packed.submission is not None


def test_an_edit_after_everything_was_collected_belongs_to_the_next_build(project):
    projects.change(project.templates / "report.tex.j2", "mean", "average")

    def edit(told):
        if isinstance(told, outcomes.Packed):
            edit_template(project)

    assert build.make_all(project, events=edit).packed.submission is not None
    with zipfile.ZipFile(project.submission / "code.zip") as packed:
        assert b"average is" in packed.read("code/report_templates/report.tex.j2")
    assert build.plan(project).reports[project.pdf] == ["report_templates/report.tex.j2 changed"]


def test_packing_alone_refuses_a_report_that_is_out_of_date(project):
    before = handed_in(project)
    edit_template(project)
    with pytest.raises(PackError, match=r"is not up to date: report_templates/report\.tex\.j2 changed"):
        build.pack(project)
    assert handed_in(project) == before


def test_a_report_keeps_its_log_when_a_later_one_fails(project):
    template = project.templates / "report.tex.j2"
    log, text = project.latex_log.read_bytes(), template.read_text()
    template.write_text(text.replace(r"\cref{sec:one}", r"\cref{sec:two}"))
    with pytest.raises(LatexError, match="sec:two") as caught:
        build.make_all(project)
    assert caught.value.cure.endswith("LaTeX's whole log is build/log/failed-report.log")
    assert "sec:two" in project.failed_log.read_text()
    template.write_text(text)
    assert report.out_of_date(project) == []
    assert project.latex_log.read_bytes() == log
    states = {verdict.name: verdict.state for verdict in build.check(project).verdicts}
    assert states["references"] == "passed"


@pytest.mark.parametrize("change", [lambda path: path.write_text("no problem\n"), lambda path: path.unlink()])
def test_a_log_that_is_not_that_of_the_report_makes_it_again(project, change):
    log = project.latex_log.read_bytes()
    change(project.latex_log)
    assert report.out_of_date(project) == ["build/log/latex.log is missing or was changed by hand"]
    build.make_all(project)
    assert project.latex_log.read_bytes() == log

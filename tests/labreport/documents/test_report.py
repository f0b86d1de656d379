"""Rendering the report: what it depends on, and mistakes told at the line of the template."""

import shutil

import projects
import pytest

from labreport import wall
from labreport.documents import context, report
from labreport.errors import InputError

MODULE = """\
def fit(model, data):
    for epoch in data:
        step(model)
    return model


class Tracked:
    def fit(model, data):
        for epoch in data:
            step(model)
            log(epoch)
        return model
"""
REPORT = r"""
\documentclass{article}\usepackage[article]{labreport}\begin{document}
\VAR{excerpt("new:Tracked.fit", since="old:fit")}
\end{document}
"""


@pytest.fixture
def project(tmp_path):
    made = projects.make(
        tmp_path, {"exp": projects.returning('{"n": 3}')}, src={"new.py": MODULE, "old.py": MODULE}
    )
    projects.write(made.templates / "report.tex.j2", REPORT)
    projects.run(made)
    return made


def test_a_report_depends_on_both_files_of_a_difference(project):
    document = report.render(project)
    files = context.code_files(document.rendered)
    assert files == {"src/new.py", "src/old.py"}
    assert "src/new.py, lines 8–12, compared with src/old.py" in document.text.replace(r"{,}", ",")
    assert report.inputs(project, files).named("input").keys() >= files


def test_a_difference_without_any_is_an_error_at_the_line_of_the_template(project):
    projects.change(project.templates / "report.tex.j2", "old:fit", "new:Tracked.fit")
    with pytest.raises(InputError, match="show the same code") as caught:
        report.render(project)
    assert (caught.value.place.file, caught.value.place.line) == ("report_templates/report.tex.j2", 3)


@pytest.mark.parametrize(
    ("old", "new", "what", "line"),
    [
        (r"\end{document}", r"\stop", "\\begin{document} is never closed", 2),
        (r"\begin{document}", "", r"no \begin{document}", 3),
        (r"\begin{document}", r"\begin{document}{\bf", "never closed", 2),
    ],
)
def test_what_does_not_match_is_an_error_before_tex_sees_it(project, old, new, what, line):
    projects.change(project.templates / "report.tex.j2", old, new)
    with pytest.raises(InputError) as caught:
        report.render(project)
    assert what in caught.value.what
    assert caught.value.place.line == line


def test_a_document_without_an_end_is_refused(project):
    projects.write(project.templates / "report.tex.j2", "Text.\n")
    with pytest.raises(InputError, match=r"no \\end\{document\}"):
        report.render(project)


@pytest.mark.parametrize("name", context.RESERVED)
def test_an_experiment_cannot_have_a_name_that_templates_use(project, name):
    (project.experiments / "exp.py").rename(project.experiments / f"{name}.py")
    with pytest.raises(InputError, match=f"cannot be called '{name}'") as caught:
        context.known(project)
    assert caught.value.place.file == f"experiments/{name}.py"


@pytest.mark.skipif(shutil.which("latexmk") is None, reason="needs latexmk")
@pytest.mark.parametrize("version", [0, 1])
def test_a_report_that_was_made_without_a_wall_says_so(project, monkeypatch, version):
    projects.write(project.templates / "report.tex.j2", SHORT)
    found = wall.version() if version else 0
    monkeypatch.setattr(wall, "version", lambda: found)
    assert (wall.NONE in report.make(project).notices) == (not found)


SHORT = r"\documentclass{article}\usepackage{labreport}\begin{document}\VAR{exp.values.n}\end{document}"

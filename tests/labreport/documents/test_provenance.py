"""The record of what is printed: where it stands and what it was made from."""

import json

import projects
import pytest

from labreport.documents import provenance, report

REPORT = r"""\def\n{\VAR{exp.values.n}}
\documentclass{article}\usepackage{labreport}\begin{document}
a\VAR{exp.values.n} \VAR{excerpt("new:fit")}
\end{document}
"""


@pytest.fixture
def project(tmp_path):
    code = {"new.py": "def fit(model, data):\n    return model\n"}
    made = projects.make(tmp_path, {"exp": projects.returning('{"n": 3}')}, src=code)
    projects.write(made.templates / "report.tex.j2", REPORT)
    projects.run(made)
    return made


@pytest.mark.parametrize("quick", [False, True])
def test_provenance_names_the_line_and_column_at_which_a_value_stands(project, quick):
    made = projects.projects.load(project.root, quick=quick)
    if quick:
        projects.run(made)
    document = report.render(made)
    record = json.loads(json.dumps(provenance.of_report(document)))
    lines = document.text.split("\n")
    found = [(e["text"], e["file"], e["file_line"], e["column"]) for e in record["printed"][:2]]
    assert found == [(r"\num{3}", "report.tex", 1, 13), (r"\num{3}", "report.tex", 3, 7)]
    for entry in record["printed"]:
        shown = lines[entry["file_line"] - 1][entry["file_column"] - 1 :]
        assert shown.startswith(entry["text"].split("\n")[0])


def test_provenance_lists_the_code_that_is_shown(project):
    (shown,) = provenance.of_report(report.render(project))["excerpts"]
    assert (shown["name"], shown["since"], shown["source"], shown["lines"]) == (
        "new:fit",
        None,
        "src/new.py",
        [1, 2],
    )
    assert (shown["template"], shown["line"]) == ("report_templates/report.tex.j2", 3)

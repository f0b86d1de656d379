"""The record of what is printed: where it stands and what it was made from."""

import json

import projects
import pytest

from labreport.documents import cells, provenance, report
from labreport.documents.pages import Pages

REPORT = r"""\def\n{\VAR{exp.values.n}}
\documentclass{article}\usepackage[article]{labreport}\begin{document}
a\VAR{exp.values.n} \VAR{excerpt("new:fit")}
\end{document}
"""

EXPERIMENT = projects.experiment(
    """
    def run(params, lab):
        return {"n": 3}

    def draw(result, lab):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(1, 1))
        figure.add_subplot().plot([1, 2])
        lab.figure("line", figure, alt="It rises.")
    """,
    params=projects.PARAMS + "\nQUICK = Params()\n",
)


@pytest.fixture
def project(tmp_path):
    return make(tmp_path)


@projects.once
def make(folder):
    code = "def fit(model, data):\n    return model\n"
    code += "\n\nclass Net:\n    def fit(model):\n        return 2\n"
    made = projects.make(folder, {"exp": EXPERIMENT}, src={"new.py": code})
    projects.write(made.templates / "report.tex.j2", REPORT)
    projects.run(made)
    return made


@pytest.mark.parametrize("quick", [False, True])
def test_provenance_names_the_line_and_column_at_which_a_value_stands(project, quick):
    made = projects.projects.load(project.root, quick=quick)
    if quick:
        projects.run(made)
    document = report.render(made)
    record = json.loads(json.dumps(provenance.of_report(document, Pages({}))))
    lines = document.text.split("\n")
    found = [(e["text"], e["file"], e["file_line"], e["column"]) for e in record["printed"][:2]]
    assert found == [(r"{3}", "report.tex", 1, 13), (r"{3}", "report.tex", 3, 7)]
    for entry in record["printed"]:
        shown = lines[entry["file_line"] - 1][entry["file_column"] - 1 :]
        assert shown.startswith(entry["text"].split("\n")[0])


def test_figures_and_code_are_recorded_with_their_files_and_lines(project):
    text = r"\VAR{exp.figures.line|figure} \VAR{excerpt(\"new:Net.fit\", since=\"new:fit\")}\end{document}"
    projects.change(project.templates / "report.tex.j2", r"\end{document}", text.replace('\\"', '"'))
    record = provenance.of_report(report.render(project), Pages({}))
    (figure,) = record["figures"]
    assert (figure["key"], figure["shown"]) == ("exp.figures.line", "figures/exp-line.pdf")
    assert (figure["template"], figure["line"]) == ("report_templates/report.tex.j2", 4)
    whole, difference = sorted(record["excerpts"], key=lambda e: e["line"])
    assert (whole["name"], whole["source"], whole["lines"], whole["line"]) == (
        "new:fit",
        "src/new.py",
        [1, 2],
        3,
    )
    assert (difference["name"], difference["since"]) == ("new:Net.fit", "new:fit")
    assert (difference["lines"], difference["since_source"]) == ([6, 7], "src/new.py")


def test_each_value_lies_on_the_page_of_its_line_and_the_preamble_on_none(project):
    lines = {3: {1: 4, 2: 6}, 4: {2: 1}}  # the first four of ten pieces of line 3 lie on page 1
    projects.change(project.templates / "report.tex.j2", "a\\VAR", r"a \VAR{exp.values.n} b c d e f g h \VAR")
    record = provenance.of_report(report.render(project), Pages(lines))
    assert [entry["page"] for entry in record["printed"][:3]] == [None, 1, 2]


def test_an_answer_knows_the_lines_that_it_covers(tmp_path):
    made = projects.make(tmp_path, {}, toml='[questions]\n"3.1" = "Why?"\n')
    text = '\\begin{document}\n\\BLOCK{answer "3.1"}\nIt\n\nis.\n\\BLOCK{endanswer}\nA.\n\\end{document}\n'
    projects.write(made.templates / "report.tex.j2", text)
    document = report.render(made)
    (answer,) = provenance.of_report(document, Pages({2: {1: 1}, 5: {4: 1}}))["answers"]
    assert (answer["question"], answer["line"], answer["page"]) == ("3.1", 2, 1)
    lines = document.text.split("\n")
    assert "is." in lines[answer["file_line"] - 1 : answer["file_end"]]
    assert not any(line.startswith("A.") for line in lines[answer["file_line"] - 1 : answer["file_end"] - 1])


NOTEBOOK = r'''
# %% [markdown]
"""
First.
"""

# %% [markdown]
"""
Two lines,

and \VAR{exp.values.n|num}.
"""
'''


@pytest.mark.parametrize("quick", [False, True])
def test_values_of_a_notebook_stand_in_a_cell(project, quick):
    projects.write(project.templates / "notebooks" / "walk.py.j2", NOTEBOOK)
    made = projects.projects.load(project.root, quick=quick)
    if quick:
        projects.run(made)
    sheet = cells.render(made, "walk")
    (entry,) = provenance.of_notebook(sheet)["printed"]
    assert (entry["keys"], entry["line"]) == (["exp.values.n"], 11)
    line = sheet.cells[entry["cell"] - 1].source.split("\n")[entry["file_line"] - 1]
    assert line == "and 3."
    assert entry["file"] == "walk.ipynb"

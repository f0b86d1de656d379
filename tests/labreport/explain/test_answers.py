"""Where a reader finds the answer to each question."""

import explained
import projects
import pytest

from labreport.documents import cells, notebooks, provenance, report
from labreport.documents.pages import Pages
from labreport.explain import Located, located

NOTEBOOK = r'''# %% [markdown]
"""
First.
"""

# %% [markdown]
"""
\BLOCK{answer "3.1"}## How it falls\BLOCK{endanswer}
"""

# %% [markdown]
"""
\VAR{fair.values.twice|num}
"""
'''


@pytest.fixture
def project(tmp_path):
    return explained.make(tmp_path)


def render(project, old, new):
    """Render the report with another text, and the notebook above."""
    projects.change(project.templates / "report.tex.j2", old, new)
    projects.write(project.templates / "notebooks" / "walk.py.j2", NOTEBOOK)
    pages = Pages({5: {2: 1}, 999: {3: 1}})
    provenance.write(project.provenance, provenance.of_report(report.render(project), pages))
    sheet = cells.render(project, "walk")
    provenance.write(notebooks.provenance_path(project, "walk"), provenance.of_notebook(sheet))


def test_an_answer_is_found_by_its_page_its_experiments_its_code_and_the_cell_of_a_notebook(project):
    render(project, r"\BLOCK{endanswer}", '\\VAR{excerpt("toss:toss")}\n\\BLOCK{endanswer}')
    assert located(project) == [Located("3.1", 2, "report.pdf", ("coin",), ("toss:toss",), (("walk", 2),))]


def test_a_paragraph_that_speaks_of_code_counts_for_the_answer_before_it(project):
    render(project, r"\section{Fair}", "\\section{Fair}\n")
    (answer,) = located(project)
    assert answer.code == ("toss:toss",)  # and coin.values.share is no code


def test_a_class_stands_for_its_parts_and_constants_are_not_named(project):
    more = "".join(f'\\VAR{{excerpt("toss:{name}")}}\n' for name in ("Coin.side", "Coin", "LIMIT"))
    render(project, r"\BLOCK{endanswer}", more + "\\BLOCK{endanswer}")
    assert [name for name in located(project)[0].code if name != "toss:toss"] == ["toss:Coin"]


def test_an_experiment_that_is_printed_in_passing_is_not_what_an_answer_is_about(project):
    many = r"\VAR{coin.values.small|num} " * 40
    render(project, r"\BLOCK{endanswer}", many + "\\VAR{fair.values.twice|num}\n\\BLOCK{endanswer}")
    assert located(project)[0].experiments == ("coin",)


def test_without_a_report_nothing_is_known(project):
    project.provenance.unlink()
    assert located(project) == []

"""From a line of TeX's log to the character of a template that caused it."""

import projects
import pytest
from rendering import rendered

from labreport.documents.document import Document
from labreport.documents.locate import place_of
from labreport.documents.texlog import Problem
from labreport.errors import Place

SOURCE = r"""\begin{document} first \bad one
See \cref{sec:a, sec:b} and \citep[p.~5]{knuth}.
  \begin{x} \wrong \VAR{d.odd} \wrong

an open $x_1 and
more of it

last \VAR{d.s} word
\end{document}
"""
MAIN = "report.tex"


@pytest.fixture(params=[False, True], ids=["full", "quick"])
def document(request) -> Document:
    return Document(rendered(SOURCE), request.param)


@pytest.fixture
def project(tmp_path):
    return projects.make(tmp_path, {})


@pytest.mark.parametrize(
    ("problem", "line", "marked"),
    [
        (Problem("undefined-reference", "", MAIN, 3, key="sec:b"), 2, "sec:b"),
        (Problem("undefined-citation", "", MAIN, None, key="knuth"), 2, "knuth"),
        (Problem("undefined-citation", "", MAIN, 8, key="nobody"), 8, "l"),
        (Problem("error", "Undefined control sequence", MAIN, 1, r"first \bad", key=r"\bad"), 1, r"\bad"),
        (
            Problem("error", "Undefined control sequence", MAIN, 3, r"\begin{x} \wrong", key=r"\wrong"),
            3,
            r"\wrong",
        ),
        (Problem("error", "Odd", MAIN, 3), 3, "\\"),
        (Problem("error", "Missing $ inserted", MAIN, 7), 5, "$"),
        (Problem("overfull", "Overfull", MAIN, 8, "word", points=3.5), 8, "l"),
        (Problem("error", "Odd", MAIN, 8, "last adam"), 8, "d.s"),
    ],
)
def test_a_problem_lies_at_the_character_that_the_log_tells(project, document, problem, line, marked):
    place = place_of(project, document, problem)
    assert (place.file, place.line) == ("report_templates/main.tex.j2", line)
    shown = place.source[place.column - 1 : place.column - 1 + max(place.length, 1)]
    assert shown == marked


def test_of_the_commands_in_a_line_the_last_before_the_stop_is_meant(project, document):
    first = place_of(project, document, Problem("error", "", MAIN, 3, r"\begin{x} \wrong", key=r"\wrong"))
    second = place_of(project, document, Problem("error", "", MAIN, 3, r"of\_it \wrong", key=r"\wrong"))
    assert first.column < SOURCE.split("\n")[2].index(r"\VAR") < second.column


@pytest.mark.parametrize(
    "problem", [Problem("error", "", "part.tex", 3), Problem("duplicate-label", "", MAIN, None, key="a")]
)
def test_a_problem_of_no_template_keeps_the_place_of_the_log(project, document, problem):
    assert place_of(project, document, problem) == Place(problem.file, problem.line)


def test_a_problem_of_a_file_beside_the_templates_is_told_with_its_folder_and_line(project, document):
    projects.write(project.templates / "styles/mine.sty", "one\ntwo\n")
    place = place_of(project, document, Problem("error", "", "styles/mine.sty", 2))
    assert place == Place("report_templates/styles/mine.sty", 2, source="two")

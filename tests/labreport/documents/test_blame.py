"""From what a log says to the line of the sources: of arguments, macros, packages, entries; end to end."""

import pytest
from torture import faults

from labreport.documents import audit
from labreport.documents.blame import blamed
from labreport.documents.texlog import Problem

MAIN = r"""\documentclass{article}
\usepackage[nosuch]{multicol}
\newcommand\mine{%
  \wrong%
}
\bibliographystyle{plain}
\begin{document}
\caption{one
  \bad two
  three}
\coin{this is
  run away

}
\mine
\bibliography{references}
\printbibliography
\end{document}
"""
BIB = r"""@book{a,
  title = {Alpha \bad},
  note = {x_1 & y},
}
@book{b,
  title = {Open,
  year = 1900,
}
@book{c,
  title = {Closed},
  note = {50 # of it},
}
"""
BBL = "\\begin{thebibliography}{2}\n\\bibitem[A(1)]{a}\nAlpha\n\n\\bibitem{c}\nClosed\n"


@pytest.fixture
def folder(tmp_path):
    for name, text in {"report.tex": MAIN, "references.bib": BIB, "report.bbl": BBL}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def error(message, line, file="report.tex", **more):
    return Problem("error", message, file, line, **more)


@pytest.mark.parametrize(
    ("problem", "place"),
    [
        (error("Undefined control sequence", 10, key=r"\bad"), ("report.tex", 9)),
        (error("Paragraph ended before \\coin was complete", 14, runaway="{this is "), ("report.tex", 11)),
        (
            error("Unknown option `nosuch' for package `multicol'", 143, "/usr/multicol.sty"),
            ("report.tex", 2),
        ),
        (error("natbib: Bibliography not compatible with author-year", 9, "report.aux"), ("report.tex", 6)),
        (error("Undefined control sequence", 3, "report.bbl", key=r"\bad"), ("references.bib", 2)),
        (error("Missing $ inserted", 3, "report.bbl"), ("references.bib", 3)),
        (error("Misplaced alignment tab character &", 4, "report.bbl"), ("references.bib", 3)),
        (error("You can't use `macro parameter character #'", 6, "report.bbl"), ("references.bib", 11)),
        (error("Odd", 6, "report.bbl", context="Closed"), ("references.bib", 10)),
        (error("Undefined control sequence", 17, key=r"\bad"), ("references.bib", 2)),
        (Problem("bibtex", "Illegal end of database file", "references.bib", 5), ("references.bib", 6)),
        (Problem("bibtex", "I was expecting a `,'", "references.bib", 4), ("references.bib", 4)),
        (Problem("bibtex", "I couldn't open style file plain.bst", ""), ("report.tex", 6)),
        (Problem("outside", "…", "report.tex", key="/etc/references.tex"), ("report.tex", 16)),
    ],
)
def test_the_line_is_the_one_that_is_wrong(folder, problem, place):
    found = blamed(problem, folder, "report")
    assert (found.file, found.line) == place
    again = blamed(found, folder, "report")
    assert (again.file, again.line) == place


def test_a_missing_comma_is_told_in_its_own_entry(tmp_path):
    entry = "@book{%s,\n  title = {%s},\n  note = {x}%s\n  year = 1900,\n}\n"
    (tmp_path / "references.bib").write_text(entry % ("a", "Alpha", ",") + entry % ("b", "Beta", ""))
    told = Problem("bibtex", "I was expecting a `,'", "references.bib", 9)  # as BibTeX says it
    assert blamed(told, tmp_path, "report").line == 9


def test_an_error_in_the_body_of_a_macro_has_two_places(folder):
    found = blamed(error("Undefined …", 15, key=r"\wrong", macros=(r"\mine",)), folder, "report")
    assert (found.line, found.also) == (15, (r"in the body of \mine", "report.tex", 4))


def test_what_is_read_outside_is_told(folder):
    read = ("report.tex", "./figures/a.pdf", "/usr/share/texlive/texmf-dist/tex/a.sty", "/dev/null")
    outside = ("/etc/passwd", "../secret", "/x/texmf/../secret")
    (folder / "report.fls").write_text("PWD /x\n" + "".join(f"INPUT {name}\n" for name in (*read, *outside)))
    assert [problem.key for problem in audit.outside(folder, "report", "")] == list(outside)


@pytest.fixture(scope="module")
def coins(tmp_path_factory):
    return faults.make(tmp_path_factory.mktemp("coins"))


@pytest.mark.slow
def test_a_fault_at_a_random_place_is_told_within_one_line(coins):
    """Every third kind of the table: `make torture` tries all of them."""
    made = list(faults.injected(len(faults.FAULTS), seed=1))[::3]
    wrong = [one.fault.kind for one in made if not faults.is_right(one, faults.told(coins, one))]
    assert len(wrong) <= len(made) * 0.05, wrong

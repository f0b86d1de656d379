"""The report with its values and claims in colour, for its author."""

import re
import shutil
import subprocess
from pathlib import Path

import explained
import projects
import pytest
from click.testing import CliRunner
from pypdf import PdfReader

from labreport import cli
from labreport.documents import report
from labreport.errors import InputError
from labreport.explain import annotated

HARD = r"""
\documentclass{article}\usepackage[article]{labreport}
% what stands before \begin{document} is the preamble
\hypersetup{pdftitle={\VAR{coin.values.name}}}
\newcommand\two[2]{#1/#2}
\begin{document}
\section{Of \VAR{coin.params.tosses|integer} tosses}\label{sec:\VAR{coin.values.name|label}}
Text \VAR{coin.values.share.estimate|num}\footnote{A note of \VAR{coin.values.loss|pm}.} and,
by \cref{tab:rows} and \cref{fig:line}, $x = \VAR{coin.values.share.low|num}$;
\two{\VAR{coin.params.seed|integer}}{1}.
\begin{align}
  x &= \frac{\VAR{coin.values.small|num}}{2} \\ y &= \VAR{coin.values.name}
\end{align}
\begin{figure}
  \VAR{coin.figures.line|figure}
  \caption{After \VAR{coin.params.tosses|integer} tosses: \VAR{coin.values.name}.}\label{fig:line}
\end{figure}
\begin{table}
  \caption{Means: \VAR{coin.values.share.high|percent}.}\label{tab:rows}
  \VAR{coin.tables.rows|table(column("Loss", ["loss_mean", "loss_std"], "pm"), column("Runs", "n", "num"))}
\end{table}
\begin{tabular}{lr}
  a & \VAR{coin.values.share.estimate|percent} \\ \multicolumn{2}{c}{\VAR{coin.values.name}}
\end{tabular}
\begin{verbatim}
\VAR{coin.params.tosses|integer}
\end{verbatim}
\VAR{excerpt("toss:toss")}
\BLOCK{claim "mostly-heads", coin.values.share.low > 0.4}
It is \emph{mostly} heads, in \VAR{coin.values.share.estimate|percent}
of $\VAR{coin.params.tosses|integer}$ tosses,
\BLOCK{typed "an example"}from 784 inputs\BLOCK{endtyped}, not 77.
\BLOCK{endclaim}
\end{document}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A project whose report holds values in all kinds of places."""
    folder = tmp_path_factory.mktemp("built")
    made = projects.make(folder, {"coin": explained.COIN}, src={"toss.py": explained.TOSS})
    projects.write(made.root / "data" / "coins.csv", "1\n")
    projects.write(made.templates / "report.tex.j2", HARD.lstrip())
    projects.run(made)
    done = CliRunner().invoke(cli.commands, ["pdf", "--annotated", "--project", str(folder)])
    assert "build/report-annotated.pdf: " in done.output, done
    assert "headings or parts of commands" in done.output
    return made


@pytest.fixture
def recompiled(monkeypatch):
    """What would be compiled, without compiling it."""
    texts: list[str] = []
    monkeypatch.setattr(report, "recompile", lambda project, text, target: texts.append(text))
    return texts


def links(path: Path) -> set[str]:
    """Return where the links of a PDF lead to, as far as these are places of ours."""
    found = set()
    for page in PdfReader(path).pages:
        for entry in page.get("/Annots") or ():
            target = (entry.get_object().get("/A") or {}).get("/D")
            if isinstance(target, str) and target.startswith("LR:"):
                found.add(target)
    return found


@pytest.mark.slow
def test_every_link_leads_to_an_entry_of_the_list(built):
    places = {name for name in PdfReader(built.annotated).named_destinations if name.startswith("LR:")}
    assert places
    assert links(built.annotated) <= places
    claims = {name for name in places if "claim" in name}
    assert claims == {"LR:claim0"}
    assert claims <= links(built.annotated)


@pytest.mark.slow
def test_the_list_tells_key_value_expression_and_line(built):
    done = subprocess.run(
        ["pdftotext", str(built.annotated), "-"], capture_output=True, text=True, check=True
    )
    text = " ".join(done.stdout.split())
    assert "Where the values and claims come from" in text
    assert "coin.values.share.estimate = 0.5162277" in text
    assert "coin.values.share.estimate|num" in text
    line = (
        HARD.lstrip()
        .split("\n")
        .index(r"  x &= \frac{\VAR{coin.values.small|num}}{2} \\ y &= \VAR{coin.values.name}")
    )
    assert f"report.tex.j2:{line + 1}" in text


@pytest.mark.slow
def test_the_published_report_stays_as_it_is(built):
    assert report.out_of_date(built) == []
    assert not (built.latex / "report.pdf").exists()
    text = (built.latex / "report.tex").read_text()
    assert r"\LRnoted" not in text
    before = built.pdf.read_bytes()
    annotated.annotate(built)
    assert built.pdf.read_bytes() == before
    assert not list(built.build.glob(".scratch*"))


@pytest.mark.slow
def test_the_same_report_is_annotated_with_the_same_bytes(built):
    before = built.annotated.read_bytes()
    annotated.annotate(built)
    assert built.annotated.read_bytes() == before


@pytest.mark.slow
def test_values_in_text_captions_tables_and_formulas_are_coloured_and_others_are_not(built, recompiled):
    shown, values = annotated.annotate(built)
    (text,) = recompiled
    lines = text.split("\n")
    assert lines[1] == (built.latex / "report.tex").read_text().split("\n")[1]  # in the title of the PDF
    assert "LRnoted" not in next(line for line in lines if line.startswith(r"\section"))
    assert r"\two{{0}}{1}" in text
    assert re.search(r"\\begin\{verbatim\}\n\{10\}\n", text)
    assert re.search(r"\\caption\{After \\LRnoted\{value\d+\}\{expa\}\{\{10\}\} tosses", text)
    assert re.search(r"\\frac\{\\LRformula\{expa\}\{\{1.30\\LRpower\{\\LRminus\{\}15\}\}\}\}", text)
    assert re.search(r"\\multicolumn\{2\}\{c\}\{\\LRnoted\{value\d+\}\{expa\}\{heads \\& tails\}\}", text)
    assert values - shown == 5  # the title, the heading and its label, the command, the code


@pytest.mark.slow
def test_a_claim_stands_between_marks_of_its_verdict(built, recompiled):
    annotated.annotate(built)
    (text,) = recompiled
    begin, end = r"\LRmark{claim0}{holds}{[}{\color{LRholds}", r"}\LRmark{claim0}{holds}{]}"
    sentence = text[text.index(begin) : text.index(end)]
    assert r"\emph{mostly} heads" in sentence
    assert sentence.rstrip().endswith(r"not \LRtyped{77}.")


@pytest.mark.slow
def test_typed_digits_are_red_unless_they_are_allowed(built, recompiled):
    annotated.annotate(built)
    (text,) = recompiled
    assert r"not \LRtyped{77}." in text
    assert text.count(r"\LRtyped{") == 1  # what is printed has its colour, and `typed` its reason
    assert "from 784 inputs" in text


@pytest.mark.slow
def test_what_has_a_colour_gets_no_other_one(built, recompiled, monkeypatch):
    at = (built.latex / "report.tex").read_text().index(r"{0.516}")
    monkeypatch.setattr(annotated, "_typed", lambda _: [(at, at + len(r"{0.516}"))])
    annotated.annotate(built)
    assert r"\LRtyped{" not in recompiled[0]


def test_without_published_sources_the_cure_is_to_build(asked, tmp_path):
    shutil.copytree(asked.root, tmp_path / "p")
    made = projects.projects.load(tmp_path / "p")
    shutil.rmtree(made.latex)
    with pytest.raises(InputError, match="no report has been published") as caught:
        annotated.annotate(made)
    assert caught.value.cure.startswith("build it")


@pytest.mark.slow
def test_a_document_without_colours_and_links_is_annotated_too(tmp_path):
    project = projects.make(tmp_path, {"coin": projects.returning("{'n': 3}")})
    template = (
        r"\documentclass{article}\usepackage{labreport}\begin{document}\VAR{coin.values.n}\end{document}"
    )
    projects.write(project.templates / "report.tex.j2", template)
    projects.run(project)
    report.make(project)
    assert annotated.annotate(project) == (1, 1)

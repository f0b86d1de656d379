"""The checks of a hand-in: each fails on a report that breaks its rule, and all pass on one that does not."""

import json
import re
import shutil
import textwrap
import zipfile
from dataclasses import replace
from pathlib import Path

import projects
import pytest

from labreport import project as project_module
from labreport.checks import checks
from labreport.checks import latex_source as floats
from labreport.checks.checks import Material
from labreport.checks.pdf import Link, Pdf
from labreport.documents import report
from labreport.errors import InputError
from labreport.handin import bundle

pytestmark = pytest.mark.skipif(shutil.which("latexmk") is None, reason="needs latexmk")

TOML = """\
subtitle = "A test"
authors = ["A. Author"]
[questions]
"1" = "What comes out?"
"2(a)" = "And why?"
"""

EXPERIMENT = projects.experiment(
    """
    from matplotlib import pyplot

    def run(params, lab):
        return {"n": 3}

    def draw(result, lab):
        figure, axes = pyplot.subplots(figsize=(3, 2), layout="constrained")
        axes.plot([1, 2], [1, 4], label="a")
        axes.plot([1, 2], [2, 3], label="b")
        axes.set(xlabel="epoch", ylabel="loss (nats)")
        axes.legend()
        lab.figure("good", figure, alt="Two lines that rise.")
        axes.get_legend().remove()
        axes.set(xlabel="", ylabel="")
        axes.text(1, 2, "tiny", fontsize=5)
        figure.text(0.9, 0.5, "far beyond the edge")
        pyplot.rcParams["pdf.fonttype"] = 3
        lab.figure("bad", figure, alt="Two lines without any words.")
        pyplot.rcParams["pdf.use14corefonts"] = True
        lab.figure("core", figure, alt="Two lines that rise!")
    """
)
MODULE = '''\
"""A module."""

import math


def first(x):
    """Return the first."""
    return math.sin(x)


def second(x):
    y = x + 1
    return y * y
'''
GOOD = r"""
\documentclass{article}
\usepackage{labreport}
\hypersetup{pdftitle={\VAR{report.title}}, pdfsubject={\VAR{report.subtitle}}, pdfauthor={A. Author}}
\begin{document}
\section{One}\label{sec:one}
\BLOCK{answer "1"}
\Cref{fig:good,tab:one} show that \VAR{exp.values.n|integer} comes out
\citep[p.~5]{knuth1984}, \cref{lst:first}.
\BLOCK{endanswer}
% \cref{fig:nothing} is a comment, and so is \caption{this}
\begin{figure}
  \VAR{exp.figures.good|figure}
  \caption[Short]{The loss [in nats] rises {twice}, 100\,\% sure.}
  \label{fig:good}
\end{figure}
\begin{table}
  \caption{A table.\label{tab:one}}
  \begin{tabular}{l}\toprule a \\ \bottomrule\end{tabular}
\end{table}
\begin{listing}
  \caption{A function.}
  \label{lst:first}
  \VAR{excerpt("m:first")}
\end{listing}
\clearpage
\BLOCK{answer "2(a)"}
Because of \cref{sec:one}; see \url{https://example.org/a_b?c=%20d#e} and \href{mailto:a@example.org}{a}.
\BLOCK{endanswer}
\bibliographystyle{plainnat}
\bibliography{references}
\end{document}
"""
BAD = r"""
\documentclass{article}
\usepackage{labreport}
\begin{document}
\section{One}\label{sec:one}
\BLOCK{answer "1"} Something. \BLOCK{endanswer} \citet{knuth1984}, \cref{sec:one},
\cref{fig:bad,fig:early,tab:none}

\begin{figure}
  \VAR{exp.figures.bad|figure}
  \caption{Two lines: without \emph{any} words!}
  \label{fig:bad}
\end{figure}
\begin{figure}\label{fig:early}
  \VAR{exp.figures.good|figure(width="4cm")}\resizebox{3cm}{!}{\VAR{exp.figures.good|figure}}
  \caption{A figure with its label before the caption.}
\end{figure}
\begin{figure*}\VAR{exp.figures.core|figure}\label{fig:alone} See \cref{fig:alone}.\end{figure*}
\begin{table}\caption{A table without a label.}\begin{tabular}{l}a\end{tabular}\end{table}

\includegraphics{figures/exp-good.pdf}

\begin{tabular}{l}\toprule a \\ \bottomrule\end{tabular}
\begin{longtable}{l}\caption{}\label{tab:none}\\ a \end{longtable}

\VAR{excerpt("m:first")}
\VAR{excerpt("m:second")}

\begin{verbatim}
LONG
\end{verbatim}

\noindent\rule{170mm}{1pt}

\href{htp:/nowhere}{a}, \hyperlink{no-such-place}{b}
\clearpage\thispagestyle{empty}\null\clearpage
\bibliographystyle{plainnat}
\bibliography{references}
\end{document}
"""
BIB = "@book{knuth1984, author={D. Knuth}, title={T}, publisher={A}, year={1984}}\n"
UNUSED = "@misc{unused, title={Never}}\n"
README = "Run `python main.py`. Libraries: numpy, pandas."
MAIN = 'if __name__ == "__main__":\n    pass\n'


def notebook(**cell):
    code = {"cell_type": "code", "source": "1 + 1", "execution_count": 1, "outputs": [], "metadata": {}}
    text = {"cell_type": "markdown", "source": "# T", "metadata": {}}
    empty = {**code, "source": [], "execution_count": None}
    return json.dumps({"cells": [text, {**code, **cell}, empty], "nbformat": 4, "nbformat_minor": 5})


def made(folder: Path, template: str, bib: str) -> project_module.Project:
    """Make the report of a folder with this main template; its results are there."""
    projects.write(folder / "report_templates" / "report.tex.j2", template.lstrip())
    projects.write(folder / "report_templates" / "references.bib", bib)
    project = project_module.load(folder)
    report.make(project)
    return project


def pack(project, **changes: bytes | str | None) -> None:
    """Write a hand-in; `changes` are files of the zip to set, or to leave out."""
    packed = [
        p for p in project.root.rglob("*") if p.is_file() and p.suffix in (".py", ".j2", ".bib", ".toml")
    ]
    files = {p.relative_to(project.root).as_posix(): p.read_bytes() for p in packed if "build" not in p.parts}
    files |= {"README.txt": README, "main.py": MAIN, "notebooks/One.ipynb": notebook()}
    files |= {"pyproject.toml": '[project]\ndependencies = ["numpy>=2", "pandas"]'}
    project.submission.mkdir(exist_ok=True)
    with zipfile.ZipFile(project.submission / "code.zip", "w") as archive:
        for name, data in (files | changes).items():
            if data is not None:
                archive.writestr(f"code/{name}", data)
    shutil.copyfile(project.pdf, project.submission / "report.pdf")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checks") / "good"
    project = projects.make(folder, {"exp": EXPERIMENT}, src={"m.py": MODULE}, toml=TOML)
    projects.write(folder / "experiments" / "figures.mplstyle", "pdf.fonttype: 42\n")
    projects.write(folder / "report_templates" / "notebooks" / "One.py.j2", "# %%\n1 + 1\n")
    projects.run(project)
    project = made(folder, GOOD, BIB)
    pack(project)
    return project


@pytest.fixture(scope="module")
def bad(good):
    folder = good.root.with_name("bad")
    shutil.copytree(good.root, folder)
    return made(folder, BAD.replace("LONG", "\n".join(f"line {n}" for n in range(31))), BIB + UNUSED)


@pytest.fixture
def copy(good, tmp_path):
    """Give a copy of the good project, to be spoilt."""
    shutil.copytree(good.root, tmp_path / "p")
    return project_module.load(tmp_path / "p")


def places(name: str, material: Material | project_module.Project) -> list[str]:
    """Return what a check finds, each as one text."""
    row = next(row for row in checks.CHECKS if row.name == name)
    material = material if isinstance(material, Material) else Material(material)
    return [f"{where}: {what}" for where, what in row.find(material).places]


def note(name: str, project) -> str:
    row = next(row for row in checks.CHECKS if row.name == name)
    return row.find(Material(project)).note


def line(project, text: str) -> str:
    """Return the place of a text in the main template."""
    source = (project.templates / "report.tex.j2").read_text()
    assert source.count(text) == 1
    return f"report_templates/report.tex.j2:{source.count(chr(10), 0, source.index(text)) + 1}"


# ------------------------------------------------------------------------------------------------ the whole


def test_a_good_report_passes_every_check(good):
    verdicts = checks.check(good)
    assert [(v.name, v.places) for v in verdicts if v.places] == []
    assert {v.passed for v in verdicts} == {"passed"}
    assert [v.name for v in verdicts] == [row.name for row in checks.CHECKS]
    assert checks.passes(verdicts, strict=True)


def test_names_of_checks_are_unique():
    names = [row.name for row in checks.CHECKS]
    assert len(set(names)) == len(names) > 20


def test_a_bad_report_fails_what_it_breaks_and_passes_the_rest(bad):
    verdicts = {v.name: v.passed for v in checks.check(bad)}
    intact = {"pages", "authors", "full build", "fresh", "references", "zip", "README", "notebooks"}
    assert {name for name, state in verdicts.items() if state == "passed"} == intact
    assert {verdicts[name] for name in verdicts.keys() - intact} == {"failed"}
    assert not checks.passes(checks.check(bad))


def test_the_terminal_shows_a_line_for_each_check_and_the_places_of_those_that_fail(bad):
    shown = checks.text(checks.check(bad))
    found = re.findall(r"^(passed|failed|warning) +(\S.*?)  ", shown, re.MULTILINE)
    assert [name for _, name in found] == [row.name for row in checks.CHECKS]
    assert "           report.toml: question 2(a) has no answer: And why?\n           cure: write it" in shown
    assert re.search(r"^passed   pages              \d pages$", shown, re.MULTILINE)
    assert shown.endswith(f"{len(checks.CHECKS)} checks: 18 failed, 8 passed")


def test_many_places_are_counted_not_listed():
    verdict = checks.Verdict("x", "rule", "failed", tuple((f"f:{n}", "w") for n in range(20)), "cure")
    shown = checks.text([verdict])
    assert shown.count("\n           f:") == checks.MOST_SHOWN
    assert "… and 8 more" in shown


def test_only_a_strict_check_fails_on_warnings():
    warning = checks.Verdict("x", "rule", "warning", (("f", "w"),), "cure")
    assert checks.passes([warning])
    assert not checks.passes([warning], strict=True)


def test_without_a_report_there_is_nothing_to_check(tmp_path):
    project = projects.make(tmp_path, {})
    with pytest.raises(InputError, match=r"there is no build/report.pdf"):
        checks.check(project)


# ----------------------------------------------------------------------------------------- the whole report


def test_each_answer_is_found_with_its_page(good):
    assert note("answers", good) == "1 on page 1, 2(a) on page 2"


def test_a_question_without_an_answer_is_named(bad):
    assert places("answers", bad) == ["report.toml: question 2(a) has no answer: And why?"]


def test_the_number_of_pages_is_said(good):
    assert note("pages", good) == "2 pages"


@pytest.mark.parametrize("authors", [(), ("",), (" ",)])
def test_missing_authors_are_a_warning(good, authors):
    unnamed = replace(good, config=replace(good.config, authors=authors))
    verdicts = {v.name: v for v in checks.check(unnamed)}
    assert verdicts["authors"].passed == "warning"
    assert verdicts["authors"].places == (("report.toml", "`authors` is empty"),)


def test_a_quick_build_is_a_warning(good):
    row = next(row for row in checks.CHECKS if row.name == "full build")
    assert row.state == "warning"
    assert row.find(Material(replace(good, quick=True))).places


def test_an_experiment_or_a_template_that_changed_since_is_named(copy):
    projects.change(copy.experiments / "exp.py", '{"n": 3}', '{"n": 4}')
    projects.change(copy.templates / "report.tex.j2", "Because of", "Due to")
    found = places("fresh", copy)
    assert found[0] == "experiments/exp.py: its result is out of date: experiments/exp.py changed"
    assert "build/report.pdf: report_templates/report.tex.j2 changed" in found


def test_missing_metadata_is_named(bad):
    assert places("metadata", bad) == [
        f"build/report.pdf: {key} is empty" for key in ("Title", "Subject", "Author")
    ]


def test_fonts_of_type_3_and_fonts_that_are_not_embedded_are_found_in_figures(bad):
    found = "\n".join(places("fonts", bad))
    assert re.search(r"page 1: the font \S*DejaVu\S* is of Type 3", found)
    assert re.search(r"page 1: the font \S*Helvetica\S* is not embedded", found)


def test_a_page_without_text_is_found(bad):
    pages = int(note("pages", bad).split()[0])
    assert places("text", bad) == [f"page {pages - 1}: no text can be taken from it"]


def test_the_text_of_a_page_is_that_of_its_own_letters_not_of_its_figures(good):
    first = Material(good).pdf.pages[0]
    assert "The loss [in nats] rises twice" in first
    assert "lines 6–8" in first  # a letter beyond ASCII
    assert "epoch" not in first


@pytest.mark.parametrize("lost", ["(cid:12)", "\x0f", "\ufffd", "\ue001"])
def test_characters_without_a_meaning_are_found(good, lost):
    material = with_pdf(good, pages=("fine ﬁne\n\t− α", f"some {lost} text"))
    (found,) = places("text", material)
    assert found.startswith("page 2: a character has no meaning: ")


def with_pdf(project, **parts) -> Material:
    nothing = {"pages": (), "fonts": (), "links": (), "destinations": {}, "metadata": {}, "height": 842.0}
    material = Material(project)
    material.__dict__["pdf"] = Pdf(**(nothing | parts))
    return material


def test_links_that_lead_nowhere_are_found(bad):
    found = places("links", bad)
    assert "no-such-place" in found[0]
    assert found[1] == "page 3: the link to 'htp:/nowhere' does not begin with https://"
    assert len(found) == 2


@pytest.mark.parametrize(
    ("link", "wrong"),
    [
        (Link(1, "URI", "https://example.org/a(b)?q=%20#c"), ""),
        (Link(1, "URI", "https://doi.org/10.1000/x<y>z"), "is malformed: blanks or backslashes"),
        (Link(1, "URI", "https://exa mple.org"), "is malformed: blanks or backslashes"),
        (Link(1, "URI", "https://example"), "is malformed: no host"),
        (Link(1, "URI", "https:///path"), "is malformed: no host"),
        (Link(1, "URI", "https://[::1"), "is malformed: Invalid IPv6 URL"),
        (Link(1, "URI", "example.org"), "does not begin with https://"),
        (Link(1, "URI", "mailto:nobody"), "is malformed: no @"),
        (Link(1, "Launch", "a.exe"), "is no address, but asks the reader's program to Launch"),
        (Link(1, "GoTo", "here"), ""),
        (Link(1, "GoTo", "there"), "leads to no place in the document"),
    ],
)
def test_each_kind_of_link_is_judged(good, link, wrong):
    found = places("links", with_pdf(good, links=(link,), destinations={"here": 1}))
    assert found == ([f"page 1: the link to {link.target!r} {wrong}"] if wrong else [])


def test_what_sticks_out_is_found_at_the_line_of_the_template(bad):
    (found,) = places("overfull", bad)
    assert found.startswith(line(bad, r"\noindent\rule{170mm}") + ": Overfull \\hbox")


LOG = r"""(./report.tex
LaTeX Warning: Reference `tab:one' on page 1 undefined on input line LINE.

LaTeX Warning: Label `fig:good' multiply defined.

Package natbib Warning: Citation `nobody' on page 1 undefined on input line LINE.

Overfull \hbox (0.9pt too wide) in paragraph at lines LINE--LINE

)
"""


def test_undefined_references_in_the_log_are_found_at_the_line_of_the_template(copy):
    text = (copy.latex / "report.tex").read_text()
    number = text.count("\n", 0, text.index("{fig:good,tab:one}")) + 1
    (copy.log / "latex.log").write_text(LOG.replace("LINE", str(number)))
    begin = line(copy, '{answer "1"}')  # where the generated line begins
    assert places("references", copy) == [
        f"{line(copy, '{fig:good,tab:one}')}: Reference `tab:one' on page 1 undefined",
        "report.tex: Label `fig:good' multiply defined",
        f"{begin}: Citation `nobody' on page 1 undefined",
    ]
    assert places("overfull", copy) == []


def test_a_reference_to_no_label_is_found_in_the_source(copy):
    projects.change(copy.latex / "report.tex", r"\cref{sec:one}", r"\crefrange{sec:one}{sec:gone}")
    (found,) = places("references", copy)
    assert re.fullmatch(r"build/latex/report\.tex:\d+: no label 'sec:gone'", found)


def test_a_bibliography_entry_that_is_never_cited_is_found_at_its_line(bad):
    assert places("citations", bad) == ["report_templates/references.bib:2: 'unused' is never cited"]


def test_a_citation_without_an_entry_is_found(copy):
    projects.change(copy.latex / "report.tex", "{knuth1984}", "{knuth1984, gone}")
    (found,) = places("citations", copy)
    assert found.endswith("no entry 'gone'")


# ---------------------------------------------------------------------------- figures, tables and listings


def test_what_has_no_caption_is_found(bad):
    expected = {
        r"\begin{figure*}": "a figure without a caption",
        r"\begin{longtable}": "a table without a caption",
        r"\includegraphics": "the picture figures/exp-good.pdf stands outside any figure",
        r"\begin{tabular}{l}\toprule": "a table stands in the text, without a caption",
    }
    assert sorted(places("captions", bad)) == sorted(
        f"{line(bad, t)}: {what}" for t, what in expected.items()
    )


def test_missing_labels_and_labels_before_the_caption_are_found(bad):
    early, none = line(bad, r"\begin{figure}\label"), line(bad, r"\begin{table}")
    assert places("labels", bad) == [
        f"{early}: the label 'fig:early' stands before the caption: it names the section",
        f"{none}: a table without a label: “A table without a label.”",
    ]


def test_a_float_that_only_itself_refers_to_is_found(bad):
    here = line(bad, r"\begin{figure*}")
    assert places("mentions", bad) == [f"{here}: the text never refers to the figure 'fig:alone'"]


def test_axes_that_show_numbers_without_a_name_are_found(bad):
    here = line(bad, r"\VAR{exp.figures.bad|figure}")
    bad_, core = (f"figures/exp-{name}.pdf" for name in ("bad", "core"))
    found = places("axes", bad)
    assert found[0] == f"{here}: {bad_}: it shows numbers along x and says not of what"
    assert [f.split(": ", 1)[1] for f in found] == [
        f"{file}: it shows numbers along {at} and says not of what" for file in (bad_, core) for at in "xy"
    ]


def test_several_series_without_a_legend_are_found(bad):
    here = line(bad, r"\VAR{exp.figures.bad|figure}")
    found = places("legends", bad)
    assert (found[0], len(found)) == (f"{here}: figures/exp-bad.pdf: 2 series and no legend", 2)


def test_a_drawing_without_axes_needs_no_legend(bad):
    material = Material(bad)
    drawn = {
        f: replace(known, axes=tuple(replace(a, diagram=True) for a in known.axes))
        for f, known in material.facts.items()
    }
    material.__dict__["facts"] = drawn
    assert places("legends", material) == []


def test_small_text_and_scaled_figures_are_found(bad):
    found = [place.split(": ", 1)[1] for place in places("text size", bad)]
    scaled = "figures/exp-good.pdf: it is scaled, so that its text has another size than it was drawn with"
    assert found == [
        "figures/exp-bad.pdf: text of 5 pt",
        scaled,
        scaled,
        "figures/exp-core.pdf: text of 5 pt",
    ]


def test_what_is_cut_off_at_the_edge_is_found(bad):
    assert re.search(r"figures/exp-bad.pdf: \d+(\.\d+)? mm are cut off at its edge", places("edges", bad)[0])


def test_alternative_texts_that_are_missing_or_repeat_something_are_found(bad):
    found = [place.split(": ", 1)[1] for place in places("alternative texts", bad)]
    assert found == [
        "figures/exp-bad.pdf: its alternative text repeats the caption",
        "figures/exp-core.pdf: its alternative text is that of figures/exp-good.pdf",
        "figures/exp-good.pdf: no alternative text",
    ]


def test_pictures_that_no_experiment_drew_are_said_not_to_be_measured(copy):
    projects.change(
        copy.latex / "report.tex", r"\caption[Short]", r"\LRfigure{logo.pdf}{A logo}\caption[Short]"
    )
    assert note("axes", copy) == "not measured, as no experiment drew it: logo.pdf"


# --------------------------------------------------------------------------------------------------- code


def test_long_code_and_whole_modules_are_found(bad):
    typed, first = line(bad, r"\begin{verbatim}"), line(bad, r'\VAR{excerpt("m:first")}')
    assert places("excerpts", bad) == [
        f"{typed}: typed code: 31 lines, more than 30",
        f"{first}: nearly all of src/m.py is shown",
    ]


def test_the_share_of_code_is_its_height_in_that_of_the_pages(good):
    rows, pages = 2, 2
    height = 235 / 25.4 * 72.27  # labreport.sty's textheight in TeX's points
    assert (
        note("excerpts", good) == f"1 excerpts, {rows} lines: {rows * 10.6 / pages / height:.1%} of the pages"
    )
    style = (Path(report.__file__).with_name("labreport.sty")).read_text()
    assert "textheight=235mm" in style
    assert rf"\fontsize{{8.5}}{{{checks.CODE_LEADING}}}" in style


def test_a_report_that_is_mostly_code_fails_by_its_share(copy):
    lines = "\n".join(["x = 1"] * 25)
    code = f"\\begin{{verbatim}}\n{lines}\n\\end{{verbatim}}"
    projects.change(copy.latex / "report.tex", r"\clearpage", f"{code}\n" * 2)
    (found,) = places("excerpts", copy)
    assert found == "build/report.pdf: 41% of its height is code, more than 20%"


def test_a_file_that_is_taken_in_whole_is_found(copy):
    projects.change(copy.latex / "report.tex", r"\clearpage", r"\lstinputlisting[language=Python]{m.py}")
    (found,) = places("excerpts", copy)
    assert found.endswith("a whole file is taken in")


# --------------------------------------------------------------------------------------------- the hand-in


def test_what_the_bundle_packs_passes(copy):
    shutil.rmtree(copy.submission)
    projects.write(copy.notebooks / "One.ipynb", notebook())
    bundle.pack(copy)
    assert [
        place for name in ("report", "zip", "README", "sources", "notebooks") for place in places(name, copy)
    ] == []


def test_without_a_zip_each_check_of_it_fails(copy):
    (copy.submission / "code.zip").unlink()
    states = {v.name: v.passed for v in checks.check(copy)}
    assert {name for name in states if states[name] == "failed"} == {"zip", "README", "sources", "notebooks"}


def test_a_zip_that_cannot_be_read_is_told(copy):
    (copy.submission / "code.zip").write_text("PK")
    with pytest.raises(InputError, match=r"build/submission/code\.zip cannot be read"):
        checks.check(copy)


def test_a_report_that_is_missing_or_not_the_one_checked_is_found(copy):
    handed_in = copy.submission / "report.pdf"
    handed_in.write_bytes(b"%PDF-1.5 another")
    assert places("report", copy) == ["build/submission/report.pdf: it is another one than the report"]
    handed_in.unlink()
    assert places("report", copy) == ["build/submission/report.pdf: it does not exist"]


def test_the_report_in_the_zip_is_found_under_any_name(copy):
    pack(
        copy, **{"doc/final.pdf": copy.pdf.read_bytes(), "figures/a.pdf": b"%PDF", "old/report.pdf": b"%PDF"}
    )
    assert places("zip", copy) == [
        "code.zip: it holds the report: doc/final.pdf",
        "code.zip: it holds the report: old/report.pdf",
    ]


@pytest.mark.parametrize(
    ("readme", "wrong"),
    [
        (None, "code.zip: no README with a text at its top"),
        (" \n", "code.zip: no README with a text at its top"),
        ("Libraries: numpy, pandas", "README.txt: it names no main file to run; there is main.py"),
        ("Run main.py with NumPy", "README.txt: it does not list the library pandas"),
    ],
)
def test_a_readme_says_how_to_run_and_what_is_needed(copy, readme, wrong):
    pack(copy, **{"README.txt": readme})
    assert places("README", copy) == [wrong]


def test_a_readme_lists_the_libraries_of_extras_too(copy):
    pyproject = '[project]\ndependencies = ["numpy"]\noptional-dependencies = {report = ["torch==2"]}\n'
    pack(copy, **{"README.txt": "Run main.py with NumPy", "pyproject.toml": pyproject})
    assert places("README", copy) == ["README.txt: it does not list the library torch"]


def test_a_zip_without_anything_to_run_is_told(copy):
    pack(copy, **{"main.py": "pass"})
    assert places("README", copy) == ["README.txt: it names no main file to run; there is none"]


def test_sources_that_are_missing_or_old_are_found(copy):
    pack(copy, **{"src/m.py": None, "experiments/exp.py": "old"})
    assert places("sources", copy) == [
        "code.zip: experiments/exp.py differs from the project's file",
        "code.zip: src/m.py is missing",
    ]


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (None, "code.zip: One.ipynb is missing"),
        (notebook(execution_count=None), "One.ipynb: cell 2 was not executed"),
        (
            notebook(outputs=[{"output_type": "error", "ename": "ValueError", "evalue": "no"}]),
            "One.ipynb: cell 2 ended with ValueError: no",
        ),
        ("{}", "One.ipynb: it is no notebook"),
    ],
)
def test_notebooks_that_are_missing_unexecuted_or_failed_are_found(copy, content, wrong):
    pack(copy, **{"notebooks/One.ipynb": content})
    assert places("notebooks", copy) == [wrong]


def test_a_notebook_that_is_not_the_woven_one_is_found(copy):
    projects.write(copy.notebooks / "One.ipynb", notebook(source="2 + 2"))
    assert places("notebooks", copy) == ["One.ipynb: it is another one than the notebook that was woven"]


# ------------------------------------------------------------------------------------- reading LaTeX back


def source(body: str) -> floats.Source:
    return floats.Source("\\newcommand\\x{\\cite{preamble}}\n\\begin{document}\n" + textwrap.dedent(body))


def test_captions_end_at_their_own_brace():
    (found,) = source(r"\begin{figure}\caption[a]{b \{ {c} \% d}\label{e}\end{figure}").floats
    assert (found.caption, found.labels, found.early) == (r"b \{ {c} \% d", ("e",), ())


def test_an_unclosed_brace_is_no_argument():
    (found,) = source(r"\begin{figure}\caption{b \label{e}\end{figure}").floats
    assert (found.caption, found.labels) == (None, ("e",))


@pytest.mark.parametrize(
    "hidden", [r"% \cref{a}", "\\\\% \\cref{a}", "\\begin{verbatim}\n\\cref{a}\n\\end{verbatim}"]
)
def test_comments_and_verbatim_text_refer_to_nothing(hidden):
    found = source(f"50\\% \\cref{{b}} {hidden}\n\\Cref{{c}}").references
    assert [key for _, key in found] == ["b", "c"]


def test_references_come_in_lists_and_ranges_and_under_many_names():
    text = r"\ref{a} \cref*{b,c} \autoref{d} \crefrange{e}{f} \eqref{g} \refused{h} \preref{i} \pageref{j}"
    assert {key for _, key in source(text).references} == set("abcdefgj")


def test_citations_are_found_in_macros_too():
    text = r"\citep[see][p.~3]{a, b} \citet*{c} \Citeauthor{d} \citestyle{e} \nocite{f}"
    assert [key for _, key in source(text).citations] == ["preamble", "a", "b", "c", "d"]


def test_bibtex_entries_are_listed_without_strings_and_comments():
    bib = "@string{x = {y}}\n@Book { a ,\n title={@b{c,}}}\n@comment{d, e}\n  @misc(f, note={})"
    assert [(bib.count("\n", 0, at) + 1, key) for at, key in floats.entries(bib)] == [(2, "a"), (5, "f")]

"""Checks of the report as a whole: each finds what breaks its rule, at the line of the template."""

import re
import shutil
from dataclasses import replace

import pinned
import projects
import pytest
from checked import BIB, GOOD, line, made, note, places

from labreport import build
from labreport.checks import checks
from labreport.checks.material import Material
from labreport.documents.readback import Link, Pdf


def test_each_answer_is_found_with_its_page(good):
    assert note("answers", good) == "1 on page 1, 2(a) on page 2"


def test_a_question_without_an_answer_is_named(bad):
    assert places("answers", bad) == ["report.toml: question 2(a) has no answer: And why?"]


def test_the_number_of_pages_is_said(good):
    assert note("pages", good) == "2 pages"


class TestPagesOfMainTextAndAppendix:
    """Pages before the appendix are main text; the page on which it begins counts to what stands above it."""

    @pytest.mark.parametrize(
        ("limits", "said", "found"),
        [
            ({}, "1 page main text, 1 appendix", []),
            ({"main": 1, "appendix": 2}, "1 of 1 pages main text, 1 of 2 appendix", []),
            ({"appendix": 0}, "1 page main text, 1 of 0 appendix", ["appendix of 1 page, 1 too many"]),
        ],
    )
    def test_on_a_page_of_its_own(self, appended, limits, said, found):
        limited = replace(appended, config=replace(appended.config, pages=limits))
        assert note("pages", limited) == said
        assert places("pages", limited) == [f"build/report.pdf: {what}" for what in found]

    def test_in_the_middle_of_the_last_page(self, copy):
        end = r"\bibliographystyle"
        made(copy.root, GOOD.replace(end, rf"\appendix\section{{More}}{end}"), BIB)
        assert note("pages", copy) == "2 pages"

    def test_none(self, good):
        limited = replace(good, config=replace(good.config, pages={"main": 1, "appendix": 0}))
        assert note("pages", limited) == "2 of 1 pages"
        assert places("pages", limited) == ["build/report.pdf: main text of 2 pages, 1 too many"]


@pytest.fixture(scope="module")
def appended(good, tmp_path_factory):
    folder = tmp_path_factory.mktemp("appended") / "p"
    shutil.copytree(good.root, folder)
    return made(folder, GOOD.replace(r"\clearpage", "\\clearpage\n\\appendix"), BIB)


@pytest.mark.parametrize("authors", [(), ("",), (" ",)])
def test_missing_authors_are_a_warning(good, authors):
    unnamed = replace(good, config=replace(good.config, authors=authors))
    verdicts = {v.name: v for v in checks.check(unnamed, {})}
    assert verdicts["authors"].state == "warning"
    assert verdicts["authors"].places == (("report.toml", "`authors` is empty"),)


def test_the_day_of_the_build_is_found_but_not_in_a_comment(bad):
    assert places("dates", bad) == [rf"{line(bad, '% and')}: \today prints 1 January 2025 in each build"]


def test_a_quick_build_is_a_warning(good):
    row = next(row for row in checks.CHECKS if row.name == "full build")
    assert row.state == "warning"
    assert row.find(Material(replace(good, quick=True), {})).places


def test_an_experiment_or_a_template_that_changed_since_is_named(copy):
    projects.change(copy.experiments / "exp.py", '{"n": 3,', '{"n": 4,')
    projects.change(copy.templates / "report.tex.j2", "Because of", "Due to")
    (fresh,) = (verdict for verdict in build.check(copy).verdicts if verdict.name == "fresh")
    found = [f"{where}: {what}" for where, what in fresh.places]
    assert found[0] == "experiments/exp.py: its result is out of date: experiments/exp.py:run changed"
    assert "build/report.pdf: report_templates/report.tex.j2 changed" in found


def test_a_paragraph_is_named_until_somebody_has_read_it_against_the_code(copy):
    assert places("paragraphs", copy) == []
    projects.change(copy.templates / "report.tex.j2", "Because of", r'\BLOCK{about "m:first"}Because of')
    pinned.publish(copy)
    place = line(copy, r'\BLOCK{about "m:first"}')
    assert places("paragraphs", copy) == [f"{place}: it was never read against m:first"]
    build.accept(copy, ["m:first"])
    assert places("paragraphs", copy) == []
    projects.change(copy.root / "src" / "m.py", "math.sin", "math.cos")
    assert places("paragraphs", copy) == [f"{place}: the code of m:first has changed"]


def test_missing_metadata_is_named(bad):
    assert places("metadata", bad) == [
        f"build/report.pdf: {key} is empty" for key in ("Title", "Subject", "Author")
    ]


def test_fonts_of_type_3_and_fonts_that_are_not_embedded_are_found_in_figures(bad):
    found = "\n".join(places("fonts", bad))
    assert re.search(r"page 1: the font \S*DejaVu\S* is of Type 3", found)
    assert re.search(r"page 1: the font \S*Helvetica\S* is not embedded", found)


def test_a_page_without_text_is_found_unless_there_is_nothing_on_it(good, bad):
    found = places("text", with_pdf(good, pages=("a", " \n", "")))
    assert found == [f"page {number}: no text can be extracted from it" for number in (2, 3)]
    pages = int(note("pages", bad).split()[0])
    assert Material(bad, {}).pdf.blank == {pages - 1}
    assert places("text", bad) == []


def test_the_text_of_a_page_is_that_of_its_letters_and_of_its_figures(good):
    first = Material(good, {}).pdf.pages[0]
    assert "The loss [in nats] rises again" in first
    assert "lines 6–8" in first  # a letter beyond ASCII
    assert "epoch" in first


@pytest.mark.parametrize("lost", ["(cid:12)", "\x0f", "\ufffd", "\ue001"])
def test_characters_without_a_meaning_are_found(good, lost):
    material = with_pdf(good, pages=("fine ﬁne\n\t− α", f"some {lost} text"))
    (found,) = places("text", material)
    assert found.startswith("page 2: a character has no meaning: ")


def with_pdf(project, **parts) -> Material:
    nothing = {"pages": (), "fonts": (), "links": (), "destinations": {}, "metadata": {}, "height": 842.0}
    material = Material(project, {})
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
        (Link(1, "Launch", "a.exe"), "is not an address: it asks the reader's program to Launch"),
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
        f"{begin}: Citation `nobody' on page 1 undefined",
    ]
    assert places("overfull", copy) == []


def test_a_reference_to_no_label_is_found_in_the_source(copy):
    projects.change(copy.templates / "report.tex.j2", r"\cref{sec:one}", r"\crefrange{sec:one}{sec:gone}")
    here = line(copy, r"\crefrange{sec:one}{sec:gone}")
    assert places("references", copy) == [f"{here}: no label 'sec:gone'"]


def test_a_bibliography_entry_that_is_never_cited_is_found_at_its_line(bad):
    assert places("citations", bad) == ["report_templates/references.bib:2: 'unused' is never cited"]


def test_a_citation_without_an_entry_is_found(copy):
    projects.change(copy.templates / "report.tex.j2", "{knuth1984}", "{knuth1984, gone}")
    (found,) = places("citations", copy)
    assert found.endswith("no entry 'gone'")


def test_a_problem_in_the_log_of_other_templates_has_tex_s_own_line(copy):
    log = "(./report.tex\nOverfull \\hbox (9.5pt too wide) in paragraph at lines 12--13\n\n)\n"
    (copy.log / "latex.log").write_text(log)
    projects.change(copy.templates / "report.tex.j2", "Because of", "Due to")
    (found,) = places("overfull", copy)
    assert found.startswith("build/latex/report.tex:12: Overfull")

"""Checks of the code that is shown: what is too long, too much, or all of a module."""

from pathlib import Path

import projects
from checked import line, note, places

from labreport.checks import listings
from labreport.checks.material import Material
from labreport.documents import report


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
        note("excerpts", good) == f"1 excerpt, {rows} lines: {rows * 10.6 / pages / height:.1%} of the pages"
    )
    style = (Path(report.__file__).with_name("labreport.sty")).read_text()
    assert "textheight=235mm" in style
    assert rf"\fontsize{{8.5}}{{{listings.CODE_LEADING}}}" in style


def test_a_report_that_is_mostly_code_fails_by_its_share(copy):
    lines = "\n".join(["x = 1"] * 25)
    code = f"\\begin{{verbatim}}\n{lines}\n\\end{{verbatim}}"
    projects.change(copy.templates / "report.tex.j2", r"\clearpage", f"{code}\n" * 2)
    (found,) = places("excerpts", copy)
    assert found == "build/report.pdf: 41% of its height is code, more than 20%"


def test_a_file_that_is_taken_in_whole_is_found(copy):
    projects.change(
        copy.templates / "report.tex.j2", r"\clearpage", r"\lstinputlisting[language=Python]{m.py}"
    )
    (found,) = places("excerpts", copy)
    assert found.endswith("a whole file is included")


def test_a_difference_counts_its_rows_and_the_new_lines_among_them(copy):
    projects.change(
        copy.templates / "report.tex.j2", 'excerpt("m:first")', 'excerpt("m:first", since="m:second")'
    )
    (code,) = Material(copy, {}).code
    assert (code.file, code.rows, code.numbers) == ("src/m.py", 5, {6, 8})


def test_a_file_of_settings_may_be_shown_in_full(copy):
    (copy.root / "settings.yaml").write_text("width: 3\nrate: 0.1\n")
    projects.change(copy.templates / "report.tex.j2", r"\clearpage", r'\VAR{excerpt("settings.yaml")}')
    assert places("excerpts", copy) == []
    assert note("excerpts", copy).startswith("2 excerpts, 4 lines")

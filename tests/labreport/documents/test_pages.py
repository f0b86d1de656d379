"""Which line of LaTeX came to lie on which page."""

import pytest

from labreport.documents import latexmk
from labreport.documents.pages import Pages, read

RECORD = """\
SyncTeX Version:1
Input:1:/scratch/chapters/report.tex
Input:2:/scratch/./report.tex
Content:
{1
[2,9:0,0:0,0,0
g2,7:1,1
k2,7:2,1:5
g1,8:3,1
]
}1
{2
g2,7:1,1
x2,30:1,1
}2
"""


@pytest.fixture(params=["/scratch", "/new\nline/a  b", "/a\n\nb"], ids=["plain", "line break", "empty line"])
def pages(tmp_path, request):
    (tmp_path / "report.synctex").write_text(RECORD.replace("/scratch", request.param))
    return read(tmp_path / "report.synctex", "report.tex")


def test_only_what_is_set_of_the_main_file_counts(pages):
    # line 8 is one of another file, and line 9 that of a box, which begins where TeX is when a page ends
    assert {line: dict(of) for line, of in pages.lines.items()} == {7: {1: 2, 2: 1}, 30: {2: 1}}


def test_the_name_of_a_folder_may_hold_a_line_break(tmp_path, pages):
    record = RECORD.replace("/scratch/", "/a\nInput or not/")
    record = record.replace("Content:", "Input:3:/other.tex\nContent:")
    (tmp_path / "odd.synctex").write_text(record)
    assert read(tmp_path / "odd.synctex", "report.tex") == pages


def test_a_line_that_a_page_ends_in_is_divided_as_its_pieces_are(pages):
    assert [pages.of(7, part) for part in (0.0, 0.6, 0.7, 1.0)] == [1, 1, 2, 2]
    assert Pages({7: {1: 1, 2: 1}}).of(7, 0.5) == 2


def test_a_line_without_pieces_lies_where_the_next_one_does(pages):
    assert pages.of(8, 0.9) == 2
    assert Pages({9: {4: 1, 3: 1}}).of(8, 0.9) == 3


def test_after_the_last_piece_there_is_no_page(pages, tmp_path):
    assert pages.of(31) is None
    assert read(tmp_path / "none.synctex", "report.tex").of(1) is None


@pytest.mark.slow
def test_tex_tells_the_pages_of_text_captions_and_floats_and_the_pdf_stays_as_it_is(tmp_path):
    lines = [
        r"\documentclass{article}\begin{document}",
        r"One.",
        r"\begin{figure}[p]\rule{1cm}{1cm}\caption{A caption",
        r"of two lines}\end{figure}",
        r"\newpage",
        r"Two.\footnote{A note.}",
        r"\clearpage",
        r"Four.",
        r"\typeout{labreport: complete}\end{document}",
    ]
    compiled = []
    for name, option in (("with", latexmk.SYNCTEX), ("without", "-synctex=0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.tex").write_text("\n".join(lines))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(latexmk, "SYNCTEX", option)
            compiled.append(latexmk.compile(tmp_path / name))
    pages = read(compiled[0].synctex, "report.tex")
    assert {line: pages.of(line) for line in (2, 3, 4, 6, 8)} == {2: 1, 3: 3, 4: 3, 6: 2, 8: 4}
    assert compiled[0].pdf.read_bytes() == compiled[1].pdf.read_bytes()

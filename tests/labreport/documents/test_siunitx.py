"""siunitx is loaded where a document may use it, and only there."""

import shutil

import pytest
from hostile import STYLE

from labreport.documents import latexmk
from labreport.documents.siunitx import SETTINGS, is_named, write_settings
from labreport.language import locale

PLAIN = r"""\documentclass{article}\usepackage[article]{labreport}\begin{document}
By S. Author, Summary of SGD: $S = 3$, $S$, \emph{Sum} \Sigma, {12{,}000}.
\begin{tabular}{@{}l>{\LRwidths{0}{.0}}c@{}} {S.} & \LRat{1}{.5} \\ \end{tabular}
\typeout{labreport: complete}\end{document}
"""
USES = [
    *(
        r"\num{1}",
        r"\qty{1}{\percent}",
        r"\SI{1}{m}",
        r"\si{\metre}",
        r"\unit{m}",
        r"\ang{1}",
        r"\tablenum{1}",
    ),
    *(r"\qtylist{1;2}{m}", r"\sisetup{mode=text}", r"\usepackage{siunitx}", r"\complexnum{1+2i}", r"% \num"),
    *(r"\begin{tabular}{S}", r"\begin{tabular}{lS[table-format=1.2]}", r"\begin{tabular}{@{}l S S@{}}"),
    *(
        r"\newcolumntype{N}{>{\small}S}",
        r"\mytable{lcSS}",
        r"\begin{tabular}{|S|l}",
        "\\begin{tabular}\n{l S l}",
    ),
    *(r"\begin{tabularx}{\linewidth}{LS}", r"\begin{tabular}{SC}", r"\begin{array}{S;{2pt/2pt}l}"),
    *(r"\multicolumn{1}{S}{1}", r"\numrange{1}{2}", r"\begin{tabular}{*3S}", r"\begin{tabular}{p{2cm}S}"),
]


def test_a_document_without_its_names_does_not_load_it():
    assert not is_named(PLAIN)


@pytest.mark.parametrize("text", USES)
def test_a_document_that_names_it_loads_it(text):
    assert is_named(PLAIN.replace("Summary", text))


def test_all_files_of_the_sources_count_but_the_style_itself(tmp_path):
    (tmp_path / "report.tex").write_text(PLAIN)
    write_settings(tmp_path)
    assert not (tmp_path / SETTINGS).exists()  # it would say nothing to anybody
    shutil.copy(STYLE, tmp_path)
    (tmp_path / "picture.pdf").write_text("siunitx")
    for _ in range(2):  # the file itself does not count, either
        write_settings(tmp_path)
        assert (tmp_path / SETTINGS).read_text().startswith(r"\LR@siunitxfalse")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "own.sty").write_text(r"\newcommand\share{\qty{3}{\percent}}")
    write_settings(tmp_path)
    assert (tmp_path / SETTINGS).read_text().startswith(r"\LR@siunitxtrue")


@pytest.mark.skipif(shutil.which("latexmk") is None, reason="needs latexmk")
@pytest.mark.parametrize(
    ("text", "is_loaded"),
    [
        ("", False),
        (r"\num{12345.6}", True),
        (r"\begin{tabular}{lS} a & 1.5 \\ \end{tabular}", True),
    ],
)
def test_the_log_tells_whether_it_was_loaded(tmp_path, text, is_loaded):
    folder = tmp_path / "a"
    folder.mkdir()
    shutil.copy(STYLE, folder)
    (folder / "report.tex").write_text(PLAIN.replace("Summary", text).replace(r"\Sigma", ""))
    assert ("/siunitx.sty" in latexmk.compile(folder).log) == is_loaded


@pytest.mark.skipif(shutil.which("latexmk") is None, reason="needs latexmk")
def test_a_document_that_loads_it_in_vain_has_the_same_bytes(tmp_path):
    made = []
    for name, comment in (("without", ""), ("with", "% siunitx")):
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(STYLE, folder)
        (folder / "report.tex").write_text(PLAIN.replace(r"\Sigma", "") + comment)
        made.append(latexmk.compile(folder))
    assert ["/siunitx.sty" in one.log for one in made] == [False, True]
    assert made[0].pdf.read_bytes() == made[1].pdf.read_bytes()


def test_the_numbers_of_siunitx_follow_the_language_also_when_its_use_is_looked_up_again(tmp_path):
    shutil.copy(STYLE, tmp_path)
    write_settings(tmp_path, locale("fr"))
    (tmp_path / "report.tex").write_text(r"\num{1}")
    write_settings(tmp_path)
    first, second = (tmp_path / SETTINGS).read_text().splitlines()
    assert first.startswith(r"\LR@siunitxtrue ")
    assert second.startswith(r"\def\LR@language{output-decimal-marker={,},group-separator={\,}}")
    write_settings(tmp_path, locale("en"))
    assert (tmp_path / SETTINGS).read_text().count("\n") == 1

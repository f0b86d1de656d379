"""A PDF, read back: what readers copy from its pages."""

import shutil
import subprocess

import pytest
from matplotlib.figure import Figure

from labreport.documents import readback, report
from labreport.documents.readback import read
from labreport.errors import InputError

FORMULAS = r"""
\documentclass{article}
\usepackage[article]{labreport}
\newcommand\six{\begin{array}{c}1\\2\\3\\4\\5\\6\end{array}}
\begin{document}
\parbox{6em}{efficient over\-fitting is not}
\[ \big( \Big[ \bigg\{ \Bigg\langle a \Bigg\rangle \bigg\rceil \Big\rfloor \big/ \Bigg\backslash \]
\[ \sum_i \prod \int \oint \bigcup \bigoplus \bigwedge \textstyle \sum \coprod \bigcap \bigsqcup \]
\[ \left( \six \right) \left[ \six \right] \left\{ \six \right\} \left| \six \right\| \sqrt{\six} \]
\[ \widehat{xyz} \widetilde{xyz} \overbrace{abc} \underbrace{abc} \left\uparrow \six \right\Downarrow \]
\end{document}
"""


@pytest.mark.slow
def test_formulas_are_copied_as_the_characters_that_they_show(tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("needs pdflatex")
    (tmp_path / "a.tex").write_text(FORMULAS)
    shutil.copyfile(report.STYLE, tmp_path / report.STYLE.name)
    subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    (text,) = read((tmp_path / "a.pdf").read_bytes(), "a.pdf").pages
    assert "efficient over-\nfitting" in text
    for character in r"([{⟨⟩⌉⌋/\∑∏∫∮⋃⨁⋀∐⋂⨆⎛⎜⎝⎠⎡⎦⎧⎨⎩⎭⏐⎷⇓⏟":
        assert character in text, character
    assert not [c for c in text if (c < " " and c != "\n") or "\ue000" <= c <= "\uf8ff"]


def test_a_picture_can_be_searched_like_the_text_around_it(tmp_path):
    figure = Figure(figsize=(3, 1))
    figure.text(0.1, 0.5, "loss −0.5 × 10³")
    figure.savefig(tmp_path / "a.pdf", metadata={"Title": "A title", "CreationDate": None})
    found = read((tmp_path / "a.pdf").read_bytes(), "a.pdf")
    assert found.pages == ("loss −0.5 × 10³",)
    assert found.metadata["Title"] == "A title"


def test_equal_bytes_are_read_once(tmp_path):
    Figure().savefig(tmp_path / "a.pdf")
    assert read((tmp_path / "a.pdf").read_bytes(), "a") is read((tmp_path / "a.pdf").read_bytes(), "a")


@pytest.mark.parametrize("data", [b"", b"%PDF-1.5\nnothing\n%%EOF"])
def test_what_is_no_pdf_is_named(data):
    with pytest.raises(InputError, match=r"^build/report.pdf cannot be read back: "):
        readback.read(data, "build/report.pdf")

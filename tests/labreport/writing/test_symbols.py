"""Letters and signs of mathematics in texts: on the page, in bookmarks and in metadata."""

import shutil
import subprocess
import unicodedata

import pytest
from pypdf import PdfReader

from labreport.documents.report import STYLE
from labreport.explain.texts import readable
from labreport.language.formats import LONGEST_TEXT
from labreport.writing.latex import LONGEST_BOOKMARK, UNSHOWN, escape, hexadecimal, to_latex
from labreport.writing.symbols import MATHEMATICS

AS_SEEN = str.maketrans("⩽⩾∆⧵∣∙∗∖ΑΒΕΖΗΙΚΜΝΟΡΤΧοℏ◃▹▵⋆", "≤≥Δ\\|•*\\ABEZHIKMNOPTXoℏ◁▷△⋆")
"""Signs that look like others, as which they can be copied."""


@pytest.mark.slow
@pytest.mark.parametrize("style", ["", "[article]"])
def test_each_is_set_everywhere_and_stands_in_bookmarks_as_itself(tmp_path, style):
    shutil.copy(STYLE, tmp_path)
    every = "".join(MATHEMATICS)
    names = [unicodedata.name(c) for c in every]
    assert len(set(names)) == len(every) > 180
    shown = "\n\n".join(
        f"Q{n}Q {escape(c)} \\textbf{{{escape(c)}}} \\texttt{{{escape(c)}}}" for n, c in enumerate(every)
    )
    heads = "".join(rf"\section{{{escape(every[n : n + 20])}}}" for n in range(0, len(every), 20))
    text = rf"\documentclass{{article}}\usepackage{style}{{labreport}}\begin{{document}}\tableofcontents "
    (tmp_path / "a.tex").write_text(f"{text}{heads}{shown}\\end{{document}}", encoding="utf-8")
    for _ in range(3):
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False
        )
        assert done.returncode == 0, done.stdout[-2000:]
    log = (tmp_path / "a.log").read_text(errors="replace")
    assert "Missing character" not in log
    assert "Token not allowed" not in log
    titles = "".join(entry.title for entry in PdfReader(tmp_path / "a.pdf").outline)
    assert [c for c in every if c not in titles] == []
    done = subprocess.run(["pdftotext", tmp_path / "a.pdf", "-"], capture_output=True, text=True, check=True)
    pieces = {n: done.stdout.partition(f"Q{n}Q")[2].partition(f"Q{n + 1}Q")[0] for n in range(len(every))}
    letters = {n: c for n, c in enumerate(every) if unicodedata.category(c)[0] == "L" and c in "αβγπσωΓΣ"}
    assert [c for n, c in letters.items() if pieces[n].count(c.translate(AS_SEEN)) < 3] == []


def test_what_no_font_has_is_a_code_point_after_which_a_line_may_break():
    assert escape("李") == r"\LRcharacter{674E}"
    assert escape("a😀") == r"a\LRcharacter{1F600}"


def test_typewriters_leave_some_signs_to_the_other_fonts():
    assert escape("Data™ ‱") == r"Data\LRroman{™} \LRroman{‱}"


def test_alternative_texts_are_written_letter_by_letter():
    assert bytes.fromhex(hexadecimal("α 😀 \\{%")).decode("utf-16-be") == "α 😀 \\{%"
    assert to_latex(None) == r"\LRdash{}"


def test_of_a_long_text_a_bookmark_has_the_beginning_and_a_page_all():
    text = "ab-" * LONGEST_BOOKMARK
    printed = escape(text)
    assert printed.startswith("ab{-}" * (LONGEST_BOOKMARK // 3) + r"a\LRrest{500}{\LRapart{}b{-}ab")
    assert readable(printed) == text
    assert r"\LRrest" not in escape(text[:LONGEST_BOOKMARK])


@pytest.mark.slow
@pytest.mark.parametrize("c", ["⟶", "李", "^"])
def test_the_longest_text_is_printed_in_a_heading(tmp_path, c):
    shutil.copy(STYLE, tmp_path)
    text = escape(c * LONGEST_TEXT)
    head = "\\documentclass{article}\\usepackage[article]{labreport}\n\\begin{document}\n\\tableofcontents\n"
    (tmp_path / "a.tex").write_text(f"{head}\\section{{{text}}}\n\\end{{document}}", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    for _ in range(2):  # the second reads the whole text as one line of the table of contents
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout[-500:]
    (entry,) = PdfReader(tmp_path / "a.pdf").outline
    assert entry.title.endswith(
        f"{c * LONGEST_BOOKMARK}… ({LONGEST_TEXT - LONGEST_BOOKMARK} more characters)"
    )


@pytest.mark.slow
@pytest.mark.parametrize("used", [r"\usepackage[article]{labreport}", r"\usepackage{labreport}"])
@pytest.mark.parametrize("lengths", [[LONGEST_TEXT], [200] * 8, [3]])
def test_a_caption_of_any_length_is_printed_whole(tmp_path, used, lengths):
    shutil.copy(STYLE, tmp_path)
    text = " ".join(escape("李" * length) for length in lengths)
    figure = f"\\begin{{figure}}\\caption{{{text}}}\\end{{figure}}"
    source = f"\\documentclass{{article}}{used}\\begin{{document}}\n{figure}\n\\end{{document}}"
    (tmp_path / "a.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-500:]
    page = "".join(page.extract_text() for page in PdfReader(tmp_path / "a.pdf").pages)
    assert "".join(page.split()).count("[U+674E]") == sum(lengths)


def test_a_black_heart_is_not_shown_as_a_white_one():
    assert UNSHOWN.search(escape("♥"))
    assert not UNSHOWN.search(escape("♡"))

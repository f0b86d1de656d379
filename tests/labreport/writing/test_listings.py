"""Listings: code prints literally beside its own line numbers, whatever it says."""

import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest
from excerpted import bodies
from hypothesis import given
from hypothesis import strategies as st

import labreport
from labreport.documents import latexmk
from labreport.writing.excerpts import Excerpt, Line, difference
from labreport.writing.listings import to_latex, to_markdown


def test_a_line_of_a_difference_is_highlighted_as_in_its_whole_text():
    new = ['text = """', "def a", "def b", "def c", "def new", '"""', "def end(): pass"]
    old = ["'''", *new[1:4], "def old", "'''", new[6]]
    shown = to_latex(bodies(new, old))
    assert r"\LRadded{5}{\LRstring{def\ new}}" in shown
    assert r"\LRremoved{}{\LRcomment{def\ old}}" in shown  # a text that stands alone: a docstring
    assert r"\LRkept{7}{\LRkeyword{def}\ \LRdefined{end}" in shown


def settings(file: str) -> Excerpt:
    lines = ["width: 3 # of a layer", "def: [a, b]"]
    return Excerpt(file, file, Path(file), tuple(Line(n, text) for n, text in enumerate(lines, 1)))


def test_the_lines_of_a_file_are_highlighted_by_its_suffix():
    yaml = to_latex(settings("a/b.yaml"))
    assert r"\LRdefined{width}" in yaml
    assert r"\LRcomment{\#\ of\ a\ layer}" in yaml
    assert r"\LRkeyword" not in yaml
    assert r"\LRline{2}{def:\ " in to_latex(settings("a/b.unknown"))
    assert "\n```yaml\nwidth: 3" in to_markdown(settings("a/b.yaml"))


HOSTILE = [
    r"\end{Verbatim}\end{document}\end{minipage} \LRcomplete",
    r"a % b $c$ #1 & _ ^^M ^^41 ~ \\[1cm] \input{x} \catcode`\%=12",
    "{{{ }} } [1cm] *x ]",
    "--flag ---- `` '' ' \" ,, << >> !` ?` fi ffl ^ | <-> ",
    r"\begin{x} \csname y\endcsname \par \relax #",
    "\"\"\"unclosed ''' quotes # and comments",
    "@decorator def class return None True lambda: 0x1F 1e-3 f'{x!r}'",
    "äöüß Dvořák – … × ±",
    "Dvor\u030ca\u0301k in parts",
    "\\" * 5 + " \\",
    "x        y    z",
]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, latexmk.Compiled]:
    """Return the text of a PDF with hostile lines (numbered by 100s), a long excerpt, and a plain text."""
    if shutil.which("latexmk") is None:
        pytest.skip("needs latexmk")
    folder = tmp_path_factory.mktemp("printed")
    shutil.copy(Path(labreport.__file__).parent / "documents" / "labreport.sty", folder)
    lines = [Line(100 * (at + 1), text.rstrip()) for at, text in enumerate(HOSTILE)]
    lines += [Line(None, ""), Line(None, "    …"), Line(1200, "    # α ☃ ™ \u200b\u202e\x07 end")]
    hostile = Excerpt("a:b", "src/a_b&%.py", Path("a.py"), tuple(lines))
    rows = tuple(Line(n, "" if n % 10 == 0 else f"    statement_{n} = {n}") for n in range(4000, 4150))
    long = Excerpt("a:c", "src/long.py", Path("a.py"), rows)
    # a difference: lines as wide as the page allows, some hostile
    new = [f"{'x' * 75} = {n}" if n % 4 else HOSTILE[n // 4] for n in range(4 * len(HOSTILE))]
    old = [line for n, line in enumerate(new) if n % 8 and n != 1] + ["y" * 79, "    gone = '\\\\' # %"]
    texts = zip((7000, 8000), (new, old), strict=True)
    sides = [tuple(Line(start + n, text.rstrip()) for n, text in enumerate(side)) for start, side in texts]
    both = [Excerpt("a:d", "src/one.py", Path("one.py"), side) for side in sides]
    body = [
        r"\documentclass[11pt]{article}\usepackage[article]{labreport}\begin{document}Before.",
        to_latex(hostile),
        r"\begin{listing}\caption{In a float.}",
        to_latex(Excerpt("a:d", "src/d.py", Path("a.py"), (Line(7, "floating = '\\\\'"),))),
        r"\end{listing}\newpage",
        *(f"Paragraph {n}.\n" for n in range(30)),
        to_latex(long),
        "Between.",
        to_latex(difference(*both)),
        to_latex(bodies(["a = 1", "b = 2"], ["a = 1"])),
        r"After.\LRcomplete\end{document}",
    ]
    (folder / "report.tex").write_text("\n".join(body), encoding="utf-8")
    done = latexmk.compile(folder)
    command = ["pdftotext", "-layout", done.pdf, "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout, done


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


@pytest.mark.parametrize("at", range(len(HOSTILE)))
def test_hostile_code_prints_literally_beside_its_number(printed, at):
    row = next(line for line in printed[0].splitlines() if re.match(rf"\s*{100 * (at + 1)}\s", line))
    expected = unicodedata.normalize("NFC", HOSTILE[at]).replace("…", "...")  # as composed of glyphs
    assert squeezed(row) == f"{100 * (at + 1)} {squeezed(expected)}"


def test_characters_without_a_glyph_are_shown_as_code_points(printed):
    expected = "1200 # α [U+2603] [U+2122] [U+200B][U+202E][U+0007] end"
    assert expected in squeezed(printed[0])


def test_the_heading_names_the_file_and_lines(printed):
    assert "src/a_b&%.py, lines 100–1200" in printed[0]
    assert "src/d.py, line 7\n" in printed[0]


def test_a_difference_prints_each_line_beside_its_sign_and_the_new_number(printed):
    text = printed[0].partition("Between.")[2]
    for n in (0, 8, 16, 24, 32):
        row = next(line for line in text.splitlines() if re.match(rf"\s*{7000 + n}\s", line))
        expected = unicodedata.normalize("NFC", HOSTILE[n // 4]).replace("…", "...")
        assert squeezed(row) == f"{7000 + n} + {squeezed(expected)}"
    lines = [squeezed(line) for line in text.splitlines()]
    assert f"7001 + {'x' * 75} = 1" in lines
    assert f"7002 {'x' * 75} = 2" in lines
    assert "- " + "y" * 79 in lines
    assert r"- gone = '\\' # %" in lines
    assert "2 + b = 2" in lines


def test_the_heading_of_a_difference_names_both_places(printed):
    assert f"src/one.py, lines 7000–{7000 + 4 * len(HOSTILE) - 1}, compared with lines 8000–80" in printed[0]
    assert "src/new.py, lines 1–2, compared with src/old.py" in printed[0]


def test_nothing_of_an_excerpt_runs_off_the_page(printed):
    assert printed[1].notices == ()


def test_a_long_excerpt_goes_on_over_pages_and_loses_no_line(printed):
    text, done = printed
    numbers = [int(n) for n in re.findall(r"^[ \f]*(4\d{3})\b", text, re.MULTILINE)]
    assert numbers == list(range(4000, 4150))
    assert [int(n) for n in re.findall(r"statement_(\d+)", text)] == [n for n in numbers if n % 10]
    assert done.notices == ()
    assert done.pages >= 4


def test_keywords_comments_strings_and_defined_names_are_told_apart():
    code = "def fit(x):  # once\n    if x is None:\n        return 'a'"
    lines = tuple(Line(n, text) for n, text in enumerate(code.split("\n"), 1))
    shown = to_latex(Excerpt("a:fit", "a.py", Path("a.py"), lines))
    for expected in (
        r"\LRkeyword{def}\ \LRdefined{fit}(x):",
        r"\LRcomment{\#\ once}",
        r"\LRkeyword{if}\ x\ \LRkeyword{is}\ None:",
        r"\LRstring{\textquotesingle{}a\textquotesingle{}}",
    ):
        assert expected in shown


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), max_size=60))
def test_any_line_becomes_one_line_of_balanced_latex(text):
    lines = (Line(1, "x = 1"), Line(2, text), Line(3, "y = 2"))
    shown = to_latex(Excerpt("a:b", "a.py", Path("a.py"), lines))
    without_escaped = re.sub(r"\\[{}\\]", "", shown)
    assert without_escaped.count("{") == without_escaped.count("}")
    assert len(re.findall(r"\\LRline\{", shown)) == 3
    assert not re.search(r"(?<!\\)[%$&#_^~](?!\n|$)", shown)

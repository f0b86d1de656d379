"""Values as Markdown: what a reader of Markdown makes of them; numbers with the digits of the report."""

import re
import unicodedata
from html import unescape
from html.parser import HTMLParser

import pytest
from hostile import HOSTILE
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rendering import marked, mistake, printed, rendered

from labreport.language import formats
from labreport.language.columns import Cell, Column, column
from labreport.language.formats import LONGEST_TEXT, FileName, FormatError, Number
from labreport.writing import latex
from labreport.writing.markdown import (
    Markdown,
    code_block,
    code_span,
    escape,
    figure,
    file_name,
    in_mathematics,
    mathematics,
    python,
    table,
    to_markdown,
)
from labreport.writing.targets import MARKDOWN

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
JUPYTER_MATHEMATICS = re.compile(r"\$|\\(?:begin|end)\{[a-z]*\*?\}|\\\\[()\[\]]", re.IGNORECASE)
"""Where JupyterLab sees mathematics in the source (MATHSPLIT of its rendermime/src/latex.ts)."""

CONTEXTS = {
    "alone": ("{}", "{}"),
    "first": ("{} end", "{} end"),
    "within": ("begin {} end", "begin {} end"),
    "second line": ("begin\n{} end", "begin {} end"),
    "cell": ("| a | b |\n|---|---|\n| {} | end |", "a b {} end"),
    "strong": ("x **a {} b** x", "x a {} b x"),
}
WIDE = [*HOSTILE, "1. one", "12) b", "- a", "+ a", "# a", "=== a", "a | b", "~~a~~", "![a](b)", '"""', "`a`"]


class Pieces(HTMLParser):
    """The texts of an HTML document, as they stand between tags."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.alts: list[str] = []
        self.feed(html)
        self.close()

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.alts += [value or "" for name, value in attrs if name == "alt"]


def read(source: str) -> Pieces:
    return Pieces(READER.render(source))


def visible(text: str) -> str:
    """Return a text as it must be seen, without white space."""
    line = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text))
    return squeezed("".join(c if c.isprintable() else f"[U+{ord(c):04X}]" for c in line))


def squeezed(text: str) -> str:
    return "".join(text.split())


class TestText:
    @pytest.mark.parametrize("context", CONTEXTS)
    @pytest.mark.parametrize("text", WIDE)
    def test_hostile_texts_are_shown_literally(self, text, context):
        source, expected = CONTEXTS[context]
        shown = squeezed("".join(read(source.format(escape(text))).found))
        assert shown == squeezed(expected).replace("{}", visible(text))

    @given(st.text(st.sampled_from("\\`*_{}[]()#+-.!|~$&<>\"'^=:@%a1 \n\tµ\u200b"), max_size=12))
    def test_texts_of_special_characters_are_shown_literally(self, text):
        for source, expected in CONTEXTS.values():
            shown = squeezed("".join(read(source.format(escape(text))).found))
            assert shown == squeezed(expected).replace("{}", visible(text))

    @given(st.text(st.sampled_from("\\${}()[]begin a\n"), max_size=20))
    def test_no_text_begins_mathematics_before_or_after_markdown_is_read(self, text):
        printed = escape(text)
        assert not JUPYTER_MATHEMATICS.search(printed)
        for piece in read(printed).found:  # MathJax sees no mathematics that elements divide
            assert piece in ("\\", "$") or not set(piece) & set("\\$")

    @pytest.mark.parametrize(
        "text",
        ["see http://a.b/x_y", "www.a.b", "x a.b@c.de", "a :smile: b", "ftp://a.b", "HTTPS://A.B", "WWW.a.b"],
    )
    def test_nothing_that_becomes_a_link_or_a_picture_stands_in_one_piece(self, text):
        mark = re.search("https?:/|ftp:/|www.|@|:smile:", text, re.IGNORECASE)[0]
        shown = read(escape(text)).found
        assert "".join(shown).strip() == text
        assert not [piece for piece in shown if mark in piece and mark != "@"]
        assert "@" not in text or "@" in shown

    def test_a_heading_keeps_the_number_sign_at_its_end(self):
        assert "".join(read(f"# {escape('C #')}").found).strip() == "C #"

    def test_white_space_is_one_space(self):
        assert escape("a \n\n b") == "a b"

    def test_a_long_text_is_cut_visibly(self):
        assert escape("a" * (LONGEST_TEXT + 5)).endswith("… (5 more characters)")

    def test_no_text_ends_the_quotes_around_a_cell(self):
        assert '"""' not in escape('a """ b')

    @given(st.text(st.sampled_from("`ab |"), min_size=1, max_size=9))
    def test_code_is_shown_as_it_is(self, text):
        html = READER.render(f"a {code_span(text)} b")
        if text.strip():
            assert unescape(re.search("<code>(.*)</code>", html)[1]).strip() == text.strip()
        assert unescape(READER.render(code_block(text, "python"))) == (
            f'<pre><code class="language-python">{text}\n</code></pre>\n'
        )

    def test_a_file_name_cannot_forge_the_marks_of_values(self):
        forged = "x\ue0010\ue003forged\ue002.txt"
        assert file_name(FileName(forged)) == "`x[U+E001]0[U+E003]forged[U+E002].txt`"

    def test_a_long_file_name_is_cut_once(self):
        assert to_markdown(formats.file("a" * 250_000)) == f"`{'a' * LONGEST_TEXT}… (247000 more characters)`"

    def test_addresses_are_links_and_file_names_code(self):
        assert read(to_markdown(formats.url("https://example.org/a_b?x=1"))).found[0] == (
            "https://example.org/a_b?x=1"
        )
        assert to_markdown(formats.file("src/a_b.py")) == "`src/a_b.py`"


class TestNumbers:
    @pytest.mark.parametrize(
        ("value", "text", "tex"),
        [
            (formats.num(0.1619), "0.162", "0.162"),
            (formats.num(-0.5), "−0.500", "-0.500"),
            (formats.num(1.234e-5), "1.23 × 10⁻⁵", r"1.23 \times 10^{-5}"),
            (formats.num(-1.5e12), "−1.50 × 10¹²", r"-1.50 \times 10^{12}"),
            (formats.pm(0.1619, 0.18), "0.16 ± 0.18", r"0.16 \pm 0.18"),
            (formats.pm(1.5e-7, 2.5e-8), "(1.50 ± 0.25) × 10⁻⁷", r"(1.50 \pm 0.25) \times 10^{-7}"),
            (formats.percent(0.1234), "12.3 %", r"12.3\,\%"),
            (formats.percent(-0.1234), "−12.3 %", r"-12.3\,\%"),
            (formats.integer(1234), "1,234", "1{,}234"),
            (formats.integer(-1234567), "−1,234,567", "-1{,}234{,}567"),
            (formats.num(1234.5678, decimals=4), "1,234.5678", "1{,}234.5678"),
            (formats.integer(999), "999", "999"),
            (formats.duration(90), "1 min 30 s", r"1\,\mathrm{min} 30\,\mathrm{s}"),
            (formats.duration(2.3e-5), "23 µs", r"23\,\mathrm{µs}"),
        ],
    )
    def test_numbers_are_characters_in_text_and_tex_in_mathematics(self, value, text, tex):
        assert to_markdown(value) == text
        assert in_mathematics(value) == tex

    def test_a_missing_value_is_a_dash(self):
        assert to_markdown(None) == "–"

    @given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1e12))
    def test_the_digits_are_those_of_the_report(self, value, std):
        for number in (formats.num(value), formats.pm(value, std), formats.num(value, decimals=3)):
            report = str(latex.to_latex(number)).replace(r"\LRminus{}", "-").replace("{,}", "")
            lowered = to_markdown(number).translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-"))
            notebook = lowered.replace(" × 10", "e").replace(",", "")
            assert re.findall(r"-?\d[\d.]*", notebook) == re.findall(r"-?\d[\d.]*", report)

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("a $x$ b $$y$$ c", ["$x$", "$$y$$"]),
            ("$x\ny$", ["$x\ny$"]),
            ("costs 5$\n\nand 6$", []),
            (r"\$5 and $x$", ["$x$"]),
            ("`$x$` and ``$`y``", []),
            ("```\n$x$\n```\n$y$", ["$y$"]),
            (r"\begin{align*}x\end{align*}", [r"\begin{align*}x\end{align*}"]),
            (r"$\text{a \$ b}$ c", [r"$\text{a \$ b}$"]),
        ],
    )
    def test_mathematics_is_found_where_jupyter_shows_it(self, source, expected):
        assert [source[begin:end] for begin, end in mathematics(source)] == expected


COLUMNS = [
    column("Name", "name", bold="best"),
    column("$n$", "n", "integer", under="Test"),
    column("Share", "x", "percent", under=["Test", "more"]),
]


class TestTable:
    def test_a_table_reads_as_its_rows(self):
        source = (
            r"""\VAR{d.rows|table(column("Name", "name", bold="best"), """
            r"""column("$n$", "n", "integer", under="Test"), column("File", "f", "file"), """
            r"""column("Share", "x", "percent", under=["Test", "more"]))}"""
        )
        rows = [
            {"name": "a|b *c*", "n": 12345, "x": 0.123, "f": "a|b.py", "best": True},
            {"name": "$x$", "n": None, "x": 0.5, "f": "c.py", "best": False},
        ]
        out = rendered(source, {"rows": rows}, target=MARKDOWN)
        assert out.text.split("\n")[1] == "| :--- | ---: | :--- | ---: |"
        html = READER.render(out.text)
        cells = [
            "".join(Pieces(cell).found)
            for cell in re.findall("<t[hd](?: [^>]*)?>(.*?)</t[hd]>", html, re.DOTALL)
        ]
        assert cells == [
            *("Name", "Test: $n$", "File", "Test: more: Share"),
            *("a|b *c*", "12,345", "a|b.py", "12.3"),
            *("$x$", "–", "c.py", "50.0"),
        ]
        assert re.findall("<strong>(.*)</strong>", html) == ["a|b *c*"]
        assert ("12,345", ("d.rows[0].n",)) in printed(out)

    @pytest.mark.parametrize(
        "option", [{"layout": "long"}, {"groups": [1]}, {"caption": "c"}, {"label": "tab:x"}]
    )
    def test_what_only_latex_has_is_refused(self, option):
        with pytest.raises(FormatError, match="table of Markdown has no"):
            table([Column("A", ("a",))], [[Cell(Number("1"))]], **option)

    def test_a_table_needs_columns(self):
        with pytest.raises(FormatError, match="needs columns"):
            table([], [])


class TestTemplates:
    @pytest.mark.parametrize(
        ("expression", "text"),
        [
            ("d.odd", "50% of\\_it"),
            ("d.odd|text", "50% of\\_it"),
            ("d.a|num", "0.0123"),
            ("d.deep.loss|pm", "0.123 ± 0.012"),
            ("d.n", "3"),
            ("d.none", "–"),
            ("d.L|map('num')|join(', ')", "0.0123, 2.50"),
            ("d.n ~ ' x_'", "3 x\\_"),
            ("d.L|python", "[0.0123, 2.5]"),
            ("d.s|python", "'adam'"),
            ("d.flag|python", "True"),
            ("d.none|python", "None"),
            ("d.figure|figure", "![loss &#38; more](attachment:d-loss.png)"),
            ("'https://x.org'|url", "<https://x.org>"),
        ],
    )
    def test_a_value_prints_as_markdown(self, expression, text):
        assert rendered(rf"\VAR{{{expression}}}", target=MARKDOWN).text == text

    @pytest.mark.parametrize(
        ("source", "at", "words"),
        [
            (r"\VAR{d.a}", "d.a", "needs a format"),
            (r"\VAR{d.s|label}", "d.s|label", "label has no form in Markdown"),
            (r"\VAR{d.figure|figure(width='2cm')}", "d.figure|figure(width='2cm')", "as large as it is"),
            (r"\VAR{d.a|num|python}", "d.a|num|python", "formatted already"),
        ],
    )
    def test_what_markdown_has_not_is_refused_at_its_place(self, source, at, words):
        error = mistake(source, target=MARKDOWN)
        assert words in error.what
        assert marked(error) == at

    def test_latex_has_no_format_for_python(self):
        assert "unknown filter 'python'" in mistake(r"\VAR{d.a|python}").what

    @pytest.mark.parametrize("alt", [*HOSTILE[9:22], 'A = 3, b=[1], (c) "x" & more'])
    def test_the_alternative_text_of_a_figure_is_read_literally(self, alt):
        shown = read(figure(formats.Figure("d", "f", "figures/d-f.pdf", alt))).alts
        assert [squeezed(text) for text in shown] == [visible(alt)]

    @given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
    def test_python_writes_what_python_reads(self, value):
        if not isinstance(value, Markdown):
            assert eval(python(value)) == value

    def test_what_is_formatted_already_is_no_value_for_python(self):
        with pytest.raises(FormatError, match=r"formatted already: '1\.50'"):
            python(Markdown("1.50"))


def test_plain_code_stands_between_three_backticks():
    assert code_block("x = 1", "python") == "```python\nx = 1\n```"


def test_a_label_has_no_form():
    with pytest.raises(FormatError, match="label has no form"):
        to_markdown(formats.label("x"))

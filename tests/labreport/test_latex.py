"""Values as LaTeX: text escaped for every context, numbers by one rounding rule, braces that match."""

import random
import re
import shutil
import subprocess
import time
import unicodedata
from decimal import Decimal, localcontext
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

import labreport.latex as module
from labreport.latex import (
    LONGEST_TEXT,
    TYPESETTABLE,
    FormatError,
    Imbalance,
    Number,
    duration,
    escape,
    file,
    imbalance,
    integer,
    label,
    num,
    percent,
    pm,
    text,
    to_latex,
    url,
)

STYLE = Path(module.__file__).with_name("labreport.sty")

HOSTILE = [
    r"\input{/etc/passwd}",
    r"\input /etc/passwd ",
    r"\csname input\endcsname{/etc/passwd}",
    "^^5cinput{/etc/passwd}",
    r"\^^69nput{/etc/passwd}",
    r"\catcode`\@=11 \@@input /etc/passwd",
    r"\openin5=/etc/passwd \read5 to \x \x",
    r"\write18{id} \input|id",
    r"\immediate\openout3=result.json",
    r"\def\x{\x}\x \loop\newpage\repeat",
    r"\end{document}",
    r"\begin{verbatim} \verb|x|",
    r"\item \\ \hline & & \cr \noalign{\x}",
    r"$HOME/x ~root/x #1 ##2 100% of_it a^b",
    "}}}{{{",
    "{",
    "}",
    "\\",
    "\\\\",
    "%",
    "&",
    "$$",
    "[1cm]",
    "*x",
    "]",
    "--flag --- `` '' !` ?` ,, << >>",
    "a\n\nb\tc\r\nd\u2028e\x85f\x0bg",
    "",
    "   ",
    "nul\x00 esc\x1b[31m del\x7f bell\x07",
    "Dvořák Łódź Ångström œuvre ß € † ‰ … “x” „y‟ ‹z›",
    "e\u0301 decomposed, x\u0302 not composable",
    "emoji \U0001f600 CJK 漢字 Greek αβγ ≤ ∞",
    "bidi \u202e reversed \u200b zero width \u00ad soft",
    "private \ue000\ue0010\ue003x\ue002",
    r"{{ x }} {% if x %} \VAR{d.secret} \BLOCK{if x} %# no",
    "%&pdflatex -shell-escape",
    "fi fl ffi A^2_3 'q' \"q\" `q` | ~",
]
ADDRESSES = {
    "https://example.org/a_b?x=1&y=2#part": "https://example.org/a_b?x=1&y=2#part",
    "https://example.org/50%25/~user/(a)": "https://example.org/50%25/~user/(a)",
    "https://example.org/ä/{x}^\\ é": "https://example.org/%C3%A4/%7Bx%7D%5E%5C%20%C3%A9",
    "mailto:someone@example.org": "mailto:someone@example.org",
    "https://example.org/\\input{x}\n": "https://example.org/%5Cinput%7Bx%7D%0A",
}
FILES = [
    "src/tinymlp/data_set.py",
    "a b  c.txt",
    "100%_#1&$x^~{y}\\z.tex",
    "ünï.cöde",
    "日本.txt",
    "--flag.py",
]
CONTEXTS = {
    "body": "{0}\\par",
    "own line": "before\n{0}\nafter\\par",
    "heading": "\\subsection{{{0}}}",
    "starred heading": "\\subsection*{{{0}}}",
    "argument": "\\emph{{\\textbf{{{0}}}}}\\par",
    "first cell": "\\begin{{tabular}}{{l|l}}\\hline\n{0} & x \\\\\n{0} & y \\\\ \\hline\\end{{tabular}}\\par",
    "last cell": "\\begin{{tabular}}{{ll}}x & {0} \\\\ y & {0}\\end{{tabular}}\\par",
    "item": "\\begin{{itemize}}\\item {0}\\item[{{{0}}}] {0}\\end{{itemize}}",
    "footnote": "x\\footnote{{{0}}}\\par",
    "after a break": "x\\\\\n{0}\\par",
}


def visible(text: str) -> str:
    """Return what must stand on the page, without white space and in compatible characters."""
    shown = (
        c if c in PRINTABLE or c.isspace() else f"[U+{ord(c):04X}]"
        for c in unicodedata.normalize("NFC", text)
    )
    return squeezed("".join(shown))


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def code_points(ranges: str) -> set[str]:
    ends = [[int(n, 16) for n in part.split("-")] for part in ranges.split()]
    return {chr(n) for end in ends for n in range(end[0], end[-1] + 1)}


PRINTABLE = code_points(TYPESETTABLE) | {chr(n) for n in range(32, 127)}


def fuzzed(count: int) -> list[str]:
    """Return texts of characters that mean something to TeX, to Jinja or to nobody."""
    chance = random.Random(0)
    atoms = [
        *"\\{}$&#_^~%[]*-'`\"<>|!?,.@=/:; \n\tabcZ019éßŁ€",
        "\\begin{x}",
        "\\VAR{x}",
        "\\par",
        "α",
        "\u0301",
    ]
    return ["".join(chance.choices(atoms, k=chance.randint(1, 12))) for _ in range(count)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("latex")
    shutil.copy(STYLE, folder)
    return folder


def compiled(folder: Path, preamble: str, body: str) -> tuple[str, str]:
    """Return the squeezed text of the pages and the log of a document, compiled once."""
    source = (
        "\\documentclass{article}\n\\usepackage{labreport}\n\\tracinglostchars=2\n\\hyphenpenalty=10000\n"
        f"\\hbadness=10000 \\hfuzz=\\maxdimen \\vfuzz=\\maxdimen\n{preamble}\n"
        f"\\begin{{document}}\\raggedright\n{body}\n"
        "\\typeout{the end is reached}\n\\end{document}\n"
    )
    (folder / "a.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-file-line-error", "a.tex"]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
    log = (folder / "a.log").read_text(encoding="utf-8", errors="replace")
    assert "the end is reached" in log, log[-2000:]
    pages = subprocess.run(
        ["pdftotext", "-raw", "a.pdf", "-"], cwd=folder, capture_output=True, text=True, check=True
    )
    return squeezed(pages.stdout), log


@pytest.fixture(scope="module")
def document(folder) -> tuple[list[str], str, str, PdfReader]:
    """Compile every hostile text in every context, many fuzzed ones and each character, in one document."""
    texts = [*HOSTILE, *fuzzed(300)]
    body = []
    for number, item in enumerate(texts):
        contexts = CONTEXTS.values() if number < len(HOSTILE) else [CONTEXTS["body"], CONTEXTS["own line"]]
        marked = f"Q{number}Q{escape(item)}Z{number}Z"
        body += [context.format(marked) for context in contexts]
        body += [context.format(escape(item)) for context in contexts]  # bare, too: what stands first counts
        body += ["\\clearpage"] if number % 20 == 0 else []
    plain = ("body", "heading", "first cell", "footnote", "argument")
    body += [CONTEXTS[name].format(url(address)) for address in ADDRESSES for name in plain]
    for number, name in enumerate(FILES):
        body += [CONTEXTS[context].format(f"F{number}F{file(name)}G{number}G") for context in plain]
    body += [f"\\par char{ord(c):x}is{escape(c)}end" for c in sorted(PRINTABLE)]
    title = escape("".join(HOSTILE[10:20]))
    preamble = f"\\title{{{title}}}\\hypersetup{{pdftitle={{{title}}}}}"
    pages, log = compiled(folder, preamble, "\\maketitle\n" + "\n".join(body))
    return texts, pages, log, PdfReader(folder / "a.pdf")


class TestText:
    def test_hostile_and_fuzzed_texts_are_printed_literally_in_every_context(self, document):
        texts, pages, _, _ = document
        for number, item in enumerate(texts):
            found = re.findall(rf"Q{number}Q(.*?)Z{number}Z", pages)
            assert len(found) >= (len(CONTEXTS) if number < len(HOSTILE) else 2)
            assert {comparable(f) for f in found} == {comparable(visible(item))}

    def test_every_character_that_counts_as_typesettable_has_a_glyph(self, document):
        _, pages, log, _ = document
        assert "Missing character" not in log
        assert "undefined" not in log
        assert set(re.findall(r"char([0-9a-f]+)is.*?end", pages)) == {f"{ord(c):x}" for c in PRINTABLE}

    def test_the_pdf_title_is_the_text_itself(self, document):
        *_, pdf = document
        assert squeezed(pdf.metadata.title) == squeezed("".join(HOSTILE[10:20]))

    def test_addresses_become_links_to_themselves_in_every_context(self, document):
        *_, pdf = document
        actions = [a.get_object().get("/A", {}) for page in pdf.pages for a in page.get("/Annots", [])]
        links = [action["/URI"] for action in actions if "/URI" in action]
        assert {a: links.count(a) >= 5 for a in ADDRESSES.values()} == dict.fromkeys(ADDRESSES.values(), True)
        assert set(links) == set(ADDRESSES.values())

    def test_file_names_are_printed_literally_in_every_context(self, document):
        _, pages, *_ = document
        for number, name in enumerate(FILES):
            found = re.findall(rf"F{number}F(.*?)G{number}G", pages)
            assert len(found) >= 5
            assert {comparable(f) for f in found} == {comparable(visible(name))}

    def test_white_space_is_one_space_and_never_an_empty_line(self):
        assert escape(" a \n\n b\t") == " a b "
        assert escape("  \n\n ") == "{ }"
        assert escape("") == "{}"

    def test_marks_of_a_text_make_no_ligature_with_what_follows_it(self):
        assert str(escape("so? no!")) == "so{?} no{!}"

    def test_a_long_text_is_cut_visibly(self):
        printed = escape("a" * (LONGEST_TEXT + 5))
        assert printed == "a" * LONGEST_TEXT + "… (5 more characters)"

    @given(st.text())
    def test_no_text_leaves_a_brace_open_or_holds_a_private_character(self, value):
        printed = escape(value)
        assert imbalance(printed) is None
        assert not re.search("[\ue000-\uf8ff\n]", printed)
        assert printed.strip(" ")

    def test_text_takes_texts_and_missing_values_only(self):
        assert text(None) == r"\LRdash{}"
        assert text("a_b") == r"a\_b"
        for wrong, cure in ((1.5, "|num"), (True, "in words"), ({"a": 1}, "keys: a"), ([1], "|join")):
            with pytest.raises(FormatError) as caught:
                text(wrong)
            assert cure in caught.value.cure


@pytest.mark.parametrize(
    ("value", "slug"),
    [
        ("Depth 3, width 3", "depth-3-width-3"),
        ("fig:Dvořák_{x}", "fig:dvorak-x"),
        ("  --  A&B  --  ", "a-b"),
        (7, "7"),
        ("3.1(a)", "3-1-a"),
    ],
)
def test_labels_are_lower_case_letters_digits_hyphens_and_colons(value, slug):
    assert label(value) == slug


@pytest.mark.parametrize("value", ["", "漢字", "{}", "---"])
def test_a_label_without_letter_or_digit_is_refused(value):
    with pytest.raises(FormatError, match="no letter or digit"):
        label(value)


@pytest.mark.parametrize(
    "value", ["example.org", "javascript:alert(1)", "file:///etc/passwd", "https://", 3, None]
)
def test_only_addresses_of_known_schemes_are_printed_as_addresses(value):
    with pytest.raises(FormatError, match="address"):
        url(value)


def test_a_file_name_that_is_no_text_is_refused():
    with pytest.raises(FormatError, match="file name"):
        file(3)


@pytest.fixture(autouse=True)
def exact():
    """Let decimal arithmetic of the tests be exact."""
    with localcontext(prec=2000):
        yield


def shown(number: Number | None) -> str:
    """Return a number as one reads it: mantissa, ± uncertainty, power of ten."""
    if number is None:
        return "-"
    spread = "" if number.uncertainty is None else f" ± {number.uncertainty}"
    return number.mantissa + spread + ("" if number.exponent is None else f" e{number.exponent}")


class TestNumbers:
    @pytest.mark.parametrize(
        ("value", "options", "expected"),
        [
            (0.012345, {}, "0.0123"),
            (123.456, {}, "123"),
            (0.1, {}, "0.100"),
            (9.995, {}, "10.0"),  # a tie: to the even 10.00, of which three digits stay
            (9.985, {}, "9.98"),
            (2.5, {"digits": 1}, "2"),
            (3.5, {"digits": 1}, "4"),
            (0.125, {"decimals": 2}, "0.12"),
            (0.375, {"decimals": 2}, "0.38"),
            (2.675, {"decimals": 2}, "2.68"),  # the shortest decimal counts, not the binary 2.67499…
            (0.99951, {"digits": 3}, "1.00"),
            (99.96, {"digits": 3}, "100"),
            (999999.0, {}, "1.00 e6"),
            (123456.0, {}, "123000"),
            (1234567.0, {}, "1.23 e6"),
            (0.0001, {}, "0.000100"),
            (0.00001234, {}, "1.23 e-5"),
            (0.000099996, {"digits": 4}, "0.0001000"),
            (5e-324, {}, "5.00 e-324"),
            (1.7976931348623157e308, {}, "1.80 e308"),
            (-0.0123456, {}, "-0.0123"),
            (-0.0, {}, "0"),
            (0.0, {}, "0"),
            (0.0, {"decimals": 2}, "0.00"),
            (-0.0004, {"decimals": 2}, "0.00"),
            (1e30, {"decimals": 1}, "1" + "0" * 30 + ".0"),
            (12345678, {}, "12345678"),
            (-7, {}, "-7"),
            (7, {"decimals": 2}, "7.00"),
            (10**40, {}, "1" + "0" * 40),
            (None, {}, "-"),
        ],
    )
    def test_num_rounds_half_to_even_to_significant_digits_or_decimals(self, value, options, expected):
        assert shown(num(value, **options)) == expected

    @pytest.mark.parametrize(
        ("mean", "std", "expected"),
        [
            (0.123456, 0.0123456, "0.123 ± 0.012"),
            (1.23456, 0.5, "1.23 ± 0.50"),
            (0.0996, 0.0999, "0.10 ± 0.10"),  # the std carries: 0.0999 -> 0.10
            (0.0996, 0.0994, "0.100 ± 0.099"),
            (1000.6, 123.4, "1000 ± 120"),
            (14.5, 9.96, "14 ± 10"),
            (15.5, 9.96, "16 ± 10"),
            (1e-9, 0.1, "0.00 ± 0.10"),
            (-1e-9, 0.1, "0.00 ± 0.10"),
            (-0.123456, 0.0123456, "-0.123 ± 0.012"),
            (1.5e-7, 2.5e-8, "1.50 ± 0.25 e-7"),
            (0, 1e-7, "0.0 ± 1.0 e-7"),
            (1e-7, 2e-3, "0.0000 ± 0.0020"),
            (12345678.0, 123456.0, "1.235 ± 0.012 e7"),
            (1e30, 1e-5, "1." + "0" * 36 + " ± 0." + "0" * 34 + "10 e30"),
            (0.123456, 0.0, "0.123 ± 0"),
            (1e-7, 0, "1.00 ± 0 e-7"),
            (1e7, 0.0, "1.00 ± 0 e7"),
            (0, 0, "0 ± 0"),
            (0.123456, None, "0.123"),
            (5, None, "5.00"),
            (5, 0.25, "5.00 ± 0.25"),
            (None, 0.1, "-"),
            (None, None, "-"),
        ],
    )
    def test_pm_gives_the_std_two_digits_and_the_mean_as_many_decimals(self, mean, std, expected):
        assert shown(pm(mean, std)) == expected
        assert shown(pm({"mean": mean, "std": std, "n": 3})) == expected

    @pytest.mark.parametrize(
        ("value", "decimals", "expected"),
        [
            (0.123456, 1, "12.3"),
            (0.9999, 1, "100.0"),
            (0.0005, 1, "0.0"),
            (0.0015, 1, "0.2"),
            (1, 0, "100"),
            (-0.05, 1, "-5.0"),
            (None, 1, "-"),
        ],
    )
    def test_percent_prints_a_fraction_of_one(self, value, decimals, expected):
        number = percent(value, decimals)
        assert shown(number) == expected
        assert number is None or number.latex() == rf"\qty{{{expected}}}{{\percent}}"

    @pytest.mark.parametrize(
        ("seconds", "expected"),
        [
            (0, "0 s"),
            (1e-7, "0.10 us"),
            (2.34e-5, "23 us"),
            (0.0009996, "1.0 ms"),
            (0.00123, "1.2 ms"),
            (0.12, "120 ms"),
            (0.996, "1.0 s"),
            (0.994, "990 ms"),
            (3.21, "3.2 s"),
            (9.94, "9.9 s"),
            (9.96, "10 s"),
            (59.4, "59 s"),
            (59.96, "1 min"),
            (60, "1 min"),
            (61, "1 min 1 s"),
            (90, "1 min 30 s"),
            (119.7, "2 min"),
            (3599.4, "59 min 59 s"),
            (3599.7, "1 h"),
            (3629.7, "1 h"),
            (5369.6, "1 h 29 min"),
            (7180, "2 h"),
            (7260, "2 h 1 min"),
            (360000, "100 h"),
        ],
    )
    def test_durations_carry_at_the_boundaries_of_their_units(self, seconds, expected):
        units = {"micro": "u", "milli": "m", "second": "s", "minute": "min", "hour": "h"}
        parts = re.findall(r"\\qty\{(.*?)\}\{(.*?)\}", duration(seconds))
        read = [n + " " + "".join(units[u] for u in re.findall(r"\w+", unit)) for n, unit in parts]
        assert " ".join(read) == expected

    def test_integers_are_whole(self):
        assert shown(integer(3.0)) == "3"
        assert shown(integer(-(10**20))) == "-1" + "0" * 20
        assert integer(None) is None
        with pytest.raises(FormatError, match="whole number"):
            integer(3.5)

    @pytest.mark.parametrize("formatted", [num, pm, percent, integer, duration])
    @pytest.mark.parametrize("value", [True, "1", [1], {"a": 1}, float("nan"), float("inf")])
    def test_what_is_no_finite_number_is_refused(self, formatted, value):
        with pytest.raises(FormatError):
            formatted(value)

    @pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "3", 100, None])
    def test_digits_are_a_number_that_makes_sense(self, wrong):
        with pytest.raises(FormatError, match="digits must be"):
            num(1.5, digits=wrong)

    def test_a_negative_spread_or_time_is_refused(self):
        for wrong in (lambda: pm(1.0, -0.1), lambda: duration(-1)):
            with pytest.raises(FormatError, match="negative"):
                wrong()

    def test_numbers_are_printed_by_siunitx(self):
        assert to_latex(Number("1.2", "0.3", -7)) == r"\num{1.2 +- 0.3 e-7}"
        assert to_latex(Number("-3")) == r"\num{-3}"
        assert to_latex(None) == r"\LRdash{}"

    @given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 20))
    def test_a_printed_number_is_within_half_a_unit_of_its_last_significant_digit(self, value, digits):
        number, exact = num(value, digits), Decimal(repr(value))
        printed, _ = worth(number.mantissa, number.exponent)
        assert abs(printed - exact) <= Decimal(5).scaleb(exact.adjusted() - digits)
        assert number.exponent is None or 1 <= abs(Decimal(number.mantissa)) < 10
        assert value == 0 or len(number.mantissa.strip("-").replace(".", "").lstrip("0")) >= digits

    @given(
        st.floats(allow_nan=False, allow_infinity=False, min_value=-1e20, max_value=1e20),
        st.floats(min_value=1e-20, max_value=1e20),
    )
    def test_mean_and_std_are_rounded_at_the_second_digit_of_the_std(self, mean, std):
        number = pm(mean, std)
        printed_mean, last_of_mean = worth(number.mantissa, number.exponent)
        printed_std, last_of_std = worth(number.uncertainty, number.exponent)
        unit = Decimal(1).scaleb(Decimal(repr(std)).adjusted() - 1)
        assert abs(printed_std - Decimal(repr(std))) <= unit / 2
        rounded_at = unit * (10 if printed_std == 100 * unit else 1)  # 0.0999 is printed as 0.10
        assert printed_std % rounded_at == printed_mean % rounded_at == 0
        assert abs(printed_mean - Decimal(repr(mean))) <= rounded_at / 2
        assert last_of_mean == last_of_std == min(rounded_at, last_of_std)

    @given(st.floats(min_value=-1e6, max_value=1e6), st.integers(0, 10))
    def test_a_printed_percentage_is_within_half_a_unit_of_its_last_digit(self, value, decimals):
        printed, unit = worth(percent(value, decimals).mantissa, None)
        assert unit == Decimal(1).scaleb(-decimals)
        assert abs(printed - Decimal(repr(value)) * 100) <= unit / 2


def worth(mantissa: str, exponent: int | None) -> tuple[Decimal, Decimal]:
    """Return a printed number and the unit of its last digit."""
    number = Decimal(f"{mantissa}E{exponent or 0}")
    return number, Decimal(1).scaleb(number.as_tuple().exponent)


def place(source: str, wrong: Imbalance) -> tuple[int, str]:
    """Return the line of what is reported, and its text."""
    return source.count("\n", 0, wrong.offset) + 1, source[wrong.offset : wrong.offset + wrong.length]


BALANCED = [
    "",
    r"\emph{a {b} c} \{ \} \\",
    "a % { comment }{\nb",
    "a \\\\% { comment after a line break\nb",
    r"a \% {b} \\ \{",
    r"\verb|{| \verb*+}+ \lstinline!{{! \lstinline[language=C]|}|",
    r"\url{https://x.org/a%20b#c} \href{https://x.org/%7B}{text} {\path{a%b}}",
    "\\begin{verbatim}\n}{ \\end{document} % {\n\\end{verbatim}",
    "\\begin{Verbatim*}[x={]\n}\\end{Verbatim*}",
    "\\begin{lstlisting}[a=b]\nint main() {\n\\end{lstlisting}",
    "\\begin{figure}[tb]\\begin{tabular}{@{}l>{x}p{1cm}}a\\end{tabular}\\end{figure}",
    "\\newenvironment{x}{\\begin{quote}}{\\end{quote}}\n\\begin{document}a\\end{document}",
    "\\begin{document}a\\end{document} anything } after the end \\begin{x}",
    "\\begin{filecontents*}{a.bib}\n{{{\n\\end{filecontents*}\n\\begin{document}\\end{document}",
    r"\verbatiminput{a} \begin {center} \end {center}",
]
DOCUMENT = (
    "\\documentclass{{article}}\n\\begin{{document}}\n{0}\n"
    "\\section{{S}}\n\ntext {{\\bf x}}\n\\end{{document}}\n"
)
UNBALANCED = [
    (r"\emph{never closed", 3, "{", "never closed"),
    (
        "\\section{Results\n\nA paragraph {x}.\n\n\\begin{itemize}\\item a\\end{itemize}",
        3,
        "{",
        "never closed",
    ),
    ("\\begin{itemize}\n\\item a\n\\item \\emph{b\n\\end{itemize}", 5, "{", "never closed"),
    ("\\begin{tabular}{ll}\na & \\textbf{b \\\\\nc & d\n\\end{tabular}", 4, "{", "never closed"),
    ("\\footnote{see \\emph{x} and\nmore", 3, "{", "never closed"),
    ("a\nb } c", 4, "}", "closes nothing"),
    ("\\begin{itemize}\n\\item a}\n\\end{itemize}", 4, "}", "closes nothing"),
    ("{\\begin{itemize}\n\\item a}\n\\end{itemize}}", 4, "}", "closes nothing"),
    ("{\\begin{itemize}\n\\item a}", 3, r"\begin{itemize}", "never closed"),
    ("\\begin{figure}\n\\begin{center}\na\n\\end{figure}", 4, r"\begin{center}", "never closed"),
    (
        "\\begin{figure}\n\\begin{center}\na\n\\end{figure}\n\\end{center}",
        6,
        r"\end{figure}",
        "closes nothing",
    ),
    ("\\begin{table}\na\n\\end{tabel}", 5, r"\end{tabel}", "'table'"),
    ("a\n\\end{figure}", 4, r"\end{figure}", "closes nothing"),
    ("\\begin{figure}\na", 3, r"\begin{figure}", "never closed"),
    ("% {\n\\verb|}|\n\\begin{verbatim}{\\end{verbatim}\n\\{\nx } y", 7, "}", "closes nothing"),
]


class TestImbalance:
    @pytest.mark.parametrize("source", BALANCED)
    def test_what_matches_is_left_alone(self, source):
        assert imbalance(source) is None

    @pytest.mark.parametrize(("body", "line", "marked", "words"), UNBALANCED)
    def test_the_place_is_where_the_mistake_was_made(self, body, line, marked, words):
        source = DOCUMENT.format(body)
        wrong = imbalance(source)
        assert wrong is not None
        assert place(source, wrong) == (line, marked)
        assert words in wrong.what

    @pytest.mark.parametrize(
        ("source", "line", "marked"),
        [
            ("\\newcommand{\\x}{a\n\\begin{document}\n\\end{document}", 1, "{"),
            ("\\begin{document}\na {b\n", 2, "{"),
            ("\\begin{document}\na", 1, r"\begin{document}"),
            ("a\n\\end{document}", 2, r"\end{document}"),
            ("\\emph{a", 1, "{"),
        ],
    )
    def test_mistakes_around_the_document_are_found(self, source, line, marked):
        wrong = imbalance(source)
        assert wrong is not None
        assert place(source, wrong) == (line, marked)

    @given(st.data())
    def test_balanced_text_that_loses_one_brace_is_noticed(self, data):
        atoms = st.sampled_from(["a", r"\{", r"\}", r"\\", r"\%", "\n\n", "%}\n", r"\verb|{|"]).map(
            lambda a: [a]
        )
        nested = st.recursive(
            atoms, lambda inner: st.lists(inner, max_size=4).map(lambda parts: ["{", *chain(*parts), "}"])
        )
        tokens = ["{", "}", *chain(*data.draw(st.lists(nested, max_size=5)))]
        assert imbalance("".join(tokens)) is None
        lost = data.draw(st.sampled_from([i for i, token in enumerate(tokens) if token in ("{", "}")]))
        assert imbalance("".join(tokens[:lost] + tokens[lost + 1 :])) is not None

    def test_a_long_document_takes_no_time_to_check(self):
        source = DOCUMENT.format("\\begin{itemize}\\item \\emph{a} % b\n\\end{itemize}\n" * 20000)
        start = time.process_time()
        assert imbalance(source) is None
        assert time.process_time() - start < 2


def comparable(text: str) -> str:
    """Return a text without the differences between a character and how a page spells it."""
    return squeezed(text).replace("–", "-").replace("‟", "”")

"""Values as LaTeX: text escaped for every context, numbers digit by digit."""

import random
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hostile import HOSTILE, STYLE
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from labreport.explain.texts import readable
from labreport.language.formats import LONGEST_ADDRESS, LONGEST_TEXT, Number, duration, file, percent, url
from labreport.language.quantities import between, change, ci, currency, eng, ordinal, p, rate, sci, se
from labreport.writing.balance import imbalance
from labreport.writing.latex import TYPESETTABLE, escape, to_latex
from labreport.writing.symbols import MATHEMATICS

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
    "Data™ ℠ Ĳĳ ẞ ‱.csv",
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
        c if c in PRINTABLE or c in MATHEMATICS or c.isspace() else f"[U+{ord(c):04X}]"
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
        "\\documentclass{article}\n\\usepackage[article]{labreport}\n\\tracinglostchars=2\n\\hyphenpenalty=10000\n"
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
    body += [CONTEXTS[name].format(to_latex(url(address))) for address in ADDRESSES for name in plain]
    for number, name in enumerate(FILES):
        body += [CONTEXTS[context].format(f"F{number}F{to_latex(file(name))}G{number}G") for context in plain]
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

    def test_a_long_file_name_is_cut_visibly(self):
        printed = to_latex(file("a" * 250_000)).removeprefix(r"\texttt")
        assert readable(printed) == f"{'a' * LONGEST_TEXT}… (247000 more characters)"

    def test_an_address_is_a_link_as_long_as_links_can_be(self):
        long = "https://a.b/" + "c" * (LONGEST_ADDRESS - 12)
        assert rf"\LRaddress{{{long}}}" in to_latex(url(long))
        cut = to_latex(url(long + "c"))
        assert r"\LRaddress" not in cut
        assert readable(cut).endswith(f"c… ({LONGEST_ADDRESS + 1 - LONGEST_TEXT} more characters)")

    def test_a_long_text_is_cut_visibly(self):
        printed = readable(escape("a" * (LONGEST_TEXT + 5)))
        assert printed == "a" * LONGEST_TEXT + "… (5 more characters)"

    @given(st.text())
    def test_no_text_leaves_a_brace_open_or_holds_a_private_character(self, value):
        printed = escape(value)
        assert imbalance(printed) is None
        assert not re.search("[\ue000-\uf8ff\n]", printed)
        assert printed.strip(" ")


NUMBERS = [
    (Number("0.516"), "{0.516}", r"\num{0.516}", "0.516"),
    (Number("-3"), r"{\LRminus{}3}", r"\num{-3}", "−3"),
    (Number("999"), "{999}", r"\num{999}", "999"),
    (Number("1000"), "{1{,}000}", r"\num{1000}", "1,000"),
    (Number("-1234567.1234567"), r"{\LRminus{}1{,}234{,}567.1234567}", None, "−1,234,567.1234567"),
    (Number("0.25", "0.02"), r"{0.25\LRpm{}0.02}", r"\num{0.25 +- 0.02}", "0.25 ± 0.02"),
    (Number("0.5", "0"), r"{0.5\LRpm{}0}", None, "0.5 ± 0"),
    (Number("1.3", None, -15), r"{1.3\LRpower{\LRminus{}15}}", r"\num{1.3 e-15}", "1.3 × 10−15"),
    (
        Number("1.2", "0.3", -7),
        r"{(1.2\LRpm{}0.3)\LRpower{\LRminus{}7}}",
        r"\num{1.2 +- 0.3 e-7}",
        "(1.2 ± 0.3) × 10−7",
    ),
    (percent(0.123456), r"{12.3\LRunit{\%}}", r"\qty{12.3}{\percent}", "12.3 %"),
    (duration(1.2e-5), r"{12\LRunit{\LRmicro{}s}}", r"\qty{12}{\micro\second}", "12 µs"),
    (
        duration(90),
        r"{1\LRunit{min}}~{30\LRunit{s}}",
        r"\qty{1}{\minute}~\qty{30}{\second}",
        "1 min 30 s",
    ),
    (duration(7200), r"{2\LRunit{h}}", r"\qty{2}{\hour}", "2 h"),
    (None, r"\LRdash{}", None, "–"),
    (Number("9.81", unit="m s^-2"), r"{9.81\LRunit{m\LRgroup{}s\LRraised{\LRminus{}2}}}", None, "9.81 m s−2"),
    (eng(4700.0, unit="Ω"), r"{4.70\LRunit{k\LRohm{}}}", r"\qty{4.70}{\kilo\ohm}", "4.70 kΩ"),
    (se(1.2341, 0.005), "{1.234(5)}", r"\num[uncertainty-mode=compact]{1.234(5)}", "1.234(5)"),
    (sci(0.00123), r"{1.23\LRpower{\LRminus{}3}}", r"\num{1.23e-3}", "1.23 × 10−3"),
    (change(0.032), r"{+3.2\LRunit{\%}}", r"\qty[print-implicit-plus]{3.2}{\percent}", "+3.2 %"),
    (
        ci(0.123, 0.081, 0.165),
        r"{0.123\LRgap{}[0.081{,}\LRgap{}0.165]}",
        None,
        "0.123 [0.081, 0.165]",
    ),
    (between(-1.5, 20.0), r"{\LRminus{}1.5\LRgap{}\LRto{}\LRgap{}20.0}", None, "−1.5 – 20.0"),
    (between(2, 17, unit="kg"), r"{2\LRto{}17\LRunit{kg}}", None, "2–17 kg"),
    (p(0.0001), r"{\LRp{}\LRis{<}0.001}", None, "p < 0.001"),
    (rate(0.000123, 100000), r"{12.3\LRgap{}\LRsign{per}\LRgap{}100{,}000}", None, "12.3 per 100,000"),
    (currency(1234.5, "EUR"), r"{\LRsign{€}1{,}234.50}", None, "€1,234.50"),
    (ordinal(3), r"{3\LRsign{rd}}", None, "3rd"),
]
LOOKS = {
    "text": "{}",
    "bold": r"\bfseries {}",
    "italic": r"\itshape {}",
    "small": r"\small {}",
    "mathematics": "$a = {}$",
    "product": "${}x$",
    "exponent": "$x^{{{}}}$",
    "bold mathematics": r"\boldmath$a = {}$",
}


class TestNumbers:
    @pytest.mark.parametrize(("value", "latex"), [entry[:2] for entry in NUMBERS])
    def test_numbers_are_plain_latex_in_one_group(self, value, latex):
        assert to_latex(value) == latex

    def test_they_read_as_siunitx_sets_them_and_are_as_wide_to_a_hair(self, tmp_path):
        shutil.copy(STYLE, tmp_path)
        cases = [(look, entry) for look in LOOKS.values() for entry in NUMBERS]
        body = [r"\newcommand\widths[2]{\sbox0{#1}\sbox2{#2}\typeout{widths: \the\wd0 \space\the\wd2}}"]
        body += [
            rf"\widths{{{look.format(latex)}}}{{{look.format(theirs or latex)}}}"
            for look, (_, latex, theirs, _) in cases
        ]
        body += [f"\\par A{n}A{latex}Z{n}Z" for n, (_, latex, _, _) in enumerate(NUMBERS)]
        body += ["$y_{12}=x^{12}x_12$".replace("{12}", str(to_latex(Number("12"))))]
        pages, log = compiled(tmp_path, r"\usepackage{siunitx}", "\n".join(body))
        measured = re.findall(r"^widths: ([\d.]+)pt ([\d.]+)pt$", log, re.MULTILINE)
        assert len(measured) == len(cases)
        for (look, entry), (ours, theirs) in zip(cases, measured, strict=True):
            assert float(ours) == pytest.approx(float(theirs), abs=0.1), (look, entry)
            assert float(ours) > 0
        for n, (_, _, _, seen) in enumerate(NUMBERS):
            assert f"A{n}A{squeezed(seen)}Z{n}Z" in pages

    def test_headings_contents_and_bookmarks_show_them(self, tmp_path):
        shutil.copy(STYLE, tmp_path)
        numbers = [latex for _, latex, _, _ in NUMBERS]
        body = "\\tableofcontents\n" + "\n".join(rf"\section{{N {latex} end}}" for latex in numbers)
        body += "\n".join(rf"\par\MakeUppercase{{up {latex} end}}" for latex in numbers)  # a running head
        preamble = rf"\hypersetup{{pdftitle={{{' '.join(numbers)}}}}}"
        for _ in range(2):
            pages, _ = compiled(tmp_path, preamble, body)
        assert all(pages.count(f"N{squeezed(seen)}end") == 2 for *_, seen in NUMBERS)
        assert all(f"UP{squeezed(seen)}END" in pages for *_, seen in NUMBERS)
        marks = [re.sub(r"(?<=× 10)−?\d+|(?<=s)−\d+", raised, seen) for *_, seen in NUMBERS]
        pdf = PdfReader(tmp_path / "a.pdf")
        assert normal(pdf.metadata.title).replace("\xa0", " ") == " ".join(marks)
        titles = [normal(entry.title).replace("\xa0", " ") for entry in pdf.outline]
        assert titles == [f"{n} N {mark} end" for n, mark in enumerate(marks, start=1)]


def raised(found: re.Match[str]) -> str:
    return found[0].translate(str.maketrans("−0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def comparable(text: str) -> str:
    """Return a text without the differences between a character and how a page spells it."""
    return squeezed(text).replace("–", "-").replace("‟", "”")


@pytest.mark.parametrize(
    ("text", "what", "cure"),
    [
        ("a {b", "this brace is never closed", "add the missing }"),
        (r"\begin{center} b", r"\begin{center} is never closed", r"add \end{center}"),
    ],
)
def test_what_is_never_closed_is_named_with_what_to_add(text, what, cure):
    found = imbalance(text)
    assert (found.what, found.cure) == (what, cure)

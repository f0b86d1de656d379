"""Values as LaTeX: text escaped for every context, numbers for siunitx, braces that match."""

import random
import re
import shutil
import subprocess
import time
import unicodedata
from itertools import chain
from pathlib import Path

import pytest
from hostile import HOSTILE, STYLE
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from labreport.language.formats import LONGEST_TEXT, Number, duration, file, percent, url
from labreport.writing.latex import TYPESETTABLE, Imbalance, escape, imbalance, to_latex

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

    def test_a_long_text_is_cut_visibly(self):
        printed = escape("a" * (LONGEST_TEXT + 5))
        assert printed == "a" * LONGEST_TEXT + "… (5 more characters)"

    @given(st.text())
    def test_no_text_leaves_a_brace_open_or_holds_a_private_character(self, value):
        printed = escape(value)
        assert imbalance(printed) is None
        assert not re.search("[\ue000-\uf8ff\n]", printed)
        assert printed.strip(" ")


def test_numbers_are_printed_by_siunitx():
    assert to_latex(Number("1.2", "0.3", -7)) == r"\num{1.2 +- 0.3 e-7}"
    assert to_latex(Number("-3")) == r"\num{-3}"
    assert to_latex(percent(0.123456)) == r"\qty{12.3}{\percent}"
    assert to_latex(duration(90)) == r"\qty{1}{\minute}~\qty{30}{\second}"
    assert to_latex(None) == r"\LRdash{}"


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

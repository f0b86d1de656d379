"""Balance: the brace or environment that does not match is found where the mistake was made."""

import time
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labreport.writing.balance import Imbalance, imbalance


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
    "\\newenvironment{x}{\\begin{quote}}{\\end{quote}}\n\\begin {document}a\\end {document}",
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


@pytest.mark.parametrize("source", BALANCED)
def test_text_that_balances_is_left_alone(source):
    assert imbalance(source) is None


@pytest.mark.parametrize(("body", "line", "marked", "words"), UNBALANCED)
def test_an_imbalance_is_placed_where_the_mistake_was_made(body, line, marked, words):
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
def test_mistakes_around_the_document_are_found(source, line, marked):
    wrong = imbalance(source)
    assert wrong is not None
    assert place(source, wrong) == (line, marked)


@given(st.data())
def test_balanced_text_that_loses_one_brace_is_noticed(data):
    atoms = st.sampled_from(["a", r"\{", r"\}", r"\\", r"\%", "\n\n", "%}\n", r"\verb|{|"]).map(lambda a: [a])
    nested = st.recursive(
        atoms, lambda inner: st.lists(inner, max_size=4).map(lambda parts: ["{", *chain(*parts), "}"])
    )
    tokens = ["{", "}", *chain(*data.draw(st.lists(nested, max_size=5)))]
    assert imbalance("".join(tokens)) is None
    lost = data.draw(st.sampled_from([i for i, token in enumerate(tokens) if token in ("{", "}")]))
    assert imbalance("".join(tokens[:lost] + tokens[lost + 1 :])) is not None


def test_a_long_document_takes_no_time_to_check():
    source = DOCUMENT.format("\\begin{itemize}\\item \\emph{a} % b\n\\end{itemize}\n" * 20000)
    start = time.process_time()
    assert imbalance(source) is None
    assert time.process_time() - start < 2

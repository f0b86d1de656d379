"""Where colour and links can stand in LaTeX, and where they would break it."""

import pytest

from labreport.explain.contexts import Contexts, cells


def kind(body: str, mark: str = "42", preamble: str = "") -> str:
    text = rf"\documentclass{{article}}{preamble}\begin{{document}}{body}\end{{document}}"
    start = text.index(mark)
    return Contexts(text).of(start, start + len(mark))


@pytest.mark.parametrize(
    "body",
    [
        "It is 42.",
        r"\emph{It is 42.}",
        r"{\bfseries It is 42}",
        r"\caption{Of 42 points.}\label{fig:a}",
        r"\caption[short]{Of 42 points.}",
        r"\footnote{Of \textbf{42} points.}",
        r"\textcolor{red}{42}",
        r"\begin{itemize}\item 42\end{itemize}",
        r"\begin{center}{\LARGE 42}\end{center}",
        r"\begin{figure}[t]\centering{42}\end{figure}",
        r"\begin{tabular}{@{}lr@{}} a & 42 \\ \midrule {b} & c \end{tabular}",
        r"\begin{tabular}{lr} \multicolumn{2}{c}{42} \end{tabular}",
        "\\begin{tabular}{lr} a & b \\\\ \\addlinespace\n{42} & c \\end{tabular}",
        r"\begin{tabular}{S[table-format=1.2]} {42} \end{tabular}",
        "an interval \\num{1} [42, 3]",
        "$x$ and 42 and $y$",
        r"5\% of 42",
        "a \\\\[1ex] 42",
        "% 41\n42",
    ],
)
def test_what_is_typeset_is_text(body):
    assert kind(body) == "text"


@pytest.mark.parametrize(
    "body",
    [
        "$x = 42$",
        r"\(42\)",
        r"\[ x = 42 \]",
        "$$ 42 $$",
        r"\begin{equation*} x = 42 \end{equation*}",
        r"\begin{align} x &= 42 \\ y &= 1 \end{align}",
        r"$\frac{42}{3}$",
        r"$x^{42}$",
        r"$\text{of 42}$",
    ],
)
def test_formulas_are_mathematics(body):
    assert kind(body) == "mathematics"


@pytest.mark.parametrize(
    "body",
    [
        r"\label{eq:42}",
        r"\cref{fig:42}",
        r"\includegraphics[width=42mm]{a}",
        r"\includegraphics{figures/42.pdf}",
        r"\LRfigure{a.pdf}{An alternative text of 42 words}",
        r"\vspace{42pt}",
        r"\caption[Of 42]{Of all}",
        r"\url{http://x.org/42}",
        r"\href{http://x.org/42}{there}",
        r"\hypersetup{pdftitle={42}}",
        r"\begin{tabular}{p{42mm}} a \end{tabular}",
        r"\begin{tikzpicture}\node {42};\end{tikzpicture}",
        r"\begin{verbatim}42\end{verbatim}",
        r"$\label{42}$",
        "% 42\n",
    ],
)
def test_what_is_no_text_stays_as_it_is(body):
    assert kind(body) == "other"


@pytest.mark.parametrize(
    "body",
    [
        r"\section{The 42 runs}",
        r"\section*{\emph{42} runs}",
        r"\unknowncommand{42}",
        r"\unknowncommand{a}{42}",
        r"\unknowncommand{\emph{42}}",
        r"\unknowncommand{$42$}",
        r"$\unknowncommand{42}$",
    ],
)
def test_what_may_be_typeset_is_told_apart(body):
    assert kind(body) == "argument"


@pytest.mark.parametrize(
    "body", [r"\num{42}", r"\qty{42}{\percent}", r"$\SI{1}{42}$", r"\section{Of \num{42}}"]
)
def test_a_number_that_siunitx_reads_is_told_apart(body):
    assert kind(body) == "number"


@pytest.mark.parametrize(
    "body", [r"\section{A\label{sec:42}}", r"\unknowncommand{\begin{tabular}{S} 42 \end{tabular}}"]
)
def test_what_is_surely_not_typeset_as_it_stands_is_other(body):
    assert kind(body) == "other"


def test_the_preamble_stays_as_it_is():
    assert kind("text", mark="42", preamble=r"\title{42}") == "other"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("S", "cell"),
        ("lS[table-format=1.3]", "cell"),
        (r"@{}r@{${}\pm{}$}S@{}", "cell"),
        ("lrc", "text"),
        (r"l>{\bfseries}r", "text"),
        (r">{\Some}p{3cm}", "text"),
    ],
)
def test_numbers_of_a_table_that_siunitx_sets_are_cells(spec, expected):
    assert kind(rf"\begin{{tabular}}{{{spec}}} \toprule 42 & 1 \\ \end{{tabular}}") == expected


@pytest.mark.parametrize("mark", ["4 & 2", r"4 \\ 2", "4} 2", "{4", "4$ 2"])
def test_a_piece_that_is_no_whole_stays_as_it_is(mark):
    assert kind(rf"a {mark} b", mark=mark) == "other"


def test_what_stands_in_two_columns_is_two_pieces():
    text = r"0.239 & 0.026"
    assert [text[a:b] for a, b in cells(text, 0)] == ["0.239", "0.026"]
    assert list(cells(r"heads \& tails", 5)) == [(5, 5 + len(r"heads \& tails"))]
    assert list(cells("  ", 0)) == []

r"""What a reader reads of LaTeX: words and formulas, each where it stands, without what only TeX reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labreport.writing.prose import VALUE, read_latex


def words(body: str, **options) -> str:
    """Return the words of a document's body, without the blanks that stand for all else."""
    return " ".join(read_latex(body, **options).words.split())


def formulas(body: str) -> str:
    return " ".join(read_latex(body).formulas.split())


@pytest.mark.parametrize(
    ("latex", "read"),
    [
        (r"\section{One} two \emph{three}", "One two three"),
        (r"50\,\% of \& and \#", "50 % of & and #"),
        (r"\cref{fig:1} \citep[section 4.3.2]{knuth1984} \label{eq:1}x", "x"),
        (r"a\\[2pt]b \vspace{3pt}c \setlength\tabcolsep{2.8pt}d", "a b c d"),
        (r"\begin{tabular}{@{}p{3cm}r@{}} a & b \cmidrule(lr){2-3} \end{tabular}", "a & b"),
        (r"\addlinespace \multicolumn{3}{@{}l@{}}{\itshape title}", "title"),
        (r"\begin{figure}[tb] \includegraphics[width=3cm]{f1} \caption[S]{C}\end{figure}", "[S] C"),
        (r"\multicolumn{3}{c}{All} \textcolor{red}{word}", "All word"),
        (r"\texttt{x1} \verb|y2| z \url{https://a.b/3}", "z"),
        (r"\newcommand\net[2]{#1 by #2} x \newcommand{\y}[1]{2} z", "x z"),
        ("a % 3 comments\nb", "a b"),
        ("\\begin{verbatim}\nx = 3\n\\end{verbatim} y", "y"),
        (r"0.5\textwidth wide, 3 times", "wide, 3 times"),
        (r"\cref{a} [3, 5]", "[3, 5]"),
        (r"\href{https://a.b/1}{two}", "two"),
        (r"\begin{tikzpicture}\draw (0,0) -- (3,4);\end{tikzpicture} a", "a"),
    ],
)
def test_only_what_is_typeset_as_text_is_read_as_words(latex, read):
    assert words(latex) == read


@pytest.mark.parametrize(
    ("latex", "read"),
    [
        ("a $x = 3$ b", "x = 3"),
        (r"a \(x\) \[y\] $$z$$ b", "x y z"),
        (r"\begin{align*} x &= 1 \label{eq:7} \\[2pt] y &= 2 \end{align*} 3", r"x &= 1 y &= 2"),
        (r"\begin{alignat}{2} x &= 1 \end{alignat}", "x &= 1"),
        (r"$5\$$ and $6$", r"5\$ 6"),
        (r"\begin{equation} x \text{ at 5 steps} \end{equation}", "x"),
    ],
)
def test_formulas_are_read_apart_from_words(latex, read):
    assert formulas(latex) == read


def test_text_in_a_formula_is_read_as_words():
    assert words(r"$x \text{ at 5 steps}$ a") == "at 5 steps a"


def test_an_unclosed_formula_ends_with_the_text():
    assert formulas("a $x = 3") == "x = 3"


def test_arguments_of_a_name_are_no_words():
    assert words(r"the \net{3}{3} of two", names=["net"]) == "the of two"


def test_everything_keeps_its_place():
    latex = "A $x_1$ and\n\\emph{b} % c\n\\label{d} 12\\,\\% e"
    found = read_latex(latex)
    assert len(found.words) == len(found.formulas) == len(found.source) == len(latex)
    for text in (found.words, found.formulas):
        differing = [(a, b) for a, b in zip(text, latex, strict=True) if not a.isspace() and a != b]
        assert differing == []
    assert found.words.index("12") == latex.index("12")
    assert [latex[start:end] for start, end in found.mathematics] == ["x_1"]


def test_values_are_hidden_and_still_there():
    latex = r"a \num{0.5} b"
    found = read_latex(latex, values=[(2, 11)])
    assert found.words == f"a {VALUE * 9} b"


def test_what_stands_before_the_document_is_not_read():
    assert words("\\title{3} 4\n\\begin{document} 5\n\\end{document}") == "5"


PIECES = [
    *("a ", "12", "$", "{", "}", "[", "]", "(", ")", "\n\n", "~", "&", "%", "\\\\", "\\%", "\\(", "\\)"),
    *("\\[", r"\cref", r"\emph", r"\begin{align}", r"\end{align}", r"\begin{tabular}", r"\text", r"\verb|"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_of_any_text_each_character_is_read_at_its_place_or_not_at_all(latex):
    found = read_latex(latex)
    assert len(found.words) == len(found.formulas) == len(latex)
    for word, formula, typed in zip(found.words, found.formulas, latex, strict=True):
        assert {word, formula} <= {" ", "\n", typed}
        assert " " in (word, formula) or word == formula == "\n"


@pytest.mark.parametrize("command", [r"\\[", r"\cref(", r"\cmidrule(", r"\begin{tabular}("])
def test_a_bracket_that_nobody_closes_hides_nothing(command):
    assert words(f"a {command} 3 and 4") == f"a {command[-1]} 3 and 4"


def test_a_drawing_in_the_line_is_not_read():
    assert words(r"a \tikz\draw (0,0)--(3,1); b \tikz[x=2cm]{\node at (4,5) {c};} d") == "a b d"

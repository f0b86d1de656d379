r"""Digits that an author typed: which may state a result, which may not."""

import pytest
from rendering import rendered

from labreport.claims.reading import read
from labreport.claims.typed import count, typed_numbers, unused

VALUES = {"points": 324, "rate": 0.5, "loss": {"mean": 0.0163, "n": 40}, "seed": 18}
SHOWN = r" (\VAR{d.rate|num})"
"""A result beside a text: only near one is a small number more than structure."""


def marked(body: str, *, values=VALUES, constants=(), questions=("1", "3.1(a)"), names=()) -> list[str]:
    """Return the typed numbers of a text that count as results."""
    reading = read(rendered(body + SHOWN, values), names)
    return [number.text for number in typed_numbers(reading, constants, questions)]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("the grid has 18 points", ["18"]),
        ("degrees 1 to 15", ["1", "15"]),
        ("in 28.5\\,\\% of 1{,}600 and 10\\,000 runs", ["28.5", "1{,}600", "10\\,000"]),
        ("an error of 1e-10", ["1e-10"]),
        (r"below $10^{-10}$ in double, $3 \cdot 10^{-4}$ in single", ["10^{-10}", r"3 \cdot 10^{-4}"]),
        (r"with $p < 0.05$ and $s = 0.3$", ["0.05", "0.3"]),
        (r"from $24 \ln 2$ on", ["24"]),
        (r"after $18\,\mathrm{ms}$, a share of $\frac{18}{32}$", ["18", "18", "32"]),
        (r"$\mathcal{N}(0, 0.1^2)$", ["0.1"]),
        (
            r"\begin{table}\caption{Over 7 runs}\begin{tabular}{ll} a & 42 \\ \end{tabular}\end{table}",
            ["7", "42"],
        ),
        (r"\begin{align} y &= 12.5 x \\ n &= 40 \end{align}", ["12.5", "40"]),
        ("in 2000 runs, after 2000 epochs", ["2000", "2000"]),
        ("10-fold, a 2-layer net", ["10", "2"]),
        (r"\num{18} and \SI{5}{\meter}", ["18", "5"]),
        ("0 of them", ["0"]),
        ("from .85 to .97, $p<.05$", [".85", ".97", ".05"]),
        ("½ of them", ["½"]),
        (r"$t = \SI{3}{ms}$, $\qty[mode=text]{4}{\second}$", ["3", "4"]),
        ("from step 5000 on; in most cases 3 of 20", ["5000", "3", "20"]),
        (r"$18 \times 18$ points, $3 \times 10^4$ runs", ["18", "18", r"3 \times 10^4"]),
        ("top-5 and 5-fold", ["5", "5"]),
        (r"\captionof{figure}{after 18 epochs}", ["18"]),
        (r"in $\mathbf{18}$ of $\mathrm{20}$", ["18", "20"]),
    ],
)
def test_numbers_that_may_be_results_are_found(body, found):
    assert marked(body) == found


@pytest.mark.parametrize(
    "body",
    [
        r"\cref{fig:12}, \citep[section 4.3.2]{a2016} \label{x3}",
        "Table 3, Figures 4 and 5, Sections 2--4, equation (7), page 12, Question 1",
        r"\vspace{12pt}\includegraphics[width=0.5\textwidth]{f2}\\[3pt] \hspace*{2em} 12pt 0.5\linewidth",
        r"\begin{tabular}{@{}p{3cm}*{4}{r}@{}}\cmidrule(lr){2-3} a \end{tabular}",
        "on 29 November 2024, May 3, 2021, since (Knuth, 1984) and in 2016.",
        "L2, Adam2, d1w2, 2D, 12D, 3x3, 16x16 and ResNet50",
        r"$x_1$, $\frac12 x^2$, $2\pi$, $e^{-2}$, $\tfrac{1}{12}(b - a)^2$",
        r"$\sum_{i=1}^{10} x_i$, $y \in \{0, 1\}$",
        r"$2^n$, $\sqrt3$, $3W - D$, $1/4$, $\ln 2$",
        "(1) First, (2) second",
        "conditions (1), (2) and (3): all",
        r"points of $\{0,1\}^2$ or $\{-1,1\}$",
        "UTF-8, SHA-256, ResNet-50 and 32-bit numbers",
        r"classes 0 and 1, lines 12--15, footnote 3, a $3 \times 3$ matrix",
        r"\lstinline!x = 42!, \lstinline[language=C]|y = 18| and \lstinline{z = 3.5}",
        r"\definecolor{shade}{rgb}{0.1,0.2,0.35}\multirow{3}{*}{a}",
        r"question 3.1(a), \question{1}{text}",
        r"class 1, layers of layer 2 and label 0",
        "\\begin{verbatim}\nx = 3\n\\end{verbatim}",
        r"\texttt{x = 3}",
        "a % 3 comments\n",
        "\n%# 3 comments of the template\n",
        r"\BLOCK{typed 'the size of an example'}784 inputs\BLOCK{endtyped}",
        r"\VAR{d.points|integer} points",
    ],
)
def test_numbers_that_state_no_result_are_left_alone(body):
    assert marked(body) == []


def test_small_numbers_of_a_derivation_are_structure():
    derived = "For $i = 0$ it is 1, with $l = 2, \\dots, L$.\n\nBut 2 runs, and 1"
    assert marked(derived) == ["2", "1"]


@pytest.mark.parametrize(
    "body", [r"\VAR{18}", r"\VAR{'18 points'}", r"\BLOCK{for n in [18]}\VAR{n|num}\BLOCK{endfor}"]
)
def test_a_literal_in_an_expression_is_typed_too(body):
    assert marked(body) == ["18"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (r'\VAR{(d.rate|num) ~ " of 18 runs, " ~ (d.points|integer)}', ["18"]),
        (r'\VAR{[d.rate|num, "18 runs"]|join(", ")}', ["18"]),
        (r'\VAR{(d.rate|num) ~ " of " ~ (d.points|integer)}', []),
    ],
)
def test_a_literal_that_an_expression_joins_to_values_is_typed(body, found):
    assert marked(body) == found


def test_the_count_of_a_loop_is_not_typed():
    assert marked(r"\BLOCK{for _ in d.loss}\VAR{loop.index}\BLOCK{endfor}") == []


def test_heads_of_tables_are_typed():
    table = r'\VAR{d.t|table(column("after 18 epochs", "v", "num"))}'
    assert marked(table, values={**VALUES, "t": [{"v": 1.5}]}) == ["18"]


class TestConstants:
    def test_a_constant_is_a_whole_number(self):
        assert marked("95 of 295, 95.5 and 0.95", constants=["95"]) == ["295", "95.5", "0.95"]

    @pytest.mark.parametrize("body", ["95~\\% intervals", "95\\,\\%", "95 \\%", "95\\%"])
    def test_a_blank_is_any_that_latex_knows(self, body):
        constant = "95 %" if body[2:4] != "\\%" else "95%"
        assert marked(body, constants=[constant]) == []
        assert marked(body) == ["95"]

    def test_a_phrase_allows_no_number_elsewhere(self):
        assert marked("105 training points and 105 more", constants=["105 training points"]) == ["105"]

    def test_a_hash_is_any_number_or_list_of_numbers(self):
        text = "Width 1, width 2 or 3, width 1 to 3, depth 1"
        assert marked(text, constants=["width #"]) == ["1"]

    def test_arguments_of_a_command_that_is_listed_are_names(self):
        assert marked(r"the \net{3}{4} has 5", constants=["\\net"], names=["net"]) == ["5"]

    def test_constants_that_stand_nowhere_are_known(self):
        reading = read(rendered(r"95~\% \net{1}{2}"))
        assert unused(reading, ["95 %", "77", "\\net", "\\other"]) == ["77", "\\other"]


@pytest.mark.parametrize(
    ("claim", "text", "found"),
    [
        ('"c", d.points > 8', "over 8 points, 18 in all", ["18"]),
        ('"c", d.rate > 0.9', r"at least 90\,\%, or 90", ["90"]),
        ('"c", d.points > 10000', r"over 10\,000", []),
        ('"c", d.rate < 1e-6', "below $10^{-6}$", []),
        ('"gain-of-18", d.points > 8', "a gain of 18", ["18"]),  # a name says nothing about data
        ('"c", d.L[18] > 8', "18 of them", ["18"]),  # nor does an index
        ('"c", d.s == "18"', "18 of them", ["18"]),
    ],
)
def test_a_claim_may_name_the_numbers_of_its_predicate(claim, text, found):
    class Holds:
        verdict = "holds"

    out = rendered(
        f"\\BLOCK{{claim {claim}}}{text}\\BLOCK{{endclaim}}{SHOWN}",
        {**VALUES, "L": [9] * 19, "s": "18"},
        predicates={"compare": lambda *_: True},
        judge=lambda stated: [Holds() for _ in stated],
    )
    assert [number.text for number in typed_numbers(read(out))] == found


def test_the_sentence_and_the_place_of_a_number_are_known():
    out = rendered("First one. The grid\nhas 18~points, \\VAR{d.points|integer} in all. Last.", VALUES)
    (number,) = typed_numbers(read(out))
    assert number.sentence == "The grid has 18 points, … in all."
    assert (out.place(number.start).line, number.value, number.nouns[0]) == (2, 18.0, "points")


def test_the_sentence_of_a_number_without_a_zero_keeps_its_blank():
    (number,) = typed_numbers(read(rendered("a share of .85 , as \\VAR{d.points|integer} show", VALUES)))
    assert number.sentence == "a share of .85, as … show"


def test_all_typed_numbers_are_counted():
    assert count(read(rendered(r"1 and 2.5 in $x_3$, \cref{fig:4} \VAR{d.points|integer}", VALUES))) == 4

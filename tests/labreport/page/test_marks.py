"""Which pieces of the LaTeX get marks."""

import re

import pytest

from labreport.explain import Answer, Claim, Place, Record, Value
from labreport.explain.record import Excerpt, Figure
from labreport.page import marks

BEGIN, END = r"\begin{document}", r"\end{document}"


def place(text: str, offset: int) -> Place:
    """Return the place of an offset in a text."""
    line = text.count("\n", 0, offset) + 1
    return Place("report", "t.j2", 1, line, offset - text.rfind("\n", 0, offset), 1)


def document(body: str) -> str:
    return f"{BEGIN}\n{body}\n{END}"


def body_of(text: str) -> str:
    """Return what stands in a marked document, with `<id` and `>` in the place of the marks."""
    body = text.partition(f"{BEGIN}\n")[2].removesuffix(f"\n{END}")
    return re.sub(r"\\LRe\{\w+\}", ">", re.sub(r"\\LRb\{(\w+)\}", r"<\1 ", body))


def value(text: str, printed: str, start: int = 0) -> Value:
    return Value(place(text, text.index(printed, start)), printed, printed, (), "x", 1)


def marked(body: str, *printed: str, **kwargs: bool) -> str:
    """Return the body with marks around values, each the first of its text."""
    text = document(body)
    return body_of(marks.marked(text, Record(values=tuple(value(text, p) for p in printed)), **kwargs))


@pytest.mark.parametrize(
    ("body", "printed", "expected"),
    [
        ("It is {12}.", "{12}", "It is {<v0 12>}."),
        ("It is 12.", "12", "It is <v0 12>."),
        ("$x^{12}$", "{12}", "$x^{<v0 12>}$"),
        ("two words, more", "two words", "<v0 two> <v0 words>, more"),
        ("$two words$", "two words", "$<v0 two words>$"),
        (r"{0.2\LRpm{}0.1} and", r"{0.2\LRpm{}0.1}", r"{<v0 0.2\LRpm{}0.1>} and"),
        (r"\section{Of {12} runs}", "{12}", r"\section{Of {<v0 12>} runs}"),
        (r"\own{{12}}", "{12}", r"\own{{<v0 12>}}"),
        (r"by \num{12} or", "12", r"by <v0 \num{12}> or"),
        (r"by \qty[a=b]{12}{\percent} or", "12", r"by <v0 \qty[a=b]{12}{\percent}> or"),
        (
            r"\begin{tabular}{S} 12 & 1 \end{tabular}",
            "12",
            r"\begin{tabular}{S} {<v0 }12{>} & 1 \end{tabular}",
        ),
        (
            r"\begin{tabular}{ll} 12 & 1 \end{tabular}",
            "12 & 1",
            r"\begin{tabular}{ll} <v0 12> & <v0 1> \end{tabular}",
        ),
        (r"\$5 and \%", r"\$5 and \%", r"<v0 \$5> <v0 and> <v0 \%>"),
        (r"\label{fig:12}", "12", r"\label{fig:12}"),
        ("% 12\nend", "12", "% 12\nend"),
    ],
)
def test_a_value_is_marked_where_it_is_typeset(body, printed, expected):
    assert marked(body, printed) == expected


@pytest.mark.parametrize("begin", [r"\begin {document}", "\\begin\n{document}"])
def test_blanks_are_allowed_where_the_document_begins(begin):
    text = f"{begin} It is {{12}}. {END}"
    told = marks.marked(text, Record(values=(value(text, "{12}"),)))
    assert told == rf"{marks.HEAD}{begin} It is {{\LRb{{v0}}12\LRe{{v0}}}}. {END}"


def test_a_document_that_begins_in_another_file_gets_no_marks():
    text = r"\input{begin} It is {12}."
    assert marks.marked(text, Record(values=(value(text, "{12}"),))) == text


@pytest.mark.parametrize(
    ("preamble", "expected"),
    [
        (r"\newcommand{\rate}{{12}}", r"\newcommand{\rate}{{<v0 12>}}"),
        (r"\renewcommand*\rate{12}", r"\renewcommand*\rate{<v0 12>}"),
        (r"\def\rate{12}", r"\def\rate{<v0 12>}"),
        (r"\newcommand{\rate}{\label{12}}", r"\newcommand{\rate}{\label{12}}"),
        (r"\hypersetup{pdftitle={12}}", r"\hypersetup{pdftitle={12}}"),
        (r"% \newcommand{\rate}{12}", r"% \newcommand{\rate}{12}"),
    ],
)
def test_a_macro_that_stands_for_a_value_is_marked(preamble, expected):
    text = f"{preamble}\n{BEGIN}{END}"
    printed = "{12}" if "{{12}}" in preamble else "12"
    record = Record(values=(value(text, printed),))
    told = marks.Marking(text, record, macros=True).text_with_marks().partition("\n")[0]
    assert re.sub(r"\\LRe\{\w+\}", ">", re.sub(r"\\LRb\{(\w+)\}", r"<\1 ", told)) == expected
    assert marks.marked(text, record) == f"{preamble}\n{marks.HEAD}{BEGIN}{END}"


def test_arguments_of_commands_that_are_not_known_can_be_left_as_they_are():
    assert marked(r"\own{{12}} {3}", "{12}", "{3}", arguments=False) == r"\own{{12}} {<v1 3>}"


def test_a_value_that_does_not_stand_at_its_place_is_left_out():
    text = document("It is {12}.")
    moved = Value(place(text, text.index("is")), "{12}", 12, (), "x", 1)
    assert body_of(marks.marked(text, Record(values=(moved,)))) == "It is {12}."


def test_what_a_notebook_shows_is_not_looked_for():
    text = document("It is {12}.")
    other = Value(Place("notebooks/a", "t.j2", 1, 2, 7, None, 3), "{12}", 12, (), "x", 1)
    record = Record(values=(other, value(text, "{12}")))
    assert body_of(marks.marked(text, record)) == "It is {<v1 12>}."


def test_the_words_and_values_of_a_claim_are_marked_and_nothing_else_of_it():
    text = document(r"\LRanswer{a}It is {12} or \emph{more}, \hskip 3pt for $x$ coins.")
    sentence = r"It is {12} or \emph{more}, \hskip 3pt for $x$ coins."
    claim = Claim(place(text, text.index("It")), "n", "holds", True, None, sentence, "x > 1", (), {}, ())
    got = body_of(marks.marked(text, Record(values=(value(text, "{12}"),), claims=(claim,))))
    expected = (
        r"\LRanswer{a}<c0 It> <c0 is> {<v0 <c0 12>>} <c0 or> \emph{more}, \hskip 3pt <c0 for> $x$ <c0 coins.>"
    )
    assert got == expected


def test_a_figure_is_marked_with_its_options_and_words():
    figure = r"\LRfigure[width=1mm]{figures/c-line.pdf}{It {\itshape rises}.}"
    text = document(rf"\begin{{figure}}{figure}\end{{figure}}")
    record = Record(
        figures=(Figure(place(text, text.index(figure)), "c.figures.line", "figures/c-line.pdf"),)
    )
    assert body_of(marks.marked(text, record)) == rf"\begin{{figure}}<f0 {figure}>\end{{figure}}"


def test_each_line_of_an_excerpt_is_marked_with_its_number():
    code = "\\LRcode[1]{a.py}{%\n\\LRline{1}{def}%\n\\nobreak\\LRline{}{\\ \\{x\\}}}"
    text = document(f"{code}\n\\LRcode{{}}{{\\LRline{{}}{{other}}}}")
    excerpt = Excerpt(place(text, text.index(r"\LRcode[")), "a:f", None, "a.py", None, (1, 2))
    got = body_of(marks.marked(text, Record(excerpts=(excerpt,))))
    lines = "\\LRcode[1]{a.py}{%\n\\LRline{<e0 1}{def>}%\n\\nobreak\\LRline{<e0 }{\\ \\{x\\}>}}"
    assert got == f"{lines}\n\\LRcode{{}}{{\\LRline{{}}{{other}}}}"


def test_first_and_last_words_of_the_lines_of_an_answer_are_marked_outside_floats():
    text = document("One two three\n\\begin{table}\nfar away\n\\end{table}\nfour five six\nafter it")
    answer = Answer(place(text, text.index("One")), "1", file_end=7)
    expected = (
        "<a0 One> two <a0 three>\n\\begin{table}\nfar away\n\\end{table}\n<a0 four> five <a0 six>\nafter it"
    )
    assert body_of(marks.marked(text, Record(answers=(answer,)))) == expected

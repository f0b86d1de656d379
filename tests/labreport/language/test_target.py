"""What targets tell of their language: where LaTeX takes a name (a label, a key, a file)."""

import pytest
from rendering import mistake, rendered


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (r"\label{fig:\VAR{d.x}}", r"\label{fig:a_b-c}"),
        (r"\ref{\VAR{d.x}} and \VAR{d.x}", r"\ref{a_b-c} and a\_b{-}c"),
        (r"\Cref{fig:\VAR{d.x},fig:\VAR{ d.x }}", r"\Cref{fig:a_b-c,fig:a_b-c}"),
        (r"\citep[see][p.~3]{\VAR{d.x}}", r"\citep[see][p.~3]{a_b-c}"),
        (r"\includegraphics[width=\linewidth]{figures/\VAR{d.x}}", None),
        (r"\section{\VAR{d.x}}\label{\VAR{d.y|label}}", r"\section{a\_b{-}c}\label{50-of-x}"),
    ],
)
def test_a_name_is_printed_as_it_is(source, expected):
    found = rendered(source, {"x": "a_b-c", "y": "50 % of x"}).text
    assert found == (expected or source.replace(r"\VAR{d.x}", "a_b-c"))


@pytest.mark.parametrize("value", ["50 % of x", "a#b", r"\input{x}", "é", "x}y", "a\nb"])
def test_what_is_no_name_is_refused_with_the_cure(value):
    error = mistake("\n\\label{fig:\\VAR{d.x}}", values={"x": value})
    assert error.place.line == 2
    assert r"\label takes a name" in str(error)
    assert r"\VAR{d.x|label}" in str(error)


def test_a_text_elsewhere_is_no_name():
    source = r"\label{a}\VAR{d.x} \textbf{\VAR{d.x}} \href{a}{\VAR{d.x}} \relabel{\VAR{d.x}}"
    assert rendered(source, {"x": "50 %"}).text == source.replace(r"\VAR{d.x}", r"50 \%")

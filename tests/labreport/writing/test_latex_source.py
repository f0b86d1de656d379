"""What an author typed, read from the LaTeX as TeX would read it."""

import textwrap

import pytest

from labreport.writing import latex_source


def source(body: str) -> latex_source.Source:
    return latex_source.Source(
        "\\newcommand\\x{\\cite{preamble}}\n\\begin{document}\n" + textwrap.dedent(body)
    )


def test_captions_end_at_their_own_brace():
    (found,) = source(r"\begin{figure}\caption[a]{b \{ {c} \% d}\label{e}\end{figure}").floats
    assert (found.caption, found.labels, found.early) == (r"b \{ {c} \% d", ("e",), ())


def test_an_unclosed_brace_is_no_argument():
    (found,) = source(r"\begin{figure}\caption{b \label{e}\end{figure}").floats
    assert (found.caption, found.labels) == (None, ("e",))


@pytest.mark.parametrize(
    "hidden",
    [
        r"% \cref{a}",
        "\\\\% \\cref{a}",
        "\\begin{verbatim}\n\\cref{a}\n\\end{verbatim}",
        "\\begin{comment}\n\\cref{a}\n\\end{comment}",
        "\\iffalse\n\\cref{a}\n\\fi",
    ],
)
def test_comments_and_verbatim_text_refer_to_nothing(hidden):
    found = source(f"50\\% \\cref{{b}} {hidden}\n\\Cref{{c}}").references
    assert [key for _, key in found] == ["b", "c"]


def test_references_come_in_lists_and_ranges_and_under_many_names():
    text = r"\ref{a} \cref*{b,c} \autoref{d} \crefrange{e}{f} \eqref{g} \refused{h} \preref{i} \pageref{j}"
    assert {key for _, key in source(text).references} == set("abcdefgj")


def test_citations_are_found_in_macros_too():
    text = r"\citep[see][p.~3]{a, b} \citet*{c} \Citeauthor{d} \citestyle{e} \nocite{f}"
    assert [key for _, key in source(text).citations] == ["preamble", "a", "b", "c", "d"]


def test_bibtex_entries_are_listed_without_strings_and_comments():
    bib = "@string{x = {y}}\n@Book { a ,\n title={@b{c,}}}\n@comment{d, e}\n  @misc(f, note={})"
    assert [(bib.count("\n", 0, at) + 1, key) for at, key in latex_source.entries(bib)] == [
        (2, "a"),
        (5, "f"),
    ]

"""Checks of what the text says: typed digits, words that state results, numbers that do not fit."""

import projects
from checked import line, note, places

from labreport import project as project_module
from labreport.checks import checks
from labreport.checks.material import Material

CONSTANT = '[constants]\n"100 %" = "a figure of speech"\n'


def add(project, text: str) -> str:
    """Add a sentence to the answer of the first question; return its place."""
    template = project.templates / "report.tex.j2"
    projects.change(template, "\\citep[p.~5]{knuth1984}", f"\\citep[p.~5]{{knuth1984}}.\n{text}\nSee")
    return line(project, text.strip())


def test_a_typed_digit_is_told_with_its_sentence_and_the_result_beside_it(copy):
    place = add(copy, "The grid has 18 n's.")
    assert places("typed digits", copy) == [
        f"{place}: 18 in “The grid has 18 n's.”: no result has this value; "
        "nearest: exp.values.n = 3, exp.values.loss.n = 1000?"
    ]


def test_typed_digits_and_comparisons_fail_and_words_of_quantity_only_warn(copy):
    add(copy, "The second of 18 is better and never fails.")
    states = {verdict.name: verdict.state for verdict in checks.check(copy, {})}
    assert (states["typed digits"], states["comparisons"], states["words of quantity"]) == (
        *("failed", "failed", "warning"),
    )


def test_a_constant_of_report_toml_is_allowed_and_one_that_is_nowhere_told(copy):
    assert places("typed digits", copy) == []
    projects.change(copy.root / "report.toml", CONSTANT, '[constants]\n"77" = "a reason"\n')

    changed = project_module.load(copy.root)
    (digit,) = places("typed digits", changed)
    assert digit.startswith(line(copy, r"100\,\% sure"))
    assert places("constants", changed) == ["report.toml: '77' (a reason) stands nowhere in the report"]


def test_a_block_with_a_reason_silences_digits_and_words(copy):
    add(copy, r'\BLOCK{typed "an example"}All 18 are better.\BLOCK{endtyped}')
    for name in ("typed digits", "comparisons", "words of quantity"):
        assert places(name, copy) == []


def test_a_comparison_counts_once_in_an_answer_or_outside_of_it(copy):
    place = add(copy, "The second is better.")
    projects.change(copy.templates / "report.tex.j2", r"\clearpage", "One is worse.\n\\clearpage")
    assert places("comparisons", copy) == [f"{place}: better in “The second is better.”"]
    assert places("words of quantity", copy) == [f"{line(copy, 'One is worse.')}: worse in “One is worse.”"]
    assert note("comparisons", copy).startswith("1 of ")


def test_numbers_that_do_not_fit_are_told_with_both_places(bad):
    first = line(bad, r"\VAR{exp.values.first|num} or")
    again = line(bad, r"\VAR{exp.values.first|num(digits=2)}, the")
    difference = line(bad, r"\VAR{(exp.values.first - exp.values.second)|num(digits=2)}")
    assert places("precision", bad) == [
        f"{again}: exp.values.first is printed as 0.25 here, as 0.253 there (the other at {first})"
    ]
    assert places("arithmetic", bad) == [
        f"{difference}: 0.253 − 0.229 is 0.024, not 0.023 (the other at {first})"
    ]
    (mean,) = places("standard errors", bad)
    assert mean.endswith("0.05 ± 0.12 over 1000 values (exp.values.loss.n): the standard error is 0.004")


def test_settings_such_as_the_title_are_no_results(copy):
    add(copy, "\n\nAll of \\VAR{report.title} is one, only one.\n\n")
    assert places("words of quantity", copy) == []


def test_numbers_are_those_of_the_results_by_their_keys(good):
    numbers = Material(good, {}).numbers
    assert (numbers["exp.values.n"], numbers["exp.values.loss.std"]) == (3, 0.121)
    assert (numbers.get("exp.values.none"), numbers.get("none.values.n")) == (None, None)
    assert sorted(numbers) == sorted(dict(numbers))
    assert len(numbers) == len(list(numbers)) >= 6

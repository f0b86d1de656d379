"""Hostile strings in every context: a few of those that `make torture` tries by the thousand."""

import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torture import strings
from torture.trial import table


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_no_string_is_lost_or_executed_or_stops_a_build():
    text, failed = table(strings.trials(60, seed=17))
    assert failed == [], text
    contexts = {line[:20].strip() for line in text.split("\n")}
    assert {"body", "table head", "bookmark", "URL", "notebook: cell"} <= contexts


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_no_string_is_lost_in_a_notebook(chance):
    text, failed = table(strings.in_notebook([strings.one(chance)]))
    assert failed == [], text


def test_what_is_seen_instead_of_a_text_is_told():
    (trial,) = table([strings.judged("body", "a_b", "ab", "a_b")])[1]
    assert (trial.context, trial.outcome) == ("body", "lost")
    assert "from character 1 on seen 'ab', expected 'a_b'" in trial.detail


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@pytest.mark.parametrize(
    "text",
    [
        "W" * 5_000,
        "\N{HORSE}" * 5_000,
        "Ỳ॒",
        "x`\u2028ẏ",
        "ゕ⤯╼ℏ2CbA\\input secret |.{\n&nbsp#}=\ue51e🃪∏ｍ\\end{document}",
    ],
    ids=["wide", "not shown", "accent", "a dot above", "a large sign"],
)
def test_a_text_that_once_was_lost_or_stopped_a_build_is_kept(text):
    text, failed = table(strings.in_pdf([text]))
    assert failed == [], text

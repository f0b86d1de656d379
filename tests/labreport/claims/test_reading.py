"""Sentences and paragraphs of a rendered text, and the experiments whose values stand there."""

import pytest
from rendering import rendered

from labreport.claims.reading import Reading, read


def found(body: str, word: str) -> tuple[Reading, int]:
    """Return a text as it is read, and where a word of it stands."""
    reading = read(rendered(body))
    return reading, reading.rendered.text.index(word)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("One. The Q is \\VAR{d.n}, yes. Two.", "The Q is …, yes."),
        ("See e.g. the Q. Two", "See e.g. the Q."),
        ("One\n\nthe Q\n\ntwo", "the Q"),
        (r"One \item the Q \item two", "the Q"),
        (r"a & the Q & b", "the Q &"),
        (r"One \caption{the Q} \label{x}", "the Q"),
        ("\\subsection{One}\nthe Q", "the Q"),
        (r"One \section{the Q} two", "the Q"),
        ("one two three four five six seven Q. Eight", "… two three four five six seven Q."),
        ("Q one two three four five six seven", "Q one two three four five six …"),
    ],
)
def test_a_word_is_shown_with_its_sentence(body, sentence):
    reading, at = found(body, "Q")
    assert reading.around(at, at + 1) == sentence


def test_a_paragraph_shows_the_experiments_whose_values_it_prints():
    reading, at = found("An x\n\n\\VAR{d.n} and a y\n\n\\VAR{'a literal'}", "y")
    assert reading.experiments(at) == ("d",)
    assert reading.experiments(0) == ()
    assert [reading.shows_results(offset) for offset in (0, at, len(reading.rendered.text) - 1)] == [
        *(False, True, False)
    ]


def test_a_caption_without_values_shows_what_stands_beside_it():
    reading, at = found(r"\VAR{d.n} \caption{An x} text", "x")
    assert reading.experiments(at) == ("d",)

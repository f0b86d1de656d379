"""Words that state results: which are marked, and which phrases are idioms."""

import re
import tomllib

import pytest
from rendering import rendered

from labreport.claims.reading import read
from labreport.claims.wording import COMPARING, ENGLISH, pattern, quantities

SHOWN = r" (\VAR{d.n})"


def marked(body: str, **options) -> list[tuple[str, str]]:
    """Return the words of a text that state results, beside a result, each with its kind."""
    return [(word.text, word.kind) for word in quantities(read(rendered(body + SHOWN, **options)))]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("Deeper ones reach a lower loss", [("lower", "comparative")]),
        ("Most settings are better", [("Most", "superlative"), ("better", "comparative")]),
        (
            "it never fails, nearly all do",
            [("never", "quantity"), ("nearly", "quantity"), ("all", "quantity")],
        ),
        ("there is no difference", [("no difference", "significance")]),
        ("it outperforms them tenfold", [("outperforms", "comparative"), ("tenfold", "quantity")]),
        ("orders of magnitude apart", [("orders of magnitude", "significance")]),
        (
            "they do not differ significantly",
            [("not differ", "significance"), ("significantly", "significance")],
        ),
        ("ten times fewer steps", [("ten times", "number"), ("fewer", "comparative")]),
        ("three times, half", [("three times", "number"), ("half", "quantity")]),
        ("it merges two\nor three clusters", [("two or three", "number")]),
        ("eight of the runs", [("eight", "number")]),
        ("which is the best", [("best", "superlative")]),
        ("width matters most", [("most", "superlative")]),
    ],
)
def test_words_that_state_results_are_marked(body, found):
    assert marked(body) == found


@pytest.mark.parametrize(
    "body",
    [
        "more than one run, at most two, at least three, at best four",
        "if and only if, only if, not only",
        "The best trial and its lowest loss",
        "the lower bound, upper and lower, higher-order terms, least squares, once more, no longer",
        "two networks, three hidden layers, the two of them",
        "as many epochs, how often, over all points",
        r"the mean of all \VAR{d.n|integer} runs, the second half of the epochs, equal to five decimals",
        "significant digits, powers of ten",
        r"\begin{tabular}{ll} lowest & highest \\ \end{tabular}",
        "overall, moreover, worsen, nonetheless",
        r"\texttt{all} \cref{best} \label{most} % never",
        r"\BLOCK{typed 'a definition'}never more than all\BLOCK{endtyped}",
    ],
)
def test_idioms_names_and_what_nobody_reads_are_left_alone(body):
    assert marked(body) == []


def test_usual_words_count_only_beside_results():
    out = rendered("All paths lead only there.\n\nAll of them fail: \\VAR{d.n}.\n\nThey never do.")
    assert [word.text for word in quantities(read(out))] == ["All", "never"]


def test_words_inside_a_claim_are_not_marked():
    class Fails:
        verdict = "fails"

    body = (
        r'One is better. \BLOCK{claim "c", d.n > 8}more\BLOCK{undecided}no difference'
        r"\BLOCK{otherwise}fewer\BLOCK{endclaim} of them."
    )
    options = {"predicates": {"compare": lambda *_: True}, "judge": lambda stated: [Fails() for _ in stated]}
    assert marked(body, **options) == [("better", "comparative")]


def test_comparisons_in_an_answer_are_known_as_such():
    out = rendered(
        r"It is worse. \BLOCK{answer '1'} It is better, never worse.\BLOCK{endanswer} More " + SHOWN
    )
    found = quantities(read(out))
    answered = [("better", True), ("never", True), ("worse", True)]
    assert [(w.text, w.is_answer) for w in found] == [("worse", False), *answered, ("More", False)]
    assert [word.kind in COMPARING for word in found] == [True, True, False, True, True]


def test_the_sentence_and_the_line_of_a_word_are_known():
    out = rendered("It rises. The second\nis better than \\VAR{d.n}, we think. Yes.")
    (word,) = quantities(read(out))
    assert word.sentence == "The second is better than …, we think."
    assert out.place(word.start).line == 2


class TestTable:
    """The words are data: a table whose every line does something."""

    table = tomllib.loads(ENGLISH.read_text(encoding="utf-8"))

    def test_no_word_is_listed_twice(self):
        words = [word for text in self.table["words"].values() for word in text.split()]
        assert len(set(words)) == len(words) > 50

    @pytest.mark.parametrize("kind", ["comparative", "superlative", "quantity", "number", "significance"])
    def test_each_allowed_phrase_holds_a_word_that_would_be_marked(self, kind):
        texts = [*self.table["words"].values(), self.table["numbers"]["large"]]
        words = {word for text in texts for word in text.split()}
        idle = [p for p in self.table["allowed"][kind] if not words & set(re.split(r"\W+", p))]
        assert idle == []

    def test_each_usual_word_is_a_word_of_the_table(self):
        words = {word for text in self.table["words"].values() for word in text.split()}
        assert set(self.table["common"]["words"].split()) <= words

    def test_a_table_in_another_language_is_another_file(self, tmp_path):
        other = tmp_path / "german.toml"
        other.write_text(
            'common = {words = "alle"}\ndescribed = {by = "das", not_after = "ist"}\n'
            'words = {superlative = "beste", quantity = "alle nie"}\nphrases = {}\n'
            'allowed = {quantity = ["vor allem"]}\n'
            'numbers = {small = "zwei", large = "zehn", before = "mal", joined = "oder"}\n'
        )
        text = "nie, zehn, das beste, ist das beste, vor allem"
        found = [(m[0], m.lastgroup) for m in pattern(other).finditer(text) if m.lastgroup != "allowed"]
        assert found == [("nie", "quantity"), ("zehn", "number"), ("beste", "superlative")]

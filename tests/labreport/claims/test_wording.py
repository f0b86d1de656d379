"""Words that state results: which are marked, and which phrases are idioms."""

import re
import tomllib
from pathlib import Path

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


VALUES = {"params": {"n": 5}, "values": {"n": 3}}
SHOWING = r"""
\begin{figure}\VAR{d.values.n}\caption{A}\label{fig:a}\end{figure}

\begin{table}\VAR{d.values.n}\caption{A}\label{tab:a}\end{table}

"""


def beside(sentence: str, before: str = r"It is \VAR{d.values.n}.") -> list[str]:
    """Return the words of a sentence that state results, in a section that shows some."""
    text = f"\\section{{A}}\n{SHOWING}{before}\n{sentence}\nThis is it.\n"
    return [word.text for word in quantities(read(rendered(text, VALUES)))]


class TestCommonWords:
    """Words such as "all" count in a sentence that reports a result, not in one that describes a set-up."""

    @pytest.mark.parametrize(
        ("sentence", "found"),
        [
            (r"All of \VAR{d.values.n} fit", ["All"]),
            (r"All of \VAR{d.params.n} fit", []),
            (r"All fit (\cref{sec:b,fig:a})", ["All"]),
            (r"All fit (\cref{sec:b})", []),
            ("All runs converge", ["All"]),
            ("All runs that converge", []),
            ("All runs were kept", []),
            ("All runs that were kept converge", ["All"]),
            ("All runs were kept, and all converge", ["all"]),
            ("All runs are said to converge", ["All"]),
            ("A run is called good if all parts converge", []),
            ("We keep all runs", []),
            ("We changed one at a time, and all together", []),
            ("It changed once, and all together", []),
            (r"The tests are corrected, over all of \VAR{d.values.n}", []),
            (r"The tests are corrected, and we have all of \VAR{d.values.n}", ["all"]),
            ("We find all runs alike", ["all"]),
            (r"\Cref{fig:a} shows all runs", []),
            (r"\Cref{fig:a} shows that all are here", ["all"]),
            ("If all runs converge, it ends", []),
            ("When all runs converge, it ends", []),
            ("It ends when all runs converge", ["all"]),
            ("It may be that all runs converge", []),
            ("Do all runs converge?", []),
            ("For $x = 1$ all runs converge", ["all"]),
        ],
    )
    def test_in_a_paragraph_with_a_result(self, sentence, found):
        assert beside(sentence) == found

    def test_mathematics_far_from_results_states_none(self):
        text = "All converge for ${}$.\n\nIt is \\VAR{{d.values.n}}."
        found = [quantities(read(rendered(text.format(formula), VALUES))) for formula in ("x = 0", "0")]
        assert [[word.text for word in words] for words in found] == [[], ["All"]]

    def test_in_a_section_without_results_they_state_none(self):
        text = "\\section{A}\nIt is \\VAR{d.values.n}.\n\n\\section{B}\nAll converge, never fewer."
        assert [w.text for w in quantities(read(rendered(text, VALUES)))] == ["never", "fewer"]


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("The smaller of the two is taken", []),
        (r"The smaller of the two is taken, \VAR{d.values.n}", ["smaller"]),
        ("Faults that are smaller hide", []),
        (r"It has a loss that is lower by \VAR{d.values.n}", ["lower"]),
        (r"At the step that is best there are \VAR{d.values.n}", []),
        ("This does not show that others are better", []),
        ("This does not help, others are better", ["better"]),
        ("Would others be better?", []),
        (r"In how many of \VAR{d.values.n} pairs, and when, the first is better", []),
        (r"It says how often it wins, and that the first is better", ["better"]),
        ("Ten repeats were made", []),
    ],
)
def test_comparisons_count_unless_they_describe_or_limit(sentence, found):
    assert beside(sentence) == found


class TestSentences:
    """How well findings are told from descriptions, on sentences that were not written for the rules."""

    sets = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text(encoding="utf-8"))

    @staticmethod
    def marked(sentences: list[str], before: str) -> list[bool]:
        """Return of each sentence whether a word is marked, after another one in a section with a result."""
        section = "\\section{{A}}\n{}\n\n{}\n{}\nThis is it.\n"
        value = r"It is \VAR{d.values.n}."
        texts = (section.format(value, before, sentence) for sentence in sentences)
        out = rendered(SHOWING + "".join(texts), VALUES)
        found = {out.text.count(r"\section", 0, word.start) for word in quantities(read(out))}
        return [number in found for number in range(1, len(sentences) + 1)]

    @pytest.mark.parametrize("name", ["first", "second", "published"])
    @pytest.mark.parametrize("before", [r"It is \VAR{d.values.n}.", "It is so."])
    def test_findings_are_marked(self, name, before):
        sentences = self.sets[name]["findings"]
        silent = [s for s, loud in zip(sentences, self.marked(sentences, before), strict=True) if not loud]
        assert (silent, len(sentences) > 10) == ([], True)

    @pytest.mark.parametrize("name", ["first", "second"])
    @pytest.mark.parametrize("before", [r"It is \VAR{d.values.n}.", "It is so."])
    def test_descriptions_are_left_alone(self, name, before):
        sentences = self.sets[name]["innocent"]
        loud = [s for s, is_loud in zip(sentences, self.marked(sentences, before), strict=True) if is_loud]
        assert (loud, len(sentences) > 30) == ([], True)

    @pytest.mark.parametrize("name", ["first", "second"])
    def test_what_the_rules_get_wrong_is_known_and_little(self, name):
        known = self.sets[name]
        assert not all(self.marked(known["missed"], "It is so."))
        assert any(self.marked(known["marked"], r"It is \VAR{d.values.n}."))
        for wrong, right in (("missed", "findings"), ("marked", "innocent")):
            assert len(known[wrong]) < 0.2 * (len(known[wrong]) + len(known[right]))


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
            'words = {comparative = "besser", superlative = "beste", quantity = "alle nie"}\nphrases = {}\n'
            'allowed = {quantity = ["vor allem"]}\n'
            'numbers = {small = "zwei", large = "zehn", before = "mal", joined = "oder"}\n'
            'stating = {verbs = "gelang", endings = "en"}\n'
            'describing = {having = "haben", joints = "aber", subject = "wir", between = "auch", '
            'auxiliary = "sind", '
            'done = "gezeigt", we = "zeigten", not_after = "die", defining = "genannt", define = "nennen", '
            'using = "nutzen", showing = "zeigt", which = "die", not_before = "dass", '
            'cues = ["ob"], asks = ["wie oft"], first = "wenn"}'
        )
        text = "nie, zehn, das beste, ist das beste, vor allem"
        found = [(m[0], m.lastgroup) for m in pattern(other).finditer(text) if m.lastgroup != "allowed"]
        assert found == [("nie", "quantity"), ("zehn", "number"), ("beste", "superlative")]
        out = rendered("Es ist \\VAR{d.n}.\nAlle gelangen, alle sind gezeigt. Nie besser, ob besser.")
        assert [word.text for word in quantities(read(out), other)] == ["Alle", "Nie", "besser"]

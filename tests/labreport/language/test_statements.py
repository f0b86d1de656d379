r"""Statements with a meaning: claims keep the text of their verdict; regions say where each part stands."""

import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendering import printed, rendered

from labreport.errors import InputError
from labreport.language.values import keys, plain

WORDS = ("holds", "undecided", "fails")


@dataclass(frozen=True)
class Said:
    verdict: str


def judge(stated):
    """Take the word of each predicate as the verdict; a truth value holds or fails."""
    words = {True: "holds", False: "fails"}
    return [Said(words.get(s.predicate, s.predicate)) for s in stated]


PREDICATES = {
    "say": lambda word: plain(word),
    "compare": lambda operators, *operands: f"{operators}{[plain(o) for o in operands]}",
    "all_of": lambda *parts: f"all{list(map(plain, parts))}",
    "any_of": lambda *parts: f"any{list(map(plain, parts))}",
    "not_": lambda part: f"not[{part}]",
}


def claimed(source, judging=judge, **options):
    return rendered(source, predicates=PREDICATES, judge=judging, **options)


def seen(source, **options):
    """Return what the judge is asked."""
    found = []

    def looking(stated):
        found.extend(stated)
        return [Said("holds") for _ in stated]

    claimed(source, looking, **options)
    return found


SENTENCE = "x \\VAR{d.s} \\BLOCK{undecided} y \\BLOCK{otherwise} z \\BLOCK{endclaim}."
THREE = f'A \\BLOCK{{claim "c", say("WORD")}} {SENTENCE}'


class TestTexts:
    @pytest.mark.parametrize(
        ("word", "text"), [("holds", "A x adam."), ("undecided", "A y."), ("fails", "A z.")]
    )
    def test_the_text_of_the_verdict_is_printed(self, word, text):
        assert claimed(THREE.replace("WORD", word)).text == text

    def test_values_in_other_texts_are_not_printed(self):
        assert printed(claimed(THREE.replace("WORD", "fails"))) == []
        assert printed(claimed(THREE.replace("WORD", "holds"))) == [("adam", ("d.s",))]

    @pytest.mark.parametrize(
        ("source", "text"),
        [
            ('a\n\\BLOCK{claim "c", say("holds")}\nb\n\\BLOCK{endclaim}\nc', "a\nb\nc"),
            ('a\n\\BLOCK{claim "c", say("holds")}\nb\n\\BLOCK{otherwise} x\n\\BLOCK{endclaim}, c', "a\nb, c"),
            ('a \\BLOCK{claim "c", say("fails")} b \\BLOCK{otherwise}\n  x\n\\BLOCK{endclaim}: c', "a x: c"),
            ('\\BLOCK{claim "c", say("holds")}\\VAR{d.s} \\BLOCK{endclaim}!', "adam!"),
            ('\\BLOCK{claim "c", say("holds")}\\BLOCK{endclaim}!', "!"),
        ],
    )
    def test_the_blanks_around_a_text_are_those_around_the_claim(self, source, text):
        assert claimed(source).text == text

    def test_every_text_is_rendered_so_that_a_mistake_in_it_shows_at_once(self):
        with pytest.raises(InputError, match="no key 'nope'"):
            claimed(THREE.replace("WORD", "holds").replace("} z", "} z \\VAR{d.nope}"))

    def test_claims_nest(self):
        inner = '\\BLOCK{claim "i", say("fails")}p\\BLOCK{otherwise}q\\BLOCK{endclaim}'
        outer = f'\\BLOCK{{claim "o", say("WORD")}}1{inner}2\\BLOCK{{otherwise}}3{inner}4\\BLOCK{{endclaim}}'
        assert claimed(outer.replace("WORD", "holds")).text == "1q2"
        assert claimed(outer.replace("WORD", "fails")).text == "3q4"

    def test_a_claim_knows_the_texts_of_other_claims_around_it(self):
        def stating(name, *texts):
            both = "\\BLOCK{otherwise}".join(texts)
            return f'\\BLOCK{{claim "{name}", say("holds")}}{both}\\BLOCK{{endclaim}}'

        source = stating("a", stating("b", "", stating("c", "")), "") + stating("d", "x")
        within = {claim.name: claim.within for claim in seen(source)}
        assert within == {"a": [[]], "b": [[(0, "holds")]], "c": [[(0, "holds"), (1, "fails")]], "d": [[]]}

    def test_a_claim_in_a_loop_is_a_claim_for_each_item(self):
        source = (
            '\\BLOCK{for w in ["holds", "fails"]}'
            '\\BLOCK{claim "c-" ~ w, say(w)}yes \\BLOCK{otherwise}no \\BLOCK{endclaim}\\BLOCK{endfor}'
        )
        assert claimed(source).text == "yesno"
        assert [r.value for r in claimed(source).regions] == ["c-holds", "c-fails"]

    def test_a_claim_in_captured_text_or_a_macro_is_decided_where_it_is_printed(self):
        claim = '\\BLOCK{claim "c", say("fails")}a\\BLOCK{otherwise}b\\BLOCK{endclaim}'
        assert claimed(f"\\BLOCK{{set t}}{claim}\\BLOCK{{endset}}<\\VAR{{t}}\\VAR{{t}}>").text == "<bb>"
        macro = f"\\BLOCK{{macro m()}}{claim}\\BLOCK{{endmacro}}<\\VAR{{m()}}>"
        assert claimed(macro).text == "<b>"

    def test_a_claim_that_is_not_printed_is_not_judged(self):
        claim = '\\BLOCK{claim "c", say("holds")}a\\BLOCK{endclaim}'
        assert seen(f"\\BLOCK{{set t}}{claim}\\BLOCK{{endset}}") == []

    def test_a_verdict_without_a_text_that_the_judge_lets_pass_prints_the_sentence(self):
        out = claimed('\\BLOCK{claim "c", say("undecided")}as written\\BLOCK{endclaim}')
        assert out.text == "as written"
        assert not out.regions[0].said

    @given(st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 2)), max_size=8))
    def test_each_text_keeps_its_place_whatever_is_cut_out(self, claims):
        source = "".join(
            f'-\\BLOCK{{claim "c{i}", say("{word}")}}h{i}'
            f"\\BLOCK{{undecided}}u{i}\\VAR{{d.s}}\\BLOCK{{otherwise}}"
            f"f{i}\\BLOCK{{endclaim}}" + "\n" * lines
            for i, (word, lines) in enumerate(claims)
        )
        expected = {"holds": "h{}", "undecided": "u{}adam", "fails": "f{}"}
        shown = [expected[word].format(i) for i, (word, _) in enumerate(claims)]
        text = "".join(f"-{part}" + "\n" * lines for part, (_, lines) in zip(shown, claims, strict=True))
        out = claimed(source)  # `rendered` checks that every character knows its place
        assert out.text == text
        assert [out.text[r.start : r.end] for r in out.regions] == shown


class TestLines:
    """Jinja drops the end of a line after a statement: right where the statement has the line for itself."""

    TYPED, END = '\\BLOCK{typed "t"}', "\\BLOCK{endtyped}"
    ABOUT, CLAIM = '\\BLOCK{about "m:f"}', '\\BLOCK{claim "c", say("holds")}'

    @pytest.mark.parametrize(
        ("source", "text"),
        [
            ("has TYPED5END\nwords", "has 5\nwords"),
            ("has TYPED5END\n\nParagraph", "has 5\n\nParagraph"),
            ("hasTYPED\n5END words", "has\n5 words"),
            ("has\nTYPED\n5\nEND\nwords", "has\n5\nwords"),
            ("has\n  TYPED\n  5\n  END\n  words", "has\n  5\n  words"),
            ("the shapeABOUT\nis", "the shape\nis"),
            ("A.\n\nABOUT\nthe shape", "A.\n\nthe shape"),
            ("A.\n\nABOUTABOUT\nthe shape", "A.\n\nthe shape"),
            ("A.\n\n  ABOUT ABOUT\nthe shape", "A.\n\n the shape"),
            ("wordsABOUT ABOUT\nthe shape", "words \nthe shape"),
            ("\\VAR{d.s}ABOUT\nthe shape", "adam\nthe shape"),
            ("wordsCLAIM\n text\n\\BLOCK{endclaim}\nmore", "words\ntext\nmore"),
            ("words CLAIM\n text \\BLOCK{endclaim}\n\nmore", "words text\n\nmore"),
            ('\\BLOCK{answer "1"}yes\\BLOCK{endanswer}\n\nno', "\\LRanswer{answer:1}yes\n\nno"),
            ('a\n\\BLOCK{answer "1"}\nyes\n\\BLOCK{endanswer}\nno', "a\n\\LRanswer{answer:1}yes\nno"),
        ],
    )
    def test_the_end_of_a_line_stays_where_it_separates_words_or_paragraphs(self, source, text):
        full = re.sub("TYPED|END|ABOUT|CLAIM", lambda found: getattr(self, found[0]), source)
        assert claimed(full).text == text

    def test_a_statement_that_drops_or_keeps_all_blanks_is_obeyed(self):
        before = f"has {self.TYPED}5{self.END[:-1]}"
        assert claimed(f"{before} -}}\n words").text == "has 5words"
        assert claimed(f"{before} +}}\n words").text == "has 5\n words"


class TestPredicates:
    @pytest.mark.parametrize(
        ("predicate", "asked"),
        [
            ("d.a < d.b", "('lt',)[0.0123, 2.5]"),
            ("1 < d.b <= 3", "('lt', 'lteq')[1, 2.5, 3]"),
            ('say("x") and d.n == 3', "all['x', \"('eq',)[3, 3]\"]"),
            ('not say("x")', "not[x]"),
            ('say("x") or say("y")', "any['x', 'y']"),
            ('say("x" if d.n > 2 else "y")', "x"),
            ("d.flag", True),
        ],
    )
    def test_comparisons_and_logic_inside_a_claim_are_predicates(self, predicate, asked):
        (stated,) = seen(f'\\BLOCK{{claim "c", {predicate}}}a\\BLOCK{{endclaim}}')
        assert stated.predicate == asked

    def test_comparisons_outside_a_claim_are_truth_values(self):
        (stated,) = seen('\\BLOCK{set t = d.a < d.b}\\BLOCK{claim "c", t}a\\BLOCK{endclaim}')
        assert stated.predicate is True
        assert stated.keys == {"d.a", "d.b"}

    def test_a_predicate_sees_the_boxes(self):
        found = []
        spy = {**PREDICATES, "say": lambda value: found.append(keys(value)) or True}
        rendered('\\BLOCK{claim "c", say(d.a + d.b)}a\\BLOCK{endclaim}', predicates=spy, judge=judge)
        assert found == [{"d.a", "d.b"}]

    def test_a_variable_of_the_same_name_does_not_hide_a_predicate(self):
        (stated,) = seen('\\BLOCK{set say = d.n}\\BLOCK{claim "c", say("x")}a\\BLOCK{endclaim}')
        assert stated.predicate == "x"

    def test_the_judge_is_told_name_family_place_and_texts(self):
        source = (
            'a\n \\BLOCK{claim "c", say("x"), family="f"} b \\VAR{d.s}\\BLOCK{undecided} u \\BLOCK{endclaim}'
        )
        (stated,) = seen(source)
        assert (stated.name, stated.family) == ("c", "f")
        assert stated.texts == {"holds": "b adam", "undecided": "u"}
        assert (stated.place.file, stated.place.line, stated.place.column) == (
            "report_templates/main.tex.j2",
            2,
            9,
        )

    def test_all_claims_of_a_document_are_judged_together(self):
        other = '\\BLOCK{claim "other", say("y")}o\\BLOCK{endclaim}'
        source = '\\BLOCK{claim "c", say("x")}a\\BLOCK{endclaim}\\BLOCK{include "o.tex.j2"}'
        found = seen(source, files={"o.tex.j2": other})
        assert [stated.name for stated in found] == ["c", "other"]


class TestRegions:
    def test_answers_typed_digits_and_pins_are_regions_of_the_text(self):
        source = (
            '\\BLOCK{answer "1"}yes \\BLOCK{typed "given"}12\\BLOCK{endtyped}\\BLOCK{endanswer}\n\n'
            'P \\BLOCK{about "m:f"}q'
        )
        out = claimed(source)
        assert [(r.kind, r.value, out.text[r.start : r.end]) for r in out.regions] == [
            ("answer", "1", "yes 12"),
            ("typed", "given", "12"),
            ("about", "m:f", ""),
        ]
        assert out.text.index("q") == out.regions[2].start

    @pytest.mark.parametrize(
        "source",
        [
            "\\BLOCK{set t}ANSWER\\BLOCK{endset}no",
            '\\BLOCK{claim "c", say("holds")}no\\BLOCK{otherwise}ANSWER\\BLOCK{endclaim}',
        ],
    )
    def test_an_answer_that_is_not_part_of_the_text_answers_nothing(self, source):
        out = claimed(source.replace("ANSWER", '\\BLOCK{answer "1"}yes\\BLOCK{endanswer}'))
        assert (out.text, out.answers) == ("no", ())

    def test_a_claim_carries_its_verdict(self):
        (region,) = claimed(THREE.replace("WORD", "undecided")).regions
        assert (region.kind, region.value, region.verdict) == ("claim", "c", Said("undecided"))
        assert region.site.expression == 'claim "c", say("undecided")'


BEGIN, CLOSE = "begin ", "close"  # among the texts that are expected: a region begins, the last one ends


def part(source, *expected):
    """Return a part of a template with the texts and regions that it should give, in their order."""
    return source, list(expected)


def joined(parts):
    return "".join(source for source, _ in parts), [word for _, words in parts for word in words]


AROUND = (
    # what stands around a part, and how often that prints it
    ("\\BLOCK{set t}PART\\BLOCK{endset}", 0),
    ("\\BLOCK{set t}PART\\BLOCK{endset}\\VAR{t}\\VAR{t}", 2),
    ("\\BLOCK{macro m()}PART\\BLOCK{endmacro}\\VAR{m()}\\VAR{m() ~ m()}", 3),
    ("\\BLOCK{macro k()}\\VAR{caller()}\\BLOCK{endmacro}\\BLOCK{call k()}PART\\BLOCK{endcall}", 1),
    ("\\BLOCK{for i in range(2)}PART\\BLOCK{endfor}", 2),
    ("\\BLOCK{if d.flag}PART\\BLOCK{endif}", 1),
)


def nested(parts):
    """Return parts that have the others inside."""
    inside = st.lists(parts, max_size=3).map(joined)
    return st.one_of(
        inside.map(lambda b: part(f"{TestLines.TYPED}{b[0]}{TestLines.END}", BEGIN + "typed", *b[1], CLOSE)),
        st.builds(claim_of, st.sampled_from(WORDS), inside, inside, inside),
        st.builds(around, st.sampled_from(AROUND), inside),
    )


def around(shape, inside):
    return part(shape[0].replace("PART", inside[0]), *inside[1] * shape[1])


def claim_of(word, *texts):
    """Return a claim with this verdict."""
    first, second, third = (source for source, _ in texts)
    branches = f"{first}\\BLOCK{{undecided}}{second}\\BLOCK{{otherwise}}{third}"
    source = f'\\BLOCK{{claim "c", say("{word}")}}{branches}\\BLOCK{{endclaim}}'
    return part(source, BEGIN + "claim", *texts[WORDS.index(word)][1], CLOSE)


LEAVES = [
    part("a", "a"),
    part("b\n\nc", "b\n\nc"),
    part("\\VAR{d.s}", "adam"),
    part('\\BLOCK{about "m:f"}', BEGIN + "about", CLOSE),
]


class TestNesting:
    @given(st.lists(st.recursive(st.sampled_from(LEAVES), nested, max_leaves=8), max_size=3).map(joined))
    def test_regions_nest_however_text_is_captured_repeated_and_cut_out(self, template):
        source, words = template
        text, opened, expected = "", [], []
        for word in words:
            if word.startswith(BEGIN):
                opened.append([word.removeprefix(BEGIN), len(text), None])
                expected.append(opened[-1])
            elif word == CLOSE:
                opened.pop()[2] = len(text)
            else:
                text += word
        out = claimed(source)
        assert out.text == text
        assert [[r.kind, r.start, r.end] for r in out.regions] == expected

    def test_a_region_in_a_heading_of_a_table_is_there_as_often_as_the_heading(self):
        heading = f"\\BLOCK{{set h}}{TestLines.TYPED}5{TestLines.END}\\BLOCK{{endset}}"
        out = claimed(
            heading + '\\VAR{d.t|table(column("M", "m", under=h), column("V", "v", "num", under=h))}'
        )
        # side by side under different columns of one heading
        assert [(r.kind, out.text[r.start : r.end]) for r in out.regions] == [("typed", "5")] * 2

    def test_a_caption_that_claims_is_decided(self):
        claim = '\\BLOCK{claim "c", say("fails")}a\\BLOCK{otherwise}b\\BLOCK{endclaim}'
        table = '\\VAR{d.t|table(column("M", "m"), layout="long", caption=c, label="tab")}'
        out = claimed(f"\\BLOCK{{set c}}{claim}\\BLOCK{{endset}}{table}")
        assert "\\caption{b}" in out.text
        assert [out.text[r.start : r.end] for r in out.regions] == ["b"]


MISTAKES = [
    ('\\BLOCK{claim "c"}a\\BLOCK{endclaim}', "claim takes a name and a predicate", 1),
    ('\\BLOCK{claim d.n, say("holds")}a\\BLOCK{endclaim}', "a claim is named by a text, not by the whole", 1),
    ('\\BLOCK{claim "c", say("holds"), famly="f"}a\\BLOCK{endclaim}', "claim has no option 'famly'", 1),
    ('\\BLOCK{claim "c", say("holds"), family=d.n}a\\BLOCK{endclaim}', "a family is named by a text", 1),
    ('a\n\\BLOCK{claim "c", sya("holds")}a\\BLOCK{endclaim}', "unknown name 'sya'", 2),
    ('\\BLOCK{claim "c", say("holds")}a', "is never closed", 1),
    ("a\n\\BLOCK{undecided}", "stands outside a claim", 2),
    ("\\BLOCK{if d.flag}\n\\BLOCK{otherwise}\\BLOCK{endif}", "stands outside a claim", 2),
    (
        '\\BLOCK{claim "c", say("holds")}\n\\BLOCK{otherwise}\\BLOCK{undecided}\\BLOCK{endclaim}',
        "undecided stands once in a claim, before otherwise",
        2,
    ),
    ('\\BLOCK{claim "c", say("holds")}a\n\\BLOCK{else}b\\BLOCK{endclaim}', "otherwise, not with else", 2),
    ('\\BLOCK{typed ""}1\\BLOCK{endtyped}', "typed says why", 1),
    ("\\BLOCK{typed d.s}1\\BLOCK{endtyped}", "typed takes the reason", 1),
    ("\\BLOCK{about d.s}", "about takes what the paragraph explains", 1),
    ("\\BLOCK{claim}a\\BLOCK{endclaim}", "claim takes a name and a predicate", 1),
    ("\\BLOCK{typed}1\\BLOCK{endtyped}", "typed takes the reason", 1),
    ("\\BLOCK{about}", "about takes what the paragraph explains", 1),
    ("\\BLOCK{answer}a\\BLOCK{endanswer}", "answer takes a question's number", 1),
]


@pytest.mark.parametrize(("source", "what", "line"), MISTAKES)
def test_a_wrong_statement_is_told_at_its_line(source, what, line):
    with pytest.raises(InputError, match=what) as caught:
        claimed(source)
    assert caught.value.place.line == line


def test_a_claim_that_is_not_printed_needs_no_judge():
    source = "\\BLOCK{set t}\\BLOCK{claim 'c', true}a\\BLOCK{endclaim}\\BLOCK{endset}b"
    assert rendered(source).text == "b"


def test_a_claim_without_a_judge_is_an_error_at_its_place():
    with pytest.raises(InputError, match="nobody judges claims here") as caught:
        rendered('a\n\\BLOCK{claim "c", true}a\\BLOCK{endclaim}')
    assert caught.value.place.line == 2

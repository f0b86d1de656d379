r"""The template language over boxes: what is printed, from which keys, and where a mistake is reported.

`rendered` checks each time that the pieces cover the text and that every typed character keeps its place.
"""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendering import RESULT, marked, mistake, printed, rendered

from labreport.errors import InputError
from labreport.language.environment import render
from labreport.language.formats import Figure, Number
from labreport.language.values import Box
from labreport.writing import LATEX
from labreport.writing.latex import Latex, escape

EXPRESSIONS = [
    # arithmetic
    ("(d.a + d.b)|num", r"{2.51}", "d.a d.b"),
    ("(d.a * 2)|num", r"{0.0246}", "d.a"),
    ("(2 * d.a)|num", r"{0.0246}", "d.a"),
    ("(d.a / d.b)|num", r"{0.00492}", "d.a d.b"),
    ("(-d.a)|num", r"{\LRminus{}0.0123}", "d.a"),
    ("(+d.a)|num", r"{0.0123}", "d.a"),
    ("(d.a ** 2)|num", r"{0.000151}", "d.a"),
    ("d.n // 2", r"{1}", "d.n"),
    ("2**d.n**2", r"{512}", "d.n"),
    ("-2**2", r"{\LRminus{}4}", ""),
    ("(-2)**2", r"{4}", ""),
    ("(2**-1)|num", r"{0.500}", ""),
    ("-d.n|abs", r"{3}", "d.n"),
    ("d.n % 2", r"{1}", "d.n"),
    ("(100 * (d.a - d.b) / d.b)|num", r"{\LRminus{}99.5}", "d.a d.b"),
    ("(d.n + d.a)|num", r"{3.01}", "d.a d.n"),
    # choice: what is printed counts, not what was compared
    ("(d.a if d.a < d.b else d.b)|num", r"{0.0123}", "d.a"),
    ("'yes' if d.flag else 'no'", "yes", ""),
    ("'yes' if not d.flag else 'no'", "no", ""),
    ("'in' if 0 < d.a <= 1 < d.n != 4 else 'out'", "in", ""),
    ("'in' if 'x' in d.odd and d.b not in d.L else 'out'", "out", ""),
    ("d.n == 3 and d.s", "adam", "d.s"),
    ("d.none or d.s", "adam", "d.s"),
    # items
    ("d.s", "adam", "d.s"),
    ("d['s']", "adam", "d.s"),
    ("d.odd", r"50\% of\_it", "d.odd"),
    ("d.n", r"{3}", "d.n"),
    ("d.none", r"\LRdash{}", "d.none"),
    ("d.items", "shadow", "d.items"),
    ("d.deep['x y']", r"{1}", 'd.deep["x y"]'),
    ("d.L[1]|num", r"{2.50}", "d.L[1]"),
    ("d.L[-1]|num", r"{2.50}", "d.L[1]"),
    ("d.L[d.n - 2]|num", r"{2.50}", "d.L[1]"),
    ("d.t[0].v|num", r"{1.50}", "d.t[0].v"),
    ("d.t[1:][0].m", r"y\_", "d.t[1].m"),
    ("d.t[:d.n][-1].m", r"y\_", "d.t[1].m"),
    ("d.s[0]", "a", "d.s"),
    ("d.s[1:d.n]", "da", "d.s"),
    ("{'k': d.s}['k']", "adam", "d.s"),
    ("{'k': d.s}.k", "adam", "d.s"),
    ("(d.a, d.b)[1]|num", r"{2.50}", "d.b"),
    ("[d.s, d.odd][0]", "adam", "d.s"),
    # texts
    ("d.s ~ ' s_'", r"adam s\_", "d.s"),
    ("d.s ~ d.n", "adam3", "d.n d.s"),
    ("(d.a|num) ~ ' & ' ~ d.odd", r"{0.0123} \& 50\% of\_it", "d.a d.odd"),
    ("d.s|upper", "ADAM", "d.s"),
    ("d.s|capitalize ~ d.s|length", "Adam4", "d.s"),
    ("d.s|replace('a', d.n ~ '')", "3d3m", "d.n d.s"),
    ("' x '|trim", "x", ""),
    ("'a_b'", r"a\_b", ""),
    ("'%.2f'", r"\%.2f", ""),
    (r"'\u00e9\x41\\nu'", r"éA\textbackslash{}nu", ""),
    # filters
    ("d.a|num(digits=1)", r"{0.01}", "d.a"),
    ("d.a|num(decimals=d.n)", r"{0.012}", "d.a d.n"),
    ("d.a|percent", r"{1.2\LRunit{\%}}", "d.a"),
    ("d.a|pm(d.b)", r"{0.0\LRpm{}2.5}", "d.a d.b"),
    ("d.deep.loss|pm", r"{0.123\LRpm{}0.012}", "d.deep.loss"),
    ("d.n|duration", r"{3.0\LRunit{s}}", "d.n"),
    ("d.b|round|int", r"{2}", "d.b"),
    ("d.a|round(3)|num", r"{0.0120}", "d.a"),
    ("d.a|abs|num", r"{0.0123}", "d.a"),
    ("d.n|float|num", r"{3.00}", "d.n"),
    ("d.L|sum|num", r"{2.51}", "d.L"),
    ("d.L|max|num", r"{2.50}", "d.L[1]"),
    ("d.L|min|num", r"{0.0123}", "d.L[0]"),
    ("d.L|sort(reverse=true)|first|num", r"{2.50}", "d.L[1]"),
    ("d.L|last|num", r"{2.50}", "d.L[1]"),
    ("d.L|reverse|list|first|num", r"{2.50}", "d.L[1]"),
    ("(d.L|sum / d.L|length)|num", r"{1.26}", "d.L"),
    ("[d.a, d.b, d.a]|unique|list|last|num", r"{2.50}", "d.b"),
    ("d.L|map('num', digits=1)|join(', ')", r"{0.01}{,} {2}", "d.L[0] d.L[1]"),
    ("d.t|map(attribute='m')|join(' & ')", r"x \& y\_", "d.t[0].m d.t[1].m"),
    ("d.t|selectattr('best')|map(attribute='m')|first", r"y\_", "d.t[1].m"),
    ("d.t|rejectattr('v', 'none')|map(attribute='v')|sum|num", r"{1.50}", "d.t[0].v"),
    ("d.L|select('gt', 1)|list|first|num", r"{2.50}", "d.L[1]"),
    ("d.L|batch(1)|list|last|first|num", r"{2.50}", "d.L[1]"),
    ("(d.deep.loss|items|list)[1][0]", "std", "d.deep.loss"),
    ("(d.deep.loss|items|list)[1][1]|num", r"{0.0123}", "d.deep.loss.std"),
    ("d.deep|list|first", "x y", "d.deep"),
    ("d.deep|length", r"{2}", "d.deep"),
    ("(not d.flag)|int", r"{0}", "d.flag"),
    ("(d.a < d.b < d.n)|int", r"{1}", "d.a d.b d.n"),
    ("range(d.n)|join", r"{0}{1}{2}", "d.n"),
    ("range(d.n)[1]", r"{1}", "d.n"),
    ("d.nope|default(d.s)", "adam", "d.s"),
    ("d.none|default('-', true)", "{-}", ""),
    ("'yes' if d.nope is undefined and d.s is defined and d.n is odd else 'no'", "yes", ""),
    ("'https://x.org/' ~ d.s|label", r"https://x.org/adam", "d.s"),
    (
        "('https://x.org/' ~ d.s)|url",
        r"\LRaddress{https://x.org/adam}{https:\allowbreak{}/\allowbreak{}/\allowbreak{}x.\allowbreak{}org/\allowbreak{}adam}",
        "d.s",
    ),
    ("d.s|file", r"\texttt{adam}", "d.s"),
    ("none", r"\LRdash{}", ""),
    ("none|num", r"\LRdash{}", ""),
    ("[]|join", "", ""),
]


class TestExpressions:
    @pytest.mark.parametrize(("expression", "text", "keys"), EXPRESSIONS)
    def test_a_value_prints_as_its_format_says_and_keeps_its_keys(self, expression, text, keys):
        source = f"first\n  before \\VAR{{ {expression} }} after"
        out = rendered(source)
        assert out.text == f"first\n  before {text} after"
        expected = tuple(keys.split()) if '"' not in keys else (keys,)
        (value,) = out.printed
        assert out.text[value.start : value.end] == text
        assert value.keys == expected
        assert value.site.expression == expression
        place = out.site_place(value.site)
        assert (place.line, place.column) == (2, 16)
        assert out.place(value.start if text else value.start - 1).line == 2
        json.dumps(value.value)

    def test_the_value_itself_is_kept_beside_its_text(self):
        out = rendered(r"\VAR{d.a|num} \VAR{d.odd} \VAR{d.deep.loss|pm} \VAR{(d.a|num) ~ d.s} \VAR{d.none}")
        values = [p.value for p in out.printed]
        assert values == [0.0123, "50% of_it", RESULT["deep"]["loss"], [0.0123, "adam"], None]

    @pytest.mark.parametrize(
        ("expression", "what", "under", "cure"),
        [
            ("d.nope", "d has no key 'nope'", "nope", "did you mean 'none'?"),
            ("d.deep.los.mean", "d.deep has no key 'los'", "los", "did you mean 'loss'?"),
            ("d.deep['los']", "d.deep has no key 'los'", "los", "did you mean 'loss'?"),
            ("dd.a", "unknown name 'dd'", "dd", "did you mean 'd'?"),
            ("odd", "unknown name 'odd'", "odd", "did you mean d.odd?"),
            ("d.t[0].loss", "d.t[0] has no key 'loss'", "loss", "did you mean d.deep.loss?"),
            ("{'m': 1}.loss", "has no key 'loss'", "loss", "names here are: m"),
            ("(d.a|num) % 2", "% computes with numbers", "(d.a|num) % 2", "format the result"),
            ("d.loss", "d has no key 'loss'", "loss", "did you mean d.deep.loss?"),
            ("'%.3f' % d.a", "% computes with numbers", "'%.3f' % d.a", "value|num(decimals=3)"),
            (r"'\texttt{v}'", "the backslash of \\texttt would be lost", "\\texttt", r"write \\texttt"),
            (r"d.t|table(column('\nu', 'm'))", "the backslash of \\nu would be lost", "\\nu", r"write \\nu"),
            ("rnage(3)", "unknown name 'rnage'", "rnage", "did you mean 'range'?"),
            ("d.L[7]", "d.L has 2 items, none at 7", "7", None),
            ("d.a.b", "d.a is a number and has no 'b'", "b", None),
            ("d.none.b", "d.none is a missing value and has no 'b'", "b", None),
            ("d.a|nmu", "unknown filter 'nmu'", "nmu", "did you mean 'num'"),
            ("d.a|num(digit=2)", "|num has no option 'digit'", "digit", "did you mean 'digits'?"),
            ("d.a|round(digit=2)", "|round has no option 'digit'", "digit", "did you mean 'digits'?"),
            ("d.L|map('nmu')|join", "unknown filter 'nmu'", "nmu", "did you mean 'num'"),
            ("d.L|select('nubmer')|join", "unknown test 'nubmer'", "nubmer", "did you mean 'number'"),
            ("'x' if d.a is nubmer", "unknown test 'nubmer'", "nubmer", "did you mean 'number'"),
            ("'' if d.flag else d.a|nmu", "unknown filter 'nmu'", "nmu", "did you mean 'num'"),
            ("d.a", "a number needs a format: 0.0123", "d.a", "|num"),
            ("1.5", "a number needs a format: 1.5", "1.5", "|num"),
            ("d.flag", "a truth value needs a format: True", "d.flag", "in words"),
            ("d.a < d.b", "a truth value needs a format: True", "d.a < d.b", "in words"),
            ("not d.flag", "a truth value needs a format: False", "not d.flag", "in words"),
            ("d.deep.loss", "a mapping needs a format", "d.deep.loss", "its keys: mean, std"),
            ("d.L", "a list needs a format: [0.0123, 2.5]", "d.L", "|join"),
            ("d.L|map('abs')", "a generator needs a format", "d.L|map('abs')", None),
            ("range", "needs a format", "range", None),
            ("d.s|num", "|num prints a number, not the text 'adam'", "d.s|num", "|text"),
            ("d.a|text", "|text prints a text, not the number", "d.a|text", "|num"),
            ("d.a|num|num", "formatted already", "d.a|num|num", "one format"),
            ("d.a|num|upper", "formatted already", "d.a|num|upper", "format last"),
            ("d.a + d.b|num", "not with the formatted text", "d.a + d.b|num", "(a + b)|num"),
            ("1 + d.s", "+ computes with numbers, not with the text 'adam'", "1 + d.s", None),
            ("d.flag + 1", "not with the truth value True", "d.flag + 1", None),
            ("d.none * 2", "not with the missing value None", "d.none * 2", None),
            ("'%d' % d.n", "not with the text '%d'", "'%d' % d.n", None),
            ("1 - (-d.s)", "- computes with numbers, not with the text", "1 - (-d.s)", None),
            (
                "d.a / (d.n - 3)",
                "0.0123 / 0 cannot be computed: float division by zero",
                "d.a / (d.n - 3)",
                None,
            ),
            ("'x' if d.s < d.n", "cannot be compared", "'x' if d.s < d.n", None),
            ("d.L ~ 'x'", "~ joins texts, not the list", "d.L ~ 'x'", "format it first"),
            ("d.flag ~ 'x'", "~ joins texts, not the truth value", "d.flag ~ 'x'", "format it first"),
            ("d.nope ~ 'x'", "d has no key 'nope'", "nope", "'none'"),
            ("d.nope is none", "d has no key 'nope'", "nope", "'none'"),
            ("d.nope|list|join", "d has no key 'nope'", "nope", "'none'"),
            ("'x' if not d.nope", "d has no key 'nope'", "nope", "'none'"),
            ("'x' if 1 in d.nope", "d has no key 'nope'", "nope", "'none'"),
            ("d.L[d.nope]", "d has no key 'nope'", "nope", "'none'"),
            (
                "d.s.upper()",
                "d.s is a text and has no 'upper'",
                "upper",
                r"use the filter: \VAR{value|upper}",
            ),
            ("'x'.join(d.t)", "a text has no 'join'", "join", r"use the filter: \VAR{value|join}"),
            ("d.L.append(1)", "d.L has 2 items, none at 'append'", "append", None),
            ("d.deep.keys()", "d.deep has no key 'keys'", "keys", "loss, x y"),
            ("d.items()", "values have no functions", "d.items()", "use a filter"),
            ("d.deep()", "values have no functions", "d.deep()", "use a filter"),
            ("d.__class__", "d has no key '__class__'", "__class__", None),
            ("d.s.__class__.__mro__", "d.s is a text and has no '__class__'", "__class__", None),
            ("''.__class__", "a text has no '__class__'", "__class__", None),
            ("[].__class__", "this list has 0 items, none at '__class__'", "__class__", None),
            ("range.__globals__", "a function has no '__globals__'", "__globals__", None),
            ("d|attr('plain')", "unknown filter 'attr'", "attr", None),
            ("'{0.__class__}'.format(d)", "a text has no 'format'", "format", None),
            ("d.t|items", "|items lists a mapping", "d.t|items", "|list"),
            ("d.s|figure", "|figure prints a figure", "d.s|figure", "experiment.figures.name|figure"),
            ("d.n|int(base=2)", "|int has no option 'base'", "base", None),
            ("d.s|int", "|int does not apply to the text 'adam'", "d.s|int", None),
            ("d.t|sort", "cannot be rendered", "d.t|sort", None),
        ],
    )
    def test_a_wrong_expression_is_shown_where_it_stands(self, expression, what, under, cure):
        error = mistake("first \\VAR{d.a|num}\n  \\VAR{d.a|num} \\VAR{" + expression + "} \\VAR{d.s}")
        assert what in error.what
        assert marked(error) == under
        assert error.place.line == 2
        assert error.place.column > len(r"  \VAR{d.a|num} ")
        assert (cure or "") in (error.cure or "")

    @pytest.mark.parametrize(
        ("source", "what", "line", "column", "under"),
        [
            ("a\n\\VAR{d.s", "this \\VAR{ is never closed", 2, 1, r"\VAR{"),
            ("a\n\\VAR{d.s\nmore \\emph{x} text", "this \\VAR{ is never closed", 2, 1, r"\VAR{"),
            ("\\VAR{{1: 2} a", "this \\VAR{ is never closed", 1, 1, r"\VAR{"),
            ('\\VAR{"abc} a', "this \\VAR{ is never closed", 1, 1, r"\VAR{"),
            ("a \\VAR{(d.n} b", "unexpected '}', expected ')'", 1, 12, "}"),
            ("a \\VAR{d.n $ 2} b", "unexpected character '$' in an expression", 1, 12, "$"),
            ("a\n \\VAR{d.n x} b", "expected token 'end of print statement', got 'x'", 2, 7, "d.n x"),
            ("a\n\\VAR{} b", "Expected an expression", 2, 6, ""),
            ("\\VAR{-d.n} b", "this minus would be lost", 1, 6, "-"),
            ("a\n\\BLOCK{if d.flag}\nb", "\\BLOCK{if} is never closed", 2, 8, "if d.flag"),
            ("\\BLOCK{for x in d.L}\n\\BLOCK{if x}\n\\BLOCK{endfor}", "not closed before", 2, 8, "if x"),
            ("a\n\\BLOCK{endif}", "\\BLOCK{endif} closes nothing", 2, 8, "endif"),
            ("a\n \\BLOCK{fro x in d.L}\\BLOCK{endfor}", "unknown statement 'fro'", 2, 9, "fro"),
            ("\\BLOCK{print d.s}", "unknown statement 'print'", 1, 8, "print"),
            ("\\BLOCK{filter upper}a\\BLOCK{endfilter}", "unknown statement 'filter'", 1, 8, "filter"),
            ("\\BLOCK{autoescape false}\\BLOCK{endautoescape}", "unknown statement", 1, 8, "autoescape"),
            ("\\BLOCK{if}a\\BLOCK{endif}", "Expected an expression", 1, 8, "if"),
            ("\\BLOCK{else}", "Encountered unknown tag 'else'", 1, 8, "else"),
            ("a\n\\BLOCK{for x in d.nope}\\BLOCK{endfor}", "d has no key 'nope'", 2, 19, "nope"),
            ("a\n\\BLOCK{if d.flag and d.nope}\\BLOCK{endif}", "d has no key 'nope'", 2, 24, "nope"),
            ("\\BLOCK{set x = d.nope}\n\nlater: \\VAR{x}", "d has no key 'nope'", 1, 18, "nope"),
            ("\\BLOCK{set d.x = 1}", "cannot assign attribute", 1, 8, "set d.x = 1"),
            ("\\BLOCK{for x in d.n}\\BLOCK{endfor}", "number cannot be iterated", 1, 8, "for x in d.n"),
            ("a\n\\BLOCK{set mean = d.a}\n\\VAR{maen|num}", "unknown name 'maen'", 3, 6, "maen"),
            ("\\BLOCK{raw}\n a", "Missing end of raw directive", 2, 2, ""),
            ("\\VAR{\n d.t|table(\n  column('M', 'm'),\n  colunm('V', 'v'))}", "unknown", 4, 3, "colunm"),
            ("a \ue000 b", "U+E000", 1, 3, "\ue000"),
            ('\\BLOCK{answer d.s}\\BLOCK{endanswer}', "answer takes a question's number", 1, 8, "answer d.s"),
            ('a\n\\BLOCK{answer "2"}b\\BLOCK{endanswer}', "report.toml lists no question '2'", 2, 16, "2"),
            ('\\BLOCK{answer "1"}\\BLOCK{endanswer}\n' * 2, "question '1' is answered twice", 2, 16, "1"),
        ],
    )  # fmt: skip
    def test_a_wrong_source_is_shown_where_it_is_wrong(self, source, what, line, column, under):
        error = mistake(source)
        assert what in error.what
        assert (error.place.line, error.place.column) == (line, column)
        assert under is None or marked(error).startswith(under)

    def test_a_name_that_the_template_gives_is_among_the_near_ones(self):
        error = mistake("\\BLOCK{set accuracy = d.a}\\BLOCK{macro show(x)}\\BLOCK{endmacro}\\VAR{acuracy}")
        assert error.cure == "did you mean 'accuracy'?"
        assert "did you mean 'show'" in mistake("\\BLOCK{macro show(x)}\\BLOCK{endmacro}\\VAR{shwo(1)}").cure

    def test_an_error_inside_a_macro_is_shown_in_the_macro(self):
        files = {"m.tex.j2": "\\BLOCK{macro row(x)}\n  \\VAR{x.v|num} \\VAR{x.w|num}\n\\BLOCK{endmacro}"}
        error = mistake('\\BLOCK{from "m.tex.j2" import row}\n\\VAR{row(d.t[0])}', files)
        assert (error.place.file, error.place.line, marked(error)) == ("report_templates/m.tex.j2", 2, "w")
        assert error.what == "d.t[0] has no key 'w'"

    def test_an_error_after_a_macro_on_the_same_line_is_shown_in_its_own_expression(self):
        source = "\\BLOCK{macro m(x)}\\VAR{x.m}\\BLOCK{endmacro}\n\\VAR{m(d.t[0])} \\VAR{m(d.t[0]) ~ d.nope}"
        error = mistake(source)
        assert (error.place.line, marked(error)) == (2, "nope")

    def test_endless_recursion_is_an_error_of_the_template(self):
        error = mistake("\\BLOCK{macro m(x)}\\VAR{m(x)}\\BLOCK{endmacro}\n\\VAR{m(1)}")
        assert "recursion" in error.what
        assert error.place.line == 1


STATEMENTS = [
    # source, text, printed values as text=keys
    (r"\BLOCK{for x in d.L}\VAR{x|num};\BLOCK{endfor}", r"{0.0123};{2.50};", ["d.L[0]", "d.L[1]"]),
    (r"\BLOCK{for x in []}a\BLOCK{else}\VAR{d.s}\BLOCK{endfor}", "adam", ["d.s"]),
    (r"\BLOCK{for x in d.t if x.best}\VAR{x.m}\BLOCK{endfor}", r"y\_", ["d.t[1].m"]),
    (r"\BLOCK{for k in d.deep.loss}\VAR{k}:\VAR{d.deep.loss[k]|num} \BLOCK{endfor}",
     r"mean:{0.123} std:{0.0123} ",
     ["d.deep.loss", "d.deep.loss.mean", "d.deep.loss", "d.deep.loss.std"]),
    (r"\BLOCK{for k, v in d.deep.loss|items}\VAR{k}=\VAR{v|num} \BLOCK{endfor}",
     r"mean={0.123} std={0.0123} ",
     ["d.deep.loss", "d.deep.loss.mean", "d.deep.loss", "d.deep.loss.std"]),
    (r"\BLOCK{for a in d.t}\BLOCK{for b in d.t}\VAR{a.m}\VAR{b.m} \BLOCK{endfor}\BLOCK{endfor}",
     r"xx xy\_ y\_x y\_y\_ ",
     ["d.t[0].m", "d.t[0].m", "d.t[0].m", "d.t[1].m", "d.t[1].m", "d.t[0].m", "d.t[1].m", "d.t[1].m"]),
    (r"\BLOCK{for n in d.tree recursive}(\VAR{n.name}\VAR{loop(n.sub)})\BLOCK{endfor}",
     "(r(c))", ["d.tree[0].name", "d.tree[0].sub[0].name"]),
    (r"\BLOCK{for x in d.L}\VAR{loop.index}/\VAR{loop.length}\VAR{loop.cycle(',', '.')}\BLOCK{endfor}",
     r"{1}/{2}{,}{2}/{2}.", [""] * 6),
    (r"\BLOCK{for x in d.t}\BLOCK{if loop.changed(x.g)}\VAR{x.g}\BLOCK{endif}\BLOCK{endfor}",
     r"{1}{2}", ["d.t[0].g", "d.t[1].g"]),
    (r"\BLOCK{if d.a > d.b}a\BLOCK{elif d.flag}\VAR{d.s}\BLOCK{else}c\BLOCK{endif}", "adam", ["d.s"]),
    (r"\BLOCK{set x = (d.a * 2)|round(3)}\VAR{x|num}", r"{0.0250}", ["d.a"]),
    (r"\BLOCK{set x, y = d.s, d.n}\VAR{y}\VAR{x}", r"{3}adam", ["d.n", "d.s"]),
    (r"\BLOCK{with z = d.t[0]}\VAR{z.m}\BLOCK{endwith}", "x", ["d.t[0].m"]),
    (r"\BLOCK{set c}a \VAR{d.s} b\BLOCK{endset}\VAR{c}|\VAR{c}", "a adam b|a adam b", ["d.s", "d.s"]),
    (r"\BLOCK{set c}only typed\BLOCK{endset}<\VAR{c}>", "<only typed>", []),
    (r"\BLOCK{set c}\BLOCK{endset}<\VAR{c}>", "<>", []),
    (r"\BLOCK{set c}\VAR{d.s}\BLOCK{endset}\VAR{c ~ d.odd ~ '_'}",
     r"adam50\% of\_it\_", ["d.s", "d.odd", ""]),
    (r"\BLOCK{set c}-\BLOCK{endset}\VAR{[d.s, d.odd]|join(c)}", r"adam-50\% of\_it", ["d.s", "d.odd"]),
    (r"\BLOCK{macro m(x, y=2)}<\VAR{x}\VAR{y}>\BLOCK{endmacro}\VAR{m(d.s)}\VAR{m(y=d.n, x='_')}",
     r"<adam{2}><\_{3}>", ["d.s", "", "", "d.n"]),
    (r"\BLOCK{macro m(x)}[\VAR{x}]\BLOCK{endmacro}\VAR{[m(d.s), d.odd, m(1)]|join(', ')}.",
     r"[adam]{,} 50\% of\_it{,} [{1}].", ["d.s", "", "d.odd", "", ""]),
    (r"\BLOCK{macro m()}(\VAR{caller(d.s)})\BLOCK{endmacro}"
     r"\BLOCK{call(u) m()}a\VAR{u}\VAR{d.n}\BLOCK{endcall}.", r"(aadam{3}).", ["d.s", "d.n"]),
    (r"\BLOCK{macro f(n)}\VAR{n}\BLOCK{if n > 1}\VAR{f(n - 1)}\BLOCK{endif}\BLOCK{endmacro}\VAR{f(d.n)}",
     r"{3}{2}{1}", ["d.n", "d.n", "d.n"]),
    (r"\BLOCK{set ns = namespace(total=0)}\BLOCK{for x in d.L}\BLOCK{set ns.total = ns.total + x}"
     r"\BLOCK{endfor}\VAR{ns.total|num}", r"{2.51}", ["d.L[0] d.L[1]"]),
    (r'\BLOCK{include "i.tex.j2"}', "[adam]\n", ["d.s"]),
    (r'\BLOCK{for s in d.t}\BLOCK{include "l.tex.j2"}\BLOCK{endfor}', r"<x><y\_>", ["d.t[0].m", "d.t[1].m"]),
    (r'\BLOCK{include ["none.j2", "i.tex.j2"]}', "[adam]\n", ["d.s"]),
    (r'\BLOCK{include "none.j2" ignore missing}.', ".", []),
    (r'\BLOCK{from "m.tex.j2" import pair}\VAR{pair(d.s, d.n)}', r"adam--{3}", ["d.s", "d.n"]),
    (r'\BLOCK{import "m.tex.j2" as m}\VAR{m.pair(d.n, 1)}\VAR{m.pair(d.n, 1)}',
     r"{3}--{1}{3}--{1}", ["d.n", "", "d.n", ""]),
    (r'\BLOCK{extends "base.tex.j2"}\BLOCK{block body}\VAR{d.s}\VAR{super()}\BLOCK{endblock}',
     r"(adam.{3})", ["d.s", "d.n"]),
    (r"a\BLOCK{raw}\VAR{d.s} %# \BLOCK{x}\BLOCK{endraw}b", r"a\VAR{d.s} %# \BLOCK{x}b", []),
    ("\\BLOCK{raw}\n%# kept\n\\BLOCK{endraw}b", "\n%# kept\nb", []),
]  # fmt: skip
FILES = {
    "i.tex.j2": "[\\VAR{d.s}]\n",
    "l.tex.j2": "<\\VAR{s.m}>",
    "m.tex.j2": "typed\n\\BLOCK{macro pair(a, b) -}\n  \\VAR{a}--\\VAR{b}\n\\BLOCK{- endmacro}\n",
    "base.tex.j2": "(\\BLOCK{block body}.\\VAR{d.n}\\BLOCK{endblock})",
}


class TestStatements:
    @pytest.mark.parametrize(("source", "text", "keys"), STATEMENTS)
    def test_statements_print_values_with_their_own_keys(self, source, text, keys):
        out = rendered(source, files=FILES)
        assert out.text == text
        assert [" ".join(found) for _, found in printed(out)] == keys

    def test_a_captured_block_keeps_the_places_inside_it_each_time_it_is_printed(self):
        out = rendered("\\BLOCK{set c}\nab \\VAR{d.s}\n\\BLOCK{endset}\n\\VAR{c}-\\VAR{c}")
        assert out.text == "ab adam\n-ab adam\n"
        assert [out.place(i).line for i in (0, 3, 7, 8, 9, 12)] == [2, 2, 2, 4, 2, 2]

    def test_a_separator_between_captured_texts_belongs_to_the_expression_that_joins_them(self):
        out = rendered("\\BLOCK{macro m()}ab\\BLOCK{endmacro}\n\n\\VAR{[m(), m()]|join(', ')}")
        assert out.text == "\nab{,} ab"
        assert [out.place(i).line for i in (1, 3, 7)] == [1, 3, 1]

    def test_white_space_is_controlled_without_losing_places(self):
        source = (
            "a  \n  \\BLOCK{if true -}\n\n   b\n\\BLOCK{- endif}\n c \\VAR{- d.s -}  \n  e\n"
            "   \\BLOCK{if true}\nf\n  \\BLOCK{endif}\ng \\BLOCK{+ if true}\nh\\BLOCK{endif}\n"
        )
        assert rendered(source).text == "a  \nb c" + "adam" + "e\nf\ng h"

    def test_a_comment_line_leaves_nothing_behind(self):
        source = (
            "a\n%# comment \\VAR{d.nope} \\BLOCK{if}\n  %# indented { %\n"
            "b % LaTeX's own, \\VAR{d.s}\n%#\n%# last"
        )
        assert rendered(source).text == "a\nb % LaTeX's own, adam\n"
        assert rendered("a %# no comment\n").text == "a %# no comment\n"

    def test_line_ends_and_the_byte_order_mark_do_not_count(self):
        out = rendered(
            b"\xef\xbb\xbfa\r\n\\VAR{d.s}\r\n%# x\r\n\\BLOCK{if d.flag}\r\nb\r\n\\BLOCK{endif}\r\n"
        )
        assert out.text == "a\nadam\nb\n"
        assert out.place(2).line == 2
        assert mistake(b"a\r\n \\VAR{d.nope}\r\n").place.column == 9

    def test_other_line_separators_are_no_line_ends(self):
        error = mistake("a\x0c\u2028b\x85c\n\\VAR{d.nope}")
        assert (error.place.line, marked(error)) == (2, "nope")

    def test_latex_that_looks_like_the_language_is_left_alone(self):
        source = "\\#{} {{ x }} {% y %} {# z #} \\VARIANT{x} \\VAR \\BLOCKS{a} # ## <<b>> \\\\\\VAR{d.s}"
        assert rendered(source).text == source.replace("\\VAR{d.s}", "adam")

    def test_an_answer_is_marked_and_recorded_where_it_begins(self):
        out = rendered('a\n\\BLOCK{answer "3.1(a)"}\nyes \\VAR{d.s}\n\\BLOCK{endanswer}\nb')
        assert out.text == "a\n\\LRanswer{answer:3-1-a}yes adam\nb"
        ((question, place),) = out.answers
        assert (question, place.line, place.column) == ("3.1(a)", 2, 16)
        assert printed(out) == [("adam", ("d.s",))]
        assert out.place(out.text.index("LRanswer")).line == 2

    def test_an_answer_that_is_not_reached_is_no_answer(self):
        assert rendered('\\BLOCK{if false}\\BLOCK{answer "1"}\\BLOCK{endanswer}\\BLOCK{endif}').answers == ()

    def test_functions_of_the_project_take_plain_values_and_print_latex(self):
        def twice(text: str, times: int = 2) -> Latex:
            return Latex(rf"\emph{{{escape(text) * times}}}")

        out = rendered(r"\VAR{twice(d.odd, times=d.n)} \VAR{twice('x')}", functions={"twice": twice})
        assert printed(out) == [
            (r"\emph{" + r"50\% of\_it" * 3 + "}", ("d.n", "d.odd")),
            (r"\emph{xx}", ()),
        ]
        error = mistake(r"\VAR{twice('x', tims=3)}", functions={"twice": twice})
        assert (error.what, marked(error)) == ("twice has no option 'tims'", "tims")
        assert "no key 'nope'" in mistake(r"\VAR{twice(d.nope)}", functions={"twice": twice}).what

    def test_latex_that_was_not_escaped_here_holds_no_marks(self):
        def odd(text: str) -> Latex:
            return Latex(f"\ue0010\ue003{text}\ue002")

        for source in (r"\VAR{odd('x')}", r"\VAR{d.t|table(column('\ue0010\ue003', 'm'))}"):
            assert mistake(source, functions={"odd": odd}).what == "this text contains U+E001"

    def test_captured_text_is_not_compared(self):
        for test in ("c == 'a'", "'a' in c", "c is eq('a')"):
            error = mistake("\\BLOCK{set c}a\\BLOCK{endset}\\BLOCK{if " + test + "}x\\BLOCK{endif}")
            assert error.what == "captured text cannot be compared"


class TestFiles:
    def test_the_files_used_are_named(self):
        out = rendered('\\BLOCK{include "i.tex.j2"}', files=FILES)
        assert sorted(f.name for f in out.files) == ["i.tex.j2", "main.tex.j2"]
        assert out.place(1).file == "report_templates/i.tex.j2"

    def test_a_missing_template_is_told_with_the_line_that_includes_it(self):
        error = mistake('a\n\\BLOCK{include "sections/i.tex.j2"}', FILES)
        assert error.what == "there is no template 'sections/i.tex.j2'"
        assert (error.place.line, marked(error)) == (2, "sections/i.tex.j2")
        assert "'i.tex.j2'" in error.cure

    def test_a_missing_macro_is_told_with_the_line_that_imports_it(self):
        error = mistake('a\n\\BLOCK{from "m.tex.j2" import piar}\\VAR{piar(1, 2)}', FILES)
        assert "does not export the requested name 'piar'" in error.what
        assert error.place.line == 2
        error = mistake('\\BLOCK{import "m.tex.j2" as m}\n\\VAR{m.piar(1, 2)}', FILES)
        assert (error.what, error.place.line) == ("the imported template has no macro 'piar'", 2)
        assert error.cure == "did you mean 'pair'?"

    @pytest.mark.parametrize(
        "name", ["../outside.tex.j2", "/etc/hostname", "sub/../../outside.tex.j2", "link.tex.j2"]
    )
    def test_a_template_outside_the_folder_is_refused(self, tmp_path: Path, name):
        folder = tmp_path / "report_templates"
        (folder / "sub").mkdir(parents=True)
        (tmp_path / "outside.tex.j2").write_text("secret")
        (folder / "link.tex.j2").symlink_to(tmp_path / "outside.tex.j2")
        (folder / "main.tex.j2").write_text(f'a\n\\BLOCK{{include "{name}" ignore missing}}')
        with pytest.raises(InputError, match="lies outside report_templates") as caught:
            render(folder, "main.tex.j2", {}, LATEX)
        assert (caught.value.place.line, marked(caught.value)) == (2, f'include "{name}" ignore missing')

    def test_a_template_that_is_not_utf8_is_refused_with_its_line(self):
        error = mistake("a\nb\nDvo\xf8\xe1k".encode("latin-1"))
        assert "not UTF-8" in error.what
        assert str(error.place) == "report_templates/main.tex.j2:3"


class TestTables:
    SOURCE = """\\VAR{d.t|table(
      column("Name", "m"), column(d.odd, "v", "num", under="Both", bold="best"),
      column("Both", ["v", "g"], "pm", under="Both"), separate="g")}"""

    def test_every_cell_and_head_has_its_own_keys(self):
        found = printed(rendered(self.SOURCE))
        assert found == [
            (r"50\% of\_it", ("d.odd",)),
            ("x", ("d.t[0].m",)),
            (r"\LRat{1}{.50}", ("d.t[0].v",)),
            (r"\LRat{1}{.5}\LRerror{1}{.0}", ("d.t[0].g", "d.t[0].v")),
            (r"y\_", ("d.t[1].m",)),
            (r"\LRdash{}", ("d.t[1].v",)),
            (r"\LRdash{}", ("d.t[1].g", "d.t[1].v")),
        ]

    def test_every_cell_has_the_line_of_the_expression_and_its_value(self):
        out = rendered("\n\n" + self.SOURCE)
        assert {out.place(p.start).line for p in out.printed} == {3}
        assert [p.value for p in out.printed][1:4] == ["x", 1.5, [1.5, 1]]
        assert out.place(out.text.index(r"\midrule")).line == 3
        assert out.value_at(out.text.index(r"\midrule")) is None

    def test_rows_may_be_chosen_sorted_and_written_in_the_template(self):
        source = '\\VAR{(d.t|sort(attribute="m", reverse=true))[:1]|table(column("M", "m"))}'
        assert printed(rendered(source)) == [(r"y\_", ("d.t[1].m",))]
        source = '\\VAR{[{"k": d.s}, {"k": "a_b"}]|table(column("K", "k"))}'
        assert printed(rendered(source)) == [("adam", ("d.s",)), (r"a\_b", ())]

    def test_fields_may_lie_deeper_and_stand_side_by_side(self):
        source = '\\VAR{[d]|table(column("X", "deep.loss.mean", "num"), column("Y", ["s", "n"]))}'
        assert printed(rendered(source)) == [
            (r"\LRat{0}{.123}", ("d.deep.loss.mean",)),
            (r"adam {3}", ("d.n", "d.s")),
        ]

    def test_captured_text_beside_a_value_in_a_cell_leaves_it_its_key(self):
        source = (
            "\\BLOCK{set c}a\\VAR{d.n}\\BLOCK{endset}"
            "\\VAR{[{'c': c, 's': d.s}]|table(column('C', 'c'), column('Both', ['c', 's']))}"
        )
        out = rendered(source)
        assert r"{a{3}} & {a{3} adam}" in out.text
        assert [keys for _, keys in printed(out)] == [("d.n",), ("d.n",), ("d.s",)]

    def test_captured_text_in_heads_and_captions_keeps_its_values(self):
        source = (
            "\\BLOCK{set head}$x$ of \\VAR{d.s}\\BLOCK{endset}"
            "\\VAR{d.t|table(column(head, 'm'), layout='long', caption=head, label='tab:' ~ d.s|label)}"
        )
        out = rendered(source)
        assert [keys for _, keys in printed(out)][:4] == [("d.s",), ("d.s",), ("d.s",), ("d.s",)]
        assert r"\caption{$x$ of adam}\label{tab:adam}\\" in out.text

    @pytest.mark.parametrize(
        ("columns", "what", "under", "cure"),
        [
            ('column("M", "w")', "d.t[0] has no key 'w'", "w", "m, v"),
            ('column("M", "m", "nmu")', "unknown format 'nmu' of a column", "nmu", "'num'"),
            ('column("M", "m", "num")', "|num prints a number, not the text 'x'", "d.t|table", "|text"),
            ('column("M", "v")', "a number needs a format", "d.t|table", "|num"),
            ('column("M", "v", "num", digit=1)', "format 'num' has no option 'digit'", "digit", "digits"),
            ('column("M", "m", digits=1)', "format 'text' has no option 'digits'", "digits", None),
            ('column("M", "m"), lable="x"', "|table has no option 'lable'", "lable", "label"),
            ('column("M", "m"), layout="lnog"', "unknown layout 'lnog' of a table", "lnog", "long"),
            ('column("M", "m"), caption="x"', "caption and label belong to a long table", "d.t|table", None),
            ('column("M", "m"), separate="q"', "d.t[0] has no key 'q'", "q", None),
            ('column("M", "m", bold="q")', "d.t[0] has no key 'q'", "q", None),
            ('column("M", 1, "num")', "the field of a column must be a text, not 1", "d.t|table", "column("),
            ('column("M", "m", bold=True)', "bold must be a text, not True", "d.t|table", "bold="),
            ('column("M", "m", 3)', "format must be a text, not 3", "d.t|table", "column("),
            ('column("M", "m"), layout=1', "layout must be a text, not 1", "d.t|table", 'layout="long"'),
            ('column("M", "m"), separate=1', "separate must be a text, not 1", "d.t|table", "separate="),
            ('column("M")', "missing a required argument: 'fields'", "d.t|table", None),
            ('"M"', "|table takes columns", "d.t|table", "column("),
            ("", "|table needs columns", "d.t|table", "column("),
        ],
    )
    def test_a_wrong_table_is_told_with_its_line(self, columns, what, under, cure):
        error = mistake("a\n  \\VAR{d.t|table(" + columns + ")}")
        assert what in error.what
        assert marked(error).startswith(under)
        assert error.place.line == 2
        assert (cure or "") in (error.cure or "")


def test_no_format_of_a_target_turns_data_into_marks():
    leaky = replace(LATEX, formats={"leak": Latex}, write=Latex)
    error = mistake(r"\VAR{d|leak}", values="x\ue001", target=leaky)
    assert error.what == "this text contains U+E001"


class TestFigures:
    @pytest.mark.parametrize(
        ("expression", "formatted"),
        [
            ("d.a|num", Number("0.0123")),
            ("d.n", Number("3")),
            ("d.flag and d.s", "adam"),
            ("d.none|num", None),
            ("d.L|map('num')|join(' ')", [Number("0.0123"), Number("2.50")]),
            ("d.n ~ d.s|text", [Number("3"), "adam"]),
        ],
    )
    def test_a_printed_value_knows_what_its_format_returned(self, expression, formatted):
        assert [p.formatted for p in rendered(rf"\VAR{{{expression}}}").printed] == [formatted]

    def test_a_cell_of_a_table_knows_what_its_format_returned(self):
        out = rendered(r"\VAR{d.t|table(column('M', 'm'), column('V', 'v', 'num'))}")
        assert [p.formatted for p in out.printed] == [["x"], Number("1.50"), ["y_"], None]

    def test_figures_are_known_where_they_stand_also_beside_other_values(self):
        source = (
            r"a\VAR{d.figure|figure ~ d.s}\BLOCK{set f}\VAR{d.figure|figure}\BLOCK{endset}"
            r"\BLOCK{if d.flag}\VAR{f}\BLOCK{endif}"
        )
        out = rendered(source)
        shown = [(p.start, figure.alt) for p, figure in out.shown(Figure)]
        assert shown == [(1, "loss & more"), (out.text.rindex(r"\LRfigure"), "loss & more")]

    def test_a_width_that_is_printed_is_part_of_the_figure_and_told_among_its_keys(self):
        out = rendered(r"\VAR{d.figure|figure(width=d.n ~ 'cm')}")
        assert out.text.startswith(r"\LRfigure[width=3cm]{figures/d-loss.pdf}")
        assert [(p.keys, p.formatted.width) for p in out.printed] == [(("d.figure", "d.n"), "3cm")]

    def test_a_figure_is_included_with_its_alternative_text(self):
        out = rendered('\\VAR{d.figure|figure}\n\\VAR{d.figure|figure(width="3cm")}')
        arguments = f"{{figures/d-loss.pdf}}{{{'loss & more'.encode('utf-16-be').hex().upper()}}}"
        assert out.text == rf"\LRfigure{arguments}" + "\n" + rf"\LRfigure[width=3cm]{arguments}"
        shown = [(p.start, figure.name, figure.width) for p, figure in out.shown(Figure)]
        assert shown == [(0, "loss", None), (out.text.index("\n") + 1, "loss", "3cm")]
        assert [p.keys for p in out.printed] == [("d.figure",)] * 2
        assert out.printed[0].value == "figures/d-loss.pdf"


HOSTILE = [
    r"\VAR{d.secret}",
    "{{ x }} {% for %} %# no",
    r"\BLOCK{if x}",
    "\ue000" + "0\ue003",
    "\ue0010\ue003x\ue002\ue002",
    "\ue0f0 comment \ue0f1",
    "a\n%# b",
    r"\end{document} } {",
    "a & b \\\\ [1cm] *x",
    "\u202e\x00\x1b[31m",
]


class TestHostileValues:
    @pytest.mark.parametrize("value", HOSTILE)
    def test_texts_are_printed_literally_wherever_they_come_from(self, value):
        values = {"s": value, value: {"x": value}, "t": [{"m": value}]}
        source = (
            "\\section{\\VAR{d.s}}\\caption{\\VAR{d.s}}\n"
            "\\VAR{d.s ~ d.s}\n\\VAR{(1|num) ~ d.s}\\VAR{[d.s]|join}"
            "\\BLOCK{for k in d}\\VAR{k};\\BLOCK{endfor}\\BLOCK{set c}\\VAR{d.s}\\BLOCK{endset}\\VAR{c}"
            "\\VAR{d.t|table(column('M', 'm'))}\\VAR{d.t|table(column(d.s, 'm'), layout='long', caption=d.s)}"
        )
        out = rendered(source, values)
        once, twice = escape(value), escape(value + value)
        texts = [text for text, _ in printed(out)]
        assert texts[:8] == [once, once, twice, f"{{1}}{once}", once, "s", once, "t"]
        assert set(texts[8:]) == {once}

    @pytest.mark.parametrize("value", HOSTILE)
    def test_keys_of_any_kind_lead_to_the_value_again(self, value):
        out = rendered("\\BLOCK{for k in d}\\VAR{d[k].x}\\BLOCK{endfor}", {value: {"x": "here"}})
        (key,) = out.printed[0].keys
        steps = json.loads("[" + key.removeprefix("d").removeprefix("[").removesuffix("].x") + "]")
        assert (out.text, steps) == ("here", [value])

    @pytest.mark.parametrize("value", HOSTILE)
    def test_messages_that_hold_them_stay_in_their_lines(self, value):
        error = mistake("\\VAR{d.s|num}", values={"s": value})
        assert len(error.lines()) == 5
        assert all(line.isprintable() for line in error.lines())


WORDS = [
    *("d", "d.s", "d.L", "d.t", ".nope", "|num", "|nope", "|table(", "column('a', 'm')", "|join", "x", "m"),
    *(
        "if ",
        "else",
        "endif",
        "for x in ",
        "endfor",
        "set x",
        " = ",
        "endset",
        "macro m(x)",
        "endmacro",
        "()",
    ),
    *("call m(1)", "endcall", 'answer "1"', "endanswer", 'include "i.tex.j2"', "raw", "endraw", "with x = 1"),
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        '"',
        "'",
        "~",
        "+",
        "-",
        " ",
        "\n",
        "\n%#",
        "é",
        "\\",
        "1",
        "is none",
    ),
]
PHRASES = st.lists(st.sampled_from(WORDS), max_size=4).map("".join)
SOURCES = st.lists(
    PHRASES
    | PHRASES.map(lambda words: rf"\VAR{{{words}}}")
    | PHRASES.map(lambda words: rf"\BLOCK{{{words}}}"),
    max_size=6,
).map("".join)


class TestProperties:
    @given(st.dictionaries(st.sampled_from("abc"), st.text(max_size=30), min_size=3))
    def test_any_text_is_printed_as_its_escaped_form_with_its_key(self, values):
        out = rendered("x\\VAR{d.a}\\VAR{d.b ~ d.c}\n\\BLOCK{for k in d}\\VAR{d[k]},\\BLOCK{endfor}", values)
        expected = [
            (str(escape(values["a"])), ("d.a",)),
            (str(escape(values["b"] + values["c"])), ("d.b", "d.c")),
            *((str(escape(value)), (f"d.{key}",)) for key, value in values.items()),
        ]
        assert printed(out) == expected
        assert out.text == "x" + expected[0][0] + expected[1][0] + "\n" + "".join(
            f"{t}," for t, _ in expected[2:]
        )

    @settings(max_examples=60)
    @given(st.data())
    def test_templates_of_any_structure_print_what_they_say(self, data):
        """Compare with an interpreter of three lines: each node knows its source and what it prints."""
        typed = st.text("ab \n\\{}%#$é\t-", max_size=8).map(lambda t: (f"({t})", f"({t})", []))
        typed = typed.filter(lambda t: "%#" not in t[0])
        value = st.sampled_from(sorted(VALUES)).map(
            lambda name: (rf"\VAR{{d.{name}}}", str(escape(VALUES[name])), [f"d.{name}"])
        )
        several = st.recursive(
            typed | value, lambda inner: st.lists(inner, max_size=3).flatmap(nested), max_leaves=8
        )
        source, text, keys = data.draw(st.lists(several, max_size=4).map(joined))
        out = rendered(f".{source}", VALUES, files={"inner.tex.j2": r"[\VAR{d.one}]"})
        assert out.text == f".{text}"
        assert [p.keys for p in out.printed] == [(key,) for key in keys]

    @settings(max_examples=60)
    @given(SOURCES)
    def test_any_source_is_rendered_or_refused_at_its_place(self, source):
        error = None
        try:
            rendered(source, files=FILES)
        except InputError as caught:
            error = caught
        if error is not None:
            lines = source.split("\n") if "main" in error.place.file else FILES["i.tex.j2"].split("\n")
            assert error.place.source == lines[error.place.line - 1]
            assert 2 <= len(error.lines()) <= 12


VALUES = {"one": "x_y", "two": "\\VAR{d.one}", "three": " ", "four": "\ue0011"}


def joined(nodes):
    return "".join(n[0] for n in nodes), "".join(n[1] for n in nodes), [k for n in nodes for k in n[2]]


def nested(nodes):
    """Return a strategy for a statement around nodes: (source, what it prints, keys)."""
    source, text, keys = joined(nodes)
    return st.sampled_from(
        [
            (rf"\BLOCK{{if d.one}}{source}\BLOCK{{else}}no\BLOCK{{endif}}", text, keys),
            (rf"\BLOCK{{for i in [1, 2]}}{source}\BLOCK{{endfor}}", text * 2, keys * 2),
            (rf"\BLOCK{{set c}}{source}\BLOCK{{endset}}\VAR{{c}}.\VAR{{c}}", f"{text}.{text}", keys * 2),
            (rf"\BLOCK{{macro m()}}<{source}>\BLOCK{{endmacro}}\VAR{{m()}}", f"<{text}>", keys),
            (
                r"\BLOCK{macro m()}<\VAR{caller()}>\BLOCK{endmacro}"
                rf"\BLOCK{{call m()}}{source}\BLOCK{{endcall}}",
                f"<{text}>",
                keys,
            ),
            (rf'{source}\BLOCK{{include "inner.tex.j2"}}', text + r"[x\_y]", [*keys, "d.one"]),
            (
                rf"\BLOCK{{with z = d.one}}{source}\VAR{{z}}\BLOCK{{endwith}}",
                text + r"x\_y",
                [*keys, "d.one"],
            ),
        ]
    )


class TestSpeed:
    def test_four_thousand_values_are_rendered_and_placed_in_well_under_a_second(self, tmp_path: Path):
        rows = [{"v": i / 7, "m": f"row {i}"} for i in range(1000)]
        lines = "".join(f"typed line {i} \\VAR{{d.t[{i}].v|num}}\n" for i in range(400))
        source = lines + "\\BLOCK{for r in d.t}\n\\VAR{r.m} & \\VAR{r.v|num} \\\\\n\\BLOCK{endfor}\n"
        source += "\\VAR{d.t[:800]|table(column('M', 'm'), column('V', 'v', 'num'))}"
        (tmp_path / "main.tex.j2").write_text(source)
        seconds = []
        for _ in range(2):  # the faster of two: the machine may be busy
            start = time.process_time()
            out = render(tmp_path, "main.tex.j2", {"d": Box({"t": rows}, ("d",))}, LATEX)
            for value in out.printed:
                assert out.value_at(value.start) is value
                assert out.site_place(value.site) == out.place(value.start)
            seconds.append(time.process_time() - start)
        assert len(out.printed) == 4000
        assert min(seconds) < 1


def test_columns_are_told_to_stand_without_their_name():
    error = mistake(r'\VAR{d.rows|table(columns=[column("a", "b")])}')
    assert error.what == "|table takes columns without their name"
    assert error.cure.startswith("write them first")

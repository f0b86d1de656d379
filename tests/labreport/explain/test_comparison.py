"""What changed between two reports: at exactly which places, at full precision, in units of noise."""

import math
from dataclasses import replace

import compared
import hostile
import pytest

from labreport.explain import comparison
from labreport.explain.comparison import compare

SINGLE, LOOPED, ROWS = 80, 60, 20
PARTS = 7  # in which the values are changed: one seventh of them at a time
LINES = 100
KEYS = [
    *(("x", n) for n in range(SINGLE)),
    *(("loop", n) for n in range(LOOPED)),
    *(("table", n, column) for n in range(ROWS) for column in ("a", "b", "c")),
]
DIGITS = {"x": 4, "loop": 2, "table": 6}


def number(key):
    """Return a value of its own for each key, whose digits do not end soon."""
    return math.sqrt(2 + KEYS.index(key)) / 7


def values():
    names = ("a", "b", "c")
    return {
        "x": {f"v{n}": number(("x", n)) for n in range(SINGLE)},
        "loop": [number(("loop", n)) for n in range(LOOPED)],
        "table": [{c: number(("table", n, c)) for c in names} for n in range(ROWS)],
    }


def many():
    """Return a template that prints 200 numbers, some of them twice, and where each is printed."""
    lines, places = [], {key: [] for key in KEYS}
    for n in range(SINGLE):
        places["x", n].append(len(lines) + 1)
        lines.append(rf"Value {n} is \VAR{{d.x.v{n}|num(digits={DIGITS['x']})}}.")
    for n in range(0, SINGLE, 3):  # said again, further down
        places["x", n].append(len(lines) + 1)
        lines.append(rf"Again \VAR{{d.x.v{n}|num(digits={DIGITS['x']})}}.")
    for n in range(LOOPED):
        places["loop", n].append(len(lines) + 1)
    lines.append(rf"\BLOCK{{for v in d.loop}}\VAR{{v|num(digits={DIGITS['loop']})}}, \BLOCK{{endfor}}")
    for key in KEYS[SINGLE + LOOPED :]:
        places[key].append(len(lines) + 1)
    columns = ", ".join(f'column("{c}", "{c}", "num", digits={DIGITS["table"]})' for c in "abc")
    lines.append(rf"\VAR{{d.table|table({columns})}}")
    return compared.FRAME % "\n".join(["", *lines, ""]), {k: [n + 1 for n in v] for k, v in places.items()}


def edited(keys, factor):
    changed = values()
    for key in keys:
        match key:
            case ("x", n):
                changed["x"][f"v{n}"] *= factor
            case ("loop", n):
                changed["loop"][n] *= factor
            case ("table", n, column):
                changed["table"][n][column] *= factor
    return changed


@pytest.fixture(scope="module")
def report():
    template, places = many()
    return compared.snapshot(values(), template), template, places


class TestOnePartInAThousand:
    def test_each_of_200_values_is_named_at_exactly_the_places_that_print_it(self, report):
        before, template, places = report
        assert len(KEYS) == 200
        assert len(before.printed) == 200 + len(range(0, SINGLE, 3))
        seen = set()
        for start in range(PARTS):  # each change tells its key by its numbers, which no other one has
            keys = KEYS[start::PARTS]
            changes = compare(before, compared.snapshot(edited(keys, 1.001), template))
            found = {
                key: [value for value in changes.values if value.old_value == number(key)] for key in keys
            }
            assert sum(map(len, found.values())) == len(changes.values)
            for key, named in found.items():
                old, new = number(key), number(key) * 1.001
                digits = DIGITS[key[0]]
                shows = f"{old:.{digits - 1}e}" != f"{new:.{digits - 1}e}"
                kind = comparison.CHANGED if shows else comparison.BELOW
                assert [value.place.line for value in named] == places[key], key
                assert {value.kind for value in named} == {kind}, key
                assert all(value.new_value == new for value in named)
                assert all(value.relative == pytest.approx(0.001) for value in named)
                seen.add(kind)
        assert seen == {comparison.CHANGED, comparison.BELOW}  # both kinds occurred

    def test_the_same_values_are_no_change(self, report):
        before, template, _ = report
        assert compare(before, compared.snapshot(values(), template)).is_empty


def one(value, template=r"\VAR{d.x|num(digits=3)}", **options):
    return compared.snapshot({"x": value}, compared.FRAME % template, **options)


def only(changes):
    (value,) = changes.values
    return value


class TestValues:
    def test_a_change_tells_old_and_new_absolutely_and_relatively(self):
        value = only(compare(one(0.2), one(0.25)))
        assert (value.kind, value.old_value, value.new_value) == (comparison.CHANGED, 0.2, 0.25)
        assert value.absolute == pytest.approx(0.05)
        assert value.relative == pytest.approx(0.25)
        assert value.keys == ("d.x",)

    def test_a_change_from_zero_has_no_relative_size(self):
        value = only(compare(one(0.0), one(0.5)))
        assert (value.absolute, value.relative) == (0.5, None)

    def test_what_rounding_hides_is_a_change_below_the_printed_digits(self):
        value = only(compare(one(0.1230001), one(0.1230002)))
        assert value.kind == comparison.BELOW
        assert value.old == value.new

    def test_another_format_of_the_same_value_is_told_as_such(self):
        value = only(compare(one(0.5), one(0.5, r"\VAR{d.x|num(digits=2)}")))
        assert value.kind == comparison.REWRITTEN

    def test_what_is_new_and_what_is_gone_is_told_with_its_place(self):
        template = compared.FRAME % "\n" + "%# a comment\n"
        before = compared.snapshot({"x": 1.0}, template.replace("\n\\end", "\\VAR{d.x|num}\n\\end"))
        after = compared.snapshot({"x": 1.0}, template)
        gone, new = only(compare(before, after)), only(compare(after, before))
        assert (gone.kind, gone.new, gone.place.line) == (comparison.REMOVED, None, 1)
        assert (new.kind, new.old, new.place.line) == (comparison.ADDED, None, 1)

    def test_a_number_that_is_missing_now_has_changed(self):
        value = only(compare(one(0.5), one(None)))
        assert (value.old_value, value.new_value, value.absolute) == (0.5, None, None)
        assert compare(one(None), one(None)).is_empty

    @pytest.mark.parametrize(
        ("old", "new", "same"),
        [
            (math.nan, math.nan, True),
            (math.nan, 1.0, False),
            (1, 1.0, True),
            (True, 1, False),
            (None, 0, False),
            ([1.0, math.nan], [1.0, math.nan], True),
            ([1.0], [1.0, 2.0], False),
            ({"a": [math.nan]}, {"a": [math.nan]}, True),
            ({"a": 1}, {"b": 1}, False),
        ],
    )
    def test_values_are_the_same_at_full_precision_and_of_the_same_kind(self, old, new, same):
        assert comparison.same(old, new) is same

    def test_a_change_to_or_from_nan_has_no_size(self):
        before, after = one(0.5), one(0.5)
        after.record["printed"][0]["value"] = math.nan
        value = only(compare(before, after))
        assert (value.absolute, value.relative) == (None, None)

    @pytest.mark.parametrize("text", hostile.HOSTILE)
    def test_hostile_texts_are_compared_like_others(self, text):
        template = r"\VAR{d.x}"
        assert compare(one(text, template), one(text, template)).is_empty
        value = only(compare(one(text, template), one("plain", template)))
        assert (value.old_value, value.new_value) == (text, "plain")

    def test_a_renamed_template_changes_nothing(self):
        def split(name):
            main = compared.FRAME % rf'\BLOCK{{include "{name}"}}'
            return compared.snapshot({"x": 2.0}, {"main.tex.j2": main, name: r"It is \VAR{d.x|num}."})

        assert not compare(split("old.tex.j2"), split("new.tex.j2")).values

    def test_values_of_one_table_know_their_table(self):
        template = r'\VAR{d.tables.rows|table(column("X", "x", "num"))} \VAR{d.x|num}'
        before, after = (
            compared.snapshot({"tables": {"rows": [{"x": x}]}, "x": x}, compared.FRAME % template)
            for x in (1.0, 2.0)
        )
        assert [value.table for value in compare(before, after).values] == ["d.tables.rows", None]


def noisy(value, width=0.1, unit="interval"):
    noise = {"d.x": {"value": value, "width": width, "unit": unit}}
    return one(value, background={"noise": noise})


class TestNoise:
    @pytest.mark.parametrize(("new", "within"), [(0.6, True), (0.64, True), (0.65, False), (0.3, False)])
    def test_a_change_counts_in_half_widths_of_the_interval_of_the_difference(self, new, within):
        value = only(compare(noisy(0.5), noisy(new)))
        assert value.noise == pytest.approx(abs(new - 0.5) / math.sqrt(0.1**2 + 0.1**2))
        assert value.within_noise is within

    def test_a_standard_deviation_alone_gives_a_size_and_no_verdict(self):
        value = only(compare(noisy(0.5, unit="std"), noisy(0.6, unit="std")))
        assert (value.noise, value.unit, value.within_noise) == (pytest.approx(0.7071068), "std", None)

    def test_without_known_noise_there_is_no_verdict(self):
        assert only(compare(one(0.5), one(0.6))).within_noise is None
        assert only(compare(noisy(0.5), one(0.6))).within_noise is None
        assert only(compare(noisy(0.5, width=0.0), noisy(0.6, width=0.0))).within_noise is None

    def test_of_several_keys_the_largest_change_counts(self):
        def both(x, y):
            noise = {
                f"d.{k}": {"value": v, "width": 0.1, "unit": "interval"} for k, v in (("x", x), ("y", y))
            }
            return compared.snapshot(
                {"x": x, "y": y}, compared.FRAME % r"\VAR{(d.x - d.y)|num}", {"noise": noise}
            )

        value = only(compare(both(0.5, 0.2), both(0.51, 0.5)))
        assert value.noise == pytest.approx(0.3 / math.hypot(0.1, 0.1))
        assert value.within_noise is False

    def test_a_mean_with_its_deviation_changes_by_its_mean(self):
        template = r"\VAR{d.x|pm}"
        value = only(
            compare(one({"mean": 1.0, "std": 0.2}, template), one({"mean": 1.5, "std": 0.2}, template))
        )
        assert (value.absolute, value.relative) == (0.5, 0.5)


def claim(name, verdict, sentence="it is so", states="the mean is 1"):
    return {
        "name": name,
        "verdict": verdict,
        "sentence": sentence,
        "template": "report_templates/report.tex.j2",
        "line": 3,
        "page": 2,
        "evidence": [{"states": states, "verdict": verdict}],
    }


def with_record(**record):
    report = one(1.0)
    return replace(report, record={**report.record, **record})


class TestClaims:
    def test_a_claim_whose_verdict_changed_tells_both_sentences_and_what_the_data_say(self):
        old = with_record(claims=[claim("deep", "holds", "deeper is better"), claim("same", "holds")])
        new = with_record(
            claims=[claim("deep", "fails", "deeper is worse", "0.3 > 0.2"), claim("same", "holds")]
        )
        (changed,) = compare(old, new).claims
        assert (changed.name, changed.old, changed.new) == ("deep", "holds", "fails")
        assert (changed.old_sentence, changed.sentence) == ("deeper is better", "deeper is worse")
        assert changed.states == ("0.3 > 0.2",)
        assert str(changed.place) == "report_templates/report.tex.j2:3 (p. 2)"

    def test_claims_come_and_go(self):
        old, new = (
            with_record(claims=[claim("old", "holds")]),
            with_record(claims=[claim("new", "undecided")]),
        )
        found = [(c.name, c.old, c.new) for c in compare(old, new).claims]
        assert found == [("new", None, "undecided"), ("old", "holds", None)]

    def test_a_record_that_knows_no_claims_says_nothing_of_them(self):
        old, new = one(1.0), with_record(claims=[claim("new", "holds")])
        del old.record["claims"]
        assert compare(old, new).is_empty


def behind(**background):
    return one(1.0, background=background)


class TestWhatStandsBehind:
    @pytest.mark.parametrize(
        ("new", "kind"),
        [
            ({"pdf": "P2", "data": "D2", "file": "f.pdf"}, "data"),
            ({"pdf": "P2", "data": "D1", "file": "f.pdf"}, "drawing"),
            ({"pdf": "P1", "data": "D2", "file": "f.pdf"}, None),
            (None, "removed"),
        ],
    )
    def test_a_figure_changed_by_its_data_or_only_by_its_drawing(self, new, kind):
        old = behind(figures={"d.figures.f": {"pdf": "P1", "data": "D1", "file": "f.pdf"}})
        found = compare(old, behind(figures={"d.figures.f": new} if new else {})).figures
        assert [(figure.key, figure.kind) for figure in found] == ([("d.figures.f", kind)] if kind else [])

    def test_parameters_and_versions_tell_old_and_new(self):
        old = behind(parameters={"d": {"n": 10, "lr": 0.1}}, versions={"numpy": ["1"]})
        new = behind(parameters={"d": {"n": 20, "lr": 0.1}, "e": {"n": 1}}, versions={"numpy": ["2"]})
        changes = compare(old, new)
        assert [(s.name, s.old, s.new) for s in changes.parameters] == [
            ("d.params.n", 10, 20),
            ("e.params.n", None, 1),
        ]
        assert [(s.name, s.old, s.new) for s in changes.versions] == [("numpy", ["1"], ["2"])]

    def test_excerpts_differ_by_lines(self):
        old, new = (
            behind(code={"m:f": "def f():\n    return 1"}),
            behind(code={"m:f": "def f():\n    return 2"}),
        )
        (lines,) = compare(old, new).excerpts
        assert (lines.name, lines.line) == ("m:f", 2)
        assert (lines.old, lines.new) == (("    return 1",), ("    return 2",))

    def test_prose_differs_by_lines_with_the_place_of_the_new_one(self):
        old = behind(prose=[["t", 1, "a"], ["t", 2, "b"], ["u", 1, "c"]])
        new = behind(prose=[["t", 1, "a"], ["t", 5, "B"], ["u", 1, "c"], ["u", 2, "d"]])
        found = [(lines.name, lines.line, lines.old, lines.new) for lines in compare(old, new).prose]
        assert found == [("t", 5, ("b",), ("B",)), ("u", 2, (), ("d",))]
        assert compare(new, behind(prose=[])).prose[0].new == ()

    def test_a_record_of_an_older_version_says_nothing_of_it(self):
        old, new = one(1.0), behind(parameters={"d": {"n": 1}}, versions={"numpy": ["2"]})
        del old.record["background"]
        assert compare(old, new).is_empty

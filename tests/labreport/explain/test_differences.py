"""The words for what changed: one line, an overview that says the most important first, JSON."""

import json
from dataclasses import replace

import pytest

from labreport.explain import differences
from labreport.explain.comparison import Changes, Claim, Figure, Lines, Place, Setting, Value

HERE = Place("report_templates/report.tex.j2", 7, 3)
NOTHING = Changes("the old one", "the new one", 1411, (), (), (), (), (), (), ())


def value(old="1.0", new="1.1", kind="changed", key="d.values.x", place=HERE, **facts):
    return Value(
        kind, old, new, 1.0, 1.1, (key,), f"{key}|num", place, **{"absolute": 0.1, "relative": 0.1} | facts
    )


WITHIN = value(noise=0.5, unit="interval")
BEYOND = value(noise=2.0, unit="interval", key="d.values.far")


def with_values(*values):
    return replace(NOTHING, values=values)


class TestSummary:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            (NOTHING, "nothing changed"),
            (with_values(*[WITHIN] * 7), "7 of 1,411 values changed, all within noise; no claim changed"),
            (with_values(BEYOND), "1 of 1,411 values changed, beyond noise; no claim changed"),
            (
                with_values(WITHIN, BEYOND, value()),
                "3 of 1,411 values changed (1 within noise, 1 beyond noise, 1 without known noise); "
                "no claim changed",
            ),
            (
                with_values(value(kind="below"), value(kind="added"), value(kind="removed")),
                "none of 1,411 values changed, 1 only below the printed digits, 1 new, 1 gone; "
                "no claim changed",
            ),
            (
                replace(NOTHING, claims=(Claim("a", "holds", "fails", "", "", (), HERE),)),
                "none of 1,411 values changed; 1 claim changed",
            ),
            (
                replace(NOTHING, claims=tuple(Claim("a", None, "holds", "", None, (), HERE) for _ in "ab")),
                "none of 1,411 values changed; no claim changed, 2 new",
            ),
            (
                replace(NOTHING, figures=(Figure("f", "data", "f", "f"), Figure("g", "drawing", "g", "g"))),
                "none of 1,411 values changed; no claim changed; 1 figure with other data; "
                "1 figure drawn in another way",
            ),
            (
                replace(NOTHING, prose=(Lines("t", 1, ("a",), ("b",)),)),
                "none of 1,411 values changed; no claim changed; prose changed",
            ),
        ],
    )
    def test_one_line_says_what_changed(self, changes, expected):
        assert differences.summary(changes) == expected


def text(changes, **options):
    return "\n".join(differences.overview(changes, **options))


class TestOverview:
    def test_the_first_line_says_which_two_are_compared(self):
        assert text(NOTHING) == "the new one, compared with the old one: nothing changed"

    def test_a_value_tells_its_size_its_keys_and_all_its_places(self):
        again = replace(WITHIN, place=Place("report_templates/report.tex.j2", 9))
        lines = differences.overview(with_values(WITHIN, again))
        assert lines[2:] == [
            "values",
            "  1.0 → 1.1  (+0.1, +10 %, 0.5 half-widths, within noise)",
            "      d.values.x; report_templates/report.tex.j2:7 (p. 3), report_templates/report.tex.j2:9",
        ]

    def test_what_lies_beyond_noise_comes_first_and_large_changes_before_small_ones(self):
        small, large = value(key="d.values.small", relative=0.01), value(key="d.values.large", relative=-0.5)
        shown = text(with_values(WITHIN, small, large, BEYOND, value(kind="added", key="d.values.new")))
        order = [shown.index(f"d.values.{key};") for key in ("far", "large", "small", "x", "new")]
        assert order == sorted(order)

    def test_claims_come_before_values_with_both_sentences(self):
        claim = Claim("deep", "holds", "fails", "deeper is worse", "deeper is better", ("0.3 > 0.2",), HERE)
        shown = text(replace(with_values(WITHIN), claims=(claim,)))
        assert "deep: holds → fails; report_templates/report.tex.j2:7 (p. 3)" in shown
        assert (
            shown.index("was: deeper is better")
            < shown.index("now: deeper is worse")
            < shown.index("values\n")
        )
        assert "0.3 > 0.2" in shown

    def test_a_section_is_cut_unless_all_is_asked_for(self):
        many = with_values(*(value(key=f"d.values.x{n}") for n in range(differences.MOST + 5)))
        assert "… and 5 more (--all shows them)" in text(many)
        assert "more" not in text(many, most=None)
        assert text(many, most=None).count("d.values.x") == differences.MOST + 5

    def test_a_long_entry_is_cut_unless_all_is_asked_for(self):
        many = differences.MOST_LINES + 9
        gone = replace(NOTHING, prose=(Lines("t", 1, tuple(f"line {n}" for n in range(many)), ()),))
        assert text(gone).count("- line") == differences.MOST_LINES - 1  # the first line says where it was
        assert text(gone).endswith("… and 10 more lines (--all shows them)")
        assert text(gone, most=None).count("- line") == many

    def test_many_places_stay_within_the_width(self):
        places = [Place("report.tex.j2", line) for line in range(30)]
        lines = differences.overview(with_values(*(replace(WITHIN, place=place) for place in places)), 60)
        assert max(map(len, lines[1:])) <= 60
        assert "report.tex.j2:29" in lines[-1]

    def test_cells_are_told_by_table(self):
        cells = [value(key=f"d.tables.rows[{n}].x", relative=0.01 * n) for n in range(1, 9)]
        shown = text(with_values(*cells, value(kind="added", key="d.tables.rows[9].x")))
        assert "d.tables.rows: 8 cells changed, 1 cell new, all without known noise" in shown
        assert shown.count("d.tables.rows[") == differences.LARGEST
        assert "d.tables.rows[8].x" in shown

    def test_figures_name_the_picture_that_shows_both(self):
        changes = replace(NOTHING, figures=(Figure("d.figures.f", "data", "f", "f"),))
        shown = text(changes, pictures={"d.figures.f": "build/diff/d-f.png"})
        assert "d.figures.f: its data changed" in shown
        assert "before and after: build/diff/d-f.png" in shown

    def test_settings_tell_old_and_new_and_what_there_was_not(self):
        changes = replace(
            NOTHING,
            parameters=(Setting("d.params.n", 10, 20), Setting("d.params.name", None, "a b")),
            versions=(Setting("numpy", ["1.0", "1.1"], ["2.0"]),),
        )
        shown = text(changes)
        for line in ("d.params.n: 10 → 20", 'd.params.name: — → "a b"', "numpy: 1.0, 1.1 → 2.0"):
            assert f"  {line}\n" in shown + "\n"

    def test_excerpts_are_shown_as_lines_with_signs(self):
        changes = replace(NOTHING, excerpts=(Lines("m:f", 2, ("    return 1",), ("    return 2",)),))
        assert text(changes).endswith("excerpts\n  m:f:\n      -     return 1\n      +     return 2")

    def test_latex_is_shown_as_on_the_page(self):
        assert "0.25 ± 0.02 → 97.6 %" in text(with_values(value(r"{0.25\LRpm{}0.02}", r"{97.6\LRunit{\%}}")))

    @pytest.mark.parametrize("character", ["\x1b", "\x07", "\r", "\u2028", "\x9b"])
    def test_no_text_can_steer_the_terminal(self, character):
        evil = f"a{character}[31mb"
        changes = Changes(
            "old",
            "new",
            3,
            (value(evil, evil + "c"), value(evil, evil, kind="below")),
            (Claim("c", "holds", "fails", evil, evil, (evil,), HERE),),
            (),
            (Lines("m:f", 1, (evil,), ()),),
            (Lines("t", 1, (evil,), (evil + "x",)), Lines("t", 3, (evil,), ())),
            (Setting("p", evil, 1),),
            (Setting("v", [evil], ["2"]),),
        )
        assert character not in text(changes)


class TestWords:
    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ("a b c", "a x c", "a [-b-]{+x+} c"),
            ("a b", "a b c", "a b{+ c+}"),
            ("a b c", "a c", "a [-b -]c"),
            (" ".join("abcdefghij"), " ".join("abcdefghiJ"), " … e f g h i [-j-]{+J+}".lstrip()),
        ],
    )
    def test_rewritten_lines_show_the_words_and_some_around(self, old, new, expected):
        assert differences.words(old, new) == expected


class TestJson:
    def test_programs_get_everything(self):
        claim = Claim("c", "holds", "fails", "s", "t", ("u",), HERE)
        figure = Figure("d.figures.f", "data", "f", "f")
        changes = replace(with_values(WITHIN, value()), claims=(claim,), figures=(figure,))
        plain = json.loads(
            differences.as_json(differences.contents(changes, {"d.figures.f": "build/diff/f.png"}))
        )
        assert plain["summary"] == differences.summary(changes)
        first, second = plain["values"]
        assert (first["old"], first["new"], first["noise"], first["within_noise"]) == (
            "1.0",
            "1.1",
            0.5,
            True,
        )
        assert second["within_noise"] is None
        assert first["place"] == {"template": HERE.template, "line": 7, "page": 3}
        assert plain["figures"][0]["picture"] == "build/diff/f.png"
        assert plain["claims"][0]["old"] == "holds"

    def test_what_is_no_number_is_still_json(self):
        odd = replace(value(), old_value=float("nan"), new_value=None)
        made = json.loads(
            differences.as_json(differences.contents(with_values(odd), {})), parse_constant=pytest.fail
        )
        assert (made["values"][0]["old_value"], made["values"][0]["new_value"]) == ("nan", None)

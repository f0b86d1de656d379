"""Which printed value is which: by what printed it, whatever its text became."""

import pytest

from labreport.explain.pairing import pairs


def entry(text, expression="d.x", keys=("d.x",), template="t", line=1):
    return {
        "text": text,
        "expression": expression,
        "keys": list(keys),
        "template": template,
        "line": line,
        "column": 1,
    }


def rows(*texts, first=0):
    """Return the cells of a table of one column, each with the key of its row."""
    return [
        entry(text, "d.rows|table", (f"d.rows[{first + number}].x",)) for number, text in enumerate(texts)
    ]


def texts(old, new):
    return [tuple(part["text"] if part else None for part in pair) for pair in pairs(old, new)]


def test_a_value_is_found_again_by_its_statement_whatever_it_prints():
    old = [entry("1", "d.x"), entry("2", "d.y", ("d.y",))]
    new = [entry("9", "d.y", ("d.y",), line=7), entry("8", "d.x", line=9)]
    assert texts(old, new) == [("2", "9"), ("1", "8")]


def test_a_statement_that_came_or_went_has_no_partner():
    old = [entry("1", "d.x"), entry("2", "d.y", ("d.y",))]
    new = [entry("1", "d.x"), entry("3", "d.z", ("d.z",))]
    assert texts(old, new) == [("1", "1"), (None, "3"), ("2", None)]


@pytest.mark.parametrize("at", range(4))
def test_a_row_that_came_or_went_moves_no_other_row(at):
    cells = ["a", "b", "c"]
    longer = [*cells[:at], "new", *cells[at:]]
    assert texts(rows(*cells), rows(*longer)) == [(None if t == "new" else t, t) for t in longer]
    gone = texts(rows(*longer), rows(*cells))
    assert gone == [*((t, t) for t in cells), ("new", None)]


def test_of_the_same_value_in_several_sections_the_one_of_a_section_that_went_is_gone():
    def section(name, line):
        return [
            entry(name, name, (name,), line=line),
            entry("1", line=line),
            entry(name, f"{name}|end", (name,)),
        ]

    old = [*section("a", 1), *section("b", 2), *section("c", 3)]
    new = [*section("a", 1), *section("c", 2)]
    assert [old["line"] for old, now in pairs(old, new) if now is None and old["text"] == "1"] == [2]
    assert [now["line"] for old, now in pairs(new, [*new, *section("d", 9)]) if old is None][1] == 9


def test_rows_that_changed_beside_one_that_came_are_found_by_their_keys():
    assert texts(rows("a", "b", "c"), rows("a", "B", "c", "d")) == [
        ("a", "a"),
        ("b", "B"),
        ("c", "c"),
        (None, "d"),
    ]


def test_what_a_loop_prints_is_found_by_its_names():
    def printed(**values):
        return [entry(text, "d[name].x", (f"d.{name}.x",)) for name, text in values.items()]

    old, new = printed(a="1", c="3"), printed(a="10", b="20", c="30")
    assert texts(old, new) == [("1", "10"), (None, "20"), ("3", "30")]


def test_a_renamed_template_is_no_change():
    old = [entry("1", "d.x", template="old"), *rows("a", "b")]
    new = [entry("1", "d.x", template="new"), *({**row, "template": "new"} for row in rows("a", "b"))]
    assert texts(old, new) == [("1", "1"), ("a", "a"), ("b", "b")]


def test_another_format_of_the_same_key_is_the_same_value():
    old, new = [entry("1.00", "d.x|num(digits=3)")], [entry("1.0", "d.x|num(digits=2)")]
    assert texts(old, new) == [("1.00", "1.0")]


def test_a_row_that_is_gone_is_not_taken_for_one_that_is_printed_elsewhere():
    old = rows("a", "b")
    new = [*rows("a"), entry("b", "d.rows|table", ("d.rows[1].x",), template="other")]
    assert texts(old, new) == [("a", "a"), (None, "b"), ("b", None)]


def test_values_without_keys_are_found_by_their_expression_alone():
    old, new = [entry("1", "1|num", ())], [entry("1", "1|num", ()), entry("2", "2|num", ())]
    assert texts(old, new) == [("1", "1"), (None, "2")]


def test_every_value_stands_in_exactly_one_pair():
    old = [*rows("a", "b", "a", "c"), entry("x"), entry("x"), entry("y", "d.y", ())]
    new = [entry("x"), *rows("b", "a", "a", "d", "c", first=2), entry("z", "d.z", ())]
    paired = pairs(old, new)
    assert sorted(id(a) for a, _ in paired if a) == sorted(map(id, old))
    assert [b for _, b in paired if b] == new

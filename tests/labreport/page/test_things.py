"""What documents show, told one by one in the order of the text."""

import pytest

from labreport.explain.record import Answer, Claim, Excerpt, Figure, Place, Record, Value
from labreport.page.characters import Box
from labreport.page.things import Things, sentences, tables

TABLE = 'e.tables.rows|table(column("A", "a", "num"), column("B", "b", "num"))'


def place(line, column=1, *, document="report", cell=None, page=1):
    return Place(document, "report.tex.j2", 1, line, column, page, cell)


def value(line, column=1, key="e.values.x", expression="e.values.x|num", **where):
    return Value(place(line, column, **where), "1.5", 1.5, (key,), expression, 1)


def claim(line, sentence, column=1, **where):
    evidence = {"predicate": ">", "states": "1.5 > 1", "verdict": "holds", "p": 0.01}
    at = place(line, column, **where)
    return Claim(at, "c", "holds", True, None, sentence, 'claim "c", x > 1', ("e.values.x",), {}, (evidence,))


def told(record, places=None):
    return Things(record, places or {}, [{"text": []}] * 3).in_order()


def test_things_stand_in_the_order_of_the_text_and_what_holds_others_before_them():
    record = Record(
        values=(value(2, 9), value(1, cell=2, document="notebooks/n"), value(2, 1)),
        claims=(claim(2, "1.5 is more than 1"),),
        figures=(Figure(place(1), "e.figures.f", "figures/e-f.pdf"),),
        excerpts=(Excerpt(place(9), "m:f", None, "src/m.py", None, (1, 2)),),
        answers=(Answer(place(2), "1", 3),),
    )
    assert [thing["id"] for thing in told(record)] == ["f0", "a0", "c0", "v2", "v0", "e0", "v1"]


@pytest.mark.parametrize(
    ("sentence", "inside"),
    [("from {1.5} on", ["v0"]), ("from {1.5}\nto\n{1.5}", ["v0", "v1"]), ("none", [])],
)
def test_a_claim_holds_the_values_in_its_sentence_and_they_name_it(sentence, inside):
    values = (
        value(5, 20),
        value(7, 1),
        value(7, 6),
        value(5, 3),
        value(5, 20, document="notebooks/n", cell=1),
    )
    things = {thing["id"]: thing for thing in told(Record(values=values, claims=(claim(5, sentence, 14),)))}
    assert things["c0"]["values"] == inside
    assert [name for name, thing in things.items() if thing.get("claims")] == inside


def test_a_claim_is_told_with_its_predicate_and_what_the_verdict_stands_on():
    (thing,) = told(Record(claims=(claim(5, "it holds"),)))
    assert (thing["name"], thing["verdict"], thing["predicate"]) == ("c", "holds", "x > 1")
    assert thing["evidence"] == [{"predicate": ">", "states": "1.5 > 1", "verdict": "holds"}]


def test_sentences_of_one_cell_are_those_of_no_other():
    record = Record(
        values=(value(1, 3, document="n", cell=1), value(1, 3, document="n", cell=2)),
        claims=(claim(1, "as {1.5} is", document="n", cell=2),),
    )
    assert sentences(record).values == {0: [1]}


def test_a_table_holds_the_values_that_one_expression_printed():
    cells = [value(line, 1, f"e.tables.rows[{line}].{field}", TABLE) for line in (3, 4) for field in "ab"]
    alone = value(9, 1, "e.tables.rows[0].a", 'e.tables.rows[:1]|table(column("A", "a"))')
    record = Record(values=(*cells, alone, value(10)))
    assert tables(record).values == {"t0": [0, 1, 2, 3]}
    places = {"v0": [Box(1, 10, 20, 5, 6)], "v3": [Box(1, 40, 30, 5, 6)], "v2": [Box(2, 1, 2, 3, 4)]}
    table, *_ = told(record, places)
    assert (table["id"], table["kind"], table["keys"], table["heads"]) == (
        "t0",
        "table",
        ["e.tables.rows"],
        ["A", "B"],
    )
    assert table["values"] == ["v0", "v1", "v2", "v3"]
    assert table["at"] == [[1, 10, 20, 35, 16], [2, 1, 2, 3, 4]]


def test_a_table_that_a_loop_prints_again_is_another_one():
    rows = [value(line, 1, f"e.tables.rows[{line}].{field}", TABLE) for line in (3, 4) for field in "ab"]
    assert tables(Record(values=(*rows, value(8), *rows))).values == {
        "t0": [0, 1, 2, 3],
        "t1": [5, 6, 7, 8],
    }


def test_a_thing_lies_in_its_boxes_rounded_and_on_the_page_where_it_begins():
    (thing,) = told(
        Record(values=(value(1, page=1),)), {"v0": [Box(2, 1.23456, 2, 3, 4), Box(3, 1, 2, 3, 4)]}
    )
    assert (thing["at"], thing["page"]) == ([[2, 1.23, 2, 3, 4], [3, 1, 2, 3, 4]], 2)
    (thing,) = told(Record(values=(value(1, page=1),)))
    assert (thing["at"], thing["page"]) == ([], 1)


@pytest.mark.parametrize("value", [float("inf"), 2**63 - 1])
def test_a_number_that_a_script_has_not_is_told_as_a_text(value):
    record = Record(values=(Value(place(1), "x", value, (), "x", 1),))
    assert told(record)[0]["value"] == str(value)

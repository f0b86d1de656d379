"""The names of the rows of tables."""

from dataclasses import replace

import pytest

from labreport.explain.record import Place, Value
from labreport.page.rows import names

COLUMNS = (
    'column("Depth", "depth", "integer"), column("Width", "width", "integer"), column("Loss", "loss", "num")'
)


def table(*rows, expression=f"e.tables.t|table({COLUMNS})"):
    """Return the values of a table with the columns depth, width, loss, in the order of the text."""
    place = Place("report", "t.j2", 1, 1, 1, 1)
    cells = [
        Value(place, text, text, (f"e.tables.t[{n}].{field}",), expression, 1)
        for n, row in enumerate(rows)
        for field, text in zip(("depth", "width", "loss"), row, strict=True)
    ]
    return dict(enumerate(cells))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("1", "2", "0.5"), ("2", "2", "0.4")], {1: "Depth 1", 2: "Depth 1", 4: "Depth 2", 5: "Depth 2"}),
        ([("1", "2", "0.5"), ("1", "3", "0.4")], {2: "Depth 1, Width 2", 5: "Depth 1, Width 3"}),
        ([("none", "", "0.5"), ("{deep}", "", "0.4")], {1: "none", 2: "none", 4: "deep", 5: "deep"}),
        ([("", "", "0.5"), ("", "", "0.4")], {}),
    ],
)
def test_a_row_is_named_by_as_many_cells_as_tell_it_from_others(rows, expected):
    assert names(table(*rows)) == expected


def test_what_stands_in_no_row_has_no_name():
    value = table(("1", "2", "3"))[0]
    assert names({0: replace(value, keys=("e.values.depth",)), 1: replace(value, keys=())}) == {}

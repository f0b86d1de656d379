"""The columns of a table, as its expression tells them."""

import pytest

from labreport.explain.columns import columns, expression_of, head_of
from labreport.explain.record import Place, Value

TABLE = r"""e.tables.rows|selectattr("n", "in", [1, 2])|table(
    column("$\\theta$s", "parameters", "integer"),
    column("mean", "test_mean", "num", decimals=3, under="Test (loss), nat"),
    column('share, \\%', ["rate.mean", "rate.std"], "pm", under=["Solved", "of all"]),
    separate="n")"""
PLACE = Place("report", "report.tex.j2", 1, 1, 1, 1)


def value(key: str, expression: str = TABLE) -> Value:
    return Value(PLACE, "1", 1, (key,), expression, 1)


def test_heads_are_told_with_those_that_they_have_in_common_with_others():
    assert [(column.head, column.fields) for column in columns(TABLE)] == [
        ("θs", ("parameters",)),
        ("Test (loss), nat: mean", ("test_mean",)),
        ("Solved: of all: share, %", ("rate.mean", "rate.std")),
    ]


@pytest.mark.parametrize("expression", ["a|num", 'f("column(")', "column(x, y)", ""])
def test_what_is_no_table_has_no_columns(expression):
    assert columns(expression) == ()


@pytest.mark.parametrize(
    ("key", "head"),
    [
        ("e.tables.rows[3].test_mean", "Test (loss), nat: mean"),
        ("e.tables.rows[0].rate.std", "Solved: of all: share, %"),
        ("e.tables.rows[0].other", None),
    ],
)
def test_a_value_stands_in_the_column_of_its_field(key, head):
    assert head_of(value(key)) == head


def test_the_expression_of_a_cell_names_its_own_column_alone():
    assert expression_of(value("e.tables.rows[3].test_mean")) == (
        'e.tables.rows|selectattr("n", "in", [1, 2])|table('
        '… column("mean", "test_mean", "num", decimals=3, under="Test (loss), nat") …)'
    )
    assert expression_of(value("e.values.x", "e.values.x|num")) == "e.values.x|num"

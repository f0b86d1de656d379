"""The data behind figures."""

import json

import pandas as pd
import pytest

from labreport.page import figures
from labreport.page.figures import table


def test_columns_of_numbers_are_numbers_and_others_texts(tmp_path):
    frame = pd.DataFrame(
        {
            "n": [1, -2, 3],
            "x": [0.1, 1e-300, None],
            "shape": ["1", "1x2", None],
            "solved": [True, False, True],
            "code": ["007", "011", "100"],
            "none": [None] * 3,
        }
    )
    frame.to_csv(tmp_path / "f.csv", index=False)
    told = table(tmp_path / "f.csv")
    assert told["columns"] == list(frame.columns)
    assert told["rows"] == [
        [1, 0.1, "1", "True", "007", None],
        [-2, 1e-300, "1x2", "False", "011", None],
        [3, None, None, "True", "100", None],
    ]
    assert told["total"] == 3


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ("1\nnan\n", ["1", "nan"]),
        ("1\nNaN\n", ["1", "NaN"]),
        ("1\n-Infinity\n", ["1", "-Infinity"]),
        ("1\n1e999\n", ["1", "1e999"]),
        ("1\ntrue\n", ["1", "true"]),
        ('"1,2"\n3\n', ["1,2", "3"]),
        ("[1]\n[[2]]\n", ["[1]", "[[2]]"]),
        ("9007199254740991\n-9007199254740991\n", [2**53 - 1, 1 - 2**53]),
        ("9007199254740993\n1\n", ["9007199254740993", "1"]),
        ("-9007199254740992\n1.5\n", ["-9007199254740992", "1.5"]),
        (f"{'x' * 140_000}\n", ["x" * 140_000]),
        ("1\ninf\n", ["1", "inf"]),
        ('"a\nb"\n</script>\n', ["a\nb", "</script>"]),
        ("", []),
    ],
)
def test_a_table_is_json_whatever_its_cells_hold(cells, column, tmp_path):
    path = tmp_path / "f.csv"
    path.write_text(f"x\n{cells}")
    told = table(path)
    assert [row[0] for row in told["rows"]] == column
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_of_a_very_long_table_the_first_rows_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "MOST", 6)
    path = tmp_path / "f.csv"
    path.write_text("x,y\n" + "1,2\n" * 5)
    told = figures.table(path)
    assert (told["rows"], told["total"]) == ([[1, 2]] * 3, 5)

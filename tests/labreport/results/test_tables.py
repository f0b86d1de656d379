"""DataFrames come back from a result as they were returned."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from labreport.errors import ExperimentError
from labreport.results import tables
from labreport.results.encoding import encode
from labreport.results.strict_json import dumps, parse


def stored(frame: pd.DataFrame) -> tables.Table:
    """Return a table after its way through a file."""
    text = dumps(encode({"t": frame}, {})["tables"]["t"])
    return tables.decode(parse(text.encode(), "t.json", cure=""))


def error_of(frame: pd.DataFrame) -> ExperimentError:
    with pytest.raises(ExperimentError) as caught:
        encode({"t": frame}, {})
    return caught.value


SERIES = {
    "int64": pd.Series([1, -(2**63), 2**63 - 1]),
    "uint64": pd.Series([0, 2**64 - 1, 3], dtype="uint64"),
    "int8": pd.Series([-128, 0, 127], dtype="int8"),
    "float64": pd.Series([0.1, np.nan, 1e-300]),
    "float32": pd.Series([0.1, np.nan, 3e38], dtype="float32"),
    "bool": pd.Series([True, False, True]),
    "str": pd.Series(["é", None, ""]),
    "object": pd.Series(["a", None, "b"], dtype=object),
    "string": pd.Series(["a", pd.NA, "b"], dtype="string"),
    "Int64": pd.Series([1, pd.NA, 2**62], dtype="Int64"),
    "UInt8": pd.Series([1, pd.NA, 255], dtype="UInt8"),
    "Float64": pd.Series([0.1, pd.NA, -0.0], dtype="Float64"),
    "boolean": pd.Series([True, pd.NA, False], dtype="boolean"),
}


@pytest.mark.parametrize("dtype", SERIES)
def test_a_column_comes_back_with_its_type_values_and_missing_values(dtype):
    frame = pd.DataFrame({"x": SERIES[dtype]})
    assert str(frame["x"].dtype) == dtype
    table = stored(frame)
    assert_frame_equal(table.frame(), frame, check_exact=True)
    assert [row["x"] is None for row in table.rows()] == frame["x"].isna().tolist()


def test_all_columns_together_keep_their_order():
    frame = pd.DataFrame(SERIES)[sorted(SERIES, reverse=True)]
    assert_frame_equal(stored(frame).frame(), frame, check_exact=True)


@given(st.lists(st.floats(allow_infinity=False, width=64), max_size=8))
def test_floats_come_back_to_the_last_bit(numbers):
    frame = pd.DataFrame({"x": np.array(numbers, dtype="float64")})
    back = stored(frame).frame()["x"].to_numpy()
    missing = np.isnan(frame["x"])
    assert np.array_equal(np.isnan(back), missing)
    assert back[~missing].tobytes() == frame["x"].to_numpy()[~missing].tobytes()


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame(index=pd.RangeIndex(3)),
        pd.DataFrame({"x": pd.Series([], dtype="Int64"), "y": pd.Series([], dtype="str")}),
    ],
    ids=["nothing", "rows without columns", "columns without rows"],
)
def test_empty_tables_come_back(frame):
    back = stored(frame)
    assert_frame_equal(back.frame(), frame, check_column_type=False)
    assert len(back.rows()) == len(frame)


def test_rows_are_plain_python_values_that_json_holds():
    frame = pd.DataFrame({"n": pd.Series([1, pd.NA], dtype="Int64"), "x": [0.5, np.nan], "ok": [True, False]})
    rows = stored(frame).rows()
    assert rows == [{"n": 1, "x": 0.5, "ok": True}, {"n": None, "x": None, "ok": False}]
    assert json.dumps(rows[0]) == '{"n": 1, "x": 0.5, "ok": true}'


@pytest.mark.parametrize(
    ("frame", "message", "cure"),
    [
        (pd.DataFrame({"x": [1.0, np.inf]}), "tables.t.x[1] is infinite", "diverged"),
        (
            pd.DataFrame({"x": pd.Series([1, "a", None], dtype=object)}),
            "tables.t.x[0] is of type int, in a column of objects",
            "Int64",
        ),
        (
            pd.DataFrame({"x": pd.Series(["a"], dtype="category")}),
            "tables.t.x is a column of type category, which a table cannot hold",
            ".astype(str)",
        ),
        (
            pd.DataFrame({"x": pd.to_datetime(["2024-11-29"])}),
            "which a table cannot hold",
            "strftime",
        ),
        (pd.DataFrame({"x": [1j]}), "tables.t.x is a column of type complex128", "imaginary"),
        (pd.DataFrame({"x": [1]}, index=["a"]), "tables.t has an index", "reset_index()"),
        (
            pd.DataFrame({"x": [1, 2, 3]})[lambda f: f.x > 1],
            "tables.t has an index",
            "reset_index(drop=True)",
        ),
        (pd.DataFrame({"x": [1]}).rename_axis("i"), "tables.t has an index", "reset_index()"),
        (
            pd.DataFrame({"x": [1]}, index=pd.MultiIndex.from_tuples([("a", "b")])),
            "tables.t has levels of rows without names",
            "frame.index.names = ",
        ),
        (
            pd.DataFrame([[1, 2]], columns=["x", "x"]),
            "tables.t has two columns with the same name: x",
            "rename",
        ),
        (
            pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")], names=["one", None])),
            "tables.t has a name above its columns",
            "rename_axis(columns=[None, None])",
        ),
        (
            pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", 2020)])),
            "tables.t has a column ('a', 2020), whose name is a tuple",
            "name",
        ),
        (
            pd.DataFrame([[1]], columns=pd.Index(["a"], name="depth")),
            "tables.t has a name above its columns",
            "rename_axis",
        ),
        (pd.DataFrame([[1]]), "tables.t has a column 0, whose name is an int, not a text", "name"),
        (pd.DataFrame({"x": ["\ud800"]}, dtype=object), "tables.t.x[0] is a text with half", "clean"),
    ],
    ids=lambda v: v if isinstance(v, str) else "frame",
)
def test_what_a_table_cannot_hold_is_named_with_a_cure(frame, message, cure):
    error = error_of(frame)
    assert message in error.what
    assert cure in error.cure


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        ([], "keys 'rows' and 'columns'"),
        ({"rows": True, "columns": []}, "must be an integer"),
        ({"rows": 1, "columns": [{"name": "x", "dtype": "int64"}]}, "keys 'name', 'dtype' and 'values'"),
        ({"rows": 1, "columns": [{"name": "x", "dtype": "int65", "values": [1]}]}, "unknown type 'int65'"),
        ({"rows": 2, "columns": [{"name": "x", "dtype": "int64", "values": [1]}]}, "must have 2 values"),
        ({"rows": 1, "columns": [{"name": "x", "dtype": "int64", "values": [None]}]}, "not of type int64"),
        ({"rows": 1, "columns": [{"name": "x", "dtype": "int64", "values": [True]}]}, "not of type int64"),
        ({"rows": 1, "columns": [{"name": "x", "dtype": "float64", "values": ["1"]}]}, "not of type float64"),
    ],
)
def test_a_damaged_table_is_refused(encoded, message):
    with pytest.raises(ValueError, match=message):
        tables.decode(encoded)


INDEX = pd.MultiIndex.from_tuples([("A", "one"), ("A", "two"), ("B", "one")], names=["set", "method"])
LEVELS = pd.DataFrame(
    {("Loss", "mean"): [1.0, 2.0, np.nan], ("Loss", "std"): [0.1, 0.2, 0.3], ("n", ""): [1, 2, 3]},
    index=INDEX,
)


@pytest.mark.parametrize(
    "frame",
    [LEVELS, LEVELS.reset_index(drop=True), pd.DataFrame({"x": [1, 2, 3]}, index=INDEX)],
    ids=["both", "columns", "rows"],
)
def test_levels_of_columns_and_rows_come_back(frame):
    assert_frame_equal(stored(frame).frame(), frame, check_exact=True)


def test_rows_tell_the_labels_above_their_columns_and_the_groups_that_they_are_in():
    first = stored(LEVELS).rows()[0]
    assert first == {"set": "A", "method": "one", "Loss.mean": 1.0, "Loss.std": 0.1, "n": 1}
    assert first.heads["Loss.std"] == ("Loss", "std")
    assert first.groups == ("set",)


@pytest.mark.parametrize(
    "wrong", [{"levels": [["a"]]}, {"levels": [["a"], ["b", "c"]]}, {"index": 9}, {"more": 1}]
)
def test_levels_that_are_damaged_are_refused(wrong):
    encoded = encode({"t": pd.DataFrame({"x": [1], "y": [2]})}, {})["tables"]["t"]
    with pytest.raises(ValueError, match=r"a table has|'levels'"):
        tables.decode({**encoded, **wrong})

"""What `run` returns becomes plain data, or an error that says where in it and how to mend it."""

import datetime
import decimal
import json
import math
import pathlib
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labreport.errors import ExperimentError, LabreportError, SeveralErrors
from labreport.results.encoding import encode
from labreport.results.strict_json import dumps, parse

SRC = pathlib.Path(__file__).parents[3] / "src"


def values(returned):
    return encode(returned, {})["values"]


def error_of(returned) -> ExperimentError:
    with pytest.raises(ExperimentError) as caught:
        encode(returned, {})
    return caught.value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["a", "b_1", "größe"]), inner),
        max_leaves=20,
    )
)
def test_plain_values_stay_as_they_are(value):
    encoded = values({"x": value})["x"]
    assert encoded == value
    assert json.dumps(encoded) == json.dumps(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(0.1), 0.1),
        (np.float32(0.1), 0.10000000149011612),
        (np.float16(0.1), 0.0999755859375),
        (np.int8(-3), -3),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.bool_(True), True),
        (np.str_("é"), "é"),
        (np.longdouble(0.5), 0.5),
        (np.array(2), 2),
        (np.array([[1, 2], [3, 4]], dtype=np.int16), [[1, 2], [3, 4]]),
        (np.array([True, False]), [True, False]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([1, None, "x"], dtype=object), [1, None, "x"]),
        (np.ma.array([1.0, 2.0], mask=[False, True]), [1.0, None]),
        (np.zeros((0, 3)), []),
        (torch.tensor(0.1), 0.10000000149011612),
        (torch.tensor([1, 2]), [1, 2]),
        (torch.tensor(True), True),
        (torch.tensor([0.5], dtype=torch.bfloat16, requires_grad=True), [0.5]),
        (torch.nn.Parameter(torch.ones(2, 1)), [[1.0], [1.0]]),
        (torch.ones(2).shape, [2]),
        ((1, (2.0, "x")), [1, [2.0, "x"]]),
        (pd.NA, None),
    ],
    ids=lambda v: repr(v)[:40],
)
def test_scalars_and_arrays_become_plain_numbers(value, expected):
    encoded = values({"x": value})["x"]
    assert json.dumps(encoded) == json.dumps(expected)


def test_a_bool_stays_a_bool_and_does_not_become_a_number():
    assert (
        json.dumps(values({"a": True, "b": np.True_, "c": [False]})) == '{"a": true, "b": true, "c": [false]}'
    )


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ({"d3w3": {"loss": [0.1, 0.2, math.nan]}}, "values.d3w3.loss[2] is NaN"),
        ({"a": -math.inf}, "values.a is infinite"),
        ({"a": np.array([[1.0, np.inf]])}, "values.a[0][1] is infinite"),
        ({"a": torch.tensor([1.0, math.nan])}, "values.a[1] is NaN"),
        ({"rate": {"0.1": {"x y": math.nan}}}, 'values.rate["0.1"]["x y"] is NaN'),
        ({"a": {1: 2}}, "values.a: the key 1 is an int, not a text"),
        ({"a": {None: 2}}, "values.a: the key None is None, not a text"),
        ({"a": {True: 2}}, "values.a: the key True is a bool, not a text"),
        ({"": 1}, "values: the key '' cannot be used as a name"),
        ({" a": 1}, "values: the key ' a' cannot be used as a name"),
        ({"a\nb": 1}, "values: the key 'a\\nb' cannot be used as a name"),
        ({"\ud800": 1}, "values: the key '\\ud800' holds half of a surrogate pair"),
        ({"a": ["\ud800"]}, "values.a[0] is a text with half of a surrogate pair"),
        ({"a": 10**4000}, "values.a is an integer of more than 4,000 digits"),
        ({"a": b"x"}, "values.a is a bytes, which JSON cannot hold"),
        ({"a": 1j}, "values.a is a complex, which JSON cannot hold"),
        ({"a": np.complex64(1j)}, "values.a is a numpy complex64, which JSON cannot hold"),
        ({"a": torch.tensor([1j])}, "values.a[0] is a complex, which JSON cannot hold"),
        ({"a": {1, 2}}, "values.a is a set, which JSON cannot hold"),
        ({"a": range(3)}, "values.a is a range, which JSON cannot hold"),
        ({"a": decimal.Decimal(1)}, "values.a is a decimal Decimal, which JSON cannot hold"),
        ({"a": datetime.date(2024, 11, 29)}, "values.a is a datetime date, which JSON cannot hold"),
        ({"a": pathlib.PurePosixPath("x")}, "values.a is a pathlib PurePosixPath, which JSON cannot hold"),
        ({"a": np.datetime64("2024-11-29")}, "values.a is a numpy datetime64, which JSON cannot hold"),
        ({"a": torch.float32}, "values.a is a torch dtype, which JSON cannot hold"),
        ({"a": torch.eye(2).to_sparse()}, "values.a is a tensor of layout torch.sparse_coo"),
        ({"a": pd.Series([1])}, "values.a is a pandas Series, which JSON cannot hold"),
        ({"a": {"b": [pd.DataFrame()]}}, "values.a.b[0] is a DataFrame inside another value"),
        ({"a": print}, "values.a is a builtin_function_or_method, which JSON cannot hold"),
        (None, "the result is None"),
        ([1], "the result is a list"),
        (pd.DataFrame(), "the result is a pandas DataFrame"),
    ],
    ids=lambda v: repr(v)[:40],
)
def test_what_json_cannot_hold_is_named_with_its_path_and_a_cure(returned, message):
    error = error_of(returned)
    assert error.what == message
    assert error.cure


def test_a_diverged_run_is_to_be_recorded_by_name():
    assert "diverged" in error_of({"loss": math.nan}).cure


def test_equal_keys_after_conversion_are_refused():
    class Odd(str):
        __slots__ = ()

        def __hash__(self):
            return 1

        def __eq__(self, other):
            return self is other

    assert error_of({"x": {Odd("a"): 1, Odd("a"): 2}}).what == "values.x: the key 'a' occurs twice"


def test_endless_nesting_ends_in_an_error():
    loop: list = []
    loop.append(loop)
    assert "nested deeper than" in error_of({"x": loop}).what


def test_all_errors_come_together_but_not_thousands():
    with pytest.raises(SeveralErrors) as caught:
        encode({"a": math.nan, "b": {1: 1}, "c": b""}, {})
    assert [e.what.split()[0] for e in caught.value.errors] == ["values.a", "values.b:", "values.c"]
    with pytest.raises(SeveralErrors) as caught:
        encode({"a": np.full(5000, np.nan)}, {})
    assert len(caught.value.errors) == 11
    assert caught.value.errors[-1].what == "… and 4,990 more such places"


def test_parameters_are_checked_as_values_are():
    assert encode({}, {"shape": (1, 2)}) == {"params": {"shape": [1, 2]}, "values": {}, "tables": {}}
    with pytest.raises(LabreportError, match=r"params\.rate is NaN"):
        encode({}, {"rate": math.nan})


def test_dataframes_at_the_top_level_become_tables_and_nothing_else_does():
    encoded = encode({"t": pd.DataFrame({"x": [1]}), "n": 3}, {})
    assert list(encoded["tables"]) == ["t"]
    assert encoded["values"] == {"n": 3}


def test_plain_results_are_encoded_without_numpy_torch_or_pandas():
    code = (
        "import sys; from labreport.results.encoding import encode"
        "; encode({'a': [1.5, None, {'b': 'x'}]}, {'n': 1});"
        "print([m for m in ('numpy', 'torch', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": str(SRC)}
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_a_thing_of_another_package_is_named_by_package_and_type():
    error = error_of({"a": np.random.default_rng(0)})
    assert error.what == "values.a is a numpy Generator, which JSON cannot hold"


@pytest.mark.parametrize("around", [lambda value: [value], lambda value: {"a": value}])
def test_the_deepest_nesting_that_is_accepted_is_the_deepest_that_is_read_again(around):
    def encoded(depth):
        """Return a result with a number inside so many lists or objects, its own two among them."""
        value = 1
        for _ in range(depth - 2):
            value = around(value)
        return encode({"a": value}, {})

    assert parse(dumps(encoded(60)).encode(), "result.json", cure="-") == encoded(60)
    with pytest.raises(ExperimentError, match="is nested deeper than 60"):
        encoded(61)


@pytest.mark.parametrize(
    ("value", "cure"),
    [
        ({1, 2}, "return sorted(value): a set has no order"),
        (b"x", "return a text: value.decode()"),
        (pathlib.PurePosixPath("x"), "return a text: path.name"),
        (print, "return what it computes, not the function"),
        (pd.Series([1]), "return .tolist(), or a DataFrame at the top level of the dict"),
        (object(), "return numbers, texts, and lists and dicts of them"),
    ],
)
def test_the_cure_fits_what_json_cannot_hold(value, cure):
    assert error_of({"a": value}).cure == cure

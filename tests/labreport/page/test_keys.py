"""The values of keys."""

import pytest

from labreport.page import keys
from labreport.results import Result
from labreport.results.tables import Column, Table

VALUES = {
    "loss": {"mean": 0.25, "std": 0.02, "n": 20, "name": "deep"},
    "many": list(range(keys.MOST + 1)),
    "few": {"a": [1, 2], "b": None},
    "seed": 2**63 - 1,
}
ROWS = Table((Column("shape", "str", ("1x2", "2x2")), Column("rate", "float64", (0.5, 0.6))), 2)
RESULTS = {"e": Result("e", {"n": 3}, VALUES, {"rows": ROWS}, "", None, "", "")}


def told(key):
    return keys.told([key], keys.known([key], RESULTS), {"e.values.loss": 4}, RESULTS)[key]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("e.values.loss.mean", 0.25),
        ("e.params.n", 3),
        ("e.values.seed", "9223372036854775807"),
        ("e.tables.rows[1].rate", 0.6),
        ("e.values.few", {"a": [1, 2], "b": None}),
        ("e.values.many", None),
        ("e.tables.rows.rate", None),
        ("e.values.gone", None),
    ],
)
def test_a_key_leads_to_its_value_if_that_is_not_long(key, value):
    assert told(key) == {
        "value": value,
        "spread": {"std": 0.02, "n": 20} if key.endswith("mean") else {},
        "samples": [],
        "experiment": "e",
    }


def test_the_sample_behind_a_key_is_named():
    assert told("e.values.loss")["samples"] == [4]


def test_a_text_of_the_settings_is_of_no_experiment():
    assert told("report.title") == {"value": None, "spread": {}, "samples": [], "experiment": None}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("e.tables.rows[1].rate", {"e", "tables", "rows", "1", "rate", "2x2"}),
        ("e.values.loss.mean", {"e", "values", "loss", "mean", "20", "deep"}),
        ("e.values.loss", {"e", "values", "loss", "20", "deep"}),
    ],
)
def test_what_stands_beside_a_value_names_it(key, words):
    assert keys.known([key], RESULTS)[key].words == words

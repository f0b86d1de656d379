"""The differences behind estimates; what they are is what pandas subtracts."""

import numpy as np
import pandas as pd
import pytest

from labreport.page import behind
from labreport.page.keys import known
from labreport.results import Result
from labreport.results.tables import decode, encode


def losses(seed=0):
    """Return test and validation losses of three settings, repeated twenty times each with the same data."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"setting": np.repeat(["good", "wide", "few"], 20), "repeat": list(range(20)) * 3})
    return frame.assign(test=rng.random(60), validation=rng.random(60), solved=rng.random(60) < 0.5)


def found(estimate, frame, name="x", **beside):
    values = {name: {"estimate": estimate, "low": 0.0, "high": 1.0, "n": 20, **beside}}
    table = decode(encode(frame, lambda _: None, pytest.fail))
    made = {"e": Result("e", {}, values, {"rows": table}, "", None, "", "")}
    there = behind.find(known([f"e.values.{name}.estimate"], made), made, {})
    return there.samples


def part(frame, setting):
    return frame[frame["setting"] == setting].set_index("repeat")


@pytest.mark.parametrize("sign", [1, -1])
def test_behind_an_estimate_are_the_differences_of_two_columns(sign):
    frame = losses()
    good = part(frame, "good")
    difference = sign * (good["test"] - good["validation"])
    (sample,) = found(difference.mean(), frame)
    columns = ["test", "validation"][::sign]
    assert (sample["column"], sample["where"]) == (columns[0], {"setting": "good"})
    assert sample["minus"] == {"column": columns[1], "where": {"setting": "good"}}
    assert np.allclose(sample["values"], difference, atol=1e-5)
    assert sample["std"] == pytest.approx(difference.std())


def test_behind_an_estimate_are_the_differences_of_two_settings_repeat_by_repeat():
    frame = losses()
    difference = part(frame, "wide")["test"] - part(frame, "few")["test"]
    (sample,) = found(difference.mean(), frame)
    assert (sample["where"], sample["minus"]) == (
        {"setting": "wide"},
        {"column": "test", "where": {"setting": "few"}},
    )
    assert np.allclose(sample["values"], difference, atol=1e-5)


def test_rows_that_nothing_pairs_are_not_compared():
    frame = losses()
    estimate = part(frame, "wide")["test"].mean() - part(frame, "few")["test"].mean()
    assert found(estimate, frame.assign(repeat=range(60))) == []
    assert found(estimate, frame.drop(columns="repeat")) == []


def test_differences_of_counts_are_shown_only_where_both_settings_are_named():
    frame = losses()
    difference = part(frame, "wide")["solved"].astype(int) - part(frame, "few")["solved"].astype(int)
    assert found(difference.mean(), frame) == []
    (sample,) = found(difference.mean(), frame, first="wide", second="few")
    assert (sample["column"], sample["where"]) == ("solved", {"setting": "wide"})

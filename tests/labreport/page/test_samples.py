"""The samples behind summaries; means and deviations are numpy's and pandas's."""

import numpy as np
import pandas as pd
import pytest

from labreport.page import behind
from labreport.page.keys import known
from labreport.results import Result
from labreport.results.tables import decode, encode


def result(name, values, **frames):
    tables = {key: decode(encode(frame, lambda _: None, pytest.fail)) for key, frame in frames.items()}
    return Result(name, {}, values, tables, "", None, "", "")


def losses(rows=60, seed=0):
    """Return losses of three shapes, trained twenty times each, of which some failed."""
    rng = np.random.default_rng(seed)
    shape = np.repeat(["wide", "deep", "flat"], rows // 3)
    solved = rng.random(rows) < 0.6
    loss = np.where(solved, 0.01, 0.4) + rng.normal(0, 0.003, rows)
    return pd.DataFrame({"shape": shape, "repeat": np.arange(rows), "solved": solved, "loss": loss})


def found(values, uses=None, key=None, **frames):
    """Return the sample behind a key as (column, where, n), or None."""
    made = {"e": result("e", values, **frames)} | (uses or {})
    keys = [key or f"e.values.{next(iter(values))}"]
    there = behind.find(known(keys, made), made, {"e": tuple(uses or ())})
    told = [there.samples[there.of_key[name]] for name in keys if name in there.of_key]
    return [(f"{s['table']}.{s['column']}", s["where"], s["n"]) for s in told]


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize(
    ("where", "choose"),
    [
        ({}, lambda f: f),
        ({"shape": "deep"}, lambda f: f[f["shape"] == "deep"]),
        ({"shape": "deep", "solved": True}, lambda f: f[(f["shape"] == "deep") & f["solved"]]),
    ],
)
def test_a_mean_with_its_deviation_is_found_in_the_whole_column_or_a_part(where, choose, ddof):
    frame = losses()
    part = choose(frame)["loss"]
    summary = {"mean": part.mean(), "std": part.std(ddof=ddof), "n": len(part)}
    assert found({"x": summary}, repeats=frame) == [("e.tables.repeats.loss", where, len(part))]


@pytest.mark.parametrize("wrong", [{"mean": 1 + 1e-7}, {"std": 1.01}, {"n": 2}])
def test_one_number_that_does_not_agree_is_enough_for_none(wrong):
    part = losses()["loss"]
    summary = {"mean": part.mean(), "std": part.std(), "n": len(part)}
    assert (
        found({"x": {name: value * wrong.get(name, 1) for name, value in summary.items()}}, rows=losses())
        == []
    )


def test_a_mean_alone_is_not_enough():
    assert found({"x": {"mean": losses()["loss"].mean()}}, rows=losses()) == []


@pytest.mark.parametrize(
    ("name", "sample"),
    [("deep", [("e.tables.rows.solved", {"shape": "deep"}, 20)]), ("narrow", [])],
)
def test_a_rate_is_the_mean_of_truths_where_the_shape_is_named(name, sample):
    solved = np.concatenate([np.arange(20) < count for count in (11, 12, 13)])
    frame = losses().assign(solved=solved)
    rate = {"rate": 12 / 20, "rate_low": 0.4, "rate_high": 0.8, "n": 20}
    assert found({name: rate}, key=f"e.values.{name}.rate", rows=frame) == sample
    beside = {"shape": name} | rate
    assert found({"x": beside}, key="e.values.x.rate", rows=frame) == sample


def test_a_median_with_the_ends_is_found():
    part = losses().query("shape == 'flat'")["loss"]
    summary = {"median": part.median(), "min": part.min(), "max": part.max()}
    assert found({"x": summary}, rows=losses()) == [("e.tables.rows.loss", {"shape": "flat"}, 20)]


def test_missing_values_are_no_part_of_a_sample():
    frame = losses().astype({"loss": "Float64"})
    frame.loc[::4, "loss"] = pd.NA
    part = frame["loss"].dropna().astype(float)
    summary = {"mean": part.mean(), "std": part.std(), "n": len(part)}
    assert found({"x": summary}, rows=frame) == [("e.tables.rows.loss", {}, len(part))]


def test_the_sample_of_a_result_that_is_used_is_found_there():
    frame = losses()
    summary = {"mean": frame["loss"].mean(), "std": frame["loss"].std(), "n": len(frame)}
    uses = {"other": result("other", {}, rows=frame)}
    assert found({"x": summary}, uses) == [("other.tables.rows.loss", {}, 60)]


def twins():
    """Return losses of two shapes that are the same numbers."""
    half = losses(30)["loss"]
    return pd.DataFrame({"shape": np.repeat(["one", "two"], 30), "loss": [*half, *half[::-1]]})


def test_of_two_samples_that_agree_the_one_is_taken_that_the_key_names():
    half = twins()["loss"][:30]
    summary = {"mean": half.mean(), "std": half.std(), "n": 30}
    assert found({"two": summary}, rows=twins()) == [("e.tables.rows.loss", {"shape": "two"}, 30)]
    assert found({"three": summary}, rows=twins()) == []


def test_the_row_of_a_table_names_what_it_sums_up():
    half = twins()["loss"][:30]
    rows = pd.DataFrame(
        {"shape": ["one", "two"], "loss_mean": [half.mean()] * 2, "loss_std": [half.std()] * 2}
    )
    assert found({}, key="e.tables.summary[1].loss_std", rows=twins(), summary=rows) == [
        ("e.tables.rows.loss", {"shape": "two"}, 30)
    ]


def test_of_what_is_everywhere_the_same_there_is_no_sample():
    frame = pd.DataFrame({"loss": [0.5] * 10, "n": range(10)})
    assert found({"x": {"mean": 0.5, "std": 0.0, "n": 10}}, rows=frame) == []


def test_a_sample_is_held_once_and_of_a_long_one_points_at_equal_distances():
    loss = np.random.default_rng(1).permutation(np.linspace(0, 1, 100_001))
    frame = pd.DataFrame({"loss": loss})
    made = {"e": result("e", {"x": {"mean": loss.mean(), "std": loss.std(), "n": len(loss)}}, rows=frame)}
    there = behind.find(known(["e.values.x", "e.values.x.mean", "e.values.x.std"], made), made, {})
    assert there.of_key == {"e.values.x": 0, "e.values.x.mean": 0, "e.values.x.std": 0}
    (sample,) = there.samples
    assert (sample["n"], len(sample["values"])) == (100_001, behind.MOST)
    assert np.allclose(sample["values"], np.linspace(0, 1, behind.MOST), atol=1e-5)
    assert sample["std"] == pytest.approx(loss.std(ddof=1))


def test_the_number_beside_the_mean_of_a_part_may_be_that_of_the_whole():
    frame = losses()
    solved = frame[frame["solved"]]["loss"]
    values = {"solved_loss_mean": solved.mean(), "solved_loss_std": solved.std(), "n": len(frame)}
    assert found({"x": values}, key="e.values.x.solved_loss_mean", rows=frame) == [
        ("e.tables.rows.loss", {"solved": True}, len(solved))
    ]

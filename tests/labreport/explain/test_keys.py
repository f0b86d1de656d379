"""Keys of results: their spelling, what they lead to, and the sample around it."""

import pytest

from labreport.explain.keys import Contents, canonical, experiment_of, is_below, overlap

VALUES = {
    "share": {"estimate": 0.5, "low": 0.4, "high": 0.6, "n": 20, "name": "x"},
    "loss": {"mean": 0.25, "std": 0.02, "min": 0.1, "n": 12},
    "both": {"estimate": 0.1, "low": 0.0, "high": 0.2, "mean": 0.3, "std": 0.4, "rate": 0.9},
    "shape": {"rate": 0.562, "rate_low": 0.53, "rate_high": 0.59, "mean": 0.16, "std": 0.18, "n": 1000},
    "solved": {"share": 0.7, "low": 0.6, "high": 0.8, "n": 9},
    "odd": {"a b": [1, {"c": 2}]},
    "n": 5,
    "lone": 7,
}


class Result:
    """A result as `Contents` reads it."""

    params = {"n": 3, "low": 1}  # noqa: RUF012 - a stand-in
    values = VALUES
    tables = ("rows",)

    def rows(self, name):
        return [{"loss_mean": 0.1, "loss_std": 0.01, "n": 20, "label": "a"}] if name == "rows" else None


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("exp.values['a']", "exp.values.a"),
        ('exp["values"]["ä"][0]["a b"]', 'exp.values.ä[0]["a b"]'),
        ("exp['say \\'so\\'']", "exp[\"say 'so'\"]"),
        ('exp["a\\"b"]', 'exp["a\\"b"]'),
        ("0.12", "0.12"),
        ("exp..values", "exp..values"),
    ],
)
def test_a_key_may_be_spelt_as_in_a_template(typed, key):
    assert canonical(typed) == key


def test_a_key_lies_below_another_only_at_a_step():
    assert is_below("e.values.loss.mean", "e.values.loss")
    assert is_below("e.values.rows[1]", "e.values.rows")
    assert not is_below("e.values.lossy", "e.values.loss")
    assert overlap("e.values", "e.values.loss")
    assert not overlap("e.values.loss", "e.values.acc")
    assert experiment_of('e["a.b"]') == "e"


@pytest.mark.parametrize(
    ("key", "summary"),
    [
        ("e.values.share.estimate", {"low": 0.4, "high": 0.6, "n": 20}),
        ("e.values.share.low", {"estimate": 0.5, "high": 0.6, "n": 20}),
        ("e.values.loss.mean", {"std": 0.02, "min": 0.1, "n": 12}),
        ("e.values.loss", {"mean": 0.25, "std": 0.02, "min": 0.1, "n": 12}),
        ("e.tables.rows[0].loss_mean", {"std": 0.01, "n": 20}),
        ("e.values.solved.share", {"low": 0.6, "high": 0.8, "n": 9}),
        # the mean and deviation are those of something else
        ("e.values.shape.rate", {"low": 0.53, "high": 0.59, "n": 1000}),
        ("e.values.both.mean", {"std": 0.4}),
        ("e.values.both.rate", {}),
        ("e.tables.rows[0].label", {}),
        ("e.values.lone", {}),
        ("e.params.n", {}),
        ('e.values.odd["a b"]', {}),
    ],
)
def test_the_summary_beside_a_value_is_that_of_its_own_sample(key, summary):
    assert Contents(Result()).spread(key) == summary


def test_a_key_leads_to_its_value():
    contents = Contents(Result())
    assert contents.value('e.values.odd["a b"][1].c') == 2
    assert contents.value("e.tables.rows[0].n") == 20
    assert contents.value("e.params.n") == 3
    for wrong in ("e.values.none", "e.tables.none[0].x", "e.values.lone.x", "e.tables.rows[7].n"):
        with pytest.raises((LookupError, TypeError)):
            contents.value(wrong)

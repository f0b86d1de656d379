"""What a sweep's trials allow to conclude, in cases small enough to check by hand, and against SciPy."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from swept import definition

from tinymlp.inference import Ranking
from tinymlp.sweep import (
    Parameter,
    Trial,
    against_best,
    check_logged,
    common_values,
    contenders,
    importance_intervals,
    importances,
    phase_values,
    proposals,
    random_importance,
    ranked,
    selection_effect,
    stability,
    trial_counts,
    trial_row,
)

SWEEP = definition(
    parameters={
        "depth": Parameter("categorical", (1, 2, 3)),
        "kind": Parameter("categorical", ("tanh", "relu")),
        "rate": Parameter("log_uniform_values", (), 1e-6, 0.01),
        "seed": Parameter("constant", (7,)),
    }
)


def trial(number, loss, round=0, depth=1, kind="tanh"):
    config = {"depth": depth, "kind": kind, "rate": 0.001, "seed": 7}
    return Trial(number, f"id{number}", round, config, {"loss": loss, "val/std": 0.5, "losses": [1, 2]})


# numbers and values; of each depth and kind, one is better than the others
TRIALS = [
    trial(0, 0.5, depth=2),
    trial(1, 0.3, depth=1),
    trial(2, None, depth=3),
    trial(3, 0.9, depth=3, kind="relu"),
    trial(4, 0.3, 1, depth=1),
    trial(5, 0.2, 2, depth=1),
]
GOOD = [one for one in TRIALS if one.number != 2]


def numbers(trials):
    return [one.number for one in trials]


def test_trials_are_ranked_by_their_value_and_of_equals_the_earlier_is_first():
    assert numbers(ranked(SWEEP, GOOD)) == [5, 1, 4, 0, 3]
    assert numbers(ranked(SWEEP, GOOD[::-1])) == [5, 1, 4, 0, 3]


@pytest.mark.parametrize(
    ("best", "names", "expected"),
    [
        (0, (), []),
        (2, (), [5, 1]),
        (1, ("depth",), [5, 0, 3]),
        (2, ("depth", "kind"), [5, 1, 0, 3]),
        (9, ("kind",), [5, 1, 4, 0, 3]),
    ],
)
def test_contenders_are_the_best_and_the_best_of_each_value_in_their_order(best, names, expected):
    assert numbers(contenders(ranked(SWEEP, GOOD), best, names)) == expected


def test_trials_are_counted_by_how_they_were_decided():
    assert trial_counts(SWEEP, TRIALS, 64) == {
        "total": 6,
        "startup": 4,
        "failed": 1,
        "repeats": 64,
        "networks": 384,
        "swept": 3,
    }


def test_values_are_summarised_for_random_trials_and_for_those_of_the_model():
    found = phase_values(SWEEP, GOOD)
    assert {name: (one["n"], one["min"], one["max"]) for name, one in found.items()} == {
        "random": (3, 0.3, 0.9),
        "model": (2, 0.2, 0.3),
    }
    assert found["model"]["mean"] == pytest.approx(0.25)


def test_the_commonest_value_of_each_countable_parameter_is_named_with_its_trials():
    assert common_values(SWEEP, ranked(SWEEP, GOOD)[:4]) == {
        "trials": 4,
        "depth": {"value": 1, "trials": 3},
        "kind": {"value": "tanh", "trials": 4},
        "worst": 0.5,
    }


def test_a_row_holds_the_named_parameters_and_the_result_with_names_for_keys():
    assert trial_row(TRIALS[4], ["depth", "kind"], without=("losses",)) == {
        "number": 4,
        "phase": "model",
        "depth": 1,
        "kind": "tanh",
        "loss": 0.3,
        "val_std": 0.5,
    }
    assert trial_row(TRIALS[0], [])["losses"] == [1, 2]
    assert trial_row(TRIALS[0], [])["phase"] == "random"


def test_stability_names_the_first_of_the_leaders_by_its_number():
    found = stability(GOOD, Ranking([0.1, 0.2, 0.0, 0.1, 0.6], [4, 1, 0, 3]))
    assert found == {"share": 0.6, "leaders": 4, "first": 5}


class TestImportance:
    def trials(self, rounds):
        one = definition("random", run_cap=60)
        drawn = [proposals._drawn(one, 3, number) for number in range(60)]
        values = [(config["x"] - 3) ** 2 for config in drawn]
        return one, [
            Trial(number, "", rounds(number), config, {"loss": value})
            for number, (config, value) in enumerate(zip(drawn, values, strict=True))
        ]

    def test_counts_the_random_trials_alone(self):
        one, trials = self.trials(lambda number: number // 50)
        found = random_importance(one, trials, 10, np.random.default_rng(1))
        assert {name: row["estimate"] for name, row in found.items()} == importances(one, trials[:50])
        assert {name: row["estimate"] for name, row in found.items()} != importances(one, trials)
        intervals = importance_intervals(one, trials[:50], 10, np.random.default_rng(1))
        assert {name: (row["low"], row["high"], row["first"]) for name, row in found.items()} == intervals

    def test_needs_enough_of_them(self):
        one, trials = self.trials(lambda number: number // 40)
        with pytest.raises(ValueError, match="here are 40"):
            random_importance(one, trials, 10, np.random.default_rng(1))


class TestFreshData:
    best = np.array([0.1, 0.4, 0.2, 0.5])
    other = np.array([0.3, 0.5, 0.1, 0.9])

    def test_a_setting_is_compared_with_the_best_pair_by_pair(self):
        found = against_best({"best": self.best, "other": self.other}, 0.05)["other"]
        assert found["mean"] == pytest.approx(0.45)
        assert found["std"] == pytest.approx(np.std(self.other, ddof=1))
        assert found["excess"] == pytest.approx(0.4)
        assert found["behind"] == pytest.approx(0.15)
        interval = stats.ttest_rel(self.other, self.best).confidence_interval()
        assert (found["behind_low"], found["behind_high"]) == pytest.approx(interval)
        interval = stats.ttest_1samp(self.other, 0.05).confidence_interval() - np.array(0.05)
        assert (found["excess_low"], found["excess_high"]) == pytest.approx(tuple(interval))

    def test_the_best_is_not_behind_itself(self):
        found = against_best({"best": self.best, "other": self.other}, 0.05)["best"]
        assert [found[key] for key in found if key.startswith("behind")] == [None] * 4
        assert found["excess"] == pytest.approx(0.25)

    def test_the_contrasts_with_the_best_are_one_family(self):
        third = self.best + np.array([0.1, 0.2, 0.1, 0.2])
        found = against_best({"best": self.best, "other": self.other, "third": third}, 0.05)
        alone = [stats.ttest_rel(losses, self.best).pvalue for losses in (self.other, third)]
        assert alone[1] < alone[0]
        expected = [max(alone[0], 2 * alone[1]), 2 * alone[1]]  # Holm: twice the smaller, once the greater
        assert [found[name]["behind_p"] for name in ("other", "third")] == pytest.approx(expected)

    def test_the_value_of_the_choice_is_compared_with_fresh_data_of_its_own(self):
        swept = [0.05, 0.2, 0.1]
        found = selection_effect(0.1, swept, {"a": self.best, "b": self.other}, "b")
        assert (found["swept"], found["fresh"]) == (0.1, pytest.approx(0.45))
        interval = stats.ttest_ind(self.other, swept, equal_var=False).confidence_interval()
        assert found["difference"]["estimate"] == pytest.approx(0.45 - 0.35 / 3)
        assert (found["difference"]["low"], found["difference"]["high"]) == pytest.approx(interval)
        assert found["best_again"] == {"name": "a", "mean": pytest.approx(0.3), "is_chosen": False}

    def test_a_choice_that_is_the_best_again_is_called_so(self):
        found = selection_effect(0.1, [0.1, 0.2], {"a": self.best, "b": self.best.copy()}, "a")
        assert found["best_again"]["is_chosen"]


class TestLogs:
    log = (TRIALS[0].config | {"more": 1}, [{"loss": 0.7}, {"loss": 0.5}])

    def test_that_say_what_the_trial_says_pass(self):
        check_logged(SWEEP, TRIALS[0], *self.log)

    @pytest.mark.parametrize(
        "told",
        [
            replace(TRIALS[0], result={"loss": 0.5000001}),
            replace(TRIALS[0], config=TRIALS[0].config | {"depth": 3}),
            replace(TRIALS[0], config=TRIALS[0].config | {"unknown": 3}),
        ],
    )
    def test_that_differ_are_refused(self, told):
        with pytest.raises(ValueError, match="the log of run id0 differs from trial 0"):
            check_logged(SWEEP, told, *self.log)


class TestLists:
    LAYERS = ([64, 64], [128])
    SWEEP = definition(
        parameters={
            "model/layers": Parameter("categorical", LAYERS),
            "+x": Parameter("categorical", (0.5, 0.5)),
        }
    )
    TRIALS = tuple(
        Trial(number, f"id{number}", 0, {"model/layers": layers, "+x": 0.5}, {"loss": loss})
        for number, (layers, loss) in enumerate(
            [([64, 64], 0.3), ([128], 0.1), ([128], 0.2), ([64, 64], 0.4)]
        )
    )

    def test_are_cells_of_a_table_as_texts(self):
        row = trial_row(self.TRIALS[0], ["model/layers", "+x"])
        assert row == {"number": 0, "phase": "random", "model/layers": "[64, 64]", "+x": 0.5, "loss": 0.3}

    def test_have_a_first_and_a_commonest_one(self):
        best = ranked(self.SWEEP, self.TRIALS)
        assert numbers(contenders(best, 1, ["model/layers"])) == [1, 0]
        assert common_values(self.SWEEP, best[:3]) == {
            "trials": 3,
            "model/layers": {"value": [128], "trials": 2},
            "+x": {"value": 0.5, "trials": 3},
            "worst": 0.3,
        }

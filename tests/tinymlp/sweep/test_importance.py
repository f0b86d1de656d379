"""Importances of functions of which it is known what matters."""

import math
from dataclasses import replace

import numpy as np
import pytest
from swept import LISTS, MIXED, definition, forked_map

from tinymlp.sweep import Trial, importance_intervals, importances, proposals


def study(function, n=100, seed=1, parameters=MIXED):
    """Return a sweep and random trials of a function of the configuration."""
    one = definition("random", parameters, run_cap=n)
    drawn = [proposals._drawn(one, seed, number) for number in range(n)]
    return one, [
        Trial(number, "", 0, config, {"loss": function(config)}) for number, config in enumerate(drawn)
    ]


class TestImportances:
    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize(
        ("name", "function"),
        [
            ("x", lambda config: (config["x"] - 3) ** 2),
            ("rate", lambda config: math.log(config["rate"] / 0.01) ** 2),
            ("width", lambda config: float(config["width"])),
        ],
    )
    def test_are_greatest_for_the_parameter_that_matters(self, name, function, seed):
        shares = importances(*study(function, seed=seed))
        assert max(shares, key=shares.get) == name
        assert shares[name] > 0.5
        assert list(shares) == ["x", "y", "rate", "width", "kind"]
        assert sum(shares.values()) == pytest.approx(1)

    def test_rank_parameters_by_their_effect(self):
        one, trials = study(lambda config: (config["x"] - 3) ** 2 + 0.3 * (config["y"] - 7) ** 2, n=400)
        shares = importances(one, trials)
        assert shares["x"] > shares["y"] > max(shares[name] for name in ("rate", "width", "kind"))

    def test_follow_the_goal(self):
        one, trials = study(lambda config: (config["x"] - 3) ** 2)
        mirrored = [
            Trial(trial.number, "", 0, trial.config, {"loss": -trial.result["loss"]}) for trial in trials
        ]
        assert importances(definition("random", goal="maximize"), mirrored) == importances(one, trials)

    def test_leave_diverged_trials_out(self):
        one, trials = study(lambda config: (config["x"] - 3) ** 2)
        diverged = [Trial(trial.number, "", 0, trial.config, {"loss": None}) for trial in trials[:20]]
        assert importances(one, trials + diverged) == importances(one, trials)

    def test_need_enough_trials(self):
        one, trials = study(lambda config: config["x"], n=41)
        assert importances(one, trials)
        with pytest.raises(ValueError, match="need 41 trials with a value, here are 40"):
            importances(one, [*trials[:40], replace(trials[40], result={"loss": None})])
        with pytest.raises(ValueError, match="here are 40"):
            importance_intervals(one, trials[:40], 5, np.random.default_rng(1))

    def test_have_intervals_that_hold_them_and_tell_them_apart(self):
        one, trials = study(lambda config: (config["x"] - 3) ** 2, n=70)
        intervals = importance_intervals(one, trials, 20, np.random.default_rng(1))
        assert intervals == importance_intervals(one, trials, 20, np.random.default_rng(1), map=forked_map)
        shares = importances(one, trials)
        assert intervals["x"][0] <= shares["x"] <= intervals["x"][1]
        assert all(0 <= spread.low < spread.high <= 1 for spread in intervals.values())
        assert all(intervals["x"][0] > intervals[name][1] for name in ("y", "rate", "kind"))
        assert {name: spread.first for name, spread in intervals.items()} == dict.fromkeys(shares, 0) | {
            "x": 1
        }
        wide, narrow = (
            importance_intervals(one, trials, 20, np.random.default_rng(1), level=level)["x"]
            for level in (0.9, 0.5)
        )
        assert wide[0] < narrow[0] < narrow[1] < wide[1]

    def test_are_those_of_lists_and_repeated_values_too(self):
        one, trials = study(lambda config: float(config["model/layers"] != [128]), n=200, parameters=LISTS)
        shares = importances(one, trials)
        assert list(shares) == ["model/layers", "+opt.betas", "often", "mixed"]
        assert shares["model/layers"] > 0.8

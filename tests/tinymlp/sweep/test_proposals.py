"""Which trials come next, against the product of a grid, Optuna and random search."""

import itertools
import json
from dataclasses import replace
from functools import partial

import pytest
from swept import GRID, LISTS, MIXED, bowl, branin, configs, constant, definition, layered

from tinymlp.sweep import (
    Trial,
    agent,
    proposals,
)


class TestSamplers:
    def test_a_grid_is_the_product_in_the_order_of_the_file(self, tmp_path):
        trials = agent(definition("grid", GRID, run_cap=None), constant, folder=tmp_path, seed=0)
        product = itertools.product(("one", 2, 3.5, True, None), (1, 2, 3), (0.0, 0.5, 1.0), (9,))
        expected = [dict(zip("abcd", values, strict=True)) for values in product]
        assert json.dumps(configs(trials)) == json.dumps(expected)
        assert {trial.round for trial in trials} == {0}

    def test_a_random_trial_does_not_depend_on_how_many_there_are(self, tmp_path):
        more = agent(definition("random", run_cap=30), constant, folder=tmp_path / "a", seed=3)
        few = agent(definition("random", run_cap=7), constant, folder=tmp_path / "b", seed=3)
        other = agent(definition("random", run_cap=30), constant, folder=tmp_path / "c", seed=4)
        assert (len(more), few) == (30, more[:7])
        assert not any(one.config == two.config for one, two in zip(more, other, strict=True))

    def test_bayes_begins_with_the_random_trials_ten_for_each_swept_parameter(self, tmp_path):
        bayes = agent(definition(run_cap=65), bowl, folder=tmp_path / "a", seed=3)
        uniform = agent(definition("random", run_cap=65), bowl, folder=tmp_path / "b", seed=3)
        assert configs(bayes[:50]) == configs(uniform[:50])
        assert not any(one.config == two.config for one, two in zip(bayes[50:], uniform[50:], strict=True))
        assert [trial.round for trial in bayes] == [0] * 50 + [1] * 10 + [2] * 5

    @pytest.mark.parametrize("run_cap", [4, 53, 60])
    def test_fewer_trials_are_the_first_of_more(self, run_cap, tmp_path):
        more = agent(definition(run_cap=63), bowl, folder=tmp_path / "a", seed=3)
        fewer = agent(definition(run_cap=63), bowl, folder=tmp_path / "b", seed=3, run_cap=run_cap)
        assert fewer == more[:run_cap]

    def test_the_file_caps_what_a_caller_asks_for(self, tmp_path):
        assert len(agent(definition("random", run_cap=5), constant, folder=tmp_path, seed=1, run_cap=50)) == 5

    @pytest.mark.slow
    def test_bayes_finds_better_values_than_random_search(self, tmp_path):
        two = {name: MIXED[name] for name in "xy"}
        best = {"bayes": [], "random": []}
        for method, seed in itertools.product(best, range(5)):
            folder = tmp_path / f"{method}{seed}"
            trials = agent(definition(method, two, run_cap=80), branin, folder=folder, seed=seed)
            best[method].append(min(trial.result["loss"] for trial in trials))
        assert min(best["bayes"]) >= 0.397887 - 1e-6
        assert all(one < two for one, two in zip(best["bayes"], best["random"], strict=True))

    def test_to_maximize_mirrors_to_minimize(self, tmp_path):
        least = agent(definition(), bowl, folder=tmp_path / "a", seed=2)
        most = agent(definition(goal="maximize"), partial(bowl, -1.0), folder=tmp_path / "b", seed=2)
        assert configs(least) == configs(most)

    def test_trials_of_a_round_are_not_all_alike(self, tmp_path):
        trials = agent(definition(), bowl, folder=tmp_path, seed=2)
        assert len({json.dumps(trial.config) for trial in trials[-10:]}) == 10

    def test_diverged_trials_have_no_part_in_the_decisions(self):
        one = definition()
        drawn = [
            Trial(number, "", 0, proposals._drawn(one, 1, number), {"loss": number % 7})
            for number in range(70)
        ]
        elsewhere = proposals._drawn(one, 2, 0)
        diverged = [replace(trial, result={"loss": None}) if trial.number % 3 else trial for trial in drawn]
        moved = [replace(trial, config=elsewhere) if trial.number % 3 else trial for trial in diverged]
        assert proposals._asked(one, diverged, 1, 10) == proposals._asked(one, moved, 1, 10)
        assert proposals._asked(one, diverged, 1, 10) != proposals._asked(one, drawn, 1, 10)

    def test_bayes_goes_on_if_every_trial_diverges(self, tmp_path):
        two = {name: MIXED[name] for name in "xy"}
        trials = agent(
            definition(parameters=two, run_cap=35), lambda: {"loss": None}, folder=tmp_path, seed=2
        )
        assert len({json.dumps(trial.config) for trial in trials}) == 35


class TestListsAndRepeats:
    def test_a_grid_has_each_as_often_as_the_file(self, tmp_path):
        two = {name: LISTS[name] for name in ("model/layers", "often")}
        trials = agent(definition("grid", two, run_cap=None), constant, folder=tmp_path, seed=0)
        product = itertools.product(([64, 64], [128], [], [[8], "x"]), (0.5, 0.5, 0.25))
        assert configs(trials) == [dict(zip(two, values, strict=True)) for values in product]
        assert len({trial.id for trial in trials}) == 12

    def test_a_repeated_value_is_drawn_as_often(self):
        one = definition("random", LISTS)
        drawn = [proposals._drawn(one, 1, number)["often"] for number in range(900)]
        assert abs(drawn.count(0.5) - 600) < 4 * (900 * 2 / 9) ** 0.5  # four standard deviations

    def test_bayes_finds_the_best_list(self, tmp_path):
        trials = agent(definition("bayes", LISTS, run_cap=70), layered, folder=tmp_path, seed=1)
        proposed = [trial.config["model/layers"] for trial in trials if trial.round]
        assert len(proposed) == 30
        assert proposed.count([64, 64]) > 20

    def test_trials_have_the_values_of_the_file_themselves(self, tmp_path):
        trials = agent(definition("bayes", LISTS, run_cap=60), layered, folder=tmp_path, seed=1)
        for name, one in LISTS.items():
            found = {json.dumps(trial.config[name]) for trial in trials}
            assert found == set(map(json.dumps, one.values))

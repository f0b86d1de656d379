"""A parameter draws from its distribution, and a sweep is known by what decides its trials."""

from collections import Counter

import numpy as np
import pytest
from scipy import stats
from swept import GRID, MIXED, constant, definition

from tinymlp.sweep import Parameter, agent


class TestDraws:
    def drawn(self, one, n=4000):
        rng = np.random.default_rng(5)
        return [one.draw(rng) for _ in range(n)]

    @pytest.mark.parametrize(
        ("name", "law"),
        [
            ("log_uniform_values", stats.loguniform(0.001, 0.1)),
            ("uniform", stats.uniform(0.001, 0.099)),
        ],
    )
    def test_follow_the_distribution(self, name, law):
        values = self.drawn(Parameter(name, (), 0.001, 0.1))
        assert stats.kstest(values, law.cdf).pvalue > 0.01
        assert all(type(value) is float for value in values)

    @pytest.mark.parametrize(
        "one",
        [
            Parameter("int_uniform", (), 2, 8, 1),
            Parameter("q_uniform", (), 0.5, 2.0, 0.25),
            Parameter("categorical", ("a", 2, None)),
        ],
    )
    def test_take_each_of_countable_values_equally_often_the_bounds_too(self, one):
        counts = Counter(self.drawn(one))
        levels = [one.level(index) for index in range(one.count)]
        assert set(counts) == set(levels)
        if one.values == ():
            assert (min(levels), max(levels)) == (one.min, one.max)
        assert stats.chisquare([counts[level] for level in levels]).pvalue > 0.01

    def test_take_whole_numbers_on_a_logarithmic_scale_as_optuna_does(self):
        import optuna

        one = Parameter("q_log_uniform_values", (), 1, 6, 1)
        counts = Counter(self.drawn(one))
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
        theirs = Counter(
            study.ask({"x": optuna.distributions.IntDistribution(1, 6, log=True)}).params["x"]
            for _ in range(2000)
        )
        table = [[count[level] for level in range(1, 7)] for count in (counts, theirs)]
        assert stats.chi2_contingency(table).pvalue > 0.01
        assert all(type(value) is int for value in counts)


class TestIdentity:
    def test_is_eight_hexadecimal_digits_of_what_decides_the_trials(self):
        one = definition()
        assert len(one.id) == 8
        assert set(one.id) <= set("0123456789abcdef")
        assert one.id == definition(run_cap=99).id
        others = [definition("random"), definition(goal="maximize"), definition(parameters=GRID)]
        others += [definition(parameters=MIXED | {"fixed": Parameter("constant", (7.0,))})]
        assert len({one.id, *(other.id for other in others)}) == 5

    def test_of_a_run_differs_for_each_trial_even_of_the_same_configuration(self, tmp_path):
        two = {"a": Parameter("categorical", (1, 2))}
        trials = agent(definition("random", two, run_cap=20), constant, folder=tmp_path, seed=1)
        assert len({trial.id for trial in trials}) == 20

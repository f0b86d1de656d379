"""The sweep file against wandb's own reading; the agent against kills, damage and the number of processes."""

import itertools
import json
import math
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy import stats

from labreport.project import Config, Project
from labreport.running.lab import Lab
from tinymlp.sweep.agent import (
    Parameter,
    Sweep,
    SweepError,
    Trial,
    TrialError,
    agent,
    importance_intervals,
    importances,
    load,
)

sweep = import_module("tinymlp.sweep.agent")  # the room's own `agent` is the function
ROOT = Path(__file__).parents[3]
FILE = ROOT / "experiments/sweep.yaml"

MIXED = {
    "x": Parameter("uniform", (), -5.0, 10.0),
    "y": Parameter("uniform", (), 0.0, 15.0),
    "rate": Parameter("log_uniform_values", (), 0.001, 0.1),
    "width": Parameter("int_uniform", (), 2, 8, 1),
    "kind": Parameter("categorical", ("tanh", "relu")),
    "fixed": Parameter("constant", (7,)),
}
GRID = {
    "a": Parameter("categorical", ("one", 2, 3.5, True, None)),
    "b": Parameter("int_uniform", (), 1, 3, 1),
    "c": Parameter("q_uniform", (), 0.0, 1.0, 0.5),
    "d": Parameter("constant", (9,)),
}


def definition(method="bayes", parameters=MIXED, goal="minimize", run_cap=70):
    return Sweep("train.py", method, "loss", goal, dict(parameters), run_cap)


def given():
    """Return the parameters that the agent has given, as wandb reads them."""
    entries = yaml.safe_load(Path(os.environ["WANDB_SWEEP_PARAM_PATH"]).read_text())
    return {key: entry["value"] for key, entry in entries.items()}


def bowl(sign=1.0):
    """A function of rate and x alone, least at rate 0.02 and x 3."""
    config = given()
    return {"loss": sign * (math.log(config["rate"] / 0.02) ** 2 + (config["x"] - 3) ** 2 / 20)}


def branin():
    """Branin's function: three minima of 0.397887 (Dixon and Szegö, Towards Global Optimisation 2, 1978)."""
    x, y = (given()[key] for key in "xy")
    bend = (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2
    return {"loss": bend + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10}


def constant():
    return {"loss": 1.0}


def forked_map(function, items):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(function, items, chunksize=1)


def configs(trials):
    return [trial.config for trial in trials]


def stored(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "trials").glob("*.json"))}


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # wandb leaves the file open
class TestTheProjectsFile:
    def test_is_read_by_wandb_as_by_us(self):
        from wandb.sdk.launch.sweeps.utils import load_sweep_config
        from wandb.sdk.sweeps.scheduler.optuna import search_space_from_sweep_config, sweep_directions

        theirs, ours = load_sweep_config(str(FILE)), load(FILE)
        space = search_space_from_sweep_config(theirs["parameters"])
        assert {name: space[name] for name in ours.swept} == sweep._distributions(ours)
        assert {name: space[name].choices for name in ours.fixed} == {
            name: (value,) for name, value in ours.fixed.items()
        }
        assert list(ours.parameters) == list(theirs["parameters"])
        assert sweep_directions(theirs) == [ours.goal]
        assert (ours.program, ours.method, ours.metric) == ("experiments/sweep.py", "bayes", "val/loss")
        assert ours.run_cap == theirs["run_cap"]

    def test_names_a_program_that_exists_and_a_command_that_finds_our_packages(self, tmp_path):
        assert (ROOT / load(FILE).program).is_file()
        program = tmp_path / "program.py"
        program.write_text("import tinymlp, labreport")
        macros = {"${env}": "/usr/bin/env", "${interpreter}": sys.executable, "${program}": str(program)}
        command = [macros.get(part, part) for part in yaml.safe_load(FILE.read_text())["command"]]
        subprocess.run(command, cwd=ROOT, check=True)

    def test_sweeps_enough_trials_for_its_random_ones_and_some_rounds(self):
        ours = load(FILE)
        assert ours.run_cap >= 100
        assert ours.run_cap >= ours.startup + 5 * sweep.ROUND
        assert ours.fixed["repeats"] >= 10


class TestMappings:
    """Each spelling of a parameter, as wandb itself maps it to Optuna."""

    @pytest.mark.parametrize(
        "text",
        [
            "{values: [1, 2, 4]}",
            "{values: [tanh, 0.5, true, null], distribution: categorical}",
            "{min: 1, max: 5}",
            "{min: 0.5, max: 5.0}",
            "{min: 1, max: 5, distribution: int_uniform}",
            "{min: 0, max: 0.9, distribution: uniform}",
            "{min: 0.001, max: 1, distribution: log_uniform_values}",
            "{min: 2, max: 10, q: 2, distribution: q_uniform}",
            "{min: 2, max: 10, distribution: q_uniform}",
            "{min: 0.5, max: 2.0, q: 0.25, distribution: q_uniform}",
            "{min: 1, max: 64, distribution: q_log_uniform_values}",
        ],
    )
    def test_agree_with_those_of_wandb(self, text, tmp_path):
        from wandb.sdk.sweeps.scheduler.optuna import sweep_parameter_to_distribution

        ours = load(written(tmp_path, HEAD + f"parameters:\n  x: {text}\n"))
        assert sweep._distributions(ours)["x"] == sweep_parameter_to_distribution(yaml.safe_load(text))

    def test_a_value_is_fixed_and_so_is_a_list_of_one(self, tmp_path):
        text = (
            HEAD
            + "parameters:\n  a: {value: 3}\n  b: {values: [x]}\n  c: {value: 2.5, distribution: constant}\n"
        )
        ours = load(written(tmp_path, text + "  d: {values: [1, 2]}\n"))
        assert ours.fixed == {"a": 3, "b": "x", "c": 2.5}
        assert list(ours.swept) == ["d"]

    def test_the_goal_is_to_minimize_if_none_is_said(self, tmp_path):
        text = "parameters:\n  x: {values: [1, 2]}\n"
        assert load(written(tmp_path, HEAD + text)).goal == "minimize"
        head = HEAD.replace("{name: loss}", "{name: loss, goal: maximize}")
        assert load(written(tmp_path, head + text)).goal == "maximize"

    def test_texts_that_only_describe_are_taken(self, tmp_path):
        more = 'name: N\ndescription: D\nproject: P\nentity: E\ncommand: ["python", "${program}"]\n'
        ours = load(written(tmp_path, more + HEAD + "parameters:\n  x: {values: [1, 2]}\n"))
        assert (ours.project, ours.entity) == ("P", "E")


HEAD = "program: train.py\nmethod: random\nmetric: {name: loss}\nrun_cap: 9\n"
TAIL = "parameters:\n  x: {values: [1, 2]}\n"


def written(folder, text):
    path = folder / "sweep.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problem_of(path):
    with pytest.raises(SweepError) as caught:
        load(path)
    return caught.value


def parameter(text):
    return HEAD + f"parameters:\n  x: {text} # <-\n  y: {{values: [1, 2]}}\n"


# What is wrong (at the line marked by `# <-`), the key, and words of the message.
WRONG = [
    (HEAD + "run_caps: 3 # <-\n" + TAIL, "run_caps", "did you mean run_cap?"),
    (HEAD + "early_terminate: {type: hyperband, min_iter: 3} # <-\n" + TAIL, "early_terminate", "delete it"),
    (HEAD + "scheduler: {engine: optuna} # <-\n" + TAIL, "scheduler", "delete it"),
    (HEAD + "controller: {type: local} # <-\n" + TAIL, "controller", "delete it"),
    (HEAD + "metrics: [] # <-\n" + TAIL, "metrics", "choose one"),
    (HEAD + "name: 3 # <-\n" + TAIL, "name", "write a text"),
    (HEAD + "command: python train.py # <-\n" + TAIL, "command", "write a list"),
    (HEAD + "run_cap: 3 # <-\n" + TAIL, "run_cap", "first in line 4"),
    (HEAD + "on: 3 # <-\n" + TAIL, "on", "put it in quotes"),
    (HEAD.replace("random", "bayse # <-") + TAIL, "method", "did you mean bayes?"),
    (HEAD.replace("random", "custom # <-") + TAIL, "method", "there are grid, random, bayes"),
    (HEAD.replace("random", "random # <-").replace("run_cap: 9\n", "") + TAIL, "method", "add `run_cap:`"),
    (HEAD.replace("cap: 9", "cap: 0 # <-") + TAIL, "run_cap", "at least 1"),
    (HEAD.replace("cap: 9", "cap: 9.0 # <-") + TAIL, "run_cap", "whole number"),
    (HEAD.replace("cap: 9", "cap: true # <-") + TAIL, "run_cap", "whole number"),
    (HEAD.replace("{name: loss}", "loss # <-") + TAIL, "metric", "is no mapping"),
    (HEAD.replace("{name: loss}", "{goal: minimize} # <-") + TAIL, "metric", "add `name:`"),
    (HEAD.replace("{name: loss}", "{name: a, target: 1} # <-") + TAIL, "metric.target", "name, goal"),
    (HEAD.replace("{name: loss}", "{name: a, goal: minimise} # <-") + TAIL, "metric.goal", "mean minimize?"),
    (HEAD + "parameters: [x] # <-\n", "parameters", "is no mapping"),
    (HEAD + "parameters: # <-\n  x: {value: 3}\n", "parameters", "nothing is swept"),
    (HEAD + "parameters: {} # <-\n", "parameters", "nothing is swept"),
    (parameter("3"), "parameters.x", "is no mapping"),
    (parameter("{}"), "parameters.x", "add `value:`, `values:`"),
    (parameter("{min: 3}"), "parameters.x", "has no values"),
    (parameter("{parameters: {lr: {value: 1}}}"), "parameters.x.parameters", "one of its own"),
    (parameter("{values: [1, 2], probabilities: [0.1, 0.9]}"), "parameters.x.probabilities", "delete it"),
    (parameter("{distribution: normal, mu: 0, sigma: 1}"), "parameters.x.distribution", "uniform"),
    (parameter("{distribution: q_log_normal}"), "parameters.x.distribution", "log_uniform_values"),
    (parameter("{distribution: beta}"), "parameters.x.distribution", "no beta"),
    (
        parameter("{distribution: log_uniform, min: -3, max: 0}"),
        "parameters.x.distribution",
        "log_uniform_values",
    ),
    (
        parameter("{distribution: inv_log_uniform_values, min: 1, max: 2}"),
        "parameters.x.distribution",
        "bounds",
    ),
    (
        parameter("{distribution: unifrom, min: 1, max: 2}"),
        "parameters.x.distribution",
        "did you mean uniform?",
    ),
    (parameter("{distribution: [uniform]}"), "parameters.x.distribution", "there is no ['uniform']"),
    (parameter("{distribution: uniform, min: 1}"), "parameters.x", "has no max"),
    (parameter("{values: [1, 2], min: 3}"), "parameters.x.min", "no key of this place"),
    (parameter("{vales: [1, 2]}"), "parameters.x", "has no values"),
    (parameter("{values: []}"), "parameters.x.values", "no list of values"),
    (parameter("{values: 3}"), "parameters.x.values", "no list of values"),
    (parameter("{values: [1, [2]]}"), "parameters.x.values", "no plain value"),
    (parameter("{values: [1, 2, 1.0]}"), "parameters.x.values", "each value once"),
    (parameter("{values: [1, .nan]}"), "parameters.x.values", "no plain value"),
    (parameter("{values: [2026-01-01]}"), "parameters.x.values", "no plain value"),
    (parameter("{values: [2026-13-01]}"), "parameters.x.values", "text in quotes"),
    (parameter("{values: !!python/object:os.system [1]}"), "parameters.x.values", "text in quotes"),
    (parameter("{value: {a: 1}}"), "parameters.x.value", "no plain value"),
    (parameter("{min: 3, max: 1}"), "parameters.x.max", "exchange them"),
    (parameter("{min: 1, max: 1}"), "parameters.x.max", "use `value:`"),
    (parameter("{min: 0, max: 0.9}"), "parameters.x.max", "two with a point"),
    (parameter("{min: 0.5, max: 3}"), "parameters.x.min", "two with a point"),
    (parameter("{min: 1.5, max: 3, distribution: int_uniform}"), "parameters.x.min", "whole"),
    (parameter("{min: 0, max: 1.0, distribution: log_uniform_values}"), "parameters.x.min", "above 0"),
    (parameter("{min: -1.0, max: 1.0, distribution: log_uniform_values}"), "parameters.x.min", "above 0"),
    (parameter("{min: 1e-6, max: 1.0}"), "parameters.x.min", "write 1.0e-06"),
    (parameter("{min: low, max: 1.0}"), "parameters.x.min", "write a number"),
    (parameter("{min: true, max: 3}"), "parameters.x.min", "no finite number"),
    (parameter("{min: 0.0, max: .inf}"), "parameters.x.max", "no finite number"),
    (parameter("{min: 0, max: 99999999999999999999}"), "parameters.x.max", "no finite number"),
    (parameter("{min: 1, max: 10, q: 2, distribution: q_uniform}"), "parameters.x", "multiples"),
    (parameter("{min: 1, max: 10, q: 0, distribution: q_uniform}"), "parameters.x", "above 0"),
    (parameter("{min: 0.5, max: 9, distribution: q_log_uniform_values}"), "parameters.x", "whole numbers"),
    (parameter("{min: 2, max: 8, q: 2, distribution: q_log_uniform_values}"), "parameters.x", "q: 1"),
    (HEAD + TAIL + "  1x: {value: 3} # <-\n", "parameters.1x", "a letter first"),
    (parameter("{min: 0.0, max: 1.0}").replace("random", "grid"), "parameters.x", "a grid cannot"),
]


class TestErrors:
    @pytest.mark.parametrize(("text", "key", "words"), WRONG)
    def test_name_file_line_key_and_cure(self, text, key, words, tmp_path):
        path = written(tmp_path, text)
        error = problem_of(path)
        (line,) = [number for number, one in enumerate(text.splitlines(), 1) if "# <-" in one]
        assert len(error.problems) == 1
        assert (error.file, error.line, error.key) == (str(path), line, key)
        assert str(error).startswith(f"{path}, line {line}: {key}: ")
        assert words in str(error)
        assert str(error).endswith(error.cure)

    @pytest.mark.parametrize("key", ["program", "method", "metric", "parameters"])
    def test_name_what_is_missing(self, key, tmp_path):
        lines = (HEAD + "parameters: {x: {values: [1, 2]}}\n").splitlines(keepends=True)
        text = "".join(line for line in lines if not line.startswith(key))
        error = problem_of(written(tmp_path, text))
        assert [(one.key, one.line) for one in error.problems] == [(key, None)]
        assert f"add `{key}:`" in str(error)

    def test_are_all_told_at_once_in_the_order_of_the_lines(self, tmp_path):
        text = (
            "method: bayse\nmetric: {goal: up}\nparameters:\n  a: {min: 2, max: 1}\n  b: {value: [1]}\nx: 1\n"
        )
        error = problem_of(written(tmp_path, text))
        keys = ["program", "method", "metric", "parameters.a.max", "parameters.b.value", "x"]
        assert [one.key for one in error.problems] == keys
        assert [one.line for one in error.problems] == [None, 1, 2, 4, 5, 6]
        assert len(str(error).splitlines()) == 6

    @pytest.mark.parametrize(
        ("data", "line", "words"),
        [
            (b"program: a\nmethod: [grid\nmetric: b\n", 3, "no YAML"),
            (b"program: a\n\tmethod: grid\n", 2, "no YAML"),
            (b"program: *nothing\n", 1, "undefined alias"),
            (b"a: 1\n---\nb: 2\n", 2, "no YAML"),
            (b"program: a\nmethod: gr\xffd\n", 2, "is not UTF-8"),
            (b"program: a\nmethod: gr\x07d\n", 2, "does not allow"),
            (b"", None, "is empty"),
            (b"# nothing\n", None, "is empty"),
        ],
    )
    def test_of_a_file_that_is_no_yaml(self, data, line, words, tmp_path):
        path = tmp_path / "sweep.yaml"
        path.write_bytes(data)
        error = problem_of(path)
        assert error.line == line
        assert words in str(error)

    def test_of_a_file_that_is_a_list(self, tmp_path):
        error = problem_of(written(tmp_path, "# a list\n- 1\n- 2\n"))
        assert (error.line, error.problems[0].what) == (2, "is no mapping")

    def test_of_a_file_that_does_not_exist_and_of_a_folder(self, tmp_path):
        assert "No such file" in str(problem_of(tmp_path / "none.yaml"))
        assert "directory" in str(problem_of(tmp_path))

    def test_are_value_errors_that_other_processes_can_send(self, tmp_path):
        error = problem_of(written(tmp_path, "x: 1\n"))
        assert isinstance(error, ValueError)
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
        assert str(pickle.loads(pickle.dumps(TrialError(3, "is wrong")))) == "trial 3 of the sweep is wrong"


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
            Trial(number, "", 0, sweep._drawn(one, 1, number), {"loss": number % 7}) for number in range(70)
        ]
        elsewhere = sweep._drawn(one, 2, 0)
        diverged = [replace(trial, result={"loss": None}) if trial.number % 3 else trial for trial in drawn]
        moved = [replace(trial, config=elsewhere) if trial.number % 3 else trial for trial in diverged]
        assert sweep._asked(one, diverged, 1, 10) == sweep._asked(one, moved, 1, 10)
        assert sweep._asked(one, diverged, 1, 10) != sweep._asked(one, drawn, 1, 10)

    def test_bayes_goes_on_if_every_trial_diverges(self, tmp_path):
        two = {name: MIXED[name] for name in "xy"}
        trials = agent(
            definition(parameters=two, run_cap=35), lambda: {"loss": None}, folder=tmp_path, seed=2
        )
        assert len({json.dumps(trial.config) for trial in trials}) == 35


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


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # wandb leaves the file open
class TestTheContract:
    NAMES = ("WANDB_SWEEP_ID", "WANDB_RUN_ID", "WANDB_SWEEP_PARAM_PATH", "WANDB_PROJECT", "WANDB_ENTITY")

    @pytest.fixture(autouse=True)
    def _no_agent_outside(self, monkeypatch):
        for name in self.NAMES:
            monkeypatch.delenv(name, raising=False)

    def seen(self):
        return {"loss": 1.0, **{name: os.environ.get(name) for name in self.NAMES}}

    def test_gives_each_trial_its_identity_and_its_parameters(self, tmp_path):
        from wandb.sdk.lib.config_util import dict_from_config_file

        one = Sweep("t.py", "random", "loss", "minimize", dict(MIXED), 3, project="p", entity="e")
        for trial in agent(one, self.seen, folder=tmp_path, seed=1):
            assert trial.result["WANDB_SWEEP_ID"] == one.id
            assert trial.result["WANDB_RUN_ID"] == trial.id
            assert (trial.result["WANDB_PROJECT"], trial.result["WANDB_ENTITY"]) == ("p", "e")
            path = Path(trial.result["WANDB_SWEEP_PARAM_PATH"])
            assert path.is_relative_to(tmp_path)
            assert dict_from_config_file(str(path)) == trial.config

    def test_leaves_the_environment_as_it_was(self, tmp_path, monkeypatch):
        monkeypatch.setenv("WANDB_RUN_ID", "outside")
        before = dict(os.environ)
        agent(definition("random", run_cap=2), self.seen, folder=tmp_path, seed=1)
        assert dict(os.environ) == before
        with pytest.raises(ZeroDivisionError):
            agent(definition("random"), lambda: 1 / 0, folder=tmp_path, seed=2)
        assert dict(os.environ) == before

    def test_keeps_a_sweep_and_a_project_that_the_user_has_named(self, tmp_path, monkeypatch):
        one = Sweep("t.py", "random", "loss", "minimize", dict(MIXED), 1, project="p")
        (free,) = agent(one, self.seen, folder=tmp_path / "a", seed=1)
        monkeypatch.setenv("WANDB_SWEEP_ID", "abcd1234")
        monkeypatch.setenv("WANDB_PROJECT", "mine")
        (trial,) = agent(one, self.seen, folder=tmp_path / "b", seed=1)
        assert (trial.result["WANDB_SWEEP_ID"], trial.result["WANDB_PROJECT"]) == ("abcd1234", "mine")
        assert (trial.id, trial.config) == (free.id, free.config)

    def test_numbers_arrive_exactly(self, tmp_path):
        trials = agent(
            definition("random", run_cap=50), lambda: {"loss": 0.1, **given()}, folder=tmp_path, seed=1
        )
        for trial in trials:
            del trial.result["loss"]
            assert trial.result == trial.config
            assert list(map(type, trial.result.values())) == list(map(type, trial.config.values()))


class TestResults:
    def failing(self, folder, function, run_cap=9):
        with pytest.raises((TrialError, ZeroDivisionError)) as caught:
            agent(definition("random", run_cap=run_cap), function, folder=folder, seed=1)
        return caught.value

    @pytest.mark.parametrize(
        ("returned", "words"),
        [
            (None, "returned NoneType"),
            ([1.0], "returned list"),
            ({"lose": 1.0}, "returned no 'loss': the keys are lose"),
            ({"loss": math.nan}, "finite number, or None if the trial diverged"),
            ({"loss": math.inf}, "finite number"),
            ({"loss": "0.1"}, "finite number"),
            ({"loss": True}, "finite number"),
            ({"loss": 1.0, "more": {"a": [1, math.nan]}}, "returned nan at ['more']['a'][1]"),
            ({"loss": 1.0, "more": np.ones(2)}, "at ['more']"),
            ({"loss": 1.0, "more": {1: 2}}, "at ['more']"),
        ],
    )
    def test_that_are_none_are_refused_with_the_trial_named(self, returned, words, tmp_path):
        error = self.failing(tmp_path, lambda: returned)
        assert str(error).startswith("trial 0 of the sweep returned")
        assert words in str(error)
        assert stored(tmp_path) == {}

    @pytest.mark.parametrize("map_", [map, forked_map])
    def test_an_exception_stops_the_sweep_and_names_the_trial(self, map_, tmp_path):
        with pytest.raises(ZeroDivisionError) as caught:
            agent(definition("random"), breaks_at_x_above_8, folder=tmp_path, seed=1, map=map_)
        (note,) = caught.value.__notes__
        number = int(note.split()[2])
        config = sweep._drawn(definition("random"), 1, number)
        assert config["x"] > 8
        assert f"x = {config['x']!r}" in note
        assert f"{number:04d}.json" not in stored(tmp_path)

    def test_of_finished_trials_are_kept_when_another_fails(self, tmp_path):
        count = itertools.count()
        self.failing(tmp_path, lambda: {"loss": 1 / (3 - next(count))})
        assert list(stored(tmp_path)) == ["0000.json", "0001.json", "0002.json"]

    def test_are_the_same_when_they_come_from_the_disk(self, tmp_path):
        returned = {
            "loss": np.float64(0.1) * 3,
            "rows": ({"a": 1e-300}, (1, None, True, "ü\ud800")),
            "big": 2**70,
        }
        once = agent(definition("random", run_cap=3), lambda: returned, folder=tmp_path, seed=1)
        again = agent(definition("random", run_cap=3), lambda: 1 / 0, folder=tmp_path, seed=1)
        assert once == again
        assert once[0].result["loss"] == 0.1 * 3
        assert once[0].result["rows"] == [{"a": 1e-300}, [1, None, True, "ü\ud800"]]
        assert repr(once) == repr(again)


def breaks_at_x_above_8():
    return {"loss": 1 / 0 if given()["x"] > 8 else 1.0}


class TestStoredTrials:
    sweep = definition(parameters={name: MIXED[name] for name in ("x", "rate")}, run_cap=25)

    def rerun(self, folder, seed=1):
        """Run the sweep again, and return the numbers of the trials that were run."""
        ran = []

        def function():
            ran.append(int(Path(os.environ["WANDB_SWEEP_PARAM_PATH"]).stem))
            return bowl()

        trials = agent(self.sweep, function, folder=folder, seed=seed)
        return trials, ran

    def test_are_not_run_again(self, tmp_path):
        trials, ran = self.rerun(tmp_path)
        assert ran == list(range(25))
        assert self.rerun(tmp_path) == (trials, [])

    def test_hold_number_id_configuration_and_result(self, tmp_path):
        trials, _ = self.rerun(tmp_path)
        record = json.loads(stored(tmp_path)["0007.json"])
        del record["checksum"]
        trial = trials[7]
        assert record == {"number": 7, "id": trial.id, "config": trial.config, "result": trial.result}

    @pytest.mark.parametrize(
        "damage",
        [
            lambda data: b"",
            lambda data: data[: len(data) // 2],
            lambda data: data[:-1],
            lambda data: b"\xff" + data,
            lambda data: b"[]",
            lambda data: b"{}",
            lambda data: b"null",
            lambda data: b'{"result": NaN}',
            lambda data: b'{"result": {"loss": 1.0}}',
            lambda data: data.replace(b'"loss": ', b'"loss": 1'),
            lambda data: data.replace(b'"rate": ', b'"rate": 1'),
            lambda data: data.replace(b'"number": 7', b'"number": 8'),
        ],
    )
    def test_that_are_damaged_are_run_again(self, damage, tmp_path):
        trials, _ = self.rerun(tmp_path)
        path = tmp_path / "trials/0007.json"
        data = path.read_bytes()
        assert damage(data) != data
        path.write_bytes(damage(data))
        assert self.rerun(tmp_path) == (trials, [7])
        assert path.read_bytes() == data

    def test_of_another_number_seed_or_sweep_are_run_again(self, tmp_path):
        trials, _ = self.rerun(tmp_path)
        (tmp_path / "trials/0007.json").write_bytes((tmp_path / "trials/0008.json").read_bytes())
        assert self.rerun(tmp_path) == (trials, [7])
        assert self.rerun(tmp_path, seed=2)[1] == list(range(25))
        assert self.rerun(tmp_path) == (trials, list(range(25)))
        agent(replace(self.sweep, goal="maximize"), bowl, folder=tmp_path, seed=1)
        assert self.rerun(tmp_path) == (trials, list(range(25)))

    def test_that_are_forgotten_are_run_again(self, tmp_path):
        trials, _ = self.rerun(tmp_path)
        sweep.forget(tmp_path, [trials[3], trials[23]])
        sweep.forget(tmp_path, [trials[3]])
        assert self.rerun(tmp_path) == (trials, [3, 23])

    def test_leave_no_temporary_files(self, tmp_path):
        self.rerun(tmp_path)
        assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".json", ".yaml"}


class TestProcesses:
    @pytest.mark.parametrize("method", ["grid", "random", "bayes"])
    def test_two_give_the_same_trials_as_one(self, method, tmp_path):
        one = definition(
            method, GRID if method == "grid" else MIXED, run_cap=None if method == "grid" else 60
        )
        function = constant if method == "grid" else bowl
        here = agent(one, function, folder=tmp_path / "one", seed=5)
        there = agent(one, function, folder=tmp_path / "two", seed=5, map=forked_map)
        assert here == there
        assert stored(tmp_path / "one") == stored(tmp_path / "two")

    def test_of_the_report_run_closures(self, tmp_path):
        shift = 1.0
        two = Lab(Project(tmp_path, Config("title")), "sweep", {}, jobs=2)
        trials = agent(
            definition(run_cap=52), lambda: bowl(shift), folder=tmp_path / "two", seed=5, map=two.map
        )
        assert trials == agent(definition(run_cap=52), bowl, folder=tmp_path / "one", seed=5)

    def test_importing_loads_no_heavy_library(self):
        code = "import sys, tinymlp.sweep.agent\n"
        code += "print({'optuna', 'wandb', 'torch', 'pandas'} & set(sys.modules))"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT / "src", capture_output=True, text=True, check=True
        )
        assert done.stdout == "set()\n"


CHILD = """
import math, multiprocessing, os, sys, time
from pathlib import Path
import yaml
from tinymlp.sweep.agent import Parameter, Sweep, agent

log, folder, workers = sys.argv[1:]
parameters = {name: Parameter("uniform", (), 0.0, 1.0) for name in "xy"}
sweep = Sweep("train.py", "bayes", "loss", "minimize", parameters, 45)

def slow():
    path = Path(os.environ["WANDB_SWEEP_PARAM_PATH"])
    with open(log, "a") as file:
        file.write(f"{int(path.stem)}\\n")
    time.sleep(0.03)
    config = yaml.safe_load(path.read_text())
    return {"loss": (config["x"]["value"] - 0.3) ** 2 + config["y"]["value"]}

def forked(function, items):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(function, items, chunksize=1)

print(len(agent(sweep, slow, folder=Path(folder), seed=1, map=forked if workers == "2" else map)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_kills_at_any_time_change_no_trial_and_repeat_none(workers, tmp_path):
    log, folder = tmp_path / "log", tmp_path / "killed"

    def child(folder, workers):
        command = [sys.executable, "-c", CHILD, str(log), str(folder), str(workers)]
        return subprocess.Popen(command, cwd=ROOT / "src", start_new_session=True, stdout=subprocess.PIPE)

    with child(tmp_path / "whole", 1) as process:
        assert process.communicate(timeout=60)[0] == b"45\n"
    rng, kills = random.Random(workers), 0
    while True:
        log.write_text("")
        finished = {int(name[:4]) for name in stored(folder)}
        with child(folder, workers) as process:
            if kills < 7:
                while not log.read_text() and process.poll() is None:
                    time.sleep(0.005)
                time.sleep(rng.uniform(0, 0.4))
            else:
                process.wait(timeout=60)
            killed = process.poll() is None
            if killed:
                os.killpg(process.pid, signal.SIGKILL)
        started = list(map(int, log.read_text().split()))
        assert len(started) == len(set(started))
        assert not finished & set(started)
        if not killed:
            assert process.returncode == 0
            break
        kills += 1
    assert kills >= 3
    assert stored(folder) == stored(tmp_path / "whole")


def study(function, n=100, seed=1, parameters=MIXED):
    """Return a sweep and random trials of a function of the configuration."""
    one = definition("random", parameters, run_cap=n)
    drawn = [sweep._drawn(one, seed, number) for number in range(n)]
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
        assert all(0 <= low < high <= 1 for low, high in intervals.values())
        assert all(intervals["x"][0] > intervals[name][1] for name in ("y", "rate", "kind"))
        wide, narrow = (
            importance_intervals(one, trials, 20, np.random.default_rng(1), level=level)["x"]
            for level in (0.9, 0.5)
        )
        assert wide[0] < narrow[0] < narrow[1] < wide[1]

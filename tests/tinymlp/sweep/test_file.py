"""The sweep file against wandb's own reading, and what is wrong with one, in which line."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tinymlp.sweep import SweepError, TrialError, load, proposals

ROOT = Path(__file__).parents[3]


FILE = ROOT / "experiments/sweep.yaml"

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
    (HEAD.replace("{name: loss}", "loss # <-") + TAIL, "metric", "is not a mapping"),
    (HEAD.replace("{name: loss}", "{goal: minimize} # <-") + TAIL, "metric", "add `name:`"),
    (HEAD.replace("{name: loss}", "{name: a, target: 1} # <-") + TAIL, "metric.target", "name, goal"),
    (HEAD.replace("{name: loss}", "{name: a, goal: minimise} # <-") + TAIL, "metric.goal", "mean minimize?"),
    (HEAD + "parameters: [x] # <-\n", "parameters", "is not a mapping"),
    (HEAD + "parameters: # <-\n  x: {value: 3}\n", "parameters", "nothing is swept"),
    (HEAD + "parameters: {} # <-\n", "parameters", "nothing is swept"),
    (parameter("3"), "parameters.x", "is not a mapping"),
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
    (parameter("{values: [1, 2], min: 3}"), "parameters.x.min", "not a key that belongs here"),
    (parameter("{vales: [1, 2]}"), "parameters.x", "has no values"),
    (parameter("{values: []}"), "parameters.x.values", "not a list of values"),
    (parameter("{values: 3}"), "parameters.x.values", "not a list of values"),
    (parameter("{values: [1, {a: 2}]}"), "parameters.x.values", "not a plain value"),
    (parameter("{values: [[1, [.inf]]]}"), "parameters.x.values", "not a plain value"),
    (parameter("{values: &a [1, *a]}"), "parameters.x.values", "not a plain value"),
    (
        parameter("{value: 1e-4}"),
        "parameters.x.value",
        "YAML reads 1e-4 as a text; write 1.0e-4, or quote it",
    ),
    (parameter("{value: 1e5}"), "parameters.x.value", "write 1.0e+5"),
    (parameter("{value: -2E3}"), "parameters.x.value", "write -2.0e+3"),
    (parameter("{value: 1.5e3}"), "parameters.x.value", "write 1.5e+3"),
    (parameter("{value: .5e3}"), "parameters.x.value", "write .5e+3"),
    (parameter("{value: 5.e3}"), "parameters.x.value", "write 5.e+3"),
    (parameter("{value: nan}"), "parameters.x.value", "write a finite number, or quote it"),
    (parameter("{value: -inf}"), "parameters.x.value", "write a finite number, or quote it"),
    (parameter("{value: 1e999}"), "parameters.x.value", "write a finite number, or quote it"),
    (parameter("{value: [8, [1e-4]]}"), "parameters.x.value", "write 1.0e-4"),
    (parameter("{value: 1e-4, distribution: constant}"), "parameters.x.value", "write 1.0e-4"),
    (parameter("{values: [0.1, 1e-2]}"), "parameters.x.values", "write 1.0e-2"),
    (HEAD + "parameters:\n  x:\n    values:\n    - 0.1\n    - 1e-3 # <-\n", "parameters.x.values", "1.0e-3"),
    (
        HEAD + "parameters:\n  x:\n    values:\n    - 8\n    - [8,\n      .nan] # <-\n",
        "parameters.x.values",
        "plain",
    ),
    (parameter("{values: [1, .nan]}"), "parameters.x.values", "not a plain value"),
    (parameter("{values: [2026-01-01]}"), "parameters.x.values", "not a plain value"),
    (parameter("{values: [2026-13-01]}"), "parameters.x.values", "text in quotes"),
    (parameter("{values: !!python/object:os.system [1]}"), "parameters.x.values", "text in quotes"),
    (parameter("{value: {a: 1}}"), "parameters.x.value", "not a plain value"),
    (parameter("{min: 3, max: 1}"), "parameters.x.max", "swap them"),
    (parameter("{min: 1, max: 1}"), "parameters.x.max", "use `value:`"),
    (parameter("{min: 0, max: 0.9}"), "parameters.x.max", "two with a point"),
    (parameter("{min: 0.5, max: 3}"), "parameters.x.min", "two with a point"),
    (parameter("{min: 1.5, max: 3, distribution: int_uniform}"), "parameters.x.min", "whole"),
    (parameter("{min: 0, max: 1.0, distribution: log_uniform_values}"), "parameters.x.min", "above 0"),
    (parameter("{min: -1.0, max: 1.0, distribution: log_uniform_values}"), "parameters.x.min", "above 0"),
    (parameter("{min: 1e-6, max: 1.0}"), "parameters.x.min", "write 1.0e-06"),
    (parameter("{min: 1.0, max: 2e5}"), "parameters.x.max", "write 200000.0"),
    (parameter("{min: 1.0, max: 2.0, q: 1e-1, distribution: q_uniform}"), "parameters.x.q", "write 0.1"),
    (parameter('{min: "0.5", max: 2.0}'), "parameters.x.min", "write 0.5"),
    (HEAD.replace("cap: 9", "cap: 1e2 # <-") + TAIL, "run_cap", "whole number"),
    (parameter("{min: low, max: 1.0}"), "parameters.x.min", "write a number"),
    (parameter("{min: true, max: 3}"), "parameters.x.min", "not a finite number"),
    (parameter("{min: 0.0, max: .inf}"), "parameters.x.max", "not a finite number"),
    (parameter("{min: 0, max: 99999999999999999999}"), "parameters.x.max", "not a finite number"),
    (parameter("{min: 1, max: 10, q: 2, distribution: q_uniform}"), "parameters.x", "multiples"),
    (parameter("{min: 1, max: 10, q: 0, distribution: q_uniform}"), "parameters.x", "above 0"),
    (parameter("{min: 0.5, max: 9, distribution: q_log_uniform_values}"), "parameters.x", "whole numbers"),
    (parameter("{min: 2, max: 8, q: 2, distribution: q_log_uniform_values}"), "parameters.x", "q: 1"),
    (HEAD + TAIL + "  1x: {value: 3} # <-\n", "parameters.1x", "a letter first"),
    (HEAD + TAIL + "  lr-: {value: 3} # <-\n", "parameters.lr-", "no - at the end"),
    (HEAD + TAIL + '  "a b": {value: 3} # <-\n', "parameters.a b", "a letter first"),
    (HEAD + TAIL + '  "": {value: 3} # <-\n', "parameters.", "a letter first"),
    (HEAD + TAIL + "  a=b: {value: 3} # <-\n", "parameters.a=b", "a letter first"),
    (parameter("{min: 0.0, max: 1.0}").replace("random", "grid"), "parameters.x", "a grid cannot"),
]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # wandb leaves the file open
class TestTheProjectsFile:
    def test_is_read_by_wandb_as_by_us(self):
        from wandb.sdk.launch.sweeps.utils import load_sweep_config
        from wandb.sdk.sweeps.scheduler.optuna import search_space_from_sweep_config, sweep_directions

        theirs, ours = load_sweep_config(str(FILE)), load(FILE)
        space = search_space_from_sweep_config(theirs["parameters"])
        assert {name: space[name] for name in ours.swept} == proposals._distributions(ours)
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
        assert ours.run_cap >= ours.startup + 5 * proposals.ROUND
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
        assert proposals._distributions(ours)["x"] == sweep_parameter_to_distribution(yaml.safe_load(text))

    def test_a_value_is_fixed_and_so_is_a_list_of_one(self, tmp_path):
        text = (
            HEAD
            + "parameters:\n  a: {value: 3}\n  b: {values: [x]}\n  c: {value: 2.5, distribution: constant}\n"
        )
        ours = load(written(tmp_path, text + "  d: {values: [1, 2]}\n"))
        assert ours.fixed == {"a": 3, "b": "x", "c": 2.5}
        assert list(ours.swept) == ["d"]

    @pytest.mark.parametrize(
        ("text", "values"),
        [
            ("[0.5, 0.5]", [0.5, 0.5]),
            ("[1, 2, 1.0, true, 1]", [1, 2, 1.0, True, 1]),
            ("[[64, 64], [128]]", [[64, 64], [128]]),
            ("[[64, 64], [64, 64], 8, tanh, null]", [[64, 64], [64, 64], 8, "tanh", None]),
            ("[[], [[1, [2.5]], x]]", [[], [[1, [2.5]], "x"]]),
            ("""["1e-4", '1e5', "nan"]""", ["1e-4", "1e5", "nan"]),
            ("[1.0e-4, .5, 5., 1e-4x, 0x10, 1_000, e5, 1.2.3, none]", None),
        ],
    )
    def test_values_may_be_lists_and_may_repeat_as_yaml_reads_them_for_wandb(self, text, values, tmp_path):
        ours = load(written(tmp_path, HEAD + f"parameters:\n  x:\n    values: {text}\n"))
        assert repr(list(ours.parameters["x"].values)) == repr(values or yaml.safe_load(text))

    def test_a_list_may_be_the_one_value(self, tmp_path):
        ours = load(written(tmp_path, HEAD + TAIL + "  a: {value: [64, 64]}\n  b: {values: [[8]]}\n"))
        assert ours.fixed == {"a": [64, 64], "b": [8]}

    def test_a_text_block_is_a_text(self, tmp_path):
        ours = load(written(tmp_path, HEAD + TAIL + "  a:\n    value: |-\n      1e-4\n"))
        assert ours.fixed == {"a": "1e-4"}

    @pytest.mark.parametrize(
        "name",
        ["model/lr", "+x.y", "++trainer.lr", "optimizer@model.opt", "~db", "a-b", "_x", "/model", "a+", "x1"],
    )
    def test_names_may_be_those_of_hydra(self, name, tmp_path):
        ours = load(written(tmp_path, HEAD + TAIL + f'  "{name}": {{values: [1, 2]}}\n'))
        assert list(ours.swept) == ["x", name]

    def test_the_goal_is_to_minimize_if_none_is_said(self, tmp_path):
        text = "parameters:\n  x: {values: [1, 2]}\n"
        assert load(written(tmp_path, HEAD + text)).goal == "minimize"
        head = HEAD.replace("{name: loss}", "{name: loss, goal: maximize}")
        assert load(written(tmp_path, head + text)).goal == "maximize"

    def test_texts_that_only_describe_are_taken(self, tmp_path):
        more = 'name: N\ndescription: D\nproject: P\nentity: E\ncommand: ["python", "${program}"]\n'
        ours = load(written(tmp_path, more + HEAD + "parameters:\n  x: {values: [1, 2]}\n"))
        assert (ours.project, ours.entity) == ("P", "E")


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
        parameters = "parameters:\n  a: {min: 2, max: 1}\n  b: {value: {c: 1}}\n"
        text = f"method: bayse\nmetric: {{goal: up}}\n{parameters}x: 1\n"
        error = problem_of(written(tmp_path, text))
        keys = ["program", "method", "metric", "parameters.a.max", "parameters.b.value", "x"]
        assert [one.key for one in error.problems] == keys
        assert [one.line for one in error.problems] == [None, 1, 2, 4, 5, 6]
        assert len(str(error).splitlines()) == 6

    @pytest.mark.parametrize(
        ("data", "line", "words"),
        [
            (b"program: a\nmethod: [grid\nmetric: b\n", 3, "not YAML"),
            (b"program: a\n\tmethod: grid\n", 2, "not YAML"),
            (b"program: *nothing\n", 1, "undefined alias"),
            (b"a: 1\n---\nb: 2\n", 2, "not YAML"),
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
        assert (error.line, error.problems[0].what) == (2, "is not a mapping")

    def test_of_a_file_that_does_not_exist_and_of_a_folder(self, tmp_path):
        assert "No such file" in str(problem_of(tmp_path / "none.yaml"))
        assert "directory" in str(problem_of(tmp_path))

    def test_are_value_errors_that_other_processes_can_send(self, tmp_path):
        error = problem_of(written(tmp_path, "x: 1\n"))
        assert isinstance(error, ValueError)
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
        assert str(pickle.loads(pickle.dumps(TrialError(3, "is wrong")))) == "trial 3 of the sweep is wrong"

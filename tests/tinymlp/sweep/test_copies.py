"""What else writes the sweep down, in small, must stay as it is in experiments/sweep.yaml."""

import re
from pathlib import Path

import yaml

from tinymlp.sweep import load

ROOT = Path(__file__).parents[3]


def test_the_notebook_sweeps_the_parameters_of_the_sweep_file():
    template = (ROOT / "report_templates/notebooks/feedforwardAssignment.py.j2").read_text(encoding="utf-8")
    text = re.search(r'yaml\.safe_load\("""(.*?)"""\)', template, re.DOTALL)[1]
    definition = yaml.safe_load(re.sub(r"\\VAR\{.*?\}", "0", text))
    whole = yaml.safe_load((ROOT / "experiments/sweep.yaml").read_text(encoding="utf-8"))
    swept = load(ROOT / "experiments/sweep.yaml").swept
    assert len(swept) == 7
    assert definition["parameters"].keys() == whole["parameters"].keys()
    assert {name: definition["parameters"][name] for name in swept} == {
        name: whole["parameters"][name] for name in swept
    }
    assert (definition["method"], definition["metric"]) == (whole["method"], whole["metric"])


def test_both_tracked_experiments_log_to_one_project():
    source = (ROOT / "experiments/tracking.py").read_text(encoding="utf-8")
    assert f'PROJECT, GROUP = "{load(ROOT / "experiments/sweep.yaml").project}"' in source

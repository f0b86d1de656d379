"""What of an experiment's syntax `run` reaches."""

import pytest

from labreport.results.syntax import experiment_facts

EXPERIMENT = '''"""Question?"""
from dataclasses import dataclass

UNREACHED = 1

@dataclass(frozen=True)
class Params:
    seed: int = 0

def run(params, lab):
    return {"x": WAY("1")}
'''


def facts(text, phase="run"):
    return experiment_facts(text.encode(), "experiments/exp.py", "exp")[phase]


@pytest.mark.parametrize(
    ("way", "reaches_all"), [("globals", True), ("eval", True), ("exec", True), ("print", False)]
)
def test_code_that_may_reach_any_name_depends_on_the_whole_module(way, reaches_all):
    written = EXPERIMENT.replace("WAY", way)
    changed = facts(written) != facts(written.replace("UNREACHED = 1", "UNREACHED = 2"))
    assert changed == reaches_all


def test_an_experiment_has_facts_of_drawing_only_if_it_draws():
    without = experiment_facts(EXPERIMENT.encode(), "experiments/exp.py", "exp")
    assert sorted(without) == ["declaration", "run"]
    drawing = EXPERIMENT + "\ndef draw(result, lab):\n    pass\n"
    assert sorted(experiment_facts(drawing.encode(), "experiments/exp.py", "exp")) == [
        "declaration",
        "draw",
        "run",
    ]


@pytest.mark.parametrize(
    ("line", "imports"),
    [
        ("from model import train, paint", [["model", "train", 0]]),
        ("import train, paint.brush", [["train", None, 0]]),
        ("from . import train as WAY, paint", []),
    ],
)
def test_each_name_of_an_import_counts_only_where_it_is_used(line, imports):
    written = EXPERIMENT.replace("WAY", "train").replace("UNREACHED = 1", line)
    others = [["dataclasses", "dataclass", 0]]
    assert facts(written)["imports"] == sorted(others + imports)


@pytest.mark.parametrize(
    "block",
    [
        "def train(x):\n    TEXT\n    return x",
        "class train:\n    TEXT\n    x = 1",
        "for x in range(3):\n    train = x\nelse:\n    TEXT\n    train = 1",
        "try:\n    TEXT\n    train = 1\nexcept OSError:\n    TEXT\n    x = 2\nfinally:\n    TEXT\n    x = 1",
    ],
)
def test_a_text_that_stands_alone_counts_nowhere(block):
    written = EXPERIMENT.replace("WAY", "train").replace("UNREACHED = 1", block)
    assert facts(written.replace("TEXT", "'one'")) == facts(written.replace("TEXT", "'another'"))

"""What a mistyped name, attribute or key is told: what was meant."""

import os
from dataclasses import dataclass
from pathlib import Path

import pandas
import pytest

from labreport.results import Result
from labreport.running import Lab
from labreport.running.failures import described, restored
from labreport.running.hints import hint


@dataclass(frozen=True)
class Params:
    seed: int = 0
    samples: int = 300


params = Params()
survey = {"heads": 1, "tails": {"mean": 2.0, "std": 0.1}}
frame = pandas.DataFrame({"share": [0.5]})
result = Result("coin", {}, survey, {}, "", Path(), "", "")


def toss(*, face):
    return face


def returned():
    return survey


MISTAKES = {
    "a parameter": (lambda: params.sed, "did you mean 'seed'?"),
    "no near parameter": (lambda: params.zzz, "the names here are: samples, seed"),
    "an attribute of a result": (lambda: result.value, "did you mean 'values'"),
    "a key of a result": (
        lambda: result.values["head"],
        "result.values has no key 'head': did you mean 'heads'",
    ),
    "a key within": (
        lambda: result.values["tails"]["maen"],
        "result.values['tails'] has no key 'maen': did you mean 'mean'?",
    ),
    "a table": (lambda: result.tables["t"], "result.tables has no key 't': there is none to choose from"),
    "a column": (lambda: frame["shore"], "frame has no key 'shore': did you mean 'share'?"),
    "one of two": (
        lambda: (survey["heads"], survey["tail"]),
        "survey has no key 'tail': did you mean 'tails'?",
    ),
    "a name": (lambda: sruvey, "did you mean 'survey'"),  # noqa: F821
    "a function of a module": (lambda: pandas.DataFarme(), "did you mean 'DataFrame'?"),
    "a name of a module": (lambda: exec("from pathlib import Pth"), "did you mean 'Path'"),
    "a file": (lambda: Path(__file__).with_name("test_hint.py").read_text(), "did you mean 'test_hints.py'"),
    "a variable of the environment": (lambda: os.environ["ZZZZZZ"], "os.environ has no key 'ZZZZZZ'"),
    "an argument of the lab": (lambda: Lab.map(None, len, [], lable="x"), "did you mean 'label'?"),
    "an argument of a function": (lambda: toss(faces=2), "did you mean 'face'?"),
    "the keyboard": (lambda: (_ for _ in ()).throw(EOFError()), "an experiment runs without a keyboard"),
    "what would have to be called": (lambda: returned()["x"], ""),
    "a key that is no text": (lambda: survey[3], ""),
    "an error of another kind": (lambda: 1 / 0, ""),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_was_meant_is_told_here_and_from_another_process(mistake):
    wrong, cure = MISTAKES[mistake]
    with pytest.raises(Exception) as caught:  # noqa: PT011 -- of any kind
        wrong()
    assert hint(caught.value).startswith(cure)
    assert bool(hint(caught.value)) == bool(cure)
    assert restored(described(caught.value), "").__cause__.hint == hint(caught.value)

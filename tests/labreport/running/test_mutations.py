"""State that a run changes is told with its line; what only remembers is not."""

import pytest
from projects import experiment, make, run

HELPER = """
import collections, functools, logging
import numpy as np

LOG = logging.getLogger("x")
SETTINGS = {"rate": 0.1, "layers": [1, 2]}
TABLE = np.zeros(3)
COUNT = 0
MODEL = None
MEMO = {}
QUIET = {"a": [1]}
HISTORY: list = []

class Net:
    made = 0
    layers: list = []
    cache = {}
    fixed = (1, 2)

    def grow(self, by={}):
        by["n"] = by.get("n", 0) + 1
        return by["n"]

    @staticmethod
    def share(seen=set()):
        seen.add(len(seen))

@functools.cache
def square(x):
    return x * x

def logged(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        return function(*args, **kwargs)
    return call

@logged
@logged
def add(v, *, seen=[]):
    seen.append(v)
    return sum(seen) / len(seen)

class Sum:
    class Kinds:
        known = ["a"]

    def __init__(self):
        self.total = 0

def gather(x, into=Sum()):
    into.total += x

def harmless(x, names=("a",), log=LOG, table=QUIET):
    return x
"""
CHANGES = {
    "a default in run": (
        "helper.add(1)",
        "add (src/helper.py:40) has changed its own default seen: each call",
    ),
    "a default of a method": (
        "helper.Net().grow()",
        "Net.grow (src/helper.py:20) has changed its own default by",
    ),
    "one of a static method": (
        "helper.Net.share()",
        "Net.share (src/helper.py:25) has changed its own default seen",
    ),
    "a default in items": ("lab.map(lambda i: helper.Net().grow(), range(4))", "Net.grow (src/helper.py:20)"),
    "an attribute of a class": ("helper.Net.layers.append(3)", "Net.layers (src/helper.py:16) was changed"),
    "a count in a class": ("helper.Net.made += 1", "Net.made (src/helper.py:15) was changed"),
    "a variable": ("helper.COUNT = 1", "COUNT (src/helper.py:8) was changed"),
    "an element within": ("helper.SETTINGS['layers'].append(3)", "SETTINGS (src/helper.py:6) was changed"),
    "a value of a dict": ("helper.SETTINGS['rate'] = 0.2", "SETTINGS (src/helper.py:6) was changed"),
    "an object as a default": ("helper.gather(2)", "gather (src/helper.py:"),
    "a class in a class": ("helper.Sum.Kinds.known += ['b']", "Sum.Kinds.known (src/helper.py:"),
    "an array": ("helper.TABLE[1] = 5", "TABLE (src/helper.py:7) was changed: what comes later depends on"),
    "a list that grows": ("helper.HISTORY.append(1)", "HISTORY (src/helper.py:12) was changed"),
}
HARMLESS = """
    helper.square(3); helper.harmless(1); helper.MEMO[1] = 2; helper.MODEL = object()
    helper.Net.cache["x"] = 1; helper.Net().layers; helper.new = 3; import colorsys
    helper.LOG.setLevel(10)
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What each experiment was told, by its name."""
    head = "import helper\ndef run(params, lab):\n    "
    bodies = {
        name.replace(" ", "_"): f"{head}{body}\n    return {{}}\n" for name, (body, _) in CHANGES.items()
    }
    bodies["harmless"] = f"{head}pass{HARMLESS}    return {{}}\n"
    bodies["drawing"] = (
        head
        + "return {}\ndef draw(result, lab):\n    from matplotlib.figure import Figure\n    helper.add(1)\n"
        "    figure = Figure()\n    figure.add_subplot()\n    lab.figure('x', figure, alt='It.')\n"
    )
    named = {name: experiment(body) for name, body in bodies.items()}
    project = make(tmp_path_factory.mktemp("mutations"), named, src={"helper.py": HELPER})
    events = []
    run(project, jobs=2, events=events.append)
    return {name: [e.label for e in events if (e.kind, e.experiment) == ("notice", name)] for name in named}


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_run_changes_is_told_once_with_its_line(told, change):
    (label,) = told[change.replace(" ", "_")]
    assert label.startswith(CHANGES[change][1])


def test_what_only_remembers_is_not_told(told):
    assert told["harmless"] == []


def test_what_a_drawing_changes_is_told(told):
    assert [label[:20] for label in told["drawing"]] == ["add (src/helper.py:4"]

"""Where code stands now."""

import projects
import pytest

from labreport.explain.definitions import Definitions

CODE = """\
import other as o
from helpers import fit, plot

SIZE, STEP = 3, 0.1

def run(params):
    first(params)
    return o.load(fit(params)), local

def first(x):
    return plot(Net(), x.value)

class Net:
    @staticmethod
    def forward(x):
        return first(x)

if SIZE:
    def late():
        pass
"""


@pytest.fixture
def definitions(tmp_path):
    made = projects.make(tmp_path, {}, src={"m.py": CODE, "broken.py": "def f(:\n"})
    return Definitions(made)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("run", 6),
        ("Net", 13),
        ("Net.forward", 15),
        ("late", 19),
        ("SIZE", None),
        ("fit", None),
        ("gone", None),
    ],
)
def test_a_definition_is_found_in_its_line(definitions, name, line):
    found = definitions.find(f"src/m.py:{name}")
    assert (found.code, found.line) == (f"src/m.py:{name}", line) if found else line is None
    assert found is None or str(found) == f"src/m.py:{line} {name}"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("first", "def first(x):\n    return plot(Net(), x.value)"),
        ("Net.forward", "    @staticmethod\n    def forward(x):\n        return first(x)"),
    ],
)
def test_the_code_of_a_definition_reaches_from_its_first_decorator_to_its_last_line(definitions, name, code):
    found = definitions.find(f"src/m.py:{name}")
    lines = definitions.source("src/m.py").split("\n")
    assert "\n".join(lines[found.first - 1 : found.last]) == code


@pytest.mark.parametrize("code", ["src/gone.py:f", "src/broken.py:f"])
def test_code_that_cannot_be_read_now_has_no_line(definitions, code):
    assert definitions.find(code) is None


def test_what_a_function_uses_comes_before_what_others_use(definitions):
    used = definitions.used_by("src/m.py", "run")
    assert used == ["first", "load", "o", "fit", "plot", "Net"]
    assert definitions.used_by("src/m.py", "late") == []


def test_all_names_that_a_file_defines_are_known(definitions):
    assert set(definitions.names_in("src/m.py")) == {
        "run",
        "first",
        "Net",
        "Net.forward",
        "late",
        "SIZE",
        "STEP",
    }

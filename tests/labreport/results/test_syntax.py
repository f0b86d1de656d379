"""Into which pieces a module is cut, and which of them act when the module is imported."""

import pytest

from labreport.results.pieces import ModuleFacts
from labreport.results.syntax import experiment_facts, module_facts

EXPERIMENT = '''"""Question?"""
from dataclasses import dataclass

@dataclass(frozen=True)
class Params:
    seed: int = 0

QUICK = Params(seed=1)

def run(params, lab):
    return {}
'''


def pieces(text):
    return ModuleFacts.parse(module_facts(text.encode(), "m.py")).pieces


def acting(text):
    """Return what acts, or acts unless what it calls is found to be an inert class."""
    called = {piece.label: {what for what, _ in piece.assuming} & {"called"} for piece in pieces(text)}
    return [piece.label for piece in pieces(text) if piece.always or called[piece.label]]


def test_an_experiment_has_its_declaration_and_the_pieces_of_its_module():
    facts = experiment_facts(EXPERIMENT.encode(), "experiments/exp.py", "exp")
    assert sorted(facts) == ["declaration", "module"]
    cut = ModuleFacts.parse(facts["module"]).pieces
    assert [piece.label for piece in cut] == ["dataclass", "Params", "QUICK", "run"]
    assert not any(piece.always for piece in cut)  # QUICK is read as syntax, its call does nothing


def test_a_class_is_cut_into_itself_and_its_methods_but_for_special_ones():
    text = """
    class C:
        x = 1
        def f(self): return 1
        def __len__(self): return 2
        def write(self, text): return 3
    """
    cut = pieces(text.replace("\n    ", "\n"))
    assert [(piece.label, piece.owner) for piece in cut] == [("C", ""), ("C.f", "C")]


@pytest.mark.parametrize(
    "statement",
    [
        "K = 6",
        "K = [1, 2.0, 'x', None, {'a': (1,)}]",
        "K = -2 ** 3 + 1",
        "A = 2\nK = A * 3",
        "K = tuple(range(3))",
        "K = [x * 2 for x in range(3) if x > 1]",
        "K = 'a b'.split()",
        "import math\nK = math.pi * 2 + math.sqrt(2)",
        "import sys\nK = sys.float_info.epsilon",
        "import re\nK = re.compile('x')",
        "from pathlib import Path\nHERE = Path(__file__).resolve().parent\nK = HERE / 'data'",
        "import os\nK = os.path.dirname(os.path.abspath(__file__))",
        "import itertools\nK = list(itertools.product((1, 2), (3, 4)))",
        "import numpy as np\nK = np.arange(5)\nN = K.sum() / np.finfo(np.float64).eps",
        "from enum import Enum, auto\nclass C(Enum):\n    A = auto()",
        "import numpy as np\nK = np.linspace(0, 1, 5)",
        "from functools import partial\ndef f(): pass\nK = partial(f, 1)",
        "from numpy.typing import NDArray\nimport numpy as np\nK = NDArray[np.float64]",
        "K = dict[str, int] | None",
        "K = lambda x: g(x)",
        "def g(): pass\nK = {'g': g}",
        "def f(x=1, *, y=(2, 3)): return g(x)",
        "from functools import cache\n@cache\ndef f(): pass",
        "class C:\n    x: int = 1",
        "class C:\n    @property\n    def p(self): return 1\n    @p.setter\n    def p(self, v): pass",
        "class C(ValueError): pass",
        "from enum import Enum\nclass C(Enum):\n    A = 1",
    ],
)
def test_definitions_and_plain_values_do_not_act(statement):
    assert acting(statement) == []


@pytest.mark.parametrize(
    "statement",
    [
        "import random\n_ = random.seed(1)",
        "import random\nrandom.seed(1)",
        "T = {}\nA = T.setdefault('k', 5)",
        "import core\ncore.K = 6",
        "T = {}\nT['k'] = 1",
        "X = [init() for _ in range(2)]",
        "X = sorted([1], key=init)",
        "X = A + B",
        "X = a.b.c",
        "from pathlib import Path\nX = Path(__file__).read_text()",
        "X = a.parent",
        "A, B = pair",
        "X = (yes := init)",
        "def f(x=seed().x): pass",
        "@register\ndef f(): pass",
        "@register('name')\ndef f(): pass",
        "class C(metaclass=M): pass",
        "class C(Base, name='x'): pass",
        "class C:\n    x = Descriptor().it",
        "class C:\n    for i in range(3): pass",
        "for x in range(3): pass",
        "if True:\n    def f(): pass",
        "try:\n    import fast\nexcept ImportError:\n    fast = None",
        "del x",
        "assert x",
        "with open('x') as f: pass",
        "K = 1\nK += 1",
    ],
)
def test_what_calls_or_changes_something_acts(statement):
    assert len(acting(statement)) == 1


@pytest.mark.parametrize("callee", ["init", "module.init", "C"])
def test_a_call_acts_unless_it_makes_an_instance_of_an_inert_class(callee):
    *_, piece = pieces(f"import module\ndef init(): pass\nclass C: pass\nX = {callee}(1, (2, 3))")
    assert not piece.always
    assert piece.assuming == (("called", tuple(callee.split("."))),)


FIELD = "from dataclasses import field\n"


@pytest.mark.parametrize(
    ("body", "inert"),
    [
        ("x: int = 1", True),
        ("def f(self): return 1", True),
        ("def __len__(self): return 1", True),
        ("def __init__(self): seed()", False),
        ("def __post_init__(self): seed()", False),
        ("def __new__(cls): return 1", False),
        ("def __set_name__(self, owner, name): owner.x = 1", False),
        ("x: list = field(default_factory=list)", True),
        ("x: int = field(default_factory=count)", False),
    ],
)
def test_a_class_is_inert_if_making_an_instance_runs_no_code_of_it(body, inert):
    (piece,) = (p for p in pieces(f"{FIELD}class C:\n    {body}\n") if p.label == "C")
    assert piece.defines.inert == inert


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
    one, other = (pieces(block.replace("TEXT", text)) for text in ("'one'", "'another'"))
    assert [piece.digest for piece in one] == [piece.digest for piece in other]

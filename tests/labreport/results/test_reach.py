"""Which code counts: for each way to reach a function, a change of it makes the result stale."""

import projects
import pytest

from labreport.results import Sources
from labreport.results.fingerprint import changes

RUN = "def run(params, lab):\n    return {'y': VALUE}\n"


def make(folder, experiment, modules):
    project = projects.make(folder, {"exp": projects.experiment(experiment)})
    for name, text in modules.items():
        projects.write(project.root / "src" / name, text)
    return project


def fingerprint(project):
    return Sources(project).fingerprint("exp", "run", {"seed": 0}, {})


def edited(folder, experiment, modules, old, new):
    """Return what changed in the fingerprint when a text of the experiment or of one module changed."""
    project = make(folder, experiment, modules)
    before = fingerprint(project)
    files = [project.experiments / "exp.py", *(project.root / "src" / name for name in modules)]
    (file,) = (path for path in files if old in path.read_text())
    projects.change(file, old, new)
    return changes(before, fingerprint(project))


CORE = "def sq(x): return x ** 2\ndef other(x): return x ** 5\nK = 5\n"
REACHED = {
    "a registry": """
        R = {}
        def reg(f): R[f.__name__] = f; return f
        @reg
        def sq(x): return x ** 2
        def run(params, lab): return {"y": R["sq"](3)}
        """,
    "a class found among the subclasses": """
        class Base: pass
        class Deep(Base):
            def value(self): return 1 ** 2
        def run(params, lab): return {"y": [c().value() for c in Base.__subclasses__()]}
        """,
    "a seeded generator": """
        import random
        k = 1 ** 2
        _ = random.seed(k)
        def run(params, lab): return {"y": random.random()}
        """,
    "setdefault": """
        T = {}
        v = 1 ** 2
        A = T.setdefault("k", v)
        def run(params, lab): return {"y": T["k"]}
        """,
    "a call that changes a class": """
        class C: k = 1
        def init(): C.k = 1 ** 2
        X = init()
        def run(params, lab): return {"y": C.k}
        """,
    "a method that is called by a computed name": """
        class C:
            def f_a(self): return 1 ** 2
        def run(params, lab): return {"y": getattr(C(), "f_" + "a")()}
        """,
    "sys.modules": """
        import sys
        def f(): return 1 ** 2
        def run(params, lab): return {"y": getattr(sys.modules[__name__], "f")()}
        """,
    "globals": """
        def f(): return 1 ** 2
        def run(params, lab): return {"y": globals()["f"]()}
        """,
    "exec": """
        def f(): return 1 ** 2
        def run(params, lab):
            names = dict(globals())
            exec("y = f()", names)
            return {"y": names["y"]}
        """,
    "a descriptor": """
        class D:
            def __set_name__(self, owner, name): owner.k = 1 ** 2
        class C: d = D()
        def run(params, lab): return {"y": C.k}
        """,
    "__init_subclass__": """
        class Base:
            def __init_subclass__(cls): cls.k = 1 ** 2
        class C(Base): pass
        def run(params, lab): return {"y": C.k}
        """,
    "a metaclass": """
        class M(type):
            def __new__(m, name, bases, body): return super().__new__(m, name, bases, {**body, "k": 1 ** 2})
        class C(metaclass=M): pass
        def run(params, lab): return {"y": C.k}
        """,
    "a default factory": """
        from dataclasses import dataclass, field
        def make(): return 1 ** 2
        @dataclass
        class C:
            k: int = field(default_factory=make)
        def run(params, lab): return {"y": C().k}
        """,
    "a default argument": """
        def g(): return 1 ** 2
        def f(x=g()): return x
        def run(params, lab): return {"y": f()}
        """,
    "a method that print calls": """
        class W:
            text = ""
            def write(self, text): self.text += text * 1 ** 2
        def run(params, lab):
            w = W()
            print("x", file=w)
            return {"y": w.text}
        """,
    "a base class of another package": """
        import json
        class E(json.JSONEncoder):
            def default(self, o): return 1 ** 2
        def run(params, lab): return {"y": json.dumps(object(), cls=E)}
        """,
    "a conditional definition": """
        if params_are_here := True:
            def f(): return 1 ** 2
        else:
            def f(): return 0
        def run(params, lab): return {"y": f()}
        """,
    "a field of a dataclass that is a property": """
        from dataclasses import dataclass
        LOG = []
        @dataclass
        class C:
            size: int
            @property
            def size(self): return 1
            @size.setter
            def size(self, value): LOG.append(1 ** 2)
        def run(params, lab): return {"y": C(5) and LOG}
        """,
    "a property in a sentence": """
        class C:
            @property
            def area(self): return 1 ** 2
        def run(params, lab): return {"y": "an area of {0.area} here".format(C())}
        """,
    "a function in a query of pandas": """
        import pandas as pd
        def limit(k): return 1 ** 2
        def run(params, lab): return {"y": len(pd.DataFrame({"a": [1]}).query("a > @limit(1)"))}
        """,
    "private names": """
        class C:
            def __hidden(self): return 1 ** 2
        def run(params, lab): return {"y": getattr(C(), "_C__hidden")()}
        """,
    "a private name that is global": """
        class C:
            def f(self): return __helper()
        def _C__helper(): return 1 ** 2
        def run(params, lab): return {"y": C().f()}
        """,
    "a setter by a computed name": """
        LOG = []
        class C:
            @property
            def alpha(self): return 1
            @alpha.setter
            def alpha(self, value): LOG.append(1 ** 2)
        def make(**values):
            for key in values: setattr(C(), key, 1)
        def run(params, lab): return {"y": make(alpha=1) or LOG}
        """,
    "a name of numpy for the objects in an array": """
        import numpy as np
        class C:
            def exp(self): return 1 ** 2
        def run(params, lab): return {"y": np.exp(np.array([C()]))[0]}
        """,
    "a finder of modules": """
        import sys
        class Finder:
            def find_spec(self, name, path=None, target=None): return 1 ** 2
        sys.meta_path.append(Finder())
        def run(params, lab): return {"y": 1}
        """,
    "an Enum that calls itself": """
        from enum import Enum
        SEEN = []
        class Kind(Enum):
            A = 1
            def __init__(self, number): SEEN.append(number ** 2)
        def run(params, lab): return {"y": SEEN}
        """,
    "a name that the main part of a script binds, too": """
        def f(): return 1 ** 2
        def run(params, lab): return {"y": f()}
        if __name__ == "__main__":
            f = None
        """,
    "a name shadowed by a global statement": """
        def f(): return 0
        def g(): return 1 ** 2
        def swap():
            global f
            f = g
        def run(params, lab):
            swap()
            return {"y": f()}
        """,
}


@pytest.mark.parametrize("way", REACHED)
def test_a_change_of_what_is_reached_within_a_module_is_seen(tmp_path, way):
    assert edited(tmp_path, REACHED[way], {}, "** 2", "** 3")


CROSSING = {
    "import": "import core\ndef run(params, lab): return {'y': core.sq(3)}",
    "import from": "from core import sq\ndef run(params, lab): return {'y': sq(3)}",
    "import as": "from core import sq as f\ndef run(params, lab): return {'y': f(3)}",
    "star": "from core import *\ndef run(params, lab): return {'y': sq(3)}",
    "lazy": "def run(params, lab):\n    import core as c\n    return {'y': c.sq(3)}",
    "getattr": "import core\ndef run(params, lab): return {'y': getattr(core, 'sq')(3)}",
    "a computed name": "import core\ndef run(params, lab): return {'y': getattr(core, 's' + 'q')(3)}",
    "a module in a list": "import core\nALL = [core]\ndef run(params, lab): return {'y': ALL[0].sq(3)}",
    "import by a text": (
        "import importlib\ndef run(params, lab): return {'y': importlib.import_module('core').sq(3)}"
    ),
    "entry by a text": (
        "import pkgutil\ndef run(params, lab): return {'y': pkgutil.resolve_name('core:sq')(3)}"
    ),
    "a re-export": "from facade import f\ndef run(params, lab): return {'y': f(3)}",
    "a package": "import pkg\ndef run(params, lab): return {'y': pkg.deep.f(3)}",
    "a lazy attribute": "import lazy\ndef run(params, lab): return {'y': lazy.sq(3)}",
    "a monkey patch": "import core\nimport patched\ndef run(params, lab): return {'y': core.other(3)}",
    "a base class": "from core2 import B\nclass C(B): pass\ndef run(params, lab): return {'y': C().f()}",
    "a closure": (
        "import core\ndef outer():\n    g = core.sq\n    return lambda x: g(x)\n"
        "def run(params, lab): return {'y': outer()(3)}"
    ),
    "an import that may fail": (
        "try:\n    import core\nexcept ImportError:\n    core = None\n"
        "def run(params, lab): return {'y': core.sq(3)}"
    ),
    "a function that may be missing": (
        "try:\n    from core import sq\nexcept ImportError:\n    def sq(x): return 0\n"
        "def run(params, lab): return {'y': sq(3)}"
    ),
    "a lazy import into a name that was bound before": (
        "def run(params, lab):\n    m = None\n    if m is None:\n        import core as m\n"
        "    return {'y': m.sq(3)}"
    ),
    "a lazy import that is global": (
        "def load():\n    global core\n    import core\n"
        "def run(params, lab):\n    load()\n    return {'y': core.sq(3)}"
    ),
    "an import within a class": (
        "class C:\n    from core import sq\ndef run(params, lab): return {'y': C.sq(3)}"
    ),
    "a star that shadows a built-in": ("from shadow import *\ndef run(params, lab): return {'y': sum([3])}"),
    "a conditional star that shadows a built-in": (
        "if True:\n    from shadow import *\ndef run(params, lab): return {'y': sum([3])}"
    ),
    "a package that is handed on": (
        "import space.deep\nfrom space import deep\nimport space\ndef use(p): return p.deep.g(3)\n"
        "def run(params, lab): return {'y': use(space)}"
    ),
    "__dict__ of a module": "import core\ndef run(params, lab): return {'y': core.__dict__['s' + 'q'](3)}",
    "__globals__ by a text": (
        "import core\ndef run(params, lab): return {'y': getattr(core.other, '__globals__')['s' + 'q'](3)}"
    ),
    "a mixin of a base that calls any method": (
        "import json\nfrom mixin import Mixin\nclass E(Mixin, json.JSONEncoder): pass\n"
        "def run(params, lab): return {'y': json.dumps([{1}], cls=E)}"
    ),
    "a base that is made by a call": (
        "from made import LOG, make\nclass A(make()): pass\ndef run(params, lab): return {'y': LOG}"
    ),
    "a base that is unpacked": (
        "from kept import KINDS, BASES\nclass A(*BASES): pass\ndef run(params, lab): return {'y': KINDS}"
    ),
    "an operator between objects": (
        "from nodes import a, LOG\nx = a | a\ndef run(params, lab): return {'y': LOG}"
    ),
    "an annotation that is evaluated": (
        "from nodes import Of, LOG\ndef f(x: Of[1]): pass\ndef run(params, lab): return {'y': LOG}"
    ),
    "a descriptor that is read": (
        "from nodes import Of, LOG\nX = Of.d\ndef run(params, lab): return {'y': LOG}"
    ),
    "a key that is hashed": ("from nodes import a, LOG\nT = {a: 1}\ndef run(params, lab): return {'y': LOG}"),
    "an object that takes note of its class": (
        "from nodes import d, LOG\nclass C: x = d\ndef run(params, lab): return {'y': LOG}"
    ),
    "a package called build": "from build.steps import f\ndef run(params, lab): return {'y': f(3)}",
    "a deep package": "from a.b.c.d.e.f.g.h import f\ndef run(params, lab): return {'y': f(3)}",
    "a partial": (
        "from functools import partial\nimport core\nP = partial(core.sq, 3)\n"
        "def run(params, lab): return {'y': P()}"
    ),
}
MODULES = {
    "core.py": CORE,
    "core2.py": (
        "class B:\n    def f(self): return self.g()\n"
        "    def g(self):\n        from core import sq\n        return sq(3)\n"
    ),
    "facade.py": "from core import sq as f, other\n",
    "pkg/__init__.py": "from . import deep\n",
    "pkg/deep.py": "import core\nf = core.sq\n",
    "lazy.py": "def __getattr__(name):\n    import core\n    return getattr(core, name)\n",
    "patched.py": "import core\ncore.other = core.sq\n",
    "shadow.py": "import core\ndef sum(xs): return core.sq(xs[0])\n",
    "space/deep.py": "import core\ndef g(x): return core.sq(x)\n",
    "mixin.py": "import core\nclass Mixin:\n    def default(self, o): return core.sq(3)\n",
    "made.py": "import core\nLOG = []\ndef make():\n    LOG.append(core.sq(3))\n    return object\n",
    "kept.py": (
        "import core\nKINDS = []\nclass Base:\n"
        "    def __init_subclass__(cls): KINDS.append(core.sq(3))\nBASES = (Base,)\n"
    ),
    "nodes.py": (
        "import core\nLOG = []\nclass Node:\n    def __or__(self, other): LOG.append(core.sq(3))\n"
        "    def __hash__(self): return core.sq(3)\n    def __get__(self, i, o): return core.sq(3)\n"
        "    def __set_name__(self, owner, name): LOG.append(core.sq(3))\na = Node()\nd = Node()\n"
        "class Of:\n    d = Node()\n    def __class_getitem__(cls, x): LOG.append(core.sq(3))\n"
    ),
    "build/steps.py": "import core\nf = core.sq\n",
    "a/b/c/d/e/f/g/h.py": "import core\nf = core.sq\n",
}


@pytest.mark.parametrize("way", CROSSING)
def test_a_change_of_what_is_reached_in_another_module_is_seen(tmp_path, way):
    assert edited(tmp_path, CROSSING[way], MODULES, "x ** 2", "x ** 3")


COARSE = {
    "a computed name",
    "a lazy attribute",
    "a monkey patch",
    "__dict__ of a module",
    "__globals__ by a text",
}  # here the whole module counts, or both names


@pytest.mark.parametrize("way", sorted(set(CROSSING) - COARSE))
def test_its_neighbour_that_nothing_reaches_does_not_count(tmp_path, way):
    assert edited(tmp_path, CROSSING[way], MODULES, "x ** 5", "x ** 6") == []


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("patches.py", "core.K = 6", "core.K = 7"),
        ("patches.py", "core.K = 6", "core.K = 6\nprint(core.K)"),
        ("core.py", "K = 5", "K = 4"),
    ],
)
def test_a_module_that_is_imported_for_its_effect_counts(tmp_path, module, old, new):
    experiment = "import core\nimport patches\ndef run(params, lab): return {'y': core.K}"
    modules = {"core.py": CORE, "patches.py": "import core\ncore.K = 6\n"}
    assert edited(tmp_path, experiment, modules, old, new)


def test_the_order_of_imports_counts_where_one_of_them_changes_something(tmp_path):
    modules = {"core.py": CORE, "patches.py": "import core\ncore.K = 6\n"}
    experiment = "from core import K\nimport patches\ndef run(params, lab): return {'y': K}"
    swapped = ("from core import K\nimport patches", "import patches\nfrom core import K")
    assert edited(tmp_path, experiment, modules, *swapped)


def test_the_order_of_statements_counts_and_that_of_functions_does_not(tmp_path):
    text = "T = []\nA = T.append(1)\nB = T.append(2)\ndef f(): return T\ndef g(): return f()\n"
    text += "def run(params, lab): return {'y': g()}"
    statements = ("A = T.append(1)\nB = T.append(2)", "B = T.append(2)\nA = T.append(1)")
    functions = ("def f(): return T\ndef g(): return f()", "def g(): return f()\ndef f(): return T")
    assert edited(tmp_path / "a", text, {}, *statements)
    assert edited(tmp_path / "b", text, {}, *functions) == []


@pytest.mark.parametrize(
    ("body", "old", "new"),
    [
        ("A = 1\nB = A\nA = 2\n", "B = A\nA = 2", "A = 2\nB = A"),
        ("L = [1]\nL.append(2)\nB = len(L)\n", "L.append(2)\nB = len(L)", "B = len(L)\nL.append(2)"),
        ("A, B = 1, 2\nB = 3\n", "A, B = 1, 2\nB = 3", "B = 3\nA, B = 1, 2"),
    ],
)
def test_the_order_of_assignments_counts_where_a_value_depends_on_it(tmp_path, body, old, new):
    text = f"{body}def run(params, lab): return {{'y': [B, *globals_of(B)]}}\ndef globals_of(x): return [x]\n"
    assert edited(tmp_path, text, {}, old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def f(): return 1\nfrom stars import *", "from stars import *\ndef f(): return 1"),
        ("__all__ = ['g']", "__all__ = ['g', 'f']"),
        ("def _f", "def f"),
    ],
)
def test_what_an_import_of_all_names_binds_a_second_time_is_seen(tmp_path, old, new):
    modules = {
        "facade.py": "def f(): return 1\nfrom stars import *\nfrom private import *\nfrom listed import *\n",
        "stars.py": "def f(): return 2\n",
        "private.py": "def _f(): return 3\n",
        "listed.py": "__all__ = ['g']\ndef f(): return 4\ndef g(): return 5\n",
    }
    assert edited(
        tmp_path, "from facade import f\ndef run(params, lab): return {'y': f()}", modules, old, new
    )


READS_TEXT = [
    *("f.__doc__", "getattr(f, '__doc__')", "inspect.getsource(f)", "pydoc.getdoc(f)"),
    *("traceback.format_exc()", "w[0].lineno", "Formatter('%(lineno)d')"),
]


@pytest.mark.parametrize("reads", READS_TEXT)
def test_texts_count_where_code_reads_them(tmp_path, reads):
    text = 'import inspect, pydoc, traceback\ndef f():\n    """One."""\n'
    text += f'def run(params, lab): return {{"y": {reads}}}'
    assert edited(tmp_path / "a", text, {}, "One.", "Two.")
    assert edited(tmp_path / "b", text.replace(reads, "f()"), {}, "One.", "Two.") == []


def test_the_default_of_a_parameter_counts_where_code_may_use_it(tmp_path):
    change = ("seed: int = 0", "seed: int = 1")
    uses = "def run(params, lab): return {'y': Params().seed}"
    given = "def run(params: Params, lab) -> dict: return {'y': params.seed}"
    assert edited(tmp_path / "a", uses, {}, *change)
    assert edited(tmp_path / "b", given, {}, *change) == []  # what it is given is a parameter


def test_a_package_counts_that_a_text_imports(tmp_path):
    text = "import importlib\ndef run(params, lab): return {'y': importlib.import_module('scipy.stats')}"
    assert "scipy" in fingerprint(make(tmp_path, text, {})).named("version")


def test_a_class_of_another_class_of_the_project_counts_by_name(tmp_path):
    modules = {"kinds.py": "class A:\n    def f(self): return 1\nclass B(A):\n    def f(self): return 2\n"}
    only_a = "from kinds import A\ndef run(params, lab): return {'y': A().f()}"
    assert edited(tmp_path / "a", only_a, modules, "return 2", "return 3") == []
    assert edited(tmp_path / "b", only_a.replace("A", "B"), modules, "return 2", "return 3")


def test_a_method_counts_if_its_name_occurs(tmp_path):
    modules = {"kinds.py": "class A:\n    def f(self): return 1\n    def g(self): return 2\n"}
    text = "from kinds import A\ndef run(params, lab): return {'y': A().f()}"
    assert edited(tmp_path / "a", text, modules, "return 2", "return 3") == []
    assert edited(tmp_path / "b", text, modules, "return 1", "return 3")


def test_inert_instances_at_module_level_count_by_name(tmp_path):
    modules = {
        "kinds.py": (
            "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\nONE = A(1)\nTWO = A(2)\n"
        )
    }
    text = "from kinds import ONE\ndef run(params, lab): return {'y': ONE.x}"
    assert edited(tmp_path / "a", text, modules, "A(2)", "A(3)") == []
    assert edited(tmp_path / "b", text, modules, "A(1)", "A(3)")


def test_imports_in_a_circle_come_to_an_end(tmp_path):
    modules = {
        "one.py": "from two import f\ndef g(): return 1\n",
        "two.py": "from one import g as f, f as g\n",
    }
    text = "from one import f\ndef run(params, lab): return {'y': f()}"
    assert edited(tmp_path, text, modules, "return 1", "return 2")


def test_a_package_counts_where_it_is_used_or_imported_for_its_effect(tmp_path):
    text = "import numpy\nimport pandas as pd\nimport scipy\nX = pd.NA\nV = scipy.stats\n"
    project = make(tmp_path, text + "def run(params, lab): return {'y': V}", {})
    assert fingerprint(project).named("version").keys() == {"numpy", "scipy"}

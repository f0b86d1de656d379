"""What a piece of code refers to: by name, by attribute, by text, by import, by computed names."""

import ast

import pytest

from labreport.results.references import ANYTHING, LOCAL, NONE, Globals, References, locals_of, references


def found(text, **imports):
    return references(ast.parse(text).body, Globals(imports), {})


def roots(text):
    return {path[0] for path in found(text).paths}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("f(x)", {"f", "x"}),
        ("def g(a, *b, c=d, **e): return a + b + c + e + h", {"d", "h"}),
        ("def g():\n    x = 1\n    return x + y", {"y"}),
        ("def g():\n    global x\n    x = 1", {"x"}),
        ("def g():\n    def h(): return x\n    x = 1\n    return h", set()),
        ("def g():\n    return [f for f in f]", {"f"}),  # what is gone through is evaluated outside
        ("def g():\n    [f for f in range(3)]\n    return f", {"range", "f"}),
        ("def g():\n    [y := f for f in range(3)]\n    return y", {"range"}),
        ("lambda x, y=z: x + y + w", {"z", "w"}),
        ("class C(B):\n    y = x\n    def f(self): return y", {"B", "x", "y"}),
        ("@d\ndef g(x: T) -> U: pass", {"d", "T", "U"}),
        ("def g():\n    try: pass\n    except E as e: return e", {"E"}),
        ("def g(v):\n    match v:\n        case P(x=q): return q", {"P"}),
        ("x += 1", {"x"}),
    ],
)
def test_names_that_are_not_local_are_references(text, names):
    assert roots(text) == names


def test_attributes_count_with_the_name_before_them_and_alone_on_other_objects():
    refers = found("def f(x):\n    core.deep.g(x.h)\n    return x[0].i().j")
    assert refers.paths == {("core", "deep", "g")}
    assert refers.names == {"h", "i", "j"}


def test_an_import_inside_a_function_stands_for_its_module():
    refers = found("def f():\n    from core import g as h\n    return h.x")
    assert refers.imported == {(("core", "g", 0), ("x",))}
    assert refers.imports == {("core", "g", 0)}


@pytest.mark.parametrize(
    ("text", "words", "dotted"),
    [
        ("'sq'", {"sq"}, {"sq"}),
        ("'core.sq'", {"core", "sq"}, {"core.sq"}),
        ("'core.deep:sq'", {"core", "deep", "sq"}, {"core.deep"}),
        ("'a sentence about sq'", set(), set()),
    ],
)
def test_texts_without_spaces_may_name_something(text, words, dotted):
    assert (found(text).names, found(text).texts) == (words, dotted)


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("getattr(x, 'f')", NONE),
        ("getattr(x, f)", LOCAL),
        ("getattr(x, 'f' + k)", LOCAL),
        ("g = getattr", LOCAL),
        ("map(getattr, xs, names)", LOCAL),
        ("hasattr(x, name)", LOCAL),
        ("globals()['f']", LOCAL),
        ("vars(x)", LOCAL),
        ("x.__dict__", LOCAL),
        ("operator.attrgetter('f.g')", NONE),
        ("operator.attrgetter(name)", LOCAL),
        ("attrgetter(name)", LOCAL),
        ("exec(text)", ANYTHING),
        ("eval('f(1)')", ANYTHING),
        ("model.eval()", NONE),
        ("re.compile('x')", NONE),
        ("sys.modules[name]", ANYTHING),
        ("modules[name]", ANYTHING),
        ("importlib.import_module('core')", NONE),
        ("importlib.import_module(name)", ANYTHING),
        ("__import__(name)", ANYTHING),
        ("builtins.getattr(x, n)", LOCAL),
        ("f.__globals__", ANYTHING),
        ("Base.__subclasses__()", ANYTHING),
        ("pickle.loads(data)", ANYTHING),
        ("json.loads(data)", NONE),
        ("def f(getattr): return getattr(x, n)", NONE),
        ("def f():\n    import sys\n    return sys.modules", ANYTHING),
        ("def f():\n    from operator import attrgetter as a\n    return a(n)", LOCAL),
    ],
)
def test_computed_names_say_what_they_can_reach(text, reach):
    modules = ("operator", "re", "sys", "importlib", "builtins", "pickle", "json")
    imports = {name: (name, None, 0) for name in modules}
    imports |= {"attrgetter": ("operator", "attrgetter", 0), "modules": ("sys", "modules", 0)}
    assert found(text, **imports).computed == reach


def test_what_a_star_import_may_bring_is_taken_to_be_there():
    refers = references(
        ast.parse("attrgetter(name)").body, Globals({}, frozenset(), frozenset({"operator"})), {}
    )
    assert refers.computed == LOCAL


def test_references_can_be_written_and_read_back():
    refers = found("def f():\n    from .a import b\n    return b.c(g.h, 'x.y', getattr(z, w))")
    assert References.parse(refers.plain()) == refers


def test_locals_are_what_a_function_binds_in_its_own_scope():
    text = """
def f(a, /, b, *c, d, **e):
    import g.h
    from i import j as k
    for l, (m, *n) in b: pass
    with a as o: pass
    def p(q): r = 1
    class s: t = 1
    [u for u in b if (v := u)]
    nonlocal_ = lambda w: w
    k = 1
"""
    (function,) = ast.parse(text).body
    bound = locals_of(function)
    assert set(bound) == {*"abcdeglmnopsvk", "nonlocal_"}
    assert bound["g"] == ("g", None, 0)
    assert bound["k"] is None  # bound twice, and not only by the import

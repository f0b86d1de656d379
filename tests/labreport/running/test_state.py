"""What differs from how the imports left it is found, and can be set in another process."""

import math
import pickle
import sys
import types

import pytest

from labreport.running.state import Baseline


@pytest.fixture
def module(monkeypatch):
    made = types.ModuleType("made_for_state")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    code = """
import math
A, TEXT, NAN = 1, "x", float("nan")
PAIR, NESTED, KNOWN = (1, [2]), {"a": [1, {2}]}, {}
SAME = OTHER = object()
def function(): return A
"""
    exec(code, made.__dict__)
    return made


@pytest.fixture
def baseline(module):
    return Baseline([module.__name__])


def names(found):
    return {name for _, name in found}


def test_nothing_differs_before_anything_was_set(baseline):
    state = baseline.changes()
    assert (state.variables, state.contents, state.settings) == ({}, {}, {})


@pytest.mark.parametrize(
    ("code", "variables", "contents"),
    [
        ("A = 2", {"A"}, set()),
        ("A = 1.0", {"A"}, set()),
        ("A = True", {"A"}, set()),
        ("NEW = None", {"NEW"}, set()),
        ("function = print", {"function"}, set()),
        ("SAME = object()", {"SAME"}, set()),
        ("KNOWN = {1: 2}", {"KNOWN"}, set()),
        ("KNOWN['a'] = 1", set(), {"KNOWN"}),
        ("NESTED['a'].append(3)", set(), {"NESTED"}),
        ("NESTED['a'][1].add(3)", set(), {"NESTED"}),
        ("PAIR[1].append(3)", {"PAIR"}, set()),
        ("A = 2; A = 1; NAN = float('nan'); TEXT = 'xx'[:1]; KNOWN = {}", set(), set()),
        ("import json", set(), set()),
        ("__version__ = 2", set(), set()),
    ],
)
def test_what_was_bound_anew_and_what_holds_other_elements_is_found(
    module, baseline, code, variables, contents
):
    exec(code, module.__dict__)
    state = baseline.changes()
    assert (names(state.variables), names(state.contents)) == (variables, contents)


def test_a_restored_state_is_that_of_the_run_and_reaches_who_took_a_container_by_name(module, baseline):
    module.A, module.NAN = 2, math.inf
    module.KNOWN["a"] = [1]
    module.NESTED["a"].append(3)
    module.PAIR[1].append(4)
    sent = pickle.dumps(baseline.changes())
    taken = module.KNOWN
    module.A, module.NAN = 1, math.nan
    module.KNOWN.clear()
    module.NESTED["a"].pop()
    module.PAIR = (1, [2])
    pickle.loads(sent).restore()
    found = module.A, module.NAN, module.PAIR, module.NESTED
    assert found == (2, math.inf, (1, [2, 4]), {"a": [1, {2}, 3]})
    assert taken == {"a": [1]}
    assert module.KNOWN is taken


def test_settings_that_the_run_has_changed_are_restored(baseline):
    numpy = pytest.importorskip("numpy")
    baseline = Baseline([])
    before = numpy.seterr(over="raise"), sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(before[1] + 7)
        sent = pickle.dumps(baseline.changes())
        numpy.seterr(**before[0])
        sys.setrecursionlimit(before[1])
        pickle.loads(sent).restore()
        assert numpy.geterr()["over"] == "raise"
        assert sys.getrecursionlimit() == before[1] + 7
    finally:
        numpy.seterr(**before[0])
        sys.setrecursionlimit(before[1])


def test_a_list_that_holds_itself_and_a_very_long_one_are_looked_at_in_bounded_time(module):
    module.SELF = [1]
    module.SELF.append(module.SELF)
    module.LONG = list(range(10**6))
    assert Baseline([module.__name__]).changes().contents == {}

"""Boxes: values that keep the keys they came from, and become text nowhere but where they are printed."""

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.runtime import Undefined

from labreport.language.values import Box, box, compare, keys, kind, lift, plain, step
from labreport.writing.latex import Latex

ROOT = Box({"a": 1.5, "L": [3, 1, 2], "s": "text", "x y": {"z": None}, "t": [{"v": 1}]}, ("d",))
NUMBERS = st.integers(-5, 5) | st.floats(-5, 5)


def test_items_lengthen_the_key():
    assert ROOT["a"].keys == {"d.a"}
    assert ROOT["L"][1].keys == {"d.L[1]"}
    assert ROOT["L"][-1].keys == {"d.L[2]"}
    assert ROOT["x y"]["z"].keys == {'d["x y"].z'}
    assert ROOT["t"][0]["v"].plain == 1
    assert [item.keys for item in ROOT["L"]] == [{"d.L[0]"}, {"d.L[1]"}, {"d.L[2]"}]
    assert [item.keys for item in ROOT["L"][::-2]] == [{"d.L[2]"}, {"d.L[0]"}]


def test_a_key_can_be_read_back_whatever_it_contains():
    for name in ("a b", 'quote"', "back\\slash", "new\nline", "]", "é", ""):
        shown = step(name)
        assert eval(f"{{{name!r}: 1}}{shown}") == 1 if shown.startswith("[") else shown == f".{name}"
    assert "\n" not in step("new\nline")


def test_characters_of_a_text_keep_the_key_of_the_text():
    assert (ROOT["s"][0].plain, ROOT["s"][0].keys) == ("t", {"d.s"})
    assert (ROOT["s"][1:3].plain, ROOT["s"][1:3].keys) == ("ex", {"d.s"})


def test_items_of_a_value_with_several_keys_keep_all_of_them():
    joined = Box([1, 2], ("a", "b"))
    assert joined[0].keys == {"a", "b"}


@pytest.mark.parametrize("index", [7, -4, "k", None, 1.5])
def test_items_that_do_not_exist_are_errors(index):
    with pytest.raises((LookupError, TypeError)):
        ROOT["L"][index]
    with pytest.raises((LookupError, TypeError)):
        ROOT["a"][index]


def test_names_of_a_mapping_carry_its_key():
    assert [(name.plain, name.keys) for name in ROOT["x y"]] == [("z", {'d["x y"]'})]


@pytest.mark.parametrize("convert", [str, "{}".format, "{:.2f}".format, "%s".__mod__, float, int, " ".join])
def test_a_box_refuses_to_become_text_or_a_bare_number(convert):
    with pytest.raises(TypeError):
        convert(ROOT["a"])
    with pytest.raises(TypeError):
        convert(ROOT["s"])


def test_a_box_cannot_be_used_as_an_index():
    with pytest.raises(TypeError, match=r"d\.L\[1\]"):
        [10, 20][ROOT["L"][1]]


@given(NUMBERS, NUMBERS)
def test_boxes_compare_and_sort_as_their_values(a, b):
    left, right = Box(a, ("a",)), Box(b, ("b",))
    for relation in (operator.eq, operator.ne, operator.lt, operator.gt):
        assert relation(left, right) == relation(a, b)
        assert relation(left, b) == relation(a, b)
    assert (hash(left) == hash(right)) or a != b
    assert bool(left) == bool(a)
    assert sorted([left, right])[0].plain == min(a, b)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_a_chain_of_comparisons_is_that_of_the_values_with_all_keys(a, b, c):
    result = compare(Box(a, ("a",)), ("lteq", Box(b, ("b",))), ("gt", c), ("ne", Box(c, ("c",))))
    assert result.plain == (a <= b > c != c)
    assert result.keys == {"a", "b", "c"}
    assert compare(a, ("gteq", b)) == (a >= b)
    assert compare(a, ("in", [a, b])) is True
    assert compare(a, ("notin", [Box(a, ("a",))])).plain is False


def test_lifted_functions_compute_on_plain_values_and_join_keys():
    total = lift(lambda *values, start=0: sum(values[0]) + sum(values[1:]) + start)
    result = total([Box(1, ("a",)), 2], Box(3, ("b",)), start=Box(4, ("c",)))
    assert (result.plain, result.keys) == (10, {"a", "b", "c"})
    assert total(iter([Box(1, ("a",))])).keys == {"a"}
    assert total([1], 2) == 3


def test_values_are_opened_and_their_keys_found_at_any_depth():
    nested = {Box("k", ("a",)): [Box(1, ("b",)), (Box(2, ("c",)), {"x": Box(3, ("d",))})]}
    assert plain(nested) == {"k": [1, (2, {"x": 3})]}
    assert keys(nested) == {"a", "b", "c", "d"}
    assert keys("text", 1, None, [], {}) == frozenset()


def test_only_what_has_keys_is_boxed():
    assert box(1, frozenset()) == 1
    undefined = Undefined(name="x")
    assert box(undefined, frozenset({"a"})) is undefined
    assert isinstance(box(1, frozenset({"a"})), Box)


def test_kinds_are_named_in_words():
    values = [None, True, 1, 1.5, "a", {}, [], (), Latex("x"), 1j]
    words = (
        "missing value, truth value, whole number, number, text, mapping, list, list, formatted text, complex"
    )
    assert ", ".join(map(kind, values)) == words


def test_numbers_and_missing_values_cannot_be_iterated():
    for value in (ROOT["a"], ROOT["x y"]["z"], ROOT["s"]):
        with pytest.raises(TypeError, match="cannot be iterated"):
            iter(value)

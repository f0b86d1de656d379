"""Rendering ends: loops, numbers and texts of templates are bounded, told at their line."""

import re
import time
import traceback

import pytest
from rendering import rendered

from labreport.errors import InputError
from labreport.language import bounds

DOUBLING = r"\BLOCK{set n = namespace(x='ab')}\BLOCK{for i in range(90)}%s\BLOCK{endfor}"
NESTED = "\\BLOCK{for i in range(9999)}\n\\BLOCK{for j in range(9999)}%s\\BLOCK{endfor}\\BLOCK{endfor}"
MACRO = r"\BLOCK{macro f(n)}\BLOCK{if n}\VAR{f(n-1)}\VAR{f(n-1)}\BLOCK{endif}\BLOCK{endmacro}\VAR{f(60)}"


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (r"\VAR{range(10**9)|length}", "100,000 items"),
        (r"\VAR{range(0, -10**30, -1)|length}", "100,000 items"),
        (r"\VAR{[1]|batch(10**9, 'x')|list|length}", "100,000 items"),
        (r"\VAR{10**10**9}", "thousands of digits"),
        (r"\VAR{(10**2000 * 10**2000)|num}", "thousands of digits"),
        (r"\VAR{5|round(-10**9)}", "no number has"),
        (r"\VAR{1.5|num(decimals=10**9)}", "to 99"),
        (DOUBLING % r"\BLOCK{set n.x = n.x ~ n.x}", "characters"),
        (DOUBLING % r"\BLOCK{set n.x = n.x|replace('a', n.x)}", "characters"),
        (DOUBLING % r"\BLOCK{set n.x = [n.x, n.x]|join}", "characters"),
        (DOUBLING % r"\BLOCK{set q}\VAR{n.x}\VAR{n.x}\BLOCK{endset}\BLOCK{set n.x = q}", "characters"),
        (NESTED % "text", "characters"),
        (NESTED % r"\BLOCK{if i == j}x\BLOCK{endif}", "loops more than"),
        (MACRO, "characters"),
    ],
)
def test_what_would_not_end_is_told_at_its_line(source, what, monkeypatch):
    monkeypatch.setattr(bounds, "MOST_STEPS", 20_000)
    monkeypatch.setattr(bounds, "MOST_CHARACTERS", 50_000)
    with pytest.raises(InputError, match=what) as caught:
        rendered(f"one\n\n{source}\n")
    assert caught.value.place.line in (3, 4)


def test_rendering_has_a_deadline(monkeypatch):
    monkeypatch.setattr(time, "monotonic", iter(range(0, 10**6, 100)).__next__)
    with pytest.raises(InputError, match="more than 120 s") as caught:
        rendered("one\n\\BLOCK{for i in range(9)}x\\BLOCK{endfor}\n")
    assert caught.value.place.line == 2


def test_loops_know_where_they_are_all_the_same():
    each = r"\VAR{loop.index}/\VAR{loop.length}\BLOCK{if loop.last}.\BLOCK{endif}"
    source = rf"\BLOCK{{for i in range(3)}}{each}\BLOCK{{endfor}}"
    assert re.sub("[{}]", "", rendered(source).text) == "1/32/33/3."


def test_what_is_raised_between_two_pieces_is_told_at_the_line_of_the_last():
    def pieces():
        yield "one"
        yield Raising("two")

    class Raising(str):
        def __len__(self):
            raise InputError("in the middle")

    with pytest.raises(InputError, match="in the middle") as caught:
        bounds.Bounds().joined(pieces())
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert "pieces" in names

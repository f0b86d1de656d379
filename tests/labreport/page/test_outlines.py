"""Outlines of letters are written once, whatever page they stand on."""

from labreport.page.outlines import Outlines


def test_outlines_that_nobody_tells_apart_are_one():
    """A figure's letters are a little larger than another one's; those of the next size are not."""
    outlines = Outlines()
    name = outlines.name('<path d="M1.67-3.19L0.5 0Z"/>')
    assert outlines.name('<path d="M1.69-3.17L0.5 0.03Z"/>') == name
    assert outlines.name('<path d="M1.72-3.19L0.5 0Z"/>') != name
    assert outlines.name('<path d="M1.67-3.19L0.5 0M1 1"/>') != name
    assert outlines.svg().count("<path") == 3


def test_an_outline_of_several_paths_is_a_group():
    outlines = Outlines()
    pair = '<path d="M0 0L1 1"/><path d="M2 2L3 3"/>'
    assert outlines.name('<path d="M5 5L6 6"/>') == "g0"
    assert outlines.name(pair) == "g1"
    assert f'<path id="g0" d="M5 5L6 6"/><g id="g1">{pair}</g></defs>' in outlines.svg()

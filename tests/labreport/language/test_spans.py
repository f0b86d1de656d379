"""Spans: marks that divide a text while it is made, and the pieces that they leave behind."""

from hypothesis import given
from hypothesis import strategies as st
from rendering import rendered

from labreport.language.spans import (
    PRIVATE,
    Marks,
    Piece,
    Printed,
    Rendered,
    Site,
    is_marked,
    line_start,
    line_text,
    place_in,
    without_marks,
)

OUTER = Site("a.j2", 10, "outer")
INNER = Site("b.j2", 20, "inner")


def decoded(marks, raw):
    found = marks.decode(raw)
    return found.text, found.pieces, found.printed


def test_typed_text_and_values_become_pieces_in_their_order():
    marks = Marks()
    raw = marks.typed("a.j2", 0) + "typed " + marks.value("1.5", 1.5, frozenset({"k", "d.b"}), INNER)
    raw += marks.typed("a.j2", 30) + " more"
    text, pieces, printed = decoded(marks, raw)
    assert text == "typed 1.5 more"
    assert pieces == (Piece(0, "a.j2", 0, None), Piece(6, "b.j2", 20, INNER), Piece(9, "a.j2", 30, None))
    assert printed == (Printed(INNER, 1.5, ("d.b", "k"), 6, 9),)


def test_after_a_nested_value_the_text_belongs_to_the_outer_expression_again():
    marks = Marks()
    nested = "<" + marks.value("x", "x", frozenset()) + ">" + marks.typed("b.j2", 5) + "typed"
    raw = marks.composed(nested + marks.value("y", "y", frozenset(), INNER) + "!", OUTER)
    text, pieces, printed = decoded(marks, raw)
    sites = {}
    for piece, end in zip(pieces, [*(p.start for p in pieces[1:]), len(text)], strict=True):
        sites.update(dict.fromkeys(range(piece.start, end), piece.site))
    assert text == "<x>typedy!"
    assert [sites[i] for i in range(len(text))] == [OUTER] * 3 + [None] * 5 + [INNER, OUTER]
    assert [(p.site, p.start, p.end) for p in printed] == [(OUTER, 1, 2), (INNER, 8, 9)]


def test_marked_text_may_be_printed_twice():
    marks = Marks()
    captured = marks.typed("a.j2", 3) + "ab" + marks.value("1", 1, frozenset({"k"}), INNER)
    text, pieces, printed = decoded(marks, marks.composed(captured, OUTER) + marks.composed(captured, OUTER))
    assert text == "ab1ab1"
    assert [(p.start, p.end) for p in printed] == [(2, 3), (5, 6)]
    assert [p.offset for p in pieces if p.site is None] == [3, 3]


@given(
    st.recursive(
        st.text("ab\n", max_size=3),
        lambda inner: st.lists(inner, max_size=4),
    )
)
def test_decoding_takes_out_the_marks_and_nothing_else(tree):
    marks = Marks()

    def put(node):
        if isinstance(node, str):
            return (
                marks.value(node, node, frozenset(), INNER) if len(node) % 2 else marks.typed("t", 0) + node
            )
        return marks.composed("".join(map(put, node)), OUTER)

    def leaves(node):
        return [node] if isinstance(node, str) else [leaf for child in node for leaf in leaves(child)]

    raw = put(tree)
    text, pieces, printed = decoded(marks, raw)
    assert text == without_marks(raw) == "".join(leaves(tree))
    assert not PRIVATE.search(text)
    assert [text[p.start : p.end] for p in printed] == [leaf for leaf in leaves(tree) if len(leaf) % 2]
    assert [p.start for p in pieces] == sorted(p.start for p in pieces)


def test_what_is_marked_is_known():
    marks = Marks()
    assert is_marked(marks.typed("a", 0))
    assert is_marked("a" + marks.value("b", 1, frozenset(), INNER))
    assert not is_marked("plain \\LaTeX")


def test_a_place_has_line_column_and_the_source_line():
    source = "first\n\tsecond line\n\nlast"
    found = [
        (p.line, p.column, p.source) for p in (place_in(source, "f", o) for o in (0, 5, 6, 7, 19, 20, 24))
    ]
    assert found == [
        (1, 1, "first"),
        (1, 6, "first"),
        (2, 1, "\tsecond line"),
        (2, 2, "\tsecond line"),
        (3, 1, ""),
        (4, 1, "last"),
        (4, 5, "last"),
    ]
    assert [line_text(source, n) for n in (0, 1, 3, 4, 5)] == ["", "first", "", "last", ""]


def test_lines_begin_as_tex_counts_them():
    text = "a\x0cb\u2028c\nd\n\ne"
    starts = [line_start(text, n) for n in (1, 2, 3, 4)]
    assert [text[s : s + 1] for s in starts] == ["a", "d", "\n", "e"]
    assert line_start(text, 5) == len(text)


def test_offsets_outside_the_text_lead_to_its_ends():
    out = rendered("ab\n\\VAR{d.s}")
    assert (out.place(-5).line, out.place(-5).column) == (1, 1)
    assert out.place(10**6).line == 2
    assert out.value_at(10**6) is None
    assert out.value_at(0) is None
    assert out.value_at(3).value == "adam"
    assert out.value_at(6).value == "adam"


def test_an_empty_template_has_a_place():
    out = rendered("")
    assert out.text == ""
    assert out.place(0).line == 1


def test_a_place_in_typed_text_may_be_longer_than_a_character():
    out = rendered("some \\emph{text}\n")
    place = out.place(5, 5)
    assert (place.column, place.length, str(place)) == (6, 5, "report_templates/main.tex.j2:1:6")
    assert isinstance(out, Rendered)

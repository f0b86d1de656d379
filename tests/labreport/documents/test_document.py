"""The document: what stands where in the LaTeX that is published, also where a build is quick."""

import pytest
from rendering import rendered

from labreport.documents.document import Document

SOURCE = r"""\begin{document} \VAR{d.figure|figure}
text \VAR{d.n} and \VAR{d.figure|figure(width="3cm")}
\end{document} after \VAR{d.s}
"""


@pytest.fixture(params=[False, True], ids=["full", "quick"])
def document(request) -> Document:
    return Document(rendered(SOURCE), request.param)


def test_what_is_added_moves_no_line(document):
    assert document.text.count("\n") == document.rendered.text.count("\n")
    assert r"\par\typeout{labreport: complete}\end{document} after" in document.text
    assert document.text.startswith(r"\PassOptionsToPackage{quick}{labreport}\begin") == document.quick


def test_each_typed_character_has_its_place_in_the_template(document):
    for text in (r"\begin{document}", "text", "and", r"\end{document}", "after"):
        place = document.place(document.text.index(text), len(text))
        assert SOURCE.split("\n")[place.line - 1][place.column - 1 :].startswith(text)
        assert place.length == len(text)


def test_what_was_added_has_the_place_of_what_follows_it(document):
    added = document.place(document.text.index(r"\par\typeout"))
    assert (added.line, added.column) == (3, 1)
    assert (document.place(0).line, document.place(0).column) == (1, 1)


def test_printed_values_are_found_where_they_stand(document):
    for text, value in ((r"{3}", 3), ("adam", "adam")):
        printed = document.value_at(document.text.index(text))
        assert printed.value == value
        stands = document.published(printed.start)
        assert document.text[stands : stands + len(text)] == text
    assert document.value_at(document.text.index(r"\par")) is None


def test_figures_stand_at_their_commands(document):
    assert [figure.width for _, figure in document.figures] == [None, "3cm"]
    for at, _ in document.figures:
        assert document.text[at:].startswith(r"\LRfigure")


def test_what_no_font_can_show_is_told_for_each_value_with_its_keys():
    document = Document(rendered(r"\VAR{d.name} and \VAR{d.name} \end{document}", {"name": "李 x 明李"}))
    (first, what), (second, _) = document.unshown("This is pdfTeX")
    assert document.text[first:].startswith(r"\LRcharacter{674E}")
    assert first < second
    assert what == "no font has 李 (U+674E), 明 (U+660E) of d.name: printed as code points"
    assert document.unshown("This is LuaHBTeX\n") == []
    log = "This is LuaHBTeX\nlabreport: no character 660E\n"
    assert document.unshown(log)[0][1] == "no font has 明 (U+660E) of d.name: printed as code points"

"""Pages of a PDF by how they look: another look is another fingerprint, another number or link is not."""

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.generic import DictionaryObject, NameObject, NumberObject

from labreport.errors import InputError
from labreport.page import fingerprints


@pytest.fixture
def figures(tmp_path):
    """Two pages with text in one font, as matplotlib writes them."""
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    with PdfPages(tmp_path / "a.pdf") as pages:
        for text in ("one", "two"):
            figure = Figure(figsize=(2, 1))
            figure.text(0.1, 0.5, text)
            pages.savefig(figure)
    return tmp_path / "a.pdf"


def edited(path, change):
    """Return a copy of a PDF with a change in its objects."""
    writer = PdfWriter(clone_from=path)
    change(writer)
    writer.write(path.with_name("b.pdf"))
    return path.with_name("b.pdf")


def test_each_page_has_a_fingerprint_and_pages_that_differ_have_others(figures):
    one, two = fingerprints.of_pages(figures)
    assert one != two
    assert fingerprints.of_pages(figures) == [one, two]


def test_a_page_elsewhere_in_a_file_keeps_its_fingerprint(figures):
    def grow(writer):
        writer.insert_blank_page(50, 50, 0)
        writer.add_outline_item(title="one", page_number=1)

    before = fingerprints.of_pages(edited(figures, lambda writer: None))
    assert fingerprints.of_pages(edited(figures, grow))[1:] == before


def test_where_a_link_leads_does_not_show_but_its_frame_does(figures):
    def linked(target, border):
        link = Link(rect=(1, 1, 9, 9), border=border, target_page_index=target)
        return fingerprints.of_pages(edited(figures, lambda writer: writer.add_annotation(0, link)))

    assert linked(0, [0, 0, 1]) == linked(1, [0, 0, 1])
    assert linked(0, [0, 0, 1])[0] != linked(0, [0, 0, 2])[0]
    assert linked(0, [0, 0, 1])[1] == linked(0, [0, 0, 2])[1]


def test_other_names_for_fonts_and_pictures_do_not_show_unless_they_are_exchanged(figures):
    def rename(writer, new="/F1"):
        fonts = writer.pages[0]["/Resources"]["/Font"]  # both pages have the same resources
        fonts[NameObject(new)] = dict.pop(fonts, "/F1")
        for page in writer.pages:
            contents = page["/Contents"].get_object()
            contents.set_data(contents.get_data().replace(b"/F1 ", f"{new} ".encode()))

    def swap(writer):
        fonts = writer.pages[0]["/Resources"]["/Font"]
        fonts[NameObject("/F1")] = DictionaryObject()

    before = fingerprints.of_pages(edited(figures, rename))
    assert fingerprints.of_pages(edited(figures, lambda writer: rename(writer, "/F7"))) == before
    assert set(fingerprints.of_pages(edited(figures, swap))).isdisjoint(before)


def turn(writer):
    writer.pages[0][NameObject("/Rotate")] = NumberObject(90)


def turn_all(writer):
    """Turn pages where they inherit it."""
    writer.root_object["/Pages"][NameObject("/Rotate")] = NumberObject(90)


def crop(writer):
    writer.pages[0].cropbox.upper_right = (70, 50)


def redraw(writer):
    contents = writer.pages[0]["/Contents"].get_object()
    contents.set_data(contents.get_data() + b" 0 0 9 9 re f")


def change_a_font(writer):
    (font,) = writer.pages[0]["/Resources"]["/Font"].values()
    font.get_object()[NameObject("/FirstChar")] = NumberObject(7)


@pytest.mark.parametrize("change", [turn, turn_all, crop, redraw, change_a_font])
def test_whatever_shows_on_a_page_is_in_its_fingerprint(figures, change):
    before = fingerprints.of_pages(edited(figures, lambda writer: None))
    assert fingerprints.of_pages(edited(figures, change))[0] != before[0]


def test_what_is_no_pdf_is_told(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"a\.pdf cannot be read back"):
        fingerprints.of_pages(tmp_path / "a.pdf")


def test_reading_leaves_a_pdf_as_it_is(figures):
    before = figures.read_bytes()
    fingerprints.of_pages(figures)
    assert figures.read_bytes() == before
    assert len(PdfReader(figures).pages) == 2


def test_what_pypdf_finds_odd_is_not_printed(figures, caplog):
    data = figures.read_bytes()
    twice = data.replace(b"/Type /Catalog", b"/Type /Catalog /Lang (en) /Lang (de)")
    assert twice != data
    figures.write_bytes(twice)
    assert len(fingerprints.of_pages(figures)) == 2
    assert caplog.records == []

"""The text layer: words lie where poppler finds them, links and bookmarks lead where pypdf says."""

import html
import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link as LinkAnnotation
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    Fit,
    NameObject,
    NumberObject,
    RectangleObject,
    TextStringObject,
)

from labreport.errors import InputError
from labreport.page import texts
from labreport.page.texts import Bookmark, Spot

ROOT = Path(__file__).parents[3]
WIDTH, HEIGHT = 300, 200
POPPLER = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler")


def document(*contents):
    """Return a writer with a page of 300 by 200 points for each content stream; /F is Helvetica."""
    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
            NameObject("/Encoding"): NameObject("/WinAnsiEncoding"),
        }
    )
    for content in contents:
        page = writer.add_blank_page(WIDTH, HEIGHT)
        stream = DecodedStreamObject()
        stream.set_data(content.encode("latin-1"))
        page[NameObject("/Contents")] = writer._add_object(stream)
        fonts = DictionaryObject({NameObject("/F"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    return writer


def written(x, y, text, size=10):
    return f"BT /F {size} Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET\n"


def data(writer):
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def lines(*contents):
    return [line.text for line in texts.read(data(document(*contents))).pages[0].lines]


def words(pdf):
    """Return for each page poppler's words, each with left, top, right, bottom."""
    done = subprocess.run(["pdftotext", "-bbox", "-", "-"], input=pdf, capture_output=True, check=True)
    word = re.compile(r'<word xMin="(.+?)" yMin="(.+?)" xMax="(.+?)" yMax="(.+?)">(.*?)</word>')
    return [
        [(found[5], *map(float, found.groups()[:4])) for found in word.finditer(page)]
        for page in done.stdout.decode().split("<page ")[1:]
    ]


class TestLines:
    def test_words_beside_each_other_make_one_line(self):
        assert lines(written(20, 150, "two words") + written(69, 150, "more")) == ["two words more"]

    def test_a_wide_gap_divides_cells(self):
        assert lines(written(20, 150, "1.5") + written(80, 150, "2.25")) == ["1.5", "2.25"]

    def test_lines_below_each_other_stay_apart(self):
        assert lines(written(20, 150, "first") + written(20, 138, "second")) == ["first", "second"]

    def test_an_exponent_belongs_to_its_line_and_a_blank_follows(self):
        text = written(20, 150, "1.5 10") + written(48.4, 153.6, "-15", 7) + written(61.6, 150, "in all")
        assert lines(text) == ["1.5 10-15 in all"]

    def test_a_hyphen_at_the_end_of_a_line_stays(self):
        assert lines(written(20, 150, "compart-") + written(20, 138, "ments")) == ["compart-", "ments"]

    def test_an_accent_over_a_letter_is_one_with_it(self):
        over = "BT /F 10 Tf 1 0 0 1 20 150 Tm [(M\xa8) 445 (apfel \xa8 x)] TJ ET"
        assert lines(over) == ["Mäpfel ¨ x"]

    @pytest.mark.parametrize(
        ("unicode", "text"),
        [
            ("D835DC4E", "\N{MATHEMATICAL ITALIC SMALL A}x"),
            ("FB01", "fix"),
            ("00AD", "-x"),
            ("D835", "x"),
            ("0002", "x"),
        ],
    )
    def test_what_a_font_says_of_its_letters(self, unicode, text):
        """A letter beyond 0xFFFF is one, a ligature two, and half a letter none."""
        writer = document(written(20, 150, "Ax"))
        font = writer.pages[0]["/Resources"]["/Font"]["/F"]
        cmap = DecodedStreamObject()
        cmap.set_data(
            b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap 1 begincodespacerange <00> <FF> "
            b"endcodespacerange 1 beginbfchar <41> <%s> endbfchar endcmap end end" % unicode.encode()
        )
        font[NameObject("/ToUnicode")] = writer._add_object(cmap)
        assert [line.text for line in texts.read(data(writer)).pages[0].lines] == [text]

    def test_text_that_is_turned_is_one_line(self):
        (line,) = texts.read(data(document("BT /F 10 Tf 0 1 -1 0 50 20 Tm (an axis) Tj ET"))).pages[0].lines
        assert line.text == "an axis"
        assert line.height > 2 * line.width
        assert line.x < 50 < line.x + line.width
        assert (line.y + line.height) == pytest.approx(HEIGHT - 20, abs=1)

    def test_what_lies_off_the_page_is_left_out(self):
        assert lines(written(20, 150, "here") + written(400, 150, "there")) == ["here"]

    @POPPLER
    def test_words_lie_where_poppler_finds_them(self):
        pdf = data(document(written(20, 150, "alone", 12) + written(31.5, 30, "below", 9)))
        found = [(line.text, line.x, line.x + line.width) for line in texts.read(pdf).pages[0].lines]
        (expected,) = words(pdf)
        assert [text for text, *_ in found] == [word for word, *_ in expected]
        for (_, left, right), (_, x_min, _, x_max, _) in zip(found, expected, strict=True):
            assert (left, right) == pytest.approx((x_min, x_max), abs=0.5)


class TestFrames:
    """A page is measured as viewers show it."""

    @pytest.mark.parametrize(
        ("turned", "centre", "size"),
        [
            # by hand: a dot at (20, 150) of the unturned page, 50 points below its upper edge
            (0, (20, 50), (WIDTH, HEIGHT)),
            (90, (150, 20), (HEIGHT, WIDTH)),
            (180, (WIDTH - 20, 150), (WIDTH, HEIGHT)),
            (270, (50, WIDTH - 20), (HEIGHT, WIDTH)),
        ],
    )
    def test_a_turned_page(self, turned, centre, size):
        writer = document(written(20, 150, "."))
        writer.pages[0].rotate(turned)
        page = texts.read(data(writer)).pages[0]
        (line,) = page.lines
        assert (page.width, page.height) == size
        assert (line.x + line.width / 2, line.y + line.height / 2) == pytest.approx(centre, abs=5)

    def test_a_cropped_page(self):
        writer = document(written(60, 150, "seen") + written(20, 150, "cut"))
        writer.pages[0].cropbox = RectangleObject((50, 100, 250, 180))
        page = texts.read(data(writer)).pages[0]
        assert (page.width, page.height) == (200, 80)
        (line,) = page.lines
        assert line.text == "seen"
        assert line.x == pytest.approx(10, abs=0.5)
        assert line.y + line.height == pytest.approx(30, abs=4)


class TestLinks:
    def test_an_address_that_could_run_something_is_no_link(self):
        writer = document("")
        addresses = [
            "https://example.org/?a=1&b=2",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "mailto:a@b.org",
        ]
        for number, address in enumerate(addresses):
            writer.add_annotation(
                0, LinkAnnotation(rect=(10, 20 * number, 50, 20 * number + 10), url=address)
            )
        links = texts.read(data(writer)).pages[0].links
        assert [link.target for link in links] == [addresses[0], addresses[3]]
        assert (links[0].x, links[0].y, links[0].width, links[0].height) == (10, 190, 40, 10)

    @pytest.mark.parametrize(
        ("fit", "y"),
        [(Fit.xyz(left=10, top=150), 50.0), (Fit.fit_horizontally(top=120), 80.0), (Fit.fit(), 0.0)],
    )
    def test_a_link_within_the_document_leads_to_a_height(self, fit, y):
        writer = document("", "")
        annotation = LinkAnnotation(rect=(10, 10, 50, 20), target_page_index=1, fit=fit)
        writer.add_annotation(0, annotation)
        (link,) = texts.read(data(writer)).pages[0].links
        assert link.target == Spot(2, y)

    def test_a_link_or_bookmark_into_another_file_leads_nowhere(self):
        writer = document("")
        action = DictionaryObject(
            {
                NameObject("/S"): NameObject("/GoToR"),
                NameObject("/F"): TextStringObject("other.pdf"),
                NameObject("/D"): ArrayObject([NumberObject(0), NameObject("/Fit")]),
            }
        )
        writer.add_annotation(0, LinkAnnotation(rect=(10, 10, 50, 20), url="https://example.org"))
        writer.pages[0]["/Annots"][0].get_object()[NameObject("/A")] = action
        mark = writer.add_outline_item(title="Other", page_number=0).get_object()
        mark[NameObject("/A")] = action
        read = texts.read(data(writer))
        assert (read.pages[0].links, read.outline) == ((), ())

    def test_bookmarks_keep_their_levels(self):
        writer = document("", "")
        parent = writer.add_outline_item(title="First", page_number=0, fit=Fit.xyz(left=0, top=180))
        writer.add_outline_item(title="Pärt <b>", page_number=1, parent=parent, fit=Fit.xyz(left=0, top=100))
        assert texts.read(data(writer)).outline == (
            Bookmark("First", 0, Spot(1, 20.0)),
            Bookmark("Pärt <b>", 1, Spot(2, 100.0)),
        )


def test_what_is_no_pdf_is_told():
    with pytest.raises(InputError, match="cannot be read back"):
        texts.read(b"%PDF-1.7 nothing")


REPORT = ROOT / "build" / "report.pdf"


@pytest.mark.slow
@POPPLER
@pytest.mark.skipif(not REPORT.is_file(), reason="needs the built report")
class TestThisReport:
    def test_words_lie_where_poppler_finds_them(self):
        """Nearly all words that poppler finds stand in a line whose box holds them."""
        pdf = REPORT.read_bytes()
        total = missed = 0
        for page, expected in zip(texts.read(pdf).pages, words(pdf), strict=True):
            for word, left, top, right, bottom in expected:
                total += 1
                missed += not any(
                    html.unescape(word) in line.text
                    and line.x - 1 <= left
                    and right <= line.x + line.width + 1
                    and line.y <= (top + bottom) / 2 <= line.y + line.height
                    for line in page.lines
                )
        assert total > 5000
        assert missed / total < 0.01

    def test_links_and_bookmarks_lead_where_pypdf_says(self):
        pdf = REPORT.read_bytes()
        reader, found = PdfReader(io.BytesIO(pdf)), texts.read(pdf)

        def entries(outline):
            for entry in outline:
                if isinstance(entry, list):
                    yield from entries(entry)
                else:
                    yield entry.title, reader.get_destination_page_number(entry) + 1

        assert [(mark.title, mark.spot.page) for mark in found.outline] == list(entries(reader.outline))
        names = reader.named_destinations
        for page, read in zip(reader.pages, found.pages, strict=True):
            actions = [note.get_object()["/A"] for note in page.get("/Annots", ())]
            expected = [
                action["/URI"]
                if action["/S"] == "/URI"
                else reader.get_destination_page_number(names[action["/D"]]) + 1
                for action in actions
            ]
            assert [
                t.page if isinstance(t, Spot) else t for t in (link.target for link in read.links)
            ] == expected

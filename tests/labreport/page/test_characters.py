"""Characters of a page: poppler tells the same places, however the page is turned and cut."""

import html
import io
import re
import subprocess

import pytest
from matplotlib.figure import Figure
from pypdf import PdfReader, PdfWriter
from pypdf.generic import RectangleObject

from labreport.page.characters import Box, opened, page_size


def drawn(turned: int = 0, crop: tuple[float, ...] | None = None, word: str = "Eleven") -> bytes:
    """Return a page of 288 x 144 points with one word on it, turned and cut."""
    figure = Figure(figsize=(4, 2))
    figure.text(0.3, 0.6, word)
    plain, made = io.BytesIO(), io.BytesIO()
    figure.savefig(plain, format="pdf", metadata={"CreationDate": None})
    writer = PdfWriter()
    page = writer.add_page(PdfReader(plain).pages[0])
    if crop:
        page.cropbox = RectangleObject(crop)
    page.rotate(turned)
    writer.write(made)
    return made.getvalue()


def by_poppler(data: bytes) -> tuple[float, ...]:
    """Return left, top, right and bottom of the word, within what is shown of the page."""
    command = ["pdftotext", "-bbox", "-cropbox", "-", "-"]
    told = subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode()
    found = re.search(r'xMin="(.+?)" yMin="(.+?)" xMax="(.+?)" yMax="(.+?)">Eleven<', html.unescape(told))
    assert found
    return tuple(map(float, found.groups()))


@pytest.mark.parametrize("crop", [None, (20, 30, 280, 140)])
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_character_lies_where_poppler_sees_it(turned, crop):
    data = drawn(turned, crop)
    with opened(data) as (page,):
        assert page.text.strip() == "Eleven"
        boxes = [page.box(index) for index in range(6)]
    whole = boxes[0]
    for box in boxes[1:]:
        whole |= box
    left, top, right, bottom = by_poppler(data)
    middle = (whole.x + whole.width / 2, whole.y + whole.height / 2)
    assert middle == pytest.approx(((left + right) / 2, (top + bottom) / 2), abs=2)
    lengths = (right - left, bottom - top)
    assert max(whole.width, whole.height) == pytest.approx(max(lengths), abs=1)
    assert (whole.width > whole.height) == (lengths[0] > lengths[1]) == (turned in (0, 180))


def test_pages_count_from_one_and_tell_whether_they_read_alike():
    with opened(drawn()) as (page,), opened(drawn(90)) as (other,):
        assert page.number == 1
        assert page.as_in(other) == {index: index for index in range(6)}
        assert page.marks() == {}


@pytest.mark.parametrize(
    ("word", "pairs"),
    [
        ("El even", {0: 0, 1: 1, 2: 3, 3: 4, 4: 5, 5: 6}),
        ("Elevem", None),
        ("Eleve", None),
    ],
)
def test_letters_are_found_again_whatever_blanks_are_between(word, pairs):
    with opened(drawn()) as (page,), opened(drawn(word=word)) as (other,):
        assert page.as_in(other) == pairs


def test_the_size_of_a_page_is_that_of_its_picture(tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(drawn())
    assert page_size(path) == (288, 144)


def test_two_boxes_make_the_smallest_one_around_both():
    both = Box(1, 10, 20, 5, 5) | Box(1, 12, 10, 8, 12)
    assert both == Box(1, 10, 10, 10, 15)
    assert (both.right, both.bottom, both.middle) == (20, 25, (15, 17.5))
    assert both.holds(Box(1, 18, 12, 3, 3))
    assert not both.holds(Box(1, 19, 12, 3, 3))
    assert not both.holds(Box(2, 18, 12, 3, 3))

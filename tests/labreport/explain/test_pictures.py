"""Two figures side by side: what another program reads in the PNG is what stands in the two PDFs."""

import shutil

import pytest
from PIL import Image

from labreport.errors import InputError, ToolError
from labreport.explain import pictures
from labreport.explain.pictures import Picture

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def plain(width, height, colour):
    return Picture(width, (bytes(colour) * width,) * height)


def draw(path, colour, inches):
    from matplotlib.figure import Figure

    Figure(figsize=inches, facecolor=colour).savefig(path)


def test_two_images_stand_beside_each_other_on_white(tmp_path):
    path = tmp_path / "both.png"
    path.write_bytes(pictures.png(pictures.joined(plain(3, 2, RED), plain(2, 4, BLUE))))
    with Image.open(path) as image:
        assert image.mode == "RGB"
        width, height = image.size
        assert height == 4
        assert {image.getpixel((x, y)) for x in range(3) for y in range(2)} == {RED}
        assert {image.getpixel((x, y)) for x in range(3) for y in (2, 3)} == {WHITE}
        assert {image.getpixel((x, y)) for x in (width - 2, width - 1) for y in range(4)} == {BLUE}


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="needs poppler")
def test_the_old_pdf_stands_on_the_left_of_the_new_one(tmp_path):
    draw(tmp_path / "old.pdf", "red", (1, 1))
    draw(tmp_path / "new.pdf", "blue", (2, 1.5))
    pictures.side_by_side(tmp_path / "old.pdf", tmp_path / "new.pdf", tmp_path / "deep" / "both.png")
    with Image.open(tmp_path / "deep" / "both.png") as image:
        dpi = pictures.DPI
        assert image.size[1] == 1.5 * dpi
        assert 3 * dpi < image.size[0] < 3.3 * dpi
        assert image.getpixel((dpi // 2, dpi // 2)) == RED
        assert image.getpixel((image.size[0] - dpi, dpi)) == BLUE


def test_a_file_that_is_no_pdf_is_named(tmp_path):
    path = tmp_path / "broken.pdf"
    path.write_bytes(b"%PDF-1.4 nothing")
    with pytest.raises(InputError, match=r"cannot draw broken\.pdf"):
        pictures.page(path)


def test_a_missing_program_is_named_with_its_package(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="pdftoppm") as caught:
        pictures.page(tmp_path / "a.pdf")
    assert "poppler-utils" in caught.value.cure

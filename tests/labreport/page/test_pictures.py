"""The pages as pictures: in a browser they look as poppler prints them."""

import io
import re
import shutil
import subprocess
from contextlib import contextmanager
from math import ceil
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from browsers import opened
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import RectangleObject

from labreport.errors import InputError, ToolError
from labreport.page import pictures
from labreport.page.pictures import Pictures

ROOT = Path(__file__).parents[3]
REPORT = ROOT / "build" / "report.pdf"
FIGURES = (1, 7, 10, 16, 23, 24, 27)
"""Pages of this report with images, masks, many markers and many lines."""

IMAGE = re.compile(r'<svg xmlns="[^"]+" viewBox="[^"]+"><image ')
ENLARGED = 2  # pixels of the browser for a point

needs_poppler = pytest.mark.skipif(shutil.which("pdftocairo") is None, reason="needs poppler")


def draw(path) -> Pictures:
    """Return the pictures of all pages of a PDF."""
    return pictures.joined(pictures.draw(path, range(1, len(PdfReader(path).pages) + 1)))


def drawn(path, *sizes):
    """Write a PDF with a blank page of each size."""
    writer = PdfWriter()
    for size in sizes:
        writer.add_blank_page(*size)
    writer.write(path)
    return path


@needs_poppler
class TestDrawing:
    def test_pages_come_in_order_and_in_their_size(self, tmp_path):
        pages = draw(drawn(tmp_path / "a.pdf", (100, 50), (300, 200), (50, 60))).pages
        assert [re.search('viewBox="(.*?)"', page)[1] for page in pages] == [
            "0 0 100 50",
            "0 0 300 200",
            "0 0 50 60",
        ]

    def test_equal_pages_give_equal_pictures(self, tmp_path):
        path = tmp_path / "a.pdf"
        Figure().subplots().figure.savefig(path)
        assert draw(path) == draw(path)

    def test_pages_drawn_one_by_one_join_to_what_is_drawn_at_once(self, tmp_path):
        path = tmp_path / "a.pdf"
        with PdfPages(path) as pdf:
            for label in ("first", "second", "first and third"):
                figure = Figure(figsize=(3, 2))
                figure.text(0.1, 0.5, label)
                pdf.savefig(figure)
        apart = [picture for number in (1, 2, 3) for picture in pictures.draw(path, [number])]
        assert pictures.joined(apart) == draw(path)
        assert len(set(re.findall(r'id="(g\d+)"', "".join(draw(path).glyphs)))) == len(
            {*"firstsecondandthird"}
        )

    def test_a_page_that_is_too_large_is_an_image(self, tmp_path, monkeypatch):
        path = tmp_path / "a.pdf"
        Figure(figsize=(3, 2)).savefig(path)
        assert not IMAGE.match(draw(path).pages[0])
        monkeypatch.setattr(pictures, "MOST_BYTES", 100)
        (page,) = draw(path).pages
        assert IMAGE.match(page)
        assert '<image width="216" height="144" href="data:image/png;base64,iVBOR' in page

    def test_what_is_no_pdf_is_told(self, tmp_path):
        (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4 nothing")
        with pytest.raises(InputError, match=r"a\.pdf cannot be drawn") as caught:
            pictures.draw(tmp_path / "a.pdf", [1])
        assert str(tmp_path) not in str(caught.value)


def programs(folder, monkeypatch, **scripts):
    """Put programs on a PATH of their own."""
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_a_missing_program_is_named_with_its_package(tmp_path, monkeypatch):
    programs(tmp_path, monkeypatch)
    with pytest.raises(ToolError, match="pdftocairo") as caught:
        pictures.draw(tmp_path / "a.pdf", [1])
    assert "poppler-utils" in caught.value.cure


def test_a_page_that_hangs_ends_with_its_number(tmp_path, monkeypatch):
    programs(tmp_path, monkeypatch, pdftocairo="exec /bin/sleep 60")
    monkeypatch.setattr(pictures, "SECONDS", 0.1)
    with pytest.raises(InputError, match=r"page 1 takes longer than 0\.1 s"):
        pictures.draw(tmp_path / "a.pdf", [1])


def test_a_page_that_cannot_be_drawn_ends_with_what_poppler_says(tmp_path, monkeypatch):
    programs(tmp_path, monkeypatch, pdftocairo="echo bad font >&2; exit 1")
    with pytest.raises(InputError, match="cannot be drawn: bad font"):
        pictures.draw(tmp_path / "a.pdf", [1])


def test_after_a_page_that_cannot_be_drawn_no_other_is_begun(tmp_path, monkeypatch):
    log = tmp_path / "log"
    programs(tmp_path, monkeypatch, pdftocairo=f"echo x >>{log}; exit 1")
    with pytest.raises(InputError, match="pdftocairo gives nothing for page 1"):
        pictures.draw(tmp_path / "a.pdf", range(1, 501))
    assert 1 <= log.read_text().count("x") < 250


def charts(figure):
    """Draw an image of few pixels, a clipped curve, turned text, a shading, hatches and transparency."""
    rng = np.random.default_rng(0)
    (image, curve), (shading, bars) = figure.subplots(2, 2)
    image.imshow(rng.random((5, 5)), interpolation="none")
    curve.plot(rng.normal(size=200).cumsum())
    curve.set(ylim=(-2, 2), ylabel="turned, äöß")
    shading.pcolormesh(rng.random((8, 8)), shading="gouraud")
    shading.text(0.5, 0.5, "α β $x^2$", rotation=30)
    bars.bar(range(4), [1, 2, 3, 4], hatch=["/", "x", "o", "."], alpha=0.5)
    bars.scatter(rng.random(300) * 4, rng.random(300) * 4, alpha=0.3, c=rng.random(300))


def faded(figure):
    """Draw an image of few pixels, transparent towards one side."""
    rng = np.random.default_rng(0)
    colours, alpha = rng.random((10, 10, 3)), np.linspace(0, 1, 100).reshape(10, 10)
    figure.subplots().imshow(np.dstack([colours, alpha]), interpolation="none")


def chart(path, draw, *, size=(6, 4), fonts=42, turned=0, crop=None):
    """Write a PDF with a figure, its page turned and cropped."""
    with matplotlib.rc_context({"pdf.fonttype": fonts}):
        figure = Figure(figsize=size)
        draw(figure)
        figure.savefig(path)
    writer = PdfWriter()
    page = writer.add_page(PdfReader(path).pages[0])
    page.rotate(turned)
    if crop:
        page.cropbox = RectangleObject(crop)
    writer.write(path)
    return path


TIKZ = r"""
\documentclass{article}
\usepackage{tikz}
\usetikzlibrary{shadings,patterns,fadings}
\begin{document}
\begin{tikzpicture}
\shade[left color=red,right color=blue] (0,0) rectangle (3,2);
\shade[inner color=yellow,outer color=green] (4,1) circle (1);
\fill[pattern=north east lines] (6,0) rectangle (8,2);
\fill[red,opacity=.5] (1,1) circle (1.2);
\begin{scope}[transparency group,opacity=.5]
\fill[blue] (2,1) circle (1); \fill[green] (2.5,1) circle (1);
\end{scope}
\begin{scope}[blend mode=multiply]
\fill[yellow] (5,-2) circle (1); \fill[cyan] (5.7,-2) circle (1);
\end{scope}
\node[rotate=40] at (8,-1) {turned $\sum_i x_i^2$};
\draw[line width=4pt,miter limit=20] (3,-3)--(5,-2.8)--(3,-2.6);
\draw[dash pattern=on 3pt off 2pt,line cap=round] (0,-4) -- (5,-4);
\clip (6,-3) circle (.7); \fill[orange] (5.5,-4) rectangle (6.5,-2);
\end{tikzpicture}
\newpage
\tikz \fill[black,path fading=west] (0,-2) rectangle (4,-1);
\end{document}
"""


def tikz(folder):
    if shutil.which("pdflatex") is None:
        pytest.skip("needs LaTeX")
    (folder / "a.tex").write_text(TIKZ)
    subprocess.run(
        ["pdflatex", "-interaction=batchmode", "a.tex"], cwd=folder, check=True, capture_output=True
    )
    return folder / "a.pdf"


@contextmanager
def gallery(folder, drawn):
    """Open a browser and give what photographs one page after the other in it."""
    sizes = [re.search(r'viewBox="0 0 (\S+) (\S+)"', page).groups() for page in drawn.pages]
    width, height = (ceil(max(float(size[n]) for size in sizes) * ENLARGED) for n in (0, 1))
    pages = [
        f'<div id="page{number}" style="width: {float(size[0]) * ENLARGED}px" hidden>{page}</div>'
        for number, (size, page) in enumerate(zip(sizes, drawn.pages, strict=True), 1)
    ]
    head = "<!doctype html><meta charset=utf-8><style>body {margin: 0} div svg {display: block}</style>"
    (folder / "pages.html").write_text("\n".join([head, *drawn.glyphs, *pages]), encoding="utf-8")
    with opened(folder / "pages.html", width=width, height=height) as tab:

        def photograph(number):
            show = "n => document.querySelectorAll('div').forEach(e => { e.hidden = e.id !== 'page' + n; })"
            tab.evaluate(show, number)
            shot = tab.locator(f"#page{number}").screenshot()
            return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), dtype=float)

        yield photograph


def printed(pdf, number):
    """Return a page as poppler renders it without cairo."""
    command = ["pdftoppm", "-cropbox", "-r", str(72 * ENLARGED), "-f", str(number), "-l", str(number), "-png"]
    done = subprocess.run([*command, str(pdf)], capture_output=True, check=True)
    return np.asarray(Image.open(io.BytesIO(done.stdout)).convert("RGB"), dtype=float)


def differences(shown, expected):
    """Return how much two images differ on the whole, and in the worst square of 16 pixels, of 255.

    Letters differ at their edges, where the two smooth in different ways: in the mean of a square by little.
    """
    assert np.abs(np.subtract(shown.shape, expected.shape)).max() <= 1
    height, width = (min(a, b) // 16 * 16 for a, b in zip(shown.shape[:2], expected.shape[:2], strict=True))
    difference = shown[:height, :width] - expected[:height, :width]
    squares = difference.reshape(height // 16, 16, width // 16, 16, 3).mean(axis=(1, 3))
    return np.abs(difference).mean(), np.abs(squares).max()


def assert_looks_as_printed(folder, pdf, numbers=None):
    drawn = draw(pdf)
    with gallery(folder, drawn) as photograph:
        for number in numbers or range(1, len(drawn.pages) + 1):
            mean, worst = differences(photograph(number), printed(pdf, number))
            assert mean < 12, number
            assert worst < 40, number
    return drawn


@pytest.mark.slow
@needs_poppler
class TestLooks:
    @pytest.mark.parametrize(
        "options",
        [
            {"draw": charts},
            {"draw": charts, "fonts": 3},
            {"draw": charts, "turned": 90},
            {"draw": charts, "turned": 180, "crop": (50, 60, 300, 250)},
            {"draw": charts, "size": (16.5, 11.7)},
            {"draw": faded},
        ],
        ids=["figure", "type-3-fonts", "turned", "turned-and-cropped", "a3", "transparent-image"],
    )
    def test_a_figure(self, tmp_path, options):
        drawn = assert_looks_as_printed(tmp_path, chart(tmp_path / "a.pdf", **options))
        assert not IMAGE.match(drawn.pages[0])

    def test_shadings_patterns_groups_and_blending(self, tmp_path):
        drawn = assert_looks_as_printed(tmp_path, tikz(tmp_path))
        # cairo puts a soft mask in the wrong place
        assert [bool(IMAGE.match(page)) for page in drawn.pages] == [False, True]

    def test_the_comparison_sees_a_missing_curve(self, tmp_path):
        pdf = chart(tmp_path / "a.pdf", charts)
        drawn = draw(pdf)
        without = re.sub(r"<path[^>]*#1f77b4[^>]*/>", "", drawn.pages[0])
        assert without != drawn.pages[0]
        with gallery(tmp_path, Pictures(drawn.glyphs, (without,))) as photograph:
            assert differences(photograph(1), printed(pdf, 1))[1] > 60

    @pytest.mark.skipif(not REPORT.is_file(), reason="needs the built report")
    def test_pages_of_this_report(self, tmp_path):
        drawn = assert_looks_as_printed(tmp_path, REPORT, FIGURES)
        assert not any(map(IMAGE.match, drawn.pages))
        assert sum(map(len, [*drawn.glyphs, *drawn.pages])) < 10_000_000

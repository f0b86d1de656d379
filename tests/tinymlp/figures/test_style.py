"""The style of the figures: letters that print, at a size that can be read, in files that do not change."""

import logging
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure
from pypdf import PdfReader

STYLE = Path(__file__).parents[3] / "experiments" / "figures.mplstyle"


@pytest.fixture
def pdf(tmp_path, caplog):
    """Draw a figure under the style and return its path; mathtext tells of missing letters by its log."""
    caplog.set_level(logging.WARNING, logger="matplotlib")

    def draw(name: str = "figure.pdf") -> Path:
        with plt.style.context(STYLE):
            figure = Figure(figsize=(3, 2))
            ax = figure.subplots()
            ax.plot([-100, 100], [1e-3, 1], label=r"mean $\pm$ std")
            ax.set(yscale="log", xlabel="logit $z$", ylabel="test loss (nats, log scale)")
            ax.legend()
            figure.savefig(tmp_path / name, metadata={"CreationDate": None})
        assert [r for r in caplog.records if r.name.startswith("matplotlib")] == []
        return tmp_path / name

    return draw


def test_fonts_are_embedded_computer_modern_truetype(pdf):
    fonts = PdfReader(pdf()).pages[0]["/Resources"]["/Font"].get_object().values()
    descendants = [font.get_object()["/DescendantFonts"][0].get_object() for font in fonts]
    names = {font["/BaseFont"].split("+")[-1].lower() for font in descendants}
    assert names == {"cmr10", "cmmi10", "cmsy10"}
    assert {font["/Subtype"] for font in descendants} == {"/CIDFontType2"}
    assert all("/FontFile2" in font["/FontDescriptor"].get_object() for font in descendants)


def test_figure_is_printed_at_the_size_drawn(pdf):
    page = PdfReader(pdf()).pages[0].mediabox
    assert (float(page.width), float(page.height)) == (3 * 72, 2 * 72)


def test_same_figure_has_the_same_bytes_at_another_time(pdf, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    first = pdf("first.pdf").read_bytes()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "2000000000")
    assert pdf("second.pdf").read_bytes() == first


def test_no_text_is_smaller_than_eight_points():
    with plt.style.context(STYLE):
        sizes = {
            key: plt.rcParams[key]
            for key in plt.rcParams
            if key.endswith(("font.size", "labelsize", "fontsize"))
        }
    assert len(sizes) > 5
    assert all(size is None or size == "medium" or size >= 8 for size in sizes.values()), sizes

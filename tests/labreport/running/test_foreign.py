"""Figures that another program drew: kept in their size, without what differs from drawing to drawing."""

import datetime
import io

import numpy as np
import projects
import pypdf
import pytest
from matplotlib import rc_context, rcParams
from matplotlib.figure import Figure
from PIL import Image

from labreport.errors import ExperimentError
from labreport.running import Lab


@pytest.fixture
def lab(tmp_path):
    folder = tmp_path / "staged"
    folder.mkdir()
    return Lab(projects.make(tmp_path / "p", {}), "exp", {}, folder=folder)


def a_pdf(day: int) -> bytes:
    made, figure = io.BytesIO(), Figure(figsize=(3, 2))
    figure.subplots().plot([1, 2])
    date = datetime.datetime(2020, 1, day, tzinfo=datetime.UTC)
    figure.savefig(made, format="pdf", metadata={"CreationDate": date, "Author": f"user {day}"})
    return made.getvalue()


def test_a_pdf_keeps_its_size_and_loses_its_dates_and_names(lab, tmp_path):
    made = []
    for day in (1, 2):
        (tmp_path / "r.pdf").write_bytes(a_pdf(day))
        lab.figure(f"f{day}", tmp_path / "r.pdf", alt="A line")
        made.append([(lab.folder / f"f{day}{end}").read_bytes() for end in (".pdf", ".png")])
    assert a_pdf(1) != a_pdf(2)
    assert made[0] == made[1]
    assert b"2020" not in made[0][0]
    assert (lab.figures["f1"]["width_mm"], lab.figures["f1"]["height_mm"]) == (76.2, 50.8)
    page = pypdf.PdfReader(io.BytesIO(made[0][0])).pages[0].mediabox
    assert (float(page.width), float(page.height)) == (216.0, 144.0)
    assert Image.open(io.BytesIO(made[0][1])).size == (600, 400)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_png_keeps_its_dots_and_the_size_that_it_says(lab, tmp_path, mode):
    dots = np.arange(60 * 40, dtype=np.uint8).reshape(40, 60) % 200
    source = Image.fromarray(dots).convert(mode)
    source.save(tmp_path / "r.png", dpi=(100, 100))
    lab.figure("f", tmp_path / "r.png", alt="Dots")
    assert (lab.figures["f"]["width_mm"], lab.figures["f"]["height_mm"]) == (15.24, 10.16)
    assert np.array_equal(np.asarray(Image.open(lab.folder / "f.png").convert("L")), dots)
    (image,) = pypdf.PdfReader(lab.folder / "f.pdf").pages[0].images
    assert np.array_equal(np.asarray(image.image.convert("L"))[::-1], dots)  # a PDF counts rows from below


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_the_projects_style_moves_no_dot_of_another_programs_figure(lab, tmp_path, kind):
    dots = np.arange(60 * 40, dtype=np.uint8).reshape(40, 60) % 200
    source = tmp_path / f"r.{kind}"
    Image.fromarray(dots).save(source, dpi=(100, 100), resolution=100)
    lab.figure("usual", source, alt="Dots")
    style = {"figure.constrained_layout.use": True, "image.origin": "lower", "savefig.bbox": "tight"}
    with rc_context(style):
        lab.figure("styled", source, alt="Dots")
        assert all(rcParams[key] == value for key, value in style.items())
    for end in (".pdf", ".png"):
        assert (lab.folder / f"styled{end}").read_bytes() == (lab.folder / f"usual{end}").read_bytes()


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("r.pdf", None, "r.pdf cannot be read: No such file"),
        ("r.svg", b"<svg/>", "r.svg is neither a PDF nor a PNG"),
        ("r.pdf", b"%PDF-1.5 cut off", "r.pdf is damaged"),
    ],
)
def test_what_is_no_figure_is_refused(lab, tmp_path, name, data, what):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ExperimentError, match=f"figure 'f' of experiment 'exp': {what}"):
        lab.figure("f", tmp_path / name, alt="a")
    assert lab.figures == {}

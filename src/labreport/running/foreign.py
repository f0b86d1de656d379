"""Figures that another program drew: a PDF or a PNG, kept with the same bytes for the same drawing."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Any

from labreport.errors import ExperimentError

PNG_DPI = 200
MM_PER_INCH = 25.4
POINTS_PER_INCH = 72
UNNAMED: dict[str, Any] = {"Software": None}
NOT_MEASURED: dict[str, Any] = {
    "smallest_text_pt": None,
    "cut_mm": 0.0,
    "series": 0,
    "legend": False,
    "axes": [],
}
"""What checks know of a figure of which only the picture is there."""


def save(source: Path, stem: Path, where: str) -> dict[str, Any]:
    """Write STEM.pdf and STEM.png from a file, and return what a check must know of the figure.

    ExperimentError if there is no such file, or it is neither a PDF nor a PNG; `where` names the figure.
    """
    try:
        data = source.read_bytes()
    except OSError as error:
        what = f"{where}: {source.name} cannot be read: {error.strerror}"
        raise ExperimentError(what, cure='name a file of the project, lab.file("…"), or an output') from error
    targets = stem.with_name(f"{stem.name}.pdf"), stem.with_name(f"{stem.name}.png")
    if data.startswith(b"%PDF-"):
        width, height = _of_pdf(data, *targets, f"{where}: {source.name}")
    elif data.startswith(b"\x89PNG\r\n\x1a\n"):
        width, height = _of_png(source, _dots_per_inch(data), *targets)
    else:
        raise ExperimentError(f"{where}: {source.name} is neither a PDF nor a PNG", cure="save it as a PDF")
    size = {"width_mm": width * MM_PER_INCH, "height_mm": height * MM_PER_INCH}
    return {name: round(each, 3) for name, each in size.items()} | NOT_MEASURED


def _of_pdf(data: bytes, pdf: Path, png: Path, where: str) -> tuple[float, float]:
    """Write the first page of a PDF, without its dates; return its size in inches."""
    import io

    from matplotlib.image import imsave
    from pypdf import PdfReader, PdfWriter
    from pypdf.errors import PyPdfError
    from pypdfium2 import PdfDocument, PdfiumError

    try:
        writer = PdfWriter()
        writer.add_page(PdfReader(io.BytesIO(data)).pages[0])
        writer.metadata = None  # when it was made, and by what
        writer.write(pdf)
        with PdfDocument(pdf) as document:
            page = document[0]
            width, height = page.get_size()
            dots = page.render(scale=PNG_DPI / POINTS_PER_INCH, rev_byteorder=True).to_numpy()
    except (PyPdfError, PdfiumError, LookupError, ValueError) as error:
        raise ExperimentError(f"{where} is damaged: {error}", cure="make it again") from error
    imsave(png, dots, metadata=UNNAMED, origin="upper")  # a style of the project's may say otherwise
    return width / POINTS_PER_INCH, height / POINTS_PER_INCH


def _of_png(source: Path, dpi: float, pdf: Path, png: Path) -> tuple[float, float]:
    """Write the dots of a PNG, whatever else is in it; return its size in inches."""
    from matplotlib import rc_context, rcdefaults
    from matplotlib.figure import Figure
    from matplotlib.image import imread, imsave
    from numpy import dstack

    dots = imread(source)
    dots = dots if dots.ndim > 2 else dstack([dots] * 3)  # a scale of greys has fewer of them than a PNG
    height, width = (number / dpi for number in dots.shape[:2])
    with rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # defaults that are deprecated warn when they are set
        rcdefaults()  # a style of the project's must not move the dots
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.imshow(dots, aspect="auto", interpolation="none")  # as they are, not drawn anew
        figure.savefig(pdf, metadata=dict.fromkeys(("Creator", "Producer", "CreationDate")))
        imsave(png, dots, metadata=UNNAMED)
    return width, height


def _dots_per_inch(data: bytes) -> float:
    """Return how many dots of a PNG are an inch, as its pHYs says (PNG specification, 11.3.4.3)."""
    at = data.find(b"pHYs", 0, data.find(b"IDAT"))
    if at < 0 or len(data) < at + 13:
        return PNG_DPI
    across, _, unit = struct.unpack(">IIB", data[at + 4 : at + 13])
    return across * MM_PER_INCH / 1000 if unit == 1 and across else PNG_DPI

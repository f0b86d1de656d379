"""Pictures: the pages of a PDF as vector graphics for the screen, exactly as printed.

poppler's pdftocairo draws each page, `compact` makes it small and safe. A page that would be too large for a
browser, or that holds what `compact` does not know, is shown as an image.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from labreport import surroundings
from labreport.errors import InputError, Place, ToolError
from labreport.page.compact import NAMESPACE, Glyphs, UnknownError, compact
from labreport.page.outlines import Outlines

MOST_BYTES = 8_000_000
"""The size of a page, as poppler writes it, from which on it becomes an image; pages of text take 0.7 MB."""

DPI = 200
"""The resolution of a page that is an image."""

SECONDS = 60
"""The time for one page."""

_LETTER = re.compile(r'href="#(g\d+)"')


@dataclass(frozen=True)
class Picture:
    """A page as an `<svg>`, and by their names the outlines of letters that it refers to."""

    svg: str
    outlines: dict[str, str]


@dataclass(frozen=True)
class Pictures:
    """The pages in order, each an `<svg>`, and those of outlines of letters that they refer to.

    The first of these holds what the first page needs, the second one what comes in with the others.
    """

    glyphs: tuple[str, str]
    pages: tuple[str, ...]


class Poppler:
    """Runs pdftocairo in several threads; once it was told to end, nothing runs and nothing begins."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._has_ended = False

    def run(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
        """Return what it gives. CancelledError if it was told to end; TimeoutExpired after `SECONDS`."""
        command = ["pdftocairo", *arguments]
        with self._lock:
            if self._has_ended:
                raise CancelledError
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=surroundings.for_drawing()
            )
            self._running.add(process)
        with process:
            try:
                output, errors = process.communicate(timeout=SECONDS)
            finally:
                process.kill()
                self._running.discard(process)
        return subprocess.CompletedProcess(command, process.returncode, output, errors)

    def end(self) -> None:
        """End what runs: an interrupt reaches only the main thread, which would wait for one that hangs."""
        with self._lock:
            self._has_ended = True
            for process in tuple(self._running):
                process.kill()


def draw(pdf: Path, numbers: Sequence[int], poppler: Poppler | None = None) -> list[Picture]:
    """Return pages of a PDF, which count from 1, as pictures.

    Raises
    ------
    ToolError
        pdftocairo is missing.
    InputError
        The PDF cannot be read, or drawing a page takes too long.

    """
    if shutil.which("pdftocairo") is None:
        raise ToolError(
            "the report's pages are drawn by pdftocairo: not found on the PATH",
            cure="on Debian or Ubuntu: apt-get install poppler-utils",
        )
    poppler, glyphs = poppler or Poppler(), Glyphs()
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        try:
            # a page is made small in this thread while poppler draws the next ones in theirs
            drawn = pool.map(partial(_drawn, poppler, pdf, "-svg"), numbers)
            pages = [
                _picture(poppler, pdf, number, data, glyphs)
                for number, data in zip(numbers, drawn, strict=True)
            ]
        finally:
            poppler.end()
    outlines = glyphs.outlines
    return [Picture(page, {name: outlines[name] for name in _LETTER.findall(page)}) for page in pages]


def joined(drawn: Iterable[Picture]) -> Pictures:
    """Return the pictures of all pages of a PDF with outlines in common, named in the order of the pages."""
    # from the first page on: which letters look the same must not depend on which pages were kept
    outlines = Outlines()
    first, *others = drawn
    page, most = _renamed(first, outlines), len(outlines)
    pages = (page, *(_renamed(picture, outlines) for picture in others))
    return Pictures((outlines.svg(end=most), outlines.svg(most)), pages)


def _renamed(picture: Picture, outlines: Outlines) -> str:
    """Return a page that refers to outlines by the names that they have among those of all pages."""
    names = {name: outlines.name(outline) for name, outline in picture.outlines.items()}
    return _LETTER.sub(lambda found: f'href="#{names[found[1]]}"', picture.svg)


def _picture(poppler: Poppler, pdf: Path, number: int, data: bytes, glyphs: Glyphs) -> str:
    if len(data) <= MOST_BYTES:
        try:
            return compact(data, number, glyphs)
        except UnknownError:
            pass  # a poppler that draws in a way that nobody has looked at: an image is safe
    return _image(poppler, pdf, number, data)


def _image(poppler: Poppler, pdf: Path, number: int, data: bytes) -> str:
    """Return a page as an image, in the size that its vector graphics has."""
    size = re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', data[:1000])
    if size is None:
        raise _undrawable(pdf, f"page {number} has no size")
    width, height = (part.decode() for part in size.groups())
    png = base64.b64encode(_drawn(poppler, pdf, "-png", number)).decode()
    return (
        f'<svg xmlns="{NAMESPACE}" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{png}"/></svg>'
    )


def _drawn(poppler: Poppler, pdf: Path, kind: str, number: int) -> bytes:
    """Return a page as pdftocairo draws it: the part of the paper that viewers show."""
    one = ["-png", "-singlefile", "-cropbox", "-r", str(DPI)] if kind == "-png" else [kind]
    try:
        done = poppler.run([*one, "-f", str(number), "-l", str(number), str(pdf), "-"])
    except subprocess.TimeoutExpired as error:
        raise _undrawable(pdf, f"page {number} takes longer than {SECONDS} s") from error
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip() or f"pdftocairo gives nothing for page {number}"
        raise _undrawable(pdf, said)
    return done.stdout


def _undrawable(pdf: Path, why: str) -> InputError:
    return InputError(
        f"the pages of {pdf.name} cannot be drawn: {why}",
        place=Place(pdf.name),
        cure="open it in a viewer: if a figure shows wrongly or slowly there, draw it more simply",
    )

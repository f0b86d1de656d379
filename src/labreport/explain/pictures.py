"""A figure as it was and as it is now, side by side in one PNG."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

from labreport.errors import InputError, ToolError

DPI = 110
GAP = 12  # pixels between the two
WHITE, GREY = b"\xff\xff\xff", b"\x99\x99\x99"
SECONDS = 60


@dataclass(frozen=True)
class Picture:
    """An image of rows from top to bottom, each of three bytes for each pixel."""

    width: int
    rows: tuple[bytes, ...]


def side_by_side(old: Path, new: Path, target: Path) -> None:
    """Draw the first pages of two PDFs beside each other into a PNG, the old one on the left.

    Raises
    ------
    ToolError
        pdftoppm is missing.
    InputError
        pdftoppm cannot read a PDF.

    """
    left, right = page(old), page(new)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(png(joined(left, right)))


def page(pdf: Path) -> Picture:
    """Return the first page of a PDF as an image."""
    if shutil.which("pdftoppm") is None:
        raise ToolError(
            "figures are compared by pdftoppm: not found on the PATH",
            cure="on Debian or Ubuntu: apt-get install poppler-utils",
        )
    command = ["pdftoppm", "-r", str(DPI), "-f", "1", "-l", "1", str(pdf)]
    done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    try:
        return _ppm(done.stdout)
    except ValueError:
        said = done.stderr.decode(errors="replace").strip() or "it gives no picture"
        raise InputError(f"pdftoppm cannot draw {pdf.name}: {said}", cure="draw the figure again") from None


def joined(left: Picture, right: Picture) -> Picture:
    """Return two images beside each other, with a line between them; below the lower one it is white."""
    height = max(len(left.rows), len(right.rows))
    gap = WHITE * (GAP // 2) + GREY + WHITE * (GAP // 2)
    columns = [
        (*picture.rows, *[WHITE * picture.width] * (height - len(picture.rows))) for picture in (left, right)
    ]
    rows = tuple(a + gap + b for a, b in zip(*columns, strict=True))
    return Picture(left.width + len(gap) // 3 + right.width, rows)


def png(picture: Picture) -> bytes:
    """Return an image as a PNG, the same bytes for the same image and version of zlib."""
    header = struct.pack(">IIBBBBB", picture.width, len(picture.rows), 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in picture.rows), 6)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _ppm(data: bytes) -> Picture:
    """Return the image in a PPM of eight bits, as pdftoppm writes it; ValueError if it is none."""
    kind, size, depth, pixels = data.split(b"\n", 3)
    width, height = (int(number) for number in size.split())
    if kind != b"P6" or depth != b"255" or len(pixels) < 3 * width * height:
        raise ValueError("not a PPM of eight bits")
    step = 3 * width
    return Picture(width, tuple(pixels[step * n : step * (n + 1)] for n in range(height)))

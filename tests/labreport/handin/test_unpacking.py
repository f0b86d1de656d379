"""What is in what is found: in pictures, PDFs, archives, and in texts that are written in another way."""

import base64
import bz2
import gzip
import json
import lzma
import zlib
from pathlib import Path

import pytest
from searched import TOKENS, VALUE, found, kinds, pdf, png, zipped

NAMES = {"anneliese": "the name of this machine's user", "ws-17.example.org": "the name of this machine"}
CONTAINERS = {
    "tEXt": lambda text: png((b"tEXt", b"Comment\0" + text)),
    "zTXt": lambda text: png((b"zTXt", b"Comment\0\0" + zlib.compress(text))),
    "iTXt": lambda text: png((b"iTXt", b"Comment\0\0\0en\0\0" + text)),
    "iTXt, compressed": lambda text: png((b"iTXt", b"Comment\0\1\0en\0\0" + zlib.compress(text))),
    "PDF": pdf,
    "PDF in base 85": lambda text: pdf(text, (b"ASCII85Decode", b"FlateDecode")),
    "PDF in hexadecimal": lambda text: pdf(text, (b"ASCIIHexDecode",)),
    "zip": zipped,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zlib": zlib.compress,
    "hexadecimal": lambda text: b"bytes: " + text.hex().encode(),
    "zlib in base64": lambda text: b"data: " + base64.b64encode(zlib.compress(text)),
    "zip in zip": lambda text: zipped(zipped(text)),
    "PNG in a notebook": lambda text: json.dumps(
        {"data": {"image/png": base64.b64encode(png((b"tEXt", b"Comment\0" + text))).decode() + "\n"}}
    ).encode(),
    "PNG in lines of base64": lambda text: base64.encodebytes(png((b"tEXt", b"Comment\0" + text))),
    "base64 of base64": lambda text: base64.b64encode(base64.b64encode(text)),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(
    "text", [TOKENS["GitHub"], f"x {VALUE} y", "at /srv/project/x", "by anneliese, twice"]
)
def test_what_is_inside_is_found(container, text):
    data = CONTAINERS[container](b"some words before it: " + text.encode() + b" and some after it")
    options = {"environment": {"A_KEY": VALUE}, "folders": [Path("/srv/project")], "names": NAMES}
    findings = found(data, **options)
    assert len(findings) == 1
    assert findings[0].inside or container in ("tEXt", "iTXt", "xz") or VALUE in text


@pytest.mark.parametrize("container", CONTAINERS)
def test_damaged_containers_are_no_error(container):
    data = CONTAINERS[container](b"nothing of interest, " * 20)
    for cut in range(0, len(data), 7):
        assert found(data[:cut]) == []
        assert found(data[:cut] + b"\xff\0" + data[cut + 2 :]) == []


@pytest.mark.parametrize(("times", "is_found"), [(4, True), (5, False)])
def test_archives_are_unpacked_four_times_and_no_bomb_deeper(times, is_found):
    data = TOKENS["GitHub"].encode()
    for _ in range(times):
        data = gzip.compress(data, mtime=0)
    assert bool(found(data)) == is_found


def test_no_line_is_told_of_what_is_in_an_archive():
    what = "a token of GitHub"
    assert kinds(zipped(TOKENS["GitHub"].encode())) == [(what, None, "in inner.txt of an archive")]
    assert kinds(gzip.compress(TOKENS["GitHub"].encode())) == [(what, None, "in an archive")]


LETTERS = {
    "XML, decimal": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "XML, hexadecimal": lambda text: "".join(f"&#x{ord(c):x};" for c in text),
    "JSON": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
    "Python": lambda text: "".join(f"\\x{ord(c):02x}" for c in text),
    "URL": lambda text: "".join(f"%{ord(c):02x}" for c in text),
    "LaTeX": lambda text: text.replace("_", "\\_"),
    "tags": lambda text: "<text>" + "".join(f"<tspan x='1'>{c}</tspan>" for c in text) + "</text>",
    "quoted XML": lambda text: f"&lt;a&gt;{''.join(f'&amp;#{ord(c)};' for c in text)}",
}


@pytest.mark.parametrize("how", LETTERS)
@pytest.mark.parametrize("secret", [TOKENS["GitHub"], TOKENS["GitLab"], VALUE])
def test_a_text_is_found_however_its_letters_are_written(how, secret):
    text = f"first line\n see {LETTERS[how](secret)} here\n"
    assert [f.line for f in found(text, environment={"A_KEY": VALUE})] == [2]


@pytest.mark.parametrize("quote", "'\"")
@pytest.mark.parametrize("width", [16, 20, 64])
def test_base64_is_found_over_the_lines_of_a_source(quote, width):
    coded = base64.b64encode(f"some text around {TOKENS['GitHub']} and after it".encode()).decode()
    lines = [f"    {quote}{coded[at : at + width]}{quote}" for at in range(0, len(coded), width)]
    assert [f.inside for f in found("DATA = (\n" + "\n".join(lines) + "\n)")] == ["in base64"]


def test_text_in_utf_16_is_searched_like_any_other():
    coded = base64.b64encode(f"some text around {TOKENS['GitHub']}".encode()).decode()
    assert [f.inside for f in found(f"a {coded}".encode("utf-16"))] == ["in base64"]


def drawn(kind: str, text: str, **settings) -> bytes:
    """Return a figure that shows a text, as matplotlib writes it."""
    import io

    import matplotlib
    from matplotlib.figure import Figure

    out = io.BytesIO()
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(9, 1))
        figure.text(0.01, 0.5, text)
        figure.savefig(out, format=kind)
    return out.getvalue()


FIGURES = {
    "Type 42": ("pdf", {"pdf.fonttype": 42}),
    "Type 3": ("pdf", {"pdf.fonttype": 3}),
    "SVG, paths": ("svg", {"svg.fonttype": "path"}),
    "SVG, text": ("svg", {"svg.fonttype": "none"}),
}


@pytest.mark.parametrize("font", FIGURES)
@pytest.mark.parametrize("secret", [TOKENS["GitHub"], VALUE])
def test_the_text_of_a_figure_is_found(font, secret):
    """As glyphs by number it is nowhere in the bytes of the file."""
    kind, settings = FIGURES[font]
    data = drawn(kind, f"x {secret.replace('_', chr(0x5F))} y", **settings)
    findings = found(data, environment={"A_KEY": VALUE})
    assert [f.kind for f in findings] == ["secret"]
    if font == "Type 42":
        assert findings[0].inside == "on page 1 of a PDF"
    assert found(zipped(data), environment={"A_KEY": VALUE})
    assert not found(drawn(kind, "x no secret y", **settings), environment={"A_KEY": VALUE})


@pytest.mark.parametrize(
    "written",
    [
        lambda text: f"<{text.encode('utf-16').hex()}>",
        lambda text: f"<{('﻿' + text).encode('utf-16-be').hex().upper()}>",
        lambda text: "(" + "".join(f"\\{ord(c):03o}" for c in text) + ")",
        lambda text: "(\\376\\377" + "".join(f"\\000{c}" for c in text) + ")",
        lambda text: f"(\\050{text[:9]}\\\n{text[9:]}\\051)",
    ],
)
@pytest.mark.parametrize("is_compressed", [True, False])
def test_strings_of_a_pdf_are_read(written, is_compressed):
    """So are metadata, alternative texts, bookmarks and notes written."""
    text = f"1 0 obj <</Title {written('see ' + TOKENS['GitHub'])} >>".encode()
    data = pdf(text) if is_compressed else b"%PDF-1.5\n" + text
    assert [f.what for f in found(data)] == ["a token of GitHub"]

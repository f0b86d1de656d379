"""Templates rendered from texts, with what must hold of every rendering checked each time."""

import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from labreport.errors import InputError
from labreport.language.environment import render
from labreport.language.spans import PRIVATE, Rendered
from labreport.language.target import Target
from labreport.language.values import Box
from labreport.writing import LATEX

RESULT = {
    "a": 0.0123,
    "b": 2.5,
    "n": 3,
    "flag": True,
    "s": "adam",
    "odd": "50% of_it",
    "none": None,
    "L": [0.0123, 2.5],
    "items": "shadow",
    "deep": {"x y": 1, "loss": {"mean": 0.123456, "std": 0.0123456}},
    "t": [{"m": "x", "v": 1.5, "g": 1, "best": False}, {"m": "y_", "v": None, "g": 2, "best": True}],
    "tree": [{"name": "r", "sub": [{"name": "c", "sub": []}]}],
    "figure": {"file": "figures/d-loss.pdf", "alt": "loss & more", "experiment": "d", "name": "loss"},
}


def rendered(
    source: str | bytes,
    values: Any = RESULT,
    files: Mapping[str, str] | None = None,
    target: Target = LATEX,
    **options: Any,
) -> Rendered:
    """Return a rendered main template over one result `d`; all that holds of every rendering is checked."""
    with TemporaryDirectory() as root:
        folder = Path(root) / "report_templates"
        for name, text in {"main.tex.j2": source, **(files or {})}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        known = {"d": Box(values, ("d",))}
        out = render(folder, "main.tex.j2", known, target, questions=("1", "3.1(a)"), **options)
    check(out)
    return out


def check(out: Rendered) -> None:
    """Check that the pieces cover the text, values do not overlap and every character keeps its place."""
    assert not PRIVATE.search(out.text)
    starts = [piece.start for piece in out.pieces]
    assert starts == sorted(starts)
    assert starts[0] == 0
    bounds = [bound for p in out.printed for bound in (p.start, p.end)]
    assert bounds == sorted(bounds)
    assert all(0 <= bound <= len(out.text) for bound in bounds)
    for printed in out.printed:
        source = out.sources[printed.site.template]
        assert source[printed.site.offset : printed.site.end] == printed.site.expression
    for offset, character in enumerate(out.text):
        piece = out.piece(offset)
        if piece.site is None:
            source = out.sources[piece.template]
            assert source[piece.offset + offset - piece.start] == character
            place = out.place(offset)
            assert place.source == source.split("\n")[place.line - 1]
            assert (place.source + "\n")[place.column - 1] == character
            assert out.value_at(offset) is None


def printed(out: Rendered) -> list[tuple[str, tuple[str, ...]]]:
    """Return the printed values as (text, keys)."""
    return [(out.text[p.start : p.end], p.keys) for p in out.printed]


def mistake(source: str | bytes, files: Mapping[str, str] | None = None, **options: Any) -> InputError:
    """Return the error that a wrong template raises."""
    with pytest.raises(InputError) as caught:
        rendered(source, files=files, **options)
    assert len(caught.value.lines()) <= 12
    assert not PRIVATE.search(str(caught.value))
    return caught.value


def marked(error: InputError) -> str:
    """Return what the caret of an error stands under."""
    place = error.place
    assert place is not None
    assert place.column is not None
    assert re.fullmatch(r"report_templates/[\w/]+\.tex\.j2", place.file)
    return place.source[place.column - 1 : place.column - 1 + place.length]
